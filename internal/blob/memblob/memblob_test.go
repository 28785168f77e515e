package memblob_test

import (
	"errors"
	"testing"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/memblob"
)

func TestEngine(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blob.Engine { return memblob.New() })
}

// The knobs do what they say.
func TestKnobs(t *testing.T) {
	e := memblob.New()
	defer e.Close()
	data := blobtest.Data(1, 200<<10)
	x := blobtest.Write(t, e, blob.Owner{Bucket: "b", Key: "k"}, data)[0]
	if e.Len() != 1 {
		t.Fatalf("%d extents", e.Len())
	}

	w, err := e.Create(t.Context(), blob.Owner{}, -1)
	if err != nil {
		t.Fatal(err)
	}
	w.Write(data)
	e.SetFull(true)
	if _, err := w.Commit(t.Context()); !errors.Is(err, blob.ErrFull) {
		t.Fatalf("commit: %v", err)
	}
	if _, err := e.Create(t.Context(), blob.Owner{}, 1); !errors.Is(err, blob.ErrFull) {
		t.Fatalf("create: %v", err)
	}
	e.SetFull(false)
	if _, err := e.Create(t.Context(), blob.Owner{}, 1); err != nil {
		t.Fatal(err)
	}

	if e.Corrupt(x, x.Length) || !e.Corrupt(x, 70<<10) {
		t.Fatal("corrupt does not tell whether there is such a byte")
	}
	p := make([]byte, 1)
	if _, err := e.ReadAt(t.Context(), x, p, 0); err != nil || p[0] != data[0] {
		t.Fatalf("another block: %v", err)
	}
	if _, err := e.ReadAt(t.Context(), x, p, 65<<10); !errors.Is(err, blob.ErrCorrupt) {
		t.Fatalf("the damaged block: %v", err)
	}
	if err := blob.Verify(t.Context(), e, x); !errors.Is(err, blob.ErrCorrupt) {
		t.Fatalf("verify: %v", err)
	}
}
