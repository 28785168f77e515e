package server

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
)

// meddler is metadata with somebody who does something right after an object
// was looked at.
type meddler struct {
	kv.Engine
	mu   sync.Mutex
	then func() // once; nil for nothing
}

func (m *meddler) Get(ctx context.Context, p kv.Partition, keys ...[]byte) ([]kv.Row, error) {
	rows, err := m.Engine.Get(ctx, p, keys...)
	object := false
	for _, key := range keys {
		object = object || bytes.HasPrefix(key, []byte("o/"))
	}
	if object {
		m.mu.Lock()
		then := m.then
		m.then = nil
		m.mu.Unlock()
		if then != nil {
			then()
		}
	}
	return rows, err
}

// An object that becomes private after the sender was allowed to read the one
// before it is not read.
func TestObjectReplacedAfterAuthorization(t *testing.T) {
	m := &meddler{Engine: memkv.New()}
	f := newFixture(t, func(c *config) { c.kv = m })
	f.put("bucket", "", "")
	f.want(call{method: "PUT", bucket: "open", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	r := f.want(call{method: "POST", bucket: "open", key: "big", query: "uploads"}, 200, "")
	id := between(r.body, "<UploadId>", "<")
	source := map[string]string{"x-oss-copy-source": "/bucket/k"}
	for _, c := range []call{
		{method: "GET", bucket: "bucket", key: "k"},
		{method: "HEAD", bucket: "bucket", key: "k"},
		{method: "HEAD", bucket: "bucket", key: "k", query: "objectMeta"},
		{method: "PUT", bucket: "open", key: "copy", header: source},
		{method: "PUT", bucket: "open", key: "big", query: "partNumber=1&uploadId=" + id, header: source},
	} {
		t.Run(c.method+" "+c.query, func(t *testing.T) {
			f.t = t
			put := func(acl, text string) error {
				_, err := f.store.PutObject(t.Context(), &store.PutObjectRequest{
					Bucket: "bucket", Key: "k", Attributes: store.Attributes{ACL: acl},
					Body: store.Body{Reader: strings.NewReader(text), Size: int64(len(text))},
				})
				return err
			}
			if err := put("public-read", "for all"); err != nil {
				t.Fatal(err)
			}
			c.anonymous = true
			f.want(c, 200, "")

			var err error
			m.mu.Lock()
			m.then = func() { err = put("private", "secret") }
			m.mu.Unlock()
			f.want(c, 403, "AccessDenied")
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}

// An object that becomes private after the sender was allowed to write over the
// one before it is neither replaced nor changed nor deleted.
func TestObjectReplacedBeforeWrite(t *testing.T) {
	m := &meddler{Engine: memkv.New()}
	f := newFixture(t, func(c *config) { c.kv = m })
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	f.put("bucket", "source", "source")
	id := f.initiate("bucket", "k")
	for _, c := range []call{
		{method: "PUT", key: "k", body: "mine"},
		{method: "PUT", key: "k", header: map[string]string{"x-oss-copy-source": "/bucket/source"}},
		{method: "POST", key: "k", query: "uploadId=" + id, header: map[string]string{"x-oss-complete-all": "yes"}},
		{method: "PUT", key: "k", query: "tagging", body: "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
		{method: "DELETE", key: "k"},
		{method: "POST", query: "delete", body: "<Delete><Object><Key>k</Key></Object></Delete>"},
	} {
		t.Run(c.method+" "+c.query, func(t *testing.T) {
			f.t = t
			put := func(acl, text string) error {
				_, err := f.store.PutObject(t.Context(), &store.PutObjectRequest{
					Bucket: "bucket", Key: "k", Attributes: store.Attributes{ACL: acl},
					Body: store.Body{Reader: strings.NewReader(text), Size: int64(len(text))},
				})
				return err
			}
			if err := put("public-read-write", "for all"); err != nil {
				t.Fatal(err)
			}
			c.anonymous, c.bucket = true, "bucket"
			var err error
			m.mu.Lock()
			m.then = func() { err = put("private", "secret") }
			m.mu.Unlock()
			f.want(c, 403, "AccessDenied")
			if err != nil {
				t.Fatal(err)
			}
			r := f.want(call{method: "GET", bucket: "bucket", key: "k"}, 200, "")
			if r.body != "secret" || r.get("x-oss-tagging-count") != "" {
				t.Errorf("the object is now %q with %v", r.body, r.header)
			}
		})
	}
}

// expect sends c as a key, or as nobody when cred is zero.
func (w *world) expect(c call, cred sign.Credentials, status int, code string) *result {
	w.t.Helper()
	c.anonymous, c.sign = cred == sign.Credentials{}, as(cred)
	r := w.serve(c)
	if r.status != status || r.status >= 300 && r.code() != code {
		w.t.Errorf("%s %s?%s: got %d %s, want %d %s\n%s", c.method, c.path(), c.query, r.status, r.code(), status, code, r.body)
	}
	return r
}

func (w *world) config(kind store.ConfigKind, document string) {
	w.t.Helper()
	w.must(w.store.PutBucketConfig(w.t.Context(), "bucket", kind, []byte(document)))
}

var rootCred = sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}

// A user with oss:PutObject and no other right goes through the whole upload,
// and through nothing else; each refusal names the action that is missing.
func TestPutObjectIsTheWholeUpload(t *testing.T) {
	w := newWorld(t)
	_, cred := w.user(`{"Effect":"Allow","Action":"oss:PutObject","Resource":"acs:oss:*:*:bucket/*"}`)
	r := w.expect(call{method: "POST", bucket: "bucket", key: "big", query: "uploads", header: map[string]string{
		"Cache-Control": "no-cache", "Content-Disposition": "attachment", "Expires": "never", "x-oss-forbid-overwrite": "true",
		"x-oss-storage-class": "IA", "x-oss-meta-a": "b", "Content-Type": "text/plain",
	}}, cred, 200, "")
	id := between(r.body, "<UploadId>", "<")
	part := call{method: "PUT", bucket: "bucket", key: "big", query: "partNumber=1&uploadId=" + id, body: "part"}
	r = w.expect(part, cred, 200, "")
	list := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + r.get("ETag") + "</ETag></Part></CompleteMultipartUpload>"
	for _, tt := range []struct {
		call   call
		action string
	}{
		{call{method: "GET", bucket: "bucket", key: "big", query: "uploadId=" + id}, "oss:ListParts"},
		{call{method: "DELETE", bucket: "bucket", key: "big", query: "uploadId=" + id}, "oss:AbortMultipartUpload"},
		{call{method: "GET", bucket: "bucket", query: "uploads"}, "oss:ListMultipartUploads"},
		{call{method: "GET", bucket: "bucket"}, "oss:ListObjects"},
		{call{method: "GET", bucket: "bucket", key: "key"}, "oss:GetObject"},
		{call{method: "DELETE", bucket: "bucket", key: "key"}, "oss:DeleteObject"},
		{call{method: "PUT", bucket: "bucket", key: "big", query: "partNumber=2&uploadId=" + id,
			header: map[string]string{"x-oss-copy-source": "/bucket/source"}}, "oss:GetObject"},
		{call{method: "POST", bucket: "bucket", key: "tagged", query: "uploads", header: map[string]string{"x-oss-tagging": "a=b"}}, "oss:PutObjectTagging"},
	} {
		r := w.expect(tt.call, cred, 403, "AccessDenied")
		message := between(r.body, "<Message>", "<")
		if !strings.Contains(message, tt.action+" on acs:oss:") || !strings.Contains(r.body, "<AuthAction>"+tt.action+"<") {
			t.Errorf("%s %s is not named in %s", tt.call.method, tt.action, r.body)
		}
	}
	w.expect(call{method: "POST", bucket: "bucket", key: "big", query: "uploadId=" + id, body: list,
		header: map[string]string{"x-oss-object-acl": "public-read"}}, cred, 200, "")
	r = w.expect(call{method: "GET", bucket: "bucket", key: "big"}, sign.Credentials{}, 200, "")
	if r.body != "part" || r.get("Cache-Control") != "no-cache" || r.get("x-oss-storage-class") != "IA" || r.get("x-oss-meta-a") != "b" {
		t.Errorf("the object is %q with %v", r.body, r.header)
	}
}

// What a denial says, in full.
func TestAccessDeniedAnswer(t *testing.T) {
	w := newWorld(t)
	w.config(store.ConfigPolicy, policyOf(
		`{"Effect":"Allow","Principal":["*"],"Action":"oss:GetObject","Resource":"acs:oss:*:*:bucket/key"}`,
		`{"Effect":"Deny","Principal":["*"],"Action":"oss:GetObject","Resource":"acs:oss:*:*:bucket/source","Condition":{"Bool":{"acs:SecureTransport":"false"}}}`))
	name, cred := w.user(`{"Effect":"Allow","Action":"oss:PutObject","Resource":"*"}`, `{"Effect":"Deny","Action":"oss:List*","Resource":"*"}`)
	id, err := w.keys.UserIdentity(t.Context(), name)
	w.must(err)
	tests := []struct {
		name string
		cred sign.Credentials
		call call
		want string // between HostId and the end
	}{
		{"no allow", cred, call{method: "DELETE", bucket: "bucket", key: "a&b"},
			"<AuthAction>oss:DeleteObject</AuthAction><AuthResource>acs:oss:*:*:bucket/a&amp;b</AuthResource><AuthPrincipal>" + id.ID +
				"</AuthPrincipal><NoPermissionType>ImplicitDeny</NoPermissionType><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType><EC>0003-00000202</EC>"},
		{"RAM policy", cred, call{method: "GET", bucket: "bucket"},
			"<AuthAction>oss:ListObjects</AuthAction><AuthResource>acs:oss:*:*:bucket</AuthResource><AuthPrincipal>" + id.ID +
				"</AuthPrincipal><NoPermissionType>ExplicitDeny</NoPermissionType><PolicyType>AccountLevelIdentityBasedPolicy</PolicyType><PolicyName>" +
				name + "</PolicyName><PolicyStatement>2</PolicyStatement><EC>0003-00000201</EC>"},
		{"bucket policy, and the owner", rootCred, call{method: "GET", bucket: "bucket", key: "source"},
			"<AuthAction>oss:GetObject</AuthAction><AuthResource>acs:oss:*:*:bucket/source</AuthResource><AuthPrincipal>1000000000000001</AuthPrincipal>" +
				"<NoPermissionType>ExplicitDeny</NoPermissionType><PolicyType>BucketPolicy</PolicyType><PolicyStatement>2</PolicyStatement>"},
		{"anonymous", sign.Credentials{}, call{method: "PUT", bucket: "bucket", key: "key"},
			"<AuthAction>oss:PutObject</AuthAction><AuthResource>acs:oss:*:*:bucket/key</AuthResource><NoPermissionType>ImplicitDeny</NoPermissionType><PolicyType>ACL</PolicyType>"},
		{"session", w.session(name, policyOf(anythingBut("oss:PutObject")), epoch), call{method: "PUT", bucket: "bucket", key: "key"},
			"<AuthAction>oss:PutObject</AuthAction><AuthResource>acs:oss:*:*:bucket/key</AuthResource><AuthPrincipal>" + id.ID +
				"</AuthPrincipal><NoPermissionType>ImplicitDeny</NoPermissionType><PolicyType>SessionPolicy</PolicyType><EC>0003-00000301</EC>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w.t = t
			r := w.expect(tt.call, tt.cred, 403, "AccessDenied")
			_, rest, _ := strings.Cut(r.body, "</HostId>")
			var lines []string
			for line := range strings.SplitSeq(rest, "\n") {
				lines = append(lines, strings.TrimSpace(line))
			}
			rest, _, _ = strings.Cut(strings.Join(lines, ""), "<RecommendDoc>")
			if rest = strings.TrimSuffix(rest, "</Error>"); rest != tt.want {
				t.Errorf("got\n%s\nwant\n%s", rest, tt.want)
			}
		})
	}
	w.t = t
	// oss2 reads 4096 bytes of an error and no more.
	for _, key := range []string{strings.Repeat("&", 1023), strings.Repeat("\x01", 1023), strings.Repeat("é", 500)} {
		if r := w.expect(call{method: "GET", bucket: "bucket", key: key}, cred, 403, "AccessDenied"); len(r.body) >= 4096 {
			t.Errorf("%d bytes:\n%s", len(r.body), r.body)
		}
	}
}

// What policies can ask for arrives as the request has it.
func TestPolicyConditions(t *testing.T) {
	const tagging = "<Tagging><TagSet><Tag><Key>team</Key><Value>%s</Value></Tag></TagSet></Tagging>"
	header := func(name, value string) map[string]string { return map[string]string{name: value} }
	get := call{method: "GET", bucket: "bucket", key: "key"}
	list := func(query string) call { return call{method: "GET", bucket: "bucket", query: query} }
	put := func(h map[string]string) call {
		return call{method: "PUT", bucket: "bucket", key: "new", body: "x", header: h}
	}
	tests := []struct {
		condition string
		call      call
		want      bool
	}{
		{`"IpAddress":{"acs:SourceIp":"192.0.2.1"}`, get, true}, // of httptest
		{`"IpAddress":{"acs:SourceIp":"10.0.0.0/8"}`, get, false},
		{`"StringLike":{"acs:UserAgent":"tester/*"}`, call{method: "GET", bucket: "bucket", key: "key", header: header("User-Agent", "tester/1")}, true},
		{`"StringLike":{"acs:UserAgent":"tester/*"}`, get, false},
		{`"StringLike":{"acs:UserAgent":"*end"}`, call{method: "GET", bucket: "bucket", key: "key", header: header("User-Agent", strings.Repeat("x", maxUserAgent)+"end")}, false},
		{`"Bool":{"acs:SecureTransport":"true"}`, get, false},
		{`"Bool":{"acs:SecureTransport":"false"}`, get, true},
		{`"DateLessThan":{"acs:CurrentTime":"2023-11-14T22:13:21Z"}`, get, true},
		{`"DateLessThan":{"acs:CurrentTime":"2023-11-14T22:13:20Z"}`, get, false},

		{`"StringEquals":{"oss:Prefix":"a/","oss:Delimiter":"/"}`, list("prefix=a%2F&delimiter=%2F"), true},
		{`"StringEquals":{"oss:Prefix":"a/","oss:Delimiter":"/"}`, list("list-type=2&prefix=a%2F&delimiter=%2F"), true},
		{`"StringEquals":{"oss:Prefix":"a/"}`, list("versions&prefix=a%2F"), true},
		{`"StringEquals":{"oss:Prefix":"a/"}`, list("uploads&prefix=a%2F"), true},
		{`"StringEquals":{"oss:Prefix":"a/"}`, list("prefix=a"), false},
		{`"StringEquals":{"oss:Prefix":""}`, list(""), true},
		{`"StringEquals":{"oss:Prefix":["a",""]}`, get, false}, // of listings only
		{`"StringNotEquals":{"oss:Prefix":"a/"}`, get, true},

		{`"StringEquals":{"oss:x-oss-acl":"private"}`, call{method: "PUT", bucket: "bucket", query: "acl", header: header("x-oss-acl", "private")}, true},
		{`"StringEquals":{"oss:x-oss-acl":"private"}`, call{method: "PUT", bucket: "bucket", query: "acl", header: header("x-oss-acl", "public-read")}, false},
		{`"StringNotEquals":{"oss:x-oss-object-acl":["public-read","public-read-write"]}`, put(nil), true},
		{`"StringNotEquals":{"oss:x-oss-object-acl":["public-read","public-read-write"]}`, put(header("x-oss-object-acl", "public-read")), false},

		{`"StringEquals":{"oss:RequestObjectTag/team":"blue"}`, put(header("x-oss-tagging", "team=blue&a=b")), true},
		{`"StringEquals":{"oss:RequestObjectTag/team":"blue"}`, put(header("x-oss-tagging", "team=red")), false},
		{`"StringEquals":{"oss:RequestObjectTag/team":"blue"}`, put(nil), false},
		{`"StringEquals":{"oss:RequestObjectTag/team":"blue"}`, call{method: "PUT", bucket: "bucket", key: "key", query: "tagging", body: fmt.Sprintf(tagging, "blue")}, true},
		{`"StringEquals":{"oss:RequestObjectTag/team":"blue"}`, call{method: "PUT", bucket: "bucket", key: "key", query: "tagging", body: fmt.Sprintf(tagging, "red")}, false},
		{`"StringNotEquals":{"oss:RequestObjectTag/k":"v"}`, put(header("x-oss-copy-source", "/bucket/source")), false}, // it has k=v
		{`"StringNotEquals":{"oss:RequestObjectTag/k":"v"}`, put(map[string]string{"x-oss-copy-source": "/bucket/source", "x-oss-tagging-directive": "Replace"}), true},
		{`"StringNotEquals":{"oss:RequestObjectTag/k":"v"}`, put(map[string]string{"x-oss-copy-source": "/bucket/source", "x-oss-tagging": "k=other"}), false},

		{`"StringEquals":{"oss:ExistingObjectTag/k":"v"}`, get, true},
		{`"StringEquals":{"oss:ExistingObjectTag/k":"w"}`, get, false},
		{`"StringEquals":{"oss:ExistingObjectTag/k":"v"}`, call{method: "GET", bucket: "bucket", key: "key", query: "acl"}, true},
		{`"StringEquals":{"oss:ExistingObjectTag/k":"v"}`, call{method: "GET", bucket: "bucket", key: "plain"}, false},
		{`"StringEquals":{"oss:ExistingObjectTag/k":"v"}`, call{method: "GET", bucket: "bucket", key: "missing"}, false},
		{`"StringNotEquals":{"oss:ExistingObjectTag/k":"v"}`, call{method: "DELETE", bucket: "bucket", key: "plain"}, true},
		{`"StringNotEquals":{"oss:ExistingObjectTag/k":"v"}`, call{method: "DELETE", bucket: "bucket", key: "key"}, false},
		{`"StringNotEquals":{"oss:ExistingObjectTag/k":"v"}`, call{method: "PUT", bucket: "bucket", key: "key", body: "x"}, false},

		{`"StringEquals":{"oss:BucketTag/team":"blue"}`, get, true},
		{`"StringEquals":{"oss:BucketTag/team":"red"}`, get, false},
		{`"StringEquals":{"oss:BucketTag/other":"blue"}`, get, false},
	}
	for _, tt := range tests {
		w := newWorld(t)
		w.config(store.ConfigTagging, fmt.Sprintf(tagging, "blue"))
		w.expect(call{method: "PUT", bucket: "bucket", key: "plain", body: "x"}, rootCred, 200, "")
		_, cred := w.user(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{` + tt.condition + `}}`)
		tt.call.sign = as(cred)
		r := w.serve(tt.call)
		if allowed := r.status < 300; allowed != tt.want || !allowed && r.code() != "AccessDenied" {
			t.Errorf("%s, %s %s?%s %v: %d %s", tt.condition, tt.call.method, tt.call.path(), tt.call.query, tt.call.header, r.status, r.body)
		}
	}
}

// A condition on the tags that are written is about those that the upload was
// initiated with, in each of its steps. A header that is ignored does not meet it.
func TestUploadTagConditions(t *testing.T) {
	w := newWorld(t)
	_, cred := w.user(`{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"oss:RequestObjectTag/team":"blue"}}}`)
	blue := map[string]string{"x-oss-tagging": "team=blue"}
	initiate := func(by sign.Credentials, key string, header map[string]string) string {
		r := w.expect(call{method: "POST", bucket: "bucket", key: key, query: "uploads", header: header}, by, 200, "")
		return between(r.body, "<UploadId>", "</UploadId>")
	}
	steps := func(key, id, etag string, header map[string]string) []call {
		source := map[string]string{"x-oss-copy-source": "/bucket/key"}
		maps.Copy(source, header)
		return []call{
			{method: "PUT", bucket: "bucket", key: key, query: "uploadId=" + id + "&partNumber=1", body: "x", header: header},
			{method: "PUT", bucket: "bucket", key: key, query: "uploadId=" + id + "&partNumber=2", header: source},
			{method: "POST", bucket: "bucket", key: key, query: "uploadId=" + id, header: header,
				body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + etag + "</ETag></Part></CompleteMultipartUpload>"},
		}
	}
	const etagOfX = "9DD4E461268C8034F5C8564E155C67A6"

	w.expect(call{method: "POST", bucket: "bucket", key: "red", query: "uploads"}, cred, 403, "AccessDenied")
	id := initiate(rootCred, "red", nil)
	w.expect(steps("red", id, etagOfX, nil)[0], rootCred, 200, "")
	for _, header := range []map[string]string{nil, blue} {
		for _, c := range steps("red", id, etagOfX, header) {
			w.expect(c, cred, 403, "AccessDenied")
		}
		w.expect(steps("red", "0123", etagOfX, header)[2], cred, 403, "AccessDenied")
	}

	id = initiate(cred, "blue", blue)
	for i, c := range steps("blue", id, etagOfX, nil) {
		if i != 1 { // the source's ACL and policies decide about that
			w.expect(c, cred, 200, "")
		}
	}
	w.expect(steps("blue", id, etagOfX, nil)[2], cred, 200, "") // the answer was lost
}

// Pages of others lead to nothing: the rule counts for links, and signed URLs
// are such, but not for clients that sign headers.
func TestReferer(t *testing.T) {
	w := newWorld(t)
	w.expect(call{method: "PUT", bucket: "bucket", query: "acl", header: map[string]string{"x-oss-acl": "public-read"}}, rootCred, 200, "")
	w.config(store.ConfigReferer, `<RefererConfiguration><AllowEmptyReferer>false</AllowEmptyReferer>`+
		`<RefererList><Referer>http://mine/*</Referer></RefererList></RefererConfiguration>`)
	link := func(referer string) call {
		c := call{method: "GET", bucket: "bucket", key: "key", header: map[string]string{}}
		if referer != "" {
			c.header["Referer"] = referer
		}
		return c
	}
	signed := func(c call, sign func(*sign.Request)) call { c.sign = sign; return c }
	v1URL := func(r *sign.Request) { sign.SignV1Query(r, rootCred, epoch.Add(time.Minute)) }
	v4URL := func(r *sign.Request) { sign.SignV4Query(r, rootCred, testRegion, epoch, time.Minute) }
	for referer, status := range map[string]int{"": 403, "http://mine/page": 200, "http://mine/page?q": 200, "http://yours/": 403} {
		anonymous := link(referer)
		anonymous.anonymous = true
		for name, c := range map[string]call{
			"anonymous": anonymous, "V1 URL": signed(link(referer), v1URL), "V4 URL": signed(link(referer), v4URL),
		} {
			r := w.serve(c)
			if r.status != status || status == 403 && !strings.Contains(r.body, "You are denied by bucket referer policy.") {
				t.Errorf("%s from %q: %d %s", name, referer, r.status, r.body)
			}
		}
		w.expect(link(referer), rootCred, 200, "")
	}
	w.expect(call{method: "GET", bucket: "other"}, sign.Credentials{}, 404, "NoSuchBucket")
}

// Who is told that something is not there.
func TestMissing(t *testing.T) {
	w := newWorld(t)
	_, nobody := w.user()
	_, reader := w.user(`{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:bucket/*"}`)
	_, writer := w.user(`{"Effect":"Allow","Action":"oss:PutObject","Resource":"acs:oss:*:*:bucket/*"}`)
	missing := call{method: "GET", bucket: "bucket", key: "missing"}
	w.expect(missing, reader, 404, "NoSuchKey")
	w.expect(missing, writer, 403, "AccessDenied")
	w.expect(missing, nobody, 403, "AccessDenied")
	w.expect(missing, sign.Credentials{}, 403, "AccessDenied")
	copying := call{method: "PUT", bucket: "bucket", key: "copy", header: map[string]string{"x-oss-copy-source": "/bucket/missing"}}
	w.expect(copying, writer, 403, "AccessDenied")
	w.expect(call{method: "GET", bucket: "nowhere", key: "k"}, nobody, 404, "NoSuchBucket")
	w.expect(call{method: "GET", bucket: "nowhere", query: "acl"}, nobody, 403, "AccessDenied")
	w.expect(call{method: "GET", bucket: "nowhere", query: "acl"}, rootCred, 404, "NoSuchBucket")

	// A bucket that PutBucketAcl would make takes the right to make one.
	_, acls := w.user(`{"Effect":"Allow","Action":"oss:PutBucketAcl","Resource":"*"}`)
	make := call{method: "PUT", bucket: "nowhere", query: "acl", header: map[string]string{"x-oss-acl": "private"}}
	r := w.expect(make, acls, 403, "AccessDenied")
	if between(r.body, "<AuthAction>", "<") != "oss:PutBucket" {
		t.Error(r.body)
	}
	_, both := w.user(`{"Effect":"Allow","Action":["oss:PutBucketAcl","oss:PutBucket"],"Resource":"acs:oss:*:*:nowhere"}`)
	w.expect(make, both, 200, "")
}

// A list of keys is deleted if all of it may be; policies decide for each key.
func TestDeleteMultipleObjectsByKey(t *testing.T) {
	w := newWorld(t)
	w.config(store.ConfigPolicy, policyOf(`{"Effect":"Allow","Principal":["*"],"Action":"oss:DeleteObject","Resource":"acs:oss:*:*:bucket/tmp/*"}`))
	_, cred := w.user(`{"Effect":"Allow","Action":"oss:DeleteObject","Resource":"acs:oss:*:*:bucket/key"}`)
	list := func(keys ...string) call {
		body := "<Delete>"
		for _, key := range keys {
			body += "<Object><Key>" + key + "</Key></Object>"
		}
		return call{method: "POST", bucket: "bucket", query: "delete", body: body + "</Delete>"}
	}
	there := func(key string, status int) {
		t.Helper()
		w.expect(call{method: "HEAD", bucket: "bucket", key: key}, rootCred, status, map[int]string{404: "NoSuchKey"}[status])
	}
	w.expect(call{method: "PUT", bucket: "bucket", key: "tmp/a", body: "x"}, rootCred, 200, "")
	r := w.expect(list("tmp/a", "key", "source"), cred, 403, "AccessDenied")
	if between(r.body, "<AuthResource>", "<") != "acs:oss:*:*:bucket/source" {
		t.Error(r.body)
	}
	there("tmp/a", 200)
	there("key", 200)
	w.expect(list("tmp/a", "key"), sign.Credentials{}, 403, "AccessDenied")
	there("tmp/a", 200)
	w.expect(list("tmp/a", "tmp/none", "tmp/a"), sign.Credentials{}, 200, "")
	there("tmp/a", 404)
	w.expect(list("key", "tmp/b"), cred, 200, "")
	there("key", 404)
}

// A policy that cannot be read may deny anything: the owner alone goes on, who
// can replace it.
func TestUnreadablePolicy(t *testing.T) {
	w := newWorld(t)
	w.config(store.ConfigPolicy, `{"Version":"3"}`)
	_, cred := w.user(anything)
	get := call{method: "GET", bucket: "bucket", key: "key"}
	w.expect(get, rootCred, 200, "")
	w.expect(get, cred, 500, "InternalError")
	w.expect(get, sign.Credentials{}, 500, "InternalError")
	if !strings.Contains(w.log.String(), "bucket bucket: kept configuration policy") {
		t.Errorf("the log says %s", w.log)
	}
	w.config(store.ConfigPolicy, policyOf(`{"Effect":"Allow","Principal":["*"],"Action":"oss:GetObject","Resource":"acs:oss:*:*:bucket/key"}`))
	w.expect(get, sign.Credentials{}, 200, "") // from the next request on
	w.config(store.ConfigPolicy, policyOf(`{"Effect":"Deny","Principal":["1000000000000001"],"Action":"oss:*","Resource":["acs:oss:*:*:bucket","acs:oss:*:*:bucket/*"]}`))
	w.expect(get, rootCred, 403, "AccessDenied")
	for _, method := range []string{"GET", "PUT", "DELETE"} {
		c := call{method: method, bucket: "bucket", query: "policy", sign: as(rootCred)}
		if r := w.serve(c); r.status == http.StatusForbidden {
			t.Errorf("the owner is locked out: %s", r.body)
		}
	}
}

// A bucket's policy counts from the answer to the request that puts it to the
// answer to the one that takes it away, also if it shuts its author out.
func TestBucketPolicyOverTheWire(t *testing.T) {
	w := newWorld(t)
	get := call{method: "GET", bucket: "bucket", key: "key"}
	policy := call{bucket: "bucket", query: "policy"}
	put := func(cred sign.Credentials, status int, code string, statements ...string) {
		t.Helper()
		c := policy
		c.method, c.body = "PUT", policyOf(statements...)
		w.expect(c, cred, status, code)
	}
	_, cred := w.user(`{"Effect":"Allow","Action":"oss:PutBucketPolicy","Resource":"acs:oss:*:*:bucket"}`)
	w.expect(get, sign.Credentials{}, 403, "AccessDenied")
	put(cred, 200, "", `{"Effect":"Allow","Principal":["*"],"Action":"oss:GetObject","Resource":"acs:oss:*:*:bucket/*"}`)
	w.expect(get, sign.Credentials{}, 200, "")
	put(cred, 400, "InvalidPolicyDocument", `{"Effect":"Deny","Principal":["*"],"Action":"oss:*","Resource":"acs:oss:*:*:other/*"}`)
	w.expect(get, sign.Credentials{}, 200, "")
	put(cred, 200, "", `{"Effect":"Deny","Principal":["*"],"Action":"oss:*","Resource":["acs:oss:*:*:bucket","acs:oss:*:*:bucket/*"],"Condition":{"IpAddress":{"acs:SourceIp":"192.0.2.0/24"}}}`)
	for _, c := range []sign.Credentials{cred, rootCred, {}} {
		w.expect(get, c, 403, "AccessDenied")
	}
	put(cred, 403, "AccessDenied", `{"Effect":"Allow","Principal":["*"],"Action":"oss:*","Resource":"acs:oss:*:*:bucket"}`)
	policy.method = "DELETE"
	w.expect(policy, rootCred, 204, "")
	w.expect(get, rootCred, 200, "")
	w.expect(get, sign.Credentials{}, 403, "AccessDenied")
}
