package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Sweep deletes what was written and never came to be named: extents that
// earlier lives of the program left, and empty partitions that are a day old.
// It may run beside anything.
func (s *Store) Sweep(ctx context.Context) error {
	if err := errors.Join(s.sweepExtents(ctx), s.sweepPartitions(ctx)); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return nil
}

// sweepExtents looks at those extents only that were written since the last
// sweep was done and before this Store was opened: nobody is about to name them.
func (s *Store) sweepExtents(ctx context.Context) error {
	lister, ok := s.blob.(blob.Lister)
	if !ok {
		return nil
	}
	v, err := s.view(ctx, meta.Root, meta.SweepKey())
	if err != nil {
		return err
	}
	var done meta.Sweep
	if v.rows[0].Value != nil {
		if done, err = meta.DecodeSweep(v.rows[0].Value); err != nil {
			return err
		}
	}
	if done.Mark >= s.opened {
		return nil
	}
	var names namer
	var doubt error // about an extent, which stays; so does the mark
	suspected := make(suspects)
	err = lister.Extents(ctx, done.Mark, s.opened, func(e blob.Extent, owner blob.Owner) error {
		place, err := s.whoNames(ctx, &names, e, owner)
		if err == nil && place.is == nowhere && suspected.add(place.in, e) == suspectsMax {
			err = s.sweepSuspects(ctx, suspected)
			clear(suspected)
		}
		if err != nil {
			doubt = err
		}
		return ctx.Err()
	})
	if err := errors.Join(doubt, err, s.sweepSuspects(ctx, suspected)); err != nil {
		return err
	}
	// No later sweep looks at them again.
	if err := s.flushDeletes(ctx); err != nil {
		return err
	}
	return retry(ctx, func() error {
		v, err := s.view(ctx, meta.Root, meta.SweepKey())
		if err != nil {
			return err
		}
		value := meta.Sweep{Mark: s.opened}.Encode()
		if bytes.Equal(v.rows[0].Value, value) {
			return nil // another Sweep was at it too
		}
		c := v.change()
		c.replace(v.rows[0], value)
		return s.commit(ctx, c)
	})
}

// suspects are extents that neither an upload nor an object names, by the range
// whose garbage rows may, "" for none. What has lost its name does not get
// another, so they can be looked for together, later: their row is there, or
// they are deleted already.
type suspects map[kv.Partition]map[blob.Extent]bool

// suspectsMax is for how many extents together the garbage rows are read.
const suspectsMax = 10000

// add returns how many there are.
func (all suspects) add(p kv.Partition, e blob.Extent) (n int) {
	if all[p] == nil {
		all[p] = make(map[blob.Extent]bool)
	}
	all[p][e] = true
	for _, some := range all {
		n += len(some)
	}
	return n
}

// sweepSuspects deletes the suspects that no garbage row names.
func (s *Store) sweepSuspects(ctx context.Context, all suspects) error {
	for p, some := range all {
		if p != "" {
			if err := s.exceptGarbage(ctx, p, some); err != nil {
				return err
			}
		}
		for chunk := range slices.Chunk(slices.Collect(maps.Keys(some)), deleteAtOnce) {
			if err := s.blob.Delete(ctx, chunk...); err != nil {
				return engineError(err)
			}
			s.stats.sweptExtents.Add(int64(len(chunk)))
		}
	}
	return nil
}

// exceptGarbage takes the extents out that the garbage rows of p name.
func (s *Store) exceptGarbage(ctx context.Context, p kv.Partition, some map[blob.Extent]bool) error {
	return s.scanPrefix(ctx, p, meta.GarbagePrefix, func(row kv.Row) error {
		g, err := meta.DecodeGarbage(row.Value)
		if err != nil {
			return err
		}
		extents, _, err := s.loadManifest(ctx, g.Manifest)
		if err != nil && !errors.Is(err, blob.ErrNotFound) { // deleted just now
			return err
		}
		for _, e := range slices.Concat(extents, g.Manifest.Stored) {
			delete(some, e)
		}
		return nil
	})
}

// place is what names an extent.
type place struct {
	is naming
	in kv.Partition // the range of its key; "" of a bucket that is cleared away
}

type naming int

const (
	nowhere  naming = iota // or in a garbage row: it is going to be deleted
	inUpload               // a part of an upload, open or ended and not yet reclaimed
	inObject               // an object's current version
)

// namer remembers the manifest it looked at last: extents of one object tend
// to come one after another.
type namer struct {
	version string
	extents map[blob.Extent]bool
}

// whoNames finds what names an extent, by its owner. It looks in the order in
// which a name moves on: upload, object, garbage, of which the last is left to
// the caller. So a name that moves under our eyes is met later on, or its extent
// is being deleted anyway.
func (s *Store) whoNames(ctx context.Context, names *namer, e blob.Extent, owner blob.Owner) (place, error) {
	if owner.PartNumber != 0 {
		switch named, err := s.uploadNames(ctx, e, owner); {
		case err != nil:
			return place{}, err
		case named:
			return place{is: inUpload}, nil
		}
	}
	// The range is found by the bucket's own partition: its row in the root
	// may be gone while its garbage is not.
	b := &bucketRow{Bucket: meta.Bucket{ID: owner.Bucket}}
	p, err := s.rangeOf(ctx, b, owner.Key)
	if errors.Is(err, ErrNoSuchBucket) {
		return place{}, nil
	} else if err != nil {
		return place{}, err
	}
	v, err := s.view(ctx, p, meta.ObjectKey(owner.Key))
	if err != nil || v.rows[0].Value == nil {
		return place{in: p}, err
	}
	rec, err := meta.DecodeObject(v.rows[0].Value)
	if err != nil {
		return place{}, err
	}
	if named, err := s.manifestNames(ctx, names, rec.Version, rec.Manifest, e); err != nil || !named {
		return place{in: p}, err
	}
	return place{is: inObject, in: p}, nil
}

func (s *Store) uploadNames(ctx context.Context, e blob.Extent, owner blob.Owner) (bool, error) {
	p := meta.UploadPartition(owner.Bucket, owner.UploadID)
	v, err := s.view(ctx, p, meta.PartKey(owner.PartNumber))
	if err != nil {
		return false, err
	}
	if v.rawHeader == nil {
		return false, nil
	}
	if named, err := partNames(v.rows[0].Value, e); named || err != nil {
		return named, err
	}
	found := false
	from := meta.ReplacedKey(owner.PartNumber, 0)
	to := meta.ReplacedKey(owner.PartNumber+1, 0)
	err = s.scan(ctx, p, from, to, func(row kv.Row) error {
		named, err := partNames(row.Value, e)
		found = found || named
		return err
	})
	return found, err
}

func partNames(value []byte, e blob.Extent) (bool, error) {
	if value == nil {
		return false, nil
	}
	rec, err := meta.DecodePart(value)
	return err == nil && slices.Contains(rec.Extents, e), err
}

func (s *Store) manifestNames(ctx context.Context, names *namer, version string, m meta.Manifest, e blob.Extent) (bool, error) {
	if slices.Contains(m.Stored, e) || slices.Contains(m.Extents, e) {
		return true, nil
	}
	if len(m.Stored) == 0 {
		return false, nil
	}
	if names.version != version {
		extents, _, err := s.loadManifest(ctx, m)
		if err != nil {
			return false, err
		}
		names.version, names.extents = version, make(map[blob.Extent]bool, len(extents))
		for _, x := range extents {
			names.extents[x] = true
		}
	}
	return names.extents[e], nil
}
