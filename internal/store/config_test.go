package store_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/store"
)

// A bucket that is made again has none of the configurations of the old one.
func TestConfigGoesWithBucket(t *testing.T) {
	e := newEnv(t)
	long := bytes.Repeat([]byte("<x/>"), 20000)
	e.must(e.PutBucketConfig(e.ctx, "b", store.ConfigCors, []byte("<c/>")))
	e.must(e.PutBucketConfig(e.ctx, "b", store.ConfigPolicy, long))
	e.must(e.DeleteBucket(e.ctx, "b"))
	_, err := e.GetBucketConfig(e.ctx, "b", store.ConfigCors)
	e.want(err, store.ErrNoSuchBucket)
	e.want(e.PutBucketConfig(e.ctx, "b", store.ConfigCors, long), store.ErrNoSuchBucket)
	e.want(e.DeleteBucketConfig(e.ctx, "b", store.ConfigCors), store.ErrNoSuchBucket)

	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	for _, kind := range []store.ConfigKind{store.ConfigCors, store.ConfigPolicy} {
		_, err := e.GetBucketConfig(e.ctx, "b", kind)
		e.want(err, store.ErrNoSuchConfig)
		var where *store.Error
		if !errors.As(err, &where) || where.Config != kind || !strings.Contains(err.Error(), string(kind)) {
			t.Errorf("%v does not tell that it is about the %s", err, kind)
		}
	}
}

// A deletion of the bucket that is decided after a Put has seen the bucket
// comes before or after it: either way the bucket made again has none.
func TestConfigMeetsDeletion(t *testing.T) {
	m := newMemory()
	k := &interposed{Engine: m.kv}
	ctx := t.Context()
	s, err := store.Open(ctx, k, m.blob, store.Options{})
	must(t, err)
	// The bucket goes before the n-th read of the Put, for n = 1, 2, ...
	for n := 1; ; n++ {
		must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
		reads, deleted := 0, false
		var before func()
		before = func() {
			if reads++; reads < n {
				k.before = before
				return
			}
			deleted = true
			must(t, s.DeleteBucket(ctx, "b"))
			if n%2 == 0 {
				must(t, s.Reclaim(ctx))
			}
		}
		k.before = before
		err := s.PutBucketConfig(ctx, "b", store.ConfigCors, []byte("<c/>"))
		k.before = nil
		if !deleted {
			must(t, err)
			if n < 4 {
				t.Fatalf("a Put of only %d reads", n-1)
			}
			break
		}
		if err != nil && !errors.Is(err, store.ErrNoSuchBucket) {
			t.Errorf("deleted before read %d: %v", n, err)
		}
		must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
		if _, err := s.GetBucketConfig(ctx, "b", store.ConfigCors); !errors.Is(err, store.ErrNoSuchConfig) {
			t.Errorf("deleted before read %d: the bucket made again has a configuration: %v", n, err)
		}
		must(t, s.DeleteBucket(ctx, "b"))
	}
	must(t, clean(ctx, s))
}

// Who reads while a document in chunks is replaced gets the one or the other.
func TestConfigReplacedWhileRead(t *testing.T) {
	m := newMemory()
	k := &interposed{Engine: m.kv}
	ctx := t.Context()
	s, err := store.Open(ctx, k, m.blob, store.Options{})
	must(t, err)
	must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
	a, b := data(1, 100<<10), data(2, store.MaxConfig)
	for n := 1; ; n++ {
		must(t, s.PutBucketConfig(ctx, "b", store.ConfigPolicy, a))
		reads, replaced := 0, false
		var before func()
		before = func() {
			if reads++; reads < n {
				k.before = before
				return
			}
			replaced = true
			must(t, s.PutBucketConfig(ctx, "b", store.ConfigPolicy, b))
		}
		k.before = before
		got, err := s.GetBucketConfig(ctx, "b", store.ConfigPolicy)
		k.before = nil
		must(t, err)
		if want := map[bool][]byte{false: a, true: b}[replaced]; !bytes.Equal(got, want) {
			t.Errorf("replaced before read %d: %d bytes, want %d", n, len(got), len(want))
		}
		if !replaced {
			break
		}
	}
	must(t, clean(ctx, s))
}

// Check notices a configuration that is not whole, and rows that belong to
// none.
func TestCheckConfig(t *testing.T) {
	m := newMemory()
	ctx := t.Context()
	s := openStore(t, m)
	must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
	must(t, s.PutBucketConfig(ctx, "b", store.ConfigPolicy, data(1, 100<<10)))
	must(t, s.PutBucketConfig(ctx, "b", store.ConfigCors, []byte("<c/>")))
	must(t, clean(ctx, s))
	info, err := s.GetBucketInfo(ctx, "b")
	must(t, err)
	p := meta.BucketPartition(info.ID)
	rows, _, err := m.kv.Scan(ctx, p, nil, nil, 0)
	must(t, err)
	for _, row := range rows {
		if strings.HasPrefix(string(row.Key), meta.RangePrefix) || string(row.Key) == kv.HeaderKey {
			continue
		}
		for what, value := range map[string][]byte{"missing": nil, "damaged": []byte("x"), "another": (&meta.Config{}).Encode()} {
			change := func(from, to []byte) {
				t.Helper()
				header, err := m.kv.Get(ctx, p, meta.HeaderKey())
				must(t, err)
				must(t, m.kv.Commit(ctx, p, []kv.Guard{kv.Guard(header[0]), {Key: row.Key, Value: from}}, []kv.Write{{Key: row.Key, Value: to}}))
			}
			change(row.Value, value)
			r, err := s.Check(ctx, store.CheckOptions{})
			must(t, err)
			if len(r.Damage) == 0 && !(what == "missing" && string(row.Key) == "k/cors") {
				t.Errorf("%q %s: no damage is reported", row.Key, what)
			}
			change(value, row.Value)
		}
	}
	must(t, clean(ctx, s))
}

// Changes of one document by several at once are all in it afterwards.
func TestUpdateConfigConcurrently(t *testing.T) {
	e := newEnv(t)
	const writers, each = 4, 10
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				err := e.UpdateBucketConfig(e.ctx, "b", store.ConfigTagging, func(document []byte) ([]byte, error) {
					return append(document, byte('a'+w)), nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	got, err := e.GetBucketConfig(e.ctx, "b", store.ConfigTagging)
	e.must(err)
	for w := range writers {
		if n := bytes.Count(got, []byte{byte('a' + w)}); n != each {
			t.Errorf("%d of %d changes of writer %d are in %q", n, each, w, got)
		}
	}
	refused := errors.New("refused")
	e.want(e.UpdateBucketConfig(e.ctx, "b", store.ConfigTagging, func([]byte) ([]byte, error) { return nil, refused }), refused)
	e.must(e.UpdateBucketConfig(e.ctx, "b", store.ConfigTagging, func([]byte) ([]byte, error) { return nil, nil }))
	_, err = e.GetBucketConfig(e.ctx, "b", store.ConfigTagging)
	e.want(err, store.ErrNoSuchConfig)
	if err := e.PutBucketConfig(e.ctx, "b", store.ConfigTagging, nil); err == nil {
		t.Error("an empty document is kept")
	}
}
