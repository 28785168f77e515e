package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/meta"
)

// errReplaced: the object that was to be changed in place is another by now.
var errReplaced = errors.New("store: object was replaced")

// CopyObject makes an object with the bytes of another, and of a kind of its
// own: Normal, with the MD5 of all its bytes. Copying an object onto itself
// changes its attributes and moves no byte.
func (s *Store) CopyObject(ctx context.Context, req *CopyObjectRequest) (*Object, error) {
	o, err := s.copyObject(ctx, req)
	return o, wrap(err, &Error{Op: "CopyObject", Bucket: req.Bucket, Key: req.Key})
}

func (s *Store) copyObject(ctx context.Context, req *CopyObjectRequest) (*Object, error) {
	b, err := s.bucket(ctx, req.Bucket)
	if err != nil {
		return nil, err
	}
	for range maxTries {
		src, err := s.openSource(ctx, req.Source)
		if err != nil {
			return nil, err
		}
		o, err := s.copyFrom(ctx, b, req, src)
		src.Close()
		if !errors.Is(err, errReplaced) {
			return o, err
		}
	}
	return nil, fmt.Errorf("%w: too many conflicts", ErrUnavailable)
}

func (s *Store) copyFrom(ctx context.Context, b *bucketRow, req *CopyObjectRequest, src *Reader) (*Object, error) {
	attrs := attributesRecord(req.Attributes(src.Object.Attributes))
	if req.Bucket == req.Source.Bucket && req.Key == req.Source.Key {
		if req.ForbidOverwrite {
			return nil, ErrObjectExists
		}
		attrs.StorageClass = cmp.Or(attrs.StorageClass, b.StorageClass)
		return s.copyOntoItself(ctx, b, req.Key, src.Object.Version, attrs, req.Replaces)
	}
	return s.storeObject(ctx, b, req.Key, attrs, req.ForbidOverwrite, req.Replaces, func(owner blob.Owner) (*received, error) {
		return s.ingestRange(ctx, owner, src, 0, src.Object.Size, nil)
	})
}

// copyOntoItself gives the version of an object that was looked at new
// attributes. The version keeps its name, since its bytes stay the same.
func (s *Store) copyOntoItself(ctx context.Context, b *bucketRow, key, version string, attrs meta.Attributes, replaces Check) (*Object, error) {
	var after *meta.Object
	err := retry(ctx, func() error {
		v, err := s.rangeView(ctx, b, key, meta.ObjectKey(key))
		if err != nil {
			return err
		}
		if err := replaces.ask(b, key, v.rows[0].Value); err != nil {
			return err
		}
		if v.rows[0].Value == nil {
			return errReplaced
		}
		rec, err := meta.DecodeObject(v.rows[0].Value)
		if err != nil {
			return err
		}
		if rec.Version != version {
			return errReplaced
		}
		rec.Attributes, rec.Modified = attrs, s.now()
		after = rec
		value := rec.Encode()
		if bytes.Equal(value, v.rows[0].Value) {
			return nil
		}
		c := v.change()
		c.replace(v.rows[0], value)
		return s.commit(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	return objectInfo(b.name, key, after), nil
}

// openSource opens the source of a copy and puts it to the caller's check.
func (s *Store) openSource(ctx context.Context, src CopySource) (*Reader, error) {
	r, err := s.getObject(ctx, src.Bucket, src.Key)
	if err != nil {
		return nil, &Error{Bucket: src.Bucket, Key: src.Key, Err: err}
	}
	if src.Check != nil {
		if err := src.Check(r.Object); err != nil {
			r.Close()
			return nil, err
		}
	}
	return r, nil
}

// ingestRange ingests n bytes of an object from offset on.
func (s *Store) ingestRange(ctx context.Context, owner blob.Owner, src *Reader, offset, n int64, all hash.Hash) (*received, error) {
	if n > MaxPartSize {
		return nil, &Error{Bucket: src.Object.Bucket, Key: src.Object.Key, Size: n, Err: ErrTooLarge}
	}
	body := Body{Reader: src.section(ctx, offset, n), Size: n}
	if n == src.Object.Size {
		body.CRC64 = &src.Object.CRC64
	}
	r, err := s.ingest(ctx, owner, body, MaxPartSize, all)
	if errors.Is(err, ErrWrongCRC64) {
		return nil, fmt.Errorf("%w: copy source %s/%q does not have its CRC-64", blob.ErrCorrupt, src.Object.Bucket, src.Object.Key)
	}
	return r, err
}

// section reads n bytes of the object from offset on, one extent at a time.
func (r *Reader) section(ctx context.Context, offset, n int64) io.Reader {
	var parts []io.Reader
	for i, e := range r.extents {
		start := r.ends[i] - e.Length
		from, to := max(offset-start, 0), min(offset+n-start, e.Length)
		if from < to {
			parts = append(parts, io.NewSectionReader(extentReader{ctx, r.s.blob, e}, from, to-from))
		}
	}
	return io.MultiReader(parts...)
}

// extentReader reads an extent as an io.ReaderAt.
type extentReader struct {
	ctx    context.Context
	engine blob.Engine
	e      blob.Extent
}

func (r extentReader) ReadAt(p []byte, off int64) (int, error) {
	return r.engine.ReadAt(r.ctx, r.e, p, off)
}
