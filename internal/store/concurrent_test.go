package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/store"
)

// work lets goroutines do random operations, with reclaiming and sweeping
// beside them all the time, until each has done so many.
func (w *workload) work(s *store.Store, rng *rand.Rand, goroutines, steps int) {
	var all sync.WaitGroup
	for range goroutines {
		rng := rand.New(rand.NewPCG(rng.Uint64(), 0))
		all.Go(func() {
			for range steps {
				w.step(s, rng)
			}
		})
	}
	stop := make(chan struct{})
	var background sync.WaitGroup
	for _, clean := range []func() error{
		func() error { return s.Reclaim(w.ctx) },
		func() error { return errors.Join(s.Reclaim(w.ctx), s.Sweep(w.ctx)) },
	} {
		background.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					w.fail("background", clean())
				}
			}
		})
	}
	all.Wait()
	close(stop)
	background.Wait()
}

// Goroutines on the same keys and uploads: every read is explained by some
// order of the writes, every object holds the bytes it was completed with,
// every upload ends once, and what lost its name goes.
func TestConcurrentHistory(t *testing.T) {
	for name, open := range map[string]func() pair{
		"memory": func() pair { return newMemory() },
		"disk":   func() pair { return &disk{fs: vfs.NewMem()} },
	} {
		t.Run(name, func(t *testing.T) {
			eachSeed(t, 2, func(t *testing.T, rng *rand.Rand) {
				w, engines := newWorkload(t, rng), open()
				s := openStore(t, engines)
				must(t, s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
				w.work(s, rng, 6, 120)
				must(t, w.look(s))
				must(t, clean(w.ctx, s))
				s.Close()
				must(t, engines.close())

				s = openStore(t, engines)
				must(t, s.Sweep(w.ctx))
				must(t, w.look(s))
				must(t, clean(w.ctx, s))
				s.Close()
				must(t, engines.close())
			})
		})
	}
}

func openStore(t *testing.T, engines pair) *store.Store {
	t.Helper()
	k, b, err := engines.open()
	must(t, err)
	ring, err := engines.keyRing()
	must(t, err)
	s, err := store.Open(t.Context(), k, b, store.Options{KeyRing: ring})
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Buckets that are made and deleted while others write: a bucket with
// something in it never goes, so what was answered is there until its writer
// takes it away, and a write into a bucket that goes is refused.
func TestDeleteBucketRaces(t *testing.T) {
	e := newEnv(t)
	stop := make(chan struct{})
	var others sync.WaitGroup
	for _, do := range []func(){
		func() {
			if err := e.DeleteBucket(e.ctx, "b"); err != nil && !oneOf(err, store.ErrNoSuchBucket, store.ErrBucketHasObjects, store.ErrBucketHasUploads) {
				t.Errorf("DeleteBucket: %v", err)
			}
		},
		func() {
			if err := e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}); err != nil {
				t.Errorf("PutBucket: %v", err)
			}
		},
		func() {
			if err := e.Reclaim(e.ctx); err != nil {
				t.Errorf("Reclaim: %v", err)
			}
		},
	} {
		others.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					do()
				}
			}
		})
	}
	var all sync.WaitGroup
	kept, refused := make([]int, 4), make([]int, 4)
	for i := range 4 {
		all.Go(func() {
			key, p := fmt.Sprintf("k%d", i), data(uint64(i), 3000)
			for n := range 300 {
				var err error
				if i%2 == 0 {
					err = putAndDelete(e, key, p)
				} else {
					err = uploadAndEnd(e, key, p, n%2 == 0)
				}
				switch {
				case err == nil:
					kept[i]++
				case errors.Is(err, errEarly) && errors.Is(err, store.ErrNoSuchBucket):
					refused[i]++
					if err := e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}); err != nil {
						t.Errorf("PutBucket: %v", err)
					}
				default:
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	close(stop)
	others.Wait()
	for i := range 4 {
		if kept[i] == 0 {
			t.Errorf("writer %d never got through", i)
		}
	}
	t.Logf("kept %v, refused %v", kept, refused)
	must(t, clean(e.ctx, e.Store))
}

// errEarly: the first write was refused, so nothing was promised.
var errEarly = errors.New("refused at once")

func putAndDelete(e *env, key string, p []byte) error {
	if _, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: key, Body: body(p)}); err != nil {
		return fmt.Errorf("%w: %w", errEarly, err)
	}
	if o, err := e.HeadObject(e.ctx, "b", key); err != nil || o.Size != int64(len(p)) {
		return fmt.Errorf("object %s is not there: %w", key, err)
	}
	return e.DeleteObject(e.ctx, "b", key)
}

func uploadAndEnd(e *env, key string, p []byte, abort bool) error {
	id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: key})
	if err != nil {
		return fmt.Errorf("%w: %w", errEarly, err)
	}
	part, err := e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: key, UploadID: id, PartNumber: 1, Body: body(p)})
	if err != nil {
		return err
	}
	if abort {
		return e.AbortMultipartUpload(e.ctx, "b", key, id)
	}
	if _, err := e.complete(key, id, store.CompletedPart{Number: 1, ETag: part.ETag}); err != nil {
		return err
	}
	return e.DeleteObject(e.ctx, "b", key)
}

func oneOf(err error, targets ...error) bool {
	for _, target := range targets {
		if errors.Is(err, target) {
			return true
		}
	}
	return false
}
