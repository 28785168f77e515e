package pebblekv

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// tablePause is how long Pebble waits for the error of a table file, after
// which it tries again.
const tablePause = time.Second

// errStopped is what Pebble sees of its files once the engine has failed.
var errStopped = errors.New("the metadata engine has stopped")

// failstopFS is the file system that Pebble sees. It turns every file error
// from which Pebble has no way back into one sticky state of the engine, and
// keeps Pebble from making it worse.
//
// Pebble v2.1.7 does the following by itself, which is why this exists:
//
//   - An error of the write-ahead log (write, sync, close, creation of the
//     next one, sync of its directory) reaches the commits that wait for it,
//     but the next use of the log panics; when that is the change to a new log,
//     the panic unlocks a mutex that is not locked, which nothing can recover
//     from. So Pebble never sees an error of its log: the engine fails first,
//     then the log goes on as if all were well, writing nowhere. Every commit
//     asks after its sync whether the engine has failed by then.
//   - An error of the manifest, its marker or the directory is Logger.Fatalf,
//     and when that returns, the same flush again at once with a manifest of
//     which nobody knows what it holds. So whoever meets such an error is parked
//     until the engine closes, and so is every other change from then on.
//   - An error of a table file makes a flush or compaction start again at once,
//     for ever, without a pause. Nothing is lost, so these are answered, but
//     after a pause.
//
// An error while the engine opens is passed on as it is: Open fails.
type failstopFS struct {
	vfs.FS
	walDir string
	log    *slog.Logger

	// makeRoom frees a piece of the ballast and tells whether it did; untouched
	// tells whether it never has. roomToCompact tells whether a compaction may
	// write when space is short.
	makeRoom      func() bool
	untouched     func() bool
	roomToCompact func() bool

	after func(time.Duration) <-chan time.Time

	armed    atomic.Bool   // Open is over
	failed   chan struct{} // closed by the first failure
	released chan struct{} // closed by release: what is parked goes on
	once     sync.Once
	onceFree sync.Once
	cause    error // set before failed is closed

	mu   sync.RWMutex // held for reading during each change below
	dead bool         // nothing reaches the disk any more

	lock     io.Closer // the lock of the directory, nil when not held
	lockErr  error     // why there is none
	lockOnce sync.Once
}

func newFailstopFS(fs vfs.FS, walDir string, log *slog.Logger) *failstopFS {
	return &failstopFS{
		FS:            fs,
		walDir:        path.Clean(filepath.ToSlash(walDir)),
		log:           log,
		makeRoom:      func() bool { return false },
		untouched:     func() bool { return false },
		roomToCompact: func() bool { return true },
		after:         time.After,
		failed:        make(chan struct{}),
		released:      make(chan struct{}),
	}
}

// fail makes the engine take no more changes, for ever. The first cause stays.
func (s *failstopFS) fail(cause error) {
	s.once.Do(func() {
		s.cause = cause
		close(s.failed)
		s.log.Error("metadata engine takes no changes until it is opened again", "cause", cause)
	})
}

// failure returns why the engine failed, nil while it has not.
func (s *failstopFS) failure() error {
	select {
	case <-s.failed:
		return s.cause
	default:
		return nil
	}
}

// release lets parked changes go on, with errors, so that Pebble can close.
func (s *failstopFS) release() {
	s.onceFree.Do(func() { close(s.released) })
}

// halt returns when nothing that Pebble still has under way can reach the disk
// any more, and gives the lock of the directory back.
func (s *failstopFS) halt() {
	s.mu.Lock()
	s.dead = true
	s.mu.Unlock()
	s.unlock()
}

func (s *failstopFS) unlock() {
	s.lockOnce.Do(func() {
		if s.lock == nil {
			return
		}
		if err := s.lock.Close(); err != nil {
			s.log.Warn("metadata directory could not be unlocked", "cause", err)
		}
	})
}

// fileClass says what an error of a file means.
type fileClass int

const (
	classLog        fileClass = iota // the write-ahead log and its directory
	classTable                       // a table written by a flush: written again
	classCompaction                  // a table written by a compaction: the same, and can wait
	classGarbage                     // a file being removed: stays
	classCore                        // all others: manifest, markers, directories
)

func (s *failstopFS) class(name string, category vfs.DiskWriteCategory) fileClass {
	name = path.Clean(filepath.ToSlash(name))
	switch {
	case name == s.walDir || strings.HasPrefix(name, s.walDir+"/"):
		return classLog
	case path.Ext(name) == ".sst" || path.Ext(name) == ".blob":
		if category == "pebble-compaction" {
			return classCompaction
		}
		return classTable
	}
	return classCore
}

// change runs a change of class c. A change that ran out of space is run again
// after a piece of the ballast went; a sync is not (sync is true): what a failed sync
// left behind, no later one makes good.
func (s *failstopFS) change(c fileClass, sync bool, do func() error) error {
	if s.failure() != nil {
		return s.refuse(c)
	}
	err := s.try(c, sync, do)
	if err == nil || !s.armed.Load() {
		return err
	}

	switch c {
	case classLog:
		s.fail(err)
		return nil
	case classCore:
		s.fail(err)
		return s.refuse(c)
	case classTable, classCompaction:
		s.log.Warn("metadata table could not be written, will be tried again", "cause", err)
		select {
		case <-s.after(tablePause):
		case <-s.failed:
		case <-s.released:
		}
	case classGarbage:
	}
	return err
}

// refuse answers a change of class c after the engine has failed.
func (s *failstopFS) refuse(c fileClass) error {
	if c == classLog && s.armed.Load() {
		return nil
	}
	<-s.released
	return errStopped
}

func (s *failstopFS) try(c fileClass, sync bool, do func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.dead {
		return errStopped
	}
	if c == classCompaction && !sync && !s.roomToCompact() {
		return compactionError{syscall.ENOSPC}
	}
	err := do()
	// Compactions can wait: they use the ballast, but do not begin with it.
	for isNoSpace(err) && (c != classCompaction || !s.untouched()) && s.makeRoom() && !sync {
		if c == classCompaction && !s.roomToCompact() {
			break
		}
		err = do()
	}
	if c == classCompaction && err != nil {
		return compactionError{err}
	}
	return err
}

// wish is try for what Pebble goes on without. When the disk is full, a piece of
// the ballast goes so that all know, and no more.
func (s *failstopFS) wish(c fileClass, do func() error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.dead {
		return errStopped
	}
	err := do()
	if c != classCompaction && isNoSpace(err) && s.untouched() {
		s.makeRoom()
	}
	return err
}

// compactionError is an error of a compaction, which can wait.
type compactionError struct{ error }

func (e compactionError) Unwrap() error { return e.error }

// isNoSpace tells whether err says that the disk or a quota is full.
func isNoSpace(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}

func (s *failstopFS) open(name string, c fileClass, do func() (vfs.File, error)) (vfs.File, error) {
	var f vfs.File
	err := s.change(c, false, func() (err error) {
		f, err = do()
		return err
	})
	if err != nil {
		return nil, err
	}
	if f == nil {
		return &nowhereFile{name: s.FS.PathBase(name)}, nil
	}
	return &failstopFile{File: f, fs: s, class: c}, nil
}

// Unwrap returns the file system below.
func (s *failstopFS) Unwrap() vfs.FS { return s.FS }

func (s *failstopFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return s.open(name, s.class(name, category), func() (vfs.File, error) {
		return s.FS.Create(name, category)
	})
}

func (s *failstopFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return s.open(name, s.class(name, category), func() (vfs.File, error) {
		return s.FS.OpenReadWrite(name, category, opts...)
	})
}

func (s *failstopFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return s.open(newname, s.class(newname, category), func() (vfs.File, error) {
		return s.FS.ReuseForWrite(oldname, newname, category)
	})
}

func (s *failstopFS) OpenDir(name string) (vfs.File, error) {
	f, err := s.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return &failstopFile{File: f, fs: s, class: s.class(name, vfs.WriteCategoryUnspecified)}, nil
}

func (s *failstopFS) Link(oldname, newname string) error {
	return s.change(s.class(newname, vfs.WriteCategoryUnspecified), false, func() error {
		return s.FS.Link(oldname, newname)
	})
}

func (s *failstopFS) Rename(oldname, newname string) error {
	return s.change(s.class(newname, vfs.WriteCategoryUnspecified), false, func() error {
		return s.FS.Rename(oldname, newname)
	})
}

func (s *failstopFS) Remove(name string) error {
	return s.change(classGarbage, false, func() error { return s.FS.Remove(name) })
}

func (s *failstopFS) RemoveAll(name string) error {
	return s.change(classGarbage, false, func() error { return s.FS.RemoveAll(name) })
}

func (s *failstopFS) MkdirAll(dir string, perm os.FileMode) error {
	return s.change(s.class(dir, vfs.WriteCategoryUnspecified), false, func() error {
		return s.FS.MkdirAll(dir, perm)
	})
}

// Lock takes the lock of the directory, which halt can take from Pebble.
func (s *failstopFS) Lock(name string) (io.Closer, error) {
	s.lock, s.lockErr = s.FS.Lock(name)
	if s.lockErr != nil {
		return nil, s.lockErr
	}
	return closerFunc(func() error {
		s.unlock()
		return nil
	}), nil
}

type closerFunc func() error

func (f closerFunc) Close() error { return f() }

// failstopFile is one file of failstopFS.
type failstopFile struct {
	vfs.File
	fs    *failstopFS
	class fileClass
}

func (f *failstopFile) Write(p []byte) (int, error) {
	written := 0
	err := f.fs.change(f.class, false, func() error {
		n, err := f.File.Write(p[written:])
		written += n
		return err
	})
	if err != nil {
		return written, err
	}
	return len(p), nil
}

func (f *failstopFile) WriteAt(p []byte, offset int64) (int, error) {
	written := 0
	err := f.fs.change(f.class, false, func() error {
		n, err := f.File.WriteAt(p[written:], offset+int64(written))
		written += n
		return err
	})
	if err != nil {
		return written, err
	}
	return len(p), nil
}

// Preallocate is only a wish: Pebble goes on without it, so its error is none
// of the file's, but it is the first to find the disk full.
func (f *failstopFile) Preallocate(offset, length int64) error {
	if f.fs.failure() != nil {
		return nil
	}
	return f.fs.wish(f.class, func() error { return f.File.Preallocate(offset, length) })
}

func (f *failstopFile) Sync() error {
	return f.fs.change(f.class, true, f.File.Sync)
}

func (f *failstopFile) SyncData() error {
	return f.fs.change(f.class, true, f.File.SyncData)
}

func (f *failstopFile) SyncTo(length int64) (fullSync bool, err error) {
	err = f.fs.change(f.class, true, func() (err error) {
		fullSync, err = f.File.SyncTo(length)
		return err
	})
	return fullSync, err
}

// Close closes the file also after a failure: descriptors are not leaked.
func (f *failstopFile) Close() error {
	err := f.File.Close()
	if err != nil && f.class == classLog && f.fs.armed.Load() {
		f.fs.fail(err)
		return nil
	}
	return err
}

// nowhereFile is the log after a failure.
type nowhereFile struct{ name string }

var _ vfs.File = (*nowhereFile)(nil)

func (f *nowhereFile) Close() error                              { return nil }
func (f *nowhereFile) Read([]byte) (int, error)                  { return 0, io.EOF }
func (f *nowhereFile) ReadAt([]byte, int64) (int, error)         { return 0, io.EOF }
func (f *nowhereFile) Write(p []byte) (int, error)               { return len(p), nil }
func (f *nowhereFile) WriteAt(p []byte, _ int64) (int, error)    { return len(p), nil }
func (f *nowhereFile) Preallocate(offset, length int64) error    { return nil }
func (f *nowhereFile) Stat() (vfs.FileInfo, error)               { return nowhereInfo{f.name}, nil }
func (f *nowhereFile) Sync() error                               { return nil }
func (f *nowhereFile) SyncTo(int64) (bool, error)                { return true, nil }
func (f *nowhereFile) SyncData() error                           { return nil }
func (f *nowhereFile) Prefetch(offset int64, length int64) error { return nil }
func (f *nowhereFile) Fd() uintptr                               { return vfs.InvalidFd }

type nowhereInfo struct{ name string }

func (i nowhereInfo) Name() string           { return i.name }
func (i nowhereInfo) Size() int64            { return 0 }
func (i nowhereInfo) Mode() os.FileMode      { return 0o600 }
func (i nowhereInfo) ModTime() time.Time     { return time.Time{} }
func (i nowhereInfo) IsDir() bool            { return false }
func (i nowhereInfo) Sys() any               { return nil }
func (i nowhereInfo) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }
