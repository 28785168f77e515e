package server

import (
	"cmp"
	"context"
	"net/http"
	"net/url"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

func (rq *request) uploadID() store.UploadID {
	return store.UploadID(rq.query.Get(wire.QueryUploadID))
}

func (rq *request) partNumber() (store.PartNumber, error) {
	text := rq.query.Get(wire.QueryPartNumber)
	if text == "" {
		return 0, wire.MissingPartNumber()
	}
	n, err := wire.ParsePartNumber(text)
	return store.PartNumber(n), err
}

// initiateMultipartUpload opens an upload. What the headers say of the object
// counts now, not at Complete, but for the ACL: that is given there, and
// ignored here.
func (s *Server) initiateMultipartUpload(ctx context.Context, rq *request) error {
	encoding, err := rq.encodingType()
	if err != nil {
		return err
	}
	wish, asked, err := rq.encryptionHeader()
	if err != nil {
		return err
	}
	attrs, err := rq.attributes()
	if err != nil {
		return err
	}
	forbid, err := rq.forbidOverwrite()
	if err != nil {
		return err
	}
	if attrs.Encryption, err = s.encryption(ctx, rq, wish, asked); err != nil {
		return err
	}
	id, err := s.store.InitiateMultipartUpload(ctx, &store.InitiateMultipartUploadRequest{
		Bucket:          rq.target.bucket,
		Key:             rq.target.key,
		Attributes:      attrs,
		ForbidOverwrite: forbid,
		Sequential:      rq.query.Has(wire.QuerySequential),
	})
	if err != nil {
		return err
	}
	if attrs.Encryption.Algorithm == wire.EncryptionKMS && attrs.Encryption.KeyID == "" {
		// Which key it is only the upload knows.
		upload, err := s.store.HeadUpload(ctx, rq.target.bucket, rq.target.key, id)
		if err != nil {
			return err
		}
		attrs.Encryption = upload.Encryption
	}
	rq.w.setEncryption(attrs.Encryption)
	return rq.w.document(&wire.InitiateMultipartUploadResult{
		EncodingType: encoding,
		Bucket:       rq.target.bucket,
		Key:          rq.target.key,
		UploadID:     string(id),
	})
}

// uploadPart makes a part of the body. Headers about the object are ignored, but
// not the wish for encryption, which belongs to Initiate: whoever has it here
// must not believe it granted.
func (s *Server) uploadPart(ctx context.Context, rq *request) error {
	number, err := rq.partNumber()
	if err != nil {
		return err
	}
	if err := rq.refuseEncryption(); err != nil {
		return err
	}
	body, err := rq.upload(wire.MaxPartSize)
	if err != nil {
		return err
	}
	part, err := s.store.UploadPart(ctx, &store.UploadPartRequest{
		Bucket:     rq.target.bucket,
		Key:        rq.target.key,
		UploadID:   rq.uploadID(),
		PartNumber: number,
		Body:       body,
	})
	if err != nil {
		return err
	}
	rq.w.setDigests(part.ETag, part.CRC64, part.MD5)
	rq.w.setEncryption(part.Encryption)
	return rq.w.empty(http.StatusOK)
}

// completeMultipartUpload makes the object. The upload is looked for before the
// body is read, as the documentation page orders the checks.
func (s *Server) completeMultipartUpload(ctx context.Context, rq *request) error {
	if err := s.store.GetUpload(ctx, rq.target.bucket, rq.target.key, rq.uploadID()); err != nil {
		return err
	}
	encoding, err := rq.encodingType()
	if err != nil {
		return err
	}
	if err := rq.refuseEncryption(); err != nil {
		return err
	}
	if err := rq.refuseCallback(); err != nil {
		return err
	}
	req, err := s.completion(rq)
	if err != nil {
		return err
	}
	req.Replaces = s.ifWritable(ctx, rq)
	res, err := s.store.CompleteMultipartUpload(ctx, req)
	if err != nil {
		return err
	}
	rq.w.setDigests(res.ETag, res.CRC64, nil)
	rq.w.setEncryption(res.Encryption)
	return rq.w.document(&wire.CompleteMultipartUploadResult{
		EncodingType: encoding,
		Location:     rq.location(),
		Bucket:       rq.target.bucket,
		Key:          rq.target.key,
		ETag:         wire.ETag(res.ETag),
	})
}

// completion reads what is to be completed: the list in the body, or all.
func (s *Server) completion(rq *request) (*store.CompleteMultipartUploadRequest, error) {
	req := &store.CompleteMultipartUploadRequest{
		Bucket:   rq.target.bucket,
		Key:      rq.target.key,
		UploadID: rq.uploadID(),
		All:      rq.hasHeader(wire.HeaderCompleteAll),
	}
	if req.All {
		if value := rq.header(wire.HeaderCompleteAll); value != wire.CompleteAllYes {
			return nil, wire.InvalidArgument(wire.HeaderCompleteAll, value, "x-oss-complete-all must be yes.")
		}
	}
	doc, err := s.document(rq, s.opts.MaxCompleteBody)
	switch {
	case req.All && (len(doc) > 0 || isDecodeError(err)):
		return nil, wire.CompleteAllWithBody()
	case err != nil:
		return nil, err
	case !req.All:
		parts, err := wire.DecodeCompleteMultipartUpload(doc)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			req.Parts = append(req.Parts, store.CompletedPart{
				Number: store.PartNumber(p.PartNumber), ETag: string(p.ETag),
			})
		}
	}
	// What is wrong with the object to be is told after what is wrong with its
	// parts, and the ACL last.
	var badForbid, badACL error
	req.ForbidOverwrite, badForbid = rq.forbidOverwrite()
	req.ACL, badACL = rq.objectACL()
	req.Check = func() error { return cmp.Or(badForbid, badACL) }
	return req, nil
}

// location is the URL of the object under the address that the client used.
func (rq *request) location() string {
	u := url.URL{Scheme: rq.scheme(), Host: rq.r.Host}
	path := "/" + wire.EncodePath(rq.target.key)
	if rq.target.pathStyle {
		path = "/" + rq.target.bucket + path
	}
	return u.String() + path
}

// abortMultipartUpload drops an upload and its parts.
func (s *Server) abortMultipartUpload(ctx context.Context, rq *request) error {
	if err := s.store.AbortMultipartUpload(ctx, rq.target.bucket, rq.target.key, rq.uploadID()); err != nil {
		return err
	}
	return rq.w.empty(http.StatusNoContent)
}

// listParts lists the parts of an upload.
func (s *Server) listParts(ctx context.Context, rq *request) error {
	encoding, err := rq.encodingType()
	if err != nil {
		return err
	}
	marker, err := wire.ParsePartNumberMarker(rq.query.Get(wire.QueryPartNumberMarker))
	if err != nil {
		return err
	}
	limit, err := wire.ParseCount(wire.QueryMaxParts, rq.query.Get(wire.QueryMaxParts), wire.DefaultMaxParts, "")
	if err != nil {
		return err
	}
	page, err := s.store.ListParts(ctx, &store.ListPartsRequest{
		Bucket:   rq.target.bucket,
		Key:      rq.target.key,
		UploadID: rq.uploadID(),
		Marker:   store.PartNumber(marker),
		Max:      limit,
	})
	if err != nil {
		return err
	}
	result := &wire.ListPartsResult{
		EncodingType:     encoding,
		Bucket:           rq.target.bucket,
		Key:              rq.target.key,
		UploadID:         string(page.Upload.ID),
		StorageClass:     wire.StorageClass(page.Upload.StorageClass),
		PartNumberMarker: marker,
		MaxParts:         limit,
		IsTruncated:      page.Truncated,
	}
	for _, p := range page.Parts {
		result.NextPartNumberMarker = wire.PartMarker(p.Number)
		result.Parts = append(result.Parts, wire.Part{
			PartNumber:   int(p.Number),
			LastModified: wire.Time{Time: p.LastModified},
			ETag:         wire.ETag(p.ETag),
			CRC64:        p.CRC64,
			Size:         p.Size,
		})
	}
	return rq.w.document(result)
}

// listMultipartUploads lists the open uploads of a bucket.
func (s *Server) listMultipartUploads(ctx context.Context, rq *request) error {
	l, err := rq.listing(wire.QueryKeyMarker, wire.QueryMaxUploads, wire.DefaultMaxUploads, "")
	if err != nil {
		return err
	}
	idMarker := rq.query.Get(wire.QueryUploadIDMarker)
	page, err := s.store.ListMultipartUploads(ctx, &store.ListMultipartUploadsRequest{
		Bucket:         rq.target.bucket,
		Prefix:         l.prefix,
		Delimiter:      l.delimiter,
		KeyMarker:      l.marker,
		UploadIDMarker: store.UploadID(idMarker),
		Max:            l.max,
	})
	if err != nil {
		return err
	}
	result := &wire.ListMultipartUploadsResult{
		EncodingType:       l.encoding,
		Bucket:             rq.target.bucket,
		KeyMarker:          l.marker,
		UploadIDMarker:     idMarker,
		NextKeyMarker:      page.NextKey,
		NextUploadIDMarker: string(page.NextUploadID),
		Delimiter:          l.delimiter,
		Prefix:             l.prefix,
		MaxUploads:         l.max,
		IsTruncated:        page.Truncated,
		CommonPrefixes:     commonPrefixes(page.CommonPrefixes),
	}
	for _, u := range page.Uploads {
		result.Uploads = append(result.Uploads, wire.Upload{
			Key:          u.Key,
			UploadID:     string(u.ID),
			StorageClass: wire.StorageClass(u.StorageClass),
			Initiated:    wire.Time{Time: u.Initiated},
		})
	}
	return rq.w.document(result)
}
