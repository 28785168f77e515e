// Package kvtest proves of a kv.Engine what package kv promises, as far as one
// process that is never killed can tell. What survives a crash is for each
// engine's own tests.
package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
)

// Run runs the suite. open returns a new, empty engine each time; the suite
// closes it.
func Run(t *testing.T, open func(t *testing.T) kv.Engine) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, e kv.Engine)
	}{
		{"Create", testCreate},
		{"CreateConflict", testCreateConflict},
		{"Get", testGet},
		{"Order", testOrder},
		{"PartitionsApart", testPartitionsApart},
		{"ScanBounds", testScanBounds},
		{"ScanLimit", testScanLimit},
		{"ScanBytes", testScanBytes},
		{"Guards", testGuards},
		{"AllOrNothing", testAllOrNothing},
		{"Repeat", testRepeat},
		{"Fence", testFence},
		{"Drop", testDrop},
		{"DropMany", testDropMany},
		{"Limits", testLimits},
		{"Invalid", testInvalid},
		{"SlicesAreTheCallers", testSlices},
		{"Cancelled", testCancelled},
		{"Close", testClose},
		{"List", testList},
		{"ConcurrentIncrements", testConcurrentIncrements},
		{"ConcurrentCreate", testConcurrentCreate},
		{"ConcurrentRows", testConcurrentRows},
		{"ConcurrentSnapshots", testConcurrentSnapshots},
		{"ConcurrentDrop", testConcurrentDrop},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := open(t)
			test.run(t, e)
			if err := e.Close(); err != nil && !errors.Is(err, kv.ErrUnavailable) {
				t.Errorf("close: %v", err)
			}
		})
	}
}

var ctx = context.Background()

const part = kv.Partition("p")

func w(key, value string) kv.Write    { return kv.Write{Key: []byte(key), Value: []byte(value)} }
func del(key string) kv.Write         { return kv.Write{Key: []byte(key)} }
func g(key, value string) kv.Guard    { return kv.Guard{Key: []byte(key), Value: []byte(value)} }
func absent(key string) kv.Guard      { return kv.Guard{Key: []byte(key)} }
func guards(g ...kv.Guard) []kv.Guard { return g }
func writes(w ...kv.Write) []kv.Write { return w }

// create makes p with header "0" and the rows, given as key, value, key, ...
func create(t *testing.T, e kv.Engine, p kv.Partition, pairs ...string) {
	t.Helper()
	rows := writes(w(kv.HeaderKey, "0"))
	for i := 0; i < len(pairs); i += 2 {
		rows = append(rows, w(pairs[i], pairs[i+1]))
	}
	if err := e.Create(ctx, p, rows); err != nil {
		t.Fatalf("create %q: %v", p, err)
	}
}

// get returns values, "-" for a row that does not exist.
func get(t *testing.T, e kv.Engine, p kv.Partition, keys ...string) []string {
	t.Helper()
	var wanted [][]byte
	for _, key := range keys {
		wanted = append(wanted, []byte(key))
	}
	rows, err := e.Get(ctx, p, wanted...)
	if err != nil {
		t.Fatalf("get %q: %v", keys, err)
	}
	if len(rows) != len(keys) {
		t.Fatalf("get %q: %d rows", keys, len(rows))
	}
	var values []string
	for i, row := range rows {
		if string(row.Key) != keys[i] {
			t.Fatalf("get %q: row %d is %q", keys, i, row.Key)
		}
		if row.Value == nil {
			values = append(values, "-")
		} else {
			values = append(values, string(row.Value))
		}
	}
	return values
}

// keys returns the keys of a scan; "" for from and to is nil.
func keys(t *testing.T, e kv.Engine, p kv.Partition, from, to string, limit int) (keys []string, more bool) {
	t.Helper()
	rows, more, err := e.Scan(ctx, p, orNil(from), orNil(to), limit)
	if err != nil {
		t.Fatalf("scan %q to %q: %v", from, to, err)
	}
	for _, row := range rows {
		if len(row.Value) == 0 {
			t.Fatalf("scan %q to %q: row %q without value", from, to, row.Key)
		}
		keys = append(keys, string(row.Key))
	}
	return keys, more
}

func orNil(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func want(t *testing.T, what string, err, wanted error) {
	t.Helper()
	if !errors.Is(err, wanted) {
		t.Errorf("%s: %v, want %v", what, err, wanted)
	}
}

func wantStrings(t *testing.T, what string, got []string, wanted ...string) {
	t.Helper()
	if !slices.Equal(got, wanted) {
		t.Errorf("%s: %q, want %q", what, got, wanted)
	}
}

// A partition has its rows once Create returned, and had none before.
func testCreate(t *testing.T, e kv.Engine) {
	wantStrings(t, "before", get(t, e, part, "h", "a"), "-", "-")
	if got, more := keys(t, e, part, "", "", 0); len(got) != 0 || more {
		t.Errorf("scan before: %q, %v", got, more)
	}
	want(t, "commit before", e.Commit(ctx, part, guards(g("h", "0"), absent("a")), writes(w("a", "1"))), kv.ErrConflict)
	create(t, e, part, "a", "1")
	wantStrings(t, "after", get(t, e, part, "h", "a"), "0", "1")
}

// Create does nothing to a partition that exists.
func testCreateConflict(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1")
	want(t, "again", e.Create(ctx, part, writes(w("h", "9"), w("a", "9"), w("b", "9"))), kv.ErrConflict)
	wantStrings(t, "rows", get(t, e, part, "h", "a", "b"), "0", "1", "-")
}

// Get answers in the order of the keys, absent and repeated ones included.
func testGet(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1", "b", "2", "c", "3")
	wantStrings(t, "values", get(t, e, part, "c", "x", "a", "c", "aa", "b"), "3", "-", "1", "3", "-", "2")
	wantStrings(t, "one", get(t, e, part, "b"), "2")
	wantStrings(t, "one absent", get(t, e, part, "bb"), "-")
	if rows, err := e.Get(ctx, part); err != nil || len(rows) != 0 {
		t.Errorf("no keys: %v, %v", rows, err)
	}
	wantStrings(t, "other partition", get(t, e, "q", "a", "b"), "-", "-")
}

// Keys are in byte order, whatever the bytes.
func testOrder(t *testing.T, e kv.Engine) {
	sorted := []string{
		"\x00", "\x00\x00", "\x00\x01", "\x00\xff", "\x01", "a", "a\x00", "a\x00\x00", "a\x00\x01", "a\x00\xff",
		"a\x01", "a/", "a/b", "a0", "aa", "a\xff", "a\xff\xff", "b", "h", "\x7f", "\x80", "ü", "\xff", "\xff\x00", "\xff\xff",
	}
	slices.Sort(sorted)
	create(t, e, part)
	for i := len(sorted) - 1; i >= 0; i-- { // the header is among them
		if sorted[i] != kv.HeaderKey {
			put(t, e, part, sorted[i], "v"+sorted[i])
		}
	}
	got, _ := keys(t, e, part, "", "", 0)
	wantStrings(t, "all", got, sorted...)
	for _, key := range sorted {
		if key != kv.HeaderKey {
			wantStrings(t, "value", get(t, e, part, key), "v"+key)
		}
	}
	for i, from := range sorted {
		for j, to := range sorted {
			got, more := keys(t, e, part, from, to, 0)
			wantStrings(t, fmt.Sprintf("%q to %q", from, to), got, sorted[i:max(i, j)]...)
			if more {
				t.Errorf("%q to %q: more", from, to)
			}
		}
	}
}

// put sets a row that does not exist, under header "0".
func put(t *testing.T, e kv.Engine, p kv.Partition, key, value string) {
	t.Helper()
	if err := e.Commit(ctx, p, guards(g("h", "0"), absent(key)), writes(w(key, value))); err != nil {
		t.Fatalf("put %q in %q: %v", key, p, err)
	}
}

// Partitions whose names begin alike, and keys that look like names, share
// nothing.
func testPartitionsApart(t *testing.T, e kv.Engine) {
	names := []kv.Partition{"a", "ab", "a\x00", "a\x00\x00", "a\x00\x01", "a\x00\xff", "a\x01", "a\xff", "\x00", "\xff", "\xff\xff", "h"}
	for i, p := range names {
		create(t, e, p, "k", fmt.Sprint(i), "\x00", "1", "\x00\x01k", "2", "\xffk", "3", "bk", "4")
	}
	for i, p := range names {
		got, _ := keys(t, e, p, "", "", 0)
		wantStrings(t, fmt.Sprintf("rows of %q", p), got, "\x00", "\x00\x01k", "bk", "h", "k", "\xffk")
		wantStrings(t, fmt.Sprintf("k of %q", p), get(t, e, p, "k"), fmt.Sprint(i))
	}
	for i, p := range names {
		if i%2 == 0 {
			want(t, "drop", e.Drop(ctx, p), nil)
		}
	}
	for i, p := range names {
		got, _ := keys(t, e, p, "", "", 0)
		if wanted := 6 * (i % 2); len(got) != wanted {
			t.Errorf("%q has %d rows after drops, want %d", p, len(got), wanted)
		}
	}
}

// from is included, to is not, and neither need exist.
func testScanBounds(t *testing.T, e kv.Engine) {
	create(t, e, part, "b", "1", "d", "2", "f", "3")
	for _, c := range []struct {
		from, to string
		want     []string
	}{
		{"", "", []string{"b", "d", "f", "h"}},
		{"b", "f", []string{"b", "d"}},
		{"a", "g", []string{"b", "d", "f"}},
		{"b\x00", "f\x00", []string{"d", "f"}},
		{"c", "d", nil},
		{"d", "d", nil},
		{"f", "b", nil},
		{"i", "", nil},
		{"", "b", nil},
		{"\xff\xff", "", nil},
	} {
		got, more := keys(t, e, part, c.from, c.to, 0)
		wantStrings(t, fmt.Sprintf("%q to %q", c.from, c.to), got, c.want...)
		if more {
			t.Errorf("%q to %q: more", c.from, c.to)
		}
	}
	rows, more, err := e.Scan(ctx, part, nil, []byte{}, 0)
	if len(rows) != 0 || more || err != nil {
		t.Errorf("to nothing that is not nil: %v, %v, %v", rows, more, err)
	}
}

// more tells whether rows in the bounds remain, exactly.
func testScanLimit(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1", "b", "2", "c", "3")
	for _, c := range []struct {
		to    string
		limit int
		n     int
		more  bool
	}{{"", 1, 1, true}, {"", 3, 3, true}, {"", 4, 4, false}, {"", 5, 4, false}, {"c", 2, 2, false}, {"c", 1, 1, true}} {
		if got, more := keys(t, e, part, "", c.to, c.limit); len(got) != c.n || more != c.more {
			t.Errorf("to %q, limit %d: %q, %v", c.to, c.limit, got, more)
		}
	}

	n := e.Limits().ScanRows
	for i := 0; i < n; i += 500 {
		rows := writes()
		for j := i; j < min(n, i+500); j++ {
			rows = append(rows, w(fmt.Sprintf("x%06d", j), "v"))
		}
		want(t, "fill", e.Commit(ctx, part, guards(g("h", "0"), absent(string(rows[0].Key))), rows), nil)
	}
	for _, limit := range []int{0, -1, n, n + 1} {
		if got, more := keys(t, e, part, "", "", limit); len(got) != n || !more {
			t.Errorf("limit %d: %d rows, %v", limit, len(got), more)
		}
	}
	var all []string
	for from, more := "", true; more; {
		var got []string
		got, more = keys(t, e, part, from, "", 77)
		all = append(all, got...)
		from = got[len(got)-1] + "\x00"
	}
	if len(all) != n+4 || !slices.IsSorted(all) {
		t.Errorf("pages hold %d rows, want %d", len(all), n+4)
	}
}

// A scan of large values ends, in as many pages as it takes.
func testScanBytes(t *testing.T, e kv.Engine) {
	create(t, e, part)
	const n = 100
	large := string(bytes.Repeat([]byte("v"), e.Limits().Value))
	for i := range n {
		put(t, e, part, fmt.Sprintf("x%03d", i), large)
	}
	seen := 0
	for from, more := "x", true; more; {
		var got []string
		got, more = keys(t, e, part, from, "", 0)
		if len(got) == 0 {
			t.Fatal("a page without rows")
		}
		seen += len(got)
		from = got[len(got)-1] + "\x00"
	}
	if seen != n {
		t.Errorf("%d rows, want %d", seen, n)
	}
}

// A commit happens only if every guard holds.
func testGuards(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1", "b", "2")
	for _, c := range []struct {
		name   string
		guards []kv.Guard
		want   error
	}{
		{"header differs", guards(g("h", "1"), g("a", "1")), kv.ErrConflict},
		{"row differs", guards(g("h", "0"), g("a", "2")), kv.ErrConflict},
		{"row is longer", guards(g("h", "0"), g("a", "")), kv.ErrInvalid},
		{"row is a prefix", guards(g("h", "0"), g("a", "11")), kv.ErrConflict},
		{"row exists", guards(g("h", "0"), absent("a")), kv.ErrConflict},
		{"row is absent", guards(g("h", "0"), g("a", "1"), g("x", "1")), kv.ErrConflict},
		{"another differs", guards(g("h", "0"), g("a", "1"), g("b", "1")), kv.ErrConflict},
		{"the last differs", guards(g("a", "1"), g("b", "2"), g("h", "00")), kv.ErrConflict},
		{"all hold", guards(g("h", "0"), g("a", "1"), g("b", "2"), absent("x"), absent("c")), nil},
	} {
		err := e.Commit(ctx, part, c.guards, writes(w("a", "3"), w("c", "3"), del("b")))
		want(t, c.name, err, c.want)
		if c.want != nil {
			wantStrings(t, c.name, get(t, e, part, "a", "b", "c"), "1", "2", "-")
		}
	}
	wantStrings(t, "after", get(t, e, part, "h", "a", "b", "c"), "0", "3", "-", "3")
	want(t, "deleted row guarded", e.Commit(ctx, part, guards(g("h", "0"), g("b", "2")), writes(w("b", "4"))), kv.ErrConflict)
	want(t, "delete of nothing", e.Commit(ctx, part, guards(g("h", "0"), g("a", "3")), writes(w("a", "4"), del("nothing"))), nil)
}

// Of a commit with a conflict nothing is seen, of any other everything.
func testAllOrNothing(t *testing.T, e kv.Engine) {
	create(t, e, part)
	rows := writes(w("h", "1"))
	for i := range e.Limits().CommitRows - 1 {
		rows = append(rows, w(fmt.Sprintf("r%04d", i), "v"))
	}
	want(t, "conflict", e.Commit(ctx, part, guards(g("h", "9"), absent("r0000")), rows), kv.ErrConflict)
	got, _ := keys(t, e, part, "", "", 0)
	wantStrings(t, "after the conflict", got, "h")
	want(t, "commit", e.Commit(ctx, part, guards(g("h", "0"), absent("r0000")), rows), nil)
	if got, _ := keys(t, e, part, "", "", 0); len(got) != len(rows) {
		t.Errorf("%d rows after the commit, want %d", len(got), len(rows))
	}
}

// A commit that comes twice happens once.
func testRepeat(t *testing.T, e kv.Engine) {
	create(t, e, part)
	once := func() error {
		return e.Commit(ctx, part, guards(g("h", "0"), absent("a")), writes(w("a", "1"), w("b", "1")))
	}
	want(t, "first", once(), nil)
	want(t, "change", e.Commit(ctx, part, guards(g("h", "0"), g("b", "1")), writes(w("b", "2"))), nil)
	want(t, "second", once(), kv.ErrConflict)
	wantStrings(t, "rows", get(t, e, part, "a", "b"), "1", "2")
}

// After the header changed, no commit that guards the old one can happen.
func testFence(t *testing.T, e kv.Engine) {
	create(t, e, part)
	want(t, "fence", e.Commit(ctx, part, guards(g("h", "0")), writes(w("h", "1"))), nil)
	want(t, "late", e.Commit(ctx, part, guards(g("h", "0"), absent("a")), writes(w("a", "1"))), kv.ErrConflict)
	want(t, "fence again", e.Commit(ctx, part, guards(g("h", "0")), writes(w("h", "1"))), kv.ErrConflict)
	want(t, "new", e.Commit(ctx, part, guards(g("h", "1"), absent("a")), writes(w("a", "1"))), nil)
}

// A dropped partition has no rows and takes none; dropping is idempotent.
func testDrop(t *testing.T, e kv.Engine) {
	want(t, "drop of nothing", e.Drop(ctx, part), nil)
	create(t, e, part, "a", "1")
	create(t, e, "q", "a", "1")
	for range 2 {
		want(t, "drop", e.Drop(ctx, part), nil)
		wantStrings(t, "rows", get(t, e, part, "h", "a"), "-", "-")
		want(t, "commit", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "2"))), kv.ErrConflict)
		want(t, "commit of a new row", e.Commit(ctx, part, guards(g("h", "0"), absent("b")), writes(w("b", "2"))), kv.ErrConflict)
	}
	wantStrings(t, "the other", get(t, e, "q", "h", "a"), "0", "1")
}

// A partition of many rows goes as a whole.
func testDropMany(t *testing.T, e kv.Engine) {
	create(t, e, part)
	for i := 0; i < 3000; i += 500 {
		var rows []kv.Write
		for j := range 500 {
			rows = append(rows, w(fmt.Sprintf("r%05d", i+j), "v"))
		}
		want(t, "fill", e.Commit(ctx, part, guards(g("h", "0"), absent(string(rows[0].Key))), rows), nil)
	}
	want(t, "drop", e.Drop(ctx, part), nil)
	got, more := keys(t, e, part, "", "", 0)
	wantStrings(t, "rows", got)
	if more {
		t.Error("more rows")
	}
}
