package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/admin"
	"github.com/ossastore/ossa/internal/sign"
)

// The variables that the admin commands read. Those of the access key are the
// ones that the official clients read too.
const (
	envAccessKeyID     = "OSS_ACCESS_KEY_ID"
	envAccessKeySecret = "OSS_ACCESS_KEY_SECRET"
	envSessionToken    = "OSS_SESSION_TOKEN"
	envRegion          = "OSS_REGION"
	envAdminEndpoint   = "OSSA_ADMIN_ENDPOINT"
)

const (
	defaultAdminEndpoint = "http://127.0.0.1:9001"
	defaultRegion        = "cn-hangzhou"
)

// adminConfig is what every admin command is told.
type adminConfig struct {
	endpoint string
	region   string
	caFile   string
	json     bool
}

func adminCommand() *cobra.Command {
	c := &adminConfig{}
	command := &cobra.Command{
		Use:   "admin",
		Short: "Look after users, access keys, policies and sessions of a running server",
		Long: `Look after users, access keys, policies, sessions and the key ring of a running
server, through its admin listener.

The access key is read from ` + envAccessKeyID + `, ` + envAccessKeySecret + ` and, for a
session, ` + envSessionToken + `. It is root's, or that of a user whose policies allow
the action. Nothing changes on the way from the server to another machine but
--admin; the listener has TLS only if the server was started with --admin-tls.`,
		Example: `  . ./ossa-data/root-credentials        # sets ` + envAccessKeyID + ` and ` + envAccessKeySecret + `
  ossa admin user add ci
  ossa admin policy example upload-only --bucket builds > upload.json
  ossa admin policy put upload-builds upload.json
  ossa admin policy attach upload-builds ci
  ossa admin key add ci`,
		Args: noArguments,
		Run:  func(command *cobra.Command, _ []string) { command.Help() },
	}
	flags := command.PersistentFlags()
	flags.StringVar(&c.endpoint, "admin", "", "`URL` of the admin listener ("+envAdminEndpoint+"; default "+defaultAdminEndpoint+")")
	flags.StringVar(&c.region, "region", "", "`region` of the server ("+envRegion+"; default "+defaultRegion+")")
	flags.StringVar(&c.caFile, "ca-file", "", "PEM `file` of certificates to believe, besides those of the machine ("+envCAFile+")")
	flags.BoolVar(&c.json, "json", false, "print one JSON object a line")
	command.AddCommand(adminUserCommand(c), adminKeyCommand(c), adminPolicyCommand(c), adminStsCommand(c), adminKeyringCommand(c))
	return command
}

// leaf is a command that talks to the admin listener, as clientLeaf is one that
// talks to an endpoint.
func (c *adminConfig) leaf(use, short, long, example string, run func(s *adminSession, args []string) error) *cobra.Command {
	names := strings.Fields(use)[1:]
	return &cobra.Command{
		Use: use, Short: short, Long: helpOf(short, long, statusHelp), Example: example,
		Args: func(command *cobra.Command, args []string) error { return wantArguments(command, names, args) },
		RunE: func(command *cobra.Command, args []string) error {
			s, err := c.session(command, os.Getenv)
			if err != nil {
				return err
			}
			if err := run(s, args); err != nil {
				return advise(s.client.Endpoint, err)
			}
			return s.unsaid()
		},
	}
}

// adminSession is a command under way.
type adminSession struct {
	printer
	ctx    context.Context
	client *admin.Client
}

func (c *adminConfig) session(command *cobra.Command, getenv func(string) string) (*adminSession, error) {
	id, secret := getenv(envAccessKeyID), getenv(envAccessKeySecret)
	if id == "" || secret == "" {
		return nil, usagef("%s and %s must hold an access key; for root's, source the file root-credentials of the data directory: . ./ossa-data/root-credentials",
			envAccessKeyID, envAccessKeySecret)
	}
	endpoint := cmp.Or(c.endpoint, getenv(envAdminEndpoint), defaultAdminEndpoint)
	if u, err := url.Parse(endpoint); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, usagef("%q is not the URL of an admin listener, such as %s (--admin, %s)", endpoint, defaultAdminEndpoint, envAdminEndpoint)
	}
	roots, err := loadRootCAs(pick(c.caFile, "--ca-file", "", getenv, envCAFile, false))
	if err != nil {
		return nil, err
	}
	return &adminSession{
		printer: printer{json: c.json, stdin: command.InOrStdin(), stdout: command.OutOrStdout(), stderr: command.ErrOrStderr()},
		ctx:     command.Context(),
		client: &admin.Client{
			Endpoint: endpoint, Region: cmp.Or(c.region, getenv(envRegion), defaultRegion), UserAgent: "ossa/" + release(), RootCAs: roots,
			Credentials: sign.Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: getenv(envSessionToken)},
		},
	}, nil
}

func (s *adminSession) call(action string, in, out any) error {
	return s.client.Call(s.ctx, action, in, out)
}

func enabled(on bool) string {
	if on {
		return "enabled"
	}
	return "disabled"
}

// advice is what to do about an answer that says no.
var advice = map[string]string{
	"NoPermission":                        "use root's access key, or attach a policy that allows it to the user: ossa admin policy attach POLICY USER",
	"InvalidAccessKeyId":                  "look at " + envAccessKeyID + ": is the key another server's, deleted or disabled?",
	"SignatureDoesNotMatch":               "look at " + envAccessKeySecret + ": is it the secret of " + envAccessKeyID + "?",
	"SecurityTokenExpired":                "begin another session with a long-term access key: ossa admin sts assume",
	"InvalidSecurityToken":                "unset " + envSessionToken + " for a long-term key, or begin another session: ossa admin sts assume",
	"AccessKeyIdAndSecurityTokenNotMatch": "unset " + envSessionToken + ": it is of a session that the access key is not of",
	"InvalidArgument":                     "the region must be the one that the server was started with: --region or " + envRegion,
	"RequestTimeTooSkewed":                "set the clock of this machine",
	"TooManyFailures":                     "wait a little, and look at " + envAccessKeyID + " and " + envAccessKeySecret + " first",
	"EntityNotExist.User":                 "ossa admin user ls tells which there are",
	"EntityNotExist.Policy":               "ossa admin policy ls tells which there are",
	"EntityNotExist.User.AccessKey":       "ossa admin key ls USER tells which there are",
	"EntityNotExist.User.Policy":          "ossa admin user show USER tells which it has",
	"EntityNotExist.Key":                  "ossa admin keyring ls tells which there are",
	"DeleteConflict.User.AccessKey":       "delete them with ossa admin key rm, or everything with ossa admin user rm --force",
	"DeleteConflict.User.Policy":          "detach them with ossa admin policy detach, or everything with ossa admin user rm --force",
	"DeleteConflict.Policy.User":          "detach it with ossa admin policy detach, or from everybody with ossa admin policy rm --force",
	"InvalidParameter.PolicyDocument":     "ossa admin policy example prints some that work",
	"MissingParameter.Policy":             "say what the session may do: --policy FILE",
	"NoKeyRing":                           "start the server with a key ring",
	"InvalidParameter.DurationSeconds":    "give --duration from 15m to 12h",
}

// advise says what to do about an error.
func advise(endpoint string, err error) error {
	var refusal *admin.Error
	var refused *net.OpError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal):
		text := refusal.Message
		if next := advice[refusal.Code]; next != "" {
			return fmt.Errorf("%s\n  %s: %s", text, refusal.Code, next)
		}
		return fmt.Errorf("%s\n  %s, request %s", text, refusal.Code, refusal.RequestID)
	case errors.As(err, &refused):
		return fmt.Errorf("%w\n  is the server running, and is %s its admin listener? Give another with --admin or %s", err, endpoint, envAdminEndpoint)
	}
	if next := connectionAdvice(err, "--admin or "+envAdminEndpoint); next != "" {
		return fmt.Errorf("%w\n  %s", err, next)
	}
	return err
}

// isCode tells whether the server refused with a code.
func isCode(err error, code string) bool {
	var refusal *admin.Error
	return errors.As(err, &refusal) && refusal.Code == code
}

// maxPolicyFile bounds a file of a policy that is read, in bytes. The server
// takes less.
const maxPolicyFile = 1 << 20

// readPolicy reads a document from a file, "-" for stdin.
func (s *adminSession) readPolicy(name string) (string, error) {
	text, err := s.readFile(name, maxPolicyFile)
	return string(text), err
}

// exports are shell lines that set an access key.
func exports(id, secret, token string) string {
	lines := "export " + envAccessKeyID + "=" + shellQuote(id) + "\nexport " + envAccessKeySecret + "=" + shellQuote(secret) + "\n"
	if token != "" {
		return lines + "export " + envSessionToken + "=" + shellQuote(token) + "\n"
	}
	return lines + "unset " + envSessionToken + "\n"
}
