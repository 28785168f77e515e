package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mattn/go-runewidth"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// However wide a terminal is, the lines of all bars have their bars in the same
// columns, and what does not fit is what matters least: percentage and time stay.
func TestLinesAreAligned(t *testing.T) {
	states := []*lineState{
		{name: "r.bin", percent: 7, words: []string{"uploading", "127.8 MiB", "35.2 MiB/s", "2s left"}},
		{name: "大文件名称.bin", percent: 100, words: []string{"completing"}},
		{name: "a/very/long/name/of/something.tar.gz", percent: -1, words: []string{"downloading", "1.2 GiB", "35.2 MiB/s"}},
		{name: "total", percent: 41, words: []string{"115.0 MiB of 276.6 MiB", "123456 of 300001 files", "36.6 MiB/s", "0:12:05 left"}},
	}
	for _, columns := range []int{40, 80, 81, 100, 120, 200} {
		leftWidth, rightWidth := -1, -1
		for _, s := range states {
			left := strings.TrimPrefix(s.left(columns), "\r")
			l := runewidth.StringWidth(left)
			right := s.right(columns - l)
			r := len(right)
			if leftWidth < 0 {
				leftWidth, rightWidth = l, r
			}
			if l != leftWidth || r != rightWidth && columns >= 80 || columns >= 80 && l+r > columns-barWidthMin {
				t.Errorf("%d columns: %q takes %d and %q %d, others %d and %d", columns, left, l, right, r, leftWidth, rightWidth)
			}
			if last := s.words[len(s.words)-1]; !strings.Contains(right, last) {
				t.Errorf("%d columns: %q lacks %q", columns, right, last)
			}
		}
	}
	if got, want := strings.TrimSpace(states[3].right(80-25)), "36.6 MiB/s, 0:12:05 left"; got != want {
		t.Errorf("at 80 columns the total says %q, want %q", got, want)
	}
}

// The ^C that a terminal echoes neither moves the bars nor stays behind.
func TestEchoOfInterrupt(t *testing.T) {
	s := startTerminalServer(t)
	makeBucket(t, s)
	s.file("big", 32<<20)
	shown, err := s.onTerminal(nil, "cp", "big", "oss://scripts/big", "--limit-rate", "60MiB")
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	bars := regexp.MustCompile(`(\r?)big +\d+%`).FindAllStringSubmatch(shown, -1)
	if len(bars) == 0 {
		t.Fatalf("no bar in %q", shown)
	}
	for _, bar := range bars {
		if bar[1] != "\r" {
			t.Errorf("%q does not begin in the first column", bar[0])
		}
	}
	if !strings.HasSuffix(shown, "\r\x1b[K") {
		t.Errorf("the line of the echo is not cleared in the end: %q", shown)
	}
}

// Columns of a table are as wide as a terminal shows them.
func TestTableOfWideCharacters(t *testing.T) {
	var out strings.Builder
	p := &printer{stdout: &out}
	if err := p.table("NAME VALUE", [][]string{{"颜色", "红"}, {"color", "red"}}); err != nil {
		t.Fatal(err)
	}
	if want := "NAME   VALUE\n颜色   红\ncolor  red\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

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
