package oss

import (
	"context"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// CopySource names the object that is copied.
type CopySource struct {
	Bucket, Key string
	VersionID   string
}

// header is x-oss-copy-source.
func (s *CopySource) header(k *call) string {
	check := onObject("", "", s.Bucket, s.Key, nil)
	if check.err != nil {
		k.fail(check.err)
	}
	v := "/" + s.Bucket + "/" + wire.EncodePath(s.Key)
	if s.VersionID != "" {
		v += "?versionId=" + wire.EncodeURL(s.VersionID)
	}
	return v
}

// CopyObjectRequest makes an object of another one, in the server.
type CopyObjectRequest struct {
	Bucket, Key string
	Source      CopySource
	Conditions  // on the source

	// ReplaceMetadata gives the copy what Attributes say, instead of what the
	// source has. StorageClass and Encryption always are the request's.
	ReplaceMetadata bool
	Attributes

	// ReplaceTags gives the copy Tags instead of those of the source.
	ReplaceTags bool
	Tags        []Tag

	ACL             ACL
	ForbidOverwrite bool
	Header          http.Header
}

// CopyObjectResult is the copy.
type CopyObjectResult struct {
	Answer
	ETag            string
	CRC64           CRC64
	LastModified    time.Time
	VersionID       string
	SourceVersionID string
}

const copySourcePrefix = "x-oss-copy-source-"

func (q *CopyObjectRequest) build() *call {
	k := onObject("CopyObject", http.MethodPut, q.Bucket, q.Key, q.Header)
	k.set(wire.HeaderCopySource, q.Source.header(k))
	k.conditions(&q.Conditions, copySourcePrefix)
	attributes := Attributes{StorageClass: q.StorageClass, Encryption: q.Encryption}
	if q.ReplaceMetadata {
		attributes = q.Attributes
		k.set(wire.HeaderMetadataDirective, string(wire.Replace))
	}
	var tags []Tag
	if q.ReplaceTags {
		tags = q.Tags
		k.set(wire.HeaderTaggingDirective, string(wire.Replace))
	}
	k.attributes(&attributes, tags)
	k.set(wire.HeaderObjectACL, string(q.ACL))
	k.forbidOverwrite(q.ForbidOverwrite)
	k.idempotent, k.slow = !q.ForbidOverwrite, true
	return k
}

// CopyObject copies an object of at most 5 GiB (some endpoints: 1 GiB). Copy has
// no such limit.
func (c *Client) CopyObject(ctx context.Context, q *CopyObjectRequest) (*CopyObjectResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.CopyObjectResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &CopyObjectResult{
		Answer:          r.answer(),
		ETag:            string(doc.ETag),
		CRC64:           headerCRC64(r.header),
		LastModified:    doc.LastModified.Time,
		VersionID:       r.header.Get(wire.HeaderVersionID),
		SourceVersionID: r.header.Get(wire.HeaderCopySourceVersionID),
	}, nil
}
