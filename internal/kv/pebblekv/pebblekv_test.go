package pebblekv_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/kvtest"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

func TestEngineInMemory(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Engine { return open(t, "db", pebblekv.Options{FS: vfs.NewMem()}) })
}

func TestEngineOnDisk(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Engine { return open(t, t.TempDir(), pebblekv.Options{}) })
}

func open(t *testing.T, dir string, o pebblekv.Options) *pebblekv.Engine {
	t.Helper()
	e, err := pebblekv.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// A directory is open once, under whichever name, and says so.
func TestLocked(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	mem := vfs.NewMem()
	for _, c := range []struct {
		fs          vfs.FS
		dir, second string
	}{{nil, dir, dir}, {nil, dir, link}, {mem, "db", "db"}} {
		e := open(t, c.dir, pebblekv.Options{FS: c.fs})
		_, err := pebblekv.Open(c.second, pebblekv.Options{FS: c.fs})
		if !errors.Is(err, pebblekv.ErrLocked) || !strings.Contains(err.Error(), c.dir) {
			t.Errorf("second open of %s: %v", c.second, err)
		}
		if err := e.Create(context.Background(), "p", header); err != nil && !errors.Is(err, kv.ErrConflict) {
			t.Errorf("create after a second open: %v", err)
		}
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := open(t, c.second, pebblekv.Options{FS: c.fs}).Close(); err != nil {
			t.Errorf("open after close: %v", err)
		}
	}
}

// A directory of another format, or of another program, is refused and left as
// it is.
func TestFormat(t *testing.T) {
	for _, row := range [][2]string{{"\x01format", "2"}, {"something", "else"}} {
		fs := vfs.NewMem()
		db, err := pebble.Open("db", &pebble.Options{FS: fs, Logger: quiet{}, WALDir: "{store_path}/wal"})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(db.Set([]byte(row[0]), []byte(row[1]), pebble.Sync), db.Close()); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := pebblekv.Open("db", pebblekv.Options{FS: fs}); !errors.Is(err, pebblekv.ErrFormat) {
				t.Errorf("%q: %v", row, err)
			}
		}
	}
}

type quiet struct{}

func (quiet) Infof(string, ...any)  {}
func (quiet) Errorf(string, ...any) {}
func (quiet) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf(format, args...))
}

// A directory can be moved.
func TestMoved(t *testing.T) {
	parent := t.TempDir()
	from, to := filepath.Join(parent, "a"), filepath.Join(parent, "b")
	e := open(t, from, pebblekv.Options{})
	err := e.Create(context.Background(), "p", header)
	if err := errors.Join(err, e.Close(), os.Rename(from, to)); err != nil {
		t.Fatal(err)
	}
	e = open(t, to, pebblekv.Options{})
	if rows, err := e.Get(context.Background(), "p", []byte("h")); err != nil || rows[0].Value == nil {
		t.Errorf("after the move: %v, %v", rows, err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// A damaged table is ErrCorrupt, never other rows.
func TestCorrupt(t *testing.T) {
	fs := vfs.NewMem()
	o := pebblekv.Options{FS: fs}
	e := open(t, "db", o)
	if err := e.Create(context.Background(), "p", header); err != nil {
		t.Fatal(err)
	}
	const n = 200
	for i := range n {
		if err := putRow(e, "p", i, noise(i, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if err := open(t, "db", o).Close(); err != nil { // moves the rows from the log to a table
		t.Fatal(err)
	}
	names, err := fs.List("db")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if filepath.Ext(name) == ".sst" {
			data, err := fs.UnsafeGetFileDataBuffer(fs.PathJoin("db", name))
			if err != nil {
				t.Fatal(err)
			}
			if len(data) > n*500 {
				data[len(data)/2] ^= 0xff
			}
		}
	}

	e = open(t, "db", o)
	if _, _, err := e.Scan(context.Background(), "p", nil, nil, 0); !errors.Is(err, kv.ErrCorrupt) {
		t.Errorf("scan: %v", err)
	}
	damaged := 0
	for i := range n {
		for _, keys := range [][][]byte{{rowName(i)}, {rowName(i), []byte("h")}} {
			rows, err := e.Get(context.Background(), "p", keys...)
			if errors.Is(err, kv.ErrCorrupt) {
				damaged++
			} else if err != nil || !bytes.Equal(rows[0].Value, noise(i, 1000)) {
				t.Errorf("row %d is other bytes, %v", i, err)
			}
		}
	}
	if damaged == 0 || damaged > n {
		t.Errorf("%d of %d reads found damage", damaged, 2*n)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// noise returns bytes that nothing compresses, always the same for i.
func noise(i, n int) []byte {
	b := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(i), byte(i >> 8), byte(i >> 16)}).Read(b)
	return b
}

// putRow sets row i of p, which must not exist.
func putRow(e kv.Engine, p kv.Partition, i int, value []byte) error {
	return e.Commit(context.Background(), p,
		[]kv.Guard{{Key: []byte("h"), Value: []byte("0")}, {Key: rowName(i)}},
		[]kv.Write{{Key: rowName(i), Value: value}})
}
