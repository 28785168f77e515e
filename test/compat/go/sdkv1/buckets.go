package main

import (
	"sort"
	"time"

	"github.com/aliyun/aliyun-oss-go-sdk/oss"

	. "github.com/ossastore/ossa/test/compat/go/harness"
)

func (w *world) bucketCreateAndDelete() {
	bucket := w.create("life", oss.ACL(oss.ACLPublicRead), oss.StorageClass(oss.StorageIA))
	name := bucket.BucketName
	info := Must(w.client.GetBucketInfo(name)).BucketInfo
	Equal("class and ACL", info.StorageClass+" "+info.ACL, "IA public-read")
	Equal("exists", Must(w.client.IsBucketExist(name)), true)

	w.put(bucket, "k", []byte("1"))
	w.refused(w.client.DeleteBucket(name), 409, "BucketNotEmpty")
	Check(bucket.DeleteObject("k"))
	upload := Must(bucket.InitiateMultipartUpload("k"))
	w.refused(w.client.DeleteBucket(name), 409, "BucketNotEmpty")
	Check(bucket.AbortMultipartUpload(upload))
	Check(w.client.DeleteBucket(name))
	_, err := w.client.GetBucketInfo(name)
	w.refused(err, 404, "NoSuchBucket")
	w.refused(w.client.DeleteBucket(name), 404, "NoSuchBucket")
	Equal("exists after delete", Must(w.client.IsBucketExist(name)), false)
}

func (w *world) bucketList() {
	var names []string
	for _, suffix := range []string{"list-0", "list-1", "list-2", "list-3"} {
		names = append(names, w.create(suffix).BucketName)
	}
	prefix := oss.Prefix(w.options.Prefix + "-list-")
	var got []string
	marker := ""
	for pages := 1; ; pages++ {
		page := Must(w.client.ListBuckets(prefix, oss.MaxKeys(3), oss.Marker(marker)))
		for _, b := range page.Buckets {
			got = append(got, b.Name)
			Equal("location", b.Location, "oss-"+w.options.Region)
			True(time.Since(b.CreationDate).Abs() < 15*time.Minute, "creation date is not now")
		}
		True(page.Owner.ID != "", "owner has no ID")
		Equal("truncated", page.IsTruncated, pages == 1)
		if !page.IsTruncated {
			break
		}
		marker = page.NextMarker
	}
	Equal("buckets", got, names)
	for _, name := range names {
		Check(w.client.DeleteBucket(name))
	}
	Equal("buckets after delete", len(Must(w.client.ListBuckets(prefix)).Buckets), 0)
}

func (w *world) bucketInfo() {
	bucket := w.create("info")
	name := bucket.BucketName
	info := Must(w.client.GetBucketInfo(name)).BucketInfo
	Equal("info", []string{info.Name, info.Location, info.StorageClass, info.ACL},
		[]string{name, "oss-" + w.options.Region, "Standard", "private"})
	True(info.Owner.ID != "" && info.ExtranetEndpoint != "" && info.IntranetEndpoint != "", "owner or endpoints are empty")
	Equal("location", Must(w.client.GetBucketLocation(name)), "oss-"+w.options.Region)

	w.put(bucket, "a", Data("a", 1000))
	w.put(bucket, "b", Data("b", 234))
	upload := Must(bucket.InitiateMultipartUpload("c"))
	stat := Must(w.client.GetBucketStat(name))
	Equal("stat", []int64{stat.Storage, stat.ObjectCount, stat.MultipartUploadCount}, []int64{1234, 2, 1})
	Check(bucket.AbortMultipartUpload(upload))
	Must(bucket.DeleteObjects([]string{"a", "b"}))
	stat = Must(w.client.GetBucketStat(name))
	Equal("stat when empty", []int64{stat.Storage, stat.ObjectCount, stat.MultipartUploadCount}, []int64{0, 0, 0})
	Check(w.client.DeleteBucket(name))
}

func (w *world) bucketACL() {
	name := w.create("acl").BucketName
	Equal("default ACL", Must(w.client.GetBucketACL(name)).ACL, "private")
	for _, acl := range []oss.ACLType{oss.ACLPublicRead, oss.ACLPublicReadWrite, oss.ACLPrivate} {
		Check(w.client.SetBucketACL(name, acl))
		Equal("ACL", Must(w.client.GetBucketACL(name)).ACL, string(acl))
	}
	w.refused(w.client.SetBucketACL(name, "public"), 400, "InvalidArgument")
	Equal("ACL after a refused one", Must(w.client.GetBucketACL(name)).ACL, "private")
	Check(w.client.DeleteBucket(name))
}

// fillListing puts the objects that the listings are about.
func (w *world) fillListing() []string {
	keys := []string{"ls/a", "ls/dir/", "ls/dir/1", "ls/dir/2", "ls/dir/sub/3", "ls/e", "ls/f +%&", "ls/中/文"}
	for _, key := range keys {
		w.put(w.bucket, key, Data(key, 10))
	}
	return keys
}

func keysOf(objects []oss.ObjectProperties) (keys []string) {
	for _, o := range objects {
		keys = append(keys, o.Key)
	}
	return keys
}

// folded is what listing "ls/" by "/" gives, keys and common prefixes together.
func folded() []string { return []string{"ls/a", "ls/dir/", "ls/e", "ls/f +%&", "ls/中/"} }

func (w *world) listObjects() {
	keys := w.fillListing()
	prefix := oss.Prefix("ls/")
	page := Must(w.bucket.ListObjects(prefix, oss.MaxKeys(3)))
	Equal("first page", keysOf(page.Objects), keys[:3])
	Equal("truncated", page.IsTruncated, true)
	Equal("next marker", page.NextMarker, keys[2])
	first := page.Objects[0]
	Equal("entry", []any{first.Size, first.Type, first.StorageClass, Unquote(first.ETag)},
		[]any{int64(10), "Normal", "Standard", MD5Hex(Data("ls/a", 10))})
	True(first.Owner.ID != "", "owner has no ID")
	True(time.Since(first.LastModified).Abs() < 15*time.Minute, "last modified is not now")
	page = Must(w.bucket.ListObjects(prefix, oss.Marker("ls/dir/1x")))
	Equal("from a marker that does not exist", keysOf(page.Objects), keys[3:])
	page = Must(w.bucket.ListObjects(prefix, oss.Delimiter("/")))
	Equal("keys with delimiter", keysOf(page.Objects), []string{"ls/a", "ls/e", "ls/f +%&"})
	Equal("prefixes with delimiter", page.CommonPrefixes, []string{"ls/dir/", "ls/中/"})

	for _, size := range []int{1, 2, 3} {
		var walked []string
		marker := ""
		for {
			page := Must(w.bucket.ListObjects(prefix, oss.Delimiter("/"), oss.MaxKeys(size), oss.Marker(marker)))
			True(len(page.Objects)+len(page.CommonPrefixes) <= size, "page is too long")
			walked = append(append(walked, keysOf(page.Objects)...), page.CommonPrefixes...)
			if marker = page.NextMarker; !page.IsTruncated {
				break
			}
		}
		sort.Strings(walked)
		Equal("all pages", walked, folded())
	}
	Equal("empty listing", len(Must(w.bucket.ListObjects(oss.Prefix("nothing/"))).Objects), 0)
	_, err := w.bucket.ListObjects(oss.MaxKeys(1001))
	w.refused(err, 400, "InvalidArgument")
}

func (w *world) listObjectsV2() {
	keys := w.fillListing()
	prefix := oss.Prefix("ls/")
	page := Must(w.bucket.ListObjectsV2(prefix, oss.MaxKeys(3), oss.FetchOwner(true)))
	Equal("first page", keysOf(page.Objects), keys[:3])
	Equal("truncated", page.IsTruncated, true)
	True(page.Objects[0].Owner.ID != "", "owner has no ID")
	page = Must(w.bucket.ListObjectsV2(prefix, oss.ContinuationToken(page.NextContinuationToken)))
	Equal("second page", keysOf(page.Objects), keys[3:])
	Equal("owner unasked", page.Objects[0].Owner.ID, "")
	page = Must(w.bucket.ListObjectsV2(prefix, oss.StartAfter("ls/e")))
	Equal("start after", keysOf(page.Objects), keys[6:])

	for _, size := range []int{1, 2, 3} {
		var walked []string
		token := ""
		for {
			page := Must(w.bucket.ListObjectsV2(prefix, oss.Delimiter("/"), oss.MaxKeys(size), oss.ContinuationToken(token)))
			True(len(page.Objects)+len(page.CommonPrefixes) <= size, "page is too long")
			walked = append(append(walked, keysOf(page.Objects)...), page.CommonPrefixes...)
			if token = page.NextContinuationToken; !page.IsTruncated {
				break
			}
		}
		sort.Strings(walked)
		Equal("all pages", walked, folded())
	}
	_, err := w.bucket.ListObjectsV2(oss.ContinuationToken("!garbage!"))
	w.refused(err, 400, "InvalidArgument")
}

func (w *world) listObjectVersions() {
	keys := w.fillListing()
	var got []string
	options := []oss.Option{oss.Prefix("ls/"), oss.MaxKeys(3)}
	for page := Must(w.bucket.ListObjectVersions(options...)); ; {
		for _, v := range page.ObjectVersions {
			got = append(got, v.Key)
			Equal("version", []any{v.VersionId, v.IsLatest, v.Size, v.Type}, []any{"null", true, int64(10), "Normal"})
			True(v.Owner.ID != "", "owner has no ID")
		}
		Equal("delete markers", len(page.ObjectDeleteMarkers), 0)
		True(len(page.ObjectVersions) <= 3, "page is too long")
		if !page.IsTruncated {
			break
		}
		page = Must(w.bucket.ListObjectVersions(append(options,
			oss.KeyMarker(page.NextKeyMarker), oss.VersionIdMarker(page.NextVersionIdMarker))...))
	}
	Equal("versions", got, keys)
	page := Must(w.bucket.ListObjectVersions(oss.Prefix("ls/"), oss.Delimiter("/")))
	Equal("common prefixes", page.CommonPrefixes, []string{"ls/dir/", "ls/中/"})
}
