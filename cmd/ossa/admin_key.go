package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/admin"
)

func adminKeyCommand(c *adminConfig) *cobra.Command {
	return group("key", "Access keys of users: add, ls, enable, disable, rm",
		`Access keys of users. A user can have several, so that a key can be changed
without a gap: add the new one, use it everywhere, disable the old one, and
delete it once nothing misses it.`,
		c.leaf("add USER", "Make an access key and show its secret once", `
Make an access key. What is printed sets it in a shell. The secret cannot be
shown again: the server keeps it sealed.`,
			"  ossa admin key add ci > ci.env\n  eval \"$(ossa admin key add ci)\"", (*adminSession).keyAdd),
		c.leaf("ls [USER]", "List the access keys of a user, or of all", "",
			"  ossa admin key ls ci\n  ossa admin key ls --json | jq 'select(.used == null).access_key_id'", (*adminSession).keyList),
		c.leaf("enable USER ID", "Let a disabled access key in again", "", "  ossa admin key enable ci OSSUEXAMPLE",
			func(s *adminSession, args []string) error { return s.keySwitch(args[0], args[1], true) }),
		c.leaf("disable USER ID", "Refuse requests that are signed with an access key", `
Refuse requests that are signed with an access key. Sessions that were begun
with it go on; end them with ossa admin user revoke-sessions.`,
			"  ossa admin key disable ci OSSUEXAMPLE",
			func(s *adminSession, args []string) error { return s.keySwitch(args[0], args[1], false) }),
		c.leaf("rm USER ID", "Delete an access key", "", "  ossa admin key rm ci OSSUEXAMPLE", (*adminSession).keyRemove),
	)
}

func (s *adminSession) keyAdd(args []string) error {
	var key admin.NewAccessKey
	if err := s.call("CreateAccessKey", admin.UserRequest{User: args[0]}, &key); err != nil {
		return err
	}
	if s.json {
		return s.print(accessKeyEntryOf(key.AccessKey, key.Secret))
	}
	fmt.Fprintf(s.stderr, "ossa: made access key %s of user %s; its secret is shown this once\n", key.ID, key.User)
	fmt.Fprint(s.stdout, exports(key.ID, key.Secret, ""))
	return nil
}

func (s *adminSession) keyList(args []string) error {
	var rows [][]string
	list := func(user string) error {
		var res admin.ListAccessKeysResult
		if err := s.call("ListAccessKeys", admin.UserRequest{User: user}, &res); err != nil {
			return err
		}
		for _, key := range res.AccessKeys {
			if s.json {
				if err := s.print(accessKeyEntryOf(key, "")); err != nil {
					return err
				}
			}
			rows = append(rows, []string{key.ID, key.User, enabled(key.Enabled), when(key.Created), whenOr(key.Used, "never")})
		}
		return nil
	}
	var err error
	if len(args) > 0 {
		err = list(args[0])
	} else {
		err = s.eachUser(func(u admin.User) error {
			if u.AccessKeys == 0 {
				return nil
			}
			if err := list(u.Name); !isCode(err, "EntityNotExist.User") { // deleted since
				return err
			}
			return nil
		})
	}
	if err != nil || s.json {
		return err
	}
	return s.table("ID USER STATE CREATED USED", rows)
}

func (s *adminSession) keySwitch(user, id string, on bool) error {
	if err := s.call("UpdateAccessKey", admin.UpdateAccessKeyRequest{User: user, ID: id, Enabled: on}, nil); err != nil {
		return err
	}
	s.say("%s access key %s of user %s", enabled(on), id, user)
	return nil
}

func (s *adminSession) keyRemove(args []string) error {
	if err := s.call("DeleteAccessKey", admin.AccessKeyRequest{User: args[0], ID: args[1]}, nil); err != nil {
		return err
	}
	s.say("deleted access key %s of user %s", args[1], args[0])
	return nil
}
