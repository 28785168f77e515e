package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// bucketUsage is how much is below a prefix, for machines too.
type bucketUsage struct {
	Type        string                 `json:"type"` // usage
	Bucket      string                 `json:"bucket"`
	Prefix      string                 `json:"prefix"`
	Objects     int64                  `json:"objects"` // versions, with --all-versions
	Size        int64                  `json:"size"`    // bytes
	Classes     map[string]*classUsage `json:"classes"`
	Uploads     int64                  `json:"uploads"` // open ones, which Objects and Size leave out
	Parts       int64                  `json:"parts"`
	UploadSize  int64                  `json:"upload_size"` // bytes
	UploadsTold bool                   `json:"uploads_counted"`
}

type classUsage struct {
	Objects int64 `json:"objects"`
	Size    int64 `json:"size"`
}

func duCommand() *cobra.Command {
	var versions, noUploads bool
	jobs := defaultJobs
	return clientLeaf("du oss://BUCKET[/PREFIX]", "Count objects, unfinished uploads, and their bytes", `
Count the objects whose keys begin with PREFIX, and their bytes, by storage class;
and apart from them what unfinished uploads hold, which costs as much.`,
		`  ossa du oss://builds
  ossa du --json oss://builds/nightly/ | jq .upload_size`,
		func(flags *pflag.FlagSet) {
			flags.BoolVar(&versions, "all-versions", false, "count all versions")
			flags.BoolVar(&noUploads, "no-uploads", false, "do not count unfinished uploads, each of which is a request")
			flags.IntVarP(&jobs, "jobs", "j", defaultJobs, "`number` of requests at a time")
		},
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			if err != nil {
				return err
			}
			if jobs < 1 || jobs > maxJobs {
				return usagef("--jobs: %d is not between 1 and %d", jobs, maxJobs)
			}
			u := &bucketUsage{Type: "usage", Bucket: l.Bucket, Prefix: l.Key, Classes: map[string]*classUsage{}, UploadsTold: !noUploads}
			if err := u.countObjects(s, versions); err != nil {
				return err
			}
			if !noUploads {
				if err := u.countUploads(s, jobs); err != nil {
					return err
				}
			}
			return u.tell(s)
		})
}

func (u *bucketUsage) add(class oss.StorageClass, bytes int64) {
	c := u.Classes[string(class)]
	if c == nil {
		c = &classUsage{}
		u.Classes[string(class)] = c
	}
	c.Objects++
	c.Size += bytes
	u.Objects++
	u.Size += bytes
}

func (u *bucketUsage) countObjects(s *clientSession, versions bool) error {
	if versions {
		for v, err := range s.client.Versions(s.ctx, u.Bucket, u.Prefix) {
			if err != nil {
				return err
			}
			if !v.DeleteMarker {
				u.add(v.StorageClass, v.Size)
			}
		}
		return nil
	}
	for o, err := range s.client.Objects(s.ctx, u.Bucket, u.Prefix) {
		if err != nil {
			return err
		}
		u.add(o.StorageClass, o.Size)
	}
	return nil
}

// countUploads adds up the parts of the uploads. One that ends meanwhile counts
// as far as it was seen.
func (u *bucketUsage) countUploads(s *clientSession, jobs int) error {
	var mu sync.Mutex
	return each(s.ctx, s.client.Uploads(s.ctx, u.Bucket, u.Prefix), jobs, func(ctx context.Context, upload oss.Upload) error {
		parts, bytes, err := partsOf(ctx, s.client, u.Bucket, upload)
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		u.Uploads++
		u.Parts += parts
		u.UploadSize += bytes
		return nil
	})
}

// partsOf counts the parts of an upload, and their bytes.
func partsOf(ctx context.Context, client *oss.Client, bucket string, u oss.Upload) (parts, bytes int64, err error) {
	for p, err := range client.Parts(ctx, bucket, u.Key, u.UploadID) {
		if errors.Is(err, oss.ErrNoSuchUpload) {
			break // completed or aborted since it was listed
		} else if err != nil {
			return 0, 0, err
		}
		parts++
		bytes += p.Size
	}
	return parts, bytes, nil
}

func (u *bucketUsage) tell(s *clientSession) error {
	if s.json {
		return s.print(u)
	}
	var rows [][]string
	row := func(what string, count, bytes int64) {
		rows = append(rows, []string{what, fmt.Sprint(count), fmt.Sprint(bytes), size(bytes)})
	}
	for _, class := range slices.Sorted(maps.Keys(u.Classes)) {
		row(cell(class), u.Classes[class].Objects, u.Classes[class].Size)
	}
	row("objects", u.Objects, u.Size)
	if u.UploadsTold {
		row("uploads", u.Uploads, u.UploadSize)
	}
	return s.table("WHAT NUMBER BYTES SIZE", rows)
}
