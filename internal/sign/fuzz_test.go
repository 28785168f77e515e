package sign

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// FuzzParse feeds what strangers send: nothing panics, no claim without proof
// verifies, and every refusal is an *Error.
func FuzzParse(f *testing.F) {
	for _, v := range allVectors(f) {
		f.Add(v.Input.Method, v.Output.Authorization, v.Input.Query, v.Input.Headers["date"], v.Input.Headers["x-oss-date"], v.Input.Key)
	}
	for _, s := range schemes {
		r := signed(f, s)
		f.Add(r.Method, strings.Join(r.Header["Authorization"], ""), EncodeQuery(r.Query), "", "20231114T221320Z", r.Key)
	}
	f.Fuzz(func(t *testing.T, method, authorization, rawQuery, date, ossDate, key string) {
		r := &Request{Method: method, Bucket: "b", Key: key, Host: "h", Header: map[string][]string{}}
		for name, v := range map[string]string{"Authorization": authorization, "Date": date, "X-Oss-Date": ossDate} {
			if v != "" {
				r.Header[name] = []string{v}
			}
		}
		var err error
		if r.Query, err = readQuery(rawQuery); err != nil {
			return
		}
		c, err := Parse(r)
		if err != nil {
			if _, ok := err.(*Error); !ok || c != nil {
				t.Fatalf("%v, %v", c, err)
			}
			return
		}
		if (c.Scheme == Anonymous) != (c.AccessKeyID == "") || c.Scheme != Anonymous && c.Signature == "" {
			t.Fatalf("claim %+v", c)
		}
		for _, now := range []time.Time{{}, testTime, time.Unix(1<<60, 0)} {
			if err := c.CheckTime(now); err != nil {
				documentSize(t, err.(*Error))
			}
		}
		if err := c.CheckScope(testRegion); err != nil {
			documentSize(t, err.(*Error))
		}
		err = c.CheckSignature(r, "a secret that signed nothing")
		if err == nil {
			t.Fatalf("verified: %+v", r)
		}
		if n := documentSize(t, err.(*Error)); n >= 4096 {
			t.Fatalf("document of %d bytes", n)
		}
	})
}

// FuzzMutation changes a signed request. It must verify exactly if what V4 signs
// is the same, which is decided here without the canonical request.
func FuzzMutation(f *testing.F) {
	r := signed(f, V4Query)
	f.Add(uint8(0), r.Method, r.Bucket, r.Key, "partNumber", "7", "x-oss-meta-a", "b", r.Host)
	f.Add(uint8(1), r.Method, r.Bucket, r.Key, "partNumber", "", "Content-Type", "text/plain ", r.Host)
	f.Add(uint8(1), r.Method, "examplebucket/dir", "hello world.txt", "a&b", "=c", "content-md5", "", r.Host)
	f.Fuzz(func(t *testing.T, scheme uint8, method, bucket, key, paramName, paramValue, headerName, headerValue, host string) {
		s := []Scheme{V4Header, V4Query}[scheme%2]
		good, r := signed(t, s), signed(t, s)
		r.Method, r.Bucket, r.Key, r.Host = method, bucket, key, host
		r.Query = append(r.Query, Param{paramName, paramValue})
		r.Header[headerName] = []string{headerValue}

		same := r.Method == good.Method && r.fields()["host"] == good.Host &&
			r.resource() == good.resource() // "/b/c" is bucket b with key c; routing tells them apart
		if paramName != "x-oss-signature" && !slices.ContainsFunc(good.Query, func(p Param) bool { return p.Name == paramName }) {
			same = false
		}
		name := lower(headerName)
		value, had := good.fields()[name]
		if name == "content-type" || name == "content-md5" || name == "host" || name == "range" || strings.HasPrefix(name, "x-oss-") {
			changed := r.fields()[name]
			same = same && (had && changed == value || name == "host")
		}
		if name == "authorization" {
			return // another claim altogether
		}
		_, err := verify(r, testSecret, testRegion, testTime)
		if err == nil && !same {
			t.Fatalf("verified although changed: %+v", r)
		}
		malformed := strings.ContainsAny(headerValue, "\r\n") || strings.ContainsAny(headerName, "\r\n:")
		authentication := slices.Contains([]string{
			"x-oss-signature-version", "x-oss-signature", "x-oss-credential", "OSSAccessKeyId", "Signature",
		}, paramName)
		if err != nil && same && !malformed && !authentication {
			t.Fatalf("refused although the same: %v: %+v", err, r)
		}
	})
}

// FuzzQuery proves that a query survives its wire form.
func FuzzQuery(f *testing.F) {
	f.Add("uploads&a=b+c&d=%2F&&=x&e==")
	f.Fuzz(func(t *testing.T, raw string) {
		params, err := readQuery(raw)
		if err != nil {
			return
		}
		params = slices.DeleteFunc(params, func(p Param) bool { return p == Param{} })
		again, err := readQuery(EncodeQuery(params))
		if err != nil || !slices.Equal(params, again) {
			t.Fatalf("%q reads as %q, then as %q (%v)", raw, params, again, err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	for _, s := range schemes {
		b.Run(s.String(), func(b *testing.B) {
			r := signed(b, s)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := verify(r, testSecret, testRegion, testTime); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
