package store

import (
	"maps"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/meta"
)

// attributesRecord and attributesOf turn attributes into their record and back,
// but for the encryption, which has a record of its own.

func attributesRecord(a Attributes) meta.Attributes {
	r := meta.Attributes{
		ContentType: a.ContentType, CacheControl: a.CacheControl, ContentDisposition: a.ContentDisposition,
		ContentEncoding: a.ContentEncoding, ContentLanguage: a.ContentLanguage, Expires: a.Expires,
		StorageClass: a.StorageClass, Tags: tagPairs(a.Tags), ACL: a.ACL,
	}
	for _, name := range slices.Sorted(maps.Keys(a.Meta)) {
		r.Meta = append(r.Meta, meta.Pair{Name: name, Value: a.Meta[name]})
	}
	return r
}

func attributesOf(r meta.Attributes) Attributes {
	a := Attributes{
		ContentType: r.ContentType, CacheControl: r.CacheControl, ContentDisposition: r.ContentDisposition,
		ContentEncoding: r.ContentEncoding, ContentLanguage: r.ContentLanguage, Expires: r.Expires,
		StorageClass: r.StorageClass, ACL: r.ACL,
	}
	for _, p := range r.Meta {
		if a.Meta == nil {
			a.Meta = make(map[string]string, len(r.Meta))
		}
		a.Meta[p.Name] = p.Value
	}
	for _, p := range r.Tags {
		a.Tags = append(a.Tags, Tag{Key: p.Name, Value: p.Value})
	}
	return a
}

func tagPairs(tags []Tag) []meta.Pair {
	var pairs []meta.Pair
	for _, t := range tags {
		pairs = append(pairs, meta.Pair{Name: t.Key, Value: t.Value})
	}
	return pairs
}

func objectInfo(bucket, key string, rec *meta.Object) *Object {
	o := &Object{
		Bucket: bucket, Key: key, Attributes: attributesOf(rec.Attributes), Type: ObjectType(rec.Type),
		Size: rec.Size, ETag: rec.ETag, CRC64: rec.CRC64, MD5: rec.MD5,
		LastModified: rec.Modified.Truncate(time.Second), Version: rec.Version,
		Restore: Restore{rec.RestoreReady, rec.RestoreExpiry}, Transitioned: rec.Transitioned.Truncate(time.Second),
	}
	o.Encryption = encryptionOf(rec.Encryption)
	return o
}

func uploadInfo(bucket, key, id string, rec *meta.Upload) *Upload {
	u := &Upload{
		Bucket: bucket, Key: key, ID: UploadID(id), Attributes: attributesOf(rec.Attributes),
		Initiated: rec.Initiated.Truncate(time.Second), Sequential: rec.Sequential,
	}
	u.Encryption = encryptionOf(rec.Encryption)
	return u
}

func partInfo(number int, rec *meta.Part) *Part {
	return &Part{
		Number: PartNumber(number), Size: rec.Size, ETag: digest.PartETag([16]byte(rec.MD5)), MD5: rec.MD5,
		CRC64: rec.CRC64, LastModified: rec.Modified.Truncate(time.Second),
	}
}
