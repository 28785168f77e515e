package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// maxTries bounds how often one operation is decided anew after a conflict.
// Every conflict means that somebody else made progress.
const maxTries = 10000

// errConflict: the commit was decided against us; read again and decide anew.
var errConflict = errors.New("store: conflict")

// view is some rows of one partition at one instant, its header among them.
type view struct {
	partition kv.Partition
	rawHeader []byte // nil: the partition does not exist
	header    meta.Header
	rows      []kv.Row // as asked for
}

// view reads rows of p and its header.
func (s *Store) view(ctx context.Context, p kv.Partition, keys ...[]byte) (*view, error) {
	rows, err := s.kv.Get(ctx, p, append([][]byte{meta.HeaderKey()}, keys...)...)
	if err != nil {
		return nil, engineError(err)
	}
	v := &view{partition: p, rawHeader: rows[0].Value, rows: rows[1:]}
	if v.rawHeader != nil {
		if v.header, err = meta.DecodeHeader(v.rawHeader); err != nil {
			return nil, fmt.Errorf("partition %q: %w", p, err)
		}
	}
	return v, nil
}

// change collects the guards and writes of one commit.
type change struct {
	partition kv.Partition
	guards    []kv.Guard
	writes    []kv.Write
}

// change begins a commit that counts on the header as viewed.
func (v *view) change() *change {
	return &change{
		partition: v.partition,
		guards:    []kv.Guard{{Key: meta.HeaderKey(), Value: v.rawHeader}},
	}
}

// guard counts on a row as viewed.
func (c *change) guard(row kv.Row) {
	c.guards = append(c.guards, kv.Guard(row))
}

// replace counts on a row as viewed and sets it to value, nil to delete it.
func (c *change) replace(row kv.Row, value []byte) {
	c.guard(row)
	c.writes = append(c.writes, kv.Write{Key: row.Key, Value: value})
}

// add writes a row whose key is unique, such as one with a random part.
func (c *change) add(key, value []byte) {
	c.writes = append(c.writes, kv.Write{Key: key, Value: value})
}

// setHeader moves the partition on to another state.
func (c *change) setHeader(h meta.Header) {
	c.writes = append(c.writes, kv.Write{Key: meta.HeaderKey(), Value: h.Encode()})
}

// commit applies c. Once begun it is not cancelled: a client that leaves must
// not leave an outcome that nobody learns. It returns nil when c is applied,
// errConflict when it never will be, and other errors when the operation
// cannot go on; after those c may be applied or not.
func (s *Store) commit(ctx context.Context, c *change) error {
	ctx = context.WithoutCancel(ctx)
	err := s.kv.Commit(ctx, c.partition, c.guards, c.writes)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, kv.ErrConflict):
		s.stats.conflicts.Add(1)
		return errConflict
	case errors.Is(err, kv.ErrUnknown):
		s.stats.unknowns.Add(1)
		err := s.settle(ctx, c)
		if err != nil && !errors.Is(err, errConflict) && !errors.Is(err, ErrUnavailable) {
			// What stood in the way of finding out says nothing about c, and
			// must not pass for an error of c itself.
			err = fmt.Errorf("%w: outcome of a commit is unknown: %v", ErrUnavailable, err)
		}
		return err
	}
	return engineError(err)
}

// settleTries bounds the fences that one unknown outcome is asked with.
const settleTries = 100

// settle finds out what became of c. It changes the partition's header, after
// which c can no longer be applied, since c guards the header; then it reads.
//
// A row that holds what c wrote says that c was applied; a row that still
// holds a value which c was to change says that it was not. Rows that were
// absent before c say neither: another may have removed what c wrote. Without
// a witness the outcome stays unknown, and the caller must keep nothing that
// relies on it, nor delete it; what is left over is found by the sweeper.
func (s *Store) settle(ctx context.Context, c *change) error {
	for range settleTries {
		v, err := s.view(ctx, c.partition)
		if err != nil {
			return err
		}
		if v.rawHeader == nil {
			// Dropped. c may have been applied before, and what it wrote may
			// have come to be named elsewhere: a part, in an object.
			return fmt.Errorf("%w: outcome of a commit is unknown: its partition is gone", ErrUnavailable)
		}
		fence := v.change()
		fence.setHeader(v.header.Next(v.header.State))
		err = s.kv.Commit(ctx, c.partition, fence.guards, fence.writes)
		if errors.Is(err, kv.ErrConflict) || errors.Is(err, kv.ErrUnknown) {
			continue
		}
		if err != nil {
			return engineError(err)
		}
		return s.witness(ctx, c)
	}
	return fmt.Errorf("%w: outcome of a commit stays unknown", ErrUnavailable)
}

// witness looks for a row that tells whether c was applied: nil, errConflict if
// it was not, ErrUnavailable if no row tells. c cannot be applied any more.
func (s *Store) witness(ctx context.Context, c *change) error {
	keys := make([][]byte, len(c.writes))
	for i, w := range c.writes {
		keys[i] = w.Key
	}
	rows, err := s.kv.Get(ctx, c.partition, keys...)
	if err != nil {
		return engineError(err)
	}
	before := make(map[string][]byte, len(c.guards))
	for _, g := range c.guards {
		before[string(g.Key)] = g.Value
	}
	for i, w := range c.writes {
		now, was := rows[i].Value, before[string(w.Key)]
		switch {
		case w.Value != nil && bytes.Equal(now, w.Value) && !bytes.Equal(was, w.Value):
			return nil
		case was != nil && bytes.Equal(now, was) && !bytes.Equal(was, w.Value):
			return errConflict
		}
	}
	return fmt.Errorf("%w: outcome of a commit is unknown", ErrUnavailable)
}

// retry runs decide until it is not in conflict with others. decide reads,
// decides and commits.
func retry(ctx context.Context, decide func() error) error {
	for range maxTries {
		if err := decide(); !errors.Is(err, errConflict) {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: too many conflicts", ErrUnavailable)
}

// create makes a partition whose name nobody else can have chosen. An unknown
// outcome is as good as done if the header is there, and else as a failure.
func (s *Store) create(ctx context.Context, p kv.Partition, rows ...kv.Write) error {
	err := s.kv.Create(context.WithoutCancel(ctx), p, rows)
	if errors.Is(err, kv.ErrUnknown) {
		s.stats.unknowns.Add(1)
		if v, err := s.view(ctx, p); err == nil && v.rawHeader != nil {
			return nil
		}
	}
	return engineError(err)
}

func (s *Store) drop(ctx context.Context, p kv.Partition) error {
	return engineError(s.kv.Drop(context.WithoutCancel(ctx), p))
}

// engineError puts an engine's error into the words of this package.
func engineError(err error) error {
	switch {
	case errors.Is(err, kv.ErrFull), errors.Is(err, blob.ErrFull):
		return fmt.Errorf("%w: %w", ErrFull, err)
	case errors.Is(err, kv.ErrUnavailable), errors.Is(err, blob.ErrUnavailable), errors.Is(err, kv.ErrUnknown):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return err
}
