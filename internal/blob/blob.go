// Package blob is the seam between the rules of Ossa and the engine that keeps
// bytes: immutable extents, written once, read in any range, deleted whole.
//
// What every engine promises, and blobtest proves of each:
//
//   - An extent is durable when its writer's Commit has returned, and not
//     before. What was not committed leaves nothing behind, at the latest
//     after the next sweep.
//   - ReadAt returns the bytes that were written or an error, never others:
//     checksums are verified on the way, damage is ErrCorrupt.
//   - Delete is idempotent, and an extent's place is never given the name of
//     another extent: a Delete that comes twice, or late, harms nothing.
//   - Every extent carries its Owner, so that an extent which no record names
//     can be found, and names can be rebuilt from the bytes.
//   - Nothing named by a client becomes a path.
package blob

import (
	"context"
	"errors"
	"io"
)

// Owner says what an extent was written for. It is stored beside the bytes.
type Owner struct {
	Bucket     string // bucket's ID (not its name)
	Key        string // object's key, 1 to 1023 bytes
	Version    string // object version the bytes were written for; "" for a part
	UploadID   string // upload the bytes are a part of; "" for a whole object
	PartNumber int    // 1 to 10000 for a part, 0 otherwise
	Manifest   bool   // the bytes are a manifest, not client data
}

// Extent is where committed bytes lie. It is comparable and small; the
// metadata stores it. The zero Extent names nothing.
type Extent struct {
	File   uint64 // engine's number for a file or object; never used twice
	Offset uint64 // engine's place within it
	Length int64  // bytes of data
	Sum    uint32 // CRC-32C over the stored block checksums, in order
}

var (
	// ErrCorrupt: the bytes are not what was written.
	ErrCorrupt = errors.New("blob: corrupt extent")

	// ErrNotFound: no such extent; deleted, or never committed.
	ErrNotFound = errors.New("blob: no such extent")

	// ErrFull: there is no room for the bytes. Nothing was kept.
	ErrFull = errors.New("blob: no space left")

	// ErrSize: more or fewer bytes were written than declared. Nothing was
	// kept.
	ErrSize = errors.New("blob: bytes written differ from the declared size")

	// ErrUnavailable: the engine stopped writing because a sync failed, or is
	// closed. Reads may go on.
	ErrUnavailable = errors.New("blob: engine takes no writes")
)

// Writer is one run of bytes being written. Exactly one of Commit and Abort
// ends it. It is used by one goroutine.
type Writer interface {
	io.Writer

	// Commit makes the bytes durable and returns where they lie: no extent
	// for no bytes. Nothing may point at an extent before Commit has returned.
	Commit(ctx context.Context) ([]Extent, error)

	// Abort forgets the bytes. It is harmless after Commit.
	Abort()
}

// Engine keeps extents. All methods may be called concurrently.
type Engine interface {
	// Create begins an extent for owner. size is the number of bytes that
	// will be written, or -1 when unknown; writing more or fewer than a
	// declared size makes Commit fail with ErrSize. ErrFull when there is no
	// room for it.
	Create(ctx context.Context, owner Owner, size int64) (Writer, error)

	// ReadAt fills p with the bytes of e from offset off on, verified. It
	// returns len(p) or, at the end of the extent, fewer bytes with io.EOF.
	// ErrCorrupt and ErrNotFound say which extent. After an error other than
	// io.EOF the content of p is undefined.
	ReadAt(ctx context.Context, e Extent, p []byte, off int64) (int, error)

	// Delete removes extents. Extents that do not exist are no error.
	Delete(ctx context.Context, extents ...Extent) error

	// Close ends the engine.
	Close() error
}

// Mark is a position in the life of an engine: extents created after
// Lister.Mark returned it are not older than it. The reverse need not hold: an
// extent may be as old as the file it shares with others, so that one created
// shortly before the mark may count as not older than it too. Only the first
// Mark after opening parts exactly: all that existed before is older.
type Mark uint64

// MaxMark is later than every extent.
const MaxMark = ^Mark(0)

// Lister is what an engine may offer besides: its extents one by one, for
// `ossa check` and for the sweeper.
type Lister interface {
	// Mark returns the present position. Extents whose writer was created
	// before the engine was opened are older than the first Mark.
	Mark() Mark

	// Extents calls fn for every committed, not deleted extent that is not
	// older than from and older than to, in no particular order. Extents whose bytes
	// were never committed because the process died may be among them.
	// Leftovers that cannot be extents are removed if they are older than the
	// engine's opening. fn's error ends the walk and is returned.
	Extents(ctx context.Context, from, to Mark, fn func(Extent, Owner) error) error
}

// Compactor is what an engine that keeps many extents in one file may offer:
// the space of deleted extents comes back when the others have moved.
type Compactor interface {
	// Sparse returns up to limit extents that lie in files which are garbage
	// for the most part. The caller writes those still named anew, changes
	// their names, and deletes all; the file goes with its last extent.
	Sparse(ctx context.Context, limit int) ([]Owned, error)
}

// Owned is an extent and its owner.
type Owned struct {
	Extent Extent
	Owner  Owner
}

// Flusher is what an engine may offer whose Delete is not durable when it
// returns.
type Flusher interface {
	// FlushDeletes returns when no power cut can bring back an extent whose
	// Delete returned before the call.
	FlushDeletes(ctx context.Context) error
}
