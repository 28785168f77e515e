package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// clientSession is a command under way.
type clientSession struct {
	printer
	ctx      context.Context // ends with the first signal; a second one kills
	client   *oss.Client
	terminal bool // a person watches stderr
	args     []string
	outlook  string // what an interruption means, "" if nothing was begun; after a colon at its end comes the command
}

// clientLeaf is a command that talks to an endpoint. names are its arguments as
// its Use names them, and addFlags its own flags, nil for none.
func clientLeaf(use, short, long, example string, addFlags func(*pflag.FlagSet), run func(s *clientSession) error) *cobra.Command {
	return (&clientConfig{}).leaf(use, short, long, example, addFlags, run)
}

// leaf is clientLeaf with settings that the caller has a hand in.
func (c *clientConfig) leaf(use, short, long, example string, addFlags func(*pflag.FlagSet), run func(s *clientSession) error) *cobra.Command {
	names := strings.Fields(use)[1:]
	command := &cobra.Command{
		Use: use, Short: short, Long: helpOf(short, long, statusHelpSignal), Example: example,
		Args: func(command *cobra.Command, args []string) error { return wantArguments(command, names, args) },

		ValidArgsFunction: c.completeLocation,
		RunE: func(command *cobra.Command, args []string) error {
			if err := emptyFlag(command.Flags()); err != nil {
				return err
			}
			client, err := c.client(os.Getenv)
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			go func() {
				<-ctx.Done()
				stop()
			}()
			s := &clientSession{
				printer: printer{
					json: c.json, quiet: c.quiet,
					stdin: command.InOrStdin(), stdout: command.OutOrStdout(), stderr: command.ErrOrStderr(),
				},
				ctx: ctx, client: client, args: args, outlook: "this begins anew:",
			}
			s.terminal = isTerminalStream(s.stderr)
			if err = run(s); err == nil {
				err = s.unsaid()
			}
			if err != nil && ctx.Err() != nil && command.Context().Err() == nil && errors.Is(err, context.Canceled) {
				interrupted := &interruptedError{err: err}
				if s.outlook != "" {
					interrupted.outlook = "; " + s.outlook
				}
				if strings.HasSuffix(s.outlook, ":") {
					interrupted.outlook += "\n  " + commandAgain(os.Args)
				}
				err = interrupted
			}
			return c.advise(err)
		},
	}
	if addFlags != nil {
		addFlags(command.Flags())
	}
	if command.Flags().Lookup("report") != nil {
		command.Long = helpOf(short, long, statusHelpPartly)
	}
	c.addFlags(command.Flags())
	command.Flags().SortFlags = false
	command.RegisterFlagCompletionFunc("profile", completeProfile)
	return command
}

// localLeaf is a command that talks to nobody.
func localLeaf(use, short, long, example string, addFlags func(*pflag.FlagSet), run func(p *printer, command *cobra.Command, args []string) error) *cobra.Command {
	p := &printer{}
	names := strings.Fields(use)[1:]
	command := &cobra.Command{
		Use: use, Short: short, Long: helpOf(short, long, statusHelp), Example: example,
		Args: func(command *cobra.Command, args []string) error { return wantArguments(command, names, args) },
		RunE: func(command *cobra.Command, args []string) error {
			p.stdin, p.stdout, p.stderr = command.InOrStdin(), command.OutOrStdout(), command.ErrOrStderr()
			if err := run(p, command, args); err != nil {
				return err
			}
			return p.unsaid()
		},
	}
	flags := command.Flags()
	if addFlags != nil {
		addFlags(flags)
	}
	flags.BoolVar(&p.json, "json", false, "print one JSON object a line")
	flags.SortFlags = false
	return command
}

// group is a command that only holds others.
func group(use, short, long string, commands ...*cobra.Command) *cobra.Command {
	command := &cobra.Command{
		Use: use, Short: short, Long: long, Args: noArguments,
		Run: func(command *cobra.Command, _ []string) { command.Help() },
	}
	command.AddCommand(commands...)
	return command
}

// wantArguments sees that there is an argument for each name. One in brackets
// may be missing, and the last one may stand for many if it ends in "...".
func wantArguments(command *cobra.Command, names, args []string) error {
	least := 0
	for _, name := range names {
		if !strings.HasPrefix(name, "[") {
			least++
		}
	}
	many := len(names) > 0 && strings.HasSuffix(strings.TrimSuffix(names[len(names)-1], "]"), "...")
	if len(args) < least || len(args) > len(names) && !many {
		want := strings.Join(names, " ")
		if want == "" {
			want = "no arguments"
		}
		got := "nothing"
		if len(args) > 0 {
			got = strings.Trim(fmt.Sprintf("%q", args), "[]")
		}
		return usagef("%s takes %s, and got %s", command.CommandPath(), want, got)
	}
	return nil
}

func noArguments(command *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if command.HasSubCommands() {
		return usagef("there is no command %q%s", args[0], commandAdvice(command, args[0]))
	}
	return usagef("%s takes no arguments, and got %q", command.CommandPath(), args[0])
}

// emptyFlag refuses flags that are given with nothing in them: mostly that is a
// variable that is not set, and the command would do more than what was meant.
func emptyFlag(flags *pflag.FlagSet) (err error) {
	flags.Visit(func(f *pflag.Flag) {
		if f.Value.Type() == "string" && f.Value.String() == "" && err == nil {
			err = usagef("--%s: its value is empty; is a variable not set?", f.Name)
		}
	})
	return err
}

// isTerminalStream tells whether a stream of a command is a terminal.
func isTerminalStream(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && isTerminal(file)
}
