// Package sign makes and verifies the signatures of OSS requests. The server
// and the client share it, so that both build the same canonical strings.
//
// Two schemes exist, each in the Authorization header or in the URL:
//
//	V1  HMAC-SHA1 over    VERB, Content-MD5, Content-Type, date, x-oss- headers, resource
//	V4  HMAC-SHA256 over  a hash of VERB, URI, query, headers, additional header names, payload hash
//
// (OSS documentation, "Include signatures in the Authorization header", "Add
// signatures to URLs", "Include a V4 signature in the Authorization header",
// "Include a V4 signature in a URL".) The older scheme "OSS2" is refused.
//
// The package does no I/O and reads no clock. A server verifies in this order,
// which is the order in which the service reports failures:
//
//	claim, err := sign.Parse(req)          // what does the request claim?
//	err = claim.CheckTime(now)             // skew, expiry
//	secret := ...                          // look up claim.AccessKeyID and claim.SecurityToken
//	err = claim.CheckScope(region)         // V4: date and region of the credential
//	err = claim.CheckSignature(req, secret)
//
// Every failure is an *Error with the answer that OSS gives. No error holds a
// secret.
package sign

import (
	"slices"
	"strings"
)

// Request is what of an HTTP request takes part in a signature.
type Request struct {
	Method string // as on the wire, upper case

	// Bucket and Key are what routing found, whatever the addressing style. Key
	// is percent-decoded and not normalised. Both are empty at service level,
	// Key is empty at bucket level.
	Bucket, Key string

	// Query holds the form-decoded parameters in the order of the wire. Where a
	// name comes twice the first one counts, here and wherever the request is
	// acted upon: the others are not signed.
	Query []Param

	// Header has names in any letter case (an http.Header fits). Host is not
	// taken from it unless the field Host is empty.
	Header map[string][]string

	// Host is the Host header as received, port included.
	Host string
}

// Param is one decoded query parameter. "?uploads" and "?uploads=" are the
// same parameter with an empty value.
type Param struct {
	Name, Value string
}

// EncodeQuery is the wire form of params: blanks as %20, a parameter with an
// empty value as its bare name.
func EncodeQuery(params []Param) string {
	var b strings.Builder
	for i, p := range params {
		if i > 0 {
			b.WriteByte('&')
		}
		escape(&b, p.Name, false)
		if p.Value != "" {
			b.WriteByte('=')
			escape(&b, p.Value, false)
		}
	}
	return b.String()
}

// EscapePath percent-encodes a key for the path of a URL, slashes kept.
func EscapePath(key string) string {
	var b strings.Builder
	escape(&b, key, true)
	return b.String()
}

// Param returns the first parameter of that name and whether there is one.
func (r *Request) Param(name string) (string, bool) {
	for _, p := range r.Query {
		if p.Name == name {
			return p.Value, true
		}
	}
	return "", false
}

// resource is the signed resource: "/", "/bucket/" or "/bucket/key".
func (r *Request) resource() string {
	if r.Bucket == "" {
		return "/"
	}
	return "/" + r.Bucket + "/" + r.Key
}

// uniqueQuery returns the parameters that keep accepts, the first of each
// name, in no particular order.
func (r *Request) uniqueQuery(keep func(name string) bool) []Param {
	seen := make(map[string]bool, len(r.Query))
	var params []Param
	for _, p := range r.Query {
		if keep(p.Name) && !seen[p.Name] {
			seen[p.Name] = true
			params = append(params, p)
		}
	}
	return params
}

// fields are headers by lower-case name, in the form they are signed in:
// values trimmed, repeated ones joined with commas.
type fields map[string]string

func (r *Request) fields() fields {
	f := make(fields, len(r.Header)+1)
	for _, name := range sortedKeys(r.Header) {
		low := lower(name)
		for _, v := range r.Header[name] {
			v = strings.Trim(v, " \t")
			if old, ok := f[low]; ok {
				v = old + "," + v
			}
			f[low] = v
		}
	}
	if r.Host != "" {
		f["host"] = r.Host
	}
	return f
}

// sortedKeys keeps the outcome independent of map order when a caller spells
// one header name in two ways.
func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// lower maps A-Z to a-z and leaves every other byte alone: unlike
// strings.ToLower it never makes two different names equal.
func lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for ; i < len(b); i++ {
				if 'A' <= b[i] && b[i] <= 'Z' {
					b[i] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}

// escape appends s percent-encoded: everything but A-Z a-z 0-9 - _ . ~ becomes
// %XX in upper-case hex, and "/" too unless keepSlash.
func escape(b *strings.Builder, s string, keepSlash bool) {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '-', c == '_', c == '.', c == '~', c == '/' && keepSlash:
			b.WriteByte(c)
		default:
			b.Write([]byte{'%', hex[c>>4], hex[c&15]})
		}
	}
}
