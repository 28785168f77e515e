package store_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/vfstest"
)

// shortLife opens a store and does a little of everything. It stops when the
// store cannot be opened.
func (w *workload) shortLife(fs vfs.FS) {
	engines := &disk{fs: fs}
	k, b, err := engines.open()
	if err != nil {
		return
	}
	defer engines.close() // after a failed sync it fails too
	ring, err := engines.keyRing()
	if err != nil {
		w.t.Errorf("key ring: %v", err)
		return
	}
	s, err := store.Open(w.ctx, k, b, store.Options{KeyRing: ring})
	if err != nil {
		return
	}
	defer s.Close()

	rng := rand.New(rand.NewPCG(1, 2))
	w.fail("PutBucket", s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
	if _, err := s.GetBucketInfo(w.ctx, "b"); err != nil {
		return
	}
	w.fail("Sweep", s.Sweep(w.ctx))
	for range 3 {
		w.put(s, rng, "k1")
		w.put(s, rng, "k2")
		for range 3 {
			w.config(s, rng)
			w.cname(s, rng)
		}
		w.initiate(s, "k3")
		for range 4 {
			w.uploadPart(s, rng)
		}
		w.copy(s, "k1")
		w.complete(s, rng)
		w.initiate(s, "k2")
		w.uploadPart(s, rng)
		w.abort(s, w.upload(rng))
		w.initiate(s, "k1")
		w.uploadPart(s, rng)
		w.expireUpload(s, rng, w.upload(rng))
		w.lifecycle(s, rng)
		w.fail("Reclaim", s.Reclaim(w.ctx))
		end := w.rec.write("k2", "")
		err := s.DeleteObject(w.ctx, "b", "k2")
		end(err)
		w.fail("DeleteObject", err)
		for _, key := range []string{"k1", "k2", "k3", "copy"} {
			w.get(s, key, func() {})
		}
	}
}

// A file that cannot be written, made, synced, renamed or removed, at any step:
// the operation fails with an error that says so, and after opening again all
// that was answered is there and nothing is damaged or left over.
func TestFailAtEveryStep(t *testing.T) {
	count := vfstest.NewFailing(vfs.NewMem(), -1)
	newWorkload(t, rand.New(rand.NewPCG(0, 0))).shortLife(count)
	if count.Calls() < 200 {
		t.Fatalf("only %d changes of files in all that is done", count.Calls())
	}

	stride := max(1, count.Calls()/60)
	if os.Getenv("OSSA_LONG") != "" {
		stride = 1
	}
	for n := rand.IntN(stride); n < count.Calls(); n += stride {
		for name, fail := range map[string]func(vfs.FS, int) *vfstest.Failing{"once": vfstest.NewFailing, "from": vfstest.NewFailingFrom} {
			t.Run(fmt.Sprintf("%s=%d", name, n), func(t *testing.T) {
				mem := vfs.NewMem()
				w := newWorkload(t, rand.New(rand.NewPCG(0, 0)))
				w.allowed = func(err error) bool {
					return oneOf(err, store.ErrUnavailable, store.ErrFull, vfstest.ErrInjected) ||
						oneOf(err, store.ErrNoSuchBucket) // its making may have failed
				}
				w.shortLife(fail(mem, n))
				w.allowed = func(error) bool { return false }

				engines := &disk{fs: mem}
				s := openStore(t, engines)
				if _, err := s.GetBucketInfo(w.ctx, "b"); errors.Is(err, store.ErrNoSuchBucket) {
					must(t, s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
				}
				must(t, w.look(s))
				must(t, s.Sweep(w.ctx))
				must(t, clean(w.ctx, s))
				w.put(s, rand.New(rand.NewPCG(3, 4)), "k1")
				must(t, w.look(s))
				s.Close()
				must(t, engines.close())
			})
		}
	}
}

// A full disk: what needs room is refused with ErrFull, the rest goes on, and
// when something was deleted there is room again.
func TestFullDisk(t *testing.T) {
	eachSeed(t, 2, func(t *testing.T, rng *rand.Rand) {
		fs := vfstest.NewLimited(vfs.NewMem(), 64<<20)
		engines := &disk{fs: fs}
		s := openStore(t, engines)
		w := newWorkload(t, rng)
		must(t, s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
		w.work(s, rng, 1, 50)

		// Fill it up, with objects and with parts.
		full := 0
		var keys []string
		id, err := s.InitiateMultipartUpload(w.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "filler"})
		must(t, err)
		for i := 0; full < 20; i++ {
			key, p := fmt.Sprintf("filler %d", i), w.piece(rng, pick(rng, 100<<10, 300<<10))
			if i%2 == 0 {
				_, err = s.PutObject(w.ctx, &store.PutObjectRequest{Bucket: "b", Key: key, Body: body(p)})
				keys = append(keys, key)
			} else {
				_, err = s.UploadPart(w.ctx, &store.UploadPartRequest{Bucket: "b", Key: "filler", UploadID: id, PartNumber: store.PartNumber(i), Body: body(p)})
			}
			switch {
			case errors.Is(err, store.ErrFull):
				full++
			case err != nil:
				t.Fatal(err)
			case i > 5000:
				t.Fatal("the disk does not fill up")
			}
		}
		must(t, w.look(s))
		must(t, s.AbortMultipartUpload(w.ctx, "b", "filler", id))
		for _, key := range keys {
			must(t, s.DeleteObject(w.ctx, "b", key))
		}
		must(t, clean(w.ctx, s))
		w.work(s, rng, 3, 20)
		must(t, w.look(s))
		must(t, clean(w.ctx, s))
		s.Close()
		must(t, engines.close())
	})
}

// A disk that others fill to the last byte, beside a server that starts on it:
// the space of an upload that is aborted then comes back.
func TestAbortOnFullDisk(t *testing.T) {
	const size = 64 << 20
	fs := vfstest.NewLimited(vfs.NewMem(), size)
	engines := &disk{fs: fs}
	s := openStore(t, engines)
	w := newWorkload(t, rand.New(rand.NewPCG(5, 6)))
	must(t, s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
	id, err := s.InitiateMultipartUpload(w.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k"})
	must(t, err)
	part := make([]byte, 1<<20)
	upload := func(n store.PartNumber) error {
		_, err := s.UploadPart(w.ctx, &store.UploadPartRequest{Bucket: "b", Key: "k", UploadID: id, PartNumber: n, Body: body(part)})
		return err
	}
	n := store.PartNumber(1)
	for ; err == nil; n++ {
		err = upload(n)
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatal(err)
	}

	fs.SetLimit(fs.Used())
	s.Close()
	must(t, engines.close())
	s = openStore(t, engines) // takes the reserve of the metadata
	if err := upload(n); !errors.Is(err, store.ErrFull) {
		t.Fatalf("part on the full disk: %v", err)
	}
	must(t, s.AbortMultipartUpload(w.ctx, "b", "k", id))
	must(t, s.Reclaim(w.ctx))
	fs.SetLimit(size)
	if used := fs.Used(); used > size/2 {
		t.Errorf("%d bytes used after the abort", used)
	}
	must(t, clean(w.ctx, s))
	s.Close()
	must(t, engines.close())
}
