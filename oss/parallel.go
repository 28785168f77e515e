package oss

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// parallel calls do for every index, by as many goroutines as workers. The first
// error ends it, and the context of the others. When it returns, they have.
func parallel(ctx context.Context, workers int, indices []int, do func(ctx context.Context, i int) error) error {
	return elastic(ctx, workers, nil, indices, func(ctx context.Context, i int) (bool, error) { return false, do(ctx, i) })
}

// elastic is parallel that begins with as many goroutines as workers. For each
// call of do that says it was fast it starts one more, if spare has one.
func elastic(ctx context.Context, workers int, spare *spare, indices []int, do func(ctx context.Context, i int) (fast bool, err error)) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	var work func()
	work = func() {
		for inner.Err() == nil {
			n := int(next.Add(1)) - 1
			if n >= len(indices) {
				return
			}
			fast, err := do(inner, indices[n])
			if err != nil {
				once.Do(func() { first = err })
				cancel(err)
			} else if fast && int(next.Load()) < len(indices) && spare.take() {
				wg.Go(func() {
					defer spare.giveBack()
					work()
				})
			}
		}
	}
	for range min(workers, len(indices)) {
		wg.Go(work)
	}
	wg.Wait()
	if first == nil && ctx.Err() != nil {
		return ended(ctx)
	}
	return first
}

const (
	spareConnections = 8       // of all transfers of a client together
	fastConnection   = 8 << 20 // bytes a second from which on one more is worth it
)

// spare are the connections that transfers may take beyond those that each
// begins with. A nil one has none.
type spare struct{ taken atomic.Int64 }

// take reports whether there was one.
func (s *spare) take() bool {
	if s == nil {
		return false
	}
	if s.taken.Add(1) > spareConnections {
		s.taken.Add(-1)
		return false
	}
	return true
}

func (s *spare) giveBack() { s.taken.Add(-1) }

// isFast reports whether n bytes in that time make a fast connection.
func isFast(n int64, took time.Duration) bool {
	return took >= 0 && float64(n) >= fastConnection*took.Seconds()
}
