//go:build unix

package oss

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// A file that is being filled has its length from the start, and takes the space
// of what has come.
func TestDownloadIsSparse(t *testing.T) {
	f := newFixture(t)
	const size = 16 << 20
	f.put("k", pattern(size, 1))
	ctx, cancel := context.WithCancel(context.Background())
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "GET" && f.net.count[op] == 3 {
			cancel()
		}
		return nil
	})
	name := filepath.Join(t.TempDir(), "file")
	_, err := f.DownloadFile(ctx, name, &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Parallel: 1})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	info, err := os.Stat(PartialName(name))
	if err != nil {
		t.Fatal(err)
	}
	if info.Size() < size {
		t.Errorf("the file has a length of %d bytes, the object of %d", info.Size(), size)
	}
	if taken := int64(info.Sys().(*syscall.Stat_t).Blocks) * 512; taken > size/2 {
		t.Errorf("%d bytes of the disk are taken for %d that have come", taken, 2*testPart)
	}
}
