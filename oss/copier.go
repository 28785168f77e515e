package oss

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
)

// CopyRequest makes an object of another one of any size, in the server.
type CopyRequest struct {
	Bucket, Key string
	Source      CopySource

	// ReplaceMetadata, ReplaceTags and what belongs to them are as in
	// CopyObjectRequest.
	ReplaceMetadata bool
	Attributes
	ReplaceTags bool
	Tags        []Tag

	ACL             ACL
	ForbidOverwrite bool
	Header          http.Header // further headers of CopyObject and InitiateMultipartUpload

	PartSize int64 // default 128 MiB, more for very large objects
	Parallel int   // parts at a time; default 4

	// Resume is as in UploadRequest. What an earlier call has copied counts if it
	// was asked for the same, of the same version of the source.
	Resume Resume

	// Progress is told how far it is, as in UploadRequest.
	Progress func(Progress)
}

// CopyResult is the copy.
type CopyResult struct {
	ETag      string
	CRC64     CRC64 // compared with that of the source, if both are known
	Size      int64
	VersionID string
	UploadID  string // "" if it was made in one request

	Resumed   bool  // went on with an open upload
	BytesKept int64 // that an earlier call had copied

	// Notes say what else happened, for people.
	Notes []string
}

const (
	copyPartSize = 128 << 20

	// singleCopy is up to which size an object is copied in one request.
	singleCopy = 256 << 20
)

// Copy makes an object of another one, whatever its size. All of it is of one
// version of the source: if that is replaced on the way the error is
// ErrSourceChanged.
//
// What is copied in parts and failed or was cancelled stays open, and the same
// call goes on with it, as with Upload; the error is an *UploadError then. It is
// aborted where no call can go on: if the source changed or is gone, or the server
// does not tell its CRC-64.
func (c *Client) Copy(ctx context.Context, q *CopyRequest) (*CopyResult, error) {
	t := newTracker(q.Progress, -1)
	t.phase(Preparing)
	cp := &copier{c: c, q: q, track: t}
	res, err := cp.run(ctx)
	if err != nil {
		return nil, cp.failed(ctx, err)
	}
	t.phase(Finished)
	res.Resumed, res.BytesKept, res.Notes = cp.resumed, cp.bytesKept(), cp.notes
	return res, nil
}

// copier is one call of Copy.
type copier struct {
	c     *Client
	q     *CopyRequest
	track *tracker
	info  *ObjectInfo // the source

	workers  int
	partSize int64

	// Of a copy in parts.
	attributes Attributes
	tags       []Tag
	id         string       // of the upload, "" for none
	done       []copiedPart // by index
	resumed    bool
	notes      []string
}

func (cp *copier) fail(err error) error { return opError("Copy", cp.q.Bucket, cp.q.Key, err) }

// failed ends a call that failed: an upload of use stays open.
func (cp *copier) failed(ctx context.Context, err error) error {
	if errors.Is(err, ErrPreconditionFailed) {
		err = cp.fail(fmt.Errorf("%w: %w", ErrSourceChanged, err))
	}
	open := cp.id
	over := errors.Is(err, ErrSourceChanged) || errors.Is(err, ErrNoSuchKey) || errors.Is(err, ErrChecksum)
	if open != "" && (over || !cp.resumes()) {
		open = cp.uploads().abort(ctx, open)
	}
	if open == "" {
		return err
	}
	return &UploadError{
		Bucket: cp.q.Bucket, Key: cp.q.Key, UploadID: open, Report: UploadReport{Resumed: cp.resumed, Notes: cp.notes}, Err: err,
	}
}

func (cp *copier) run(ctx context.Context) (*CopyResult, error) {
	q := cp.q
	cp.workers, cp.partSize = cmp.Or(q.Parallel, defaultParallel), cmp.Or(q.PartSize, copyPartSize)
	switch {
	case cp.workers < 1 || cp.workers > maxParallel:
		return nil, cp.fail(fmt.Errorf("%d parts at a time are not 1 to %d", cp.workers, maxParallel))
	case cp.partSize < MinPartSize || cp.partSize > MaxPartSize:
		return nil, cp.fail(fmt.Errorf("parts of %d bytes are not of %d to %d", cp.partSize, MinPartSize, int64(MaxPartSize)))
	}
	info, err := cp.c.HeadObject(ctx, &HeadObjectRequest{Bucket: q.Source.Bucket, Key: q.Source.Key, VersionID: q.Source.VersionID})
	if err != nil {
		return nil, err
	}
	cp.info = info
	cp.track.total(info.Size)
	if cp.partSize, err = determinePartSize(info.Size, cp.partSize, lastPart); err != nil {
		return nil, err
	}
	var res *CopyResult
	if q.PartSize == 0 && info.Size <= singleCopy || info.Size <= cp.partSize && info.Size <= singleCopy {
		cp.track.phase(Transferring)
		res, err = cp.single(ctx)
	} else {
		res, err = cp.inParts(ctx)
	}
	if err != nil {
		return nil, err
	}
	if res.CRC64.Known && info.CRC64.Known && res.CRC64 != info.CRC64 {
		return nil, cp.fail(fmt.Errorf("%w: CRC-64 of the source is %s, the copy has %s", ErrChecksum, info.CRC64, res.CRC64))
	}
	return res, nil
}

// single copies in one request.
func (cp *copier) single(ctx context.Context) (*CopyResult, error) {
	q := cp.q
	for try := 1; ; try++ {
		res, err := cp.c.CopyObject(ctx, &CopyObjectRequest{
			Bucket: q.Bucket, Key: q.Key, Source: q.Source, Conditions: Conditions{IfMatch: cp.info.ETag},
			ReplaceMetadata: q.ReplaceMetadata, Attributes: q.Attributes, ReplaceTags: q.ReplaceTags, Tags: q.Tags,
			ACL: q.ACL, ForbidOverwrite: q.ForbidOverwrite, Header: q.Header,
		})
		if err == nil {
			return &CopyResult{ETag: res.ETag, CRC64: res.CRC64, Size: cp.info.Size, VersionID: res.VersionID}, nil
		}
		if !q.ForbidOverwrite || ctx.Err() != nil || isAnswer(err) {
			return nil, err
		}
		// It may have been made: then it is there, and it was not before.
		info, headErr := cp.c.HeadObject(ctx, &HeadObjectRequest{Bucket: q.Bucket, Key: q.Key})
		switch {
		case headErr == nil && info.Size == cp.info.Size && info.CRC64.Known && info.CRC64 == cp.info.CRC64:
			cp.note("the answer was lost, and the object is there")
			return &CopyResult{ETag: info.ETag, CRC64: info.CRC64, Size: info.Size, VersionID: info.VersionID}, nil
		case !errors.Is(headErr, ErrNoSuchKey) || try == damagedTries:
			return nil, err
		}
	}
}

// lookAtAttributes learns what the copy is to have. CopyObject takes it from the
// source; an upload must be told.
func (cp *copier) lookAtAttributes(ctx context.Context) error {
	q := cp.q
	cp.attributes = cp.info.Attributes
	if q.ReplaceMetadata {
		cp.attributes = q.Attributes
	}
	cp.attributes.StorageClass, cp.attributes.Encryption = q.StorageClass, q.Encryption
	if q.ReplaceTags {
		cp.tags = q.Tags
	} else if cp.info.TagCount > 0 {
		res, err := cp.c.GetObjectTagging(ctx, &GetObjectTaggingRequest{
			Bucket: q.Source.Bucket, Key: q.Source.Key, VersionID: q.Source.VersionID,
		})
		if err != nil {
			return err
		}
		cp.tags = res.Tags
	}
	return nil
}
