package store_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/faultkv"
	"github.com/ossastore/ossa/internal/store"
)

// faulty is a pair in memory, some of whose changes have an unknown outcome.
type faulty struct {
	memory
	faults *faultkv.Engine

	mu      sync.Mutex
	rng     *rand.Rand
	percent int // of all changes
	unknown int // so far
}

func newFaulty(rng *rand.Rand, percent int) *faulty {
	f := &faulty{memory: *newMemory(), rng: rand.New(rand.NewPCG(rng.Uint64(), 0)), percent: percent}
	f.faults = faultkv.New(f.kv, f.decide)
	return f
}

func (f *faulty) open() (kv.Engine, blob.Engine, error) { return f.faults, f.blob, nil }

func (f *faulty) decide(string) faultkv.Outcome {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rng.IntN(100) >= f.percent {
		return faultkv.Pass
	}
	f.unknown++
	return pick(f.rng, faultkv.UnknownNotApplied, faultkv.UnknownApplied, faultkv.UnknownLater)
}

// pause stops the faults until the function it returns is called.
func (f *faulty) pause() (resume func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	percent := f.percent
	f.percent = 0
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.percent = percent
	}
}

// settle finds out what became of an operation without an answer. The store
// must be as it was before, or as the model is after it; the model follows.
func (h *history) settle(o op) {
	h.t.Helper()
	defer h.faults.pause()()
	before := h.model
	after := before.Clone()
	if strings.HasPrefix(o.name, "InitiateMultipartUpload") {
		h.nextID = h.newUpload()
	}
	if strings.HasPrefix(o.name, "CreateAccessKey") {
		h.nextKey = h.newAccessKeyID()
	}
	_, err := o.do(after)
	// A bucket's deletion that was decided and not finished is finished by
	// whoever looks at the bucket.
	buckets, listErr := h.real.ListBuckets(h.ctx, &store.ListBucketsRequest{Max: store.MaxListed})
	h.check(listErr)
	for _, b := range buckets.Buckets {
		if _, err := h.real.GetBucketInfo(h.ctx, b.Name); err != nil && !errors.Is(err, store.ErrNoSuchBucket) {
			h.check(err)
		}
	}
	state := snapshot(h.t, whole{h.real})
	switch {
	case state == snapshot(h.t, before):
	case err == nil && state == snapshot(h.t, after):
		h.model = after
	default:
		h.check(fmt.Errorf("without an answer: is  %s\n    was %s\n or (%v) %s", state, snapshot(h.t, before), err, snapshot(h.t, after)))
	}
	h.went["doubted"]++
}

// newUpload returns the ID of the upload that the model does not know, or one
// that there is not.
func (h *history) newUpload() store.UploadID {
	known := make(map[store.UploadID]bool)
	eachUpload(h.t, h.model, func(u store.Upload) { known[u.ID] = true })
	id := store.UploadID("none")
	eachUpload(h.t, whole{h.real}, func(u store.Upload) {
		if !known[u.ID] {
			id = u.ID
		}
	})
	return id
}

func eachUpload(t *testing.T, a api, fn func(store.Upload)) {
	t.Helper()
	ctx := context.Background()
	buckets, err := a.ListBuckets(ctx, &store.ListBucketsRequest{Max: store.MaxListed})
	must(t, err)
	for _, b := range buckets.Buckets {
		uploads, err := a.ListMultipartUploads(ctx, &store.ListMultipartUploadsRequest{Bucket: b.Name, Max: store.MaxListed})
		must(t, err)
		for _, u := range uploads.Uploads {
			fn(u)
		}
	}
}

// snapshot tells all that there is, but for names that differ by right.
func snapshot(t *testing.T, a api) string {
	t.Helper()
	ctx := context.Background()
	var s strings.Builder
	buckets, err := a.ListBuckets(ctx, &store.ListBucketsRequest{Max: store.MaxListed})
	must(t, err)
	for _, b := range buckets.Buckets {
		b.ID = ""
		fmt.Fprintf(&s, "\n%+v", b)
		configs, err := a.GetBucketConfigs(ctx, b.Name, someConfigs...)
		must(t, err)
		for kind, document := range configs.Documents {
			configs.Documents[kind] = fmt.Appendf(nil, "%d %x", len(document), md5.Sum(document))
		}
		fmt.Fprintf(&s, "\n%s", configs.Documents)
		domains, err := a.ListCname(ctx, b.Name)
		must(t, err)
		fmt.Fprintf(&s, "\n%+v", domains)
		objects, err := a.ListObjects(ctx, &store.ListObjectsRequest{Bucket: b.Name, Max: store.MaxListed})
		must(t, err)
		for _, o := range objects.Objects {
			o.Version = ""
			fmt.Fprintf(&s, "\n%+v", o)
		}
	}
	eachUpload(t, a, func(u store.Upload) {
		parts, err := a.ListParts(ctx, &store.ListPartsRequest{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID, Max: store.MaxListed})
		must(t, err)
		fmt.Fprintf(&s, "\n%+v", *parts)
	})
	ram, err := snapshotRAM(a)
	must(t, err)
	return s.String() + ram
}

// Changes whose outcome the engine does not know: the store finds out, or says
// that it did not. It never acknowledges what is not so, never loses what it
// acknowledged, and never deletes what something names.
func TestUnknownOutcomes(t *testing.T) {
	unknown, doubted := 0, 0
	eachSeed(t, 4, func(t *testing.T, rng *rand.Rand) {
		f := newFaulty(rng, pick(rng, 5, 30))
		resume := f.pause()
		h := newHistory(t, rng, f)
		h.faults = f
		resume()
		for i := range 1200 {
			o := h.random()
			if strings.HasPrefix(o.name, "DeleteMultipleObjects") || strings.HasPrefix(o.name, "Reclaim") {
				continue // they do several things, each of which may be done or not
			}
			h.step(o)
			if rng.IntN(4) == 0 {
				f.faults.Release()
			}
			switch {
			case i%100 == 99:
				resume := f.pause()
				h.compare()
				resume()
			case rng.IntN(50) == 0:
				if err := h.real.Reclaim(h.ctx); err != nil && !errors.Is(err, store.ErrUnavailable) {
					h.check(err)
				}
			}
		}
		f.pause()
		f.faults.Release()
		h.finish()
		unknown += f.unknown
		doubted += h.went["doubted"]
	})
	if (unknown == 0 || doubted == 0) && !t.Failed() {
		t.Errorf("%d unknown outcomes, %d operations in doubt", unknown, doubted)
	}
}

// The same with several goroutines at once.
func TestUnknownOutcomesConcurrent(t *testing.T) {
	eachSeed(t, 3, func(t *testing.T, rng *rand.Rand) {
		f := newFaulty(rng, pick(rng, 3, 15))
		resume := f.pause()
		s := openStore(t, f)
		w := newWorkload(t, rng)
		w.allowed = func(err error) bool { return errors.Is(err, store.ErrUnavailable) }
		must(t, s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
		resume()
		stop, released := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(released)
			for {
				select {
				case <-stop:
					return
				default:
					f.faults.Release()
				}
			}
		}()
		w.work(s, rng, 5, 100)
		close(stop)
		<-released
		f.pause()
		f.faults.Release()
		must(t, w.look(s))
		s.Close()

		s = openStore(t, f)
		must(t, s.Sweep(w.ctx))
		must(t, clean(w.ctx, s))
		must(t, w.look(s))
	})
}

// interposed calls before, where set, before the next read.
type interposed struct {
	kv.Engine
	before func()
}

func (i *interposed) Get(ctx context.Context, p kv.Partition, keys ...[]byte) ([]kv.Row, error) {
	if before := i.before; before != nil {
		i.before = nil
		before()
	}
	return i.Engine.Get(ctx, p, keys...)
}

// A part is stored, but its writer does not learn it. Before he can find out,
// somebody lists the part, completes the upload with it, and the parts are
// cleared away: the writer must not take his bytes back.
func TestUnknownPartIsCompletedWith(t *testing.T) {
	m := newMemory()
	k := &interposed{}
	ctx, p := t.Context(), data(1, 5000)
	var s *store.Store
	var id store.UploadID
	unknown := false
	k.Engine = faultkv.New(m.kv, func(op string) faultkv.Outcome {
		if !unknown || op != "Commit" {
			return faultkv.Pass
		}
		unknown = false
		k.before = func() {
			parts, err := s.ListParts(ctx, &store.ListPartsRequest{Bucket: "b", Key: "k", UploadID: id, Max: 10})
			must(t, err)
			_, err = s.CompleteMultipartUpload(ctx, &store.CompleteMultipartUploadRequest{
				Bucket: "b", Key: "k", UploadID: id, Parts: []store.CompletedPart{{Number: 1, ETag: parts.Parts[0].ETag}},
			})
			must(t, err)
			must(t, s.Reclaim(ctx))
		}
		return faultkv.UnknownApplied
	})
	s, err := store.Open(ctx, k, m.blob, store.Options{})
	must(t, err)
	must(t, s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}))
	id, err = s.InitiateMultipartUpload(ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k"})
	must(t, err)

	unknown = true
	_, err = s.UploadPart(ctx, &store.UploadPartRequest{Bucket: "b", Key: "k", UploadID: id, PartNumber: 1, Body: body(p)})
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("part without an answer: %v", err)
	}
	_, got, err := whole{s}.GetObject(ctx, "b", "k")
	must(t, err)
	if !bytes.Equal(got, p) {
		t.Error("object differs from its part")
	}
	must(t, clean(ctx, s))
}
