package pebblekv_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

// gateFS holds up syncs of the log until the test lets them go on.
type gateFS struct {
	vfs.FS
	logs gate
}

// gate is open until close, and again after open.
type gate struct {
	mu      sync.Mutex
	shut    chan struct{} // nil while open
	waiting chan struct{} // one for each that came to the closed gate
	err     error         // what those who waited get
}

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = make(chan struct{})
	g.waiting = make(chan struct{}, 1000)
}

func (g *gate) open(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
	close(g.shut)
	g.shut = nil
}

func (g *gate) pass() error {
	g.mu.Lock()
	shut := g.shut
	if shut == nil {
		g.mu.Unlock()
		return nil
	}
	g.waiting <- struct{}{}
	g.mu.Unlock()
	<-shut
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.err
}

func (fs *gateFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := fs.FS.Create(name, category)
	if err == nil && filepath.Ext(name) == ".log" {
		f = &gateFile{File: f, fs: fs}
	}
	return f, err
}

type gateFile struct {
	vfs.File
	fs *gateFS
}

func (f *gateFile) SyncData() error {
	if err := f.fs.logs.pass(); err != nil {
		return err
	}
	return f.File.SyncData()
}

// later runs fn in a goroutine and returns its error when there is one.
func later(fn func() error) <-chan error {
	done := make(chan error, 1)
	go func() { done <- fn() }()
	return done
}

func raise(e kv.Engine, p kv.Partition, from, to string) error {
	return e.Commit(context.Background(), p,
		[]kv.Guard{{Key: []byte("h"), Value: []byte(from)}}, []kv.Write{{Key: []byte("h"), Value: []byte(to)}})
}

func readHeader(e kv.Engine, p kv.Partition) error {
	_, err := e.Get(context.Background(), p, []byte("h"))
	return err
}

// While a commit waits for its sync, nobody is told of it: not a reader of one
// row, of several, of a range, of the partitions, and not one whose guard does
// not hold any more. Other partitions go on. All answer when the sync is done.
func TestNothingSeenBeforeItIsDurable(t *testing.T) {
	synctest.Test(t, testNothingSeen)
}

func testNothingSeen(t *testing.T) {
	fs := &gateFS{FS: vfs.NewMem()}
	e := open(t, "db", pebblekv.Options{FS: fs})
	for _, p := range []kv.Partition{"p", "q"} {
		if err := e.Create(context.Background(), p, header); err != nil {
			t.Fatal(err)
		}
	}
	fs.logs.close()
	commit := later(func() error { return raise(e, "p", "0", "1") })
	<-fs.logs.waiting

	hopeless, cancel := context.WithCancel(context.Background())
	reads := map[string]func(ctx context.Context) error{
		"get": func(ctx context.Context) error {
			rows, err := e.Get(ctx, "p", []byte("h"))
			if err == nil && string(rows[0].Value) != "1" {
				err = fmt.Errorf("read %q", rows[0].Value)
			}
			return err
		},
		"get two": func(ctx context.Context) error {
			_, err := e.Get(ctx, "p", []byte("h"), []byte("a"))
			return err
		},
		"scan": func(ctx context.Context) error {
			_, _, err := e.Scan(ctx, "p", nil, nil, 0)
			return err
		},
		"list": func(ctx context.Context) error {
			_, _, err := e.Partitions(ctx, "", 0)
			return err
		},
		"conflict": func(ctx context.Context) error {
			err := e.Commit(ctx, "p", []kv.Guard{{Key: []byte("h"), Value: []byte("0")}}, []kv.Write{{Key: []byte("h"), Value: []byte("2")}})
			if errors.Is(err, kv.ErrConflict) {
				return nil
			}
			return err
		},
		"create": func(ctx context.Context) error {
			err := e.Create(ctx, "p", header)
			if errors.Is(err, kv.ErrConflict) {
				return nil
			}
			return err
		},
	}
	cancelled := make(map[string]<-chan error)
	waiting := make(map[string]<-chan error)
	for name, read := range reads {
		cancelled[name] = later(func() error { return read(hopeless) })
		waiting[name] = later(func() error { return read(context.Background()) })
	}
	if err := readHeader(e, "q"); err != nil {
		t.Errorf("read of another partition: %v", err)
	}
	synctest.Wait() // until all have answered or wait
	cancel()
	for name, done := range cancelled {
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("%s answered %v before the sync", name, err)
		}
	}
	for name, done := range waiting {
		select {
		case err := <-done:
			t.Errorf("%s answered %v before the sync", name, err)
			delete(waiting, name)
		default:
		}
	}

	fs.logs.open(nil)
	if err := <-commit; err != nil {
		t.Errorf("commit: %v", err)
	}
	for name, done := range waiting {
		if err := <-done; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// When the sync fails, the commit is unknown also to a caller whose context
// ended, no one is told what it did, and nothing more is taken.
func TestSyncFails(t *testing.T) {
	broken := errors.New("broken disk")
	fs := &gateFS{FS: vfs.NewMem()}
	e := open(t, "db", pebblekv.Options{FS: fs})
	for _, p := range []kv.Partition{"p", "q", "r"} {
		if err := e.Create(context.Background(), p, header); err != nil {
			t.Fatal(err)
		}
	}
	fs.logs.close()
	first := later(func() error { return raise(e, "p", "0", "1") })
	<-fs.logs.waiting
	second := later(func() error { return raise(e, "q", "0", "1") })
	read := later(func() error { return readHeader(e, "p") })
	fs.logs.open(broken)
	if err := <-first; !errors.Is(err, kv.ErrUnknown) || !strings.Contains(err.Error(), broken.Error()) {
		t.Errorf("commit: %v", err)
	}
	if err := <-second; !errors.Is(err, kv.ErrUnknown) && !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("commit after it: %v", err)
	}
	if err := <-read; !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("read that waited: %v", err)
	}
	if err := readHeader(e, "p"); !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("read afterwards: %v", err)
	}
	if err := readHeader(e, "r"); err != nil {
		t.Errorf("read of a partition not in doubt: %v", err)
	}
	for name, err := range map[string]error{
		"commit": raise(e, "r", "0", "1"),
		"create": e.Create(context.Background(), "s", header),
		"drop":   e.Drop(context.Background(), "r"),
	} {
		if !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("%s afterwards: %v", name, err)
		}
	}
	if m := e.Metrics(); !m.Failed {
		t.Errorf("metrics %+v", m)
	}
	if err := e.Close(); !errors.Is(err, broken) {
		t.Errorf("close: %v", err)
	}
}

// A caller whose context ends after the change was handed on still gets its
// outcome.
func TestCancelledTooLate(t *testing.T) {
	fs := &gateFS{FS: vfs.NewMem()}
	e := open(t, "db", pebblekv.Options{FS: fs})
	fs.logs.close()
	ctx, cancel := context.WithCancel(context.Background())
	create := later(func() error { return e.Create(ctx, "p", header) })
	<-fs.logs.waiting
	cancel()
	fs.logs.open(nil)
	if err := <-create; err != nil {
		t.Errorf("create: %v", err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// When flushes always fail, changes wait, and can be called off; Close ends all
// the same, tells those who wait the truth, and leaves a directory that opens
// with all that was acknowledged.
func TestFlushFailsForEver(t *testing.T) {
	disk := vfs.NewMem()
	waits := &waitLog{Handler: slog.DiscardHandler, seen: make(chan struct{}, 1)}
	e := open(t, "db", pebblekv.Hasty(pebblekv.Options{FS: noTables{disk}, Logger: slog.New(waits)}))
	if err := e.Create(context.Background(), "p", header); err != nil {
		t.Fatal(err)
	}
	if err := e.Create(context.Background(), "other", header); err != nil {
		t.Fatal(err)
	}
	acked := make(chan int, 1)
	stuck := later(func() error {
		for i := 0; ; i++ {
			if err := putRow(e, "p", i, noise(i, 64<<10)); err != nil {
				acked <- i
				return err
			}
		}
	})
	<-waits.seen
	ctx, cancel := context.WithCancel(context.Background())
	hopeless := later(func() error { return e.Create(ctx, "q", header) })
	cancel()
	if err := <-hopeless; !errors.Is(err, context.Canceled) {
		t.Errorf("create: %v", err)
	}
	if rows, err := e.Get(context.Background(), "other", []byte("h")); err != nil || rows[0].Value == nil {
		t.Errorf("read of another partition: %v, %v", rows, err)
	}

	closed := later(e.Close)
	if err := <-stuck; !errors.Is(err, kv.ErrUnknown) && !errors.Is(err, kv.ErrUnavailable) {
		t.Errorf("stuck commit: %v", err)
	}
	if err := <-closed; err == nil {
		t.Error("close tells nothing")
	}

	n := <-acked
	again := open(t, "db", pebblekv.Options{FS: disk})
	for i := range n {
		if rows, err := again.Get(context.Background(), "p", rowName(i)); err != nil || rows[0].Value == nil {
			t.Fatalf("row %d of %d: %v", i, n, err)
		}
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}

// noTables is a file system that makes no tables.
type noTables struct{ vfs.FS }

func (fs noTables) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if filepath.Ext(name) == ".sst" {
		return nil, syscall.EIO
	}
	return fs.FS.Create(name, category)
}

// waitLog tells of the message that changes wait.
type waitLog struct {
	slog.Handler
	seen chan struct{}
}

func (l *waitLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *waitLog) Handle(_ context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "changes wait") {
		select {
		case l.seen <- struct{}{}:
		default:
		}
	}
	return nil
}
