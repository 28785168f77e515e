package wire

import (
	"fmt"
	"strings"
	"time"
)

// Time is a time in a document, written in UTC as 2023-11-14T22:13:20.000Z.
// The fraction is always zero, because oss2 refuses any other: that of the time is
// dropped on the way out.
type Time struct{ time.Time }

// MarshalText writes the wire form.
func (t Time) MarshalText() ([]byte, error) { return t.append(nil), nil }

func (t Time) append(b []byte) []byte {
	b = t.UTC().AppendFormat(b, time.RFC3339) // ends in Z
	return append(b[:len(b)-1], ".000Z"...)
}

// UnmarshalText reads any RFC 3339 time.
func (t *Time) UnmarshalText(text []byte) error {
	parsed, err := time.Parse(time.RFC3339, strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%q is not a time such as 2023-11-14T22:13:20.000Z", text)
	}
	t.Time = parsed.UTC()
	return nil
}

// ETag is an entity tag without its quotes: upper-case hex, with -N after it
// for an object of N parts. On the wire, in XML and in headers, it is quoted.
type ETag string

// Quoted returns the wire form, "HEX" in double quotes.
func (e ETag) Quoted() string { return `"` + string(e) + `"` }

// MarshalText writes the quoted form.
func (e ETag) MarshalText() ([]byte, error) { return []byte(e.Quoted()), nil }

// UnmarshalText reads the tag with or without quotes.
func (e *ETag) UnmarshalText(text []byte) error {
	*e = ParseETag(string(text))
	return nil
}

// ParseETag strips blanks, quotes and a weak mark W/ from s and makes its hex
// digits upper case, so that tags compare by ==. Clients echo tags with and
// without quotes, and in either case.
func ParseETag(s string) ETag {
	s = strings.TrimSpace(s)
	s = strings.TrimPrefix(s, "W/")
	if len(s) >= 2 && s[0] == '"' && s[len(s)-1] == '"' {
		s = s[1 : len(s)-1]
	}
	return ETag(strings.ToUpper(s))
}

// PartMarker is a part number in a listing, where 0 stands for "none" and is
// written as an empty element. The element itself must be there: oss2 and the
// Java SDK read it even from the last page.
type PartMarker int

// MarshalText writes the number, or nothing for 0.
func (m PartMarker) MarshalText() ([]byte, error) {
	if m == 0 {
		return nil, nil
	}
	return fmt.Append(nil, int(m)), nil
}

// UnmarshalText reads a number; nothing is 0.
func (m *PartMarker) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*m = 0
		return nil
	}
	n, err := parseInt(string(text))
	if err != nil {
		return err
	}
	*m = PartMarker(n)
	return nil
}
