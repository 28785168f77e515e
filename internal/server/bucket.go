package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// listBuckets lists the buckets of the account.
func (s *Server) listBuckets(ctx context.Context, rq *request) error {
	prefix, err := rq.keyText(wire.QueryPrefix)
	if err != nil {
		return err
	}
	marker, err := rq.keyText(wire.QueryMarker)
	if err != nil {
		return err
	}
	count := rq.query.Get(wire.QueryMaxKeys)
	limit, err := wire.ParseCount(wire.QueryMaxKeys, count, wire.DefaultMaxKeys, wire.ECListBucketsMaxKeys)
	if err != nil {
		return err
	}
	page, err := s.bucketsPage(ctx, rq, &store.ListBucketsRequest{Prefix: prefix, Marker: marker, Max: limit})
	if err != nil {
		return err
	}
	result := &wire.ListBucketsResult{Owner: s.owner()}
	for i := range page.Buckets {
		b := &page.Buckets[i]
		result.Buckets.Buckets = append(result.Buckets.Buckets, wire.BucketSummary{
			CreationDate:     wire.Time{Time: b.Created},
			ExtranetEndpoint: rq.target.endpoint,
			IntranetEndpoint: rq.target.endpoint,
			Location:         s.location(),
			Name:             b.Name,
			Region:           s.opts.Region,
			StorageClass:     wire.StorageClass(b.StorageClass),
		})
	}
	if page.Truncated || prefix != "" || marker != "" || count != "" {
		result.BucketsPage = &wire.BucketsPage{
			Prefix: prefix, Marker: marker, MaxKeys: limit, IsTruncated: page.Truncated,
		}
		if n := len(page.Buckets); page.Truncated && n > 0 {
			result.NextMarker = page.Buckets[n-1].Name
		}
	}
	return rq.w.document(result)
}

// bucketsPage returns a page of buckets: those with the tag that tag-key, and
// tag-value if it is there, ask for, or all. There are so few buckets that
// every one of them may be looked at.
func (s *Server) bucketsPage(ctx context.Context, rq *request, req *store.ListBucketsRequest) (*store.ListBucketsResult, error) {
	key := rq.query.Get(wire.QueryTagKey)
	if key == "" {
		return s.store.ListBuckets(ctx, req)
	}
	found := &store.ListBucketsResult{}
	look := *req
	look.Max = store.MaxListed
	for {
		page, err := s.store.ListBuckets(ctx, &look)
		if err != nil {
			return nil, err
		}
		for _, b := range page.Buckets {
			look.Marker = b.Name
			if tagged, err := s.bucketTagged(ctx, b.Name, key, rq.query.Get(wire.QueryTagValue)); err != nil {
				return nil, err
			} else if !tagged {
				continue
			}
			if len(found.Buckets) == req.Max {
				found.Truncated = true
				return found, nil
			}
			found.Buckets = append(found.Buckets, b)
		}
		if !page.Truncated {
			return found, nil
		}
	}
}

// bucketTagged tells whether a bucket has a tag; any value will do for "". One
// that is gone has none.
func (s *Server) bucketTagged(ctx context.Context, bucket, key, value string) (bool, error) {
	document, err := s.store.GetBucketConfig(ctx, bucket, store.ConfigTagging)
	if errors.Is(err, store.ErrNoSuchConfig) || errors.Is(err, store.ErrNoSuchBucket) {
		return false, nil
	} else if err != nil {
		return false, err
	}
	tags, err := keptTags(document)
	return slices.ContainsFunc(tags, func(t wire.Tag) bool {
		return t.Key == key && (value == "" || t.Value == value)
	}), err
}

// putBucket makes a bucket.
func (s *Server) putBucket(ctx context.Context, rq *request) error {
	encryption, encrypted, err := rq.encryptionHeader()
	if err != nil {
		return err
	}
	if encrypted {
		if err := s.authorize(ctx, rq, "oss:PutBucketEncryption", rq.target.bucket, ""); err != nil {
			return err
		}
	}
	tags, err := wire.ParseBucketTagging(rq.header(wire.HeaderBucketTagging))
	if err != nil {
		return err
	}
	if tags != nil {
		if err := s.authorize(ctx, rq, "oss:PutBucketTagging", rq.target.bucket, ""); err != nil {
			return err
		}
	}
	acl, err := rq.bucketACL()
	if err != nil {
		return err
	}
	if err := s.authorizeNewACL(ctx, rq, acl); err != nil {
		return err
	}
	doc, err := s.document(rq, s.opts.MaxConfigBody)
	if err != nil {
		return err
	}
	config, err := wire.DecodeCreateBucket(doc)
	if err != nil {
		return err
	}
	if config.StorageClass != "" {
		if _, err := wire.ParseStorageClass("StorageClass", string(config.StorageClass)); err != nil {
			return err
		}
	}
	switch config.DataRedundancyType {
	case "", wire.RedundancyLRS, wire.RedundancyZRS:
	default:
		return wire.InvalidArgument("DataRedundancyType", config.DataRedundancyType, "DataRedundancyType must be LRS or ZRS.")
	}
	err = s.store.PutBucket(ctx, &store.PutBucketRequest{
		Bucket:       rq.target.bucket,
		ACL:          acl,
		StorageClass: string(config.StorageClass),
		Redundancy:   config.DataRedundancyType,
	})
	if err != nil {
		return err
	}
	if encrypted {
		if err := s.setDefaultEncryption(ctx, rq.target.bucket, encryption); err != nil {
			return err
		}
	}
	rq.w.set("Location", "/"+rq.target.bucket)
	if tags != nil {
		return s.putConfig(ctx, rq, store.ConfigTagging, bucketTagging(tags))
	}
	return rq.w.empty(http.StatusOK)
}

// authorizeNewACL asks whether PutBucket may change the ACL of a bucket that is
// there already, which is more than making one.
func (s *Server) authorizeNewACL(ctx context.Context, rq *request, acl string) error {
	r, err := s.rules(ctx, rq, rq.target.bucket)
	if err != nil || acl == "" || r.missing != nil || acl == r.acl {
		return err
	}
	return s.authorize(ctx, rq, "oss:PutBucketAcl", rq.target.bucket, "")
}

// bucketACL reads x-oss-acl; "" if it is absent.
func (rq *request) bucketACL() (string, error) {
	text := rq.header(wire.HeaderACL)
	if text == "" {
		return "", nil
	}
	acl, err := wire.ParseBucketACL(text)
	return string(acl), err
}

// deleteBucket removes an empty bucket.
func (s *Server) deleteBucket(ctx context.Context, rq *request) error {
	if err := s.store.DeleteBucket(ctx, rq.target.bucket); err != nil {
		return err
	}
	return rq.w.empty(http.StatusNoContent)
}

// headBucket tells whether a bucket is there.
func (s *Server) headBucket(ctx context.Context, rq *request) error {
	if _, err := s.store.GetBucketInfo(ctx, rq.target.bucket); err != nil {
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// getBucketInfo describes a bucket.
func (s *Server) getBucketInfo(ctx context.Context, rq *request) error {
	configs, err := s.store.GetBucketConfigs(ctx, rq.target.bucket, store.ConfigEncryption)
	if err != nil {
		return err
	}
	b := configs.Bucket
	encryption, err := keptEncryption(configs.Documents[store.ConfigEncryption])
	if err != nil {
		return err
	}
	if encryption == nil {
		encryption = &wire.ServerSideEncryptionRule{SSEAlgorithm: wire.EncryptionNone}
	}
	return rq.w.document(&wire.BucketInfo{Bucket: wire.BucketDetails{
		CreationDate:             wire.Time{Time: b.Created},
		ExtranetEndpoint:         rq.target.endpoint,
		IntranetEndpoint:         rq.target.endpoint,
		Location:                 s.location(),
		Name:                     b.Name,
		StorageClass:             wire.StorageClass(b.StorageClass),
		TransferAcceleration:     "Disabled",
		CrossRegionReplication:   "Disabled",
		DataRedundancyType:       b.Redundancy,
		Owner:                    s.owner(),
		AccessControlList:        wire.AccessControlList{Grant: wire.ACL(b.ACL)},
		ServerSideEncryptionRule: *encryption,
		Comment:                  new(string),
	}})
}

// getBucketLocation tells a bucket's region.
func (s *Server) getBucketLocation(ctx context.Context, rq *request) error {
	if _, err := s.store.GetBucketInfo(ctx, rq.target.bucket); err != nil {
		return err
	}
	return rq.w.document(&wire.LocationConstraint{Location: s.location()})
}

// getBucketStat sums up what a bucket holds. Parts of open uploads take space
// and count as such; LastModifiedTime is when the figures were taken.
func (s *Server) getBucketStat(ctx context.Context, rq *request) error {
	st, err := s.store.GetBucketStat(ctx, rq.target.bucket)
	if err != nil {
		return err
	}
	now := s.opts.Clock()
	class := func(c wire.StorageClass) store.ClassStat { return st.ByClass[string(c)] }
	std, ia, archive := class(wire.Standard), class(wire.IA), class(wire.Archive)
	cold, deep := class(wire.ColdArchive), class(wire.DeepColdArchive)
	parts := &wire.PartStat{
		Storage:            st.PartBytes,
		StandardCount:      std.Parts,
		StandardStorage:    std.PartBytes,
		InfrequentCount:    ia.Parts,
		InfrequentStorage:  ia.PartBytes,
		ArchiveCount:       archive.Parts,
		ArchiveStorage:     archive.PartBytes,
		ColdArchiveCount:   cold.Parts,
		ColdArchiveStorage: cold.PartBytes,
		DeepColdCount:      deep.Parts,
		DeepColdStorage:    deep.PartBytes,
	}
	if st.Uploads > 0 {
		parts.OldestUploadInitiated = st.OldestUpload.Unix()
		parts.OldestUploadAge = max(0, int64(now.Sub(st.OldestUpload)/time.Second))
	}
	return rq.w.document(&wire.BucketStat{
		Storage:                     st.Bytes + st.PartBytes,
		ObjectCount:                 st.Objects,
		MultipartUploadCount:        st.Uploads,
		LastModifiedTime:            now.Unix(),
		StandardStorage:             std.Bytes,
		StandardObjectCount:         std.Objects,
		InfrequentAccessStorage:     ia.Billed,
		InfrequentAccessRealStorage: ia.Bytes,
		InfrequentAccessObjectCount: ia.Objects,
		ArchiveStorage:              archive.Billed,
		ArchiveRealStorage:          archive.Bytes,
		ArchiveObjectCount:          archive.Objects,
		ColdArchiveStorage:          cold.Billed,
		ColdArchiveRealStorage:      cold.Bytes,
		ColdArchiveObjectCount:      cold.Objects,
		DeepColdArchiveStorage:      deep.Billed,
		DeepColdArchiveRealStorage:  deep.Bytes,
		DeepColdArchiveObjectCount:  deep.Objects,
		MultipartPartCount:          st.Parts,
		PartStat:                    parts,
	})
}
