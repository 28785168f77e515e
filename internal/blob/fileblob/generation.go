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

	generationBytes = 20 // magic, generation, CRC-32C of both
)

func generationOf(number uint64) uint64 { return number >> counterBits }

// nextGeneration reads the generation of the last opening of dir, makes the
// next one durable and returns it. A directory without the file is new, and
// then must hold no data.
func nextGeneration(fs vfs.FS, dir string, hasData bool) (uint64, error) {
	name := fs.PathJoin(dir, "generation")
	last, err := readGeneration(fs, name)
	switch {
	case errors.Is(err, os.ErrNotExist) && hasData:
		return 0, fmt.Errorf("%w: %s is missing beside data files", blob.ErrCorrupt, name)
	case errors.Is(err, os.ErrNotExist):
		last = 0
	case err != nil:
		return 0, err
	}
	if last >= maxGeneration {
		return 0, fmt.Errorf("fileblob: generation %d is the last", last)
	}
	return last + 1, writeGeneration(fs, dir, name, last+1)
}

func readGeneration(fs vfs.FS, name string) (uint64, error) {
	f, err := fs.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()

	p, err := io.ReadAll(io.LimitReader(f, generationBytes+1))
	if err != nil {
		return 0, err
	}
	generation, err := parseGeneration(p)
	if err != nil {
		return 0, fmt.Errorf("%w: %s: %w", blob.ErrCorrupt, name, err)
	}
	return generation, nil
}

func parseGeneration(p []byte) (uint64, error) {
	if len(p) != generationBytes || string(p[:8]) != generationMagic || le.Uint32(p[16:]) != crc32c(p[:16]) {
		return 0, errFormat
	}
	return le.Uint64(p[8:]), nil
}

func writeGeneration(fs vfs.FS, dir, name string, generation uint64) error {
	p := append([]byte(nil), generationMagic...)
	p = le.AppendUint64(p, generation)
	p = le.AppendUint32(p, crc32c(p))

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
