package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// DecodeError says what is wrong with a document that a client sent. Its text
// becomes the ErrorDetail of MalformedXML.
type DecodeError struct {
	Detail string
}

// Error returns the detail.
func (e *DecodeError) Error() string { return e.Detail }

func decodeErrorf(format string, args ...any) error {
	return &DecodeError{fmt.Sprintf(format, args...)}
}

// ReadDocument reads the body of a request, of which it keeps at most limit
// bytes in memory. size is the length that was announced, -1 for none: room for
// it is made once. A longer body is a DecodeError; other errors are r's.
func ReadDocument(r io.Reader, size, limit int64) ([]byte, error) {
	var body bytes.Buffer
	body.Grow(int(min(max(size, 0), limit)) + bytes.MinRead) // the end is read, too
	if _, err := body.ReadFrom(io.LimitReader(r, limit+1)); err != nil {
		return nil, err
	}
	if int64(body.Len()) > limit {
		return nil, decodeErrorf("the document is longer than %d bytes", limit)
	}
	return body.Bytes(), nil
}

// field is a child element that may occur once.
type field struct {
	text string
	set  bool
}

func (f *field) read(s *scanner, name string) error {
	if f.set {
		return s.errorf("element %s is there twice", name)
	}
	text, err := s.text()
	f.text, f.set = text, true
	return err
}

// errNotInteger says that a text is not an integer, as opposed to one that is
// too large.
var errNotInteger = errors.New("not an integer")

// parseInt reads a decimal integer with an optional '-', and no '+', blank or
// underscore. An integer beyond int64 is strconv.ErrRange.
func parseInt(s string) (int64, error) {
	digits := strings.TrimPrefix(s, "-")
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return 0, errNotInteger
		}
	}
	if digits == "" {
		return 0, errNotInteger
	}
	return strconv.ParseInt(s, 10, 64)
}
