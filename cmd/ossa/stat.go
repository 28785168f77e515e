package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/oss"
)

// objectDetails is all of an object for machines.
type objectDetails struct {
	objectEntry
	CRC64              string            `json:"crc64,omitempty"` // decimal
	ContentMD5         string            `json:"content_md5,omitempty"`
	ContentType        string            `json:"content_type,omitempty"`
	CacheControl       string            `json:"cache_control,omitempty"`
	ContentDisposition string            `json:"content_disposition,omitempty"`
	ContentEncoding    string            `json:"content_encoding,omitempty"`
	Expires            string            `json:"expires,omitempty"`
	Metadata           map[string]string `json:"metadata,omitempty"`
	TagCount           int               `json:"tag_count,omitempty"`
	Encryption         *encryptionEntry  `json:"encryption,omitempty"`
	Restore            string            `json:"restore,omitempty"`
	SymlinkTarget      string            `json:"symlink_target,omitempty"`
}

// bucketDetails is all of a bucket for machines.
type bucketDetails struct {
	bucketEntry
	ACL              string           `json:"acl"`
	Owner            string           `json:"owner"`
	DataRedundancy   string           `json:"data_redundancy,omitempty"`
	Versioning       string           `json:"versioning,omitempty"`
	Encryption       *encryptionEntry `json:"encryption,omitempty"`
	ExtranetEndpoint string           `json:"extranet_endpoint,omitempty"`
	Objects          int64            `json:"objects"`
	Size             int64            `json:"size"` // bytes, as the server counts them
	Uploads          int64            `json:"uploads"`
	Parts            int64            `json:"parts"`
}

func statCommand() *cobra.Command {
	var versionID string
	return clientLeaf("stat oss://BUCKET[/KEY]", "Tell all about an object or a bucket", `
Tell all that a server says of an object, or of a bucket. How much is in a bucket
is told as the server counts it, which may be late; ossa du counts itself.`,
		`  ossa stat oss://builds/movie.bin
  ossa stat --json oss://builds/movie.bin | jq -r .crc64
  ossa stat oss://builds`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&versionID, "version-id", "", "`ID` of a version")
		},
		func(s *clientSession) error {
			l, err := parseRemote(s.args[0])
			switch {
			case err != nil:
				return err
			case l.Key == "" && versionID != "":
				return usagef("--version-id is for objects")
			case l.Key == "":
				return s.statBucket(l.Bucket)
			}
			return s.statObject(l, versionID)
		})
}

func (s *clientSession) statObject(l location, versionID string) error {
	o, err := s.client.HeadObject(s.ctx, &oss.HeadObjectRequest{Bucket: l.Bucket, Key: l.Key, VersionID: versionID})
	if err != nil {
		return err
	}
	class := string(cmp.Or(o.StorageClass, oss.StorageStandard))
	d := objectDetails{
		objectEntry: objectEntry{
			Type: "object", Bucket: l.Bucket, Key: l.Key, Size: o.Size, ETag: o.ETag, LastModified: o.LastModified,
			StorageClass: class, ObjectType: o.Type, VersionID: o.VersionID,
		},
		ContentMD5: o.ContentMD5, ContentType: o.ContentType, CacheControl: o.CacheControl, ContentDisposition: o.ContentDisposition,
		ContentEncoding: o.ContentEncoding, Expires: o.Expires, Metadata: o.Metadata, TagCount: o.TagCount,
		Encryption: encryptionOf(o.Encryption), Restore: o.Restore, SymlinkTarget: o.SymlinkTarget,
	}
	if o.CRC64.Known {
		d.CRC64 = o.CRC64.String()
	}
	if s.json {
		return s.print(d)
	}
	tags := ""
	if d.TagCount > 0 {
		tags = fmt.Sprint(d.TagCount)
	}
	pairs := []string{
		"name", line(l.String()), "size", fmt.Sprintf("%d (%s)", d.Size, size(d.Size)), "modified", when(d.LastModified), "etag", d.ETag,
		"crc64", d.CRC64, "content-md5", d.ContentMD5, "type", d.ObjectType, "class", class, "version", d.VersionID,
		"content-type", line(d.ContentType), "cache-control", line(d.CacheControl), "content-disposition", line(d.ContentDisposition),
		"content-encoding", line(d.ContentEncoding), "expires", line(d.Expires), "encryption", d.Encryption.String(),
		"tags", tags, "restore", line(d.Restore), "symlink", line(d.SymlinkTarget),
	}
	for _, name := range slices.Sorted(maps.Keys(d.Metadata)) {
		pairs = append(pairs, "meta "+line(name), line(d.Metadata[name]))
	}
	return s.fields(pairs...)
}

func (s *clientSession) statBucket(bucket string) error {
	info, err := s.client.GetBucketInfo(s.ctx, &oss.GetBucketInfoRequest{Bucket: bucket})
	if err != nil {
		return err
	}
	count, err := s.client.GetBucketStat(s.ctx, &oss.GetBucketStatRequest{Bucket: bucket})
	if err != nil {
		return err
	}
	d := bucketDetails{
		bucketEntry: bucketEntry{"bucket", bucket, info.Region, info.CreationDate, string(info.StorageClass)},
		ACL:         string(info.ACL), Owner: info.Owner.ID, DataRedundancy: info.DataRedundancy, Versioning: info.Versioning,
		Encryption: encryptionOf(info.Encryption), ExtranetEndpoint: info.ExtranetEndpoint,
		Objects: count.ObjectCount, Size: count.Storage, Uploads: count.MultipartUploadCount, Parts: count.MultipartPartCount,
	}
	if s.json {
		return s.print(d)
	}
	return s.fields(
		"name", ossScheme+bucket, "region", cmp.Or(d.Region, info.Location), "created", d.CreationDate.UTC().Format(time.RFC3339), "class", d.StorageClass,
		"acl", d.ACL, "owner", line(d.Owner), "redundancy", d.DataRedundancy, "versioning", d.Versioning, "encryption", d.Encryption.String(),
		"endpoint", d.ExtranetEndpoint, "objects", fmt.Sprint(d.Objects), "size", fmt.Sprintf("%d (%s)", d.Size, size(d.Size)),
		"open uploads", fmt.Sprintf("%d with %d parts", d.Uploads, d.Parts),
	)
}
