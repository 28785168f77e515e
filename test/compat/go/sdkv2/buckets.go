package main

import (
	"sort"
	"time"

	"github.com/aliyun/alibabacloud-oss-go-sdk-v2/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) bucketCreateAndDelete() {
	name := w.name("life")
	Must(w.client.PutBucket(w.ctx, &oss.PutBucketRequest{Bucket: name, Acl: oss.BucketACLPublicRead,
		CreateBucketConfiguration: &oss.CreateBucketConfiguration{StorageClass: oss.StorageClassIA}}))
	info := Must(w.client.GetBucketInfo(w.ctx, &oss.GetBucketInfoRequest{Bucket: name})).BucketInfo
	Equal("class and ACL", text(info.StorageClass)+" "+text(info.ACL), "IA public-read")
	Equal("exists", Must(w.client.IsBucketExist(w.ctx, *name)), true)

	key := oss.Ptr("k")
	Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: name, Key: key}))
	w.refused(w.deleteBucket(*name), 409, "BucketNotEmpty")
	Must(w.client.DeleteObject(w.ctx, &oss.DeleteObjectRequest{Bucket: name, Key: key}))
	upload := Must(w.client.InitiateMultipartUpload(w.ctx, &oss.InitiateMultipartUploadRequest{Bucket: name, Key: key}))
	w.refused(w.deleteBucket(*name), 409, "BucketNotEmpty")
	Must(w.client.AbortMultipartUpload(w.ctx, &oss.AbortMultipartUploadRequest{Bucket: name, Key: key, UploadId: upload.UploadId}))
	Check(w.deleteBucket(*name))
	_, err := w.client.GetBucketInfo(w.ctx, &oss.GetBucketInfoRequest{Bucket: name})
	w.refused(err, 404, "NoSuchBucket")
	w.refused(w.deleteBucket(*name), 404, "NoSuchBucket")
	Equal("exists after delete", Must(w.client.IsBucketExist(w.ctx, *name)), false)
}

func (w *world) bucketList() {
	var names []string
	for _, suffix := range []string{"list-0", "list-1", "list-2", "list-3"} {
		names = append(names, w.create(suffix))
	}
	var got []string
	pages := w.client.NewListBucketsPaginator(&oss.ListBucketsRequest{Prefix: w.name("list-"), MaxKeys: 3})
	count := 0
	for ; pages.HasNext(); count++ {
		page := Must(pages.NextPage(w.ctx))
		True(text(page.Owner.ID) != "", "owner has no ID")
		for _, b := range page.Buckets {
			got = append(got, text(b.Name))
			Equal("location", text(b.Location)+" "+text(b.Region), "oss-"+w.options.Region+" "+w.options.Region)
			True(time.Since(oss.ToTime(b.CreationDate)).Abs() < 15*time.Minute, "creation date is not now")
		}
	}
	Equal("buckets", got, names)
	Equal("pages", count, 2)
	for _, name := range names {
		Check(w.deleteBucket(name))
	}
	page := Must(w.client.ListBuckets(w.ctx, &oss.ListBucketsRequest{Prefix: w.name("list-")}))
	Equal("buckets after delete", len(page.Buckets), 0)
}

func (w *world) bucketInfo() {
	name := w.create("info")
	info := Must(w.client.GetBucketInfo(w.ctx, &oss.GetBucketInfoRequest{Bucket: &name})).BucketInfo
	Equal("info", []string{text(info.Name), text(info.Location), text(info.StorageClass), text(info.ACL)},
		[]string{name, "oss-" + w.options.Region, "Standard", "private"})
	True(text(info.Owner.ID) != "" && text(info.ExtranetEndpoint) != "", "owner or endpoint is empty")
	location := Must(w.client.GetBucketLocation(w.ctx, &oss.GetBucketLocationRequest{Bucket: &name}))
	Equal("location", text(location.LocationConstraint), "oss-"+w.options.Region)

	put := func(key string, size int) {
		Must(w.client.PutObject(w.ctx, &oss.PutObjectRequest{Bucket: &name, Key: &key, Body: bytesOf(Data(key, size))}))
	}
	stat := func() []int64 {
		s := Must(w.client.GetBucketStat(w.ctx, &oss.GetBucketStatRequest{Bucket: &name}))
		return []int64{s.Storage, s.ObjectCount, s.MultipartUploadCount}
	}
	put("a", 1000)
	put("b", 234)
	key := oss.Ptr("c")
	upload := Must(w.client.InitiateMultipartUpload(w.ctx, &oss.InitiateMultipartUploadRequest{Bucket: &name, Key: key}))
	Equal("stat", stat(), []int64{1234, 2, 1})
	Must(w.client.AbortMultipartUpload(w.ctx, &oss.AbortMultipartUploadRequest{Bucket: &name, Key: key, UploadId: upload.UploadId}))
	Must(w.client.DeleteMultipleObjects(w.ctx, deleting(name, "a", "b")))
	Equal("stat when empty", stat(), []int64{0, 0, 0})
	Check(w.deleteBucket(name))
}

func (w *world) bucketACL() {
	name := w.create("acl")
	acl := func() string {
		return text(Must(w.client.GetBucketAcl(w.ctx, &oss.GetBucketAclRequest{Bucket: &name})).ACL)
	}
	Equal("default ACL", acl(), "private")
	for _, value := range []oss.BucketACLType{oss.BucketACLPublicRead, oss.BucketACLPublicReadWrite, oss.BucketACLPrivate} {
		Must(w.client.PutBucketAcl(w.ctx, &oss.PutBucketAclRequest{Bucket: &name, Acl: value}))
		Equal("ACL", acl(), string(value))
	}
	_, err := w.client.PutBucketAcl(w.ctx, &oss.PutBucketAclRequest{Bucket: &name, Acl: "public"})
	w.refused(err, 400, "InvalidArgument")
	Equal("ACL after a refused one", acl(), "private")
	Check(w.deleteBucket(name))
}

// fillListing puts the objects that the listings are about.
func (w *world) fillListing() []string {
	keys := []string{"ls/a", "ls/dir/", "ls/dir/1", "ls/dir/2", "ls/dir/sub/3", "ls/e", "ls/f +%&", "ls/中/文"}
	for _, key := range keys {
		w.put(key, Data(key, 10))
	}
	return keys
}

func keysOf(objects []oss.ObjectProperties) (keys []string) {
	for _, o := range objects {
		keys = append(keys, text(o.Key))
	}
	return keys
}

func prefixesOf(prefixes []oss.CommonPrefix) (names []string) {
	for _, p := range prefixes {
		names = append(names, text(p.Prefix))
	}
	return names
}

// folded is what listing "ls/" by "/" gives, keys and common prefixes together.
func folded() []string { return []string{"ls/a", "ls/dir/", "ls/e", "ls/f +%&", "ls/中/"} }

func (w *world) listObjects() {
	keys := w.fillListing()
	prefix, slash := oss.Ptr("ls/"), oss.Ptr("/")
	list := func(request oss.ListObjectsRequest) *oss.ListObjectsResult {
		request.Bucket = &w.bucket
		return Must(w.client.ListObjects(w.ctx, &request))
	}
	page := list(oss.ListObjectsRequest{Prefix: prefix, MaxKeys: 3})
	Equal("first page", keysOf(page.Contents), keys[:3])
	Equal("truncated", page.IsTruncated, true)
	Equal("next marker", text(page.NextMarker), keys[2])
	Equal("echo", []any{text(page.Name), text(page.Prefix), page.MaxKeys}, []any{w.bucket, "ls/", int32(3)})
	first := page.Contents[0]
	Equal("entry", []any{first.Size, text(first.Type), text(first.StorageClass), etag(first.ETag)},
		[]any{int64(10), "Normal", "Standard", MD5Hex(Data("ls/a", 10))})
	True(text(first.Owner.ID) != "", "owner has no ID")
	True(time.Since(oss.ToTime(first.LastModified)).Abs() < 15*time.Minute, "last modified is not now")
	page = list(oss.ListObjectsRequest{Prefix: prefix, Marker: oss.Ptr("ls/dir/1x")})
	Equal("from a marker that does not exist", keysOf(page.Contents), keys[3:])
	page = list(oss.ListObjectsRequest{Prefix: prefix, Delimiter: slash})
	Equal("keys with delimiter", keysOf(page.Contents), []string{"ls/a", "ls/e", "ls/f +%&"})
	Equal("prefixes with delimiter", prefixesOf(page.CommonPrefixes), []string{"ls/dir/", "ls/中/"})

	for size := int32(1); size <= 3; size++ {
		var walked []string
		pages := w.client.NewListObjectsPaginator(&oss.ListObjectsRequest{Bucket: &w.bucket, Prefix: prefix, Delimiter: slash, MaxKeys: size})
		for pages.HasNext() {
			page := Must(pages.NextPage(w.ctx))
			True(len(page.Contents)+len(page.CommonPrefixes) <= int(size), "page is too long")
			walked = append(append(walked, keysOf(page.Contents)...), prefixesOf(page.CommonPrefixes)...)
		}
		sort.Strings(walked)
		Equal("all pages", walked, folded())
	}
	Equal("empty listing", len(list(oss.ListObjectsRequest{Prefix: oss.Ptr("nothing/")}).Contents), 0)
	_, err := w.client.ListObjects(w.ctx, &oss.ListObjectsRequest{Bucket: &w.bucket, MaxKeys: 1001})
	w.refused(err, 400, "InvalidArgument")
}

func (w *world) listObjectsV2() {
	keys := w.fillListing()
	prefix := oss.Ptr("ls/")
	list := func(request oss.ListObjectsV2Request) *oss.ListObjectsV2Result {
		request.Bucket, request.Prefix = &w.bucket, prefix
		return Must(w.client.ListObjectsV2(w.ctx, &request))
	}
	page := list(oss.ListObjectsV2Request{MaxKeys: 3, FetchOwner: true})
	Equal("first page", keysOf(page.Contents), keys[:3])
	Equal("truncated", page.IsTruncated, true)
	Equal("key count", page.KeyCount, 3)
	True(page.Contents[0].Owner != nil && text(page.Contents[0].Owner.ID) != "", "owner has no ID")
	page = list(oss.ListObjectsV2Request{ContinuationToken: page.NextContinuationToken})
	Equal("second page", keysOf(page.Contents), keys[3:])
	True(page.Contents[0].Owner == nil, "owner unasked")
	page = list(oss.ListObjectsV2Request{StartAfter: oss.Ptr("ls/e")})
	Equal("start after", keysOf(page.Contents), keys[6:])

	for size := int32(1); size <= 3; size++ {
		var walked []string
		pages := w.client.NewListObjectsV2Paginator(&oss.ListObjectsV2Request{Bucket: &w.bucket, Prefix: prefix, Delimiter: oss.Ptr("/"), MaxKeys: size})
		for pages.HasNext() {
			page := Must(pages.NextPage(w.ctx))
			True(len(page.Contents)+len(page.CommonPrefixes) <= int(size), "page is too long")
			walked = append(append(walked, keysOf(page.Contents)...), prefixesOf(page.CommonPrefixes)...)
		}
		sort.Strings(walked)
		Equal("all pages", walked, folded())
	}
	_, err := w.client.ListObjectsV2(w.ctx, &oss.ListObjectsV2Request{Bucket: &w.bucket, ContinuationToken: oss.Ptr("!garbage!")})
	w.refused(err, 400, "InvalidArgument")
}

func (w *world) listObjectVersions() {
	keys := w.fillListing()
	var got []string
	pages := w.client.NewListObjectVersionsPaginator(&oss.ListObjectVersionsRequest{Bucket: &w.bucket, Prefix: oss.Ptr("ls/"), MaxKeys: 3})
	for pages.HasNext() {
		page := Must(pages.NextPage(w.ctx))
		for _, v := range page.ObjectVersions {
			got = append(got, text(v.Key))
			Equal("version", []any{text(v.VersionId), v.IsLatest, v.Size, text(v.Type)}, []any{"null", true, int64(10), "Normal"})
			True(text(v.Owner.ID) != "", "owner has no ID")
		}
		Equal("delete markers", len(page.ObjectDeleteMarkers), 0)
		True(len(page.ObjectVersions) <= 3, "page is too long")
	}
	Equal("versions", got, keys)
	page := Must(w.client.ListObjectVersions(w.ctx, &oss.ListObjectVersionsRequest{Bucket: &w.bucket, Prefix: oss.Ptr("ls/"), Delimiter: oss.Ptr("/")}))
	Equal("common prefixes", prefixesOf(page.CommonPrefixes), []string{"ls/dir/", "ls/中/"})
}
