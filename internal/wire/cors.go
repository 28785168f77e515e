package wire

import (
	"encoding/xml"
	"slices"
	"strconv"
	"strings"
)

// CORSConfiguration says which pages of other origins may use a bucket, in
// PutBucketCors and GetBucketCors. The server reads it with [DecodeCORS].
type CORSConfiguration struct {
	XMLName      xml.Name   `xml:"CORSConfiguration"`
	Rules        []CORSRule `xml:"CORSRule"`
	ResponseVary bool       `xml:"ResponseVary"` // Vary: Origin on every answer
}

// CORSRule lets pages of its origins send requests of its methods and headers.
// An origin and a header may have one '*' each, which stands for any text.
type CORSRule struct {
	AllowedOrigins []string `xml:"AllowedOrigin"`
	AllowedMethods []string `xml:"AllowedMethod"`
	AllowedHeaders []string `xml:"AllowedHeader"`
	ExposeHeaders  []string `xml:"ExposeHeader"`  // of the answer, for the page to see
	MaxAgeSeconds  *int64   `xml:"MaxAgeSeconds"` // how long a browser may remember a preflight
}

// corsMethods are what AllowedMethod can be.
var corsMethods = []string{"GET", "PUT", "POST", "DELETE", "HEAD"}

// DecodeCORS reads the body of PutBucketCors: 1 to MaxCORSRules rules, each with
// an origin and a method at least. More rules are CORSRuleBeyondLimit, everything
// else that is no such document is a DecodeError. Empty headers are dropped.
func DecodeCORS(body []byte) (*CORSConfiguration, error) {
	s, err := openDocument(body, "CORSConfiguration")
	if err != nil {
		return nil, err
	}
	c := &CORSConfiguration{}
	var vary *bool
	beyond := false
	err = s.elements(map[string]func() error{
		"CORSRule": func() error {
			r, err := s.corsRule()
			if len(c.Rules) == MaxCORSRules {
				beyond = true
				return err
			}
			c.Rules = append(c.Rules, r)
			return err
		},
		"ResponseVary": s.bool(&vary),
	}, "CORSRule")
	c.ResponseVary = vary != nil && *vary
	if err == nil && len(c.Rules) == 0 {
		err = s.errorf("element CORSConfiguration must have a CORSRule")
	}
	if err == nil {
		err = s.end()
	}
	switch {
	case err != nil:
		return nil, err
	case beyond:
		return nil, NewError("CORSRuleBeyondLimit")
	}
	return c, nil
}

func (s *scanner) corsRule() (CORSRule, error) {
	var r CORSRule
	list := func(p *[]string) func() error {
		return func() error {
			var text string
			err := s.trimmed(&text)()
			*p = append(*p, text)
			return err
		}
	}
	err := s.elements(map[string]func() error{
		"AllowedOrigin": list(&r.AllowedOrigins),
		"AllowedMethod": list(&r.AllowedMethods),
		"AllowedHeader": list(&r.AllowedHeaders),
		"ExposeHeader":  list(&r.ExposeHeaders),
		"MaxAgeSeconds": s.int(&r.MaxAgeSeconds),
	}, "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader")
	if err != nil {
		return r, err
	}
	r.AllowedHeaders, r.ExposeHeaders = withoutEmpty(r.AllowedHeaders), withoutEmpty(r.ExposeHeaders)
	switch {
	case r.AllowedOrigins == nil:
		err = s.errorf("a CORSRule must have an AllowedOrigin")
	case r.AllowedMethods == nil:
		err = s.errorf("a CORSRule must have an AllowedMethod")
	case r.MaxAgeSeconds != nil && *r.MaxAgeSeconds < 0:
		err = InvalidArgument("MaxAgeSeconds", strconv.FormatInt(*r.MaxAgeSeconds, 10), "MaxAgeSeconds must not be negative.")
	}
	for _, origin := range r.AllowedOrigins {
		if err == nil && (origin == "" || strings.Count(origin, "*") > 1 || !isVisible(origin)) {
			err = s.errorf("%.40q is no AllowedOrigin", origin)
		}
	}
	for _, method := range r.AllowedMethods {
		if err == nil && !slices.Contains(corsMethods, method) {
			err = s.errorf("%.40q is no AllowedMethod", method)
		}
	}
	for _, header := range r.AllowedHeaders {
		if err == nil && (strings.Count(header, "*") > 1 || !isToken(header)) {
			err = s.errorf("%.40q is no AllowedHeader", header)
		}
	}
	for _, header := range r.ExposeHeaders {
		if err == nil && (strings.Contains(header, "*") || !isToken(header)) {
			err = s.errorf("%.40q is no ExposeHeader", header)
		}
	}
	return r, err
}

// Match returns the first rule that lets a page of origin send a request of
// method with headers, in lower or upper case, or nil.
func (c *CORSConfiguration) Match(origin, method string, headers []string) *CORSRule {
	for i := range c.Rules {
		r := &c.Rules[i]
		matches := func(s string) func(pattern string) bool {
			return func(pattern string) bool { return matchesStar(pattern, s) }
		}
		if !slices.ContainsFunc(r.AllowedOrigins, matches(origin)) || !slices.Contains(r.AllowedMethods, method) {
			continue
		}
		if !slices.ContainsFunc(headers, func(h string) bool {
			return !slices.ContainsFunc(r.AllowedHeaders, matches(h))
		}) {
			return r
		}
	}
	return nil
}

// AnyOrigin reports whether the rule is for pages of all origins.
func (r *CORSRule) AnyOrigin() bool { return slices.Contains(r.AllowedOrigins, "*") }

// matchesStar reports whether s is pattern, in any case, in which one '*'
// stands for any text.
func matchesStar(pattern, s string) bool {
	before, behind, star := strings.Cut(pattern, "*")
	if !star {
		return strings.EqualFold(pattern, s)
	}
	return len(s) >= len(before)+len(behind) &&
		strings.EqualFold(s[:len(before)], before) && strings.EqualFold(s[len(s)-len(behind):], behind)
}

func withoutEmpty(list []string) []string {
	list = slices.DeleteFunc(list, func(s string) bool { return s == "" })
	if len(list) == 0 {
		return nil
	}
	return list
}

// isVisible reports whether s has visible ASCII characters only.
func isVisible(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// isToken reports whether s is made of the characters of a header's name,
// which '*' is one of.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
