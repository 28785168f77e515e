// Package vfstest wraps a vfs.FS so that tests can fill the disk and break it:
// Limited is a file system of a given size, Failing is one whose nth change
// fails. Both work over vfs.NewMem, vfs.NewCrashableMem and a real directory.
package vfstest

import (
	"os"
	"path/filepath"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Limited is a file system with room for so many bytes. Beyond them a write is
// cut short with ENOSPC, as a real disk does it, and nothing can be created.
// Bytes count from their allocation (write or Preallocate) to the removal of
// the file, its open handles notwithstanding. Files that existed before and
// were never opened for writing through Limited do not count.
type Limited struct {
	vfs.FS

	mu    sync.Mutex
	limit int64 // bytes
	used  int64 // bytes
	files map[string]*limitedNode
}

// limitedNode is what Limited knows of one file, under Limited.mu.
type limitedNode struct {
	allocated int64 // bytes counted in Limited.used
	links     int   // names
}

// NewLimited returns fs with room for so many bytes.
func NewLimited(fs vfs.FS, bytes int64) *Limited {
	return &Limited{FS: fs, limit: bytes, files: make(map[string]*limitedNode)}
}

// SetLimit changes the size of the file system. It may be set below what is
// used; then nothing can be allocated until enough is removed.
func (l *Limited) SetLimit(bytes int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.limit = bytes
}

// Used returns the bytes allocated.
func (l *Limited) Used() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used
}

// GetDiskUsage tells the limit and what is left of it.
func (l *Limited) GetDiskUsage(string) (vfs.DiskUsage, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return vfs.DiskUsage{
		AvailBytes: uint64(max(0, l.limit-l.used)),
		TotalBytes: uint64(l.limit),
		UsedBytes:  uint64(l.used),
	}, nil
}

// Unwrap returns the file system below.
func (l *Limited) Unwrap() vfs.FS { return l.FS }

// Create makes an empty file unless the disk is full.
func (l *Limited) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if err := l.roomForName(); err != nil {
		return nil, err
	}
	f, err := l.FS.Create(name, category)
	if err != nil {
		return nil, err
	}
	l.forget(name)
	return l.open(name, f)
}

// OpenReadWrite opens a file for writing, counting what it holds already.
func (l *Limited) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	if _, err := l.FS.Stat(name); err != nil {
		if err := l.roomForName(); err != nil {
			return nil, err
		}
	}
	f, err := l.FS.OpenReadWrite(name, category, opts...)
	if err != nil {
		return nil, err
	}
	return l.open(name, f)
}

// ReuseForWrite renames a file and opens it; its old bytes keep counting.
func (l *Limited) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := l.FS.ReuseForWrite(oldname, newname, category)
	if err != nil {
		return nil, err
	}
	l.rename(oldname, newname)
	return l.open(newname, f)
}

// Link gives a file a second name.
func (l *Limited) Link(oldname, newname string) error {
	if err := l.roomForName(); err != nil {
		return err
	}
	if err := l.FS.Link(oldname, newname); err != nil {
		return err
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.files[filepath.Clean(oldname)]; n != nil {
		n.links++
		l.files[filepath.Clean(newname)] = n
	}
	return nil
}

// Rename changes a file's name, or a directory's and so those of all below it.
func (l *Limited) Rename(oldname, newname string) error {
	if err := l.FS.Rename(oldname, newname); err != nil {
		return err
	}
	l.rename(oldname, newname)
	return nil
}

// Remove gives a file's room back.
func (l *Limited) Remove(name string) error {
	if err := l.FS.Remove(name); err != nil {
		return err
	}
	l.forget(name)
	return nil
}

// RemoveAll gives the room of all files below name back.
func (l *Limited) RemoveAll(name string) error {
	if err := l.FS.RemoveAll(name); err != nil {
		return err
	}
	for _, below := range l.below(name) {
		l.forget(below)
	}
	return nil
}

// MkdirAll makes directories unless the disk is full.
func (l *Limited) MkdirAll(dir string, perm os.FileMode) error {
	if err := l.FS.MkdirAll(dir, perm); err == nil {
		return nil
	}
	if err := l.roomForName(); err != nil {
		return err
	}
	return l.FS.MkdirAll(dir, perm)
}

func (l *Limited) roomForName() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.used >= l.limit {
		return syscall.ENOSPC
	}
	return nil
}

// open wraps f, which writes from its beginning, and counts what is in it.
func (l *Limited) open(name string, f vfs.File) (vfs.File, error) {
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}

	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.files[filepath.Clean(name)]
	if n == nil {
		n = &limitedNode{links: 1}
		l.files[filepath.Clean(name)] = n
	}
	if grow := info.Size() - n.allocated; grow > 0 {
		n.allocated += grow
		l.used += grow
	}
	return &limitedFile{File: f, fs: l, node: n}, nil
}

// forget drops one name of a file; its bytes go with the last one.
func (l *Limited) forget(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := l.files[filepath.Clean(name)]
	if n == nil {
		return
	}
	delete(l.files, filepath.Clean(name))
	if n.links--; n.links == 0 {
		l.used -= n.allocated
		n.allocated = 0
	}
}

func (l *Limited) rename(oldname, newname string) {
	for _, name := range l.below(oldname) {
		to := filepath.Clean(newname) + name[len(filepath.Clean(oldname)):]
		l.forget(to)
		l.mu.Lock()
		l.files[to] = l.files[name]
		delete(l.files, name)
		l.mu.Unlock()
	}
}

// below returns name, if it is a known file, and the known files below it.
func (l *Limited) below(name string) []string {
	name = filepath.Clean(name)
	l.mu.Lock()
	defer l.mu.Unlock()
	var names []string
	for n := range l.files {
		if n == name || len(n) > len(name) && n[:len(name)] == name && n[len(name)] == filepath.Separator {
			names = append(names, n)
		}
	}
	return names
}

// grow allocates bytes of node up to end and returns how far it got.
func (l *Limited) grow(node *limitedNode, end int64) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if node.links == 0 || end <= node.allocated {
		return end
	}
	more := min(end-node.allocated, max(0, l.limit-l.used))
	node.allocated += more
	l.used += more
	return min(end, node.allocated)
}

type limitedFile struct {
	vfs.File
	fs     *Limited
	node   *limitedNode
	offset int64 // where the next Write begins
}

func (f *limitedFile) Write(p []byte) (int, error) {
	fits := max(0, f.fs.grow(f.node, f.offset+int64(len(p)))-f.offset)
	n, err := f.File.Write(p[:fits])
	f.offset += int64(n)
	if err == nil && fits < int64(len(p)) {
		err = syscall.ENOSPC
	}
	return n, err
}

func (f *limitedFile) WriteAt(p []byte, offset int64) (int, error) {
	fits := max(0, f.fs.grow(f.node, offset+int64(len(p)))-offset)
	n, err := f.File.WriteAt(p[:fits], offset)
	if err == nil && fits < int64(len(p)) {
		err = syscall.ENOSPC
	}
	return n, err
}

// Preallocate counts the bytes; it asks the file system below only when there
// is room.
func (f *limitedFile) Preallocate(offset, length int64) error {
	f.fs.mu.Lock()
	more := offset + length - f.node.allocated
	if f.node.links > 0 && more > 0 {
		if more > f.fs.limit-f.fs.used {
			f.fs.mu.Unlock()
			return syscall.ENOSPC
		}
		f.node.allocated += more
		f.fs.used += more
	}
	f.fs.mu.Unlock()
	return f.File.Preallocate(offset, length)
}
