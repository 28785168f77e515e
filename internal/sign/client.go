package sign

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Credentials are an access key as a client holds it. Printing and logging
// them shows the ID only.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string // of temporary keys; "" for others
}

func (c Credentials) String() string { return c.AccessKeyID }
func (c Credentials) GoString() string {
	return "sign.Credentials{" + strconv.Quote(c.AccessKeyID) + "}"
}
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.AccessKeyID) }

// SignV1Header signs r in its Authorization header. It sets the header Date to
// now unless r has x-oss-date, and x-oss-security-token for a temporary key.
// Header may be nil. All other headers must be in place: Content-Type,
// Content-MD5 and x-oss- headers are signed.
func SignV1Header(r *Request, creds Credentials, now time.Time) {
	setToken(r, creds)
	date, ok := r.fields()["x-oss-date"]
	if !ok {
		date = now.UTC().Format(httpTimeLayout)
		setHeader(r, "Date", date)
	}
	c := &Claim{Scheme: V1Header, AccessKeyID: creds.AccessKeyID, dateTime: date}
	signature := c.signature(c.StringToSign(r), creds.AccessKeySecret)
	setHeader(r, "Authorization", "OSS "+creds.AccessKeyID+":"+signature)
}

// SignV1Query signs r in its URL, good until expires (whole seconds), by
// adding parameters to Query. Whoever uses the URL must send the Content-Type,
// Content-MD5 and x-oss- headers that r has.
func SignV1Query(r *Request, creds Credentials, expires time.Time) {
	text := strconv.FormatInt(expires.Unix(), 10)
	setParam(r, "security-token", creds.SecurityToken)
	setParam(r, "OSSAccessKeyId", creds.AccessKeyID)
	setParam(r, "Expires", text)
	c := &Claim{Scheme: V1Query, AccessKeyID: creds.AccessKeyID, dateTime: text}
	setParam(r, "Signature", c.signature(c.StringToSign(r), creds.AccessKeySecret))
}

// SignV4Header signs r in its Authorization header. It sets x-oss-date,
// x-oss-content-sha256, and x-oss-security-token for a temporary key. region
// is without the "oss-" that endpoints have. additional names further headers
// to sign, in any letter case; those that r lacks or that are signed anyway are
// left out.
func SignV4Header(r *Request, creds Credentials, region string, now time.Time, additional ...string) {
	setToken(r, creds)
	dateTime := now.UTC().Format(dateTimeLayout)
	setHeader(r, "X-Oss-Date", dateTime)
	setHeader(r, "X-Oss-Content-Sha256", unsignedPayload)
	c := newV4Claim(V4Header, r, dateTime, region, additional)

	value := v4Algorithm + " Credential=" + creds.AccessKeyID + "/" + v4Scope(c.Date, region)
	if len(c.AdditionalHeaders) > 0 {
		value += ",AdditionalHeaders=" + strings.Join(c.AdditionalHeaders, ";")
	}
	value += ",Signature=" + c.signature(c.StringToSign(r), creds.AccessKeySecret)
	setHeader(r, "Authorization", value)
}

// SignV4Query signs r in its URL by adding parameters to Query. The URL is good
// from now for expires, whole seconds from 1 second to MaxExpires. Whoever uses
// it must send the Content-Type, Content-MD5, x-oss- and additional headers
// that r has.
func SignV4Query(r *Request, creds Credentials, region string, now time.Time, expires time.Duration, additional ...string) error {
	if expires < time.Second || expires > MaxExpires {
		return fmt.Errorf("sign: a V4 URL is good for 1s to %v, not for %v", MaxExpires, expires)
	}
	dateTime := now.UTC().Format(dateTimeLayout)
	c := newV4Claim(V4Query, r, dateTime, region, additional)
	setParam(r, "x-oss-signature-version", v4Algorithm)
	setParam(r, "x-oss-credential", creds.AccessKeyID+"/"+v4Scope(c.Date, region))
	setParam(r, "x-oss-date", dateTime)
	setParam(r, "x-oss-expires", strconv.FormatInt(int64(expires/time.Second), 10))
	setParam(r, "x-oss-additional-headers", strings.Join(c.AdditionalHeaders, ";"))
	setParam(r, "x-oss-security-token", creds.SecurityToken)
	setParam(r, "x-oss-signature", c.signature(c.StringToSign(r), creds.AccessKeySecret))
	return nil
}

func newV4Claim(scheme Scheme, r *Request, dateTime, region string, additional []string) *Claim {
	f := r.fields()
	names := make([]string, 0, len(additional))
	for _, name := range additional {
		name = lower(name)
		if _, ok := f[name]; ok && !signedByDefault(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return &Claim{
		Scheme:            scheme,
		Date:              dateTime[:len(dateLayout)],
		Region:            region,
		AdditionalHeaders: slices.Compact(names),
		dateTime:          dateTime,
	}
}

// PolicySignatureV1 signs the policy of a PostObject form. policy is the base64
// text of the form field as sent.
func PolicySignatureV1(secret, policy string) string {
	return signatureV1(secret, policy)
}

// PolicySignatureV4 signs the policy of a PostObject form. date (YYYYMMDD) and
// region are those of the form's x-oss-credential.
func PolicySignatureV4(secret, date, region, policy string) string {
	return signatureV4(secret, date, region, policy)
}

func setToken(r *Request, creds Credentials) {
	if creds.SecurityToken != "" {
		setHeader(r, "X-Oss-Security-Token", creds.SecurityToken)
	}
}

// setHeader replaces a header however its name is spelled.
func setHeader(r *Request, name, value string) {
	if r.Header == nil {
		r.Header = make(map[string][]string)
	}
	for k := range r.Header {
		if lower(k) == lower(name) {
			delete(r.Header, k)
		}
	}
	r.Header[name] = []string{value}
}

// setParam replaces a query parameter, or removes it when value is empty.
func setParam(r *Request, name, value string) {
	r.Query = slices.DeleteFunc(slices.Clone(r.Query), func(p Param) bool { return p.Name == name })
	if value != "" {
		r.Query = append(r.Query, Param{name, value})
	}
}
