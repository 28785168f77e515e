package fileblob

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// Mark implements blob.Lister. A small extent is as old as its segment, so
// while one takes appends the present position is that of its beginning.
func (e *Engine) Mark() blob.Mark {
	e.appendMu.Lock()
	defer e.appendMu.Unlock()
	if e.active != nil {
		return blob.Mark(e.active.number)
	}
	return blob.Mark(e.generation<<counterBits + e.counter.Load() + 1)
}

// Extents implements blob.Lister. fn may call the engine. What is damaged but
// was once an extent is neither shown nor removed, but logged and counted.
func (e *Engine) Extents(ctx context.Context, from, to blob.Mark, fn func(blob.Extent, blob.Owner) error) error {
	if err := e.begin(); err != nil {
		return err
	}
	defer e.calls.Done()

	for _, seg := range e.segmentsWithin(uint64(from), uint64(to)) {
		if err := e.listSegment(ctx, seg, fn); err != nil {
			return err
		}
	}
	for i := range e.largeDirs {
		if err := e.listLarge(ctx, &e.largeDirs[i], uint64(from), uint64(to), fn); err != nil {
			return err
		}
	}
	return nil
}

// old tells whether number was given out before the engine was opened.
func (e *Engine) old(number uint64) bool { return generationOf(number) < e.generation }

func (e *Engine) listSegment(ctx context.Context, seg *segment, fn func(blob.Extent, blob.Owner) error) error {
	torn, err := e.walkSegment(ctx, seg, fn)
	switch {
	case errors.Is(err, errBadSegment):
		if !e.old(seg.number) {
			return nil
		}
		return e.sweepSegment(seg)
	case err != nil:
		return err
	}
	if e.old(seg.number) {
		seg.mu.Lock()
		seg.torn = torn
		seg.mu.Unlock()
		e.removeIfDead(seg)
	}
	return nil
}

// errBadSegment says that the header of a segment's file proves nothing.
var errBadSegment = errors.New("bad segment header")

// walkSegment calls fn for each extent of seg that is durable and not deleted.
// It returns how many bytes belong to no extent, deleted ones included; all,
// when nothing needs the file.
func (e *Engine) walkSegment(ctx context.Context, seg *segment, fn func(blob.Extent, blob.Owner) error) (torn int64, err error) {
	h, err := e.handles.get(seg.number, segmentKind)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return 0, nil // removed meanwhile
	case errors.Is(err, blob.ErrCorrupt):
		return 0, fmt.Errorf("%w: %w", errBadSegment, err)
	case err != nil:
		return 0, err
	}
	defer e.handles.release(h)

	seg.mu.Lock()
	bound := seg.synced
	seg.mu.Unlock()

	live := 0
	off := int64(headerBytes)
	for off+recordHeaderBytes <= bound {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		header, err := e.readRecordAt(h, off, bound)
		if errors.Is(err, errNoRecord) || errors.Is(err, errBadRecord) {
			next, err2 := e.findRecord(h, off+recordAlign, bound)
			if err2 != nil {
				return 0, err2
			}
			// Deleted records that became unreadable are counted already.
			buried, err2 := e.deadWithin(seg, off, next)
			switch {
			case err2 != nil:
				return 0, err2
			case buried:
			case errors.Is(err, errBadRecord):
				e.damaged(e.segmentPath(seg.number), err)
				live++
			default:
				torn += next - off
			}
			off = next
			continue
		}
		if err != nil {
			return 0, err
		}

		needed, err := e.walkRecord(seg, h, header, fn)
		if err != nil {
			return 0, err
		}
		switch needed {
		case recordLive:
			live++
		case recordTorn:
			torn += header.bytes(h.block)
		}
		off += header.bytes(h.block)
	}
	if live == 0 {
		return bound, nil
	}
	return torn + max(bound-off, 0), nil
}

// recordState is what a walk found a record to be.
type recordState int

const (
	recordDead recordState = iota // deleted, and counted as such
	recordLive
	recordTorn // never whole, and counted nowhere yet
)

// walkRecord calls fn for one record, unless it is deleted or damaged.
func (e *Engine) walkRecord(seg *segment, h *handle, header recordHeader, fn func(blob.Extent, blob.Owner) error) (recordState, error) {
	dead, err := e.isDead(seg, header.offset)
	if err != nil || dead {
		return recordDead, err
	}
	owner, err := e.readOwner(h, header)
	if errors.Is(err, errBadOwner) {
		// Damage, if all else proves itself; otherwise it was never whole.
		if e.readSmall(header.extent(), make([]byte, header.length), 0) != nil {
			return recordTorn, nil
		}
		e.damaged(e.segmentPath(seg.number), err)
		return recordLive, nil
	}
	if err != nil {
		return recordLive, err
	}
	return recordLive, fn(header.extent(), owner)
}

var (
	errNoRecord  = errors.New("no record")  // never written whole
	errBadRecord = errors.New("bad record") // once written, now damaged
	errBadOwner  = errors.New("bad owner")
)

// readRecordAt reads the header of the record at off, which must end by bound.
// It answers errNoRecord or errBadRecord when there is none.
func (e *Engine) readRecordAt(h *handle, off, bound int64) (recordHeader, error) {
	buf := e.buffers.get(recordHeaderBytes)
	defer e.buffers.put(buf)
	p := (*buf)[:recordHeaderBytes]
	if err := e.readFull(h.file, p, off); err != nil {
		return recordHeader{}, err
	}
	header, err := parseRecordHeader(p, h.number, off)
	switch {
	case err != nil && lostPage(p, off):
		return recordHeader{}, errNoRecord
	case err != nil:
		return recordHeader{}, fmt.Errorf("%w at %d: %w", errBadRecord, off, err)
	case header.ownerOffset(h.block)+header.ownerBytes > bound: // padding says nothing
		return recordHeader{}, errNoRecord
	}
	return header, nil
}

// lostPage tells whether the bytes p from off on look as after a power cut
// that came before their page was written: zeros up to a page's end.
func lostPage(p []byte, off int64) bool {
	const page = 4096
	first := min(alignUp(off+1, page)-off, int64(len(p)))
	return isZero(p[:first]) || first < int64(len(p)) && isZero(p[first:])
}

// readOwner reads the owner of a record.
func (e *Engine) readOwner(h *handle, header recordHeader) (blob.Owner, error) {
	buf := e.buffers.get(maxOwnerBytes)
	defer e.buffers.put(buf)
	p := (*buf)[:header.ownerBytes]
	if err := e.readFull(h.file, p, header.ownerOffset(h.block)); err != nil {
		return blob.Owner{}, err
	}
	if crc32c(p) != header.ownerSum {
		return blob.Owner{}, errBadOwner
	}
	owner, err := parseOwner(p)
	if err != nil {
		return owner, fmt.Errorf("%w: %w", errBadOwner, err)
	}
	return owner, nil
}

// findRecord looks from off on for bytes that prove to be a record's header,
// and returns their offset, or bound.
func (e *Engine) findRecord(h *handle, off, bound int64) (int64, error) {
	buf := e.buffers.get(64 << 10)
	defer e.buffers.put(buf)
	for off+recordHeaderBytes <= bound {
		p := (*buf)[:min(64<<10, bound-off)]
		if err := e.readFull(h.file, p, off); err != nil {
			return 0, err
		}
		for i := 0; i+recordHeaderBytes <= len(p); i += recordAlign {
			if string(p[i:i+4]) != recordMagic {
				continue
			}
			if _, err := parseRecordHeader(p[i:i+recordHeaderBytes], h.number, off+int64(i)); err == nil {
				return off + int64(i), nil
			}
		}
		// The last bytes may begin a header: look at them again.
		off += (int64(len(p)) - recordHeaderBytes + recordAlign) / recordAlign * recordAlign
	}
	return bound, nil
}

// sweepSegment removes an old segment whose header is bad, unless there are
// records in it: a header is durable before the first of them.
func (e *Engine) sweepSegment(seg *segment) error {
	path := e.segmentPath(seg.number)
	f, err := e.fs.Open(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	found, err := e.findRecord(&handle{number: seg.number, file: f}, headerBytes, seg.size)
	err = errors.Join(err, f.Close())
	if errors.Is(err, blob.ErrCorrupt) { // shorter than a header
		found, err = seg.size, nil
	}
	switch {
	case err != nil:
		return err
	case found < seg.size:
		e.damaged(path, errBadSegment)
		return nil
	}
	seg.mu.Lock()
	seg.torn = seg.size
	seg.mu.Unlock()
	e.stats.leftovers.Add(1)
	e.removeIfDead(seg)
	return nil
}

func (e *Engine) damaged(path string, err error) {
	e.stats.damaged.Add(1)
	e.opts.Logger.Error("data file is damaged", "file", path, "error", err)
}

func (e *Engine) listLarge(ctx context.Context, d *directory, from, to uint64, fn func(blob.Extent, blob.Owner) error) error {
	names, err := e.fs.List(d.path)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		number, ok := parseName(name)
		if !ok || number < from || number >= to || e.largeDir(number) != d || e.isWriting(number) {
			continue
		}
		x, owner, err := e.inspectLarge(number)
		switch {
		case errors.Is(err, os.ErrNotExist): // deleted or aborted meanwhile
		case errors.Is(err, errLeftover) && e.old(number):
			e.opts.Logger.Info("leftover of an interrupted write is removed", "file", e.largePath(number), "error", err)
			if err := e.deleteLarge(blob.Extent{File: number}); err != nil {
				return err
			}
			e.stats.leftovers.Add(1)
		case errors.Is(err, errLeftover), errors.Is(err, blob.ErrCorrupt):
			e.damaged(e.largePath(number), err)
		case err != nil:
			return err
		default:
			if err := fn(x, owner); err != nil {
				return err
			}
		}
	}
	return nil
}

func (e *Engine) isWriting(number uint64) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	_, ok := e.writing[number]
	return ok
}

// errLeftover says that a large file was never complete.
var errLeftover = errors.New("never complete")

// inspectLarge reads the frame of a large file without its checksum table. A
// file that does not prove to be an extent is errLeftover, or blob.ErrCorrupt
// when it once was one.
func (e *Engine) inspectLarge(number uint64) (x blob.Extent, owner blob.Owner, err error) {
	f, err := e.fs.Open(e.largePath(number))
	if err != nil {
		return x, owner, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return x, owner, err
	}
	size := info.Size()
	if size < headerBytes+footerBytes {
		return x, owner, errLeftover
	}

	buf := e.buffers.get(headerBytes + footerBytes)
	defer e.buffers.put(buf)
	head := (*buf)[:headerBytes]
	tail := (*buf)[headerBytes : headerBytes+footerBytes]
	if err := e.readFull(f, head, 0); err != nil {
		return x, owner, err
	}
	if err := e.readFull(f, tail, size-footerBytes); err != nil {
		return x, owner, err
	}
	header, headErr := parseFileHeader(head, largeKind, number)
	foot, footErr := parseFooter(tail, number, size)
	switch {
	case headErr == nil && footErr == nil:
		return blob.Extent{File: number, Length: foot.length, Sum: foot.sum}, header.owner, nil
	case headErr == nil && onceComplete(header, tail, size):
		return x, owner, fmt.Errorf("%w: %w", blob.ErrCorrupt, footErr)
	case footErr == nil && (!isZero(head) || e.proves(f, foot)):
		return x, owner, fmt.Errorf("%w: %w", blob.ErrCorrupt, headErr)
	}
	return x, owner, fmt.Errorf("%w: %w", errLeftover, errors.Join(headErr, footErr))
}

// onceComplete tells a damaged footer from one that was never written. The
// footer is what is written last, into one sector: where something stands in
// its place, the file had been complete.
func onceComplete(header fileHeader, tail []byte, size int64) bool {
	if header.declared >= 0 {
		return size == largeFileBytes(header.declared, header.block) && !isZero(tail)
	}
	return string(tail[:8]) == footerMagic || string(tail[56:]) == footerTailMagic
}

func isZero(p []byte) bool { return len(bytes.Trim(p, "\x00")) == 0 }

// proves tells whether all data of the file match the checksums that foot
// vouches for. After a power cut a footer alone may have reached the disk.
func (e *Engine) proves(f vfs.File, foot footer) bool {
	table := make([]byte, tableBytes(foot.length, foot.block))
	if e.readFull(f, table, headerBytes+foot.length) != nil || crc32c(table) != foot.sum {
		return false
	}
	data := io.NewSectionReader(f, headerBytes, foot.length)
	block := make([]byte, foot.block)
	for len(table) > 0 {
		n, err := io.ReadFull(data, block)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) || crc32c(block[:n]) != le.Uint32(table) {
			return false
		}
		table = table[4:]
	}
	return true
}
