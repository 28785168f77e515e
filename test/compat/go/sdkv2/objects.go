package main

import (
	"bytes"
	"io"
	"sort"
	"strings"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func bytesOf(content []byte) io.Reader { return bytes.NewReader(content) }

func deleting(bucket string, keys ...string) *oss.DeleteMultipleObjectsRequest {
	request := &oss.DeleteMultipleObjectsRequest{Bucket: &bucket}
	for _, key := range keys {
		request.Objects = append(request.Objects, oss.DeleteObject{Key: oss.Ptr(key)})
	}
	return request
}

func (w *world) putGetHeadDelete() {
	content := Data("life", 70000)
	key := oss.Ptr("life.txt")
	const expires = "Fri, 28 Feb 2042 05:38:42 GMT"
	result := Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Body: bytesOf(content),
		Metadata: map[string]string{"Author": "foo@bar.com"}, CacheControl: oss.Ptr("no-cache"),
		ContentDisposition: oss.Ptr("attachment"), ContentEncoding: oss.Ptr("identity"), Expires: oss.Ptr(expires),
		StorageClass: oss.StorageClassIA}))
	Equal("answer", etag(result.ETag)+" "+text(result.ContentMD5), MD5Hex(content)+" "+MD5Base64(content))
	head := w.head(*key)
	Equal("head", []string{etag(head.ETag), text(head.ObjectType), text(head.ContentType), head.Metadata["author"],
		text(head.CacheControl), text(head.ContentDisposition), text(head.ContentEncoding), text(head.Expires),
		text(head.StorageClass), text(head.HashCRC64), text(head.ContentMD5)},
		[]string{MD5Hex(content), "Normal", "text/plain", "foo@bar.com", "no-cache", "attachment", "identity", expires, "IA",
			text(result.HashCRC64), MD5Base64(content)})
	Equal("length", head.ContentLength, 70000)
	True(time.Since(oss.ToTime(head.LastModified)).Abs() < 15*time.Minute, "last modified is not now")
	Equal("content", w.get(w.bucket, *key), content)
	meta := Must(w.client.GetObjectMeta(w.ctx, &oss.GetObjectMetaRequest{Bucket: &w.bucket, Key: key}))
	Equal("object meta", []any{meta.ContentLength, etag(meta.ETag)}, []any{int64(70000), MD5Hex(content)})
	Equal("exists", w.exists(*key), true)

	w.put(*key, nil) // an overwrite forgets the old metadata
	head = w.head(*key)
	Equal("overwritten", []any{head.ContentLength, len(head.Metadata)}, []any{int64(0), 0})
	Equal("empty content", w.get(w.bucket, *key), []byte{})
	// A reader of unknown length goes out in chunked coding.
	stream := oss.Ptr("stream.bin")
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: stream,
		Body: io.MultiReader(bytesOf(content[:1000]), bytesOf(content[1000:]))}))
	Equal("chunked content", w.get(w.bucket, *stream), content)

	for range 2 {
		deleted := Must(w.client.DeleteObject(w.ctx, &oss.DeleteObjectRequest{Bucket: &w.bucket, Key: key}))
		Equal("status of delete", deleted.StatusCode, 204)
	}
	Equal("exists after delete", w.exists(*key), false)
	_, err := w.client.GetObject(w.ctx, &oss.GetObjectRequest{Bucket: &w.bucket, Key: key})
	w.refused(err, 404, "NoSuchKey")
	_, err = w.client.HeadObject(w.ctx, &oss.HeadObjectRequest{Bucket: &w.bucket, Key: key})
	w.refused(err, 404, "NoSuchKey")
	_, err = w.client.GetObjectMeta(w.ctx, &oss.GetObjectMetaRequest{Bucket: w.name("missing"), Key: key})
	w.refused(err, 404, "NoSuchBucket")
	_, err = w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: stream, ForbidOverwrite: oss.Ptr("true")})
	w.refused(err, 409, "FileAlreadyExists")
	_, err = w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("bad.bin"),
		Body: strings.NewReader("1"), ContentMD5: oss.Ptr(MD5Base64([]byte("2")))})
	w.refused(err, 400, "InvalidDigest")
	Equal("object with a wrong digest", w.exists("bad.bin"), false)
}

func (w *world) ranges() {
	content := Data("range", 1000)
	w.put("range", content)
	get := func(spec, behavior string) (*oss.GetObjectResult, error) {
		request := &oss.GetObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("range"), Range: oss.Ptr("bytes=" + spec)}
		if behavior != "" {
			request.RangeBehavior = &behavior
		}
		return w.client.GetObject(w.ctx, request)
	}
	slice := Must(get("100-199", ""))
	Equal("Content-Range", text(slice.ContentRange), "bytes 100-199/1000")
	Equal("status", slice.StatusCode, 206)
	Equal("range", w.read(slice, nil), content[100:200])
	for spec, want := range map[string][]byte{
		"500-": content[500:], "-200": content[800:], "0-0": content[:1],
		"500-2000": content, "1000-1500": content, "-2000": content, // out of bounds: the whole object
	} {
		Equal("range "+spec, w.read(get(spec, "")), want)
	}
	Equal("clipped range", w.read(get("500-2000", "standard")), content[500:])
	_, err := get("1000-1500", "standard")
	w.refused(err, 416, "InvalidRange")
}

func (w *world) conditions() {
	md5 := etag(w.put("cond", []byte("content")).ETag)
	type condition struct{ match, noneMatch, modifiedSince, unmodifiedSince *string }
	key := oss.Ptr("cond")
	for _, ask := range []func(c condition) error{
		func(c condition) error {
			result, err := w.client.GetObject(w.ctx, &oss.GetObjectRequest{Bucket: &w.bucket, Key: key, IfMatch: c.match,
				IfNoneMatch: c.noneMatch, IfModifiedSince: c.modifiedSince, IfUnmodifiedSince: c.unmodifiedSince})
			if err == nil {
				result.Body.Close()
			}
			return err
		},
		func(c condition) error {
			_, err := w.client.HeadObject(w.ctx, &oss.HeadObjectRequest{Bucket: &w.bucket, Key: key, IfMatch: c.match,
				IfNoneMatch: c.noneMatch, IfModifiedSince: c.modifiedSince, IfUnmodifiedSince: c.unmodifiedSince})
			return err
		},
	} {
		longAgo, farAhead := oss.Ptr(LongAgo), oss.Ptr(FarAhead)
		Check(ask(condition{match: &md5}))
		Check(ask(condition{match: oss.Ptr(`"` + md5 + `"`)}))
		Check(ask(condition{noneMatch: oss.Ptr("0"), modifiedSince: longAgo}))
		Check(ask(condition{unmodifiedSince: farAhead}))
		w.refused(ask(condition{noneMatch: &md5}), 304, "")
		now := time.Now().Add(time.Second).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
		w.refused(ask(condition{modifiedSince: &now}), 304, "")
		w.refused(ask(condition{match: oss.Ptr("0")}), 412, "PreconditionFailed")
		w.refused(ask(condition{unmodifiedSince: longAgo}), 412, "PreconditionFailed")
	}
}

func (w *world) copyObject() {
	from, to := oss.Ptr("copy/from +中"), oss.Ptr("copy/to")
	content := Data("copy", 5000)
	put := Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: from, Body: bytesOf(content),
		Metadata: map[string]string{"a": "1"}, ContentType: oss.Ptr("text/css"), Tagging: oss.Ptr("t=1")}))
	result := Must(w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &w.bucket, Key: to, SourceKey: from}))
	Equal("ETag and CRC", text(result.ETag)+text(result.HashCRC64), text(put.ETag)+text(put.HashCRC64))
	head := w.head(*to)
	Equal("copied", []any{text(head.ContentType), head.Metadata["a"], head.ContentLength}, []any{"text/css", "1", int64(5000)})
	Equal("content", w.get(w.bucket, *to), content)
	Equal("copied tags", w.tags(*to), map[string]string{"t": "1"})

	Must(w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &w.bucket, Key: to, SourceKey: from,
		MetadataDirective: oss.Ptr("REPLACE"), Metadata: map[string]string{"b": "2"}, ContentType: oss.Ptr("text/html"),
		TaggingDirective: oss.Ptr("Replace"), Tagging: oss.Ptr("u=2")}))
	head = w.head(*to)
	Equal("replaced", []any{text(head.ContentType), head.Metadata}, []any{"text/html", map[string]string{"b": "2"}})
	Equal("replaced tags", w.tags(*to), map[string]string{"u": "2"})
	Must(w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &w.bucket, Key: to, SourceKey: to, // onto itself
		MetadataDirective: oss.Ptr("REPLACE"), Metadata: map[string]string{"c": "3"}}))
	Equal("updated in place", w.head(*to).Metadata["c"], "3")

	other := w.create("copy")
	Must(w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &other, Key: oss.Ptr("k"), SourceBucket: &w.bucket, SourceKey: from}))
	Equal("content in the other bucket", w.get(other, "k"), content)
	Must(w.client.DeleteMultipleObjects(w.ctx, deleting(other, "k")))
	Check(w.deleteBucket(other))

	target := oss.Ptr("copy/if")
	longAgo, farAhead, md5, zero := oss.Ptr(LongAgo), oss.Ptr(FarAhead), oss.Ptr(MD5Hex(content)), oss.Ptr("0")
	for _, c := range []struct {
		request oss.CopyObjectRequest
		status  int
		code    string
	}{
		{oss.CopyObjectRequest{IfMatch: md5, IfUnmodifiedSince: farAhead}, 200, ""},
		{oss.CopyObjectRequest{IfNoneMatch: zero, IfModifiedSince: longAgo}, 200, ""},
		{oss.CopyObjectRequest{IfMatch: zero}, 412, "PreconditionFailed"},
		{oss.CopyObjectRequest{IfUnmodifiedSince: longAgo}, 412, "PreconditionFailed"},
		{oss.CopyObjectRequest{IfNoneMatch: md5}, 304, ""},
		{oss.CopyObjectRequest{ForbidOverwrite: oss.Ptr("true"), Key: to}, 409, "FileAlreadyExists"},
		{oss.CopyObjectRequest{SourceKey: oss.Ptr("copy/none")}, 404, "NoSuchKey"},
	} {
		request := c.request
		request.Bucket = &w.bucket
		if request.Key == nil {
			request.Key = target
		}
		if request.SourceKey == nil {
			request.SourceKey = from
		}
		_, err := w.client.CopyObject(w.ctx, &request)
		if c.status == 200 {
			Check(err)
			Must(w.client.DeleteObject(w.ctx, &oss.DeleteObjectRequest{Bucket: &w.bucket, Key: target}))
			continue
		}
		w.refused(err, c.status, c.code)
	}
	Equal("target of refused copies", w.exists(*target), false)
}

func (w *world) deleteMultiple() {
	keys := []string{
		"many/0", "many/1", "many/2", "many/<&>\"'", "many/tab\there", "many/line\nfeed", "many/return\r",
		"many/\x01\x02\x1f", "many/\x7f", "many/中 +%41",
	}
	for _, key := range keys {
		w.put(key, []byte("1"))
	}
	sort.Strings(keys)
	list := func() []string {
		return keysOf(Must(w.client.ListObjects(w.ctx, &oss.ListObjectsRequest{Bucket: &w.bucket, Prefix: oss.Ptr("many/")})).Contents)
	}
	remove := func(keys ...string) (deleted []string) {
		for _, d := range Must(w.client.DeleteMultipleObjects(w.ctx, deleting(w.bucket, keys...))).DeletedObjects {
			deleted = append(deleted, text(d.Key))
		}
		sort.Strings(deleted)
		return deleted
	}
	Equal("listed", list(), keys)
	Equal("deleted", remove("many/0", "many/missing"), []string{"many/0", "many/missing"})
	Equal("deleted", remove(keys...), keys)
	Equal("left", len(list()), 0)
	w.put("many/quiet", []byte("1"))
	request := deleting(w.bucket, "many/quiet")
	request.Quiet = true
	Equal("quiet answer", len(Must(w.client.DeleteMultipleObjects(w.ctx, request)).DeletedObjects), 0)
	Equal("exists after a quiet delete", w.exists("many/quiet"), false)
}

func (w *world) objectACL() {
	key := oss.Ptr("acl")
	acl := func() string {
		return text(Must(w.client.GetObjectAcl(w.ctx, &oss.GetObjectAclRequest{Bucket: &w.bucket, Key: key})).ACL)
	}
	w.put(*key, []byte("1"))
	Equal("ACL unset", acl(), "default")
	for _, value := range []oss.ObjectACLType{oss.ObjectACLPrivate, oss.ObjectACLPublicRead, oss.ObjectACLPublicReadWrite, oss.ObjectACLDefault} {
		Must(w.client.PutObjectAcl(w.ctx, &oss.PutObjectAclRequest{Bucket: &w.bucket, Key: key, Acl: value}))
		Equal("ACL", acl(), string(value))
	}
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Acl: oss.ObjectACLPublicRead}))
	Equal("ACL at put", acl(), "public-read")
	w.put(*key, []byte("1"))
	Equal("ACL after an overwrite", acl(), "default")
	_, err := w.client.PutObjectAcl(w.ctx, &oss.PutObjectAclRequest{Bucket: &w.bucket, Key: key, Acl: "public"})
	w.refused(err, 400, "InvalidArgument")
	_, err = w.client.GetObjectAcl(w.ctx, &oss.GetObjectAclRequest{Bucket: &w.bucket, Key: oss.Ptr("acl/none")})
	w.refused(err, 404, "NoSuchKey")
}

func (w *world) tags(key string) map[string]string {
	tags := map[string]string{}
	for _, tag := range Must(w.client.GetObjectTagging(w.ctx, &oss.GetObjectTaggingRequest{Bucket: &w.bucket, Key: &key})).Tags {
		tags[text(tag.Key)] = text(tag.Value)
	}
	return tags
}

func (w *world) objectTagging() {
	key := oss.Ptr("tags")
	set := func(pairs ...string) {
		tags := &oss.TagSet{}
		for i := 0; i < len(pairs); i += 2 {
			tags.Tags = append(tags.Tags, oss.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
		Must(w.client.PutObjectTagging(w.ctx, &oss.PutObjectTaggingRequest{Bucket: &w.bucket, Key: key, Tagging: &oss.Tagging{TagSet: tags}}))
	}
	w.put(*key, []byte("1"))
	Equal("tags unset", w.tags(*key), map[string]string{})
	set("k1", "v1", "k 2", "a+b-c=d._:/", "k3", "")
	Equal("tags", w.tags(*key), map[string]string{"k1": "v1", "k 2": "a+b-c=d._:/", "k3": ""})
	Equal("count in head", w.head(*key).TaggingCount, 3)
	set("only", "one")
	Equal("replaced tags", w.tags(*key), map[string]string{"only": "one"})
	Must(w.client.DeleteObjectTagging(w.ctx, &oss.DeleteObjectTaggingRequest{Bucket: &w.bucket, Key: key}))
	Equal("deleted tags", w.tags(*key), map[string]string{})
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: key, Tagging: oss.Ptr("a=1&b%20c=%2B")}))
	Equal("tags at put", w.tags(*key), map[string]string{"a": "1", "b c": "+"})
	_, err := w.client.GetObjectTagging(w.ctx, &oss.GetObjectTaggingRequest{Bucket: &w.bucket, Key: oss.Ptr("tags/none")})
	w.refused(err, 404, "NoSuchKey")
}

func (w *world) storageClassesAndRestore() {
	for class, days := range map[oss.StorageClassType]int32{
		oss.StorageClassArchive: 3, oss.StorageClassColdArchive: 300, oss.StorageClassDeepColdArchive: 1,
	} {
		key := "restore/" + string(class)
		copyTo := func(class oss.StorageClassType) error {
			_, err := w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &w.bucket, Key: &key, SourceKey: &key, StorageClass: class})
			return err
		}
		restore := func(request *oss.RestoreRequest) (*oss.RestoreObjectResult, error) {
			return w.client.RestoreObject(w.ctx, &oss.RestoreObjectRequest{Bucket: &w.bucket, Key: &key, RestoreRequest: request})
		}
		Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: &key, Body: bytesOf([]byte("frozen")), StorageClass: class}))
		Equal("head", text(w.head(key).StorageClass)+text(w.head(key).Restore), string(class))
		_, err := w.client.GetObject(w.ctx, &oss.GetObjectRequest{Bucket: &w.bucket, Key: &key})
		w.refused(err, 403, "InvalidObjectState")
		w.refused(copyTo(oss.StorageClassStandard), 403, "InvalidObjectState")

		request := &oss.RestoreRequest{Days: days}
		if class != oss.StorageClassArchive {
			request.JobParameters = &oss.JobParameters{Tier: oss.Ptr("Bulk")}
		}
		result := Must(restore(request))
		Equal("status of the first restore", result.StatusCode, 202)
		if class != oss.StorageClassArchive {
			Equal("priority", text(result.RestorePriority), "Bulk")
		}
		restored := text(w.head(key).Restore)
		True(strings.HasPrefix(restored, `ongoing-request="false", expiry-date="`), "restored: "+restored)
		listed := Must(w.client.ListObjectsV2(w.ctx, &oss.ListObjectsV2Request{Bucket: &w.bucket, Prefix: &key})).Contents[0]
		Equal("in listing", text(listed.StorageClass)+text(listed.RestoreInfo), string(class)+restored)
		Equal("content", w.get(w.bucket, key), []byte("frozen"))
		Equal("status of the second restore", Must(restore(nil)).StatusCode, 200)
		Check(copyTo(oss.StorageClassIA))
		Equal("head of a copy", text(w.head(key).StorageClass)+text(w.head(key).Restore), "IA")
		_, err = restore(nil)
		w.refused(err, 400, "OperationNotSupported")
	}
	_, err := w.client.RestoreObject(w.ctx, &oss.RestoreObjectRequest{Bucket: &w.bucket, Key: oss.Ptr("restore/none")})
	w.refused(err, 404, "NoSuchKey")
}

func (w *world) awkwardKeys() {
	bucket := w.create("keys")
	keys := AwkwardKeys()
	for _, key := range keys {
		Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &bucket, Key: &key, Body: bytesOf(Data(key, 100))}))
	}
	for _, key := range keys {
		Equal("content of "+key, w.get(bucket, key), Data(key, 100))
		head := Must(w.client.HeadObject(w.ctx, &oss.HeadObjectRequest{Bucket: &bucket, Key: &key}))
		Equal("length of "+key, head.ContentLength, 100)
	}
	sort.Strings(keys)
	var listed []string
	pages := w.client.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: &bucket, MaxKeys: 4})
	for pages.HasNext() {
		listed = append(listed, keysOf(Must(pages.NextPage(w.ctx)).Contents)...)
	}
	Equal("listing", listed, keys)
	for _, key := range keys {
		Must(w.client.CopyObject(w.ctx, &oss.CopyObjectRequest{Bucket: &bucket, Key: oss.Ptr("copy"), SourceKey: &key}))
		Equal("copy of "+key, w.get(bucket, "copy"), Data(key, 100))
		upload := Must(w.client.InitiateMultipartUpload(w.ctx, &oss.InitiateMultipartUploadRequest{Bucket: &bucket, Key: &key}))
		Equal("key of the upload", text(upload.Key), key)
		uploads := Must(w.client.ListMultipartUploads(w.ctx, &oss.ListMultipartUploadsRequest{Bucket: &bucket, Prefix: &key})).Uploads
		Equal("uploads of "+key, len(uploads), 1)
		Equal("listed key", text(uploads[0].Key), key)
		part := Must(w.client.UploadPart(w.ctx, &oss.UploadPartRequest{Bucket: &bucket, Key: &key, UploadId: upload.UploadId,
			PartNumber: 1, Body: strings.NewReader("part")}))
		result := Must(w.client.CompleteMultipartUpload(w.ctx, &oss.CompleteMultipartUploadRequest{Bucket: &bucket, Key: &key,
			UploadId: upload.UploadId, CompleteMultipartUpload: &oss.CompleteMultipartUpload{
				Parts: []oss.UploadPart{{PartNumber: 1, ETag: part.ETag}}}}))
		Equal("key of the result", text(result.Key), key)
		Equal("multipart content of "+key, w.get(bucket, key), []byte("part"))
	}
	deleted := Must(w.client.DeleteMultipleObjects(w.ctx, deleting(bucket, append(keys, "copy")...))).DeletedObjects
	Equal("deleted", len(deleted), len(keys)+1)
	Check(w.deleteBucket(bucket))
	for _, key := range []string{"/k", strings.Repeat("k", 1024)} {
		_, err := w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &w.bucket, Key: &key})
		w.refused(err, 400, "InvalidObjectName")
	}
}
