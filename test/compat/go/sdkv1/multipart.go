package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

// upload starts an upload and sends parts 1, 2, ... of these sizes.
func (w *world) upload(key string, sizes []int, options ...oss.Option) (
	oss.InitiateMultipartUploadResult, []oss.UploadPart, [][]byte) {
	upload := Must(w.bucket.InitiateMultipartUpload(key, options...))
	Equal("key", upload.Bucket+"/"+upload.Key, w.bucket.BucketName+"/"+key)
	var parts []oss.UploadPart
	var contents [][]byte
	for i, size := range sizes {
		content := Data(fmt.Sprint(key, i), size)
		parts = append(parts, w.part(upload, i+1, content))
		Equal("ETag of the part", parts[i].ETag, `"`+MD5Hex(content)+`"`)
		contents = append(contents, content)
	}
	return upload, parts, contents
}

func (w *world) part(upload oss.InitiateMultipartUploadResult, number int, content []byte) oss.UploadPart {
	return Must(w.bucket.UploadPart(upload, bytes.NewReader(content), int64(len(content)), number))
}

func etagsOf(parts ...oss.UploadPart) (etags []string) {
	for _, part := range parts {
		etags = append(etags, Unquote(part.ETag))
	}
	return etags
}

// listed returns the entries of all parts of an upload, page by page.
func (w *world) listed(upload oss.InitiateMultipartUploadResult, size int) (parts []string) {
	var marker int
	for {
		page := Must(w.bucket.ListUploadedParts(upload, oss.MaxParts(size), oss.PartNumberMarker(marker)))
		True(len(page.UploadedParts) <= size, "page is too long")
		for _, p := range page.UploadedParts {
			parts = append(parts, Entry(p.PartNumber, p.ETag, int64(p.Size)))
			True(time.Since(p.LastModified).Abs() < 15*time.Minute, "last modified is not now")
			marker = p.PartNumber
		}
		if !page.IsTruncated {
			return parts
		}
		Equal("next marker", page.NextPartNumberMarker, fmt.Sprint(marker))
	}
}

func (w *world) initiateHeaders() {
	const key = "mp/headers"
	long := strings.Repeat("v", 2000)
	expires := time.Date(2042, 2, 28, 5, 38, 42, 0, time.UTC)
	upload, parts, contents := w.upload(key, []int{PartSize, 10}, oss.CacheControl("no-store"),
		oss.ContentDisposition("attachment; filename=x"), oss.ContentEncoding("identity"), oss.Expires(expires),
		oss.ContentType("text/markdown"), oss.Meta("a", "1"), oss.Meta("long", long),
		oss.ObjectStorageClass(oss.StorageIA), oss.ForbidOverWrite(true),
		oss.SetTagging(oss.Tagging{Tags: []oss.Tag{{Key: "k1", Value: "v1"}, {Key: "k2", Value: "v 2"}}}))
	result := Must(w.bucket.CompleteMultipartUpload(upload, parts, oss.ContentType("text/ignored")))
	Equal("result", []string{Unquote(result.ETag), result.Bucket, result.Key},
		[]string{MultipartETag(etagsOf(parts...)...), w.bucket.BucketName, key})
	head := Must(w.bucket.GetObjectDetailedMeta(key))
	for name, value := range map[string]string{
		"X-Oss-Object-Type": "Multipart", "Cache-Control": "no-store", "Content-Disposition": "attachment; filename=x",
		"Content-Encoding": "identity", "Expires": expires.Format(http.TimeFormat), "Content-Type": "text/markdown",
		"X-Oss-Meta-A": "1", "X-Oss-Meta-Long": long, "X-Oss-Storage-Class": "IA", "X-Oss-Tagging-Count": "2",
	} {
		Equal(name, head.Get(name), value)
	}
	Equal("tags", w.tags(key), map[string]string{"k1": "v1", "k2": "v 2"})
	Equal("content", w.get(w.bucket, key), bytes.Join(contents, nil))
	_, err := w.bucket.InitiateMultipartUpload(key, oss.ForbidOverWrite(true))
	w.refused(err, 409, "FileAlreadyExists")

	first, second := Must(w.bucket.InitiateMultipartUpload("mp/two")), Must(w.bucket.InitiateMultipartUpload("mp/two"))
	True(first.UploadID != second.UploadID, "two uploads share an ID")
	Check(w.bucket.AbortMultipartUpload(first))
	w.part(second, 1, []byte("1")) // the other one goes on
	Check(w.bucket.AbortMultipartUpload(second))
}

func (w *world) uploadPart() {
	const key = "mp/part"
	upload := Must(w.bucket.InitiateMultipartUpload(key))
	before, after := Data("old", PartSize), Data("new", PartSize+5)
	w.part(upload, 1, before)
	first := Must(w.bucket.UploadPart(upload, bytes.NewReader(after), int64(len(after)), 1, oss.ContentMD5(MD5Base64(after))))
	Equal("ETag of the replacement", Unquote(first.ETag), MD5Hex(after))
	for _, digest := range []string{MD5Base64(after), "not base64"} {
		_, err := w.bucket.UploadPart(upload, bytes.NewReader(before), PartSize, 1, oss.ContentMD5(digest))
		w.refused(err, 400, "InvalidDigest")
	}
	one := func(upload oss.InitiateMultipartUploadResult, number int) error {
		_, err := w.bucket.UploadPart(upload, bytes.NewReader([]byte("1")), 1, number)
		return err
	}
	w.refused(one(upload, 0), 400, "InvalidArgument")
	w.refused(one(upload, 10001), 400, "InvalidArgument")
	unknown, other := upload, upload
	unknown.UploadID = strings.Repeat("0", 32)
	other.Key += "x"
	w.refused(one(unknown, 1), 404, "NoSuchUpload")
	w.refused(one(other, 1), 404, "NoSuchUpload")
	last := w.part(upload, 10000, []byte("end"))
	Equal("parts", w.listed(upload, 1000), []string{
		Entry(1, MD5Hex(after), PartSize+5), Entry(10000, MD5Hex([]byte("end")), 3)})
	Must(w.bucket.CompleteMultipartUpload(upload, []oss.UploadPart{first, last}))
	Equal("content", w.get(w.bucket, key), append(after, "end"...))
}

func (w *world) uploadPartCopy() {
	const source, key = "mp/source +中", "mp/copied"
	content := Data("source", 3*PartSize)
	w.put(w.bucket, source, content, oss.Meta("a", "1"))
	upload := Must(w.bucket.InitiateMultipartUpload(key))
	name := w.bucket.BucketName
	var parts []oss.UploadPart
	for i := range 3 {
		part := Must(w.bucket.UploadPartCopy(upload, name, source, int64(i)*PartSize, PartSize, i+1))
		Equal("ETag", Unquote(part.ETag), MD5Hex(content[i*PartSize:(i+1)*PartSize]))
		parts = append(parts, part)
	}
	beyond := Must(w.bucket.UploadPartCopy(upload, name, source, 5, 4*PartSize, 4))
	Equal("ETag with a range that leaves the source", Unquote(beyond.ETag), MD5Hex(content))
	Must(w.bucket.UploadPartCopy(upload, name, source, 0, 10, 5, oss.CopySourceIfMatch(MD5Hex(content))))
	_, err := w.bucket.UploadPartCopy(upload, name, source, 0, 10, 5, oss.CopySourceIfMatch("0"))
	w.refused(err, 412, "PreconditionFailed")
	_, err = w.bucket.UploadPartCopy(upload, name, "mp/none", 0, 10, 5)
	w.refused(err, 404, "NoSuchKey")
	unknown := upload
	unknown.UploadID = strings.Repeat("0", 32)
	_, err = w.bucket.UploadPartCopy(unknown, name, source, 0, 10, 1)
	w.refused(err, 404, "NoSuchUpload")
	Must(w.bucket.CompleteMultipartUpload(upload, parts))
	Equal("content", w.get(w.bucket, key), content)
	Equal("metadata of the source", Must(w.bucket.GetObjectDetailedMeta(key)).Get("X-Oss-Meta-A"), "")
}

func (w *world) listParts() {
	upload := Must(w.bucket.InitiateMultipartUpload("mp/parts"))
	Equal("no parts", w.listed(upload, 1000), []string(nil))
	var want []string
	for _, number := range []int{1, 2, 7, 100, 10000} {
		content := Data(fmt.Sprint(number), number)
		want = append(want, Entry(number, MD5Hex(content), int64(number)))
	}
	for _, number := range []int{10000, 7, 100, 2, 1} {
		w.part(upload, number, Data(fmt.Sprint(number), number))
	}
	for _, size := range []int{1, 2, 1000} {
		Equal("parts", w.listed(upload, size), want)
	}
	page := Must(w.bucket.ListUploadedParts(upload, oss.PartNumberMarker(7)))
	Equal("from a marker", len(page.UploadedParts), 2)
	Equal("marker of the last page", page.NextPartNumberMarker, "10000")
	_, err := w.bucket.ListUploadedParts(upload, oss.MaxParts(1001))
	w.refused(err, 400, "InvalidArgument")
	Check(w.bucket.AbortMultipartUpload(upload))
	_, err = w.bucket.ListUploadedParts(upload)
	w.refused(err, 404, "NoSuchUpload")
}

func (w *world) listMultipartUploads() {
	bucket := w.create("uploads")
	var want []string
	opened := map[string]oss.InitiateMultipartUploadResult{}
	for _, key := range []string{"a", "b", "b", "b", "dir/1", "dir/2", "e +中"} {
		upload := Must(bucket.InitiateMultipartUpload(key))
		want = append(want, key+" "+upload.UploadID)
		opened[key+" "+upload.UploadID] = upload
	}
	sort.Strings(want)
	walk := func(size int, options ...oss.Option) (uploads []string) {
		keyMarker, idMarker := "", ""
		for {
			page := Must(bucket.ListMultipartUploads(append(options, oss.MaxUploads(size),
				oss.KeyMarker(keyMarker), oss.UploadIDMarker(idMarker))...))
			True(len(page.Uploads)+len(page.CommonPrefixes) <= size, "page is too long")
			for _, u := range page.Uploads {
				uploads = append(uploads, u.Key+" "+u.UploadID)
				True(time.Since(u.Initiated).Abs() < 15*time.Minute, "initiation date is not now")
			}
			uploads = append(uploads, page.CommonPrefixes...)
			keyMarker, idMarker = page.NextKeyMarker, page.NextUploadIDMarker
			if !page.IsTruncated {
				sort.Strings(uploads)
				return uploads
			}
		}
	}
	for _, size := range []int{1, 2, 3, 1000} {
		Equal("uploads", walk(size), want)
		Equal("uploads with delimiter", walk(size, oss.Delimiter("/")),
			[]string{want[0], want[1], want[2], want[3], "dir/", want[6]})
		Equal("uploads with prefix", walk(size, oss.Prefix("dir/")), want[4:6])
	}
	page := Must(bucket.ListMultipartUploads(oss.KeyMarker("b")))
	Equal("uploads after a key marker", len(page.Uploads), 3)
	Equal("markers of a whole page", page.NextKeyMarker+" "+page.NextUploadIDMarker, want[6])
	for _, upload := range opened {
		Check(bucket.AbortMultipartUpload(upload))
	}
	Equal("uploads after abort", walk(1000), nil)
	Check(w.client.DeleteBucket(bucket.BucketName))
}

func (w *world) complete() {
	const key = "mp/complete"
	w.put(w.bucket, key, []byte("before"))
	upload, parts, contents := w.upload(key, []int{PartSize, PartSize + 1, PartSize, 7})
	Equal("content until the upload is complete", w.get(w.bucket, key), []byte("before"))
	chosen := []oss.UploadPart{parts[3], parts[1]} // the SDK sorts; what is not listed is dropped
	var header http.Header
	result := Must(w.bucket.CompleteMultipartUpload(upload, chosen, oss.GetResponseHeader(&header)))
	etag := MultipartETag(etagsOf(parts[1], parts[3])...)
	content := append(bytes.Clone(contents[1]), contents[3]...)
	Equal("ETag", Unquote(result.ETag), etag)
	Equal("content", w.get(w.bucket, key), content)
	head := Must(w.bucket.GetObjectDetailedMeta(key))
	Equal("CRC", head.Get("X-Oss-Hash-Crc64ecma"), header.Get("X-Oss-Hash-Crc64ecma"))
	Equal("head", []string{head.Get("X-Oss-Object-Type"), Unquote(head.Get("ETag")), head.Get("Content-Md5")},
		[]string{"Multipart", etag, ""})
	entry := Must(w.bucket.ListObjects(oss.Prefix(key))).Objects[0]
	Equal("listed", []any{entry.Type, Unquote(entry.ETag), entry.Size}, []any{"Multipart", etag, int64(len(content))})
	again := Must(w.bucket.CompleteMultipartUpload(upload, chosen)) // as after a lost answer
	Equal("ETag of the same list again", Unquote(again.ETag), etag)
	_, err := w.bucket.CompleteMultipartUpload(upload, parts)
	w.refused(err, 404, "NoSuchUpload")
	_, err = w.bucket.ListUploadedParts(upload)
	w.refused(err, 404, "NoSuchUpload")
	w.refused(w.bucket.AbortMultipartUpload(upload), 404, "NoSuchUpload")
}

// post sends a Complete whose body the SDK would not make.
func (w *world) post(upload oss.InitiateMultipartUploadResult, body string, options ...oss.Option) error {
	var reader io.Reader
	if body != "" {
		reader = strings.NewReader(body)
	}
	params := map[string]any{"uploadId": upload.UploadID}
	response, err := w.bucket.Do("POST", upload.Key, params, options, reader, nil)
	if err == nil {
		response.Body.Close()
	}
	return err
}

func (w *world) completeAll() {
	const key = "mp/all"
	upload, parts, contents := w.upload(key, []int{PartSize, PartSize, 3})
	_, err := w.bucket.CompleteMultipartUpload(upload, parts, oss.SetHeader("X-Oss-Complete-All", "yes"))
	w.refused(err, 400, "InvalidArgument") // a list beside the header
	w.refused(w.post(upload, "", oss.SetHeader("X-Oss-Complete-All", "no")), 400, "InvalidArgument")
	Check(w.post(upload, "", oss.SetHeader("X-Oss-Complete-All", "yes")))
	Equal("ETag", Unquote(Must(w.bucket.GetObjectMeta(key)).Get("ETag")), MultipartETag(etagsOf(parts...)...))
	Equal("content", w.get(w.bucket, key), bytes.Join(contents, nil))
}

func (w *world) completeRefused() {
	const key = "mp/refused"
	upload, parts, contents := w.upload(key, []int{PartSize, PartSize - 1, PartSize})
	list := func(parts ...oss.UploadPart) string {
		var body strings.Builder
		for _, p := range parts {
			fmt.Fprintf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", p.PartNumber, p.ETag)
		}
		return "<CompleteMultipartUpload>" + body.String() + "</CompleteMultipartUpload>"
	}
	w.refused(w.post(upload, list(parts[2], parts[0])), 400, "InvalidPartOrder")
	w.refused(w.post(upload, list(parts[0], parts[0])), 400, "InvalidPartOrder")
	w.refused(w.post(upload, list(parts[0], oss.UploadPart{PartNumber: 4, ETag: parts[0].ETag})), 400, "InvalidPart")
	w.refused(w.post(upload, list(oss.UploadPart{PartNumber: 1, ETag: parts[1].ETag})), 400, "InvalidPart")
	w.refused(w.post(upload, list(parts...)), 400, "EntityTooSmall")
	w.refused(w.post(upload, "<Complete"), 400, "MalformedXML")
	w.refused(w.post(upload, ""), 400, "MalformedXML")
	unknown := upload
	unknown.UploadID = strings.Repeat("0", 32)
	w.refused(w.post(unknown, list(parts...)), 404, "NoSuchUpload")
	w.put(w.bucket, key, []byte("exists"))
	_, err := w.bucket.CompleteMultipartUpload(upload, parts[:2], oss.ForbidOverWrite(true))
	w.refused(err, 409, "FileAlreadyExists")
	Equal("the object that must not be overwritten", w.get(w.bucket, key), []byte("exists"))
	Equal("parts are all still there", len(w.listed(upload, 1000)), 3)
	Must(w.bucket.CompleteMultipartUpload(upload, parts[:2])) // the small one is last now
	Equal("content", w.get(w.bucket, key), bytes.Join(contents[:2], nil))
}

func (w *world) completeACL() {
	const key = "mp/acl"
	upload, parts, _ := w.upload(key, []int{10})
	_, err := w.bucket.CompleteMultipartUpload(upload, parts, oss.ObjectACL("public"))
	w.refused(err, 400, "InvalidArgument")
	Must(w.bucket.CompleteMultipartUpload(upload, parts, oss.ObjectACL(oss.ACLPublicRead)))
	Equal("ACL", Must(w.bucket.GetObjectACL(key)).ACL, "public-read")
}

func (w *world) sequential() {
	const key = "mp/sequential"
	upload := Must(w.bucket.InitiateMultipartUpload(key, oss.Sequential()))
	content := Data("first", PartSize)
	first := w.part(upload, 1, content)
	_, err := w.bucket.UploadPart(upload, bytes.NewReader([]byte("3")), 1, 3)
	w.refused(err, 400, "PartNotSequential")
	second := w.part(upload, 2, []byte("second"))
	Must(w.bucket.CompleteMultipartUpload(upload, []oss.UploadPart{first, second}))
	content = append(content, "second"...)
	Equal("Content-MD5", Must(w.bucket.GetObjectDetailedMeta(key)).Get("Content-Md5"), MD5Base64(content))
	Equal("content", w.get(w.bucket, key), content)
}

func (w *world) abort() {
	const key = "mp/abort"
	upload, parts, _ := w.upload(key, []int{PartSize, 5})
	Check(w.bucket.AbortMultipartUpload(upload))
	_, part := w.bucket.UploadPart(upload, bytes.NewReader([]byte("1")), 1, 1)
	_, list := w.bucket.ListUploadedParts(upload)
	_, complete := w.bucket.CompleteMultipartUpload(upload, parts)
	for _, err := range []error{part, list, complete, w.bucket.AbortMultipartUpload(upload)} {
		w.refused(err, 404, "NoSuchUpload")
	}
	Equal("object", w.exists(key), false)
	Equal("uploads", len(Must(w.bucket.ListMultipartUploads(oss.Prefix(key))).Uploads), 0)
}
