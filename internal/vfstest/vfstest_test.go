package vfstest_test

import (
	"errors"
	"io"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/vfstest"
)

// A write beyond the limit is cut short; removing a file gives its room back,
// also after a rename, and a preallocated file has its room already.
func TestLimited(t *testing.T) {
	fs := vfstest.NewLimited(vfs.NewMem(), 100)
	f := must(fs.Create("a", vfs.WriteCategoryUnspecified))
	if n, err := f.Write(make([]byte, 60)); n != 60 || err != nil {
		t.Fatal(n, err)
	}
	if n, err := f.Write(make([]byte, 60)); n != 40 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(n, err)
	}
	if _, err := fs.Create("b", vfs.WriteCategoryUnspecified); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if usage := must(fs.GetDiskUsage("")); usage.AvailBytes != 0 || usage.UsedBytes != 100 {
		t.Fatal(usage)
	}

	if err := errors.Join(f.Close(), fs.Rename("a", "c"), fs.Remove("c")); err != nil || fs.Used() != 0 {
		t.Fatal(err, fs.Used())
	}

	g := must(fs.Create("d", vfs.WriteCategoryUnspecified))
	if err := g.Preallocate(0, 80); err != nil || fs.Used() != 80 {
		t.Fatal(err, fs.Used())
	}
	fs.SetLimit(50)
	if n, err := g.Write(make([]byte, 81)); n != 80 || !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(n, err)
	}
	if err := g.Preallocate(80, 1); !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
}

// Exactly the nth change fails, or all from it on, and it has no effect.
func TestFailing(t *testing.T) {
	run := func(fs *vfstest.Failing) (written int, failures int) {
		f, err := fs.Create("a", vfs.WriteCategoryUnspecified)
		if err != nil {
			return 0, 1
		}
		for range 4 {
			if _, err := f.Write([]byte("x")); errors.Is(err, vfstest.ErrInjected) {
				failures++
			}
		}
		return len(must(io.ReadAll(must(fs.Open("a"))))), failures
	}
	for _, c := range []struct {
		fs                *vfstest.Failing
		written, failures int
	}{
		{vfstest.NewFailing(vfs.NewMem(), -1), 4, 0},
		{vfstest.NewFailing(vfs.NewMem(), 0), 0, 1},
		{vfstest.NewFailing(vfs.NewMem(), 2), 3, 1},
		{vfstest.NewFailingFrom(vfs.NewMem(), 2), 1, 3},
	} {
		if w, n := run(c.fs); w != c.written || n != c.failures || c.fs.Failed() != (n > 0) {
			t.Errorf("written %d, failures %d, want %d, %d", w, n, c.written, c.failures)
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
