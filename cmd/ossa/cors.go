package main

import (
	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

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
