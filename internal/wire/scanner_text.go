package wire

import (
	"bytes"
	"strconv"
	"strings"
	"unicode/utf8"
)

// charData returns the text up to the next '<' with its references replaced.
func (s *scanner) charData() (string, error) {
	rest := s.data[s.pos:]
	n := bytes.IndexByte(rest, '<')
	if n < 0 {
		n = len(rest)
	}
	raw := rest[:n]
	amp := bytes.IndexByte(raw, '&')
	if amp < 0 {
		s.pos += n
		return string(raw), nil
	}
	b := make([]byte, 0, n)
	for amp >= 0 {
		b = append(b, raw[:amp]...)
		s.pos += amp
		r, length, err := s.reference(raw[amp:])
		if err != nil {
			return "", err
		}
		b = utf8.AppendRune(b, r)
		s.pos += length
		raw = raw[amp+length:]
		amp = bytes.IndexByte(raw, '&')
	}
	s.pos += len(raw)
	return string(append(b, raw...)), nil
}

// maxReference is the longest reference that is read, "&" and ";" included. It
// has room for some leading zeros.
const maxReference = 16

// reference decodes the reference at the start of raw and returns its length.
func (s *scanner) reference(raw []byte) (rune, int, error) {
	end := bytes.IndexByte(raw[:min(len(raw), maxReference)], ';')
	if end < 0 {
		return 0, 0, s.errorf("'&' that begins no reference")
	}
	name := string(raw[1:end])
	switch name {
	case "lt":
		return '<', end + 1, nil
	case "gt":
		return '>', end + 1, nil
	case "amp":
		return '&', end + 1, nil
	case "quot":
		return '"', end + 1, nil
	case "apos":
		return '\'', end + 1, nil
	}
	digits, numeric := strings.CutPrefix(name, "#")
	base := 10
	if hex, ok := strings.CutPrefix(digits, "x"); ok {
		digits, base = hex, 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if !numeric || err != nil {
		return 0, 0, s.errorf("unknown reference %q", "&"+name+";")
	}
	if n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return 0, 0, s.errorf("reference %q to no character", "&"+name+";")
	}
	return rune(n), end + 1, nil
}
