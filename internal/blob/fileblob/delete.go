package fileblob

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/ossastore/ossa/internal/blob"
)

// Delete implements blob.Engine. A large extent's file is removed at once. A
// small one is counted as garbage; its bytes come back with its segment. What
// a power cut undoes of it before FlushDeletes, Extents shows again.
func (e *Engine) Delete(ctx context.Context, extents ...blob.Extent) error {
	if err := e.begin(); err != nil {
		return err
	}
	defer e.calls.Done()

	var errs []error
	var batch graves
	for _, x := range extents {
		if err := ctx.Err(); err != nil {
			errs = append(errs, err)
			break
		}
		var err error
		switch {
		case x.File == 0 || x.Length <= 0:
		case x.Offset == 0:
			err = e.deleteLarge(x)
		default:
			err = e.deleteSmall(x, &batch)
		}
		if err != nil {
			errs = append(errs, where(x, err))
		}
	}
	e.buryAll(&batch)
	return errors.Join(errs...)
}

func (e *Engine) deleteLarge(x blob.Extent) error {
	err := e.fs.Remove(e.largePath(x.File))
	// One that is not there may have been removed by a Delete not yet flushed.
	e.deletes.removedFrom(e.largeDir(x.File))
	if errors.Is(err, os.ErrNotExist) {
		err = nil
	} else if err == nil {
		e.stats.largeRemoved.Add(1)
	}
	e.handles.drop(x.File, largeKind)
	return err
}

// graves gathers deletions that lie in one segment.
type graves struct {
	seg     *segment
	records []deadRecord
}

// deleteSmall adds x to the batch, which it empties when x lies elsewhere.
func (e *Engine) deleteSmall(x blob.Extent, batch *graves) error {
	seg := e.segment(x.File)
	if seg == nil {
		return nil
	}
	header, block, err := e.readRecordHeader(x)
	switch {
	case errors.Is(err, blob.ErrNotFound):
		return nil
	case errors.Is(err, blob.ErrCorrupt):
		// Nothing readable is left there, and how long it was nobody knows.
		e.opts.Logger.Warn("deleted extent is damaged: its space stays lost until its data file goes",
			"file", fileName(x.File), "offset", x.Offset, "error", err)
		return nil
	case err != nil:
		return err
	case header.extent() != x:
		return nil // not the extent that lies there
	}

	if seg != batch.seg {
		e.buryAll(batch)
		batch.seg = seg
	}
	batch.records = append(batch.records, deadRecord{header.offset, header.bytes(block)})
	return nil
}

// buryAll empties the batch.
func (e *Engine) buryAll(batch *graves) {
	if len(batch.records) > 0 {
		e.bury(batch.seg, batch.records)
		e.removeIfDead(batch.seg)
	}
	*batch = graves{}
}

// readRecordHeader reads the header of a small extent, and the block size of
// its file.
func (e *Engine) readRecordHeader(x blob.Extent) (recordHeader, int64, error) {
	if x.Offset > maxSegmentBytes {
		return recordHeader{}, 0, fmt.Errorf("%w: no such place in a shared file", blob.ErrCorrupt)
	}
	h, err := e.handles.get(x.File, segmentKind)
	if err != nil {
		return recordHeader{}, 0, err
	}
	defer e.handles.release(h)

	buf := e.buffers.get(recordHeaderBytes)
	defer e.buffers.put(buf)
	p := (*buf)[:recordHeaderBytes]
	if err := e.readFull(h.file, p, int64(x.Offset)); err != nil {
		return recordHeader{}, 0, err
	}
	header, err := parseRecordHeader(p, x.File, int64(x.Offset))
	if err != nil {
		return recordHeader{}, 0, fmt.Errorf("%w: %w", blob.ErrCorrupt, err)
	}
	return header, h.block, nil
}
