package fileblob

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// maxTableBytes bounds the checksum tables of the files kept open: those of
// 256 GiB of large extents.
const maxTableBytes = 16 << 20

// handle is a data file open for reading, with what its frame says.
type handle struct {
	number uint64
	kind   kind
	file   vfs.File
	block  int64

	// Of a large extent.
	length int64
	sum    uint32
	table  []byte

	opened sync.Mutex // held while the file is being opened
	err    error

	// Guarded by the cache.
	refs    int
	place   *list.Element // nil when no longer in the cache
	counted bool          // its table is part of the cache's tables
}

// handleCache keeps the files that were read last open.
type handleCache struct {
	engine *Engine
	limit  int

	mu     sync.Mutex
	files  map[handleKey]*handle
	recent *list.List // of *handle, the last used in front
	tables int64      // bytes of their tables
	open   int        // files open, those only held by readers included
}

type handleKey struct {
	number uint64
	kind   kind
}

func (c *handleCache) init(e *Engine, limit int) {
	c.engine = e
	c.limit = limit
	c.files = map[handleKey]*handle{}
	c.recent = list.New()
}

// get returns the open file of a number. The caller must release it. The file
// stays readable until then, even when it is removed meanwhile.
func (c *handleCache) get(number uint64, kind kind) (*handle, error) {
	key := handleKey{number, kind}
	c.mu.Lock()
	h := c.files[key]
	if h == nil {
		h = &handle{number: number, kind: kind}
		h.opened.Lock()
		h.place = c.recent.PushFront(h)
		c.files[key] = h
		h.refs = 1
		c.mu.Unlock()

		h.err = c.engine.openHandle(h)
		h.opened.Unlock()
		c.settle(h)
	} else {
		h.refs++
		if h.place != nil {
			c.recent.MoveToFront(h.place)
		}
		c.mu.Unlock()

		h.opened.Lock() // wait for whoever opens it
		//lint:ignore SA2001 nothing is to be done under the lock
		h.opened.Unlock()
	}

	if h.err != nil {
		err := h.err
		c.release(h)
		return nil, err
	}
	return h, nil
}

// settle keeps a handle just opened within the bounds, or out of the cache
// when it could not be opened.
func (c *handleCache) settle(h *handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h.err != nil {
		c.remove(h)
		return
	}
	c.open++
	if h.place != nil {
		c.tables += int64(len(h.table))
		h.counted = true
	}
	for c.recent.Len() > 1 && (c.recent.Len() > c.limit || c.tables > maxTableBytes) {
		c.remove(c.recent.Back().Value.(*handle))
	}
}

// remove takes h out of the cache; it closes with its last reader. The caller
// holds mu.
func (c *handleCache) remove(h *handle) {
	if h.place == nil {
		return
	}
	c.recent.Remove(h.place)
	h.place = nil
	delete(c.files, handleKey{h.number, h.kind})
	if h.counted {
		c.tables -= int64(len(h.table))
	}
	if h.refs == 0 {
		c.closeFile(h)
	}
}

// release ends a use of h.
func (c *handleCache) release(h *handle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h.refs--
	if h.refs == 0 && h.place == nil {
		c.closeFile(h)
	}
}

// closeFile closes a file that was open for reading; its error means nothing.
func (c *handleCache) closeFile(h *handle) {
	if h.file != nil {
		h.file.Close()
		h.file = nil
		c.open--
	}
}

// drop makes the cache forget a file that is removed: a get that begins after
// drop has returned opens it anew, and does not find it.
func (c *handleCache) drop(number uint64, kind kind) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if h := c.files[handleKey{number, kind}]; h != nil {
		c.remove(h)
	}
}

// close closes all files. Nobody reads any more.
func (c *handleCache) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.recent.Len() > 0 {
		c.remove(c.recent.Back().Value.(*handle))
	}
	return nil
}

// count returns how many files are open, and the bytes of their tables.
func (c *handleCache) count() (files, tables int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open, int(c.tables)
}

// openHandle opens the file of h and reads its frame.
func (e *Engine) openHandle(h *handle) (err error) {
	path := e.segmentPath(h.number)
	if h.kind == largeKind {
		path = e.largePath(h.number)
	}
	f, err := e.fs.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return blob.ErrNotFound
	}
	if err != nil {
		return err
	}
	h.file = f
	if err := e.readFrame(h); err != nil {
		h.file = nil
		return errors.Join(err, f.Close())
	}
	return nil
}

// readFrame reads what surrounds the data: the header and, of a large extent,
// the footer and the checksum table.
func (e *Engine) readFrame(h *handle) error {
	buf := e.buffers.get(headerBytes)
	defer e.buffers.put(buf)
	p := (*buf)[:headerBytes]
	if err := e.readFull(h.file, p, 0); err != nil {
		return err
	}
	header, err := parseFileHeader(p, h.kind, h.number)
	if err != nil {
		return fmt.Errorf("%w: %w", blob.ErrCorrupt, err)
	}
	h.block = header.block
	if h.kind == segmentKind {
		return nil
	}

	info, err := h.file.Stat()
	if err != nil {
		return err
	}
	size := info.Size()
	if size < headerBytes+footerBytes {
		return fmt.Errorf("%w: %d bytes long: %w", blob.ErrCorrupt, size, errFormat)
	}
	if err := e.readFull(h.file, p[:footerBytes], size-footerBytes); err != nil {
		return err
	}
	foot, err := parseFooter(p[:footerBytes], h.number, size)
	if err == nil && foot.block != header.block {
		err = fmt.Errorf("header and footer differ: %w", errFormat)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", blob.ErrCorrupt, err)
	}

	h.length, h.sum = foot.length, foot.sum
	h.table = make([]byte, tableBytes(foot.length, foot.block))
	if err := e.readFull(h.file, h.table, headerBytes+foot.length); err != nil {
		return err
	}
	if crc32c(h.table) != h.sum {
		return fmt.Errorf("%w: checksum table: %w", blob.ErrCorrupt, errFormat)
	}
	return nil
}

// readFull fills p from f at off. A file that ends before is corrupt.
func (e *Engine) readFull(f vfs.File, p []byte, off int64) error {
	n, err := f.ReadAt(p, off)
	e.stats.bytesRead.Add(int64(n))
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		return fmt.Errorf("%w: file ends at %d", blob.ErrCorrupt, off+int64(n))
	}
	return err
}
