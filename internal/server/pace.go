package server

import (
	"context"
	"sync"
	"time"
)

// pace gives up on a client that makes no progress: fewer than bytes within
// timeout of waiting for it. Time that is spent elsewhere, such as in the
// store, does not count. It works through the deadline of a connection, which
// set sets, or through a watchdog on a stream.
type pace struct {
	set     func(time.Time) error // a connection without deadlines returns an error and is waited for
	watch   *watchdog             // on HTTP/2, instead of set; nil on HTTP/1
	timeout time.Duration
	bytes   int64

	moved    int64         // bytes since the last progress
	waited   time.Duration // for the client since then
	deadline time.Time     // as last set
}

// begin is called before the client is waited for.
func (p *pace) begin() time.Time {
	now := time.Now()
	if p.watch != nil {
		p.watch.wait(now.Add(p.timeout - p.waited))
		return now
	}
	// Setting a deadline costs more than looking at the clock: one that is
	// nearly right will do.
	if d := now.Add(p.timeout - p.waited); d.Sub(p.deadline) > p.timeout/8 {
		p.set(d)
		p.deadline = d
	}
	return now
}

// end is called when n bytes have moved since begin returned began.
func (p *pace) end(began time.Time, n int) {
	if p.watch != nil {
		p.watch.rest()
	}
	p.waited += time.Since(began)
	if p.moved += int64(n); p.moved >= p.bytes {
		p.moved, p.waited = 0, 0
	}
}

// release lets the client take its time from now on.
func (p *pace) release() {
	if p.watch == nil {
		p.set(time.Time{})
	}
}

// watchdog ends a wait that lasts too long. Streams of HTTP/2 need one: a
// deadline of theirs that passes breaks the stream for good, whether somebody
// waits or not, whereas that of a connection can be set anew.
type watchdog struct {
	bark func() // ends the wait; called once at most

	mu    sync.Mutex
	due   time.Time // of the wait; zero while nobody waits
	timer *time.Timer
	armed time.Time // when the timer goes off; zero when it does not
	done  bool
}

// wait begins a wait that lasts until due at most.
func (w *watchdog) wait(due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return
	}
	w.due = due
	// A timer that goes off too early is set again then, which is seldom; most
	// waits cost no timer.
	if w.armed.IsZero() || due.Before(w.armed) {
		w.arm(due)
	}
}

func (w *watchdog) arm(due time.Time) {
	w.armed = due
	if w.timer == nil {
		w.timer = time.AfterFunc(time.Until(due), w.look)
	} else {
		w.timer.Reset(time.Until(due))
	}
}

// rest ends a wait.
func (w *watchdog) rest() {
	w.mu.Lock()
	w.due = time.Time{}
	w.mu.Unlock()
}

// look runs when the timer goes off.
func (w *watchdog) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = time.Time{}
	switch {
	case w.done || w.due.IsZero():
	case time.Now().Before(w.due):
		w.arm(w.due)
	default:
		w.done = true
		w.bark() // under the lock, so that there is none after stop
	}
}

// stop ends all watching.
func (w *watchdog) stop() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
	if w.timer != nil {
		w.timer.Stop()
	}
}

// throttle keeps one direction of a request at a rate.
type throttle struct {
	rate  int64 // bytes a second
	now   func() time.Time
	sleep func(time.Duration) error
	next  time.Time // when what has moved so far is paid for
}

// newThrottle returns a throttle for rate bytes a second. Waiting ends with ctx.
func newThrottle(ctx context.Context, rate int64) *throttle {
	return &throttle{rate: rate, now: time.Now, sleep: func(d time.Duration) error {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}}
}

// clip bounds one step to what moves in a twentieth of a second, so that the
// flow is even.
func (t *throttle) clip(n int) int { return int(min(int64(n), max(1, t.rate/20))) }

// wait waits until n more bytes may have moved. Time that was not used is lost:
// there are no bursts.
func (t *throttle) wait(n int) error {
	now := t.now()
	if t.next.Before(now) {
		t.next = now
	}
	t.next = t.next.Add(time.Duration(int64(n) * int64(time.Second) / t.rate))
	return t.sleep(t.next.Sub(now))
}
