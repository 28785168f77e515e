package oss

import (
	"context"
	"sync"
	"time"
)

// rate is how fast one connection uploaded lately, in bytes a second.
type rate struct {
	mu    sync.Mutex
	value float64 // 0 if nothing was measured
}

// minSample is what must be sent for a measurement to count, in bytes.
const minSample = 256 << 10

// add takes a measurement into a running mean.
func (r *rate) add(n int64, took time.Duration) {
	if n < minSample || took <= 0 {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	v := float64(n) / took.Seconds()
	if r.value == 0 {
		r.value = v
		return
	}
	r.value += (v - r.value) / 8
}

func (r *rate) get() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.value
}

// limiter lets bytes through at a rate. A nil one lets all through.
type limiter struct {
	perSecond int64
	clock     Clock

	mu   sync.Mutex
	next time.Time // when what was let through has had its time
}

// wait waits until n bytes have had their time, or until ctx ends.
func (l *limiter) wait(ctx context.Context, n int) {
	if l == nil || n <= 0 {
		return
	}
	l.mu.Lock()
	now := l.clock.Now()
	if l.next.Before(now) {
		l.next = now
	}
	l.next = l.next.Add(time.Duration(float64(n) / float64(l.perSecond) * float64(time.Second)))
	pause := l.next.Sub(now)
	l.mu.Unlock()
	sleep(ctx, l.clock, pause)
}
