package transfer

import (
	"slices"
	"strings"
	"testing"
)

// What leaves the directory, or is another file than its name says, is refused;
// strange names that are safe are not.
func TestSafeName(t *testing.T) {
	for _, name := range []string{
		"a", "a/b", "a/b/", ".a", "..a", "a..", "a b", "a\\b", "con", "a:b", "-rf", "\n", "\u202e", "a.ossa-partial/b", "...",
	} {
		if err := safeNameOn(name, false); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	both := []string{
		"", "/", "/a", "//a", "a//b", "a/./b", "./a", ".", "..", "../a", "a/..", "a/../b", "a/../../b", "a\x00", "a/b\x00c", "a//",
		"a.ossa-partial", "a/b.ossa-partial", ".ossa-partial",
	}
	windows := []string{
		`a\b`, `..\a`, "c:", "c:/a", "a:b", "con", "CON.txt", "a/nul", "com1", "LPT9.x", "com¹", "a.", "a ", "a./b", "a?", "a*", "a<b", "a\tb", "aux .txt",
		"conin$",
	}
	for _, name := range append(both, windows...) {
		if safeNameOn(name, true) == nil {
			t.Errorf("%q is no name on Windows", name)
		}
	}
	for _, name := range both {
		if safeNameOn(name, false) == nil {
			t.Errorf("%q is no name", name)
		}
	}
	for _, name := range []string{"a", "common", "com", "com10", "nulx", "a/b.c", ".a", "console.log"} {
		if err := safeNameOn(name, true); err != nil {
			t.Errorf("%q on Windows: %v", name, err)
		}
	}
}

// Of a key and those below it the first is a file; neighbours between them in
// the order of keys do not matter.
func TestNesting(t *testing.T) {
	names := []string{"a", "a b", "a!/x", "a/b", "a/b/c", "a0", "ab/c", "ab/c/d", "ab/cd", "b/", "b/x", "c"}
	if !slices.IsSorted(names) {
		t.Fatal("not the order of keys")
	}
	want := map[string]string{"a/b": "a", "a/b/c": "a", "ab/c/d": "ab/c"}
	var n nesting
	for _, name := range names {
		if got := n.below(name); got != want[name] {
			t.Errorf("%q is below %q, want %q", name, got, want[name])
		}
	}
	if len(n.files) > 2 {
		t.Errorf("it keeps %d names", len(n.files))
	}
}

func FuzzSafeName(f *testing.F) {
	f.Add("a/../b")
	f.Add("C:\\x")
	f.Fuzz(func(t *testing.T, name string) {
		for _, windows := range []bool{false, true} {
			if safeNameOn(name, windows) != nil {
				continue
			}
			if strings.HasPrefix(name, "/") || strings.Contains(name, "\x00") || strings.HasSuffix(name, partialSuffix) {
				t.Errorf("%q passes", name)
			}
			for s := range strings.SplitSeq(strings.TrimSuffix(name, "/"), "/") {
				if s == "" || s == "." || s == ".." {
					t.Errorf("%q passes", name)
				}
			}
		}
	})
}

func TestFilter(t *testing.T) {
	for _, c := range []struct {
		rules string // +pattern or -pattern
		takes string
		not   string
	}{
		{"", "a a/b.c", ""},
		{"-*.tmp", "a a/b", "x.tmp a/x.tmp"},
		{"+*.jpg", "a.jpg d/a.jpg", "a.png"},
		{"+*.jpg -secret*", "a.jpg", "secret.jpg d/secret.jpg a.png"},
		{"-*.jpg +keep.jpg", "keep.jpg d/keep.jpg a.png", "a.jpg"},
		{"-tmp/**", "a x/tmp/a tmpx/a", "tmp/a tmp/b/c"},
		{"-**/tmp/**", "a tmpx", "tmp/a x/tmp/a x/y/tmp/a/b"},
		{"-a/*/c", "a/c a/b/b/c", "a/b/c"},
		{"-a/**/c", "a/b c", "a/c a/b/c a/b/d/c"},
		{"-**", "", "a a/b"},
		{"-/a", "b b/a", "a"},
		{"-[a-c]?", "a dx b/d", "ax b/cx"},
		{"-**/a/**/b/**/c", "a/b", "a/b/c x/a/y/b/z/c"},
	} {
		var f Filter
		for _, r := range strings.Fields(c.rules) {
			add := f.Include
			if r[0] == '-' {
				add = f.Exclude
			}
			if err := add(r[1:]); err != nil {
				t.Fatal(err)
			}
		}
		for _, name := range strings.Fields(c.takes) {
			if !f.Takes(name) {
				t.Errorf("%s leaves out %s", c.rules, name)
			}
		}
		for _, name := range strings.Fields(c.not) {
			if f.Takes(name) {
				t.Errorf("%s takes %s", c.rules, name)
			}
		}
	}
	var f Filter
	if f.Exclude("[a") == nil || f.Include("") == nil {
		t.Error("patterns that are none are taken")
	}
	f.Exclude("node_modules/**")
	if !f.Prunes("node_modules/") || f.Prunes("src/") {
		t.Error("it prunes others")
	}
	f.Include("node_modules/a")
	if f.Prunes("node_modules/") {
		t.Error("it prunes what a later pattern includes")
	}
}

// A pattern of many ** takes no time that grows beyond all bounds.
func TestFilterIsFast(t *testing.T) {
	var f Filter
	if err := f.Exclude(strings.Repeat("**/a/", 100) + "b"); err != nil {
		t.Fatal(err)
	}
	if !f.Takes(strings.Repeat("a/", 500) + "c") {
		t.Error("it matches")
	}
}
