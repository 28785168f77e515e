package main

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"testing"
)

// Everything is done once, by no more workers than asked for, and an error ends it.
func TestEach(t *testing.T) {
	list := make([]int, 1000)
	for i := range list {
		list[i] = i
	}
	var mu sync.Mutex
	var seen []int
	busy, most := 0, 0
	err := each(context.Background(), sequence(list), 4, func(_ context.Context, i int) error {
		mu.Lock()
		busy++
		most = max(most, busy)
		seen = append(seen, i)
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		busy--
		mu.Unlock()
		return nil
	})
	slices.Sort(seen)
	if err != nil || !slices.Equal(seen, list) || most > 4 {
		t.Errorf("%d of %d done by %d, %v", len(seen), len(list), most, err)
	}

	wrong := errors.New("wrong")
	done := 0
	err = each(context.Background(), sequence(list), 1, func(_ context.Context, i int) error {
		done++
		if i == 10 {
			return wrong
		}
		return nil
	})
	if !errors.Is(err, wrong) || done > 13 {
		t.Errorf("after an error %d were done, %v", done, err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := each(ctx, sequence(list), 2, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Batches have all that a listing has, its error at last.
func TestBatches(t *testing.T) {
	wrong := errors.New("wrong")
	listing := func(n int, err error) func(func(int, error) bool) {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
			if err != nil {
				yield(0, err)
			}
		}
	}
	for _, c := range []struct {
		n     int
		err   error
		sizes []int
	}{{0, nil, nil}, {3, nil, []int{3}}, {4, nil, []int{4}}, {9, nil, []int{4, 4, 1}}, {5, wrong, []int{4, 1}}, {0, wrong, nil}} {
		var sizes []int
		var got error
		for batch, err := range batches(listing(c.n, c.err), 4) {
			if err != nil {
				got = err
				continue
			}
			sizes = append(sizes, len(batch))
		}
		if !slices.Equal(sizes, c.sizes) || got != c.err {
			t.Errorf("%d: %v, %v; want %v, %v", c.n, sizes, got, c.sizes, c.err)
		}
	}
}
