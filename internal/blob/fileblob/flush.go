package fileblob

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// deletes remembers what FlushDeletes has to sync.
type deletes struct {
	mu       sync.Mutex
	dirs     map[*directory]struct{} // files were removed from them
	segments map[*segment]struct{}   // entries were added to their sidecars
}

func (d *deletes) removedFrom(dir *directory) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.dirs == nil {
		d.dirs = make(map[*directory]struct{})
	}
	d.dirs[dir] = struct{}{}
}

func (d *deletes) note(seg *segment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.segments == nil {
		d.segments = make(map[*segment]struct{})
	}
	d.segments[seg] = struct{}{}
}

func (d *deletes) take() (map[*directory]struct{}, map[*segment]struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	dirs, segments := d.dirs, d.segments
	d.dirs, d.segments = nil, nil
	return dirs, segments
}

// FlushDeletes implements blob.Flusher. Should it fail, what it was to sync is
// left for the next call.
func (e *Engine) FlushDeletes(ctx context.Context) error {
	if err := e.begin(); err != nil {
		return err
	}
	defer e.calls.Done()
	if err := e.writable(); err != nil {
		return err
	}

	dirs, segments := e.deletes.take()
	var errs []error
	for seg := range segments {
		if err := e.flushDead(seg); err != nil {
			e.deletes.note(seg)
			errs = append(errs, err)
		} else {
			// The sidecar's own name, or the segment's removal.
			if dirs == nil {
				dirs = make(map[*directory]struct{})
			}
			dirs[&e.smallDir] = struct{}{}
		}
	}
	for dir := range dirs {
		if err := e.syncNames(dir); err != nil {
			e.deletes.removedFrom(dir)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// flushDead makes the sidecar of seg complete and durable.
func (e *Engine) flushDead(seg *segment) error {
	seg.mu.Lock()
	defer seg.mu.Unlock()
	if seg.gone {
		return nil
	}
	if len(seg.dead.unsaid) > 0 {
		var entries []byte
		for _, r := range seg.dead.unsaid {
			entries = r.append(entries, seg.number)
		}
		if err := e.appendDead(seg.number, entries); err != nil {
			return fmt.Errorf("record deletions in %s: %w", e.deadPath(seg.number), writeFailed(err))
		}
		seg.dead.unsaid = nil
	}
	f, err := e.fs.OpenReadWrite(e.deadPath(seg.number), vfs.WriteCategoryUnspecified)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	err = f.SyncData()
	e.stats.syncs.Add(1)
	if err != nil {
		err = e.syncFailed(err)
	}
	return errors.Join(err, f.Close())
}

var _ blob.Flusher = (*Engine)(nil)
