package store

import "sync"

// pins keep the bytes of object versions that are being read.
//
// A reader looks an object up and pins its version under lookups, shared. The
// reclaimer takes lookups, exclusively and for an instant, after it has read
// that a version lost its name: whoever looked it up before has pinned it by
// then, and whoever comes later no longer finds it. So a version that is not
// pinned after that instant will not be read by this process again.
type pins struct {
	lookups sync.RWMutex
	mu      sync.Mutex
	held    map[string]int // by Version
}

func (p *pins) pin(version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held[version]++
}

func (p *pins) unpin(version string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held[version]--; p.held[version] == 0 {
		delete(p.held, version)
	}
}

func (p *pins) pinned(version string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.held[version] > 0
}

func (p *pins) open() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, k := range p.held {
		n += k
	}
	return int64(n)
}

// waitLookups returns when all lookups that were under way have pinned what
// they found.
func (p *pins) waitLookups() {
	p.lookups.Lock()
	defer p.lookups.Unlock()
}
