package server

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

// TestCompleteChecksInOrder sends a Complete with everything wrong, and takes
// one fault away at a time: each is told before those that remain, in the order
// of the documentation page "CompleteMultipartUpload".
func TestCompleteChecksInOrder(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "key", "there already")
	id := f.initiate("bucket", "key")
	const etag = "D41D8CD98F00B204E9800998ECF8427E" // of no bytes
	for n := 1; n <= 2; n++ {
		f.want(call{method: "PUT", bucket: "bucket", key: "key", query: fmt.Sprintf("uploadId=%s&partNumber=%d", id, n)}, 200, "")
	}
	list := func(parts ...string) string {
		return "<CompleteMultipartUpload>" + strings.Join(parts, "") + "</CompleteMultipartUpload>"
	}
	part := func(number, etag string) string {
		return "<Part><PartNumber>" + number + "</PartNumber><ETag>" + etag + "</ETag></Part>"
	}
	disorder := list(part("2", "X"), part("1", "X"))
	ofBadACL := map[string]string{"x-oss-object-acl": "nobody"}
	forbidden := map[string]string{"x-oss-object-acl": "nobody", "x-oss-forbid-overwrite": "true"}
	badForbid := map[string]string{"x-oss-object-acl": "nobody", "x-oss-forbid-overwrite": "perhaps"}
	withAll := func(value string) map[string]string {
		h := maps.Clone(badForbid)
		h["x-oss-complete-all"] = value
		return h
	}
	for _, step := range []struct {
		bucket, upload, query string
		header                map[string]string
		body                  string
		status                int
		answer                string // in the document
	}{
		{"missing", "none", "&encoding-type=x", withAll("no"), disorder, 404, "NoSuchBucket"},
		{"bucket", "none", "&encoding-type=x", withAll("no"), disorder, 404, "NoSuchUpload"},
		{"bucket", id, "", withAll("no"), disorder, 400, "x-oss-complete-all must be yes"},
		{"bucket", id, "", withAll("yes"), disorder, 400, "Should not speficy both complete all header and http body."},
		{"bucket", id, "", badForbid, list("<Part/>", disorder), 400, "MalformedXML"},
		{"bucket", id, "", badForbid, list(part("10001", "X"), part("1", "X")), 400, "0017-00000220"},
		{"bucket", id, "", badForbid, disorder, 400, "InvalidPartOrder"},
		{"bucket", id, "", badForbid, list(part("1", etag), part("2", "X")), 400, "InvalidPart<"},
		{"bucket", id, "", forbidden, list(part("1", etag), part("2", etag)), 400, "EntityTooSmall"},
		{"bucket", id, "", forbidden, list(part("1", etag)), 409, "FileAlreadyExists"},
		{"bucket", id, "", badForbid, list(part("1", etag)), 400, "x-oss-forbid-overwrite must be true or false."},
		{"bucket", id, "", ofBadACL, list(part("1", etag)), 400, "no such object access control exists"},
		{"bucket", id, "", nil, list(part("1", etag)), 200, "CompleteMultipartUploadResult"},
	} {
		r := f.do(call{
			method: "POST", bucket: step.bucket, key: "key", query: "uploadId=" + step.upload + step.query,
			header: step.header, body: step.body,
		})
		if r.status != step.status || !strings.Contains(r.body, step.answer) {
			t.Errorf("%s %s: got %d, want %d with %q\n%s", step.upload, step.body, r.status, step.status, step.answer, r.body)
		}
	}
}
