package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ossastore/ossa/oss"
)

func mkdirCommand() *cobra.Command {
	return clientLeaf("mkdir oss://BUCKET/NAME/", "Make an empty object that stands for a directory", `
Make an empty object whose key ends in a slash, which consoles show as a
directory. There are no directories in OSS, and none needs to be made before
objects are put "into" it. One that is there already is no error, and stays.`,
		`  ossa mkdir oss://builds/nightly/`, nil,
		func(s *clientSession) error {
			l, err := parseObjectLocation(s.args[0])
			if err != nil {
				return err
			}
			if !strings.HasSuffix(l.Key, "/") {
				if l, err = parseObjectLocation(s.args[0] + "/"); err != nil {
					return err
				}
			}
			_, err = s.client.PutObject(s.ctx, &oss.PutObjectRequest{Bucket: l.Bucket, Key: l.Key, ForbidOverwrite: true})
			if err != nil && !errors.Is(err, oss.ErrFileAlreadyExists) {
				return err
			}
			return s.done(createdEntry{"created", l.Bucket, l.Key}, "made %s", line(l.String()))
		})
}
