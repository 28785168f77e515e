package oss

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/wire"
)

// A copy in parts goes on as an upload of a file does: from what the server has.
// Its mark tells what is copied, so that no upload of anything else is taken for
// it. What the parts hold cannot be compared with the source one by one, as a
// server tells no checksum of a range; but all of them together must have its
// CRC-64, before they become an object. If they do not, those of an earlier call
// are not believed, and copied again.

// copiedPart is a part that the server has.
type copiedPart struct {
	etag string // "" if it is missing
	crc  CRC64
	kept bool // an earlier call copied it
}

func (cp *copier) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	cp.notes = append(cp.notes, text)
	cp.c.log.Info("copy", "bucket", cp.q.Bucket, "key", cp.q.Key, "note", text)
}

func (cp *copier) uploads() *openUploads { return &openUploads{cp.c, cp.q.Bucket, cp.q.Key, cp.note} }

// section is where part i is.
func (cp *copier) section(i int) (off, n int64) {
	off = int64(i) * cp.partSize
	return off, min(cp.partSize, cp.info.Size-off)
}

// parts is how many parts the copy has.
func (cp *copier) parts() int { return max(int((cp.info.Size+cp.partSize-1)/cp.partSize), 1) }

// bytesKept is how much an earlier call has copied.
func (cp *copier) bytesKept() (sum int64) {
	for i, p := range cp.done {
		if p.kept {
			_, n := cp.section(i)
			sum += n
		}
	}
	return sum
}

// mark is that of an upload which makes this copy.
func (cp *copier) mark() []byte {
	k := newCall("", "", "", "", cp.q.Header)
	k.set(wire.HeaderCopySource, cp.q.Source.header(k))
	k.set(copySourcePrefix+"If-Match", cp.info.ETag)
	k.set(wire.HeaderCopySourceRange, strconv.FormatInt(cp.info.Size, 10)+" in "+strconv.FormatInt(cp.partSize, 10))
	return mark(&cp.attributes, cp.tags, k.header)
}

// inParts makes the copy by an upload.
func (cp *copier) inParts(ctx context.Context) (*CopyResult, error) {
	if err := cp.lookAtAttributes(ctx); err != nil {
		return nil, err
	}
	for round := 1; ; round++ {
		res, err := cp.attempt(ctx)
		if err == nil || round == rounds || ctx.Err() != nil {
			return res, err
		}
		switch {
		case errors.Is(err, ErrNoSuchUpload):
			cp.note("upload %s vanished; a new one was opened", cp.id)
			cp.id = ""
		case errors.Is(err, ErrInvalidPart):
			cp.note("parts of upload %s were replaced by another client; they were copied again", cp.id)
		default:
			return nil, err
		}
		cp.drop(func(int) bool { return true })
	}
}

// attempt finds or opens an upload, copies what is missing and completes it.
func (cp *copier) attempt(ctx context.Context) (*CopyResult, error) {
	if cp.id == "" {
		if err := cp.open(ctx); err != nil {
			return nil, err
		}
	}
	cp.track.phase(Transferring)
	if err := cp.copyMissing(ctx); err != nil {
		return nil, err
	}
	same, err := cp.compare(ctx)
	if err == nil && !same && cp.bytesKept() > 0 {
		cp.note("the parts together have other bytes than the source: those of an earlier call were copied again")
		cp.drop(func(i int) bool { return cp.done[i].kept })
		if err := cp.copyMissing(ctx); err != nil {
			return nil, err
		}
		same, err = cp.compare(ctx)
	}
	if err != nil {
		return nil, err
	}
	if !same {
		return nil, cp.fail(fmt.Errorf("%w: the CRC-64 of the source, %s, is not that of the parts", ErrChecksum, cp.info.CRC64))
	}
	return cp.complete(ctx)
}

// open finds an upload to go on with, or opens one.
func (cp *copier) open(ctx context.Context) error {
	cp.done = make([]copiedPart, cp.parts())
	var mark []byte
	if cp.resumes() {
		if found, err := cp.find(ctx); found || err != nil {
			return err
		}
		mark = cp.mark()
	}
	var err error
	cp.id, err = cp.uploads().begin(ctx, &InitiateMultipartUploadRequest{
		Bucket: cp.q.Bucket, Key: cp.q.Key, Attributes: cp.attributes, Tags: cp.tags, ForbidOverwrite: cp.q.ForbidOverwrite,
		Header: cp.q.Header,
	}, mark)
	return err
}

// resumes reports whether a later call can go on with this one. Without the
// CRC-64 of the source, nobody could tell what an upload has.
func (cp *copier) resumes() bool { return cp.q.Resume != ResumeNever && cp.info.CRC64.Known }

// find looks for an upload that an earlier call left, and notes what it has.
func (cp *copier) find(ctx context.Context) (bool, error) {
	open := cp.uploads()
	uploads, err := open.latest(ctx)
	if err != nil {
		return false, open.tolerated(ctx, err)
	}
	mark := cp.mark()
	for _, up := range uploads {
		parts, err := open.parts(ctx, up.UploadID)
		if errors.Is(err, ErrNoSuchUpload) {
			continue // it has just ended
		}
		if err != nil {
			return false, open.tolerated(ctx, err)
		}
		if n := len(parts); n == 0 || parts[n-1].PartNumber != MaxParts || parts[n-1].ETag != etagOf(mark) {
			continue
		}
		cp.id, cp.resumed = up.UploadID, true
		for _, p := range withoutMark(parts) {
			i := p.PartNumber - 1
			if i >= len(cp.done) || !p.CRC64.Known {
				continue
			}
			if _, n := cp.section(i); p.Size == n {
				cp.done[i] = copiedPart{p.ETag, p.CRC64, true}
				cp.track.placed(n)
			}
		}
		cp.note("going on with upload %s: %d of %d bytes are there", cp.id, cp.bytesKept(), cp.info.Size)
		return true, nil
	}
	return false, nil
}

// drop forgets parts, so that they are copied again.
func (cp *copier) drop(which func(i int) bool) {
	for i, p := range cp.done {
		if p.etag != "" && which(i) {
			_, n := cp.section(i)
			cp.track.placed(-n)
			cp.done[i] = copiedPart{}
		}
	}
}

// copyMissing copies the parts that the server does not have.
func (cp *copier) copyMissing(ctx context.Context) error {
	var missing []int
	for i, p := range cp.done {
		if p.etag == "" {
			missing = append(missing, i)
		}
	}
	return parallel(ctx, cp.workers, missing, func(ctx context.Context, i int) error {
		off, n := cp.section(i)
		res, err := cp.c.UploadPartCopy(ctx, &UploadPartCopyRequest{
			Bucket: cp.q.Bucket, Key: cp.q.Key, UploadID: cp.id, PartNumber: i + 1, Source: cp.q.Source,
			Range: &Range{off, n}, Conditions: Conditions{IfMatch: cp.info.ETag},
		})
		if err != nil {
			return err
		}
		cp.done[i] = copiedPart{etag: res.ETag, crc: res.CRC64} // nobody else has this index
		cp.track.moved(n)
		return nil
	})
}

// compare reports whether the parts together have the bytes of the source, as far
// as the server tells. Not all servers tell the CRC-64 of a part when they copy it;
// listings do.
func (cp *copier) compare(ctx context.Context) (bool, error) {
	if cp.bytesKept() > 0 && !cp.known() {
		parts, err := cp.uploads().parts(ctx, cp.id)
		if err != nil {
			return false, err
		}
		for _, p := range parts {
			if i := p.PartNumber - 1; i < len(cp.done) && cp.done[i].etag == p.ETag {
				cp.done[i].crc = p.CRC64
			}
		}
	}
	if !cp.known() {
		return cp.bytesKept() == 0, nil // the object is compared when it is there
	}
	var whole digest.Combiner
	for i, p := range cp.done {
		_, n := cp.section(i)
		whole.Append(p.crc.Sum, n)
	}
	return cp.info.CRC64.is(whole.Sum()), nil
}

// known reports whether the CRC-64 of every part is known.
func (cp *copier) known() bool {
	for _, p := range cp.done {
		if !p.crc.Known {
			return false
		}
	}
	return true
}

// complete makes the object.
func (cp *copier) complete(ctx context.Context) (*CopyResult, error) {
	cp.track.phase(Completing)
	q := &CompleteMultipartUploadRequest{
		Bucket: cp.q.Bucket, Key: cp.q.Key, UploadID: cp.id, ACL: cp.q.ACL, ForbidOverwrite: cp.q.ForbidOverwrite,
	}
	for i, p := range cp.done {
		q.Parts = append(q.Parts, CompletePart{i + 1, p.etag})
	}
	res, err := cp.uploads().complete(ctx, q, &cp.attributes, cp.tags, cp.q.Header)
	if err != nil {
		return nil, err
	}
	id := cp.id
	cp.id = "" // it is no more
	return &CopyResult{ETag: res.ETag, CRC64: res.CRC64, Size: cp.info.Size, VersionID: res.VersionID, UploadID: id}, nil
}
