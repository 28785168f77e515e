package oss

import (
	"context"
	"errors"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"
)

// recorded answers every request with one recorded answer.
type recorded struct {
	Name    string
	Status  int
	Headers map[string]string
	Body    string
}

func (r *recorded) RoundTrip(req *http.Request) (*http.Response, error) {
	h := http.Header{}
	for name, value := range r.Headers {
		h.Set(name, value)
	}
	return &http.Response{
		StatusCode: r.Status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Request: req,
		Body: io.NopCloser(strings.NewReader(r.Body)), ContentLength: int64(len(r.Body)),
	}, nil
}

// Answers that official clients take are read as they read them, so that client
// and server cannot share a mistake.
func TestRecordedAnswers(t *testing.T) {
	var file struct{ Vectors []*recorded }
	readTestdata(t, "responses.json", &file)
	answers := map[string]*recorded{}
	for _, r := range file.Vectors {
		answers[r.Name] = r
	}
	ctx := context.Background()
	const etag = "5D41402ABC4B2A76B9719D911017C592"
	const id = "0004B9894A22E5B1888A1E29F8236E2D"
	owner := Owner{"1000000000000001", "1000000000000001"}
	bucket := Bucket{
		Name: "examplebucket", Region: "cn-hangzhou", Location: "oss-cn-hangzhou", CreationDate: epoch, StorageClass: StorageStandard,
		ExtranetEndpoint: "127.0.0.1:9000", IntranetEndpoint: "127.0.0.1:9000",
	}
	object := func(key string, owner Owner) Object {
		return Object{Key: key, Size: 5, ETag: etag, LastModified: epoch, Type: "Normal", StorageClass: StorageStandard, Owner: owner}
	}
	parts := []Part{
		{1, 102400, "152E82E2CC5C6E9D0D7E85237C021B13", CRC64{16651010557542598396, true}, epoch},
		{4, 4, "7AEA2552DFE7EB84B9443B6FC9BA6E01", CRC64{1564134088860173973, true}, epoch},
	}
	// Answered to operations that the client does not have.
	seen := map[string]bool{
		"versioning": true, "versioning-unset": true, "logging": true, "logging-unset": true, "website": true, "request-payment": true,
	}
	for _, c := range []struct {
		name string
		call func(c *Client) (any, error)
		want any
	}{
		{"list-buckets", func(c *Client) (any, error) {
			r, err := c.ListBuckets(ctx, &ListBucketsRequest{})
			r.Answer = Answer{}
			return r, err
		}, &ListBucketsResult{Owner: owner, Buckets: []Bucket{bucket}}},
		{"list-buckets-truncated", func(c *Client) (any, error) {
			r, err := c.ListBuckets(ctx, &ListBucketsRequest{})
			r.Answer = Answer{}
			return r, err
		}, &ListBucketsResult{Owner: owner, Buckets: []Bucket{bucket}, IsTruncated: true, NextMarker: "examplebucket"}},
		{"list-objects-v1-url", func(c *Client) (any, error) {
			r, err := c.ListObjects(ctx, &ListObjectsRequest{Bucket: testBucket})
			r.Answer = Answer{}
			return r, err
		}, &ListObjectsResult{Objects: []Object{object("a b+c.txt", owner), object("中.txt", owner)}, CommonPrefixes: []string{"dir/"}, IsTruncated: true, NextMarker: "dir/"}},
		{"list-objects-v2", func(c *Client) (any, error) {
			r, err := c.ListObjectsV2(ctx, &ListObjectsV2Request{Bucket: testBucket})
			r.Answer = Answer{}
			return r, err
		}, &ListObjectsV2Result{Objects: []Object{object("a", Owner{})}, CommonPrefixes: []string{}, KeyCount: 1, IsTruncated: true, NextContinuationToken: "AAABYQ"}},
		{"list-versions", func(c *Client) (any, error) {
			r, err := c.ListObjectVersions(ctx, &ListObjectVersionsRequest{Bucket: testBucket})
			return r.Versions, err
		}, []Version{
			{Object: Object{Key: "a", LastModified: epoch, Owner: owner}, VersionID: "V2", IsLatest: true, DeleteMarker: true},
			{Object: object("a", owner), VersionID: "V1"},
		}},
		{"initiate", func(c *Client) (any, error) {
			r, err := c.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{Bucket: testBucket, Key: "k"})
			return r.UploadID, err
		}, id},
		{"complete", func(c *Client) (any, error) {
			r, err := c.CompleteMultipartUpload(ctx, &CompleteMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: id})
			r.Answer = Answer{}
			return r, err
		}, &CompleteMultipartUploadResult{ETag: "FB7C0A25894B2039B2D934100CD20775-4", CRC64: CRC64{3799074340270415274, true},
			Location: "http://examplebucket.oss-cn-hangzhou.aliyuncs.com/dir%2Fbig.bin"}},
		{"list-parts", func(c *Client) (any, error) {
			r, err := c.ListParts(ctx, &ListPartsRequest{Bucket: testBucket, Key: "k", UploadID: id})
			return r.Parts, err
		}, parts},
		{"list-parts-empty", func(c *Client) (any, error) {
			r, err := c.ListParts(ctx, &ListPartsRequest{Bucket: testBucket, Key: "k", UploadID: id})
			r.Answer = Answer{}
			return r, err
		}, &ListPartsResult{StorageClass: StorageStandard}},
		{"list-uploads", func(c *Client) (any, error) {
			r, err := c.ListMultipartUploads(ctx, &ListMultipartUploadsRequest{Bucket: testBucket})
			return r.Uploads, err
		}, []Upload{{"dir/a", "0004B9894A22E5B1888A1E29F8236E2C", epoch, StorageStandard}, {"dir/b", id, epoch, StorageStandard}}},
		{"list-uploads-prefixes", func(c *Client) (any, error) {
			r, err := c.ListMultipartUploads(ctx, &ListMultipartUploadsRequest{Bucket: testBucket})
			r.Answer = Answer{}
			return r, err
		}, &ListMultipartUploadsResult{CommonPrefixes: []string{"dir/"}, IsTruncated: true, NextKeyMarker: "dir/"}},
		{"delete-result", func(c *Client) (any, error) {
			r, err := c.DeleteMultipleObjects(ctx, &DeleteMultipleObjectsRequest{Bucket: testBucket, Objects: []ObjectID{{Key: "a b"}}})
			return r.Deleted, err
		}, []DeletedObject{{Key: "a b"}, {Key: "v", VersionID: "V1", DeleteMarker: true, DeleteMarkerVersionID: "V1"}}},
		{"copy-part", func(c *Client) (any, error) {
			r, err := c.UploadPartCopy(ctx, &UploadPartCopyRequest{Bucket: testBucket, Key: "k", UploadID: id, PartNumber: 1,
				Source: CopySource{Bucket: testBucket, Key: "s"}, Range: &Range{0, 102400}})
			r.Answer = Answer{}
			return r, err
		}, &UploadPartCopyResult{ETag: "152E82E2CC5C6E9D0D7E85237C021B13", LastModified: epoch}},
		{"bucket-location", func(c *Client) (any, error) {
			r, err := c.GetBucketLocation(ctx, &GetBucketLocationRequest{Bucket: testBucket})
			return r.Region, err
		}, "cn-hangzhou"},
		{"bucket-info", func(c *Client) (any, error) {
			r, err := c.GetBucketInfo(ctx, &GetBucketInfoRequest{Bucket: testBucket})
			return r.Bucket, err
		}, bucket},
		{"list-objects-v1-plain", func(c *Client) (any, error) {
			r, err := c.ListObjects(ctx, &ListObjectsRequest{Bucket: testBucket})
			return r.Objects, err
		}, []Object{object("a&b", owner)}},
		{"list-parts-truncated", func(c *Client) (any, error) {
			r, err := c.ListParts(ctx, &ListPartsRequest{Bucket: testBucket, Key: "k", UploadID: id})
			r.Answer = Answer{}
			return r, err
		}, &ListPartsResult{Parts: parts[:1], StorageClass: StorageStandard, IsTruncated: true, NextPartNumberMarker: 1}},
		{"list-uploads-empty", func(c *Client) (any, error) {
			r, err := c.ListMultipartUploads(ctx, &ListMultipartUploadsRequest{Bucket: testBucket})
			return len(r.Uploads) + len(r.NextKeyMarker), err
		}, 0},
		{"copy-object", func(c *Client) (any, error) {
			r, err := c.CopyObject(ctx, &CopyObjectRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "s"}})
			r.Answer = Answer{}
			return r, err
		}, &CopyObjectResult{ETag: etag, LastModified: epoch}},
		{"bucket-stat", func(c *Client) (any, error) {
			r, err := c.GetBucketStat(ctx, &GetBucketStatRequest{Bucket: testBucket})
			return r.LastModified.Unix(), err
		}, epoch.Unix()},
		{"acl", func(c *Client) (any, error) {
			r, err := c.GetObjectACL(ctx, &GetObjectACLRequest{Bucket: testBucket, Key: "k"})
			r.Answer = Answer{}
			return r, err
		}, &ACLResult{Owner: owner, ACL: ACLPublicRead}},
		{"tagging", func(c *Client) (any, error) {
			r, err := c.GetObjectTagging(ctx, &GetObjectTaggingRequest{Bucket: testBucket, Key: "k"})
			return r.Tags, err
		}, []Tag{{"k", "v"}}},
		{"tagging-empty", func(c *Client) (any, error) {
			r, err := c.GetBucketTagging(ctx, &GetBucketTaggingRequest{Bucket: testBucket})
			return len(r.Tags), err
		}, 0},
		{"lifecycle", func(c *Client) (any, error) {
			r, err := c.GetBucketLifecycle(ctx, &GetBucketLifecycleRequest{Bucket: testBucket})
			return r.Rules, err
		}, []LifecycleRule{
			{ID: "r1", Prefix: "tmp/", Expiration: &LifecycleExpiration{Days: 3}, AbortMultipartUpload: &LifecycleAbort{Days: 1}},
			{ID: "r2", Prefix: "old/", Disabled: true, Expiration: &LifecycleExpiration{CreatedBefore: time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)}},
		}},
		{"cors", func(c *Client) (any, error) {
			r, err := c.GetBucketCORS(ctx, &GetBucketCORSRequest{Bucket: testBucket})
			return r.Rules, err
		}, []CORSRule{{AllowedOrigins: []string{"*"}, AllowedMethods: []string{"GET", "PUT"}, AllowedHeaders: []string{"*"}, ExposeHeaders: []string{"ETag"}, MaxAge: 10 * time.Minute}}},
		{"referer", func(c *Client) (any, error) {
			r, err := c.GetBucketReferer(ctx, &GetBucketRefererRequest{Bucket: testBucket})
			return r.RefererRules, err
		}, RefererRules{AllowEmpty: true, Allowed: []string{"http://*.example.com"}}},
		{"encryption", func(c *Client) (any, error) {
			r, err := c.GetBucketEncryption(ctx, &GetBucketEncryptionRequest{Bucket: testBucket})
			return r.Encryption, err
		}, Encryption{Algorithm: "AES256"}},
		{"error-no-such-key", func(c *Client) (any, error) {
			_, err := c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
			return errors.Is(err, ErrNoSuchKey) && errors.Is(err, ErrNotFound), nil
		}, true},
		{"error-invalid-part-number", func(c *Client) (any, error) {
			_, err := c.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: id, PartNumber: 1, Body: strings.NewReader("x")})
			var e *Error
			return errors.Is(err, ErrInvalidArgument) && errors.As(err, &e) && e.Element("ArgumentValue") == "10001", nil
		}, true},
		{"error-append-position", func(c *Client) (any, error) {
			_, err := c.HeadBucket(ctx, &HeadBucketRequest{Bucket: testBucket}) // any answer can be an error
			var e *Error
			return errors.As(err, &e) && e.Code == "PositionNotEqualToLength" && e.Status == http.StatusConflict, nil
		}, true},
	} {
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			client := mustClient(t, WithHTTPClient(&http.Client{Transport: answers[c.name]}), WithCredentials(AnonymousCredentials()))
			got, err := c.call(client)
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
	seen["error-no-such-upload"] = true
	for name := range answers {
		if !seen[name] {
			t.Errorf("nobody reads %s", name)
		}
	}
	client := mustClient(t, WithHTTPClient(&http.Client{Transport: answers["error-no-such-upload"]}), WithCredentials(AnonymousCredentials()))
	_, err := client.ListParts(ctx, &ListPartsRequest{Bucket: testBucket, Key: "k", UploadID: id})
	var e *Error
	if !errors.As(err, &e) || !errors.Is(err, ErrNoSuchUpload) || e.EC != "0042-00000104" || e.RequestID != "655447D0B6FC203131AD4890" ||
		e.HostID != "127.0.0.1:9000" || e.Element("UploadId") != id || e.Status != 404 {
		t.Errorf("error %+v", err)
	}
}
