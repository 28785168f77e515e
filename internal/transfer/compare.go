package transfer

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/ossastore/ossa/oss"
)

func lookAtFile(name string) (*Entry, error) {
	info, err := os.Stat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Entry{Name: info.Name(), Size: info.Size(), Modified: info.ModTime()}, nil
}

// same tells whether source and target have the same bytes: by size and CRC-64.
// What was found out before is in the journal; the server then is not asked,
// and the file not read.
func (r *run) same(ctx context.Context, t *Task, target *Entry) (bool, error) {
	if t.Size != target.Size {
		return false, nil
	}
	if t.Action == Copy {
		return r.sameObjects(ctx, t, target)
	}
	state := fileState{size: t.Size, modified: t.Modified}
	etag := target.ETag
	bucket, key := t.Bucket, t.Key
	if t.Action == Download {
		state, etag = fileState{target.Size, target.Modified}, t.etag
	}
	known, ok := r.Journal.get(t.Name, state)
	if ok && etag != "" && known.etag == etag {
		return true, nil
	}
	info, err := r.Client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: bucket, Key: key})
	if errors.Is(err, oss.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if info.Size != t.Size {
		return false, nil
	}
	crc, sum := known.crc, [16]byte{}
	if !ok || !info.CRC64.Known {
		began := r.Now()
		if crc, sum, err = r.hash(ctx, t); err != nil {
			return false, err
		}
		if t.Action == Upload {
			ok = state.settled(began)
		} else {
			ok = fileState{target.Size, target.Modified}.settled(began)
		}
	}
	equal := crc == info.CRC64.Sum
	if !info.CRC64.Known {
		equal = etagOf(sum) == info.ETag
	}
	if equal && ok {
		r.Journal.put(t.Name, state, fingerprint{crc: crc, etag: info.ETag})
	}
	return equal, nil
}

// sameObjects compares two objects.
func (r *run) sameObjects(ctx context.Context, t *Task, target *Entry) (bool, error) {
	if t.etag != "" && t.etag == target.ETag {
		return true, nil
	}
	a, err := r.Client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: t.From.Bucket, Key: t.From.Key})
	if err != nil {
		return false, err
	}
	b, err := r.Client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: t.Bucket, Key: t.Key})
	if errors.Is(err, oss.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return a.Size == b.Size && a.CRC64.Known && a.CRC64 == b.CRC64, nil
}

// hash reads the file of a task.
func (r *run) hash(ctx context.Context, t *Task) (crc uint64, md5 [16]byte, err error) {
	f, err := r.open(t)
	if err != nil {
		return 0, md5, err
	}
	defer f.Close()
	h, err := oss.HashReader(ctx, &counted{f: f, t: t, o: r.Observer, p: oss.Progress{Phase: oss.Verifying, Total: t.Size}}, oss.MaxPartSize)
	if err != nil {
		return 0, md5, err
	}
	return h.CRC64, h.MD5, nil
}

// open opens the file of a task for reading.
func (r *run) open(t *Task) (*os.File, error) {
	if t.root != nil {
		return t.root.Open(t.local)
	}
	return os.Open(t.Path)
}

// counted tells the observer how far a file is read.
type counted struct {
	f *os.File
	t *Task
	o Observer
	p oss.Progress
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.f.Read(p)
	if n > 0 {
		c.p.Verified += int64(n)
		c.o.Moved(c.t, c.p)
	}
	return n, err
}

// fileState is what tells that a file was not changed.
type fileState struct {
	size     int64
	modified time.Time
}

// fresh is how long after its modification a file may be changed again without
// its time showing that.
const fresh = 2 * time.Second

// settled tells whether a file that was read from a time on cannot have changed
// after that without its state telling so.
func (s fileState) settled(read time.Time) bool { return s.modified.Add(fresh).Before(read) }
