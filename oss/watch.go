package oss

import (
	"context"
	"sync"
	"time"
)

// watch ends a request on which nothing moves. It is armed while the other side
// is waited for, and only then: a caller that takes its time is no stall.
type watch struct {
	clock  Clock
	cancel context.CancelCauseFunc

	mu      sync.Mutex
	limit   time.Duration // 0 or less: none
	armed   bool
	last    time.Time // when something moved
	stop    func() bool
	ticking bool
}

// arm waits for something to move within limit.
func (w *watch) arm(limit time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if limit <= 0 {
		w.armed = false
		return
	}
	shorter := w.ticking && limit < w.limit
	w.limit, w.armed, w.last = limit, true, w.clock.Now()
	if shorter && w.stop() {
		w.ticking = false
	}
	if !w.ticking {
		w.tick(limit)
	}
}

// tick looks again after d. It is called with mu held.
func (w *watch) tick(d time.Duration) {
	w.ticking = true
	w.stop = w.clock.AfterFunc(d, w.look)
}

func (w *watch) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ticking = false
	if !w.armed {
		return
	}
	if left := w.limit - w.clock.Now().Sub(w.last); left > 0 {
		w.tick(left)
		return
	}
	w.armed = false
	w.cancel(ErrStalled)
}

// disarm waits for nothing.
func (w *watch) disarm() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
}

// end stops the watch for good.
func (w *watch) end() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = false
	if w.ticking && w.stop() {
		w.ticking = false
	}
}
