// Package smallfile reads and writes the few small files of a server that are
// neither rows nor extents: VERSION, root credentials, the key ring. A file is
// readable by its owner only, exists whole or not at all, and survives a power
// cut once Write has returned.
package smallfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Temporary is the suffix of a file that is being written. A process that died
// leaves one, which the next Write of the same name replaces.
const Temporary = ".tmp"

// Read returns what a file holds, at most limit bytes of it.
func Read(fsys vfs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()

	return io.ReadAll(io.LimitReader(f, limit))
}

// Write makes dir/name hold text. After an error it holds what it held before,
// or text, whole in either case.
func Write(fsys vfs.FS, dir, name string, text []byte) (err error) {
	path := fsys.PathJoin(dir, name)
	defer func() {
		if err != nil {
			err = fmt.Errorf("write %s: %w", path, err)
		}
	}()

	f, err := createPrivate(fsys, path+Temporary)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	if err := fsys.Rename(path+Temporary, path); err != nil {
		return err
	}
	return SyncDir(fsys, dir)
}

// SyncDir makes durable which files a directory has.
func SyncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

type file interface {
	io.WriteCloser
	Sync() error
}

// createPrivate creates a file that never was readable by others. vfs.FS knows
// no modes, so on the machine's own file system it goes around it.
func createPrivate(fsys vfs.FS, name string) (file, error) {
	if !OnMachine(fsys) {
		return fsys.Create(name, vfs.WriteCategoryUnspecified)
	}
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// OnMachine tells whether fsys is the machine's own file system, whose files
// have modes.
func OnMachine(fsys vfs.FS) bool { return vfs.Root(fsys) == vfs.Default }
