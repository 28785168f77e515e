package store

import (
	"context"
	"errors"
	"fmt"
	"sort"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// bucketRow is a bucket as its row in the root partition tells it.
type bucketRow struct {
	name string
	row  kv.Row
	meta.Bucket
}

// bucket reads a bucket's row.
func (s *Store) bucket(ctx context.Context, name string) (*bucketRow, error) {
	rows, err := s.kv.Get(ctx, meta.Root, meta.BucketKey(name))
	if err != nil {
		return nil, engineError(err)
	}
	if rows[0].Value == nil {
		return nil, ErrNoSuchBucket
	}
	rec, err := meta.DecodeBucket(rows[0].Value)
	if err != nil {
		return nil, fmt.Errorf("bucket %s: %w", name, err)
	}
	return &bucketRow{name: name, row: rows[0], Bucket: *rec}, nil
}

// keyRange is one range of a bucket's keys, from start on.
type keyRange struct {
	start     string
	partition kv.Partition
}

// ranges reads a bucket's map, ascending; at least one range, the first from "".
func (s *Store) ranges(ctx context.Context, b *bucketRow) ([]keyRange, error) {
	from, to := []byte(meta.RangePrefix), meta.PrefixEnd([]byte(meta.RangePrefix))
	var all []keyRange
	err := s.scan(ctx, meta.BucketPartition(b.ID), from, to, func(row kv.Row) error {
		r, err := meta.DecodeRange(row.Value)
		if err != nil {
			return fmt.Errorf("bucket %s: %w", b.name, err)
		}
		all = append(all, keyRange{string(row.Key[len(meta.RangePrefix):]), kv.Partition(r.Partition)})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(all) > 0 && all[0].start == "" {
		return all, nil
	}
	v, err := s.view(ctx, meta.BucketPartition(b.ID))
	switch {
	case err != nil:
		return nil, err
	case v.rawHeader != nil:
		return nil, fmt.Errorf("%w: no map of ranges in %q", meta.ErrCorrupt, v.partition)
	}
	return nil, ErrNoSuchBucket // cleared away since its row was read
}

// rangeOf finds the partition of a key.
func (s *Store) rangeOf(ctx context.Context, b *bucketRow, key string) (kv.Partition, error) {
	all, err := s.ranges(ctx, b)
	if err != nil {
		return "", err
	}
	i := sort.Search(len(all), func(i int) bool { return all[i].start > key })
	return all[i-1].partition, nil
}

// readRows reads rows of the range that key lies in, for who wants to know and
// commits nothing on them: it leaves a bucket's deletion alone that is not
// decided yet.
func (s *Store) readRows(ctx context.Context, b *bucketRow, key string, keys ...[]byte) ([]kv.Row, error) {
	p, err := s.rangeOf(ctx, b, key)
	if err != nil {
		return nil, err
	}
	v, err := s.view(ctx, p, keys...)
	if err != nil {
		return nil, err
	}
	if v.rawHeader == nil || v.header.State == meta.Deleted {
		return nil, ErrNoSuchBucket
	}
	return v.rows, nil
}

// rangeView reads rows of the range that key lies in, for a commit. It sees to
// it that the range accepts names: a bucket's deletion that was begun and not
// decided is called off.
func (s *Store) rangeView(ctx context.Context, b *bucketRow, key string, keys ...[]byte) (*view, error) {
	p, err := s.rangeOf(ctx, b, key)
	if err != nil {
		return nil, err
	}
	for range maxTries {
		v, err := s.view(ctx, p, keys...)
		switch {
		case err != nil:
			return nil, err
		case v.rawHeader == nil || v.header.State == meta.Deleted:
			return nil, ErrNoSuchBucket
		case v.header.State == meta.Open:
			return v, nil
		}
		c := v.change()
		c.setHeader(v.header.Next(meta.Open))
		if err := s.commit(ctx, c); err != nil && !errors.Is(err, errConflict) {
			return nil, err
		}
	}
	return nil, fmt.Errorf("%w: too many conflicts", ErrUnavailable)
}

// scan calls fn for every row of p with from <= key < to.
func (s *Store) scan(ctx context.Context, p kv.Partition, from, to []byte, fn func(kv.Row) error) error {
	for {
		rows, more, err := s.kv.Scan(ctx, p, from, to, 0)
		if err != nil {
			return engineError(err)
		}
		for _, row := range rows {
			if err := fn(row); err != nil {
				return err
			}
		}
		if !more || len(rows) == 0 {
			return nil
		}
		from = append(rows[len(rows)-1].Key, 0)
	}
}

// scanPrefix calls fn for every row of p whose key begins with prefix.
func (s *Store) scanPrefix(ctx context.Context, p kv.Partition, prefix string, fn func(kv.Row) error) error {
	return s.scan(ctx, p, []byte(prefix), meta.PrefixEnd([]byte(prefix)), fn)
}
