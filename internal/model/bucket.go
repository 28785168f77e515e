package model

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// PutBucket is store's.
func (s *Store) PutBucket(_ context.Context, req *store.PutBucketRequest) error {
	return at(s.putBucket(req), store.Error{Op: "PutBucket", Bucket: req.Bucket})
}

func (s *Store) putBucket(req *store.PutBucketRequest) error {
	if b := s.buckets[req.Bucket]; b != nil {
		if req.StorageClass != "" && req.StorageClass != b.StorageClass {
			return store.ErrBucketExists
		}
		if req.Redundancy != "" && req.Redundancy != b.Redundancy {
			return store.ErrBucketRedundancy
		}
		b.ACL = cmp.Or(req.ACL, b.ACL)
		return nil
	}
	if len(s.buckets) >= s.opts.MaxBuckets {
		return store.ErrTooManyBuckets
	}
	s.buckets[req.Bucket] = &bucket{
		Bucket: store.Bucket{
			Name: req.Bucket, ID: s.newName(), Created: s.now().Truncate(time.Second),
			ACL:          cmp.Or(req.ACL, "private"),
			StorageClass: cmp.Or(req.StorageClass, "Standard"),
			Redundancy:   cmp.Or(req.Redundancy, "LRS"),
		},
		objects:   make(map[string]*object),
		uploads:   make(map[store.UploadID]*upload),
		completed: make(map[store.UploadID]*completed),
		configs:   make(map[store.ConfigKind][]byte),
	}
	return nil
}

// GetBucketInfo is store's.
func (s *Store) GetBucketInfo(_ context.Context, name string) (*store.Bucket, error) {
	b, err := s.bucket(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "GetBucketInfo", Bucket: name})
	}
	info := b.Bucket
	return &info, nil
}

// PutBucketAcl is store's.
func (s *Store) PutBucketAcl(_ context.Context, name, acl string) error {
	b, err := s.bucket(name)
	if err != nil {
		return at(err, store.Error{Op: "PutBucketAcl", Bucket: name})
	}
	b.ACL = acl
	return nil
}

// ListBuckets is store's.
func (s *Store) ListBuckets(_ context.Context, req *store.ListBucketsRequest) (*store.ListBucketsResult, error) {
	res := &store.ListBucketsResult{}
	for _, name := range slices.Sorted(maps.Keys(s.buckets)) {
		if !strings.HasPrefix(name, req.Prefix) || name <= req.Marker {
			continue
		}
		if len(res.Buckets) == req.Max {
			res.Truncated = true
			break
		}
		res.Buckets = append(res.Buckets, s.buckets[name].Bucket)
	}
	return res, nil
}

// DeleteBucket is store's.
func (s *Store) DeleteBucket(_ context.Context, name string) error {
	b, err := s.bucket(name)
	switch {
	case err != nil:
	case len(b.objects) > 0:
		err = store.ErrBucketHasObjects
	case len(b.uploads) > 0:
		err = store.ErrBucketHasUploads
	default:
		delete(s.buckets, name)
		maps.DeleteFunc(s.cnames, func(_ string, c cname) bool { return c.bucket == name })
	}
	return at(err, store.Error{Op: "DeleteBucket", Bucket: name})
}

// GetBucketStat is store's.
func (s *Store) GetBucketStat(_ context.Context, name string) (*store.BucketStat, error) {
	b, err := s.bucket(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "GetBucketStat", Bucket: name})
	}
	st := &store.BucketStat{ByClass: make(map[string]store.ClassStat)}
	for _, o := range b.objects {
		class := st.ByClass[o.StorageClass]
		class.Objects++
		class.Bytes += o.Size
		if o.StorageClass == "Standard" {
			class.Billed += o.Size
		} else {
			class.Billed += max(o.Size, 64<<10)
		}
		st.ByClass[o.StorageClass] = class
		st.Objects++
		st.Bytes += o.Size
		if o.LastModified.After(st.LastModified) {
			st.LastModified = o.LastModified
		}
	}
	for _, u := range b.uploads {
		st.Uploads++
		if st.OldestUpload.IsZero() || u.Initiated.Before(st.OldestUpload) {
			st.OldestUpload = u.Initiated
		}
		for _, p := range u.parts {
			st.Parts++
			st.PartBytes += p.Size
			class := st.ByClass[u.StorageClass]
			class.Parts++
			class.PartBytes += p.Size
			st.ByClass[u.StorageClass] = class
		}
	}
	return st, nil
}
