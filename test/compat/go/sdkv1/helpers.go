package main

import (
	"bytes"
	"errors"
	"hash/crc64"
	"net/http"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

// cutAfter returns the bucket as a client sees it whose connection lets n of
// the requests that match pass and none after them. The connection is never
// mended: the SDK's workers go on behind the call that failed, and would finish
// what the scenario wants left undone.
func (w *world) cutAfter(n int, match func(*http.Request) bool) *oss.Bucket {
	client, breaker := HTTPClient()
	breaker.CutAfter(n, match)
	options := w.options
	return w.open(w.connectOver(client, options.AccessKeyID, options.AccessKeySecret, options.Region), "main")
}

func (w *world) interrupted(err error) {
	True(errors.Is(err, ErrInterrupted), "the transfer was not interrupted")
}

func (w *world) uploadFile() {
	const key = "mp/upload-file.txt"
	content := Data("upload file", 10*PartSize+17)
	path := w.file("upload-file", content)
	checkpoint := oss.Checkpoint(true, filepath.Join(w.dir, "upload.cp"))
	options := []oss.Option{checkpoint, oss.Routines(3), oss.Meta("a", "1"), oss.ObjectACL(oss.ACLPublicRead)}

	w.interrupted(w.cutAfter(4, IsPart).UploadFile(key, path, PartSize, options...))
	uploads := Must(w.bucket.ListMultipartUploads(oss.Prefix(key))).Uploads
	Equal("open uploads after the interruption", len(uploads), 1)
	upload := oss.InitiateMultipartUploadResult{Key: key, UploadID: uploads[0].UploadID}
	sent := len(w.listed(upload, 1000))
	True(sent > 0 && sent <= 4, "parts after the interruption: "+strconv.Itoa(sent))
	Check(w.bucket.UploadFile(key, path, PartSize, options...))
	Equal("content", w.get(w.bucket, key), content)
	head := Must(w.bucket.GetObjectDetailedMeta(key))
	Equal("parts in the ETag", head.Get("ETag")[33:], `-11"`)
	Equal("metadata", head.Get("X-Oss-Meta-A"), "1")
	Equal("ACL", Must(w.bucket.GetObjectACL(key)).ACL, "public-read")
	Equal("open uploads", len(Must(w.bucket.ListMultipartUploads(oss.Prefix(key))).Uploads), 0)

	// Without a checkpoint the SDK aborts what failed.
	w.interrupted(w.cutAfter(2, IsPart).UploadFile(key, path, PartSize))
	Equal("open uploads after a failure", len(Must(w.bucket.ListMultipartUploads(oss.Prefix(key))).Uploads), 0)
}

func (w *world) downloadFile() {
	const key = "mp/download-file"
	content := Data("download file", 10*PartSize+17)
	Check(w.bucket.UploadFile(key, w.file("download-source", content), 2*PartSize))
	path := filepath.Join(w.dir, "download-file")
	checkpoint := oss.Checkpoint(true, filepath.Join(w.dir, "download.cp"))
	w.interrupted(w.cutAfter(5, IsRangedGet).DownloadFile(key, path, PartSize, checkpoint, oss.Routines(2)))
	Check(w.bucket.DownloadFile(key, path, PartSize, checkpoint, oss.Routines(2)))
	Equal("content", Must(os.ReadFile(path)), content)
}

func (w *world) copyFile() {
	const from, to = "mp/copy-file +中", "mp/copied-file"
	content := Data("copy file", 6*PartSize+17)
	w.put(w.bucket, from, content)
	checkpoint := oss.Checkpoint(true, filepath.Join(w.dir, "copy.cp"))
	w.interrupted(w.cutAfter(3, IsPart).CopyFile(w.bucket.BucketName, from, to, PartSize, checkpoint))
	Check(w.bucket.CopyFile(w.bucket.BucketName, from, to, PartSize, checkpoint, oss.Routines(2)))
	Equal("content", w.get(w.bucket, to), content)
}

func (w *world) crc() {
	content := Data("crc", 300000)
	want := strconv.FormatUint(crc64.Checksum(content, crc64.MakeTable(crc64.ECMA)), 10)
	var header http.Header
	w.put(w.bucket, "crc", content, oss.GetResponseHeader(&header)) // the SDK compares
	Equal("CRC at put", header.Get("X-Oss-Hash-Crc64ecma"), want)
	result := Must(w.bucket.DoGetObject(&oss.GetObjectRequest{ObjectKey: "crc"}, nil))
	var got bytes.Buffer
	Must(got.ReadFrom(result.Response.Body))
	Equal("CRC at get", strconv.FormatUint(result.ClientCRC.Sum64(), 10), want)
	Equal("CRC of the server", strconv.FormatUint(result.ServerCRC, 10), want)
	err := w.bucket.PutObject("crc/bad", bytes.NewReader(content), oss.SetHeader("X-Oss-Hash-Crc64ecma", "1"))
	w.refused(err, 400, "InvalidCRC64")
	Equal("object with a wrong CRC", w.exists("crc/bad"), false)
}
