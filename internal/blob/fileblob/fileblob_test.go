package fileblob_test

import (
	"log/slog"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/fileblob"
)

// open opens an engine over fs that logs nothing.
func open(t testing.TB, fs vfs.FS, dir string, opts fileblob.Options) *fileblob.Engine {
	t.Helper()
	opts.FS = fs
	opts.Logger = slog.New(slog.DiscardHandler)
	e, err := fileblob.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEngine(t *testing.T) {
	for name, c := range map[string]struct {
		fs   func() vfs.FS
		opts fileblob.Options
	}{
		"disk":   {fs: func() vfs.FS { return vfs.Default }},
		"memory": {fs: func() vfs.FS { return vfs.NewMem() }},
		// Files turn over all the time and hardly one stays open.
		"narrow": {
			fs:   func() vfs.FS { return vfs.NewMem() },
			opts: fileblob.Options{LargeBytes: 128 << 10, BlockBytes: 4 << 10, SegmentBytes: 256 << 10, OpenFiles: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			blobtest.Run(t, func(t *testing.T) blob.Engine {
				return open(t, c.fs(), t.TempDir(), c.opts)
			})
		})
	}
}
