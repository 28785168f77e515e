package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/ossastore/ossa/oss"
)

// verify looks at everything after success, past the proxy, and clears up.
func (r *round) verify(ctx context.Context) error {
	if err := r.verifyObject(ctx); err != nil {
		return err
	}
	if err := r.verifyBytes(); err != nil {
		return err
	}
	if err := r.verifyUploads(ctx); err != nil {
		return err
	}
	_, err := r.direct.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: bucket, Key: r.key})
	return err
}

// verifyObject downloads it.
func (r *round) verifyObject(ctx context.Context) error {
	want, err := sumsOfFile(r.machine.file)
	if err != nil {
		return err
	}
	res, err := r.direct.GetObject(ctx, &oss.GetObjectRequest{Bucket: bucket, Key: r.key})
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := sumsOf(io.Reader(res.Body))
	switch {
	case err != nil:
		return fmt.Errorf("download: %w", err)
	case got != want:
		return fmt.Errorf("the object has %d bytes with SHA-256 %x, the file %d with %x", got.size, got.sha256, want.size, want.sha256)
	case res.CRC64.Sum != want.crc64:
		return fmt.Errorf("the server says that the CRC-64 is %v, it is %d", res.CRC64, want.crc64)
	}
	return nil
}

// verifyBytes bounds what was sent where only kills can have cost something.
func (r *round) verifyBytes() error {
	if r.rate > 0 || r.hang || r.plan.serverKills > 0 || r.change != unchanged {
		return nil
	}
	if most := r.size + r.inFlight; r.ledger.sent > most {
		return fmt.Errorf("%d bytes were sent of a file of %d, after %d kills", r.ledger.sent, r.size, r.tally.clientKills)
	}
	return nil
}

// verifyUploads finds uploads that are still open.
func (r *round) verifyUploads(ctx context.Context) error {
	open, err := openUploads(r.ossa, r.machine, r.url, r.key)
	if err != nil {
		return err
	}
	listed := map[string]bool{}
	for _, id := range open {
		listed[id] = true
		parts := 0
		for p, err := range r.direct.Parts(ctx, bucket, r.key, id) {
			if err != nil {
				return err
			}
			parts++
			if p.PartNumber == oss.MaxParts && r.zombies {
				parts-- // the mark may have come when the next client had looked
			}
		}
		if parts > 0 && !r.mayKeep {
			return fmt.Errorf("upload %s is left with %d parts", id, parts)
		}
		if parts == 0 {
			r.strays++
		}
	}
	for _, id := range r.ledger.ids() {
		_, err := r.direct.ListParts(ctx, &oss.ListPartsRequest{Bucket: bucket, Key: r.key, UploadID: id})
		if !listed[id] && !errors.Is(err, oss.ErrNoSuchUpload) {
			return fmt.Errorf("upload %s is not listed, and ListParts says %v", id, err)
		}
	}
	stat, err := r.direct.GetBucketStat(ctx, &oss.GetBucketStatRequest{Bucket: bucket})
	if err != nil {
		return err
	}
	if stat.MultipartUploadCount != int64(len(listed)) {
		return fmt.Errorf("%d uploads are listed, and the bucket counts %d", len(listed), stat.MultipartUploadCount)
	}
	for id := range listed {
		if _, err := r.direct.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: bucket, Key: r.key, UploadID: id}); err != nil {
			return err
		}
	}
	return nil
}
