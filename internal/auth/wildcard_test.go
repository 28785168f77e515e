package auth

import (
	"strings"
	"testing"
	"unicode/utf8"
)

// slowMatch is what match promises, tried out: a star takes every length.
func slowMatch(pattern, text []string) bool {
	// may[i] tells whether the first i characters of text are as the pattern so far.
	may := make([]bool, len(text)+1)
	may[0] = true
	for _, p := range pattern {
		next := make([]bool, len(text)+1)
		for i := range next {
			switch {
			case p == "*":
				next[i] = may[i] || i > 0 && next[i-1]
			case i > 0:
				next[i] = may[i-1] && (p == "?" || p == text[i-1])
			}
		}
		may = next
	}
	return may[len(text)]
}

// characters cuts s up; a byte that is no UTF-8 is one.
func characters(s string) (list []string) {
	for s != "" {
		_, size := utf8.DecodeRuneInString(s)
		list = append(list, s[:size])
		s = s[size:]
	}
	return list
}

func TestMatch(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "", false},
		{"*", "", true},
		{"*", "a/b\nc", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "a", true},
		{"?", "é", true},
		{"?", "ab", false},
		{"?", "\xff", true},
		{"??", "é", false},
		{"a*", "a", true},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*b", "ab", true},
		{"a*b", "acbcb", true},
		{"a*b", "acbc", false},
		{"a*b*c", "a-c-b", false},
		{"ab*ba", "aba", false}, // what the front took the end cannot have
		{"*?", "", false},
		{"*?", "a", true},
		{"?*", "a", true},
		{"*?b*", "abb", true},
		{"*?b*", "b", false},
		{"*a?c*", "abababc", true},
		{"*é?*", "é", false},
		{"*é?*", "éa", true},
		{"*\uFFFD*", "\xff", false},
		{"oss:Get*", "oss:GetObject", true},
		{"oss:get*", "oss:GetObject", false},
		{"b/????-??/*", "b/2026-11/x/y", true},
		{"[a-c]", "b", false},
		{`\*`, "*", false},
	}
	for _, tt := range tests {
		if got := match(tt.pattern, tt.text); got != tt.want {
			t.Errorf("match(%q, %q) = %t", tt.pattern, tt.text, got)
		}
		if got := slowMatch(characters(tt.pattern), characters(tt.text)); got != tt.want {
			t.Errorf("slowMatch(%q, %q) = %t", tt.pattern, tt.text, got)
		}
	}
}

// Patterns that make a matcher try everything come to an end: whoever tries all
// ways to cut the text up will not, in the life of the universe, and whoever
// tries a piece of the pattern at every place takes minutes.
func TestMatchIsQuick(t *testing.T) {
	as := strings.Repeat("a", 1<<17)
	for _, pattern := range []string{
		strings.Repeat("a*", 1<<16) + "b",
		strings.Repeat("*a", 1<<16) + "*b",
		strings.Repeat("*?", 1<<16) + "*b",
		"*" + strings.Repeat("a", 1<<16) + "b*",
		"*?" + strings.Repeat("a", 1<<12) + "b*",
	} {
		if match(pattern, as) {
			t.Errorf("%.10q... matches what has no b", pattern)
		}
		if !match(pattern, as+"b") {
			t.Errorf("%.10q... does not match what has a b at the end", pattern)
		}
	}
}

// match is what its reference is.
func FuzzMatch(f *testing.F) {
	f.Add("a*b?c", "aXbYc")
	f.Add("*ab?ba*", "abababba")
	f.Add("*\xc3?*", "é\xc3é")
	f.Add(strings.Repeat("?", 70)+"*x?y*", strings.Repeat("x", 80)+"y")
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if len(pattern) > 500 || len(text) > 500 || !utf8.ValidString(pattern) {
			return // patterns are UTF-8: the parser sees to it
		}
		if got, want := match(pattern, text), slowMatch(characters(pattern), characters(text)); got != want {
			t.Errorf("match(%q, %q) = %t", pattern, text, got)
		}
	})
}
