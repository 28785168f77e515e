package fileblob

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// While the disk is short of space, what is deleted from a segment becomes holes
// in its file: the segment itself goes only when all of it is deleted, and
// moving the rest out needs the room that there is not.
//
// Of a deleted record only pages behind the one with its header are given back.
// So the header stays, and walking the segment goes by headers as ever, never
// through bytes that a client once wrote. Manifests stay whole: they are read
// once more if a power cut takes their deletion back.

// holePage is what file systems give back at the least.
const holePage = 4096

// runShort is called when the disk had no room. The first time since there was
// some, all that is deleted becomes holes; from then on each deletion does. It
// reports whether it is worth asking for room again.
func (e *Engine) runShort() bool {
	if e.noHoles.Load() || !e.short.CompareAndSwap(false, true) {
		return false
	}
	for _, seg := range e.segmentsWithin(0, ^uint64(0)) {
		seg.mu.Lock()
		records := append([]deadRecord(nil), seg.dead.unsaid...)
		err := e.readDead(seg, func(r deadRecord) { records = append(records, r) })
		seg.mu.Unlock()
		if err == nil {
			err = e.makeHoles(seg, records)
		}
		if err != nil {
			e.holesFailed(seg, err)
		}
	}
	return true
}

// holesFailed is told what kept deleted records from becoming holes. Nothing is
// lost but space.
func (e *Engine) holesFailed(seg *segment, err error) {
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		e.noHoles.Store(true)
		return
	case errors.Is(err, blob.ErrNotFound), isFull(err):
		return // the segment has gone; or a hole takes a block to note
	}
	e.opts.Logger.Warn("space of deleted extents could not be given back", "file", e.segmentPath(seg.number), "error", err)
}

// makeHoles gives the space of deleted records of seg back to the disk.
func (e *Engine) makeHoles(seg *segment, records []deadRecord) error {
	if len(records) == 0 || e.noHoles.Load() {
		return nil
	}
	h, err := e.handles.get(seg.number, segmentKind)
	if err != nil {
		return err
	}
	defer e.handles.release(h)
	f, err := e.openForHoles(seg)
	if f == nil || err != nil {
		return err
	}
	for _, r := range records {
		first := alignUp(r.offset+recordHeaderBytes, holePage)
		end := (r.offset + r.bytes) / holePage * holePage
		if first >= end || !e.mayBeHole(h, r, seg) {
			continue
		}
		if err = e.punch(f, first, end-first); err != nil {
			break
		}
	}
	return errors.Join(err, f.Close())
}

// openForHoles opens the file of seg for writing; nil if it is being removed.
func (e *Engine) openForHoles(seg *segment) (vfs.File, error) {
	seg.mu.Lock() // it is not removed meanwhile, which would make it anew
	defer seg.mu.Unlock()
	if seg.gone {
		return nil, nil
	}
	return e.fs.OpenReadWrite(e.segmentPath(seg.number), vfs.WriteCategoryUnspecified)
}

// mayBeHole tells whether the file says of a deleted record what its sidecar
// does, and that it is no manifest.
func (e *Engine) mayBeHole(h *handle, r deadRecord, seg *segment) bool {
	seg.mu.Lock()
	bound := seg.size
	seg.mu.Unlock()
	header, err := e.readRecordAt(h, r.offset, bound)
	if err != nil || header.bytes(h.block) != r.bytes {
		return false
	}
	owner, err := e.readOwner(h, header)
	return err == nil && !owner.Manifest
}
