package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/admin"
)

func adminKeyringCommand(c *adminConfig) *cobra.Command {
	return group("keyring", "The key ring: ls, create, rotate",
		`The key ring of the server: the keys that data keys of encrypted objects, secrets
of access keys and sessions are sealed with.`,
		c.leaf("ls", "List the keys of the ring", "", "  ossa admin keyring ls", (*adminSession).keyringList),
		c.leaf("create ID", "Add a key, for those who name it", `
Add a key. It is used for objects whose upload names it
(x-oss-server-side-encryption-key-id), and for nothing else.`,
			"  ossa admin keyring create project-7", (*adminSession).keyringCreate),
		c.leaf("rotate [ID]", "Seal with a new version of a key from now on", `
Add a version to a key, by default to the default key. What is sealed from now on
is sealed with it. Older versions stay in the ring and open what they sealed;
nothing is encrypted anew. Copy the file of the ring to a safe place afterwards.`,
			"  ossa admin keyring rotate\n  ossa admin keyring rotate project-7", (*adminSession).keyringRotate),
	)
}

func (s *adminSession) keyringList([]string) error {
	var res admin.ListKeysResult
	if err := s.call("ListKeys", admin.None{}, &res); err != nil {
		return err
	}
	var rows [][]string
	for _, key := range res.Keys {
		if s.json {
			if err := s.print(ringKeyEntry{"ring_key", key.ID, key.Version, key.Created, key.Default, key.Current}); err != nil {
				return err
			}
		}
		use := ""
		switch {
		case key.Default && key.Current:
			use = "default"
		case key.Current:
			use = "by name"
		default:
			use = "opens only"
		}
		rows = append(rows, []string{key.ID, strconv.Itoa(key.Version), use, when(key.Created)})
	}
	if s.json {
		return nil
	}
	return s.table("ID VERSION USE CREATED", rows)
}

func (s *adminSession) keyringCreate(args []string) error {
	if err := s.call("CreateKey", admin.KeyRequest{ID: args[0]}, nil); err != nil {
		return err
	}
	s.say("made key %s", args[0])
	return nil
}

func (s *adminSession) keyringRotate(args []string) error {
	req, name := admin.KeyRequest{}, "the default key"
	if len(args) > 0 {
		req.ID, name = args[0], "key "+args[0]
	}
	if err := s.call("RotateKey", req, nil); err != nil {
		return err
	}
	s.say("rotated %s", name)
	return nil
}
