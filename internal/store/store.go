// Package store keeps the rules of OSS: buckets, objects, multipart uploads,
// and what becomes of their bytes. It stands on two seams, kv for names and
// blob for bytes, and promises above them:
//
//   - What was answered is durable: bytes before the name that points at them,
//     the name before the answer.
//   - A name goes, durably, before its bytes. What is to be deleted is written
//     in the commit that drops the name; the reclaimer deletes it later.
//   - Every change is decided by one guarded commit in one partition. Two
//     changes that exclude each other guard the same row, and one of them
//     changes it. No decision takes a lock or trusts what is in memory.
//
// Completing an upload is such a commit: it names the parts' extents as the
// object's bytes. No byte of data is read or moved.
//
// # How an operation changes something
//
// It views rows of one partition (rangeView, view), decides, and commits a
// change that guards what it has viewed. errConflict says that somebody was
// faster; retry then does it all again. What only reads uses readRows.
//
// # Who deletes what
//
//	forget        extents of an operation that failed before it named them
//	Reclaim       what lost its name, by the garbage row that says so; deleted
//	              buckets, by their grave
//	compact       nothing: it moves extents, which makes garbage of the old ones
//	Sweep         what never came to be named: extents that an earlier life of the
//	              program left, empty partitions that are a day old
//
// Readers pin the version that they read, in memory, and the sweep holds what is
// older than this Store for left over. So one process at a time may reclaim and
// sweep, and only its own readers are safe from that.
package store

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Options of a Store. The zero value works.
type Options struct {
	Clock      func() time.Time // default time.Now
	Rand       io.Reader        // default crypto/rand; used under a lock
	Logger     *slog.Logger     // default discards
	KeyRing    kms.KeyRing      // default kms.None
	MaxBuckets int              // default 100, the limit of OSS; made at once, a few more may pass
	Buffers    int              // 256 KiB buffers for bodies on their way, in all; default 256

	// CompletedFor is how long a repeated Complete is answered; default 25 h.
	CompletedFor time.Duration
	// RestoreTime is how long it takes to restore an archived object, a year at
	// most; default 0, at once.
	RestoreTime time.Duration
	// ReclaimEvery is how often the reclaimer looks for work without being
	// told of any; default 1 minute.
	ReclaimEvery time.Duration
}

// EnsureDefaults fills in what is zero.
func (o *Options) EnsureDefaults() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.KeyRing == nil {
		o.KeyRing = kms.None{}
	}
	if o.MaxBuckets == 0 {
		o.MaxBuckets = 100
	}
	if o.Buffers == 0 {
		o.Buffers = 256
	}
	if o.CompletedFor == 0 {
		o.CompletedFor = 25 * time.Hour
	}
	if o.ReclaimEvery == 0 {
		o.ReclaimEvery = time.Minute
	}
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	if o.MaxBuckets < 0 || o.Buffers < 0 || o.CompletedFor < 0 || o.ReclaimEvery < 0 || o.RestoreTime < 0 {
		return errors.New("store: negative option")
	}
	if o.RestoreTime > MaxRestoreTime {
		return fmt.Errorf("store: restore time %v is longer than %v", o.RestoreTime, MaxRestoreTime)
	}
	return nil
}

// Store is the rules of OSS over a pair of engines. Its methods may be called
// concurrently.
type Store struct {
	kv   kv.Engine
	blob blob.Engine
	opts Options
	log  *slog.Logger

	opened blob.Mark // what is older was not written through this Store

	md5     []digest.MD5Pool // bodies are dealt out to them
	nextMD5 atomic.Uint64

	randMu   sync.Mutex
	pins     pins
	uses     uses
	guesses  guesses
	arrivals arrivals
	buffers  *buffers
	work     reclaimer
	stats    counters
}

// Stats counts what a Store has done since it was opened.
type Stats struct {
	ReclaimedBytes   int64 // bytes of deleted extents
	ReclaimedExtents int64
	ReclaimErrors    int64
	ReclaimPending   int64 // garbage rows seen and left: readers hold their bytes, or they failed
	SweptExtents     int64 // leftovers of earlier lives that were deleted
	MovedExtents     int64 // moved out of files that were mostly garbage
	Conflicts        int64 // commits that were decided against us and tried again
	Unknowns         int64 // commits whose outcome had to be found out
	OpenReaders      int64
}

type counters struct {
	reclaimedBytes, reclaimedExtents, reclaimErrors atomic.Int64
	sweptExtents, movedExtents, conflicts, unknowns atomic.Int64
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	return Stats{
		ReclaimedBytes:   s.stats.reclaimedBytes.Load(),
		ReclaimedExtents: s.stats.reclaimedExtents.Load(),
		ReclaimErrors:    s.stats.reclaimErrors.Load(),
		ReclaimPending:   s.work.leftInAll(),
		SweptExtents:     s.stats.sweptExtents.Load(),
		MovedExtents:     s.stats.movedExtents.Load(),
		Conflicts:        s.stats.conflicts.Load(),
		Unknowns:         s.stats.unknowns.Load(),
		OpenReaders:      s.pins.open(),
	}
}

// Open makes a Store on two engines, which stay the caller's. It writes the
// root partition if there is none. ErrWrongRing when the data needs another key
// ring than the one of the options.
func Open(ctx context.Context, k kv.Engine, b blob.Engine, opts Options) (*Store, error) {
	opts.EnsureDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	s := &Store{kv: k, blob: b, opts: opts, log: opts.Logger, buffers: newBuffers(opts.Buffers)}
	// A pool keeps one core busy, so several cores want several of them.
	s.md5 = make([]digest.MD5Pool, max(1, runtime.GOMAXPROCS(0)/2))
	s.pins.held = make(map[string]int)
	s.arrivals.uploads = make(map[UploadID]*arrival)
	s.work.init()
	if lister, ok := b.(blob.Lister); ok {
		s.opened = lister.Mark()
	}

	rows, err := k.Get(ctx, meta.Root, meta.HeaderKey())
	if err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	if rows[0].Value == nil {
		header := kv.Write{Key: meta.HeaderKey(), Value: meta.Header{}.Encode()}
		// Another process may create it first: that is as good.
		if err := k.Create(ctx, meta.Root, []kv.Write{header}); err != nil && !errors.Is(err, kv.ErrConflict) {
			return nil, fmt.Errorf("open store: %w", err)
		}
	}
	if err := s.noteRing(ctx); err != nil {
		return nil, fmt.Errorf("open store: %w", err)
	}
	return s, nil
}

func (s *Store) now() time.Time { return s.opts.Clock().UTC() }

// random fills b. A source of randomness that fails is beyond repair.
func (s *Store) random(b []byte) {
	s.randMu.Lock()
	defer s.randMu.Unlock()
	if _, err := io.ReadFull(s.opts.Rand, b); err != nil {
		panic(fmt.Sprintf("store: no randomness: %v", err))
	}
}

func (s *Store) randomUint64() uint64 {
	var b [8]byte
	s.random(b[:])
	return binary.BigEndian.Uint64(b[:])
}

// newID returns 32 upper-case hex digits: milliseconds since 1970 in 48 bits,
// then 80 random bits. IDs made later compare greater, but for the same
// millisecond.
func (s *Store) newID() string {
	var b [16]byte
	binary.BigEndian.PutUint64(b[:], uint64(s.now().UnixMilli())<<16)
	s.random(b[6:])
	return strings.ToUpper(hex.EncodeToString(b[:]))
}
