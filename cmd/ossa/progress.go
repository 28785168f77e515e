package main

import (
	"os"
	"sync"
	"time"
)

const (
	plainEvery = 10 * time.Second // between two lines without a terminal
	jsonEvery  = time.Second      // between two lines of --json
)

// progressView shows a meter from time to time, until it is closed.
type progressView interface{ close() }

// ticking prints something every so often.
type ticking struct {
	stop chan struct{}
	over sync.WaitGroup
}

func newTicking(every time.Duration, print func()) *ticking {
	t := &ticking{stop: make(chan struct{})}
	ticker := time.NewTicker(every)
	t.over.Go(func() {
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				print()
			case <-t.stop:
				return
			}
		}
	})
	return t
}

func (t *ticking) close() {
	close(t.stop)
	t.over.Wait()
}

// progressEntry is how far a transfer is, for machines.
type progressEntry struct {
	Type       string `json:"type"` // progress
	Bytes      int64  `json:"bytes"`
	BytesTotal int64  `json:"bytes_total"` // -1 while unknown
	Files      int64  `json:"files"`
	FilesTotal int64  `json:"files_total"` // -1 while unknown
	Rate       int64  `json:"rate"`        // bytes a second
	Phase      string `json:"phase,omitempty"`
}

func (m *meter) entry() progressEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := progressEntry{
		Type: "progress", Bytes: m.done, BytesTotal: m.total, Files: m.files, FilesTotal: m.filesTotal,
		Rate: int64(m.rate.look(m.now(), m.passed)),
	}
	if m.single {
		e.Phase = phaseWord(m.phase)
	}
	return e
}

// drawsBars tells whether a terminal can be drawn on.
func drawsBars(s *clientSession) bool {
	return s.terminal && !s.json && !s.quiet && os.Getenv("TERM") != "dumb"
}
