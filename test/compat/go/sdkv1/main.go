// Command sdkv1 runs the scenarios with the OSS SDK for Go 1.0.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

// world is the client under test and one bucket that most scenarios share.
type world struct {
	options Options
	client  *oss.Client
	bucket  *oss.Bucket
	http    *http.Client
	dir     string
}

func main() {
	w := &world{options: ParseOptions()}
	w.http, _ = HTTPClient()
	w.client = w.connect(w.options.AccessKeyID, w.options.AccessKeySecret, w.options.Region)
	w.bucket = w.open(w.client, "main")
	Check(w.client.CreateBucket(w.bucket.BucketName))
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
		Named("credentials", w.credentials),
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
		Named("UploadFile", w.uploadFile),
		Named("DownloadFile", w.downloadFile),
		Named("CopyFile", w.copyFile),
		Named("CRC-64 checked by the client", w.crc),
	)
	os.RemoveAll(w.dir)
	os.Exit(status)
}

func (w *world) connect(id, secret, region string) *oss.Client {
	return w.connectOver(w.http, id, secret, region)
}

func (w *world) connectOver(client *http.Client, id, secret, region string) *oss.Client {
	options := []oss.ClientOption{oss.HTTPClient(client), oss.ForcePathStyle(!w.options.Virtual)}
	if w.options.V4 {
		options = append(options, oss.AuthVersion(oss.AuthV4), oss.Region(region))
	}
	return Must(oss.New(w.options.Endpoint(), id, secret, options...))
}

func (w *world) open(client *oss.Client, name string) *oss.Bucket {
	return Must(client.Bucket(w.options.Prefix + "-" + name))
}

// create makes a bucket for one scenario.
func (w *world) create(name string, options ...oss.Option) *oss.Bucket {
	bucket := w.open(w.client, name)
	Check(w.client.CreateBucket(bucket.BucketName, options...))
	return bucket
}

// refused expects the service to have answered with this status and code. The
// SDK turns answers below 400 into a plain text that holds the status alone.
func (w *world) refused(err error, status int, code string) {
	if err == nil {
		Fail("no error, want %d %s", status, code)
	}
	var service oss.ServiceError
	switch {
	case errors.As(err, &service):
		Equal("error", fmt.Sprint(service.StatusCode, service.Code), fmt.Sprint(status, code))
	case status < 400:
		True(strings.Contains(err.Error(), fmt.Sprint("returned ", status)), err.Error())
	default:
		Fail("%v", err)
	}
}

func (w *world) put(bucket *oss.Bucket, key string, content []byte, options ...oss.Option) {
	Check(bucket.PutObject(key, bytes.NewReader(content), options...))
}

func (w *world) get(bucket *oss.Bucket, key string, options ...oss.Option) []byte {
	body := Must(bucket.GetObject(key, options...))
	defer body.Close()
	return Must(io.ReadAll(body))
}

func (w *world) exists(key string) bool { return Must(w.bucket.IsObjectExist(key)) }

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
