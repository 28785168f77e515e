package store_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

// reluctant is a blob engine whose first deletions fail.
type reluctant struct {
	blob.Engine
	failures atomic.Int64
	deleted  chan struct{} // one for each Delete that did not fail
}

func (r *reluctant) Delete(ctx context.Context, extents ...blob.Extent) error {
	if r.failures.Add(-1) >= 0 {
		return errors.New("not now")
	}
	err := r.Engine.Delete(ctx, extents...)
	r.deleted <- struct{}{}
	return err
}

// Bytes whose deletion fails are tried again in the next rounds, not when all
// buckets are looked through an hour later.
func TestReclaimTriesAgain(t *testing.T) {
	ctx := t.Context()
	b := &reluctant{Engine: memblob.New(), deleted: make(chan struct{}, 100)}
	s, err := store.Open(ctx, memkv.New(), b, store.Options{ReclaimEvery: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
	for _, key := range []string{"k1", "k2"} {
		_, err := s.PutObject(ctx, &store.PutObjectRequest{Bucket: "b", Key: key, Body: body([]byte("bytes of " + key))})
		must(t, err)
		must(t, s.DeleteObject(ctx, "b", key))
	}
	b.failures.Store(5)
	s.Start()
	for range 2 {
		select {
		case <-b.deleted:
		case <-time.After(time.Minute):
			t.Fatal("never tried again")
		}
	}
}
