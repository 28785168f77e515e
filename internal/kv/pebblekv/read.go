package pebblekv

import (
	"bytes"
	"context"
	"errors"

	"github.com/cockroachdb/pebble/v2"

	"github.com/ossastore/ossa/internal/kv"
)

// scanBytes bounds the keys and values of one Scan, but for its first row.
const scanBytes = 4 << 20

// Get reads rows of p. See kv.Engine.
func (e *Engine) Get(ctx context.Context, p kv.Partition, keys ...[]byte) ([]kv.Row, error) {
	if err := e.Limits().CheckGet(p, keys); err != nil {
		return nil, err
	}
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	defer e.leave()

	rows := make([]kv.Row, len(keys))
	for i, key := range keys {
		rows[i].Key = bytes.Clone(key)
	}
	if err := e.fill(p, rows); err != nil {
		return nil, err
	}
	if err := e.settle(ctx, e.stripes.of(p).latest(p)); err != nil {
		return nil, err
	}
	return rows, nil
}

// fill reads the values of rows, at one instant.
func (e *Engine) fill(p kv.Partition, rows []kv.Row) (err error) {
	if len(rows) == 1 {
		rows[0].Value, err = e.value(rowKey(p, rows[0].Key))
		return err
	}

	lower, upper := partitionBounds(p)
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return corrupt(err)
	}
	defer func() { err = corrupt(errors.Join(err, it.Close())) }()
	for i := range rows {
		if it.SeekPrefixGE(rowKey(p, rows[i].Key)) {
			value, err := it.ValueAndErr()
			if err != nil {
				return err
			}
			rows[i].Value = bytes.Clone(value)
		}
		if err := it.Error(); err != nil {
			return err
		}
	}
	return nil
}

// value returns the value of one key in Pebble, nil where there is none.
func (e *Engine) value(key []byte) ([]byte, error) {
	value, closer, err := e.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, corrupt(err)
	}
	return bytes.Clone(value), corrupt(closer.Close())
}

// keys returns keys in Pebble, lower <= key < upper, at most limit of them.
func (e *Engine) keys(lower, upper []byte, limit int) (keys [][]byte, err error) {
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, corrupt(err)
	}
	defer func() { err = corrupt(errors.Join(err, it.Close())) }()
	for ok := it.First(); ok && len(keys) < limit; ok = it.Next() {
		keys = append(keys, bytes.Clone(it.Key()))
	}
	return keys, nil
}

// Scan reads a range of rows of p. See kv.Engine.
func (e *Engine) Scan(ctx context.Context, p kv.Partition, from, to []byte, limit int) ([]kv.Row, bool, error) {
	if err := kv.CheckPartition(p); err != nil {
		return nil, false, err
	}
	if err := e.enter(ctx); err != nil {
		return nil, false, err
	}
	defer e.leave()

	if limit <= 0 || limit > e.Limits().ScanRows {
		limit = e.Limits().ScanRows
	}
	rows, more, err := e.scan(p, from, to, limit)
	if err != nil {
		return nil, false, err
	}
	if err := e.settle(ctx, e.stripes.of(p).latest(p)); err != nil {
		return nil, false, err
	}
	return rows, more, nil
}

func (e *Engine) scan(p kv.Partition, from, to []byte, limit int) (rows []kv.Row, more bool, err error) {
	lower, upper := partitionBounds(p)
	prefix := len(lower)
	lower = append(lower, from...)
	if to != nil {
		upper = rowKey(p, to)
	}
	if bytes.Compare(lower, upper) >= 0 {
		return nil, false, nil
	}

	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return nil, false, corrupt(err)
	}
	defer func() { err = corrupt(errors.Join(err, it.Close())) }()
	size := 0
	for ok := it.First(); ok; ok = it.Next() {
		if len(rows) == limit || size >= scanBytes {
			return rows, true, nil
		}
		value, err := it.ValueAndErr()
		if err != nil {
			return nil, false, err
		}
		row := kv.Row{Key: bytes.Clone(it.Key()[prefix:]), Value: bytes.Clone(value)}
		size += len(row.Key) + len(row.Value)
		rows = append(rows, row)
	}
	return rows, false, it.Error()
}

// Partitions lists the names of partitions. See kv.Lister.
func (e *Engine) Partitions(ctx context.Context, after kv.Partition, limit int) ([]kv.Partition, bool, error) {
	if err := e.enter(ctx); err != nil {
		return nil, false, err
	}
	defer e.leave()

	if limit <= 0 || limit > e.Limits().ScanRows {
		limit = e.Limits().ScanRows
	}
	names, more, err := e.partitions(after, limit)
	if err != nil {
		return nil, false, err
	}
	for i := range e.stripes.all {
		for _, c := range e.stripes.all[i].everything() {
			if err := e.settle(ctx, c); err != nil {
				return nil, false, err
			}
		}
	}
	return names, more, nil
}

// partitions seeks from one partition to the next.
func (e *Engine) partitions(after kv.Partition, limit int) (names []kv.Partition, more bool, err error) {
	next := []byte{spaceRows}
	if after != "" {
		_, next = partitionBounds(after)
	}
	it, err := e.db.NewIter(&pebble.IterOptions{LowerBound: next, UpperBound: []byte{spaceRows + 1}})
	if err != nil {
		return nil, false, corrupt(err)
	}
	defer func() { err = corrupt(errors.Join(err, it.Close())) }()
	for it.SeekGE(next) {
		if len(names) == limit {
			return names, true, nil
		}
		p, _, ok := splitKey(it.Key())
		if !ok {
			return nil, false, kv.ErrCorrupt
		}
		names = append(names, p)
		_, next = partitionBounds(p)
	}
	return names, false, it.Error()
}
