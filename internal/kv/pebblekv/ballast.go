package pebblekv

import (
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ballastCheckEvery is how often a commit looks whether there is room for the
// ballast again.
const ballastCheckEvery = time.Second

// ballast is a file of no use but its size. It goes when the disk is full, so
// that the log and the tables of what was accepted find room, and is made
// again when there is twice its size. While it is gone, the engine is full.
type ballast struct {
	fs   vfs.FS
	name string
	size int64 // bytes; 0 for none
	now  func() time.Time
	log  *slog.Logger

	gone atomic.Bool

	mu   sync.Mutex // held while the file is made or removed
	next time.Time  // not looked for room before
}

// find settles the size and looks for the ballast of an earlier life, before
// the engine opens: Pebble's compactions ask from then on. A file system that
// does not tell its room has no ballast.
func (b *ballast) find() {
	if _, err := b.fs.GetDiskUsage(b.fs.PathDir(b.name)); errors.Is(err, vfs.ErrUnsupported) {
		b.size = 0
	}
	info, err := b.fs.Stat(b.name)
	b.gone.Store(b.size > 0 && (err != nil || info.Size() != b.size))
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

// free removes the ballast and tells whether that gave room.
func (b *ballast) free() bool {
	if b.size == 0 || b.gone.Load() {
		return false
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.gone.Load() {
		return true // someone else was faster
	}
	if err := b.fs.Remove(b.name); err != nil {
		b.log.Error("metadata reserve could not be freed", "cause", err)
		return false
	}
	b.gone.Store(true)
	b.next = b.now().Add(ballastCheckEvery)
	b.log.Warn("disk is full, metadata reserve freed; only changes that free space are taken", "bytes", b.size)
	return true
}

// roomToCompact tells whether a compaction may write: not with what the
// ballast left, but for half of it.
func (b *ballast) roomToCompact() bool {
	if !b.gone.Load() {
		return true
	}
	return b.room() >= b.size/2
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
	if b.room() < 2*b.size {
		return
	}
	if err := b.write(); err != nil {
		b.log.Warn("metadata reserve could not be made", "cause", err)
		_ = b.fs.Remove(b.name)
		return
	}
	b.gone.Store(false)
	b.log.Info("metadata reserve made, for when the disk is full", "bytes", b.size)
}

// write makes the file, of bytes that no file system can compress or leave
// out.
func (b *ballast) write() (err error) {
	f, err := b.fs.Create(b.name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()

	noise := rand.NewChaCha8([32]byte{})
	if _, err := io.CopyBuffer(f, io.LimitReader(noise, b.size), make([]byte, 128<<10)); err != nil {
		return err
	}
	return f.Sync()
}
