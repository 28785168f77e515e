// Command ossa is an object store that speaks the OSS protocol, what looks after
// its data, and a client for it and for any other OSS endpoint.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run executes one command line and returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	root := rootCommand()
	args = fromOssutil(commandFirst(args))
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	if len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd) {
		completeFlags(root)
	}
	command, err := unknownCommand(root, args)
	if err == nil {
		command, err = root.ExecuteC()
	}
	if err == nil {
		return exitOK
	}
	var usage *usageError
	var partly *partlyError
	var interrupted *interruptedError
	switch {
	case errors.As(err, &usage):
		fmt.Fprintf(stderr, "ossa: %s\nRun \"%s --help\" for how to use it.\n", errorText(err), command.CommandPath())
		return exitUsage
	case errors.Is(err, errDamage), errors.Is(err, errUnwell): // told already, on stdout
		return exitFailed
	}
	fmt.Fprintf(stderr, "ossa: %s\n", errorText(err))
	switch {
	case errors.As(err, &interrupted):
		return exitInterrupted
	case errors.As(err, &partly):
		return exitPartly
	}
	return exitFailed
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ossa",
		Short: "An object store that speaks the OSS protocol",
		Long: `Ossa is an object store for your own machine that speaks the protocol of
Alibaba Cloud OSS, so that the official clients work with it unchanged; and a client
for it and for any other OSS endpoint.

Commands of the client read ` + envEndpoint + `, ` + envRegion + `, ` + envAccessKeyID + `,
` + envAccessKeySecret + ` and ` + envSessionToken + `.

Exit status: 0 if all went well, 1 if something failed, 2 if the command line
or the environment cannot be understood, 3 if a part of many things failed, 130
if a signal ended it.`,
		Example: `  ossa serve --data /srv/ossa
  ossa mb oss://builds
  ossa ls -l oss://builds`,
		Args:              noArguments,
		Run:               func(command *cobra.Command, _ []string) { command.Help() },
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{DisableDefaultCmd: true},
		Version:           versionLine(),
	}
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	root.AddGroup(&cobra.Group{ID: "server", Title: "Server:"}, &cobra.Group{ID: "objects", Title: "Buckets, objects and uploads of any endpoint:"},
		&cobra.Group{ID: "settings", Title: "Settings, of this program and of buckets and objects:"})
	in := func(id string, commands ...*cobra.Command) {
		for _, c := range commands {
			c.GroupID = id
			root.AddCommand(c)
		}
	}
	in("server", serveCommand(), checkCommand(), adminCommand())
	in("objects", cpCommand(), syncCommand(), lsCommand(), catCommand(), statCommand(), rmCommand(), mbCommand(), rbCommand(), mkdirCommand(), duCommand(), presignCommand(),
		hashCommand(), uploadsCommand(), restoreCommand())
	in("settings", configCommand(), doctorCommand(), aclCommand(), tagCommand(), setMetaCommand(), lifecycleCommand(), corsCommand(), policyCommand(), refererCommand(), encryptionCommand(), cnameCommand())
	root.AddCommand(completionCommand(), versionCommand())
	return root
}
