package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/internal/transfer"
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
			return s.writeLine(inert(string(res.ACL)))
		})
}

// aclAction is what acl set does, in reports.
const aclAction transfer.Action = "acl"

func aclSetCommand() *cobra.Command {
	r := &recursion{work: work{command: "acl-set"}}
	command := clientLeaf("set oss://BUCKET[/KEY] ACL", "Set the ACL of a bucket, an object, or many", `
Set the ACL of a bucket or an object, or with -r of all objects whose keys begin so,
and not of the bucket. With -r on a terminal you are asked first, unless -f is given;
what cannot be done does not hold up the rest, and a report lists it.`, `  ossa acl set oss://builds/movie.bin public-read
  ossa acl set oss://builds private
  ossa acl set -r oss://builds/nightly/ default`, r.addFlags,
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			known := bucketACLs
			if l.Key != "" || r.recursive {
				known = objectACLs
			}
			acl, err := oneOf("", s.args[1], known)
			if err != nil {
				return err
			}
			set := func(ctx context.Context, l location) error {
				if err := s.setACL(ctx, l, acl); err != nil {
					return err
				}
				return r.succeed(aclEntry{Type: "acl", Bucket: l.Bucket, Key: l.Key, ACL: string(acl)}, "%s is %s", line(l.String()), acl)
			}
			if r.recursive {
				return r.over(l, "Set the ACL", aclAction, set)
			}
			return set(s.ctx, l)
		})
	command.Aliases = []string{"put"}
	return command
}

func (s *clientSession) setACL(ctx context.Context, l location, acl oss.ACL) (err error) {
	if l.Key == "" {
		_, err = s.client.PutBucketACL(ctx, &oss.PutBucketACLRequest{Bucket: l.Bucket, ACL: acl})
	} else {
		_, err = s.client.PutObjectACL(ctx, &oss.PutObjectACLRequest{Bucket: l.Bucket, Key: l.Key, ACL: acl})
	}
	return err
}
