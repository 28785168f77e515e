package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

const (
	envEndpoint = "OSS_ENDPOINT"
	envCAFile   = "OSSA_CA_FILE"
)

// sessionKeyPrefix is what IDs of access keys begin with that count with a token
// only, here and at Alibaba Cloud.
const sessionKeyPrefix = "STS."

// clientConfig is what every command is told that talks to an endpoint. A flag
// wins over its variable, and that over the profile; but a profile that a flag
// names wins over variables.
type clientConfig struct {
	endpoint      string
	region        string
	keyID, secret string
	token         string
	anonymous     bool
	addressing    string
	signature     string
	configFile    string
	profile       string
	caFile        string
	json, quiet   bool

	limitRate sizeFlag // of commands that transfer; bytes a second
	log       slog.Handler

	resolved string // the endpoint that client found
}

func (c *clientConfig) addFlags(flags *pflag.FlagSet) {
	flags.StringVarP(&c.endpoint, "endpoint", "e", "", "`URL` or host of the server ("+envEndpoint+")")
	flags.StringVar(&c.region, "region", "", "`region` of the server ("+envRegion+"; default "+defaultRegion+")")
	flags.StringVarP(&c.keyID, "access-key-id", "i", "", "access key `ID` ("+envAccessKeyID+")")
	flags.StringVarP(&c.secret, "access-key-secret", "k", "", "`secret` of the access key; others on this machine may see it there ("+envAccessKeySecret+")")
	flags.StringVarP(&c.token, "sts-token", "t", "", "security `token` of a session ("+envSessionToken+")")
	flags.BoolVar(&c.anonymous, "anonymous", false, "sign nothing")
	flags.StringVar(&c.addressing, "addressing", "auto", "where bucket names stand: auto, path, virtual or cname")
	flags.StringVar(&c.signature, "sign-version", "", "`version` of signatures: v4 or v1 (default v4)")
	flags.StringVarP(&c.configFile, "config-file", "c", "", "`file` with profiles, such as one of ossutil")
	flags.StringVar(&c.profile, "profile", "", "`name` of a profile, see ossa config ("+envProfile+")")
	flags.StringVar(&c.caFile, "ca-file", "", "PEM `file` of certificates to believe, besides those of the machine ("+envCAFile+")")
	flags.BoolVar(&c.json, "json", false, "print one JSON object a line")
	flags.BoolVarP(&c.quiet, "quiet", "q", false, "print results and errors only")
}

var addressings = map[string]oss.Addressing{
	"auto": oss.AutoAddressing, "path": oss.PathStyle, "virtual": oss.VirtualHost, "cname": oss.CNAME,
}

var signatures = map[string]oss.Signature{"v4": oss.SignatureV4, "v1": oss.SignatureV1}

// client makes a client of flags, environment and profile.
func (c *clientConfig) client(getenv func(string) string) (*oss.Client, error) {
	s, err := c.settings(getenv)
	if err != nil {
		return nil, err
	}
	if s.endpoint.value == "" {
		return nil, usagef("%s must hold the URL of a server, such as http://127.0.0.1:9000; or give --endpoint", envEndpoint)
	}
	credentials, err := s.credentials(cmp.Or(c.profile, getenv(envProfile), defaultProfile))
	if err != nil {
		return nil, err
	}
	roots, err := s.rootCAs()
	if err != nil {
		return nil, err
	}
	c.resolved = s.endpoint.value
	options := []oss.Option{
		oss.WithUserAgent("ossa/" + release()), oss.WithCredentials(credentials),
		oss.WithRegion(s.region.value), oss.WithAddressing(s.addressing), oss.WithSignature(s.signature),
		oss.WithRootCAs(roots),
	}
	if c.log != nil {
		options = append(options, oss.WithLogger(slog.New(c.log)))
	}
	if c.limitRate > 0 {
		options = append(options, oss.WithRateLimit(int64(c.limitRate)))
	}
	client, err := oss.NewClient(s.endpoint.value, options...)
	if err != nil {
		return nil, &usageError{err}
	}
	return client, nil
}

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
		Use: use, Short: short, Long: strings.TrimPrefix(long, "\n"), Example: example,
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
	c.addFlags(command.Flags())
	command.Flags().SortFlags = false
	command.RegisterFlagCompletionFunc("profile", completeProfile)
	return command
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

// interruptedError is a command that a signal ended.
type interruptedError struct {
	err     error
	outlook string // what becomes of it, for people
}

func (e *interruptedError) Error() string { return "interrupted" + e.outlook }
func (e *interruptedError) Unwrap() error { return e.err }

// partlyError is a command that did some of its work; report names the file
// that lists the rest.
type partlyError struct {
	failed int
	report string
}

func (e *partlyError) Error() string {
	return fmt.Sprintf("%d could not be done; they are listed in %s", e.failed, e.report)
}
