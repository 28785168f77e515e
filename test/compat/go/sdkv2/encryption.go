package main

import (
	"bytes"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

// encryption asks for encryption by the server in every way that there is.
func (w *world) encryption() {
	content := Data("secret", 300000)
	key := oss.Ptr("secret.bin")
	put := Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Body: bytesOf(content),
		ServerSideEncryption: oss.Ptr("AES256")}))
	Equal("ETag", etag(put.ETag), MD5Hex(content))
	head := w.head(*key)
	Equal("head", []string{text(head.ServerSideEncryption), text(head.ServerSideEncryptionKeyId)}, []string{"AES256", ""})
	Equal("content", w.get(w.bucket, *key), content)

	// An upload says it once, and its parts and the object tell.
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: oss.Ptr("secret parts"), ServerSideEncryption: oss.Ptr("KMS")})
	parts, contents := w.sendParts(u, 200000, 1000)
	done := Must(w.client.CompleteMultipartUpload(w.ctx, &oss.CompleteMultipartUploadRequest{Bucket: &w.bucket, Key: &u.key,
		UploadId: &u.id, CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: parts}}))
	head = w.head(u.key)
	True(text(head.ServerSideEncryptionKeyId) != "", "no key ID of an object under KMS")
	Equal("upload", []string{done.Headers.Get("x-oss-server-side-encryption"), text(head.ServerSideEncryption)}, []string{"KMS", "KMS"})
	Equal("content of the upload", w.get(w.bucket, u.key), bytes.Join(contents, nil))

	// A copy is as its own headers say.
	Must(w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("open"), SourceKey: key}))
	Equal("copy", text(w.head("open").ServerSideEncryption), "")
	Equal("content of the copy", w.get(w.bucket, "open"), content)

	_, err := w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Body: bytesOf(content),
		ServerSideEncryption: oss.Ptr("KMS"), ServerSideEncryptionKeyId: oss.Ptr("no such key")})
	w.refused(err, 400, "InvalidParameter")
	_, err = w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Body: bytesOf(content),
		ServerSideEncryption: oss.Ptr("SM4")})
	w.refused(err, 501, "NotImplemented")

	// A bucket has a default for objects that come without a word.
	name := w.create("encrypted")
	Must(w.client.PutBucketEncryption(w.ctx, &oss.PutBucketEncryptionRequest{Bucket: &name,
		ServerSideEncryptionRule: &oss.ServerSideEncryptionRule{
			ApplyServerSideEncryptionByDefault: &oss.ApplyServerSideEncryptionByDefault{SSEAlgorithm: oss.Ptr("AES256")},
		}}))
	result := Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &name, Key: key, Body: bytesOf(content)}))
	Equal("by default", result.Headers.Get("x-oss-server-side-encryption"), "AES256")
	Equal("content by default", w.get(name, *key), content)
	info := Must(w.client.GetBucketInfo(w.ctx, &oss.GetBucketInfoRequest{Bucket: &name}))
	Equal("bucket info", text(info.BucketInfo.SseRule.SSEAlgorithm), "AES256")
	Must(w.client.DeleteObject(w.ctx, &oss.DeleteObjectRequest{Bucket: &name, Key: key}))
	True(w.deleteBucket(name) == nil, "the bucket is not deleted")
}
