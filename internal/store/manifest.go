package store

import (
	"context"
	"fmt"
	"io"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/meta"
)

// maxManifest bounds the encoding of a stored manifest: MaxParts parts of one
// extent each, and no two of a size, need about a tenth of it.
const maxManifest = 4 << 20

// saveManifest makes a manifest of extents and streams. One that is too long for
// a record is stored as an extent, which is durable when saveManifest returns.
func (s *Store) saveManifest(ctx context.Context, owner blob.Owner, extents []blob.Extent, streams []meta.Stream) (meta.Manifest, error) {
	b := meta.AppendManifest(nil, extents, streams)
	if len(b) <= meta.InlineManifest {
		return meta.Manifest{Extents: extents, Streams: streams}, nil
	}
	owner.Manifest = true
	w, err := s.blob.Create(ctx, owner, int64(len(b)))
	if err != nil {
		return meta.Manifest{}, engineError(err)
	}
	defer w.Abort()
	if _, err := w.Write(b); err != nil {
		return meta.Manifest{}, engineError(err)
	}
	stored, err := w.Commit(context.WithoutCancel(ctx))
	if err != nil {
		return meta.Manifest{}, engineError(err)
	}
	return meta.Manifest{Stored: stored}, nil
}

// loadManifest returns the extents that m names, and the streams that they hold
// if an encrypted upload became the object.
func (s *Store) loadManifest(ctx context.Context, m meta.Manifest) ([]blob.Extent, []meta.Stream, error) {
	if len(m.Stored) == 0 {
		return m.Extents, m.Streams, nil
	}
	var b []byte
	for _, e := range m.Stored {
		if e.Length < 0 || e.Length > maxManifest || len(b) > maxManifest {
			return nil, nil, fmt.Errorf("%w: manifest of %d bytes", meta.ErrCorrupt, e.Length)
		}
		part := make([]byte, e.Length)
		if _, err := s.blob.ReadAt(ctx, e, part, 0); err != nil && err != io.EOF {
			return nil, nil, fmt.Errorf("manifest: %w", err)
		}
		b = append(b, part...)
	}
	return meta.ParseManifest(b)
}
