package main

import (
	"context"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print what makes a shell complete commands",
		Long: `Print a script for a shell, which then completes commands, flags, and names of
buckets and objects: those of the endpoint that is asked.

Exit status: 0 if all went well, 2 if the command line cannot be understood.`,
		Example: `  . <(ossa completion bash)
  ossa completion zsh > "${fpath[1]}/_ossa"
  ossa completion fish > ~/.config/fish/completions/ossa.fish
  ossa completion powershell | Out-String | Invoke-Expression`,
		ValidArgs: []string{"bash", "zsh", "fish", "powershell"},
		Args: func(command *cobra.Command, args []string) error {
			return wantArguments(command, []string{"bash|zsh|fish|powershell"}, args)
		},
		RunE: func(command *cobra.Command, args []string) error {
			root, out := command.Root(), command.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return usagef("%q is none of bash, zsh, fish and powershell", args[0])
		},
	}
}

// Somebody waits for a completion with a finger on a key.
const (
	completionPatience = 2 * time.Second
	completionsMax     = 200
)

// completeLocation completes buckets, and objects by levels. Where that fails
// there is nothing to complete: nobody reads errors then.
func (c *clientConfig) completeLocation(command *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	rest, remote := strings.CutPrefix(typed, ossScheme)
	if !remote {
		if strings.HasPrefix(ossScheme, typed) {
			return []string{ossScheme}, cobra.ShellCompDirectiveNoSpace
		}
		return nil, cobra.ShellCompDirectiveDefault
	}
	client, err := c.client(os.Getenv)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(context.Background(), completionPatience)
	defer cancel()
	var names []string
	bucket, prefix, inBucket := strings.Cut(rest, "/")
	if !inBucket {
		for b, err := range client.Buckets(ctx, bucket) {
			if err != nil || len(names) == completionsMax {
				break
			}
			names = append(names, ossScheme+b.Name)
		}
		return names, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	}
	for e, err := range client.Entries(ctx, bucket, prefix, "/") {
		if err != nil || len(names) == completionsMax {
			break
		}
		name := e.Prefix
		if e.Object != nil {
			name = e.Object.Key
		}
		if line(name) == name {
			names = append(names, ossScheme+bucket+"/"+name)
		}
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(names) == 1 && strings.HasSuffix(names[0], "/") {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return names, directive
}

// completeProfile completes names of profiles.
func completeProfile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, file := range profileFiles(os.Getenv) {
		if more, err := oss.ProfileNames(file); err == nil {
			names = append(names, more...)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
