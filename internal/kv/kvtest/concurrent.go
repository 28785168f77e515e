package kvtest

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
)

const (
	goroutines = 8
	rounds     = 40
)

// together runs fn in goroutines and waits for them.
func together(n int, fn func(i int)) {
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { fn(i) })
	}
	wg.Wait()
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return -1
	}
	return n
}

// Guarded increments of one row are all there at the end, each seen by its own
// reader at once and by no reader going back.
func testConcurrentIncrements(t *testing.T, e kv.Engine) {
	create(t, e, part, "n", "0")
	var conflicts, done atomic.Int64 // done counts increments that returned
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 2 {
		readers.Go(func() {
			for last := 0; ; {
				select {
				case <-stop:
					return
				default:
				}
				least := int(done.Load())
				n := number(get(t, e, part, "n")[0])
				if n < last || n < least {
					t.Errorf("read %d after %d, with %d increments done", n, last, least)
					return
				}
				last = n
			}
		})
	}
	together(goroutines, func(int) {
		for i := 0; i < rounds; {
			old := get(t, e, part, "n")[0]
			next := strconv.Itoa(number(old) + 1)
			err := e.Commit(ctx, part, guards(g("h", "0"), g("n", old)), writes(w("n", next)))
			switch {
			case err == nil:
				done.Add(1)
				if n := number(get(t, e, part, "n")[0]); n < number(next) {
					t.Errorf("read %d after writing %s", n, next)
				}
				i++
			case errors.Is(err, kv.ErrConflict):
				// A conflict means that another's increment is there to see.
				if get(t, e, part, "n")[0] == old {
					t.Errorf("conflict with %s, which is still there", old)
				}
				conflicts.Add(1)
			default:
				t.Errorf("increment: %v", err)
				return
			}
		}
	})
	close(stop)
	readers.Wait()
	wantStrings(t, "sum", get(t, e, part, "n"), strconv.Itoa(goroutines*rounds))
	t.Logf("%d increments, %d conflicts", goroutines*rounds, conflicts.Load())
}

// Of many who create a partition, one does, and its rows are there.
func testConcurrentCreate(t *testing.T, e kv.Engine) {
	for round := range 10 {
		p := kv.Partition(fmt.Sprintf("p%d", round))
		var winner atomic.Int64
		winner.Store(-1)
		together(goroutines, func(i int) {
			err := e.Create(ctx, p, writes(w("h", "0"), w("by", strconv.Itoa(i))))
			switch {
			case err == nil:
				if !winner.CompareAndSwap(-1, int64(i)) {
					t.Errorf("%q created twice", p)
				}
			case !errors.Is(err, kv.ErrConflict):
				t.Errorf("create: %v", err)
			}
		})
		wantStrings(t, "winner", get(t, e, p, "by"), strconv.FormatInt(winner.Load(), 10))
	}
}

// Commits to different rows of one partition do not conflict.
func testConcurrentRows(t *testing.T, e kv.Engine) {
	create(t, e, part)
	together(goroutines, func(i int) {
		for j := range rounds {
			key := fmt.Sprintf("r%d-%d", i, j)
			if err := e.Commit(ctx, part, guards(g("h", "0"), absent(key)), writes(w(key, "v"))); err != nil {
				t.Errorf("commit of %s: %v", key, err)
			}
		}
	})
	if got, _ := keys(t, e, part, "r", "s", 0); len(got) != goroutines*rounds {
		t.Errorf("%d rows, want %d", len(got), goroutines*rounds)
	}
}

// Get of several rows and Scan see one instant: rows that always change
// together are equal in every answer.
func testConcurrentSnapshots(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "0", "m", "0", "z", "0")
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for i := range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				var values []string
				if i%2 == 0 {
					values = get(t, e, part, "z", "a", "m")
				} else {
					rows, _, err := e.Scan(ctx, part, nil, nil, 0)
					if err != nil {
						t.Errorf("scan: %v", err)
						return
					}
					for _, row := range rows {
						if string(row.Key) != kv.HeaderKey {
							values = append(values, string(row.Value))
						}
					}
				}
				if len(values) != 3 || values[0] != values[1] || values[1] != values[2] {
					t.Errorf("rows of different instants: %q", values)
					return
				}
			}
		})
	}
	for i := range 4 * rounds {
		old, next := strconv.Itoa(i), strconv.Itoa(i+1)
		err := e.Commit(ctx, part, guards(g("h", "0"), g("a", old)), writes(w("z", next), w("m", next), w("a", next)))
		if err != nil {
			t.Errorf("commit: %v", err)
			break
		}
	}
	close(stop)
	readers.Wait()
}

// A drop among commits leaves nothing, and no commit happens after it.
func testConcurrentDrop(t *testing.T, e kv.Engine) {
	for round := range 10 {
		p := kv.Partition(fmt.Sprintf("p%d", round))
		create(t, e, p)
		var dropped atomic.Bool
		together(goroutines, func(i int) {
			if i == 0 {
				want(t, "drop", e.Drop(ctx, p), nil)
				dropped.Store(true)
				return
			}
			for j := range 10 {
				key := fmt.Sprintf("r%d-%d", i, j)
				late := dropped.Load()
				err := e.Commit(ctx, p, guards(g("h", "0"), absent(key)), writes(w(key, "v")))
				if err == nil && late || err != nil && !errors.Is(err, kv.ErrConflict) {
					t.Errorf("commit, drop done %v: %v", late, err)
				}
			}
		})
		got, _ := keys(t, e, p, "", "", 0)
		wantStrings(t, "rows after the drop", got)
	}
}
