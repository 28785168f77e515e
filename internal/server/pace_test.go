package server

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// A throttle lets bytes through at its rate, never faster, and saves no unused
// time up.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 100 << 10
		th := newThrottle(t.Context(), rate)
		began := time.Now()
		for sent := 0; sent < 10*rate; {
			n := th.clip(1 << 20)
			if n < 1 || n > rate/20 {
				t.Fatalf("a step of %d bytes", n)
			}
			sent += n
			if err := th.wait(n); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took < 9900*time.Millisecond || took > 10100*time.Millisecond {
			t.Errorf("10 seconds' worth of bytes took %v", took)
		}
		time.Sleep(time.Hour) // nobody sends
		began = time.Now()
		if err := th.wait(rate); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took < 990*time.Millisecond {
			t.Errorf("a second's worth of bytes took %v after a pause", took)
		}
	})
}

// Waiting ends with the request.
func TestThrottleEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := newThrottle(ctx, 1).wait(1 << 30); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

// A client is given up after a time of waiting without progress. Time spent
// elsewhere does not count, and progress starts the time anew.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var deadline time.Time
		p := pace{timeout: time.Minute, bytes: 1000, set: func(d time.Time) error { deadline = d; return nil }}
		left := func() time.Duration { return time.Until(deadline) }
		wait := func(d time.Duration, n int) {
			t.Helper()
			began := p.begin()
			if left() < d {
				t.Fatalf("the deadline is in %v, %v are needed", left(), d)
			}
			time.Sleep(d)
			p.end(began, n)
		}
		wait(30*time.Second, 400)
		time.Sleep(time.Hour) // the store is slow
		wait(20*time.Second, 400)
		p.begin()
		if l := left(); l > 10*time.Second {
			t.Errorf("800 bytes in 50 s leave %v", l)
		}
		wait(9*time.Second, 400)
		p.begin()
		if l := left(); l < 50*time.Second {
			t.Errorf("after progress %v are left", l)
		}
	})
}
