// Package memblob keeps extents in memory: the engine for tests of what lies
// above the blob seam, and the simplest reading of the seam itself. Nothing
// survives the process, and nothing bounds what it holds but SetFull.
package memblob

import (
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"sync"

	"github.com/ossastore/ossa/internal/blob"
)

// blockBytes is the length of the blocks whose checksums make up Extent.Sum,
// as in the engine of data files.
const blockBytes = 64 << 10

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Engine is a blob.Engine and blob.Lister in memory.
type Engine struct {
	mu      sync.RWMutex
	extents map[uint64]entry // by file number; every extent is its own file
	next    uint64           // next file number
	full    bool
	closed  bool
}

type entry struct {
	extent blob.Extent
	owner  blob.Owner
	data   []byte
	sums   []uint32 // of the blocks as they were written
}

var (
	_ blob.Engine = (*Engine)(nil)
	_ blob.Lister = (*Engine)(nil)
)

// New returns an empty engine.
func New() *Engine {
	return &Engine{extents: map[uint64]entry{}, next: 1}
}

// SetFull makes Create and Commit fail with blob.ErrFull from now on, or no
// longer. Reads and deletes go on.
func (m *Engine) SetFull(full bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.full = full
}

// Corrupt flips a bit of the byte at offset off of e, so that reads of its
// block are blob.ErrCorrupt. It reports whether there is such a byte.
func (m *Engine) Corrupt(e blob.Extent, off int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	en, ok := m.extents[e.File]
	if !ok || off < 0 || off >= int64(len(en.data)) {
		return false
	}
	// Readers may hold the old bytes: change a copy.
	en.data = append([]byte(nil), en.data...)
	en.data[off] ^= 1
	m.extents[e.File] = en
	return true
}

// Len returns how many extents there are.
func (m *Engine) Len() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.extents)
}

// Create implements blob.Engine.
func (m *Engine) Create(ctx context.Context, owner blob.Owner, size int64) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return nil, blob.ErrUnavailable
	}
	if m.full {
		return nil, blob.ErrFull
	}
	number := m.next
	m.next++
	return &writer{engine: m, number: number, owner: owner, size: size}, nil
}

// ReadAt implements blob.Engine.
func (m *Engine) ReadAt(ctx context.Context, e blob.Extent, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	m.mu.RLock()
	en, ok := m.extents[e.File]
	closed := m.closed
	m.mu.RUnlock()
	switch {
	case closed:
		return 0, blob.ErrUnavailable
	case !ok || e.Offset != 0:
		return 0, fmt.Errorf("%w: file %d offset %d", blob.ErrNotFound, e.File, e.Offset)
	case e != en.extent:
		return 0, fmt.Errorf("%w: file %d offset %d", blob.ErrCorrupt, e.File, e.Offset)
	case off < 0:
		return 0, fmt.Errorf("read at negative offset %d", off)
	case off >= e.Length:
		return 0, io.EOF
	}
	end := min(off+int64(len(p)), e.Length)
	for b := off / blockBytes; b*blockBytes < end; b++ {
		block := en.data[b*blockBytes : min((b+1)*blockBytes, e.Length)]
		if crc32.Checksum(block, castagnoli) != en.sums[b] {
			return 0, fmt.Errorf("%w: file %d offset %d: block %d", blob.ErrCorrupt, e.File, e.Offset, b)
		}
	}

	n := copy(p, en.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Delete implements blob.Engine.
func (m *Engine) Delete(ctx context.Context, extents ...blob.Extent) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return blob.ErrUnavailable
	}
	for _, e := range extents {
		if e.Offset == 0 {
			delete(m.extents, e.File)
		}
	}
	return nil
}

// Close implements blob.Engine. The extents stay, but nothing reaches them.
func (m *Engine) Close() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

// Mark implements blob.Lister.
func (m *Engine) Mark() blob.Mark {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return blob.Mark(m.next)
}

// Extents implements blob.Lister. fn may call the engine.
func (m *Engine) Extents(ctx context.Context, from, to blob.Mark, fn func(blob.Extent, blob.Owner) error) error {
	m.mu.RLock()
	var found []blob.Owned
	for number, en := range m.extents {
		if blob.Mark(number) >= from && blob.Mark(number) < to {
			found = append(found, blob.Owned{Extent: en.extent, Owner: en.owner})
		}
	}
	m.mu.RUnlock()

	for _, o := range found {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := fn(o.Extent, o.Owner); err != nil {
			return err
		}
	}
	return nil
}

// writer gathers the bytes of one extent.
type writer struct {
	engine *Engine
	number uint64
	owner  blob.Owner
	size   int64 // declared; -1 when unknown
	data   []byte
	long   bool // more was written than declared
	ended  bool
}

func (w *writer) Write(p []byte) (int, error) {
	if w.ended {
		return 0, fmt.Errorf("write after the end of a blob writer")
	}
	if w.size >= 0 && int64(len(w.data)+len(p)) > w.size {
		w.long = true
	}
	if w.long {
		return 0, blob.ErrSize
	}
	w.data = append(w.data, p...)
	return len(p), nil
}

func (w *writer) Commit(ctx context.Context) ([]blob.Extent, error) {
	if w.ended {
		return nil, fmt.Errorf("commit after the end of a blob writer")
	}
	w.ended = true
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if w.long || w.size >= 0 && w.size != int64(len(w.data)) {
		return nil, fmt.Errorf("%w: %d bytes", blob.ErrSize, len(w.data))
	}

	w.engine.mu.Lock()
	defer w.engine.mu.Unlock()
	switch {
	case w.engine.closed:
		return nil, blob.ErrUnavailable
	case len(w.data) == 0:
		return nil, nil
	case w.engine.full:
		return nil, blob.ErrFull
	}
	sums := blockSums(w.data)
	e := blob.Extent{File: w.number, Length: int64(len(w.data)), Sum: sumOf(sums)}
	w.engine.extents[w.number] = entry{extent: e, owner: w.owner, data: w.data, sums: sums}
	return []blob.Extent{e}, nil
}

func (w *writer) Abort() {
	w.ended = true
	w.data = nil
}

// blockSums returns the CRC-32C of each block of data.
func blockSums(data []byte) []uint32 {
	var sums []uint32
	for len(data) > 0 {
		n := min(blockBytes, len(data))
		sums = append(sums, crc32.Checksum(data[:n], castagnoli))
		data = data[n:]
	}
	return sums
}

// sumOf is Extent.Sum: CRC-32C over the blocks' checksums, little-endian.
func sumOf(sums []uint32) uint32 {
	var table []byte
	for _, s := range sums {
		table = binary.LittleEndian.AppendUint32(table, s)
	}
	return crc32.Checksum(table, castagnoli)
}
