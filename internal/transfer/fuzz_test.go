package transfer

import (
	"path"
	"strings"
	"testing"
)

// Patterns match as the words about them say, told here the slow way: segment by
// segment, ** being any number of them.
func FuzzFilter(f *testing.F) {
	for _, seed := range [][2]string{
		{"*.jpg", "a/b.jpg"}, {"a/**", "a/b/c"}, {"**/x", "x"}, {"a/**/b/**/c", "a/b/b/c/c"}, {"**", ""}, {"[a-", "a"}, {"a//b", "a//b"},
		{"**/**/**/a", "b/b/b/b/b"}, {"/a", "a"}, {"\\", "\\"}, {"a**", "ab/c"}, {"", "a"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, name string) {
		if strings.Count(pattern, "/") > 8 || strings.Count(name, "/") > 8 || len(pattern)+len(name) > 200 {
			return // the slow way is slow
		}
		var filter Filter
		if filter.Include(pattern) != nil {
			return
		}
		want := false
		if strings.Contains(pattern, "/") || strings.Contains(pattern, "**") {
			want = slowMatch(strings.Split(strings.TrimPrefix(pattern, "/"), "/"), strings.Split(name, "/"))
		} else {
			want, _ = path.Match(pattern, path.Base(name))
		}
		if got := filter.Takes(name); got != want {
			t.Errorf("%q and %q: %t, want %t", pattern, name, got, want)
		}
		// What is pruned has nothing below it that is taken.
		var without Filter
		if without.Exclude(pattern) == nil && without.Prunes(name+"/") && without.Takes(name+"/x") {
			t.Errorf("without %q, %q is not entered, and %q would be taken", pattern, name+"/", name+"/x")
		}
	})
}

func slowMatch(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		return slowMatch(pattern[1:], name) || len(name) > 0 && slowMatch(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	ok, _ := path.Match(pattern[0], name[0])
	return ok && slowMatch(pattern[1:], name[1:])
}
