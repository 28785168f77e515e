package sign

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// refuses checks that a changed request does not verify, and that the refusal
// tells neither secret nor the right signature.
func refuses(t *testing.T, what string, r *Request, v *vector) {
	t.Helper()
	_, err := verify(r, v.Input.AccessKeySecret, v.Input.Region, v.now())
	var e *Error
	if !errors.As(err, &e) {
		t.Errorf("%s: got %v, want a refusal", what, err)
		return
	}
	if text := fmt.Sprintf("%+v %#v %v", *e, *e, err); strings.Contains(text, v.Input.AccessKeySecret) {
		t.Errorf("%s: the refusal tells the secret", what)
	}
	if strings.Contains(err.Error(), v.Output.Signature) {
		t.Errorf("%s: the error text tells the signature", what)
	}
}

// accepts checks that a change that is not signed does no harm.
func accepts(t *testing.T, what string, r *Request, v *vector) {
	t.Helper()
	if _, err := verify(r, v.Input.AccessKeySecret, v.Input.Region, v.now()); err != nil {
		t.Errorf("%s: %v", what, err)
	}
}

// withSignature replaces the signature, wherever it stands.
func withSignature(r *Request, old, signature string) {
	if h, ok := r.Header["authorization"]; ok {
		h[0] = strings.Replace(h[0], old, signature, 1)
	}
	for i, p := range r.Query {
		if p.Name == "Signature" || p.Name == "x-oss-signature" {
			r.Query[i].Value = signature
		}
	}
}

// TestChangedSignature changes every byte of every signature.
func TestChangedSignature(t *testing.T) {
	for _, v := range allVectors(t) {
		good := v.Output.Signature
		changed := []string{
			good[1:], good[:len(good)-1], good + "0", good + "=", strings.ToUpper(good), strings.ToLower(good) + "x",
			strings.Repeat("0", len(good)), strings.TrimRight(good, "="), "0",
		}
		for i := range good {
			for _, c := range []byte{good[i] ^ 1, good[i] ^ 0x20, good[i] ^ 0x80, '0', 'A', 0} {
				if c != good[i] {
					changed = append(changed, good[:i]+string(rune(c))+good[i+1:])
				}
			}
		}
		for _, s := range changed {
			if s == good {
				continue
			}
			r := v.request(t)
			withSignature(r, good, s)
			refuses(t, fmt.Sprintf("%s with signature %q", v.Name, s), r, &v)
		}
	}
}

// TestChangedRequest changes one thing of each vector at a time.
func TestChangedRequest(t *testing.T) {
	for _, v := range allVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			change := func(what string, f func(r *Request)) {
				t.Helper()
				r := v.request(t)
				f(r)
				refuses(t, what, r, &v)
			}
			change("method", func(r *Request) { r.Method = map[bool]string{true: "PUT", false: "GET"}[r.Method == "GET"] })
			change("method in lower case", func(r *Request) { r.Method = strings.ToLower(r.Method) })
			change("bucket", func(r *Request) { r.Bucket += "x" })
			if v.Input.Bucket != "" {
				change("no bucket", func(r *Request) { r.Bucket = "" })
				change("longer key", func(r *Request) { r.Key += "/" })
			}
			if v.Input.Key != "" {
				change("no key", func(r *Request) { r.Key = "" })
				change("key in another case", func(r *Request) { r.Key = strings.ToUpper(r.Key) + "A" })
				change("slash before key", func(r *Request) { r.Key = "/" + r.Key })
				change("key split into the bucket", func(r *Request) { r.Bucket, r.Key = r.Key, r.Bucket })
			}
			change("new signed header", func(r *Request) { r.Header["X-Oss-Object-Acl"] = []string{"public-read-write"} })
			change("new content-md5", func(r *Request) { r.Header["Content-Md5"] = []string{"1B2M2Y8AsgTpgAmY7PhCfg=="} })
			change("new content-type", func(r *Request) { r.Header["Content-Type"] = []string{"text/html"} })
			change("new sub-resource", func(r *Request) { r.Query = append(r.Query, Param{"tagging", "x"}) })
			change("new x-oss- parameter", func(r *Request) { r.Query = append(r.Query, Param{"x-oss-new", ""}) })
			change("new security token", func(r *Request) {
				r.Header["X-Oss-Security-Token"] = []string{"another"}
				r.Query = append(r.Query, Param{"security-token", "another"})
			})
			testQueryChanges(t, &v, change)
			testHeaderChanges(t, &v, change)
		})
	}
}

func testQueryChanges(t *testing.T, v *vector, change func(string, func(*Request))) {
	t.Helper()
	for i, p := range v.request(t).Query {
		bound := v.Version == "V4" || isSubresource(p.Name) || p.Name == "Expires" || p.Name == "Signature"
		what := "parameter " + p.Name
		if bound {
			change(what+" changed", func(r *Request) { r.Query[i].Value += "1" })
			change(what+" in another case", func(r *Request) { r.Query[i].Name = strings.ToUpper(p.Name[:1]) + p.Name[1:] + "Z" })
			change(what+" left out", func(r *Request) { r.Query = slices.Delete(r.Query, i, i+1) })
			change(what+" overruled", func(r *Request) {
				r.Query = slices.Insert(r.Query, 0, Param{p.Name, p.Value + "1"})
			})
		} else if p.Name != "OSSAccessKeyId" {
			r := v.request(t)
			r.Query[i].Value += "1"
			accepts(t, what+" changed, which V1 does not sign", r, v)
		}
		// The first of a name counts, so one behind it changes nothing.
		r := v.request(t)
		r.Query = append(r.Query, Param{p.Name, p.Value + "1"})
		accepts(t, what+" repeated at the end", r, v)
	}
	r := v.request(t)
	slices.Reverse(r.Query)
	accepts(t, "query reversed", r, v)
}

func testHeaderChanges(t *testing.T, v *vector, change func(string, func(*Request))) {
	t.Helper()
	c, err := Parse(v.request(t))
	if err != nil {
		t.Fatal(err)
	}
	for name := range v.request(t).Header {
		bound := signedByDefault(name) || slices.Contains(c.AdditionalHeaders, name)
		if name == "date" {
			_, ossDate := v.Input.Headers["x-oss-date"]
			bound = v.Mode == "header" && !ossDate
		}
		switch {
		case name == "authorization":
		case name == "host":
			r := v.request(t)
			r.Host = "evil.example.com"
			if bound {
				refuses(t, "host changed", r, v)
			} else {
				accepts(t, "host changed", r, v)
			}
		case bound:
			change("header "+name+" changed", func(r *Request) { r.Header[name][0] += "1" })
			change("header "+name+" repeated", func(r *Request) { r.Header[name] = append(r.Header[name], "1") })
			change("header "+name+" left out", func(r *Request) { delete(r.Header, name) })
		default:
			r := v.request(t)
			r.Header[name][0] += "1"
			accepts(t, "header "+name+" changed, which is not signed", r, v)
		}
	}
	r := v.request(t)
	r.Header["User-Agent"] = []string{"other"}
	r.Header["If-None-Match"] = []string{"*"}
	upper := map[string][]string{}
	for name, values := range r.Header {
		upper[strings.ToUpper(name)] = []string{" " + values[0] + "\t"}
	}
	r.Header = upper
	accepts(t, "names in upper case, values in blanks, unsigned headers added", r, v)
}

// TestChangedCredential changes what a V4 signature binds besides the request.
func TestChangedCredential(t *testing.T) {
	for _, v := range readVectors(t, "signing-v4.json", 29) {
		for _, pair := range [][2]string{{"cn-hangzhou", "cn-beijing"}, {"20231114", "20231115"}, {"20261122", "20261121"}} {
			r := v.request(t)
			before := fmt.Sprint(r)
			if h, ok := r.Header["authorization"]; ok {
				h[0] = strings.Replace(h[0], pair[0], pair[1], 1)
			}
			for i, p := range r.Query {
				if p.Name == "x-oss-credential" {
					r.Query[i].Value = strings.Replace(p.Value, pair[0], pair[1], 1)
				}
			}
			if fmt.Sprint(r) == before {
				continue
			}
			refuses(t, v.Name+" with "+pair[1], r, &v)
			c, err := Parse(r)
			if err != nil || c.CheckSignature(r, v.Input.AccessKeySecret) == nil {
				t.Errorf("%s with %s: the signature does not bind the scope (%v)", v.Name, pair[1], err)
			}
		}
	}
}

// TestAdditionalHeaders proves that a named header is bound, present or not.
func TestAdditionalHeaders(t *testing.T) {
	for _, s := range []Scheme{V4Header, V4Query} {
		for what, f := range map[string]func(r *Request){
			"range gone":    func(r *Request) { delete(r.Header, "Range") },
			"range changed": func(r *Request) { r.Header["Range"] = []string{"bytes=0-"} },
			"range empty":   func(r *Request) { r.Header["Range"] = []string{""} },
			"host changed":  func(r *Request) { r.Host = "127.0.0.1" },
		} {
			r := signed(t, s)
			f(r)
			if _, err := verify(r, testSecret, testRegion, testTime); err == nil {
				t.Errorf("%v: %s, and yet accepted", s, what)
			}
		}
	}
	// A header that is named and absent has no line, for both sides.
	r := &Request{Method: "GET", Bucket: "b", Key: "k", Header: map[string][]string{"x-oss-date": {"20231114T221320Z"}}}
	c := &Claim{Scheme: V4Header, Date: "20231114", Region: testRegion, AdditionalHeaders: []string{"range"}, dateTime: "20231114T221320Z"}
	if want := "GET\n/b/k\n\nx-oss-date:20231114T221320Z\n\nrange\nUNSIGNED-PAYLOAD"; c.CanonicalRequest(r) != want {
		t.Errorf("canonical request %q, want %q", c.CanonicalRequest(r), want)
	}
}

// TestBlankForPlus accepts a V1 URL whose signature has an unescaped plus.
func TestBlankForPlus(t *testing.T) {
	seen := false
	for _, v := range readVectors(t, "signing-v1.json", 23) {
		if v.Mode == "query" && strings.Contains(v.Output.Signature, "+") {
			r := v.request(t)
			withSignature(r, v.Output.Signature, strings.ReplaceAll(v.Output.Signature, "+", " "))
			accepts(t, v.Name, r, &v)
			seen = true
		}
	}
	if !seen {
		t.Error("no vector has a plus")
	}
}

// TestLineBreaks refuses headers that could pose as several.
func TestLineBreaks(t *testing.T) {
	for _, s := range schemes {
		for _, h := range [][2]string{{"X-Oss-Meta-A", "b\nx-oss-meta-c:d"}, {"X-Oss-Meta-A", "\rb"}, {"x-oss-a:b\nx-oss-c", "d"}} {
			r := signed(t, s)
			r.Header[h[0]] = []string{h[1]}
			_, err := Parse(r)
			refusal(t, err, "InvalidArgument", 400, "malformed", "")
		}
	}
}

// TestMismatchElements reads the error document of a wrong signature.
func TestMismatchElements(t *testing.T) {
	for _, s := range schemes {
		r := signed(t, s)
		c, err := verify(r, "wrong", testRegion, testTime)
		e := refusal(t, err, "SignatureDoesNotMatch", 403, "signature we calculated does not match", "0002-00000040")
		want := []Element{
			{"OSSAccessKeyId", testID},
			{"SignatureProvided", c.Signature},
			{"StringToSign", c.StringToSign(r)},
			{"StringToSignBytes", fmt.Sprintf("% X", c.StringToSign(r))},
		}
		if s == V4Header || s == V4Query {
			want = append(want,
				Element{"CanonicalRequest", c.CanonicalRequest(r)},
				Element{"CanonicalRequestBytes", fmt.Sprintf("% X", c.CanonicalRequest(r))})
		}
		if !slices.Equal(e.Elements, want) && !cutOnly(e.Elements, want) {
			t.Errorf("%v: elements\n%q, want\n%q", s, e.Elements, want)
		}
	}
}

// cutOnly tells whether got is want but for a cut in the last element.
func cutOnly(got, want []Element) bool {
	last := len(want) - 1
	return len(got) == len(want) && slices.Equal(got[:last], want[:last]) &&
		strings.HasPrefix(want[last].Value, strings.TrimSuffix(got[last].Value, cutMark))
}

// TestErrorSize keeps every error document under the 4096 bytes that clients
// read, whatever the request is made of.
func TestErrorSize(t *testing.T) {
	for _, filler := range []string{"a", "&", "'", "\n", "\x00", "é", "世", "\xff", "\U0001f600", "a<"} {
		long := strings.Repeat(filler, 20000)
		for _, s := range schemes {
			var errs []error
			r := signed(t, s)
			r.Key = long
			_, err := verify(r, "wrong", testRegion, testTime)
			errs = append(errs, err)

			creds := Credentials{AccessKeyID: strings.NewReplacer("\n", "n", "\x00", "z").Replace(long), AccessKeySecret: "s"}
			r = &Request{Method: "GET", Bucket: "b", Key: long[:999]}
			switch s {
			case V1Header:
				SignV1Header(r, creds, testTime)
			case V1Query:
				SignV1Query(r, creds, testTime)
			case V4Header:
				SignV4Header(r, creds, testRegion, testTime)
			case V4Query:
				if err := SignV4Query(r, creds, testRegion, testTime, 1e9); err != nil {
					t.Fatal(err)
				}
			}
			_, err = verify(r, "wrong", testRegion, testTime)
			errs = append(errs, err, UnknownAccessKey(long))
			_, err = Parse(&Request{Header: map[string][]string{"Authorization": {"Basic " + creds.AccessKeyID}}})
			errs = append(errs, err)
			_, err = Parse(&Request{Header: map[string][]string{long: {"\n"}}})
			errs = append(errs, err)

			for i, err := range errs {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("%v, filler %q, %d: %v", s, filler, i, err)
				}
				if n := documentSize(t, e); n >= 4096 {
					t.Errorf("%v, filler %q, %d: the document of %s has %d bytes", s, filler, i, e.Code, n)
				}
			}
		}
	}
}

// documentSize is the size of the document around e, with all that a server
// adds to it at the longest.
func documentSize(t *testing.T, e *Error) int {
	t.Helper()
	elements := slices.Concat([]Element{
		{"Code", e.Code}, {"Message", e.Message}, {"RequestId", strings.Repeat("0", 24)}, {"HostId", strings.Repeat("h", 260)},
	}, e.Elements, []Element{
		{"EC", e.EC}, {"RecommendDoc", "https://api.aliyun.com/troubleshoot?q=" + e.EC},
	})
	var b strings.Builder
	b.WriteString(xml.Header + "<Error>\n")
	for _, el := range elements {
		b.WriteString("  <" + el.Name + ">")
		if err := xml.EscapeText(&b, []byte(el.Value)); err != nil {
			t.Fatal(err)
		}
		b.WriteString("</" + el.Name + ">\n")
	}
	b.WriteString("</Error>\n")
	return b.Len()
}

// TestCut cuts at characters and keeps what fits.
func TestCut(t *testing.T) {
	for _, test := range []struct {
		in   string
		n    int
		want string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "..."}, {"abcdef", 5, "ab..."}, {"abc", 2, ""}, {"", 0, ""}, {"a", -5, ""},
		{"a&b", 8, "a&b"}, {"a&b", 7, "a..."}, {"世界", 6, "世界"}, {"世界x", 6, "世..."}, {"世界x", 5, "..."},
	} {
		if got := clip(test.in, test.n); got != test.want {
			t.Errorf("clip(%q, %d) = %q, want %q", test.in, test.n, got, test.want)
		}
	}
}

// TestOverHTTP signs and sends with net/http and verifies what its server
// received, content-length among the signed headers.
func TestOverHTTP(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, hr *http.Request) {
		query, err := readQuery(hr.URL.RawQuery)
		if err == nil {
			r := &Request{
				Method: hr.Method, Bucket: "b", Key: strings.TrimPrefix(hr.URL.Path, "/b/"),
				Query: query, Header: hr.Header, Host: hr.Host,
			}
			_, err = verify(r, testSecret, testRegion, testTime)
		}
		fmt.Fprint(w, err)
	}))
	defer server.Close()

	const key, body = "目录/a b+c~//./é%41", "hello"
	for _, s := range schemes {
		host := strings.TrimPrefix(server.URL, "http://")
		r := &Request{
			Method: "PUT", Bucket: "b", Key: key, Host: host,
			Query:  []Param{{"partNumber", "1"}, {"uploadId", "+ /&=?é"}, {"acl", ""}},
			Header: http.Header{"Content-Length": {"5"}, "X-Oss-Meta-U": {"é"}, "Content-Type": {"a/b"}},
		}
		creds := Credentials{testID, testSecret, "token+/= "}
		additional := []string{"content-length", "host"}
		var err error
		switch s {
		case V1Header:
			SignV1Header(r, creds, testTime)
		case V1Query:
			SignV1Query(r, creds, testTime)
		case V4Header:
			creds.SecurityToken = "token+/="
			SignV4Header(r, creds, testRegion, testTime, additional...)
		case V4Query:
			err = SignV4Query(r, creds, testRegion, testTime, 1e9, additional...)
		}
		if err != nil {
			t.Fatal(err)
		}
		hr, err := http.NewRequest("PUT", server.URL+"/b/"+EscapePath(key)+"?"+EncodeQuery(r.Query), strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(hr.Header, r.Header)
		response, err := server.Client().Do(hr)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(answer) != "<nil>" {
			t.Errorf("%v: %s, %v", s, answer, err)
		}
	}
}
