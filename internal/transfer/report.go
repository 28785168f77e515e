package transfer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ossastore/ossa/oss"
)

// Report is a file of failures, a JSON object each on a line. It is made with
// the first one.
type Report struct {
	Name string // of the file
	Now  func() time.Time

	mu     sync.Mutex
	f      *os.File
	failed error // to write
}

// failure is a line of a report.
type failure struct {
	Time      time.Time `json:"time"`
	Action    Action    `json:"action"`
	Source    string    `json:"source,omitempty"`
	Target    string    `json:"target,omitempty"`
	Error     string    `json:"error"`
	Code      string    `json:"code,omitempty"`
	RequestID string    `json:"request_id,omitempty"`
}

func (r *Report) add(t *Task, o *Outcome) {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	line := failure{Time: now().UTC(), Action: t.Action, Source: t.Source(), Target: t.Target(), Error: o.Err.Error()}
	var refusal *oss.Error
	if errors.As(o.Err, &refusal) {
		line.Code, line.RequestID = refusal.Code, refusal.RequestID
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f == nil && r.failed == nil {
		if r.failed = os.MkdirAll(filepath.Dir(r.Name), 0o777); r.failed == nil {
			r.f, r.failed = os.OpenFile(r.Name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		}
	}
	if r.failed == nil {
		encoder := json.NewEncoder(r.f)
		encoder.SetEscapeHTML(false)
		r.failed = encoder.Encode(line)
	}
}

// Close ends the report, and returns an error if it lacks lines.
func (r *Report) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.f != nil {
		if err := r.f.Close(); r.failed == nil {
			r.failed = err
		}
	}
	return r.failed
}
