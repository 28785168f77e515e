package server

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/store"
)

// metrics is what a server counts. Labels come from tables, never from clients.
type metrics struct {
	requests *prometheus.CounterVec   // by operation and status class
	duration *prometheus.HistogramVec // by operation, seconds
	errors   *prometheus.CounterVec   // by code
	received prometheus.Counter       // bytes of bodies
	sent     prometheus.Counter
	panics   prometheus.Counter
	refused  prometheus.Counter // connections
}

func newMetrics(r prometheus.Registerer, s *store.Store, inFlight, connections *atomic.Int64) (*metrics, error) {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ossa_requests_total", Help: "Requests answered, by operation and class of status.",
		}, []string{"operation", "class"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "ossa_request_duration_seconds", Help: "Time from a request's header to the end of its answer.",
			Buckets: prometheus.ExponentialBuckets(0.001, 4, 10),
		}, []string{"operation"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "ossa_errors_total", Help: "Requests answered with an error, by its code.",
		}, []string{"code"}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ossa_received_bytes_total", Help: "Bytes of request bodies.",
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ossa_sent_bytes_total", Help: "Bytes of answer bodies.",
		}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "ossa_panics_total", Help: "Requests whose handler panicked: bugs.",
		}),
	}
	m.refused = prometheus.NewCounter(prometheus.CounterOpts{
		Name: "ossa_connections_refused_total", Help: "Connections turned away because there were too many.",
	})
	open := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ossa_connections_open", Help: "Connections of clients.",
	}, func() float64 { return float64(connections.Load()) })
	running := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "ossa_requests_in_flight", Help: "Requests being served.",
	}, func() float64 { return float64(inFlight.Load()) })

	var err error
	for _, c := range append(storeCollectors(s), m.requests, m.duration, m.errors, m.received, m.sent, m.panics, m.refused, open, running) {
		err = errors.Join(err, r.Register(c))
	}
	if err != nil {
		return nil, fmt.Errorf("server: register metrics: %w", err)
	}
	return m, nil
}

// storeCollectors reads the store's counters whenever metrics are gathered.
func storeCollectors(s *store.Store) []prometheus.Collector {
	counter := func(name, help string, value func(store.Stats) int64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: name, Help: help},
			func() float64 { return float64(value(s.Stats())) })
	}
	gauge := func(name, help string, value func(store.Stats) int64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help},
			func() float64 { return float64(value(s.Stats())) })
	}
	return []prometheus.Collector{
		counter("ossa_store_reclaimed_bytes_total", "Bytes of deleted extents.",
			func(st store.Stats) int64 { return st.ReclaimedBytes }),
		counter("ossa_store_reclaimed_extents_total", "Deleted extents.",
			func(st store.Stats) int64 { return st.ReclaimedExtents }),
		counter("ossa_store_reclaim_errors_total", "Failures of the reclaimer.",
			func(st store.Stats) int64 { return st.ReclaimErrors }),
		gauge("ossa_store_reclaim_pending", "Rows of garbage that the last round of the reclaimer left.",
			func(st store.Stats) int64 { return st.ReclaimPending }),
		counter("ossa_store_swept_extents_total", "Leftovers of crashes that were deleted.",
			func(st store.Stats) int64 { return st.SweptExtents }),
		counter("ossa_store_moved_extents_total", "Extents moved out of files that were mostly garbage.",
			func(st store.Stats) int64 { return st.MovedExtents }),
		counter("ossa_store_conflicts_total", "Commits that lost to another one and were tried again.",
			func(st store.Stats) int64 { return st.Conflicts }),
		counter("ossa_store_unknowns_total", "Commits whose outcome had to be found out.",
			func(st store.Stats) int64 { return st.Unknowns }),
		gauge("ossa_store_open_readers", "Objects being read.",
			func(st store.Stats) int64 { return st.OpenReaders }),
	}
}

// observe counts a request that has been answered.
func (m *metrics) observe(rq *request, elapsed time.Duration) {
	class := "none" // the connection broke before an answer
	if rq.w.status != 0 {
		class = fmt.Sprintf("%dxx", rq.w.status/100)
	}
	m.requests.WithLabelValues(rq.op.name, class).Inc()
	m.duration.WithLabelValues(rq.op.name).Observe(elapsed.Seconds())
	m.received.Add(float64(rq.body.n))
	m.sent.Add(float64(rq.w.sent))
	if rq.code != "" {
		m.errors.WithLabelValues(rq.code).Inc()
	}
}
