package main

import (
	"flag"
	"runtime"
	"strings"
	"sync"
	"testing"
)

// longKeys is how many objects a listing has that may not be kept. make memory
// takes ten times as many, and longer.
var longKeys = flag.Int("long.keys", 200_000, "`number` of objects that TestLongListings lists")

// Listings are used as they come, and never kept: what is on the heap at a page
// is there after ten times as many, and no more.
func TestLongListings(t *testing.T) {
	for _, args := range []string{
		"ls -r oss://long", "ls -rl oss://long", "ls -r --json oss://long", "du oss://long --no-uploads", "rm -r oss://long/a --jobs 1",
		"rm -r oss://long/a --jobs 1 --exclude *7", "acl set -r oss://long/a private --include *0000 --jobs 1",
	} {
		t.Run(args, func(t *testing.T) {
			pages := *longKeys / 1000
			var mu sync.Mutex
			heap := map[int]uint64{}
			b := newLongBucket(t, *longKeys, 0, func(operation string, nth int) bool {
				// The client waits for this page, and has done with those before.
				if operation == "GET list-type" && (nth == pages/10 || nth == pages) {
					runtime.GC()
					var m runtime.MemStats
					runtime.ReadMemStats(&m)
					mu.Lock()
					defer mu.Unlock()
					heap[nth] = m.HeapAlloc
				}
				return false
			})
			setTestEnvironment(t, b)
			count := &countedLines{}
			var stderr strings.Builder
			if status := run(strings.Fields(args), count, &stderr); status != exitOK {
				t.Fatalf("status %d: %s", status, stderr.String())
			}
			early, late := heap[pages/10], heap[pages]
			t.Logf("%s: %d lines; %d KiB at page %d, %d KiB at page %d", args, count.n, early>>10, pages/10, late>>10, pages)
			if early == 0 || late > early+heapSlack {
				t.Errorf("%d KiB at page %d, and %d KiB at page %d: the listing is kept", early>>10, pages/10, late>>10, pages)
			}
		})
	}
}

// heapSlack is how much the heap may differ by chance, in bytes: connections,
// buffers, and the pages that are under way. The keys of 200 pages alone would be
// three times that.
const heapSlack = 4 << 20

// countedLines counts lines and forgets them.
type countedLines struct{ n int }

func (c *countedLines) Write(p []byte) (int, error) {
	c.n += strings.Count(string(p), "\n")
	return len(p), nil
}

// setTestEnvironment makes commands of this process use a server.
func setTestEnvironment(t *testing.T, b *longBucket) {
	t.Helper()
	dir := t.TempDir()
	for name, value := range map[string]string{
		envEndpoint: b.URL, envAccessKeyID: "id", envAccessKeySecret: "secret", envRegion: "cn-hangzhou", envSessionToken: "", envProfile: "",
		envStateDir: dir, "HOME": dir,
	} {
		t.Setenv(name, value)
	}
}
