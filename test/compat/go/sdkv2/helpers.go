package main

import (
	"errors"
	"hash/crc64"
	"os"
	"path/filepath"
	"strconv"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) interrupted(err error) {
	True(errors.Is(err, ErrInterrupted), "the transfer was not interrupted")
}

func (w *world) uploader() {
	key := oss.Ptr("mp/uploader.txt")
	content := Data("uploader", 10*PartSize+17)
	path := w.file("uploader", content)
	u := w.client.NewUploader(func(o *oss.UploaderOptions) {
		o.PartSize, o.ParallelNum = PartSize, 1
		o.EnableCheckpoint, o.CheckpointDir, o.LeavePartsOnError = true, w.dir, true
	})
	request := &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Metadata: map[string]string{"a": "1"}, Acl: oss.ObjectACLPublicRead}
	w.breaker.CutAfter(4, IsPart)
	_, err := u.UploadFile(w.ctx, request, path)
	w.breaker.Mend()
	w.interrupted(err)
	Equal("open uploads after the interruption", w.openUploads(*key), 1)
	first := int64(-1)
	request.ProgressFn = func(increment, transferred, total int64) {
		if first < 0 {
			first = transferred
		}
	}
	result := Must(u.UploadFile(w.ctx, request, path))
	Equal("bytes the second run starts with", first, 4*PartSize)
	Equal("parts in the ETag", etag(result.ETag)[32:], "-11")
	Equal("content", w.get(w.bucket, *key), content)
	Equal("metadata", w.head(*key).Metadata["a"], "1")
	acl := Must(w.client.GetObjectAcl(w.ctx, &oss.GetObjectAclRequest{Bucket: &w.bucket, Key: key}))
	Equal("ACL", text(acl.ACL), "public-read")
	Equal("open uploads", w.openUploads(*key), 0)

	w.breaker.CutAfter(2, IsPart) // without a checkpoint the SDK aborts what failed
	_, err = w.client.NewUploader().UploadFile(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key}, path,
		func(o *oss.UploaderOptions) { o.PartSize = PartSize })
	w.breaker.Mend()
	w.interrupted(err)
	Equal("open uploads after a failure", w.openUploads(*key), 0)
	result = Must(w.client.NewUploader().UploadFrom(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key}, bytesOf(content),
		func(o *oss.UploaderOptions) { o.PartSize = 3 * PartSize }))
	Equal("content from a stream", w.get(w.bucket, *key), content)
	Equal("CRC from a stream", text(result.HashCRC64), crcOf(content))
}

func (w *world) downloader() {
	key := oss.Ptr("mp/downloader")
	content := Data("downloader", 10*PartSize+17)
	Must(w.client.NewUploader().UploadFrom(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key}, bytesOf(content),
		func(o *oss.UploaderOptions) { o.PartSize = 2 * PartSize }))
	path := filepath.Join(w.dir, "downloader")
	d := w.client.NewDownloader(func(o *oss.DownloaderOptions) {
		o.PartSize, o.ParallelNum = PartSize, 1
		o.EnableCheckpoint, o.CheckpointDir, o.VerifyData = true, w.dir, true
	})
	request := &oss.GetObjectRequest{Bucket: &w.bucket, Key: key}
	w.breaker.CutAfter(5, IsRangedGet)
	_, err := d.DownloadFile(w.ctx, request, path)
	w.breaker.Mend()
	w.interrupted(err)
	first := int64(-1)
	request.ProgressFn = func(increment, transferred, total int64) {
		if first < 0 {
			first = transferred
		}
	}
	Must(d.DownloadFile(w.ctx, request, path))
	Equal("bytes the second run starts with", first, 5*PartSize)
	Equal("content", Must(os.ReadFile(path)), content)
}

func (w *world) copier() {
	from, to := oss.Ptr("mp/copier +中"), oss.Ptr("mp/copied by the copier")
	content := Data("copier", 6*PartSize+17)
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: from, Body: bytesOf(content),
		Metadata: map[string]string{"a": "1"}, Tagging: oss.Ptr("t=1"), ContentType: oss.Ptr("text/css")}))
	c := w.client.NewCopier(func(o *oss.CopierOptions) {
		o.PartSize, o.ParallelNum, o.MultipartCopyThreshold, o.DisableShallowCopy = PartSize, 2, PartSize, true
	})
	request := &oss.CopyObjectRequest{Bucket: &w.bucket, Key: to, SourceKey: from}
	result := Must(c.Copy(w.ctx, request))
	Equal("parts in the ETag", etag(result.ETag)[32:], "-7")
	Equal("content", w.get(w.bucket, *to), content)
	head := w.head(*to)
	Equal("metadata", head.Metadata["a"]+text(head.ContentType), "1text/css")
	Equal("tags", w.tags(*to), map[string]string{"t": "1"})

	w.breaker.CutAfter(3, IsPart)
	_, err := c.Copy(w.ctx, request)
	w.breaker.Mend()
	w.interrupted(err)
	Equal("open uploads after a failure", w.openUploads(*to), 0)
}

func crcOf(content []byte) string {
	return strconv.FormatUint(crc64.Checksum(content, crc64.MakeTable(crc64.ECMA)), 10)
}

func (w *world) crc() {
	content := Data("crc", 300000)
	Equal("CRC at put", text(w.put("crc", content).HashCRC64), crcOf(content)) // the SDK compares, too
	path := filepath.Join(w.dir, "crc")
	got := Must(w.client.GetObjectToFile(w.ctx, &oss.GetObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("crc")}, path))
	Equal("CRC at get", text(got.HashCRC64), crcOf(content))
	Equal("content", Must(os.ReadFile(path)), content)
	u, parts, contents := w.send("mp/crc", PartSize, 99)
	Equal("CRC at complete", text(Must(w.finish(u, parts)).HashCRC64), crcOf(append(contents[0], contents[1]...)))
	_, err := w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("crc/bad"), Body: bytesOf(content),
		RequestCommon: oss.RequestCommon{Headers: map[string]string{"x-oss-hash-crc64ecma": "1"}}})
	w.refused(err, 400, "InvalidCRC64")
	Equal("object with a wrong CRC", w.exists("crc/bad"), false)
}
