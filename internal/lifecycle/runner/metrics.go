package runner

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/store"
)

// openUploads sums up what open uploads hold.
type openUploads struct {
	uploads, parts, bytes int64
	oldest                time.Time // when it was initiated; zero for none
}

func (o *openUploads) add(st *store.UploadState) {
	o.uploads++
	o.parts += st.Parts
	o.bytes += st.Bytes
	if o.oldest.IsZero() || st.Initiated.Before(o.oldest) {
		o.oldest = st.Initiated
	}
}

// metrics are what a Runner tells of itself.
type metrics struct {
	expired, moved, aborted, freed, errors, rounds prometheus.Counter

	mu    sync.Mutex
	began time.Time // of the last round that came to its end
	took  time.Duration
	open  openUploads
}

func newMetrics(r prometheus.Registerer, clock func() time.Time) (*metrics, error) {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: name, Help: help})
	}
	m := &metrics{
		expired: counter("ossa_lifecycle_expired_objects_total", "Objects that lifecycle rules deleted."),
		moved:   counter("ossa_lifecycle_transitions_total", "Objects that lifecycle rules moved to another storage class."),
		aborted: counter("ossa_lifecycle_aborted_uploads_total", "Uploads that lifecycle rules or their idleness ended."),
		freed:   counter("ossa_lifecycle_freed_bytes_total", "Bytes of what lifecycle rules deleted and aborted."),
		errors:  counter("ossa_lifecycle_errors_total", "Failures of the lifecycle, in single buckets mostly."),
		rounds:  counter("ossa_lifecycle_rounds_total", "Rounds through all buckets."),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 {
			m.mu.Lock()
			defer m.mu.Unlock()
			return value()
		})
	}
	var err error
	for _, c := range []prometheus.Collector{
		m.expired, m.moved, m.aborted, m.freed, m.errors, m.rounds,
		gauge("ossa_lifecycle_last_run_timestamp_seconds", "When the last whole round began, in seconds since 1970; 0 for none yet.", func() float64 {
			if m.began.IsZero() {
				return 0
			}
			return float64(m.began.UnixMilli()) / 1000
		}),
		gauge("ossa_lifecycle_last_run_duration_seconds", "How long the last whole round took.", func() float64 { return m.took.Seconds() }),
		gauge("ossa_open_uploads", "Unfinished multipart uploads, as of the last round.", func() float64 { return float64(m.open.uploads) }),
		gauge("ossa_open_upload_parts", "Parts of unfinished uploads, as of the last round.", func() float64 { return float64(m.open.parts) }),
		gauge("ossa_open_upload_bytes", "Bytes of parts of unfinished uploads, as of the last round.", func() float64 { return float64(m.open.bytes) }),
		gauge("ossa_open_upload_oldest_age_seconds", "Age of the oldest unfinished upload that the last round found; 0 for none.", func() float64 {
			if m.open.oldest.IsZero() {
				return 0
			}
			return max(0, clock().Sub(m.open.oldest).Seconds())
		}),
	} {
		err = errors.Join(err, r.Register(c))
	}
	if err != nil {
		return nil, fmt.Errorf("lifecycle: register metrics: %w", err)
	}
	return m, nil
}

// round notes a round that came to its end.
func (m *metrics) round(began time.Time, took time.Duration, open openUploads) {
	m.rounds.Inc()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.began, m.took, m.open = began, took, open
}
