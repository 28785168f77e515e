package pebblekv

// Metrics are numbers for a page of metrics. Sizes are bytes.
type Metrics struct {
	DiskBytes     uint64 // all files of the engine but the reserve
	WALBytes      uint64 // files of the write-ahead log, those kept for reuse included
	CacheBytes    int64  // blocks in the cache
	MemTableBytes uint64 // rows not flushed yet
	CacheHits     int64
	CacheMisses   int64
	Flushes       int64
	Compactions   int64
	Full          bool // the reserve is given up
	Failed        bool // no changes are taken until the engine is opened again
}

// Metrics returns the present numbers; none after Close.
func (e *Engine) Metrics() Metrics {
	e.calls.RLock()
	defer e.calls.RUnlock()
	if e.closed {
		return Metrics{}
	}
	m := e.db.Metrics()
	return Metrics{
		DiskBytes:     m.DiskSpaceUsage(),
		WALBytes:      m.WAL.PhysicalSize + m.WAL.ObsoletePhysicalSize,
		CacheBytes:    m.BlockCache.Size,
		MemTableBytes: m.MemTable.Size,
		CacheHits:     m.BlockCache.Hits,
		CacheMisses:   m.BlockCache.Misses,
		Flushes:       m.Flush.Count,
		Compactions:   m.Compact.Count,
		Full:          e.ballast.gone.Load(),
		Failed:        e.fs.failure() != nil,
	}
}
