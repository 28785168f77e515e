package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/meta"
)

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
	for {
		moved, err := s.compactSome(ctx, engine)
		if err != nil || moved == 0 {
			return err
		}
		// What was moved goes, so that the next round meets others.
		if err := s.reclaimDirty(ctx); err != nil {
			return err
		}
	}
}

// compactSome is one round. It returns how many extents it moved.
func (s *Store) compactSome(ctx context.Context, engine blob.Compactor) (moved int, err error) {
	sparse, err := engine.Sparse(ctx, compactAtOnce)
	if err != nil {
		return 0, engineError(err)
	}
	var errs []error
	var names namer
	for _, o := range sparse {
		place, err := s.whoNames(ctx, &names, o.Extent, o.Owner)
		if err == nil && place.is == inObject {
			err = s.move(ctx, o)
			names = namer{}
			if errors.Is(err, blob.ErrNotFound) {
				// Lost if an object still names it, and deleted by right if not.
				if place, again := s.whoNames(ctx, &names, o.Extent, o.Owner); again == nil && place.is != inObject {
					err = errMoved
				}
			}
			if err == nil {
				moved++
			}
		}
		if err != nil && !errors.Is(err, errMoved) { // somebody was faster: as good
			errs = append(errs, fmt.Errorf("move extent of %q: %w", o.Owner.Key, err))
		}
		if ctx.Err() != nil {
			return moved, ctx.Err()
		}
	}
	return moved, errors.Join(errs...)
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
		extents, streams, err := s.loadManifest(ctx, rec.Manifest)
		if err != nil {
			return err
		}
		i := slices.Index(extents, o.Extent)
		if i < 0 {
			return errMoved
		}
		stale = rec.Manifest.Stored
		owner := blob.Owner{Bucket: o.Owner.Bucket, Key: o.Owner.Key, Version: rec.Version, UploadID: rec.UploadID}
		if rec.Manifest, err = s.saveManifest(ctx, owner, slices.Replace(extents, i, i+1, fresh...), streams); err != nil {
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
