// Package memkv is a kv.Engine in memory, for tests and for trying things out.
// It keeps every promise of package kv but survival: Close forgets all.
//
// Rows are kept sorted in one slice per partition; adding a row costs a move of
// the rows behind it, which is fine up to some hundred thousand of them.
package memkv

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/ossastore/ossa/internal/kv"
)

// Engine is a kv.Engine and kv.Lister. Its errors are those of package kv and
// those of the context; it never answers ErrUnknown.
type Engine struct {
	mu         sync.RWMutex
	partitions map[kv.Partition][]row // each sorted by key
	closed     bool
}

type row struct {
	key   string
	value []byte
}

var (
	_ kv.Engine = (*Engine)(nil)
	_ kv.Lister = (*Engine)(nil)
)

// New returns an engine without partitions.
func New() *Engine {
	return &Engine{partitions: make(map[kv.Partition][]row)}
}

// Limits returns kv.DefaultLimits.
func (e *Engine) Limits() kv.Limits { return kv.DefaultLimits }

// Create makes partition p. See kv.Engine.
func (e *Engine) Create(ctx context.Context, p kv.Partition, rows []kv.Write) error {
	if err := e.Limits().CheckCreate(p, rows); err != nil {
		return err
	}
	unlock, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()

	if len(e.partitions[p]) > 0 {
		return kv.ErrConflict
	}
	e.apply(p, rows)
	return nil
}

// Get reads rows of p. See kv.Engine.
func (e *Engine) Get(ctx context.Context, p kv.Partition, keys ...[]byte) ([]kv.Row, error) {
	if err := e.Limits().CheckGet(p, keys); err != nil {
		return nil, err
	}
	unlock, err := e.rlock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()

	rows := make([]kv.Row, len(keys))
	for i, key := range keys {
		rows[i] = kv.Row{Key: bytes.Clone(key), Value: bytes.Clone(e.value(p, key))}
	}
	return rows, nil
}

// Scan reads a range of rows of p. See kv.Engine.
func (e *Engine) Scan(ctx context.Context, p kv.Partition, from, to []byte, limit int) ([]kv.Row, bool, error) {
	if err := kv.CheckPartition(p); err != nil {
		return nil, false, err
	}
	unlock, err := e.rlock(ctx)
	if err != nil {
		return nil, false, err
	}
	defer unlock()

	if limit <= 0 || limit > e.Limits().ScanRows {
		limit = e.Limits().ScanRows
	}
	all := e.partitions[p]
	begin, _ := find(all, from)
	end := len(all)
	if to != nil {
		end, _ = find(all, to)
	}
	end = max(begin, end)

	last := min(end, begin+limit)
	rows := make([]kv.Row, 0, last-begin)
	for _, r := range all[begin:last] {
		rows = append(rows, kv.Row{Key: []byte(r.key), Value: bytes.Clone(r.value)})
	}
	return rows, last < end, nil
}

// Commit applies writes under guards. See kv.Engine.
func (e *Engine) Commit(ctx context.Context, p kv.Partition, guards []kv.Guard, writes []kv.Write) error {
	if err := e.Limits().CheckCommit(p, guards, writes); err != nil {
		return err
	}
	unlock, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()

	for _, g := range guards {
		if value := e.value(p, g.Key); (value == nil) != (g.Value == nil) || !bytes.Equal(value, g.Value) {
			return kv.ErrConflict
		}
	}
	e.apply(p, writes)
	return nil
}

// Drop removes p and its rows. See kv.Engine.
func (e *Engine) Drop(ctx context.Context, p kv.Partition) error {
	if err := kv.CheckPartition(p); err != nil {
		return err
	}
	unlock, err := e.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()

	delete(e.partitions, p)
	return nil
}

// Partitions lists the names of partitions. See kv.Lister.
func (e *Engine) Partitions(ctx context.Context, after kv.Partition, limit int) ([]kv.Partition, bool, error) {
	unlock, err := e.rlock(ctx)
	if err != nil {
		return nil, false, err
	}
	defer unlock()

	if limit <= 0 || limit > e.Limits().ScanRows {
		limit = e.Limits().ScanRows
	}
	var names []kv.Partition
	for name := range e.partitions {
		if name > after {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	more := len(names) > limit
	return names[:min(limit, len(names))], more, nil
}

// Close forgets everything.
func (e *Engine) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return kv.ErrUnavailable
	}
	e.closed = true
	e.partitions = nil
	return nil
}

func (e *Engine) lock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return nil, kv.ErrUnavailable
	}
	return e.mu.Unlock, nil
}

func (e *Engine) rlock(ctx context.Context) (unlock func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.RLock()
	if e.closed {
		e.mu.RUnlock()
		return nil, kv.ErrUnavailable
	}
	return e.mu.RUnlock, nil
}

// value returns the value of a row, nil where there is none.
func (e *Engine) value(p kv.Partition, key []byte) []byte {
	rows := e.partitions[p]
	if i, ok := find(rows, key); ok {
		return rows[i].value
	}
	return nil
}

func (e *Engine) apply(p kv.Partition, writes []kv.Write) {
	rows := e.partitions[p]
	for _, w := range writes {
		i, ok := find(rows, w.Key)
		switch {
		case ok && w.Value == nil:
			rows = slices.Delete(rows, i, i+1)
		case ok:
			rows[i].value = bytes.Clone(w.Value)
		case w.Value != nil:
			rows = slices.Insert(rows, i, row{string(w.Key), bytes.Clone(w.Value)})
		}
	}
	e.partitions[p] = rows
}

// find returns the place of key in sorted rows and whether it is there.
func find(rows []row, key []byte) (int, bool) {
	return slices.BinarySearchFunc(rows, key, func(r row, key []byte) int {
		return cmp.Compare(r.key, string(key))
	})
}
