package fileblob

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/vfstest"
)

// begin opens dir d of fs as far as its generation.
func begin(fs vfs.FS) (uint64, error) {
	if err := makeDir(fs, "d"); err != nil {
		return 0, err
	}
	return nextGeneration(fs, "d", false)
}

// Generations follow one another; the file stays two pages.
func TestGenerations(t *testing.T) {
	mem := vfs.NewMem()
	for want := uint64(1); want <= 9; want++ {
		if got, err := begin(mem); err != nil || got != want {
			t.Fatalf("generation %d, %v; want %d", got, err, want)
		}
		if info, err := mem.Stat("d/generation"); err != nil || info.Size() != 2*generationSlot {
			t.Fatalf("%v, %v", info, err)
		}
	}
}

// The file that had one generation only is read, and becomes one of two.
func TestOneGeneration(t *testing.T) {
	mem := vfs.NewMem()
	if err := mem.MkdirAll("d", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, mem, "d/generation", appendGeneration(nil, 77))
	for want := uint64(78); want <= 80; want++ {
		if got, err := begin(mem); err != nil || got != want {
			t.Fatalf("generation %d, %v; want %d", got, err, want)
		}
	}
}

// A disk without a free byte can be opened as often as one likes.
func TestGenerationOnFullDisk(t *testing.T) {
	fs := vfstest.NewLimited(vfs.NewMem(), 1<<20)
	last, err := begin(fs)
	if err != nil {
		t.Fatal(err)
	}
	fs.SetLimit(0)
	for range 10 {
		next, err := begin(fs)
		if err != nil || next <= last {
			t.Fatalf("generation %d after %d, %v", next, last, err)
		}
		last = next
	}
}

// Whatever happens to one slot, no generation comes twice; without both, none
// comes.
func TestGenerationSlotDamaged(t *testing.T) {
	for lives := 1; lives <= 4; lives++ {
		for _, damaged := range [][]int{{0}, {1}, {0, 0}, {1, 1}, {0, 1, 0}, {1, 0, 1}} {
			mem := vfs.NewMem()
			last := uint64(0)
			live := func() {
				next, err := begin(mem)
				if err != nil || next <= last {
					t.Fatalf("generation %d after %d, %v", next, last, err)
				}
				last = next
			}
			for range lives {
				live()
			}
			for _, slot := range damaged {
				spoil(t, mem, slot)
				live()
			}
			live()
			spoil(t, mem, 0)
			spoil(t, mem, 1)
			if _, err := begin(mem); !errors.Is(err, blob.ErrCorrupt) {
				t.Fatalf("without a slot: %v", err)
			}
		}
	}
}

// Power cuts at any moment, slots torn included, take no generation back.
func TestGenerationPowerCut(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		mem := vfs.NewCrashableMem()
		last := uint64(0)
		for range 12 {
			next, err := begin(vfstest.NewFailingFrom(mem, rng.IntN(9)))
			if err == nil {
				if next <= last {
					t.Fatalf("seed %d: generation %d after %d", seed, next, last)
				}
				last = next
			} else if errors.Is(err, blob.ErrCorrupt) {
				t.Fatalf("seed %d: %v", seed, err)
			}
			mem = mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 50, RNG: rng})
		}
		if next, err := begin(mem); err != nil || next <= last {
			t.Fatalf("seed %d: generation %d after %d, %v", seed, next, last, err)
		}
	}
}

// spoil makes a slot of the file unreadable.
func spoil(t *testing.T, fs vfs.FS, slot int) {
	t.Helper()
	f, err := fs.OpenReadWrite("d/generation", vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xa5}, 17), int64(slot)*generationSlot); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

func writeFile(t *testing.T, fs vfs.FS, name string, p []byte) {
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
