package main

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/admin"
)

func adminUserCommand(c *adminConfig) *cobra.Command {
	return group("user", "Users: add, ls, show, rm, enable, disable, revoke-sessions",
		`Users of the account. A user may do what the policies allow that are attached
to it, and what is allowed to everybody; nothing else.`,
		c.leaf("add NAME", "Make a user", `
Make a user. It is enabled, and has no access keys and no policies yet.`,
			"  ossa admin user add ci", (*adminSession).userAdd),
		c.leaf("ls", "List users", "", "  ossa admin user ls\n  ossa admin user ls --json | jq -r .name", (*adminSession).userList),
		c.leaf("show NAME", "Show a user with its access keys and policies", "", "  ossa admin user show ci", (*adminSession).userShow),
		userRemoveCommand(c),
		c.leaf("enable NAME", "Let a disabled user in again", "", "  ossa admin user enable ci",
			func(s *adminSession, args []string) error { return s.userSwitch(args[0], true) }),
		c.leaf("disable NAME", "Refuse all requests of a user", `
Refuse all requests that are signed with the user's access keys and sessions,
from now on. Sessions that have not expired go on when it is enabled again.`,
			"  ossa admin user disable ci",
			func(s *adminSession, args []string) error { return s.userSwitch(args[0], false) }),
		c.leaf("revoke-sessions NAME", "End all sessions of a user", `
End all sessions of a user at once. Its access keys go on, and can begin other
sessions: after a leak of a key, disable that first.`,
			"  ossa admin user revoke-sessions ci", (*adminSession).userRevoke),
	)
}

func (s *adminSession) userAdd(args []string) error {
	var u admin.User
	if err := s.call("CreateUser", admin.NameRequest{Name: args[0]}, &u); err != nil {
		return err
	}
	if s.json {
		return s.print(userEntryOf(u))
	}
	s.say("made user %s (ID %s); now: ossa admin policy attach POLICY %s, ossa admin key add %s", u.Name, u.ID, u.Name, u.Name)
	return nil
}

// eachUser calls fn for all users, page by page.
func (s *adminSession) eachUser(fn func(admin.User) error) error {
	marker := ""
	for {
		var page admin.ListUsersResult
		if err := s.call("ListUsers", admin.ListRequest{Marker: marker}, &page); err != nil {
			return err
		}
		for _, u := range page.Users {
			if err := fn(u); err != nil {
				return err
			}
			marker = u.Name
		}
		if !page.Truncated || len(page.Users) == 0 {
			return nil
		}
	}
}

func (s *adminSession) userList([]string) error {
	var rows [][]string
	err := s.eachUser(func(u admin.User) error {
		if s.json {
			return s.print(userEntryOf(u))
		}
		rows = append(rows, []string{u.Name, u.ID, enabled(u.Enabled), strconv.Itoa(u.AccessKeys), strings.Join(u.Policies, ","), when(u.Created)})
		return nil
	})
	if err != nil || s.json {
		return err
	}
	return s.table("NAME ID STATE KEYS POLICIES CREATED", rows)
}

func (s *adminSession) userShow(args []string) error {
	var all struct {
		admin.User
		Keys []admin.AccessKey
	}
	if err := s.call("GetUser", admin.NameRequest{Name: args[0]}, &all.User); err != nil {
		return err
	}
	var keys admin.ListAccessKeysResult
	if err := s.call("ListAccessKeys", admin.UserRequest{User: args[0]}, &keys); err != nil {
		return err
	}
	all.Keys = keys.AccessKeys
	if s.json {
		if err := s.print(userEntryOf(all.User)); err != nil {
			return err
		}
		for _, key := range all.Keys {
			if err := s.print(accessKeyEntryOf(key, "")); err != nil {
				return err
			}
		}
		return nil
	}
	for _, line := range [][2]string{
		{"name", all.Name}, {"ID", all.ID}, {"state", enabled(all.Enabled)}, {"created", when(all.Created)},
		{"sessions revoked", whenOr(all.SessionsRevoked, "never")},
	} {
		s.say("%-18s%s", line[0], line[1])
	}
	for _, name := range all.Policies {
		s.say("%-18s%s", "policy", name)
	}
	for _, key := range all.Keys {
		s.say("%-18s%s  %s, made %s, used %s", "access key", key.ID, enabled(key.Enabled), when(key.Created), whenOr(key.Used, "never"))
	}
	return nil
}

func userRemoveCommand(c *adminConfig) *cobra.Command {
	force := false
	command := c.leaf("rm NAME", "Delete a user", `
Delete a user that has neither access keys nor policies. Its sessions end.

With --force the user is disabled first, then its keys are deleted and its
policies detached, one after the other: if that is cut short, the user is
disabled, and the command can be given again.`,
		"  ossa admin user rm ci\n  ossa admin user rm ci --force",
		func(s *adminSession, args []string) error { return s.userRemove(args[0], force) })
	command.Flags().BoolVarP(&force, "force", "f", false, "with all that it has")
	return command
}

func (s *adminSession) userRemove(name string, force bool) error {
	if force {
		if err := s.strip(name); err != nil {
			return err
		}
	}
	if err := s.call("DeleteUser", admin.NameRequest{Name: name}, nil); err != nil {
		return err
	}
	s.say("deleted user %s", name)
	return nil
}

// strip takes everything away that keeps a user from being deleted.
func (s *adminSession) strip(name string) error {
	off := false
	var u admin.User
	if err := s.call("UpdateUser", admin.UpdateUserRequest{Name: name, Enabled: &off}, &u); err != nil {
		return err
	}
	var keys admin.ListAccessKeysResult
	if err := s.call("ListAccessKeys", admin.UserRequest{User: name}, &keys); err != nil {
		return err
	}
	for _, key := range keys.AccessKeys {
		err := s.call("DeleteAccessKey", admin.AccessKeyRequest{User: name, ID: key.ID}, nil)
		if err != nil && !isCode(err, "EntityNotExist.User.AccessKey") {
			return fmt.Errorf("delete access key %s: %w", key.ID, err)
		}
	}
	for _, policy := range u.Policies {
		err := s.call("DetachPolicyFromUser", admin.AttachRequest{User: name, Policy: policy}, nil)
		if err != nil && !isCode(err, "EntityNotExist.User.Policy") {
			return fmt.Errorf("detach policy %s: %w", policy, err)
		}
	}
	return nil
}

func (s *adminSession) userSwitch(name string, on bool) error {
	if err := s.call("UpdateUser", admin.UpdateUserRequest{Name: name, Enabled: &on}, nil); err != nil {
		return err
	}
	s.say("%s user %s", enabled(on), name)
	return nil
}

func (s *adminSession) userRevoke(args []string) error {
	if err := s.call("UpdateUser", admin.UpdateUserRequest{Name: args[0], RevokeSessions: true}, nil); err != nil {
		return err
	}
	s.say("ended all sessions of user %s", args[0])
	return nil
}
