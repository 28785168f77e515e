package fileblob

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

const (
	segmentSuffix = ".seg"
	deadSuffix    = ".dead"
)

// segment is a data file shared by small extents. At most one takes appends;
// the others are sealed. One process appends to it, ever.
type segment struct {
	number uint64
	block  int64 // block size; of segments of earlier openings, 0 until read

	group syncGroup

	mu      sync.Mutex
	append  vfs.File // nil once sealed and settled
	syncer  vfs.File // the same file: Sync and Write exclude each other on one vfs.File
	size    int64    // bytes appended; of sealed ones, the file's length
	synced  int64    // bytes known to be durable
	pending int      // appends whose sync has not been decided
	sealed  bool
	err     error // a sync failed: final
	gone    bool  // its file is being removed
	torn    int64 // bytes found not to belong to any extent
	dead    deadSet
}

// appendRecord writes record as one run of bytes behind all records before it,
// so that whatever precedes a synced record has been written whole and is
// synced too. The caller must call syncRecord next.
func (e *Engine) appendRecord(header *recordHeader, record []byte) (*segment, error) {
	e.appendMu.Lock()
	defer e.appendMu.Unlock()

	if e.active != nil && e.active.size+int64(len(record)) > e.opts.SegmentBytes {
		e.sealActive()
	}
	if e.active == nil {
		seg, err := e.newSegment()
		if err != nil {
			return nil, err
		}
		e.active = seg
	}

	seg := e.active
	header.number = seg.number
	header.offset = seg.size
	header.encode(record[:recordHeaderBytes])
	n, err := seg.append.WriteAt(record, seg.size)
	e.stats.bytesWritten.Add(int64(n))
	if err != nil {
		// What is behind size is torn; nothing may follow it.
		e.sealActive()
		return nil, writeFailed(err)
	}

	seg.mu.Lock()
	seg.size += int64(len(record))
	seg.pending++
	seg.mu.Unlock()
	return seg, nil
}

// sealActive ends the appending to the active segment. The caller holds
// appendMu.
func (e *Engine) sealActive() {
	seg := e.active
	e.active = nil
	seg.seal()
	e.removeIfDead(seg)
}

// newSegment makes a segment file, and its name durable.
func (e *Engine) newSegment() (*segment, error) {
	number, err := e.newNumber()
	if err != nil {
		return nil, err
	}
	path := e.segmentPath(number)
	f, err := e.createFile(path)
	if err != nil {
		return nil, err
	}

	seg := &segment{number: number, block: e.opts.BlockBytes, append: f, size: headerBytes}
	err = e.beginSegment(seg, path)
	if err != nil {
		err = errors.Join(err, f.Close(), e.fs.Remove(path))
		if seg.syncer != nil {
			err = errors.Join(err, seg.syncer.Close())
		}
		return nil, err
	}

	e.mu.Lock()
	e.segments[number] = seg
	e.mu.Unlock()
	return seg, nil
}

func (e *Engine) beginSegment(seg *segment, path string) (err error) {
	if seg.syncer, err = e.fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified); err != nil {
		return writeFailed(err)
	}
	buf := e.buffers.get(headerBytes)
	defer e.buffers.put(buf)
	header := fileHeader{kind: segmentKind, block: seg.block, number: seg.number}
	if err := header.encode((*buf)[:headerBytes]); err != nil {
		return err
	}
	n, err := seg.append.WriteAt((*buf)[:headerBytes], 0)
	e.stats.bytesWritten.Add(int64(n))
	if err != nil {
		return writeFailed(err)
	}

	// Durable before any record, so that at a later opening a bad header means
	// damage whenever there are records.
	err = seg.syncer.SyncData()
	e.stats.syncs.Add(1)
	if err != nil {
		return e.syncFailed(err)
	}
	return e.syncNames(&e.smallDir)
}

// syncRecord waits until the record is durable. One sync serves all who wait.
// A record that did not become durable is garbage.
func (e *Engine) syncRecord(seg *segment, header *recordHeader) error {
	err := seg.group.wait(func() error { return e.syncSegment(seg) })
	if err != nil {
		e.appendMu.Lock()
		if e.active == seg {
			e.sealActive()
		}
		e.appendMu.Unlock()
		e.bury(seg, []deadRecord{{header.offset, header.bytes(seg.block)}})
	}

	seg.mu.Lock()
	seg.pending--
	seg.closeIfSettled()
	seg.mu.Unlock()
	e.removeIfDead(seg)
	return err
}

func (e *Engine) syncSegment(seg *segment) error {
	seg.mu.Lock()
	upTo, err := seg.size, seg.err
	seg.mu.Unlock()
	if err != nil {
		return err
	}

	err = seg.syncer.SyncData()
	e.stats.syncs.Add(1)
	if err != nil {
		err = e.syncFailed(err)
	}

	seg.mu.Lock()
	defer seg.mu.Unlock()
	if err != nil {
		seg.err = err
		return err
	}
	seg.synced = upTo
	return nil
}

func (s *segment) seal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sealed = true
	s.closeIfSettled()
}

// closeIfSettled closes the files of a sealed segment when no commit needs
// them any more. What was to be synced is synced by then, so that an error of
// closing means nothing.
func (s *segment) closeIfSettled() {
	if s.sealed && s.pending == 0 && s.append != nil {
		s.append.Close()
		s.syncer.Close()
		s.append, s.syncer = nil, nil
	}
}

// settled tells whether nothing will be added to the segment.
func (s *segment) settled() bool { return s.sealed && s.pending == 0 }

// garbage is the number of bytes behind the file's header that no extent
// needs.
func (s *segment) garbage() int64 { return min(s.dead.bytes+s.torn, s.size-headerBytes) }

// removeIfDead removes the segment when nothing in it is needed.
func (e *Engine) removeIfDead(seg *segment) {
	seg.mu.Lock()
	gone := seg.settled() && seg.garbage() >= seg.size-headerBytes
	seg.mu.Unlock()
	if !gone {
		return
	}

	e.mu.Lock()
	_, known := e.segments[seg.number]
	delete(e.segments, seg.number)
	e.mu.Unlock()
	if !known {
		return
	}
	e.forget(seg)
	e.handles.drop(seg.number, segmentKind)
	defer e.deletes.removedFrom(&e.smallDir) // once they are gone
	for _, path := range []string{e.segmentPath(seg.number), e.deadPath(seg.number)} {
		// What stays is found, and dead, at the next opening.
		if err := e.fs.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
			e.opts.Logger.Warn("dead data file is left over", "file", path, "error", err)
			return
		}
	}
	e.stats.segmentsRemoved.Add(1)
}

// segment returns a segment by number, or nil.
func (e *Engine) segment(number uint64) *segment {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.segments[number]
}

// segmentsWithin returns the segments numbered from <= number < to, oldest
// first.
func (e *Engine) segmentsWithin(from, to uint64) []*segment {
	e.mu.RLock()
	var found []*segment
	for number, seg := range e.segments {
		if number >= from && number < to {
			found = append(found, seg)
		}
	}
	e.mu.RUnlock()

	slices.SortFunc(found, func(a, b *segment) int {
		if a.number < b.number {
			return -1
		}
		return 1
	})
	return found
}

// loadSegments learns the segments of earlier openings and their garbage.
func (e *Engine) loadSegments() error {
	names, err := e.fs.List(e.smallDir.path)
	if err != nil {
		return err
	}
	for _, name := range names {
		number, ok := parseName(strings.TrimSuffix(name, segmentSuffix))
		if !ok || !strings.HasSuffix(name, segmentSuffix) {
			continue
		}
		if generationOf(number) >= e.generation {
			return fmt.Errorf("%w: %s is of a later opening than the generation file", blob.ErrCorrupt, name)
		}
		info, err := e.fs.Stat(e.segmentPath(number))
		if err != nil {
			return err
		}
		size := max(info.Size(), headerBytes)
		seg := &segment{number: number, size: size, synced: size, sealed: true}
		e.segments[number] = seg
	}

	for _, name := range names {
		number, ok := parseName(strings.TrimSuffix(name, deadSuffix))
		if !ok || !strings.HasSuffix(name, deadSuffix) {
			continue
		}
		seg := e.segments[number]
		if seg == nil {
			// The segment went; a power cut or an error kept its sidecar.
			if err := e.fs.Remove(e.deadPath(number)); err != nil {
				return err
			}
			continue
		}
		if err := e.countDead(seg); err != nil {
			return err
		}
	}
	return nil
}
