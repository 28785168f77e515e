package main

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

func completionCommand() *cobra.Command {
	return &cobra.Command{
		Use: "completion bash|zsh|fish|powershell", Short: "Print what makes a shell complete commands",
		Long: `Print a script for a shell, which then completes commands, flags, and names of
buckets and objects: those of the endpoint that is asked. In bash it works without
the package bash-completion, too.

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
				if err := root.GenBashCompletionV2(out, true); err != nil {
					return err
				}
				_, err := io.WriteString(out, bashWords)
				return err
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

// bashWords finds the words of a line where the package bash-completion, on which
// the script before it relies, is not there: bash takes oss://b for three of them.
const bashWords = `
if ! declare -F _get_comp_words_by_ref >/dev/null; then
    __ossa_init_completion()
    {
        local rest=$COMP_LINE i
        COMPREPLY=() words=() cword=0
        for i in "${!COMP_WORDS[@]}"; do
            if [[ $i -gt 0 && $rest != [[:space:]]* ]]; then
                words[${#words[@]}-1]+=${COMP_WORDS[i]}
            else
                words+=("${COMP_WORDS[i]}")
                rest=${rest#"${rest%%[![:space:]]*}"}
            fi
            rest=${rest#"${COMP_WORDS[i]}"}
            if [[ $i -eq $COMP_CWORD ]]; then
                cword=$((${#words[@]} - 1))
            fi
        done
        cur=${words[cword]} prev=${words[cword-1]}
    }
fi
`

// flagValues are what flags take that take one of a few words.
var flagValues = map[string][]string{
	"acl":                texts(objectACLs),
	"addressing":         {"auto", "path", "virtual", "cname"},
	"links":              {"files", "all", "skip"},
	"mode":               {"AK", "StsToken", "Anonymous"},
	"operation":          presignOperations,
	"redundancy-type":    redundancies,
	"sign-version":       {"v4", "v1"},
	"sse":                sseAlgorithms,
	"sse-data-algorithm": {"SM4"},
	"storage-class":      texts(storageClasses),
	"tier":               restoreTiers,
	"type":               hashKinds,
}

// completeFlags completes values of the flags of a command and of those below it.
// Shells show what flags are for without the quotes that name their values.
func completeFlags(command *cobra.Command) {
	command.LocalFlags().VisitAll(func(f *pflag.Flag) {
		f.Usage = strings.ReplaceAll(f.Usage, "`", "")
		if values := flagValues[f.Name]; values != nil {
			command.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	})
	for _, c := range command.Commands() {
		completeFlags(c)
	}
}

// Somebody waits for a completion with a finger on a key.
const (
	completionPatience = 2 * time.Second
	completionsMax     = 200
)

// completeLocation completes buckets, and objects by levels. Where that fails
// there is nothing to complete: nobody reads errors then.
func (c *clientConfig) completeLocation(command *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if command.CommandPath() == "ossa acl set" && len(args) == 1 {
		return flagValues["acl"], cobra.ShellCompDirectiveNoFileComp
	}
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
			if plainWord(b.Name) {
				names = append(names, ossScheme+b.Name)
			}
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
		if plainWord(name) {
			names = append(names, ossScheme+bucket+"/"+name)
		}
	}
	directive := cobra.ShellCompDirectiveNoFileComp
	if len(names) == 1 && strings.HasSuffix(names[0], "/") {
		directive |= cobra.ShellCompDirectiveNoSpace
	}
	return names, directive
}

// plainWord tells whether a name means nothing to a shell. The scripts of cobra put
// what several names have in common on the line as it is, and evaluate the line at
// the next TAB: a key with $(...) in it, which is anybody's word, would be run.
func plainWord(name string) bool {
	special := func(r rune) bool {
		plain := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune(" -_.+,@%/=:", r)
		return r < utf8.RuneSelf && !plain
	}
	return line(name) == name && !strings.ContainsFunc(name, special)
}

// completeProfile completes names of profiles.
func completeProfile(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	var names []string
	for _, file := range profileFiles(os.Getenv) {
		if more, err := oss.ProfileNames(file); err == nil {
			names = append(names, slices.DeleteFunc(more, func(name string) bool { return !plainWord(name) })...)
		}
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
