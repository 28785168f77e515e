package pebblekv_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

// seeds returns the seeds of a random test: the one in OSSA_SEED, or n new
// ones. A failing test names its seed.
func seeds(t *testing.T, n int) []uint64 {
	if s := os.Getenv("OSSA_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("OSSA_SEED: %v", err)
		}
		return []uint64{seed}
	}
	var seeds []uint64
	for range n {
		seeds = append(seeds, rand.Uint64())
	}
	return seeds
}

// counters is a load of which every state can be checked: in partition i the
// rows "a" and "b" hold the same number, raised by one in each commit, with
// padding that fills logs and tables quickly.
type counters struct {
	t       *testing.T
	e       kv.Engine
	padding []byte

	mu    sync.Mutex
	acked map[kv.Partition]int // commits that returned nil
	tried map[kv.Partition]int // commits begun
	read  map[kv.Partition]int // largest number read
}

const counterPartitions = 4

func newCounters(t *testing.T, e kv.Engine) *counters {
	return &counters{
		t: t, e: e,
		padding: make([]byte, 8<<10),
		acked:   make(map[kv.Partition]int),
		tried:   make(map[kv.Partition]int),
		read:    make(map[kv.Partition]int),
	}
}

func counter(i int) kv.Partition { return kv.Partition(fmt.Sprintf("counter-%d", i)) }

func (c *counters) value(n int) []byte {
	if n == 0 {
		return nil
	}
	return append(strconv.AppendInt(nil, int64(n), 10), c.padding...)
}

// create makes the partitions. It stops at the first error.
func (c *counters) create() error {
	for i := range counterPartitions {
		err := c.e.Create(context.Background(), counter(i), []kv.Write{{Key: []byte("h"), Value: []byte("0")}})
		if err != nil {
			return err
		}
		c.mu.Lock()
		c.acked[counter(i)] = 0 // it exists
		c.mu.Unlock()
	}
	return nil
}

// count raises the number of p from n to n+1.
func (c *counters) count(p kv.Partition, n int) error {
	c.mu.Lock()
	c.tried[p] = max(c.tried[p], n+1)
	c.mu.Unlock()
	err := c.e.Commit(context.Background(), p,
		[]kv.Guard{{Key: []byte("h"), Value: []byte("0")}, {Key: []byte("a"), Value: c.value(n)}},
		[]kv.Write{{Key: []byte("a"), Value: c.value(n + 1)}, {Key: []byte("b"), Value: c.value(n + 1)}})
	if err == nil {
		c.mu.Lock()
		c.acked[p] = max(c.acked[p], n+1)
		c.mu.Unlock()
	}
	return err
}

// look reads the number of p and remembers it.
func (c *counters) look(p kv.Partition) (int, error) {
	n, err := number(c.e, p)
	if err == nil {
		c.mu.Lock()
		c.read[p] = max(c.read[p], n)
		c.mu.Unlock()
	}
	return n, err
}

// number reads the number of p; an error that wraps errTorn when the rows
// disagree.
func number(e kv.Engine, p kv.Partition) (int, error) {
	rows, err := e.Get(context.Background(), p, []byte("a"), []byte("b"))
	if err != nil {
		return 0, err
	}
	if string(rows[0].Value) != string(rows[1].Value) {
		return 0, errTorn
	}
	if rows[0].Value == nil {
		return 0, nil
	}
	digits := 0
	for rows[0].Value[digits] != 0 {
		digits++
	}
	return strconv.Atoi(string(rows[0].Value[:digits]))
}

var errTorn = errors.New("a commit is there in part")

// promises is what must be found again.
type promises struct{ acked, read map[kv.Partition]int }

// now returns what has been promised so far. It must be called before the cut:
// what is promised during the cut may be lost.
func (c *counters) now() promises {
	c.mu.Lock()
	defer c.mu.Unlock()
	p := promises{map[kv.Partition]int{}, map[kv.Partition]int{}}
	for k, v := range c.acked {
		p.acked[k] = v
	}
	for k, v := range c.read {
		p.read[k] = v
	}
	return p
}

// check tells whether e holds what was promised and nothing that was never
// tried.
func (c *counters) check(e kv.Engine, p promises) error {
	for i := range counterPartitions {
		name := counter(i)
		n, err := number(e, name)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		c.mu.Lock()
		tried := c.tried[name]
		c.mu.Unlock()
		if n < p.acked[name] || n < p.read[name] || n > tried {
			return fmt.Errorf("%s is %d; acknowledged %d, read %d, tried %d", name, n, p.acked[name], p.read[name], tried)
		}
		header, err := e.Get(context.Background(), name, []byte("h"))
		if _, created := p.acked[name]; err != nil || created && header[0].Value == nil {
			return fmt.Errorf("%s has lost its header: %v", name, err)
		}
	}
	return nil
}

// After a power cut at any moment, what was acknowledged is there, what was
// read is there, and no commit is there in part. Whatever of the unsynced
// bytes reached the disk makes no difference, nor does a second cut at once.
func TestPowerCut(t *testing.T) {
	for _, seed := range seeds(t, 4) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 0))
			disk := vfs.NewCrashableMem()
			e := open(t, "db", pebblekv.Options{FS: disk})
			c := newCounters(t, e)
			if err := c.create(); err != nil {
				t.Fatal(err)
			}

			stop := make(chan struct{})
			var load sync.WaitGroup
			ticks := make(chan struct{}) // one for each commit: the clock of the cuts
			for i := range 2 * counterPartitions {
				load.Go(func() { c.load(counter(i%counterPartitions), i < counterPartitions, ticks, stop) })
			}
			for range 5 {
				for range rng.IntN(200) {
					<-ticks
				}
				before := c.now()
				cut := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
				c.reopen(cut, before)
				again := cut.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
				c.reopen(again, before)
			}
			close(stop)
			load.Wait()
			if err := e.Close(); err != nil {
				t.Error(err)
			}
			c.reopen(disk.CrashClone(vfs.CrashCloneCfg{}), c.now())
		})
	}
}

// load commits to p, or reads p, until stop.
func (c *counters) load(p kv.Partition, commit bool, ticks chan<- struct{}, stop <-chan struct{}) {
	for {
		n, err := c.look(p)
		if err == nil && commit {
			err = c.count(p, n)
		}
		if err != nil {
			c.t.Errorf("%s: %v", p, err)
			<-stop
			return
		}
		if !commit {
			select {
			case <-stop:
				return
			default:
				continue
			}
		}
		select {
		case ticks <- struct{}{}:
		case <-stop:
			return
		}
	}
}

// reopen checks what is found on a disk after a cut, and that it can be
// written.
func (c *counters) reopen(fs vfs.FS, p promises) {
	c.t.Helper()
	e, err := pebblekv.Open("db", pebblekv.Options{FS: fs})
	if err != nil {
		c.t.Errorf("open after the cut: %v", err)
		return
	}
	if err := c.check(e, p); err != nil {
		c.t.Errorf("after the cut: %v", err)
	}
	err = e.Create(context.Background(), "new", []kv.Write{{Key: []byte("h"), Value: []byte("0")}})
	if err != nil && !errors.Is(err, kv.ErrConflict) {
		c.t.Errorf("create after the cut: %v", err)
	}
	// What was read is promised too, also by an engine that found it in a log
	// no one had synced.
	for i := range counterPartitions {
		if n, err := number(e, counter(i)); err == nil {
			p.read[counter(i)] = max(p.read[counter(i)], n)
		}
	}
	if err := e.Close(); err != nil {
		c.t.Errorf("close after the cut: %v", err)
	}
}

// An engine killed with its log unsynced in the page cache promises what it
// reads after it is opened again: a power cut then takes nothing of it.
func TestKilledThenPowerCut(t *testing.T) {
	disk := vfs.NewCrashableMem()
	first := open(t, "db", pebblekv.Options{FS: disk})
	c := newCounters(t, first)
	if err := c.create(); err != nil {
		t.Fatal(err)
	}
	for n := range 20 {
		if err := c.count(counter(0), n); err != nil {
			t.Fatal(err)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	killed := disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rng})
	second := open(t, "db", pebblekv.Options{FS: killed})
	if _, err := c.look(counter(0)); err != nil {
		t.Fatal(err)
	}
	c.reopen(killed.CrashClone(vfs.CrashCloneCfg{}), c.now())
	if err := errors.Join(first.Close(), second.Close()); err != nil {
		t.Error(err)
	}
}
