package oss

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// ListBucketsRequest asks for a page of the buckets.
type ListBucketsRequest struct {
	Prefix  string
	Marker  string
	MaxKeys int // 1 to 1000; default the server's, 100
	Header  http.Header
}

// Bucket is a bucket of a listing.
type Bucket struct {
	Name             string
	Region           string
	Location         string // the region with oss- before it
	CreationDate     time.Time
	StorageClass     StorageClass
	ExtranetEndpoint string
	IntranetEndpoint string
	ResourceGroupID  string
}

// ListBucketsResult is a page of the buckets.
type ListBucketsResult struct {
	Answer
	Owner       Owner
	Buckets     []Bucket
	IsTruncated bool
	NextMarker  string
}

func (q *ListBucketsRequest) build() *call {
	k := newCall("ListBuckets", http.MethodGet, "", "", q.Header)
	k.param(wire.QueryPrefix, q.Prefix)
	k.param(wire.QueryMarker, q.Marker)
	k.number(wire.QueryMaxKeys, q.MaxKeys)
	k.idempotent = true
	return k
}

// ListBuckets lists a page of the buckets. [Client.Buckets] lists them all.
func (c *Client) ListBuckets(ctx context.Context, q *ListBucketsRequest) (*ListBucketsResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	doc := wire.ListBucketsResult{BucketsPage: &wire.BucketsPage{}}
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	res := &ListBucketsResult{Answer: r.answer(), Owner: Owner(doc.Owner)}
	if doc.BucketsPage != nil {
		res.IsTruncated, res.NextMarker = doc.IsTruncated, doc.NextMarker
	}
	for _, b := range doc.Buckets.Buckets {
		res.Buckets = append(res.Buckets, Bucket{
			Name: b.Name, Region: b.Region, Location: b.Location, CreationDate: b.CreationDate.Time,
			StorageClass: StorageClass(b.StorageClass), ExtranetEndpoint: b.ExtranetEndpoint,
			IntranetEndpoint: b.IntranetEndpoint, ResourceGroupID: b.ResourceGroupID,
		})
	}
	return res, nil
}

// PutBucketRequest makes a bucket.
type PutBucketRequest struct {
	Bucket         string
	ACL            ACL
	StorageClass   StorageClass
	DataRedundancy string // LRS or ZRS
	Header         http.Header
}

func (q *PutBucketRequest) build() *call {
	k := onBucket("PutBucket", http.MethodPut, q.Bucket, q.Header)
	k.set(wire.HeaderACL, string(q.ACL))
	if q.StorageClass != "" || q.DataRedundancy != "" {
		k.document(&wire.CreateBucketConfiguration{
			StorageClass: wire.StorageClass(q.StorageClass), DataRedundancyType: q.DataRedundancy,
		})
	}
	k.idempotent = true
	return k
}

// PutBucket makes a bucket. One that is there already, the caller's own and of
// the same kind, is no error.
func (c *Client) PutBucket(ctx context.Context, q *PutBucketRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// DeleteBucketRequest deletes an empty bucket.
type DeleteBucketRequest struct {
	Bucket string
	Header http.Header
}

func (q *DeleteBucketRequest) build() *call {
	k := onBucket("DeleteBucket", http.MethodDelete, q.Bucket, q.Header)
	k.idempotent = true
	return k
}

// DeleteBucket deletes a bucket, which must hold neither objects nor open
// uploads.
func (c *Client) DeleteBucket(ctx context.Context, q *DeleteBucketRequest) (*Answer, error) {
	k := q.build()
	a, err := c.plain(ctx, k)
	if k.ambiguous && errors.Is(err, ErrNoSuchBucket) {
		return &Answer{}, nil // an earlier attempt did it
	}
	return a, err
}

// HeadBucketRequest asks whether there is a bucket.
type HeadBucketRequest struct {
	Bucket string
	Header http.Header
}

func (q *HeadBucketRequest) build() *call {
	k := onBucket("HeadBucket", http.MethodHead, q.Bucket, q.Header)
	k.idempotent = true
	return k
}

// HeadBucket returns an error if there is no such bucket.
func (c *Client) HeadBucket(ctx context.Context, q *HeadBucketRequest) (*Answer, error) {
	return c.plain(ctx, q.build())
}

// GetBucketInfoRequest asks what a bucket is.
type GetBucketInfoRequest struct {
	Bucket string
	Header http.Header
}

// BucketInfo is what a bucket is.
type BucketInfo struct {
	Answer
	Bucket
	Owner          Owner
	ACL            ACL
	DataRedundancy string
	Encryption     Encryption // by default; Algorithm is "" for none
	Versioning     string     // Enabled, Suspended or ""
	Comment        string
}

func (q *GetBucketInfoRequest) build() *call {
	k := onBucket("GetBucketInfo", http.MethodGet, q.Bucket, q.Header)
	k.flag(wire.QueryBucketInfo)
	k.idempotent = true
	return k
}

// GetBucketInfo tells what a bucket is.
func (c *Client) GetBucketInfo(ctx context.Context, q *GetBucketInfoRequest) (*BucketInfo, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.BucketInfo
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	b := &doc.Bucket
	res := &BucketInfo{
		Answer: r.answer(),
		Bucket: Bucket{
			Name: b.Name, Location: b.Location, CreationDate: b.CreationDate.Time, StorageClass: StorageClass(b.StorageClass),
			ExtranetEndpoint: b.ExtranetEndpoint, IntranetEndpoint: b.IntranetEndpoint, ResourceGroupID: b.ResourceGroupID,
		},
		Owner: Owner(b.Owner), ACL: ACL(b.AccessControlList.Grant), DataRedundancy: b.DataRedundancyType, Versioning: b.Versioning,
	}
	res.Region = regionOfLocation(b.Location)
	if rule := b.ServerSideEncryptionRule; rule.SSEAlgorithm != wire.EncryptionNone {
		res.Encryption = Encryption{Algorithm: rule.SSEAlgorithm, KeyID: rule.KMSMasterKeyID, DataAlgorithm: rule.KMSDataEncryption}
	}
	if b.Comment != nil {
		res.Comment = *b.Comment
	}
	return res, nil
}

// GetBucketLocationRequest asks where a bucket is.
type GetBucketLocationRequest struct {
	Bucket string
	Header http.Header
}

// BucketLocation is where a bucket is.
type BucketLocation struct {
	Answer
	Location string // such as oss-cn-hangzhou
	Region   string // such as cn-hangzhou
}

func regionOfLocation(location string) string {
	if len(location) > 4 && location[:4] == "oss-" {
		return location[4:]
	}
	return location
}

func (q *GetBucketLocationRequest) build() *call {
	k := onBucket("GetBucketLocation", http.MethodGet, q.Bucket, q.Header)
	k.flag(wire.QueryLocation)
	k.idempotent = true
	return k
}

// GetBucketLocation tells the region of a bucket.
func (c *Client) GetBucketLocation(ctx context.Context, q *GetBucketLocationRequest) (*BucketLocation, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.LocationConstraint
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &BucketLocation{Answer: r.answer(), Location: doc.Location, Region: regionOfLocation(doc.Location)}, nil
}

// GetBucketStatRequest asks how much is in a bucket.
type GetBucketStatRequest struct {
	Bucket string
	Header http.Header
}

// BucketStat is how much is in a bucket: bytes and numbers of things.
type BucketStat struct {
	Answer
	Storage              int64
	ObjectCount          int64
	MultipartUploadCount int64
	MultipartPartCount   int64
	DeleteMarkerCount    int64
	LastModified         time.Time
	ByClass              map[StorageClass]ClassStat
}

// ClassStat is how much is in a storage class.
type ClassStat struct {
	Storage     int64
	RealStorage int64 // without what small objects are charged above their size; 0 for StorageStandard
	ObjectCount int64
}

func (q *GetBucketStatRequest) build() *call {
	k := onBucket("GetBucketStat", http.MethodGet, q.Bucket, q.Header)
	k.flag(wire.QueryStat)
	k.idempotent = true
	return k
}

// GetBucketStat tells how much is in a bucket. Servers may count late.
func (c *Client) GetBucketStat(ctx context.Context, q *GetBucketStatRequest) (*BucketStat, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var d wire.BucketStat
	if err := k.unmarshal(r, &d); err != nil {
		return nil, err
	}
	res := &BucketStat{
		Answer: r.answer(), Storage: d.Storage, ObjectCount: d.ObjectCount, MultipartUploadCount: d.MultipartUploadCount,
		MultipartPartCount: d.MultipartPartCount, DeleteMarkerCount: d.DeleteMarkerCount,
		ByClass: map[StorageClass]ClassStat{
			StorageStandard:        {Storage: d.StandardStorage, ObjectCount: d.StandardObjectCount},
			StorageIA:              {d.InfrequentAccessStorage, d.InfrequentAccessRealStorage, d.InfrequentAccessObjectCount},
			StorageArchive:         {d.ArchiveStorage, d.ArchiveRealStorage, d.ArchiveObjectCount},
			StorageColdArchive:     {d.ColdArchiveStorage, d.ColdArchiveRealStorage, d.ColdArchiveObjectCount},
			StorageDeepColdArchive: {d.DeepColdArchiveStorage, d.DeepColdArchiveRealStorage, d.DeepColdArchiveObjectCount},
		},
	}
	if d.LastModifiedTime > 0 {
		res.LastModified = time.Unix(d.LastModifiedTime, 0).UTC()
	}
	return res, nil
}
