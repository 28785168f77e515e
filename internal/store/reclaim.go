package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

const (
	reclaimPage  = 100  // garbage rows that one commit removes at most
	deleteAtOnce = 1000 // extents that the blob engine is given at most
)

// reclaimer is the state of the background work: what is known to be waiting.
// All of it can be forgotten: the rows in the engine are the truth, and a full
// round finds them.
type reclaimer struct {
	mu       sync.Mutex
	dirty    map[kv.Partition]bool  // ranges that got garbage rows
	pending  map[kv.Partition]int64 // garbage rows that were left, by range
	deferred bool                   // some of them because readers hold their bytes
	wake     chan struct{}

	cancel context.CancelFunc
	done   chan struct{}
}

func (r *reclaimer) init() {
	r.dirty = make(map[kv.Partition]bool)
	r.pending = make(map[kv.Partition]int64)
	r.wake = make(chan struct{}, 1)
}

// kick makes the background work look for something to do.
func (r *reclaimer) kick() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// notice tells that a range got garbage.
func (r *reclaimer) notice(p kv.Partition) {
	r.mu.Lock()
	r.dirty[p] = true
	r.mu.Unlock()
	r.kick()
}

func (r *reclaimer) take() map[kv.Partition]bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	dirty := maps.Clone(r.dirty)
	clear(r.dirty)
	r.deferred = false
	return dirty
}

// leave puts a range back whose garbage is held by readers.
func (r *reclaimer) leave(p kv.Partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty[p] = true
	r.deferred = true
}

// again puts a range back that could not be worked off, for the next round.
func (r *reclaimer) again(p kv.Partition) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dirty[p] = true
}

// left notes how many rows of a range a round left.
func (r *reclaimer) left(p kv.Partition, rows int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending[p] = rows; rows == 0 {
		delete(r.pending, p)
	}
}

// leftInAll returns how many rows the last rounds left, in all ranges.
func (r *reclaimer) leftInAll() (rows int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.pending {
		rows += n
	}
	return rows
}

// waiting tells whether some reader's end is waited for.
func (r *reclaimer) waiting() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.deferred
}

// Start begins the background work: sweeping what earlier lives of the program
// left, reclaiming garbage, forgetting old answers. Close ends it.
func (s *Store) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	s.work.cancel, s.work.done = cancel, make(chan struct{})
	go func() {
		defer close(s.work.done)
		s.background(ctx)
	}()
}

// Close ends the background work and waits for it, and writes down what is kept
// in memory for a while. The engines stay open.
func (s *Store) Close() {
	if s.work.cancel != nil {
		s.work.cancel()
		<-s.work.done
		s.work.cancel = nil
	}
	if err := s.FlushAccessKeyUses(context.Background()); err != nil {
		s.log.Warn("the last uses of access keys are not written down", "error", err)
	}
}

func (s *Store) background(ctx context.Context) {
	report := func(what string, err error) {
		if err != nil && ctx.Err() == nil {
			s.stats.reclaimErrors.Add(1)
			s.log.Error("background work met an error and goes on", "work", what, "error", err)
		}
	}
	report("sweep", s.Sweep(ctx))
	report("reclaim", s.Reclaim(ctx))

	tick := time.NewTicker(s.opts.ReclaimEvery)
	defer tick.Stop()
	last := s.now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-s.work.wake:
		}
		report("reclaim", s.reclaimDirty(ctx))
		if s.uses.due(s.now()) {
			report("uses of access keys", s.FlushAccessKeyUses(ctx))
		}
		if now := s.now(); now.Sub(last) >= fullRound || now.Before(last) {
			last = now
			report("sweep", s.Sweep(ctx))
			report("reclaim", s.Reclaim(ctx))
		}
	}
}

// fullRound is how often the background work looks through all buckets and
// partitions.
const fullRound = time.Hour

// reclaimDirty works on the ranges that are known to have garbage, and on
// deleted buckets.
func (s *Store) reclaimDirty(ctx context.Context) error {
	var errs []error
	for p := range s.work.take() {
		errs = append(errs, s.reclaimRange(ctx, p))
	}
	return errors.Join(append(errs, s.reclaimGraves(ctx))...)
}

// Reclaim looks through all buckets once: it deletes what lost its name and is
// not being read, replaced parts among that, forgets old answers to Complete,
// finishes deletions of buckets that were decided and cut short, and moves
// extents out of files that are mostly garbage. It may run beside anything, also
// twice.
func (s *Store) Reclaim(ctx context.Context) error {
	s.work.take()
	var errs []error
	err := s.scanPrefix(ctx, meta.Root, meta.BucketPrefix, func(row kv.Row) error {
		name := string(row.Key[len(meta.BucketPrefix):])
		if err := s.reclaimBucket(ctx, name); err != nil {
			errs = append(errs, fmt.Errorf("bucket %s: %w", name, err))
		}
		return ctx.Err()
	})
	return errors.Join(append(errs, err, s.reclaimGraves(ctx), s.compact(ctx))...)
}

// reclaimBucket works on all ranges of a bucket.
func (s *Store) reclaimBucket(ctx context.Context, name string) error {
	b, err := s.liveBucket(ctx, name)
	if errors.Is(err, ErrNoSuchBucket) {
		return nil
	} else if err != nil {
		return err
	}
	all, err := s.ranges(ctx, b)
	if errors.Is(err, ErrNoSuchBucket) {
		return nil
	} else if err != nil {
		return err
	}
	var errs []error
	for _, r := range all {
		errs = append(errs, s.reclaimReplaced(ctx, b.ID, r.partition),
			s.reclaimRange(ctx, r.partition), s.expireCompleted(ctx, r.partition))
	}
	return errors.Join(errs...)
}

// reclaimRange works off the garbage rows of one range. What fails is tried
// again in the next round.
func (s *Store) reclaimRange(ctx context.Context, p kv.Partition) error {
	err := s.reclaimRows(ctx, p)
	if err != nil {
		s.work.again(p)
	}
	return err
}

func (s *Store) reclaimRows(ctx context.Context, p kv.Partition) error {
	var errs []error
	from, to := []byte(meta.GarbagePrefix), meta.PrefixEnd([]byte(meta.GarbagePrefix))
	var left int64
	for {
		rows, more, err := s.kv.Scan(ctx, p, from, to, reclaimPage)
		if err != nil {
			return engineError(err)
		}
		if len(rows) == 0 {
			break
		}
		s.pins.waitLookups()
		var done []kv.Row
		var ended []kv.Partition // of uploads whose parts are deleted
		for _, row := range rows {
			switch upload, ok, err := s.reclaimRow(ctx, p, row); {
			case err != nil:
				errs = append(errs, fmt.Errorf("reclaim %q in %q: %w", row.Key, p, err))
				left++
			case !ok:
				s.work.leave(p)
				left++
			default:
				done = append(done, row)
				if upload != "" {
					ended = append(ended, upload)
				}
			}
		}
		if err := s.settleReclaimed(ctx, p, done, ended); err != nil {
			return errors.Join(append(errs, err)...)
		}
		if from = append(rows[len(rows)-1].Key, 0); !more || ctx.Err() != nil {
			break
		}
	}
	s.work.left(p, left)
	return errors.Join(append(errs, ctx.Err())...)
}

// settleReclaimed removes what remembered bytes that are deleted now: the
// partitions of ended uploads, then the garbage rows. Before that the deletion
// is made durable; otherwise a power cut could bring bytes back that nothing
// remembers.
func (s *Store) settleReclaimed(ctx context.Context, p kv.Partition, done []kv.Row, ended []kv.Partition) error {
	if len(done) == 0 {
		return nil
	}
	if err := s.flushDeletes(ctx); err != nil {
		return err
	}
	for _, upload := range ended {
		if err := s.drop(ctx, upload); err != nil {
			return err
		}
	}
	return s.removeRows(ctx, p, done)
}

// reclaimRow deletes the bytes of one garbage row. It returns false when
// readers hold them, and the partition of the upload, if the row is about one.
func (s *Store) reclaimRow(ctx context.Context, p kv.Partition, row kv.Row) (upload kv.Partition, ok bool, err error) {
	g, err := meta.DecodeGarbage(row.Value)
	if err != nil {
		return "", false, err
	}
	if g.UploadID != "" {
		return s.reclaimUpload(ctx, p, g)
	}
	ok, err = s.reclaimVersion(ctx, g)
	return "", ok, err
}

// reclaimVersion deletes the bytes of an object version.
func (s *Store) reclaimVersion(ctx context.Context, g *meta.Garbage) (bool, error) {
	if s.pins.pinned(g.Version) {
		return false, nil
	}
	extents, _, err := s.loadManifest(ctx, g.Manifest)
	if errors.Is(err, blob.ErrNotFound) {
		extents, err = nil, nil // deleted before, after all that it names
	}
	if err != nil {
		return false, err
	}
	if err := s.deleteExtents(ctx, extents); err != nil {
		return false, err
	}
	if len(g.Manifest.Stored) > 0 {
		// It alone remembers the others: they are gone for good before it is.
		if err := s.flushDeletes(ctx); err != nil {
			return false, err
		}
	}
	return true, s.deleteExtents(ctx, g.Manifest.Stored)
}

// reclaimUpload deletes the parts of an ended upload, but those of the object
// that it became, while that is the current one. An object that is not current
// any more is garbage by its own row; its parts may go with this one as well.
func (s *Store) reclaimUpload(ctx context.Context, p kv.Partition, g *meta.Garbage) (kv.Partition, bool, error) {
	bucketID, ok := meta.SplitRangePartition(p)
	if !ok {
		return "", false, fmt.Errorf("%w: garbage outside a range", meta.ErrCorrupt)
	}
	parts := meta.UploadPartition(bucketID, g.UploadID)
	// From here on no part is added.
	if err := s.closePartition(ctx, parts); err != nil {
		return "", false, err
	}
	v, err := s.view(ctx, p, meta.ObjectKey(g.Key))
	if err != nil {
		return "", false, err
	}
	kept := make(map[blob.Extent]bool)
	current := false
	if v.rows[0].Value != nil {
		rec, err := meta.DecodeObject(v.rows[0].Value)
		if err != nil {
			return "", false, err
		}
		if current = rec.UploadID == g.UploadID; current {
			extents, _, err := s.loadManifest(ctx, rec.Manifest)
			if err != nil {
				return "", false, err
			}
			for _, e := range extents {
				kept[e] = true
			}
		}
	}
	if !current {
		s.pins.waitLookups() // the object may have lost its name just now
		if s.pins.pinned(g.Version) {
			return "", false, nil
		}
	}
	var drop []blob.Extent
	for _, prefix := range []string{meta.PartPrefix, meta.ReplacedPrefix} {
		err := s.scanPrefix(ctx, parts, prefix, func(row kv.Row) error {
			rec, err := meta.DecodePart(row.Value)
			if err != nil {
				return err
			}
			for _, e := range rec.Extents {
				if !kept[e] {
					drop = append(drop, e)
				}
			}
			if len(drop) < deleteAtOnce {
				return nil
			}
			err = s.deleteExtents(ctx, drop)
			drop = drop[:0]
			return err
		})
		if err != nil {
			return "", false, err
		}
	}
	return parts, true, s.deleteExtents(ctx, drop)
}

func (s *Store) deleteExtents(ctx context.Context, extents []blob.Extent) error {
	for len(extents) > 0 {
		some := extents[:min(len(extents), deleteAtOnce)]
		if err := s.blob.Delete(ctx, some...); err != nil {
			return engineError(err)
		}
		for _, e := range some {
			s.stats.reclaimedBytes.Add(e.Length)
		}
		s.stats.reclaimedExtents.Add(int64(len(some)))
		extents = extents[len(some):]
	}
	return nil
}

// flushDeletes makes deletions durable. It comes before what remembers the
// deleted bytes goes.
func (s *Store) flushDeletes(ctx context.Context) error {
	if f, ok := s.blob.(blob.Flusher); ok {
		return engineError(f.FlushDeletes(ctx))
	}
	return nil
}

// removeRows deletes rows of p that are still as they were read.
func (s *Store) removeRows(ctx context.Context, p kv.Partition, rows []kv.Row) error {
	if len(rows) == 0 {
		return nil
	}
	keys := make([][]byte, len(rows))
	for i, row := range rows {
		keys[i] = row.Key
	}
	return retry(ctx, func() error {
		v, err := s.view(ctx, p, keys...)
		if err != nil || v.rawHeader == nil {
			return err
		}
		c := v.change()
		for i, row := range v.rows {
			if row.Value != nil && string(row.Value) == string(rows[i].Value) {
				c.replace(row, nil)
			}
		}
		if len(c.writes) == 0 {
			return nil
		}
		return s.commit(ctx, c)
	})
}

// expireCompleted forgets answers to Complete that are old enough.
func (s *Store) expireCompleted(ctx context.Context, p kv.Partition) error {
	var old []kv.Row
	now := s.now()
	flush := func() error {
		err := s.removeRows(ctx, p, old)
		old = old[:0]
		return err
	}
	err := s.scanPrefix(ctx, p, meta.CompletedPrefix, func(row kv.Row) error {
		rec, err := meta.DecodeCompleted(row.Value)
		if err != nil {
			return err
		}
		if now.Sub(rec.Modified) > s.opts.CompletedFor {
			if old = append(old, row); len(old) == reclaimPage {
				return flush()
			}
		}
		return nil
	})
	return errors.Join(err, flush())
}

// reclaimGraves clears deleted buckets away.
func (s *Store) reclaimGraves(ctx context.Context) error {
	var errs []error
	err := s.scanPrefix(ctx, meta.Root, meta.GravePrefix, func(row kv.Row) error {
		g, err := meta.DecodeGrave(row.Value)
		if err != nil {
			return err
		}
		if err := s.reclaimGrave(ctx, row, g); err != nil {
			errs = append(errs, err)
		}
		return ctx.Err()
	})
	return errors.Join(append(errs, err)...)
}

func (s *Store) reclaimGrave(ctx context.Context, row kv.Row, g meta.Grave) error {
	for _, r := range g.Ranges {
		p := kv.Partition(r)
		if err := s.reclaimRange(ctx, p); err != nil {
			return err
		}
		left, _, err := s.kv.Scan(ctx, p, []byte(meta.GarbagePrefix), meta.PrefixEnd([]byte(meta.GarbagePrefix)), 1)
		if err != nil {
			return engineError(err)
		}
		if len(left) > 0 {
			return nil // held by readers
		}
	}
	for _, r := range g.Ranges {
		if err := s.drop(ctx, kv.Partition(r)); err != nil {
			return err
		}
	}
	id := string(row.Key[len(meta.GravePrefix):])
	if err := s.drop(ctx, meta.BucketPartition(id)); err != nil {
		return err
	}
	if err := s.dropCnames(ctx, id); err != nil {
		return err
	}
	return s.removeRows(ctx, meta.Root, []kv.Row{row})
}
