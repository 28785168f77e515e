package wire

import (
	"encoding/xml"
	"strings"
)

// RefererConfiguration says from which pages a bucket may be linked to, in
// PutBucketReferer and GetBucketReferer. The zero value with AllowEmptyReferer and
// AllowTruncateQueryString set is what a bucket without one has. The server
// reads it with [DecodeReferer].
type RefererConfiguration struct {
	XMLName                  xml.Name     `xml:"RefererConfiguration"`
	AllowEmptyReferer        bool         `xml:"AllowEmptyReferer"`
	AllowTruncateQueryString bool         `xml:"AllowTruncateQueryString"` // what follows '?' does not count
	TruncatePath             bool         `xml:"TruncatePath"`             // nor does the path
	RefererList              RefererList  `xml:"RefererList"`
	RefererBlacklist         *RefererList `xml:"RefererBlacklist"`
}

// RefererList is patterns of pages: '*' stands for any text, '?' for any
// character.
type RefererList struct {
	Referers []string `xml:"Referer"`
}

// NewReferer returns what a bucket without a configuration has: everybody may.
func NewReferer() *RefererConfiguration {
	return &RefererConfiguration{AllowEmptyReferer: true, AllowTruncateQueryString: true}
}

// DecodeReferer reads the body of PutBucketReferer. What is no such document is
// a DecodeError; lists of more than MaxRefererList bytes are InvalidArgument.
// Empty referers are dropped.
func DecodeReferer(body []byte) (*RefererConfiguration, error) {
	s, err := openDocument(body, "RefererConfiguration")
	if err != nil {
		return nil, err
	}
	var allowEmpty, truncateQuery, truncatePath *bool
	var list, blacklist RefererList
	err = s.elements(map[string]func() error{
		"AllowEmptyReferer":        s.bool(&allowEmpty),
		"AllowTruncateQueryString": s.bool(&truncateQuery),
		"TruncatePath":             s.bool(&truncatePath),
		"RefererList":              s.refererList(&list),
		"RefererBlacklist":         s.refererList(&blacklist),
	})
	if err == nil && allowEmpty == nil {
		err = s.errorf("element RefererConfiguration must have an AllowEmptyReferer")
	}
	if err == nil {
		err = s.end()
	}
	if err != nil {
		return nil, err
	}
	c := NewReferer()
	c.AllowEmptyReferer = *allowEmpty
	c.RefererList = list
	if truncateQuery != nil {
		c.AllowTruncateQueryString = *truncateQuery
	}
	c.TruncatePath = truncatePath != nil && *truncatePath
	if blacklist.Referers != nil {
		c.RefererBlacklist = &blacklist
	}
	for _, l := range []struct {
		name string
		list RefererList
	}{{"RefererList", list}, {"RefererBlacklist", blacklist}} {
		n := 0
		for _, r := range l.list.Referers {
			n += len(r)
		}
		if n > MaxRefererList {
			return nil, InvalidArgument(l.name, "", "The referers of a list must not exceed 20 KB.")
		}
	}
	return c, nil
}

func (s *scanner) refererList(list *RefererList) func() error {
	return func() error {
		return s.elements(map[string]func() error{
			"Referer": func() error {
				var text string
				err := s.trimmed(&text)()
				if text != "" {
					list.Referers = append(list.Referers, text)
				}
				return err
			},
		}, "Referer")
	}
}

// maxReferer is how much of a header Referer is looked at, in bytes. Browsers
// send no more. It bounds what a stranger can have compared with all patterns.
const maxReferer = 4096

// Allows reports whether a request with this header Referer passes, as the
// documentation page "Hotlink protection" has it: an empty one if that is
// allowed; another one unless the blacklist has it, if the list is empty or has
// it.
func (c *RefererConfiguration) Allows(referer string) bool {
	if referer == "" {
		return c.AllowEmptyReferer
	}
	referer = referer[:min(len(referer), maxReferer)]
	if c.AllowTruncateQueryString || c.TruncatePath {
		referer, _, _ = strings.Cut(referer, "?")
	}
	if c.TruncatePath {
		scheme, rest, ok := strings.Cut(referer, "://")
		if host, _, cut := strings.Cut(rest, "/"); ok && cut {
			referer = scheme + "://" + host
		}
	}
	if c.RefererBlacklist != nil && c.RefererBlacklist.has(referer) {
		return false
	}
	return len(c.RefererList.Referers) == 0 || c.RefererList.has(referer)
}

func (l *RefererList) has(referer string) bool {
	for _, pattern := range l.Referers {
		if matchesWildcards(pattern, referer) {
			return true
		}
	}
	return false
}

// matchesWildcards reports whether s is pattern, in any case, in which '*'
// stands for any bytes and '?' for any one. It takes no longer than the product
// of the lengths.
func matchesWildcards(pattern, s string) bool {
	pattern, s = strings.ToLower(pattern), strings.ToLower(s)
	p, i := 0, 0
	star, from := -1, 0 // the last '*' met, and where what it stands for ends
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, from = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			from++
			p, i = star+1, from
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
