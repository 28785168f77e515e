package fileblob_test

import (
	"context"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/fileblob"
)

// What was deleted before FlushDeletes does not come back after a power cut
// that loses all that was not synced; what was deleted after it may.
func TestFlushDeletes(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewCrashableMem()
	opts := tiny
	opts.FS = fs
	e, err := fileblob.Open("d", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	write := func(n int64) blob.Extent {
		t.Helper()
		w, err := e.Create(ctx, blob.Owner{Bucket: "b", Key: "k"}, n)
		if err != nil {
			t.Fatal(err)
		}
		defer w.Abort()
		if _, err := w.Write(blobtest.Data(uint64(n), n)); err != nil {
			t.Fatal(err)
		}
		x, err := w.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return x[0]
	}
	// Small ones share a file with one that stays; a run of them fills a file
	// that goes as a whole.
	stays, small, large := write(1000), write(2000), write(100<<10)
	var filled []blob.Extent
	for range 20 {
		filled = append(filled, write(10<<10))
	}
	if err := e.Delete(ctx, append(filled, small, large)...); err != nil {
		t.Fatal(err)
	}
	if err := e.FlushDeletes(ctx); err != nil {
		t.Fatal(err)
	}

	opts.FS = fs.CrashClone(vfs.CrashCloneCfg{})
	after, err := fileblob.Open("d", opts)
	if err != nil {
		t.Fatal(err)
	}
	defer after.Close()
	found := map[blob.Extent]bool{}
	err = after.Extents(ctx, 0, ^blob.Mark(0), func(x blob.Extent, _ blob.Owner) error {
		found[x] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(found) != 1 || !found[stays] {
		t.Errorf("after the cut there are %v, want only %v", found, stays)
	}
}
