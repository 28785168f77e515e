package pebblekv_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
	"github.com/ossastore/ossa/internal/vfstest"
)

// faultCommits is what one partition sees in a run: enough for several logs,
// flushes and a compaction.
const faultCommits = 25

// Whichever file call fails, once or from then on, the process lives, every
// error is one that a caller knows what to do about, the engine closes, and
// nothing acknowledged or read is lost, with a power cut and without.
func TestFailEveryCall(t *testing.T) {
	for _, mode := range []struct {
		name string
		fail func(vfs.FS, int) *vfstest.Failing
	}{
		{"once", vfstest.NewFailing},
		{"from then on", vfstest.NewFailingFrom},
	} {
		t.Run(mode.name, func(t *testing.T) {
			outcomes := make(map[string]int)
			for n, failed := 0, true; failed && !t.Failed(); n++ {
				disk := vfs.NewCrashableMem()
				fs := mode.fail(disk, n)
				outcomes[failRun(t, disk, fs, n)]++
				failed = fs.Failed()
			}
			t.Log(outcomes)
			for _, outcome := range []string{"not opened", "unknown", "survived"} {
				if outcomes[outcome] == 0 {
					t.Errorf("no run was %s: the test does not test what it should", outcome)
				}
			}
		})
	}
}

// failRun runs the counters on fs, whose call n fails, and tells what became
// of them.
func failRun(t *testing.T, disk *vfs.MemFS, fs vfs.FS, n int) string {
	e, err := pebblekv.Open("db", pebblekv.Hasty(pebblekv.Options{FS: fs}))
	if err != nil {
		failReopen(t, disk, newCounters(t, nil), n)
		return "not opened"
	}

	c := newCounters(t, e)
	outcome := "survived"
	if err := c.create(); err != nil {
		outcome = failOutcome(t, n, err)
	} else {
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range counterPartitions {
			wg.Go(func() {
				err := c.countTo(counter(i), faultCommits)
				mu.Lock()
				defer mu.Unlock()
				if o := failOutcome(t, n, err); o == "unknown" || outcome == "survived" {
					outcome = o
				}
			})
		}
		wg.Wait()
	}

	for i := range counterPartitions {
		if _, err := c.look(counter(i)); err != nil && !errors.Is(err, kv.ErrUnavailable) {
			t.Errorf("call %d: read of %s: %v", n, counter(i), err)
		}
	}
	if err := e.Close(); err == nil && outcome != "survived" {
		t.Errorf("call %d: close after a failure tells nothing", n)
	}
	failReopen(t, disk, c, n)
	return outcome
}

// countTo counts until the number of p is n, or until an error.
func (c *counters) countTo(p kv.Partition, n int) error {
	for i := range n {
		if m, err := c.look(p); err != nil {
			return err
		} else if m != i {
			return fmt.Errorf("read %d after %d", m, i)
		}
		if err := c.count(p, i); err != nil {
			return err
		}
	}
	return nil
}

func failOutcome(t *testing.T, n int, err error) string {
	switch {
	case err == nil:
		return "survived"
	case errors.Is(err, kv.ErrUnknown):
		return "unknown"
	case errors.Is(err, kv.ErrUnavailable):
		return "unavailable"
	}
	t.Errorf("call %d: %v", n, err)
	return "other"
}

// failReopen opens what a run left on disk, as it is and after a power cut.
func failReopen(t *testing.T, disk *vfs.MemFS, c *counters, n int) {
	t.Helper()
	for _, fs := range []*vfs.MemFS{disk.CrashClone(vfs.CrashCloneCfg{}), disk} {
		e, err := pebblekv.Open("db", pebblekv.Options{FS: fs})
		if err != nil {
			t.Errorf("call %d: open again: %v", n, err)
			continue
		}
		if err := c.check(e, c.now()); err != nil {
			t.Errorf("call %d: opened again: %v", n, err)
		}
		err = e.Create(context.Background(), "new", []kv.Write{{Key: []byte("h"), Value: []byte("0")}})
		if err := errors.Join(err, e.Close()); err != nil {
			t.Errorf("call %d: opened again: %v", n, err)
		}
	}
}
