package kvtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
)

// What is exactly at a limit passes, one more does not.
func testLimits(t *testing.T, e kv.Engine) {
	l := e.Limits()
	d := kv.DefaultLimits
	if l.Key < d.Key || l.Value < d.Value || l.CommitRows < d.CommitRows || l.CommitBytes < d.CommitBytes || l.ScanRows < 1 {
		t.Errorf("limits %+v are below the default", l)
	}
	create(t, e, part)
	commit := func(rows ...kv.Write) error {
		return e.Commit(ctx, part, guards(g("h", "0"), absent(string(rows[0].Key))), rows)
	}

	name := kv.Partition(bytes.Repeat([]byte{0}, kv.MaxPartition))
	create(t, e, name, "a", "1")
	wantStrings(t, "longest name", get(t, e, name, "a"), "1")
	want(t, "name too long", e.Create(ctx, name+"x", writes(w("h", "0"))), kv.ErrInvalid)

	key := strings.Repeat("k", l.Key)
	want(t, "longest key", commit(w(key, "1")), nil)
	wantStrings(t, "longest key", get(t, e, part, key), "1")
	want(t, "key too long", commit(w(key+"k", "1")), kv.ErrInvalid)

	value := strings.Repeat("v", l.Value)
	want(t, "longest value", commit(w("value", value)), nil)
	wantStrings(t, "longest value", get(t, e, part, "value"), value)
	want(t, "value too long", commit(w("value2", value+"v")), kv.ErrInvalid)

	var rows []kv.Write
	for i := range l.CommitRows {
		rows = append(rows, w(fmt.Sprintf("row%06d", i), "v"))
	}
	want(t, "most rows", commit(rows...), nil)
	want(t, "too many rows", commit(append(writes(w("one", "v")), rows...)...), kv.ErrInvalid)

	var full []kv.Write
	for size := 0; size < l.CommitBytes; {
		key := fmt.Sprintf("full%06d", len(full))
		n := min(l.Value, l.CommitBytes-size-len(key))
		if n < 1 { // what is left does not make a row
			last := &full[len(full)-1]
			last.Value = last.Value[:len(last.Value)-len(key)]
			size -= len(key)
			continue
		}
		full = append(full, w(key, value[:n]))
		size += len(key) + n
	}
	want(t, "most bytes", commit(full...), nil)
	full[0].Key = append([]byte("x"), full[0].Key...)
	want(t, "too many bytes", commit(full...), kv.ErrInvalid)
}

// Mistakes of a caller are refused and change nothing.
func testInvalid(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1")
	for _, c := range []struct {
		name string
		err  error
	}{
		{"create without name", e.Create(ctx, "", writes(w("h", "0")))},
		{"create without header", e.Create(ctx, "q", writes(w("a", "1")))},
		{"create with deletion", e.Create(ctx, "q", writes(w("h", "1"), del("a")))},
		{"create with empty value", e.Create(ctx, "q", writes(w("h", "1"), w("a", "")))},
		{"create with a row twice", e.Create(ctx, "q", writes(w("h", "1"), w("a", "1"), w("a", "1")))},
		{"commit without guards", e.Commit(ctx, part, nil, writes(w("a", "2")))},
		{"commit without name", e.Commit(ctx, "", guards(g("h", "0"), g("a", "1")), writes(w("a", "2")))},
		{"commit without header", e.Commit(ctx, part, guards(g("a", "1")), writes(w("a", "2")))},
		{"commit with header absent", e.Commit(ctx, part, guards(absent("h"), g("a", "1")), writes(w("a", "2")))},
		{"commit deleting the header", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "2"), del("h")))},
		{"commit guarding nothing it writes", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("b", "2")))},
		{"commit writing what it guards", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "1")))},
		{"commit deleting what it guards absent", e.Commit(ctx, part, guards(g("h", "0"), absent("b")), writes(del("b")))},
		{"commit without writes", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), nil)},
		{"commit with empty value", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "")))},
		{"commit with empty key", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "2"), w("", "2")))},
		{"commit with a row twice", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "2"), w("a", "3")))},
		{"drop without name", e.Drop(ctx, "")},
		{"get without name", second(e.Get(ctx, "", []byte("a")))},
		{"get with empty key", second(e.Get(ctx, part, nil))},
		{"scan without name", third(e.Scan(ctx, "", nil, nil, 1))},
	} {
		want(t, c.name, c.err, kv.ErrInvalid)
	}
	wantStrings(t, "rows", get(t, e, part, "h", "a", "b"), "0", "1", "-")
	wantStrings(t, "not created", get(t, e, "q", "h", "a"), "-", "-")
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// What goes in and what comes out is the caller's to change.
func testSlices(t *testing.T, e kv.Engine) {
	spoil := func(b []byte) {
		for i := range b {
			b[i] = 'x'
		}
	}
	rows := writes(w("h", "000"), w("a", "111"))
	want(t, "create", e.Create(ctx, part, rows), nil)
	for _, row := range rows {
		spoil(row.Key)
		spoil(row.Value)
	}
	change := writes(w("a", "222"), w("b", "222"))
	held := guards(g("h", "000"), g("a", "111"))
	want(t, "commit", e.Commit(ctx, part, held, change), nil)
	for i := range change {
		spoil(change[i].Key)
		spoil(change[i].Value)
		spoil(held[i].Key)
		spoil(held[i].Value)
	}
	for range 2 {
		wantStrings(t, "rows", get(t, e, part, "h", "a", "b"), "000", "222", "222")
		got, err := e.Get(ctx, part, []byte("h"), []byte("a"))
		want(t, "get", err, nil)
		one, err := e.Get(ctx, part, []byte("a"))
		want(t, "get one", err, nil)
		scanned, _, err := e.Scan(ctx, part, nil, nil, 0)
		want(t, "scan", err, nil)
		for _, row := range slices.Concat(got, one, scanned) {
			spoil(row.Key)
			spoil(row.Value)
		}
	}
}

// A call whose context is over does nothing.
func testCancelled(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1")
	over, cancel := context.WithCancel(ctx)
	cancel()
	for _, c := range []struct {
		name string
		err  error
	}{
		{"create", e.Create(over, "q", writes(w("h", "0")))},
		{"commit", e.Commit(over, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "2")))},
		{"drop", e.Drop(over, part)},
		{"get", second(e.Get(over, part, []byte("a")))},
		{"scan", third(e.Scan(over, part, nil, nil, 0))},
	} {
		want(t, c.name, c.err, context.Canceled)
	}
	wantStrings(t, "rows", get(t, e, part, "h", "a"), "0", "1")
	wantStrings(t, "not created", get(t, e, "q", "h"), "-")
}

// A closed engine answers nothing.
func testClose(t *testing.T, e kv.Engine) {
	create(t, e, part, "a", "1")
	want(t, "close", e.Close(), nil)
	for _, c := range []struct {
		name string
		err  error
	}{
		{"create", e.Create(ctx, "q", writes(w("h", "0")))},
		{"commit", e.Commit(ctx, part, guards(g("h", "0"), g("a", "1")), writes(w("a", "2")))},
		{"drop", e.Drop(ctx, part)},
		{"get", second(e.Get(ctx, part, []byte("a")))},
		{"scan", third(e.Scan(ctx, part, nil, nil, 0))},
		{"close", e.Close()},
	} {
		want(t, c.name, c.err, kv.ErrUnavailable)
	}
	if l, ok := e.(kv.Lister); ok {
		want(t, "list", third(l.Partitions(ctx, "", 1)), kv.ErrUnavailable)
	}
}

// A Lister names every partition once, in order, in pages of any size.
func testList(t *testing.T, e kv.Engine) {
	l, ok := e.(kv.Lister)
	if !ok {
		return // an engine need not be one
	}
	names := []kv.Partition{"\x00", "\x00\x00", "a", "a\x00", "a\x00b", "a\x01", "ab", "b", "\xff", "\xff\xff"}
	for _, p := range names {
		create(t, e, p, "\x00k", "1", "k", "1", "\xff", "1")
	}
	create(t, e, "aa")
	want(t, "drop", e.Drop(ctx, "aa"), nil)
	for _, limit := range []int{0, 1, 3, len(names), len(names) + 1} {
		var got []kv.Partition
		for after, more := kv.Partition(""), true; more; {
			var page []kv.Partition
			var err error
			page, more, err = l.Partitions(ctx, after, limit)
			if err != nil || len(page) == 0 || limit > 0 && len(page) > limit {
				t.Fatalf("limit %d after %q: %q, %v", limit, after, page, err)
			}
			got = append(got, page...)
			after = page[len(page)-1]
		}
		if !slices.Equal(got, names) {
			t.Errorf("limit %d: %q", limit, got)
		}
	}
	if page, more, err := l.Partitions(ctx, "\xff\xff", 1); len(page) != 0 || more || err != nil {
		t.Errorf("after the last: %q, %v, %v", page, more, err)
	}
	if page, more, err := l.Partitions(ctx, "aa", 1); !slices.Equal(page, []kv.Partition{"ab"}) || !more || err != nil {
		t.Errorf("after one that is not there: %q, %v, %v", page, more, err)
	}
	if err := errors.Join(e.Drop(ctx, "a"), e.Drop(ctx, "\xff\xff")); err != nil {
		t.Fatal(err)
	}
	if page, more, err := l.Partitions(ctx, "\x00\x00", 8); len(page) != 6 || more || err != nil {
		t.Errorf("after drops: %q, %v, %v", page, more, err)
	}
}
