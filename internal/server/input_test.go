package server

import (
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
)

// Upload IDs count for their key and their bucket only, and none of what is
// refused changes the upload.
func TestUploadBelongsToItsKey(t *testing.T) {
	f := newFixture(t)
	f.put("bucket-a", "", "")
	f.put("bucket-b", "", "")
	id := f.initiate("bucket-a", "key")
	part := func(bucket, key, id string) call {
		return call{method: "PUT", bucket: bucket, key: key, query: "partNumber=1&uploadId=" + id, body: "part"}
	}
	f.want(part("bucket-a", "key", id), 200, "")
	for _, c := range []call{
		part("bucket-a", "other", id),
		part("bucket-b", "key", id),
		part("bucket-a", "key", strings.ToLower(id)),
		part("bucket-a", "key", id+"0"),
		part("bucket-a", "key", "%00"),
		part("bucket-a", "key", ""),
		part("bucket-a", "key", strings.Repeat("A", 5000)),
		{method: "GET", bucket: "bucket-b", key: "key", query: "uploadId=" + id},
		{method: "DELETE", bucket: "bucket-b", key: "key", query: "uploadId=" + id},
		{method: "DELETE", bucket: "bucket-a", key: "key/", query: "uploadId=" + id},
		{method: "POST", bucket: "bucket-a", key: "ke", query: "uploadId=" + id, header: map[string]string{"x-oss-complete-all": "yes"}},
		{method: "POST", bucket: "bucket-b", key: "key", query: "uploadId=" + id, body: "<CompleteMultipartUpload/>"},
	} {
		f.want(c, 404, "NoSuchUpload")
	}
	if got := f.parts("bucket-a", "key", id); len(got) != 1 {
		t.Errorf("parts are %v", got)
	}
}

// Part numbers are integers from 1 to 10000, in the query and in the list.
func TestPartNumbers(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	id := f.initiate("bucket", "key")
	for _, number := range []string{"0", "-1", "10001", "abc", "1.0", "+1", "%201", "0x1", "99999999999999999999", "1,2"} {
		f.want(call{method: "PUT", bucket: "bucket", key: "key", query: "uploadId=" + id + "&partNumber=" + number, body: "x"}, 400, "InvalidArgument")
	}
	for _, number := range []string{"1", "10000", "007"} {
		f.want(call{method: "PUT", bucket: "bucket", key: "key", query: "uploadId=" + id + "&partNumber=" + number, body: "x"}, 200, "")
	}
	for number, code := range map[string]string{
		"0": "InvalidArgument", "-1": "InvalidArgument", "10001": "InvalidArgument",
		"abc": "MalformedXML", "": "MalformedXML", "1.0": "MalformedXML",
	} {
		body := "<CompleteMultipartUpload><Part><PartNumber>" + number + "</PartNumber><ETag>x</ETag></Part></CompleteMultipartUpload>"
		f.want(call{method: "POST", bucket: "bucket", key: "key", query: "uploadId=" + id, body: body}, 400, code)
	}
	if got := strings.Join(f.parts("bucket", "key", id), ","); got != "1,7,10000" {
		t.Errorf("parts are %s", got)
	}
}

// A parameter that comes twice counts the first time, as it does in the
// signature.
func TestRepeatedParameters(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	id := f.initiate("bucket", "key")
	f.want(call{method: "PUT", bucket: "bucket", key: "key", query: "uploadId=" + id + "&partNumber=3&partNumber=4&uploadId=x", body: "x"}, 200, "")
	if got := strings.Join(f.parts("bucket", "key", id), ","); got != "3" {
		t.Errorf("parts are %s", got)
	}
}

// completeList is a list of n parts that does not name real ones.
func completeList(n int) string {
	var b strings.Builder
	b.WriteString("<CompleteMultipartUpload>")
	for i := range n {
		fmt.Fprintf(&b, `<Part><PartNumber>%d</PartNumber><ETag>"5D41402ABC4B2A76B9719D911017C592"</ETag></Part>`, i%wire.MaxParts+1)
	}
	b.WriteString("</CompleteMultipartUpload>")
	return b.String()
}

// Documents that are not what they should be: the right error, and the upload as
// it was.
func TestCompleteBodies(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	id := f.initiate("bucket", "key")
	f.want(call{method: "PUT", bucket: "bucket", key: "key", query: "partNumber=1&uploadId=" + id, body: "hello"}, 200, "")
	good := `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"5D41402ABC4B2A76B9719D911017C592"</ETag></Part></CompleteMultipartUpload>`
	tests := []struct {
		name, body, code string
	}{
		{"none", "", "MalformedXML"},
		{"blank", " \n", "MalformedXML"},
		{"no XML", "PartNumber=1", "MalformedXML"},
		{"JSON", `{"Part":[]}`, "MalformedXML"},
		{"truncated", good[:len(good)-3], "MalformedXML"},
		{"doubled", good + good, "MalformedXML"},
		{"another root", strings.ReplaceAll(good, "CompleteMultipartUpload", "Complete"), "MalformedXML"},
		{"DTD", `<!DOCTYPE x [<!ENTITY a "b">]>` + good, "MalformedXML"},
		{"no ETag", strings.ReplaceAll(good, "ETag", "Tag"), "MalformedXML"},
		{"number twice", strings.ReplaceAll(good, "<ETag>", "<PartNumber>1</PartNumber><ETag>"), "MalformedXML"},
		{"NUL", strings.ReplaceAll(good, "<Part>", "<Part>\x00<"), "MalformedXML"},
		{"not UTF-8", strings.ReplaceAll(good, "<Part>", "<Part\xff>"), "MalformedXML"},
		{"deep", strings.Repeat("<a>", 100000), "MalformedXML"},
		{"10,001 parts", completeList(wire.MaxParts + 1), "MalformedXML"},
		{"too long", good + strings.Repeat(" ", wire.MaxCompleteBody), "MalformedXML"},
		{"10,000 parts", completeList(wire.MaxParts), "InvalidPart"},
		{"twice the same", strings.ReplaceAll(good, "</Part>", `</Part><Part><PartNumber>1</PartNumber><ETag>x</ETag></Part>`), "InvalidPartOrder"},
		{"another ETag", strings.ReplaceAll(good, "5D", "5E"), "InvalidPart"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.t = t
			f.want(call{method: "POST", bucket: "bucket", key: "key", query: "uploadId=" + id, body: tt.body}, 400, tt.code)
		})
	}
	f.t = t
	if got := f.parts("bucket", "key", id); len(got) != 1 {
		t.Errorf("parts are %v", got)
	}
	f.want(call{method: "POST", bucket: "bucket", key: "key", query: "uploadId=" + id, body: "\ufeff" + `<?xml version="1.0"?>` + "\n<!-- c -->" + good, unsized: true}, 200, "")
}

// Parameters of listings that are out of bounds.
func TestListingParameters(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	id := f.initiate("bucket", "key")
	long := strings.Repeat("a", wire.MaxMarkerBytes)
	for _, query := range []string{
		"max-keys=0", "max-keys=-1", "max-keys=1001", "max-keys=x", "max-keys=1e3", "max-keys=99999999999999999999",
		"encoding-type=URL", "encoding-type=base64",
		"prefix=" + long + "a", "delimiter=" + long + "a", "marker=" + long + "a", "prefix=%FF",
		"list-type=2&max-keys=0", "list-type=2&continuation-token=a", "list-type=2&continuation-token=AAAA",
		"list-type=2&start-after=" + long + "a", "list-type=2&continuation-token=" + long + long,
		"versions&max-keys=0", "versions&version-id-marker=null", "versions&key-marker=a&version-id-marker=%00",
		"uploads&max-uploads=0", "uploads&max-uploads=1001", "uploads&key-marker=" + long + "a", "uploads&encoding-type=x",
		"live&max-keys=1001",
	} {
		f.want(call{method: "GET", bucket: "bucket", query: query}, 400, "InvalidArgument")
	}
	for _, query := range []string{
		"prefix=" + long, "marker=" + long, "delimiter=" + long, "max-keys=", "max-keys=1000",
		"list-type=2&continuation-token=&start-after=", "uploads&upload-id-marker=x", "uploads&key-marker=a&upload-id-marker=%00",
		"versions&key-marker=a&version-id-marker=CAEQ",
	} {
		f.want(call{method: "GET", bucket: "bucket", query: query}, 200, "")
	}
	for _, query := range []string{"max-parts=0", "max-parts=1001", "max-parts=a", "part-number-marker=-1", "part-number-marker=a", "encoding-type=x"} {
		f.want(call{method: "GET", bucket: "bucket", key: "key", query: "uploadId=" + id + "&" + query}, 400, "InvalidArgument")
	}
	f.want(call{method: "GET", bucket: "bucket", key: "key", query: "uploadId=" + id + "&part-number-marker=99999&max-parts="}, 200, "")
	for _, query := range []string{"max-keys=0", "max-keys=1001", "prefix=%FF", "marker=" + long + "a"} {
		f.want(call{method: "GET", query: query}, 400, "InvalidArgument")
	}
}

// A page's token leads to the next page, and all pages together are the list.
func TestListObjectsV2Pages(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	keys := []string{"a b+c", "dir/a", "dir/b", "e", "中文/é", "\x01"}
	for _, key := range keys {
		f.put("bucket", key, key)
	}
	var got []string
	token := ""
	for pages := 0; ; pages++ {
		if pages > 10 {
			t.Fatal("the pages do not end")
		}
		r := f.want(call{method: "GET", bucket: "bucket",
			query: "list-type=2&max-keys=1&delimiter=%2F&encoding-type=url&continuation-token=" + token}, 200, "")
		for _, tag := range []string{"<Contents><Key>", "<CommonPrefixes><Prefix>"} {
			if entry := between(r.body, tag, "<"); entry != "" {
				got = append(got, entry)
			}
		}
		if !strings.Contains(r.body, "<IsTruncated>true") {
			break
		}
		token = between(r.body, "<NextContinuationToken>", "<")
	}
	if want := "%01 a%20b%2Bc dir%2F e %E4%B8%AD%E6%96%87%2F"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Keys are taken as they are, at any length that OSS allows.
func TestKeys(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	for _, key := range []string{
		"../../etc/passwd", "a//b", "\x00", "\x00\x01", "中文/é", "..", ".", "a/", "100%25", "~!*'()", "a b+c",
		"?", "a?acl", "#", "a&b=c", "\r\n", " ", "a\\b", `"<>`, strings.Repeat("é", 511) + "e",
	} {
		f.put("bucket", key, key)
		r := f.want(call{method: "GET", bucket: "bucket", key: key}, 200, "")
		if r.body != key {
			t.Errorf("%q holds %q", key, r.body)
		}
		list := f.want(call{method: "GET", bucket: "bucket", query: "encoding-type=url&max-keys=1&prefix=" + wire.EncodeURL(key)}, 200, "")
		if got := between(list.body, "<Contents><Key>", "<"); got != wire.EncodeURL(key) {
			t.Errorf("%q is listed as %q", key, got)
		}
		f.want(call{method: "DELETE", bucket: "bucket", key: key}, 204, "")
	}
	for _, key := range []string{"/a", `\a`, "a\xff", strings.Repeat("k", 1024)} {
		for _, method := range []string{"PUT", "GET", "HEAD", "DELETE"} {
			f.want(call{method: method, bucket: "bucket", key: key}, 400, "InvalidObjectName")
		}
		f.want(call{method: "POST", bucket: "bucket", key: key, query: "uploads"}, 400, "InvalidObjectName")
	}
}

// Deleting several with keys that XML cannot carry as they are, and lists that
// are too long.
func TestDeleteMultipleObjects(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "a\x01&<", "x")
	f.put("bucket", "b\nc", "x")
	body := "<Delete><Object><Key>a&#1;&amp;&lt;</Key></Object><Object><Key>b&#10;c</Key></Object></Delete>"
	sum := md5.Sum([]byte(body))
	f.want(call{method: "POST", bucket: "bucket", query: "delete", body: body,
		header: map[string]string{"Content-MD5": base64.StdEncoding.EncodeToString(sum[:])}}, 200, "")
	if r := f.want(call{method: "GET", bucket: "bucket"}, 200, ""); strings.Contains(r.body, "<Contents>") {
		t.Errorf("left over: %s", r.body)
	}
	list := func(n int) string {
		return "<Delete>" + strings.Repeat("<Object><Key>k</Key></Object>", n) + "</Delete>"
	}
	f.want(call{method: "POST", bucket: "bucket", query: "delete", body: list(1000)}, 200, "")
	for name, body := range map[string]string{
		"1001":     list(1001),
		"too long": list(1) + strings.Repeat(" ", wire.MaxDeleteBody),
		"no key":   "<Delete><Object></Object></Delete>",
		"quiet":    "<Delete><Quiet>perhaps</Quiet><Object><Key>k</Key></Object></Delete>",
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			f.want(call{method: "POST", bucket: "bucket", query: "delete", body: body}, 400, "MalformedXML")
		})
	}
	f.t = t
	f.want(call{method: "POST", bucket: "bucket", query: "delete",
		body: "<Delete><Object><Key>k</Key><VersionId>%</VersionId></Object></Delete>"}, 400, "InvalidArgument")
}

// Everybody may write into a public-read-write bucket, but not what its object's
// ACL protects, and configuration stays the owner's.
func TestAnonymousWrites(t *testing.T) {
	f := newFixture(t)
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	anon := func(c call) call { c.anonymous, c.bucket = true, "bucket"; return c }
	f.want(anon(call{method: "PUT", key: "a", body: "a", header: map[string]string{"x-oss-tagging": "k=v"}}), 200, "")
	f.want(anon(call{method: "GET", key: "a"}), 200, "")
	f.want(anon(call{method: "HEAD", key: "a", query: "objectMeta"}), 200, "")
	f.want(anon(call{method: "GET"}), 200, "")
	f.want(anon(call{method: "GET", key: "missing"}), 404, "NoSuchKey")
	f.want(anon(call{method: "PUT", key: "b", header: map[string]string{"x-oss-copy-source": "/bucket/a"}}), 200, "")

	r := f.want(anon(call{method: "POST", key: "big", query: "uploads"}), 200, "")
	id := between(r.body, "<UploadId>", "<")
	f.want(anon(call{method: "PUT", key: "big", query: "partNumber=1&uploadId=" + id, body: "x"}), 200, "")
	f.want(anon(call{method: "GET", key: "big", query: "uploadId=" + id}), 200, "")
	f.want(anon(call{method: "POST", key: "big", query: "uploadId=" + id, header: map[string]string{"x-oss-complete-all": "yes"}}), 200, "")

	f.want(call{method: "PUT", bucket: "bucket", key: "a", query: "acl", header: map[string]string{"x-oss-object-acl": "private"}}, 200, "")
	f.want(anon(call{method: "GET", key: "a"}), 403, "AccessDenied")
	f.want(anon(call{method: "PUT", key: "a", body: "mine"}), 403, "AccessDenied")
	f.want(anon(call{method: "DELETE", key: "a"}), 403, "AccessDenied")
	f.want(anon(call{method: "PUT", key: "c", header: map[string]string{"x-oss-copy-source": "/bucket/a"}}), 403, "AccessDenied")
	f.want(anon(call{method: "POST", query: "delete", body: "<Delete><Object><Key>b</Key></Object><Object><Key>a</Key></Object></Delete>"}), 403, "AccessDenied")
	f.want(anon(call{method: "HEAD", key: "b"}), 200, "") // nothing of the list was deleted
	f.want(anon(call{method: "POST", query: "delete", body: "<Delete><Object><Key>b</Key></Object></Delete>"}), 200, "")
	for _, c := range []call{
		{method: "GET", query: "acl"}, {method: "PUT", query: "acl", header: map[string]string{"x-oss-acl": "private"}},
		{method: "GET", query: "bucketInfo"}, {method: "DELETE"}, {method: "PUT"}, {method: "GET", query: "uploads"},
		{method: "GET", key: "a", query: "acl"}, {method: "GET", key: "a", query: "tagging"}, {method: "HEAD"},
		{method: "GET", query: "stat"}, {method: "PUT", query: "lifecycle"},
	} {
		f.want(anon(c), 403, "AccessDenied")
	}
}

// Signatures in headers and URLs, of both versions; and what is wrong with those
// that are refused.
func TestSignatures(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "key", "hello")
	good := sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}
	v4 := func(creds sign.Credentials, region string) func(*sign.Request) {
		return func(r *sign.Request) { sign.SignV4Header(r, creds, region, epoch) }
	}
	tests := []struct {
		name   string
		sign   func(*sign.Request)
		status int
		code   string
	}{
		{"V1 header", func(r *sign.Request) { sign.SignV1Header(r, good, epoch) }, 200, ""},
		{"V1 URL", func(r *sign.Request) { sign.SignV1Query(r, good, epoch.Add(1e9)) }, 200, ""},
		{"V4 header", v4(good, testRegion), 200, ""},
		{"V4 URL", func(r *sign.Request) {
			if err := sign.SignV4Query(r, good, testRegion, epoch, 1e12); err != nil {
				t.Fatal(err)
			}
		}, 200, ""},
		{"V1 URL, expired", func(r *sign.Request) { sign.SignV1Query(r, good, epoch.Add(-1e9)) }, 403, "AccessDenied"},
		{"skewed", func(r *sign.Request) { sign.SignV4Header(r, good, testRegion, epoch.Add(16*60e9)) }, 403, "RequestTimeTooSkewed"},
		{"unknown key", v4(sign.Credentials{AccessKeyID: "nobody", AccessKeySecret: testSecret}, testRegion), 403, "InvalidAccessKeyId"},
		{"wrong secret", v4(sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: "x"}, testRegion), 403, "SignatureDoesNotMatch"},
		{"wrong region", v4(good, "cn-beijing"), 400, "InvalidArgument"},
		{"token", v4(sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret, SecurityToken: "t"}, testRegion), 403, "InvalidSecurityToken"},
		{"another scheme", func(r *sign.Request) { http.Header(r.Header).Set("Authorization", "Basic x") }, 400, "InvalidArgument"},
		{"header after signing", func(r *sign.Request) {
			sign.SignV4Header(r, good, testRegion, epoch)
			http.Header(r.Header).Set("x-oss-meta-late", "1")
		}, 403, "SignatureDoesNotMatch"},
		{"parameter after signing", func(r *sign.Request) {
			sign.SignV4Header(r, good, testRegion, epoch)
			r.Query = append(r.Query, sign.Param{Name: "prefix", Value: "x"})
		}, 403, "SignatureDoesNotMatch"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.t = t
			r := f.want(call{method: "GET", bucket: "bucket", key: "key", sign: tt.sign}, tt.status, tt.code)
			if tt.status == 200 && r.body != "hello" {
				t.Errorf("got %q", r.body)
			}
			if len(r.body) > wire.MaxErrorDocument {
				t.Errorf("an error of %d bytes", len(r.body))
			}
		})
	}
	f.t = t
	f.want(call{method: "GET", bucket: "missing", key: "key"}, 404, "NoSuchBucket")
	f.want(call{method: "GET", bucket: "missing", key: "key", sign: v4(good, "cn-beijing")}, 400, "InvalidArgument")
}

// Every region will do if the operator says so.
func TestAnyRegion(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.AnyRegion = true })
	f.want(call{method: "GET", sign: func(r *sign.Request) {
		sign.SignV4Header(r, sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}, "mars-1", epoch)
	}}, 200, "")
}

// All addressing styles lead to the same object and sign the same resource.
func TestAddressing(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "dir/key", "hello")
	for _, host := range []string{
		"bucket.localhost:9000", "bucket.oss.example.com", "BUCKET.oss.example.com:80",
		"bucket.oss-cn-hangzhou.aliyuncs.com", "bucket.oss-cn-hangzhou-internal.aliyuncs.com",
	} {
		for _, target := range []string{"/dir/key", "/dir%2Fkey"} {
			r := f.want(call{method: "GET", bucket: "bucket", key: "dir/key", host: host, target: target}, 200, "")
			if r.body != "hello" {
				t.Errorf("%s%s: %q", host, target, r.body)
			}
		}
		f.want(call{method: "GET", bucket: "bucket", query: "location", host: host, target: "/"}, 200, "")
	}
	r := f.want(call{method: "GET", host: ".oss-cn-hangzhou.aliyuncs.com", target: "/"}, 200, "")
	if !strings.Contains(r.body, "<ExtranetEndpoint>oss-cn-hangzhou.aliyuncs.com<") {
		t.Errorf("endpoints are not the host's: %s", r.body)
	}
	for _, host := range []string{"oss.example.com", "some.where.else", "localhost:1", "[::1]:9000"} {
		f.want(call{method: "GET", bucket: "bucket", key: "dir/key", host: host}, 200, "")
	}
	// Completing tells where the object is, in the style that the client uses.
	id := f.initiate("bucket", "a b")
	r = f.want(call{method: "POST", bucket: "bucket", key: "a b", host: "bucket.oss.example.com", target: "/a%20b",
		query: "uploadId=" + id, header: map[string]string{"x-oss-complete-all": "yes"}}, 200, "")
	if got := between(r.body, "<Location>", "<"); got != "http://bucket.oss.example.com/a%20b" {
		t.Errorf("location %s", got)
	}
}

// Metadata that is too much, and names that are none.
func TestMetadata(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	put := func(name, value string) call {
		return call{method: "PUT", bucket: "bucket", key: "k", body: "x", header: map[string]string{"x-oss-meta-" + name: value}}
	}
	f.want(put("a", strings.Repeat("v", 8191)), 200, "")
	f.want(put("a", strings.Repeat("v", 8192)), 400, "InvalidArgument")
	f.want(put("", "v"), 400, "InvalidArgument")
	f.want(put("a!", "v"), 400, "InvalidArgument")
	f.want(put("a", "é"), 200, "")
	if r := f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 200, ""); r.get("x-oss-meta-a") != "é" {
		t.Errorf("metadata came back as %q", r.get("x-oss-meta-a"))
	}
}

// What a request chooses for headers of the answer cannot make other headers.
func TestOverrides(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "k", "hello")
	for _, value := range []string{"a%0D%0ASet-Cookie:%20x", "a%00", "%7F"} {
		f.want(call{method: "GET", bucket: "bucket", key: "k", query: "response-content-type=" + value}, 400, "InvalidArgument")
	}
	r := f.want(call{method: "GET", bucket: "bucket", key: "k", query: "response-content-disposition=attachment%3B%20filename%3D%22%C3%A9%22"}, 200, "")
	if got := r.get("Content-Disposition"); got != `attachment; filename="é"` {
		t.Errorf("got %q", got)
	}
}

// Conditions on dates and tags, one by one and together.
func TestConditions(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "k", "hello")
	const (
		tag    = `"5D41402ABC4B2A76B9719D911017C592"`
		before = "Tue, 14 Nov 2023 22:13:19 GMT"
		now    = "Tue, 14 Nov 2023 22:13:20 GMT"
		after  = "Tue, 14 Nov 2023 22:13:21 GMT"
	)
	tests := []struct {
		header map[string]string
		status int
	}{
		{map[string]string{"If-Match": tag}, 200},
		{map[string]string{"If-Match": strings.ToLower(tag)}, 200},
		{map[string]string{"If-Match": "*"}, 200},
		{map[string]string{"If-Match": `"a", ` + tag}, 200},
		{map[string]string{"If-Match": `"a"`}, 412},
		{map[string]string{"If-None-Match": tag}, 304},
		{map[string]string{"If-None-Match": "*"}, 304},
		{map[string]string{"If-None-Match": `"a"`}, 200},
		{map[string]string{"If-Modified-Since": before}, 200},
		{map[string]string{"If-Modified-Since": now}, 304},
		{map[string]string{"If-Modified-Since": after}, 304},
		{map[string]string{"If-Modified-Since": "yesterday"}, 200},
		{map[string]string{"If-Modified-Since": "Tuesday, 14-Nov-23 22:13:20 GMT"}, 304},
		{map[string]string{"If-Unmodified-Since": before}, 412},
		{map[string]string{"If-Unmodified-Since": now}, 200},
		{map[string]string{"If-Unmodified-Since": "never"}, 200},
		{map[string]string{"If-Match": tag, "If-Unmodified-Since": before}, 412},
		{map[string]string{"If-Match": tag, "If-None-Match": tag}, 304},
		{map[string]string{"If-Match": `"a"`, "If-None-Match": tag}, 412},
		{map[string]string{"If-None-Match": `"a"`, "If-Modified-Since": now}, 200},
	}
	for _, tt := range tests {
		for _, method := range []string{"GET", "HEAD"} {
			code := ""
			if tt.status == 412 {
				code = "PreconditionFailed"
			}
			r := f.want(call{method: method, bucket: "bucket", key: "k", header: tt.header}, tt.status, code)
			if tt.status == 304 && (r.body != "" || r.get("ETag") != tag) {
				t.Errorf("304 with body %q and ETag %s", r.body, r.get("ETag"))
			}
		}
	}
}

// Every verb, known or not, on every level, with every selector there is: an
// answer of OSS, and never a fault of ours.
func TestEveryVerbEverywhere(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	queries := map[string]bool{"": true, "uploadId&partNumber": true, "nonsense=%00": true}
	for _, op := range operations {
		query := op.selector
		if before, _, ok := strings.Cut(query, "&x-oss-copy-source:"); ok {
			query = before
		}
		queries[strings.TrimSuffix(query, ":")] = true
	}
	n := 0
	for query := range queries {
		for _, target := range []string{"/", "/bucket", "/bucket/", "/bucket/k", "/missing", "/missing/k", "/B", "//", "/bucket//"} {
			for _, method := range []string{"GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS", "PATCH", "TRACE", "PROPFIND"} {
				for _, anonymous := range []bool{false, true} {
					c := call{method: method, query: query, anonymous: anonymous, body: "<x/>"}
					c.setTarget(target)
					r := f.serve(c)
					n++
					if r.status < 200 || r.status >= 600 || r.status >= 500 && r.status != 501 {
						t.Errorf("%s %s?%s: %d %s", method, target, query, r.status, r.body)
					}
					if method == "HEAD" && r.body != "" {
						t.Errorf("%s %s?%s has a body", method, target, query)
					}
					if r.status >= 400 && (method == "HEAD") != (r.get("x-oss-err") != "") {
						t.Errorf("%s %s?%s: x-oss-err is %q", method, target, query, r.get("x-oss-err"))
					}
					if r.status >= 400 && r.code() == "" {
						t.Errorf("%s %s?%s: %d without a code", method, target, query, r.status)
					}
				}
			}
		}
	}
	if strings.Contains(f.log.String(), `"level":"ERROR"`) {
		t.Error("an error was logged")
	}
	if n < 5000 {
		t.Errorf("only %d requests were made", n)
	}
}
