package main

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// defaultJobs is how many requests of a command are under way at a time.
const defaultJobs = 8

// maxJobs bounds what --jobs may ask for.
const maxJobs = 1000

// work is a command that does one thing to many objects and goes on when one
// fails. Its methods can be called at the same time.
type work struct {
	*clientSession
	command string // names the report
	jobs    int
	file    string // of the report; "" for one of its own

	mu     sync.Mutex
	done   int
	failed int
	inRow  int // failures that are not about the objects
	report *transfer.Report
}

func (w *work) addFlags(flags *pflag.FlagSet) {
	flags.IntVarP(&w.jobs, "jobs", "j", defaultJobs, "`number` of requests at a time")
	flags.StringVar(&w.file, "report", "", reportUsage+" ("+envStateDir+"; "+defaultStateDirText+")")
}

func (w *work) begin(s *clientSession) error {
	w.clientSession = s
	if w.jobs < 1 || w.jobs > maxJobs {
		return usagef("--jobs: %d is not between 1 and %d", w.jobs, maxJobs)
	}
	if w.file == "" {
		state, err := stateDirectory("")
		if err != nil {
			return err
		}
		w.file = reportFile(state, w.command)
	}
	w.report = &transfer.Report{Name: w.file}
	w.outlook = "what was done stays, and this goes on with it:"
	return nil
}

// fail notes that something could not be done. It returns an error if going on
// makes no sense.
func (w *work) fail(f transfer.Failure, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	f.Target = location{Bucket: f.Bucket, Key: f.Key}.String()
	f.Explain(err)
	var refusal *oss.Error
	var unfit *unfitError
	aboutObject := errors.As(err, &refusal) && refusal.Status < 500 || errors.As(err, &unfit)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed++
	if w.inRow++; aboutObject {
		w.inRow = 0
	}
	w.warn("%v", err) // goes on
	w.report.Add(f)
	if transfer.Hopeless(err) || w.inRow >= transfer.InRowMax {
		return err
	}
	return nil
}

// unfitError is an object that something cannot be done to, which says nothing of
// the next one.
type unfitError struct{ why string }

func (e *unfitError) Error() string { return e.why }

// succeed tells that something was done, to machines with v.
func (w *work) succeed(v any, format string, args ...any) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counted()
	return w.clientSession.done(v, format, args...)
}

// counted counts what was done. w.mu is held.
func (w *work) counted() {
	w.done++
	w.inRow = 0
}

// end is the outcome of a command whose own error is err.
func (w *work) end(err error) error {
	report := w.file
	if closing := w.report.Close(); closing != nil {
		w.warn("the report could not be written: %v", closing)
		report = "the messages above"
	}
	switch {
	case err != nil || w.failed == 0:
		return err
	case w.done == 0:
		return fmt.Errorf("none of %d could be done; they are listed in %s", w.failed, report)
	}
	return &partlyError{w.failed, report}
}
