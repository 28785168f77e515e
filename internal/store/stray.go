package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// strayAge is how old a partition is that is held for stray, by its ID's time:
// one that is younger may be about to get its name.
const strayAge = 24 * time.Hour

// sweepPartitions drops partitions that nothing names: what a crash or an
// unknown outcome left between the two commits that make a bucket or an upload.
//
// Such a partition is empty, since only what has a name is written to; one that
// is not empty is left alone. So a clock that is wrong by days costs no byte
// that was answered: at worst an upload that is just being initiated is none.
func (s *Store) sweepPartitions(ctx context.Context) error {
	lister, ok := s.kv.(kv.Lister)
	if !ok {
		return nil
	}
	var after kv.Partition
	var doubt error // about a partition, which stays
	for {
		names, more, err := lister.Partitions(ctx, after, 0)
		if err != nil {
			return engineError(err)
		}
		known, err := s.bucketIDs(ctx)
		if err != nil {
			return err
		}
		for _, p := range names {
			if err := s.sweepPartition(ctx, p, known); err != nil && !errors.Is(err, errConflict) {
				doubt = fmt.Errorf("partition %q: %w", p, err)
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
		if !more || len(names) == 0 {
			return doubt
		}
		after = names[len(names)-1]
	}
}

// bucketIDs returns the IDs of all buckets and of those still to be cleared
// away, looked for in the order in which a bucket becomes the other.
func (s *Store) bucketIDs(ctx context.Context) (map[string]bool, error) {
	known := make(map[string]bool)
	err := s.scanPrefix(ctx, meta.Root, meta.BucketPrefix, func(row kv.Row) error {
		rec, err := meta.DecodeBucket(row.Value)
		if err == nil {
			known[rec.ID] = true
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	err = s.scanPrefix(ctx, meta.Root, meta.GravePrefix, func(row kv.Row) error {
		known[string(row.Key[len(meta.GravePrefix):])] = true
		return nil
	})
	return known, err
}

func (s *Store) sweepPartition(ctx context.Context, p kv.Partition, known map[string]bool) error {
	if bucketID, uploadID, ok := meta.SplitUploadPartition(p); ok {
		if !s.isOld(uploadID) {
			return nil
		}
		return s.sweepUpload(ctx, p, bucketID, uploadID)
	}
	if id, ok := meta.SplitRangePartition(p); ok && s.isOld(id) && !known[id] {
		return s.sweepRange(ctx, p)
	}
	if id, ok := meta.SplitBucketPartition(p); ok && s.isOld(id) && !known[id] {
		return s.sweepBucket(ctx, p, id)
	}
	return nil
}

// sweepUpload drops the partition of an upload that is not open and has no
// parts: it never was open, or nobody misses it.
func (s *Store) sweepUpload(ctx context.Context, p kv.Partition, bucketID, uploadID string) error {
	if empty, err := s.onlyHeader(ctx, p); err != nil || !empty {
		return err // with parts, it is open or the reclaimer's
	}
	v, err := s.view(ctx, p)
	if err != nil || v.rawHeader == nil {
		return err
	}
	rng, err := s.rangeOf(ctx, &bucketRow{Bucket: meta.Bucket{ID: bucketID}}, v.header.Key)
	if errors.Is(err, ErrNoSuchBucket) {
		return s.drop(ctx, p)
	} else if err != nil {
		return err
	}
	named, err := s.view(ctx, rng, meta.UploadKey(v.header.Key, uploadID))
	if err != nil || named.rows[0].Value != nil {
		return err
	}
	return s.drop(ctx, p)
}

// sweepBucket drops the partitions of a bucket that has no name.
func (s *Store) sweepBucket(ctx context.Context, p kv.Partition, id string) error {
	all, err := s.ranges(ctx, &bucketRow{Bucket: meta.Bucket{ID: id}})
	if err != nil {
		return err
	}
	for _, r := range all {
		if err := s.sweepRange(ctx, r.partition); err != nil {
			return err
		}
	}
	return s.drop(ctx, p)
}

// sweepRange drops an empty range, after a commit that makes it refuse names.
func (s *Store) sweepRange(ctx context.Context, p kv.Partition) error {
	if empty, err := s.onlyHeader(ctx, p); err != nil {
		return err
	} else if !empty {
		return fmt.Errorf("%w: %q holds names, and no bucket has it", meta.ErrCorrupt, p)
	}
	if err := s.deleteRange(ctx, p); err != nil {
		return err
	}
	return s.drop(ctx, p)
}

// onlyHeader tells whether p has no rows but its header, or none at all.
func (s *Store) onlyHeader(ctx context.Context, p kv.Partition) (bool, error) {
	rows, _, err := s.kv.Scan(ctx, p, nil, nil, 2)
	if err != nil {
		return false, engineError(err)
	}
	return len(rows) == 0 || len(rows) == 1 && string(rows[0].Key) == kv.HeaderKey, nil
}

// isOld tells whether an ID was made strayAge ago; one that newID cannot have
// made is not.
func (s *Store) isOld(id string) bool {
	if len(id) != 32 {
		return false
	}
	ms, err := strconv.ParseUint(id[:12], 16, 48)
	return err == nil && s.now().Sub(time.UnixMilli(int64(ms))) > strayAge
}
