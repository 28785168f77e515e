package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

func rbCommand() *cobra.Command {
	r := &removal{work: work{command: "rb"}, versions: true, allType: true, bucketToo: true}
	empty := false
	return clientLeaf("rb oss://BUCKET", "Delete a bucket", `
Delete a bucket, which must hold neither objects nor open uploads. With --empty
all versions of its objects are deleted and its uploads aborted first: on a terminal you
are asked, unless -f is given.`,
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
