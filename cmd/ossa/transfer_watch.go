package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"strings"
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

	meter  *meter
	view   progressView // nil for none
	stdout io.Writer    // of the session, while bars are drawn
	stderr io.Writer

	out    sync.Mutex // held while printing
	failed int
	last   error // of the last one that failed
}

func newTransferWatch(s *clientSession, verbose bool) *transferWatch {
	return &transferWatch{s: s, verbose: verbose, meter: newMeter(time.Now), stdout: s.stdout, stderr: s.stderr}
}

// wantsTotal tells whether it is worth reading the source twice.
func (w *transferWatch) wantsTotal() bool { return !w.s.quiet || w.s.json }

// begin begins to show progress: of one task, or of many.
func (w *transferWatch) begin(single, muted bool) {
	w.single, w.muted, w.meter.single = single, muted, single
	stdout, isFile := w.stdout.(*os.File)
	onTerminal := isFile && isTerminal(stdout)
	switch {
	case w.s.json:
		if !muted {
			w.view = newTicking(jsonEvery, func() {
				e := w.meter.entry()
				w.out.Lock()
				defer w.out.Unlock()
				w.s.print(e)
			})
		}
	case w.s.quiet:
	case drawsBars(w.s) && !(muted && onTerminal):
		b := newBars(w.meter, w.stderr)
		w.s.stderr = b.p // above the bars
		if onTerminal {
			w.s.stdout = b.p
		}
		w.view = b
	default:
		w.view = newTicking(plainEvery, func() {
			w.meter.mu.Lock()
			line := w.meter.line()
			w.meter.mu.Unlock()
			w.out.Lock()
			defer w.out.Unlock()
			w.s.warn("%s", line)
		})
	}
}

// close ends progress; nothing of it stays on a terminal.
func (w *transferWatch) close() {
	if w.view != nil {
		w.view.close()
		w.view = nil
	}
	w.s.stdout, w.s.stderr = w.stdout, w.stderr
}

// Counted is told how much there is.
func (w *transferWatch) Counted(files, bytes int64) { w.meter.counted(files, bytes) }

// Began is told of a task.
func (w *transferWatch) Began(*transfer.Task) {}

// Moved is told how far a task is.
func (w *transferWatch) Moved(t *transfer.Task, p oss.Progress) {
	if w.view != nil {
		w.meter.moved(t, p)
	}
}

// Ended is told what became of a task, and prints that.
func (w *transferWatch) Ended(t *transfer.Task, o *transfer.Outcome) {
	w.meter.ended(t, o)
	w.out.Lock()
	defer w.out.Unlock()
	w.printEnd(t, o)
}

// shownFailures is how many failures are printed; the report has all.
const shownFailures = 20

// transferEntry is what became of a task, for machines.
type transferEntry struct {
	Type      string   `json:"type"`   // transfer
	Status    string   `json:"status"` // done, skipped, planned, failed or stopped
	Action    string   `json:"action"` // upload, download, copy or delete
	Source    string   `json:"source,omitempty"`
	Target    string   `json:"target"`
	Size      int64    `json:"size"`        // bytes
	Moved     int64    `json:"bytes_moved"` // over the network
	Seconds   float64  `json:"seconds"`
	Resumed   bool     `json:"resumed,omitempty"`
	ETag      string   `json:"etag,omitempty"`
	CRC64     string   `json:"crc64,omitempty"` // decimal
	Version   string   `json:"version_id,omitempty"`
	Reason    string   `json:"reason,omitempty"` // of what was skipped
	Code      string   `json:"code,omitempty"`   // this and the next two as in a failure
	Message   string   `json:"message,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	Notes     []string `json:"notes,omitempty"`
}

// printEnd prints what became of a task.
func (w *transferWatch) printEnd(t *transfer.Task, o *transfer.Outcome) {
	if w.s.json && !w.muted {
		w.printEntry(t, o)
	}
	if o.Status == transfer.Failed && !w.single {
		w.last = o.Err
		if w.failed++; w.failed <= shownFailures {
			w.s.warn("%s: %s", describe(t), errorText(o.Err))
		} else if w.failed == shownFailures+1 {
			w.s.warn("further failures are in the report only")
		}
	}
	if w.muted || !w.verbose && !w.single && o.Status != transfer.Planned {
		return
	}
	switch o.Status {
	case transfer.Done:
		if t.Action == transfer.Delete {
			w.s.say("deleted %s", line(t.Target()))
			return
		}
		w.s.say("%s: %s in %s%s", describe(t), size(o.Size), o.Took.Round(time.Millisecond), remark(t, o))
	case transfer.Skipped:
		w.s.say("%s: skipped, %s", describe(t), o.Reason)
	case transfer.Planned:
		if t.Action == transfer.Delete {
			w.s.say("would delete %s", line(t.Target()))
			return
		}
		w.s.say("would %s %s", t.Action, describe(t))
	}
}

// remark is what is worth a word about how an object came about.
func remark(t *transfer.Task, o *transfer.Outcome) string {
	done := "sent"
	if t.Action == transfer.Download {
		done = "fetched"
	}
	switch {
	case o.Moved < o.Size && o.Moved > 0:
		return fmt.Sprintf(", of which %s were %s", size(o.Moved), done)
	case o.Resumed:
		return ", resumed"
	case t.Action == transfer.Upload && o.Moved == 0 && o.Size > 0:
		return ", nothing was sent: " + cmp.Or(strings.Join(o.Notes, "; "), "the server has it")
	}
	return ""
}

func describe(t *transfer.Task) string {
	if t.Action == transfer.Delete {
		return "delete " + line(t.Target())
	}
	return line(t.Source()) + " -> " + line(t.Target())
}

func (w *transferWatch) printEntry(t *transfer.Task, o *transfer.Outcome) {
	e := transferEntry{
		Type: "transfer", Status: string(o.Status), Action: string(t.Action), Source: t.Source(), Target: t.Target(), Size: o.Size, Moved: o.Moved,
		Seconds: o.Took.Seconds(), Resumed: o.Resumed, ETag: o.ETag, Version: o.Version, Reason: o.Reason, Notes: o.Notes,
	}
	if o.CRC64.Known {
		e.CRC64 = o.CRC64.String()
	}
	if o.Err != nil {
		var f transfer.Failure
		f.Explain(o.Err)
		e.Code, e.Message, e.RequestID = f.Code, f.Message, f.RequestID
	}
	w.s.print(e)
}

// summaryEntry is what many tasks came to, for machines.
type summaryEntry struct {
	Type    string  `json:"type"` // summary
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
		w.s.print(summaryEntry{"summary", s.Done, s.Skipped, s.Deleted, s.Failed, s.Bytes, s.Moved, s.Took.Seconds(), s.KeptBack})
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
	if s.KeptBack != "" && s.Failed > 0 { // or the error says it
		w.s.warn("nothing was deleted: %s", s.KeptBack)
	}
}
