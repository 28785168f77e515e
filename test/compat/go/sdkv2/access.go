package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) presign(request any) *oss.PresignResult {
	return Must(w.client.Presign(w.ctx, request, oss.PresignExpires(time.Minute)))
}

func (w *world) presignedGet() {
	content := Data("presign", 3000)
	for _, key := range []string{"presign/a b+c.txt", "presign/中文"} {
		w.put(key, content)
		response, body := w.fetch("GET", w.presign(&oss.GetObjectRequest{Bucket: &w.bucket, Key: &key}).URL, nil, nil)
		Equal("status", response.StatusCode, http.StatusOK)
		Equal("content", body, content)
	}
	key := oss.Ptr("presign/中文")
	url := w.presign(&oss.GetObjectRequest{Bucket: &w.bucket, Key: key, ResponseContentType: oss.Ptr("text/x-new"),
		ResponseCacheControl: oss.Ptr("max-age=7"), ResponseContentDisposition: oss.Ptr(`attachment; filename="a b.txt"`),
		ResponseContentLanguage: oss.Ptr("de"), ResponseExpires: oss.Ptr(FarAhead), ResponseContentEncoding: oss.Ptr("identity")}).URL
	response, _ := w.fetch("GET", url, nil, nil)
	for name, value := range map[string]string{
		"Content-Type": "text/x-new", "Cache-Control": "max-age=7", "Content-Language": "de", "Expires": FarAhead,
		"Content-Disposition": `attachment; filename="a b.txt"`, "Content-Encoding": "identity",
	} {
		Equal(name, response.Header.Get(name), value)
	}
	url = w.presign(&oss.GetObjectRequest{Bucket: &w.bucket, Key: key}).URL
	response, body := w.fetch("GET", url, nil, map[string]string{"Range": "bytes=10-19"})
	Equal("status of a range", response.StatusCode, http.StatusPartialContent)
	Equal("range by URL", body, content[10:20])
	response, _ = w.fetch("GET", Tampered(url), nil, nil)
	Equal("status of a changed URL", response.StatusCode, http.StatusForbidden)
	response, _ = w.fetch("HEAD", w.presign(&oss.HeadObjectRequest{Bucket: &w.bucket, Key: key}).URL, nil, nil)
	Equal("length by URL", response.ContentLength, int64(len(content)))
	response, body = w.fetch("GET", w.presign(&oss.GetObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("presign/none")}).URL, nil, nil)
	Equal("status of a missing key", response.StatusCode, http.StatusNotFound)
	True(strings.Contains(string(body), "<Code>NoSuchKey</Code>"), string(body))
}

func (w *world) presignedPut() {
	key := oss.Ptr("presign/put +1")
	signed := w.presign(&oss.PutObjectRequest{Bucket: &w.bucket, Key: key, ContentType: oss.Ptr("text/plain"),
		Metadata: map[string]string{"by": "url"}})
	response, _ := w.fetch("PUT", signed.URL, []byte("hello"), signed.SignedHeaders)
	Equal("status", response.StatusCode, http.StatusOK)
	Equal("ETag", response.Header.Get("ETag"), `"`+MD5Hex([]byte("hello"))+`"`)
	head := w.head(*key)
	Equal("headers", text(head.ContentType)+" "+head.Metadata["by"], "text/plain url")
	changed := map[string]string{"Content-Type": "text/plain", "x-oss-meta-by": "other"}
	response, body := w.fetch("PUT", signed.URL, []byte("hello"), changed)
	Equal("status with a changed header", response.StatusCode, http.StatusForbidden)
	True(strings.Contains(string(body), "<Code>SignatureDoesNotMatch</Code>"), string(body))
	response, _ = w.fetch("PUT", w.presign(&oss.GetObjectRequest{Bucket: &w.bucket, Key: key}).URL, []byte("1"), nil)
	Equal("status of PUT with a URL for GET", response.StatusCode, http.StatusForbidden)

	// A whole multipart upload by URLs.
	key = oss.Ptr("presign/multipart")
	response, body = w.fetch("POST", w.presign(&oss.InitiateMultipartUploadRequest{Bucket: &w.bucket, Key: key}).URL, nil, nil)
	Equal("status of initiate", response.StatusCode, http.StatusOK)
	_, id, _ := strings.Cut(string(body), "<UploadId>")
	id, _, _ = strings.Cut(id, "</UploadId>")
	response, _ = w.fetch("PUT", w.presign(&oss.UploadPartRequest{Bucket: &w.bucket, Key: key, UploadId: &id, PartNumber: 1}).URL,
		[]byte("part"), nil)
	Equal("ETag of the part", response.Header.Get("ETag"), `"`+MD5Hex([]byte("part"))+`"`)
	list := "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" + response.Header.Get("ETag") +
		"</ETag></Part></CompleteMultipartUpload>"
	response, body = w.fetch("POST", w.presign(&oss.CompleteMultipartUploadRequest{Bucket: &w.bucket, Key: key, UploadId: &id}).URL,
		[]byte(list), nil)
	True(response.StatusCode == http.StatusOK, string(body))
	Equal("content", w.get(w.bucket, *key), []byte("part"))
}

func (w *world) anonymousAccess() {
	bucket := w.create("public")
	client := w.connect(credentials.NewAnonymousCredentialsProvider(), w.options.Region)
	key, other := oss.Ptr("k"), oss.Ptr("new")
	read := func() error {
		result, err := client.GetObject(w.ctx, &oss.GetObjectRequest{Bucket: &bucket, Key: key})
		if err == nil {
			result.Body.Close()
		}
		return err
	}
	write := func() error {
		_, err := client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: other, Body: strings.NewReader("from nobody")})
		return err
	}
	objectACL := func(acl oss.ObjectACLType) {
		Must(w.client.PutObjectAcl(w.ctx, &oss.PutObjectAclRequest{Bucket: &bucket, Key: key, Acl: acl}))
	}
	bucketACL := func(acl oss.BucketACLType) {
		Must(w.client.PutBucketAcl(w.ctx, &oss.PutBucketAclRequest{Bucket: &bucket, Acl: acl}))
	}
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: key, Body: strings.NewReader("content")}))
	_, list := client.ListObjects(w.ctx, &oss.ListObjectsRequest{Bucket: &bucket})
	_, initiate := client.InitiateMultipartUpload(w.ctx, &oss.InitiateMultipartUploadRequest{Bucket: &bucket, Key: key})
	_, remove := client.DeleteObject(w.ctx, &oss.DeleteObjectRequest{Bucket: &bucket, Key: key})
	for _, err := range []error{read(), write(), list, initiate, remove} {
		w.refused(err, 403, "AccessDenied")
	}
	objectACL(oss.ObjectACLPublicRead)
	Check(read())
	w.refused(write(), 403, "AccessDenied")
	objectACL(oss.ObjectACLDefault)
	bucketACL(oss.BucketACLPublicRead)
	Check(read())
	w.refused(write(), 403, "AccessDenied")
	objectACL(oss.ObjectACLPrivate)
	w.refused(read(), 403, "AccessDenied")
	bucketACL(oss.BucketACLPublicReadWrite)
	Check(write())
	Equal("object put anonymously", w.get(bucket, *other), []byte("from nobody"))
	_, err := client.PutBucketAcl(w.ctx, &oss.PutBucketAclRequest{Bucket: &bucket, Acl: oss.BucketACLPrivate})
	w.refused(err, 403, "AccessDenied")
	_, err = client.ListBuckets(w.ctx, &oss.ListBucketsRequest{})
	w.refused(err, 403, "AccessDenied")
	Must(w.client.DeleteMultipleObjects(w.ctx, deleting(bucket, "k", "new")))
	Check(w.deleteBucket(bucket))
}

func (w *world) wrongCredentials() {
	put := func(provider credentials.CredentialsProvider, region string) error {
		_, err := w.connect(provider, region).PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("k")})
		return err
	}
	region := w.options.Region
	w.refused(put(w.credentials("wrong-secret"), region), 403, "SignatureDoesNotMatch")
	unknown := credentials.NewStaticCredentialsProvider("unknown", w.options.AccessKeySecret)
	w.refused(put(unknown, region), 403, "InvalidAccessKeyId")
	wrong := w.connect(w.credentials("wrong-secret"), region)
	_, err := wrong.HeadObject(w.ctx, &oss.HeadObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("k")})
	w.refused(err, 403, "SignatureDoesNotMatch")
	url := Must(wrong.Presign(w.ctx, &oss.GetObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("k")})).URL
	_, body := w.fetch("GET", url, nil, nil)
	True(strings.Contains(string(body), "<Code>SignatureDoesNotMatch</Code>"), string(body))
	if w.options.V4 {
		w.refused(put(w.credentials(w.options.AccessKeySecret), "cn-beijing"), 400, "InvalidArgument")
	}
}
