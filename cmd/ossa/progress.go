package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// transferWatch tells how a transfer goes: results to stdout, progress and
// complaints to stderr.
type transferWatch struct {
	s       *clientSession
	verbose bool
	single  bool // its one line is printed whether verbose or not
	muted   bool // stdout is not for words

	mu     sync.Mutex
	failed int
}

func newTransferWatch(s *clientSession, verbose bool) *transferWatch {
	return &transferWatch{s: s, verbose: verbose}
}

func (w *transferWatch) wantsTotal() bool { return false }
func (w *transferWatch) mute()            { w.muted = true }
func (w *transferWatch) close()           {}

func (w *transferWatch) Counted(files, bytes int64)             {}
func (w *transferWatch) Began(t *transfer.Task)                 {}
func (w *transferWatch) Moved(t *transfer.Task, p oss.Progress) {}

// shownFailures is how many failures are printed; the report has all.
const shownFailures = 20

// transferEvent is what --json prints of a task.
type transferEvent struct {
	Event   string   `json:"event"` // done, skipped, planned, failed or stopped
	Action  string   `json:"action"`
	Source  string   `json:"source,omitempty"`
	Target  string   `json:"target"`
	Size    int64    `json:"size"`
	Moved   int64    `json:"bytes_moved"`
	Seconds float64  `json:"seconds"`
	Resumed bool     `json:"resumed,omitempty"`
	ETag    string   `json:"etag,omitempty"`
	CRC64   string   `json:"crc64,omitempty"`
	Version string   `json:"version_id,omitempty"`
	Reason  string   `json:"reason,omitempty"`
	Error   string   `json:"error,omitempty"`
	Code    string   `json:"code,omitempty"`
	Notes   []string `json:"notes,omitempty"`
}

// Ended prints what became of a task.
func (w *transferWatch) Ended(t *transfer.Task, o *transfer.Outcome) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.s.json && !w.muted {
		w.printEvent(t, o)
	}
	if o.Status == transfer.Failed && !w.single {
		if w.failed++; w.failed <= shownFailures {
			w.s.warn("%s: %v", describe(t), o.Err)
		} else if w.failed == shownFailures+1 {
			w.s.warn("further failures are in the report only")
		}
	}
	if w.muted || !w.verbose && !w.single {
		return
	}
	switch o.Status {
	case transfer.Done:
		if t.Action == transfer.Delete {
			w.s.say("deleted %s", t.Target())
			return
		}
		w.s.say("%s: %s in %s%s", describe(t), size(o.Size), o.Took.Round(time.Millisecond), remark(o))
	case transfer.Skipped:
		w.s.say("%s: skipped, %s", describe(t), o.Reason)
	case transfer.Planned:
		if t.Action == transfer.Delete {
			w.s.say("would delete %s", t.Target())
			return
		}
		w.s.say("would %s %s", t.Action, describe(t))
	}
}

// remark is what is worth a word about how an object came about.
func remark(o *transfer.Outcome) string {
	switch {
	case o.Moved < o.Size && o.Moved > 0:
		return fmt.Sprintf(", of which %s were sent", size(o.Moved))
	case o.Resumed:
		return ", resumed"
	}
	return ""
}

func describe(t *transfer.Task) string {
	if t.Action == transfer.Delete {
		return "delete " + t.Target()
	}
	return t.Source() + " -> " + t.Target()
}

func (w *transferWatch) printEvent(t *transfer.Task, o *transfer.Outcome) {
	e := transferEvent{
		Event: string(o.Status), Action: string(t.Action), Source: t.Source(), Target: t.Target(), Size: o.Size, Moved: o.Moved,
		Seconds: o.Took.Seconds(), Resumed: o.Resumed, ETag: o.ETag, Version: o.Version, Reason: o.Reason, Notes: o.Notes,
	}
	if o.CRC64.Known {
		e.CRC64 = o.CRC64.String()
	}
	if o.Err != nil {
		e.Error = o.Err.Error()
		var refusal *oss.Error
		if errors.As(o.Err, &refusal) {
			e.Code = refusal.Code
		}
	}
	w.s.print(e)
}

// transferSum is the last line of --json for many objects.
type transferSum struct {
	Event   string  `json:"event"` // summary
	Done    int64   `json:"done"`
	Skipped int64   `json:"skipped"`
	Deleted int64   `json:"deleted"`
	Failed  int64   `json:"failed"`
	Size    int64   `json:"size"`
	Moved   int64   `json:"bytes_moved"`
	Seconds float64 `json:"seconds"`
	Reason  string  `json:"reason,omitempty"` // why nothing was deleted
}

// sum prints what many tasks came to.
func (w *transferWatch) sum(s *transfer.Summary, dryRun bool) {
	if w.s.json {
		w.s.print(transferSum{"summary", s.Done, s.Skipped, s.Deleted, s.Failed, s.Bytes, s.Moved, s.Took.Seconds(), s.KeptBack})
	}
	verb := "copied"
	if dryRun {
		verb = "would be copied"
	}
	text := fmt.Sprintf("%d %s (%s)", s.Done, verb, size(s.Bytes))
	if s.Skipped > 0 {
		text += fmt.Sprintf(", %d skipped", s.Skipped)
	}
	if s.Deleted > 0 {
		if dryRun {
			text += fmt.Sprintf(", %d would be deleted", s.Deleted)
		} else {
			text += fmt.Sprintf(", %d deleted", s.Deleted)
		}
	}
	if s.Failed > 0 {
		text += fmt.Sprintf(", %d failed", s.Failed)
	}
	w.s.say("%s in %s", text, s.Took.Round(time.Millisecond))
	if s.KeptBack != "" {
		w.s.warn("nothing was deleted: %s", s.KeptBack)
	}
}
