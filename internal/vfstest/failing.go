package vfstest

import (
	"errors"
	"io"
	"os"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// ErrInjected is what Failing answers.
var ErrInjected = errors.New("vfstest: injected error")

// Failing is a file system whose nth change fails without having any effect.
// Changes are counted from 0: Create, OpenReadWrite, ReuseForWrite, Link,
// Rename, Remove, RemoveAll, MkdirAll, Lock, and of a file Write, WriteAt,
// Preallocate, Sync, SyncData and SyncTo. Reads and Close never fail.
type Failing struct {
	vfs.FS
	first, last int64 // changes that fail
	calls       atomic.Int64
}

// NewFailing returns fs with its nth change failing, once. A negative n never
// fails; Calls then tells how many changes there are to fail.
func NewFailing(fs vfs.FS, n int) *Failing {
	return &Failing{FS: fs, first: int64(n), last: int64(n)}
}

// NewFailingFrom returns fs with its nth change and all later ones failing.
func NewFailingFrom(fs vfs.FS, n int) *Failing {
	return &Failing{FS: fs, first: int64(n), last: 1<<63 - 1}
}

// Calls returns the number of changes asked for so far.
func (f *Failing) Calls() int { return int(f.calls.Load()) }

// Failed tells whether a change has failed.
func (f *Failing) Failed() bool { return f.first >= 0 && f.calls.Load() > f.first }

// Unwrap returns the file system below.
func (f *Failing) Unwrap() vfs.FS { return f.FS }

func (f *Failing) change() error {
	if n := f.calls.Add(1) - 1; f.first >= 0 && f.first <= n && n <= f.last {
		return ErrInjected
	}
	return nil
}

// opened wraps the file of a change that succeeded.
func (f *Failing) opened(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return &failingFile{File: file, fs: f}, nil
}

// Create is a change.
func (f *Failing) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.change(); err != nil {
		return nil, err
	}
	return f.opened(f.FS.Create(name, category))
}

// OpenReadWrite is a change.
func (f *Failing) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if err := f.change(); err != nil {
		return nil, err
	}
	return f.opened(f.FS.OpenReadWrite(name, category, opts...))
}

// ReuseForWrite is a change.
func (f *Failing) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := f.change(); err != nil {
		return nil, err
	}
	return f.opened(f.FS.ReuseForWrite(oldname, newname, category))
}

// OpenDir is no change, the Sync of the directory is.
func (f *Failing) OpenDir(name string) (vfs.File, error) {
	return f.opened(f.FS.OpenDir(name))
}

// Link is a change.
func (f *Failing) Link(oldname, newname string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.Link(oldname, newname)
}

// Rename is a change.
func (f *Failing) Rename(oldname, newname string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.Rename(oldname, newname)
}

// Remove is a change.
func (f *Failing) Remove(name string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.Remove(name)
}

// RemoveAll is a change.
func (f *Failing) RemoveAll(name string) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.RemoveAll(name)
}

// MkdirAll is a change.
func (f *Failing) MkdirAll(dir string, perm os.FileMode) error {
	if err := f.change(); err != nil {
		return err
	}
	return f.FS.MkdirAll(dir, perm)
}

// Lock is a change.
func (f *Failing) Lock(name string) (io.Closer, error) {
	if err := f.change(); err != nil {
		return nil, err
	}
	return f.FS.Lock(name)
}

type failingFile struct {
	vfs.File
	fs *Failing
}

func (f *failingFile) Write(p []byte) (int, error) {
	if err := f.fs.change(); err != nil {
		return 0, err
	}
	return f.File.Write(p)
}

func (f *failingFile) WriteAt(p []byte, offset int64) (int, error) {
	if err := f.fs.change(); err != nil {
		return 0, err
	}
	return f.File.WriteAt(p, offset)
}

func (f *failingFile) Preallocate(offset, length int64) error {
	if err := f.fs.change(); err != nil {
		return err
	}
	return f.File.Preallocate(offset, length)
}

func (f *failingFile) Sync() error {
	if err := f.fs.change(); err != nil {
		return err
	}
	return f.File.Sync()
}

func (f *failingFile) SyncData() error {
	if err := f.fs.change(); err != nil {
		return err
	}
	return f.File.SyncData()
}

func (f *failingFile) SyncTo(length int64) (bool, error) {
	if err := f.fs.change(); err != nil {
		return false, err
	}
	return f.File.SyncTo(length)
}
