package main

import (
	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

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
