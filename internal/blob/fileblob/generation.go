package fileblob

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// A file number is a generation and a counter. The generation grows with
// every opening, durably and before any file is made, so that no number is
// used twice, whatever was deleted or lost. 40 bits count a million files a
// second for twelve days, or a thousand for 34 years; 24 bits allow one
// opening a minute for as long.
const counterBits = 40

const (
	maxGeneration = 1<<(64-counterBits) - 1
	maxCounter    = 1<<counterBits - 1

	generationBytes = 20   // magic, generation, CRC-32C of both
	generationSlot  = 4096 // a page, of which the rest is zero
)

func generationOf(number uint64) uint64 { return number >> counterBits }

// nextGeneration reads the generation of the last opening of dir, makes a
// greater one durable and returns it. A directory without the file is new, and
// then must hold no data.
//
// The file has two slots: the last generation and the one before, which the
// next opening writes over in place. So a disk without a free byte can be
// opened.
func nextGeneration(fs vfs.FS, dir string, hasData bool) (uint64, error) {
	name := fs.PathJoin(dir, "generation")
	p, err := readGenerations(fs, name)
	switch {
	case errors.Is(err, os.ErrNotExist) && hasData:
		return 0, fmt.Errorf("%w: %s is missing beside data files", blob.ErrCorrupt, name)
	case errors.Is(err, os.ErrNotExist):
		return 1, makeGenerations(fs, dir, name, 1)
	case err != nil:
		return 0, err
	}
	next, err := raiseGeneration(fs, dir, name, p)
	if errors.Is(err, errFormat) {
		err = fmt.Errorf("%w: %s: %w", blob.ErrCorrupt, name, err)
	}
	return next, err
}

// raiseGeneration makes the generation after those that p, the content of the
// file, tells of. errFormat if it tells nothing.
func raiseGeneration(fs vfs.FS, dir, name string, p []byte) (uint64, error) {
	switch len(p) {
	case generationBytes: // the file had one generation at first
		last, err := parseGeneration(p)
		if err != nil {
			return 0, err
		}
		if last >= maxGeneration {
			return 0, fmt.Errorf("fileblob: generation %d is the last", last)
		}
		return last + 1, makeGenerations(fs, dir, name, last+1)
	case 2 * generationSlot:
	default:
		return 0, errFormat
	}

	a, errA := parseGeneration(p[:generationBytes])
	b, errB := parseGeneration(p[generationSlot:][:generationBytes])
	last := max(a, b)
	if last > maxGeneration-3 {
		return 0, fmt.Errorf("fileblob: generation %d is the last", last)
	}
	switch {
	case errA != nil && errB != nil:
		return 0, errFormat
	case errA == nil && errB == nil && a < b:
		return last + 1, writeGenerations(fs, name, slotWrite{0, last + 1})
	case errA == nil && errB == nil:
		return last + 1, writeGenerations(fs, name, slotWrite{1, last + 1})
	}
	// The slot that cannot be read was being written when the power went, or it
	// is damaged and was the last one: a generation in use, by one above what
	// the other says. Two writes leave two slots that follow one another again,
	// which is what the next opening goes by.
	bad := 0
	if errB != nil {
		bad = 1
	}
	return last + 3, writeGenerations(fs, name, slotWrite{bad, last + 2}, slotWrite{1 - bad, last + 3})
}

func readGenerations(fs vfs.FS, name string) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, 2*generationSlot+1))
}

// parseGeneration decodes the front of a slot. It returns 0 with an error.
func parseGeneration(p []byte) (uint64, error) {
	if len(p) != generationBytes || string(p[:8]) != generationMagic || le.Uint32(p[16:]) != crc32c(p[:16]) {
		return 0, errFormat
	}
	return le.Uint64(p[8:]), nil
}

func appendGeneration(p []byte, generation uint64) []byte {
	start := len(p)
	p = append(p, generationMagic...)
	p = le.AppendUint64(p, generation)
	return le.AppendUint32(p, crc32c(p[start:]))
}

// makeGenerations makes the file, with generation and the one before it.
func makeGenerations(fs vfs.FS, dir, name string, generation uint64) error {
	p := make([]byte, 2*generationSlot)
	appendGeneration(p[:0], generation-1)
	appendGeneration(p[generationSlot:][:0], generation)

	f, err := fs.Create(name+".tmp", vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = f.Write(p)
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return err
	}
	if err := fs.Rename(name+".tmp", name); err != nil {
		return err
	}
	return syncDir(fs, dir)
}

// slotWrite is what to write into a slot of the file.
type slotWrite struct {
	slot       int
	generation uint64
}

// writeGenerations writes over slots of the file, each durable before the next.
func writeGenerations(fs vfs.FS, name string, writes ...slotWrite) error {
	f, err := fs.OpenReadWrite(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	for _, w := range writes {
		if _, err = f.WriteAt(appendGeneration(nil, w.generation), int64(w.slot)*generationSlot); err != nil {
			break
		}
		if err = f.Sync(); err != nil {
			break
		}
	}
	return errors.Join(err, f.Close())
}

// syncDir makes the names within dir durable.
func syncDir(fs vfs.FS, dir string) error {
	d, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// makeDir makes dir and its ancestors, each durable in the one above.
func makeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(fs, parent)
}
