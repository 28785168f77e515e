package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"golang.org/x/sync/errgroup"
)

// sdk does with the official SDK what the words say.
func sdk(ctx context.Context, words []string) error {
	config := oss.LoadDefaultConfig().WithCredentialsProvider(credentials.NewEnvironmentVariableCredentialsProvider()).
		WithRegion(os.Getenv("OSS_REGION")).WithEndpoint(os.Getenv("OSS_ENDPOINT")).WithUsePathStyle(true)
	c := oss.NewClient(config)
	number := func() int {
		n, _ := strconv.Atoi(words[len(words)-1])
		return n
	}
	switch words[0] {
	case "bucket":
		_, err := c.PutBucket(ctx, &oss.PutBucketRequest{Bucket: oss.Ptr(bucket)})
		return err
	case "up":
		u := c.NewUploader(func(o *oss.UploaderOptions) {
			if n := number(); n > 0 {
				o.ParallelNum, o.PartSize = n, 8<<20
			}
		})
		_, err := u.UploadFile(ctx, &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(words[2])}, words[1])
		return err
	case "down":
		d := c.NewDownloader(func(o *oss.DownloaderOptions) {
			if n := number(); n > 0 {
				o.ParallelNum, o.PartSize = n, 8<<20
			}
		})
		_, err := d.DownloadFile(ctx, &oss.GetObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(words[1])}, words[2])
		return err
	case "upall":
		return upAll(ctx, c, words[1], words[2], number())
	case "downall":
		return downAll(ctx, c, words[1], words[2], number())
	}
	return fmt.Errorf("unknown word %q", words[0])
}

// upAll uploads a directory, as its documentation shows for one file.
func upAll(ctx context.Context, c *oss.Client, dir, prefix string, jobs int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	u := c.NewUploader()
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		rel, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		g.Go(func() error {
			_, err := u.UploadFile(ctx, &oss.PutObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(prefix + filepath.ToSlash(rel))}, name)
			return err
		})
		return ctx.Err()
	})
	if waitErr := g.Wait(); waitErr != nil {
		return waitErr
	}
	return err
}

// downAll downloads what is below a prefix.
func downAll(ctx context.Context, c *oss.Client, prefix, dir string, jobs int) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(jobs)
	d := c.NewDownloader()
	pages := c.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: oss.Ptr(bucket), Prefix: oss.Ptr(prefix), MaxKeys: 1000})
	for pages.HasNext() && ctx.Err() == nil {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return err
		}
		for _, o := range page.Contents {
			key := *o.Key
			name := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(key, prefix)))
			if err := os.MkdirAll(filepath.Dir(name), 0o777); err != nil {
				return err
			}
			g.Go(func() error {
				_, err := d.DownloadFile(ctx, &oss.GetObjectRequest{Bucket: oss.Ptr(bucket), Key: oss.Ptr(key)}, name)
				return err
			})
		}
	}
	return g.Wait()
}
