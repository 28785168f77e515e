package main

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// A configuration of a bucket is one document, which is got, put and removed as
// a whole. What get prints is what put takes.

// configurationEntry is a configuration that was put or removed, for machines.
type configurationEntry struct {
	Type   string `json:"type"` // configuration
	Bucket string `json:"bucket"`
	Name   string `json:"name"`   // such as lifecycle
	Action string `json:"action"` // put or rm
}

// maxDocument bounds a document that is read, in bytes. Servers take less.
const maxDocument = 4 << 20

// configuration is a kind of document.
type configuration struct {
	name  string // of the command
	what  string // for people
	short string
	long  string
	file  string // of examples

	get    func(s *clientSession, bucket string) (text []byte, entries []any, err error)
	put    func(s *clientSession, bucket string, text []byte) error
	remove func(s *clientSession, bucket string) error
}

func (c *configuration) command(others ...*cobra.Command) *cobra.Command {
	return group(c.name, c.short, strings.TrimPrefix(c.long, "\n"), append([]*cobra.Command{c.getCommand(), c.putCommand(), c.rmCommand()}, others...)...)
}

func (c *configuration) getCommand() *cobra.Command {
	return clientLeaf("get oss://BUCKET", "Print "+c.what,
		"Print "+c.what+", as put takes it. With --json it is in the words of this program.",
		"  ossa "+c.name+" get oss://builds > "+c.file, nil,
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			text, entries, err := c.get(s, bucket)
			if err != nil {
				return err
			}
			if s.json {
				for _, e := range entries {
					if err := s.print(e); err != nil {
						return err
					}
				}
				return nil
			}
			return s.writeLine(string(bytes.TrimRight(text, "\n")))
		})
}

func (c *configuration) putCommand() *cobra.Command {
	return clientLeaf("put oss://BUCKET FILE", "Replace "+c.what,
		"Replace "+c.what+" by the document in a file; \"-\" is stdin. The server checks it.",
		"  ossa "+c.name+" put oss://builds "+c.file, nil,
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			text, err := s.readDocument(s.args[1])
			if err != nil {
				return err
			}
			if err := c.put(s, bucket, text); err != nil {
				return err
			}
			return s.done(configurationEntry{"configuration", bucket, c.name, "put"}, "oss://%s has new %s", bucket, c.name)
		})
}

func (c *configuration) rmCommand() *cobra.Command {
	command := clientLeaf("rm oss://BUCKET", "Remove "+c.what, "Remove "+c.what+". None is no error.", "  ossa "+c.name+" rm oss://builds", nil,
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			if err := c.remove(s, bucket); err != nil {
				return err
			}
			return s.done(configurationEntry{"configuration", bucket, c.name, "rm"}, "oss://%s has no %s", bucket, c.name)
		})
	command.Aliases = []string{"delete"}
	return command
}

// readDocument reads a file that is sent as it is, "-" for stdin.
func (s *clientSession) readDocument(name string) ([]byte, error) {
	text, err := s.readFile(name, maxDocument)
	if err == nil && len(bytes.TrimSpace(text)) == 0 {
		err = fmt.Errorf("%s is empty; ossa ... rm removes a document", name)
	}
	return text, err
}
