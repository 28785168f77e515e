package transfer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
	"sync"

	"github.com/ossastore/ossa/internal/partial"
	"github.com/ossastore/ossa/oss"
)

// errExists is the answer of a server, for files.
var errExists = errors.New("it exists, and must not be replaced")

// perform does a task.
func (r *run) perform(ctx context.Context, t *Task) *Outcome {
	var o Outcome
	var err error
	if t.Size < 0 || t.Size >= smallFile { // unknown, or large
		select {
		case r.large <- struct{}{}:
			defer func() { <-r.large }()
		case <-ctx.Done():
			return &Outcome{Status: Done, Err: context.Cause(ctx)}
		}
	}
	switch t.Action {
	case Upload:
		err = r.upload(ctx, t, &o)
	case Download:
		err = r.download(ctx, t, &o)
	case Copy:
		err = r.copy(ctx, t, &o)
	}
	o.Status, o.Err = Done, err
	return &o
}

// skipIdenticalFrom is from which size on an upload first looks whether the
// object is there already: an earlier run may have been killed between the end of
// its upload and the answer. Sending less again is no loss, unless it was several
// parts: those look, too.
const skipIdenticalFrom = 4 << 20

func (r *run) upload(ctx context.Context, t *Task, o *Outcome) error {
	f, err := os.Open(t.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return err
	}
	q := &oss.UploadRequest{
		Bucket: t.Bucket, Key: t.Key, Body: f,
		Attributes: r.Object.Attributes, Tags: r.Object.Tags, ACL: r.Object.ACL, Header: http.Header(r.Object.Header),
		ForbidOverwrite: r.ForbidOverwrite, PartSize: r.PartSize, Parallel: r.Parallel, Delta: r.Delta,
		Progress: func(p oss.Progress) { r.Observer.Moved(t, p) },
	}
	if q.ContentType == "" {
		q.ContentType = contentType(t.Key)
	}
	switch {
	case !before.Mode().IsRegular() || tellsNoSize(f, before): // such as a pipe of the shell's <(...)
		q.Body, q.Stream, q.Delta = nil, f, false
		q.Memory = max(leastMemory, 2*r.PartSize)
		stop := context.AfterFunc(ctx, func() { f.Close() })
		defer stop()
	case r.Restart:
		q.Resume = oss.ResumeNever
	case r.Mode == Always && !r.ForbidOverwrite && (before.Size() >= skipIdenticalFrom || r.PartSize > 0 && before.Size() > r.PartSize):
		q.SkipIdentical = true
	}
	began := r.Now()
	res, err := r.Client.Upload(ctx, q)
	if err != nil {
		var failed *oss.UploadError
		if errors.As(err, &failed) {
			o.Moved, o.Notes = failed.Report.BytesMoved, failed.Report.Notes
		}
		return err
	}
	o.Size, o.Moved, o.Resumed, o.Notes = res.Size, res.BytesMoved, res.Resumed, res.Notes
	o.ETag, o.CRC64, o.Version = res.ETag, oss.CRC64{Sum: res.CRC64, Known: true}, res.VersionID
	if state := (fileState{before.Size(), before.ModTime()}); state.settled(began) {
		r.Journal.put(t.Name, state, fingerprint{crc: res.CRC64, etag: res.ETag})
	}
	return nil
}

// tellsNoSize tells whether a file has bytes although its size is 0, as those of
// /proc do.
func tellsNoSize(f *os.File, info fs.FileInfo) bool {
	if info.Size() > 0 {
		return false
	}
	n, _ := f.ReadAt(make([]byte, 1), 0)
	return n > 0
}

// leastMemory is what a stream may take, in bytes. Of larger parts it is two.
const leastMemory = 64 << 20

// UploadStream makes an object of a stream.
func UploadStream(ctx context.Context, o Options, t *Task, stream io.Reader) (*Outcome, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	r.Observer.Began(t)
	q := &oss.UploadRequest{
		Bucket: t.Bucket, Key: t.Key, Stream: stream,
		Attributes: o.Object.Attributes, Tags: o.Object.Tags, ACL: o.Object.ACL, Header: http.Header(o.Object.Header),
		ForbidOverwrite: o.ForbidOverwrite, PartSize: o.PartSize, Parallel: o.Parallel,
		Progress: func(p oss.Progress) { r.Observer.Moved(t, p) },
	}
	if q.ContentType == "" {
		q.ContentType = contentType(t.Key)
	}
	q.Memory = max(leastMemory, 2*o.PartSize)
	began := r.Now()
	res, err := o.Client.Upload(ctx, q)
	out := &Outcome{Status: Failed, Err: err, Took: r.Now().Sub(began)}
	if err == nil {
		out.Status, out.Size, out.Moved, out.Notes = Done, res.Size, res.BytesMoved, res.Notes
		out.ETag, out.CRC64, out.Version = res.ETag, oss.CRC64{Sum: res.CRC64, Known: true}, res.VersionID
	} else if ctx.Err() != nil {
		out.Status = Stopped
	}
	r.end(t, out)
	return out, err
}

// DownloadStream writes an object to a stream.
func DownloadStream(ctx context.Context, o Options, t *Task, stream io.Writer) (*Outcome, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	r.Observer.Began(t)
	began := r.Now()
	out := &Outcome{Status: Done}
	out.Err = r.fetchTo(ctx, t, stream, out)
	out.Took = r.Now().Sub(began)
	if out.Err != nil {
		out.Status = Failed
		if ctx.Err() != nil {
			out.Status = Stopped
		}
	}
	r.end(t, out)
	return out, out.Err
}

// fetchTo reads an object in one go, over as many connections as it takes.
func (r *run) fetchTo(ctx context.Context, t *Task, w io.Writer, o *Outcome) error {
	res, err := r.Client.OpenObject(ctx, &oss.OpenObjectRequest{Bucket: t.Bucket, Key: t.Key})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	return r.fetchBody(t, res, w, o)
}

// copyBuffer is what is moved at a time.
const copyBuffer = 64 << 10

var buffers = sync.Pool{New: func() any { return new([copyBuffer]byte) }}

// fetchBody moves a body, whose end says whether it was whole.
func (r *run) fetchBody(t *Task, res *oss.GetObjectResult, w io.Writer, o *Outcome) error {
	buf := buffers.Get().(*[copyBuffer]byte)
	defer buffers.Put(buf)
	p := oss.Progress{Phase: oss.Transferring, Total: res.Size}
	o.Size, o.ETag, o.CRC64, o.Version = res.Size, res.ETag, res.CRC64, res.VersionID
	for {
		n, err := res.Body.Read(buf[:])
		if n > 0 {
			if _, err := w.Write(buf[:n]); err != nil {
				return err
			}
			p.Done += int64(n)
			p.Moved += int64(n)
			o.Moved += int64(n)
			r.Observer.Moved(t, p)
		}
		if err == io.EOF {
			o.noteUncompared()
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// smallFile is up to which size an object of a folder is fetched by one request
// and written in one go. What is larger is fetched in ranges, and gone on with
// after a break.
const smallFile = 8 << 20

// vacant returns an error if there is a file that must not be replaced.
func (r *run) vacant(t *Task) error {
	if r.ForbidOverwrite {
		if _, err := r.lstat(t); err == nil {
			return &fs.PathError{Op: "write", Path: t.Path, Err: errExists}
		}
	}
	return nil
}

func (r *run) download(ctx context.Context, t *Task, o *Outcome) error {
	if t.root != nil {
		if strings.HasSuffix(t.Name, "/") {
			return r.makeFolder(t, o)
		}
		if err := r.dirs.make(t.root, path.Dir(t.local)); err != nil {
			return err
		}
	}
	if err := r.vacant(t); err != nil {
		return err
	}
	var err error
	if t.root != nil && t.Size < smallFile {
		err = r.fetchSmall(ctx, t, o)
	} else {
		err = r.fetchLarge(ctx, t, o)
	}
	if err == nil && r.Journal != nil && o.CRC64.Known {
		r.noteDownload(t, o)
	}
	return err
}

// noteDownload gives a file the time of its object. So any change from now on
// shows, even one in the moment after it was written.
func (r *run) noteDownload(t *Task, o *Outcome) {
	if t.root == nil || t.root.Chtimes(t.local, t.Modified, t.Modified) != nil {
		return
	}
	info, err := r.lstat(t)
	if err != nil || info.Size() != o.Size {
		return
	}
	if state := (fileState{info.Size(), info.ModTime()}); state.settled(r.Now()) {
		r.Journal.put(t.Name, state, fingerprint{crc: o.CRC64.Sum, etag: o.ETag})
	}
}

func (r *run) lstat(t *Task) (fs.FileInfo, error) {
	if t.root != nil {
		return t.root.Lstat(t.local)
	}
	return os.Lstat(t.Path)
}

// makeFolder makes a directory of an object that stands for one.
func (r *run) makeFolder(t *Task, o *Outcome) error {
	if t.Size > 0 {
		return &NameError{Name: t.Name, Reason: "it ends in a slash as directories do, and has bytes"}
	}
	o.ETag = t.etag
	return r.dirs.make(t.root, t.local)
}

func (r *run) fetchLarge(ctx context.Context, t *Task, o *Outcome) error {
	q := &oss.DownloadRequest{
		Bucket: t.Bucket, Key: t.Key, PartSize: r.PartSize, Parallel: r.Parallel, Restart: r.Restart,
		ForbidOverwrite: r.ForbidOverwrite,
		Progress:        func(p oss.Progress) { r.Observer.Moved(t, p) },
	}
	name := t.Path
	if t.root != nil {
		q.Root, name = t.root, t.local
	}
	res, err := r.Client.DownloadFile(ctx, name, q)
	if err != nil {
		return err
	}
	o.Size, o.Moved, o.Resumed, o.Notes = res.Size, res.BytesFetched, res.Resumed, res.Notes
	o.ETag, o.CRC64, o.Version = res.ETag, res.CRC64, res.VersionID
	o.noteUncompared()
	return nil
}

// noteUncompared says so if a server has told no checksum of what was downloaded.
func (o *Outcome) noteUncompared() {
	if !o.CRC64.Known {
		o.Notes = append(o.Notes, "the server tells no CRC-64: the bytes were compared with nothing")
	}
}

// fetchSmall writes a file under a name for that, and gives it its own when all
// bytes are there.
func (r *run) fetchSmall(ctx context.Context, t *Task, o *Outcome) error {
	res, err := r.Client.OpenObject(ctx, &oss.OpenObjectRequest{Bucket: t.Bucket, Key: t.Key})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.Size >= smallFile || res.ContentLength < 0 { // it grew since it was listed, or tells no length
		res.Body.Close()
		return r.fetchLarge(ctx, t, o)
	}
	dir, base := filepath.Split(t.local)
	parent, err := t.root.OpenRoot(cmp.Or(dir, ".")) // or every step walks down to it
	if err != nil {
		return err
	}
	defer parent.Close()
	if info, err := parent.Lstat(base); err == nil && !info.Mode().IsRegular() {
		return fmt.Errorf("%s is no regular file, and is not replaced", t.Path)
	}
	name := partial.Name(base)
	f, err := partial.Open(parent, name)
	if errors.Is(err, partial.ErrNotRegular) {
		if err := parent.Remove(name); err != nil {
			return err
		}
		f, err = partial.Open(parent, name)
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err = f.Truncate(0); err == nil { // a run that was killed may have left it
		err = r.fetchBody(t, res, f, o)
	}
	if runtime.GOOS == "windows" { // which renames no open files
		err = errors.Join(err, f.Close())
	}
	if err == nil {
		err = r.vacant(t) // one may have come meanwhile
	}
	if err == nil {
		err = parent.Rename(name, base)
	}
	if err != nil {
		return errors.Join(err, parent.Remove(name))
	}
	if err := f.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		return err
	}
	r.sync.Store(true)
	return nil
}

func (r *run) copy(ctx context.Context, t *Task, o *Outcome) error {
	q := &oss.CopyRequest{
		Bucket: t.Bucket, Key: t.Key, Source: t.From,
		ReplaceMetadata: r.Object.Replace, Attributes: r.Object.Attributes, ReplaceTags: r.Object.ReplaceTags, Tags: r.Object.Tags,
		ACL: r.Object.ACL, ForbidOverwrite: r.ForbidOverwrite, PartSize: r.PartSize, Parallel: r.Parallel,
		Progress: func(p oss.Progress) { r.Observer.Moved(t, p) },
	}
	if q.ReplaceMetadata && q.ContentType == "" {
		q.ContentType = contentType(t.Key)
	}
	if r.Restart {
		q.Resume = oss.ResumeNever
	}
	res, err := r.Client.Copy(ctx, q)
	if err != nil {
		var failed *oss.UploadError
		if errors.As(err, &failed) {
			o.Notes = failed.Report.Notes
		}
		return err
	}
	o.Resumed, o.Notes = res.Resumed, res.Notes
	o.Size, o.ETag, o.CRC64, o.Version = res.Size, res.ETag, res.CRC64, res.VersionID
	return nil
}

// dirCache remembers directories that were made.
type dirCache struct {
	mu   sync.Mutex
	made map[string]bool
}

// maxDirs bounds what is remembered.
const maxDirs = 4096

func (d *dirCache) make(root *os.Root, name string) error {
	if name == "." {
		return nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.made[name] {
		return nil
	}
	if err := root.MkdirAll(filepath.FromSlash(name), 0o777); err != nil {
		return err
	}
	if d.made == nil || len(d.made) >= maxDirs {
		d.made = map[string]bool{}
	}
	d.made[name] = true
	return nil
}
