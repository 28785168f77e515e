package pebblekv_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/kvtest"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

func TestEngineInMemory(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Engine { return open(t, "db", pebblekv.Options{FS: vfs.NewMem()}) })
}

func TestEngineOnDisk(t *testing.T) {
	kvtest.Run(t, func(t *testing.T) kv.Engine { return open(t, t.TempDir(), pebblekv.Options{}) })
}

func open(t *testing.T, dir string, o pebblekv.Options) *pebblekv.Engine {
	t.Helper()
	e, err := pebblekv.Open(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return e
}
