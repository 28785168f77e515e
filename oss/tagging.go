package oss

import (
	"context"
	"net/http"

	"github.com/ossastore/ossa/internal/wire"
)

// PutObjectTaggingRequest replaces the tags of an object.
type PutObjectTaggingRequest struct {
	Bucket, Key string
	VersionID   string
	Tags        []Tag
	Header      http.Header
}

func (q *PutObjectTaggingRequest) build() *call {
	k := onObject("PutObjectTagging", http.MethodPut, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryTagging)
	k.param(wire.QueryVersionID, q.VersionID)
	k.document(&wire.Tagging{TagSet: wire.TagSet{Tags: toWireTags(q.Tags)}})
	k.idempotent = true
	return k
}

// PutObjectTagging replaces the tags of an object.
func (c *Client) PutObjectTagging(ctx context.Context, q *PutObjectTaggingRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetObjectTaggingRequest asks for the tags of an object.
type GetObjectTaggingRequest struct {
	Bucket, Key string
	VersionID   string
	Header      http.Header
}

// TaggingResult is the tags of something.
type TaggingResult struct {
	Answer
	Tags []Tag
}

func (q *GetObjectTaggingRequest) build() *call {
	k := onObject("GetObjectTagging", http.MethodGet, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryTagging)
	k.param(wire.QueryVersionID, q.VersionID)
	k.idempotent = true
	return k
}

// GetObjectTagging tells the tags of an object.
func (c *Client) GetObjectTagging(ctx context.Context, q *GetObjectTaggingRequest) (*TaggingResult, error) {
	return c.getTagging(ctx, q.build())
}

func (c *Client) getTagging(ctx context.Context, k *call) (*TaggingResult, error) {
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.Tagging
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &TaggingResult{Answer: r.answer(), Tags: fromWireTags(doc.TagSet.Tags)}, nil
}

// DeleteObjectTaggingRequest takes all tags off an object.
type DeleteObjectTaggingRequest struct {
	Bucket, Key string
	VersionID   string
	Header      http.Header
}

func (q *DeleteObjectTaggingRequest) build() *call {
	k := onObject("DeleteObjectTagging", http.MethodDelete, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryTagging)
	k.param(wire.QueryVersionID, q.VersionID)
	k.idempotent = true
	return k
}

// DeleteObjectTagging takes all tags off an object.
func (c *Client) DeleteObjectTagging(ctx context.Context, q *DeleteObjectTaggingRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}
