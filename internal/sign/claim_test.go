package sign

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	testID     = "LTAIExampleKeyId0001"
	testSecret = "ExampleSecret/0001+abcdefghijk"
	testRegion = "cn-hangzhou"
)

var testTime = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// signed returns a fresh request signed by each scheme; URLs are good for an hour.
func signed(t testing.TB, s Scheme) *Request {
	t.Helper()
	r := &Request{
		Method: "PUT", Bucket: "examplebucket", Key: "dir/hello world.txt", Host: "127.0.0.1:9000",
		Query:  []Param{{"partNumber", "7"}, {"uploadId", "ABC"}, {"x-oss-traffic-limit", "819200"}},
		Header: map[string][]string{"Content-Type": {"text/plain"}, "X-Oss-Meta-A": {"b"}, "Range": {"bytes=0-9"}},
	}
	creds := Credentials{AccessKeyID: testID, AccessKeySecret: testSecret}
	var err error
	switch s {
	case V1Header:
		SignV1Header(r, creds, testTime)
	case V1Query:
		SignV1Query(r, creds, testTime.Add(time.Hour))
	case V4Header:
		SignV4Header(r, creds, testRegion, testTime, "Host", "range", "absent", "content-type")
	case V4Query:
		err = SignV4Query(r, creds, testRegion, testTime, time.Hour, "Host", "range")
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

var schemes = []Scheme{V1Header, V1Query, V4Header, V4Query}

// refusal checks that err is an *Error with this code, status and EC.
func refusal(t *testing.T, err error, code string, status int, message, ec string) *Error {
	t.Helper()
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want %d %s %q", err, status, code, message)
	}
	if e.Code != code || e.Status != status || e.EC != ec || !strings.Contains(e.Message, message) {
		t.Fatalf("got %d %s %q EC %q, want %d %s %q EC %q", e.Status, e.Code, e.Message, e.EC, status, code, message, ec)
	}
	return e
}

func element(e *Error, name string) string {
	for _, el := range e.Elements {
		if el.Name == name {
			return el.Value
		}
	}
	return "<none>"
}

// TestParseHeader reads every malformed Authorization header.
func TestParseHeader(t *testing.T) {
	const scope = "/20231114/cn-hangzhou/oss/aliyun_v4_request"
	credential := func(s string) string { return "OSS4-HMAC-SHA256 Credential=" + s + ",Signature=00" }
	for _, test := range []struct{ authorization, message, ec string }{
		{"", "Authorization header value is empty.", ""},
		{" \t ", "Authorization header value is empty.", ""},
		{"OSS", "Authorization header is invalid.", ""},
		{"OSS ", "Authorization header is invalid.", ""},
		{"OSS id", "Authorization header is invalid.", ""},
		{"OSS id:a:b", "Authorization header is invalid.", ""},
		{"OSS id:a b", "Authorization header is invalid.", ""},
		{"OSS :sig", "AccessKeyId or Signature is missing", ""},
		{"OSS id:", "AccessKeyId or Signature is missing", ""},
		{"OSS :", "AccessKeyId or Signature is missing", ""},
		{"oss id:sig", "Authorization header is invalid.", ""},
		{"AWS4-HMAC-SHA256 Credential=id" + scope + ", Signature=00", "Authorization header is invalid: it is one of S3. This server speaks the protocol of OSS.", ""},
		{"AWS id:sig", "Authorization header is invalid: it is one of S3. This server speaks the protocol of OSS.", ""},
		{"Basic aWQ6c2ln", "Authorization header is invalid.", ""},
		{"OSS2 AccessKeyId:id,Signature:sig", "OSS2 is not supported", ""},
		{"OSS4-HMAC-SHA512 Credential=id" + scope + ",Signature=00", "Authorization header is invalid.", ""},
		{"OSS4-HMAC-SHA256", "Authorization header is invalid.", "0002-00000213"},
		{"OSS4-HMAC-SHA256 Credential", "Authorization header is invalid.", "0002-00000213"},
		{"OSS4-HMAC-SHA256 Credential=id" + scope + ",", "Authorization header is invalid.", "0002-00000213"},
		{"OSS4-HMAC-SHA256 Credential=id" + scope + ",Signature=00,Other=1", "Authorization header is invalid.", "0002-00000213"},
		{"OSS4-HMAC-SHA256 Credential=id" + scope + ",Signature=00,Signature=01", "Authorization header is invalid.", "0002-00000213"},
		{"OSS4-HMAC-SHA256 Credential=id" + scope, "signature in Authorization header is empty", "0002-00000208"},
		{"OSS4-HMAC-SHA256 Credential=id" + scope + ",Signature=", "signature in Authorization header is empty", "0002-00000208"},
		{"OSS4-HMAC-SHA256 Signature=00", "credential is invalid", "0002-00000213"},
		{credential(""), "credential is invalid", "0002-00000213"},
		{credential("id"), "credential is invalid", "0002-00000213"},
		{credential(scope), "credential is invalid", "0002-00000213"},
		{credential("a/b" + scope), "credential is invalid", "0002-00000213"},
		{credential("id/20231114/cn-hangzhou/s3/aliyun_v4_request"), "credential is invalid", "0002-00000213"},
		{credential("id/20231114/cn-hangzhou/oss/aws4_request"), "credential is invalid", "0002-00000213"},
		{credential("id/2023111/cn-hangzhou/oss/aliyun_v4_request"), "date in credential", "0002-00000212"},
		{credential("id/2023111x/cn-hangzhou/oss/aliyun_v4_request"), "date in credential", "0002-00000212"},
		{credential("id//cn-hangzhou/oss/aliyun_v4_request"), "date in credential", "0002-00000212"},
		{credential("id/20231114//oss/aliyun_v4_request"), "region in credential", "0002-00000228"},
		{credential("id/20231114/CN/oss/aliyun_v4_request"), "region in credential", "0002-00000228"},
		{credential("id/20231114/*/oss/aliyun_v4_request"), "region in credential", "0002-00000228"},
	} {
		_, err := Parse(&Request{Method: "GET", Header: map[string][]string{"authorization": {test.authorization}}})
		e := refusal(t, err, "InvalidArgument", 400, test.message, test.ec)
		if element(e, "ArgumentName") != "Authorization" {
			t.Errorf("%q: elements %v", test.authorization, e.Elements)
		}
	}
}

// TestParseHeaderOrder accepts the fields of a V4 header in any order, with
// blanks around them.
func TestParseHeaderOrder(t *testing.T) {
	r := signed(t, V4Header)
	fields := strings.Split(strings.TrimPrefix(r.Header["Authorization"][0], "OSS4-HMAC-SHA256 "), ",")
	if len(fields) != 3 || fields[1] != "AdditionalHeaders=host;range" {
		t.Fatalf("fields are %q", fields)
	}
	for _, order := range [][]int{{0, 1, 2}, {0, 2, 1}, {2, 1, 0}, {1, 0, 2}} {
		for _, comma := range []string{",", ", ", " , "} {
			r.Header["Authorization"] = []string{"OSS4-HMAC-SHA256 " +
				fields[order[0]] + comma + fields[order[1]] + comma + fields[order[2]]}
			if _, err := verify(r, testSecret, testRegion, testTime); err != nil {
				t.Errorf("%q: %v", r.Header["Authorization"], err)
			}
		}
	}
}

// TestParseDates reads the date of header forms.
func TestParseDates(t *testing.T) {
	for _, s := range []Scheme{V1Header, V4Header} {
		for _, test := range []struct {
			ossDate, date string
			ok            bool
		}{
			{"", "Tue, 14 Nov 2023 22:13:20 GMT", true},
			{"Tue, 14 Nov 2023 22:13:20 GMT", "", true},
			{"20231114T221320Z", "rubbish", true},
			{"rubbish", "Tue, 14 Nov 2023 22:13:20 GMT", false},
			{"", "", false},
			{"", "Tue, 14 Nov 2023 22:13:20", false},
			{"", "Tue, 14 Nov 2023 22:13:20 +0100", false},
			{"", "Tue, 31 Feb 2023 22:13:20 GMT", false},
			{"20231114T221320", "", false},
			{"20231114T221320.5Z", "", false},
			{"20231314T221320Z", "", false},
			{"2023-11-14T22:13:20Z", "", false},
		} {
			r := signed(t, s)
			delete(r.Header, "X-Oss-Date")
			delete(r.Header, "Date")
			if test.ossDate != "" {
				r.Header["X-Oss-Date"] = []string{test.ossDate}
			}
			if test.date != "" {
				r.Header["Date"] = []string{test.date}
			}
			c, err := Parse(r)
			if !test.ok {
				refusal(t, err, "AccessDenied", 403, "OSS authentication requires a valid Date.", "")
			} else if err != nil || !c.Time.Equal(testTime) {
				t.Errorf("%v %+v: %v, %v", s, test, c, err)
			}
		}
	}
}

// TestParseQuery reads every malformed signed URL.
func TestParseQuery(t *testing.T) {
	const credential = "x-oss-credential=id/20231114/cn-hangzhou/oss/aliyun_v4_request"
	const v4 = "x-oss-signature-version=OSS4-HMAC-SHA256&x-oss-date=20231114T221320Z&x-oss-expires=60&x-oss-signature=00&"
	const missing = "Query string authentication requires the Signature, Expires and OSSAccessKeyId parameters"
	const invalidDate = "Invalid date (should be seconds since epoch)."
	for _, test := range []struct {
		query, code string
		status      int
		message, ec string
		argument    string
	}{
		{"OSSAccessKeyId=id", "AccessDenied", 403, missing, "", ""},
		{"Signature=s", "AccessDenied", 403, missing, "", ""},
		{"OSSAccessKeyId=id&Expires=1", "AccessDenied", 403, missing, "", ""},
		{"OSSAccessKeyId=id&Signature=s", "AccessDenied", 403, missing, "", ""},
		{"Expires=1&Signature=s", "AccessDenied", 403, missing, "", ""},
		{"OSSAccessKeyId=&Expires=1&Signature=s", "AccessDenied", 403, missing, "", ""},
		{"OSSAccessKeyId=id&Expires=&Signature=s", "AccessDenied", 403, missing, "", ""},
		{"OSSAccessKeyId=id&Expires=1&Signature=", "AccessDenied", 403, missing, "", ""},
		{"OSSAccessKeyId=id&Expires=x&Signature=s", "AccessDenied", 403, invalidDate, "", ""},
		{"OSSAccessKeyId=id&Expires=1.5&Signature=s", "AccessDenied", 403, invalidDate, "", ""},
		{"OSSAccessKeyId=id&Expires=99999999999999999999&Signature=s", "AccessDenied", 403, invalidDate, "", ""},
		{"x-oss-signature-version=OSS2&x-oss-signature=s", "InvalidArgument", 400, "not supported", "", "x-oss-signature-version"},
		{"x-oss-signature-version=", "InvalidArgument", 400, "not supported", "", "x-oss-signature-version"},
		{"x-oss-signature=s", "InvalidArgument", 400, "missing", "", "x-oss-signature-version"},
		{credential, "InvalidArgument", 400, "missing", "", "x-oss-signature-version"},
		{strings.Replace(v4, "x-oss-signature=", "other=", 1) + credential, "InvalidArgument", 400, "missing", "0002-00000219", "x-oss-signature"},
		{strings.Replace(v4, "signature=00", "signature=", 1) + credential, "InvalidArgument", 400, "empty", "0002-00000220", "x-oss-signature"},
		{v4, "InvalidArgument", 400, "credential is invalid", "0002-00000224", "x-oss-credential"},
		{v4 + "x-oss-credential=id/20231114/cn/oss", "InvalidArgument", 400, "credential is invalid", "0002-00000224", "x-oss-credential"},
		{v4 + strings.Replace(credential, "20231114", "14-11-23", 1), "InvalidArgument", 400, "date", "0002-00000223", "x-oss-credential"},
		{v4 + strings.Replace(credential, "cn-hangzhou", "cn_", 1), "InvalidArgument", 400, "region", "0002-00000226", "x-oss-credential"},
		{strings.Replace(v4, "x-oss-date=20231114T221320Z", "", 1) + credential, "InvalidArgument", 400, "x-oss-date", "", "x-oss-date"},
		{strings.Replace(v4, "T221320Z", "", 1) + credential, "InvalidArgument", 400, "x-oss-date", "", "x-oss-date"},
		{strings.Replace(v4, "=60", "=0", 1) + credential, "InvalidArgument", 400, "x-oss-expires", "", "x-oss-expires"},
		{strings.Replace(v4, "=60", "=604801", 1) + credential, "InvalidArgument", 400, "x-oss-expires", "", "x-oss-expires"},
		{strings.Replace(v4, "=60", "=-1", 1) + credential, "InvalidArgument", 400, "x-oss-expires", "", "x-oss-expires"},
		{strings.Replace(v4, "=60", "=1h", 1) + credential, "InvalidArgument", 400, "x-oss-expires", "", "x-oss-expires"},
		{strings.Replace(v4, "=60", "=4294967297", 1) + credential, "InvalidArgument", 400, "x-oss-expires", "", "x-oss-expires"},
		{strings.Replace(v4, "x-oss-expires=60", "", 1) + credential, "InvalidArgument", 400, "x-oss-expires", "", "x-oss-expires"},
	} {
		query, err := readQuery(test.query)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Parse(&Request{Method: "GET", Query: query})
		if err == nil {
			t.Errorf("%q is accepted", test.query)
			continue
		}
		e := refusal(t, err, test.code, test.status, test.message, test.ec)
		if got := element(e, "ArgumentName"); test.argument != "" && got != test.argument {
			t.Errorf("%q: ArgumentName is %q, want %q", test.query, got, test.argument)
		}
	}
}

// TestParseBoth refuses a request that is signed twice.
func TestParseBoth(t *testing.T) {
	for _, header := range []Scheme{V1Header, V4Header} {
		for _, query := range []Scheme{V1Query, V4Query} {
			r := signed(t, query)
			r.Header["authorization"] = signed(t, header).Header["Authorization"]
			_, err := Parse(r)
			refusal(t, err, "InvalidArgument", 400, "not in both", "")
		}
	}
	r := signed(t, V1Header)
	r.Header["authorization"] = r.Header["Authorization"] // the same twice, spelled differently
	if _, err := Parse(r); err == nil {
		t.Error("two Authorization headers are accepted")
	}
}

// TestParseAnonymous takes a request without any signature, whatever else it has.
func TestParseAnonymous(t *testing.T) {
	r := &Request{Method: "GET", Bucket: "b", Query: []Param{{"Expires", "1"}, {"x-oss-process", "a"}, {"signature", "s"}}}
	c, err := Parse(r)
	if err != nil || c.Scheme != Anonymous || c.AccessKeyID != "" {
		t.Fatalf("%+v, %v", c, err)
	}
	if err := errors.Join(c.CheckTime(testTime), c.CheckScope(testRegion)); err != nil {
		t.Error(err)
	}
	if c.CheckSignature(r, "") == nil || c.CheckSignature(r, testSecret) == nil {
		t.Error("an anonymous claim verified")
	}
}

// TestPayloadHash refuses signed payloads.
func TestPayloadHash(t *testing.T) {
	for _, s := range []Scheme{V4Header, V4Query} {
		for _, hash := range []string{"", "unsigned-payload", strings.Repeat("0", 64)} {
			r := signed(t, s)
			setHeader(r, "X-Oss-Content-Sha256", hash)
			_, err := Parse(r)
			e := refusal(t, err, "InvalidArgument", 400, "UNSIGNED-PAYLOAD", "")
			if element(e, "ArgumentName") != "x-oss-content-sha256" {
				t.Errorf("elements %v", e.Elements)
			}
		}
	}
}

// TestCheckTime walks both ends of every validity.
func TestCheckTime(t *testing.T) {
	const tick = time.Nanosecond
	for _, s := range schemes {
		c, err := Parse(signed(t, s))
		if err != nil {
			t.Fatal(err)
		}
		for _, test := range []struct {
			after   time.Duration // now, counted from the time of signing
			schemes string
			ok      bool
		}{
			{0, "v1-header v4-header v1-query v4-query", true},
			{MaxSkew, "v1-header v4-header", true},
			{-MaxSkew, "v1-header v4-header v4-query", true},
			{MaxSkew + tick, "v1-header v4-header", false},
			{-MaxSkew - tick, "v1-header v4-header v4-query", false},
			{200 * 365 * 24 * time.Hour, "v1-header v4-header v1-query v4-query", false},
			{-170 * 365 * 24 * time.Hour, "v1-header v4-header v4-query", false},
			{time.Hour, "v1-query v4-query", true},
			{time.Hour + tick, "v1-query v4-query", false},
			{-240 * time.Hour, "v1-query", true},
		} {
			if !strings.Contains(test.schemes, s.String()) {
				continue
			}
			now := testTime.Add(test.after)
			err := c.CheckTime(now)
			switch {
			case test.ok && err != nil:
				t.Errorf("%v, %v after signing: %v", s, test.after, err)
			case test.ok:
			case s == V1Header || s == V4Header:
				e := refusal(t, err, "RequestTimeTooSkewed", 403, "too large", "0002-00000504")
				if element(e, "MaxAllowedSkewMilliseconds") != "900000" ||
					element(e, "RequestTime") != "2023-11-14T22:13:20.000Z" ||
					element(e, "ServerTime") != now.Format("2006-01-02T15:04:05")+".000Z" {
					t.Errorf("elements %v", e.Elements)
				}
			default:
				e := refusal(t, err, "AccessDenied", 403, "Request has expired.", "")
				if element(e, "Expires") != "2023-11-14T23:13:20.000Z" ||
					element(e, "ServerTime") != now.Format("2006-01-02T15:04:05")+".000Z" {
					t.Errorf("elements %v", e.Elements)
				}
			}
		}
	}
	// A clock at the far end of time does not overflow into acceptance.
	for _, s := range schemes {
		c, err := Parse(signed(t, s))
		if err != nil {
			t.Fatal(err)
		}
		if c.CheckTime(time.Unix(1<<60, 0)) == nil || s != V1Query && c.CheckTime(time.Time{}) == nil {
			t.Errorf("%v passes at the far end of time", s)
		}
	}
}

// TestDistantExpires accepts V1 URLs that expire in any future.
func TestDistantExpires(t *testing.T) {
	for _, expires := range []string{"1700000000", "99999999999", "9223372036854775807"} {
		c, err := Parse(&Request{Query: []Param{{"OSSAccessKeyId", "i"}, {"Expires", expires}, {"Signature", "s"}}})
		if err != nil || c.CheckTime(testTime) != nil {
			t.Errorf("Expires=%s: %v", expires, errors.Join(err, c.CheckTime(testTime)))
		}
	}
	for _, expires := range []string{"0", "-1", "-9223372036854775808", "1699999999"} {
		c, err := Parse(&Request{Query: []Param{{"OSSAccessKeyId", "i"}, {"Expires", expires}, {"Signature", "s"}}})
		if err != nil {
			t.Fatal(err)
		}
		refusal(t, c.CheckTime(testTime), "AccessDenied", 403, "Request has expired.", "")
	}
}

// TestCheckScope compares the credential with date and region.
func TestCheckScope(t *testing.T) {
	for s, want := range map[Scheme]struct{ dateEC, wrongRegion string }{
		V4Header: {"0002-00000212", "Invalid signing region in Authorization header."},
		V4Query:  {"0002-00000223", "The signing region in credential is invalid."},
	} {
		c, err := Parse(signed(t, s))
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.CheckScope(testRegion), c.CheckScope(AnyRegion)); err != nil {
			t.Error(err)
		}
		for _, region := range []string{"", "cn-beijing", "oss-cn-hangzhou"} {
			refusal(t, c.CheckScope(region), "InvalidArgument", 400, want.wrongRegion, "0002-00000226")
		}
		c.Date = "20231115"
		refusal(t, c.CheckScope(AnyRegion), "InvalidArgument", 400, "The signing date in credential is invalid.", want.dateEC)
	}
	for _, s := range []Scheme{V1Header, V1Query} {
		c, err := Parse(signed(t, s))
		if err != nil || c.CheckScope("anywhere") != nil {
			t.Errorf("%v: %v", s, err)
		}
	}
}

// TestCredentialsHidden prints credentials in every usual way.
func TestCredentialsHidden(t *testing.T) {
	creds := Credentials{testID, testSecret, "TokenText"}
	for _, s := range []string{
		fmt.Sprint(creds), fmt.Sprintf("%+v", creds), fmt.Sprintf("%#v", creds), fmt.Sprintf("%v", &creds),
		creds.LogValue().String(), fmt.Sprintf("%+v", []Credentials{creds}),
	} {
		if strings.Contains(s, testSecret) || strings.Contains(s, "TokenText") || !strings.Contains(s, testID) {
			t.Errorf("printed as %s", s)
		}
	}
}

// TestSignV4QueryRange refuses to make URLs that no server accepts.
func TestSignV4QueryRange(t *testing.T) {
	for d, ok := range map[time.Duration]bool{
		0: false, -time.Second: false, time.Second - 1: false, time.Second: true, MaxExpires: true, MaxExpires + 1: false,
	} {
		r := &Request{Method: "GET", Bucket: "b", Key: "k"}
		err := SignV4Query(r, Credentials{AccessKeyID: testID, AccessKeySecret: testSecret}, testRegion, testTime, d)
		if (err == nil) != ok {
			t.Errorf("%v: %v", d, err)
		}
		if ok {
			if _, err := verify(r, testSecret, testRegion, testTime); err != nil {
				t.Errorf("%v: %v", d, err)
			}
		}
	}
}
