package wire

import (
	"bytes"
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
