package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Sweep deletes extents that earlier lives of the program wrote and did not
// come to name. It looks at those only that were written since the last sweep
// was done and before this Store was opened: nobody is about to name them. So
// it may run beside anything.
func (s *Store) Sweep(ctx context.Context) error {
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
	err = lister.Extents(ctx, done.Mark, s.opened, func(e blob.Extent, owner blob.Owner) error {
		place, err := s.whoNames(ctx, &names, e, owner)
		if err == nil && place == nowhere {
			s.stats.sweptExtents.Add(1)
			err = engineError(s.blob.Delete(ctx, e))
		}
		if err != nil {
			doubt = err
		}
		return ctx.Err()
	})
	if err := errors.Join(doubt, err); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	// No later sweep looks at them again.
	if err := s.flushDeletes(ctx); err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	return retry(ctx, func() error {
		v, err := s.view(ctx, meta.Root, meta.SweepKey())
		if err != nil {
			return err
		}
		c := v.change()
		c.replace(v.rows[0], meta.Sweep{Mark: s.opened}.Encode())
		return s.commit(ctx, c)
	})
}

// place is what names an extent.
type place int

const (
	nowhere   place = iota
	inUpload        // a part of an upload, open or ended and not yet reclaimed
	inObject        // an object's current version
	inGarbage       // a garbage row: it is going to be deleted
)

// namer remembers the manifest it looked at last: extents of one object tend
// to come one after another.
type namer struct {
	version string
	extents map[blob.Extent]bool
}

// whoNames finds what names an extent, by its owner. It looks in the order in
// which a name moves on: upload, object, garbage. So a name that moves under
// our eyes is met later on, or its extent is being deleted anyway.
func (s *Store) whoNames(ctx context.Context, names *namer, e blob.Extent, owner blob.Owner) (place, error) {
	if owner.PartNumber != 0 {
		switch named, err := s.uploadNames(ctx, e, owner); {
		case err != nil:
			return nowhere, err
		case named:
			return inUpload, nil
		}
	}
	// The range is found by the bucket's own partition: its row in the root
	// may be gone while its garbage is not.
	b := &bucketRow{Bucket: meta.Bucket{ID: owner.Bucket}}
	p, err := s.rangeOf(ctx, b, owner.Key)
	if errors.Is(err, ErrNoSuchBucket) {
		return nowhere, nil
	} else if err != nil {
		return nowhere, err
	}
	v, err := s.view(ctx, p, meta.ObjectKey(owner.Key))
	if err != nil {
		return nowhere, err
	}
	if v.rows[0].Value != nil {
		rec, err := meta.DecodeObject(v.rows[0].Value)
		if err != nil {
			return nowhere, err
		}
		if named, err := s.manifestNames(ctx, names, rec.Version, rec.Manifest, e); err != nil {
			return nowhere, err
		} else if named {
			return inObject, nil
		}
	}
	found := nowhere
	err = s.scanPrefix(ctx, p, meta.GarbagePrefix, func(row kv.Row) error {
		g, err := meta.DecodeGarbage(row.Value)
		if err != nil {
			return err
		}
		named, err := s.manifestNames(ctx, &namer{}, g.Version, g.Manifest, e)
		if errors.Is(err, blob.ErrNotFound) {
			return nil // reclaimed just now
		}
		if named {
			found = inGarbage
		}
		return err
	})
	return found, err
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
		extents, err := s.loadManifest(ctx, m)
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

// compactAtOnce is how many extents one round of compaction looks at.
const compactAtOnce = 1000

// compact moves extents of current objects out of files that are mostly
// garbage, so that the files can go. Extents of open uploads stay where they
// are: a Complete may be about to name them.
func (s *Store) compact(ctx context.Context) error {
	engine, ok := s.blob.(blob.Compactor)
	if !ok {
		return nil
	}
	sparse, err := engine.Sparse(ctx, compactAtOnce)
	if err != nil {
		return engineError(err)
	}
	var errs []error
	var names namer
	for _, o := range sparse {
		place, err := s.whoNames(ctx, &names, o.Extent, o.Owner)
		if err == nil && place == inObject {
			err = s.move(ctx, o)
			names = namer{}
			if errors.Is(err, blob.ErrNotFound) {
				// Lost if an object still names it, and deleted by right if not.
				if place, again := s.whoNames(ctx, &names, o.Extent, o.Owner); again == nil && place != inObject {
					err = errMoved
				}
			}
		}
		if errors.Is(err, errMoved) {
			continue // there is no need to any more
		}
		if err != nil && !errors.Is(err, errMoved) { // somebody was faster: as good
			errs = append(errs, fmt.Errorf("move extent of %q: %w", o.Owner.Key, err))
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return errors.Join(errs...)
}

// move writes an extent of a current object anew and names it in place of the
// old one, which becomes garbage in the same commit.
func (s *Store) move(ctx context.Context, o blob.Owned) error {
	fresh, err := s.rewrite(ctx, o)
	if err != nil {
		return err
	}
	b := &bucketRow{Bucket: meta.Bucket{ID: o.Owner.Bucket}}
	err = retry(ctx, func() error {
		p, err := s.rangeOf(ctx, b, o.Owner.Key)
		if err != nil {
			return err
		}
		v, err := s.view(ctx, p, meta.ObjectKey(o.Owner.Key))
		if err != nil {
			return err
		}
		return s.renameExtent(ctx, v, o, fresh)
	})
	if err != nil {
		s.forget(ctx, err, fresh)
		return err
	}
	s.stats.movedExtents.Add(1)
	return nil
}

// errMoved: the object no longer names the extent that was to be moved.
var errMoved = errors.New("store: extent has lost its name meanwhile")

func (s *Store) renameExtent(ctx context.Context, v *view, o blob.Owned, fresh []blob.Extent) error {
	row := v.rows[0]
	if v.rawHeader == nil || row.Value == nil {
		return errMoved
	}
	rec, err := meta.DecodeObject(row.Value)
	if err != nil {
		return err
	}
	old, stale := []blob.Extent{o.Extent}, []blob.Extent(nil)
	var saved []blob.Extent
	if i := slices.Index(rec.Manifest.Stored, o.Extent); i >= 0 {
		rec.Manifest.Stored = slices.Replace(rec.Manifest.Stored, i, i+1, fresh...)
	} else {
		extents, err := s.loadManifest(ctx, rec.Manifest)
		if err != nil {
			return err
		}
		i := slices.Index(extents, o.Extent)
		if i < 0 {
			return errMoved
		}
		stale = rec.Manifest.Stored
		owner := blob.Owner{Bucket: o.Owner.Bucket, Key: o.Owner.Key, Version: rec.Version, UploadID: rec.UploadID}
		if rec.Manifest, err = s.saveManifest(ctx, owner, slices.Replace(extents, i, i+1, fresh...)); err != nil {
			return err
		}
		saved = rec.Manifest.Stored
	}
	g := meta.Garbage{Version: rec.Version, Manifest: meta.Manifest{Extents: append(old, stale...)}}
	c := v.change()
	c.replace(row, rec.Encode())
	c.add(s.garbageKey(), g.Encode())
	if err := s.commitNames(ctx, c); err != nil {
		s.forget(ctx, err, saved)
		return err
	}
	return nil
}

// rewrite copies an extent's bytes into new ones of the same owner.
func (s *Store) rewrite(ctx context.Context, o blob.Owned) ([]blob.Extent, error) {
	w, err := s.blob.Create(ctx, o.Owner, o.Extent.Length)
	if err != nil {
		return nil, engineError(err)
	}
	defer w.Abort()
	buf := s.buffers.get()
	defer s.buffers.put(buf)
	r := io.NewSectionReader(extentReader{ctx, s.blob, o.Extent}, 0, o.Extent.Length)
	if _, err := io.CopyBuffer(onlyWriter{w}, onlyReader{r}, buf); err != nil {
		return nil, engineError(err)
	}
	fresh, err := w.Commit(ctx)
	return fresh, engineError(err)
}

// onlyReader and onlyWriter hide the other methods of what they hold, so that
// io.CopyBuffer uses the buffer it is given.
type (
	onlyReader struct{ io.Reader }
	onlyWriter struct{ io.Writer }
)
