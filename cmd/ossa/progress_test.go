package main

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// percentages are those that stand behind a name.
func percentages(t *testing.T, shown, name string) []int {
	t.Helper()
	var all []int
	for _, m := range regexp.MustCompile(regexp.QuoteMeta(name)+` +(\d+)%`).FindAllStringSubmatch(shown, -1) {
		p, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, p)
	}
	return all
}

func rising(t *testing.T, what string, all []int) {
	t.Helper()
	if len(all) < 2 {
		t.Fatalf("%s: only these percentages: %v", what, all)
	}
	for i := 1; i < len(all); i++ {
		if all[i] < all[i-1] {
			t.Errorf("%s: %d%% after %d%%: %v", what, all[i], all[i-1], all)
		}
	}
}

// On a terminal there is a bar for each file under way and one for all, with
// percentages that rise, rates and what is left, and no color; in the end only
// what was done stays.
func TestProgressOnTerminal(t *testing.T) {
	s := startTerminalServer(t)
	if out, err := s.command("cp", "-", "oss://scripts/x").CombinedOutput(); err == nil {
		t.Fatalf("there is a bucket already: %s", out)
	}
	makeBucket(t, s)
	s.file("tree/one", 24<<20)
	s.file("tree/two", 20<<20)
	s.file("tree/small", 10)

	shown, err := s.onTerminal(nil, "cp", "-r", "tree", "oss://scripts/tree", "--limit-rate", "20MiB")
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	rising(t, "total", percentages(t, shown, "total"))
	rising(t, "one", percentages(t, shown, "one"))
	rising(t, "two", percentages(t, shown, "two"))
	for _, want := range []string{"uploading", "MiB/s", "left", "of 3 files", "3 copied (44.0 MiB) in "} {
		if !strings.Contains(shown, want) {
			t.Errorf("nothing says %q:\n%q", want, shown)
		}
	}
	if color := regexp.MustCompile(`\x1b\[[0-9;]*m`).FindString(shown); color != "" {
		t.Errorf("there is color: %q", color)
	}

	shown, err = s.onTerminal(nil, "cp", "oss://scripts/tree/one", "got", "--limit-rate", "15MiB")
	if err != nil {
		t.Fatalf("%v\n%s", err, shown)
	}
	rising(t, "download", percentages(t, shown, "one"))
	if !strings.Contains(shown, "downloading") || strings.Contains(shown, "total") {
		t.Errorf("a single download shows %q", shown)
	}

	shown, err = s.onTerminal(nil, "cp", "tree/one", "oss://scripts/quiet", "--quiet")
	if err != nil || shown != "" {
		t.Errorf("--quiet: %v, %q", err, shown)
	}
}
