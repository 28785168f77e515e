package main

import (
	"bytes"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/credentials"
	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss/signer"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

// upload is an open multipart upload in the shared bucket.
type upload struct{ key, id string }

func (w *world) initiate(request oss.InitiateMultipartUploadRequest) upload {
	request.Bucket = &w.bucket
	result := Must(w.client.InitiateMultipartUpload(w.ctx, &request))
	Equal("result", text(result.Bucket)+"/"+text(result.Key), w.bucket+"/"+text(request.Key))
	return upload{text(request.Key), text(result.UploadId)}
}

// send starts an upload and sends parts 1, 2, ... of these sizes.
func (w *world) send(key string, sizes ...int) (upload, []oss.UploadPart, [][]byte) {
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: &key})
	parts, contents := w.sendParts(u, sizes...)
	return u, parts, contents
}

func (w *world) sendParts(u upload, sizes ...int) (parts []oss.UploadPart, contents [][]byte) {
	for i, size := range sizes {
		content := Data(fmt.Sprint(u.key, i), size)
		parts = append(parts, Must(w.part(u, i+1, content)))
		Equal("ETag of the part", etag(parts[i].ETag), MD5Hex(content))
		contents = append(contents, content)
	}
	return parts, contents
}

func (w *world) part(u upload, number int, content []byte, digest ...string) (oss.UploadPart, error) {
	request := &oss.UploadPartRequest{Bucket: &w.bucket, Key: &u.key, UploadId: &u.id, PartNumber: int32(number), Body: bytesOf(content)}
	if len(digest) > 0 {
		request.ContentMD5 = &digest[0]
	}
	result, err := w.client.UploadPart(w.ctx, request)
	if err != nil {
		return oss.UploadPart{}, err
	}
	Equal("Content-MD5", text(result.ContentMD5), MD5Base64(content))
	return oss.UploadPart{PartNumber: int32(number), ETag: result.ETag}, nil
}

func (w *world) finish(u upload, parts []oss.UploadPart, change ...func(*oss.CompleteMultipartUploadRequest)) (*oss.CompleteMultipartUploadResult, error) {
	request := &oss.CompleteMultipartUploadRequest{Bucket: &w.bucket, Key: &u.key, UploadId: &u.id,
		CompleteMultipartUpload: &oss.CompleteMultipartUpload{Parts: parts}}
	for _, f := range change {
		f(request)
	}
	return w.client.CompleteMultipartUpload(w.ctx, request)
}

func (w *world) cancel(u upload) error {
	_, err := w.client.AbortMultipartUpload(w.ctx, &oss.AbortMultipartUploadRequest{Bucket: &w.bucket, Key: &u.key, UploadId: &u.id})
	return err
}

func etagsOf(parts ...oss.UploadPart) (etags []string) {
	for _, part := range parts {
		etags = append(etags, etag(part.ETag))
	}
	return etags
}

// listed returns the entries of all parts of an upload, page by page.
func (w *world) listed(u upload, size int32) (parts []string) {
	pages := w.client.NewListPartsPaginator(&oss.ListPartsRequest{Bucket: &w.bucket, Key: &u.key, UploadId: &u.id, MaxParts: size})
	for pages.HasNext() {
		page := Must(pages.NextPage(w.ctx))
		Equal("key", text(page.Key), u.key)
		True(len(page.Parts) <= int(size), "page is too long")
		for _, p := range page.Parts {
			parts = append(parts, Entry(int(p.PartNumber), text(p.ETag), p.Size))
			True(text(p.HashCRC64) != "", "part has no CRC")
			True(time.Since(oss.ToTime(p.LastModified)).Abs() < 15*time.Minute, "last modified is not now")
			Equal("next marker", page.NextPartNumberMarker, page.Parts[len(page.Parts)-1].PartNumber)
		}
	}
	return parts
}

func (w *world) openUploads(prefix string) int {
	return len(Must(w.client.ListMultipartUploads(w.ctx, &oss.ListMultipartUploadsRequest{Bucket: &w.bucket, Prefix: &prefix})).Uploads)
}

func (w *world) initiateHeaders() {
	key := "mp/headers"
	const expires = "Fri, 28 Feb 2042 05:38:42 GMT"
	metadata := map[string]string{"a": "1", "long": strings.Repeat("v", 2000)}
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: &key, CacheControl: oss.Ptr("no-store"),
		ContentDisposition: oss.Ptr("attachment; filename=x"), ContentEncoding: oss.Ptr("identity"), Expires: oss.Ptr(expires),
		ContentType: oss.Ptr("text/markdown"), Metadata: metadata, StorageClass: oss.StorageClassIA,
		Tagging: oss.Ptr("k1=v1&k2=v%202"), ForbidOverwrite: oss.Ptr("true")})
	parts, contents := w.sendParts(u, PartSize, 10)
	result := Must(w.finish(u, parts))
	Equal("result", []string{etag(result.ETag), text(result.Bucket), text(result.Key)},
		[]string{MultipartETag(etagsOf(parts...)...), w.bucket, key})
	head := w.head(key)
	Equal("head", []string{text(head.ObjectType), text(head.CacheControl), text(head.ContentDisposition), text(head.ContentEncoding),
		text(head.Expires), text(head.ContentType), text(head.StorageClass)},
		[]string{"Multipart", "no-store", "attachment; filename=x", "identity", expires, "text/markdown", "IA"})
	Equal("metadata", head.Metadata, metadata)
	Equal("tag count", head.TaggingCount, 2)
	Equal("tags", w.tags(key), map[string]string{"k1": "v1", "k2": "v 2"})
	Equal("content", w.get(w.bucket, key), bytes.Join(contents, nil))
	_, err := w.client.InitiateMultipartUpload(w.ctx, &oss.InitiateMultipartUploadRequest{Bucket: &w.bucket, Key: &key, ForbidOverwrite: oss.Ptr("true")})
	w.refused(err, 409, "FileAlreadyExists")

	request := oss.InitiateMultipartUploadRequest{Key: oss.Ptr("mp/two")}
	first, second := w.initiate(request), w.initiate(request)
	True(first.id != second.id, "two uploads share an ID")
	Check(w.cancel(first))
	Must(w.part(second, 1, []byte("1"))) // the other one goes on
	Check(w.cancel(second))
}

func (w *world) uploadPart() {
	key := "mp/part"
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: &key})
	before, after := Data("old", PartSize), Data("new", PartSize+5)
	Must(w.part(u, 1, before))
	first := Must(w.part(u, 1, after, MD5Base64(after)))
	for _, digest := range []string{MD5Base64(after), "not base64"} {
		_, err := w.part(u, 1, before, digest)
		w.refused(err, 400, "InvalidDigest")
	}
	for _, number := range []int{-1, 10001} {
		_, err := w.part(u, number, []byte("1"))
		w.refused(err, 400, "InvalidArgument")
	}
	for _, u := range []upload{{key, strings.Repeat("0", 32)}, {key + "x", u.id}} {
		_, err := w.part(u, 1, []byte("1"))
		w.refused(err, 404, "NoSuchUpload")
	}
	last := Must(w.part(u, 10000, []byte("end")))
	Equal("parts", w.listed(u, 1000), []string{Entry(1, MD5Hex(after), PartSize+5), Entry(10000, MD5Hex([]byte("end")), 3)})
	Must(w.finish(u, []oss.UploadPart{first, last}))
	Equal("content", w.get(w.bucket, key), append(after, "end"...))
}

func (w *world) uploadPartCopy() {
	key, source := "mp/copied", oss.Ptr("mp/source +中")
	content := Data("source", 3*PartSize)
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: source, Body: bytesOf(content), Metadata: map[string]string{"a": "1"}}))
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: &key})
	copied := func(request oss.UploadPartCopyRequest) (string, error) {
		request.Bucket, request.Key = &w.bucket, &key
		if request.UploadId == nil {
			request.UploadId = &u.id
		}
		if request.SourceKey == nil {
			request.SourceKey = source
		}
		result, err := w.client.UploadPartCopy(w.ctx, &request)
		if err != nil {
			return "", err
		}
		return etag(result.ETag), nil
	}
	var parts []oss.UploadPart
	for i := range 3 {
		slice := fmt.Sprintf("bytes=%d-%d", i*PartSize, (i+1)*PartSize-1)
		md5 := Must(copied(oss.UploadPartCopyRequest{PartNumber: int32(i + 1), Range: &slice}))
		Equal("ETag", md5, MD5Hex(content[i*PartSize:(i+1)*PartSize]))
		parts = append(parts, oss.UploadPart{PartNumber: int32(i + 1), ETag: &md5})
	}
	whole := oss.Ptr(MD5Hex(content))
	Equal("ETag of the whole source", Must(copied(oss.UploadPartCopyRequest{PartNumber: 4})), *whole)
	beyond := oss.Ptr(fmt.Sprintf("bytes=5-%d", 4*PartSize))
	Equal("ETag with a range that leaves the source", Must(copied(oss.UploadPartCopyRequest{PartNumber: 5, Range: beyond})), *whole)
	Must(copied(oss.UploadPartCopyRequest{PartNumber: 6, IfMatch: whole}))
	for _, c := range []struct {
		request oss.UploadPartCopyRequest
		status  int
		code    string
	}{
		{oss.UploadPartCopyRequest{PartNumber: 6, IfMatch: oss.Ptr("0")}, 412, "PreconditionFailed"},
		{oss.UploadPartCopyRequest{PartNumber: 6, SourceKey: oss.Ptr("mp/none")}, 404, "NoSuchKey"},
		{oss.UploadPartCopyRequest{PartNumber: 6, UploadId: oss.Ptr(strings.Repeat("0", 32))}, 404, "NoSuchUpload"},
	} {
		_, err := copied(c.request)
		w.refused(err, c.status, c.code)
	}
	Must(w.finish(u, parts))
	Equal("content", w.get(w.bucket, key), content)
	Equal("metadata of the source", len(w.head(key).Metadata), 0)
}

func (w *world) listParts() {
	key := "mp/parts"
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: &key})
	Equal("no parts", len(w.listed(u, 1000)), 0)
	var want []string
	for _, number := range []int{1, 2, 7, 100, 10000} {
		want = append(want, Entry(number, MD5Hex(Data(fmt.Sprint(number), number)), int64(number)))
	}
	for _, number := range []int{10000, 7, 100, 2, 1} {
		Must(w.part(u, number, Data(fmt.Sprint(number), number)))
	}
	for _, size := range []int32{1, 2, 1000} {
		Equal("parts", w.listed(u, size), want)
	}
	page := Must(w.client.ListParts(w.ctx, &oss.ListPartsRequest{Bucket: &w.bucket, Key: &key, UploadId: &u.id, PartNumberMarker: 7}))
	Equal("from a marker", len(page.Parts), 2)
	Equal("markers", []any{page.PartNumberMarker, page.NextPartNumberMarker, page.IsTruncated}, []any{int32(7), int32(10000), false})
	_, err := w.client.ListParts(w.ctx, &oss.ListPartsRequest{Bucket: &w.bucket, Key: &key, UploadId: &u.id, MaxParts: 1001})
	w.refused(err, 400, "InvalidArgument")
	Check(w.cancel(u))
	_, err = w.client.ListParts(w.ctx, &oss.ListPartsRequest{Bucket: &w.bucket, Key: &key, UploadId: &u.id})
	w.refused(err, 404, "NoSuchUpload")
}

func (w *world) listMultipartUploads() {
	bucket := w.create("uploads")
	var want []string
	for _, key := range []string{"a", "b", "b", "b", "dir/1", "dir/2", "e +中"} {
		result := Must(w.client.InitiateMultipartUpload(w.ctx, &oss.InitiateMultipartUploadRequest{Bucket: &bucket, Key: &key}))
		want = append(want, key+"\t"+text(result.UploadId))
	}
	sort.Strings(want)
	walk := func(request oss.ListMultipartUploadsRequest) (uploads []string) {
		request.Bucket = &bucket
		pages := w.client.NewListMultipartUploadsPaginator(&request)
		for pages.HasNext() {
			page := Must(pages.NextPage(w.ctx))
			True(request.MaxUploads == 0 || len(page.Uploads) <= int(request.MaxUploads), "page is too long")
			for _, u := range page.Uploads {
				uploads = append(uploads, text(u.Key)+"\t"+text(u.UploadId))
				True(time.Since(oss.ToTime(u.Initiated)).Abs() < 15*time.Minute, "initiation date is not now")
			}
		}
		return uploads
	}
	for _, size := range []int32{1, 2, 3, 1000} {
		Equal("uploads", walk(oss.ListMultipartUploadsRequest{MaxUploads: size}), want)
		Equal("uploads with prefix", walk(oss.ListMultipartUploadsRequest{MaxUploads: size, Prefix: oss.Ptr("dir/")}), want[4:6])
		// The SDK does not show the common prefixes of this listing.
		Equal("uploads with delimiter", walk(oss.ListMultipartUploadsRequest{MaxUploads: size, Delimiter: oss.Ptr("/")}),
			[]string{want[0], want[1], want[2], want[3], want[6]})
	}
	Equal("uploads after a key marker", walk(oss.ListMultipartUploadsRequest{KeyMarker: oss.Ptr("b")}), want[4:])
	for _, entry := range want {
		key, id, _ := strings.Cut(entry, "\t")
		Must(w.client.AbortMultipartUpload(w.ctx, &oss.AbortMultipartUploadRequest{Bucket: &bucket, Key: &key, UploadId: &id}))
	}
	Equal("uploads after abort", len(walk(oss.ListMultipartUploadsRequest{})), 0)
	Check(w.deleteBucket(bucket))
}

func (w *world) complete() {
	const key = "mp/complete"
	w.put(key, []byte("before"))
	u, parts, contents := w.send(key, PartSize, PartSize+1, PartSize, 7)
	Equal("content until the upload is complete", w.get(w.bucket, key), []byte("before"))
	chosen := []oss.UploadPart{parts[1], parts[3]} // gaps are fine; what is not listed is dropped
	result := Must(w.finish(u, chosen))
	Equal("ETag", etag(result.ETag), MultipartETag(etagsOf(chosen...)...))
	True(strings.HasSuffix(text(result.Location), "/"+key), "location: "+text(result.Location))
	content := append(bytes.Clone(contents[1]), contents[3]...)
	Equal("content", w.get(w.bucket, key), content)
	head := w.head(key)
	Equal("head", []string{text(head.ObjectType), text(head.ETag), text(head.HashCRC64), text(head.ContentMD5)},
		[]string{"Multipart", text(result.ETag), text(result.HashCRC64), ""})
	entry := Must(w.client.ListObjects(w.ctx, &oss.ListObjectsRequest{Bucket: &w.bucket, Prefix: oss.Ptr(key)})).Contents[0]
	Equal("listed", []any{text(entry.Type), text(entry.ETag), entry.Size}, []any{"Multipart", text(result.ETag), int64(len(content))})
	again := Must(w.finish(u, chosen)) // as after a lost answer
	Equal("the same list again", text(again.ETag)+text(again.HashCRC64), text(result.ETag)+text(result.HashCRC64))
	_, err := w.finish(u, parts)
	w.refused(err, 404, "NoSuchUpload")
	_, err = w.part(u, 1, []byte("1"))
	w.refused(err, 404, "NoSuchUpload")
	w.refused(w.cancel(u), 404, "NoSuchUpload")
}

func (w *world) completeAll() {
	const key = "mp/all"
	u, parts, contents := w.send(key, PartSize, PartSize, 3)
	all := func(value string, list bool) func(*oss.CompleteMultipartUploadRequest) {
		return func(r *oss.CompleteMultipartUploadRequest) {
			r.CompleteAll = &value
			if !list {
				r.CompleteMultipartUpload = nil
			}
		}
	}
	_, err := w.finish(u, parts, all("yes", true))
	w.refused(err, 400, "InvalidArgument")
	_, err = w.finish(u, nil, all("no", false))
	w.refused(err, 400, "InvalidArgument")
	result := Must(w.finish(u, nil, all("yes", false)))
	Equal("ETag", etag(result.ETag), MultipartETag(etagsOf(parts...)...))
	Equal("content", w.get(w.bucket, key), bytes.Join(contents, nil))
}

func (w *world) completeRefused() {
	const key = "mp/refused"
	u, parts, contents := w.send(key, PartSize, PartSize-1, PartSize)
	// The SDK sorts what it is given, so the list is written here.
	post := func(body string) error {
		input := &oss.OperationInput{OpName: "CompleteMultipartUpload", Method: "POST", Bucket: &w.bucket, Key: &u.key,
			Parameters: map[string]string{"uploadId": u.id}}
		if body != "" {
			input.Body = strings.NewReader(body)
		}
		input.OpMetadata.Set(signer.SubResource, []string{"uploadId"})
		_, err := w.client.InvokeOperation(w.ctx, input)
		return err
	}
	list := func(parts ...oss.UploadPart) string {
		var body strings.Builder
		for _, p := range parts {
			fmt.Fprintf(&body, "<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>", p.PartNumber, text(p.ETag))
		}
		return "<CompleteMultipartUpload>" + body.String() + "</CompleteMultipartUpload>"
	}
	for _, c := range []struct{ body, code string }{
		{list(parts[2], parts[0]), "InvalidPartOrder"},
		{list(parts[0], parts[0]), "InvalidPartOrder"},
		{list(parts[0], oss.UploadPart{PartNumber: 4, ETag: parts[0].ETag}), "InvalidPart"},
		{list(oss.UploadPart{PartNumber: 1, ETag: parts[1].ETag}), "InvalidPart"},
		{list(parts...), "EntityTooSmall"},
		{"<Complete", "MalformedXML"},
		{"", "MalformedXML"},
	} {
		w.refused(post(c.body), 400, c.code)
	}
	_, err := w.finish(upload{key, strings.Repeat("0", 32)}, parts)
	w.refused(err, 404, "NoSuchUpload")
	w.put(key, []byte("exists"))
	_, err = w.finish(u, parts[:2], func(r *oss.CompleteMultipartUploadRequest) { r.ForbidOverwrite = oss.Ptr("true") })
	w.refused(err, 409, "FileAlreadyExists")
	Equal("the object that must not be overwritten", w.get(w.bucket, key), []byte("exists"))
	Equal("parts are all still there", len(w.listed(u, 1000)), 3)
	Must(w.finish(u, parts[:2])) // the small one is last now
	Equal("content", w.get(w.bucket, key), bytes.Join(contents[:2], nil))
}

func (w *world) completeACL() {
	const key = "mp/acl"
	u, parts, contents := w.send(key, 10)
	_, err := w.finish(u, parts, func(r *oss.CompleteMultipartUploadRequest) { r.Acl = "public" })
	w.refused(err, 400, "InvalidArgument")
	Must(w.finish(u, parts, func(r *oss.CompleteMultipartUploadRequest) { r.Acl = oss.ObjectACLPublicRead }))
	acl := Must(w.client.GetObjectAcl(w.ctx, &oss.GetObjectAclRequest{Bucket: &w.bucket, Key: oss.Ptr(key)}))
	Equal("ACL", text(acl.ACL), "public-read")
	anonymous := w.connect(credentials.NewAnonymousCredentialsProvider(), w.options.Region)
	got := w.read(anonymous.GetObject(w.ctx, &oss.GetObjectRequest{Bucket: &w.bucket, Key: oss.Ptr(key)}))
	Equal("anonymous read", got, contents[0])
}

func (w *world) sequential() {
	key := "mp/sequential"
	u := w.initiate(oss.InitiateMultipartUploadRequest{Key: &key,
		RequestCommon: oss.RequestCommon{Parameters: map[string]string{"sequential": ""}}})
	content := Data("first", PartSize)
	first := Must(w.part(u, 1, content))
	_, err := w.part(u, 3, []byte("third"))
	w.refused(err, 400, "PartNotSequential")
	second := Must(w.part(u, 2, []byte("second")))
	Must(w.finish(u, []oss.UploadPart{first, second}))
	content = append(content, "second"...)
	Equal("Content-MD5", text(w.head(key).ContentMD5), MD5Base64(content))
	Equal("content", w.get(w.bucket, key), content)
}

func (w *world) abort() {
	const key = "mp/abort"
	u, parts, _ := w.send(key, PartSize, 5)
	Check(w.cancel(u))
	_, part := w.part(u, 1, []byte("1"))
	_, list := w.client.ListParts(w.ctx, &oss.ListPartsRequest{Bucket: &w.bucket, Key: oss.Ptr(key), UploadId: &u.id})
	_, complete := w.finish(u, parts)
	for _, err := range []error{part, list, complete, w.cancel(u)} {
		w.refused(err, 404, "NoSuchUpload")
	}
	Equal("object", w.exists(key), false)
	Equal("uploads", w.openUploads(key), 0)
}
