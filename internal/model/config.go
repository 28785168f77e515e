package model

import (
	"context"
	"slices"

	"github.com/ossastore/ossa/internal/store"
)

// PutBucketConfig is store's.
func (s *Store) PutBucketConfig(_ context.Context, bucket string, kind store.ConfigKind, document []byte) error {
	b, err := s.bucket(bucket)
	switch {
	case err != nil:
		return at(err, store.Error{Op: "PutBucketConfig", Bucket: bucket, Config: kind})
	case len(document) > store.MaxConfig:
		return at(store.ErrTooLarge, store.Error{Op: "PutBucketConfig", Bucket: bucket, Config: kind, Size: int64(len(document))})
	}
	b.configs[kind] = slices.Clone(document)
	return nil
}

// GetBucketConfig is store's.
func (s *Store) GetBucketConfig(_ context.Context, bucket string, kind store.ConfigKind) ([]byte, error) {
	b, err := s.bucket(bucket)
	if err == nil && b.configs[kind] == nil {
		err = store.ErrNoSuchConfig
	}
	if err != nil {
		return nil, at(err, store.Error{Op: "GetBucketConfig", Bucket: bucket, Config: kind})
	}
	return slices.Clone(b.configs[kind]), nil
}

// GetBucketConfigs is store's.
func (s *Store) GetBucketConfigs(_ context.Context, bucket string, kinds ...store.ConfigKind) (*store.BucketConfigs, error) {
	b, err := s.bucket(bucket)
	if err != nil {
		return nil, at(err, store.Error{Op: "GetBucketConfigs", Bucket: bucket})
	}
	all := &store.BucketConfigs{Bucket: b.Bucket, Documents: make(map[store.ConfigKind][]byte)}
	for _, kind := range kinds {
		if b.configs[kind] != nil {
			all.Documents[kind] = slices.Clone(b.configs[kind])
		}
	}
	return all, nil
}

// DeleteBucketConfig is store's.
func (s *Store) DeleteBucketConfig(_ context.Context, bucket string, kind store.ConfigKind) error {
	b, err := s.bucket(bucket)
	if err != nil {
		return at(err, store.Error{Op: "DeleteBucketConfig", Bucket: bucket, Config: kind})
	}
	delete(b.configs, kind)
	return nil
}

// UpdateBucketConfig is store's.
func (s *Store) UpdateBucketConfig(_ context.Context, bucket string, kind store.ConfigKind, change func([]byte) ([]byte, error)) error {
	b, err := s.bucket(bucket)
	if err != nil {
		return at(err, store.Error{Op: "UpdateBucketConfig", Bucket: bucket, Config: kind})
	}
	document, err := change(slices.Clone(b.configs[kind]))
	switch {
	case err != nil:
		return at(err, store.Error{Op: "UpdateBucketConfig", Bucket: bucket, Config: kind})
	case len(document) > store.MaxConfig:
		return at(store.ErrTooLarge, store.Error{Op: "UpdateBucketConfig", Bucket: bucket, Config: kind, Size: int64(len(document))})
	case document == nil:
		delete(b.configs, kind)
	default:
		b.configs[kind] = slices.Clone(document)
	}
	return nil
}
