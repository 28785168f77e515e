package oss

import (
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
