package fileblob_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/fileblob"
	"github.com/ossastore/ossa/internal/vfstest"
)

// tiny makes files turn over quickly.
var tiny = fileblob.Options{LargeBytes: 16 << 10, BlockBytes: 4 << 10, SegmentBytes: 64 << 10}

// ledger is what a caller of the engine knows: which extents were committed,
// and which of them it has begun to delete.
type ledger struct {
	mu       sync.Mutex
	kept     map[blob.Extent][]byte
	deleting map[blob.Extent]bool
}

func newLedger() *ledger {
	return &ledger{kept: map[blob.Extent][]byte{}, deleting: map[blob.Extent]bool{}}
}

// change does one random thing to e and keeps the books. It returns the error
// of the engine, which on a broken disk may be anything.
func (l *ledger) change(e *fileblob.Engine, rng *rand.Rand) error {
	if rng.IntN(4) == 0 {
		return l.delete(e)
	}
	sizes := []int64{1, 500, 4 << 10, 5000, 16<<10 - 1, 16 << 10, 40 << 10, 100 << 10}
	size := sizes[rng.IntN(len(sizes))]
	data := blobtest.Data(rng.Uint64(), size)
	declared := size
	if rng.IntN(3) == 0 {
		declared = -1
	}
	w, err := e.Create(context.Background(), blob.Owner{Bucket: "b", Key: fmt.Sprint(size)}, declared)
	if err != nil {
		return err
	}
	defer w.Abort()
	if _, err := w.Write(bytes.Clone(data)); err != nil {
		return err
	}
	if rng.IntN(5) == 0 {
		return nil // aborted
	}
	extents, err := w.Commit(context.Background())
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept[extents[0]] = data
	return nil
}

func (l *ledger) delete(e *fileblob.Engine) error {
	l.mu.Lock()
	var victim blob.Extent
	for x := range l.kept {
		if !l.deleting[x] && (victim.File == 0 || x.File < victim.File || x.File == victim.File && x.Offset < victim.Offset) {
			victim = x
		}
	}
	if victim.File == 0 {
		l.mu.Unlock()
		return nil
	}
	l.deleting[victim] = true
	l.mu.Unlock()
	return e.Delete(context.Background(), victim)
}

// settle is what a sweeper does after a crash: every extent listed of earlier
// openings that nobody names is deleted. It then proves that all that was
// committed reads back, and that no other file stays but damaged ones, whose
// number it returns.
func (l *ledger) settle(t *testing.T, e *fileblob.Engine, fs vfs.FS, dir string) (damaged int64) {
	t.Helper()
	for x := range l.deleting {
		delete(l.kept, x)
	}
	clear(l.deleting)

	for x, data := range l.kept {
		got, err := blobtest.ReadAll(t.Context(), e, []blob.Extent{x})
		if err != nil || !bytes.Equal(got, data) {
			t.Fatalf("committed extent of %d bytes at %x: wrong bytes, error %v", len(data), x.File, err)
		}
	}
	listed := map[blob.Extent]bool{}
	err := e.Extents(t.Context(), 0, e.Mark(), func(x blob.Extent, _ blob.Owner) error {
		listed[x] = true
		if l.kept[x] == nil {
			return e.Delete(t.Context(), x)
		}
		return nil
	})
	if err != nil {
		t.Fatalf("list: %v", err)
	}
	needed := map[uint64]bool{}
	for x := range l.kept {
		if !listed[x] {
			t.Fatalf("committed extent of %d bytes at %x is not listed", x.Length, x.File)
		}
		needed[x.File] = true
	}

	// A cut that took a header and left all else looks like damage, and stays.
	excess := int64(0)
	files := dataFiles(t, fs, dir)
	for name := range files {
		var number uint64
		if _, err := fmt.Sscanf(name[strings.LastIndex(name, "/")+1:], "%x", &number); err != nil {
			t.Fatalf("file %s: %v", name, err)
		}
		if sidecar := strings.TrimSuffix(name, ".dead"); sidecar != name && files[sidecar+".seg"] > 0 {
			continue // stands and falls with its segment
		}
		if !needed[number] {
			excess++
		}
	}
	damaged = e.Stats().Damaged
	if excess > damaged {
		t.Fatalf("%d files stay that nobody needs, %d of them damaged: %v", excess, damaged, files)
	}
	return damaged
}

// dataFiles returns the names of all large files and segments, sidecars
// included, and their lengths.
func dataFiles(t testing.TB, fs vfs.FS, dir string) map[string]int64 {
	t.Helper()
	found := map[string]int64{}
	dirs := []string{fs.PathJoin(dir, "small")}
	names, err := fs.List(fs.PathJoin(dir, "large"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		dirs = append(dirs, fs.PathJoin(dir, "large", name))
	}
	for _, d := range dirs {
		names, err := fs.List(d)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			info, err := fs.Stat(fs.PathJoin(d, name))
			if err != nil {
				t.Fatal(err)
			}
			found[fs.PathJoin(d, name)] = info.Size()
		}
	}
	return found
}

// A power cut before the nth change of the file system, for random n, several
// times over the same directory: what was committed is there, the rest goes
// with a sweep, and no file number comes twice. One process does one thing
// after the other, so that a seed replays.
func TestPowerCut(t *testing.T) {
	damaged, rounds := int64(0), 0
	for seed := range uint64(80) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 77))
			fs := vfs.NewCrashableMem()
			l := newLedger()
			for round := range 4 {
				failing := vfstest.NewFailingFrom(fs, rng.IntN(400))
				if round == 0 {
					failing = vfstest.NewFailingFrom(fs, 200+rng.IntN(500))
				}
				runUntilBroken(t, failing, l, rng)

				fs = fs.CrashClone(vfs.CrashCloneCfg{
					UnsyncedDataPercent: []int{0, 30, 60, 90, 100}[rng.IntN(5)],
					RNG:                 rng,
				})
				e := open(t, fs, "/data/blob", tiny)
				damaged += l.settle(t, e, fs, "/data/blob")
				rounds++
				if err := e.Close(); err != nil {
					t.Fatal(err)
				}
			}

			// When all that was kept goes, its files go, torn or not.
			e := open(t, fs, "/data/blob", tiny)
			defer e.Close()
			for x := range l.kept {
				l.deleting[x] = true
				if err := e.Delete(t.Context(), x); err != nil {
					t.Fatal(err)
				}
			}
			damaged += l.settle(t, e, fs, "/data/blob")
		})
	}
	// Leftovers that look like damage are the exception, or the sweep is broken.
	if damaged > int64(rounds/50) {
		t.Errorf("%d files look damaged after %d power cuts", damaged, rounds)
	}
	t.Logf("%d files look damaged after %d power cuts", damaged, rounds)
}

// runUntilBroken opens an engine and changes it until the disk breaks, or long
// enough.
func runUntilBroken(t *testing.T, fs *vfstest.Failing, l *ledger, rng *rand.Rand) {
	t.Helper()
	opts := tiny
	opts.FS = fs
	opts.Logger = slog.New(slog.DiscardHandler)
	e, err := fileblob.Open("/data/blob", opts)
	if err != nil {
		if !errors.Is(err, vfstest.ErrInjected) {
			t.Fatalf("open: %v", err)
		}
		return
	}
	first := uint64(e.Mark())
	earlier := maps.Clone(l.kept)
	for range 200 {
		if err := l.change(e, rng); err != nil && !fs.Failed() {
			t.Fatalf("on a whole disk: %v", err)
		}
		if fs.Failed() {
			break
		}
	}
	for x := range l.kept {
		if _, known := earlier[x]; !known && x.File < first {
			t.Fatalf("file number %x is older than the opening %x", x.File, first)
		}
	}
	e.Close() // its error is that of the broken disk
}

// A power cut while many write and delete.
func TestPowerCutConcurrent(t *testing.T) {
	for seed := range uint64(20) {
		fs := vfs.NewCrashableMem()
		e := open(t, fs, "/blob", tiny)
		l := newLedger()
		var wait sync.WaitGroup
		committed := make(chan struct{}, 1<<12)
		stop := make(chan struct{})
		for g := range 6 {
			wait.Go(func() {
				rng := rand.New(rand.NewPCG(seed, uint64(g)))
				for {
					select {
					case <-stop:
						return
					default:
					}
					if err := l.change(e, rng); err != nil {
						t.Errorf("change: %v", err)
						return
					}
					select {
					case committed <- struct{}{}:
					default:
					}
				}
			})
		}
		rng := rand.New(rand.NewPCG(seed, 99))
		for range 20 + rng.IntN(150) {
			<-committed
		}

		// What was committed before the cut is there, unless its deletion had
		// begun when the cut came.
		after := newLedger()
		l.mu.Lock()
		for x, data := range l.kept {
			after.kept[x] = data
		}
		l.mu.Unlock()
		cut := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
		l.mu.Lock()
		for x := range l.deleting {
			after.deleting[x] = true
		}
		l.mu.Unlock()
		close(stop)
		wait.Wait()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}

		e = open(t, cut, "/blob", tiny)
		// Commits between the books and the cut are there too, and swept.
		after.settle(t, e, cut, "/blob")
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Every change of the file system fails once: what was committed reads back,
// before and after the next opening, and nothing else stays.
func TestEveryChangeFails(t *testing.T) {
	dry := vfstest.NewFailing(vfs.NewMem(), -1)
	e := open(t, dry, "/blob", tiny)
	opening := dry.Calls()
	if err := script(e, newLedger()); err != nil {
		t.Fatal(err)
	}
	e.Close()
	total := dry.Calls()
	if total-opening < 40 {
		t.Fatalf("the script makes %d changes", total-opening)
	}

	for n := opening; n < total; n++ {
		mem := vfs.NewMem()
		fs := vfstest.NewFailing(mem, n)
		e := open(t, fs, "/blob", tiny)
		l := newLedger()
		err := script(e, l)
		if err == nil && !fs.Failed() {
			t.Fatalf("change %d: never came", n)
		}
		for x, data := range l.kept {
			if l.deleting[x] {
				continue
			}
			got, err := blobtest.ReadAll(t.Context(), e, []blob.Extent{x})
			if err != nil || !bytes.Equal(got, data) {
				t.Fatalf("change %d: committed extent: %v", n, err)
			}
		}
		err = e.Extents(t.Context(), 0, blob.MaxMark, func(x blob.Extent, _ blob.Owner) error {
			if l.kept[x] == nil {
				return fmt.Errorf("extent %+v was never committed", x)
			}
			return nil
		})
		if err != nil {
			t.Fatalf("change %d: list: %v", n, err)
		}
		e.Close()

		e = open(t, mem, "/blob", tiny)
		l.settle(t, e, mem, "/blob")
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// script goes through every kind of change. It goes on after errors and
// returns the first.
func script(e *fileblob.Engine, l *ledger) (first error) {
	rng := rand.New(rand.NewPCG(5, 5))
	for range 40 {
		if err := l.change(e, rng); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// After a failed sync the engine takes no more writes, and reads and deletes
// go on. The sync is not tried again.
func TestSyncFailureIsFinal(t *testing.T) {
	for _, size := range []int64{100, 100 << 10} {
		dry := vfstest.NewFailing(vfs.NewMem(), -1)
		e := open(t, dry, "/blob", tiny)
		blobtest.Write(t, e, owner, blobtest.Data(1, size))
		blobtest.Write(t, e, owner, blobtest.Data(2, size))
		e.Close()
		// The last change of a small commit is the file's sync; of a large one
		// the directory's.
		n := dry.Calls() - 1

		fs := vfstest.NewFailing(vfs.NewMem(), n)
		e = open(t, fs, "/blob", tiny)
		before := blobtest.Write(t, e, owner, blobtest.Data(1, size))
		w, err := e.Create(t.Context(), owner, size)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(blobtest.Data(2, size)); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Commit(t.Context()); !errors.Is(err, blob.ErrUnavailable) || !errors.Is(err, vfstest.ErrInjected) {
			t.Fatalf("size %d: commit whose sync failed: %v", size, err)
		}
		if _, err := e.Create(t.Context(), owner, size); !errors.Is(err, blob.ErrUnavailable) {
			t.Fatalf("size %d: create after a failed sync: %v", size, err)
		}
		if err := blob.Verify(t.Context(), e, before[0]); err != nil {
			t.Fatalf("size %d: read after a failed sync: %v", size, err)
		}
		if err := e.Delete(t.Context(), before...); err != nil {
			t.Fatalf("size %d: delete after a failed sync: %v", size, err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A full disk fails the write that finds no room, leaves nothing of it, and
// keeps reads and deletes going; what deletes free can be written again.
func TestFullDisk(t *testing.T) {
	for name, reserve := range map[string]int64{"reserve": 300 << 10, "no reserve": -1} {
		for _, size := range []int64{3000, 200 << 10} {
			for _, declared := range []int64{size, -1} {
				t.Run(fmt.Sprintf("%s/%d/%d", name, size, declared), func(t *testing.T) {
					testFullDisk(t, reserve, size, declared)
				})
			}
		}
	}
}

func testFullDisk(t *testing.T, reserve, size, declared int64) {
	const limit = 1 << 20
	mem := vfs.NewMem()
	fs := vfstest.NewLimited(mem, limit)
	opts := tiny
	opts.ReserveBytes = reserve
	e := open(t, fs, "/blob", opts)
	data := blobtest.Data(1, size)
	fill := func() (kept []blob.Extent) {
		t.Helper()
		for {
			x, err := tryWrite(e, data, declared)
			if errors.Is(err, blob.ErrFull) {
				return kept
			}
			if err != nil {
				t.Fatalf("after %d extents: %v", len(kept), err)
			}
			kept = append(kept, x...)
		}
	}

	kept := fill()
	if reserve > 0 && limit-fs.Used() < reserve-16<<10 {
		t.Fatalf("%d bytes of %d are free", limit-fs.Used(), reserve)
	}
	if again := fill(); len(again) > 1 {
		t.Fatalf("%d more extents on a full disk", len(again))
	} else {
		kept = append(kept, again...)
	}
	listed := 0
	if err := e.Extents(t.Context(), 0, blob.MaxMark, func(blob.Extent, blob.Owner) error { listed++; return nil }); err != nil {
		t.Fatal(err)
	}
	if listed != len(kept) {
		t.Fatalf("%d extents listed, %d kept", listed, len(kept))
	}
	for _, x := range kept {
		if err := blob.Verify(t.Context(), e, x); err != nil {
			t.Fatal(err)
		}
	}

	if err := e.Delete(t.Context(), kept...); err != nil {
		t.Fatal(err)
	}
	if again := fill(); len(again) < len(kept)*2/3 {
		t.Fatalf("%d extents fit after %d were deleted", len(again), len(kept))
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

func tryWrite(e *fileblob.Engine, data []byte, declared int64) ([]blob.Extent, error) {
	w, err := e.Create(context.Background(), owner, declared)
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	if _, err := io.Copy(w, bytes.NewReader(data)); err != nil {
		return nil, err
	}
	return w.Commit(context.Background())
}
