package sign

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	v4Algorithm     = "OSS4-HMAC-SHA256"
	v4Product       = "oss"
	v4Request       = "aliyun_v4_request"
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// parseV4Header reads "OSS4-HMAC-SHA256 Credential=...,Signature=...". Fields
// come in any order with blanks around them: oss2 puts AdditionalHeaders last,
// others in the middle.
func parseV4Header(f fields, authorization, rest string) (*Claim, *Error) {
	values := make(map[string]string, 3)
	for field := range strings.SplitSeq(rest, ",") {
		name, value, found := strings.Cut(strings.Trim(field, " "), "=")
		_, again := values[name]
		if !found || again || name != "Credential" && name != "Signature" && name != "AdditionalHeaders" {
			return nil, badAuthorization("Authorization header is invalid.", "0002-00000213", authorization)
		}
		values[name] = value
	}
	if values["Signature"] == "" {
		return nil, badAuthorization("The signature in Authorization header is empty.", "0002-00000208", authorization)
	}
	c := &Claim{
		Scheme:            V4Header,
		SecurityToken:     f["x-oss-security-token"],
		Signature:         values["Signature"],
		AdditionalHeaders: headerNames(values["AdditionalHeaders"]),
	}
	if flaw := c.setCredential(values["Credential"]); flaw != credentialFine {
		ec := [...]string{badCredential: "0002-00000213", badCredentialDate: "0002-00000212", badCredentialRegion: "0002-00000228"}
		return nil, badAuthorization(flaw.String(), ec[flaw], authorization)
	}
	var err *Error
	if c.dateTime, c.Time, err = parseDate(f); err != nil {
		return nil, err
	}
	return c, checkPayloadHash(f)
}

func parseV4Query(r *Request, f fields) (*Claim, *Error) {
	signature, ok := r.Param("x-oss-signature")
	if !ok {
		return nil, invalidArgument("The parameter x-oss-signature is missing.", "0002-00000219", "x-oss-signature", "")
	}
	if signature == "" {
		return nil, invalidArgument("The parameter x-oss-signature is empty.", "0002-00000220", "x-oss-signature", "")
	}
	token, _ := r.Param("x-oss-security-token")
	additional, _ := r.Param("x-oss-additional-headers")
	c := &Claim{
		Scheme:            V4Query,
		SecurityToken:     token,
		Signature:         signature,
		AdditionalHeaders: headerNames(additional),
	}
	credential, _ := r.Param("x-oss-credential")
	if flaw := c.setCredential(credential); flaw != credentialFine {
		ec := [...]string{badCredential: "0002-00000224", badCredentialDate: "0002-00000223", badCredentialRegion: "0002-00000226"}
		return nil, invalidArgument(flaw.String(), ec[flaw], "x-oss-credential", credential)
	}
	c.dateTime, _ = r.Param("x-oss-date")
	if c.Time, ok = parseDateTime(c.dateTime); !ok {
		return nil, invalidArgument("The parameter x-oss-date is invalid.", "", "x-oss-date", c.dateTime)
	}
	expires, _ := r.Param("x-oss-expires")
	seconds, err := strconv.ParseUint(expires, 10, 32)
	if err != nil || seconds == 0 || seconds > uint64(MaxExpires/time.Second) {
		return nil, invalidArgument("The parameter x-oss-expires must be an integer from 1 to 604800.", "", "x-oss-expires", expires)
	}
	c.Expires = c.Time.Add(time.Duration(seconds) * time.Second)
	return c, checkPayloadHash(f)
}

// credentialFlaw is what is wrong with a V4 credential.
type credentialFlaw int

const (
	credentialFine credentialFlaw = iota
	badCredential
	badCredentialDate
	badCredentialRegion
)

func (f credentialFlaw) String() string {
	switch f {
	case badCredentialDate:
		return "The signing date in credential is invalid."
	case badCredentialRegion:
		return "The signing region in credential is invalid."
	}
	return "The credential is invalid."
}

// setCredential reads <access key ID>/<YYYYMMDD>/<region>/oss/aliyun_v4_request.
// An access key ID has no slash.
func (c *Claim) setCredential(s string) credentialFlaw {
	parts := strings.Split(s, "/")
	if len(parts) != 5 || parts[0] == "" || parts[3] != v4Product || parts[4] != v4Request {
		return badCredential
	}
	if len(parts[1]) != len(dateLayout) || strings.Trim(parts[1], "0123456789") != "" {
		return badCredentialDate
	}
	if parts[2] == "" || len(parts[2]) > 64 || strings.Trim(parts[2], "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return badCredentialRegion
	}
	c.AccessKeyID, c.Date, c.Region = parts[0], parts[1], parts[2]
	return credentialFine
}

// headerNames reads a list of header names joined with ";".
func headerNames(list string) []string {
	if list == "" {
		return nil
	}
	names := strings.Split(lower(list), ";")
	slices.Sort(names)
	return names
}

// checkPayloadHash refuses signed payloads, which OSS does not have: the only
// value it documents is UNSIGNED-PAYLOAD. An absent header means the same.
func checkPayloadHash(f fields) *Error {
	if v, ok := f["x-oss-content-sha256"]; ok && v != unsignedPayload {
		return invalidArgument("The header x-oss-content-sha256 must be UNSIGNED-PAYLOAD.", "", "x-oss-content-sha256", v)
	}
	return nil
}

// canonicalRequest follows the OSS documentation, "Include a V4 signature in
// the Authorization header". A header that additional names and the request
// lacks has no line; its name still stands in the list of names.
func canonicalRequest(r *Request, additional []string) string {
	var b strings.Builder
	b.WriteString(r.Method + "\n")
	escape(&b, r.resource(), true)
	b.WriteByte('\n')
	b.WriteString(canonicalQuery(r))
	b.WriteByte('\n')
	f := r.fields()
	for _, name := range sortedKeys(f) {
		if signedByDefault(name) || slices.Contains(additional, name) {
			b.WriteString(name + ":" + f[name] + "\n")
		}
	}
	b.WriteString("\n" + strings.Join(additional, ";") + "\n")
	if hash, ok := f["x-oss-content-sha256"]; ok {
		b.WriteString(hash)
	} else {
		b.WriteString(unsignedPayload)
	}
	return b.String()
}

// signedByDefault tells whether V4 signs a header without it being named.
func signedByDefault(name string) bool {
	return name == "content-type" || name == "content-md5" || strings.HasPrefix(name, "x-oss-")
}

// canonicalQuery has every parameter but the signature, sorted by encoded name.
func canonicalQuery(r *Request) string {
	type pair struct{ name, text string }
	var pairs []pair
	for _, p := range r.uniqueQuery(func(name string) bool { return name != "x-oss-signature" }) {
		pairs = append(pairs, pair{EncodeQuery([]Param{{Name: p.Name}}), EncodeQuery([]Param{p})})
	}
	slices.SortFunc(pairs, func(a, b pair) int { return strings.Compare(a.name, b.name) })
	texts := make([]string, len(pairs))
	for i, p := range pairs {
		texts[i] = p.text
	}
	return strings.Join(texts, "&")
}

func stringToSignV4(dateTime, date, region, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return v4Algorithm + "\n" + dateTime + "\n" + v4Scope(date, region) + "\n" + hex.EncodeToString(sum[:])
}

func v4Scope(date, region string) string {
	return date + "/" + region + "/" + v4Product + "/" + v4Request
}

func signatureV4(secret, date, region, stringToSign string) string {
	key := []byte("aliyun_v4" + secret)
	for _, s := range []string{date, region, v4Product, v4Request, stringToSign} {
		h := hmac.New(sha256.New, key)
		h.Write([]byte(s))
		key = h.Sum(nil)
	}
	return hex.EncodeToString(key)
}
