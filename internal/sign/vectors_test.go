package sign

import (
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// vector is one signed request that an official SDK made.
type vector struct {
	Name, Version, Mode string
	Input               struct {
		Method            string
		Host              string
		Path              string `json:"request_path"`
		Query             string `json:"request_query"`
		Headers           map[string]string
		Bucket, Key       string
		AccessKeyID       string   `json:"access_key_id"`
		AccessKeySecret   string   `json:"access_key_secret"`
		SecurityToken     string   `json:"security_token"`
		Region            string   `json:"region"`
		Now               int64    `json:"now_unix"`
		ExpiresSeconds    int64    `json:"expires_seconds"`
		AdditionalHeaders []string `json:"additional_headers"`
	}
	Output struct {
		CanonicalRequest string `json:"canonical_request"`
		StringToSign     string `json:"string_to_sign"`
		Signature        string
		Authorization    string
		SignedURL        string `json:"signed_url"`
	}
}

func readVectors(t testing.TB, name string, count int) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != count {
		t.Fatalf("%s has %d vectors, want %d", name, len(file.Vectors), count)
	}
	return file.Vectors
}

func allVectors(t testing.TB) []vector {
	return append(readVectors(t, "signing-v1.json", 23), readVectors(t, "signing-v4.json", 29)...)
}

// readQuery form-decodes a query, in order.
func readQuery(raw string) ([]Param, error) {
	var params []Param
	for pair := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(pair, "=")
		n, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		v, err := url.QueryUnescape(value)
		if err != nil {
			return nil, err
		}
		if pair != "" {
			params = append(params, Param{n, v})
		}
	}
	return params, nil
}

// request is the vector as the server receives it.
func (v *vector) request(t testing.TB) *Request {
	t.Helper()
	query, err := readQuery(v.Input.Query)
	if err != nil {
		t.Fatal(err)
	}
	r := &Request{
		Method: v.Input.Method,
		Bucket: v.Input.Bucket,
		Key:    v.Input.Key,
		Query:  query,
		Header: map[string][]string{},
		Host:   v.Input.Host,
	}
	for name, value := range v.Input.Headers {
		r.Header[name] = []string{value}
	}
	if v.Output.Authorization != "" {
		r.Header["authorization"] = []string{v.Output.Authorization}
	}
	return r
}

func (v *vector) now() time.Time { return time.Unix(v.Input.Now, 0) }

func (v *vector) scheme() Scheme {
	return map[string]Scheme{
		"V1header": V1Header, "V1query": V1Query, "V4header": V4Header, "V4query": V4Query,
	}[v.Version+v.Mode]
}

// verify does what a server does, in its order.
func verify(r *Request, secret, region string, now time.Time) (*Claim, error) {
	c, err := Parse(r)
	if err != nil {
		return nil, err
	}
	if err := c.CheckTime(now); err != nil {
		return c, err
	}
	if err := c.CheckScope(region); err != nil {
		return c, err
	}
	return c, c.CheckSignature(r, secret)
}

// TestVerifyVectors verifies what the SDKs sent and compares every
// intermediate text.
func TestVerifyVectors(t *testing.T) {
	for _, v := range allVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			r := v.request(t)
			c, err := verify(r, v.Input.AccessKeySecret, v.Input.Region, v.now())
			if c != nil {
				if got := c.CanonicalRequest(r); got != v.Output.CanonicalRequest {
					t.Errorf("canonical request\n%q, want\n%q", got, v.Output.CanonicalRequest)
				}
				if got := c.StringToSign(r); got != v.Output.StringToSign {
					t.Errorf("string to sign\n%q, want\n%q", got, v.Output.StringToSign)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Scheme != v.scheme() || c.AccessKeyID != v.Input.AccessKeyID || c.Signature != v.Output.Signature {
				t.Errorf("claim is %+v", c)
			}
			if c.SecurityToken != v.Input.SecurityToken {
				t.Errorf("token is %q, want %q", c.SecurityToken, v.Input.SecurityToken)
			}
			if v.Version == "V4" && c.Region != v.Input.Region {
				t.Errorf("region is %q, want %q", c.Region, v.Input.Region)
			}
			if _, err := verify(r, v.Input.AccessKeySecret+"x", v.Input.Region, v.now()); err == nil {
				t.Error("verified with another secret")
			}
			if _, err := verify(r, "", v.Input.Region, v.now()); err == nil {
				t.Error("verified with an empty secret")
			}
		})
	}
}

// TestSignVectors takes the signature off each vector, signs again, and
// compares with what the SDK sent.
func TestSignVectors(t *testing.T) {
	for _, v := range allVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			want := v.request(t)
			r := unsigned(v.request(t), v.scheme())
			creds := Credentials{v.Input.AccessKeyID, v.Input.AccessKeySecret, v.Input.SecurityToken}
			var err error
			switch v.scheme() {
			case V1Header:
				SignV1Header(r, creds, v.now())
			case V1Query:
				SignV1Query(r, creds, time.Unix(v.Input.Now+v.Input.ExpiresSeconds, 0))
			case V4Header:
				if _, ok := want.Header["x-oss-date"]; !ok {
					signWithHTTPDate(t, want, v)
					return
				}
				SignV4Header(r, creds, v.Input.Region, v.now(), v.Input.AdditionalHeaders...)
			case V4Query:
				err = SignV4Query(r, creds, v.Input.Region, v.now(),
					time.Duration(v.Input.ExpiresSeconds)*time.Second, v.Input.AdditionalHeaders...)
			}
			if err != nil {
				t.Fatal(err)
			}

			c, err := Parse(r)
			if err != nil {
				t.Fatal(err)
			}
			if got := c.CanonicalRequest(r); got != v.Output.CanonicalRequest {
				t.Errorf("canonical request\n%q, want\n%q", got, v.Output.CanonicalRequest)
			}
			if got := c.StringToSign(r); got != v.Output.StringToSign {
				t.Errorf("string to sign\n%q, want\n%q", got, v.Output.StringToSign)
			}
			if c.Signature != v.Output.Signature {
				t.Errorf("signature %q, want %q", c.Signature, v.Output.Signature)
			}
			if got, want := authorizationFields(r), authorizationFields(want); !slices.Equal(got, want) {
				t.Errorf("authorization %q, want %q", got, want)
			}
			if v.Output.SignedURL != "" {
				u, err := url.Parse(v.Output.SignedURL)
				if err != nil {
					t.Fatal(err)
				}
				ours, err := url.ParseQuery(EncodeQuery(r.Query))
				if err != nil {
					t.Fatal(err)
				}
				if theirs := u.Query(); !maps.EqualFunc(ours, theirs, slices.Equal) {
					t.Errorf("URL has %v, want %v", ours, theirs)
				}
			}
		})
	}
}

// signWithHTTPDate covers the one thing that our client does not imitate: go1
// sends no x-oss-date in V4 headers, so the texts are compared below the API.
func signWithHTTPDate(t *testing.T, r *Request, v vector) {
	t.Helper()
	c := newV4Claim(V4Header, r, v.now().UTC().Format(dateTimeLayout), v.Input.Region, []string{"range"})
	c.dateTime = r.Header["date"][0]
	if got := c.CanonicalRequest(r); got != v.Output.CanonicalRequest {
		t.Errorf("canonical request\n%q, want\n%q", got, v.Output.CanonicalRequest)
	}
	text := c.StringToSign(r)
	if text != v.Output.StringToSign {
		t.Errorf("string to sign\n%q, want\n%q", text, v.Output.StringToSign)
	}
	if got := c.signature(text, v.Input.AccessKeySecret); got != v.Output.Signature {
		t.Errorf("signature %q, want %q", got, v.Output.Signature)
	}
}

// unsigned takes away what a signer adds.
func unsigned(r *Request, s Scheme) *Request {
	drop := []string{"authorization", "x-oss-security-token"}
	if s == V4Header {
		drop = append(drop, "x-oss-date", "x-oss-content-sha256")
	}
	for _, name := range drop {
		delete(r.Header, name)
	}
	authentication := []string{
		"OSSAccessKeyId", "Expires", "Signature", "security-token",
		"x-oss-signature-version", "x-oss-credential", "x-oss-date", "x-oss-expires",
		"x-oss-additional-headers", "x-oss-security-token", "x-oss-signature",
	}
	r.Query = slices.DeleteFunc(r.Query, func(p Param) bool { return slices.Contains(authentication, p.Name) })
	return r
}

// authorizationFields makes the header comparable: SDKs differ in the order of
// its fields and in blanks.
func authorizationFields(r *Request) []string {
	scheme, rest, _ := strings.Cut(r.fields()["authorization"], " ")
	fields := strings.Split(rest, ",")
	for i := range fields {
		fields[i] = strings.TrimSpace(fields[i])
	}
	slices.Sort(fields)
	return append(fields, scheme)
}

// TestLegacyVectors proves that the OSS2 scheme is refused.
func TestLegacyVectors(t *testing.T) {
	for _, v := range readVectors(t, "signing-v2-legacy.json", 2) {
		_, err := Parse(v.request(t))
		var e *Error
		if !errors.As(err, &e) || e.Code != "InvalidArgument" || e.Status != 400 {
			t.Errorf("%s: %v, want 400 InvalidArgument", v.Name, err)
		}
	}
}

// TestPolicyVectors signs the policies of PostObject forms.
func TestPolicyVectors(t *testing.T) {
	data, err := os.ReadFile("testdata/post-policy.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			Version string
			Input   struct {
				Secret string `json:"access_key_secret"`
				Region string
				Date   string
			}
			Output struct {
				StringToSign string `json:"string_to_sign"`
				Signature    string
			}
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Vectors) != 2 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		got := PolicySignatureV1(v.Input.Secret, v.Output.StringToSign)
		if v.Version == "V4" {
			got = PolicySignatureV4(v.Input.Secret, v.Input.Date, v.Input.Region, v.Output.StringToSign)
		}
		if got != v.Output.Signature {
			t.Errorf("%s: %q, want %q", v.Version, got, v.Output.Signature)
		}
	}
}
