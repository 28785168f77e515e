package server

import (
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
)

func cnameBody(domain string) string {
	return "<BucketCnameConfiguration><Cname><Domain>" + domain + "</Domain></Cname></BucketCnameConfiguration>"
}

// A domain leads to its bucket and to no other: the whole path is the key, and
// signatures are over the bucket. Until it is mapped, and afterwards, the path
// has the bucket.
func TestCname(t *testing.T) {
	f := newFixture(t)
	f.put("photos", "", "")
	f.put("other", "", "")
	f.put("photos", "a/b", "hello")
	good := sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}
	const host = "IMG.Example.com.:9000"
	byName := call{method: "GET", bucket: "photos", key: "a/b", host: host, target: "/a/b"}
	f.want(byName, 400, "InvalidBucketName") // which is "a"

	add := call{method: "POST", bucket: "photos", query: "cname&comp=add", body: cnameBody("img.example.COM")}
	if r := f.want(add, 200, ""); r.body != "" {
		t.Errorf("answered %q", r.body)
	}
	f.want(add, 200, "")
	for _, signer := range []func(*sign.Request){
		nil,
		func(r *sign.Request) { sign.SignV1Header(r, good, epoch) },
		func(r *sign.Request) { sign.SignV1Query(r, good, epoch.Add(1e9)) },
	} {
		byName.sign = signer
		if r := f.want(byName, 200, ""); r.body != "hello" {
			t.Errorf("got %q", r.body)
		}
	}
	byName.sign = nil
	f.want(call{method: "GET", bucket: "photos", key: "photos/a/b", host: host, target: "/photos/a/b"}, 404, "NoSuchKey")
	f.want(call{method: "GET", bucket: "photos", key: "a/b", host: "x.img.example.com", target: "/a/b"}, 400, "InvalidBucketName")
	if r := f.want(call{method: "GET", bucket: "photos", key: "x", host: host, target: "/x"}, 404, "NoSuchKey"); !strings.Contains(r.body, "<HostId>"+host+"</HostId>") {
		t.Errorf("answered %s", r.body)
	}

	// An upload by the domain is told the domain; the bucket, where others are.
	f.put("photos", "k", "")
	r := f.want(call{method: "POST", bucket: "photos", key: "k", query: "uploads", host: host, target: "/k"}, 200, "")
	id := between(r.body, "<UploadId>", "</UploadId>")
	r = f.want(call{method: "POST", bucket: "photos", key: "k", query: "uploadId=" + id, host: host, target: "/k",
		header: map[string]string{"x-oss-complete-all": "yes"}}, 200, "")
	if location := between(r.body, "<Location>", "</Location>"); location != "http://"+host+"/k" {
		t.Errorf("Location is %q", location)
	}
	r = f.want(call{method: "GET", bucket: "photos", query: "bucketInfo", host: host, target: "/"}, 200, "")
	if endpoint := between(r.body, "<ExtranetEndpoint>", "</ExtranetEndpoint>"); endpoint != "oss.example.com:9000" {
		t.Errorf("the endpoint is %q", endpoint)
	}

	r = f.want(call{method: "GET", bucket: "photos", query: "cname"}, 200, "")
	for _, text := range []string{
		"<ListCnameResult><Bucket>photos</Bucket><Owner>1000000000000001</Owner><Cname><Domain>img.example.com</Domain>",
		"<LastModified>2023-11-14T22:13:20.000Z</LastModified><Status>Enabled</Status></Cname></ListCnameResult>",
	} {
		if !strings.Contains(strings.NewReplacer("\n", "", " ", "").Replace(r.body), text) {
			t.Errorf("no %s in %s", text, r.body)
		}
	}

	remove := call{method: "POST", bucket: "photos", query: "cname&comp=delete", body: cnameBody("img.example.com")}
	f.want(call{method: "POST", bucket: "other", query: "cname&comp=delete", body: cnameBody("img.example.com")}, 404, "NoSuchCname")
	f.want(remove, 200, "")
	f.want(remove, 404, "NoSuchCname")
	f.want(byName, 400, "InvalidBucketName") // which is "a"
}

// What cannot be mapped, each with the error that OSS has for it.
func TestCnameRefused(t *testing.T) {
	f := newFixture(t, func(c *config) {
		c.opts.Cnames = map[string]string{"set.example.org": "photos", "in.oss.example.com": "photos"}
	})
	f.put("photos", "", "")
	f.put("other", "", "")
	f.put("photos", "k", "hello")
	f.want(call{method: "POST", bucket: "photos", query: "cname&comp=add", body: cnameBody("taken.example.org")}, 200, "")
	certificate := func(inner string) string {
		return strings.Replace(cnameBody("c.example.org"), "</Cname>", "<CertificateConfiguration>"+inner+"</CertificateConfiguration></Cname>", 1)
	}
	for _, tt := range []struct {
		name, bucket, comp, body string
		status                   int
		code                     string
	}{
		{"taken", "other", "add", cnameBody("taken.example.org"), 409, "CnameAlreadyExists"},
		{"taken by a setting", "other", "add", cnameBody("set.example.org"), 409, "CnameAlreadyExists"},
		{"set already", "photos", "add", cnameBody("set.example.org"), 200, ""},
		{"address", "other", "add", cnameBody("127.0.0.1"), 400, "InvalidArgument"},
		{"no domain", "other", "add", cnameBody("a_b.example.org"), 400, "InvalidArgument"},
		{"one label", "other", "add", cnameBody("localhost"), 400, "InvalidArgument"},
		{"another bucket's", "other", "add", cnameBody("photos.localhost"), 403, "CnameIsForbidden"},
		{"another bucket's in a domain", "other", "add", cnameBody("photos.oss.example.com"), 403, "CnameIsForbidden"},
		{"the server's own", "other", "add", cnameBody("oss.example.com"), 403, "CnameIsForbidden"},
		{"the public service", "other", "add", cnameBody("x.oss-cn-hangzhou.aliyuncs.com"), 403, "CnameIsForbidden"},
		{"no XML", "other", "add", "domain", 400, "MalformedXML"},
		{"certificate", "other", "add", certificate("<CertId>1</CertId>"), 501, "NotImplemented"},
		{"no certificate", "other", "add", certificate("<DeleteCertificate>true</DeleteCertificate>"), 200, ""},
		{"missing bucket", "missing", "add", cnameBody("new.example.org"), 404, "NoSuchBucket"},
		{"a setting's is deleted", "photos", "delete", cnameBody("set.example.org"), 403, "CnameDenied"},
		{"proof of ownership", "photos", "token", cnameBody("new.example.org"), 501, "NotImplemented"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f.t = t
			r := f.want(call{method: "POST", bucket: tt.bucket, query: "cname&comp=" + tt.comp, body: tt.body}, tt.status, tt.code)
			if tt.code == "CnameAlreadyExists" && !strings.Contains(r.body, "<BucketName>photos</BucketName>") {
				t.Errorf("answered %s", r.body)
			}
		})
	}
	f.t = t
	f.want(call{method: "POST", bucket: "photos", query: "cname&comp=add", body: cnameBody("a.example.org"), anonymous: true}, 403, "AccessDenied")
	// Settings lead to buckets as well, below the server's own domain too.
	for _, host := range []string{"set.example.org", "in.oss.example.com"} {
		f.want(call{method: "GET", bucket: "photos", key: "k", host: host, target: "/k"}, 200, "")
	}
	r := f.want(call{method: "GET", bucket: "photos", query: "cname"}, 200, "")
	if n := strings.Count(r.body, "<Domain>"); n != 3 || !strings.Contains(r.body, "set.example.org") {
		t.Errorf("listed %s", r.body)
	}
	// One domain too many.
	for n := strings.Count(r.body, "taken"); n < store.MaxCnames; n++ {
		if err := f.store.PutCname(t.Context(), "photos", strings.Repeat("a", n%60+1)+strings.Repeat(".b", n/60+1)); err != nil {
			t.Fatal(err)
		}
	}
	f.want(call{method: "POST", bucket: "photos", query: "cname&comp=add", body: cnameBody("last.example.org")}, 400, "TooManyCname")
	// A deleted bucket's domain is free, and a bucket made again has none.
	f.want(call{method: "DELETE", bucket: "other"}, 204, "")
	f.put("other", "", "")
	f.want(call{method: "GET", bucket: "other", host: "c.example.org", target: "/"}, 403, "SignatureDoesNotMatch") // of the service
	if r := f.want(call{method: "GET", bucket: "other", query: "cname"}, 200, ""); strings.Contains(r.body, "Domain") {
		t.Errorf("inherited %s", r.body)
	}
}
