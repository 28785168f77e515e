package auth

import "testing"

// The rules of the documentation page "Hotlink protection".
func TestReferer(t *testing.T) {
	list := func(r ...string) []string { return r }
	tests := []struct {
		name    string
		rule    RefererRule
		referer string
		want    bool
	}{
		{"nothing is asked", RefererRule{AllowEmpty: true}, "", true},
		{"nothing is asked of a referer", RefererRule{AllowEmpty: true}, "http://a", true},
		{"empty", RefererRule{}, "", false},
		{"empty with a list", RefererRule{Allow: list("*")}, "", false},
		{"empty is allowed with a list", RefererRule{AllowEmpty: true, Allow: list("http://a")}, "", true},
		{"no list", RefererRule{}, "http://a", true},
		{"listed", RefererRule{Allow: list("http://b", "http://a")}, "http://a", true},
		{"not listed", RefererRule{Allow: list("http://a")}, "http://b", false},
		{"the whole is compared", RefererRule{Allow: list("http://a")}, "http://a/x", false},
		{"wildcards", RefererRule{Allow: list("http*://*.a.com/?")}, "https://www.a.com/x", true},
		{"one character", RefererRule{Allow: list("http://a/?")}, "http://a/xy", false},
		{"listed and forbidden", RefererRule{Allow: list("*"), Deny: list("http://a*")}, "http://a/x", false},
		{"forbidden without list", RefererRule{Deny: list("http://a*")}, "http://a/x", false},
		{"another one is forbidden", RefererRule{Deny: list("http://a*")}, "http://b/x", true},
		{"empty and forbidden", RefererRule{AllowEmpty: true, Deny: list("*")}, "", true},
		{"query", RefererRule{Allow: list("http://a/x")}, "http://a/x?y", false},
		{"query cut off", RefererRule{TruncateQuery: true, Allow: list("http://a/x")}, "http://a/x?y?z", true},
		{"query of the forbidden cut off", RefererRule{TruncateQuery: true, Deny: list("http://a/x")}, "http://a/x?y", false},
		{"path cut off", RefererRule{TruncatePath: true, Allow: list("http://a")}, "http://a/x/y", true},
		{"no path to cut off", RefererRule{TruncatePath: true, Allow: list("http://a")}, "http://a", true},
		{"no scheme", RefererRule{TruncatePath: true, Allow: list("a")}, "a/x", true},
		{"query cut off with the path", RefererRule{TruncatePath: true, Allow: list("http://a")}, "http://a?x/y", true},
	}
	for _, tt := range tests {
		if got := tt.rule.Allows(tt.referer); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}
