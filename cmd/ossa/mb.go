package main

import (
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
no error.`,
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
			q := &oss.PutBucketRequest{Bucket: bucket}
			if q.ACL, err = oneOf("--acl", acl, bucketACLs); err != nil {
				return err
			}
			if q.StorageClass, err = oneOf("--storage-class", class, storageClasses); err != nil {
				return err
			}
			if q.DataRedundancy, err = oneOf("--redundancy-type", redundancy, redundancies); err != nil {
				return err
			}
			if _, err := s.client.PutBucket(s.ctx, q); err != nil {
				return err
			}
			return s.done(createdEntry{Type: "created", Bucket: bucket}, "made %s", ossScheme+bucket)
		})
}
