package server

import (
	"context"
	"time"
)

// pace gives up on a client that makes no progress: fewer than bytes within
// timeout of waiting for it. Time that is spent elsewhere, such as in the
// store, does not count. It works through the deadline of a connection, which
// set sets.
type pace struct {
	set     func(time.Time) error // a connection without deadlines returns an error and is waited for
	timeout time.Duration
	bytes   int64

	moved    int64         // bytes since the last progress
	waited   time.Duration // for the client since then
	deadline time.Time     // as last set
}

// begin is called before the client is waited for.
func (p *pace) begin() time.Time {
	now := time.Now()
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
	p.waited += time.Since(began)
	if p.moved += int64(n); p.moved >= p.bytes {
		p.moved, p.waited = 0, 0
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
