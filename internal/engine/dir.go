package engine

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/smallfile"
)

// Names in the data directory.
const (
	lockName        = "LOCK"
	versionName     = "VERSION"
	metaName        = "meta"
	blobName        = "blob"
	credentialsName = "root-credentials"
	keyRingName     = "keyring"
)

// Version is the number of the data format that this release writes. It rises
// when an older release would misread what is on disk.
const Version = 1

const versionPrefix = "ossa data format "

// openDir makes sure that dir is a data directory of a version that we know,
// and holds its lock until unlock is closed.
func openDir(fsys vfs.FS, dir string, mustExist bool) (unlock io.Closer, err error) {
	if dir == "" {
		return nil, fmt.Errorf("%w: the path is empty", ErrMissing)
	}
	if err := lookAt(fsys, dir, mustExist); err != nil {
		return nil, err
	}
	if err := mkdirDurably(fsys, dir); err != nil {
		return nil, fmt.Errorf("make data directory %s: %w", dir, err)
	}
	unlock, err = lock(fsys, dir)
	if err != nil {
		return nil, err
	}
	if err := ensureVersion(fsys, dir); err != nil {
		return nil, errors.Join(err, unlock.Close())
	}
	return unlock, nil
}

// lookAt refuses a directory that is not ours before anything in it is touched.
func lookAt(fsys vfs.FS, dir string, mustExist bool) error {
	info, err := fsys.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist) && mustExist:
		return fmt.Errorf("%w at %s: check --data", ErrMissing, dir)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("look at data directory: %w", err)
	case !info.IsDir():
		return fmt.Errorf("%w: %s is not a directory", ErrNotData, dir)
	}

	names, err := fsys.List(dir)
	if err != nil {
		return fmt.Errorf("look at data directory: %w", err)
	}
	if slices.Contains(names, versionName) {
		return nil
	}
	// A process that died at its first start leaves the lock and an unfinished
	// VERSION; a fresh disk has lost+found.
	for _, name := range names {
		if name != lockName && name != versionName+smallfile.Temporary && name != "lost+found" {
			return fmt.Errorf("%w: %s holds %q and no %s file; give --data an empty or new directory",
				ErrNotData, dir, name, versionName)
		}
	}
	if mustExist {
		return fmt.Errorf("%w at %s: it is empty; check --data", ErrMissing, dir)
	}
	return nil
}

// mkdirDurably makes dir and its parents, readable by their owner only, and
// syncs the directory above each one made: a power cut takes none back.
func mkdirDurably(fsys vfs.FS, dir string) error {
	if _, err := fsys.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := fsys.PathDir(dir)
	if parent != dir {
		if err := mkdirDurably(fsys, parent); err != nil {
			return err
		}
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return smallfile.SyncDir(fsys, parent)
}

func lock(fsys vfs.FS, dir string) (io.Closer, error) {
	name := fsys.PathJoin(dir, lockName)
	unlock, err := fsys.Lock(name)
	if err == nil {
		return unlock, nil
	}
	// Trouble with the file itself names its path; an errno other than these
	// two means that the file system knows no locks. What remains is a lock
	// that someone holds, this process included.
	var path *fs.PathError
	var errno syscall.Errno
	if errors.As(err, &path) ||
		errors.As(err, &errno) && errno != syscall.EAGAIN && errno != syscall.EACCES {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	return nil, fmt.Errorf("%w: another ossa process has %s open; stop it first, or give --data another directory",
		ErrLocked, dir)
}

// ensureVersion reads VERSION, or writes it in a directory that has none.
func ensureVersion(fsys vfs.FS, dir string) error {
	name := fsys.PathJoin(dir, versionName)
	text, err := smallfile.Read(fsys, name, readMax)
	if errors.Is(err, fs.ErrNotExist) {
		line := versionPrefix + strconv.Itoa(Version) + "\n"
		return smallfile.Write(fsys, dir, versionName, []byte(line))
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	number, ok := strings.CutPrefix(strings.TrimSuffix(string(text), "\n"), versionPrefix)
	v, err := strconv.Atoi(number)
	switch {
	case !ok || err != nil || v < 1:
		return fmt.Errorf("%w: %s holds %.60q", ErrNotData, name, text)
	case v > Version:
		return fmt.Errorf("%w: %s has format %d and this release knows formats up to %d; start it with the release that wrote it, or a later one",
			ErrNewer, dir, v, Version)
	}
	return nil
}

// readMax bounds the small files of the data directory, in bytes.
const readMax = 4 << 10

// KeyRingFile is where the key ring of a data directory lies unless it was put
// elsewhere.
func KeyRingFile(fsys vfs.FS, dir string) string { return fsys.PathJoin(dir, keyRingName) }
