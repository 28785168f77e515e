package oss

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
)

// errStuck ends an iteration over a server that gives the same page again and
// again, or one without anything.
var errStuck = errors.New("oss: the listing is truncated and does not go on")

// errDisordered ends an iteration over what is not in its order. Whoever compares
// two listings would take what is in both for what is in one.
var errDisordered = errors.New("oss: the listing is not in its order")

// errElsewhere ends an iteration over what does not begin with the prefix. Whoever
// deletes what is listed would delete what nobody named.
var errElsewhere = errors.New("oss: the listing has what does not begin with the prefix")

// below passes on what has the prefix of a listing, and ends it at anything else.
func below[T any](prefix string, name func(T) string, yield func(T, error) bool) func(T, error) bool {
	return func(entry T, err error) bool {
		if !strings.HasPrefix(name(entry), prefix) {
			var none T
			yield(none, fmt.Errorf("%w %q: %q", errElsewhere, prefix, name(entry)))
			return false
		}
		return yield(entry, err)
	}
}

// maxEmptyPages is how many pages without anything may follow each other.
const maxEmptyPages = 1000

// Buckets iterates over the buckets whose names begin with prefix. An error ends
// the iteration, here and in all the others.
func (c *Client) Buckets(ctx context.Context, prefix string) iter.Seq2[Bucket, error] {
	return func(yield func(Bucket, error) bool) {
		q := &ListBucketsRequest{Prefix: prefix, MaxKeys: pageSize}
		below := below(prefix, func(b Bucket) string { return b.Name }, yield)
		for {
			page, err := c.ListBuckets(ctx, q)
			if err != nil {
				yield(Bucket{}, err)
				return
			}
			if !each(page.Buckets, below) || !page.IsTruncated {
				return
			}
			if page.NextMarker <= q.Marker {
				yield(Bucket{}, errStuck)
				return
			}
			q.Marker = page.NextMarker
		}
	}
}

// pageSize is how many entries are asked for at once: as many as there can be.
const pageSize = 1000

func each[T any](entries []T, yield func(T, error) bool) bool {
	for _, e := range entries {
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// Objects iterates over the objects whose keys begin with prefix, in the order
// of their keys.
func (c *Client) Objects(ctx context.Context, bucket, prefix string) iter.Seq2[Object, error] {
	return func(yield func(Object, error) bool) {
		for e, err := range c.Entries(ctx, bucket, prefix, "") {
			if err != nil {
				yield(Object{}, err)
				return
			}
			if e.Object != nil && !yield(*e.Object, nil) {
				return
			}
		}
	}
}

// Entry is an object or a common prefix.
type Entry struct {
	Prefix string  // "" if it is an object
	Object *Object // nil if it is a common prefix
}

// name is what the entry is sorted by.
func (e *Entry) name() string {
	if e.Object != nil {
		return e.Object.Key
	}
	return e.Prefix
}

// Entries iterates over one level of a bucket, as over a directory: objects
// whose keys begin with prefix, and, folded into one entry each, those that
// have the delimiter after it.
func (c *Client) Entries(ctx context.Context, bucket, prefix, delimiter string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		q := &ListObjectsV2Request{Bucket: bucket, Prefix: prefix, Delimiter: delimiter, MaxKeys: pageSize}
		last, empty := "", 0
		below := below(prefix, func(e Entry) string { return e.name() }, yield)
		ordered := func(e Entry, err error) bool {
			if e.name() <= last {
				yield(Entry{}, fmt.Errorf("%w: %q comes after %q", errDisordered, e.name(), last))
				return false
			}
			last, empty = e.name(), 0
			return below(e, err)
		}
		for {
			page, err := c.ListObjectsV2(ctx, q)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if !eachEntry(page, ordered) || !page.IsTruncated {
				return
			}
			empty++
			if page.NextContinuationToken == "" || page.NextContinuationToken == q.ContinuationToken || empty > maxEmptyPages {
				yield(Entry{}, errStuck)
				return
			}
			q.ContinuationToken = page.NextContinuationToken
		}
	}
}

// eachEntry merges the two lists of a page.
func eachEntry(page *ListObjectsV2Result, yield func(Entry, error) bool) bool {
	objects, prefixes := page.Objects, page.CommonPrefixes
	for len(objects) > 0 || len(prefixes) > 0 {
		var e Entry
		if len(prefixes) == 0 || len(objects) > 0 && objects[0].Key < prefixes[0] {
			e.Object, objects = &objects[0], objects[1:]
		} else {
			e.Prefix, prefixes = prefixes[0], prefixes[1:]
		}
		if !yield(e, nil) {
			return false
		}
	}
	return true
}

// Versions iterates over the versions and delete markers whose keys begin with
// prefix.
func (c *Client) Versions(ctx context.Context, bucket, prefix string) iter.Seq2[Version, error] {
	return func(yield func(Version, error) bool) {
		q := &ListObjectVersionsRequest{Bucket: bucket, Prefix: prefix, MaxKeys: pageSize}
		below := below(prefix, func(v Version) string { return v.Key }, yield)
		for {
			page, err := c.ListObjectVersions(ctx, q)
			if err != nil {
				yield(Version{}, err)
				return
			}
			if !each(page.Versions, below) || !page.IsTruncated {
				return
			}
			if page.NextKeyMarker < q.KeyMarker || page.NextKeyMarker == q.KeyMarker && page.NextVersionIDMarker == q.VersionIDMarker {
				yield(Version{}, errStuck)
				return
			}
			q.KeyMarker, q.VersionIDMarker = page.NextKeyMarker, page.NextVersionIDMarker
		}
	}
}

// Uploads iterates over the open uploads of keys that begin with prefix: by key,
// and by ID for one key.
func (c *Client) Uploads(ctx context.Context, bucket, prefix string) iter.Seq2[Upload, error] {
	return func(yield func(Upload, error) bool) {
		q := &ListMultipartUploadsRequest{Bucket: bucket, Prefix: prefix, MaxUploads: pageSize}
		below := below(prefix, func(u Upload) string { return u.Key }, yield)
		for {
			page, err := c.ListMultipartUploads(ctx, q)
			if err != nil {
				yield(Upload{}, err)
				return
			}
			if !each(page.Uploads, below) || !page.IsTruncated {
				return
			}
			if page.NextKeyMarker < q.KeyMarker || page.NextKeyMarker == q.KeyMarker && page.NextUploadIDMarker == q.UploadIDMarker {
				yield(Upload{}, errStuck)
				return
			}
			q.KeyMarker, q.UploadIDMarker = page.NextKeyMarker, page.NextUploadIDMarker
		}
	}
}

// ObjectUploads iterates over the open uploads of one key.
func (c *Client) ObjectUploads(ctx context.Context, bucket, key string) iter.Seq2[Upload, error] {
	return func(yield func(Upload, error) bool) {
		for u, err := range c.Uploads(ctx, bucket, key) {
			switch {
			case err != nil:
				yield(Upload{}, err)
				return
			case u.Key != key:
				return // keys ascend, and the one asked for is the first with the prefix
			case !yield(u, nil):
				return
			}
		}
	}
}

// Parts iterates over the parts of an upload, ascending by number.
func (c *Client) Parts(ctx context.Context, bucket, key, uploadID string) iter.Seq2[Part, error] {
	return func(yield func(Part, error) bool) {
		q := &ListPartsRequest{Bucket: bucket, Key: key, UploadID: uploadID, MaxParts: pageSize}
		last := 0
		ordered := func(p Part, err error) bool {
			if p.PartNumber <= last || p.PartNumber > MaxParts {
				yield(Part{}, fmt.Errorf("%w: part number %d comes after %d", errDisordered, p.PartNumber, last))
				return false
			}
			last = p.PartNumber
			return yield(p, err)
		}
		for {
			page, err := c.ListParts(ctx, q)
			if err != nil {
				yield(Part{}, err)
				return
			}
			if !each(page.Parts, ordered) || !page.IsTruncated {
				return
			}
			if page.NextPartNumberMarker <= q.PartNumberMarker {
				yield(Part{}, errStuck)
				return
			}
			q.PartNumberMarker = page.NextPartNumberMarker
		}
	}
}
