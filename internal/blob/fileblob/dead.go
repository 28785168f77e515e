package fileblob

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// maxLoadedDead bounds the offsets of deleted extents that are held in memory,
// 4 bytes each (twice that while they are few). The others are read from
// their sidecar when they are asked for.
const maxLoadedDead = 8 << 20

// A sidecar lists what was deleted from a segment, one entry of 16 bytes each:
//
//	0  8  offset of the record
//	8  4  length of the record, padding included
//	12 4  CRC-32C of the file number (8 bytes) and bytes 0 to 11
//
// It is appended to, and synced by FlushDeletes only: a deletion lost to a
// power cut before that comes again, or is found by the next sweep. Entries may repeat, and those that do not prove
// themselves, as a torn one, are passed over.
type deadRecord struct {
	offset int64
	bytes  int64
}

func (d deadRecord) append(p []byte, number uint64) []byte {
	start := len(p)
	p = le.AppendUint64(p, uint64(d.offset))
	p = le.AppendUint32(p, uint32(d.bytes))
	return le.AppendUint32(p, deadSum(p[start:], number))
}

func deadSum(p []byte, number uint64) uint32 {
	var b [8 + 12]byte
	le.PutUint64(b[:], number)
	copy(b[8:], p[:12])
	return crc32c(b[:])
}

// parseDead decodes one entry of the sidecar of segment number.
func parseDead(p []byte, number uint64) (deadRecord, bool) {
	if len(p) != deadEntryBytes || le.Uint32(p[12:]) != deadSum(p, number) {
		return deadRecord{}, false
	}
	d := deadRecord{offset: int64(le.Uint64(p)), bytes: int64(le.Uint32(p[8:]))}
	ok := d.offset >= headerBytes && d.offset < maxSegmentBytes && d.offset%recordAlign == 0 && d.bytes > 0
	return d, ok
}

// deadSet knows which records of a segment are deleted. The offsets are held
// when somebody asked; the sums always.
type deadSet struct {
	bytes int64 // of all deleted records
	count int   // of all deleted records

	loaded bool
	sorted []uint32            // offset/recordAlign
	recent map[uint32]struct{} // not yet among sorted
	unsaid []deadRecord        // the sidecar lacks these: all must stay in memory
}

func (d *deadSet) has(offset int64) bool {
	key := uint32(offset / recordAlign)
	if _, ok := d.recent[key]; ok {
		return true
	}
	_, ok := slices.BinarySearch(d.sorted, key)
	return ok
}

// add records a deletion, unless it is known, and reports whether it was not.
func (d *deadSet) add(r deadRecord) bool {
	if d.has(r.offset) {
		return false
	}
	if d.recent == nil {
		d.recent = map[uint32]struct{}{}
	}
	d.recent[uint32(r.offset/recordAlign)] = struct{}{}
	d.bytes += r.bytes
	d.count++
	if len(d.recent) > 256+len(d.sorted)/8 {
		d.settle()
	}
	return true
}

// settle sorts the recent ones in.
func (d *deadSet) settle() {
	for key := range d.recent {
		d.sorted = append(d.sorted, key)
	}
	clear(d.recent)
	slices.Sort(d.sorted)
}

// drop gives the offsets' memory back.
func (d *deadSet) drop() {
	d.loaded, d.sorted, d.recent = false, nil, nil
}

// countDead learns how much of a segment of an earlier opening is deleted.
func (e *Engine) countDead(seg *segment) error {
	seg.mu.Lock()
	defer seg.mu.Unlock()
	if err := e.loadDead(seg); err != nil {
		return err
	}
	e.loadedDead.Add(-int64(seg.dead.count))
	seg.dead.drop()
	return nil
}

// loadDead makes the offsets of seg's deleted records known. The caller holds
// seg.mu.
func (e *Engine) loadDead(seg *segment) error {
	if seg.dead.loaded {
		return nil
	}
	fresh := deadSet{loaded: true}
	err := e.readDead(seg, func(r deadRecord) {
		key := uint32(r.offset / recordAlign)
		fresh.sorted = append(fresh.sorted, key)
		fresh.bytes += r.bytes
	})
	if err != nil {
		return err
	}

	slices.Sort(fresh.sorted)
	if n := len(fresh.sorted); len(slices.Compact(fresh.sorted)) != n {
		// Some repeat: count again, each once.
		fresh = deadSet{loaded: true}
		if err := e.readDead(seg, func(r deadRecord) { fresh.add(r) }); err != nil {
			return err
		}
		fresh.settle()
	}
	fresh.count = len(fresh.sorted)
	seg.dead = fresh
	e.loadedDead.Add(int64(fresh.count))
	return nil
}

// readDead calls fn for each entry of seg's sidecar.
func (e *Engine) readDead(seg *segment, fn func(deadRecord)) error {
	f, err := e.fs.Open(e.deadPath(seg.number))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()

	buf := e.buffers.get(64 << 10)
	defer e.buffers.put(buf)
	p := (*buf)[:64<<10]
	for off := int64(0); ; {
		n, err := f.ReadAt(p, off)
		for entry := p[:n]; len(entry) >= deadEntryBytes; entry = entry[deadEntryBytes:] {
			r, ok := parseDead(entry[:deadEntryBytes], seg.number)
			if ok && r.offset+r.bytes <= seg.size {
				fn(r)
			}
		}
		off += int64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read %s: %w", e.deadPath(seg.number), err)
		}
	}
}

// isDead tells whether the record at offset of seg is deleted.
func (e *Engine) isDead(seg *segment, offset int64) (bool, error) {
	seg.mu.Lock()
	defer seg.mu.Unlock()
	if seg.gone {
		return true, nil
	}
	if seg.dead.count == 0 {
		return false, nil
	}
	if err := e.loadDead(seg); err != nil {
		return false, err
	}
	return seg.dead.has(offset), nil
}

// deadWithin tells whether a deleted record of seg begins at from <= offset < to.
func (e *Engine) deadWithin(seg *segment, from, to int64) (bool, error) {
	seg.mu.Lock()
	defer seg.mu.Unlock()
	if seg.gone || seg.dead.count == 0 {
		return false, nil
	}
	if err := e.loadDead(seg); err != nil {
		return false, err
	}
	seg.dead.settle()
	i, _ := slices.BinarySearch(seg.dead.sorted, uint32(from/recordAlign))
	return i < len(seg.dead.sorted) && int64(seg.dead.sorted[i])*recordAlign < to, nil
}

// bury counts records of seg as deleted, each once, and writes them to the
// sidecar. When that fails, as on a full disk, the deletion holds until the
// process ends, and the next sweep finds the records again.
func (e *Engine) bury(seg *segment, records []deadRecord) {
	seg.mu.Lock()
	if seg.gone {
		seg.mu.Unlock()
		return
	}
	err := e.loadDead(seg)
	if err != nil && seg.dead.count > 0 {
		seg.mu.Unlock()
		e.opts.Logger.Warn("deletions could not be recorded", "file", e.deadPath(seg.number), "error", err)
		return
	}
	seg.dead.loaded = true

	var entries []byte
	var added []deadRecord
	for _, r := range records {
		if seg.dead.add(r) {
			added = append(added, r)
			entries = r.append(entries, seg.number)
			e.loadedDead.Add(1)
		}
	}
	// Known ones too: whoever wrote them to the sidecar may have died since.
	e.deletes.note(seg)
	if len(entries) > 0 {
		if err := e.appendDead(seg.number, entries); err != nil {
			seg.dead.unsaid = append(seg.dead.unsaid, added...)
			e.opts.Logger.Warn("deletions could not be recorded", "file", e.deadPath(seg.number), "error", err)
		}
	}
	seg.mu.Unlock()

	if e.short.Load() {
		if err := e.makeHoles(seg, added); err != nil {
			e.holesFailed(seg, err)
		}
	}
	if e.loadedDead.Load() > maxLoadedDead {
		e.unloadDead(seg)
	}
}

// appendDead writes entries behind those of the sidecar, past a torn one.
func (e *Engine) appendDead(number uint64, entries []byte) error {
	f, err := e.fs.OpenReadWrite(e.deadPath(number), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	info, err := f.Stat()
	if err == nil {
		_, err = f.WriteAt(entries, alignUp(info.Size(), deadEntryBytes))
	}
	return errors.Join(err, f.Close())
}

// unloadDead drops the offsets of other segments than keep until half of what
// is allowed remains.
func (e *Engine) unloadDead(keep *segment) {
	for _, seg := range e.segmentsWithin(0, ^uint64(0)) {
		if e.loadedDead.Load() <= maxLoadedDead/2 {
			return
		}
		if seg != keep {
			seg.mu.Lock()
			if seg.dead.loaded && len(seg.dead.unsaid) == 0 {
				e.loadedDead.Add(-int64(seg.dead.count))
				seg.dead.drop()
			}
			seg.mu.Unlock()
		}
	}
}

// forget drops the offsets of a segment that is gone.
func (e *Engine) forget(seg *segment) {
	seg.mu.Lock()
	defer seg.mu.Unlock()
	if seg.dead.loaded {
		e.loadedDead.Add(-int64(seg.dead.count))
	}
	seg.dead.drop()
	seg.gone = true
}
