package wire

import (
	"bytes"
	"fmt"
	"strings"
)

// startTag reads a start tag and stands in its element. It returns the name
// without prefix.
func (s *scanner) startTag() (string, error) {
	s.pos++ // '<'
	full, err := s.name()
	if err != nil {
		return "", err
	}
	if len(s.open) == maxDepth {
		return "", s.errorf("elements nest deeper than %d", maxDepth)
	}
	if err := s.attributes(); err != nil {
		return "", err
	}
	if s.at("/>") {
		s.pos++
		s.empty = true
	} else if !s.at(">") {
		return "", s.errorf("tag %.40q does not end", full)
	}
	s.pos++
	s.open = append(s.open, full)
	return string(full[bytes.LastIndexByte(full, ':')+1:]), nil
}

// attributes reads the attributes of a tag and forgets them.
func (s *scanner) attributes() error {
	for {
		before := s.pos
		s.blanks()
		if s.pos == len(s.data) || s.at(">") || s.at("/>") {
			return nil
		}
		if s.pos == before {
			return s.errorf("malformed tag")
		}
		name, err := s.name()
		if err != nil {
			return err
		}
		s.blanks()
		if !s.at("=") {
			return s.errorf("attribute %.40q has no value", name)
		}
		s.pos++
		s.blanks()
		if !s.at(`"`) && !s.at(`'`) {
			return s.errorf("attribute %.40q has no quotes", name)
		}
		quote := string(s.data[s.pos])
		value, err := s.until(quote, quote)
		if err != nil {
			return err
		}
		if bytes.IndexByte(value, '<') >= 0 {
			return s.errorf("'<' inside attribute %.40q", name)
		}
	}
}

// endTag reads the current element's end tag.
func (s *scanner) endTag() error {
	s.pos += len("</")
	name, err := s.name()
	if err != nil {
		return err
	}
	if !bytes.Equal(name, s.current()) {
		return s.errorf("end tag %.40q for element %.40q", name, s.current())
	}
	s.blanks()
	if !s.at(">") {
		return s.errorf("end tag %.40q does not end", name)
	}
	s.pos++
	s.open = s.open[:len(s.open)-1]
	return nil
}

// closeEmpty leaves the current element if its tag was <name/>.
func (s *scanner) closeEmpty() bool {
	if !s.empty {
		return false
	}
	s.empty = false
	s.open = s.open[:len(s.open)-1]
	return true
}

// prolog reads the XML declaration, if there is one.
func (s *scanner) prolog() error {
	if !s.at("<?xml") || s.at("<?xml-") {
		return nil
	}
	declaration, err := s.until("<?xml", "?>")
	if err != nil {
		return err
	}
	_, rest, ok := strings.Cut(string(declaration), "encoding")
	if !ok {
		return nil
	}
	encoding := strings.ToLower(strings.Trim(rest, "= \t\r\n'\""))
	encoding, _, _ = strings.Cut(encoding, `"`)
	encoding, _, _ = strings.Cut(encoding, `'`)
	if encoding != "utf-8" && encoding != "utf8" && encoding != "us-ascii" {
		return decodeErrorf("the encoding is %.40q, not UTF-8", encoding)
	}
	return nil
}

// misc reads blanks, comments and processing instructions.
func (s *scanner) misc() error {
	for {
		s.blanks()
		if !(s.at("<!") && !s.at("<![CDATA[")) && !s.at("<?") {
			return nil
		}
		if err := s.miscItem(); err != nil {
			return err
		}
	}
}

// miscItem reads one comment or processing instruction.
func (s *scanner) miscItem() error {
	var err error
	switch {
	case s.at("<!--"):
		_, err = s.until("<!--", "-->")
	case s.at("<?"):
		_, err = s.until("<?", "?>")
	default:
		err = s.errorf("a document type or other declaration, which is not allowed")
	}
	return err
}

// until reads from the opening mark, where the scanner stands, past the closing
// one, and returns what is between.
func (s *scanner) until(opening, closing string) ([]byte, error) {
	from := s.pos + len(opening)
	n := bytes.Index(s.data[from:], []byte(closing))
	if n < 0 {
		return nil, s.errorf("%q is not followed by %q", opening, closing)
	}
	s.pos = from + n + len(closing)
	return s.data[from : from+n], nil
}

// name reads an element's or attribute's name with its prefix.
func (s *scanner) name() ([]byte, error) {
	from := s.pos
	for s.pos < len(s.data) && isNameByte(s.data[s.pos]) {
		s.pos++
	}
	if s.pos == from || strings.IndexByte("-.0123456789", s.data[from]) >= 0 {
		return nil, s.errorf("malformed tag")
	}
	return s.data[from:s.pos], nil
}

func isNameByte(c byte) bool {
	return c|0x20 >= 'a' && c|0x20 <= 'z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' || c == ':' || c >= 0x80
}

func (s *scanner) blanks() {
	for s.pos < len(s.data) && strings.IndexByte(" \t\r\n", s.data[s.pos]) >= 0 {
		s.pos++
	}
}

// at reports whether the input goes on with text.
func (s *scanner) at(text string) bool {
	return len(s.data)-s.pos >= len(text) && string(s.data[s.pos:s.pos+len(text)]) == text
}

// current returns the full name of the element the scanner stands in.
func (s *scanner) current() []byte { return s.open[len(s.open)-1] }

func (s *scanner) errorf(format string, args ...any) error {
	return decodeErrorf("%s, at byte %d", fmt.Sprintf(format, args...), s.pos)
}
