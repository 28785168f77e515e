package store

import (
	"context"
	"fmt"
	"io"
	"sort"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/seal"
)

// content is the bytes of an object or a part: where they lie and what opens
// them.
type content struct {
	s       *Store
	extents []blob.Extent
	ends    []int64  // where each extent ends, in what is stored
	size    int64    // bytes, as the client knows them
	streams []stream // nil: what is stored is what the client knows
}

// stream is one encrypted stream of a content.
type stream struct {
	*sealing
	offset, size int64 // in the content
	stored       int64 // where it begins, in what is stored
}

// newContent returns the content of size bytes that lies in extents and is
// encrypted by streams, nil for none.
func (s *Store) newContent(extents []blob.Extent, size int64, streams []stream) (*content, error) {
	c := &content{s: s, extents: extents, ends: make([]int64, len(extents)), size: size, streams: streams}
	var end int64
	for i, e := range extents {
		end += e.Length
		c.ends[i] = end
	}
	if streams == nil {
		if end != size {
			return nil, fmt.Errorf("%w: %d bytes are stored where there should be %d", meta.ErrCorrupt, end, size)
		}
		return c, nil
	}
	var offset, stored int64
	for i := range streams {
		st := &streams[i]
		st.offset, st.stored = offset, stored
		offset += st.size
		stored += seal.Size(st.size)
	}
	if offset != size || stored != end {
		return nil, fmt.Errorf("%w: streams of %d bytes in %d for a content of %d in %d", meta.ErrCorrupt, offset, stored, size, end)
	}
	return c, nil
}

// objectStreams are the streams of an object whose data key is k.
func objectStreams(k *dataKey, size int64, parts []meta.Stream, fromUpload bool) []stream {
	if k == nil {
		return nil
	}
	if !fromUpload {
		return []stream{{sealing: k.whole(), size: size}}
	}
	streams := make([]stream, 0, len(parts))
	for _, p := range parts {
		streams = append(streams, stream{sealing: k.part(PartNumber(p.PartNumber)), size: p.Size})
	}
	return streams
}

// objectContent returns the content of an object. Its data key is opened.
func (s *Store) objectContent(ctx context.Context, bucketID, key string, rec *meta.Object) (*content, error) {
	extents, parts, err := s.loadManifest(ctx, rec.Manifest)
	if err != nil {
		return nil, err
	}
	k, err := s.openDataKey(ctx, rec.Encryption, placeOf(bucketID, rec.Version, rec.UploadID), key)
	if err != nil {
		return nil, err
	}
	return s.newContent(extents, rec.Size, objectStreams(k, rec.Size, parts, rec.UploadID != ""))
}

// partContent returns the content of a part of an upload whose data key is k.
func (s *Store) partContent(k *dataKey, number PartNumber, rec *meta.Part) (*content, error) {
	var streams []stream
	if k != nil {
		streams = []stream{{sealing: k.part(number), size: rec.Size}}
	}
	return s.newContent(rec.Extents, rec.Size, streams)
}

// writeRange writes n bytes from offset on to w. An error that comes from
// reading is told from one of w by readError.
func (c *content) writeRange(ctx context.Context, w io.Writer, offset, n int64) error {
	if n == 0 {
		return nil
	}
	buf := c.s.buffers.get()
	defer c.s.buffers.put(buf)
	if c.streams == nil {
		return c.writeStored(ctx, w, offset, n, buf)
	}
	stored := c.s.buffers.get()
	defer c.s.buffers.put(stored)
	r := c.reader(ctx, offset, n, stored)
	for n > 0 {
		m, err := r.Read(buf)
		if err != nil {
			return readError{corrupt(engineError(err))}
		}
		if _, err := w.Write(buf[:m]); err != nil {
			return err
		}
		n -= int64(m)
	}
	return nil
}

// writeStored writes bytes that are stored as they are.
func (c *content) writeStored(ctx context.Context, w io.Writer, offset, n int64, buf []byte) error {
	for i := c.extentAt(offset); n > 0; i++ {
		e := c.extents[i]
		from := offset - (c.ends[i] - e.Length)
		for from < e.Length && n > 0 {
			p := buf[:min(int64(len(buf)), e.Length-from, n)]
			if _, err := c.s.blob.ReadAt(ctx, e, p, from); err != nil && err != io.EOF {
				return readError{engineError(err)}
			}
			if _, err := w.Write(p); err != nil {
				return err
			}
			from, offset, n = from+int64(len(p)), offset+int64(len(p)), n-int64(len(p))
		}
	}
	return nil
}

// readError is an error of reading.
type readError struct{ error }

func (e readError) Unwrap() error { return e.error }

// extentAt returns the index of the extent that holds byte off of what is
// stored.
func (c *content) extentAt(off int64) int {
	return sort.Search(len(c.ends), func(i int) bool { return c.ends[i] > off })
}

// reader reads n bytes from offset on, through buf if they are encrypted.
func (c *content) reader(ctx context.Context, offset, n int64, buf []byte) io.Reader {
	if c.streams == nil {
		return io.NewSectionReader(storedReader{ctx, c}, offset, n)
	}
	i := sort.Search(len(c.streams), func(i int) bool { return c.streams[i].offset+c.streams[i].size > offset })
	return &streamsReader{ctx: ctx, c: c, next: i, offset: offset, left: n, buf: buf}
}

// storedReader reads what is stored, as it is.
type storedReader struct {
	ctx context.Context
	c   *content
}

// ReadAt implements io.ReaderAt.
func (r storedReader) ReadAt(p []byte, off int64) (n int, err error) {
	for i := r.c.extentAt(off); n < len(p); i++ {
		if i == len(r.c.extents) {
			return n, io.EOF
		}
		e := r.c.extents[i]
		from := off + int64(n) - (r.c.ends[i] - e.Length)
		m := min(int64(len(p)-n), e.Length-from)
		if _, err := r.c.s.blob.ReadAt(r.ctx, e, p[n:n+int(m)], from); err != nil && err != io.EOF {
			return n, err
		}
		n += int(m)
	}
	return n, nil
}

// streamsReader reads decrypted bytes, from one stream after another.
type streamsReader struct {
	ctx     context.Context
	c       *content
	next    int   // stream
	offset  int64 // in the content, where current ends
	left    int64 // bytes after current
	current io.Reader
	buf     []byte
}

func (r *streamsReader) Read(p []byte) (int, error) {
	for {
		if r.current != nil {
			n, err := r.current.Read(p)
			if err != io.EOF {
				return n, corrupt(err)
			}
			r.current = nil
			if n > 0 {
				return n, nil
			}
		}
		if r.left == 0 {
			return 0, io.EOF
		}
		st := r.c.streams[r.next]
		r.next++
		from := r.offset - st.offset
		n := min(r.left, st.size-from)
		if n == 0 {
			continue
		}
		src := io.NewSectionReader(storedReader{r.ctx, r.c}, st.stored, seal.Size(st.size))
		opened, err := seal.Open(src, st.key, st.what, st.size)
		if err != nil {
			return 0, corrupt(err)
		}
		r.current = opened.Reader(from, n, r.buf)
		r.offset, r.left = r.offset+n, r.left-n
	}
}
