package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/meta"
)

// errReplaced: the object that was to be changed in place is another by now.
var errReplaced = errors.New("store: object was replaced")

// CopyObject makes an object with the bytes of another, and of a kind of its
// own: Normal, with the MD5 of all its bytes. Copying an object onto itself
// changes its attributes and moves no byte, unless its encryption changes.
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
	attributes := req.Attributes(src.Object.Attributes)
	may := overwrite
	switch itself := req.Bucket == req.Source.Bucket && req.Key == req.Source.Key; {
	case req.ForbidOverwrite && itself:
		return nil, ErrObjectExists
	case req.ForbidOverwrite:
		may = forbidOverwrite
	case itself && keepsEncryption(src.Object.Encryption, attributes.Encryption):
		attrs := attributesRecord(attributes)
		attrs.StorageClass = cmp.Or(attrs.StorageClass, b.StorageClass)
		return s.copyOntoItself(ctx, b, req.Key, src.Object.Version, attrs, req.Replaces)
	case itself:
		may = onlyVersion(src.Object.Version)
	}
	return s.storeObject(ctx, b, req.Key, attributes, may, req.Replaces, func(owner blob.Owner, sealing *sealing) (*received, error) {
		return s.ingestRange(ctx, owner, src, 0, src.Object.Size, nil, sealing)
	})
}

// keepsEncryption tells whether bytes that are encrypted so are as wished for.
func keepsEncryption(is, wish Encryption) bool {
	return is == wish || wish.Algorithm == KMS && wish.KeyID == "" && is.Algorithm == KMS
}

// onlyVersion lets a version of an object be replaced that was looked at, and
// no other.
func onlyVersion(version string) mayReplace {
	return func(row []byte) error {
		if row == nil {
			return errReplaced
		}
		rec, err := meta.DecodeObject(row)
		if err == nil && rec.Version != version {
			err = errReplaced
		}
		return err
	}
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
		asWritten(rec)
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

// openSource opens the source of a copy and puts it to the caller's check. One
// that is archived must be restored, also to be copied onto itself.
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
	if !r.Readable() {
		r.Close()
		return nil, &Error{Bucket: src.Bucket, Key: src.Key, Err: ErrNotRestored}
	}
	return r, nil
}

// ingestRange ingests n bytes of an object from offset on.
func (s *Store) ingestRange(ctx context.Context, owner blob.Owner, src *Reader, offset, n int64, all hash.Hash, sealing *sealing) (*received, error) {
	if n > MaxPartSize {
		return nil, &Error{Bucket: src.Object.Bucket, Key: src.Object.Key, Size: n, Err: ErrTooLarge}
	}
	var buf []byte
	if src.content.streams != nil {
		buf = s.buffers.get()
		defer s.buffers.put(buf)
	}
	body := Body{Reader: src.content.reader(ctx, offset, n, buf), Size: n}
	if n == src.Object.Size {
		body.CRC64 = &src.Object.CRC64
	}
	r, err := s.ingest(ctx, owner, body, MaxPartSize, all, sealing)
	if errors.Is(err, ErrWrongCRC64) {
		return nil, fmt.Errorf("%w: copy source %s/%q does not have its CRC-64", blob.ErrCorrupt, src.Object.Bucket, src.Object.Key)
	}
	return r, err
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
