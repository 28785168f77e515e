package meta_test

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// someKey returns a short key of the bytes that the encoding treats specially
// and of some that it does not.
func someKey(rng *rand.Rand) string {
	b := make([]byte, 1+rng.IntN(4))
	for i := range b {
		b[i] = "\x00\x01\x02/a\xfe\xff"[rng.IntN(7)]
	}
	return string(b)
}

// The rows of uploads are in the order of their keys and then of their IDs,
// and those of one key or prefix lie together.
func TestUploadKeyOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200000 {
		a, b := someKey(rng), someKey(rng)
		ida, idb := string(rune('A'+rng.IntN(3))), string(rune('A'+rng.IntN(3)))
		ra, rb := meta.UploadKey(a, ida), meta.UploadKey(b, idb)
		want := strings.Compare(a, b)
		if want == 0 {
			want = strings.Compare(ida, idb)
		}
		if got := bytes.Compare(ra, rb); got != want {
			t.Fatalf("%q %s and %q %s compare as %d, their rows as %d", a, ida, b, idb, want, got)
		}
		if has := bytes.HasPrefix(ra, meta.UploadKeyPrefix(b)); has != strings.HasPrefix(a, b) {
			t.Fatalf("row of %q has prefix of %q: %v", a, b, has)
		}
		if after := bytes.Compare(ra, meta.AfterUploads(b)) >= 0; after != (a > b) {
			t.Fatalf("row of %q is after uploads of %q: %v", a, b, after)
		}
		if key, id, err := meta.SplitUploadKey(ra); key != a || id != ida || err != nil {
			t.Fatalf("row of %q %s splits into %q %s, %v", a, ida, key, id, err)
		}
	}
}

// PrefixEnd is the least key above all with the prefix.
func TestPrefixEnd(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 100000 {
		prefix, key := someKey(rng), someKey(rng)
		end := meta.PrefixEnd([]byte(prefix))
		inside := key >= prefix && (end == nil || key < string(end))
		if inside != strings.HasPrefix(key, prefix) {
			t.Fatalf("%q lies within %q and %q: %v", key, prefix, end, inside)
		}
	}
	for _, none := range []string{"", "\xff", "\xff\xff"} {
		if end := meta.PrefixEnd([]byte(none)); end != nil {
			t.Errorf("end of %q is %q", none, end)
		}
	}
}

// Numbers in keys are in their order, and read back.
func TestPartKey(t *testing.T) {
	var last []byte
	for n := 1; n <= 10000; n++ {
		key := meta.PartKey(n)
		if bytes.Compare(last, key) >= 0 {
			t.Fatalf("key of part %d is not above the one before", n)
		}
		if back, err := meta.PartNumber(key); back != n || err != nil {
			t.Fatalf("part %d reads back as %d, %v", n, back, err)
		}
		x := meta.ReplacedKey(n, rand.Uint64())
		if bytes.Compare(x, meta.ReplacedKey(n, 0)) < 0 || bytes.Compare(x, meta.ReplacedKey(n+1, 0)) >= 0 {
			t.Fatalf("replaced part %d lies among others", n)
		}
		last = key
	}
	if bytes.Compare(meta.GarbageKey(1, 1<<63), meta.GarbageKey(2, 0)) >= 0 {
		t.Error("garbage is not in the order of time")
	}
	for _, bad := range []string{"", "p/", "p/\x00", "p/\x00\x00\x00", "x/\x00\x01"} {
		if _, err := meta.PartNumber([]byte(bad)); !errors.Is(err, meta.ErrCorrupt) {
			t.Errorf("part row %q: %v", bad, err)
		}
	}
}

// The longest keys and names fit every engine.
func TestKeyLimits(t *testing.T) {
	id := strings.Repeat("F", 32)
	key := strings.Repeat("\x00", 1023)
	for _, row := range [][]byte{meta.UploadKey(key, id), meta.ObjectKey(key), meta.RangeKey(key)} {
		if len(row) > kv.DefaultLimits.Key {
			t.Errorf("row key %.4q of %d bytes", row, len(row))
		}
	}
	for _, p := range []kv.Partition{meta.UploadPartition(id, id), meta.RangePartition(id, 1<<62), meta.BucketPartition(id)} {
		if len(p) > kv.MaxPartition {
			t.Errorf("partition %q of %d bytes", p, len(p))
		}
	}
}

// Names of partitions are taken apart as they were put together, and no
// others.
func TestSplitPartition(t *testing.T) {
	if b, u, ok := meta.SplitUploadPartition(meta.UploadPartition("B", "U")); b != "B" || u != "U" || !ok {
		t.Errorf("upload partition: %q %q %v", b, u, ok)
	}
	if b, ok := meta.SplitRangePartition(meta.RangePartition("B", 7)); b != "B" || !ok {
		t.Errorf("range partition: %q %v", b, ok)
	}
	for _, p := range []kv.Partition{meta.Root, "", "u", "r", "b.B", "u.B", "r.B"} {
		if b, u, ok := meta.SplitUploadPartition(p); ok {
			t.Errorf("%q is the upload partition %q %q", p, b, u)
		}
		if b, ok := meta.SplitRangePartition(p); ok {
			t.Errorf("%q is a range partition of %q", p, b)
		}
	}
}

// A row key that is none of an upload is refused; one that is, is unique.
func FuzzSplitUploadKey(f *testing.F) {
	f.Add(meta.UploadKey("a\x00b", "ID"))
	f.Add([]byte("u/a\x00\x02"))
	f.Fuzz(func(t *testing.T, row []byte) {
		key, id, err := meta.SplitUploadKey(row)
		if err != nil {
			if !errors.Is(err, meta.ErrCorrupt) {
				t.Error(err)
			}
			return
		}
		if again := meta.UploadKey(key, id); !bytes.Equal(again, row) {
			t.Errorf("%q is read as %q %q, whose row is %q", row, key, id, again)
		}
	})
}
