package smallfile_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/smallfile"
	"github.com/ossastore/ossa/internal/vfstest"
)

// Whatever change fails, and should the power go after that, a file holds its
// old text or its new one; the new one for sure once Write has said so.
func TestWrite(t *testing.T) {
	for n := 0; ; n++ {
		mem := vfs.NewCrashableMem()
		if err := smallfile.Write(mem, "", "f", []byte("old")); err != nil {
			t.Fatal(err)
		}
		fs := vfstest.NewFailing(mem, n)
		err := smallfile.Write(fs, "", "f", []byte("new"))
		if (err != nil) != fs.Failed() || err != nil && !errors.Is(err, vfstest.ErrInjected) {
			t.Fatalf("change %d failing: %v", n, err)
		}
		for _, fs := range []vfs.FS{mem, mem.CrashClone(vfs.CrashCloneCfg{})} {
			text, rerr := smallfile.Read(fs, "f", 10)
			if rerr != nil || string(text) != "new" && (err == nil || string(text) != "old") {
				t.Errorf("change %d failing: the file holds %q, %v", n, text, rerr)
			}
		}
		if err == nil {
			return
		}
	}
}

// What an unfinished write left is replaced, whatever its mode, and no more is
// read than wanted.
func TestPrivate(t *testing.T) {
	dir := t.TempDir()
	left := filepath.Join(dir, "f"+smallfile.Temporary)
	if err := os.WriteFile(left, []byte("left over"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := smallfile.Write(vfs.Default, dir, "f", []byte("text")); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "f"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if text, err := smallfile.Read(vfs.Default, filepath.Join(dir, "f"), 3); err != nil || string(text) != "tex" {
		t.Errorf("read %q, %v", text, err)
	}
}
