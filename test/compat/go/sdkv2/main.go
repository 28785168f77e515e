// Command sdkv2 runs the scenarios with the OSS SDK for Go 2.0.
package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

// world is the client under test and one bucket that most scenarios share.
type world struct {
	ctx     context.Context
	options Options
	client  *oss.Client
	bucket  string
	http    *http.Client
	breaker *Breaker
	dir     string
}

func main() {
	w := &world{ctx: context.Background(), options: ParseOptions()}
	w.http, w.breaker = HTTPClient()
	w.client = w.connect(w.credentials(w.options.AccessKeySecret), w.options.Region)
	w.bucket = w.create("main")
	w.dir = Must(os.MkdirTemp("", "ossa-compat-"))

	status := Main(w.options,
		Named("bucket create and delete", w.bucketCreateAndDelete),
		Named("bucket list", w.bucketList),
		Named("bucket info, location, stat", w.bucketInfo),
		Named("bucket ACL", w.bucketACL),
		Named("bucket lifecycle", w.bucketLifecycle),
		Named("bucket CORS", w.bucketCORS),
		Named("bucket referer", w.bucketReferer),
		Named("bucket encryption", w.bucketEncryption),
		Named("bucket tagging", w.bucketTagging),
		Named("bucket policy", w.bucketPolicy),
		Named("list objects", w.listObjects),
		Named("list objects V2", w.listObjectsV2),
		Named("list object versions", w.listObjectVersions),
		Named("put, get, head, delete", w.putGetHeadDelete),
		Named("ranges", w.ranges),
		Named("conditions", w.conditions),
		Named("copy object", w.copyObject),
		Named("delete multiple objects", w.deleteMultiple),
		Named("object ACL", w.objectACL),
		Named("object tagging", w.objectTagging),
		Named("storage classes and restore", w.storageClassesAndRestore),
		Named("awkward keys", w.awkwardKeys),
		Named("presigned GET", w.presignedGet),
		Named("presigned PUT", w.presignedPut),
		Named("anonymous access", w.anonymousAccess),
		Named("credentials", w.wrongCredentials),
		Named("initiate with every header", w.initiateHeaders),
		Named("upload part", w.uploadPart),
		Named("upload part copy", w.uploadPartCopy),
		Named("list parts", w.listParts),
		Named("list multipart uploads", w.listMultipartUploads),
		Named("complete", w.complete),
		Named("complete all", w.completeAll),
		Named("complete refused", w.completeRefused),
		Named("object ACL at complete", w.completeACL),
		Named("sequential upload", w.sequential),
		Named("abort", w.abort),
		Named("encryption", w.encryption),
		Named("Uploader", w.uploader),
		Named("Downloader", w.downloader),
		Named("Copier", w.copier),
		Named("CRC-64 checked by the client", w.crc),
	)
	os.RemoveAll(w.dir)
	os.Exit(status)
}

func (w *world) credentials(secret string) credentials.CredentialsProvider {
	return credentials.NewStaticCredentialsProvider(w.options.AccessKeyID, secret)
}

func (w *world) connect(provider credentials.CredentialsProvider, region string) *oss.Client {
	config := oss.LoadDefaultConfig().WithEndpoint(w.options.Endpoint()).WithRegion(region).
		WithUsePathStyle(!w.options.Virtual).WithCredentialsProvider(provider).WithHttpClient(w.http)
	if !w.options.V4 {
		config.WithSignatureVersion(oss.SignatureVersionV1)
	}
	return oss.NewClient(config)
}

func (w *world) name(suffix string) *string { return oss.Ptr(w.options.Prefix + "-" + suffix) }

// create makes a bucket for one scenario.
func (w *world) create(suffix string) string {
	name := w.name(suffix)
	Must(w.client.PutBucket(w.ctx, &oss.PutBucketRequest{Bucket: name}))
	return *name
}

func (w *world) deleteBucket(name string) error {
	_, err := w.client.DeleteBucket(w.ctx, &oss.DeleteBucketRequest{Bucket: &name})
	return err
}

// refused expects the service to have answered with this status and code. An
// answer without a body has no code.
func (w *world) refused(err error, status int, code string) {
	if err == nil {
		Fail("no error, want %d %s", status, code)
	}
	var service *oss.ServiceError
	if !errors.As(err, &service) {
		Fail("%v", err)
	}
	Equal("status of "+err.Error(), service.StatusCode, status)
	if code != "" {
		Equal("code", service.Code, code)
	}
}

func (w *world) put(key string, content []byte) *oss.PutObjectResult {
	return Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: &key, Body: bytes.NewReader(content)}))
}

func (w *world) get(bucket, key string) []byte {
	return w.read(w.client.GetObject(w.ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: &key}))
}

func (w *world) read(result *oss.GetObjectResult, err error) []byte {
	Check(err)
	defer result.Body.Close()
	return Must(io.ReadAll(result.Body))
}

func (w *world) head(key string) *oss.HeadObjectResult {
	return Must(w.client.HeadObject(w.ctx, &oss.HeadObjectRequest{Bucket: &w.bucket, Key: &key}))
}

func (w *world) exists(key string) bool {
	return Must(w.client.IsObjectExist(w.ctx, w.bucket, key))
}

func (w *world) file(name string, content []byte) string {
	path := filepath.Join(w.dir, name)
	Check(os.WriteFile(path, content, 0o600))
	return path
}

// fetch sends a request without the SDK, as the receiver of a URL does.
func (w *world) fetch(method, url string, body []byte, headers map[string]string) (*http.Response, []byte) {
	request := Must(http.NewRequest(method, url, bytes.NewReader(body)))
	for name, value := range headers {
		request.Header.Set(name, value)
	}
	response := Must(w.http.Do(request))
	defer response.Body.Close()
	return response, Must(io.ReadAll(response.Body))
}

// text reads an optional string of the SDK.
func text(p *string) string { return oss.ToString(p) }

// etag reads an ETag without its quotes.
func etag(p *string) string { return strings.Trim(text(p), `"`) }
