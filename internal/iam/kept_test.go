package iam

import (
	"errors"
	"testing"
)

// As much as allowed is kept, what was asked for lately stays, and errors are
// asked for again.
func TestKept(t *testing.T) {
	c := newKept[int, int](8)
	made := 0
	get := func(key int) {
		t.Helper()
		v, err := c.get(key, func() (int, error) { made++; return key * key, nil })
		if v != key*key || err != nil {
			t.Fatalf("%d: %d, %v", key, v, err)
		}
	}
	for i := range 1000 {
		get(i)
		get(7) // stays
		if n := len(c.young) + len(c.old); n > 8 {
			t.Fatalf("%d are kept", n)
		}
	}
	if made != 1000 {
		t.Errorf("made %d, want each one once", made)
	}
	trouble := errors.New("trouble")
	for range 2 {
		if _, err := c.get(-1, func() (int, error) { made++; return 0, trouble }); err != trouble {
			t.Error(err)
		}
	}
	if made != 1002 {
		t.Error("an error was kept")
	}
}
