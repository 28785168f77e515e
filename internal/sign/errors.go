package sign

import (
	"strings"
	"time"
	"unicode/utf8"
)

// Error is a refusal as OSS words it. Elements go into the error document
// behind Message, in this order.
type Error struct {
	Code     string
	Status   int // HTTP status
	Message  string
	EC       string // "" when OSS documents none
	Elements []Element
}

// Element is one further element of the error document. Value is text that
// is not yet escaped for XML.
type Element struct {
	Name, Value string
}

// Error tells code and message only. Elements quote the request, signatures
// included, and do not belong in a log.
func (e *Error) Error() string {
	return "sign: " + e.Code + ": " + e.Message
}

// elementMax bounds the text that one element quotes from a request, in bytes.
const elementMax = 256

func invalidArgument(message, ec, name, value string) *Error {
	return &Error{Code: "InvalidArgument", Status: 400, Message: message, EC: ec, Elements: []Element{
		{"ArgumentName", clip(name, elementMax)}, {"ArgumentValue", clip(value, elementMax)},
	}}
}

func accessDenied(message string, elements ...Element) *Error {
	return &Error{Code: "AccessDenied", Status: 403, Message: message, Elements: elements}
}

func expired(expires, now time.Time) *Error {
	return accessDenied("Request has expired.",
		Element{"Expires", isoTime(expires)}, Element{"ServerTime", isoTime(now)})
}

func tooSkewed(request, now time.Time) *Error {
	return &Error{
		Code: "RequestTimeTooSkewed", Status: 403, EC: "0002-00000504",
		Message: "The difference between the request time and the current time is too large.",
		Elements: []Element{
			{"MaxAllowedSkewMilliseconds", "900000"},
			{"RequestTime", isoTime(request)},
			{"ServerTime", isoTime(now)},
		},
	}
}

// UnknownAccessKey refuses an access key ID that does not exist. A temporary
// key that comes without its security token is unknown as well.
func UnknownAccessKey(id string) *Error {
	return invalidAccessKey(id, "The OSS Access Key Id you provided does not exist in our records.")
}

// DisabledAccessKey refuses an access key that exists and is switched off.
func DisabledAccessKey(id string) *Error {
	return invalidAccessKey(id, "The OSS Access Key Id you provided is disabled.")
}

func invalidAccessKey(id, message string) *Error {
	return &Error{Code: "InvalidAccessKeyId", Status: 403, EC: "0002-00000902", Message: message,
		Elements: []Element{{"OSSAccessKeyId", clip(id, elementMax)}}}
}

// InvalidToken refuses a security token that nobody issued.
func InvalidToken() *Error {
	return &Error{Code: "InvalidSecurityToken", Status: 403, Message: "The security token you provided is invalid."}
}

// ExpiredToken refuses a security token whose time is over.
func ExpiredToken() *Error {
	return &Error{Code: "SecurityTokenExpired", Status: 403, Message: "The security token you provided has expired."}
}

// MismatchedToken refuses a security token that belongs to another key.
func MismatchedToken() *Error {
	return &Error{Code: "AccessKeyIdAndSecurityTokenNotMatch", Status: 403,
		Message: "The OSS Access Key Id and the security token you provided do not match."}
}

// mismatchMax bounds the elements of a SignatureDoesNotMatch document, in bytes
// of escaped XML. Some clients read only 4096 bytes of an error body and lose
// even its code when there is more; the rest is left to the elements that
// every document has.
const mismatchMax = 2800

// mismatch explains a signature that is not the one we calculated. What was
// signed comes first: should it not fit, the hex forms are cut before the texts,
// and every cut is marked by "...".
func mismatch(c *Claim, stringToSign, canonicalRequest string) *Error {
	elements := []Element{
		{"OSSAccessKeyId", clip(c.AccessKeyID, elementMax)},
		{"SignatureProvided", clip(c.Signature, elementMax)},
		{"StringToSign", stringToSign},
		{"StringToSignBytes", hexBytes(stringToSign)},
	}
	order := []int{0, 1, 2, 3}
	if c.Scheme == V4Header || c.Scheme == V4Query {
		elements = append(elements,
			Element{"CanonicalRequest", canonicalRequest},
			Element{"CanonicalRequestBytes", hexBytes(canonicalRequest)})
		order = []int{0, 1, 2, 4, 3, 5}
	}
	room := mismatchMax
	for _, e := range elements {
		room -= 2*len(e.Name) + len("<></>\n  ")
	}
	for _, i := range order {
		elements[i].Value = clip(elements[i].Value, room)
		room -= escapedLen(elements[i].Value)
	}
	return &Error{
		Code: "SignatureDoesNotMatch", Status: 403, EC: "0002-00000040",
		Message: "The request signature we calculated does not match the signature you provided. " +
			"Check your key and signing method.",
		Elements: elements,
	}
}

// hexBytes is s as upper-case hex bytes separated by blanks, no more of them
// than an error document has room for.
func hexBytes(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range min(len(s), mismatchMax) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.Write([]byte{hex[s[i]>>4], hex[s[i]&15]})
	}
	return b.String()
}

const cutMark = "..."

// clip cuts s so that it takes at most n bytes once escaped for XML. A
// cut text ends in "..." and never inside a character.
func clip(s string, n int) string {
	if len(s) <= n && escapedLen(s) <= n {
		return s
	}
	n -= len(cutMark)
	if n < 0 {
		return ""
	}
	end := 0
	for i := 0; i < len(s); {
		size, cost := escapedCost(s[i:])
		if n -= cost; n < 0 {
			break
		}
		i += size
		end = i
	}
	return s[:end] + cutMark
}

func escapedLen(s string) int {
	n := 0
	for i := 0; i < len(s); {
		size, cost := escapedCost(s[i:])
		i += size
		n += cost
	}
	return n
}

// escapedCost tells the size of the first character of s and how many bytes it
// takes in XML at most: "&quot;" for a character that XML knows, a replacement
// character for one that it does not allow.
func escapedCost(s string) (size, cost int) {
	r, size := utf8.DecodeRuneInString(s)
	switch {
	case r == utf8.RuneError:
		return size, 3
	case r < 0x20, r == '&', r == '<', r == '>', r == '"', r == '\'':
		return size, 6
	}
	return size, size
}

// isoTime writes a time as documents have it: to the second, and always .000Z.
func isoTime(t time.Time) string {
	return t.UTC().Format("2006-01-02T15:04:05") + ".000Z"
}
