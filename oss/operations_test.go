package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

func testLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// everyClient runs a test with each signature and addressing.
func everyClient(t *testing.T, test func(t *testing.T, f *fixture, c *Client)) {
	f := newFixture(t)
	for name, options := range map[string][]Option{
		"V4":      nil,
		"V4 host": {WithAdditionalHeaders("Host")},
		"V1":      {WithSignature(SignatureV1), WithRegion("")},
	} {
		t.Run(name, func(t *testing.T) { test(t, f, f.client(options...)) })
	}
}

// Every operation on objects does over the wire what its name says.
func TestObjects(t *testing.T) {
	everyClient(t, func(t *testing.T, f *fixture, c *Client) {
		ctx := context.Background()
		key := "dir/a b+c%25~é"
		data := pattern(150<<10, 7)
		attributes := Attributes{
			ContentType: "text/x-test", CacheControl: "no-cache", ContentDisposition: "inline", ContentEncoding: "identity",
			Expires: "Tue, 14 Nov 2023 22:13:20 GMT", Metadata: map[string]string{"author": "somebody"}, StorageClass: StorageIA,
		}
		put, err := c.PutObject(ctx, &PutObjectRequest{
			Bucket: testBucket, Key: key, Body: bytes.NewReader(data), Attributes: attributes, ACL: ACLPublicRead,
			Tags: []Tag{{"k1", "v 1"}, {"k2", ""}},
		})
		if err != nil {
			t.Fatal(err)
		}
		head, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		crc := newCRC()
		crc.Write(data)
		if head.Size != int64(len(data)) || head.ETag != put.ETag || head.CRC64 != (CRC64{crc.sum, true}) || head.Type != "Normal" ||
			head.TagCount != 2 || !head.LastModified.Equal(epoch) || head.ContentMD5 != put.ContentMD5 || head.RequestID == "" {
			t.Errorf("head: %+v", head)
		}
		if !maps.Equal(head.Metadata, attributes.Metadata) {
			t.Errorf("metadata %v", head.Metadata)
		}
		got := head.Attributes
		got.Metadata, attributes.Metadata = nil, nil
		if fmt.Sprint(got) != fmt.Sprint(attributes) {
			t.Errorf("attributes %+v, want %+v", got, attributes)
		}
		meta, err := c.GetObjectMeta(ctx, &GetObjectMetaRequest{Bucket: testBucket, Key: key})
		if err != nil || meta.ETag != put.ETag || meta.Size != head.Size {
			t.Errorf("meta: %+v, %v", meta, err)
		}
		for _, r := range []struct {
			rng  *Range
			want []byte
		}{
			{nil, data}, {&Range{0, 1}, data[:1]}, {&Range{1000, -1}, data[1000:]}, {&Range{-10, -1}, data[len(data)-10:]},
			{&Range{100, 1 << 40}, data[100:]},
		} {
			res, err := c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: key, Range: r.rng, ResponseContentType: "a/b"})
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || !bytes.Equal(got, r.want) || res.ContentLength != int64(len(r.want)) || res.Size != head.Size ||
				res.ContentType != "a/b" {
				t.Errorf("get %v: %d bytes, %v, %+v", r.rng, len(got), err, res.ObjectInfo)
			}
		}
		_, err = c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: key, Conditions: Conditions{IfMatch: "00"}})
		if !errors.Is(err, ErrPreconditionFailed) {
			t.Errorf("if-match: %v", err)
		}
		_, err = c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: key, Conditions: Conditions{IfNoneMatch: put.ETag}})
		if !errors.Is(err, ErrNotModified) {
			t.Errorf("if-none-match: %v", err)
		}
		_, err = c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: key, Conditions: Conditions{IfUnmodifiedSince: epoch.Add(-time.Hour)}})
		if !errors.Is(err, ErrPreconditionFailed) {
			t.Errorf("if-unmodified-since: %v", err)
		}

		acl, err := c.GetObjectACL(ctx, &GetObjectACLRequest{Bucket: testBucket, Key: key})
		if err != nil || acl.ACL != ACLPublicRead || acl.Owner.ID != "1000000000000001" {
			t.Errorf("acl: %+v, %v", acl, err)
		}
		if _, err := c.PutObjectACL(ctx, &PutObjectACLRequest{Bucket: testBucket, Key: key, ACL: ACLPrivate}); err != nil {
			t.Error(err)
		}
		tags, err := c.GetObjectTagging(ctx, &GetObjectTaggingRequest{Bucket: testBucket, Key: key})
		if err != nil || !slices.Equal(tags.Tags, []Tag{{"k1", "v 1"}, {"k2", ""}}) {
			t.Errorf("tags: %+v, %v", tags, err)
		}
		if _, err := c.PutObjectTagging(ctx, &PutObjectTaggingRequest{Bucket: testBucket, Key: key, Tags: []Tag{{"x", "y"}}}); err != nil {
			t.Error(err)
		}
		if _, err := c.DeleteObjectTagging(ctx, &DeleteObjectTaggingRequest{Bucket: testBucket, Key: key}); err != nil {
			t.Error(err)
		}

		cp, err := c.CopyObject(ctx, &CopyObjectRequest{
			Bucket: testBucket, Key: "copy", Source: CopySource{Bucket: testBucket, Key: key}, ReplaceMetadata: true,
			Attributes: Attributes{ContentType: "x/y"}, Conditions: Conditions{IfMatch: put.ETag},
		})
		if err != nil || cp.CRC64.Sum != crc.sum || !cp.LastModified.Equal(epoch) {
			t.Errorf("copy: %+v, %v", cp, err)
		}
		if h, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "copy"}); err != nil || h.ContentType != "x/y" || h.Metadata != nil {
			t.Errorf("copy: %+v, %v", h, err)
		}
		_, err = c.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "copy", ForbidOverwrite: true})
		if !errors.Is(err, ErrFileAlreadyExists) {
			t.Errorf("forbid overwrite: %v", err)
		}
		del, err := c.DeleteMultipleObjects(ctx, &DeleteMultipleObjectsRequest{Bucket: testBucket, Objects: []ObjectID{{Key: "copy"}, {Key: "a\x01b"}}})
		if err != nil || len(del.Deleted) != 2 || del.Deleted[1].Key != "a\x01b" {
			t.Errorf("delete: %+v, %v", del, err)
		}
		del, err = c.DeleteMultipleObjects(ctx, &DeleteMultipleObjectsRequest{Bucket: testBucket, Objects: []ObjectID{{Key: "copy"}}, Quiet: true})
		if err != nil || len(del.Deleted) != 0 {
			t.Errorf("delete, quiet: %+v, %v", del, err)
		}
		if _, err := c.DeleteObject(ctx, &DeleteObjectRequest{Bucket: testBucket, Key: key}); err != nil {
			t.Error(err)
		}
		_, err = c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: key})
		var e *Error
		if !errors.Is(err, ErrNoSuchKey) || !errors.Is(err, ErrNotFound) || !errors.As(err, &e) ||
			e.Op != "GetObject" || e.Key != key || e.EC == "" || e.RequestID == "" || e.HostID == "" || e.Element("Key") != key {
			t.Errorf("get of nothing: %+v", err)
		}
		_, err = c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: key})
		if !errors.Is(err, ErrNoSuchKey) {
			t.Errorf("head of nothing: %v", err)
		}
	})
}

// Every operation on buckets does over the wire what its name says.
func TestBuckets(t *testing.T) {
	everyClient(t, func(t *testing.T, f *fixture, c *Client) {
		ctx := context.Background()
		for i := range 3 {
			_, err := c.PutBucket(ctx, &PutBucketRequest{Bucket: fmt.Sprintf("more-%d", i), ACL: ACLPublicRead, StorageClass: StorageIA})
			if err != nil {
				t.Fatal(err)
			}
		}
		page, err := c.ListBuckets(ctx, &ListBucketsRequest{Prefix: "more-", MaxKeys: 2})
		if err != nil || len(page.Buckets) != 2 || !page.IsTruncated || page.NextMarker != "more-1" || page.Owner.ID == "" {
			t.Errorf("page: %+v, %v", page, err)
		}
		var names []string
		for b, err := range c.Buckets(ctx, "") {
			if err != nil {
				t.Fatal(err)
			}
			names = append(names, b.Name)
			if b.Region != "cn-hangzhou" || !b.CreationDate.Equal(epoch) {
				t.Errorf("bucket %+v", b)
			}
		}
		if !slices.Equal(names, []string{testBucket, "more-0", "more-1", "more-2"}) {
			t.Errorf("buckets %v", names)
		}
		info, err := c.GetBucketInfo(ctx, &GetBucketInfoRequest{Bucket: "more-0"})
		if err != nil || info.ACL != ACLPublicRead || info.StorageClass != StorageIA || info.Region != "cn-hangzhou" || info.Name != "more-0" ||
			info.Encryption != (Encryption{}) {
			t.Errorf("info %+v, %v", info, err)
		}
		location, err := c.GetBucketLocation(ctx, &GetBucketLocationRequest{Bucket: "more-0"})
		if err != nil || location.Region != "cn-hangzhou" || location.Location != "oss-cn-hangzhou" {
			t.Errorf("location %+v, %v", location, err)
		}
		if _, err := c.PutBucketACL(ctx, &PutBucketACLRequest{Bucket: "more-0", ACL: ACLPrivate}); err != nil {
			t.Error(err)
		}
		acl, err := c.GetBucketACL(ctx, &GetBucketACLRequest{Bucket: "more-0"})
		if err != nil || acl.ACL != ACLPrivate {
			t.Errorf("acl %+v, %v", acl, err)
		}
		stat, err := c.GetBucketStat(ctx, &GetBucketStatRequest{Bucket: "more-0"})
		if err != nil || stat.ObjectCount != 0 {
			t.Errorf("stat %+v, %v", stat, err)
		}
		if _, err := c.HeadBucket(ctx, &HeadBucketRequest{Bucket: "more-0"}); err != nil {
			t.Error(err)
		}
		for i := range 3 {
			if _, err := c.DeleteBucket(ctx, &DeleteBucketRequest{Bucket: fmt.Sprintf("more-%d", i)}); err != nil {
				t.Error(err)
			}
		}
		_, err = c.HeadBucket(ctx, &HeadBucketRequest{Bucket: "more-0"})
		if !errors.Is(err, ErrNoSuchBucket) {
			t.Errorf("head of nothing: %v", err)
		}
	})
}

// The iterators go through all pages, whatever is in the keys.
func TestListings(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	keys := []string{"a", "a b+%", "dir/1", "dir/2", "dir/sub/3", "dir0", "x\x01y", "z"}
	for _, k := range keys {
		f.put(k, []byte(k))
	}
	collect := func(prefix, delimiter string) (all []string) {
		for e, err := range f.Entries(ctx, testBucket, prefix, delimiter) {
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, e.name())
			if e.Object != nil && e.Object.Size != int64(len(e.Object.Key)) {
				t.Errorf("object %+v", e.Object)
			}
		}
		return all
	}
	if got := collect("", ""); !slices.Equal(got, keys) {
		t.Errorf("all: %q", got)
	}
	if got := collect("", "/"); !slices.Equal(got, []string{"a", "a b+%", "dir/", "dir0", "x\x01y", "z"}) {
		t.Errorf("one level: %q", got)
	}
	if got := collect("dir/", "/"); !slices.Equal(got, []string{"dir/1", "dir/2", "dir/sub/"}) {
		t.Errorf("a directory: %q", got)
	}
	for e, err := range f.Objects(ctx, testBucket, "dir") {
		if err != nil || !strings.HasPrefix(e.Key, "dir") {
			t.Fatal(e, err)
		}
		break // ends without a word
	}
	var versions []string
	for v, err := range f.Versions(ctx, testBucket, "dir/") {
		if err != nil || !v.IsLatest || v.VersionID != "null" || v.DeleteMarker || v.Size == 0 {
			t.Fatalf("%+v, %v", v, err)
		}
		versions = append(versions, v.Key)
	}
	if !slices.Equal(versions, []string{"dir/1", "dir/2", "dir/sub/3"}) {
		t.Errorf("versions: %q", versions)
	}
	page, err := f.ListObjects(ctx, &ListObjectsRequest{Bucket: testBucket, Marker: "dir/2", MaxKeys: 2})
	if err != nil || len(page.Objects) != 2 || page.Objects[0].Key != "dir/sub/3" || page.Objects[0].Owner.ID == "" || page.NextMarker != "dir0" {
		t.Errorf("page %+v, %v", page, err)
	}
	// Pages of two, with common prefixes at their ends.
	q := &ListObjectsV2Request{Bucket: testBucket, Delimiter: "/", MaxKeys: 2}
	var all []string
	for {
		page, err := f.ListObjectsV2(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		eachEntry(page, func(e Entry, _ error) bool { all = append(all, e.name()); return true })
		if !page.IsTruncated {
			break
		}
		q.ContinuationToken = page.NextContinuationToken
	}
	if !slices.Equal(all, []string{"a", "a b+%", "dir/", "dir0", "x\x01y", "z"}) {
		t.Errorf("pages of two: %q", all)
	}
	for _, err := range f.Objects(ctx, "no-such-bucket", "") {
		if !errors.Is(err, ErrNoSuchBucket) {
			t.Errorf("no bucket: %v", err)
		}
	}
}

// The seven multipart operations, and the iterators over uploads and parts.
func TestMultipart(t *testing.T) {
	everyClient(t, func(t *testing.T, f *fixture, c *Client) {
		ctx := context.Background()
		f.put("source", pattern(300<<10, 9))
		var ids []string
		for _, key := range []string{"big", "big", "big2"} {
			up, err := c.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{
				Bucket: testBucket, Key: key, Attributes: Attributes{ContentType: "x/y"}, Tags: []Tag{{"a", "b"}},
			})
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, up.UploadID)
		}
		var parts []CompletePart
		var whole []byte
		for i := range 3 {
			data := pattern(100<<10, uint64(i))
			whole = append(whole, data...)
			p, err := c.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "big", UploadID: ids[0], PartNumber: i + 1, Body: bytes.NewReader(data)})
			if err != nil {
				t.Fatal(err)
			}
			parts = append(parts, CompletePart{i + 1, p.ETag})
		}
		cp, err := c.UploadPartCopy(ctx, &UploadPartCopyRequest{
			Bucket: testBucket, Key: "big", UploadID: ids[0], PartNumber: 4,
			Source: CopySource{Bucket: testBucket, Key: "source"}, Range: &Range{5, 1000},
		})
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, CompletePart{4, cp.ETag})
		whole = append(whole, pattern(300<<10, 9)[5:1005]...)
		_, err = c.UploadPartCopy(ctx, &UploadPartCopyRequest{
			Bucket: testBucket, Key: "big", UploadID: ids[0], PartNumber: 5,
			Source: CopySource{Bucket: testBucket, Key: "source"}, Range: &Range{5, 300 << 10},
		})
		if err == nil || !strings.Contains(err.Error(), "does not lie within") {
			t.Errorf("a range outside: %v", err)
		}

		var listed []Part
		for p, err := range c.Parts(ctx, testBucket, "big", ids[0]) {
			if err != nil {
				t.Fatal(err)
			}
			listed = append(listed, p)
		}
		if len(listed) != 5 || listed[3].ETag != cp.ETag || listed[3].Size != 1000 || listed[3].CRC64 != cp.CRC64 {
			t.Errorf("parts %+v", listed)
		}
		page, err := c.ListParts(ctx, &ListPartsRequest{Bucket: testBucket, Key: "big", UploadID: ids[0], MaxParts: 2, PartNumberMarker: 1})
		if err != nil || len(page.Parts) != 2 || page.Parts[0].PartNumber != 2 || page.NextPartNumberMarker != 3 || !page.IsTruncated {
			t.Errorf("page %+v, %v", page, err)
		}
		uploads := func(seq func(func(Upload, error) bool)) (n int) {
			for u, err := range seq {
				if err != nil || !slices.Contains(ids, u.UploadID) {
					t.Errorf("%+v, %v", u, err)
				}
				n++
			}
			return n
		}
		if n := uploads(c.ObjectUploads(ctx, testBucket, "big")); n != 2 {
			t.Errorf("%d uploads of the object", n)
		}
		if n := uploads(c.Uploads(ctx, testBucket, "")); n != 3 {
			t.Errorf("%d uploads of the bucket", n)
		}
		done, err := c.CompleteMultipartUpload(ctx, &CompleteMultipartUploadRequest{
			Bucket: testBucket, Key: "big", UploadID: ids[0], Parts: parts, ACL: ACLPrivate,
		})
		if err != nil || done.ETag != multipartETag(parts) || done.Location == "" {
			t.Errorf("complete: %+v, %v", done, err)
		}
		if !bytes.Equal(f.read("big"), whole) {
			t.Error("the object has other bytes")
		}
		if _, err := c.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "big", UploadID: ids[1], PartNumber: 7, Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
		if _, err := c.CompleteMultipartUpload(ctx, &CompleteMultipartUploadRequest{Bucket: testBucket, Key: "big", UploadID: ids[1], All: true}); err != nil {
			t.Errorf("complete all: %v", err)
		}
		if _, err := c.AbortMultipartUpload(ctx, &AbortMultipartUploadRequest{Bucket: testBucket, Key: "big2", UploadID: ids[2]}); err != nil {
			t.Error(err)
		}
	})
}

// What would be another request than the one meant is not sent.
func TestRefusedBeforeSending(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	for name, call := range map[string]func() error{
		"delete without a key": func() error {
			_, err := f.DeleteObject(ctx, &DeleteObjectRequest{Bucket: testBucket})
			return err
		},
		"key with a slash in front": func() error {
			_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "/a"})
			return err
		},
		"put without a bucket": func() error { _, err := f.PutObject(ctx, &PutObjectRequest{Key: "k"}); return err },
		"bucket with a slash": func() error {
			_, err := f.DeleteBucket(ctx, &DeleteBucketRequest{Bucket: "a/b"})
			return err
		},
		"part without an upload": func() error {
			_, err := f.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", PartNumber: 1, Body: strings.NewReader("x")})
			return err
		},
		"part 0": func() error {
			_, err := f.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: "u", Body: strings.NewReader("x")})
			return err
		},
		"abort without an upload": func() error {
			_, err := f.AbortMultipartUpload(ctx, &AbortMultipartUploadRequest{Bucket: testBucket, Key: "k"})
			return err
		},
		"complete all with a list": func() error {
			_, err := f.CompleteMultipartUpload(ctx, &CompleteMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: "u", All: true, Parts: []CompletePart{{1, "x"}}})
			return err
		},
		"metadata with a line break": func() error {
			_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Attributes: Attributes{Metadata: map[string]string{"a": "b\nc"}}})
			return err
		},
		"metadata with a blank in its name": func() error {
			_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Attributes: Attributes{Metadata: map[string]string{"a b": "c"}}})
			return err
		},
		"empty delete": func() error {
			_, err := f.DeleteMultipleObjects(ctx, &DeleteMultipleObjectsRequest{Bucket: testBucket})
			return err
		},
		"empty range": func() error {
			_, err := f.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k", Range: &Range{}})
			return err
		},
		"more than an object of one request can have": func() error {
			_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: io.NewSectionReader(zeros{}, 0, MaxPutSize+1)})
			return err
		},
		"more than a part can have": func() error {
			_, err := f.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: "u", PartNumber: 1, Body: io.NewSectionReader(zeros{}, 0, MaxPartSize+1)})
			return err
		},
		"a body that is shorter than its length": func() error {
			_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: io.MultiReader(strings.NewReader("abc")), Length: 4})
			f.net.reset()
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	f.net.mu.Lock()
	defer f.net.mu.Unlock()
	if len(f.net.count) != 0 {
		t.Errorf("requests were sent: %v", f.net.count)
	}
}

// A stranger with nothing but a URL does what it was made for, and no more.
func TestPresign(t *testing.T) {
	everyClient(t, func(t *testing.T, f *fixture, c *Client) {
		ctx := context.Background()
		use := func(q Request, body string) *http.Response {
			t.Helper()
			u, err := c.Presign(ctx, q, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			if !u.Expires.Equal(epoch.Add(time.Hour)) {
				t.Errorf("expires %v", u.Expires)
			}
			req, err := http.NewRequest(u.Method, u.URL, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			req.Header = u.Header
			resp, err := f.net.next.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { resp.Body.Close() })
			if resp.StatusCode >= 300 {
				text, _ := io.ReadAll(resp.Body)
				t.Fatalf("%s %s: %s", u.Method, u.URL, text)
			}
			return resp
		}
		key := "dir/a b+é"
		use(&PutObjectRequest{Bucket: testBucket, Key: key, Attributes: Attributes{ContentType: "x/y", Metadata: map[string]string{"m": "v"}}}, "hello")
		resp := use(&GetObjectRequest{Bucket: testBucket, Key: key, ResponseContentType: "a/b"}, "")
		if text, err := io.ReadAll(resp.Body); err != nil || string(text) != "hello" || resp.Header.Get("X-Oss-Meta-M") != "v" || resp.Header.Get("Content-Type") != "a/b" {
			t.Errorf("got %q, %v, %v", text, resp.Header, err)
		}
		use(&HeadObjectRequest{Bucket: testBucket, Key: key}, "")

		use(&InitiateMultipartUploadRequest{Bucket: testBucket, Key: key, Attributes: Attributes{ContentType: "x/y"}}, "")
		var id string
		for u, err := range c.ObjectUploads(ctx, testBucket, key) {
			if err != nil {
				t.Fatal(err)
			}
			id = u.UploadID
		}
		part := use(&UploadPartRequest{Bucket: testBucket, Key: key, UploadID: id, PartNumber: 1}, "part")
		use(&UploadPartCopyRequest{Bucket: testBucket, Key: key, UploadID: id, PartNumber: 2, Source: CopySource{Bucket: testBucket, Key: key}}, "")
		use(&ListPartsRequest{Bucket: testBucket, Key: key, UploadID: id}, "")
		use(&ListMultipartUploadsRequest{Bucket: testBucket, Prefix: key}, "")
		use(&CompleteMultipartUploadRequest{Bucket: testBucket, Key: key, UploadID: id},
			"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>"+part.Header.Get("ETag")+"</ETag></Part></CompleteMultipartUpload>")
		if got := f.read(key); string(got) != "part" {
			t.Errorf("the object is %q", got)
		}
		up, err := c.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{Bucket: testBucket, Key: key})
		if err != nil {
			t.Fatal(err)
		}
		use(&UploadPartRequest{Bucket: testBucket, Key: key, UploadID: up.UploadID, PartNumber: 3}, "all")
		use(&CompleteMultipartUploadRequest{Bucket: testBucket, Key: key, UploadID: up.UploadID, All: true}, "")
		if got := f.read(key); string(got) != "all" {
			t.Errorf("the object is %q", got)
		}
		if up, err = c.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{Bucket: testBucket, Key: key}); err != nil {
			t.Fatal(err)
		}
		use(&AbortMultipartUploadRequest{Bucket: testBucket, Key: key, UploadID: up.UploadID}, "")
		use(&DeleteObjectRequest{Bucket: testBucket, Key: key}, "")

		// Another method than the signed one.
		u, err := c.Presign(ctx, &GetObjectRequest{Bucket: testBucket, Key: key}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest(http.MethodDelete, u.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		denied, err := f.net.next.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		denied.Body.Close()
		if denied.StatusCode != http.StatusForbidden {
			t.Errorf("a URL for GET deletes: %s", denied.Status)
		}
		if _, err := c.Presign(ctx, &DeleteObjectRequest{Bucket: testBucket}, time.Hour); err == nil {
			t.Error("a URL for no key")
		}
		if _, err := c.Presign(ctx, &GetObjectRequest{Bucket: testBucket, Key: key}, 0); err == nil {
			t.Error("a URL for no time")
		}
	})
	if _, err := mustClient(t, WithCredentials(AnonymousCredentials())).Presign(context.Background(), &GetObjectRequest{Bucket: testBucket, Key: "k"}, time.Hour); err == nil {
		t.Error("a URL without a key to sign with")
	}
}

func mustClient(t testing.TB, options ...Option) *Client {
	t.Helper()
	c, err := NewClient("http://127.0.0.1:1", append([]Option{WithRegion("r")}, options...)...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Without credentials, what is public is readable, and nothing else.
func TestAnonymous(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	f.put("k", []byte("hello"))
	c := f.client(WithCredentials(AnonymousCredentials()))
	if _, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"}); !errors.Is(err, ErrAccessDenied) {
		t.Errorf("private: %v", err)
	}
	if _, err := f.PutObjectACL(ctx, &PutObjectACLRequest{Bucket: testBucket, Key: "k", ACL: ACLPublicRead}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"}); err != nil {
		t.Errorf("public: %v", err)
	}
}
