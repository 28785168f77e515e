package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/admin"
)

func adminStsCommand(c *adminConfig) *cobra.Command {
	return group("sts", "Sessions: assume",
		`Sessions: temporary access keys with the rights of whoever begins them, or fewer.`,
		stsAssumeCommand(c))
}

func stsAssumeCommand(c *adminConfig) *cobra.Command {
	var policy string
	duration := time.Hour
	command := c.leaf("assume", "Begin a session and print its access key", `
Begin a session with the rights of the access key that is used, and no others
than --policy allows. A user needs the right to do that, sts:AssumeRole; a
session of root needs a policy. What is printed sets the session's key in a shell.

A session ends when its time is over, when its user is deleted, and with
"ossa admin user revoke-sessions"; it is refused while its user is disabled. One
of root ends when root's access key is changed.`,
		`  eval "$(ossa admin sts assume --policy upload.json --duration 1h)"
  ossa admin sts assume --duration 15m --json`,
		func(s *adminSession, _ []string) error { return s.stsAssume(policy, duration) })
	command.Flags().StringVar(&policy, "policy", "", "`file` of a policy that limits the session; \"-\" for stdin")
	command.Flags().DurationVar(&duration, "duration", time.Hour, "`time` that it lasts, 15m to 12h")
	return command
}

func (s *adminSession) stsAssume(policy string, duration time.Duration) error {
	req := admin.AssumeRoleRequest{DurationSeconds: int64(duration / time.Second)}
	if duration%time.Second != 0 || duration <= 0 {
		return usagef("--duration: %v is no number of seconds, minutes or hours", duration)
	}
	if policy != "" {
		document, err := s.readPolicy(policy)
		if err != nil {
			return err
		}
		req.Policy = document
	}
	var session admin.Credentials
	if err := s.call("AssumeRole", req, &session); err != nil {
		return err
	}
	if s.json {
		return s.print(sessionEntry{"session", session.AccessKeyID, session.AccessKeySecret, session.SecurityToken, session.Expires})
	}
	fmt.Fprintf(s.stderr, "ossa: session %s lasts until %s\n", session.AccessKeyID, when(session.Expires))
	fmt.Fprint(s.stdout, exports(session.AccessKeyID, session.AccessKeySecret, session.SecurityToken))
	return nil
}
