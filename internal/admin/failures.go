package admin

import (
	"net/netip"
	"sync"
	"time"
)

// maxAddresses bounds the addresses that failures are counted of.
const maxAddresses = 10000

// failures counts the calls of each address that proved no identity. Each is
// forgiven after a while, so that whoever mistypes is served again, and whoever
// guesses gets nowhere. A call that succeeds forgives nothing: who has a key of
// his own must not guess at another's the faster for it.
type failures struct {
	most  int
	every time.Duration // that one failure takes to be forgiven

	mu sync.Mutex
	// full is when all failures of an address are forgiven.
	full map[netip.Prefix]time.Time
}

func newFailures(most int, every time.Duration) *failures {
	return &failures{most: most, every: every, full: make(map[netip.Prefix]time.Time)}
}

// network is what counts as one sender: an address of IPv4, or what a single
// customer gets of IPv6.
func network(a netip.Addr) netip.Prefix {
	bits := a.BitLen()
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // of no address: the zero prefix
	return p
}

// wait tells how long an address is not listened to.
func (f *failures) wait(a netip.Addr, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	heard := f.full[network(a)].Add(-time.Duration(f.most-1) * f.every)
	if !heard.After(now) {
		return 0
	}
	return heard.Sub(now)
}

// note counts one failure.
func (f *failures) note(a netip.Addr, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := network(a)
	if len(f.full) >= maxAddresses {
		f.shrink(now)
	}
	full := f.full[n]
	if full.Before(now) {
		full = now
	}
	f.full[n] = full.Add(f.every)
}

// shrink drops what is forgiven, and if that is not enough, any half: who has
// ten thousand addresses is not kept away by counting them.
func (f *failures) shrink(now time.Time) {
	for n, full := range f.full {
		if !full.After(now) {
			delete(f.full, n)
		}
	}
	for n := range f.full {
		if len(f.full) < maxAddresses/2 {
			return
		}
		delete(f.full, n)
	}
}
