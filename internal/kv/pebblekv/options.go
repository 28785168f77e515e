package pebblekv

import (
	"fmt"
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/vfs"
)

// Options of Open. The zero value is fine.
type Options struct {
	FS           vfs.FS           // vfs.Default
	Logger       *slog.Logger     // none
	CacheBytes   int64            // memory for blocks read; 16 MiB
	ReserveBytes int64            // disk kept back for the day it is full, from 8 MiB on; 16 MiB, none if negative
	Now          func() time.Time // time.Now

	// MustExist refuses a directory without a database with ErrMissing,
	// instead of making one.
	MustExist bool

	after func(time.Duration) <-chan time.Time // time.After
}

// EnsureDefaults fills in what is not set.
func (o *Options) EnsureDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = 16 << 20
	}
	if o.ReserveBytes == 0 {
		o.ReserveBytes = 16 << 20
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.after == nil {
		o.after = time.After
	}
}

// Validate tells what is wrong with the options.
func (o *Options) Validate() error {
	if o.CacheBytes < 0 || o.CacheBytes > 1<<40 {
		return fmt.Errorf("cache of %d bytes", o.CacheBytes)
	}
	if o.ReserveBytes > 0 && o.ReserveBytes < reserveMin || o.ReserveBytes > 1<<40 {
		return fmt.Errorf("reserve of %d bytes", o.ReserveBytes)
	}
	return nil
}

const (
	// formatVersion is Pebble's on-disk format. It is raised only together
	// with a note to those who want to go back a release: they cannot.
	formatVersion = pebble.FormatValueSeparation

	walName     = "wal"
	ballastName = "ballast"

	memTableBytes = 4 << 20

	// reserveMin is room for the table of a full memtable and for the log
	// that follows it. With less, the engine could use its reserve up and fail.
	reserveMin = 2 * memTableBytes

	// memTablesMax bounds what waits to be flushed. Commits wait beyond it.
	memTablesMax = 4

	openFilesMax = 256
)

// pebbleOptions keeps Pebble small: it has a gateway's memory to share, and
// metadata that mostly fits the cache.
func pebbleOptions(fs *failstopFS, o Options, cache *pebble.Cache, events *pebble.EventListener) *pebble.Options {
	l := logger{log: o.Logger, fail: fs.fail}
	p := &pebble.Options{
		FS:                          fs,
		WALDir:                      pebble.MakeStoreRelativePath(fs, walName), // the directory may be moved
		Cache:                       cache,
		EventListener:               events,
		Logger:                      l,
		LoggerAndTracer:             l,
		FormatMajorVersion:          formatVersion,
		MemTableSize:                memTableBytes,
		MemTableStopWritesThreshold: memTablesMax,
		MaxOpenFiles:                openFilesMax,
		L0CompactionThreshold:       2,
		L0StopWritesThreshold:       24,
		CompactionConcurrencyRange:  func() (int, int) { return 1, 2 },
		ErrorIfNotExists:            o.MustExist,
	}
	p.Experimental.FileCacheShards = 4
	for i := range p.Levels {
		p.Levels[i].FilterPolicy = bloom.FilterPolicy(10)
	}
	return p
}
