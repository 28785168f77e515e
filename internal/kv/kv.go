// Package kv is the seam between the metadata of Ossa and the engine that keeps
// it: ordered rows, grouped in partitions, changed by guarded atomic commits.
//
// A partition is a set of rows that one Commit may change together. It is the
// unit of atomicity and, on a distributed engine, of placement. Nothing spans
// two partitions.
//
// What every engine promises, and kvtest proves of each:
//
//  1. Linearizable per partition: a read begun after a Commit returned sees it.
//     A read never returns state that a power cut can take back, and no call
//     answers from such state either (an ErrConflict included).
//  2. All or nothing, also across a killed process and a power cut.
//  3. Three outcomes of a change: done (nil); never applied (ErrConflict and
//     every other error but one); ErrUnknown, which is applied, or not, or
//     later. No engine turns the third into one of the others.
//  4. Every Commit guards the partition's header row and at least one row that
//     it changes itself, so that a repeat of it does nothing. After ErrUnknown
//     the caller changes the header row (a fence: commits still queued can then
//     never apply), reads, and knows.
//  5. Keys are bytes in byte order, NUL and 0xff included. Neither keys nor
//     values are ever empty. A dropped partition never accepts a Commit.
//
// There are no locks, leases, clocks or cross-partition transactions above this
// seam, and no engine may assume that one process alone uses it.
package kv

import (
	"context"
	"errors"
)

// HeaderKey is the key of a partition's header row. Create must write it and
// every Commit must guard it.
const HeaderKey = "h"

// Partition names a set of rows that one Commit may change together: 1 to
// MaxPartition bytes, any bytes. The name of a dropped partition is never used
// again; callers make names unique.
type Partition string

// MaxPartition is the longest partition name, in bytes.
const MaxPartition = 128

// Row is one key and its value. A nil Value, where Get returns it, means that
// the row does not exist.
type Row struct {
	Key   []byte
	Value []byte
}

// Write sets the row Key to Value, or deletes it when Value is nil. An empty
// Value that is not nil is an ErrInvalid.
type Write struct {
	Key   []byte
	Value []byte
}

// Guard is a condition of a Commit: the row Key holds exactly Value, or does
// not exist when Value is nil.
type Guard struct {
	Key   []byte
	Value []byte
}

// Limits are the sizes an engine accepts. Callers stay within them; an engine
// answers ErrInvalid beyond.
type Limits struct {
	Key         int // bytes of a key, which has at least one
	Value       int // bytes of a value
	CommitRows  int // writes of one Create or Commit
	CommitBytes int // keys and values of one Create or Commit together
	ScanRows    int // most rows that one Scan returns
}

// DefaultLimits fit every engine.
var DefaultLimits = Limits{
	Key:         4 << 10,
	Value:       64 << 10,
	CommitRows:  1000,
	CommitBytes: 1 << 20,
	ScanRows:    1000,
}

var (
	// ErrConflict: a guard did not hold, or the partition to create exists.
	// Nothing was applied and nothing will be.
	ErrConflict = errors.New("kv: conflict")

	// ErrUnknown: the change is applied, or not, or may be applied later.
	ErrUnknown = errors.New("kv: outcome unknown")

	// ErrUnavailable: the engine stopped accepting changes (a sync failed, or
	// it is closed). Nothing of this change was applied. Reads may go on.
	ErrUnavailable = errors.New("kv: engine takes no changes")

	// ErrFull: there is no room for the change. Nothing was applied. Changes
	// that shrink the data may still succeed.
	ErrFull = errors.New("kv: no space left")

	// ErrCorrupt: rows could not be read as they were written.
	ErrCorrupt = errors.New("kv: corrupt")

	// ErrInvalid: the caller broke a rule of this package (limits, a missing
	// header guard, an empty value). A programmer's mistake.
	ErrInvalid = errors.New("kv: invalid use")
)

// Engine keeps partitions of rows. All methods may be called concurrently.
// Returned slices belong to the caller.
type Engine interface {
	// Create makes partition p with these rows, the header row among them,
	// durably. ErrConflict if p exists.
	Create(ctx context.Context, p Partition, rows []Write) error

	// Get reads rows of p at one instant: one Row for each key, in the order
	// of the keys, with a nil Value where there is none. In a partition that
	// does not exist there is none.
	Get(ctx context.Context, p Partition, keys ...[]byte) ([]Row, error)

	// Scan reads rows of p with from <= key < to in ascending order, at one
	// instant. A nil from is the beginning, a nil to the end. It returns at
	// most limit rows (limit <= 0: Limits().ScanRows) and may return fewer to
	// bound their bytes; more tells whether rows remain after the last one.
	// It returns at least one row when there is one.
	Scan(ctx context.Context, p Partition, from, to []byte, limit int) (rows []Row, more bool, err error)

	// Commit applies all writes or none, durably, if every guard holds at
	// that instant. A key appears at most once among the writes. The guards
	// include the header row (with a value: it must exist) and at least one
	// row that the writes change to something else. The header row itself is
	// never deleted: that is Drop's.
	Commit(ctx context.Context, p Partition, guards []Guard, writes []Write) error

	// Drop removes p and all its rows, durably. It is idempotent.
	Drop(ctx context.Context, p Partition) error

	// Limits tells the sizes that the engine accepts.
	Limits() Limits

	// Close ends the engine. Calls after it fail with ErrUnavailable.
	Close() error
}

// Lister is what an engine may offer besides: the names of its partitions, for
// `ossa check` and for finding partitions that nothing names.
type Lister interface {
	// Partitions returns names after the given one ("" for all) in ascending
	// order, at most limit of them (limit <= 0: Limits().ScanRows); more tells
	// whether others follow.
	Partitions(ctx context.Context, after Partition, limit int) (names []Partition, more bool, err error)
}
