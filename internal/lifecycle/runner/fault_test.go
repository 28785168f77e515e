package runner_test

import (
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/kv/faultkv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/lifecycle/runner"
	"github.com/ossastore/ossa/internal/store"
)

// fill makes a bucket of objects and uploads, some of which are due on 9
// January, and returns the rules.
func (e *env) fill(rng *rand.Rand, n int) lifecycle.Rules {
	e.t.Helper()
	e.rules("b", rule("a", "Enabled", expire1+abort1), rule("b", "Enabled", tagged+expire1), rule("c", "Enabled", move1))
	for i := range n {
		key := fmt.Sprintf("%s%03d", pick(rng, "a", "b", "c", "d"), i)
		e.put("b", key, rng.IntN(300))
		if rng.IntN(2) == 0 {
			e.tag("b", key, "goes")
		}
		if i%10 == 0 {
			e.part("b", key, e.upload("b", key), rng.IntN(300))
		}
	}
	e.set(day(9, 0))
	document, err := e.GetBucketConfig(e.ctx, "b", store.ConfigLifecycle)
	e.must(err)
	rules, err := lifecycle.Parse(document)
	e.must(err)
	return rules
}

// check sees that nothing is damaged and nothing is left of what has gone.
func (e *env) check() {
	e.t.Helper()
	e.must(e.Sweep(e.ctx))
	e.must(e.Reclaim(e.ctx))
	r, err := e.Check(e.ctx, store.CheckOptions{})
	e.must(err)
	if r.Damaged > 0 || r.Unnamed > 0 || r.Garbage > 0 {
		e.t.Errorf("%d damaged, %d extents without a name, %d garbage rows: %v", r.Damaged, r.Unnamed, r.Garbage, r.Damage)
	}
}

// Rounds some of whose commits have no known outcome delete nothing that is not
// due, and later rounds do what they left.
func TestRoundsWithUnknownOutcomes(t *testing.T) {
	unknown := 0
	for range 20 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		failing := false
		var mu sync.Mutex
		k := faultkv.New(memkv.New(), func(string) faultkv.Outcome {
			mu.Lock()
			defer mu.Unlock()
			if !failing || rng.IntN(3) > 0 {
				return faultkv.Pass
			}
			unknown++
			return []faultkv.Outcome{faultkv.UnknownNotApplied, faultkv.UnknownApplied, faultkv.UnknownLater}[rng.IntN(3)]
		})
		e := &env{t: t, ctx: t.Context(), now: day(1, 12)}
		s, err := store.Open(e.ctx, k, memblob.New(), store.Options{Clock: e.clock})
		e.must(err)
		e.Store = s
		e.bucket("b")
		want := e.predict(e.fill(rng, 250))
		r := e.runner(runner.Options{})
		mu.Lock()
		failing = true
		mu.Unlock()
		for range 3 {
			r.Round(e.ctx)
			k.Release()
		}
		mu.Lock()
		failing = false
		mu.Unlock()
		r.Round(e.ctx)
		if got := e.have("b"); got != want {
			t.Fatalf("seed %d: left\n%s\nwant\n%s", seed, got, want)
		}
		e.check()
		s.Close()
	}
	if unknown == 0 {
		t.Error("every outcome was known")
	}
}

// The power fails in the middle of a round. The next life does what is left,
// deletes nothing that is not due, and finds nothing damaged.
func TestPowerCutDuringRound(t *testing.T) {
	cut := 0
	for range 6 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		fs := vfs.NewCrashableMem()
		e := &env{t: t, ctx: t.Context(), now: day(1, 12)}
		closeDisk := e.open(fs)
		e.bucket("b")
		want := e.predict(e.fill(rng, 250))
		var after *vfs.MemFS
		looks, moment := 0, 1+rng.IntN(350)
		r, err := runner.New(e.Store, runner.Options{Clock: func() time.Time {
			if looks++; looks == moment {
				after = fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
			}
			return e.clock()
		}, Sleep: e.sleep, Registerer: prometheus.NewRegistry()})
		e.must(err)
		r.Round(e.ctx)
		closeDisk()
		if after == nil {
			after = fs.CrashClone(vfs.CrashCloneCfg{RNG: rng}) // after the round
		} else {
			cut++
		}
		closeDisk = e.open(after)
		e.runner(runner.Options{}).Round(e.ctx)
		if got := e.have("b"); got != want {
			t.Fatalf("seed %d: left\n%s\nwant\n%s", seed, got, want)
		}
		e.check()
		closeDisk()
	}
	if cut == 0 {
		t.Error("every cut came after the round")
	}
}

// open opens a store on a disk.
func (e *env) open(fs vfs.FS) (closeDisk func()) {
	e.t.Helper()
	engines, err := engine.Open(engine.Options{Dir: "/data", FS: fs, Logger: slog.New(slog.DiscardHandler)})
	e.must(err)
	s, err := store.Open(e.ctx, engines.KV, engines.Blob, store.Options{Clock: e.clock})
	e.must(err)
	e.Store = s
	return func() {
		s.Close()
		e.must(engines.Close())
	}
}
