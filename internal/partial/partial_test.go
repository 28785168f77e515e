package partial

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// One at a time has a file, and whoever comes when it got its name begins a new
// one: never is what has a name written to.
func TestOpen(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks")
	}
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	name := filepath.Join(dir, "x")
	first, err := Open(nil, name)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := Open(root, "x"); !errors.Is(err, ErrBusy) {
			t.Errorf("open in use: %v", err)
		}
	}
	if err := os.Rename(name, filepath.Join(dir, "done")); err != nil {
		t.Fatal(err)
	}
	second, err := Open(root, "x")
	if err != nil {
		t.Fatal(err)
	}
	first.Close()
	if _, err := Open(nil, name); !errors.Is(err, ErrBusy) {
		t.Errorf("the lock of the new file went with the old one: %v", err)
	}
	second.Close()

	// A file that has lost its name since it was opened is not taken.
	old, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	d := directory{}
	if same, err := d.lock(old, name); !same || err != nil {
		t.Errorf("%t, %v", same, err)
	}
	os.Remove(name)
	if same, err := d.lock(old, name); same || err != nil {
		t.Errorf("after it is removed: %t, %v", same, err)
	}
	os.WriteFile(name, nil, 0o666)
	if same, err := d.lock(old, name); same || err != nil {
		t.Errorf("after it is another one: %t, %v", same, err)
	}
}

// What is no regular file is not opened, and what a symbolic link leads to not
// written.
func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "x")
	if err := os.Mkdir(name, 0o777); err != nil {
		t.Fatal(err)
	}
	if f, err := Open(nil, name); !errors.Is(err, ErrNotRegular) {
		f.Close()
		t.Error("a directory was opened")
	}
	os.Remove(name)
	if err := os.Symlink(filepath.Join(dir, "victim"), name); err != nil {
		t.Skip(err)
	}
	if f, err := Open(nil, name); !errors.Is(err, ErrNotRegular) {
		f.Close()
		t.Error("a symbolic link was followed")
	}
	if _, err := os.Lstat(filepath.Join(dir, "victim")); err == nil {
		t.Error("a file was made through a symbolic link")
	}
}

// Names fit in a directory however long those of the files are, tell them apart,
// and end in the suffix.
func TestName(t *testing.T) {
	seen := map[string]string{}
	for _, base := range []string{
		"", "a", strings.Repeat("a", 242), strings.Repeat("a", 243), strings.Repeat("a", 254), strings.Repeat("a", 255),
		strings.Repeat("a", 254) + "b", strings.Repeat("é", 127), "x" + strings.Repeat("é", 127), strings.Repeat("日本", 42),
	} {
		name := Name(filepath.Join("dir", "x") + base)
		dir, got := filepath.Split(name)
		if dir != "dir"+string(filepath.Separator) || len(got) > maxName && len(base) < 255 || !strings.HasSuffix(got, suffix) || !utf8.ValidString(got) {
			t.Errorf("%q: %q", base, name)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are both %q", base, other, got)
		}
		seen[got] = base
	}
}
