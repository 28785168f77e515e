package fileblob_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/fileblob"
)

// File numbers are never used twice, even when nothing is left of the earlier
// openings.
func TestNumbersNeverReturn(t *testing.T) {
	mem := vfs.NewMem()
	seen := map[uint64]bool{}
	last := blob.Mark(0)
	for range 5 {
		e := open(t, mem, "/blob", tiny)
		if e.Mark() <= last {
			t.Fatalf("mark %x after %x", e.Mark(), last)
		}
		for _, n := range []int64{100, 20 << 10, 30 << 10} {
			x := blobtest.Write(t, e, owner, blobtest.Data(1, n))[0]
			if seen[x.File] {
				t.Fatalf("file number %x comes twice", x.File)
			}
			seen[x.File] = true
			if err := e.Delete(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
		last = e.Mark()
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
		for name := range dataFiles(t, mem, "/blob") {
			if err := mem.Remove(name); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// One process opens a directory at a time.
func TestLocked(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem, "/blob", tiny)
	if _, err := fileblob.Open("/blob", fileblob.Options{FS: mem}); err == nil {
		t.Fatal("opened twice")
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, mem, "/blob", tiny).Close(); err != nil {
		t.Fatal(err)
	}
}

// Segments come back: those that are dead go, those that are mostly garbage
// are offered for rewriting, and an empty one goes with the next sweep.
func TestReclaimSegments(t *testing.T) {
	mem := vfs.NewMem()
	e := open(t, mem, "/blob", tiny)
	files := map[uint64][]blob.Extent{}
	owners := map[blob.Extent]blob.Owner{}
	for i := range 60 {
		o := blob.Owner{Bucket: "b", Key: string(rune('a' + i))}
		x := blobtest.Write(t, e, o, blobtest.Data(uint64(i), 8000))[0]
		files[x.File] = append(files[x.File], x)
		owners[x] = o
	}
	if s := e.Stats(); s.Segments != len(files) || s.Segments < 4 || s.GarbageBytes != 0 {
		t.Fatalf("%d files, %+v", len(files), s)
	}
	if sparse, err := e.Sparse(t.Context(), 1000); err != nil || len(sparse) != 0 {
		t.Fatalf("%d extents of whole segments are sparse, %v", len(sparse), err)
	}

	// Of each segment all but two extents go, twice and in two openings.
	for _, xs := range files {
		for range 2 {
			if err := e.Delete(t.Context(), xs[2:]...); err != nil {
				t.Fatal(err)
			}
		}
	}
	before := e.Stats().GarbageBytes
	e.Close()
	e = open(t, mem, "/blob", tiny)
	if got := e.Stats().GarbageBytes; got != before {
		t.Fatalf("%d bytes of garbage, %d before opening", got, before)
	}
	sparse, err := e.Sparse(t.Context(), 3)
	if err != nil || len(sparse) != 3 {
		t.Fatalf("%d of 3 sparse extents, %v", len(sparse), err)
	}
	if sparse, err = e.Sparse(t.Context(), 1000); err != nil {
		t.Fatal(err)
	}
	want, got := map[blob.Extent]blob.Owner{}, map[blob.Extent]blob.Owner{}
	for _, xs := range files {
		if len(xs) > 4 {
			want[xs[0]], want[xs[1]] = owners[xs[0]], owners[xs[1]]
		}
	}
	for i, o := range sparse {
		got[o.Extent] = o.Owner
		if i > 0 && o.Extent.File < sparse[i-1].Extent.File {
			t.Fatal("the oldest do not come first")
		}
	}
	if !maps.Equal(got, want) {
		t.Fatalf("%d sparse extents, %d expected", len(got), len(want))
	}

	for _, xs := range files {
		if err := e.Delete(t.Context(), xs...); err != nil {
			t.Fatal(err)
		}
	}
	if left := dataFiles(t, mem, "/blob"); len(left) != 0 {
		t.Fatalf("dead files stay: %v", left)
	}
	if s := e.Stats(); s.Segments != 0 || s.SegmentsRemoved != int64(len(files)) {
		t.Fatalf("%+v", s)
	}
	e.Close()
}

var rewrite = flag.Bool("rewrite", false, "write testdata/golden-v1 anew")

// goldenFile is what testdata/golden-v1/extents.json says of each extent.
type goldenExtent struct {
	Extent  blob.Extent
	Owner   blob.Owner
	Seed    uint64 // of blobtest.Data
	Deleted bool
}

// A directory written by the first version of the format is read as it was.
func TestGolden(t *testing.T) {
	const golden = "testdata/golden-v1"
	if *rewrite {
		writeGolden(t, golden)
	}
	text, err := os.ReadFile(filepath.Join(golden, "extents.json"))
	if err != nil {
		t.Fatal(err)
	}
	var extents []goldenExtent
	if err := json.Unmarshal(text, &extents); err != nil {
		t.Fatal(err)
	}

	mem := vfs.NewMem()
	if ok, err := vfs.Clone(vfs.Default, mem, golden, "blob"); !ok || err != nil {
		t.Fatalf("%t, %v", ok, err)
	}
	e := open(t, mem, "blob", fileblob.Options{})
	defer e.Close()
	want, got := map[blob.Extent]blob.Owner{}, map[blob.Extent]blob.Owner{}
	for _, g := range extents {
		if g.Deleted {
			if _, err := blobtest.ReadAll(t.Context(), e, []blob.Extent{g.Extent}); err == nil {
				t.Errorf("%+v was deleted", g.Extent)
			}
			continue
		}
		want[g.Extent] = g.Owner
		data, err := blobtest.ReadAll(t.Context(), e, []blob.Extent{g.Extent})
		if err != nil || !bytes.Equal(data, blobtest.Data(g.Seed, g.Extent.Length)) {
			t.Errorf("%+v: wrong bytes, error %v", g.Extent, err)
		}
	}
	err = e.Extents(t.Context(), 0, e.Mark(), func(x blob.Extent, o blob.Owner) error {
		got[x] = o
		return nil
	})
	if err != nil || !maps.Equal(got, want) {
		t.Errorf("%d extents listed, %d expected, error %v", len(got), len(want), err)
	}
}

func writeGolden(t *testing.T, dir string) {
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	opts := fileblob.Options{LargeBytes: 4 << 10, BlockBytes: 4 << 10, SegmentBytes: 64 << 10}
	e := open(t, vfs.Default, dir, opts)
	var all []goldenExtent
	for i, n := range []int64{1, 100, 4095, 4096, 9000} {
		o := blob.Owner{Bucket: "17", Key: "key/\x00ÿ", Version: "v1"}
		if i%2 == 1 {
			o = blob.Owner{Bucket: "17", Key: "up", UploadID: "00112233445566778899AABBCCDDEEFF", PartNumber: i, Manifest: i == 3}
		}
		seed := uint64(100 + i)
		x := blobtest.Write(t, e, o, blobtest.Data(seed, n))[0]
		all = append(all, goldenExtent{Extent: x, Owner: o, Seed: seed, Deleted: i == 1})
	}
	if err := e.Delete(t.Context(), all[1].Extent); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "LOCK")); err != nil {
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(all, "", "\t")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "extents.json"), append(text, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
