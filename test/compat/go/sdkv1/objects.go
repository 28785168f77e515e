package main

import (
	"bytes"
	"io"
	"net/http"
	"sort"
	"strings"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) putGetHeadDelete() {
	content := Data("life", 70000)
	expires := time.Date(2042, 2, 28, 5, 38, 42, 0, time.UTC)
	w.put(w.bucket, "life.txt", content, oss.Meta("Author", "foo@bar.com"), oss.CacheControl("no-cache"),
		oss.ContentDisposition("attachment"), oss.ContentEncoding("identity"), oss.Expires(expires),
		oss.ObjectStorageClass(oss.StorageIA))
	head := Must(w.bucket.GetObjectDetailedMeta("life.txt"))
	for name, value := range map[string]string{
		"Content-Length": "70000", "ETag": `"` + MD5Hex(content) + `"`, "X-Oss-Object-Type": "Normal",
		"Content-Type": "text/plain", "X-Oss-Meta-Author": "foo@bar.com", "Cache-Control": "no-cache",
		"Content-Disposition": "attachment", "Content-Encoding": "identity", "Expires": expires.Format(http.TimeFormat),
		"X-Oss-Storage-Class": "IA", "Accept-Ranges": "bytes",
	} {
		Equal(name, head.Get(name), value)
	}
	Equal("content", w.get(w.bucket, "life.txt"), content)
	meta := Must(w.bucket.GetObjectMeta("life.txt"))
	Equal("length in object meta", meta.Get("Content-Length"), "70000")
	Equal("ETag in object meta", meta.Get("ETag"), `"`+MD5Hex(content)+`"`)
	Equal("exists", w.exists("life.txt"), true)

	w.put(w.bucket, "life.txt", nil) // an overwrite forgets the old metadata
	head = Must(w.bucket.GetObjectDetailedMeta("life.txt"))
	Equal("overwritten", head.Get("Content-Length")+head.Get("X-Oss-Meta-Author"), "0")
	Equal("empty content", w.get(w.bucket, "life.txt"), []byte{})
	// A reader of unknown length goes out in chunked coding.
	Check(w.bucket.PutObject("stream.bin", io.MultiReader(bytes.NewReader(content[:1000]), bytes.NewReader(content[1000:]))))
	Equal("chunked content", w.get(w.bucket, "stream.bin"), content)

	Check(w.bucket.DeleteObject("life.txt"))
	Check(w.bucket.DeleteObject("life.txt"))
	Equal("exists after delete", w.exists("life.txt"), false)
	_, err := w.bucket.GetObject("life.txt")
	w.refused(err, 404, "NoSuchKey")
	_, err = w.bucket.GetObjectDetailedMeta("life.txt")
	w.refused(err, 404, "NoSuchKey")
	_, err = w.open(w.client, "missing").GetObjectMeta("k")
	w.refused(err, 404, "NoSuchBucket")
	one := bytes.NewReader([]byte("1"))
	w.refused(w.bucket.PutObject("stream.bin", one, oss.ForbidOverWrite(true)), 409, "FileAlreadyExists")
	w.refused(w.bucket.PutObject("bad.bin", one, oss.ContentMD5(MD5Base64([]byte("2")))), 400, "InvalidDigest")
	Equal("object with a wrong digest", w.exists("bad.bin"), false)
}

func (w *world) ranges() {
	content := Data("range", 1000)
	w.put(w.bucket, "range", content)
	var header http.Header
	Equal("range", w.get(w.bucket, "range", oss.Range(100, 199), oss.GetResponseHeader(&header)), content[100:200])
	Equal("Content-Range", header.Get("Content-Range"), "bytes 100-199/1000")
	for spec, want := range map[string][]byte{
		"500-": content[500:], "-200": content[800:], "0-0": content[:1],
		"500-2000": content, "1000-1500": content, "-2000": content, // out of bounds: the whole object
	} {
		Equal("range "+spec, w.get(w.bucket, "range", oss.NormalizedRange(spec)), want)
	}
	standard := oss.RangeBehavior("standard")
	Equal("clipped range", w.get(w.bucket, "range", oss.NormalizedRange("500-2000"), standard), content[500:])
	_, err := w.bucket.GetObject("range", oss.NormalizedRange("1000-1500"), standard)
	w.refused(err, 416, "InvalidRange")
}

func (w *world) conditions() {
	content := []byte("content")
	w.put(w.bucket, "cond", content)
	etag := MD5Hex(content)
	longAgo, farAhead := Must(http.ParseTime(LongAgo)), Must(http.ParseTime(FarAhead))
	for _, ask := range []func(...oss.Option) error{
		func(o ...oss.Option) error {
			body, err := w.bucket.GetObject("cond", o...)
			if err == nil {
				body.Close()
			}
			return err
		},
		func(o ...oss.Option) error { _, err := w.bucket.GetObjectDetailedMeta("cond", o...); return err },
	} {
		for _, option := range []oss.Option{
			oss.IfMatch(etag), oss.IfMatch(`"` + etag + `"`), oss.IfNoneMatch("0"), oss.IfModifiedSince(longAgo),
			oss.IfUnmodifiedSince(farAhead),
		} {
			Check(ask(option))
		}
		w.refused(ask(oss.IfNoneMatch(etag)), 304, "")
		w.refused(ask(oss.IfModifiedSince(time.Now().Add(time.Second))), 304, "")
		w.refused(ask(oss.IfMatch("0")), 412, "PreconditionFailed")
		w.refused(ask(oss.IfUnmodifiedSince(longAgo)), 412, "PreconditionFailed")
	}
}

func (w *world) copyObject() {
	const from, to = "copy/from +中", "copy/to"
	content := Data("copy", 5000)
	w.put(w.bucket, from, content, oss.Meta("a", "1"), oss.ContentType("text/css"),
		oss.SetTagging(oss.Tagging{Tags: []oss.Tag{{Key: "t", Value: "1"}}}))
	etag := MD5Hex(content)
	Equal("ETag", Unquote(Must(w.bucket.CopyObject(from, to)).ETag), etag)
	head := Must(w.bucket.GetObjectDetailedMeta(to))
	Equal("copied", head.Get("Content-Type")+head.Get("X-Oss-Meta-A")+head.Get("Content-Length"), "text/css15000")
	Equal("content", w.get(w.bucket, to), content)
	Equal("copied tags", w.tags(to), map[string]string{"t": "1"})

	Must(w.bucket.CopyObject(from, to, oss.MetadataDirective(oss.MetaReplace), oss.Meta("b", "2"),
		oss.ContentType("text/html"), oss.TaggingDirective(oss.TaggingReplace),
		oss.SetTagging(oss.Tagging{Tags: []oss.Tag{{Key: "u", Value: "2"}}})))
	head = Must(w.bucket.GetObjectDetailedMeta(to))
	Equal("replaced", head.Get("Content-Type")+head.Get("X-Oss-Meta-A")+head.Get("X-Oss-Meta-B"), "text/html2")
	Equal("replaced tags", w.tags(to), map[string]string{"u": "2"})
	Check(w.bucket.SetObjectMeta(to, oss.Meta("c", "3"))) // a copy onto itself
	Equal("updated in place", Must(w.bucket.GetObjectDetailedMeta(to)).Get("X-Oss-Meta-C"), "3")

	other := w.create("copy")
	Must(w.bucket.CopyObjectTo(other.BucketName, "k", from))
	Equal("content in the other bucket", w.get(other, "k"), content)
	Must(other.CopyObjectFrom(w.bucket.BucketName, to, "k2"))
	Equal("content copied from", w.get(other, "k2"), content)
	Must(other.DeleteObjects([]string{"k", "k2"}))
	Check(w.client.DeleteBucket(other.BucketName))

	longAgo, farAhead := Must(http.ParseTime(LongAgo)), Must(http.ParseTime(FarAhead))
	for _, option := range []oss.Option{
		oss.CopySourceIfMatch(etag), oss.CopySourceIfNoneMatch("0"), oss.CopySourceIfModifiedSince(longAgo),
		oss.CopySourceIfUnmodifiedSince(farAhead),
	} {
		Must(w.bucket.CopyObject(from, "copy/if", option))
	}
	Check(w.bucket.DeleteObject("copy/if"))
	for _, c := range []struct {
		source, target string
		option         oss.Option
		status         int
		code           string
	}{
		{from, "copy/if", oss.CopySourceIfMatch("0"), 412, "PreconditionFailed"},
		{from, "copy/if", oss.CopySourceIfUnmodifiedSince(longAgo), 412, "PreconditionFailed"},
		{from, "copy/if", oss.CopySourceIfNoneMatch(etag), 304, ""},
		{from, to, oss.ForbidOverWrite(true), 409, "FileAlreadyExists"},
		{"copy/none", "copy/if", oss.ForbidOverWrite(false), 404, "NoSuchKey"},
	} {
		_, err := w.bucket.CopyObject(c.source, c.target, c.option)
		w.refused(err, c.status, c.code)
	}
	Equal("target of refused copies", w.exists("copy/if"), false)
}

func (w *world) deleteMultiple() {
	keys := []string{
		"many/0", "many/1", "many/2", "many/<&>\"'", "many/tab\there", "many/line\nfeed", "many/return\r",
		"many/\x01\x02\x1f", "many/\x7f", "many/中 +%41",
	}
	for _, key := range keys {
		w.put(w.bucket, key, []byte("1"))
	}
	sort.Strings(keys)
	Equal("listed", keysOf(Must(w.bucket.ListObjects(oss.Prefix("many/"))).Objects), keys)
	deleted := Must(w.bucket.DeleteObjects([]string{"many/0", "many/missing"})).DeletedObjects
	sort.Strings(deleted)
	Equal("deleted", deleted, []string{"many/0", "many/missing"})
	deleted = Must(w.bucket.DeleteObjects(keys)).DeletedObjects
	sort.Strings(deleted)
	Equal("deleted", deleted, keys)
	Equal("left", len(Must(w.bucket.ListObjects(oss.Prefix("many/"))).Objects), 0)
	w.put(w.bucket, "many/quiet", []byte("1"))
	Equal("quiet answer", len(Must(w.bucket.DeleteObjects([]string{"many/quiet"}, oss.DeleteObjectsQuiet(true))).DeletedObjects), 0)
	Equal("exists after a quiet delete", w.exists("many/quiet"), false)
}

func (w *world) objectACL() {
	w.put(w.bucket, "acl", []byte("1"))
	acl := func() string { return Must(w.bucket.GetObjectACL("acl")).ACL }
	Equal("ACL unset", acl(), "default")
	for _, value := range []oss.ACLType{oss.ACLPrivate, oss.ACLPublicRead, oss.ACLPublicReadWrite, oss.ACLDefault} {
		Check(w.bucket.SetObjectACL("acl", value))
		Equal("ACL", acl(), string(value))
	}
	w.put(w.bucket, "acl", []byte("1"), oss.ObjectACL(oss.ACLPublicRead))
	Equal("ACL at put", acl(), "public-read")
	w.put(w.bucket, "acl", []byte("1"))
	Equal("ACL after an overwrite", acl(), "default")
	w.refused(w.bucket.SetObjectACL("acl", "public"), 400, "InvalidArgument")
	_, err := w.bucket.GetObjectACL("acl/none")
	w.refused(err, 404, "NoSuchKey")
}

func (w *world) tags(key string) map[string]string {
	tags := map[string]string{}
	for _, tag := range Must(w.bucket.GetObjectTagging(key)).Tags {
		tags[tag.Key] = tag.Value
	}
	return tags
}

func (w *world) objectTagging() {
	w.put(w.bucket, "tags", []byte("1"))
	Equal("tags unset", w.tags("tags"), map[string]string{})
	Check(w.bucket.PutObjectTagging("tags", oss.Tagging{Tags: []oss.Tag{
		{Key: "k1", Value: "v1"}, {Key: "k 2", Value: "a+b-c=d._:/"}, {Key: "k3"}}}))
	Equal("tags", w.tags("tags"), map[string]string{"k1": "v1", "k 2": "a+b-c=d._:/", "k3": ""})
	Equal("count in head", Must(w.bucket.GetObjectDetailedMeta("tags")).Get("X-Oss-Tagging-Count"), "3")
	Check(w.bucket.PutObjectTagging("tags", oss.Tagging{Tags: []oss.Tag{{Key: "only", Value: "one"}}}))
	Equal("replaced tags", w.tags("tags"), map[string]string{"only": "one"})
	Check(w.bucket.DeleteObjectTagging("tags"))
	Equal("deleted tags", w.tags("tags"), map[string]string{})
	w.put(w.bucket, "tags", []byte("1"), oss.SetTagging(oss.Tagging{Tags: []oss.Tag{{Key: "a", Value: "1"}, {Key: "b c", Value: "+"}}}))
	Equal("tags at put", w.tags("tags"), map[string]string{"a": "1", "b c": "+"})
	_, err := w.bucket.GetObjectTagging("tags/none")
	w.refused(err, 404, "NoSuchKey")
}

func (w *world) storageClassesAndRestore() {
	for class, days := range map[oss.StorageClassType]int32{
		oss.StorageArchive: 3, oss.StorageColdArchive: 300, oss.StorageDeepColdArchive: 1,
	} {
		key := "restore/" + string(class)
		w.put(w.bucket, key, []byte("frozen"), oss.ObjectStorageClass(class))
		head := Must(w.bucket.GetObjectDetailedMeta(key))
		Equal("head", head.Get("X-Oss-Storage-Class")+head.Get("X-Oss-Restore"), string(class))
		_, err := w.bucket.GetObject(key)
		w.refused(err, 403, "InvalidObjectState")
		_, err = w.bucket.CopyObject(key, key, oss.ObjectStorageClass(oss.StorageStandard))
		w.refused(err, 403, "InvalidObjectState")

		detail := oss.RestoreConfiguration{Days: days, Tier: string(oss.RestoreExpedited)}
		if class == oss.StorageArchive { // has no tiers, and the client always sends one
			w.refused(w.bucket.RestoreObjectDetail(key, detail), 400, "MalformedXML")
			Check(w.bucket.RestoreObjectXML(key, "<RestoreRequest><Days>3</Days></RestoreRequest>"))
		} else {
			Check(w.bucket.RestoreObjectDetail(key, detail))
		}
		restored := Must(w.bucket.GetObjectDetailedMeta(key)).Get("X-Oss-Restore")
		True(strings.HasPrefix(restored, `ongoing-request="false", expiry-date="`), "restored: "+restored)
		listed := Must(w.bucket.ListObjectsV2(oss.Prefix(key))).Objects[0]
		Equal("in listing", listed.StorageClass+listed.RestoreInfo, string(class)+restored)
		Equal("content", w.get(w.bucket, key), []byte("frozen"))
		Check(w.bucket.RestoreObject(key))
		Must(w.bucket.CopyObject(key, key, oss.ObjectStorageClass(oss.StorageIA)))
		head = Must(w.bucket.GetObjectDetailedMeta(key))
		Equal("head of a copy", head.Get("X-Oss-Storage-Class")+head.Get("X-Oss-Restore"), "IA")
		w.refused(w.bucket.RestoreObject(key), 400, "OperationNotSupported")
	}
	w.refused(w.bucket.RestoreObject("restore/none"), 404, "NoSuchKey")
}

func (w *world) awkwardKeys() {
	bucket := w.create("keys")
	keys := AwkwardKeys()
	for _, key := range keys {
		w.put(bucket, key, Data(key, 100))
	}
	for _, key := range keys {
		Equal("content of "+key, w.get(bucket, key), Data(key, 100))
		Equal("length of "+key, Must(bucket.GetObjectDetailedMeta(key)).Get("Content-Length"), "100")
	}
	sort.Strings(keys)
	var listed []string
	for page := Must(bucket.ListObjects(oss.MaxKeys(4))); ; {
		listed = append(listed, keysOf(page.Objects)...)
		if !page.IsTruncated {
			break
		}
		page = Must(bucket.ListObjects(oss.MaxKeys(4), oss.Marker(page.NextMarker)))
	}
	Equal("listing", listed, keys)
	for _, key := range keys {
		Must(bucket.CopyObject(key, "copy"))
		Equal("copy of "+key, w.get(bucket, "copy"), Data(key, 100))
		upload := Must(bucket.InitiateMultipartUpload(key))
		Equal("key of the upload", upload.Key, key)
		uploads := Must(bucket.ListMultipartUploads(oss.Prefix(key))).Uploads
		Equal("uploads of "+key, len(uploads), 1)
		Equal("listed key", uploads[0].Key, key)
		part := Must(bucket.UploadPart(upload, bytes.NewReader([]byte("part")), 4, 1))
		Must(bucket.CompleteMultipartUpload(upload, []oss.UploadPart{part}))
		Equal("multipart content of "+key, w.get(bucket, key), []byte("part"))
	}
	deleted := Must(bucket.DeleteObjects(append(keys, "copy"))).DeletedObjects
	Equal("deleted", len(deleted), len(keys)+1)
	Check(w.client.DeleteBucket(bucket.BucketName))
	w.refused(w.bucket.PutObject("/k", bytes.NewReader([]byte("1"))), 400, "InvalidObjectName")
}
