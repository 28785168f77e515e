package transfer

import (
	"errors"
	"os"
	"path/filepath"
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
