package main

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A log that was moved away goes on where it is until it is opened again; one
// that cannot be opened again stays in use, and lost lines are told once.
func TestAccessLogFile(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	name := filepath.Join(dir, "access.log")
	var log bytes.Buffer
	logger := slog.New(slog.NewTextHandler(&log, nil))
	if _, err := openAccessLog(name, logger); err == nil {
		t.Fatal("a file was opened in a directory that is not there")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := openAccessLog(name, logger)
	if err != nil {
		t.Fatal(err)
	}
	write := func(line string) {
		t.Helper()
		if _, err := l.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	has := func(file, want string) {
		t.Helper()
		if got, err := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v; want %q", file, got, err, want)
		}
	}
	write("1\n")
	moved := filepath.Join(dir, "moved")
	if err := os.Rename(name, moved); err != nil {
		t.Fatal(err)
	}
	write("2\n")
	has(moved, "1\n2\n")
	l.reopen()
	write("3\n")
	has(moved, "1\n2\n")
	has(name, "3\n")

	away := dir + ".away"
	if err := os.Rename(dir, away); err != nil {
		t.Fatal(err)
	}
	l.reopen()
	write("4\n")
	has(filepath.Join(away, "access.log"), "3\n4\n")
	if !strings.Contains(log.String(), "the one before stays in use") {
		t.Errorf("logged %s", &log)
	}

	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := l.Write([]byte("5\n")); err == nil {
			t.Error("written to a closed file")
		}
	}
	if n := strings.Count(log.String(), "lines are lost"); n != 1 {
		t.Errorf("lost lines were told %d times", n)
	}
}
