package pebblekv

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
)

// The example of the package comment.
func TestRowKey(t *testing.T) {
	if got := rowKey("a\x00b", []byte("h")); string(got) != "\x02a\x00\xffb\x00\x01h" {
		t.Errorf("%x", got)
	}
}

// Keys in Pebble sort as (partition, key) do, lie in the bounds of their own
// partition alone, and can be taken apart again. Taking any bytes apart is
// harmless.
func FuzzRowKey(f *testing.F) {
	f.Add("a", "", "a\x00", "k")
	f.Add("a\x00\x01", "\x00\x01", "a", "\x00\x01\x00\x01")
	f.Add("\xff", "\x00", "\xff\xff", "")
	f.Fuzz(func(t *testing.T, p1, k1, p2, k2 string) {
		a, b := rowKey(kv.Partition(p1), []byte(k1)), rowKey(kv.Partition(p2), []byte(k2))
		want := strings.Compare(p1, p2)
		if want == 0 {
			want = strings.Compare(k1, k2)
		}
		if got := bytes.Compare(a, b); got != want {
			t.Errorf("%x and %x compare as %d, want %d", a, b, got, want)
		}
		lower, upper := partitionBounds(kv.Partition(p1))
		if inside := bytes.Compare(lower, b) <= 0 && bytes.Compare(b, upper) < 0; inside != (p1 == p2) {
			t.Errorf("%x in the bounds of %q: %v", b, p1, inside)
		}
		if p, k, ok := splitKey(a); !ok || string(p) != p1 || string(k) != k1 {
			t.Errorf("%x is %q, %q, %v", a, p, k, ok)
		}
		if p, k, ok := splitKey([]byte(k2)); ok && string(rowKey(p, k)) != k2 {
			t.Errorf("%q is not what its parts make", k2)
		}
	})
}
