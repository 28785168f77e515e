package main

import (
	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

// aclEntry is an ACL for machines.
type aclEntry struct {
	Type   string `json:"type"` // acl
	Bucket string `json:"bucket"`
	Key    string `json:"key,omitempty"`
	ACL    string `json:"acl"`
	Owner  string `json:"owner,omitempty"`
}

func aclCommand() *cobra.Command {
	return group("acl", "Tell and set who may use a bucket or an object without a policy",
		`The ACL of a bucket or an object: private, public-read or public-read-write, and for
objects also default, which is the bucket's.`, aclGetCommand(), aclSetCommand())
}

func aclGetCommand() *cobra.Command {
	return clientLeaf("get oss://BUCKET[/KEY]", "Print the ACL of a bucket or an object",
		"Print the ACL of a bucket or an object.", `  ossa acl get oss://builds/movie.bin`, nil,
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			var res *oss.ACLResult
			if l.Key == "" {
				res, err = s.client.GetBucketACL(s.ctx, &oss.GetBucketACLRequest{Bucket: l.Bucket})
			} else {
				res, err = s.client.GetObjectACL(s.ctx, &oss.GetObjectACLRequest{Bucket: l.Bucket, Key: l.Key})
			}
			if err != nil {
				return err
			}
			if s.json {
				return s.print(aclEntry{"acl", l.Bucket, l.Key, string(res.ACL), res.Owner.ID})
			}
			return s.writeLine(string(res.ACL))
		})
}

func aclSetCommand() *cobra.Command {
	command := clientLeaf("set oss://BUCKET[/KEY] ACL", "Set the ACL of a bucket or an object",
		"Set the ACL of a bucket or an object.", `  ossa acl set oss://builds/movie.bin public-read
  ossa acl set oss://builds private`, nil,
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			acl, err := validACL(s.args[1], l.Key != "")
			if err != nil {
				return err
			}
			if l.Key == "" {
				_, err = s.client.PutBucketACL(s.ctx, &oss.PutBucketACLRequest{Bucket: l.Bucket, ACL: acl})
			} else {
				_, err = s.client.PutObjectACL(s.ctx, &oss.PutObjectACLRequest{Bucket: l.Bucket, Key: l.Key, ACL: acl})
			}
			if err != nil {
				return err
			}
			return s.done(aclEntry{Type: "acl", Bucket: l.Bucket, Key: l.Key, ACL: string(acl)}, "%s is %s", line(l.String()), acl)
		})
	command.Aliases = []string{"put"}
	return command
}
