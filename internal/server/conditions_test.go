package server

import "testing"

// TestConditionsOfWrites proves that what replaces or deletes an object does not
// ignore a condition: what the client meant to keep stays as it is.
func TestConditionsOfWrites(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "key", "kept")
	id := f.initiate("bucket", "key")
	before := f.want(call{method: "HEAD", bucket: "bucket", key: "key"}, 200, "")
	for _, c := range []call{
		{method: "PUT", bucket: "bucket", key: "key", body: "lost"},
		{method: "POST", bucket: "bucket", key: "key", query: "uploadId=" + id, body: "<CompleteMultipartUpload/>"},
		{method: "DELETE", bucket: "bucket", key: "key"},
	} {
		for _, name := range []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since"} {
			c.header = map[string]string{name: "*"}
			f.want(c, 400, "NotImplemented")
		}
	}
	after := f.want(call{method: "HEAD", bucket: "bucket", key: "key"}, 200, "")
	if before.get("ETag") != after.get("ETag") {
		t.Errorf("ETag was %s and is %s", before.get("ETag"), after.get("ETag"))
	}
	if page := f.want(call{method: "GET", bucket: "bucket", query: "uploads"}, 200, ""); between(page.body, "<NextUploadIdMarker>", "<") != id {
		t.Errorf("the upload has gone, or another has come:\n%s", page.body)
	}
}

// TestConditionsOfUploads proves that conditions on requests that touch no
// object are taken and mean nothing.
func TestConditionsOfUploads(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	header := map[string]string{"If-Modified-Since": "Tue, 14 Nov 2023 22:13:20 GMT", "If-Match": "*"}
	f.want(call{method: "POST", bucket: "bucket", key: "key", query: "uploads", header: header}, 200, "")
	id := f.initiate("bucket", "key")
	f.want(call{method: "PUT", bucket: "bucket", key: "key", query: "partNumber=1&uploadId=" + id, body: "part", header: header}, 200, "")
}

// TestConditionsOfCopies proves that a copy's conditions are those on its
// source, whatever a client sends besides.
func TestConditionsOfCopies(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "source", "hello")
	for etag, status := range map[string]int{`"5D41402ABC4B2A76B9719D911017C592"`: 200, `"00"`: 412} {
		f.want(call{method: "PUT", bucket: "bucket", key: "copy", header: map[string]string{
			"x-oss-copy-source": "/bucket/source", "x-oss-copy-source-if-match": etag, "If-Match": etag,
		}}, status, "PreconditionFailed")
	}
}
