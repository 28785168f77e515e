package wire

import (
	"errors"
	"strings"
)

// Values are the parameters of a query, in the order of the request.
type Values []Pair

// Pair is one parameter, decoded.
type Pair struct {
	Name  string
	Value string
}

// ErrQuery says that a query has a bad percent escape or more than
// MaxQueryPairs parameters.
var ErrQuery = errors.New("malformed query")

// ParseQuery decodes the raw query of a request: parameters are separated by
// '&', '+' is a blank, a name without '=' is present with an empty value.
// Duplicates are kept, in order. The only error is ErrQuery.
func ParseQuery(raw string) (Values, error) {
	if raw == "" {
		return nil, nil
	}
	var values Values
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		if len(values) == MaxQueryPairs {
			return nil, ErrQuery
		}
		rawName, rawValue, _ := strings.Cut(part, "=")
		name, ok1 := unescape(rawName, true)
		value, ok2 := unescape(rawValue, true)
		if !ok1 || !ok2 {
			return nil, ErrQuery
		}
		values = append(values, Pair{name, value})
	}
	return values, nil
}

// Has reports whether the parameter is present, with or without a value.
func (v Values) Has(name string) bool {
	_, ok := v.Lookup(name)
	return ok
}

// Get returns the value of the first parameter of that name, or "". For
// parameters other than sub-resources, empty and absent mean the same: oss2
// and Go SDK v1 always send the full set.
func (v Values) Get(name string) string {
	value, _ := v.Lookup(name)
	return value
}

// Lookup returns the value of the first parameter of that name and whether
// there is one.
func (v Values) Lookup(name string) (string, bool) {
	for _, p := range v {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// DecodeKey decodes the object key in a request's raw path, given without the
// slash before it. Percent escapes are decoded, once; nothing else changes: '+' is
// a plus, '//' and '..' are part of the key. A bad escape is InvalidObjectName.
// What is returned is not yet a valid key, see [ValidateKey].
func DecodeKey(rawPath string) (string, error) {
	key, ok := unescape(rawPath, false)
	if !ok {
		return "", NewError("InvalidObjectName").With("ObjectName", rawPath)
	}
	return key, nil
}

// EncodeURL percent-encodes s as encoding-type=url asks: A-Z a-z 0-9 - _ . ~
// stay, everything else becomes %XX, '/' included. A blank must not become
// '+', which oss2 would keep, nor '+' stay, which Go SDK v1 would read as a
// blank.
func EncodeURL(s string) string {
	for i := range len(s) {
		if !unreserved(s[i]) {
			return string(appendURL(make([]byte, 0, len(s)+32), s))
		}
	}
	return s
}

// EncodePath percent-encodes a key for the path of a URL: as EncodeURL, but
// '/' stays.
func EncodePath(key string) string {
	return strings.ReplaceAll(EncodeURL(key), "%2F", "/")
}

// DecodeURL reverses EncodeURL and EncodePath. It returns false for a bad escape.
func DecodeURL(s string) (string, bool) { return unescape(s, false) }

func appendURL(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; unreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', hex[c>>4], hex[c&15])
		}
	}
	return b
}

func unreserved(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' || c == '~'
}

// unescape decodes percent escapes and, if form, '+' as a blank.
func unescape(s string, form bool) (string, bool) {
	if !strings.Contains(s, "%") && !(form && strings.Contains(s, "+")) {
		return s, true
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+2 >= len(s) {
				return "", false
			}
			hi, lo := hexDigit(s[i+1]), hexDigit(s[i+2])
			if hi < 0 || lo < 0 {
				return "", false
			}
			b = append(b, byte(hi<<4|lo))
			i += 2
		case c == '+' && form:
			b = append(b, ' ')
		default:
			b = append(b, c)
		}
	}
	return string(b), true
}

func hexDigit(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return int(c|0x20-'a') + 10
	}
	return -1
}
