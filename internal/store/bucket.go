package store

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Defaults of a new bucket.
const (
	defaultACL          = "private"
	defaultStorageClass = standard
	defaultRedundancy   = "LRS"
)

// PutBucket makes a bucket. If it is there already, its ACL is set where the
// request names one; a storage class or redundancy that it names must be the
// bucket's.
//
// Two that make the same bucket at once are decided by the commit of its row
// in the root partition.
func (s *Store) PutBucket(ctx context.Context, req *PutBucketRequest) error {
	err := retry(ctx, func() error { return s.putBucket(ctx, req) })
	return wrap(err, &Error{Op: "PutBucket", Bucket: req.Bucket})
}

func (s *Store) putBucket(ctx context.Context, req *PutBucketRequest) error {
	switch b, err := s.liveBucket(ctx, req.Bucket); {
	case err == nil:
		return s.putBucketAgain(ctx, b, req)
	case !errors.Is(err, ErrNoSuchBucket):
		return err
	}
	root, err := s.view(ctx, meta.Root, meta.BucketKey(req.Bucket))
	if err != nil {
		return err
	}
	if root.rows[0].Value != nil {
		return errConflict
	}
	if n, err := s.countBuckets(ctx); err != nil {
		return err
	} else if n >= s.opts.MaxBuckets {
		return ErrTooManyBuckets
	}

	rec := meta.Bucket{
		ID:           s.newID(),
		Created:      s.now(),
		ACL:          cmp.Or(req.ACL, defaultACL),
		StorageClass: cmp.Or(req.StorageClass, defaultStorageClass),
		Redundancy:   cmp.Or(req.Redundancy, defaultRedundancy),
	}
	rng := meta.RangePartition(rec.ID, 0)
	header := kv.Write{Key: meta.HeaderKey(), Value: meta.Header{}.Encode()}
	if err := s.create(ctx, rng, header); err != nil {
		return err
	}
	first := kv.Write{Key: meta.RangeKey(""), Value: meta.Range{Partition: string(rng)}.Encode()}
	if err := s.create(ctx, meta.BucketPartition(rec.ID), header, first); err != nil {
		return err
	}
	c := root.change()
	c.replace(root.rows[0], rec.Encode())
	err = s.commit(ctx, c)
	if errors.Is(err, errConflict) {
		// Nobody knows of these partitions; what a crash leaves the sweeper finds.
		err = errors.Join(err, s.drop(ctx, meta.BucketPartition(rec.ID)), s.drop(ctx, rng))
	}
	return err
}

func (s *Store) putBucketAgain(ctx context.Context, b *bucketRow, req *PutBucketRequest) error {
	if req.StorageClass != "" && req.StorageClass != b.StorageClass {
		return ErrBucketExists
	}
	if req.Redundancy != "" && req.Redundancy != b.Redundancy {
		return ErrBucketRedundancy
	}
	if req.ACL == "" || req.ACL == b.ACL {
		return nil
	}
	return s.setBucketAcl(ctx, b, req.ACL)
}

// GetBucketInfo returns a bucket.
func (s *Store) GetBucketInfo(ctx context.Context, name string) (*Bucket, error) {
	b, err := s.liveBucket(ctx, name)
	if err != nil {
		return nil, wrap(err, &Error{Op: "GetBucketInfo", Bucket: name})
	}
	return b.info(), nil
}

// PutBucketAcl sets a bucket's ACL.
func (s *Store) PutBucketAcl(ctx context.Context, name, acl string) error {
	err := retry(ctx, func() error {
		b, err := s.liveBucket(ctx, name)
		if err != nil {
			return err
		}
		return s.setBucketAcl(ctx, b, acl)
	})
	return wrap(err, &Error{Op: "PutBucketAcl", Bucket: name})
}

func (s *Store) setBucketAcl(ctx context.Context, b *bucketRow, acl string) error {
	root, err := s.view(ctx, meta.Root)
	if err != nil {
		return err
	}
	rec := b.Bucket
	rec.ACL = acl
	value := rec.Encode()
	if string(value) == string(b.row.Value) {
		return nil
	}
	c := root.change()
	c.replace(b.row, value)
	return s.commit(ctx, c)
}

// ListBuckets returns a page of buckets.
func (s *Store) ListBuckets(ctx context.Context, req *ListBucketsRequest) (*ListBucketsResult, error) {
	res := &ListBucketsResult{}
	from := meta.BucketKey(max(req.Prefix, req.Marker))
	if req.Marker >= req.Prefix && req.Marker != "" {
		from = append(from, 0)
	}
	full := errors.New("page is full")
	err := s.scan(ctx, meta.Root, from, meta.PrefixEnd(meta.BucketKey(req.Prefix)), func(row kv.Row) error {
		if len(res.Buckets) == req.Max {
			res.Truncated = true
			return full
		}
		rec, err := meta.DecodeBucket(row.Value)
		if err != nil {
			return err
		}
		b := bucketRow{name: string(row.Key[len(meta.BucketPrefix):]), Bucket: *rec}
		res.Buckets = append(res.Buckets, *b.info())
		return nil
	})
	if err != nil && err != full {
		return nil, wrap(err, &Error{Op: "ListBuckets"})
	}
	return res, nil
}

// DeleteBucket removes a bucket that holds no object and no open upload.
//
// Each range goes from Open to Deleting, which conflicts with every commit
// that saw it Open, and is then looked at. The commit that moves it on from
// that very header to Deleted decides: a write that came between has opened
// the range again, and the header is no longer the one that was looked at.
// What is left to do after that is done by whoever comes first.
func (s *Store) DeleteBucket(ctx context.Context, name string) error {
	decided := "" // ID of the bucket that is deleted
	err := retry(ctx, func() error {
		b, err := s.liveBucket(ctx, name)
		if decided != "" && (errors.Is(err, ErrNoSuchBucket) || err == nil && b.ID != decided) {
			return nil // somebody else has finished it, and may have made another
		} else if err != nil {
			return err
		}
		all, err := s.ranges(ctx, b)
		if err != nil {
			return err
		}
		// All ranges of a bucket lie in one partition as yet. Several would
		// all be fenced before the first is decided.
		for _, r := range all {
			if err := s.deleteRange(ctx, r.partition); err != nil {
				return err
			}
		}
		decided = b.ID
		return s.buryBucket(ctx, b, all)
	})
	if err == nil {
		s.work.kick()
	}
	return wrap(err, &Error{Op: "DeleteBucket", Bucket: name})
}

// deleteRange moves an empty range to Deleted.
func (s *Store) deleteRange(ctx context.Context, p kv.Partition) error {
	v, err := s.view(ctx, p)
	if err != nil {
		return err
	}
	if v.rawHeader == nil || v.header.State == meta.Deleted {
		return nil
	}
	// A look without a fence first: most refusals cost no commit.
	if err := s.emptyRange(ctx, p); err != nil {
		return err
	}
	fence := v.header.Next(meta.Deleting)
	c := v.change()
	c.setHeader(fence)
	if err := s.commit(ctx, c); err != nil {
		return err
	}
	fenced := &view{partition: p, rawHeader: fence.Encode(), header: fence}
	c, refusal := fenced.change(), s.emptyRange(ctx, p)
	if refusal != nil {
		c.setHeader(fence.Next(meta.Open))
		if err := s.commit(ctx, c); err != nil && !errors.Is(err, errConflict) {
			return err
		}
		return refusal
	}
	c.setHeader(fence.Next(meta.Deleted))
	return s.commit(ctx, c)
}

// emptyRange says what a range still names.
func (s *Store) emptyRange(ctx context.Context, p kv.Partition) error {
	for _, kind := range []struct {
		prefix string
		err    error
	}{
		{meta.ObjectPrefix, ErrBucketHasObjects},
		{meta.VersionPrefix, ErrBucketHasObjects},
		{meta.UploadPrefix, ErrBucketHasUploads},
	} {
		rows, _, err := s.kv.Scan(ctx, p, []byte(kind.prefix), meta.PrefixEnd([]byte(kind.prefix)), 1)
		if err != nil {
			return engineError(err)
		}
		if len(rows) > 0 {
			return kind.err
		}
	}
	return nil
}

// buryBucket takes the name of a bucket away whose ranges are all Deleted, and
// leaves a grave for the reclaimer.
func (s *Store) buryBucket(ctx context.Context, b *bucketRow, all []keyRange) error {
	root, err := s.view(ctx, meta.Root)
	if err != nil {
		return err
	}
	var grave meta.Grave
	for _, r := range all {
		grave.Ranges = append(grave.Ranges, string(r.partition))
	}
	c := root.change()
	c.replace(b.row, nil)
	c.add(meta.GraveKey(b.ID), grave.Encode())
	return s.commit(ctx, c)
}

// liveBucket reads a bucket's row and sees that its deletion has not been
// decided; one that was is finished.
func (s *Store) liveBucket(ctx context.Context, name string) (*bucketRow, error) {
	for range maxTries {
		b, err := s.bucket(ctx, name)
		if err != nil {
			return nil, err
		}
		all, err := s.ranges(ctx, b)
		if errors.Is(err, ErrNoSuchBucket) {
			continue // gone since: read again
		} else if err != nil {
			return nil, err
		}
		v, err := s.view(ctx, all[0].partition)
		if err != nil {
			return nil, err
		}
		if v.rawHeader != nil && v.header.State != meta.Deleted {
			return b, nil
		}
		if err := s.buryBucket(ctx, b, all); err != nil && !errors.Is(err, errConflict) {
			return nil, err
		}
	}
	return nil, ErrNoSuchBucket
}

// minBilled is what an object of a class other than Standard counts as at
// least, in bytes (documentation page "GetBucketStat").
const minBilled = 64 << 10

// GetBucketStat counts what a bucket holds. It reads every row of the bucket's
// objects, uploads and parts, and nothing else.
func (s *Store) GetBucketStat(ctx context.Context, name string) (*BucketStat, error) {
	st, err := s.getBucketStat(ctx, name)
	return st, wrap(err, &Error{Op: "GetBucketStat", Bucket: name})
}

func (s *Store) getBucketStat(ctx context.Context, name string) (*BucketStat, error) {
	b, err := s.liveBucket(ctx, name)
	if err != nil {
		return nil, err
	}
	all, err := s.ranges(ctx, b)
	if err != nil {
		return nil, err
	}
	st := &BucketStat{ByClass: make(map[string]ClassStat)}
	for _, r := range all {
		if err := s.scanPrefix(ctx, r.partition, meta.ObjectPrefix, st.addObject); err != nil {
			return nil, err
		}
		err := s.scanPrefix(ctx, r.partition, meta.UploadPrefix, func(row kv.Row) error {
			_, id, err := meta.SplitUploadKey(row.Key)
			if err != nil {
				return err
			}
			rec, err := meta.DecodeUpload(row.Value)
			if err != nil {
				return err
			}
			st.addUpload(rec)
			return s.scanPrefix(ctx, meta.UploadPartition(b.ID, id), meta.PartPrefix, func(row kv.Row) error {
				return st.addPart(rec.StorageClass, row)
			})
		})
		if err != nil {
			return nil, err
		}
	}
	return st, nil
}

func (st *BucketStat) addObject(row kv.Row) error {
	rec, err := meta.DecodeObject(row.Value)
	if err != nil {
		return err
	}
	st.Objects++
	st.Bytes += rec.Size
	class := st.ByClass[rec.StorageClass]
	class.Objects++
	class.Bytes += rec.Size
	class.Billed += rec.Size
	if rec.StorageClass != standard {
		class.Billed += max(0, minBilled-rec.Size)
	}
	st.ByClass[rec.StorageClass] = class
	if rec.Modified.After(st.LastModified) {
		st.LastModified = rec.Modified
	}
	return nil
}

func (st *BucketStat) addUpload(rec *meta.Upload) {
	st.Uploads++
	if st.OldestUpload.IsZero() || rec.Initiated.Before(st.OldestUpload) {
		st.OldestUpload = rec.Initiated
	}
}

func (st *BucketStat) addPart(class string, row kv.Row) error {
	rec, err := meta.DecodePart(row.Value)
	if err != nil {
		return err
	}
	st.Parts++
	st.PartBytes += rec.Size
	share := st.ByClass[class]
	share.Parts++
	share.PartBytes += rec.Size
	st.ByClass[class] = share
	return nil
}

func (s *Store) countBuckets(ctx context.Context) (n int, err error) {
	err = s.scanPrefix(ctx, meta.Root, meta.BucketPrefix, func(kv.Row) error { n++; return nil })
	return n, err
}

func (b *bucketRow) info() *Bucket {
	return &Bucket{
		Name: b.name, ID: b.ID, Created: b.Created.Truncate(time.Second),
		ACL: b.ACL, StorageClass: b.StorageClass, Redundancy: b.Redundancy,
	}
}
