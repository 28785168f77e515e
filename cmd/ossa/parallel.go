package main

import (
	"context"
	"iter"
	"sync"
)

// each calls do for everything in seq, jobs at a time. The first error ends it,
// be it of seq or of do; when it returns, so have they all.
func each[T any](ctx context.Context, seq iter.Seq2[T, error], jobs int, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for item := range queue {
				if err := do(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := feed(ctx, seq, queue)
	close(queue)
	workers.Wait()
	if first := context.Cause(ctx); first != nil {
		return first
	}
	return err
}

func feed[T any](ctx context.Context, seq iter.Seq2[T, error], queue chan<- T) error {
	for item, err := range seq {
		if err != nil {
			return err
		}
		select {
		case queue <- item:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// batches groups what seq has, n at a time.
func batches[T any](seq iter.Seq2[T, error], n int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var batch []T
		for item, err := range seq {
			if err != nil {
				if len(batch) == 0 || yield(batch, nil) {
					yield(nil, err)
				}
				return
			}
			if batch = append(batch, item); len(batch) == n {
				if !yield(batch, nil) {
					return
				}
				batch = nil
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}

// sequence is a list as a listing.
func sequence[T any](list []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, item := range list {
			if !yield(item, nil) {
				return
			}
		}
	}
}
