package oss

import (
	"context"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// Object is an object of a listing.
type Object struct {
	Key          string
	Size         int64
	ETag         string // without quotes
	LastModified time.Time
	Type         string
	StorageClass StorageClass
	Owner        Owner // zero if it was not asked for
	RestoreInfo  string
}

func objectsOf(entries []wire.ObjectSummary) []Object {
	objects := make([]Object, len(entries))
	for i, e := range entries {
		objects[i] = Object{
			Key: e.Key, Size: e.Size, ETag: string(e.ETag), LastModified: e.LastModified.Time, Type: string(e.Type),
			StorageClass: StorageClass(e.StorageClass), RestoreInfo: e.RestoreInfo,
		}
		if e.Owner != nil {
			objects[i].Owner = Owner(*e.Owner)
		}
	}
	return objects
}

func prefixesOf(entries []wire.CommonPrefix) []string {
	prefixes := make([]string, len(entries))
	for i, e := range entries {
		prefixes[i] = e.Prefix
	}
	return prefixes
}

// ListObjectsRequest asks for a page of objects, in the older way.
type ListObjectsRequest struct {
	Bucket    string
	Prefix    string
	Delimiter string // keys that have it after the prefix are folded into common prefixes
	Marker    string // list what comes after
	MaxKeys   int    // 1 to 1000; default the server's, 100
	Header    http.Header
}

// ListObjectsResult is a page of objects.
type ListObjectsResult struct {
	Answer
	Objects        []Object
	CommonPrefixes []string
	IsTruncated    bool
	NextMarker     string
}

func (q *ListObjectsRequest) build() *call {
	k := onBucket("ListObjects", http.MethodGet, q.Bucket, q.Header)
	k.param(wire.QueryPrefix, q.Prefix)
	k.param(wire.QueryDelimiter, q.Delimiter)
	k.param(wire.QueryMarker, q.Marker)
	k.number(wire.QueryMaxKeys, q.MaxKeys)
	k.param(wire.QueryEncodingType, wire.EncodingURL)
	k.idempotent = true
	return k
}

// ListObjects lists a page of objects. [Client.Objects] lists them all.
func (c *Client) ListObjects(ctx context.Context, q *ListObjectsRequest) (*ListObjectsResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.ListObjectsResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &ListObjectsResult{
		Answer: r.answer(), Objects: objectsOf(doc.Contents), CommonPrefixes: prefixesOf(doc.CommonPrefixes),
		IsTruncated: doc.IsTruncated, NextMarker: doc.NextMarker,
	}, nil
}

// ListObjectsV2Request asks for a page of objects.
type ListObjectsV2Request struct {
	Bucket            string
	Prefix            string
	Delimiter         string // keys that have it after the prefix are folded into common prefixes
	StartAfter        string // list what comes after
	ContinuationToken string // of the page before
	MaxKeys           int    // 1 to 1000; default the server's, 100
	FetchOwner        bool
	Header            http.Header
}

// ListObjectsV2Result is a page of objects.
type ListObjectsV2Result struct {
	Answer
	Objects               []Object
	CommonPrefixes        []string
	KeyCount              int
	IsTruncated           bool
	NextContinuationToken string
}

func (q *ListObjectsV2Request) build() *call {
	k := onBucket("ListObjectsV2", http.MethodGet, q.Bucket, q.Header)
	k.param(wire.QueryListType, "2")
	k.param(wire.QueryPrefix, q.Prefix)
	k.param(wire.QueryDelimiter, q.Delimiter)
	k.param(wire.QueryStartAfter, q.StartAfter)
	k.param(wire.QueryContinuationToken, q.ContinuationToken)
	k.number(wire.QueryMaxKeys, q.MaxKeys)
	if q.FetchOwner {
		k.param(wire.QueryFetchOwner, "true")
	}
	k.param(wire.QueryEncodingType, wire.EncodingURL)
	k.idempotent = true
	return k
}

// ListObjectsV2 lists a page of objects. [Client.Objects] lists them all.
func (c *Client) ListObjectsV2(ctx context.Context, q *ListObjectsV2Request) (*ListObjectsV2Result, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.ListObjectsV2Result
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &ListObjectsV2Result{
		Answer: r.answer(), Objects: objectsOf(doc.Contents), CommonPrefixes: prefixesOf(doc.CommonPrefixes),
		KeyCount: doc.KeyCount, IsTruncated: doc.IsTruncated, NextContinuationToken: doc.NextContinuationToken,
	}, nil
}

// ListObjectVersionsRequest asks for a page of versions.
type ListObjectVersionsRequest struct {
	Bucket          string
	Prefix          string
	Delimiter       string
	KeyMarker       string
	VersionIDMarker string // with KeyMarker only
	MaxKeys         int
	Header          http.Header
}

// Version is a version of an object, or a delete marker.
type Version struct {
	Object
	VersionID    string
	IsLatest     bool
	DeleteMarker bool // then it has neither size nor ETag
}

// ListObjectVersionsResult is a page of versions: keys ascending, and the newest
// version of a key first.
type ListObjectVersionsResult struct {
	Answer
	Versions            []Version
	CommonPrefixes      []string
	IsTruncated         bool
	NextKeyMarker       string
	NextVersionIDMarker string
}

func (q *ListObjectVersionsRequest) build() *call {
	k := onBucket("ListObjectVersions", http.MethodGet, q.Bucket, q.Header)
	k.flag(wire.QueryVersions)
	k.param(wire.QueryPrefix, q.Prefix)
	k.param(wire.QueryDelimiter, q.Delimiter)
	k.param(wire.QueryKeyMarker, q.KeyMarker)
	k.param(wire.QueryVersionIDMarker, q.VersionIDMarker)
	k.number(wire.QueryMaxKeys, q.MaxKeys)
	k.param(wire.QueryEncodingType, wire.EncodingURL)
	k.idempotent = true
	return k
}

// ListObjectVersions lists a page of versions. [Client.Versions] lists them all.
func (c *Client) ListObjectVersions(ctx context.Context, q *ListObjectVersionsRequest) (*ListObjectVersionsResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.ListObjectVersionsResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	res := &ListObjectVersionsResult{
		Answer: r.answer(), CommonPrefixes: prefixesOf(doc.CommonPrefixes), IsTruncated: doc.IsTruncated,
		NextKeyMarker: doc.NextKeyMarker, NextVersionIDMarker: doc.NextVersionIDMarker,
	}
	for _, e := range doc.Entries {
		v := Version{
			Object:    Object{Key: e.Key, LastModified: e.LastModified.Time, Owner: Owner(e.Owner)},
			VersionID: e.VersionID, IsLatest: e.IsLatest,
		}
		switch e.XMLName.Local {
		case wire.ElementVersion:
			if e.VersionData != nil {
				v.Size, v.ETag, v.Type, v.StorageClass = e.Size, string(e.ETag), string(e.Type), StorageClass(e.StorageClass)
			}
		case wire.ElementDeleteMarker:
			v.DeleteMarker = true
		default:
			continue // an element that this client does not know
		}
		res.Versions = append(res.Versions, v)
	}
	return res, nil
}
