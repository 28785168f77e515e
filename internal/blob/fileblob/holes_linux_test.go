package fileblob

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// roomFS is the machine's file system, of which it says that so much is free.
type roomFS struct {
	vfs.FS
	free atomic.Uint64 // bytes
}

func (fs *roomFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: fs.free.Load(), TotalBytes: 1 << 30}, nil
}

// allocated is what the segments below dir take of the disk, in bytes.
func allocated(t *testing.T, dir string) int64 {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "small", "*"+segmentSuffix))
	if err != nil || len(names) == 0 {
		t.Fatalf("%d segments, %v", len(names), err)
	}
	var n int64
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		n += info.Sys().(*syscall.Stat_t).Blocks * 512
	}
	return n
}

// On a disk that is short of space, what was deleted before and what is deleted
// after becomes holes; all else reads as it was, is listed and verifies, in this
// life and the next. Manifests stay whole.
func TestHoles(t *testing.T) {
	const size, count = 60 << 10, 64
	dir := t.TempDir()
	fs := &roomFS{FS: vfs.Default}
	fs.free.Store(1 << 29)
	open := func() *Engine {
		e, err := Open(dir, Options{FS: fs, ReserveBytes: 16 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	ctx := context.Background()
	e := open()
	write := func(i int, owner blob.Owner) (blob.Extent, error) {
		w, err := e.Create(ctx, owner, size)
		if err != nil {
			return blob.Extent{}, err
		}
		defer w.Abort()
		p := make([]byte, size)
		for j := range p {
			p[j] = byte(i*31 + j*7 + 1)
		}
		if _, err := w.Write(p); err != nil {
			return blob.Extent{}, err
		}
		xs, err := w.Commit(ctx)
		if err != nil {
			return blob.Extent{}, err
		}
		return xs[0], nil
	}
	var xs []blob.Extent
	for i := range count {
		x, err := write(i, blob.Owner{Bucket: "b", Key: "k", Manifest: i%8 == 7})
		if err != nil {
			t.Fatal(err)
		}
		xs = append(xs, x)
	}
	remove := func(rest int) {
		t.Helper()
		for i, x := range xs {
			if i%8 == rest {
				if err := e.Delete(ctx, x); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	verify := func(deleted ...int) {
		t.Helper()
		gone := map[int]bool{}
		for _, rest := range deleted {
			gone[rest] = true
		}
		for i, x := range xs {
			if err := blob.Verify(ctx, e, x); gone[i%8] != errors.Is(err, blob.ErrNotFound) || !gone[i%8] && err != nil {
				t.Fatalf("extent %d: %v", i, err)
			}
		}
		if s := e.Stats(); s.Damaged != 0 {
			t.Fatalf("%d damaged", s.Damaged)
		}
	}
	const eighth = count / 8 * size

	full := allocated(t, dir)
	remove(0)
	if n := allocated(t, dir); n < full {
		t.Fatalf("holes on a disk with room: %d bytes of %d", n, full)
	}
	fs.free.Store(1 << 20)
	if _, err := write(0, blob.Owner{}); !errors.Is(err, blob.ErrFull) {
		t.Fatalf("write on a full disk: %v", err)
	}
	if n := allocated(t, dir); n > full-eighth*8/10 {
		t.Fatalf("%d bytes of %d after an eighth was deleted before", n, full)
	}
	remove(3)
	if n := allocated(t, dir); n > full-2*eighth*8/10 {
		t.Fatalf("%d bytes of %d after a second eighth", n, full)
	}
	verify(0, 3)
	before := allocated(t, dir)
	remove(7)
	if n := allocated(t, dir); n != before {
		t.Fatalf("manifests became holes: %d bytes of %d", n, before)
	}
	verify(0, 3, 7)

	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open()
	verify(0, 3, 7)
	listed := 0
	if err := e.Extents(ctx, 0, blob.MaxMark, func(blob.Extent, blob.Owner) error { listed++; return nil }); err != nil || listed != count*5/8 {
		t.Fatalf("%d extents listed, %v", listed, err)
	}
	verify(0, 3, 7)

	// With room again nothing is punched any more.
	fs.free.Store(1 << 29)
	x, err := write(1, blob.Owner{})
	if err != nil {
		t.Fatal(err)
	}
	before = allocated(t, dir)
	remove(1)
	if n := allocated(t, dir); n != before {
		t.Fatalf("holes with room again: %d bytes of %d", n, before)
	}
	if err := blob.Verify(ctx, e, x); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

// A record whose deletion a power cut took back after it had become a hole is
// no damage: it is listed, deleted again, or passed over.
func TestHoleWithoutSidecar(t *testing.T) {
	dir := t.TempDir()
	fs := &roomFS{FS: vfs.Default}
	fs.free.Store(1 << 29)
	open := func() *Engine {
		e, err := Open(dir, Options{FS: fs, ReserveBytes: 16 << 20})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	ctx := context.Background()
	e := open()
	var xs []blob.Extent
	for range 10 {
		w, err := e.Create(ctx, blob.Owner{Bucket: "b", Key: "k"}, 50<<10)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(bytes.Repeat([]byte{0xa7}, 50<<10)); err != nil {
			t.Fatal(err)
		}
		x, err := w.Commit(ctx)
		if err != nil {
			t.Fatal(err)
		}
		xs = append(xs, x...)
	}
	e.short.Store(true)
	if err := e.Delete(ctx, xs[3:6]...); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(e.deadPath(xs[0].File)); err != nil {
		t.Fatal(err)
	}

	e = open()
	defer e.Close()
	kept := map[blob.Extent]bool{}
	for i, x := range xs {
		if i < 3 || i >= 6 {
			kept[x] = true
		}
	}
	err := e.Extents(ctx, 0, blob.MaxMark, func(x blob.Extent, _ blob.Owner) error {
		if !kept[x] {
			return e.Delete(ctx, x)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for x := range kept {
		if err := blob.Verify(ctx, e, x); err != nil {
			t.Fatal(err)
		}
	}
	if s := e.Stats(); s.Damaged != 0 {
		t.Fatalf("%d damaged", s.Damaged)
	}
}
