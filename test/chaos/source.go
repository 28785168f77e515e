package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/ossastore/ossa/internal/digest"
)

// sums tell whether bytes are the same.
type sums struct {
	sha256 [sha256.Size]byte
	crc64  uint64
	size   int64
}

func sumsOf(r io.Reader) (sums, error) {
	sha, crc := sha256.New(), digest.NewCRC64()
	n, err := io.CopyBuffer(io.MultiWriter(sha, crc), struct{ io.Reader }{r}, make([]byte, 1<<20))
	return sums{[sha256.Size]byte(sha.Sum(nil)), crc.Sum64(), n}, err
}

func sumsOfFile(name string) (sums, error) {
	f, err := os.Open(name)
	if err != nil {
		return sums{}, err
	}
	defer f.Close()
	return sumsOf(f)
}

// block is how much of a file has content of its own, and sparseFrom the size
// from which only one block in sparseIn has any, in bytes. The others are holes.
const (
	block      = 1 << 20
	sparseFrom = 64 << 20
	sparseIn   = 8
)

// write makes a file.
func write(name string, seed uint64, size int64) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	for off := int64(0); off < size; off += block {
		if size >= sparseFrom && off/block%sparseIn != 0 {
			continue
		}
		if _, err := f.WriteAt(noise(seed+uint64(off), min(block, size-off)), off); err != nil {
			return err
		}
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	return f.Close()
}

func noise(seed uint64, n int64) []byte {
	random := rand.NewPCG(seed, 1)
	p := make([]byte, (n+7)/8*8)
	for i := 0; i < len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], random.Uint64())
	}
	return p[:n]
}

// alter changes a file as a plan says.
func alter(name string, c change, seed uint64) error {
	random := rand.New(rand.NewPCG(seed, 2))
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	size := info.Size()
	if c == replace {
		other := name + ".new"
		if err := write(other, seed+1, 1+random.Int64N(2*size)); err != nil {
			return err
		}
		return os.Rename(other, name)
	}
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	switch c {
	case overwrite:
		off := random.Int64N(size)
		_, err = f.WriteAt(noise(seed+1, min(size-off, 1+random.Int64N(block))), off)
	case grow:
		_, err = f.WriteAt(noise(seed+1, 1+random.Int64N(block)), size)
	case shrink:
		err = f.Truncate(random.Int64N(size))
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// machine is where a client runs: a directory with the file and nothing else,
// and a home with nothing at all.
type machine struct{ dir, home, file string }

func newMachine(dir string) (*machine, error) {
	m := &machine{dir: filepath.Join(dir, "files"), home: filepath.Join(dir, "home")}
	m.file = filepath.Join(m.dir, "file")
	for _, d := range []string{m.dir, m.home} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// bring moves the file to another machine. Its time there is another one.
func (m *machine) bring(to *machine) error {
	from, err := os.Open(m.file)
	if err != nil {
		return err
	}
	defer from.Close()
	info, err := from.Stat()
	if err != nil {
		return err
	}
	if info.Size() >= sparseFrom {
		return os.Rename(m.file, to.file) // the disk is small
	}
	f, err := os.Create(to.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, from); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Remove(m.file)
}

// tidy finds what a client has left behind.
func (m *machine) tidy() error {
	var left bytes.Buffer
	for _, d := range []string{m.dir, m.home} {
		err := filepath.WalkDir(d, func(name string, e os.DirEntry, err error) error {
			if err == nil && name != d && name != m.file {
				fmt.Fprintf(&left, " %s", name)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	if left.Len() > 0 {
		return fmt.Errorf("the client left behind:%s", &left)
	}
	return nil
}
