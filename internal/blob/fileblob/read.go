package fileblob

import (
	"context"
	"fmt"
	"io"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// ReadAt implements blob.Engine. Whole blocks are read straight into p; reads
// that begin and end at multiples of Options.BlockBytes cost no copy.
func (e *Engine) ReadAt(ctx context.Context, x blob.Extent, p []byte, off int64) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if err := e.begin(); err != nil {
		return 0, err
	}
	defer e.calls.Done()

	switch {
	case x.Length <= 0:
		return 0, where(x, blob.ErrNotFound)
	case off < 0:
		return 0, fmt.Errorf("fileblob: read at negative offset %d", off)
	case off >= x.Length:
		return 0, io.EOF
	}
	n := int(min(int64(len(p)), x.Length-off))
	var err error
	if x.Offset == 0 {
		err = e.readLarge(x, p[:n], off)
	} else {
		err = e.readSmall(x, p[:n], off)
	}
	switch {
	case err != nil:
		return 0, where(x, err)
	case n < len(p):
		return n, io.EOF
	}
	return n, nil
}

// where says which extent err is about.
func where(x blob.Extent, err error) error {
	return fmt.Errorf("%w: file %016x offset %d length %d", err, x.File, x.Offset, x.Length)
}

func (e *Engine) readLarge(x blob.Extent, p []byte, off int64) error {
	h, err := e.handles.get(x.File, largeKind)
	if err != nil {
		return err
	}
	defer e.handles.release(h)

	if h.length != x.Length || h.sum != x.Sum {
		return fmt.Errorf("%w: the file holds another extent", blob.ErrCorrupt)
	}
	return e.readBlocks(h, headerBytes, x.Length, h.table, p, off)
}

func (e *Engine) readSmall(x blob.Extent, p []byte, off int64) error {
	seg := e.segment(x.File)
	if seg == nil {
		return blob.ErrNotFound
	}
	dead, err := e.isDead(seg, int64(x.Offset))
	switch {
	case err != nil:
		return err
	case dead:
		return blob.ErrNotFound
	case x.Length > maxLargeBytes || x.Offset > maxSegmentBytes:
		return fmt.Errorf("%w: no such place in a shared file", blob.ErrCorrupt)
	}
	h, err := e.handles.get(x.File, segmentKind)
	if err != nil {
		return err
	}
	defer e.handles.release(h)

	// One read brings the record's header, its table and, when the range
	// begins in the first block, the data.
	head := recordHeaderBytes + tableBytes(x.Length, h.block)
	base := int64(x.Offset) + head
	inline := int64(0)
	if off < h.block {
		inline = min(alignUp(off+int64(len(p)), h.block), x.Length)
	}
	buf := e.buffers.get(head + inline)
	defer e.buffers.put(buf)
	all := (*buf)[:head+inline]
	if err := e.readFull(h.file, all, int64(x.Offset)); err != nil {
		return err
	}
	header, err := parseRecordHeader(all[:recordHeaderBytes], x.File, int64(x.Offset))
	if err != nil {
		return fmt.Errorf("%w: %w", blob.ErrCorrupt, err)
	}
	table := all[recordHeaderBytes:head]
	switch {
	case header.extent() != x:
		return fmt.Errorf("%w: the place holds another extent", blob.ErrCorrupt)
	case crc32c(table) != x.Sum:
		return fmt.Errorf("%w: checksum table", blob.ErrCorrupt)
	case inline == 0:
		return e.readBlocks(h, base, x.Length, table, p, off)
	}
	data := all[head:]
	if err := verifyBlocks(data, table, h.block); err != nil {
		return err
	}
	copy(p, data[off:])
	return nil
}

// readBlocks fills p from off of the data at base, length bytes long in all,
// and verifies every block that it touches.
func (e *Engine) readBlocks(h *handle, base, length int64, table, p []byte, off int64) error {
	for len(p) > 0 {
		first := off / h.block
		start := first * h.block
		end := off + int64(len(p))
		if end != length {
			end = end / h.block * h.block // of the whole blocks
		}
		if off == start && end > start {
			n := end - off
			if err := e.readVerified(h.file, p[:n], base+off, table[first*4:], h.block); err != nil {
				return err
			}
			p, off = p[n:], end
			continue
		}

		n, err := e.readPart(h, base, length, table, p, off)
		if err != nil {
			return err
		}
		p, off = p[n:], off+int64(n)
	}
	return nil
}

// readPart copies what p wants of the block that off lies in.
func (e *Engine) readPart(h *handle, base, length int64, table, p []byte, off int64) (int, error) {
	first := off / h.block
	start := first * h.block
	size := min(h.block, length-start)
	buf := e.buffers.get(size)
	defer e.buffers.put(buf)
	block := (*buf)[:size]
	if err := e.readVerified(h.file, block, base+start, table[first*4:], h.block); err != nil {
		return 0, err
	}
	return copy(p, block[off-start:]), nil
}

// readVerified fills p, which begins with a block, from f at off.
func (e *Engine) readVerified(f vfs.File, p []byte, off int64, table []byte, block int64) error {
	if err := e.readFull(f, p, off); err != nil {
		return err
	}
	return verifyBlocks(p, table, block)
}

// verifyBlocks checks data, which begins with a block, against the table from
// that block on.
func verifyBlocks(data, table []byte, block int64) error {
	for i := 0; len(data) > 0; i++ {
		n := min(block, int64(len(data)))
		if crc32c(data[:n]) != le.Uint32(table[4*i:]) {
			return fmt.Errorf("%w: data checksum", blob.ErrCorrupt)
		}
		data = data[n:]
	}
	return nil
}
