package main

import (
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"
	"golang.org/x/sync/errgroup"
)

// ossutil does what the words say with the calls that ossutil v1 is made of:
// those of the Go SDK 1.0, with ossutil's part sizes, parallelism and
// checkpoints. ossutil itself is on no package registry.
func ossutil(words []string) error {
	client, err := oss.New(os.Getenv("OSS_ENDPOINT"), os.Getenv("OSS_ACCESS_KEY_ID"), os.Getenv("OSS_ACCESS_KEY_SECRET"),
		oss.ForcePathStyle(true), oss.AuthVersion(oss.AuthV4), oss.Region(os.Getenv("OSS_REGION")))
	if err != nil {
		return err
	}
	b, err := client.Bucket(bucket)
	if err != nil {
		return err
	}
	checkpoint := oss.CheckpointDir(true, os.Getenv("OSSA_STATE_DIR"))
	switch words[0] {
	case "up":
		info, err := os.Stat(words[1])
		if err != nil {
			return err
		}
		size, routines := ossutilParts(info.Size())
		return b.UploadFile(words[2], words[1], size, oss.Routines(routines), checkpoint)
	case "down":
		header, err := b.GetObjectDetailedMeta(words[1])
		if err != nil {
			return err
		}
		n, err := strconv.ParseInt(header.Get("Content-Length"), 10, 64)
		if err != nil {
			return err
		}
		size, routines := ossutilParts(n)
		return b.DownloadFile(words[1], words[2], size, oss.Routines(routines), checkpoint)
	case "upall":
		return ossutilUpAll(b, words[1], words[2])
	case "downall":
		return ossutilDownAll(b, words[1], words[2])
	}
	return fmt.Errorf("unknown word %q", words[0])
}

const ossutilJobs = 3 // files at a time, its default

// ossutilParts is the size of parts, and how many are sent at a time, that
// ossutil v1 chooses for a file of n bytes.
func ossutilParts(n int64) (size int64, routines int) {
	const (
		most, idealMost, idealLeast = 10_000, 500, 50 // parts
		largest, smallest           = 500 << 20, 1 << 20
	)
	size = max(int64(math.Ceil(float64(n)/most)), oss.MinPartSize)
	parts := (n-1)/size + 1
	for parts > idealMost && size < largest {
		parts /= 5
		size = int64(math.Ceil(float64(n) / float64(parts)))
	}
	for size < smallest && parts > idealLeast {
		size *= 5
		parts = (n-1)/size + 1
	}
	switch {
	case parts < 2:
		return size, 1
	case parts < 4:
		return size, 2
	case parts <= 20:
		return size, 4
	case parts <= 300:
		return size, 8
	case parts <= 500:
		return size, 10
	}
	return size, 12
}

func ossutilUpAll(b *oss.Bucket, dir, prefix string) error {
	var g errgroup.Group
	g.SetLimit(ossutilJobs)
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		g.Go(func() error { return b.PutObjectFromFile(prefix+filepath.ToSlash(rel), name) })
		return nil
	})
	if waitErr := g.Wait(); waitErr != nil {
		return waitErr
	}
	return err
}

func ossutilDownAll(b *oss.Bucket, prefix, dir string) error {
	var g errgroup.Group
	g.SetLimit(ossutilJobs)
	for marker := ""; ; {
		page, err := b.ListObjects(oss.Prefix(prefix), oss.Marker(marker), oss.MaxKeys(1000))
		if err != nil {
			return err
		}
		for _, o := range page.Objects {
			name := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(o.Key, prefix)))
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				return err
			}
			g.Go(func() error { return b.GetObjectToFile(o.Key, name) })
		}
		if !page.IsTruncated {
			return g.Wait()
		}
		marker = page.NextMarker
	}
}
