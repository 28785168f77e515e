package transfer

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// tick is a clock that is set by hand.
type tick struct{ now time.Time }

func (c *tick) Now() time.Time { return c.now }

func openTestJournal(t *testing.T, dir, scope string, clock *tick) *Journal {
	t.Helper()
	j, err := OpenJournal(dir, scope, clock.Now)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// A journal knows a file while its state is what it was, also after it was
// closed or its process killed; another scope and garbage begin it anew.
func TestJournal(t *testing.T) {
	clock := &tick{time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)}
	dir := filepath.Join(t.TempDir(), "j")
	j := openTestJournal(t, dir, "scope", clock)
	old := clock.now.Add(-time.Hour)
	state := fileState{100, old}
	f := fingerprint{42, "ETAG"}
	j.put("a/b", state, f)
	j.put("gone", state, f)
	j.put("changed", state, f)
	if _, err := OpenJournal(dir, "scope", clock.Now); !errors.Is(err, ErrJournalBusy) {
		t.Errorf("a second run opens it: %v", err)
	}
	j.forget("gone")
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	j = openTestJournal(t, dir, "scope", clock)
	if got, ok := j.get("a/b", state); !ok || got != f {
		t.Errorf("it has %v, %v", got, ok)
	}
	for name, s := range map[string]fileState{"gone": state, "never": state, "changed": {101, old}, "a/b": {100, old.Add(1)}} {
		if got, ok := j.get(name, s); ok {
			t.Errorf("it knows %s: %v", name, got)
		}
	}
	// A second later the rows that wait are committed with the next one.
	j.put("x", state, f)
	clock.now = clock.now.Add(flushEvery)
	j.put("y", state, f)
	if got, ok := j.get("x", state); !ok || got != f {
		t.Error("it was not committed")
	}
	j.Close()

	j = openTestJournal(t, dir, "another", clock)
	if _, ok := j.get("a/b", state); ok {
		t.Error("it is of another scope, and is believed")
	}
	j.put("a/b", state, f)
	j.Close()

	err := filepath.WalkDir(dir, func(name string, d os.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			return os.WriteFile(name, []byte("garbage"), 0o666)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	j = openTestJournal(t, dir, "another", clock)
	defer j.Close()
	if _, ok := j.get("a/b", state); ok {
		t.Error("garbage is believed")
	}
	j.put("a/b", state, f)
}

// No journal is one that knows nothing.
func TestNoJournal(t *testing.T) {
	var j *Journal
	j.put("a", fileState{}, fingerprint{})
	j.forget("a")
	if _, ok := j.get("a", fileState{}); ok {
		t.Error("nil knows something")
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// A file that was changed just before it was read can be changed again without
// its time showing that.
func TestSettled(t *testing.T) {
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for ago, want := range map[time.Duration]bool{0: false, time.Second: false, fresh: false, fresh + 1: true, -time.Hour: false} {
		if got := (fileState{1, now.Add(-ago)}).settled(now); got != want {
			t.Errorf("changed %v before: %v", ago, got)
		}
	}
}

// Journals that nobody has opened since a time are removed, and nothing else is.
func TestPruneJournals(t *testing.T) {
	dir := t.TempDir()
	now := time.Now() // files that are written have that time
	clock := func() time.Time { return now }
	open := func(name string) {
		t.Helper()
		j, err := OpenJournal(filepath.Join(dir, name), "scope", clock)
		if err != nil {
			t.Fatal(err)
		}
		j.put("file", fileState{size: 1}, fingerprint{crc: 2, etag: "E"})
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
	age := func(name string, written time.Time) {
		t.Helper()
		err := filepath.WalkDir(filepath.Join(dir, name), func(path string, _ fs.DirEntry, err error) error {
			return errors.Join(err, os.Chtimes(path, written, written))
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	old, fresh, again, half := JournalName("old"), JournalName("fresh"), JournalName("again"), JournalName("half")+prunedName
	since := now.Add(-90 * 24 * time.Hour)
	for _, name := range []string{old, fresh, again, half, "mine", old + prunedName} {
		open(name)
		age(name, since.Add(-time.Second))
	}
	age(fresh, since)
	open(again) // which writes, if only that it was opened
	if err := os.WriteFile(filepath.Join(dir, JournalName("a file")), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	age(JournalName("a file"), since.Add(-time.Hour))
	empty := JournalName("empty")
	if err := os.Mkdir(filepath.Join(dir, empty), 0o777); err != nil {
		t.Fatal(err)
	}
	age(empty, since.Add(-time.Second))

	if err := PruneJournals(dir, since); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	want := []string{fresh, again, "mine", JournalName("a file")}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("left are %q, want %q", left, want)
	}
	if err := PruneJournals(filepath.Join(dir, "none"), since); err != nil {
		t.Errorf("without a directory: %v", err)
	}
	j, err := OpenJournal(filepath.Join(dir, fresh), "scope", clock)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if f, known := j.get("file", fileState{size: 1}); !known || f.crc != 2 {
		t.Errorf("what was kept has %v, %v", f, known)
	}
}
