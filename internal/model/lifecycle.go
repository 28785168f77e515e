package model

import (
	"context"

	"github.com/ossastore/ossa/internal/store"
)

// ApplyLifecycle is store's; the bucket is told by its name.
func (s *Store) ApplyLifecycle(_ context.Context, bucket store.Bucket, keys []string, judge func(*store.Object) store.Verdict) ([]store.Judged, error) {
	b, err := s.bucket(bucket.Name)
	if err != nil {
		return nil, at(err, store.Error{Op: "ApplyLifecycle", Bucket: bucket.Name, Key: keys[0]})
	}
	var all []store.Judged
	for _, key := range keys {
		o := b.objects[key]
		if o == nil {
			continue
		}
		was := *o.info()
		verdict := judge(o.info())
		switch {
		case verdict.Expire:
			delete(b.objects, key)
		case verdict.StorageClass != "" && verdict.StorageClass != o.StorageClass:
			o.StorageClass, o.Restore, o.Transitioned = verdict.StorageClass, store.Restore{}, s.now()
		default:
			continue
		}
		all = append(all, store.Judged{Object: was, Verdict: verdict})
	}
	return all, nil
}

// GetUploadState is store's; the bucket is told by its name.
func (s *Store) GetUploadState(_ context.Context, bucket store.Bucket, key string, id store.UploadID) (*store.UploadState, error) {
	_, u, err := s.upload(bucket.Name, key, id)
	if err != nil {
		return nil, at(err, store.Error{Op: "GetUploadState", Bucket: bucket.Name, Key: key, UploadID: id})
	}
	return u.state(), nil
}

func (u *upload) state() *store.UploadState {
	st := &store.UploadState{Upload: *u.info(), Last: u.Initiated}
	for _, p := range u.parts {
		st.Parts++
		st.Bytes += p.Size
		if p.LastModified.After(st.Last) {
			st.Last = p.LastModified
		}
	}
	return st
}

// AbortDueUpload is store's; the bucket is told by its name.
func (s *Store) AbortDueUpload(_ context.Context, bucket store.Bucket, key string, id store.UploadID, due func(*store.UploadState) bool) (*store.UploadState, error) {
	b, u, err := s.upload(bucket.Name, key, id)
	if b == nil {
		return nil, at(err, store.Error{Op: "AbortDueUpload", Bucket: bucket.Name, Key: key, UploadID: id})
	}
	if err != nil || !due(u.state()) {
		return nil, nil
	}
	delete(b.uploads, id)
	return u.state(), nil
}
