package main

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mattn/go-runewidth"
)

// However wide a terminal is, the lines of all bars have their bars in the same
// columns, and what does not fit is what matters least: percentage and time stay.
func TestLinesAreAligned(t *testing.T) {
	states := []*lineState{
		{name: "r.bin", percent: 7, words: []string{"uploading", "127.8 MiB", "35.2 MiB/s", "2s left"}},
		{name: "大文件名称.bin", percent: 100, words: []string{"completing"}},
		{name: "a/very/long/name/of/something.tar.gz", percent: -1, words: []string{"downloading", "1.2 GiB", "35.2 MiB/s"}},
		{name: "total", percent: 41, words: []string{"115.0 MiB of 276.6 MiB", "123456 of 300001 files", "36.6 MiB/s", "0:12:05 left"}},
	}
	for _, columns := range []int{40, 80, 81, 100, 120, 200} {
		leftWidth, rightWidth := -1, -1
		for _, s := range states {
			left := strings.TrimPrefix(s.left(columns), "\r")
			l := runewidth.StringWidth(left)
			right := s.right(columns - l)
			r := len(right)
			if leftWidth < 0 {
				leftWidth, rightWidth = l, r
			}
			if l != leftWidth || r != rightWidth && columns >= 80 || columns >= 80 && l+r > columns-barWidthMin {
				t.Errorf("%d columns: %q takes %d and %q %d, others %d and %d", columns, left, l, right, r, leftWidth, rightWidth)
			}
			if last := s.words[len(s.words)-1]; !strings.Contains(right, last) {
				t.Errorf("%d columns: %q lacks %q", columns, right, last)
			}
		}
	}
	if got, want := strings.TrimSpace(states[3].right(80-25)), "36.6 MiB/s, 0:12:05 left"; got != want {
		t.Errorf("at 80 columns the total says %q, want %q", got, want)
	}
}

// The ^C that a terminal echoes neither moves the bars nor stays behind.
func TestEchoOfInterrupt(t *testing.T) {
	s := startTerminalServer(t)
	makeBucket(t, s)
	s.file("big", 32<<20)
	shown, err := s.onTerminal(nil, "cp", "big", "oss://scripts/big", "--limit-rate", "60MiB")
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	bars := regexp.MustCompile(`(\r?)big +\d+%`).FindAllStringSubmatch(shown, -1)
	if len(bars) == 0 {
		t.Fatalf("no bar in %q", shown)
	}
	for _, bar := range bars {
		if bar[1] != "\r" {
			t.Errorf("%q does not begin in the first column", bar[0])
		}
	}
	if !strings.HasSuffix(shown, "\r\x1b[K") {
		t.Errorf("the line of the echo is not cleared in the end: %q", shown)
	}
}

// A name cannot move the cursor, and is as wide as the others.
func TestPad(t *testing.T) {
	for in, want := range map[string]string{
		"a":                      "a         ",
		"evil\x1b[2J\r\u202egnp": "...J??gnp ",
		"long/name/that/goes/on": "...oes/on ",
		"\u00e9\u00e9":           "\u00e9\u00e9        ",
	} {
		if got := pad(in, 9); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
