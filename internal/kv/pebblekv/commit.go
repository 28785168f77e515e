package pebblekv

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/ossastore/ossa/internal/kv"
)

const (
	// dropRows is how many rows Drop deletes one by one. Beyond it deletes the
	// range: that is one entry, but readers pay for each range deleted lately.
	dropRows = 128

	// shrinkBytes is what a change may add while the disk is full if it also
	// deletes a row: a note of what is to be freed.
	shrinkBytes = 4 << 10

	// replaceBytes is what a change may add to the rows it replaces while the
	// disk is full: a number in them that needs another digit, a state that was
	// not written out. Without it a partition could not be closed, and what it
	// names never be freed.
	replaceBytes = 64
)

// Create makes partition p. See kv.Engine.
func (e *Engine) Create(ctx context.Context, p kv.Partition, rows []kv.Write) error {
	if err := e.Limits().CheckCreate(p, rows); err != nil {
		return err
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	if e.ballast.full() {
		return kv.ErrFull
	}

	return e.change(ctx, p, func() (*pebble.Batch, error) {
		header, err := e.value(rowKey(p, []byte(kv.HeaderKey)))
		if err != nil {
			return nil, err
		}
		if header != nil {
			return nil, kv.ErrConflict
		}
		return e.batch(p, rows)
	})
}

// Commit applies writes under guards. See kv.Engine.
func (e *Engine) Commit(ctx context.Context, p kv.Partition, guards []kv.Guard, writes []kv.Write) error {
	if err := e.Limits().CheckCommit(p, guards, writes); err != nil {
		return err
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()
	if e.ballast.full() && !shrinks(guards, writes) {
		return kv.ErrFull
	}

	return e.change(ctx, p, func() (*pebble.Batch, error) {
		for _, g := range guards {
			value, err := e.value(rowKey(p, g.Key))
			if err != nil {
				return nil, err
			}
			if (value == nil) != (g.Value == nil) || !bytes.Equal(value, g.Value) {
				return nil, kv.ErrConflict
			}
		}
		return e.batch(p, writes)
	})
}

// shrinks tells whether a change may pass while the disk is full: it leaves
// the data no larger than the rows it is known to replace, or adds next to
// nothing to those, or deletes something and adds little.
func shrinks(guards []kv.Guard, writes []kv.Write) bool {
	before := make(map[string]int, len(guards))
	for _, g := range guards {
		if g.Value != nil {
			before[string(g.Key)] = len(g.Key) + len(g.Value)
		}
	}
	growth, deletes, adds := 0, false, false
	for _, w := range writes {
		old, known := before[string(w.Key)]
		growth -= old
		if w.Value == nil {
			deletes = true
		} else {
			growth += len(w.Key) + len(w.Value)
			adds = adds || !known
		}
	}
	return growth <= 0 || !adds && growth <= replaceBytes || deletes && growth <= shrinkBytes
}

// Drop removes p and its rows. See kv.Engine.
func (e *Engine) Drop(ctx context.Context, p kv.Partition) error {
	if err := kv.CheckPartition(p); err != nil {
		return err
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	defer e.leave()

	return e.change(ctx, p, func() (*pebble.Batch, error) {
		lower, upper := partitionBounds(p)
		keys, err := e.keys(lower, upper, dropRows+1)
		if err != nil || len(keys) == 0 {
			return nil, err
		}
		b := e.db.NewBatch()
		if len(keys) > dropRows {
			return b, b.DeleteRange(lower, upper, nil)
		}
		for _, key := range keys {
			if err := b.Delete(key, nil); err != nil {
				return nil, err
			}
		}
		return b, nil
	})
}

// batch returns a batch of writes to p.
func (e *Engine) batch(p kv.Partition, writes []kv.Write) (*pebble.Batch, error) {
	b := e.db.NewBatch()
	prefix := appendPartition(nil, p)
	for _, w := range writes {
		key := append(prefix[:len(prefix):len(prefix)], w.Key...)
		var err error
		if w.Value == nil {
			err = b.Delete(key, nil)
		} else {
			err = b.Set(key, w.Value, nil)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// change runs one change of p. prepare is called alone in p: it checks the
// guards and returns the batch to apply, nil when there is nothing to do.
// Nothing is applied when it fails.
func (e *Engine) change(ctx context.Context, p kv.Partition, prepare func() (*pebble.Batch, error)) error {
	if err := e.stall.wait(ctx, e); err != nil {
		return err
	}
	s := e.stripes.of(p)
	select {
	case s.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-e.fs.failed:
	}
	if e.fs.failure() != nil {
		return e.unavailable() // with or without the turn, which no one needs any more
	}

	b, err := prepare()
	if err != nil || b == nil {
		<-s.turn
		if err == nil || err == kv.ErrConflict {
			return first(e.settle(ctx, s.latest(p)), err)
		}
		return err
	}

	c := &change{partition: p, done: make(chan struct{})}
	s.begin(c)
	e.applying.Add(1)
	go e.apply(s, c, b)
	select {
	case <-c.done:
		return c.err
	case <-e.fs.failed:
		return e.unknown()
	}
}

// apply hands b to Pebble, gives the turn back when it is visible, and ends c
// when it is durable. It runs in a goroutine of its own so that a caller is not
// held up with it when Pebble waits for a flush that does not come.
func (e *Engine) apply(s *stripe, c *change, b *pebble.Batch) {
	defer e.applying.Done()
	defer func() {
		if r := recover(); r != nil {
			// Whatever it was, the state of Pebble is not to be trusted.
			e.wedged.Store(true)
			e.fs.fail(fmt.Errorf("pebble: %v", r))
			s.end(c, e.unknown())
		}
	}()

	if err := e.db.ApplyNoSyncWait(b, pebble.Sync); err != nil {
		e.fs.fail(err)
		s.end(c, e.unknown())
		return
	}
	<-s.turn
	err := b.SyncWait()
	if err != nil {
		e.fs.fail(err)
	}
	if e.fs.failure() != nil {
		// The sync that Pebble saw may not have been one.
		s.end(c, e.unknown())
		return
	}
	s.end(c, nil)
	_ = b.Close() // returns the memory; there is nothing in it that can fail
}

func (e *Engine) unknown() error {
	return fmt.Errorf("%w: %v", kv.ErrUnknown, e.fs.failure())
}

func (e *Engine) unavailable() error {
	return fmt.Errorf("%w: %v", kv.ErrUnavailable, e.fs.failure())
}

// settle waits until c, which may be nil, is durable.
func (e *Engine) settle(ctx context.Context, c *change) error {
	if c == nil {
		return nil
	}
	select {
	case <-c.done:
	case <-e.fs.failed:
		// The outcome may be known all the same.
		select {
		case <-c.done:
		default:
			return e.unavailable()
		}
	case <-ctx.Done():
		return ctx.Err()
	}
	if c.err != nil {
		return e.unavailable()
	}
	return nil
}

func first(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

// stall tells whether Pebble holds changes up until it has flushed. Changes
// wait here rather than in Pebble, where they cannot be called off.
type stall struct {
	mu   sync.Mutex
	over chan struct{} // closed at the end of the stall; nil when there is none
}

func (s *stall) begin() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over == nil {
		s.over = make(chan struct{})
	}
}

func (s *stall) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over != nil {
		close(s.over)
		s.over = nil
	}
}

func (s *stall) wait(ctx context.Context, e *Engine) error {
	s.mu.Lock()
	over := s.over
	s.mu.Unlock()
	if over == nil {
		return nil
	}
	if e.ballast.full() {
		return kv.ErrFull
	}
	select {
	case <-over:
		return nil
	case <-e.fs.failed:
		return e.unavailable()
	case <-ctx.Done():
		return ctx.Err()
	}
}
