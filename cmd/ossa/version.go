package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/engine"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Tell which release this is",
		Args:  noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(command.OutOrStdout(), versionLine())
			return err
		},
	}
}

// versionLine is what "ossa version" and "ossa --version" print.
func versionLine() string {
	return fmt.Sprintf("ossa %s (%s %s/%s, data format %d)",
		release(), runtime.Version(), runtime.GOOS, runtime.GOARCH, engine.Version)
}

// release is the version that the Go tool recorded when it built the binary.
func release() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "(devel)"
	}
	return info.Main.Version
}
