package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/store"
)

// Histories of several operations in one exact order. The engines stop at a
// point that a test chooses, and the test does something else there.

// stepper is a kv.Engine that lets a test in before and after each Commit.
type stepper struct {
	*memkv.Engine

	scans  atomic.Int64 // of garbage rows
	mu     sync.Mutex
	commit func(p kv.Partition, writes []kv.Write, do func() error) error // nil: just do
}

func (s *stepper) Commit(ctx context.Context, p kv.Partition, guards []kv.Guard, writes []kv.Write) error {
	do := func() error { return s.Engine.Commit(ctx, p, guards, writes) }
	s.mu.Lock()
	step := s.commit
	s.mu.Unlock()
	if step == nil {
		return do()
	}
	return step(p, writes, do)
}

func (s *stepper) Scan(ctx context.Context, p kv.Partition, from, to []byte, limit int) ([]kv.Row, bool, error) {
	if string(from) == "d/" {
		s.scans.Add(1)
	}
	return s.Engine.Scan(ctx, p, from, to, limit)
}

// once has step called for the first Commit that fits, and no other.
func (s *stepper) once(fits func(p kv.Partition, writes []kv.Write) bool, step func(do func() error) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commit = func(p kv.Partition, writes []kv.Write, do func() error) error {
		if !fits(p, writes) {
			return do()
		}
		s.mu.Lock()
		s.commit = nil
		s.mu.Unlock()
		return step(do)
	}
}

// writesTo tells whether a Commit writes a row whose key begins with prefix.
func writesTo(prefix string) func(kv.Partition, []kv.Write) bool {
	return func(_ kv.Partition, writes []kv.Write) bool {
		for _, w := range writes {
			if len(w.Key) >= len(prefix) && string(w.Key[:len(prefix)]) == prefix {
				return true
			}
		}
		return false
	}
}

// newSteppedEnv is newEnv on a stepper and a blob engine of the test's, or one
// in memory.
func newSteppedEnv(t *testing.T, b blob.Engine) (*env, *stepper) {
	t.Helper()
	e := &env{t: t, ctx: context.Background(), blob: memblob.New(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	if b == nil {
		b = e.blob
	}
	k := &stepper{Engine: memkv.New()}
	s, err := store.Open(e.ctx, k, b, store.Options{Clock: e.clock})
	e.must(err)
	e.Store = s
	t.Cleanup(s.Close)
	e.must(s.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	return e, k
}

// fickle is a blob engine whose deletions a power cut takes back, any of them,
// until they are flushed.
type fickle struct {
	*memblob.Engine
	deleted map[blob.Extent]bool // and not flushed
	failing error                // of FlushDeletes
}

func newFickle() *fickle {
	return &fickle{Engine: memblob.New(), deleted: make(map[blob.Extent]bool)}
}

func (f *fickle) ReadAt(ctx context.Context, e blob.Extent, p []byte, off int64) (int, error) {
	if f.deleted[e] {
		return 0, blob.ErrNotFound
	}
	return f.Engine.ReadAt(ctx, e, p, off)
}

func (f *fickle) Delete(_ context.Context, extents ...blob.Extent) error {
	for _, e := range extents {
		f.deleted[e] = true
	}
	return nil
}

func (f *fickle) FlushDeletes(ctx context.Context) error {
	if f.failing != nil {
		return f.failing
	}
	for e := range f.deleted {
		if err := f.Engine.Delete(ctx, e); err != nil {
			return err
		}
	}
	clear(f.deleted)
	return nil
}

// cutPower takes back the deletions that back says, and makes the others
// durable.
func (f *fickle) cutPower(t *testing.T, back func(blob.Owner) bool) {
	t.Helper()
	must(t, f.Engine.Extents(t.Context(), 0, blob.MaxMark, func(e blob.Extent, owner blob.Owner) error {
		if back(owner) {
			delete(f.deleted, e)
		}
		return nil
	}))
	f.failing = nil
	must(t, f.FlushDeletes(t.Context()))
}

// A long object is being reclaimed when the power is cut. The deletion of its
// manifest, which alone knows the rest, has reached the disk and those of the
// rest have not: all must go nevertheless.
func TestPowerCutWhileReclaimingManifest(t *testing.T) {
	b := newFickle()
	e, _ := newSteppedEnv(t, b)
	id := e.initiate("k")
	const n = 700
	var list []store.CompletedPart
	p := data(1, store.MinPartSize)
	for i := range n {
		list = append(list, e.part("k", id, i+1, p))
	}
	_, err := e.complete("k", id, list...)
	e.must(err)
	e.must(e.Reclaim(e.ctx)) // the upload: from now on the manifest alone names the parts
	e.must(e.Sweep(e.ctx))
	e.must(e.DeleteObject(e.ctx, "b", "k"))

	b.failing = errors.New("power cut")
	if err := e.Reclaim(e.ctx); err == nil {
		t.Fatal("reclaimed without a flush")
	}
	b.cutPower(t, func(owner blob.Owner) bool { return !owner.Manifest })
	e.must(e.Reclaim(e.ctx))
	if n := b.Len(); n != 0 {
		t.Errorf("%d extents left that nothing names", n)
	}
}

// A request that only reads is no reason not to delete a bucket.
func TestReadsLeaveDeleteBucketAlone(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	e.put("k", data(1, 10))
	e.must(e.DeleteObject(e.ctx, "b", "k"))
	reads := 0
	k.once(writesTo(kv.HeaderKey), func(do func() error) error {
		e.must(do()) // the bucket is being looked at
		_, err := e.HeadObject(e.ctx, "b", "k")
		e.want(err, store.ErrNoSuchKey)
		_, err = e.GetObject(e.ctx, "b", "k")
		e.want(err, store.ErrNoSuchKey)
		e.want(e.GetUpload(e.ctx, "b", "k", "0123456789ABCDEF0123456789ABCDEF"), store.ErrNoSuchUpload)
		reads++
		return nil
	})
	e.must(e.DeleteBucket(e.ctx, "b"))
	if n := e.Stats().Conflicts; reads != 1 || n != 0 {
		t.Errorf("%d conflicts with %d times reading", n, reads)
	}
}

// Somebody else finishes the deletion of a bucket and makes another of its
// name before the deleter comes to it. The new one is not the deleter's.
func TestDeleteBucketDeletesOne(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	made := false
	k.once(writesTo("b/"), func(do func() error) error {
		e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
		made = true
		return do()
	})
	e.must(e.DeleteBucket(e.ctx, "b"))
	if _, err := e.GetBucketInfo(e.ctx, "b"); err != nil || !made {
		t.Errorf("new bucket made: %t; then: %v", made, err)
	}
}

// A sweep that finds much garbage reads its rows once for many extents, not
// once for each. It leaves the garbage to the reclaimer and takes what has no
// name at all.
func TestSweepBesideMuchGarbage(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	for i := range 300 {
		key := fmt.Sprintf("k%d", i)
		e.put(key, data(uint64(i), 100))
		e.must(e.DeleteObject(e.ctx, "b", key))
	}
	b, err := e.GetBucketInfo(e.ctx, "b")
	e.must(err)
	for range 100 {
		w, err := e.blob.Create(e.ctx, blob.Owner{Bucket: b.ID, Key: "lost", Version: "V"}, 1)
		e.must(err)
		w.Write([]byte("x"))
		_, err = w.Commit(e.ctx)
		e.must(err)
	}
	next, err := store.Open(e.ctx, k, e.blob, store.Options{Clock: e.clock})
	e.must(err)
	k.scans.Store(0)
	e.must(next.Sweep(e.ctx))
	if n := k.scans.Load(); n != 1 {
		t.Errorf("garbage rows were read %d times", n)
	}
	if n := e.blob.Len(); n != 300 || next.Stats().SweptExtents != 100 {
		t.Errorf("%d extents left, %d swept", n, next.Stats().SweptExtents)
	}
	e.must(next.Reclaim(e.ctx))
	if n := e.blob.Len(); n != 0 {
		t.Errorf("%d extents left by the reclaimer", n)
	}
}

// spread is a blob engine that holds every extent older than a mark to lie in a
// file that is mostly garbage.
type spread struct {
	*memblob.Engine
	before blob.Mark
}

func (s *spread) Sparse(ctx context.Context, limit int) (found []blob.Owned, err error) {
	enough := errors.New("enough")
	err = s.Extents(ctx, 0, s.before, func(e blob.Extent, owner blob.Owner) error {
		if found = append(found, blob.Owned{Extent: e, Owner: owner}); len(found) == limit {
			return enough
		}
		return nil
	})
	if err == enough {
		err = nil
	}
	return found, err
}

// One round of the reclaimer moves all there is to move, however much it is.
func TestCompactAll(t *testing.T) {
	b := &spread{Engine: memblob.New()}
	e, _ := newSteppedEnv(t, b)
	const n = 2300
	for i := range n {
		e.put(fmt.Sprintf("k%d", i), data(uint64(i), 100))
	}
	b.before = b.Mark()
	e.must(e.Reclaim(e.ctx))
	if moved := e.Stats().MovedExtents; moved != n {
		t.Errorf("%d of %d extents moved", moved, n)
	}
	left, err := b.Sparse(e.ctx, n)
	e.must(err)
	if len(left) != 0 {
		t.Errorf("%d extents left where they were", len(left))
	}
	for i := range n {
		if got := e.get(fmt.Sprintf("k%d", i)); string(got) != string(data(uint64(i), 100)) {
			t.Fatalf("object %d differs", i)
		}
	}
}

// A deletion that was decided and then cut short is finished in the background:
// the bucket is not listed for ever, and nothing of it stays.
func TestCutDeleteBucketIsFinished(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	k.once(writesTo("b/"), func(func() error) error { return kv.ErrUnavailable })
	e.want(e.DeleteBucket(e.ctx, "b"), store.ErrUnavailable)
	e.must(e.Reclaim(e.ctx))
	res, err := e.ListBuckets(e.ctx, &store.ListBucketsRequest{Max: 10})
	e.must(err)
	if len(res.Buckets) != 0 {
		t.Errorf("listed: %v", res.Buckets)
	}
	if names := k.partitions(t); len(names) != 1 {
		t.Errorf("partitions left: %q", names)
	}
}

// A bucket whose row is damaged does not keep the garbage of others from being
// reclaimed.
func TestReclaimBesideDamagedBucket(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	header, err := k.Get(e.ctx, meta.Root, meta.HeaderKey())
	e.must(err)
	e.must(k.Commit(e.ctx, meta.Root,
		[]kv.Guard{kv.Guard(header[0]), {Key: meta.BucketKey("a")}},
		[]kv.Write{{Key: meta.BucketKey("a"), Value: []byte("damaged")}}))
	e.put("k", data(1, 100))
	e.must(e.DeleteObject(e.ctx, "b", "k"))
	e.want(e.Reclaim(e.ctx), meta.ErrCorrupt)
	if n := e.blob.Len(); n != 0 {
		t.Errorf("%d extents left", n)
	}
}

// What waits for readers is counted over all buckets.
func TestReclaimPending(t *testing.T) {
	e := newEnv(t)
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "c"}))
	e.put("k", data(1, 100))
	r, err := e.GetObject(e.ctx, "b", "k")
	e.must(err)
	e.must(e.DeleteObject(e.ctx, "b", "k"))
	e.must(e.Reclaim(e.ctx))
	if n := e.Stats().ReclaimPending; n != 1 {
		t.Errorf("%d rows wait, want 1", n)
	}
	r.Close()
	e.must(e.Reclaim(e.ctx))
	if n := e.Stats().ReclaimPending; n != 0 {
		t.Errorf("%d rows wait, want none", n)
	}
}

func (s *stepper) partitions(t *testing.T) []kv.Partition {
	t.Helper()
	names, _, err := s.Partitions(t.Context(), "", 100)
	must(t, err)
	return names
}

// What a crash leaves between the two commits that make a bucket or an upload
// goes when it is a day old, and nothing else does.
func TestSweepStrayPartitions(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	crash := func(func() error) error { return kv.ErrUnavailable }
	open := e.initiate("open") // without parts
	parts := e.initiate("parts")
	e.part("parts", parts, 1, data(1, 100))
	ended := e.initiate("ended") // and not reclaimed
	e.must(e.AbortMultipartUpload(e.ctx, "b", "ended", ended))
	e.put("k", data(2, 100))
	named := k.partitions(t)

	k.once(writesTo("b/"), crash)
	e.want(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "c"}), store.ErrUnavailable)
	k.once(writesTo("u/"), crash)
	_, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k"})
	e.want(err, store.ErrUnavailable)
	if n := len(k.partitions(t)); n != len(named)+3 {
		t.Fatalf("%d partitions, %d of them named", n, len(named))
	}

	e.pass(23 * time.Hour)
	e.must(e.Sweep(e.ctx))
	if n := len(k.partitions(t)); n != len(named)+3 {
		t.Errorf("%d partitions after less than a day, %d of them named", n, len(named))
	}
	e.pass(2 * time.Hour)
	e.must(e.Sweep(e.ctx))
	for _, p := range k.partitions(t) {
		if i := slices.Index(named, p); i >= 0 {
			named = slices.Delete(named, i, i+1)
		} else {
			t.Errorf("%q is left", p)
		}
	}
	// Of the ended upload nothing is left to know.
	if len(named) != 1 || !strings.HasSuffix(string(named[0]), string(ended)) {
		t.Errorf("gone with the strays: %q", named)
	}

	e.must(e.Reclaim(e.ctx))
	e.part("open", open, 1, data(3, 100))
	e.must(e.AbortMultipartUpload(e.ctx, "b", "parts", parts))
	if got := e.get("k"); string(got) != string(data(2, 100)) {
		t.Error("object differs")
	}
	must(t, clean(e.ctx, e.Store))
}

// Ranges that hold something are not dropped, whatever lost their bucket's row:
// that is damage, and what can be saved is saved.
func TestSweepKeepsLostBucket(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	e.put("k", data(1, 100))
	before := k.partitions(t)
	rows, err := k.Get(e.ctx, meta.Root, meta.HeaderKey(), meta.BucketKey("b"))
	e.must(err)
	e.must(k.Commit(e.ctx, meta.Root, []kv.Guard{kv.Guard(rows[0]), kv.Guard(rows[1])}, []kv.Write{{Key: rows[1].Key}}))
	e.pass(48 * time.Hour)
	e.want(e.Sweep(e.ctx), meta.ErrCorrupt)
	if after := k.partitions(t); !slices.Equal(before, after) {
		t.Errorf("partitions were %q, are %q", before, after)
	}
}

// A bucket whose map of ranges is damaged is no bucket that is cleared away:
// its bytes stay.
func TestSweepKeepsBytesOfDamagedMap(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	e.put("k", data(1, 100))
	b, err := e.GetBucketInfo(e.ctx, "b")
	e.must(err)
	p := meta.BucketPartition(b.ID)
	rows, err := k.Get(e.ctx, p, meta.HeaderKey(), meta.RangeKey(""))
	e.must(err)
	e.must(k.Commit(e.ctx, p, []kv.Guard{kv.Guard(rows[0]), kv.Guard(rows[1])}, []kv.Write{{Key: rows[1].Key}}))
	next, err := store.Open(e.ctx, k, e.blob, store.Options{Clock: e.clock})
	e.must(err)
	e.want(next.Sweep(e.ctx), meta.ErrCorrupt)
	if e.blob.Len() != 1 {
		t.Error("the bytes are gone")
	}
}

// A part that is sent over and over costs the room of one part, once the
// reclaimer has been there, and not that of all until the upload ends.
func TestReplacedPartsAreReclaimed(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	id := e.initiate("k")
	const n = 250
	for i := range n {
		e.part("k", id, 1, data(uint64(i), 100))
	}
	kept := e.part("k", id, 2, data(n, 100))

	// The rows of the first replaced parts stay: their bytes are garbage twice.
	k.once(writesTo("x/"), func(func() error) error { return kv.ErrUnavailable })
	e.want(e.Reclaim(e.ctx), store.ErrUnavailable)
	must(t, clean(e.ctx, e.Store))
	if n := e.blob.Len(); n != 2 {
		t.Errorf("%d extents of 2 parts", n)
	}
	last := e.part("k", id, 1, data(n-1, 100*1024))
	_, err := e.complete("k", id, last, kept)
	e.must(err)
	must(t, clean(e.ctx, e.Store))
	if got := e.get("k"); string(got) != string(data(n-1, 100*1024))+string(data(n, 100)) {
		t.Error("object differs")
	}
}

// A Complete has read a part that is then replaced, and the reclaimer comes
// along before the Complete commits: it must not name the part that goes.
func TestReclaimReplacedDuringComplete(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	id := e.initiate("k")
	p := data(1, 100)
	part := e.part("k", id, 1, p)
	k.once(writesTo("o/"), func(do func() error) error {
		e.part("k", id, 1, p) // the same bytes and ETag, in another place
		e.must(e.Reclaim(e.ctx))
		return do()
	})
	_, err := e.complete("k", id, part)
	e.must(err)
	must(t, clean(e.ctx, e.Store))
	if got := e.get("k"); string(got) != string(p) {
		t.Error("object differs")
	}
	if n := e.blob.Len(); n != 1 {
		t.Errorf("%d extents of one part", n)
	}
}
