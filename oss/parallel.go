package oss

import (
	"context"
	"sync"
	"sync/atomic"
)

// parallel calls do for every index, by as many goroutines as workers. The first
// error ends it, and the context of the others. When it returns, they have.
func parallel(ctx context.Context, workers int, indices []int, do func(ctx context.Context, i int) error) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		next  atomic.Int64
		wg    sync.WaitGroup
		once  sync.Once
		first error
	)
	for range min(workers, len(indices)) {
		wg.Go(func() {
			for inner.Err() == nil {
				n := int(next.Add(1)) - 1
				if n >= len(indices) {
					return
				}
				if err := do(inner, indices[n]); err != nil {
					once.Do(func() { first = err })
					cancel(err)
				}
			}
		})
	}
	wg.Wait()
	if first == nil && ctx.Err() != nil {
		return ended(ctx)
	}
	return first
}
