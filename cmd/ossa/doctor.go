package main

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/signal"
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
if the command line or the environment cannot be understood, 130 if a signal ended
it.`,
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
			subject, roots, err := c.subject(os.Getenv)
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
			doctor.Examine(ctx, subject, doctor.World{UserAgent: "ossa/" + release(), RootCAs: roots}, d.tell)
			if ctx.Err() != nil {
				return &interruptedError{err: ctx.Err()}
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
func (c *clientConfig) subject(getenv func(string) string) (doctor.Subject, *x509.CertPool, error) {
	s, err := c.settings(getenv)
	if err != nil {
		return doctor.Subject{}, nil, err
	}
	if s.profileErr != nil && s.keyID.value == "" {
		return doctor.Subject{}, nil, s.profileErr
	}
	roots, err := s.rootCAs()
	return doctor.Subject{
		Endpoint: s.endpoint.value, EndpointFrom: s.endpoint.from, Region: s.region.value, RegionFrom: s.region.from,
		Credentials: oss.Credentials{AccessKeyID: s.keyID.value, AccessKeySecret: s.secret.value, SecurityToken: s.token.value},
		KeyIDFrom:   s.keyID.from, SecretFrom: s.secret.from, TokenFrom: s.token.from,
		Anonymous: s.anonymous, Addressing: s.addressing, Signature: s.signature,
	}, roots, err
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
	line := func(mark, name, text string) {
		_, err := fmt.Fprintf(d.stdout, "%-4s  %-12s  %s\n", mark, name, inert(text))
		d.noticed(err)
	}
	line(string(c.Mark), c.Name, c.Found)
	if !bad {
		return
	}
	for _, text := range c.Detail {
		line("", "", text)
	}
	line("", "", "looked at: "+c.Looked)
	line("", "", "do next:   "+c.Next)
}

// end sums up.
func (d *diagnosis) end() error {
	n := d.count
	d.say("\n%d ok, %d to be warned about, %d failed, %d not looked at", n[doctor.OK], n[doctor.Warn], n[doctor.Fail], n[doctor.Skip])
	if n[doctor.Fail] > 0 {
		return errUnwell
	}
	return d.unsaid()
}
