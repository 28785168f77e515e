package pebblekv

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ballastCheckEvery is how often a commit looks whether there is room for the
// ballast again.
const ballastCheckEvery = time.Second

// ballastPieces is how many files the ballast consists of.
const ballastPieces = 16

// ballast is files of no use but their size. When the disk is full, one after
// another goes, so that the log and the tables of what was accepted find room;
// not all at once, because whoever else fills the disk takes what is not used at
// once. They are made again when there is twice their size. While one is gone,
// the engine is full.
type ballast struct {
	fs   vfs.FS
	name string // of the first piece; a digit or two behind for the others
	size int64  // bytes of all; 0 for none
	now  func() time.Time
	log  *slog.Logger

	gone atomic.Bool // not all pieces are there

	mu   sync.Mutex          // held while pieces are made or removed
	left [ballastPieces]bool // pieces that are there, of whatever size
	next time.Time           // not looked for room before
}

func (b *ballast) piece(i int) string {
	if i == 0 {
		return b.name
	}
	return b.name + strconv.Itoa(i)
}

func (b *ballast) pieceBytes() int64 { return b.size / ballastPieces }

// find settles the size and looks for the ballast of an earlier life, before
// the engine opens: Pebble's compactions ask from then on. A file system that
// does not tell its room has no ballast.
func (b *ballast) find() {
	if _, err := b.fs.GetDiskUsage(b.fs.PathDir(b.name)); errors.Is(err, vfs.ErrUnsupported) {
		b.size = 0
	}
	if b.size == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.left {
		info, err := b.fs.Stat(b.piece(i))
		b.left[i] = err == nil
		if err != nil || info.Size() != b.pieceBytes() {
			b.gone.Store(true)
		}
	}
}

// full tells whether the engine is short of space. It makes the ballast again
// if it can.
func (b *ballast) full() bool {
	if !b.gone.Load() {
		return false
	}
	b.restore()
	return b.gone.Load()
}

// free removes a piece of the ballast and tells whether that gave room.
func (b *ballast) free() bool {
	if b.size == 0 {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.left {
		if !b.left[i] {
			continue
		}
		if err := b.fs.Remove(b.piece(i)); err != nil {
			b.log.Error("metadata reserve could not be freed", "cause", err)
			continue
		}
		b.left[i] = false
		b.next = b.now().Add(ballastCheckEvery)
		if !b.gone.Swap(true) {
			b.log.Warn("disk is full, metadata reserve is being used; only changes that free space are taken", "bytes", b.size)
		}
		return true
	}
	return false
}

// whole tells whether nothing of the ballast was used.
func (b *ballast) whole() bool { return !b.gone.Load() }

// roomToCompact tells whether a compaction may write: not with what the
// ballast gives, but for half of it.
func (b *ballast) roomToCompact() bool {
	if !b.gone.Load() {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.room()+b.held() >= b.size/2
}

// held is what the pieces take that are there. The caller holds mu.
func (b *ballast) held() int64 {
	n := int64(0)
	for _, there := range b.left {
		if there {
			n += b.pieceBytes()
		}
	}
	return n
}

// room returns the free bytes of the disk.
func (b *ballast) room() int64 {
	usage, err := b.fs.GetDiskUsage(b.fs.PathDir(b.name))
	if errors.Is(err, vfs.ErrUnsupported) {
		return 1 << 62
	}
	if err != nil {
		b.log.Warn("free space is not known", "cause", err)
		return 0
	}
	return int64(min(usage.AvailBytes, 1<<62))
}

// restore makes the ballast if it is gone and there is room. The engine is
// open.
func (b *ballast) restore() {
	if !b.mu.TryLock() {
		return // someone else is at it
	}
	defer b.mu.Unlock()
	now := b.now()
	if !b.gone.Load() || now.Before(b.next) {
		return
	}
	b.next = now.Add(ballastCheckEvery)
	if b.room()+b.held() < 2*b.size {
		return
	}
	for i := range b.left {
		if err := b.write(i); err != nil {
			b.log.Warn("metadata reserve could not be made", "cause", err)
			return
		}
	}
	b.gone.Store(false)
	b.log.Info("metadata reserve made, for when the disk is full", "bytes", b.size)
}

// write makes a piece, of bytes that no file system can compress or leave out,
// unless it is there.
func (b *ballast) write(i int) (err error) {
	name := b.piece(i)
	if info, err := b.fs.Stat(name); err == nil && info.Size() == b.pieceBytes() {
		return nil
	}
	defer func() {
		if b.left[i] = err == nil; err != nil {
			_ = b.fs.Remove(name)
		}
	}()
	f, err := b.fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	noise := rand.NewChaCha8([32]byte{byte(i)})
	if _, err := io.CopyBuffer(f, io.LimitReader(noise, b.pieceBytes()), make([]byte, 128<<10)); err != nil {
		return err
	}
	return f.Sync()
}
