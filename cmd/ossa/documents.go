package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
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
	r := s.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		r = f
	}
	text, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", name, err)
	case len(text) > maxDocument:
		return nil, fmt.Errorf("%s is longer than %d bytes", name, maxDocument)
	case len(bytes.TrimSpace(text)) == 0:
		return nil, fmt.Errorf("%s is empty; ossa ... rm removes a document", name)
	}
	return text, nil
}

func policyCommand() *cobra.Command {
	c := &configuration{
		name: "policy", what: "the policy of a bucket", file: "policy.json",
		short: "Print, replace and remove the policy of a bucket",
		long:  "The policy of a bucket, in JSON: who may do what with it.",
		get: func(s *clientSession, bucket string) ([]byte, []any, error) {
			res, err := s.client.GetBucketPolicy(s.ctx, &oss.GetBucketPolicyRequest{Bucket: bucket})
			if err != nil {
				return nil, nil, err
			}
			return res.Policy, []any{policyEntry{"policy", bucket, string(res.Policy)}}, nil
		},
		put: func(s *clientSession, bucket string, text []byte) error {
			_, err := s.client.PutBucketPolicy(s.ctx, &oss.PutBucketPolicyRequest{Bucket: bucket, Policy: text})
			return err
		},
		remove: func(s *clientSession, bucket string) error {
			_, err := s.client.DeleteBucketPolicy(s.ctx, &oss.DeleteBucketPolicyRequest{Bucket: bucket})
			return err
		},
	}
	return c.command()
}

// policyEntry is a policy for machines.
type policyEntry struct {
	Type   string `json:"type"` // policy
	Bucket string `json:"bucket"`
	Policy string `json:"policy"` // the document, as text
}

// corsEntry is a rule for machines.
type corsEntry struct {
	Type           string   `json:"type"` // cors_rule
	Bucket         string   `json:"bucket"`
	AllowedOrigins []string `json:"allowed_origins"`
	AllowedMethods []string `json:"allowed_methods"`
	AllowedHeaders []string `json:"allowed_headers,omitempty"`
	ExposeHeaders  []string `json:"expose_headers,omitempty"`
	MaxAgeSeconds  int64    `json:"max_age_seconds,omitempty"`
	ResponseVary   bool     `json:"response_vary,omitempty"`
}

func corsCommand() *cobra.Command {
	c := &configuration{
		name: "cors", what: "the CORS rules of a bucket", file: "cors.xml",
		short: "Print, replace and remove the CORS rules of a bucket",
		long:  "The rules, in XML, by which web pages of other origins may use a bucket.",
		get: func(s *clientSession, bucket string) ([]byte, []any, error) {
			res, err := s.client.GetBucketCORS(s.ctx, &oss.GetBucketCORSRequest{Bucket: bucket})
			if err != nil {
				return nil, nil, err
			}
			var entries []any
			for _, r := range res.Rules {
				entries = append(entries, corsEntry{
					"cors_rule", bucket, r.AllowedOrigins, r.AllowedMethods, r.AllowedHeaders, r.ExposeHeaders, int64(r.MaxAge.Seconds()), res.ResponseVary,
				})
			}
			return res.Document, entries, nil
		},
		put: func(s *clientSession, bucket string, text []byte) error {
			_, err := s.client.PutBucketCORS(s.ctx, &oss.PutBucketCORSRequest{Bucket: bucket, Document: text})
			return err
		},
		remove: func(s *clientSession, bucket string) error {
			_, err := s.client.DeleteBucketCORS(s.ctx, &oss.DeleteBucketCORSRequest{Bucket: bucket})
			return err
		},
	}
	return c.command()
}

// refererEntry is the referer rules of a bucket for machines.
type refererEntry struct {
	Type         string   `json:"type"` // referer
	Bucket       string   `json:"bucket"`
	AllowEmpty   bool     `json:"allow_empty"`
	Allowed      []string `json:"allowed_referers"`
	Denied       []string `json:"denied_referers"`
	KeepQuery    bool     `json:"keep_query"`
	TruncatePath bool     `json:"truncate_path"`
}

func refererCommand() *cobra.Command {
	c := &configuration{
		name: "referer", what: "the referer rules of a bucket", file: "referer.xml",
		short: "Print, replace and remove the referer rules of a bucket",
		long:  "The rules, in XML, that say from which web pages a bucket may be linked to.",
		get: func(s *clientSession, bucket string) ([]byte, []any, error) {
			res, err := s.client.GetBucketReferer(s.ctx, &oss.GetBucketRefererRequest{Bucket: bucket})
			if err != nil {
				return nil, nil, err
			}
			list := func(l []string) []string { return append([]string{}, l...) }
			return res.Document, []any{refererEntry{"referer", bucket, res.AllowEmpty, list(res.Allowed), list(res.Denied), res.KeepQuery, res.TruncatePath}}, nil
		},
		put: func(s *clientSession, bucket string, text []byte) error {
			_, err := s.client.PutBucketReferer(s.ctx, &oss.PutBucketRefererRequest{Bucket: bucket, Document: text})
			return err
		},
		remove: func(s *clientSession, bucket string) error {
			q := &oss.PutBucketRefererRequest{Bucket: bucket, RefererRules: oss.RefererRules{AllowEmpty: true}}
			_, err := s.client.PutBucketReferer(s.ctx, q)
			return err
		},
	}
	return c.command()
}

// encryptionDocument is the default encryption of a bucket for machines.
type encryptionDocument struct {
	Type   string `json:"type"` // encryption
	Bucket string `json:"bucket"`
	encryptionEntry
}

func encryptionCommand() *cobra.Command {
	c := &configuration{
		name: "encryption", what: "the default encryption of a bucket", file: "encryption.xml",
		short: "Print, set and remove the default encryption of a bucket",
		long:  "How a bucket encrypts objects that come without a wish of their own.",
		get: func(s *clientSession, bucket string) ([]byte, []any, error) {
			res, err := s.client.GetBucketEncryption(s.ctx, &oss.GetBucketEncryptionRequest{Bucket: bucket})
			if err != nil {
				return nil, nil, err
			}
			return res.Document, []any{encryptionDocument{"encryption", bucket, encryptionEntry{res.Algorithm, res.KeyID, res.DataAlgorithm}}}, nil
		},
		put: func(s *clientSession, bucket string, text []byte) error {
			_, err := s.client.PutBucketEncryption(s.ctx, &oss.PutBucketEncryptionRequest{Bucket: bucket, Document: text})
			return err
		},
		remove: func(s *clientSession, bucket string) error {
			_, err := s.client.DeleteBucketEncryption(s.ctx, &oss.DeleteBucketEncryptionRequest{Bucket: bucket})
			return err
		},
	}
	return c.command(encryptionSetCommand())
}

func encryptionSetCommand() *cobra.Command {
	var e oss.Encryption
	return clientLeaf("set oss://BUCKET", "Set the default encryption of a bucket", "Set the default encryption of a bucket, by flags.",
		`  ossa encryption set oss://builds --sse AES256
  ossa encryption set oss://builds --sse KMS --sse-key-id KEY`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&e.Algorithm, "sse", "", "`algorithm`: AES256, KMS or SM4")
			flags.StringVar(&e.KeyID, "sse-key-id", "", "`ID` of the key of KMS; default that of the server")
			flags.StringVar(&e.DataAlgorithm, "sse-data-algorithm", "", "`algorithm` that KMS encrypts data with: SM4; default AES256")
		},
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			if e.Algorithm == "" {
				return usagef("--sse must say how: AES256, KMS or SM4")
			}
			if _, err := s.client.PutBucketEncryption(s.ctx, &oss.PutBucketEncryptionRequest{Bucket: bucket, Encryption: e}); err != nil {
				return err
			}
			return s.done(configurationEntry{"configuration", bucket, "encryption", "put"}, "oss://%s encrypts with %s", bucket, encryptionOf(e))
		})
}
