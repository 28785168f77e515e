package fileblob

import (
	"context"
	"errors"

	"github.com/ossastore/ossa/internal/blob"
)

// Sparse implements blob.Compactor: extents of sealed segments that are
// garbage for more than half, those of the oldest first.
func (e *Engine) Sparse(ctx context.Context, limit int) ([]blob.Owned, error) {
	if err := e.begin(); err != nil {
		return nil, err
	}
	defer e.calls.Done()

	var found []blob.Owned
	for _, seg := range e.segmentsWithin(0, ^uint64(0)) {
		seg.mu.Lock()
		sparse := seg.settled() && 2*seg.garbage() > seg.size-headerBytes
		seg.mu.Unlock()
		if !sparse {
			continue
		}

		_, err := e.walkSegment(ctx, seg, func(x blob.Extent, owner blob.Owner) error {
			if len(found) >= limit {
				return errEnough
			}
			found = append(found, blob.Owned{Extent: x, Owner: owner})
			return nil
		})
		switch {
		case errors.Is(err, errEnough):
			return found, nil
		case errors.Is(err, errBadSegment):
			e.damaged(e.segmentPath(seg.number), err)
		case err != nil:
			return nil, err
		}
	}
	return found, nil
}

// errEnough ends a walk that has found what it wanted.
var errEnough = errors.New("enough")
