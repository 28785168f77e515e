package transfer

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ossastore/ossa/oss"
)

// Report is a file of failures, a JSON object each on a line, which are added to
// what it has. It is made with the first one.
type Report struct {
	Name string // of the file
	Now  func() time.Time

	mu     sync.Mutex
	f      *os.File
	failed error // to write
}

// Failure is a line of a report: what could not be done, and why. Bucket and
// Key are those of the object that it was about, whichever side that is.
type Failure struct {
	Type      string    `json:"type"` // failure
	Time      time.Time `json:"time"`
	Action    Action    `json:"action"`
	Source    string    `json:"source,omitempty"`
	Target    string    `json:"target"`
	Operation string    `json:"operation,omitempty"` // of the protocol; "" if no server was asked
	Bucket    string    `json:"bucket,omitempty"`
	Key       string    `json:"key,omitempty"`
	VersionID string    `json:"version_id,omitempty"`
	UploadID  string    `json:"upload_id,omitempty"`
	Code      string    `json:"code,omitempty"` // of the server's answer
	Message   string    `json:"message"`
	RequestID string    `json:"request_id,omitempty"`
}

// Explain says why in a failure. What the server's answer tells, it tells better.
func (f *Failure) Explain(err error) {
	f.Message = strings.TrimPrefix(err.Error(), "oss: ")
	var refusal *oss.Error
	if errors.As(err, &refusal) {
		f.Operation, f.Code, f.RequestID = refusal.Op, refusal.Code, refusal.RequestID
	}
	if err == error(refusal) && refusal.Message != "" {
		f.Message = refusal.Message // without what other fields have
	}
}

// failureOf is what a task that failed is in a report.
func failureOf(t *Task, err error) Failure {
	f := Failure{Action: t.Action, Source: t.Source(), Target: t.Target(), Bucket: t.Bucket, Key: t.Key}
	f.Explain(err)
	return f
}

// Add writes a line, with its type and the time. If that fails Close tells.
func (r *Report) Add(f Failure) {
	now := time.Now
	if r.Now != nil {
		now = r.Now
	}
	f.Type, f.Time = "failure", now().UTC()
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
		r.failed = encoder.Encode(f)
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
