package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// reclaimReplaced lets go of parts that later ones replaced in the open uploads
// of a range, so that a client that sends one part again and again does not
// fill the disk with it.
func (s *Store) reclaimReplaced(ctx context.Context, bucketID string, p kv.Partition) error {
	var errs []error
	err := s.scanPrefix(ctx, p, meta.UploadPrefix, func(row kv.Row) error {
		_, id, err := meta.SplitUploadKey(row.Key)
		if err == nil {
			err = s.discardReplaced(ctx, p, row.Key, meta.UploadPartition(bucketID, id))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("replaced parts of %q: %w", row.Key, err))
		}
		return ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

// discardReplaced makes garbage of the replaced parts of one upload.
//
// A Complete under way may have read them before they were replaced. But it
// viewed its range before it read them, and the commit that makes them garbage
// changes the range's header: so that Complete never commits, decides anew, and
// meets the parts of now. One that has committed by then has ended the upload,
// whose row this commit guards.
func (s *Store) discardReplaced(ctx context.Context, p kv.Partition, uploadKey []byte, parts kv.Partition) error {
	from, to := []byte(meta.ReplacedPrefix), meta.PrefixEnd([]byte(meta.ReplacedPrefix))
	for {
		rows, more, err := s.kv.Scan(ctx, parts, from, to, reclaimPage)
		if err != nil {
			return engineError(err)
		}
		if len(rows) == 0 {
			return nil
		}
		var g meta.Garbage
		for _, row := range rows {
			rec, err := meta.DecodePart(row.Value)
			if err != nil {
				return err
			}
			g.Manifest.Extents = append(g.Manifest.Extents, rec.Extents...)
		}
		open := false
		err = retry(ctx, func() error {
			v, err := s.view(ctx, p, uploadKey)
			if err != nil {
				return err
			}
			if open = v.rawHeader != nil && v.rows[0].Value != nil; !open {
				return nil // ended: all its parts are the reclaimer's
			}
			c := v.change()
			c.guard(v.rows[0])
			c.setHeader(v.header.Next(v.header.State))
			c.add(s.garbageKey(), g.Encode())
			return s.commitNames(ctx, c)
		})
		if err != nil || !open {
			return err
		}
		if err := s.removeRows(ctx, parts, rows); err != nil || !more {
			return err
		}
	}
}
