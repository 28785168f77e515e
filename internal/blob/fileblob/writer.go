package fileblob

import (
	"context"
	"errors"
	"fmt"

	"github.com/ossastore/ossa/internal/blob"
)

// writer is a blob.Writer. Its bytes gather in memory (small) until they are
// known to be many enough for a file of their own (large).
type writer struct {
	engine *Engine
	owner  blob.Owner
	size   int64 // declared; -1 when unknown

	small   *smallRun
	large   *largeRun
	written int64
	err     error // final
	ended   bool
}

var errEnded = errors.New("fileblob: writer has ended")

func (w *writer) open() (err error) {
	if _, err := appendOwner(nil, w.owner); err != nil {
		return err
	}
	switch {
	case w.size >= w.engine.opts.LargeBytes:
		w.large, err = w.engine.newLarge(w.owner, w.size)
	case w.size < 0:
		w.small, err = w.engine.newSmall(w.engine.opts.LargeBytes)
	case w.size > 0:
		w.small, err = w.engine.newSmall(w.size)
	}
	return err
}

// Write implements io.Writer. It keeps no reference to p. Slices of 64 KiB
// and more go to a large extent's file without being copied.
func (w *writer) Write(p []byte) (int, error) {
	switch {
	case w.ended:
		return 0, errEnded
	case w.err != nil:
		return 0, w.err
	case len(p) == 0:
		return 0, nil
	}
	if w.err = w.write(p); w.err != nil {
		w.discard()
		return 0, w.err
	}
	w.written += int64(len(p))
	return len(p), nil
}

func (w *writer) write(p []byte) error {
	total := w.written + int64(len(p))
	if w.size >= 0 && total > w.size {
		return fmt.Errorf("%w: more than %d", blob.ErrSize, w.size)
	}
	// Unknown length: from here on it is known to be large.
	if w.small != nil && total >= w.engine.opts.LargeBytes {
		if err := w.outgrow(); err != nil {
			return err
		}
	}
	if w.small != nil {
		w.small.write(p)
		return nil
	}
	return w.large.write(p)
}

// outgrow moves what has gathered in memory to a file of its own.
func (w *writer) outgrow() error {
	large, err := w.engine.newLarge(w.owner, -1)
	if err != nil {
		return err
	}
	w.large = large
	err = large.write(w.small.data())
	w.small.free()
	w.small = nil
	return err
}

// Commit implements blob.Writer. Once begun it finishes whatever becomes of
// ctx.
func (w *writer) Commit(ctx context.Context) ([]blob.Extent, error) {
	if w.ended {
		return nil, errEnded
	}
	w.ended = true
	defer w.discard()

	if err := w.engine.begin(); err != nil {
		return nil, err
	}
	defer w.engine.calls.Done()

	switch {
	case w.err != nil:
		return nil, w.err
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case w.size >= 0 && w.written != w.size:
		return nil, fmt.Errorf("%w: %d of %d", blob.ErrSize, w.written, w.size)
	case w.engine.writable() != nil:
		return nil, w.engine.writable()
	case w.written == 0:
		return nil, nil
	}

	var extent blob.Extent
	var err error
	if w.large != nil {
		extent, err = w.large.commit()
	} else {
		extent, err = w.small.commit(w.owner)
	}
	if err != nil {
		return nil, err
	}
	w.engine.stats.committed.Add(1)
	return []blob.Extent{extent}, nil
}

// Abort implements blob.Writer.
func (w *writer) Abort() {
	w.ended = true
	w.discard()
}

// discard gives back all that is not committed. It may run twice.
func (w *writer) discard() {
	if w.large != nil {
		w.large.discard()
		w.large = nil
	}
	if w.small != nil {
		w.small.free()
		w.small = nil
	}
}
