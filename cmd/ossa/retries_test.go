package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// While nothing moves because requests have to be sent again, progress says why,
// instead of a time that is left.
func TestProgressTellsOfTrouble(t *testing.T) {
	clock := newTick()
	m := newMeter(clock.Now)
	log := &retryLog{}
	log.meter.Store(m)
	task := &transfer.Task{Name: "a", Size: 100 << 20}
	m.moved(task, oss.Progress{Phase: oss.Transferring, Total: 100 << 20, Done: 10 << 20, Moved: 10 << 20})
	m.counted(1, 100<<20)
	m.line()
	clock.now = clock.now.Add(time.Second)
	m.moved(task, oss.Progress{Phase: oss.Transferring, Total: 100 << 20, Done: 25 << 20, Moved: 25 << 20})

	refused := &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	slog.New(log).Debug("request", "err", io.EOF)
	if got := m.line(); !strings.Contains(got, "left") {
		t.Errorf("before the trouble: %q", got)
	}
	slog.New(log).Warn("request is repeated", "attempt", 1, "err", fmt.Errorf("oss: UploadPart: %w", refused))
	if got, want := m.line(), "25%, 25.0 MiB of 100.0 MiB, 0 of 1 files, trying again: connection refused"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.moved(task, oss.Progress{Phase: oss.Transferring, Total: 100 << 20, Done: 25 << 20, Moved: 30 << 20}) // in vain
	if got := m.line(); !strings.Contains(got, "trying again") {
		t.Errorf("without progress: %q", got)
	}
	m.moved(task, oss.Progress{Phase: oss.Transferring, Total: 100 << 20, Done: 30 << 20, Moved: 35 << 20})
	if got := m.line(); strings.Contains(got, "trying again") {
		t.Errorf("after the trouble: %q", got)
	}
}

func TestTroubleText(t *testing.T) {
	for _, c := range []struct {
		err  error
		want string
	}{
		{&oss.Error{Code: "ServiceUnavailable", Status: 503}, "ServiceUnavailable"},
		{&oss.Error{Status: 502}, "HTTP 502"},
		{fmt.Errorf("a: %w", &net.DNSError{Name: "h"}), "the host is not known"},
		{fmt.Errorf("a: %w", io.ErrUnexpectedEOF), "the connection was closed"},
		{syscall.ECONNRESET, syscall.ECONNRESET.Error()},
		{errors.New("odd"), "the connection failed"},
	} {
		if got := troubleText(c.err); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
