// Package blobtest proves of a blob engine what package blob promises. Every
// engine's tests call Run.
package blobtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/ossastore/ossa/internal/blob"
)

// sizes are those at which engines change their ways: around a block of
// 64 KiB, around the 256 KiB of a file of one's own, and a usual part.
var sizes = []int64{
	0, 1, 4 << 10,
	64<<10 - 1, 64 << 10, 64<<10 + 1,
	256<<10 - 1, 256 << 10, 256<<10 + 1,
	5<<20 + 12345,
}

// Run proves of the engine that open makes what package blob promises. open
// makes an empty engine; Run closes it. An engine that is a blob.Lister is
// held to that too.
func Run(t *testing.T, open func(t *testing.T) blob.Engine) {
	for _, c := range []struct {
		name string
		test func(t *testing.T, e blob.Engine)
	}{
		{"RoundTrip", testRoundTrip},
		{"Ranges", testRanges},
		{"WriteSizes", testWriteSizes},
		{"DeclaredSize", testDeclaredSize},
		{"NoBytes", testNoBytes},
		{"Abort", testAbort},
		{"Cancelled", testCancelled},
		{"Delete", testDelete},
		{"DeleteWhileReading", testDeleteWhileReading},
		{"WrongExtent", testWrongExtent},
		{"Concurrent", testConcurrent},
		{"Closed", testClosed},
		{"Lister", withLister(testLister)},
		{"Marks", withLister(testMarks)},
		{"ListWhileChanging", withLister(testListWhileChanging)},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := open(t)
			defer func() {
				if err := e.Close(); err != nil {
					t.Errorf("close: %v", err)
				}
			}()
			c.test(t, e)
		})
	}
}

// withLister makes a test of listing pass for engines that offer none.
func withLister(test func(*testing.T, blob.Engine, blob.Lister)) func(*testing.T, blob.Engine) {
	return func(t *testing.T, e blob.Engine) {
		if l, ok := e.(blob.Lister); ok {
			test(t, e, l)
		}
	}
}

// Data returns n bytes that differ from those of every other seed.
func Data(seed uint64, n int64) []byte {
	p := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8), byte(seed >> 16), byte(seed >> 24)})
	rng.Read(p)
	return p
}

// Write commits data in one Write and returns its extents.
func Write(t testing.TB, e blob.Engine, owner blob.Owner, data []byte) []blob.Extent {
	t.Helper()
	return write(t, e, owner, data, int64(len(data)), len(data))
}

// write commits data in writes of chunk bytes, declaring size.
func write(t testing.TB, e blob.Engine, owner blob.Owner, data []byte, size int64, chunk int) []blob.Extent {
	t.Helper()
	w, err := e.Create(t.Context(), owner, size)
	if err != nil {
		t.Fatalf("create: %v", err)
	}
	defer w.Abort()

	p := bytes.Clone(data)
	for len(p) > 0 {
		n := min(max(chunk, 1), len(p))
		if m, err := w.Write(p[:n]); err != nil || m != n {
			t.Fatalf("write of %d bytes: %d, %v", n, m, err)
		}
		// A writer keeps no reference to what it was given.
		clear(p[:n])
		p = p[n:]
	}
	extents, err := w.Commit(t.Context())
	if err != nil {
		t.Fatalf("commit of %d bytes: %v", len(data), err)
	}
	var total int64
	for _, x := range extents {
		if x.Length <= 0 {
			t.Fatalf("extent without bytes: %+v", x)
		}
		total += x.Length
	}
	if total != int64(len(data)) {
		t.Fatalf("extents of %d bytes where %d were written", total, len(data))
	}
	return extents
}

// ReadAll reads the extents' bytes, one after the other.
func ReadAll(ctx context.Context, e blob.Engine, extents []blob.Extent) ([]byte, error) {
	var all []byte
	for _, x := range extents {
		p := make([]byte, x.Length)
		n, err := e.ReadAt(ctx, x, p, 0)
		if err != nil && err != io.EOF {
			return nil, err
		}
		all = append(all, p[:n]...)
	}
	return all, nil
}

func expect(t testing.TB, e blob.Engine, extents []blob.Extent, want []byte) {
	t.Helper()
	got, err := ReadAll(t.Context(), e, extents)
	if err != nil {
		t.Fatalf("read: %v", err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%d bytes read differ from %d written", len(got), len(want))
	}
	for _, x := range extents {
		if err := blob.Verify(t.Context(), e, x); err != nil {
			t.Fatalf("verify: %v", err)
		}
	}
}

// expectGone proves that reads of the extents find nothing.
func expectGone(t testing.TB, e blob.Engine, extents []blob.Extent) {
	t.Helper()
	for _, x := range extents {
		if _, err := e.ReadAt(t.Context(), x, make([]byte, 1), 0); !errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("read of a deleted extent: %v", err)
		}
	}
}

// expectNothing proves that the engine lists no extent, if it lists at all.
func expectNothing(t testing.TB, e blob.Engine) {
	t.Helper()
	if l, ok := e.(blob.Lister); ok {
		if all := list(t, l, 0, blob.MaxMark); len(all) != 0 {
			t.Fatalf("%d extents where none should be", len(all))
		}
	}
}

func list(t testing.TB, l blob.Lister, from, to blob.Mark) map[blob.Extent]blob.Owner {
	t.Helper()
	all := map[blob.Extent]blob.Owner{}
	err := l.Extents(t.Context(), from, to, func(x blob.Extent, o blob.Owner) error {
		if _, twice := all[x]; twice {
			t.Errorf("extent listed twice: %+v", x)
		}
		all[x] = o
		return nil
	})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	return all
}

var someone = blob.Owner{Bucket: "1", Key: "k"}

// What was written is read, for each size, declared and not.
func testRoundTrip(t *testing.T, e blob.Engine) {
	type kept struct {
		extents []blob.Extent
		data    []byte
	}
	var all []kept
	for i, n := range sizes {
		for _, declared := range []int64{n, -1} {
			data := Data(uint64(2*i), n)
			all = append(all, kept{write(t, e, someone, data, declared, 1<<20), data})
		}
	}
	seen := map[blob.Extent]bool{}
	for _, k := range all {
		expect(t, e, k.extents, k.data)
		for _, x := range k.extents {
			if seen[x] {
				t.Fatalf("extent given out twice: %+v", x)
			}
			seen[x] = true
		}
	}
}

// Any range is read, and ends in io.EOF only where it reaches past the end.
func testRanges(t *testing.T, e blob.Engine) {
	rng := rand.New(rand.NewPCG(1, 2))
	for i, n := range sizes[1:] {
		data := Data(uint64(i), n)
		extents := Write(t, e, someone, data)
		if len(extents) != 1 {
			continue // offsets within several extents are the caller's
		}
		x := extents[0]
		for range 60 {
			off := rng.Int64N(n + 2)
			p := make([]byte, rng.Int64N(n+2))
			if rng.IntN(3) == 0 {
				off = off / (64 << 10) * (64 << 10)
			}
			got, err := e.ReadAt(t.Context(), x, p, off)
			want := data[min(off, n):min(off+int64(len(p)), n)]
			if !bytes.Equal(p[:got], want) {
				t.Fatalf("size %d: read of %d at %d: %d bytes, wrong", n, len(p), off, got)
			}
			short := got < len(p)
			if short && err != io.EOF || !short && err != nil && !(err == io.EOF && off+int64(got) >= n) {
				t.Fatalf("size %d: read of %d at %d: %d bytes and %v", n, len(p), off, got, err)
			}
		}
		if got, err := e.ReadAt(t.Context(), x, make([]byte, 1), n); got != 0 || err != io.EOF {
			t.Fatalf("read at the end: %d, %v", got, err)
		}
		if _, err := e.ReadAt(t.Context(), x, make([]byte, 1), -1); err == nil || err == io.EOF {
			t.Fatalf("read before the beginning: %v", err)
		}
	}
}

// The bytes do not depend on how they come.
func testWriteSizes(t *testing.T, e blob.Engine) {
	data := Data(7, 700<<10+3)
	for _, chunk := range []int{1000, 4 << 10, 64<<10 - 1, 64 << 10, 100 << 10, 256 << 10, 1 << 20} {
		for _, declared := range []int64{int64(len(data)), -1} {
			expect(t, e, write(t, e, someone, data, declared, chunk), data)
		}
	}
	// Long and short writes in turn.
	rng := rand.New(rand.NewPCG(3, 4))
	w, err := e.Create(t.Context(), someone, -1)
	if err != nil {
		t.Fatal(err)
	}
	for p := data; len(p) > 0; {
		n := min(rng.IntN(1<<(1+rng.IntN(18))), len(p))
		if _, err := w.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	extents, err := w.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	expect(t, e, extents, data)
}

// Writing more or fewer bytes than declared fails and keeps nothing.
func testDeclaredSize(t *testing.T, e blob.Engine) {
	for _, n := range sizes[1:] {
		for _, declared := range []int64{n - 1, n + 1} {
			w, err := e.Create(t.Context(), someone, declared)
			if err != nil {
				t.Fatal(err)
			}
			_, writeErr := w.Write(Data(0, n))
			if declared > n && writeErr != nil {
				t.Fatalf("%d of %d declared: write: %v", n, declared, writeErr)
			}
			if _, err := w.Commit(t.Context()); !errors.Is(err, blob.ErrSize) {
				t.Fatalf("%d of %d declared: commit: %v", n, declared, err)
			}
			w.Abort()
		}
	}
	expectNothing(t, e)
}

// No bytes are no extent.
func testNoBytes(t *testing.T, e blob.Engine) {
	for _, declared := range []int64{0, -1} {
		if extents := write(t, e, someone, nil, declared, 1); len(extents) != 0 {
			t.Fatalf("extents of no bytes: %v", extents)
		}
	}
	expectNothing(t, e)
}

// Abort forgets the bytes before Commit and does nothing after it.
func testAbort(t *testing.T, e blob.Engine) {
	for i, n := range sizes[1:] {
		data := Data(uint64(i), n)
		w, err := e.Create(t.Context(), someone, n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		w.Abort()
		w.Abort()
		if _, err := w.Commit(t.Context()); err == nil {
			t.Fatal("commit after abort succeeds")
		}
		if _, err := w.Write(data); err == nil {
			t.Fatal("write after abort succeeds")
		}
	}
	expectNothing(t, e)

	for i, n := range sizes[1:] {
		data := Data(uint64(i), n)
		w, err := e.Create(t.Context(), someone, n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(data); err != nil {
			t.Fatal(err)
		}
		extents, err := w.Commit(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w.Abort()
		if _, err := w.Commit(t.Context()); err == nil {
			t.Fatal("second commit succeeds")
		}
		expect(t, e, extents, data)
	}
}

// A context that ended before Commit keeps nothing.
func testCancelled(t *testing.T, e blob.Engine) {
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	for i, n := range sizes[1:] {
		w, err := e.Create(t.Context(), someone, n)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(Data(uint64(i), n)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(gone); !errors.Is(err, context.Canceled) {
			t.Fatalf("commit: %v", err)
		}
		w.Abort()
	}
	if _, err := e.Create(gone, someone, 1); !errors.Is(err, context.Canceled) {
		t.Fatalf("create: %v", err)
	}
	expectNothing(t, e)
}

// A deleted extent is not found, its neighbours stay, and a Delete that comes
// twice or late harms nothing.
func testDelete(t *testing.T, e blob.Engine) {
	var extents [][]blob.Extent
	var datas [][]byte
	for i := range 4 * len(sizes[1:]) {
		data := Data(uint64(i), sizes[1+i%len(sizes[1:])])
		datas = append(datas, data)
		extents = append(extents, Write(t, e, someone, data))
	}
	for i := 0; i < len(extents); i += 2 {
		for range 2 {
			if err := e.Delete(t.Context(), extents[i]...); err != nil {
				t.Fatal(err)
			}
		}
	}
	late := Write(t, e, someone, datas[0])
	for i := range extents {
		if i%2 == 1 {
			expect(t, e, extents[i], datas[i])
			continue
		}
		if err := e.Delete(t.Context(), extents[i]...); err != nil {
			t.Fatal(err)
		}
		expectGone(t, e, extents[i])
	}
	expect(t, e, late, datas[0])

	// Many at once, those that are gone and those that never were among them.
	all := []blob.Extent{{}, {File: 1 << 60, Length: 1}, {File: 1 << 60, Offset: 1 << 20, Length: 1}}
	for _, x := range extents {
		all = append(all, x...)
	}
	if err := e.Delete(t.Context(), append(all, late...)...); err != nil {
		t.Fatal(err)
	}
	expectNothing(t, e)
}

// A read that goes on while its extent is deleted returns the bytes that were
// written, or an error.
func testDeleteWhileReading(t *testing.T, e blob.Engine) {
	for i, n := range []int64{100, 200 << 10, 3 << 20} {
		data := Data(uint64(i), n)
		x := Write(t, e, someone, data)[0]
		reading := make(chan struct{})
		var once, wait = sync.Once{}, sync.WaitGroup{}
		var deleted atomic.Bool
		for r := range 4 {
			wait.Go(func() {
				rng := rand.New(rand.NewPCG(uint64(r), 0))
				for !deleted.Load() {
					off := rng.Int64N(n)
					p := make([]byte, min(1+rng.Int64N(100<<10), n-off))
					_, err := e.ReadAt(context.Background(), x, p, off)
					once.Do(func() { close(reading) })
					if errors.Is(err, blob.ErrNotFound) {
						return
					}
					if err != nil || !bytes.Equal(p, data[off:off+int64(len(p))]) {
						t.Errorf("read while deleting: wrong bytes, error %v", err)
						return
					}
				}
			})
		}
		<-reading
		if err := e.Delete(t.Context(), x); err != nil {
			t.Error(err)
		}
		deleted.Store(true)
		wait.Wait()
		expectGone(t, e, []blob.Extent{x})
	}
}

// An extent that was never given out yields an error, never bytes.
func testWrongExtent(t *testing.T, e blob.Engine) {
	for i, n := range []int64{1000, 100 << 10, 1 << 20} {
		data := Data(uint64(i), n)
		x := Write(t, e, someone, data)[0]
		y := Write(t, e, someone, Data(99, n))[0]
		for name, change := range map[string]func(*blob.Extent){
			"file":       func(x *blob.Extent) { x.File += 1 << 50 },
			"offset":     func(x *blob.Extent) { x.Offset += 8 },
			"shorter":    func(x *blob.Extent) { x.Length-- },
			"longer":     func(x *blob.Extent) { x.Length++ },
			"far longer": func(x *blob.Extent) { x.Length = 1 << 62 },
			"sum":        func(x *blob.Extent) { x.Sum ^= 1 },
			"other sum":  func(x *blob.Extent) { x.Sum = y.Sum },
		} {
			wrong := x
			change(&wrong)
			_, err := e.ReadAt(t.Context(), wrong, make([]byte, n), 0)
			if !errors.Is(err, blob.ErrCorrupt) && !errors.Is(err, blob.ErrNotFound) {
				t.Errorf("size %d, wrong %s: %v", n, name, err)
			}
			if err := blob.Verify(t.Context(), e, wrong); err == nil {
				t.Errorf("size %d, wrong %s: verified", n, name)
			}
		}
		expect(t, e, []blob.Extent{x}, data)
	}
	if _, err := e.ReadAt(t.Context(), blob.Extent{}, make([]byte, 1), 0); err == nil {
		t.Error("the zero extent can be read")
	}
}

// Many write, read and delete at once, and each sees what it wrote.
func testConcurrent(t *testing.T, e blob.Engine) {
	const workers, rounds = 16, 24
	var wait sync.WaitGroup
	for g := range workers {
		wait.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(g), 9))
			for r := range rounds {
				n := 1 + rng.Int64N(1<<(4+rng.IntN(16)))
				data := Data(uint64(g*rounds+r), n)
				if err := roundTrip(e, data, rng.IntN(2) == 0); err != nil {
					t.Errorf("worker %d round %d size %d: %v", g, r, n, err)
					return
				}
			}
		})
	}
	wait.Wait()
}

func roundTrip(e blob.Engine, data []byte, remove bool) error {
	ctx := context.Background()
	w, err := e.Create(ctx, someone, int64(len(data)))
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(data); err != nil {
		return err
	}
	extents, err := w.Commit(ctx)
	if err != nil {
		return err
	}
	got, err := ReadAll(ctx, e, extents)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return fmt.Errorf("bytes differ")
	}
	if !remove {
		return nil
	}
	if err := e.Delete(ctx, extents...); err != nil {
		return err
	}
	if _, err := ReadAll(ctx, e, extents); !errors.Is(err, blob.ErrNotFound) {
		return fmt.Errorf("deleted extent: %v", err)
	}
	return nil
}

// A closed engine answers ErrUnavailable.
func testClosed(t *testing.T, e blob.Engine) {
	data := Data(1, 1000)
	extents := Write(t, e, someone, data)
	open, err := e.Create(t.Context(), someone, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := e.Create(t.Context(), someone, 1); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("create: %v", err)
	}
	if _, err := e.ReadAt(t.Context(), extents[0], data, 0); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("read: %v", err)
	}
	if err := e.Delete(t.Context(), extents...); !errors.Is(err, blob.ErrUnavailable) {
		t.Errorf("delete: %v", err)
	}
	if _, err := open.Write([]byte("abc")); err == nil {
		if _, err = open.Commit(t.Context()); !errors.Is(err, blob.ErrUnavailable) {
			t.Errorf("commit: %v", err)
		}
	}
	open.Abort()
}
