package wire

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"
)

// Error is the answer to a failed request: what the error document and the
// status line say. It is what the server sends and what the SDK hands out.
type Error struct {
	Code      string // such as NoSuchUpload; clients act on it together with Status
	Status    int    // HTTP status
	Message   string
	RequestID string
	HostID    string    // the request's Host
	EC        string    // detailed error number, such as 0042-00000104; "" if unknown
	Elements  []Element // further elements, in order, as the catalogue names them
}

// Element is a child of the error document that only some codes have.
type Element struct {
	Name  string
	Value string
}

// Error says the code, the message and the request's ID.
func (e *Error) Error() string {
	s := fmt.Sprintf("%s (HTTP %d)", e.Code, e.Status)
	if e.Code == "" {
		s = fmt.Sprintf("HTTP %d", e.Status)
	}
	if e.Message != "" {
		s += ": " + e.Message
	}
	if e.RequestID != "" {
		s += " [request " + e.RequestID + "]"
	}
	return s
}

// With returns a copy of e that has one more element.
func (e *Error) With(name, value string) *Error {
	c := *e
	c.Elements = append(slices.Clip(slices.Clone(e.Elements)), Element{name, value})
	return &c
}

// WithMessage returns a copy of e with another message.
func (e *Error) WithMessage(message string) *Error {
	c := *e
	c.Message = message
	return &c
}

// WithEC returns a copy of e with another detailed error number.
func (e *Error) WithEC(ec string) *Error {
	c := *e
	c.EC = ec
	return &c
}

// Element returns the value of the first element of that name, or "".
func (e *Error) Element(name string) string {
	for _, el := range e.Elements {
		if el.Name == name {
			return el.Value
		}
	}
	return ""
}

// recommendDoc is the address that the documentation page "Error responses"
// gives for an EC.
const recommendDoc = "https://api.aliyun.com/troubleshoot?q="

// MarshalError returns the error document of e. It is never longer than
// MaxErrorDocument: oss2 reads no more, and sees no error code in a document
// that was cut. The longest values are shortened until it fits, and further
// elements are dropped from the end if that is not enough. Unlike in other
// documents, characters that XML cannot carry become U+FFFD, so that every
// client can parse it.
func MarshalError(e *Error) []byte {
	values := []Element{
		{"Code", e.Code},
		{"Message", e.Message},
		{"RequestId", e.RequestID},
		{"HostId", e.HostID},
	}
	fixed := len(values)
	for _, el := range e.Elements {
		if isElementName(el.Name) {
			values = append(values, el)
		}
	}
	end := len(values)
	if e.EC != "" {
		values = append(values, Element{"EC", e.EC}, Element{"RecommendDoc", recommendDoc + e.EC})
	}
	for i := range values {
		values[i].Value = printable(values[i].Value)
	}
	for {
		doc := appendError(nil, values)
		over := len(doc) - MaxErrorDocument
		switch {
		case over <= 0:
			return doc
		case shortenLongest(values, over):
		case end > fixed:
			values = slices.Delete(values, end-1, end)
			end--
		default: // every value is short and none can go: cannot exceed the limit
			return doc
		}
	}
}

func appendError(b []byte, values []Element) []byte {
	b = append(b, prolog...)
	b = append(b, "<Error>\n"...)
	for _, v := range values {
		b = append(b, "  <"...)
		b = append(b, v.Name...)
		b = append(b, '>')
		b = appendEscaped(b, v.Value)
		b = append(b, "</"...)
		b = append(b, v.Name...)
		b = append(b, ">\n"...)
	}
	return append(b, "</Error>\n"...)
}

// shortestTrim is the length below which shortenLongest leaves a value alone.
const shortestTrim = 128

// shortenLongest cuts about over bytes, but at most half, off the longest
// value. It returns false if all values are short already.
func shortenLongest(values []Element, over int) bool {
	longest := 0
	for i := range values {
		if len(values[i].Value) > len(values[longest].Value) {
			longest = i
		}
	}
	v := values[longest].Value
	if len(v) <= shortestTrim {
		return false
	}
	const mark = "..."
	keep := max(len(v)-over-len(mark), len(v)/2-len(mark))
	for keep > 0 && !utf8.RuneStart(v[keep]) {
		keep--
	}
	values[longest].Value = v[:keep] + mark
	return true
}

// printable replaces what XML 1.0 cannot carry by U+FFFD.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 && r != '\t' && r != '\n' && r != '\r' || r == 0xfffe || r == 0xffff {
			return utf8.RuneError
		}
		return r // an invalid byte arrives here as U+FFFD already
	}, s)
}

// isElementName reports whether s can stand as an element's name: a letter,
// then letters, digits, '-', '_' or '.'.
func isElementName(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z' || c == '_'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '-' && c != '.') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 64
}

// ErrorHeader returns the value of x-oss-err: the error document in base64, on
// one line. It is how an answer to HEAD, which has no body, says what is wrong.
func ErrorHeader(e *Error) string {
	return base64.StdEncoding.EncodeToString(MarshalError(e))
}

// ParseError makes an Error of a failed answer, for clients. The document comes
// from body or, if body is empty, from the header x-oss-err. Where there is
// neither, or it cannot be parsed, the Error has the status, the request's ID
// and the EC of the headers, and an empty Code.
func ParseError(status int, header http.Header, body []byte) *Error {
	e := &Error{Status: status}
	if len(body) == 0 {
		// A broken header leaves body empty, which is answered below.
		body, _ = base64.StdEncoding.DecodeString(header.Get(HeaderErr))
	}
	if parsed, err := decodeError(body); err == nil {
		e = parsed
		e.Status = status
	}
	if e.RequestID == "" {
		e.RequestID = header.Get(HeaderRequestID)
	}
	if e.EC == "" {
		e.EC = header.Get(HeaderEC)
	}
	if e.Message == "" {
		e.Message = http.StatusText(status)
	}
	return e
}

// hideable is the length from which on a secret is looked for in texts.
const hideable = 8

// Hide takes secrets out of a text for people: servers quote what they were sent.
func Hide(text string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) >= hideable && strings.Contains(text, secret) {
			text = strings.ReplaceAll(text, secret, fmt.Sprintf("(%d characters)", len(secret)))
		}
	}
	return text
}

func decodeError(body []byte) (*Error, error) {
	s, err := openDocument(body, "Error")
	if err != nil {
		return nil, err
	}
	e := &Error{}
	err = s.children(func(name string) error {
		value, err := s.anyText()
		if err != nil {
			return err
		}
		switch name {
		case "Code":
			e.Code = value
		case "Message":
			e.Message = value
		case "RequestId":
			e.RequestID = value
		case "HostId":
			e.HostID = value
		case "EC":
			e.EC = value
		case "RecommendDoc": // follows from EC
		default:
			e.Elements = append(e.Elements, Element{name, value})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e, s.end()
}
