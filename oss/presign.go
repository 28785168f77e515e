package oss

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/sign"
)

// Request is the request of an operation, one of the structs of this package.
type Request interface {
	build() *call
}

// PresignedURL lets whoever has it send one kind of request, with no key of
// their own.
type PresignedURL struct {
	Method string
	URL    string

	// Header is what must be sent along, exactly so: it is signed.
	Header http.Header

	Expires time.Time // the last instant it is good for
}

// Presign signs the URL of a request, good for validity: whole seconds, and at
// most 7 days with V4. The body is not part of it; whoever uses the URL brings
// their own. With it a browser or curl can upload parts:
//
//	u, err := client.Presign(ctx, &oss.UploadPartRequest{
//		Bucket: "b", Key: "k", UploadID: id, PartNumber: 1,
//	}, time.Hour)
//	// curl -T part1 "$URL"
func (c *Client) Presign(ctx context.Context, request Request, validity time.Duration) (*PresignedURL, error) {
	k := request.build()
	fail := func(err error) (*PresignedURL, error) { return nil, opError("Presign "+k.op, k.bucket, k.key, err) }
	if k.err != nil {
		return fail(k.err)
	}
	creds, err := c.credentials.Credentials(ctx)
	if err != nil {
		return fail(err)
	}
	if creds.anonymous() {
		return fail(errors.New("there is no access key to sign with"))
	}
	if err := creds.check(); err != nil {
		return fail(err)
	}
	if validity < time.Second {
		return fail(errors.New("a URL must be good for a second at least"))
	}
	now := c.Now()
	expires := now.Add(validity).Truncate(time.Second)
	if !creds.Expires.IsZero() && creds.Expires.Before(expires) {
		expires = creds.Expires // the temporary key ends first
	}
	if k.body != nil {
		k.header.Del("Content-Type") // of a document that is not sent
	}
	u := c.address(k.bucket, k.key)
	s := &sign.Request{Method: k.method, Bucket: k.bucket, Key: k.key, Query: k.query, Header: k.header, Host: u.Host}
	key := sign.Credentials{AccessKeyID: creds.AccessKeyID, AccessKeySecret: creds.AccessKeySecret, SecurityToken: creds.SecurityToken}
	if c.signature == SignatureV1 {
		sign.SignV1Query(s, key, expires)
	} else if err := sign.SignV4Query(s, key, c.region, now, validity, c.presignHeaders(k)...); err != nil {
		return fail(err)
	}
	u.RawQuery = sign.EncodeQuery(s.Query)
	return &PresignedURL{Method: k.method, URL: u.String(), Header: k.header, Expires: expires}, nil
}

// presignHeaders names what V4 is to sign besides its own: all that the request
// has, so that none can be left out by who uses the URL.
func (c *Client) presignHeaders(k *call) []string {
	names := slices.Clone(c.additional)
	for name := range k.header {
		names = append(names, name)
	}
	return names
}
