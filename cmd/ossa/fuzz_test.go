package main

import (
	"strings"
	"testing"
	"unicode"
)

// A location is what it was read from, and in no bucket that can be none.
func FuzzLocation(f *testing.F) {
	for _, seed := range []string{"oss://b", "oss://bucket", "oss://bucket/", "oss://bucket/a/../b", "oss:///x", "-", "", "file", "oss://bucket//x", "OSS://bucket", "oss://bucket/a\x00\n\x1b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLocation(text)
		if err != nil {
			if safe := errorText(err); strings.IndexFunc(safe, func(r rune) bool { return !unicode.IsPrint(r) && r != '\n' && r != '\t' }) >= 0 {
				t.Errorf("%q has power over a terminal", safe)
			}
			return
		}
		if back := l.String(); back != text && back+"/" != text {
			t.Errorf("%q was read as %q", text, back)
		}
		if l.remote() != strings.HasPrefix(text, ossScheme) || l.remote() && l.Path != "" {
			t.Errorf("%q is %+v", text, l)
		}
	})
}
