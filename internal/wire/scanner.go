package wire

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxDepth is how deep the elements of a document may nest. Ours need four.
const maxDepth = 32

// scanner reads a small document that lies in memory whole. It knows elements,
// text, CDATA, comments and processing instructions, and refuses everything
// else: there are no DTDs and so no entities but the five that XML has built in.
// It departs from XML 1.0 in three ways, each because keys of OSS may hold any
// character and SDKs send them as they are:
//
//   - control characters are text, raw and as references (oss2 sends them raw);
//   - CR stays CR instead of becoming LF;
//   - namespaces are cut off: a name is what comes after the colon.
//
// Use: openDocument stands the scanner inside the root element. Then, for the
// element it stands in, exactly one of children, text, anyText and skip reads it
// to its end tag. end follows the root's.
type scanner struct {
	data  []byte
	pos   int
	open  [][]byte // full names of the elements the scanner stands in
	empty bool     // the innermost was <name/>: its end tag is implied
}

// openDocument begins to read data, whose root must be the element root.
func openDocument(data []byte, root string) (*scanner, error) {
	s := &scanner{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	if !utf8.Valid(s.data) {
		return nil, decodeErrorf("the document is not UTF-8")
	}
	if err := s.prolog(); err != nil {
		return nil, err
	}
	if err := s.misc(); err != nil {
		return nil, err
	}
	if s.pos == len(s.data) {
		return nil, decodeErrorf("the document is empty")
	}
	if s.data[s.pos] != '<' {
		return nil, s.errorf("text outside the root element")
	}
	name, err := s.startTag()
	if err != nil {
		return nil, err
	}
	if name != root {
		return nil, decodeErrorf("the root element is %.40q, not %q", name, root)
	}
	return s, nil
}

// end checks that nothing but blanks, comments and processing instructions
// follows the root element.
func (s *scanner) end() error {
	if err := s.misc(); err != nil {
		return err
	}
	if s.pos < len(s.data) {
		return s.errorf("content after the root element")
	}
	return nil
}

// children calls read for each child of the current element, standing in that
// child. read must use it up. Text other than blanks is an error.
func (s *scanner) children(read func(name string) error) error {
	for {
		name, more, err := s.nextChild()
		if err != nil || !more {
			return err
		}
		if err := read(name); err != nil {
			return err
		}
	}
}

// nextChild goes to the start of the next child. It returns false behind the
// current element's end tag.
func (s *scanner) nextChild() (name string, more bool, err error) {
	for {
		if s.closeEmpty() {
			return "", false, nil
		}
		if err := s.misc(); err != nil {
			return "", false, err
		}
		switch {
		case s.pos == len(s.data):
			return "", false, s.errorf("the document ends inside element %.40q", s.current())
		case s.data[s.pos] != '<' || s.at("<![CDATA["):
			return "", false, s.errorf("text inside element %.40q, which must have elements only", s.current())
		case s.at("</"):
			return "", false, s.endTag()
		default:
			name, err := s.startTag()
			return name, err == nil, err
		}
	}
}

// text returns the text of the current element, which must have no children.
func (s *scanner) text() (string, error) {
	return s.readText(func(name string) error {
		return s.errorf("element %.40q inside an element that must have text only", name)
	})
}

// anyText returns the text of the current element without that of its children.
func (s *scanner) anyText() (string, error) {
	return s.readText(func(string) error { return s.skip() })
}

func (s *scanner) readText(child func(name string) error) (string, error) {
	var joined []byte // what came before a CDATA section, comment or child
	for {
		if s.closeEmpty() {
			return string(joined), nil
		}
		run, err := s.charData()
		if err != nil {
			return "", err
		}
		switch {
		case s.pos == len(s.data):
			return "", s.errorf("the document ends inside element %.40q", s.current())
		case s.at("</"):
			if err := s.endTag(); err != nil || joined == nil {
				return run, err
			}
			return string(append(joined, run...)), nil
		}
		joined = append(joined, run...)
		switch {
		case s.at("<![CDATA["):
			section, err := s.until("<![CDATA[", "]]>")
			if err != nil {
				return "", err
			}
			joined = append(joined, section...)
		case s.at("<!") || s.at("<?"):
			if err := s.miscItem(); err != nil {
				return "", err
			}
		default:
			name, err := s.startTag()
			if err != nil {
				return "", err
			}
			if err := child(name); err != nil {
				return "", err
			}
		}
	}
}

// skip reads the current element, whatever is in it. Depth is bounded, so
// recursion is.
func (s *scanner) skip() error {
	_, err := s.anyText()
	return err
}

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
