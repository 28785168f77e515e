package main

import (
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// tick is a clock that is set by hand.
type tick struct{ now time.Time }

func (c *tick) Now() time.Time { return c.now }

func newTick() *tick { return &tick{time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

// Whatever tasks report, and in whatever order they end, nothing that the meter
// tells falls, and 100% is said at the end only.
func TestMeterNeverFalls(t *testing.T) {
	clock := newTick()
	m := newMeter(clock.Now)
	tasks := []*transfer.Task{{Name: "a", Size: 1000}, {Name: "b", Size: 0}, {Name: "c", Size: 3000}}
	var bytes, files int64
	percent := -1
	look := func() {
		t.Helper()
		clock.now = clock.now.Add(time.Second)
		m.mu.Lock()
		defer m.mu.Unlock()
		p := m.percent()
		if m.done < bytes || m.files < files || p < percent {
			t.Errorf("fell to %d bytes, %d files, %d%% from %d, %d, %d%%", m.done, m.files, p, bytes, files, percent)
		}
		if p == 100 && m.files < 3 {
			t.Errorf("100%% after %d of 3 files", m.files)
		}
		bytes, files, percent = m.done, m.files, p
	}
	m.moved(tasks[0], oss.Progress{Phase: oss.Transferring, Total: 1000, Done: 700, Moved: 700})
	look()
	m.moved(tasks[0], oss.Progress{Phase: oss.Preparing, Total: 1000, Done: 10, Moved: 10}) // begun anew
	look()
	m.moved(tasks[2], oss.Progress{Phase: oss.Transferring, Total: 5000, Done: 5000}) // it grew since it was counted
	look()
	m.counted(3, 4000)
	look()
	m.ended(tasks[0], &transfer.Outcome{Status: transfer.Failed})
	look()
	m.ended(tasks[2], &transfer.Outcome{Status: transfer.Done})
	look()
	m.ended(tasks[1], &transfer.Outcome{Status: transfer.Skipped})
	look()
	if percent != 100 || files != 3 {
		t.Errorf("at the end: %d%%, %d files", percent, files)
	}
}

func TestMeterLine(t *testing.T) {
	clock := newTick()
	m := newMeter(clock.Now)
	task := &transfer.Task{Name: "a", Size: 100 << 20}
	m.line()
	clock.now = clock.now.Add(time.Second)
	m.moved(task, oss.Progress{Phase: oss.Transferring, Total: 100 << 20, Done: 25 << 20, Moved: 25 << 20})
	if got, want := m.line(), "25.0 MiB, 0 files, 25.0 MiB/s"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	m.counted(4, 200<<20)
	if got, want := m.line(), "12%, 25.0 MiB of 200.0 MiB, 0 of 4 files, 25.0 MiB/s, 8s left"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRemaining(t *testing.T) {
	for _, c := range []struct {
		rest int64
		rate float64
		want string
	}{
		{0, 10, ""}, {10, 0, ""}, {10, 10, "2s left"}, {590, 10, "60s left"}, {612, 10, "0:01:01 left"}, {36000 * 10, 10, "10:00:00 left"},
		{86400 << 20, 1, "1048576 days left"},
	} {
		if got := remaining(c.rest, c.rate); got != c.want {
			t.Errorf("%d at %v: %q, want %q", c.rest, c.rate, got, c.want)
		}
	}
}
