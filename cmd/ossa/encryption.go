package main

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

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

// encryptionDocument is the default encryption of a bucket for machines.
type encryptionDocument struct {
	Type   string `json:"type"` // encryption
	Bucket string `json:"bucket"`
	encryptionEntry
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
			if e.Algorithm, err = oneOf("--sse", e.Algorithm, sseAlgorithms); err != nil {
				return err
			}
			if _, err := s.client.PutBucketEncryption(s.ctx, &oss.PutBucketEncryptionRequest{Bucket: bucket, Encryption: e}); err != nil {
				return err
			}
			return s.done(configurationEntry{"configuration", bucket, "encryption", "put"}, "oss://%s encrypts with %s", bucket, encryptionOf(e))
		})
}

type encryptionEntry struct {
	Algorithm     string `json:"algorithm"`
	KeyID         string `json:"key_id,omitempty"`
	DataAlgorithm string `json:"data_algorithm,omitempty"`
}

func encryptionOf(e oss.Encryption) *encryptionEntry {
	if e.Algorithm == "" {
		return nil
	}
	return &encryptionEntry{e.Algorithm, e.KeyID, e.DataAlgorithm}
}

// String is the encryption for people; "" if there is none.
func (e *encryptionEntry) String() string {
	if e == nil {
		return ""
	}
	return strings.Join(slices.DeleteFunc([]string{e.Algorithm, e.KeyID, e.DataAlgorithm}, func(s string) bool { return s == "" }), " ")
}
