package engine

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/smallfile"
)

func mustOpen(t *testing.T, o Options) *Engine {
	t.Helper()
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func write(t *testing.T, e *Engine, text string) blob.Extent {
	t.Helper()
	ctx := context.Background()
	w, err := e.Blob.Create(ctx, blob.Owner{Bucket: "b", Key: "k", Version: "v"}, int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	extents, err := w.Commit(ctx)
	if err != nil || len(extents) != 1 {
		t.Fatalf("Commit: %v, %v", extents, err)
	}
	if err := e.KV.Create(ctx, "p", []kv.Write{{Key: []byte(kv.HeaderKey), Value: []byte("1")}}); err != nil {
		t.Fatal(err)
	}
	return extents[0]
}

func read(t *testing.T, e *Engine, x blob.Extent) string {
	t.Helper()
	ctx := context.Background()
	rows, err := e.KV.Get(ctx, "p", []byte(kv.HeaderKey))
	if err != nil || string(rows[0].Value) != "1" {
		t.Fatalf("Get: %v, %v", rows, err)
	}
	b := make([]byte, x.Length)
	if _, err := e.Blob.ReadAt(ctx, x, b, 0); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// What was made durable through a first life of the directory is there in a
// second one that follows a power cut: directories and VERSION included.
func TestPowerCut(t *testing.T) {
	fs := vfs.NewCrashableMem()
	e := mustOpen(t, Options{Dir: "srv/ossa/data", FS: fs})
	key, made, err := e.RootKey(bytes.NewReader(bytes.Repeat([]byte{7}, 40)))
	if err != nil || !made {
		t.Fatalf("RootKey: made %v, %v", made, err)
	}
	x := write(t, e, "hello")

	after := fs.CrashClone(vfs.CrashCloneCfg{})
	again := mustOpen(t, Options{Dir: "srv/ossa/data", FS: after, MustExist: true})
	if got := read(t, again, x); got != "hello" {
		t.Errorf("read %q after the power cut", got)
	}
	kept, made, err := again.RootKey(bytes.NewReader(nil))
	if err != nil || made || kept != key {
		t.Errorf("RootKey after the power cut: %v, made %v, %v; want %v", kept, made, err, key)
	}
}

// A power cut at any moment of the first start leaves a directory that the
// next start accepts.
func TestPowerCutAtFirstStart(t *testing.T) {
	fs := vfs.NewCrashableMem()
	var clones []*vfs.MemFS
	watched := &onSync{FS: fs, did: func() { clones = append(clones, fs.CrashClone(vfs.CrashCloneCfg{})) }}
	mustOpen(t, Options{Dir: "data", FS: watched})
	if len(clones) < 3 {
		t.Fatalf("only %d directory syncs at the first start", len(clones))
	}
	for _, clone := range clones {
		e, err := Open(Options{Dir: "data", FS: clone})
		if err != nil {
			t.Fatal(err)
		}
		if err := e.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// onSync calls did after each sync of a directory.
type onSync struct {
	vfs.FS
	did func()
}

func (fs *onSync) OpenDir(name string) (vfs.File, error) {
	f, err := fs.FS.OpenDir(name)
	return &syncedDir{f, fs.did}, err
}

type syncedDir struct {
	vfs.File
	did func()
}

func (f *syncedDir) Sync() error {
	err := f.File.Sync()
	f.did()
	return err
}

func TestRefusals(t *testing.T) {
	tests := []struct {
		name  string
		files map[string]string // in the data directory; nil for none at all
		must  bool
		want  error
		says  string
	}{
		{"none", nil, true, ErrMissing, "check --data"},
		{"empty", map[string]string{}, true, ErrMissing, "check --data"},
		{"foreign", map[string]string{"letter.txt": "x"}, false, ErrNotData, "letter.txt"},
		{"newer", map[string]string{"VERSION": "ossa data format 2\n"}, false, ErrNewer, "format 2"},
		{"broken", map[string]string{"VERSION": "ossa data format\n"}, false, ErrNotData, "VERSION"},
		{"zero", map[string]string{"VERSION": "ossa data format 0\n"}, false, ErrNotData, "VERSION"},
		{"blank", map[string]string{"VERSION": ""}, false, ErrNotData, "VERSION"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			if test.files != nil {
				if err := os.Mkdir(dir, 0o700); err != nil {
					t.Fatal(err)
				}
			}
			for name, text := range test.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			_, err := Open(Options{Dir: dir, MustExist: test.must})
			if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want %v that says %q and names %s", err, test.want, test.says, dir)
			}
			if _, err := os.Stat(filepath.Join(dir, metaName)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("a refused directory has metadata in it: %v", err)
			}
		})
	}
}

// One process at a time; the directory is free again after Close.
func TestLock(t *testing.T) {
	for name, fs := range map[string]vfs.FS{"disk": vfs.Default, "memory": vfs.NewMem()} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			e := mustOpen(t, Options{Dir: dir, FS: fs})
			if _, err := Open(Options{Dir: dir, FS: fs}); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), dir) {
				t.Errorf("second Open: %v, want ErrLocked that names %s", err, dir)
			}
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			mustOpen(t, Options{Dir: dir, FS: fs, MustExist: true})
		})
	}
}

// Others can read neither the directory nor the credentials, whatever the
// permissions of the directory are.
func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "data")
	e := mustOpen(t, Options{Dir: dir})
	if _, _, err := e.RootKey(bytes.NewReader(make([]byte, 40))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]os.FileMode{dir: 0o700, e.RootKeyFile(): 0o600} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want {
			t.Errorf("%s has mode %o, want %o", name, got, want)
		}
	}
}

func TestRootKey(t *testing.T) {
	tests := []struct {
		name string
		file string // "" for none
		want RootKey
		err  error
	}{
		{"made", "", RootKey{}, nil},
		{"kept", idLine + "me\r\n" + secretLine + "mine", RootKey{"me", "mine"}, nil},
		{"no secret", idLine + "me\n", RootKey{}, ErrBadCredentials},
		{"blank", "\n", RootKey{}, ErrBadCredentials},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			fs := vfs.NewMem()
			e := mustOpen(t, Options{Dir: "data", FS: fs})
			if test.file != "" {
				if err := smallfile.Write(fs, "data", credentialsName, []byte(test.file)); err != nil {
					t.Fatal(err)
				}
			}
			random := make([]byte, 40)
			for i := range random {
				random[i] = byte(i + 1)
			}
			got, made, err := e.RootKey(bytes.NewReader(random))
			if !errors.Is(err, test.err) || made != (test.file == "") {
				t.Fatalf("made %v, error %v, want %v", made, err, test.err)
			}
			if test.name == "made" {
				if len(got.ID) != 24 || len(got.Secret) != 40 {
					t.Errorf("made %q and %q", got.ID, got.Secret)
				}
				if again, made, err := e.RootKey(bytes.NewReader(nil)); again != got || made || err != nil {
					t.Errorf("second time: %v, made %v, %v", again, made, err)
				}
			} else if got != test.want {
				t.Errorf("got %#v", got)
			}
		})
	}
}

// A key that cannot be kept is not given out.
func TestRootKeyWithoutRandomness(t *testing.T) {
	e := mustOpen(t, Options{Dir: "data", FS: vfs.NewMem()})
	if key, _, err := e.RootKey(bytes.NewReader(make([]byte, 3))); err == nil || key != (RootKey{}) {
		t.Errorf("got %#v, %v", key, err)
	}
}

func TestMemory(t *testing.T) {
	e := Memory()
	if got := read(t, e, write(t, e, "hello")); got != "hello" {
		t.Errorf("read %q", got)
	}
	if _, made, err := e.RootKey(bytes.NewReader(make([]byte, 40))); err != nil || !made {
		t.Errorf("RootKey: made %v, %v", made, err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
}

// A directory that lost its names or its bytes is not filled with new ones:
// the sweep would take what is left for garbage.
func TestIncomplete(t *testing.T) {
	tests := []struct {
		name string
		lose func(fs vfs.FS) error
		text string // "" if it may be opened
	}{
		{"nothing", func(vfs.FS) error { return nil }, ""},
		{"metadata", func(fs vfs.FS) error { return fs.RemoveAll("data/meta") }, "no metadata"},
		{"manifest marker", func(fs vfs.FS) error { return removeLike(fs, "data/meta", "marker.manifest") }, "no metadata"},
		{"all markers", func(fs vfs.FS) error { return removeLike(fs, "data/meta", "marker.") }, "no metadata"},
		{"data files", func(fs vfs.FS) error { return fs.RemoveAll("data/blob") }, "no data files"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fs := vfs.NewMem()
			e, err := Open(Options{Dir: "data", FS: fs})
			if err != nil {
				t.Fatal(err)
			}
			x := write(t, e, "hello")
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			if err := tt.lose(fs); err != nil {
				t.Fatal(err)
			}

			if tt.text == "" {
				if got := read(t, mustOpen(t, Options{Dir: "data", FS: fs}), x); got != "hello" {
					t.Errorf("read %q", got)
				}
				return
			}
			for range 2 { // the first refusal must not change the second
				e, err := Open(Options{Dir: "data", FS: fs})
				if err == nil {
					e.Close()
				}
				if !errors.Is(err, ErrIncomplete) || !strings.Contains(err.Error(), tt.text) {
					t.Fatalf("Open: %v", err)
				}
			}
		})
	}
}

// removeLike removes the files of dir whose names begin with prefix.
func removeLike(fs vfs.FS, dir, prefix string) error {
	names, err := fs.List(dir)
	for _, name := range names {
		if strings.HasPrefix(name, prefix) {
			err = errors.Join(err, fs.Remove(fs.PathJoin(dir, name)))
		}
	}
	return err
}
