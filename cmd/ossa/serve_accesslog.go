package main

import (
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// standardOutput is the name of the access log that goes to stdout.
const standardOutput = "-"

// accessLogFile is a log that can be moved away while it is written: reopen
// then begins a new one under the old name.
type accessLogFile struct {
	name string
	log  *slog.Logger

	mu     sync.Mutex
	file   *os.File
	failed bool // and the operator was told
}

func openAccessLog(name string, log *slog.Logger) (*accessLogFile, error) {
	l := &accessLogFile{name: name, log: log, file: os.Stdout}
	if name == standardOutput {
		return l, nil
	}
	var err error
	if l.file, err = appendTo(name); err != nil {
		return nil, err
	}
	return l, nil
}

// appendTo opens a file that only its owner reads: it tells who has what.
func appendTo(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("access log: %w", err)
	}
	return f, nil
}

// Write writes a line. A failure is told to the operator, once until a line is
// written again: requests do not fail for want of a log.
func (l *accessLogFile) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n, err := l.file.Write(p)
	if err != nil && !l.failed {
		l.log.Error("access log cannot be written, lines are lost", "error", err)
	}
	l.failed = err != nil
	return n, err
}

// reopen opens the file anew; the one before stays in use if that fails.
func (l *accessLogFile) reopen() {
	if l.name == standardOutput {
		return
	}
	f, err := appendTo(l.name)
	if err != nil {
		l.log.Error("access log cannot be opened again, the one before stays in use", "error", err)
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.file.Close()
	l.file = f
	l.log.Info("access log opened again", "file", l.name)
}

func (l *accessLogFile) close() error {
	if l.name == standardOutput {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.file.Close()
}
