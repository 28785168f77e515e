package fileblob

import (
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	minBlockBytes = 4 << 10
	maxBlockBytes = 1 << 20

	// maxLargeBytes bounds the memory of one small extent being written, and
	// what a record's header is believed.
	maxLargeBytes = 16 << 20

	// maxSegmentBytes keeps offset/recordAlign within 32 bits.
	maxSegmentBytes = 32 << 30

	// minReserveBytes is the least free space that is left for metadata.
	minReserveBytes = 8 << 20
	maxReserveBytes = 256 << 20
)

// Options say how an Engine keeps its files. The zero value works.
type Options struct {
	// FS is the file system. Default: that of the operating system.
	FS vfs.FS

	// Logger gets what an operator should know. Default: slog.Default().
	Logger *slog.Logger

	// LargeBytes is the length from which an extent is a file of its own.
	// Shorter ones share data files and are held in memory until they are
	// committed. 4 KiB to 16 MiB. Default: 256 KiB.
	LargeBytes int64

	// BlockBytes is the length that one checksum covers, a power of two from
	// 4 KiB to 1 MiB. A read verifies, and therefore reads, whole blocks.
	// Files keep the value they were written with. Default: 64 KiB.
	BlockBytes int64

	// SegmentBytes is the length at which a shared data file is closed and
	// another begun. Up to 32 GiB. Default: 256 MiB.
	SegmentBytes int64

	// ReserveBytes is the free space that must remain after a write has been
	// admitted, so that metadata keeps room and deleting stays possible.
	// Negative: none. Default: 2 % of the disk, 8 MiB to 256 MiB.
	ReserveBytes int64

	// OpenFiles is how many data files are kept open for reading.
	// Default: 256.
	OpenFiles int
}

// EnsureDefaults replaces zero fields by their defaults, except ReserveBytes,
// which Open settles when it knows the disk.
func (o *Options) EnsureDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.LargeBytes == 0 {
		o.LargeBytes = 256 << 10
	}
	if o.BlockBytes == 0 {
		o.BlockBytes = 64 << 10
	}
	if o.SegmentBytes == 0 {
		o.SegmentBytes = 256 << 20
	}
	if o.OpenFiles == 0 {
		o.OpenFiles = 256
	}
}

// Validate reports the first field that is out of range.
func (o *Options) Validate() error {
	switch {
	case o.LargeBytes < 4<<10 || o.LargeBytes > maxLargeBytes:
		return fmt.Errorf("fileblob: LargeBytes %d is not within 4 KiB and 16 MiB", o.LargeBytes)
	case !validBlockBytes(o.BlockBytes):
		return fmt.Errorf("fileblob: BlockBytes %d is not a power of two within 4 KiB and 1 MiB", o.BlockBytes)
	case o.SegmentBytes < 2*o.LargeBytes || o.SegmentBytes > maxSegmentBytes:
		return fmt.Errorf("fileblob: SegmentBytes %d is not within twice LargeBytes and 32 GiB", o.SegmentBytes)
	case o.OpenFiles < 1:
		return fmt.Errorf("fileblob: OpenFiles %d is not positive", o.OpenFiles)
	}
	return nil
}

func validBlockBytes(n int64) bool {
	return n >= minBlockBytes && n <= maxBlockBytes && n&(n-1) == 0
}
