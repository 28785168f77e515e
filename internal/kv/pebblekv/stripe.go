package pebblekv

import (
	"hash/maphash"
	"sync"
	"sync/atomic"

	"github.com/ossastore/ossa/internal/kv"
)

// stripeCount is how many changes can check their guards at the same time.
const stripeCount = 256

// stripe is the share of the partitions that have the same hash.
type stripe struct {
	// turn is held, by sending to it, from the check of the guards until the
	// change is visible in Pebble.
	turn chan struct{}

	// pending holds of every partition the latest change that is not known to
	// be durable. A change is in it before anyone can read what it did. One
	// whose sync failed stays for ever. count is its length.
	mu      sync.Mutex
	pending map[kv.Partition]*change
	count   atomic.Int64
}

// change is a Create, Commit or Drop on its way to the disk.
type change struct {
	partition kv.Partition
	done      chan struct{} // closed at the end
	err       error         // nil when durable; set before done is closed
}

type stripes struct {
	seed maphash.Seed
	all  [stripeCount]stripe
}

func newStripes() *stripes {
	s := &stripes{seed: maphash.MakeSeed()}
	for i := range s.all {
		s.all[i].turn = make(chan struct{}, 1)
		s.all[i].pending = make(map[kv.Partition]*change)
	}
	return s
}

func (s *stripes) of(p kv.Partition) *stripe {
	return &s.all[maphash.String(s.seed, string(p))%stripeCount]
}

// begin makes c the latest change of its partition.
func (s *stripe) begin(c *change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pending[c.partition] = c
	s.count.Store(int64(len(s.pending)))
}

// end tells the outcome of c to all who wait for it.
func (s *stripe) end(c *change, err error) {
	s.mu.Lock()
	if err == nil && s.pending[c.partition] == c {
		delete(s.pending, c.partition)
		s.count.Store(int64(len(s.pending)))
	}
	s.mu.Unlock()
	c.err = err
	close(c.done)
}

// latest returns the latest change of p that is not known to be durable, nil
// if there is none. The log is synced in the order of the changes, so that
// with this one all that were visible are durable.
func (s *stripe) latest(p kv.Partition) *change {
	if s.count.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.pending[p]
}

// everything returns the latest changes of all partitions.
func (s *stripe) everything() []*change {
	if s.count.Load() == 0 {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]*change, 0, len(s.pending))
	for _, c := range s.pending {
		all = append(all, c)
	}
	return all
}
