package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Changes that a lifecycle makes. Who makes them judges what he has seen a while
// ago; here it is judged again, by the row that the change guards, so that
// nothing happens to what has come since. A bucket is told by its ID: one that was
// made again under the same name is another.

// Verdict is what becomes of an object. The zero Verdict leaves it as it is.
type Verdict struct {
	Expire       bool
	StorageClass string // where it is moved to, if it does not expire; "" for nowhere
}

// Judged is an object as it was, and what was done to it.
type Judged struct {
	Object
	Verdict
}

// ApplyLifecycle puts objects of a bucket to judge and does what it says: it
// deletes them or moves them to another storage class, which leaves bytes and
// the time of the last modification as they are. It returns those that it did
// something to, also together with an error about others.
//
// Each change is one commit that guards the very row that judge has seen. An
// object that is written, deleted or given other tags meanwhile is in conflict,
// and judged anew as it is then. So judge may be asked more than once.
func (s *Store) ApplyLifecycle(ctx context.Context, bucket Bucket, keys []string, judge func(*Object) Verdict) ([]Judged, error) {
	b := bucketOf(bucket)
	var all []Judged
	var errs []error
	for batch := range slices.Chunk(keys, deleteBatch) {
		judged, err := s.judgeTogether(ctx, b, batch, judge)
		if err == nil {
			all = append(all, judged...)
			continue
		}
		if oneFor(err) {
			// It stands against all others as well, or may be done already.
			return all, errors.Join(append(errs, wrap(err, &Error{Op: "ApplyLifecycle", Bucket: bucket.Name, Key: batch[0]}))...)
		}
		// Something stands against them together: each for itself.
		for _, key := range batch {
			judged, err := s.judgeOne(ctx, b, key, judge)
			all = append(all, judged...)
			if err != nil {
				errs = append(errs, wrap(err, &Error{Op: "ApplyLifecycle", Bucket: bucket.Name, Key: key}))
			}
		}
	}
	return all, errors.Join(errs...)
}

// oneFor tells whether an error about some objects says enough about all of the
// bucket's.
func oneFor(err error) bool {
	return errors.Is(err, ErrUnavailable) || errors.Is(err, ErrNoSuchBucket) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

func bucketOf(b Bucket) *bucketRow {
	return &bucketRow{name: b.Name, Bucket: meta.Bucket{ID: b.ID}}
}

// errApart: the objects lie in several ranges.
var errApart = errors.New("store: several ranges")

// judgeTogether judges objects of one range by one commit, if nothing is in the
// way.
func (s *Store) judgeTogether(ctx context.Context, b *bucketRow, keys []string, judge func(*Object) Verdict) ([]Judged, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(keys) == 1 {
		return s.judgeOne(ctx, b, keys[0], judge)
	}
	if all, err := s.ranges(ctx, b); err != nil {
		return nil, err
	} else if len(all) != 1 {
		return nil, errApart
	}
	return s.judge(ctx, b, keys, judge)
}

func (s *Store) judgeOne(ctx context.Context, b *bucketRow, key string, judge func(*Object) Verdict) (judged []Judged, err error) {
	err = retry(ctx, func() error {
		judged, err = s.judge(ctx, b, []string{key}, judge)
		return err
	})
	if err != nil {
		return nil, err
	}
	return judged, nil
}

// judge judges objects of one range, each key once, and commits what is to be
// done.
func (s *Store) judge(ctx context.Context, b *bucketRow, keys []string, judge func(*Object) Verdict) ([]Judged, error) {
	rows := make([][]byte, len(keys))
	for i, key := range keys {
		rows[i] = meta.ObjectKey(key)
	}
	v, err := s.rangeView(ctx, b, keys[0], rows...)
	if err != nil {
		return nil, err
	}
	c := v.change()
	var all []Judged
	for i, row := range v.rows {
		if row.Value == nil {
			continue
		}
		rec, err := meta.DecodeObject(row.Value)
		if err != nil {
			return nil, err
		}
		o := objectInfo(b.name, keys[i], rec)
		verdict := judge(o)
		switch {
		case verdict.Expire:
			c.replace(row, nil)
			if err := s.discard(c, row.Value); err != nil {
				return nil, err
			}
		case verdict.StorageClass != "" && verdict.StorageClass != rec.StorageClass:
			asWritten(rec)
			rec.StorageClass, rec.Transitioned = verdict.StorageClass, s.now()
			c.replace(row, rec.Encode())
		default:
			continue
		}
		all = append(all, Judged{*o, verdict})
	}
	if len(all) == 0 {
		return nil, nil
	}
	if err := s.commitNames(ctx, c); err != nil {
		return nil, err
	}
	return all, nil
}

// UploadState is an open upload and what was received for it.
type UploadState struct {
	Upload
	Parts int64
	Bytes int64     // of its parts
	Last  time.Time // when the last part came, or the upload was initiated
}

// GetUploadState returns the state of an open upload.
func (s *Store) GetUploadState(ctx context.Context, bucket Bucket, key string, id UploadID) (*UploadState, error) {
	var st *UploadState
	b := bucketOf(bucket)
	rows, err := s.readRows(ctx, b, key, meta.UploadKey(key, string(id)))
	if err == nil {
		st, err = s.uploadState(ctx, b, key, id, rows[0])
	}
	return st, wrap(err, &Error{Op: "GetUploadState", Bucket: bucket.Name, Key: key, UploadID: id})
}

func (s *Store) uploadState(ctx context.Context, b *bucketRow, key string, id UploadID, row kv.Row) (*UploadState, error) {
	if row.Value == nil {
		return nil, ErrNoSuchUpload
	}
	rec, err := meta.DecodeUpload(row.Value)
	if err != nil {
		return nil, err
	}
	st := &UploadState{Upload: *uploadInfo(b.name, key, string(id), rec), Last: rec.Initiated}
	err = s.scanPrefix(ctx, meta.UploadPartition(b.ID, string(id)), meta.PartPrefix, func(row kv.Row) error {
		part, err := meta.DecodePart(row.Value)
		if err != nil {
			return err
		}
		st.Parts++
		st.Bytes += part.Size
		if part.Modified.After(st.Last) {
			st.Last = part.Modified
		}
		return nil
	})
	return st, err
}

// AbortDueUpload aborts an upload of a bucket if due says so of it, and tells
// how it was then; nil if it was left alone or is no more.
//
// An upload is left alone while a part of it is being received. A part that
// begins while the upload is put to due waits until that is decided, and then
// finds the upload or NoSuchUpload, before a byte of it was read. So no part is
// acknowledged between judgement and end, and what was acknowledged before has
// been judged. This holds among the requests of one process; with several, such
// a part would be lost with its upload, as one is that comes before an Abort.
//
// What decides is the commit of AbortMultipartUpload, which guards and deletes
// the upload's row: of it, an Abort and a Complete one wins.
func (s *Store) AbortDueUpload(ctx context.Context, bucket Bucket, key string, id UploadID, due func(*UploadState) bool) (*UploadState, error) {
	done, ok := s.arrivals.consider(id)
	if !ok {
		return nil, nil
	}
	defer done()
	var st *UploadState
	err := retry(ctx, func() (err error) {
		st, err = s.abortDueUpload(ctx, bucketOf(bucket), key, id, due)
		return err
	})
	if err != nil {
		return nil, wrap(err, &Error{Op: "AbortDueUpload", Bucket: bucket.Name, Key: key, UploadID: id})
	}
	return st, nil
}

func (s *Store) abortDueUpload(ctx context.Context, b *bucketRow, key string, id UploadID, due func(*UploadState) bool) (*UploadState, error) {
	v, err := s.rangeView(ctx, b, key, meta.UploadKey(key, string(id)))
	if err != nil {
		return nil, err
	}
	st, err := s.uploadState(ctx, b, key, id, v.rows[0])
	if errors.Is(err, ErrNoSuchUpload) {
		return nil, nil
	}
	if err != nil || !due(st) {
		return nil, err
	}
	return st, s.endUpload(ctx, b, v, key, id)
}

// LifecycleCursor tells how far the last walk over a bucket's objects has come.
type LifecycleCursor struct {
	Began time.Time // when it began
	Rules []byte    // digest of the rules that it goes by
	After string    // the last key that it has done
	Done  bool      // it has done all
}

// GetLifecycleCursor returns the cursor of a bucket, or a zero one.
func (s *Store) GetLifecycleCursor(ctx context.Context, bucket Bucket) (LifecycleCursor, error) {
	var rec meta.Lifecycle
	v, err := s.view(ctx, meta.BucketPartition(bucket.ID), meta.LifecycleKey())
	if err == nil && v.rows[0].Value != nil {
		rec, err = meta.DecodeLifecycle(v.rows[0].Value)
	}
	return LifecycleCursor(rec), wrap(err, &Error{Op: "GetLifecycleCursor", Bucket: bucket.Name})
}

// PutLifecycleCursor keeps the cursor of a bucket.
func (s *Store) PutLifecycleCursor(ctx context.Context, bucket Bucket, cursor LifecycleCursor) error {
	value := meta.Lifecycle(cursor).Encode()
	err := retry(ctx, func() error {
		v, err := s.view(ctx, meta.BucketPartition(bucket.ID), meta.LifecycleKey())
		switch {
		case err != nil:
			return err
		case v.rawHeader == nil:
			return ErrNoSuchBucket
		case string(v.rows[0].Value) == string(value):
			return nil
		}
		c := v.change()
		c.replace(v.rows[0], value)
		return s.commit(ctx, c)
	})
	return wrap(err, &Error{Op: "PutLifecycleCursor", Bucket: bucket.Name})
}
