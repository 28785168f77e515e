package main

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// createdEntry is a bucket or a directory that was made, for machines.
type createdEntry struct {
	Type   string `json:"type"` // created
	Bucket string `json:"bucket"`
	Key    string `json:"key,omitempty"` // of a directory
}

func mbCommand() *cobra.Command {
	var acl, class, redundancy string
	return clientLeaf("mb oss://BUCKET", "Make a bucket", `
Make a bucket. One that is there already and yours, with the same storage class, is
no error.

Exit status: 0 if all went well, 1 if something failed, 2 if the command line or
the environment cannot be understood.`,
		`  ossa mb oss://builds
  ossa mb oss://archive --storage-class Archive --acl private`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&acl, "acl", "", "`ACL` of the bucket: private, public-read or public-read-write")
			flags.StringVar(&class, "storage-class", "", "`class` that objects have: Standard, IA, Archive, ColdArchive or DeepColdArchive")
			flags.StringVar(&redundancy, "redundancy-type", "", "`type` of redundancy: LRS or ZRS")
		},
		func(s *clientSession) error {
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			q := &oss.PutBucketRequest{Bucket: bucket, ACL: oss.ACL(acl), StorageClass: oss.StorageClass(class), DataRedundancy: redundancy}
			if _, err := s.client.PutBucket(s.ctx, q); err != nil {
				return err
			}
			return s.done(createdEntry{Type: "created", Bucket: bucket}, "made %s", ossScheme+bucket)
		})
}

func rbCommand() *cobra.Command {
	r := &removal{work: work{command: "rb"}, versions: true, allType: true, bucketToo: true}
	empty := false
	return clientLeaf("rb oss://BUCKET", "Delete a bucket", `
Delete a bucket, which must hold neither objects nor open uploads. With --empty
all versions of its objects are deleted and its uploads aborted first: on a terminal you
are asked, unless -f is given.

Exit status: 0 if all went well, 1 if something failed, 2 if the command line or
the environment cannot be understood, 3 if a part could not be deleted.`,
		`  ossa rb oss://builds
  ossa rb --empty -f oss://builds`,
		func(flags *pflag.FlagSet) {
			flags.BoolVarP(&empty, "empty", "r", false, "delete what is in the bucket first")
			flags.BoolVarP(&r.force, "force", "f", false, "do not ask")
			r.work.addFlags(flags)
		},
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			bucket, err := parseBucket(s.args[0])
			if err != nil {
				return err
			}
			if empty {
				all := []location{{Bucket: bucket}}
				if err := r.confirmBelow(all); err != nil {
					return err
				}
				if err := r.end(r.removeBelow(all)); err != nil {
					return err
				}
			}
			if _, err := s.client.DeleteBucket(s.ctx, &oss.DeleteBucketRequest{Bucket: bucket}); err != nil {
				return err
			}
			return s.done(deletedEntry{Type: "deleted", Bucket: bucket}, "deleted %s", ossScheme+bucket)
		})
}

// validACL reads an ACL.
func validACL(text string, object bool) (oss.ACL, error) {
	acl := oss.ACL(strings.ToLower(text))
	switch {
	case acl == oss.ACLPrivate, acl == oss.ACLPublicRead, acl == oss.ACLPublicReadWrite, object && acl == oss.ACLDefault:
		return acl, nil
	case object:
		return "", usagef("%q is none of private, public-read, public-read-write and default", text)
	}
	return "", usagef("%q is none of private, public-read and public-read-write", text)
}
