package store

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// walk is a page of a listing in the making: rows in the order of their keys,
// and one entry for all keys that share their text up to a delimiter.
type walk struct {
	prefix, delimiter string
	marker            string // common prefixes up to it were given before
	max               int

	// keyOf reads the object key out of a row's key, and after gives the row
	// key behind all rows whose object key begins with a prefix.
	keyOf func(row []byte) (string, error)
	after func(prefix string) []byte
	add   func(key string, row kv.Row) error

	prefixes  []string
	count     int
	last      string // last entry: a key or a common prefix
	truncated bool
}

// bucket walks the rows of all ranges of a bucket with from <= key < to.
func (w *walk) bucket(ctx context.Context, s *Store, name string, from, to []byte) error {
	b, err := s.liveBucket(ctx, name)
	if err != nil {
		return err
	}
	all, err := s.ranges(ctx, b)
	if err != nil || bytes.Compare(from, to) >= 0 {
		return err
	}
	for _, r := range all {
		if err := w.run(ctx, s, r.partition, from, to); err != nil {
			return err
		}
	}
	return nil
}

// run walks the rows of p from a row key on. It leaves a group of keys by a
// jump behind it, so that a page costs about what it returns.
func (w *walk) run(ctx context.Context, s *Store, p kv.Partition, from, to []byte) error {
	for !w.truncated {
		rows, more, err := s.kv.Scan(ctx, p, from, to, min(w.max-w.count+1, s.kv.Limits().ScanRows))
		if err != nil {
			return engineError(err)
		}
		if len(rows) == 0 {
			return nil
		}
		for _, row := range rows {
			if from != nil && bytes.Compare(row.Key, from) < 0 {
				continue // in a group that is done
			}
			jump, err := w.row(row)
			if err != nil || w.truncated {
				return err
			}
			if jump != nil {
				from = jump
			} else {
				from = append(row.Key[:len(row.Key):len(row.Key)], 0)
			}
			if to != nil && bytes.Compare(from, to) >= 0 {
				return nil
			}
		}
		if last := rows[len(rows)-1].Key; !more && bytes.Compare(last, from) < 0 {
			return nil
		}
	}
	return nil
}

// row takes one row in. It returns where to go on when that is not the next.
func (w *walk) row(row kv.Row) (jump []byte, err error) {
	key, err := w.keyOf(row.Key)
	if err != nil {
		return nil, err
	}
	group := ""
	if w.delimiter != "" {
		if i := strings.Index(key[len(w.prefix):], w.delimiter); i >= 0 {
			group = key[:len(w.prefix)+i+len(w.delimiter)]
		}
	}
	if group != "" && group <= w.marker {
		return w.after(group), nil
	}
	if w.count == w.max {
		w.truncated = true
		return nil, nil
	}
	w.count++
	if group != "" {
		w.prefixes = append(w.prefixes, group)
		w.last = group
		return w.after(group), nil
	}
	w.last = key
	return nil, w.add(key, row)
}

// ListObjects returns a page of a bucket's objects in the byte order of their
// keys.
func (s *Store) ListObjects(ctx context.Context, req *ListObjectsRequest) (*ListObjectsResult, error) {
	res, err := s.listObjects(ctx, req)
	return res, wrap(err, &Error{Op: "ListObjects", Bucket: req.Bucket})
}

func (s *Store) listObjects(ctx context.Context, req *ListObjectsRequest) (*ListObjectsResult, error) {
	res := &ListObjectsResult{}
	w := &walk{
		prefix: req.Prefix, delimiter: req.Delimiter, marker: req.Marker, max: req.Max,
		keyOf: func(row []byte) (string, error) { return string(row[len(meta.ObjectPrefix):]), nil },
		after: func(prefix string) []byte { return meta.PrefixEnd(meta.ObjectKey(prefix)) },
		add: func(key string, row kv.Row) error {
			rec, err := meta.DecodeObject(row.Value)
			if err != nil {
				return err
			}
			res.Objects = append(res.Objects, *objectInfo(req.Bucket, key, rec))
			return nil
		},
	}
	from, to := meta.ObjectKey(req.Prefix), meta.PrefixEnd(meta.ObjectKey(req.Prefix))
	if req.Marker >= req.Prefix && req.Marker != "" {
		from = append(meta.ObjectKey(req.Marker), 0)
	}
	if err := w.bucket(ctx, s, req.Bucket, from, to); err != nil {
		return nil, err
	}
	res.CommonPrefixes, res.Next, res.Truncated = w.prefixes, w.last, w.truncated
	return res, nil
}

// ListMultipartUploads returns a page of a bucket's open uploads, by key and
// then by ID.
func (s *Store) ListMultipartUploads(ctx context.Context, req *ListMultipartUploadsRequest) (*ListMultipartUploadsResult, error) {
	res, err := s.listMultipartUploads(ctx, req)
	return res, wrap(err, &Error{Op: "ListMultipartUploads", Bucket: req.Bucket})
}

func (s *Store) listMultipartUploads(ctx context.Context, req *ListMultipartUploadsRequest) (*ListMultipartUploadsResult, error) {
	res := &ListMultipartUploadsResult{}
	w := &walk{
		prefix: req.Prefix, delimiter: req.Delimiter, marker: req.KeyMarker, max: req.Max,
		keyOf: func(row []byte) (string, error) {
			key, _, err := meta.SplitUploadKey(row)
			return key, err
		},
		after: func(prefix string) []byte { return meta.PrefixEnd(meta.UploadKeyPrefix(prefix)) },
		add: func(key string, row kv.Row) error {
			_, id, err := meta.SplitUploadKey(row.Key)
			if err != nil {
				return err
			}
			rec, err := meta.DecodeUpload(row.Value)
			if err != nil {
				return err
			}
			res.Uploads = append(res.Uploads, *uploadInfo(req.Bucket, key, id, rec))
			return nil
		},
	}
	from := meta.UploadKeyPrefix(req.Prefix)
	to := meta.PrefixEnd(from)
	if req.KeyMarker != "" && req.KeyMarker >= req.Prefix {
		from = meta.AfterUploads(req.KeyMarker)
		if req.UploadIDMarker != "" {
			from = append(meta.UploadKey(req.KeyMarker, string(req.UploadIDMarker)), 0)
		}
	}
	if err := w.bucket(ctx, s, req.Bucket, from, to); err != nil {
		return nil, err
	}
	res.CommonPrefixes, res.NextKey, res.Truncated = w.prefixes, w.last, w.truncated
	if n := len(res.Uploads); n > 0 && res.Uploads[n-1].Key == w.last {
		res.NextUploadID = res.Uploads[n-1].ID
	}
	return res, nil
}

// ListParts returns a page of an upload's parts, ascending by number.
func (s *Store) ListParts(ctx context.Context, req *ListPartsRequest) (*ListPartsResult, error) {
	res, err := s.listParts(ctx, req)
	return res, wrap(err, &Error{Op: "ListParts", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID})
}

func (s *Store) listParts(ctx context.Context, req *ListPartsRequest) (*ListPartsResult, error) {
	u, err := s.openUpload(ctx, req.Bucket, req.Key, req.UploadID)
	if err != nil {
		return nil, err
	}
	res := &ListPartsResult{Upload: *uploadInfo(req.Bucket, req.Key, string(req.UploadID), &u.Upload)}
	full := errors.New("page is full")
	marker := min(max(int(req.Marker), 0), MaxParts) // a client may send any number
	from, to := meta.PartKey(marker+1), meta.PrefixEnd([]byte(meta.PartPrefix))
	err = s.scan(ctx, u.partition, from, to, func(row kv.Row) error {
		if len(res.Parts) == req.Max {
			res.Truncated = true
			return full
		}
		n, err := meta.PartNumber(row.Key)
		if err != nil {
			return err
		}
		rec, err := meta.DecodePart(row.Value)
		if err != nil {
			return err
		}
		res.Parts = append(res.Parts, *partInfo(n, rec))
		return nil
	})
	if err != nil && err != full {
		return nil, err
	}
	return res, s.stillOpen(ctx, u)
}
