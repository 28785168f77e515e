package blobtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/blob"
)

// Extents shows what is committed and not deleted, with its owner, and
// nothing else.
func testLister(t *testing.T, e blob.Engine, l blob.Lister) {
	want := map[blob.Extent]blob.Owner{}
	for i, n := range sizes {
		for _, owner := range []blob.Owner{
			{Bucket: "b1", Key: "k"},
			{Bucket: "b1", Key: "dir/ключ\x00\xff/" + strings.Repeat("x", 1000), Version: strings.Repeat("v", 64)},
			{Bucket: strings.Repeat("b", 63), Key: "k", UploadID: strings.Repeat("F", 32), PartNumber: 10000},
			{Bucket: "b", Key: "/", Version: "1", Manifest: true},
		} {
			for _, declared := range []int64{n, -1} {
				for _, x := range write(t, e, owner, Data(uint64(i), n), declared, 100<<10) {
					want[x] = owner
				}
			}
		}
	}
	open, err := e.Create(t.Context(), someone, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Abort()
	if _, err := open.Write(Data(0, 1<<20)); err != nil {
		t.Fatal(err)
	}

	deleted := 0
	for x := range maps.Clone(want) {
		if deleted++; deleted%3 == 0 {
			if err := e.Delete(t.Context(), x); err != nil {
				t.Fatal(err)
			}
			delete(want, x)
		}
	}
	if got := list(t, l, 0, blob.MaxMark); !maps.Equal(got, want) {
		t.Fatalf("%d extents listed, %d expected, or owners differ", len(got), len(want))
	}

	// The callback's error ends the walk; a context that ended does too.
	enough := errors.New("enough")
	calls := 0
	err = l.Extents(t.Context(), 0, blob.MaxMark, func(blob.Extent, blob.Owner) error {
		calls++
		return enough
	})
	if calls != 1 || !errors.Is(err, enough) {
		t.Fatalf("%d calls after an error, %v", calls, err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	err = l.Extents(gone, 0, blob.MaxMark, func(blob.Extent, blob.Owner) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("list with a cancelled context: %v", err)
	}

	// The callback may delete what it is shown.
	err = l.Extents(t.Context(), 0, blob.MaxMark, func(x blob.Extent, _ blob.Owner) error {
		return e.Delete(t.Context(), x)
	})
	if err != nil {
		t.Fatal(err)
	}
	expectNothing(t, e)
}

// What is created after a mark is not older than it, marks never go back, and
// a mark and the next part all extents without loss.
func testMarks(t *testing.T, e blob.Engine, l blob.Lister) {
	first := l.Mark()
	if old := list(t, l, 0, first); len(old) != 0 {
		t.Fatalf("%d extents older than a new engine", len(old))
	}
	before := first
	all := map[blob.Extent]blob.Owner{}
	for i, n := range append(sizes[1:], sizes[1:]...) {
		mark := l.Mark()
		if mark < before {
			t.Fatalf("mark went back from %d to %d", before, mark)
		}
		before = mark
		for _, x := range Write(t, e, someone, Data(uint64(i), n)) {
			all[x] = someone
			if _, ok := list(t, l, mark, blob.MaxMark)[x]; !ok {
				t.Fatalf("extent of %d bytes is older than the mark before it", n)
			}
			if _, ok := list(t, l, 0, mark)[x]; ok {
				t.Fatalf("extent of %d bytes is on both sides of a mark", n)
			}
		}
	}
	parts := list(t, l, first, before)
	maps.Copy(parts, list(t, l, before, blob.MaxMark))
	if !maps.Equal(parts, all) {
		t.Fatalf("%d extents on both sides of a mark, %d written", len(parts), len(all))
	}
}

// A walk while others write and delete shows each extent that was there all
// the time, and owners as they were given.
func testListWhileChanging(t *testing.T, e blob.Engine, l blob.Lister) {
	steady := map[blob.Extent]blob.Owner{}
	for i := range 40 {
		owner := blob.Owner{Bucket: "steady", Key: fmt.Sprint(i)}
		for _, x := range Write(t, e, owner, Data(uint64(i), sizes[1+i%6])) {
			steady[x] = owner
		}
	}

	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	for g := range 4 {
		wait.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := roundTrip(e, Data(uint64(i), sizes[1+(i+g)%7]), true); err != nil {
					t.Errorf("while listing: %v", err)
					return
				}
			}
		})
	}
	for range 5 {
		got := list(t, l, 0, blob.MaxMark)
		for x, owner := range steady {
			if got[x] != owner {
				t.Errorf("extent %+v: owner %+v listed, %+v written", x, got[x], owner)
			}
		}
		for x, owner := range got {
			if steady[x] != owner && owner != someone {
				t.Errorf("extent %+v: nobody wrote for %+v", x, owner)
			}
		}
	}
	stop()
	wait.Wait()
}
