package oss

import (
	"strconv"
	"sync"
)

// Phase is what a transfer is doing.
type Phase int

// The phases, in their order.
const (
	Preparing    Phase = iota
	Verifying          // compares bytes that are here with those that are there
	Transferring       // moves bytes
	Completing         // all bytes are there; the object or file is made
	Finished
)

func (p Phase) String() string {
	names := [...]string{"preparing", "verifying", "transferring", "completing", "finished"}
	if p < 0 || int(p) >= len(names) {
		return "phase " + strconv.Itoa(int(p))
	}
	return names[p]
}

// Progress is how far a transfer is. None of its numbers ever falls, and neither
// does the phase, within one call.
type Progress struct {
	Phase Phase
	Total int64 // bytes; -1 while unknown

	// Done is the number of bytes that are in place or under way. When bytes
	// under way turn out to be lost, it stands still until they are sent again. It
	// is Total when the phase is Finished.
	Done int64

	Verified int64 // bytes that were compared
	Moved    int64 // bytes that went over the network, repetitions included
}

// tracker adds up the progress of many goroutines.
type tracker struct {
	fn func(Progress)

	mu  sync.Mutex
	p   Progress
	now int64 // what Done would be if it could fall
}

func newTracker(fn func(Progress), total int64) *tracker {
	return &tracker{fn: fn, p: Progress{Total: total}}
}

// moved counts n bytes under way, or takes -n back.
func (t *tracker) moved(n int64) {
	t.change(func(p *Progress) {
		t.now += n
		if n > 0 {
			p.Moved += n
		}
	})
}

// placed counts n bytes that need not be moved, or takes -n back.
func (t *tracker) placed(n int64) {
	t.change(func(*Progress) { t.now += n })
}

func (t *tracker) verified(n int64) {
	t.change(func(p *Progress) { p.Verified += n })
}

func (t *tracker) phase(phase Phase) {
	t.change(func(p *Progress) {
		p.Phase = max(p.Phase, phase)
		if phase == Finished && p.Total >= 0 {
			t.now = p.Total
		}
	})
}

func (t *tracker) total(n int64) {
	t.change(func(p *Progress) { p.Total = n })
}

// change makes a change and tells about it, one at a time.
func (t *tracker) change(change func(*Progress)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	old := t.p
	change(&t.p)
	t.p.Done = max(t.p.Done, t.now)
	if t.p.Total >= 0 {
		t.p.Done = min(t.p.Done, t.p.Total)
	}
	if t.fn != nil && t.p != old {
		t.fn(t.p)
	}
}

// movedBytes returns how many bytes went over the network.
func (t *tracker) movedBytes() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.p.Moved
}
