package sign

import (
	"crypto/subtle"
	"strings"
	"time"
)

// Scheme is how a request is signed.
type Scheme int

const (
	Anonymous Scheme = iota // not signed
	V1Header
	V1Query
	V4Header
	V4Query
)

func (s Scheme) String() string {
	switch s {
	case Anonymous:
		return "anonymous"
	case V1Header:
		return "v1-header"
	case V1Query:
		return "v1-query"
	case V4Header:
		return "v4-header"
	case V4Query:
		return "v4-query"
	}
	return "unknown"
}

// Claim is what a request says about its sender. Nothing in it is proven until
// CheckTime, CheckScope and CheckSignature have all returned nil.
type Claim struct {
	Scheme        Scheme
	AccessKeyID   string // "" only when anonymous
	SecurityToken string // of temporary keys; "" for others
	Signature     string // as provided

	// Time is the date of the request; zero for V1Query, which has none.
	Time time.Time

	// Expires is the last instant a URL is good for; zero for header schemes.
	Expires time.Time

	// Date (YYYYMMDD) and Region are the scope of a V4 credential.
	Date, Region string

	// AdditionalHeaders are the further signed headers that a V4 request names,
	// lower case and sorted.
	AdditionalHeaders []string

	dateTime string // the date as it was signed
}

// Limits on time, from the OSS documentation of the schemes.
const (
	MaxSkew    = 15 * time.Minute   // between the date of a request and now, inclusive
	MaxExpires = 7 * 24 * time.Hour // validity of a V4 URL, inclusive
)

// AnyRegion makes CheckScope accept every region.
const AnyRegion = "*"

// Parse finds out how r is signed and reads what it claims, without looking at
// keys or clocks. A request with no signature at all is Anonymous: it has no
// time or scope to be refused for, and CheckSignature never passes it. The error
// is an *Error.
func Parse(r *Request) (*Claim, error) {
	f := r.fields()
	for name, v := range f {
		// HTTP has no line breaks in headers. Refusing them keeps one header
		// from posing as two in a canonical string.
		if strings.ContainsAny(v, "\r\n") || strings.ContainsAny(name, "\r\n:") {
			return nil, invalidArgument("A header is malformed.", "", name, "")
		}
	}
	c, err := parse(r, f)
	if err != nil {
		return nil, err
	}
	return c, nil
}

func parse(r *Request, f fields) (*Claim, *Error) {
	authorization, inHeader := f["authorization"]
	inQuery := false
	for _, name := range []string{
		"x-oss-signature-version", "x-oss-signature", "x-oss-credential", "OSSAccessKeyId", "Signature",
	} {
		_, ok := r.Param(name)
		inQuery = inQuery || ok
	}
	switch {
	case inHeader && inQuery:
		return nil, invalidArgument(
			"A request is signed either in the Authorization header or in the URL, not in both.",
			"", "Authorization", authorization)
	case inHeader:
		return parseHeader(f, authorization)
	case inQuery:
		return parseQuery(r, f)
	}
	return &Claim{}, nil
}

func parseHeader(f fields, authorization string) (*Claim, *Error) {
	if authorization == "" {
		return nil, badAuthorization("Authorization header value is empty.", "", authorization)
	}
	scheme, rest, _ := strings.Cut(authorization, " ")
	switch scheme {
	case v4Algorithm:
		return parseV4Header(f, authorization, rest)
	case "OSS2":
		return nil, badAuthorization("The signature version OSS2 is not supported.", "", authorization)
	case "OSS":
		return parseV1Header(f, authorization, rest)
	case "AWS", "AWS4-HMAC-SHA256":
		return nil, badAuthorization("Authorization header is invalid: it is one of S3. This server speaks the protocol of OSS.", "", authorization)
	}
	return nil, badAuthorization("Authorization header is invalid.", "", authorization)
}

func parseQuery(r *Request, f fields) (*Claim, *Error) {
	version, ok := r.Param("x-oss-signature-version")
	_, signature := r.Param("x-oss-signature")
	_, credential := r.Param("x-oss-credential")
	switch {
	case version == v4Algorithm:
		return parseV4Query(r, f)
	case ok:
		return nil, invalidArgument("The signature version is not supported.", "", "x-oss-signature-version", version)
	case signature || credential:
		return nil, invalidArgument("The signature version is missing.", "", "x-oss-signature-version", "")
	}
	return parseV1Query(r)
}

func badAuthorization(message, ec, authorization string) *Error {
	return invalidArgument(message, ec, "Authorization", authorization)
}

// CheckTime compares the request's date, or the expiry of a URL, with now.
func (c *Claim) CheckTime(now time.Time) error {
	switch c.Scheme {
	case V1Header, V4Header:
		// Sub saturates, so compare both ends instead of taking the absolute value.
		if d := now.Sub(c.Time); d > MaxSkew || d < -MaxSkew {
			return tooSkewed(c.Time, now)
		}
	case V1Query, V4Query:
		// The future of x-oss-date has the tolerance that headers have; OSS
		// documents none. V1 URLs have no date and a zero Time.
		if now.After(c.Expires) || c.Time.After(now.Add(MaxSkew)) {
			return expired(c.Expires, now)
		}
	}
	return nil
}

// CheckScope compares the scope of a V4 credential with the date of the request
// and with the region of the bucket, or with no region for AnyRegion. It passes
// every other scheme.
func (c *Claim) CheckScope(region string) error {
	if c.Scheme != V4Header && c.Scheme != V4Query {
		return nil
	}
	// A region that is another one has this EC in a header too, and these words:
	// the tests of the Python SDK expect both.
	const regionEC = "0002-00000226"
	name, dateEC, wrongRegion := "Authorization", "0002-00000212", "Invalid signing region in Authorization header."
	if c.Scheme == V4Query {
		name, dateEC, wrongRegion = "x-oss-credential", "0002-00000223", "The signing region in credential is invalid."
	}
	if c.Date != c.Time.UTC().Format(dateLayout) {
		return invalidArgument("The signing date in credential is invalid.", dateEC, name, c.Date)
	}
	if region != AnyRegion && region != c.Region {
		return invalidArgument(wrongRegion, regionEC, name, c.Region)
	}
	return nil
}

// CheckSignature calculates the signature of r with secret and compares, in
// constant time, with the one claimed. r is the request that Parse read. An
// empty secret never verifies, and neither does an anonymous claim.
func (c *Claim) CheckSignature(r *Request, secret string) error {
	canonical := c.CanonicalRequest(r)
	text := c.stringToSign(r, canonical)
	if c.Scheme == Anonymous || secret == "" ||
		subtle.ConstantTimeCompare([]byte(c.signature(text, secret)), []byte(c.Signature)) != 1 {
		return mismatch(c, text, canonical)
	}
	return nil
}

// CanonicalRequest is the canonical request of V4, and "" for V1.
func (c *Claim) CanonicalRequest(r *Request) string {
	if c.Scheme == V4Header || c.Scheme == V4Query {
		return canonicalRequest(r, c.AdditionalHeaders)
	}
	return ""
}

// StringToSign is the text whose HMAC is the signature.
func (c *Claim) StringToSign(r *Request) string {
	return c.stringToSign(r, c.CanonicalRequest(r))
}

func (c *Claim) stringToSign(r *Request, canonical string) string {
	switch c.Scheme {
	case V1Header, V1Query:
		return stringToSignV1(r, c.dateTime)
	case V4Header, V4Query:
		return stringToSignV4(c.dateTime, c.Date, c.Region, canonical)
	}
	return ""
}

func (c *Claim) signature(stringToSign, secret string) string {
	switch c.Scheme {
	case V1Header, V1Query:
		return signatureV1(secret, stringToSign)
	case V4Header, V4Query:
		return signatureV4(secret, c.Date, c.Region, stringToSign)
	}
	return ""
}

const (
	dateLayout     = "20060102"
	dateTimeLayout = "20060102T150405Z"
	httpTimeLayout = "Mon, 02 Jan 2006 15:04:05 GMT"
)

// parseDate reads the date of a request: x-oss-date when present, else Date.
// Either may be in either format, because some clients send a V4 header
// signature with an HTTP date; the text itself is what is signed.
func parseDate(f fields) (text string, t time.Time, err *Error) {
	text, ok := f["x-oss-date"]
	if !ok {
		text = f["date"]
	}
	if t, ok := parseDateTime(text); ok {
		return text, t, nil
	}
	t, bad := time.Parse(httpTimeLayout, text)
	if bad != nil {
		return "", time.Time{}, accessDenied("OSS authentication requires a valid Date.")
	}
	return text, t, nil
}

// parseDateTime reads YYYYMMDD'T'HHMMSS'Z' and nothing else (time.Parse alone
// would take a fraction of a second as well).
func parseDateTime(s string) (time.Time, bool) {
	t, err := time.Parse(dateTimeLayout, s)
	return t, err == nil && t.Format(dateTimeLayout) == s
}
