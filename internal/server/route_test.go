package server

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/wire"
)

// The addressing rules of the documentation page "Endpoints".
func TestSplitHost(t *testing.T) {
	domains := []string{"example.com", "oss.example.com"}
	tests := []struct {
		host, bucket, endpoint string
		virtual                bool
	}{
		{"127.0.0.1:9000", "", "127.0.0.1:9000", false},
		{"127.0.0.1", "", "127.0.0.1", false},
		{"[::1]:9000", "", "[::1]:9000", false},
		{"[::1]", "", "[::1]", false},
		{"bucket.127.0.0.1:9000", "", "bucket.127.0.0.1:9000", false},
		{"localhost", "", "localhost", false},
		{"LOCALHOST:9000", "", "localhost:9000", false},
		{"bucket.localhost:9000", "bucket", "localhost:9000", true},
		{"Bucket.LocalHost", "bucket", "localhost", true},
		{"bucket.localhost.:9000", "bucket", "localhost.:9000", true},
		{"a.b.localhost", "", "a.b.localhost", false},
		{"oss.example.com", "", "oss.example.com", false},
		{"bucket.oss.example.com:80", "bucket", "oss.example.com:80", true},
		{"bucket.example.com", "bucket", "example.com", true},
		{"bucket.example.org", "", "bucket.example.org", false},
		{".example.com", "", ".example.com", false},
		{"bucket.oss-cn-hangzhou.aliyuncs.com", "bucket", "oss-cn-hangzhou.aliyuncs.com", true},
		{"bucket.oss-cn-hangzhou-internal.aliyuncs.com", "bucket", "oss-cn-hangzhou-internal.aliyuncs.com", true},
		{"bucket.oss-accelerate.aliyuncs.com:9000", "bucket", "oss-accelerate.aliyuncs.com:9000", true},
		{".oss-cn-hangzhou.aliyuncs.com", "", "oss-cn-hangzhou.aliyuncs.com", true},
		{"oss-cn-hangzhou.aliyuncs.com", "", "oss-cn-hangzhou.aliyuncs.com", false},
		{"www.aliyuncs.com", "", "www.aliyuncs.com", false},
		{"", "", "", false},
		{":", "", ":", false},
		{"İİ.localhost", "ii", "localhost", true}, // shorter in lower case
	}
	for _, tt := range tests {
		bucket, endpoint, virtual := splitHost(tt.host, domains)
		if bucket != tt.bucket || endpoint != tt.endpoint || virtual != tt.virtual {
			t.Errorf("splitHost(%q) = %q, %q, %v; want %q, %q, %v",
				tt.host, bucket, endpoint, virtual, tt.bucket, tt.endpoint, tt.virtual)
		}
	}
}

func TestParseTarget(t *testing.T) {
	long := strings.Repeat("k", wire.MaxKeyBytes)
	tests := []struct {
		host, uri   string
		bucket, key string
		code        string // of the error, "" for none
	}{
		{"127.0.0.1", "/", "", "", ""},
		{"127.0.0.1", "*", "", "", ""},
		{"127.0.0.1", "/?acl", "", "", ""},
		{"127.0.0.1", "/bucket", "bucket", "", ""},
		{"127.0.0.1", "/bucket/", "bucket", "", ""},
		{"127.0.0.1", "/bucket?a/b", "bucket", "", ""},
		{"127.0.0.1", "/bucket/k", "bucket", "k", ""},
		{"127.0.0.1", "/bucket%2Fk", "bucket/k", "", "InvalidBucketName"},
		{"127.0.0.1", "/%62ucket/k", "bucket", "k", ""},
		{"127.0.0.1", "/bucket/a//b/", "bucket", "a//b/", ""},
		{"127.0.0.1", "/bucket/../../etc/passwd", "bucket", "../../etc/passwd", ""},
		{"127.0.0.1", "/bucket/./a", "bucket", "./a", ""},
		{"127.0.0.1", "/bucket/a%2Fb+c%20d%2541", "bucket", "a/b+c d%41", ""},
		{"127.0.0.1", "/bucket/%00", "bucket", "\x00", ""},
		{"127.0.0.1", "/bucket/a#b", "bucket", "a#b", ""},
		{"127.0.0.1", "/bucket/" + long, "bucket", long, ""},
		{"127.0.0.1", "/bucket/" + long + "k", "bucket", long + "k", "InvalidObjectName"},
		{"127.0.0.1", "/bucket//k", "bucket", "/k", "InvalidObjectName"},
		{"127.0.0.1", "/bucket/%5Ck", "bucket", `\k`, "InvalidObjectName"},
		{"127.0.0.1", "/bucket/%FF", "bucket", "\xff", "InvalidObjectName"},
		{"127.0.0.1", "/../etc", "..", "", "InvalidBucketName"},
		{"127.0.0.1", "//bucket/k", "", "", "InvalidBucketName"},
		{"127.0.0.1", "/Bucket", "Bucket", "", "InvalidBucketName"},
		{"127.0.0.1", "http://127.0.0.1/bucket/a//b?x", "bucket", "a//b", ""},
		{"127.0.0.1", "http://127.0.0.1", "", "", ""},
		{"127.0.0.1", "http://127.0.0.1?acl", "", "", ""},
		{"bucket.localhost", "/", "bucket", "", ""},
		{"bucket.localhost", "/a/b", "bucket", "a/b", ""},
		{"bucket.localhost", "//a", "bucket", "/a", "InvalidObjectName"},
		{"bucket.localhost", "http://bucket.localhost/a", "bucket", "a", ""},
		{"b_.localhost", "/a", "b_", "", "InvalidBucketName"},
		{".oss-cn-hangzhou.aliyuncs.com", "/", "", "", ""},
		{".oss-cn-hangzhou.aliyuncs.com", "/a", "", "", "InvalidBucketName"},
		{"bucket.oss-cn-hangzhou.aliyuncs.com", "/a", "bucket", "a", ""},
	}
	for _, tt := range tests {
		t.Run(tt.host+" "+tt.uri[:min(40, len(tt.uri))], func(t *testing.T) {
			r := &http.Request{Host: tt.host, RequestURI: tt.uri, URL: &url.URL{}}
			got, err := parseTarget(r, nil, noCnames)
			if e, ok := err.(*wire.Error); ok && e.Code != tt.code || err != nil && !ok || err == nil && tt.code != "" {
				t.Fatalf("error %v, want %q", err, tt.code)
			}
			if got.bucket != tt.bucket || got.key != tt.key {
				t.Errorf("got %q, %q; want %q, %q", got.bucket, got.key, tt.bucket, tt.key)
			}
		})
	}
}

// A request that did not come over a connection has no RequestURI.
func TestParseTargetOfURL(t *testing.T) {
	r := httptest.NewRequest("GET", "/bucket/a%2Fb", nil)
	r.RequestURI = ""
	got, err := parseTarget(r, nil, noCnames)
	if err != nil || got.bucket != "bucket" || got.key != "a/b" {
		t.Errorf("got %+v, %v", got, err)
	}
}

// What a query selects, and what excludes each other.
func TestFind(t *testing.T) {
	tests := []struct {
		method string
		level  level
		query  string
		header string
		want   string // operation, or error code
	}{
		{"GET", onService, "", "", "ListBuckets"},
		{"GET", onService, "acl", "", "ListBuckets"},
		{"GET", onBucket, "prefix=a&unknown=b", "", "ListObjects"},
		{"GET", onBucket, "list-type=1", "", "ListObjects"},
		{"GET", onBucket, "list-type=2", "", "ListObjectsV2"},
		{"GET", onBucket, "acl=", "", "GetBucketAcl"},
		{"GET", onBucket, "acl&prefix=x", "", "GetBucketAcl"},
		{"GET", onBucket, "acl&uploads", "", "InvalidArgument"},
		{"GET", onBucket, "list-type=2&uploads", "", "InvalidArgument"},
		{"GET", onBucket, "uploads", "", "ListMultipartUploads"},
		{"GET", onBucket, "inventory", "", "ListBucketInventory"},
		{"GET", onBucket, "inventory&inventoryId=1", "", "GetBucketInventory"},
		{"GET", onBucket, "inventoryId=1", "", "ListObjects"},
		{"POST", onBucket, "replication&comp=delete", "", "DeleteBucketReplication"},
		{"POST", onBucket, "wormId=1", "", "CompleteBucketWorm"},
		{"POST", onBucket, "wormId=1&wormExtend", "", "ExtendBucketWorm"},
		{"POST", onBucket, "delete", "", "DeleteMultipleObjects"},
		{"POST", onBucket, "", "", "PostObject"},
		{"PUT", onBucket, "delete", "", "MethodNotAllowed"},
		{"PUT", onObject, "", "", "PutObject"},
		{"PUT", onObject, "", wire.HeaderCopySource, "CopyObject"},
		{"PUT", onObject, "uploadId=1&partNumber=2", "", "UploadPart"},
		{"PUT", onObject, "partNumber=2&uploadId", "", "UploadPart"},
		{"PUT", onObject, "uploadId=1", "", "UploadPart"},
		{"PUT", onObject, "uploadId=1&partNumber=2", wire.HeaderCopySource, "UploadPartCopy"},
		{"PUT", onObject, "uploadId=1", wire.HeaderCopySource, "UploadPartCopy"},
		{"PUT", onObject, "uploadId=1&acl", "", "InvalidArgument"},
		{"GET", onObject, "uploadId=1", "", "ListParts"},
		{"GET", onObject, "partNumber=1", "", "GetObject"},
		{"GET", onObject, "versions", "", "GetObject"},
		{"HEAD", onObject, "", "", "HeadObject"},
		{"HEAD", onObject, "objectMeta", "", "GetObjectMeta"},
		{"HEAD", onObject, "acl", "", "MethodNotAllowed"},
		{"POST", onObject, "uploads&sequential", "", "InitiateMultipartUpload"},
		{"POST", onObject, "uploads&uploadId=1", "", "InvalidArgument"},
		{"POST", onObject, "x-oss-process=csv/select", "", "SelectObject"},
		{"POST", onObject, "x-oss-process=image/resize", "", "ProcessObject"},
		{"GET", onObject, "x-oss-process=csv/select", "", "MethodNotAllowed"},
		{"OPTIONS", onObject, "acl&uploads", "", "OptionObject"},
		{"OPTIONS", onService, "", "", "OptionObject"},
		{"PATCH", onObject, "", "", "MethodNotAllowed"},
		{"get", onObject, "", "", "MethodNotAllowed"},
		{"", onService, "", "", "MethodNotAllowed"},
	}
	for _, tt := range tests {
		t.Run(tt.method+" "+tt.level.String()+"?"+tt.query+" "+tt.header, func(t *testing.T) {
			rq := &request{r: &http.Request{Header: http.Header{}}}
			if tt.header != "" {
				rq.r.Header.Set(tt.header, "x")
			}
			var err error
			if rq.query, err = wire.ParseQuery(tt.query); err != nil {
				t.Fatal(err)
			}
			op, err := routes.find(tt.method, tt.level, rq.has)
			got := ""
			if err == nil {
				got = op.name
			} else {
				r, expected := refuse(&request{op: unrouted, body: &body{}}, err)
				if !expected {
					t.Fatal(err)
				}
				got = r.err.Code
			}
			if got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// noCnames is of a server that buckets have no domains on.
func noCnames(string) (string, error) { return "", nil }
