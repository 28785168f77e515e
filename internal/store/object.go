package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// PutObject makes an object of a body. It replaces bytes and attributes of an
// object that is there.
//
// Of two that write one key at once the later commit wins; a ForbidOverwrite
// is decided by the same commit, which guards the key's row.
func (s *Store) PutObject(ctx context.Context, req *PutObjectRequest) (*Object, error) {
	o, err := s.putObject(ctx, req)
	return o, wrap(err, &Error{Op: "PutObject", Bucket: req.Bucket, Key: req.Key, Size: req.Body.Size})
}

func (s *Store) putObject(ctx context.Context, req *PutObjectRequest) (*Object, error) {
	b, err := s.bucket(ctx, req.Bucket)
	if err != nil {
		return nil, err
	}
	may := overwrite
	if req.ForbidOverwrite {
		may = forbidOverwrite
	}
	return s.storeObject(ctx, b, req.Key, req.Attributes, may, req.Replaces, func(owner blob.Owner, sealing *sealing) (*received, error) {
		return s.ingest(ctx, owner, req.Body, MaxPartSize, nil, sealing)
	})
}

// mayReplace decides whether an object may replace the one in this row, nil for
// none.
type mayReplace func(row []byte) error

func overwrite([]byte) error { return nil }

func forbidOverwrite(row []byte) error {
	if row != nil {
		return ErrObjectExists
	}
	return nil
}

// storeObject ingests an object's bytes, encrypted if the attributes say so, and
// names them.
func (s *Store) storeObject(ctx context.Context, b *bucketRow, key string, attributes Attributes, may mayReplace, replaces Check, ingest func(blob.Owner, *sealing) (*received, error)) (*Object, error) {
	// Refuse before the body is read.
	rows, err := s.readRows(ctx, b, key, meta.ObjectKey(key))
	if err != nil {
		return nil, err
	}
	if err := may(rows[0].Value); err != nil {
		return nil, err
	}
	if err := replaces.ask(b, key, rows[0].Value); err != nil {
		return nil, err
	}
	version := s.newID()
	dataKey, encryption, err := s.newDataKey(ctx, attributes.Encryption, placeOf(b.ID, version, ""), key)
	if err != nil {
		return nil, err
	}
	r, err := ingest(blob.Owner{Bucket: b.ID, Key: key, Version: version}, dataKey.whole())
	if err != nil {
		return nil, err
	}
	attrs := attributesRecord(attributes)
	attrs.StorageClass = cmp.Or(attrs.StorageClass, b.StorageClass)
	rec := &meta.Object{
		Version: version, Type: string(Normal), Size: r.size, ETag: digest.PartETag(r.md5), CRC64: r.crc64,
		MD5: r.md5[:], Modified: s.now(), Manifest: meta.Manifest{Extents: r.extents}, Encryption: encryption, Attributes: attrs,
	}
	if err := s.nameObject(ctx, b, key, rec, may, replaces); err != nil {
		s.forget(ctx, err, r.extents)
		return nil, err
	}
	return objectInfo(b.name, key, rec), nil
}

// nameObject makes rec the current version of key. What it replaces becomes
// garbage in the same commit.
func (s *Store) nameObject(ctx context.Context, b *bucketRow, key string, rec *meta.Object, may mayReplace, replaces Check) error {
	return retry(context.WithoutCancel(ctx), func() error {
		v, err := s.rangeView(ctx, b, key, meta.ObjectKey(key))
		if err != nil {
			return err
		}
		if err := may(v.rows[0].Value); err != nil {
			return err
		}
		if err := replaces.ask(b, key, v.rows[0].Value); err != nil {
			return err
		}
		c := v.change()
		c.replace(v.rows[0], rec.Encode())
		if err := s.discard(c, v.rows[0].Value); err != nil {
			return err
		}
		return s.commitNames(ctx, c)
	})
}

// discard adds the garbage row of an object's row that c replaces or deletes.
// A nil value needs none.
func (s *Store) discard(c *change, value []byte) error {
	if value == nil {
		return nil
	}
	old, err := meta.DecodeObject(value)
	if err != nil {
		return err
	}
	if len(old.Manifest.Extents)+len(old.Manifest.Stored) > 0 {
		g := meta.Garbage{Version: old.Version, Manifest: old.Manifest}
		c.add(s.garbageKey(), g.Encode())
	}
	return nil
}

func (s *Store) garbageKey() []byte {
	return meta.GarbageKey(s.now().UnixNano(), s.randomUint64())
}

// commitNames commits, and tells the reclaimer of garbage that came with it.
func (s *Store) commitNames(ctx context.Context, c *change) error {
	err := s.commit(ctx, c)
	if err == nil {
		for _, w := range c.writes {
			if len(w.Key) > 2 && string(w.Key[:2]) == meta.GarbagePrefix {
				s.work.notice(c.partition)
				break
			}
		}
	}
	return err
}

// forget deletes extents that an operation wrote and then did not name. When
// the error leaves open whether they are named, they stay; if they are not,
// the sweeper finds them.
func (s *Store) forget(ctx context.Context, err error, extents []blob.Extent) {
	if errors.Is(err, ErrUnavailable) || len(extents) == 0 {
		return
	}
	if err := s.blob.Delete(context.WithoutCancel(ctx), extents...); err != nil {
		s.log.Warn("bytes of a failed write stay until the next sweep", "error", err)
	}
}

// HeadObject returns an object without its bytes.
func (s *Store) HeadObject(ctx context.Context, bucket, key string) (*Object, error) {
	_, rec, err := s.lookup(ctx, bucket, key)
	if err != nil {
		return nil, wrap(err, &Error{Op: "HeadObject", Bucket: bucket, Key: key})
	}
	return objectInfo(bucket, key, rec), nil
}

// lookup reads the record of an object's current version.
func (s *Store) lookup(ctx context.Context, bucket, key string) (*bucketRow, *meta.Object, error) {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return nil, nil, err
	}
	rows, err := s.readRows(ctx, b, key, meta.ObjectKey(key))
	if err != nil {
		return nil, nil, err
	}
	if rows[0].Value == nil {
		return nil, nil, ErrNoSuchKey
	}
	rec, err := meta.DecodeObject(rows[0].Value)
	return b, rec, err
}

// Reader reads the bytes of one object version, which stay as they are until
// Close, whatever becomes of the object.
type Reader struct {
	Object *Object

	s       *Store
	content *content
	version string
	closed  bool

	readable bool // when it was opened
}

// GetObject opens the current version of an object for reading. The caller
// closes the Reader.
func (s *Store) GetObject(ctx context.Context, bucket, key string) (*Reader, error) {
	r, err := s.getObject(ctx, bucket, key)
	return r, wrap(err, &Error{Op: "GetObject", Bucket: bucket, Key: key})
}

func (s *Store) getObject(ctx context.Context, bucket, key string) (*Reader, error) {
	b, rec, err := s.lookupPinned(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	r := &Reader{Object: objectInfo(bucket, key, rec), s: s, version: rec.Version}
	r.readable = r.Object.readable(s.now())
	if r.content, err = s.objectContent(ctx, b.ID, key, rec); err != nil {
		r.Close()
		return nil, err
	}
	return r, nil
}

func (s *Store) lookupPinned(ctx context.Context, bucket, key string) (*bucketRow, *meta.Object, error) {
	s.pins.lookups.RLock()
	defer s.pins.lookups.RUnlock()
	b, rec, err := s.lookup(ctx, bucket, key)
	if err == nil {
		s.pins.pin(rec.Version)
	}
	return b, rec, err
}

// Close gives the bytes free. It may be called more than once.
func (r *Reader) Close() {
	if r.closed {
		return
	}
	r.closed = true
	r.s.pins.unpin(r.version)
	if r.s.work.waiting() {
		r.s.work.kick()
	}
}

// Readable tells whether the object could be read when it was opened, which
// holds for this Reader to its end: an object of an archive class must be restored
// first.
func (r *Reader) Readable() bool { return r.readable }

// WriteRange writes n bytes from offset on to w, verified. offset and n lie
// within the object. An error of w comes back as it is; bytes that are not
// what was stored are blob.ErrCorrupt and never written. An object that is not
// Readable is ErrNotRestored.
func (r *Reader) WriteRange(ctx context.Context, w io.Writer, offset, n int64) error {
	if !r.readable {
		return &Error{Op: "GetObject", Bucket: r.Object.Bucket, Key: r.Object.Key, Err: ErrNotRestored}
	}
	if offset < 0 || n < 0 || offset+n > r.Object.Size {
		return fmt.Errorf("store: range %d+%d of %d bytes", offset, n, r.Object.Size)
	}
	err := r.content.writeRange(ctx, w, offset, n)
	var read readError
	if errors.As(err, &read) {
		return &Error{Op: "read", Bucket: r.Object.Bucket, Key: r.Object.Key, Err: read.error}
	}
	return err
}

// DeleteObject removes an object. That there is none is no error.
func (s *Store) DeleteObject(ctx context.Context, bucket, key string) error {
	return s.DeleteObjectIf(ctx, bucket, key, nil)
}

func (s *Store) deleteObject(ctx context.Context, b *bucketRow, key string, check Check) error {
	v, err := s.rangeView(ctx, b, key, meta.ObjectKey(key))
	if err != nil {
		return err
	}
	if err := check.ask(b, key, v.rows[0].Value); err != nil || v.rows[0].Value == nil {
		return err
	}
	c := v.change()
	c.replace(v.rows[0], nil)
	if err := s.discard(c, v.rows[0].Value); err != nil {
		return err
	}
	return s.commitNames(ctx, c)
}

// deleteBatch is how many keys one commit deletes at most.
const deleteBatch = 100

// DeleteMultipleObjects removes objects and returns one error for each key:
// nil when there is no such object any more.
func (s *Store) DeleteMultipleObjects(ctx context.Context, bucket string, keys []string) []error {
	return s.DeleteMultipleObjectsIf(ctx, bucket, keys, func(string) Check { return nil })
}

// deleteTogether deletes keys of one range by one commit, if nothing is in the
// way.
func (s *Store) deleteTogether(ctx context.Context, bucket string, keys []string, check func(key string) Check) bool {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return false
	}
	if all, err := s.ranges(ctx, b); err != nil || len(all) != 1 {
		return false
	}
	rows := make([][]byte, 0, len(keys))
	each := make([]string, 0, len(keys)) // of rows
	seen := make(map[string]bool, len(keys))
	for _, key := range keys {
		if !seen[key] {
			seen[key] = true
			rows, each = append(rows, meta.ObjectKey(key)), append(each, key)
		}
	}
	v, err := s.rangeView(ctx, b, "", rows...)
	if err != nil {
		return false
	}
	c := v.change()
	for i, row := range v.rows {
		if check(each[i]).ask(b, each[i], row.Value) != nil {
			return false
		}
		if row.Value == nil {
			continue
		}
		c.replace(row, nil)
		if err := s.discard(c, row.Value); err != nil {
			return false
		}
	}
	return len(c.writes) == 0 || s.commitNames(ctx, c) == nil
}

// PutObjectAcl sets an object's ACL.
func (s *Store) PutObjectAcl(ctx context.Context, bucket, key, acl string) error {
	return s.PutObjectAclIf(ctx, bucket, key, acl, nil)
}

// PutObjectTagging sets all of an object's tags; none deletes them.
func (s *Store) PutObjectTagging(ctx context.Context, bucket, key string, tags []Tag) error {
	return s.PutObjectTaggingIf(ctx, bucket, key, tags, nil)
}

// amend changes an object's record, but not its bytes, if check lets it.
func (s *Store) amend(ctx context.Context, bucket, key string, check Check, change func(*meta.Object)) error {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	return retry(ctx, func() error {
		v, err := s.rangeView(ctx, b, key, meta.ObjectKey(key))
		if err != nil {
			return err
		}
		if err := check.ask(b, key, v.rows[0].Value); err != nil {
			return err
		}
		return s.amendRow(ctx, v, v.rows[0], change)
	})
}

func (s *Store) amendRow(ctx context.Context, v *view, row kv.Row, change func(*meta.Object)) error {
	if row.Value == nil {
		return ErrNoSuchKey
	}
	rec, err := meta.DecodeObject(row.Value)
	if err != nil {
		return err
	}
	change(rec)
	value := rec.Encode()
	if string(value) == string(row.Value) {
		return nil
	}
	c := v.change()
	c.replace(row, value)
	return s.commit(ctx, c)
}
