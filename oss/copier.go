package oss

import (
	"context"
	"errors"
	"fmt"

	"github.com/ossastore/ossa/internal/digest"
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

	PartSize int64 // default 128 MiB, more for very large objects
	Parallel int   // parts at a time; default 4

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
}

const (
	copyPartSize = 128 << 20

	// singleCopy is up to which size an object is copied in one request.
	singleCopy = 256 << 20
)

// Copy makes an object of another one, whatever its size. All of it is of one
// version of the source: if that is replaced on the way the error is
// ErrSourceChanged. An upload that failed is aborted.
func (c *Client) Copy(ctx context.Context, q *CopyRequest) (*CopyResult, error) {
	t := newTracker(q.Progress, -1)
	t.phase(Preparing)
	cp := &copier{c: c, q: q, track: t}
	res, err := cp.run(ctx)
	if err != nil {
		return nil, err
	}
	t.phase(Finished)
	return res, nil
}

// copier is one call of Copy.
type copier struct {
	c     *Client
	q     *CopyRequest
	track *tracker
	info  *ObjectInfo // the source
}

func (cp *copier) fail(err error) error { return opError("Copy", cp.q.Bucket, cp.q.Key, err) }

func (cp *copier) run(ctx context.Context) (*CopyResult, error) {
	q := cp.q
	workers := q.Parallel
	if workers == 0 {
		workers = defaultParallel
	}
	partSize := q.PartSize
	if partSize == 0 {
		partSize = copyPartSize
	}
	switch {
	case workers < 1 || workers > maxParallel:
		return nil, cp.fail(fmt.Errorf("%d parts at a time are not 1 to %d", workers, maxParallel))
	case partSize < MinPartSize || partSize > MaxPartSize:
		return nil, cp.fail(fmt.Errorf("parts of %d bytes are not of %d to %d", partSize, MinPartSize, int64(MaxPartSize)))
	}
	info, err := cp.c.HeadObject(ctx, &HeadObjectRequest{Bucket: q.Source.Bucket, Key: q.Source.Key, VersionID: q.Source.VersionID})
	if err != nil {
		return nil, err
	}
	cp.info = info
	cp.track.total(info.Size)
	if partSize, err = determinePartSize(info.Size, partSize, MaxParts); err != nil {
		return nil, err
	}
	cp.track.phase(Transferring)
	var res *CopyResult
	if q.PartSize == 0 && info.Size <= singleCopy || info.Size <= partSize && info.Size <= singleCopy {
		res, err = cp.single(ctx)
	} else {
		res, err = cp.parts(ctx, partSize, workers)
	}
	if err != nil {
		if errors.Is(err, ErrPreconditionFailed) {
			err = cp.fail(fmt.Errorf("%w: %w", ErrSourceChanged, err))
		}
		return nil, err
	}
	if res.CRC64.Known && info.CRC64.Known && res.CRC64 != info.CRC64 {
		return nil, cp.fail(fmt.Errorf("%w: CRC-64 of the source is %s, the copy has %s", ErrChecksum, info.CRC64, res.CRC64))
	}
	return res, nil
}

func (cp *copier) single(ctx context.Context) (*CopyResult, error) {
	q := cp.q
	res, err := cp.c.CopyObject(ctx, &CopyObjectRequest{
		Bucket: q.Bucket, Key: q.Key, Source: q.Source, Conditions: Conditions{IfMatch: cp.info.ETag},
		ReplaceMetadata: q.ReplaceMetadata, Attributes: q.Attributes, ReplaceTags: q.ReplaceTags, Tags: q.Tags,
		ACL: q.ACL, ForbidOverwrite: q.ForbidOverwrite,
	})
	if err != nil {
		return nil, err
	}
	return &CopyResult{ETag: res.ETag, CRC64: res.CRC64, Size: cp.info.Size, VersionID: res.VersionID}, nil
}

// attributes are what the copy is to have. CopyObject takes them from the
// source; an upload must be told.
func (cp *copier) attributes(ctx context.Context) (Attributes, []Tag, error) {
	q := cp.q
	a := cp.info.Attributes
	if q.ReplaceMetadata {
		a = q.Attributes
	}
	a.StorageClass, a.Encryption = q.StorageClass, q.Encryption
	tags := q.Tags
	if !q.ReplaceTags {
		tags = nil
		if cp.info.TagCount > 0 {
			res, err := cp.c.GetObjectTagging(ctx, &GetObjectTaggingRequest{
				Bucket: q.Source.Bucket, Key: q.Source.Key, VersionID: q.Source.VersionID,
			})
			if err != nil {
				return a, nil, err
			}
			tags = res.Tags
		}
	}
	return a, tags, nil
}

func (cp *copier) parts(ctx context.Context, partSize int64, workers int) (*CopyResult, error) {
	q := cp.q
	a, tags, err := cp.attributes(ctx)
	if err != nil {
		return nil, err
	}
	up, err := cp.c.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{
		Bucket: q.Bucket, Key: q.Key, Attributes: a, Tags: tags, ForbidOverwrite: q.ForbidOverwrite,
	})
	if err != nil {
		return nil, err
	}
	complete := &CompleteMultipartUploadRequest{
		Bucket: q.Bucket, Key: q.Key, UploadID: up.UploadID, ACL: q.ACL, ForbidOverwrite: q.ForbidOverwrite,
	}
	size := cp.info.Size
	n := max(int((size+partSize-1)/partSize), 1)
	sums := make([]CRC64, n)
	complete.Parts = make([]CompletePart, n)
	indices := make([]int, n)
	for i := range indices {
		indices[i] = i
	}
	err = parallel(ctx, workers, indices, func(ctx context.Context, i int) error {
		off := int64(i) * partSize
		length := min(partSize, size-off)
		part := &UploadPartCopyRequest{
			Bucket: q.Bucket, Key: q.Key, UploadID: up.UploadID, PartNumber: i + 1, Source: q.Source,
			Range: &Range{off, length}, Conditions: Conditions{IfMatch: cp.info.ETag},
		}
		res, err := cp.c.UploadPartCopy(ctx, part)
		if err != nil {
			return err
		}
		complete.Parts[i], sums[i] = CompletePart{i + 1, res.ETag}, res.CRC64
		cp.track.moved(length)
		return nil
	})
	if err == nil {
		err = cp.compareParts(sums, partSize)
	}
	var done *CompleteMultipartUploadResult
	if err == nil {
		cp.track.phase(Completing)
		done, err = cp.c.CompleteMultipartUpload(ctx, complete)
	}
	if err != nil {
		cleanup, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
		defer cancel()
		_, abortErr := cp.c.AbortMultipartUpload(cleanup, &AbortMultipartUploadRequest{Bucket: q.Bucket, Key: q.Key, UploadID: up.UploadID})
		if abortErr != nil && !errors.Is(abortErr, ErrNoSuchUpload) {
			err = &UploadError{Bucket: q.Bucket, Key: q.Key, UploadID: up.UploadID, Err: err}
		}
		return nil, err
	}
	return &CopyResult{ETag: done.ETag, CRC64: done.CRC64, Size: size, VersionID: done.VersionID, UploadID: up.UploadID}, nil
}

// compareParts compares what was copied with the source, before there is an
// object of it.
func (cp *copier) compareParts(sums []CRC64, partSize int64) error {
	var whole digest.Combiner
	for i, sum := range sums {
		if !sum.Known {
			return nil
		}
		whole.Append(sum.Sum, min(partSize, cp.info.Size-int64(i)*partSize))
	}
	if !cp.info.CRC64.is(whole.Sum()) {
		return cp.fail(fmt.Errorf("%w: CRC-64 of the source is %s, of the parts %d", ErrChecksum, cp.info.CRC64, whole.Sum()))
	}
	return nil
}
