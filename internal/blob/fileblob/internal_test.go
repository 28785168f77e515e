package fileblob

import (
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// A sync serves only those who waited before it began, never overlaps another,
// and gives its error to those it serves.
func TestSyncGroup(t *testing.T) {
	var g syncGroup
	var running, calls atomic.Int32
	var written, synced atomic.Int64
	bad := errors.New("bad")
	var wait sync.WaitGroup
	for range 32 {
		wait.Go(func() {
			for range 200 {
				mine := written.Add(1)
				err := g.wait(func() error {
					if running.Add(1) != 1 {
						t.Error("two syncs at once")
					}
					defer running.Add(-1)
					upTo := written.Load()
					if calls.Add(1)%7 == 0 {
						return bad
					}
					synced.Store(upTo)
					return nil
				})
				if err == nil && synced.Load() < mine {
					t.Errorf("write %d acknowledged, %d synced", mine, synced.Load())
				}
			}
		})
	}
	wait.Wait()

	err := g.wait(func() error { return bad })
	if !errors.Is(err, bad) {
		t.Fatal(err)
	}
	if err := g.wait(func() error { return nil }); err != nil {
		t.Fatalf("an error serves a later round: %v", err)
	}
}

// One sync serves all who come while another runs.
func TestSyncGroupShares(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var g syncGroup
		goOn := make(chan struct{})
		go g.wait(func() error { <-goOn; return nil })
		synctest.Wait()

		var calls atomic.Int32
		for range 10 {
			go g.wait(func() error { calls.Add(1); return nil })
		}
		synctest.Wait()
		if n := calls.Load(); n != 0 {
			t.Errorf("%d syncs beside a running one", n)
		}
		close(goOn)
		synctest.Wait()
		if n := calls.Load(); n != 1 {
			t.Errorf("%d syncs for ten who waited", n)
		}
	})
}

// Deletions stay known when their offsets are dropped from memory, and those
// that the sidecar lacks are not dropped.
func TestUnloadDead(t *testing.T) {
	mem := vfs.NewMem()
	e, err := Open("/blob", Options{FS: mem, Logger: slog.New(slog.DiscardHandler), LargeBytes: 4 << 10, BlockBytes: 4 << 10, SegmentBytes: 16 << 10})
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	var extents []blob.Extent
	for i := range 400 {
		w, err := e.Create(t.Context(), blob.Owner{Key: "k"}, 100)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(make([]byte, 100)); err != nil {
			t.Fatal(err)
		}
		xs, err := w.Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		extents = append(extents, xs...)
		if i%3 == 0 {
			if err := e.Delete(t.Context(), xs...); err != nil {
				t.Fatal(err)
			}
		}
	}

	last := e.segment(extents[len(extents)-1].File)
	unsaid := e.segment(extents[0].File)
	unsaid.dead.unsaid = []deadRecord{{offset: int64(extents[0].Offset), bytes: 1}}
	held := e.loadedDead.Load()
	if held != 134 {
		t.Fatalf("%d offsets held of 134", held)
	}
	e.loadedDead.Add(maxLoadedDead)
	e.unloadDead(last)
	e.loadedDead.Add(-maxLoadedDead)
	if got := e.loadedDead.Load(); got != int64(last.dead.count+unsaid.dead.count) {
		t.Fatalf("%d offsets held, of %d before, those of two segments may be: %d", got, held, last.dead.count+unsaid.dead.count)
	}

	garbage := e.Stats().GarbageBytes
	for i, x := range extents {
		err := blob.Verify(t.Context(), e, x)
		if i%3 == 0 != errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("extent %d: %v", i, err)
		}
		if i%3 == 0 {
			if err := e.Delete(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := e.Stats().GarbageBytes; got != garbage || e.loadedDead.Load() != held {
		t.Fatalf("%d bytes of garbage in %d offsets, before %d in %d", got, e.loadedDead.Load(), garbage, held)
	}
}
