package fileblob_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/fileblob"
)

// flip changes one bit of a file, and back when called again.
func flip(t testing.TB, fs vfs.FS, name string, off int64) {
	t.Helper()
	f, err := fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], off); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 1 << (off % 8)
	if _, err := f.WriteAt(b[:], off); err != nil {
		t.Fatal(err)
	}
}

// theFile returns the name and length of the only file that ends in suffix.
func theFile(t testing.TB, fs vfs.FS, dir, suffix string) (string, int64) {
	t.Helper()
	found := ""
	files := dataFiles(t, fs, dir)
	for name := range files {
		isLarge := strings.Contains(name, "/large/")
		if suffix == "" && isLarge || suffix != "" && strings.HasSuffix(name, suffix) {
			if found != "" {
				t.Fatalf("%s and %s", found, name)
			}
			found = name
		}
	}
	if found == "" {
		t.Fatalf("no %q file among %v", suffix, files)
	}
	return found, files[found]
}

// A bit that flips anywhere in the file of a large extent is noticed, but for
// the padding before the footer; the file stays, and is reported.
func TestDamagedLarge(t *testing.T) {
	for _, declared := range []bool{true, false} {
		mem := vfs.NewMem()
		e := open(t, mem, "/blob", tiny)
		data := blobtest.Data(1, 20<<10)
		size := int64(len(data))
		if !declared {
			size = -1
		}
		extents, err := tryWrite(e, data, size)
		if err != nil {
			t.Fatal(err)
		}
		e.Close()
		name, length := theFile(t, mem, "/blob", "")

		// Header 4096, data 20480, table 20, padding 12 + 32, footer 64.
		tableEnd := int64(4096 + 20<<10 + 20)
		footer := length - 64
		for off := int64(0); off < length; off += step(off, length) {
			flip(t, mem, name, off)
			e := open(t, mem, "/blob", tiny)
			got, err := blobtest.ReadAll(t.Context(), e, extents)
			if padding := off >= tableEnd && off < footer; padding {
				if err != nil || !bytes.Equal(got, data) {
					t.Fatalf("bit of byte %d, padding: %v", off, err)
				}
			} else if !errors.Is(err, blob.ErrCorrupt) {
				t.Fatalf("bit of byte %d of %d: %v", off, length, err)
			}

			// The sweep neither shows nor removes what it cannot vouch for.
			listed := 0
			err = e.Extents(t.Context(), 0, blob.MaxMark, func(blob.Extent, blob.Owner) error { listed++; return nil })
			if err != nil {
				t.Fatal(err)
			}
			frame := off < 4096 || off >= footer
			if s := e.Stats(); frame != (listed == 0) || frame != (s.Damaged == 1) || s.Leftovers != 0 {
				t.Fatalf("bit of byte %d of %d: %d listed, %+v", off, length, listed, s)
			}
			e.Close()
			flip(t, mem, name, off)
		}

		e = open(t, mem, "/blob", tiny)
		if got, err := blobtest.ReadAll(t.Context(), e, extents); err != nil || !bytes.Equal(got, data) {
			t.Fatalf("repaired file: %v", err)
		}
		e.Close()
	}
}

// step goes through frames byte by byte and through data in strides.
func step(off, length int64) int64 {
	switch {
	case off < 160 || off >= 4080 && off < 4100 || off >= length-200:
		return 1
	case off < 4096:
		return 97
	}
	return min(509, length-200-off)
}

// A bit that flips in a segment damages at most the record it lies in, and the
// segment stays.
func TestDamagedSegment(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem, "/blob", tiny)
	var extents []blob.Extent
	var datas [][]byte
	for i, n := range []int64{100, 9000, 50} {
		datas = append(datas, blobtest.Data(uint64(i), n))
		extents = append(extents, blobtest.Write(t, e, owner, datas[i])...)
	}
	e.Close()
	name, length := theFile(t, mem, "/blob", ".seg")

	corrupt := 0
	for off := int64(0); off < length; off += step(off, length) {
		flip(t, mem, name, off)
		e := open(t, mem, "/blob", tiny)
		for i, x := range extents {
			got, err := blobtest.ReadAll(t.Context(), e, extents[i:i+1])
			within := off < 4096 || off >= int64(x.Offset) && (i == 2 || off < int64(extents[i+1].Offset))
			switch {
			case err == nil && bytes.Equal(got, datas[i]):
			case within && errors.Is(err, blob.ErrCorrupt):
				corrupt++
			default:
				t.Fatalf("bit of byte %d, extent %d: %v", off, i, err)
			}
			head := off < 4096 || off >= int64(x.Offset) && off < int64(x.Offset)+40+x.Length
			if head && within && err == nil {
				t.Fatalf("bit of byte %d, extent %d: not noticed", off, i)
			}
		}
		err := e.Extents(t.Context(), 0, blob.MaxMark, func(x blob.Extent, o blob.Owner) error {
			for i := range extents {
				if x == extents[i] && o == owner {
					return nil
				}
			}
			return fmt.Errorf("nobody wrote %+v for %+v", x, o)
		})
		if err != nil {
			t.Fatalf("bit of byte %d: %v", off, err)
		}
		e.Close()
		if _, ok := dataFiles(t, mem, "/blob")[name]; !ok {
			t.Fatalf("bit of byte %d: the segment is gone", off)
		}
		flip(t, mem, name, off)
	}
	if corrupt == 0 {
		t.Fatal("nothing was noticed")
	}
}

// A file that is cut short is corrupt wherever the cut is.
func TestTruncated(t *testing.T) {
	for _, size := range []int64{5000, 20 << 10} {
		mem := vfs.NewMem()
		e := open(t, mem, "/blob", tiny)
		extents := blobtest.Write(t, e, owner, blobtest.Data(1, size))
		e.Close()
		suffix := ""
		if size < 16<<10 {
			suffix = ".seg"
		}
		name, length := theFile(t, mem, "/blob", suffix)
		whole, err := mem.UnsafeGetFileDataBuffer(name)
		if err != nil {
			t.Fatal(err)
		}
		whole = bytes.Clone(whole)
		needed := length
		if suffix != "" {
			needed = int64(extents[0].Offset) + 40 + 8 + size // the owner is not needed to read
		}
		for cut := int64(0); cut < needed; cut += 211 {
			put(t, mem, name, whole[:cut])
			e := open(t, mem, "/blob", tiny)
			if _, err := blobtest.ReadAll(t.Context(), e, extents); !errors.Is(err, blob.ErrCorrupt) {
				t.Fatalf("cut at %d of %d: %v", cut, length, err)
			}
			e.Close()
		}
	}
}

// A segment that is cut within the padding of its last record lost nothing, and
// listing it does not take the record for torn, nor its file for garbage.
func TestPaddingCut(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem, "/blob", tiny)
	extents := blobtest.Write(t, e, owner, blobtest.Data(1, 4999))
	e.Close()
	name, length := theFile(t, mem, "/blob", ".seg")
	whole, err := mem.UnsafeGetFileDataBuffer(name)
	if err != nil {
		t.Fatal(err)
	}
	if whole[length-1] != 0 {
		t.Fatal("the record has no padding")
	}
	put(t, mem, name, bytes.Clone(whole[:length-1]))

	e = open(t, mem, "/blob", tiny)
	defer e.Close()
	listed := 0
	err = e.Extents(t.Context(), 0, e.Mark(), func(x blob.Extent, o blob.Owner) error {
		if x != extents[0] || o != owner {
			t.Errorf("listed %+v of %+v", x, o)
		}
		listed++
		return nil
	})
	if err != nil || listed != 1 {
		t.Fatalf("%d extents listed, %v", listed, err)
	}
	if err := blob.Verify(t.Context(), e, extents[0]); err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, fs vfs.FS, name string, data []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(bytes.Clone(data)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// A file under another's name is noticed.
func TestMisdirected(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem, "/blob", tiny)
	data := blobtest.Data(1, 20<<10)
	a := blobtest.Write(t, e, owner, data)[0]
	b := blobtest.Write(t, e, owner, data)[0]
	e.Close()
	nameOf := func(x blob.Extent) string { return fmt.Sprintf("/blob/large/%02x/%016x", x.File%256, x.File) }
	if err := mem.Rename(nameOf(a), nameOf(b)); err != nil {
		t.Fatal(err)
	}
	e = open(t, mem, "/blob", tiny)
	defer e.Close()
	if err := blob.Verify(t.Context(), e, b); !errors.Is(err, blob.ErrCorrupt) {
		t.Fatalf("another extent's file: %v", err)
	}
}

// A damaged sidecar forgets deletions at worst: no live extent suffers.
func TestDamagedSidecar(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem, "/blob", tiny)
	var extents []blob.Extent
	for i := range 6 {
		extents = append(extents, blobtest.Write(t, e, owner, blobtest.Data(uint64(i), 900))...)
	}
	if err := e.Delete(t.Context(), extents[:3]...); err != nil {
		t.Fatal(err)
	}
	e.Close()
	name, length := theFile(t, mem, "/blob", ".dead")
	if length != 3*16 {
		t.Fatalf("sidecar of %d bytes", length)
	}
	for off := range length {
		flip(t, mem, name, off)
		e := open(t, mem, "/blob", tiny)
		for i, x := range extents {
			err := blob.Verify(t.Context(), e, x)
			forgotten := off/16 == int64(i)
			if dead := i < 3 && !forgotten; dead != errors.Is(err, blob.ErrNotFound) || !dead && err != nil {
				t.Fatalf("bit of byte %d, extent %d: %v", off, i, err)
			}
		}
		e.Close()
		flip(t, mem, name, off)
	}

	// Torn and repeated entries: each deletion counts once, and new ones are
	// appended where they are found again.
	whole, err := mem.UnsafeGetFileDataBuffer(name)
	if err != nil {
		t.Fatal(err)
	}
	whole = bytes.Clone(whole)
	e = open(t, mem, "/blob", tiny)
	garbage := e.Stats().GarbageBytes
	e.Close()
	put(t, mem, name, append(append(whole, whole...), whole[:7]...))
	e = open(t, mem, "/blob", tiny)
	if got := e.Stats().GarbageBytes; got != garbage {
		t.Fatalf("%d bytes of garbage, %d before entries were repeated", got, garbage)
	}
	if err := e.Delete(t.Context(), extents[3]); err != nil {
		t.Fatal(err)
	}
	e.Close()
	e = open(t, mem, "/blob", tiny)
	defer e.Close()
	for i, x := range extents {
		if err := blob.Verify(t.Context(), e, x); (i < 4) != errors.Is(err, blob.ErrNotFound) {
			t.Fatalf("extent %d: %v", i, err)
		}
	}
}

// A directory whose generation is damaged in both slots, cut short or lost is
// not opened: file numbers might come twice.
func TestDamagedGeneration(t *testing.T) {
	mem := vfs.NewMem()
	open(t, mem, "/blob", tiny).Close()
	refused := func(what string) {
		t.Helper()
		if _, err := fileblob.Open("/blob", fileblob.Options{FS: mem}); !errors.Is(err, blob.ErrCorrupt) {
			t.Fatalf("%s: %v", what, err)
		}
	}
	for off := range int64(20) {
		flip(t, mem, "/blob/generation", off)
		flip(t, mem, "/blob/generation", 4096+19-off)
		refused(fmt.Sprintf("bits of byte %d", off))
		flip(t, mem, "/blob/generation", off)
		flip(t, mem, "/blob/generation", 4096+19-off)
	}
	whole := contentOf(t, mem, "/blob/generation")
	for _, n := range []int{0, 1, 4096, 4096 + 20, len(whole) - 1} {
		setContent(t, mem, "/blob/generation", whole[:n])
		refused(fmt.Sprintf("%d bytes", n))
	}
	if err := mem.Remove("/blob/generation"); err != nil {
		t.Fatal(err)
	}
	refused("lost")
}

func contentOf(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	p, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func setContent(t *testing.T, fs vfs.FS, name string, p []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(p); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
