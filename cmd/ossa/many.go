package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// defaultJobs is how many requests of a command are under way at a time.
const defaultJobs = 8

// maxJobs bounds what --jobs may ask for.
const maxJobs = 1000

// each calls do for everything in seq, jobs at a time. The first error ends it,
// be it of seq or of do; when it returns, so have they all.
func each[T any](ctx context.Context, seq iter.Seq2[T, error], jobs int, do func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan T)
	var workers sync.WaitGroup
	for range jobs {
		workers.Go(func() {
			for item := range queue {
				if err := do(ctx, item); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := feed(ctx, seq, queue)
	close(queue)
	workers.Wait()
	if first := context.Cause(ctx); first != nil {
		return first
	}
	return err
}

func feed[T any](ctx context.Context, seq iter.Seq2[T, error], queue chan<- T) error {
	for item, err := range seq {
		if err != nil {
			return err
		}
		select {
		case queue <- item:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// batches groups what seq has, n at a time.
func batches[T any](seq iter.Seq2[T, error], n int) iter.Seq2[[]T, error] {
	return func(yield func([]T, error) bool) {
		var batch []T
		for item, err := range seq {
			if err != nil {
				if len(batch) == 0 || yield(batch, nil) {
					yield(nil, err)
				}
				return
			}
			if batch = append(batch, item); len(batch) == n {
				if !yield(batch, nil) {
					return
				}
				batch = nil
			}
		}
		if len(batch) > 0 {
			yield(batch, nil)
		}
	}
}

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
	inRow  int // failures that are the server's, with no success between
	report *transfer.Report
}

func (w *work) addFlags(flags *pflag.FlagSet) {
	flags.IntVar(&w.jobs, "jobs", defaultJobs, "`number` of requests at a time")
	flags.StringVar(&w.file, "report", "", "`file` for the list of failures, which are added to it; default one in the state directory ("+envStateDir+"; "+defaultStateDirText+")")
}

func (w *work) begin(s *clientSession) error {
	w.clientSession = s
	if w.jobs < 1 || w.jobs > maxJobs {
		return usagef("--jobs: %d is not between 1 and %d", w.jobs, maxJobs)
	}
	if w.file == "" {
		state, err := (&transferFlags{}).stateDirectory()
		if err != nil {
			return err
		}
		w.file = reportFile(state, w.command)
	}
	w.report = &transfer.Report{Name: w.file}
	w.outlook = "what was done stays, and this goes on with it:"
	return nil
}

// reportFile is the name of a report of a command that is given none.
func reportFile(state, command string) string {
	name := fmt.Sprintf("%s-%s-%d.jsonl", command, time.Now().UTC().Format("20060102-150405"), os.Getpid())
	return filepath.Join(state, "reports", name)
}

// maxInRow is how many failures in a row that are not about the objects end a
// command: going on would be in vain.
const maxInRow = 10

// fail notes that something could not be done. It returns an error if going on
// makes no sense.
func (w *work) fail(f transfer.Failure, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	f.Target = location{Bucket: f.Bucket, Key: f.Key}.String()
	f.Explain(err)
	var refusal *oss.Error
	answered := errors.As(err, &refusal)
	var unfit *unfitError
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failed++
	if (!answered || refusal.Status >= 500) && !errors.As(err, &unfit) {
		w.inRow++
	}
	w.warn("%v", err) // goes on
	w.report.Add(f)
	switch {
	case answered && hopeless[refusal.Code], w.inRow >= maxInRow:
		return err
	}
	return nil
}

// unfitError is an object that something cannot be done to, which says nothing of
// the next one.
type unfitError struct{ why string }

func (e *unfitError) Error() string { return e.why }

// hopeless are answers that the next request gets as well.
var hopeless = map[string]bool{
	"NoSuchBucket": true, "InvalidAccessKeyId": true, "SignatureDoesNotMatch": true, "SecurityTokenExpired": true,
	"InvalidSecurityToken": true, "RequestTimeTooSkewed": true, "InvalidBucketName": true,
}

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

// confirm asks a person. Where nobody is, the answer is yes: scripts mean what
// they say.
func (s *clientSession) confirm(format string, args ...any) error {
	if !s.terminal || !isTerminalStream(s.stdin) {
		return nil
	}
	fmt.Fprintf(s.stderr, format+" [y/N] ", args...)
	answer := make(chan string, 1)
	go func() { answer <- readAnswer(s.stdin) }()
	select {
	case a := <-answer:
		if !strings.HasSuffix(a, "\n") {
			fmt.Fprintln(s.stderr) // in place of the one that was not typed
		}
		if a = strings.ToLower(strings.TrimSpace(a)); a == "y" || a == "yes" {
			return nil
		}
		return errors.New("nothing was done")
	case <-s.ctx.Done():
		// The read is left behind, and ends with the process.
		fmt.Fprintln(s.stderr)
		s.outlook = ""
		return s.ctx.Err()
	}
}

// maxAnswer bounds what is kept of an answer, in bytes.
const maxAnswer = 100

// readAnswer reads a line, and no byte of the next one.
func readAnswer(r io.Reader) string {
	var text []byte
	for b := make([]byte, 1); ; {
		if n, err := r.Read(b); n == 0 && err != nil {
			return string(text)
		} else if n == 0 {
			continue
		}
		if len(text) < maxAnswer {
			text = append(text, b[0])
		}
		if b[0] == '\n' {
			return string(text)
		}
	}
}
