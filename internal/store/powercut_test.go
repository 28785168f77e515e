package store_test

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/store"
)

// cut makes it so that the power failed between two moments of the recorder.
func (w *workload) cut(from, to int64) {
	w.rec.cut(from, to)
	for _, u := range w.uploads {
		u.ends = slices.DeleteFunc(u.ends, func(e *ending) bool { return e.begin > to })
	}
	w.uploads = slices.DeleteFunc(w.uploads, func(u *work) bool { return u.begun.begin > to })
}

// clone cuts the power as soon as the recorder has come to a moment, while the
// others go on. What they do to the old disk no longer counts.
func (w *workload) clone(disk *vfs.MemFS, rng *rand.Rand, moment int64, work func()) (after *vfs.MemFS, from, to int64) {
	due := make(chan struct{})
	w.rec.mu.Lock()
	w.rec.watcher = func(now int64) {
		if now == moment {
			close(due)
		}
	}
	w.rec.mu.Unlock()
	worked := make(chan struct{})
	go func() {
		defer close(worked)
		work()
	}()
	select {
	case <-due:
	case <-worked: // it was over before: the power fails at rest
	}
	from = w.rec.time()
	after = disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: pick(rng, 0, 100, rng.IntN(101)), RNG: rng})
	to = w.rec.time()
	<-worked
	w.rec.mu.Lock()
	w.rec.watcher = nil
	w.rec.mu.Unlock()
	return after, from, to
}

// After a power cut at any moment, what was answered is there, to the byte;
// what was read is there, unless something took it away; what was under way is
// there as a whole or not at all; and nothing is damaged or left over. Work
// goes on until the power fails again.
//
// With one goroutine, which every other seed has, a seed repeats the same
// operations; what the engines do behind them is not repeated.
func TestPowerCut(t *testing.T) {
	eachSeed(t, 3, func(t *testing.T, rng *rand.Rand) {
		w := newWorkload(t, rng)
		mem := vfs.NewCrashableMem()
		goroutines := pick(rng, 1, 5)
		for life := range 5 {
			engines := &disk{fs: mem}
			s := openStore(t, engines)
			if life == 0 {
				must(t, s.PutBucket(w.ctx, &store.PutBucketRequest{Bucket: "b"}))
			} else {
				must(t, w.look(s))
				must(t, s.Sweep(w.ctx))
				must(t, clean(w.ctx, s))
				must(t, w.look(s))
			}
			steps := 200 / goroutines
			// Two moments for each operation, one more for each value read.
			moment := w.rec.time() + rng.Int64N(int64(3*steps*goroutines))
			after, from, to := w.clone(mem, rng, moment, func() { w.work(s, rng, goroutines, steps) })
			s.Close()
			must(t, engines.close())
			w.cut(from, to)
			mem = after
			if t.Failed() {
				t.Fatalf("in life %d", life)
			}
		}
	})
}

// A cut during the first moments of a data directory leaves one that opens.
func TestPowerCutWhileOpening(t *testing.T) {
	eachSeed(t, 10, func(t *testing.T, rng *rand.Rand) {
		mem := vfs.NewCrashableMem()
		for range 3 {
			engines := &disk{fs: mem}
			s := openStore(t, engines)
			err := s.PutBucket(t.Context(), &store.PutBucketRequest{Bucket: "b"})
			mem = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
			s.Close()
			must(t, errors.Join(err, engines.close()))
		}
		engines := &disk{fs: mem}
		s := openStore(t, engines)
		_, err := s.GetBucketInfo(t.Context(), "b")
		must(t, err)
		must(t, clean(t.Context(), s))
		must(t, engines.close())
	})
}
