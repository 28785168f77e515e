package oss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// answer is what a server says that says what a test wants.
func answer(status int, header http.Header, body string) fault {
	return func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			io.Copy(io.Discard, req.Body)
			req.Body.Close()
		}
		if header == nil {
			header = http.Header{}
		}
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header.Clone(), Request: req,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

// hostile is a client of a server that answers as do says, and remembers nothing.
func hostile(t *testing.T, do func(req *http.Request, op string) fault) *Client {
	t.Helper()
	net := &faults{count: map[string]int{}, hook: do}
	c, err := NewClient("http://127.0.0.1:1", WithCredentials(StaticCredentials(testKeyID, testSecret, "")), WithRegion("cn-hangzhou"),
		WithClock(newTestClock()), WithHTTPClient(&http.Client{Transport: net}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// count counts what comes before the error, which must be there.
func count[T any](t *testing.T, seq iter.Seq2[T, error], want error) (n int) {
	t.Helper()
	for _, err := range seq {
		if err != nil {
			if !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
			return n
		}
		n++
	}
	t.Errorf("the listing ended, want %v", want)
	return n
}

// Listings that go in circles, stand still or are in another order than they
// should be end with an error, and soon.
func TestListingsThatLead(t *testing.T) {
	page := 0
	c := hostile(t, func(req *http.Request, op string) fault {
		page++
		q := req.URL.Query()
		switch {
		case q.Get("prefix") == "circle":
			return answer(200, nil, fmt.Sprintf("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>"+
				"<Contents><Key>circle%d</Key></Contents></ListBucketResult>", page, page%3))
		case q.Get("prefix") == "same":
			return answer(200, nil, fmt.Sprintf("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>"+
				"<Contents><Key>same</Key></Contents></ListBucketResult>", page))
		case q.Get("prefix") == "nothing":
			return answer(200, nil, fmt.Sprintf("<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>%d</NextContinuationToken>"+
				"</ListBucketResult>", page))
		case op == "ListUploads":
			return answer(200, nil, fmt.Sprintf("<ListMultipartUploadsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k%d</NextKeyMarker>"+
				"<NextUploadIdMarker>i</NextUploadIdMarker></ListMultipartUploadsResult>", page%2))
		case q.Has("versions"):
			return answer(200, nil, fmt.Sprintf("<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>k%d</NextKeyMarker>"+
				"<NextVersionIdMarker>i</NextVersionIdMarker></ListVersionsResult>", page%2))
		case op == "ListParts":
			return answer(200, nil, fmt.Sprintf("<ListPartsResult><IsTruncated>true</IsTruncated><NextPartNumberMarker>%d</NextPartNumberMarker>"+
				"<Part><PartNumber>%d</PartNumber><Size>1</Size></Part></ListPartsResult>", page, page*len(q.Get("uploadId"))))
		}
		return answer(404, nil, "")
	})
	ctx := context.Background()
	for _, l := range []struct {
		name string
		seq  func() int
		most int
	}{
		{"keys in circles", func() int { return count(t, c.Objects(ctx, testBucket, "circle"), errDisordered) }, 3},
		{"one key", func() int { return count(t, c.Objects(ctx, testBucket, "same"), errDisordered) }, 1},
		{"no keys", func() int { return count(t, c.Objects(ctx, testBucket, "nothing"), errStuck) }, 0},
		{"uploads", func() int { return count(t, c.Uploads(ctx, testBucket, ""), errStuck) }, 0},
		{"versions", func() int { return count(t, c.Versions(ctx, testBucket, ""), errStuck) }, 0},
		{"parts without end", func() int { return count(t, c.Parts(ctx, testBucket, "k", "i"), errDisordered) }, MaxParts},
	} {
		page = 0
		if n := l.seq(); n > l.most {
			t.Errorf("%s: %d entries", l.name, n)
		}
		if page > MaxParts+1 {
			t.Errorf("%s: %d requests", l.name, page)
		}
	}
}

// What a server quotes of the request is no way out for secrets.
func TestErrorsHideSecrets(t *testing.T) {
	const token = "CAES-token-0123456789"
	net := &faults{count: map[string]int{}, hook: func(*http.Request, string) fault {
		return answer(403, nil, "<Error><Code>InvalidSecurityToken</Code><Message>The token "+token+" is not ours, nor "+testSecret+".</Message></Error>")
	}}
	c := mustClient(t, WithCredentials(StaticCredentials(testKeyID, testSecret, token)), WithHTTPClient(&http.Client{Transport: net}))
	_, err := c.ListParts(context.Background(), &ListPartsRequest{Bucket: testBucket, Key: "k", UploadID: "i"})
	if err == nil || strings.Contains(err.Error(), token) || strings.Contains(err.Error(), testSecret) || !strings.Contains(err.Error(), "InvalidSecurityToken") {
		t.Errorf("%v", err)
	}
}

// What does not begin with the prefix that was asked for is never handed out: rm
// would delete it.
func TestListingsOfElsewhere(t *testing.T) {
	c := hostile(t, func(req *http.Request, op string) fault {
		switch q := req.URL.Query(); {
		case op == "ListUploads":
			return answer(200, nil, "<ListMultipartUploadsResult><Upload><Key>a</Key><UploadId>i</UploadId></Upload></ListMultipartUploadsResult>")
		case q.Has("versions"):
			return answer(200, nil, "<ListVersionsResult><Version><Key>a</Key><VersionId>v</VersionId></Version></ListVersionsResult>")
		case q.Get("delimiter") != "":
			return answer(200, nil, "<ListBucketResult><CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListBucketResult>")
		case q.Has("list-type"):
			return answer(200, nil, "<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>")
		}
		return answer(200, nil, "<ListAllMyBucketsResult><Buckets><Bucket><Name>another</Name></Bucket></Buckets></ListAllMyBucketsResult>")
	})
	ctx := context.Background()
	for name, n := range map[string]int{
		"objects":  count(t, c.Objects(ctx, testBucket, "dir/"), errElsewhere),
		"entries":  count(t, c.Entries(ctx, testBucket, "dir/", "/"), errElsewhere),
		"versions": count(t, c.Versions(ctx, testBucket, "dir/"), errElsewhere),
		"uploads":  count(t, c.Uploads(ctx, testBucket, "dir/"), errElsewhere),
		"exactly":  count(t, c.ObjectUploads(ctx, testBucket, "dir/a"), errElsewhere),
		"buckets":  count(t, c.Buckets(ctx, "bucket"), errElsewhere),
	} {
		if n > 0 {
			t.Errorf("%s: %d entries", name, n)
		}
	}
}

// Parts whose numbers are none never are parts of a file.
func TestListedPartNumbers(t *testing.T) {
	for _, numbers := range [][]int{{0}, {-1}, {1, 1}, {2, 1}, {MaxParts + 1}, {-2147483648}} {
		var parts strings.Builder
		for _, n := range numbers {
			fmt.Fprintf(&parts, "<Part><PartNumber>%d</PartNumber><Size>%d</Size><ETag>x</ETag></Part>", n, MinPartSize)
		}
		c := hostile(t, func(_ *http.Request, op string) fault {
			switch op {
			case "ListUploads":
				return answer(200, nil, "<ListMultipartUploadsResult><Upload><Key>k</Key><UploadId>id</UploadId></Upload></ListMultipartUploadsResult>")
			case "ListParts":
				return answer(200, nil, "<ListPartsResult>"+parts.String()+"</ListPartsResult>")
			}
			return answer(404, nil, "")
		})
		_, err := c.Upload(context.Background(), &UploadRequest{
			Bucket: testBucket, Key: "k", Body: strings.NewReader(strings.Repeat("x", 3*MinPartSize)), Size: 3 * MinPartSize, PartSize: MinPartSize,
		})
		if !errors.Is(err, errDisordered) {
			t.Errorf("%v: %v", numbers, err)
		}
	}
}

// An answer to GetObject is what was asked for, or an error: whole objects that
// are ranges, ranges that are others, and whole objects instead of ranges.
func TestGetObjectRange(t *testing.T) {
	const size = 10
	data := "0123456789"
	for _, c := range []struct {
		asked  *Range
		status int
		says   string // Content-Range
		body   string
		ok     bool
	}{
		{nil, 200, "", data, true},
		{nil, 206, "bytes 0-4/10", data[:5], false},
		{nil, 200, "bytes 0-4/10", data[:5], false},
		{nil, 206, "bytes 0-9/10", data, false},
		{nil, 206, "", data[:5], false},
		{&Range{2, 3}, 206, "bytes 2-4/10", data[2:5], true},
		{&Range{2, 3}, 206, "bytes 1-3/10", data[1:4], false},
		{&Range{2, 3}, 206, "bytes 2-3/10", data[2:4], false},
		{&Range{2, 3}, 206, "bytes 2-4/10", data[2:4], false},
		{&Range{2, 3}, 206, "bytes 2-4/*", data[2:5], false},
		{&Range{2, 3}, 206, "bytes 2-4/4", data[2:5], false},
		{&Range{2, 3}, 206, "bytes 2-/10", data[2:5], false},
		{&Range{2, 3}, 206, "items 2-4/10", data[2:5], false},
		{&Range{2, 3}, 206, "", data[2:5], false},
		{&Range{2, 3}, 200, "", data, false},
		{&Range{8, 100}, 206, "bytes 8-9/10", data[8:], true},
		{&Range{8, -1}, 206, "bytes 8-9/10", data[8:], true},
		{&Range{8, -1}, 206, "bytes 8-8/10", data[8:9], false},
		{&Range{-3, -1}, 206, "bytes 7-9/10", data[7:], true},
		{&Range{-3, -1}, 206, "bytes 6-8/10", data[6:9], false},
		{&Range{-30, -1}, 206, "bytes 0-9/10", data, true},
		{&Range{-30, -1}, 200, "", data, true},
		{&Range{-3, -1}, 200, "", data, false},
		{&Range{0, -1}, 200, "", data, true},
		{&Range{0, 10}, 200, "", data, true},
		{&Range{0, 100}, 200, "", data, true},
		{&Range{0, 9}, 200, "", data, false},
		{&Range{2, math.MaxInt64}, 206, "bytes 2-9/10", data[2:], true},
		{&Range{1, math.MaxInt64}, 206, "bytes 1-9/10", data[1:], true},
	} {
		header := http.Header{"Etag": {`"e"`}}
		if c.says != "" {
			header.Set("Content-Range", c.says)
		}
		client := hostile(t, func(*http.Request, string) fault { return answer(c.status, header, c.body) })
		res, err := client.GetObject(context.Background(), &GetObjectRequest{Bucket: testBucket, Key: "k", Range: c.asked})
		if (err == nil) != c.ok || err != nil && !errors.Is(err, errNoRange) {
			t.Errorf("asked for %v, answer %d %q: %v", c.asked, c.status, c.says, err)
		}
		if err != nil {
			continue
		}
		if got, err := io.ReadAll(res.Body); string(got) != c.body || err != nil || res.Size != size {
			t.Errorf("%v: %q of %d, %v", c.asked, got, res.Size, err)
		}
		res.Body.Close()
	}
}

// Sizes that no object has are refused before there is a file.
func TestDownloadAbsurdSize(t *testing.T) {
	for _, size := range []int64{MaxParts*MaxPartSize + 1, 1<<63 - 1} {
		c := hostile(t, func(*http.Request, string) fault {
			return func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: req, Body: http.NoBody, ContentLength: size,
					Header: http.Header{"Etag": {`"e"`}},
				}, nil
			}
		})
		name := filepath.Join(t.TempDir(), "file")
		if _, err := c.DownloadFile(context.Background(), name, &DownloadRequest{Bucket: testBucket, Key: "k"}); err == nil {
			t.Errorf("%d bytes were downloaded", size)
		}
		if _, err := os.Stat(PartialName(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%d bytes: there is a file: %v", size, err)
		}
	}
}

// A page that a network answers everything with is neither an object nor success.
func TestAnswersOfOthers(t *testing.T) {
	c := hostile(t, func(*http.Request, string) fault {
		return answer(200, http.Header{"Content-Type": {"text/html"}}, "<html>Please log in</html>")
	})
	ctx := context.Background()
	for name, do := range map[string]func() error{
		"GetObject": func() error { _, err := c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"}); return err },
		"OpenObject": func() error {
			_, err := c.OpenObject(ctx, &OpenObjectRequest{Bucket: testBucket, Key: "k"})
			return err
		},
		"DeleteObject": func() error {
			_, err := c.DeleteObject(ctx, &DeleteObjectRequest{Bucket: testBucket, Key: "k"})
			return err
		},
		"AbortMultipartUpload": func() error {
			_, err := c.AbortMultipartUpload(ctx, &AbortMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: "u"})
			return err
		},
		"PutBucket": func() error { _, err := c.PutBucket(ctx, &PutBucketRequest{Bucket: testBucket}); return err },
	} {
		if err := do(); !errors.Is(err, errNoOSS) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A checksum that was damaged on the way is none that need not be compared, and
// one that only the ranges tell is compared as well.
func TestDownloadChecksumDamaged(t *testing.T) {
	f := newFixture(t)
	data := pattern(3*testPart, 1)
	f.put("k", data)
	change := func(method string, headers func(http.Header), body bool) func(*http.Request, string) fault {
		return func(req *http.Request, _ string) fault {
			return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
				resp, err := next.RoundTrip(req)
				if err == nil && (method == "" || req.Method == method) {
					headers(resp.Header)
				}
				if err == nil && body && req.Method == http.MethodGet {
					resp.Body = &damagedBody{ReadCloser: resp.Body}
				}
				return resp, err
			}
		}
	}
	drop := func(h http.Header) { h.Del("X-Oss-Hash-Crc64ecma") }
	spoil := func(h http.Header) { h.Set("X-Oss-Hash-Crc64ecma", "12q") }
	for _, c := range []struct {
		name string
		net  func(*http.Request, string) fault
		want error
	}{
		{"no checksum", change("", drop, false), nil},
		{"none in HEAD", change(http.MethodHead, drop, false), nil},
		{"none in HEAD, other bytes", change(http.MethodHead, drop, true), ErrChecksum},
		{"a bad one", change("", spoil, false), ErrChecksum},
	} {
		f.net.set(c.net)
		name := filepath.Join(t.TempDir(), "file")
		res, err := f.DownloadFile(context.Background(), name, &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart})
		if !errors.Is(err, c.want) || err == nil && res.Verified != (c.name != "no checksum") {
			t.Errorf("%s: %+v, %v", c.name, res, err)
		}
	}
	f.net.set(change("", spoil, false))
	res, err := f.OpenObject(context.Background(), &OpenObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, ErrChecksum) {
		t.Errorf("read: %v", err)
	}
}
