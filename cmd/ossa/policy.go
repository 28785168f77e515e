package main

import (
	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

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
