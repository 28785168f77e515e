package auth

import (
	"slices"
	"strings"
)

// RefererRule is which pages may lead to the objects of a bucket. It is asked
// for requests that carry no signature in their headers: those that a browser
// sends when it follows a link. The zero RefererRule lets no request without a
// Referer pass.
type RefererRule struct {
	AllowEmpty    bool     // a request may have no Referer
	TruncateQuery bool     // what is compared ends before the "?"
	TruncatePath  bool     // what is compared ends before the path, or a query without one
	Allow         []string // wildcards; empty for all
	Deny          []string // wildcards, stronger than Allow
}

// Allows reports whether a request with that Referer, "" for none, may pass, by
// the documentation page "Hotlink protection".
func (r *RefererRule) Allows(referer string) bool {
	if referer == "" {
		return r.AllowEmpty
	}
	if r.TruncateQuery {
		referer, _, _ = strings.Cut(referer, "?")
	}
	if r.TruncatePath {
		referer = withoutPath(referer)
	}
	matches := func(pattern string) bool { return match(pattern, referer) }
	switch {
	case slices.ContainsFunc(r.Deny, matches):
		return false
	case len(r.Allow) == 0:
		return true
	}
	return slices.ContainsFunc(r.Allow, matches)
}

// withoutPath is scheme and host of an address.
func withoutPath(address string) string {
	start := 0
	if i := strings.Index(address, "://"); i >= 0 {
		start = i + len("://")
	}
	if i := strings.IndexAny(address[start:], "/?#"); i >= 0 {
		return address[:start+i]
	}
	return address
}
