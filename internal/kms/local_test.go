package kms_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kms/kmstest"
	"github.com/ossastore/ossa/internal/vfstest"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew: only when a new format is wanted")

var (
	ctx     = context.Background()
	purpose = []byte("a test")
)

func mustOpen(t *testing.T, fs vfs.FS, path string) *kms.Local {
	t.Helper()
	l, err := kms.Open(fs, path, kms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLocal(t *testing.T) {
	kmstest.Run(t, func(t *testing.T) kmstest.Ring { return mustOpen(t, vfs.NewMem(), "keyring") })
}

// counter is randomness that is the same each time.
type counter struct{ n byte }

func (c *counter) Read(p []byte) (int, error) {
	for i := range p {
		c.n++
		p[i] = c.n
	}
	return len(p), nil
}

// The file and what is wrapped with it are as earlier releases wrote them:
// whoever changes that makes the data of everybody unreadable.
func TestGolden(t *testing.T) {
	fs := vfs.NewMem()
	at := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	l, err := kms.Open(fs, "keyring", kms.Options{Rand: &counter{}, Clock: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	wrapped, err := l.Encrypt(ctx, []byte("secret"), purpose)
	if err == nil {
		err = errors.Join(l.Create(ctx, "alias/photos"), l.Rotate(ctx, ""))
	}
	if err != nil {
		t.Fatal(err)
	}
	later, err := l.GenerateDataKey(ctx, "alias/photos", purpose)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string][]byte{
		"testdata/keyring": read(t, fs, "keyring"),
		"testdata/wrapped": []byte(hex.EncodeToString(wrapped) + "\n" + hex.EncodeToString(later.Wrapped) + "\n"),
	}
	for name, text := range got {
		if *rewrite {
			if err := os.WriteFile(name, text, 0o666); err != nil {
				t.Fatal(err)
			}
		}
		if want, err := os.ReadFile(name); err != nil || !bytes.Equal(text, want) {
			t.Errorf("%s has changed (%v):\n%s", name, err, text)
		}
	}

	// And what they wrote opens.
	old := vfs.NewMem()
	write(t, old, "keyring", golden(t, "testdata/keyring"))
	l = mustOpen(t, old, "keyring")
	lines := strings.Fields(string(golden(t, "testdata/wrapped")))
	for i, want := range []string{"secret", string(later.Plain)} {
		b, err := hex.DecodeString(lines[i])
		if err != nil {
			t.Fatal(err)
		}
		if plain, err := l.Decrypt(ctx, b, purpose); err != nil || string(plain) != want {
			t.Errorf("line %d opens to %q, %v", i+1, plain, err)
		}
	}
}

func golden(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func read(t *testing.T, fs vfs.FS, name string) []byte {
	t.Helper()
	f, err := fs.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func write(t *testing.T, fs vfs.FS, name string, text []byte) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		t.Fatal(err)
	}
}

// A ring is made by its first use and not by being looked at.
func TestFirstUse(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, fs, "keyring")
	if _, err := l.Decrypt(ctx, golden(t, "testdata/keyring"), purpose); !errors.Is(err, kms.ErrWrongKey) {
		t.Errorf("decrypt nonsense: %v", err)
	}
	if id, keys := l.RingID(), l.Keys(); id != "" || keys != nil {
		t.Errorf("before its first use it is %q with %v", id, keys)
	}
	if names, err := fs.List(""); err != nil || len(names) > 0 {
		t.Errorf("before its first use there is %q, %v", names, err)
	}
	if _, err := l.GenerateDataKey(ctx, "", purpose); err != nil {
		t.Fatal(err)
	}
	again := mustOpen(t, fs, "keyring")
	if again.RingID() != l.RingID() || len(l.RingID()) != 32 || again.Place() != "keyring" {
		t.Errorf("opened again it is %q in %s, was %q", again.RingID(), again.Place(), l.RingID())
	}
}

func TestKeys(t *testing.T) {
	l := mustOpen(t, vfs.NewMem(), "keyring")
	if err := errors.Join(l.Create(ctx, "photos"), l.Rotate(ctx, "")); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range l.Keys() {
		got = append(got, strings.Join([]string{
			map[bool]string{true: "default", false: k.ID}[k.Default], string(rune('0' + k.Version)), map[bool]string{true: "current"}[k.Current],
		}, " "))
	}
	if want := "default 1 ,default 2 current,photos 1 current"; strings.Join(got, ",") != want {
		t.Errorf("keys are %q, want %q", got, want)
	}
}

// A file of which any byte is changed, or any end is missing, is refused by
// name.
func TestDamagedFile(t *testing.T) {
	whole := golden(t, "testdata/keyring")
	refused := func(what string, text []byte) {
		fs := vfs.NewMem()
		write(t, fs, "keyring", text)
		_, err := kms.Open(fs, "keyring", kms.Options{})
		if !errors.Is(err, kms.ErrBadFile) || !strings.Contains(err.Error(), "keyring") {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i, c := range whole {
		if i < len(whole)-1 { // the last is a newline
			refused("cut short", whole[:i])
		}
		if strings.ContainsRune(" \n", rune(c)) {
			continue // white space says nothing
		}
		bad := bytes.Clone(whole)
		bad[i] ^= 1
		refused("byte changed", bad)
	}
	refused("something after it", append(bytes.Clone(whole), "{}"...))
	refused("of a later release", bytes.Replace(whole, []byte(`"format": 1`), []byte(`"format": 2`), 1))
}

// Whatever change of a file fails, keys that were given out are in the file
// that is there afterwards, and the ring goes on.
func TestFailing(t *testing.T) {
	for n := 0; ; n++ {
		mem := vfs.NewCrashableMem()
		fs := vfstest.NewFailing(mem, n)
		l := mustOpen(t, fs, "keyring")
		var given []kms.DataKey
		for i := range 4 {
			if k, err := l.GenerateDataKey(ctx, "", purpose); err == nil {
				given = append(given, k)
			} else if !errors.Is(err, vfstest.ErrInjected) {
				t.Fatal(err)
			}
			if err := l.Rotate(ctx, ""); err != nil && !errors.Is(err, vfstest.ErrInjected) {
				t.Fatalf("change %d failing, rotation %d: %v", n, i, err)
			}
		}
		if len(given) < 3 {
			t.Errorf("change %d failing: only %d data keys", n, len(given))
		}
		for _, fs := range []vfs.FS{mem, mem.CrashClone(vfs.CrashCloneCfg{})} {
			again := mustOpen(t, fs, "keyring")
			for _, k := range given {
				if plain, err := again.Decrypt(ctx, k.Wrapped, purpose); err != nil || !bytes.Equal(plain, k.Plain) {
					t.Fatalf("change %d failing: a data key is lost: %v", n, err)
				}
			}
		}
		if !fs.Failed() {
			return
		}
	}
}

// A ring whose file was taken away or exchanged does not write its own over it.
func TestFileExchanged(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, fs, "keyring")
	if err := l.Rotate(ctx, ""); err != nil {
		t.Fatal(err)
	}
	write(t, fs, "keyring", golden(t, "testdata/keyring"))
	if err := l.Rotate(ctx, ""); !errors.Is(err, kms.ErrBadFile) {
		t.Errorf("rotate over another ring: %v", err)
	}
	if err := fs.Remove("keyring"); err != nil {
		t.Fatal(err)
	}
	if err := l.Rotate(ctx, ""); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("rotate without the file: %v", err)
	}
}

// A ring that is put there before the first use is used, and not written over:
// it may be the only copy.
func TestFileAppears(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, fs, "keyring")
	other := mustOpen(t, fs, "other")
	k, err := other.GenerateDataKey(ctx, "", purpose)
	if err != nil {
		t.Fatal(err)
	}
	text := read(t, fs, "other")
	write(t, fs, "keyring", text)
	if _, err := l.GenerateDataKey(ctx, "", purpose); err != nil {
		t.Fatal(err)
	}
	if got := read(t, fs, "keyring"); !bytes.Equal(got, text) || l.RingID() != other.RingID() {
		t.Errorf("ring %s, and its file is\n%s", l.RingID(), got)
	}
	if _, err := l.Decrypt(ctx, k.Wrapped, purpose); err != nil {
		t.Errorf("with the ring that is there now: %v", err)
	}

	late := mustOpen(t, fs, "late")
	write(t, fs, "late", text[:len(text)/2])
	if _, err := late.GenerateDataKey(ctx, "", purpose); !errors.Is(err, kms.ErrBadFile) {
		t.Errorf("half a ring: %v", err)
	}
	if got := read(t, fs, "late"); !bytes.Equal(got, text[:len(text)/2]) {
		t.Error("half a ring was written over")
	}
}

// Nobody but the owner can read the file, and a file that everybody can read is
// refused.
func TestModes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keyring")
	if err := mustOpen(t, vfs.Default, path).Rotate(ctx, ""); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	for mode, want := range map[os.FileMode]string{0o600: "", 0o400: "", 0o640: "group", 0o660: "group", 0o604: "refused", 0o644: "refused"} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		_, err := kms.Open(vfs.Default, path, kms.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
		switch {
		case errors.Is(err, kms.ErrBadFile) != (want == "refused"), want != "refused" && err != nil:
			t.Errorf("mode %o: %v", mode, err)
		case strings.Contains(log.String(), "group") != (want == "group"):
			t.Errorf("mode %o: log is %q", mode, log.String())
		}
	}
	if _, err := kms.Open(vfs.Default, filepath.Join(t.TempDir(), "no", "keyring"), kms.Options{}); !errors.Is(err, kms.ErrBadFile) {
		t.Errorf("in a directory that is not there: %v", err)
	}
}

// No message shows a key.
func TestNoSecretInMessages(t *testing.T) {
	fs := vfs.NewMem()
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	l, err := kms.Open(fs, "keyring", kms.Options{Logger: logger, Rand: &counter{}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(l.Create(ctx, "photos"), l.Rotate(ctx, "photos")); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(log.String(), l.RingID()) {
		t.Errorf("the log does not name the new ring: %s", log.String())
	}
	for line := range strings.Lines(string(read(t, fs, "keyring"))) {
		if _, material, ok := strings.Cut(line, `"material": "`); ok && strings.Contains(log.String(), material[:20]) {
			t.Error("a key is in the log")
		}
	}
}

func TestNone(t *testing.T) {
	var r kms.KeyRing = kms.None{}
	_, err1 := r.GenerateDataKey(ctx, "", purpose)
	_, err2 := r.Decrypt(ctx, nil, purpose)
	_, err3 := r.Encrypt(ctx, nil, purpose)
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, kms.ErrNoKeyRing) {
			t.Errorf("no ring answers %v", err)
		}
	}
}

// What is not wrapped is refused, whatever it is, and never panics.
func FuzzDecrypt(f *testing.F) {
	l, err := kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	if err != nil {
		f.Fatal(err)
	}
	k, err := l.GenerateDataKey(ctx, "", purpose)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(k.Wrapped)
	f.Add([]byte{1, 0, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if bytes.Equal(b, k.Wrapped) {
			return
		}
		if _, err := l.Decrypt(ctx, b, purpose); !errors.Is(err, kms.ErrWrongKey) && !errors.Is(err, kms.ErrUnknownKey) {
			t.Errorf("%x opens: %v", b, err)
		}
	})
}
