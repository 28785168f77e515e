// Package partial opens the files that downloads fill before they have their
// name. It keeps true that one download at a time writes to such a file, as long
// as the system has locks for that: two would cut off and fill up with zeros what
// the other has written, and the file could get its name meanwhile.
//
// A file is locked from Open to Close. So it is renamed or removed first, and
// closed then; Windows, which renames no open files, has no locks here.
package partial

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"
)

// ErrBusy says that another download is writing to the file.
var ErrBusy = errors.New("another download is writing to it")

// ErrNotRegular says that something else than a file has the name.
var ErrNotRegular = errors.New("it is no regular file")

// opens bounds how often a file is opened that others rename meanwhile.
const opens = 100

// Open opens a file for reading and writing, makes it if there is none, and locks
// it. It is below root, unless that is nil. What is no regular file, such as a
// symbolic link, is ErrNotRegular.
func Open(root *os.Root, name string) (*os.File, error) {
	d := directory{root}
	for range opens {
		f, err := d.open(name)
		if err != nil {
			return nil, err
		}
		same, err := d.lock(f, name)
		if err == nil && same {
			return f, nil
		}
		f.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil, fmt.Errorf("%s: %w", name, ErrBusy)
}

// directory is where names lead from: that of the process if root is nil.
type directory struct{ root *os.Root }

func (d directory) lstat(name string) (os.FileInfo, error) {
	if d.root != nil {
		return d.root.Lstat(name)
	}
	return os.Lstat(name)
}

// open opens a file. Most often there is none, and it is made.
func (d directory) open(name string) (*os.File, error) {
	f, err := d.openFile(name, os.O_EXCL)
	if !errors.Is(err, os.ErrExist) {
		return f, err
	}
	if info, err := d.lstat(name); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: %w", name, ErrNotRegular)
	}
	return d.openFile(name, 0)
}

func (d directory) openFile(name string, flag int) (*os.File, error) {
	flag |= os.O_RDWR | os.O_CREATE
	if d.root != nil {
		return d.root.OpenFile(name, flag, 0o666)
	}
	return os.OpenFile(name, flag, 0o666)
}

// lock locks a file. same is whether it still has its name: the download that had
// the lock may have been at its end.
func (d directory) lock(f *os.File, name string) (same bool, err error) {
	if err := lock(f); err != nil {
		return false, err
	}
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	named, err := d.lstat(name)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, named), err
}

const (
	suffix  = ".ossa-partial"
	maxName = 255 // bytes of a name in a directory, on most file systems
	hashLen = 16  // hex digits of a shortened name
)

// Name is the name of the file that is filled before it becomes the one of a
// name. It lies beside that: the suffix is added, and what would be too long is
// cut and told apart by a hash.
func Name(name string) string {
	dir, base := filepath.Split(name)
	if len(base)+len(suffix) <= maxName {
		return name + suffix
	}
	sum := sha256.Sum256([]byte(base))
	cut := maxName - len(suffix) - hashLen - 1
	for cut > 0 && !utf8.RuneStart(base[cut]) {
		cut--
	}
	return dir + base[:cut] + "-" + hex.EncodeToString(sum[:])[:hashLen] + suffix
}
