package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

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

// Columns of a table are as wide as a terminal shows them.
func TestTableOfWideCharacters(t *testing.T) {
	var out strings.Builder
	p := &printer{stdout: &out}
	if err := p.table("NAME VALUE", [][]string{{"颜色", "红"}, {"color", "red"}}); err != nil {
		t.Fatal(err)
	}
	if want := "NAME   VALUE\n颜色   红\ncolor  red\n"; out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}
