package faultkv_test

import (
	"context"
	"errors"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/faultkv"
	"github.com/ossastore/ossa/internal/kv/kvtest"
	"github.com/ossastore/ossa/internal/kv/memkv"
)

// Without faults it is the engine below.
func TestPass(t *testing.T) {
	kvtest.Run(t, func(*testing.T) kv.Engine {
		return faultkv.New(memkv.New(), func(string) faultkv.Outcome { return faultkv.Pass })
	})
}

// Each outcome does what it says, and the header is a fence against what comes
// later.
func TestOutcomes(t *testing.T) {
	ctx := context.Background()
	next := faultkv.Pass
	e := faultkv.New(memkv.New(), func(string) faultkv.Outcome { return next })
	commit := func(row, header, newHeader string) error {
		guards := []kv.Guard{{Key: []byte("h"), Value: []byte(header)}, {Key: []byte(row)}}
		writes := []kv.Write{{Key: []byte("h"), Value: []byte(newHeader)}, {Key: []byte(row), Value: []byte("1")}}
		return e.Commit(ctx, "p", guards, writes)
	}
	there := func(row string) bool {
		rows, err := e.Get(ctx, "p", []byte(row))
		if err != nil {
			t.Fatal(err)
		}
		return rows[0].Value != nil
	}
	if err := e.Create(ctx, "p", []kv.Write{{Key: []byte("h"), Value: []byte("0")}}); err != nil {
		t.Fatal(err)
	}

	for _, c := range []struct {
		row     string
		outcome faultkv.Outcome
		applied bool
	}{
		{"a", faultkv.UnknownNotApplied, false},
		{"b", faultkv.UnknownApplied, true},
		{"c", faultkv.UnknownLater, false},
		{"d", faultkv.UnknownLater, false},
	} {
		next = c.outcome
		if err := commit(c.row, "0", "0"); !errors.Is(err, kv.ErrUnknown) || there(c.row) != c.applied {
			t.Errorf("%s: %v, there %v", c.row, err, there(c.row))
		}
	}
	if n := e.Release(); n != 2 || !there("c") || !there("d") || there("a") {
		t.Errorf("released %d", n)
	}

	next = faultkv.UnknownLater
	late := commit("e", "0", "0")
	next = faultkv.Pass
	fence := commit("f", "0", "1")
	if n := e.Release(); !errors.Is(late, kv.ErrUnknown) || fence != nil || n != 0 || there("e") {
		t.Errorf("late %v, fence %v, released %d", late, fence, n)
	}
}
