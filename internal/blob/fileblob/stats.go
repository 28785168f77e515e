package fileblob

import "sync/atomic"

// counters grow from the opening of the engine on.
type counters struct {
	committed       atomic.Int64
	largeCreated    atomic.Int64
	largeRemoved    atomic.Int64
	segmentsRemoved atomic.Int64
	leftovers       atomic.Int64
	damaged         atomic.Int64
	syncs           atomic.Int64
	bytesWritten    atomic.Int64
	bytesRead       atomic.Int64
}

// Stats are figures for metrics. Those said to be "since opening" only grow.
type Stats struct {
	Segments     int   // shared data files
	SegmentBytes int64 // their length, headers excluded
	GarbageBytes int64 // of that, what no extent needs

	OpenFiles  int // open for reading
	TableBytes int // checksum tables held in memory for them

	Committed       int64 // extents, since opening
	LargeCreated    int64 // files of large extents begun, since opening
	LargeRemoved    int64 // files of large extents deleted, since opening
	SegmentsRemoved int64 // shared data files removed as garbage, since opening
	Leftovers       int64 // files of interrupted writes removed, since opening
	Damaged         int64 // damaged files and records passed by Extents, since opening
	Syncs           int64 // syncs of data files, since opening
	BytesWritten    int64 // to data files, frames included, since opening
	BytesRead       int64 // from data files, since opening
}

// Stats returns the present figures.
func (e *Engine) Stats() Stats {
	s := Stats{
		Committed:       e.stats.committed.Load(),
		LargeCreated:    e.stats.largeCreated.Load(),
		LargeRemoved:    e.stats.largeRemoved.Load(),
		SegmentsRemoved: e.stats.segmentsRemoved.Load(),
		Leftovers:       e.stats.leftovers.Load(),
		Damaged:         e.stats.damaged.Load(),
		Syncs:           e.stats.syncs.Load(),
		BytesWritten:    e.stats.bytesWritten.Load(),
		BytesRead:       e.stats.bytesRead.Load(),
	}
	s.OpenFiles, s.TableBytes = e.handles.count()

	for _, seg := range e.segmentsWithin(0, ^uint64(0)) {
		seg.mu.Lock()
		s.Segments++
		s.SegmentBytes += seg.size - headerBytes
		s.GarbageBytes += seg.garbage()
		seg.mu.Unlock()
	}
	return s
}
