package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/transfer"
)

// Everything is done once, by no more workers than asked for, and an error ends it.
func TestEach(t *testing.T) {
	list := make([]int, 1000)
	for i := range list {
		list[i] = i
	}
	var mu sync.Mutex
	var seen []int
	busy, most := 0, 0
	err := each(context.Background(), sequence(list), 4, func(_ context.Context, i int) error {
		mu.Lock()
		busy++
		most = max(most, busy)
		seen = append(seen, i)
		mu.Unlock()
		runtime.Gosched()
		mu.Lock()
		busy--
		mu.Unlock()
		return nil
	})
	slices.Sort(seen)
	if err != nil || !slices.Equal(seen, list) || most > 4 {
		t.Errorf("%d of %d done by %d, %v", len(seen), len(list), most, err)
	}

	wrong := errors.New("wrong")
	done := 0
	err = each(context.Background(), sequence(list), 1, func(_ context.Context, i int) error {
		done++
		if i == 10 {
			return wrong
		}
		return nil
	})
	if !errors.Is(err, wrong) || done > 13 {
		t.Errorf("after an error %d were done, %v", done, err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := each(ctx, sequence(list), 2, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Batches have all that a listing has, its error at last.
func TestBatches(t *testing.T) {
	wrong := errors.New("wrong")
	listing := func(n int, err error) func(func(int, error) bool) {
		return func(yield func(int, error) bool) {
			for i := range n {
				if !yield(i, nil) {
					return
				}
			}
			if err != nil {
				yield(0, err)
			}
		}
	}
	for _, c := range []struct {
		n     int
		err   error
		sizes []int
	}{{0, nil, nil}, {3, nil, []int{3}}, {4, nil, []int{4}}, {9, nil, []int{4, 4, 1}}, {5, wrong, []int{4, 1}}, {0, wrong, nil}} {
		var sizes []int
		var got error
		for batch, err := range batches(listing(c.n, c.err), 4) {
			if err != nil {
				got = err
				continue
			}
			sizes = append(sizes, len(batch))
		}
		if !slices.Equal(sizes, c.sizes) || got != c.err {
			t.Errorf("%d: %v, %v; want %v, %v", c.n, sizes, got, c.sizes, c.err)
		}
	}
}

// Ages are read as people write them.
func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "12h": 12 * time.Hour, "0s": 0, "90m": 90 * time.Minute} {
		if age, err := parseAge("--older-than", text); err != nil || age != want {
			t.Errorf("%q: %v, %v; want %v", text, age, err, want)
		}
	}
	for _, text := range []string{"", "7", "d", "-1d", "-1h", "1.5d", "99999999999d"} {
		if age, err := parseAge("--older-than", text); err == nil || !strings.Contains(err.Error(), "--older-than") {
			t.Errorf("%q is %v, %v", text, age, err)
		}
	}
}

// What is printed cannot take a terminal over.
func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain\ttext\n": "plain\ttext\n", "a\x1b[2Jb": `a\x1b[2Jb`, "bell\a": `bell\a`, "\xff": `\xff`, "中文": "中文", "\u202e": `\u202e`, "\r": `\r`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// What a server says in a cell of a table stays in it.
func TestCellsAreHarmless(t *testing.T) {
	var out strings.Builder
	p := &printer{stdout: &out}
	evil := "a\n\u009b2J\t\u202e"
	if err := p.table("A", [][]string{{evil}}); err != nil {
		t.Fatal(err)
	}
	if err := p.fields("name", evil); err != nil {
		t.Fatal(err)
	}
	const harmless = `a\n\u009b2J\t\u202e`
	if want := "A\n" + harmless + "\n" + "name  " + harmless + "\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

// Nothing is done where something is given that is empty: rm without the version
// that was meant would delete the object.
func TestEmptyValues(t *testing.T) {
	setTestEnvironment(t, newLongBucket(t, 3, 3, nil))
	for _, args := range [][]string{
		{"rm", "oss://long/k", "--version-id", ""}, {"rm", "oss://long/k", "--version-id="}, {"uploads", "abort", "oss://long/k", ""},
		{"uploads", "clean", "oss://long", "--older-than", "0s", "--prefix", ""}, {"ls", "oss://long", "--profile", ""},
	} {
		var out, errs strings.Builder
		if status := run(args, &out, &errs); status != exitUsage || out.Len() > 0 || !strings.Contains(errs.String(), "is empty; is a variable not set?") {
			t.Errorf("%q: status %d, %q, %q", args, status, out.String(), errs.String())
		}
	}
}

// Commands whose results cannot be written fail, those included that talk to nobody.
func TestLostResults(t *testing.T) {
	setTestEnvironment(t, newLongBucket(t, 3, 3, nil))
	t.Setenv(envConfigFile, filepath.Join(t.TempDir(), "config"))
	for _, args := range []string{
		"version", "config set a --endpoint http://localhost", "config rm a", "acl set oss://long/k private", "rm -r oss://long/a", "doctor", "hash /dev/null",
	} {
		var errs strings.Builder
		if status := run(strings.Fields(args), fullDisk{}, &errs); status != exitFailed {
			t.Errorf("%s: status %d, %s", args, status, errs.String())
		}
	}
}

// fullDisk takes nothing.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, syscall.ENOSPC }

// Tables stay aligned over blocks, and one without rows is nothing.
func TestTable(t *testing.T) {
	var out strings.Builder
	p := &printer{stdout: &out}
	if err := p.rows("A B").end(); err != nil || out.Len() > 0 {
		t.Errorf("a table without rows: %q, %v", out.String(), err)
	}
	table := p.rows("A B")
	for range aligned + 10 {
		if err := table.add("länger", "x"); err != nil {
			t.Fatal(err)
		}
	}
	if err := table.end(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != aligned+11 || lines[0] != "A       B" || lines[1] != "länger  x" || lines[aligned+10] != "länger  x" {
		t.Errorf("%d lines: %q, %q, %q", len(lines), lines[0], lines[1], lines[len(lines)-1])
	}
}

// The words of ossutil become those of this program.
func TestFromOssutil(t *testing.T) {
	for from, want := range map[string]string{
		"":                                            "",
		"ls oss://b":                                  "ls oss://b",
		"sign oss://b/k --timeout 60":                 "presign oss://b/k --timeout 60",
		"set-acl oss://b public-read -b":              "acl set oss://b public-read",
		"lifecycle --method put oss://b f":            "lifecycle put oss://b f",
		"lifecycle --method=delete oss://b":           "lifecycle rm oss://b",
		"lifecycle put oss://b f":                     "lifecycle put oss://b f",
		"bucket-policy --method get oss://b":          "policy get oss://b",
		"listpart oss://b/k ID":                       "uploads parts oss://b/k ID",
		"object-tagging --method put oss://b/k#1 a#b": "tag put oss://b/k#1 a=b",
		"bucket-encryption --method delete oss://b":   "encryption rm oss://b",
		"set-acl -r -f oss://b/a private":             "acl set -r -f oss://b/a private",
		"getallpartsize oss://b":                      "uploads ls --sizes oss://b",
		"bucket-tagging --method put oss://b a#b c#d": "tag put oss://b a=b c=d",
		"bucket-encryption --method put oss://b --sse-algorithm KMS --kms-masterkey-id k": "encryption set oss://b --sse KMS --sse-key-id k",
		"bucket-encryption --method put --sse-algorithm=KMS oss://b":                      "encryption set --sse=KMS oss://b",
		"bucket-encryption --method put oss://b file":                                     "encryption put oss://b file",
	} {
		if got := strings.Join(fromOssutil(strings.Fields(from)), " "); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}

// What keys and files are called has no power over a terminal, and makes no lines
// of its own.
func TestTransferNamesAreHarmless(t *testing.T) {
	var out, errs bytes.Buffer
	s := &clientSession{printer: printer{stdout: &out, stderr: &errs}}
	w := newTransferWatch(s, true)
	evil := "a\x1b]0;b\x07\nc \u202e"
	for _, task := range []*transfer.Task{
		{Action: transfer.Download, Bucket: "b", Key: evil, Path: evil},
		{Action: transfer.Upload, Bucket: "b", Key: evil, Path: evil},
		{Action: transfer.Delete, Bucket: "b", Key: evil},
		{Action: transfer.Delete, Path: evil},
	} {
		for _, o := range []*transfer.Outcome{
			{Status: transfer.Done}, {Status: transfer.Planned}, {Status: transfer.Skipped, Reason: "r"}, {Status: transfer.Failed, Err: errors.New(evil)},
		} {
			w.Ended(task, o)
		}
	}
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 4*3 {
		t.Errorf("%d lines:\n%q", len(lines), out.String())
	}
	if text := out.String() + errs.String(); strings.ContainsAny(text, "\x1b\x07\u202e") {
		t.Errorf("%q", text)
	}
}

// What could not be said is an error of the command, whoever said it.
func TestUnsaid(t *testing.T) {
	for name, say := range map[string]func(p *printer){
		"a line":   func(p *printer) { p.say("done") },
		"an event": func(p *printer) { p.json = true; p.done("done", "done") },
	} {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		p := &printer{stdout: w}
		if err := p.unsaid(); err != nil {
			t.Errorf("%s: too early: %v", name, err)
		}
		say(p)
		p.stdout = io.Discard
		say(p)
		if err := p.unsaid(); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("%s: %v", name, err)
		}
		w.Close()
	}
}
