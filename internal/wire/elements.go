package wire

import (
	"math"
	"strings"
)

// The bodies of bucket configurations are read strictly: an element that is not
// known is refused rather than skipped, because a rule would do more than its
// author wanted if a condition of it were dropped.

// elements reads the children of the current element, each with the reader of
// its name. One that is not among them is an error, and so is one that is there
// twice, unless its name is among the repeated.
func (s *scanner) elements(readers map[string]func() error, repeated ...string) error {
	seen := make(map[string]bool, len(readers))
	parent := string(s.current())
	return s.children(func(name string) error {
		read := readers[name]
		if read == nil {
			return s.errorf("element %.40q inside element %.40q", name, parent)
		}
		if seen[name] {
			return s.errorf("element %s is there twice", name)
		}
		seen[name] = true
		for _, again := range repeated {
			if name == again {
				seen[name] = false
			}
		}
		return read()
	})
}

// string returns a reader of an element's text into p.
func (s *scanner) string(p *string) func() error {
	return func() (err error) {
		*p, err = s.text()
		return err
	}
}

// trimmed returns a reader of an element's text into p, without the blanks
// around it.
func (s *scanner) trimmed(p *string) func() error {
	return func() error {
		text, err := s.text()
		*p = strings.TrimSpace(text)
		return err
	}
}

// bool returns a reader of true or false into *p. oss2 writes some in upper
// case.
func (s *scanner) bool(p **bool) func() error {
	return func() error {
		text, err := s.text()
		if err != nil {
			return err
		}
		var v bool
		switch strings.ToLower(strings.TrimSpace(text)) {
		case "true":
			v = true
		case "false":
		default:
			return s.errorf("%.20q is neither true nor false", text)
		}
		*p = &v
		return nil
	}
}

// int returns a reader of an integer into *p.
func (s *scanner) int(p **int64) func() error {
	return func() error {
		text, err := s.text()
		if err != nil {
			return err
		}
		n, err := parseInt(strings.TrimSpace(text))
		if err != nil {
			return s.errorf("%.20q is not an integer", text)
		}
		*p = &n
		return nil
	}
}

// positive returns a reader of an integer from 1 to what 32 bits hold into p.
// One that is out of range is InvalidArgument for the element name.
func (s *scanner) positive(name string, p *int) func() error {
	return func() error {
		var n *int64
		if err := s.int(&n)(); err != nil {
			return err
		}
		if *n < 1 || *n > math.MaxInt32 {
			return invalidNumber(name, *n)
		}
		*p = int(*n)
		return nil
	}
}
