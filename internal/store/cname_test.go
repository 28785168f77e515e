package store_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/store"
)

// A domain leads to one bucket, until it is taken from it.
func TestCname(t *testing.T) {
	e := newEnv(t)
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "other"}))
	e.want(e.PutCname(e.ctx, "missing", "a.example"), store.ErrNoSuchBucket)
	e.must(e.PutCname(e.ctx, "b", "b.example"))
	e.must(e.PutCname(e.ctx, "b", "a.example"))
	e.must(e.PutCname(e.ctx, "b", "a.example"))
	err := e.PutCname(e.ctx, "other", "a.example")
	e.want(err, store.ErrCnameExists)
	var where *store.Error
	if !errors.As(err, &where) || where.Bucket != "b" {
		t.Errorf("%v does not name the bucket that has it", err)
	}
	bucket, err := e.LookupCname(e.ctx, "a.example")
	if err != nil || bucket != "b" {
		t.Errorf("a.example leads to %q, %v", bucket, err)
	}
	_, err = e.LookupCname(e.ctx, "a.exampl")
	e.want(err, store.ErrNoSuchCname)

	all, err := e.ListCname(e.ctx, "b")
	e.must(err)
	if len(all) != 2 || all[0].Domain != "a.example" || all[1].Domain != "b.example" || all[0].Created.IsZero() {
		t.Errorf("listed %+v", all)
	}
	if all, err := e.ListCname(e.ctx, "other"); err != nil || len(all) != 0 {
		t.Errorf("listed %+v, %v", all, err)
	}
	e.want(e.DeleteCname(e.ctx, "other", "a.example"), store.ErrNoSuchCname)
	e.must(e.DeleteCname(e.ctx, "b", "a.example"))
	e.want(e.DeleteCname(e.ctx, "b", "a.example"), store.ErrNoSuchCname)
	e.must(e.PutCname(e.ctx, "other", "a.example"))
	for i := 1; i < store.MaxCnames; i++ {
		e.must(e.PutCname(e.ctx, "b", fmt.Sprintf("x%d.example", i)))
	}
	e.want(e.PutCname(e.ctx, "b", "full.example"), store.ErrTooManyCnames)
	e.must(e.PutCname(e.ctx, "b", "b.example")) // it is there
	e.clean()
}

// A bucket that is made again has none of the domains of the old one, and
// somebody else may have them at once; later nothing is left of them.
func TestCnameGoesWithBucket(t *testing.T) {
	for _, reclaim := range []bool{false, true} {
		m := newMemory()
		ctx := t.Context()
		s, err := store.Open(ctx, m.kv, m.blob, store.Options{})
		must(t, err)
		put := func(bucket string) { must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: bucket})) }
		put("b")
		must(t, s.PutCname(ctx, "b", "a.example"))
		must(t, s.PutCname(ctx, "b", "b.example"))
		must(t, s.DeleteBucket(ctx, "b"))
		if reclaim {
			must(t, s.Reclaim(ctx))
		}
		if _, err := s.ListCname(ctx, "b"); !errors.Is(err, store.ErrNoSuchBucket) {
			t.Errorf("got %v", err)
		}
		put("b")
		put("other")
		if all, err := s.ListCname(ctx, "b"); err != nil || len(all) > 0 {
			t.Errorf("the bucket made again has %v, %v", all, err)
		}
		if _, err := s.LookupCname(ctx, "a.example"); !errors.Is(err, store.ErrNoSuchCname) {
			t.Errorf("got %v", err)
		}
		must(t, s.PutCname(ctx, "other", "a.example"))
		must(t, s.Reclaim(ctx))
		if bucket, err := s.LookupCname(ctx, "a.example"); err != nil || bucket != "other" {
			t.Errorf("leads to %q, %v", bucket, err)
		}
		rows, _, err := m.kv.Scan(ctx, meta.Root, []byte(meta.CnamePrefix), meta.PrefixEnd([]byte(meta.CnamePrefix)), 10)
		must(t, err)
		if len(rows) != 1 {
			t.Errorf("rows are left: %q", rows)
		}
		must(t, clean(ctx, s))
	}
}

// A deletion of the bucket that comes before any read of a Put leaves no domain
// that leads to the bucket made again.
func TestCnameMeetsDeletion(t *testing.T) {
	m := newMemory()
	k := &interposed{Engine: m.kv}
	ctx := t.Context()
	s, err := store.Open(ctx, k, m.blob, store.Options{})
	must(t, err)
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
			must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
			if n%2 == 0 {
				must(t, s.Reclaim(ctx))
			}
		}
		k.before = before
		must(t, s.PutCname(ctx, "b", "a.example")) // to the new bucket, if there is one
		k.before = nil
		if bucket, err := s.LookupCname(ctx, "a.example"); err != nil || bucket != "b" {
			t.Errorf("deleted before read %d: %q, %v", n, bucket, err)
		}
		must(t, s.Reclaim(ctx))
		must(t, clean(ctx, s)) // no row that leads nowhere
		must(t, s.DeleteBucket(ctx, "b"))
		if !deleted {
			if n < 4 {
				t.Fatalf("a Put of only %d reads", n-1)
			}
			break
		}
	}
}

// Of many who want a domain at once, one gets it.
func TestCnameRace(t *testing.T) {
	e := newEnv(t)
	const buckets = 8
	for i := range buckets {
		e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: fmt.Sprintf("bucket%d", i)}))
	}
	for round := range 20 {
		domain := fmt.Sprintf("d%d.example", round)
		var wg sync.WaitGroup
		errs := make([]error, buckets)
		for i := range buckets {
			wg.Go(func() { errs[i] = e.PutCname(e.ctx, fmt.Sprintf("bucket%d", i), domain) })
		}
		wg.Wait()
		won := ""
		for i, err := range errs {
			switch {
			case err == nil && won == "":
				won = fmt.Sprintf("bucket%d", i)
			case err == nil:
				t.Errorf("%s went to two buckets", domain)
			default:
				e.want(err, store.ErrCnameExists)
			}
		}
		if got, err := e.LookupCname(e.ctx, domain); err != nil || got != won {
			t.Errorf("%s leads to %q, %v, and was given to %q", domain, got, err, won)
		}
	}
	e.clean()
}

// Check finds domains that cannot be read and those that lead nowhere.
func TestCheckCname(t *testing.T) {
	m := newMemory()
	ctx := t.Context()
	s, err := store.Open(ctx, m.kv, m.blob, store.Options{})
	must(t, err)
	nowhere := meta.Cname{Bucket: "b", BucketID: "ID"}
	header, err := m.kv.Get(ctx, meta.Root, meta.HeaderKey())
	must(t, err)
	must(t, m.kv.Commit(ctx, meta.Root, []kv.Guard{kv.Guard(header[0]), {Key: meta.CnameKey("a.example")}}, []kv.Write{
		{Key: meta.CnameKey("a.example"), Value: []byte("x")}, {Key: meta.CnameKey("b.example"), Value: nowhere.Encode()},
	}))
	report, err := s.Check(ctx, store.CheckOptions{})
	if err != nil || report.Damaged != 2 {
		t.Errorf("found %+v, %v", report, err)
	}
}
