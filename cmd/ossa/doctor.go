package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/doctor"
	"github.com/ossastore/ossa/oss"
)

// errUnwell is an examination that found something. It was told already.
var errUnwell = errors.New("something failed")

func doctorCommand() *cobra.Command {
	c := &clientConfig{}
	write := false
	command := &cobra.Command{
		Use:   "doctor [oss://BUCKET[/KEY]]",
		Short: "Find out why an endpoint, an access key or a bucket does not work",
		Long: `Look at everything between here and a bucket, one after another: endpoint, DNS,
TCP, TLS, HTTP, clock, credentials, signatures, region, addressing, the bucket,
permissions, proxies in the way, and limits. Each check says what it found, and
what to do about it. Give all settings as the other commands have them.

Nothing is changed. --write also tries whether objects and uploads can be written, and
leaves nothing behind: the object has a checksum that cannot be right, so that
it is refused once the right to write was decided; the upload is aborted.

No secret is sent or printed. An access key that looks wrong, such as one with ID and
secret swapped, is not sent at all.

Exit status: 0 if nothing failed (warnings are no failure), 1 if something did, 2
if the command line cannot be understood.`,
		Example: `  ossa doctor
  ossa doctor oss://builds --write
  ossa doctor oss://builds/app.tar -e https://oss-cn-hangzhou.aliyuncs.com --region cn-hangzhou
  ossa doctor oss://builds --json | jq 'select(.mark=="fail")'`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("ossa doctor takes one argument at most, oss://BUCKET or oss://BUCKET/KEY, and got %q", args)
			}
			return nil
		},
		ValidArgsFunction: c.completeLocation,
		RunE: func(command *cobra.Command, args []string) error {
			subject, err := c.subject(command.Context(), os.Getenv)
			if err != nil {
				return err
			}
			if len(args) > 0 {
				at, err := parseRemote(args[0])
				if err != nil {
					return err
				}
				subject.Bucket, subject.Key = at.Bucket, at.Key
			}
			if subject.Write = write; write && subject.Bucket == "" {
				return usagef("--write needs a bucket to write to: ossa doctor oss://BUCKET --write")
			}
			ctx, stop := signal.NotifyContext(command.Context(), os.Interrupt, syscall.SIGTERM)
			defer stop()
			d := &diagnosis{printer: printer{
				json: c.json, quiet: c.quiet,
				stdin: command.InOrStdin(), stdout: command.OutOrStdout(), stderr: command.ErrOrStderr(),
			}}
			doctor.Examine(ctx, subject, doctor.World{UserAgent: "ossa/" + release()}, d.tell)
			if ctx.Err() != nil {
				return &interruptedError{ctx.Err()}
			}
			return d.end()
		},
	}
	command.Flags().BoolVar(&write, "write", false, "also try to write; nothing remains")
	c.addFlags(command.Flags())
	command.Flags().SortFlags = false
	command.RegisterFlagCompletionFunc("profile", completeProfile)
	return command
}

// subject is what a client would be made of, as it was given: what is wrong with
// it is for the examination to tell.
func (c *clientConfig) subject(ctx context.Context, getenv func(string) string) (doctor.Subject, error) {
	s := doctor.Subject{Anonymous: c.anonymous}
	keyID := cmp.Or(c.keyID, getenv(envAccessKeyID))
	complete := cmp.Or(c.endpoint, getenv(envEndpoint)) != "" && (keyID != "" && cmp.Or(c.secret, getenv(envAccessKeySecret)) != "" || c.anonymous)
	profile, err := c.loadProfile(getenv, complete)
	if err != nil {
		return s, err
	}
	var stored oss.Credentials
	if profile == nil {
		profile = &oss.Profile{}
	} else {
		// Odd ones come with an error, and are looked at here.
		stored, err = profile.Credentials(ctx)
		if err != nil && stored.AccessKeyID == "" && keyID == "" && !c.anonymous {
			return s, err
		}
	}
	const fromProfile = "the profile"
	named := c.profile != "" || c.configFile != "" // and so wins over the environment
	pick := func(flag, flagValue, env, stored string, wins bool) (value, from string) {
		switch {
		case flagValue != "":
			return flagValue, flag
		case stored != "" && (wins || getenv(env) == ""):
			return stored, fromProfile
		case getenv(env) != "":
			return getenv(env), env
		}
		return "", ""
	}
	s.Endpoint, s.EndpointFrom = pick("--endpoint", c.endpoint, envEndpoint, profile.Endpoint, named)
	s.Region, s.RegionFrom = pick("--region", c.region, envRegion, profile.Region, named)
	if s.Region == "" && !strings.Contains(s.Endpoint, ".aliyuncs.com") {
		s.Region = defaultRegion
	}
	if wins := named && err == nil; wins && stored.AccessKeyID == "" && c.keyID == "" {
		s.Anonymous = true // as the profile says
	} else if k := &s.Credentials; !s.Anonymous {
		k.AccessKeyID, s.KeyIDFrom = pick("--access-key-id", c.keyID, envAccessKeyID, stored.AccessKeyID, wins)
		k.AccessKeySecret, s.SecretFrom = pick("--access-key-secret", c.secret, envAccessKeySecret, stored.AccessKeySecret, wins)
		switch { // a token belongs to the key that it came with
		case c.token != "":
			k.SecurityToken, s.TokenFrom = c.token, "--sts-token"
		case s.KeyIDFrom == fromProfile && stored.SecurityToken != "":
			k.SecurityToken, s.TokenFrom = stored.SecurityToken, fromProfile
		case s.KeyIDFrom != fromProfile && getenv(envSessionToken) != "":
			k.SecurityToken, s.TokenFrom = getenv(envSessionToken), envSessionToken
		}
	}

	addressing, known := addressings[c.addressing]
	if !known {
		return s, usagef("--addressing: %q is none of auto, path, virtual and cname", c.addressing)
	}
	if s.Addressing = addressing; addressing == oss.AutoAddressing {
		s.Addressing = profile.Addressing
	}
	s.Signature = profile.Signature
	if c.signature != "" {
		if s.Signature, known = signatures[strings.ToLower(c.signature)]; !known {
			return s, usagef("--sign-version: %q is neither v4 nor v1", c.signature)
		}
	}
	return s, nil
}

// diagnosis prints checks as they are made.
type diagnosis struct {
	printer
	count map[doctor.Mark]int
}

// checkEntry is a check for machines.
type checkEntry struct {
	Type string `json:"type"` // check
	doctor.Check
}

func (d *diagnosis) tell(c doctor.Check) {
	if d.count == nil {
		d.count = map[doctor.Mark]int{}
	}
	d.count[c.Mark]++
	bad := c.Mark == doctor.Warn || c.Mark == doctor.Fail
	switch {
	case d.json:
		d.print(checkEntry{"check", c})
		return
	case d.quiet && !bad:
		return
	}
	line := func(what, text string) { fmt.Fprintf(d.stdout, "%-4s  %-12s  %s\n", what, "", text) }
	fmt.Fprintf(d.stdout, "%-4s  %-12s  %s\n", c.Mark, c.Name, c.Found)
	if !bad {
		return
	}
	for _, text := range c.Detail {
		line("", text)
	}
	line("", "looked at: "+c.Looked)
	line("", "do next:   "+c.Next)
}

// end sums up.
func (d *diagnosis) end() error {
	n := d.count
	d.say("\n%d ok, %d to be warned about, %d failed, %d not looked at", n[doctor.OK], n[doctor.Warn], n[doctor.Fail], n[doctor.Skip])
	if n[doctor.Fail] > 0 {
		return errUnwell
	}
	return nil
}
