package transfer

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// Entry is a file or an object of a tree.
type Entry struct {
	Name     string // below the root, with slashes
	Size     int64
	Modified time.Time
	ETag     string // of an object

	// Skip is why it is no candidate, and Err why it cannot be one. A name that ends
	// in a slash, with Err, is a directory that could not be read.
	Skip string
	Err  error
}

// Tree is where objects or files are.
type Tree interface {
	// Entries are those that the filter takes, in the order of their names' bytes. An
	// error ends them.
	Entries(ctx context.Context, f Filter) iter.Seq2[Entry, error]

	task(t *Task, name string, source bool)
}

// Prefix is the objects whose keys begin with Prefix, which is their names' root.
type Prefix struct {
	Client *oss.Client
	Bucket string
	Prefix string // "" or ending in a slash, unless Match has more

	// Match is a longer prefix that keys must have, "" for Prefix.
	Match string
}

// Entries lists the objects.
func (p *Prefix) Entries(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for o, err := range p.Client.Objects(ctx, p.Bucket, max(p.Prefix, p.Match)) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			name := strings.TrimPrefix(o.Key, p.Prefix)
			if name == "" || !f.Takes(name) {
				continue // "" is the mark of the folder itself
			}
			if !yield(Entry{Name: name, Size: o.Size, Modified: o.LastModified, ETag: o.ETag}, nil) {
				return
			}
		}
	}
}

func (p *Prefix) task(t *Task, name string, source bool) {
	if source && t.Action == Copy {
		t.From = oss.CopySource{Bucket: p.Bucket, Key: p.Prefix + name}
		return
	}
	t.Bucket, t.Key = p.Bucket, p.Prefix+name
}

// Folder is the files below a directory of this machine.
type Folder struct {
	Path  string
	Links Links // default FollowFiles
}

func (f *Folder) task(t *Task, name string, _ bool) { t.Path = localPath(f.Path, name) }

// Entries reads the directories.
func (f *Folder) Entries(ctx context.Context, filter Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		w := &walker{ctx: ctx, root: f.Path, links: f.Links, filter: filter, yield: yield}
		info, err := os.Stat(f.Path)
		if errors.Is(err, fs.ErrNotExist) {
			return // a target that is yet to be made
		}
		if err != nil {
			yield(Entry{}, err)
			return
		}
		w.walk("", []fs.FileInfo{info})
	}
}

// walker reads a folder.
type walker struct {
	ctx    context.Context
	root   string
	links  Links
	filter Filter
	yield  func(Entry, error) bool
	gone   bool // a file was listed and then was no more
}

// The kinds of names in a directory.
const (
	kindFile    = 'f'
	kindDir     = 'd'
	kindLink    = 'l' // that is not followed
	kindSpecial = 's' // device, socket, pipe
)

// names are those of one directory. A million of them must fit in memory: they
// lie in blocks, each behind its length, and growing copies none of them.
type names struct {
	blocks [][]byte
	at     []uint32 // where each begins: block<<blockBits + offset
}

const (
	blockBits = 16
	blockSize = 1 << blockBits // a name of any file system fits
)

// add takes a name in. Its error is that there are more than 4 GiB of them, or
// that no file system has such a name.
func (n *names) add(name string, kind byte) error {
	length := len(name) + 1
	if kind == kindDir {
		length++
	}
	if 2+length > blockSize {
		return fmt.Errorf("a name of %d bytes", len(name))
	}
	last := len(n.blocks) - 1
	if last < 0 || len(n.blocks[last])+2+length > blockSize {
		if last+1 == 1<<(32-blockBits) {
			return errors.New("too many names in one directory")
		}
		n.blocks = append(n.blocks, nil)
		if last >= 0 { // most directories are small
			n.blocks[last+1] = make([]byte, 0, blockSize)
		}
		last++
	}
	block := n.blocks[last]
	n.at = append(n.at, uint32(last<<blockBits+len(block)))
	block = binary.LittleEndian.AppendUint16(block, uint16(length))
	block = append(block, name...)
	if kind == kindDir {
		block = append(block, '/') // that is how it sorts among keys
	}
	n.blocks[last] = append(block, kind)
	return nil
}

// get returns the name, a directory's with a slash, and the kind.
func (n *names) get(at uint32) (name []byte, kind byte) {
	b := n.blocks[at>>blockBits][at%blockSize:]
	end := 2 + int(binary.LittleEndian.Uint16(b)) - 1
	return b[2:end], b[end]
}

// sort makes at the order of keys: a directory's is that of what is in it.
func (n *names) sort() {
	slices.SortFunc(n.at, func(a, b uint32) int {
		left, _ := n.get(a)
		right, _ := n.get(b)
		return bytes.Compare(left, right)
	})
}

// readAtATime is how many names of a directory are asked for at a time.
const readAtATime = 1024

// read reads the names of a directory.
func (w *walker) read(dir string) (*names, error) {
	d, err := os.Open(localPath(w.root, dir))
	if err != nil {
		return nil, err
	}
	defer d.Close()
	n := &names{}
	for {
		entries, err := d.ReadDir(readAtATime)
		for _, e := range entries {
			if err := n.add(e.Name(), w.kind(dir, e)); err != nil {
				return nil, err
			}
		}
		if err == io.EOF {
			return n, nil
		}
		if err == nil {
			err = w.ctx.Err()
		}
		if err != nil {
			return nil, err
		}
	}
}

func (w *walker) kind(dir string, e fs.DirEntry) byte {
	kind := e.Type()
	if kind&fs.ModeSymlink != 0 {
		if w.links == SkipLinks {
			return kindLink
		}
		info, err := os.Stat(filepath.Join(localPath(w.root, dir), e.Name()))
		switch {
		case err != nil:
			return kindFile // which cannot be read, and says why
		case info.IsDir() && w.links != FollowAll:
			return kindLink
		}
		kind = info.Mode().Type()
	}
	switch {
	case kind.IsDir():
		return kindDir
	case kind.IsRegular():
		return kindFile
	}
	return kindSpecial
}

// walk reads a directory, whose name ends in a slash or is "", and what is below.
// above are the directories on the way to it, itself included.
func (w *walker) walk(dir string, above []fs.FileInfo) bool {
	if w.ctx.Err() != nil {
		w.yield(Entry{}, context.Cause(w.ctx))
		return false
	}
	n, err := w.read(dir)
	if err != nil {
		if w.ctx.Err() != nil {
			w.yield(Entry{}, context.Cause(w.ctx))
			return false
		}
		return w.yield(Entry{Name: cmp.Or(dir, "/"), Err: err}, nil)
	}
	last := ""
	n.sort()
	for _, at := range n.at {
		text, kind := n.get(at)
		name := dir + string(text)
		if name == last {
			continue // a directory that changes while it is read may tell a name twice
		}
		last = name
		if !w.one(name, kind, above) {
			return false
		}
	}
	return w.stillThere(dir, above[len(above)-1])
}

// stillThere ends the walk if files have gone with their directory, as when a
// disk is taken away. That they were deleted nobody has said.
func (w *walker) stillThere(dir string, before fs.FileInfo) bool {
	if !w.gone {
		return true
	}
	name := localPath(w.root, dir)
	now, err := os.Stat(name)
	if err == nil && os.SameFile(before, now) {
		return true
	}
	w.yield(Entry{}, fmt.Errorf("%s is not there any more, or another directory", name))
	return false
}

func (w *walker) one(name string, kind byte, above []fs.FileInfo) bool {
	switch {
	case kind == kindDir:
		if w.filter.Prunes(name) {
			return true
		}
		return w.enter(name, above)
	case !w.filter.Takes(name):
		return true
	case kind == kindLink:
		return w.yield(Entry{Name: name, Skip: "a symbolic link"}, nil)
	case kind == kindSpecial:
		return w.yield(Entry{Name: name, Skip: "neither file nor directory"}, nil)
	case strings.HasSuffix(name, partialSuffix):
		return w.yield(Entry{Name: name, Skip: "a download that is not finished"}, nil)
	}
	info, err := os.Stat(localPath(w.root, name))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Lstat(localPath(w.root, name)); err != nil {
			w.gone = true // deleted since it was listed
			return true
		}
	}
	if err != nil {
		return w.yield(Entry{Name: name, Err: err}, nil)
	}
	e := Entry{Name: name, Size: info.Size(), Modified: info.ModTime()}
	if err := wire.ValidateKey(name); err != nil {
		e.Err = &NameError{Name: name, Reason: "object keys are 1 to 1023 bytes of UTF-8 that do not begin with a slash: rename the file"}
	}
	return w.yield(e, nil)
}

// enter reads a directory below.
func (w *walker) enter(name string, above []fs.FileInfo) bool {
	info, err := os.Stat(localPath(w.root, name))
	if err != nil {
		return w.yield(Entry{Name: name, Err: err}, nil)
	}
	if w.links == FollowAll {
		for _, a := range above {
			if os.SameFile(a, info) {
				return w.yield(Entry{Name: name, Skip: "a link that leads back to where it is"}, nil)
			}
		}
	}
	return w.walk(name, append(above[:len(above):len(above)], info))
}
