// Package pebblekv is a kv.Engine on one machine's disk, over Pebble.
//
// # What it keeps true
//
// A change checks its guards and applies its rows while it holds the turn of
// its stripe (a 256th of the partitions), and waits for the sync of Pebble's
// write-ahead log after that, so that all changes under way share one sync.
// What is applied but not synced is visible in Pebble to every reader; so each
// answer here, an ErrConflict included, waits until the latest change of the
// partition that it can have seen is durable. When there is none, which is
// nearly always, that costs the load of one integer.
//
// When the log or the manifest cannot be written or synced, the engine takes no
// more changes until it is opened again: what was under way is ErrUnknown, what
// comes later ErrUnavailable. Reads go on, but for partitions with a change
// whose sync is in doubt. failstop.go tells how Pebble is kept alive for that.
//
// When the disk is full, a reserve (files of ReserveBytes) is given up piece by
// piece so that what was accepted can be written. Until there is room for it
// again, changes that make the data grow are ErrFull, others pass. See
// ballast.go.
//
// # Bytes
//
// The directory is Pebble's, with the log in wal/ and the reserve in ballast,
// ballast1 and so on. A key in Pebble is
//
//	0x01 "format"                              the row with the encoding's version
//	0x02 <partition, escaped> 0x00 0x01 <key>  a row of a partition
//
// In an escaped partition name a NUL byte is 0x00 0xff and all other bytes are
// themselves. So names sort as their bytes do, no name is the beginning of
// another, and the rows of a partition are those from <...> 0x00 0x01 up to
// <...> 0x00 0x02. Keys and values are kept as they are. For example, row "h"
// of partition "a\x00b" is
//
//	02  61 00 ff 62  00 01  68
//
// The value of the format row is "1". A directory with another is not opened.
package pebblekv

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
)

// ErrLocked: another process, or another engine of this one, has the directory
// open.
var ErrLocked = errors.New("data directory is in use")

// ErrFormat: the directory was not written by this release or an older one.
var ErrFormat = errors.New("unknown metadata format")

// ErrMissing: there is no database in the directory, and none was to be made.
var ErrMissing = errors.New("no metadata")

const formatValue = "1"

// closeGrace is how long Close waits for changes that Pebble holds up.
const closeGrace = 5 * time.Second

// Engine is a kv.Engine and a kv.Lister. Besides the errors of package kv its
// methods return those of the context and, from reads, those of the disk.
type Engine struct {
	db      *pebble.DB
	cache   *pebble.Cache
	fs      *failstopFS
	ballast *ballast
	stripes *stripes
	stall   stall

	calls  sync.RWMutex // held for reading during each call
	closed bool         // under calls

	applying sync.WaitGroup // changes handed to Pebble
	wedged   atomic.Bool    // Pebble panicked in a change and kept its locks
}

var (
	_ kv.Engine = (*Engine)(nil)
	_ kv.Lister = (*Engine)(nil)
)

// Open opens the engine in dir, which it makes if need be.
func Open(dir string, o Options) (*Engine, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("open metadata: %w", err)
	}
	o.EnsureDefaults()
	dir, err := realDir(o.FS, dir)
	if err != nil {
		return nil, fmt.Errorf("open metadata: %w", err)
	}

	e := &Engine{
		cache:   pebble.NewCache(o.CacheBytes),
		fs:      newFailstopFS(o.FS, o.FS.PathJoin(dir, walName), o.Logger),
		stripes: newStripes(),
		ballast: &ballast{
			fs:   o.FS,
			name: o.FS.PathJoin(dir, ballastName),
			size: max(0, o.ReserveBytes),
			now:  o.Now,
			log:  o.Logger,
		},
	}
	e.fs.after = o.after
	e.ballast.find()
	e.fs.makeRoom = e.ballast.free
	e.fs.untouched = e.ballast.whole
	e.fs.roomToCompact = e.ballast.roomToCompact
	if err := e.open(dir, o); err != nil {
		return nil, fmt.Errorf("open metadata in %s: %w", dir, err)
	}
	return e, nil
}

// realDir returns the one name of dir that all who open it agree on, for the
// lock is by name within a process.
func realDir(fs vfs.FS, dir string) (string, error) {
	if vfs.Root(fs) != vfs.Default {
		return dir, nil
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if real, err := filepath.EvalSymlinks(dir); err == nil {
		return real, nil
	}
	return dir, nil
}

func (e *Engine) open(dir string, o Options) error {
	if err := e.openPebble(dir, o); err != nil {
		e.fs.halt()
		e.cache.Unref()
		if e.fs.lockErr != nil && isLocked(e.fs.lockErr) {
			return fmt.Errorf("%w by another process: stop it first, or choose another directory", ErrLocked)
		}
		switch {
		case isNoSpace(err):
			return fmt.Errorf("%w: %w", kv.ErrFull, err)
		case errors.Is(err, pebble.ErrDBDoesNotExist):
			return ErrMissing
		}
		return err
	}
	e.fs.armed.Store(true)
	err := e.checkFormat(o.MustExist)
	if err == nil {
		err = e.fs.failure()
	}
	if err != nil {
		return errors.Join(err, e.Close())
	}
	e.ballast.restore()
	return nil
}

// isLocked tells a lock that someone holds from one that cannot be made. The
// vfs package has no error of its own for a lock held in this process.
func isLocked(err error) bool {
	return err == error(syscall.EAGAIN) || err == error(syscall.EACCES) ||
		strings.Contains(err.Error(), "lock held by current process")
}

// openPebble opens e.db. Pebble opens in a goroutine of its own, because it
// flushes what it finds in the log before it returns and, should that fail,
// tries it for ever.
func (e *Engine) openPebble(dir string, o Options) error {
	events := &pebble.EventListener{
		BackgroundError: func(err error) {
			o.Logger.Warn("metadata could not be flushed or compacted", "cause", err)
			if !e.fs.armed.Load() && !errors.As(err, new(compactionError)) {
				e.fs.fail(err)
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) {
			o.Logger.Error("metadata is corrupt", "cause", info.Details, "path", info.Path)
		},
		WriteStallBegin: func(info pebble.WriteStallBeginInfo) {
			o.Logger.Warn("metadata changes wait for a flush", "reason", info.Reason)
			e.stall.begin()
		},
		WriteStallEnd: e.stall.end,
	}
	options := pebbleOptions(e.fs, o, e.cache, events)

	opened := make(chan error, 1)
	var db *pebble.DB
	go func() {
		defer func() {
			if r := recover(); r != nil {
				opened <- fmt.Errorf("pebble: %v", r)
			}
		}()
		var err error
		db, err = pebble.Open(dir, options)
		opened <- err
	}()
	select {
	case err := <-opened:
		e.db = db
		return corrupt(err)
	case <-e.fs.failed:
		return corrupt(e.fs.failure())
	}
}

// checkFormat reads the format row, and writes it into a new database unless
// there had to be one.
func (e *Engine) checkFormat(mustExist bool) error {
	value, err := e.value(formatKey)
	if err != nil {
		return err
	}
	if value != nil {
		if string(value) != formatValue {
			return fmt.Errorf("%w: version %q, this release reads version %q", ErrFormat, value, formatValue)
		}
		return nil
	}

	it, err := e.db.NewIter(nil)
	if err != nil {
		return corrupt(err)
	}
	some := it.First()
	if err := it.Close(); err != nil {
		return corrupt(err)
	}
	if some {
		return fmt.Errorf("%w: the database is not one of Ossa's", ErrFormat)
	}
	if mustExist {
		return ErrMissing
	}
	return e.db.Set(formatKey, []byte(formatValue), pebble.Sync)
}

// Limits returns kv.DefaultLimits.
func (e *Engine) Limits() kv.Limits { return kv.DefaultLimits }

// Close ends the engine. It waits for the calls that are under way and for
// Pebble's work in the background, but not for ever: changes that Pebble holds
// up beyond closeGrace end in ErrUnknown.
func (e *Engine) Close() error {
	e.endCalls()
	defer e.calls.Unlock()
	if e.closed {
		return kv.ErrUnavailable
	}
	e.closed = true
	defer e.cache.Unref()

	failure := e.fs.failure()
	if failure != nil && !e.drained() {
		// A change that Pebble does not let go of holds locks that its Close
		// would wait for. What is left of it can only wait in memory.
		e.fs.halt()
		return fmt.Errorf("close metadata: %w", failure)
	}
	e.fs.release()
	err := corrupt(e.db.Close())
	e.fs.halt()
	if failure != nil {
		err = failure
	}
	if err != nil {
		return fmt.Errorf("close metadata: %w", err)
	}
	return nil
}

// endCalls locks e.calls, by force if need be.
func (e *Engine) endCalls() {
	if e.calls.TryLock() {
		return
	}
	ended := make(chan struct{})
	go func() {
		e.calls.Lock()
		close(ended)
	}()
	select {
	case <-ended:
	case <-e.fs.after(closeGrace):
		e.fs.fail(errors.New("closed while changes were waiting for a flush"))
		<-ended
	}
}

// drained tells whether Pebble has let go of all changes, now or soon.
func (e *Engine) drained() bool {
	if e.wedged.Load() {
		return false
	}
	done := make(chan struct{})
	go func() {
		e.applying.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-e.fs.after(closeGrace):
		return false
	}
}

// enter begins a call; leave ends it.
func (e *Engine) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	e.calls.RLock()
	if e.closed {
		e.calls.RUnlock()
		return fmt.Errorf("%w: it is closed", kv.ErrUnavailable)
	}
	return nil
}

func (e *Engine) leave() { e.calls.RUnlock() }

// corrupt gives an error of Pebble its meaning here.
func corrupt(err error) error {
	if pebble.IsCorruptionError(err) {
		return fmt.Errorf("%w: %w", kv.ErrCorrupt, err)
	}
	return err
}
