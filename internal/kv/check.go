package kv

import (
	"bytes"
	"fmt"
)

// The checks below are those that every engine makes before it touches
// anything. All of them answer ErrInvalid.

// CheckPartition checks the name of a partition.
func CheckPartition(p Partition) error {
	if len(p) == 0 || len(p) > MaxPartition {
		return fmt.Errorf("%w: partition name of %d bytes", ErrInvalid, len(p))
	}
	return nil
}

// CheckGet checks the arguments of Engine.Get.
func (l Limits) CheckGet(p Partition, keys [][]byte) error {
	if err := CheckPartition(p); err != nil {
		return err
	}
	for _, key := range keys {
		if err := l.checkKey(key); err != nil {
			return err
		}
	}
	return nil
}

// CheckCreate checks the arguments of Engine.Create.
func (l Limits) CheckCreate(p Partition, rows []Write) error {
	if err := CheckPartition(p); err != nil {
		return err
	}
	if err := l.checkWrites(rows); err != nil {
		return err
	}
	header := false
	for _, row := range rows {
		if row.Value == nil {
			return fmt.Errorf("%w: new row %q without value", ErrInvalid, row.Key)
		}
		header = header || string(row.Key) == HeaderKey
	}
	if !header {
		return fmt.Errorf("%w: new partition without header row", ErrInvalid)
	}
	return nil
}

// CheckCommit checks the arguments of Engine.Commit.
func (l Limits) CheckCommit(p Partition, guards []Guard, writes []Write) error {
	if err := CheckPartition(p); err != nil {
		return err
	}
	if err := l.checkWrites(writes); err != nil {
		return err
	}
	written := make(map[string][]byte, len(writes))
	for _, w := range writes {
		written[string(w.Key)] = w.Value
	}
	if value, ok := written[HeaderKey]; ok && value == nil {
		return fmt.Errorf("%w: commit deletes the header row", ErrInvalid)
	}

	header, once := false, false
	for _, g := range guards {
		if err := l.checkKey(g.Key); err != nil {
			return err
		}
		if err := l.checkValue(g.Key, g.Value); err != nil {
			return err
		}
		header = header || string(g.Key) == HeaderKey && g.Value != nil
		value, ok := written[string(g.Key)]
		once = once || ok && ((value == nil) != (g.Value == nil) || !bytes.Equal(value, g.Value))
	}
	if !header {
		return fmt.Errorf("%w: commit does not guard the header row", ErrInvalid)
	}
	if !once {
		return fmt.Errorf("%w: commit guards no row that it changes", ErrInvalid)
	}
	return nil
}

func (l Limits) checkWrites(writes []Write) error {
	if len(writes) > l.CommitRows {
		return fmt.Errorf("%w: %d rows in one change", ErrInvalid, len(writes))
	}
	bytes := 0
	seen := make(map[string]bool, len(writes))
	for _, w := range writes {
		if err := l.checkKey(w.Key); err != nil {
			return err
		}
		if err := l.checkValue(w.Key, w.Value); err != nil {
			return err
		}
		if seen[string(w.Key)] {
			return fmt.Errorf("%w: row %q written twice in one change", ErrInvalid, w.Key)
		}
		seen[string(w.Key)] = true
		bytes += len(w.Key) + len(w.Value)
	}
	if bytes > l.CommitBytes {
		return fmt.Errorf("%w: %d bytes in one change", ErrInvalid, bytes)
	}
	return nil
}

func (l Limits) checkKey(key []byte) error {
	if len(key) == 0 || len(key) > l.Key {
		return fmt.Errorf("%w: key of %d bytes", ErrInvalid, len(key))
	}
	return nil
}

func (l Limits) checkValue(key, value []byte) error {
	if value != nil && len(value) == 0 {
		return fmt.Errorf("%w: empty value in row %q", ErrInvalid, key)
	}
	if len(value) > l.Value {
		return fmt.Errorf("%w: value of %d bytes in row %q", ErrInvalid, len(value), key)
	}
	return nil
}
