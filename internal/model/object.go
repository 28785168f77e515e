package model

import (
	"cmp"
	"context"
	"crypto/md5"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// PutObject is store's.
func (s *Store) PutObject(_ context.Context, req *store.PutObjectRequest) (*store.Object, error) {
	o, err := s.putObject(req)
	return o, at(err, store.Error{Op: "PutObject", Bucket: req.Bucket, Key: req.Key, Size: req.Body.Size})
}

func (s *Store) putObject(req *store.PutObjectRequest) (*store.Object, error) {
	b, err := s.bucket(req.Bucket)
	if err != nil {
		return nil, err
	}
	if req.ForbidOverwrite && b.objects[req.Key] != nil {
		return nil, store.ErrObjectExists
	}
	if err := s.encrypts(req.Attributes.Encryption); err != nil {
		return nil, err
	}
	data, err := receive(req.Body)
	if err != nil {
		return nil, err
	}
	return s.write(b, req.Key, data, req.Attributes), nil
}

// write makes an object of one piece.
func (s *Store) write(b *bucket, key string, data []byte, attrs store.Attributes) *store.Object {
	sum := md5.Sum(data)
	o := &object{data: data, Object: store.Object{
		Bucket: b.Name, Key: key, Attributes: cloneAttributes(attrs), Type: store.Normal, Size: int64(len(data)),
		ETag: etag(data), CRC64: checksum(data), MD5: sum[:], LastModified: s.now(), Version: s.newName(),
	}}
	o.StorageClass = cmp.Or(o.StorageClass, b.StorageClass)
	b.objects[key] = o
	return o.info()
}

// HeadObject is store's.
func (s *Store) HeadObject(_ context.Context, bucket, key string) (*store.Object, error) {
	o, err := s.object(bucket, key)
	if err != nil {
		return nil, at(err, store.Error{Op: "HeadObject", Bucket: bucket, Key: key})
	}
	return o.info(), nil
}

// GetObject is store's, with the bytes at once instead of a Reader.
func (s *Store) GetObject(_ context.Context, bucket, key string) (*store.Object, []byte, error) {
	o, err := s.object(bucket, key)
	if err != nil {
		return nil, nil, at(err, store.Error{Op: "GetObject", Bucket: bucket, Key: key})
	}
	if err := s.readable(o); err != nil {
		return nil, nil, at(err, store.Error{Op: "GetObject", Bucket: bucket, Key: key})
	}
	return o.info(), slices.Clone(o.data), nil
}

// DeleteObject is store's.
func (s *Store) DeleteObject(_ context.Context, bucket, key string) error {
	b, err := s.bucket(bucket)
	if err != nil {
		return at(err, store.Error{Op: "DeleteObject", Bucket: bucket, Key: key})
	}
	delete(b.objects, key)
	return nil
}

// DeleteMultipleObjects is store's.
func (s *Store) DeleteMultipleObjects(ctx context.Context, bucket string, keys []string) []error {
	errs := make([]error, len(keys))
	for i, key := range keys {
		errs[i] = s.DeleteObject(ctx, bucket, key)
	}
	return errs
}

// PutObjectAcl is store's.
func (s *Store) PutObjectAcl(_ context.Context, bucket, key, acl string) error {
	o, err := s.object(bucket, key)
	if err != nil {
		return at(err, store.Error{Op: "PutObjectAcl", Bucket: bucket, Key: key})
	}
	o.ACL = acl
	return nil
}

// PutObjectTagging is store's.
func (s *Store) PutObjectTagging(_ context.Context, bucket, key string, tags []store.Tag) error {
	o, err := s.object(bucket, key)
	if err != nil {
		return at(err, store.Error{Op: "PutObjectTagging", Bucket: bucket, Key: key})
	}
	o.Tags = slices.Clone(tags)
	return nil
}

// daysRestored is how many days an object of an archive class stays restored
// at most.
var daysRestored = map[string]int{"Archive": 7, "ColdArchive": 365, "DeepColdArchive": 365}

// readable is nil unless the object is archived and not restored now.
func (s *Store) readable(o *object) error {
	if now := s.now(); daysRestored[o.StorageClass] > 0 && (now.Before(o.Restore.Ready) || !now.Before(o.Restore.Expiry)) {
		return store.ErrNotRestored
	}
	return nil
}

// RestoreObject is store's.
func (s *Store) RestoreObject(_ context.Context, req *store.RestoreObjectRequest) (*store.RestoreObjectResult, error) {
	res, err := s.restoreObject(req)
	return res, at(err, store.Error{Op: "RestoreObject", Bucket: req.Bucket, Key: req.Key})
}

func (s *Store) restoreObject(req *store.RestoreObjectRequest) (*store.RestoreObjectResult, error) {
	o, err := s.object(req.Bucket, req.Key)
	if err != nil {
		return nil, err
	}
	most := daysRestored[o.StorageClass]
	if most == 0 {
		return nil, store.ErrNotArchived
	}
	days := 1
	if req.Days != nil {
		if days, err = req.Days(o.info()); err != nil {
			return nil, err
		}
	}
	switch {
	case s.readable(o) == nil:
		o.Restore.Expiry = o.Restore.Expiry.AddDate(0, 0, days)
		if last := o.Restore.Ready.AddDate(0, 0, most); o.Restore.Expiry.After(last) {
			o.Restore.Expiry = last
		}
		return &store.RestoreObjectResult{StorageClass: o.StorageClass}, nil
	case s.now().Before(o.Restore.Ready):
		return nil, store.ErrRestoreInProgress
	}
	o.Restore.Ready = s.now().Add(s.opts.RestoreTime)
	o.Restore.Expiry = o.Restore.Ready.AddDate(0, 0, min(days, most))
	return &store.RestoreObjectResult{Started: true, StorageClass: o.StorageClass}, nil
}

// CopyObject is store's.
func (s *Store) CopyObject(_ context.Context, req *store.CopyObjectRequest) (*store.Object, error) {
	o, err := s.copyObject(req)
	return o, at(err, store.Error{Op: "CopyObject", Bucket: req.Bucket, Key: req.Key})
}

func (s *Store) copyObject(req *store.CopyObjectRequest) (*store.Object, error) {
	b, err := s.bucket(req.Bucket)
	if err != nil {
		return nil, err
	}
	src, err := s.source(req.Source)
	if err != nil {
		return nil, err
	}
	if req.ForbidOverwrite && b.objects[req.Key] != nil {
		return nil, store.ErrObjectExists
	}
	attrs := req.Attributes(cloneAttributes(src.Attributes))
	// Onto itself in another encryption is as good as another object.
	if b.objects[req.Key] != src || attrs.Encryption != src.Encryption {
		if err := s.encrypts(attrs.Encryption); err != nil {
			return nil, err
		}
		return s.write(b, req.Key, src.data, attrs), nil
	}
	// Onto itself: the bytes stay, and so does what they are known by.
	src.Attributes, src.LastModified = cloneAttributes(attrs), s.now()
	src.StorageClass = cmp.Or(src.StorageClass, b.StorageClass)
	src.Restore, src.Transitioned = store.Restore{}, time.Time{}
	return src.info(), nil
}

// source finds what is to be copied and puts it to the caller's check.
func (s *Store) source(src store.CopySource) (*object, error) {
	o, err := s.object(src.Bucket, src.Key)
	if err != nil {
		return nil, &store.Error{Bucket: src.Bucket, Key: src.Key, Err: err}
	}
	if src.Check != nil {
		if err := src.Check(o.info()); err != nil {
			return nil, err
		}
	}
	if err := s.readable(o); err != nil {
		return nil, &store.Error{Bucket: src.Bucket, Key: src.Key, Err: err}
	}
	return o, nil
}
