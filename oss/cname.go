package oss

import (
	"context"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// PutCnameRequest binds a domain name to a bucket.
type PutCnameRequest struct {
	Bucket string
	Domain string
	Header http.Header
}

func cname(op, action, bucket, domain string, extra http.Header) *call {
	k := onBucket(op, http.MethodPost, bucket, extra)
	k.flag("cname")
	k.param("comp", action)
	k.document(&wire.BucketCnameConfiguration{Cname: wire.Cname{Domain: domain}})
	k.idempotent = true
	return k
}

func (q *PutCnameRequest) build() *call {
	return cname("PutCname", "add", q.Bucket, q.Domain, q.Header)
}

// PutCname binds a domain name to a bucket.
func (c *Client) PutCname(ctx context.Context, q *PutCnameRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// DeleteCnameRequest takes a domain name off a bucket.
type DeleteCnameRequest struct {
	Bucket string
	Domain string
	Header http.Header
}

func (q *DeleteCnameRequest) build() *call {
	return cname("DeleteCname", "delete", q.Bucket, q.Domain, q.Header)
}

// DeleteCname takes a domain name off a bucket.
func (c *Client) DeleteCname(ctx context.Context, q *DeleteCnameRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// ListCnameRequest asks for the domain names of a bucket.
type ListCnameRequest struct {
	Bucket string
	Header http.Header
}

// CnameInfo is a domain name of a bucket.
type CnameInfo struct {
	Domain       string
	LastModified time.Time
	Status       string // Enabled or Disabled
}

// ListCnameResult is the domain names of a bucket.
type ListCnameResult struct {
	Answer
	Owner  string
	Cnames []CnameInfo
}

func (q *ListCnameRequest) build() *call {
	return configuration("ListCname", http.MethodGet, q.Bucket, "cname", q.Header)
}

// ListCname lists the domain names of a bucket.
func (c *Client) ListCname(ctx context.Context, q *ListCnameRequest) (*ListCnameResult, error) {
	var doc wire.ListCnameResult
	a, _, err := c.getDocument(ctx, q.build(), &doc)
	if err != nil {
		return nil, err
	}
	res := &ListCnameResult{Answer: a, Owner: doc.Owner}
	for _, n := range doc.Cnames {
		res.Cnames = append(res.Cnames, CnameInfo{n.Domain, n.LastModified.Time, n.Status})
	}
	return res, nil
}
