package server

import (
	"context"
	"errors"
	"strconv"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// copySource reads x-oss-copy-source and asks whether the sender may read it.
// ec is for a header that is malformed; check looks at the source.
func (s *Server) copySource(ctx context.Context, rq *request, ec string, check func(*store.Object) error) (store.CopySource, error) {
	src := store.CopySource{}
	bucket, key, version, err := wire.ParseCopySource(rq.header(wire.HeaderCopySource))
	if e := (*wire.Error)(nil); errors.As(err, &e) {
		return src, e.WithEC(ec)
	}
	action := "oss:GetObject"
	if version != "" {
		if err := checkVersionID(version); err != nil {
			return src, err
		}
		action = "oss:GetObjectVersion"
	}
	if err := s.authorize(ctx, rq, action, bucket, key); err != nil {
		return src, err
	}
	if version != "" && version != wire.NullVersion {
		if _, err := s.store.GetBucketInfo(ctx, bucket); err != nil {
			return src, err
		}
		return src, noSuchVersion(key, version)
	}
	src.Bucket, src.Key = bucket, key
	src.Check = func(o *store.Object) error {
		if err := s.authorizeFound(ctx, rq, action, o); err != nil {
			return err
		}
		if rq.copiesTags() {
			if err := s.authorizeCopiedTags(ctx, rq, action, o); err != nil {
				return err
			}
		}
		return check(o)
	}
	return src, nil
}

// copyObject makes an object of another.
func (s *Server) copyObject(ctx context.Context, rq *request) error {
	wish, asked, err := rq.encryptionHeader()
	if err != nil {
		return err
	}
	attributes, err := rq.copiedAttributes()
	if err != nil {
		return err
	}
	forbid, err := rq.forbidOverwrite()
	if err != nil {
		return err
	}
	conditions := rq.conditions(copySourceIfNames)
	src, err := s.copySource(ctx, rq, "", func(o *store.Object) error {
		if err := conditions.check(o); err != nil {
			return err
		}
		return checkCopySize(o.Size, wire.MaxCopyObject)
	})
	if err != nil {
		return err
	}
	encryption, err := s.encryption(ctx, rq, wish, asked)
	if err != nil {
		return err
	}
	o, err := s.store.CopyObject(ctx, &store.CopyObjectRequest{
		Bucket:          rq.target.bucket,
		Key:             rq.target.key,
		Source:          src,
		ForbidOverwrite: forbid,
		Replaces: func(o *store.Object) error {
			// Only now the tags are known that the source may have.
			if check := s.ifWritable(ctx, rq); check != nil {
				return check(o)
			}
			return nil
		},
		Attributes: func(source store.Attributes) store.Attributes {
			a := attributes(source)
			a.Encryption = encryption // the source's is not carried over
			return a
		},
	})
	if err != nil {
		return err
	}
	rq.w.setDigests(o.ETag, o.CRC64, nil)
	rq.w.setEncryption(o.Encryption)
	return rq.w.document(&wire.CopyObjectResult{
		ETag:         wire.ETag(o.ETag),
		LastModified: wire.Time{Time: o.LastModified},
	})
}

// copiedAttributes tells what the copy's attributes are, given the source's.
// ACL and storage class are always the request's; of the other headers only
// those count, and can be wrong, that replace something.
func (rq *request) copiedAttributes() (func(store.Attributes) store.Attributes, error) {
	metadata, err := wire.ParseDirective(wire.HeaderMetadataDirective, rq.header(wire.HeaderMetadataDirective))
	if err != nil {
		return nil, err
	}
	tagging, err := wire.ParseDirective(wire.HeaderTaggingDirective, rq.header(wire.HeaderTaggingDirective))
	if err != nil {
		return nil, err
	}
	var own store.Attributes
	if metadata == wire.Replace {
		if own, err = rq.metadata(); err != nil {
			return nil, err
		}
	}
	if tagging == wire.Replace {
		if own.Tags, err = rq.tags(); err != nil {
			return nil, err
		}
	}
	if own.StorageClass, err = rq.storageClass(); err != nil {
		return nil, err
	}
	if own.ACL, err = rq.objectACL(); err != nil {
		return nil, err
	}
	return func(source store.Attributes) store.Attributes {
		a := source
		if metadata == wire.Replace {
			a = own
		}
		a.Tags = source.Tags
		if tagging == wire.Replace {
			a.Tags = own.Tags
		}
		a.ACL, a.StorageClass = own.ACL, own.StorageClass
		return a
	}, nil
}

func checkCopySize(size, limit int64) error {
	if size <= limit {
		return nil
	}
	return wire.NewError("EntityTooLarge").
		WithMessage("Source object Length exceeds the maximum allowed size.").
		With("MaxSizeAllowed", strconv.FormatInt(limit, 10)).
		With("ProposedSize", strconv.FormatInt(size, 10))
}

// uploadPartCopy makes a part of an object or of a range of it. A versionId in
// the query is ignored: oss2 repeats there what stands in x-oss-copy-source.
func (s *Server) uploadPartCopy(ctx context.Context, rq *request) error {
	number, err := rq.partNumber()
	if err != nil {
		return err
	}
	if err := rq.refuseEncryption(); err != nil {
		return err
	}
	var (
		rng        wire.Range
		partial    bool
		size       int64
		conditions = rq.conditions(copySourceIfNames)
	)
	src, err := s.copySource(ctx, rq, wire.ECCopySource, func(o *store.Object) error {
		err := conditions.check(o)
		if errors.Is(err, errNotModified) {
			// Unlike for CopyObject, the documentation page has 412 for all.
			err = preconditionFailed(conditions.failedNone())
		}
		if err != nil {
			return err
		}
		size = o.Size
		rng, partial = wire.ParseCopySourceRange(rq.header(wire.HeaderCopySourceRange), size)
		return checkCopySize(rng.Length, wire.MaxPartSize)
	})
	if err != nil {
		return err
	}
	part, err := s.store.UploadPartCopy(ctx, &store.UploadPartCopyRequest{
		Bucket:     rq.target.bucket,
		Key:        rq.target.key,
		UploadID:   rq.uploadID(),
		PartNumber: number,
		Source:     src,
		Range:      func(int64) (offset, n int64) { return rng.Offset, rng.Length },
	})
	if err != nil {
		return err
	}
	rq.w.setDigests(part.ETag, part.CRC64, nil)
	rq.w.setEncryption(part.Encryption)
	if partial {
		rq.w.set("Content-Range", rng.ContentRange(size))
	}
	return rq.w.document(&wire.CopyPartResult{
		LastModified: wire.Time{Time: part.LastModified},
		ETag:         wire.ETag(part.ETag),
	})
}
