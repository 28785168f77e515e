package fileblob

import (
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

const (
	// gatherBytes is the length of the buffer that turns short writes into
	// long ones. Slices of directBytes and more bypass it.
	gatherBytes = 256 << 10
	directBytes = 64 << 10

	// writeBackBytes is how much may be written before the disk is told to
	// begin with it, so that the sync at the end is short.
	writeBackBytes = 2 << 20

	// growBytes is after how much an extent of unknown length asks again
	// whether there is room.
	growBytes = 8 << 20
)

// largeRun is a large extent being written to a file of its own.
type largeRun struct {
	engine *Engine
	number uint64
	path   string
	file   vfs.File
	sums   blockSums

	length  int64 // bytes of data in the file
	started int64 // bytes of data whose write-back has begun
	grown   int64 // bytes of data let in; -1 when the length was declared

	gather *[]byte // nil when empty
	fill   int
}

// newLarge makes the file of a large extent of size bytes, or of an unknown
// number when size is -1.
func (e *Engine) newLarge(owner blob.Owner, size int64) (*largeRun, error) {
	room := int64(growBytes)
	if size >= 0 {
		room = largeFileBytes(size, e.opts.BlockBytes)
	}
	if err := e.admit(room); err != nil {
		return nil, err
	}
	defer e.release(room)

	number, err := e.newNumber()
	if err != nil {
		return nil, err
	}
	l := &largeRun{engine: e, number: number, path: e.largePath(number), grown: -1}
	l.sums.block = e.opts.BlockBytes

	e.mu.Lock()
	e.writing[number] = struct{}{}
	e.mu.Unlock()

	if l.file, err = e.createFile(l.path); err != nil {
		e.notWriting(number)
		return nil, err
	}
	if err := l.begin(owner, size, room); err != nil {
		l.discard()
		return nil, err
	}
	e.stats.largeCreated.Add(1)
	return l, nil
}

func (e *Engine) notWriting(number uint64) {
	e.mu.Lock()
	delete(e.writing, number)
	e.mu.Unlock()
}

// begin reserves the file's blocks and writes its header.
func (l *largeRun) begin(owner blob.Owner, size, room int64) error {
	if size >= 0 {
		l.sums.table = make([]byte, 0, tableBytes(size, l.sums.block)+2*footerBytes)
		// Not every file system can; only the lack of room counts.
		if err := l.file.Preallocate(0, room); err != nil && isFull(err) {
			return writeFailed(err)
		}
	} else {
		l.grown = room
	}

	header := fileHeader{kind: largeKind, block: l.sums.block, number: l.number, declared: size, owner: owner}
	buf := l.engine.buffers.get(headerBytes)
	defer l.engine.buffers.put(buf)
	if err := header.encode((*buf)[:headerBytes]); err != nil {
		return err
	}
	return l.writeAt((*buf)[:headerBytes], 0)
}

// writeAt uses WriteAt because vfs.File.Write may change the bytes it is given.
func (l *largeRun) writeAt(p []byte, off int64) error {
	n, err := l.file.WriteAt(p, off)
	l.engine.stats.bytesWritten.Add(int64(n))
	if err != nil {
		return writeFailed(err)
	}
	return nil
}

// write takes p over: into the file when it is long, otherwise into the buffer.
func (l *largeRun) write(p []byte) error {
	l.sums.add(p)
	if len(p) >= directBytes {
		if err := l.flush(); err != nil {
			return err
		}
		return l.writeData(p)
	}
	for len(p) > 0 {
		if l.gather == nil {
			l.gather = l.engine.buffers.get(gatherBytes)
		}
		n := copy((*l.gather)[l.fill:gatherBytes], p)
		l.fill += n
		p = p[n:]
		if l.fill == gatherBytes {
			if err := l.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

// flush writes what has gathered.
func (l *largeRun) flush() error {
	if l.fill == 0 {
		return nil
	}
	err := l.writeData((*l.gather)[:l.fill])
	l.fill = 0
	return err
}

func (l *largeRun) writeData(p []byte) error {
	if l.grown >= 0 && l.length+int64(len(p)) > l.grown {
		more := max(growBytes, int64(len(p)))
		if err := l.engine.admit(more); err != nil {
			return err
		}
		l.engine.release(more)
		l.grown += more
	}

	if err := l.writeAt(p, headerBytes+l.length); err != nil {
		return err
	}
	l.length += int64(len(p))
	if l.length-l.started < writeBackBytes || l.engine.noWriteBack.Load() {
		return nil
	}
	l.started = l.length
	waited, err := l.file.SyncTo(headerBytes + l.length)
	if err != nil {
		return l.engine.syncFailed(err)
	}
	if waited {
		l.engine.noWriteBack.Store(true)
	}
	return nil
}

// commit makes the file complete and durable, then its name.
func (l *largeRun) commit() (blob.Extent, error) {
	if err := l.flush(); err != nil {
		return blob.Extent{}, err
	}
	l.sums.end()
	trailer, sum := l.trailer()
	if err := l.writeAt(trailer, headerBytes+l.length); err != nil {
		return blob.Extent{}, err
	}

	err := l.file.SyncData()
	l.engine.stats.syncs.Add(1)
	if err != nil {
		return blob.Extent{}, l.engine.syncFailed(err)
	}
	err = l.file.Close()
	l.file = nil
	if err != nil {
		return blob.Extent{}, fmt.Errorf("fileblob: close: %w", err)
	}

	// The name needs no rename to be told from a leftover: the footer does that.
	err = l.engine.syncNames(l.engine.largeDir(l.number))
	if err != nil {
		return blob.Extent{}, err
	}

	l.engine.notWriting(l.number)
	l.path = "" // no longer ours to remove
	l.freeBuffer()
	return blob.Extent{File: l.number, Length: l.length, Sum: sum}, nil
}

// trailer is what follows the data: checksum table, padding, footer.
func (l *largeRun) trailer() (p []byte, sum uint32) {
	p = l.sums.table
	sum = crc32c(p)
	end := largeFileBytes(l.length, l.sums.block) - footerBytes - headerBytes - l.length
	for int64(len(p)) < end {
		p = append(p, 0)
	}
	f := footer{number: l.number, length: l.length, block: l.sums.block, sum: sum}
	return f.append(p), sum
}

// discard removes the file unless it is committed. A file that cannot be
// removed is a leftover: it has no footer, or no record names it.
func (l *largeRun) discard() {
	l.freeBuffer()
	if l.path == "" {
		return
	}
	var err error
	if l.file != nil {
		err = l.file.Close()
		l.file = nil
	}
	if removed := l.engine.fs.Remove(l.path); removed != nil && !errors.Is(removed, os.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	if err != nil {
		l.engine.opts.Logger.Warn("data file of an aborted write is left over", "file", l.path, "error", err)
	}
	l.path = ""
	l.engine.notWriting(l.number)
}

func (l *largeRun) freeBuffer() {
	if l.gather != nil {
		l.engine.buffers.put(l.gather)
		l.gather = nil
		l.fill = 0
	}
}

// syncNames makes the names within d durable.
func (e *Engine) syncNames(d *directory) error {
	if err := d.sync(e.fs); err != nil {
		return e.syncFailed(err)
	}
	return nil
}
