package oss

import (
	"context"
	"errors"
)

// findOld looks at the object that parts can be copied from.
func (u *uploader) findOld(ctx context.Context) error {
	info, err := u.c.HeadObject(ctx, &HeadObjectRequest{Bucket: u.q.Bucket, Key: u.q.Key})
	switch {
	case errors.Is(err, ErrNotFound):
		u.note("there is no object to copy from")
		return nil
	case err != nil && isAnswer(err):
		u.note("the object that is there cannot be looked at, so nothing is copied: %v", err)
		return nil
	case err != nil:
		return err
	}
	u.old = info
	return nil
}

// copyOld makes a part of the same range of the old object, and compares what
// the server says it copied with the file. It returns nil if that is not the
// same, or cannot be had: then the part is sent, and replaces what was copied.
func (u *uploader) copyOld(ctx context.Context, i int, off, n int64) *donePart {
	u.track.mu.Lock()
	old := u.old
	u.track.mu.Unlock()
	if old == nil || off+n > old.Size || n < MinPartSize {
		return nil
	}
	res, err := u.c.UploadPartCopy(ctx, &UploadPartCopyRequest{
		Bucket: u.q.Bucket, Key: u.q.Key, UploadID: u.id, PartNumber: i + 1,
		Source: CopySource{Bucket: u.q.Bucket, Key: u.q.Key}, Range: &Range{off, n}, Conditions: Conditions{IfMatch: old.ETag},
	})
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, ErrNoSuchUpload) {
			u.track.mu.Lock()
			defer u.track.mu.Unlock()
			if u.old != nil {
				u.old = nil
				u.note("no more parts are copied from the object that was there: %v", err)
			}
		}
		return nil
	}
	crc, etag, err := u.sums(ctx, off, n, !res.CRC64.Known)
	if err != nil {
		return nil // sending it meets the same error
	}
	if res.CRC64.Known && res.CRC64.Sum != crc || !res.CRC64.Known && res.ETag != etag {
		return nil
	}
	return &donePart{res.ETag, crc, n}
}
