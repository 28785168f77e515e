package pebblekv_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
	"github.com/ossastore/ossa/internal/vfstest"
)

// clock is a clock that the test winds.
type clock struct{ seconds atomic.Int64 }

func (c *clock) now() time.Time { return time.Unix(c.seconds.Load(), 0) }

// fillUp commits rows of 16 KiB to p until the engine is full, and returns how
// many there are.
func fillUp(t *testing.T, e kv.Engine, p kv.Partition) int {
	t.Helper()
	for n := range 10000 {
		err := putRow(e, p, n, noise(n, 16<<10))
		if errors.Is(err, kv.ErrFull) {
			return n
		}
		if err != nil {
			t.Fatalf("commit %d: %v", n, err)
		}
	}
	t.Fatal("never full")
	return 0
}

// On a full disk reads go on, changes that grow are ErrFull, those that shrink
// pass; when there is room again, all pass. What was acknowledged survives
// being opened on the full disk.
func TestFullDisk(t *testing.T) {
	const reserve = 8 << 20
	var time clock
	fs := &tightFS{Limited: vfstest.NewLimited(vfs.NewMem(), 24<<20)}
	o := pebblekv.Hasty(pebblekv.Options{FS: fs, ReserveBytes: reserve, Now: time.now})
	e := open(t, "db", o)
	if fs.Used() < reserve {
		t.Fatalf("%d bytes used: no reserve", fs.Used())
	}
	if err := e.Create(context.Background(), "p", header); err != nil {
		t.Fatal(err)
	}
	n := fillUp(t, e, "p")
	if n < 100 {
		t.Errorf("full after %d rows", n)
	}
	if m := e.Metrics(); !m.Full || m.Failed {
		t.Errorf("metrics %+v", m)
	}

	full := func(e *pebblekv.Engine, n int) {
		t.Helper()
		time.seconds.Add(10)
		if err := e.Create(context.Background(), "q", header); !errors.Is(err, kv.ErrFull) {
			t.Errorf("create: %v", err)
		}
		for i := range n {
			if rows, err := e.Get(context.Background(), "p", rowName(i)); err != nil || rows[0].Value == nil {
				t.Fatalf("row %d of %d: %v", i, n, err)
			}
		}
		if err := e.Commit(context.Background(), "p",
			[]kv.Guard{{Key: []byte("h"), Value: []byte("0")}, {Key: []byte("small")}},
			[]kv.Write{{Key: []byte("small"), Value: []byte("1")}}); !errors.Is(err, kv.ErrFull) {
			t.Errorf("commit that grows: %v", err)
		}
		if err := e.Commit(context.Background(), "p",
			[]kv.Guard{{Key: []byte("h"), Value: []byte("0")}},
			[]kv.Write{{Key: []byte("h"), Value: []byte("closed")}}); err != nil {
			t.Errorf("fence that is a little longer: %v", err)
		}
		if err := e.Commit(context.Background(), "p",
			[]kv.Guard{{Key: []byte("h"), Value: []byte("closed")}},
			[]kv.Write{{Key: []byte("h"), Value: make([]byte, 100)}}); !errors.Is(err, kv.ErrFull) {
			t.Errorf("commit that makes a row grow: %v", err)
		}
		if err := e.Commit(context.Background(), "p",
			[]kv.Guard{{Key: []byte("h"), Value: []byte("closed")}, {Key: rowName(n - 1), Value: noise(n-1, 16<<10)}},
			[]kv.Write{{Key: []byte("h"), Value: []byte("0")}, {Key: rowName(n - 1)}, {Key: fmt.Appendf(nil, "note%d", n), Value: make([]byte, 2<<10)}}); err != nil {
			t.Errorf("delete with a note: %v", err)
		}
	}
	fs.tight.Store(true)
	full(e, n)
	if err := e.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	e = open(t, "db", o)
	full(e, n-1)

	fs.tight.Store(false)
	fs.SetLimit(48 << 20)
	time.seconds.Add(10)
	if err := e.Create(context.Background(), "q", header); err != nil {
		t.Errorf("create with room again: %v", err)
	}
	if m := e.Metrics(); m.Full || m.Failed {
		t.Errorf("metrics with room again %+v", m)
	}
	if more := fillUp(t, e, "q"); more < n/2 {
		t.Errorf("full after %d rows the second time", more)
	}
	if err := e.Drop(context.Background(), "p"); err != nil {
		t.Errorf("drop on a full disk: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// tightFS is a disk of which others take at once what is given back.
type tightFS struct {
	*vfstest.Limited
	tight atomic.Bool
}

func (fs *tightFS) GetDiskUsage(name string) (vfs.DiskUsage, error) {
	usage, err := fs.Limited.GetDiskUsage(name)
	if fs.tight.Load() {
		usage.AvailBytes = 0
	}
	return usage, err
}

// A disk so full that not even the reserve helps fails the engine, not the
// process, and loses nothing that was acknowledged.
func TestNoRoomAtAll(t *testing.T) {
	disk := vfs.NewCrashableMem()
	fs := vfstest.NewLimited(disk, 8<<20)
	e := open(t, "db", pebblekv.Hasty(pebblekv.Options{FS: fs, ReserveBytes: -1}))
	c := newCounters(t, e)
	if err := c.create(); err != nil {
		t.Fatal(err)
	}
	fs.SetLimit(0)
	err := c.countTo(counter(0), 10000)
	if !errors.Is(err, kv.ErrUnknown) {
		t.Errorf("commit: %v", err)
	}
	if err := c.count(counter(1), 0); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("commit after it: %v", err)
	}
	if _, err := c.look(counter(0)); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("read of what is in doubt: %v", err)
	}
	if _, err := c.look(counter(1)); err != nil {
		t.Errorf("read of what is not in doubt: %v", err)
	}
	if err := e.Close(); err == nil {
		t.Error("close tells nothing")
	}
	if _, err := pebblekv.Open("db", pebblekv.Hasty(pebblekv.Options{FS: fs})); !errors.Is(err, kv.ErrFull) {
		t.Errorf("open without any room: %v", err)
	}
	failReopen(t, disk, c, 0)
}

var header = []kv.Write{{Key: []byte("h"), Value: []byte("0")}}

// Others take what the reserve gives and is not used at once, again and again:
// the engine can still be opened, read and shrunk. Each time takes a few pieces
// of the reserve for good, so there is an end to it; three times there is not.
func TestOthersTakeTheReserve(t *testing.T) {
	fs := vfstest.NewLimited(vfs.NewMem(), 48<<20)
	o := pebblekv.Hasty(pebblekv.Options{FS: fs, ReserveBytes: 16 << 20})
	e := open(t, "db", o)
	if err := e.Create(context.Background(), "p", header); err != nil {
		t.Fatal(err)
	}
	for n := range 100 {
		if err := putRow(e, "p", n, noise(n, 1<<10)); err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 {
		fs.SetLimit(fs.Used())
		if err := e.Close(); err != nil {
			t.Fatalf("close %d: %v", n, err)
		}
		fs.SetLimit(fs.Used())
		e = open(t, "db", o)
		fs.SetLimit(fs.Used())
		if rows, err := e.Get(context.Background(), "p", rowName(99)); err != nil || rows[0].Value == nil {
			t.Fatalf("read %d: %v", n, err)
		}
		if err := e.Commit(context.Background(), "p",
			[]kv.Guard{{Key: []byte("h"), Value: []byte("0")}, {Key: rowName(n), Value: noise(n, 1<<10)}},
			[]kv.Write{{Key: rowName(n)}}); err != nil {
			t.Fatalf("delete %d: %v", n, err)
		}
	}
	fs.SetLimit(96 << 20)
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	e = open(t, "db", o)
	if m := e.Metrics(); m.Full || m.Failed {
		t.Errorf("metrics with room again %+v", m)
	}
	for n := range 100 {
		if rows, err := e.Get(context.Background(), "p", rowName(n)); err != nil || (rows[0].Value == nil) != (n < 3) {
			t.Errorf("row %d: %v", n, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}
