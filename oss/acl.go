package oss

import (
	"context"
	"net/http"

	"github.com/ossastore/ossa/internal/wire"
)

// ACLResult is who owns something, and who else may have it.
type ACLResult struct {
	Answer
	Owner Owner
	ACL   ACL
}

// PutBucketACLRequest sets the ACL of a bucket.
type PutBucketACLRequest struct {
	Bucket string
	ACL    ACL
	Header http.Header
}

func (q *PutBucketACLRequest) build() *call {
	k := onBucket("PutBucketAcl", http.MethodPut, q.Bucket, q.Header)
	k.flag(wire.QueryACL)
	k.set(wire.HeaderACL, string(q.ACL))
	k.idempotent = true
	return k
}

// PutBucketACL sets the ACL of a bucket.
func (c *Client) PutBucketACL(ctx context.Context, q *PutBucketACLRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// plain sends a call whose answer has nothing in it.
func (c *Client) plain(ctx context.Context, k *call) (*Answer, error) {
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	if err := k.speaksOSS(r); err != nil {
		return nil, err
	}
	a := r.answer()
	return &a, nil
}

// speaksOSS looks whether an answer without a document comes from who was asked,
// and not from who says 200 and a page to everything.
func (k *call) speaksOSS(r *reply) error {
	if len(r.doc) > 0 && r.header.Get(wire.HeaderRequestID) == "" {
		return opError(k.op, k.bucket, k.key, errNoOSS)
	}
	return nil
}

// GetBucketACLRequest asks for the ACL of a bucket.
type GetBucketACLRequest struct {
	Bucket string
	Header http.Header
}

func (q *GetBucketACLRequest) build() *call {
	k := onBucket("GetBucketAcl", http.MethodGet, q.Bucket, q.Header)
	k.flag(wire.QueryACL)
	k.idempotent = true
	return k
}

// GetBucketACL tells the ACL of a bucket.
func (c *Client) GetBucketACL(ctx context.Context, q *GetBucketACLRequest) (*ACLResult, error) {
	return c.getACL(ctx, q.build())
}

func (c *Client) getACL(ctx context.Context, k *call) (*ACLResult, error) {
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.AccessControlPolicy
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &ACLResult{Answer: r.answer(), Owner: Owner(doc.Owner), ACL: ACL(doc.AccessControlList.Grant)}, nil
}

// PutObjectACLRequest sets the ACL of an object.
type PutObjectACLRequest struct {
	Bucket, Key string
	VersionID   string
	ACL         ACL
	Header      http.Header
}

func (q *PutObjectACLRequest) build() *call {
	k := onObject("PutObjectAcl", http.MethodPut, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryACL)
	k.param(wire.QueryVersionID, q.VersionID)
	k.set(wire.HeaderObjectACL, string(q.ACL))
	k.idempotent = true
	return k
}

// PutObjectACL sets the ACL of an object.
func (c *Client) PutObjectACL(ctx context.Context, q *PutObjectACLRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetObjectACLRequest asks for the ACL of an object.
type GetObjectACLRequest struct {
	Bucket, Key string
	VersionID   string
	Header      http.Header
}

func (q *GetObjectACLRequest) build() *call {
	k := onObject("GetObjectAcl", http.MethodGet, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryACL)
	k.param(wire.QueryVersionID, q.VersionID)
	k.idempotent = true
	return k
}

// GetObjectACL tells the ACL of an object.
func (c *Client) GetObjectACL(ctx context.Context, q *GetObjectACLRequest) (*ACLResult, error) {
	return c.getACL(ctx, q.build())
}
