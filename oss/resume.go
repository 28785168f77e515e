package oss

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/digest"
)

// A server does not tell with which attributes an upload was opened, and they
// count for the object. So an upload of ours has a mark: a part of the highest
// number, which no list names, so that it is dropped when the object is made. Its
// bytes are the hash of the attributes; the listing of parts shows its ETag. Its
// length, which is shown as well, tells about the file: an upload without parts
// has nothing else to know it by.

// mark is what the mark of an upload with these attributes holds.
func mark(a *Attributes, tags []Tag, extra http.Header) []byte {
	k := newCall("", "", "", "", extra)
	k.attributes(a, tags)
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(k.header)) {
		fmt.Fprintf(h, "%q%q\n", name, k.header[name])
	}
	return []byte("ossa upload 1 " + hex.EncodeToString(h.Sum(nil)) + "\n")
}

// mark is that of an upload of ours, with filling of so many bytes.
func (u *uploader) mark(filling int) []byte {
	return append(mark(&u.q.Attributes, u.q.Tags, u.q.Header), bytes.Repeat([]byte{'\n'}, filling)...)
}

const (
	maxFilling = 4 << 10 // of a mark, bytes; a stream has none
	sample     = 4 << 10 // bytes of a file that are read in a place
)

// filling is a number of 1 to maxFilling that different files seldom have in
// common: of their size, and of samples from start, middle and end.
func (u *uploader) filling() (int, error) {
	if u.q.Body == nil {
		return 0, nil
	}
	h := newCRC()
	fmt.Fprintln(h, u.size)
	buf := make([]byte, min(sample, u.size))
	for _, off := range []int64{0, u.size / 2, u.size} {
		off = min(off, u.size-int64(len(buf)))
		if n, err := u.q.Body.ReadAt(buf, off); n < len(buf) {
			return 0, u.fail(fmt.Errorf("%w: %w", ErrSourceChanged, err))
		}
		h.Write(buf)
	}
	return int(1 + h.sum%maxFilling), nil
}

// open finds an upload to go on with, or opens one, and leaves in done what it
// has.
func (u *uploader) open(ctx context.Context) error {
	if u.id != "" {
		return u.again(ctx)
	}
	if u.q.Resume != ResumeNever {
		found, err := u.find(ctx)
		if err != nil {
			return err
		}
		if found {
			return nil
		}
	}
	return u.initiate(ctx)
}

// openUploads are the open uploads of one key, and who is told about them.
type openUploads struct {
	c           *Client
	bucket, key string
	note        func(format string, args ...any)
}

func (u *uploader) uploads() *openUploads { return &openUploads{u.c, u.q.Bucket, u.q.Key, u.note} }

// begin opens an upload and marks it as ours, unless mark is nil. An error with an
// ID leaves that upload behind.
func (o *openUploads) begin(ctx context.Context, q *InitiateMultipartUploadRequest, mark []byte) (id string, err error) {
	res, err := o.c.InitiateMultipartUpload(ctx, q)
	if err != nil {
		return "", err
	}
	if mark == nil {
		return res.UploadID, nil
	}
	sum := md5.Sum(mark)
	_, err = o.c.UploadPart(ctx, &UploadPartRequest{
		Bucket: o.bucket, Key: o.key, UploadID: res.UploadID, PartNumber: MaxParts, Body: bytes.NewReader(mark),
		// A server must not keep a damaged one: nobody would know the upload again.
		ContentMD5: base64.StdEncoding.EncodeToString(sum[:]),
	})
	if err != nil {
		return o.abort(ctx, res.UploadID), err
	}
	return res.UploadID, nil
}

func (u *uploader) initiate(ctx context.Context) error {
	var mark []byte
	if !u.abort { // otherwise nobody will look for it
		filling, err := u.filling()
		if err != nil {
			return err
		}
		mark = u.mark(filling)
	}
	var err error
	u.id, err = u.uploads().begin(ctx, &InitiateMultipartUploadRequest{
		Bucket: u.q.Bucket, Key: u.q.Key, Attributes: u.q.Attributes, Tags: u.q.Tags, ForbidOverwrite: u.q.ForbidOverwrite,
		Header: u.q.Header,
	}, mark)
	if err != nil {
		return err
	}
	u.setDone(nil)
	return nil
}

// setDone replaces what the server is known to have, in the numbers as well.
func (u *uploader) setDone(done []*donePart) {
	for _, d := range u.done {
		if d != nil {
			u.track.placed(-d.size)
		}
	}
	r := &u.report
	r.PartsSent, r.PartsKept, r.PartsCopied, r.BytesSent, r.BytesKept, r.BytesCopied = 0, 0, 0, 0, 0, 0
	if done == nil && u.size >= 0 {
		done = make([]*donePart, u.parts())
	}
	u.done = done
	for _, d := range done {
		if d != nil {
			r.PartsKept++
			r.BytesKept += d.size
			u.track.placed(d.size)
		}
	}
}

// again compares the parts of the upload at hand once more.
func (u *uploader) again(ctx context.Context) error {
	parts, err := u.uploads().parts(ctx, u.id)
	if err != nil {
		return err
	}
	done, err := u.compare(ctx, parts, u.partSize, true)
	if err != nil {
		return err
	}
	u.setDone(done)
	return nil
}

const (
	maxUploads    = 1000 // open uploads of one key that are listed
	maxCandidates = 16   // of them whose parts are looked at, the latest

	// emptyAge is how old an upload without parts must be to be gone on with, if
	// its mark is that of another file.
	emptyAge = time.Hour
)

// find looks for an open upload that fits.
func (u *uploader) find(ctx context.Context) (bool, error) {
	open := u.uploads()
	uploads, err := open.latest(ctx)
	if err != nil {
		return false, open.tolerated(ctx, err)
	}
	if len(uploads) > 0 {
		u.track.phase(Verifying)
	}
	filling, err := u.filling()
	if err != nil {
		return false, err
	}
	var bare struct { // an upload of ours that has nothing of use
		id    string
		parts int
	}
	var gone string // an upload that was listed, and then was no more
	var ended error
	for _, up := range uploads {
		parts, err := open.parts(ctx, up.UploadID)
		if errors.Is(err, ErrNoSuchUpload) {
			gone, ended = up.UploadID, err
			continue
		}
		if err != nil {
			return false, open.tolerated(ctx, err)
		}
		filled, why := u.fits(parts)
		if why != "" {
			u.note("open upload %s was left alone: %s", up.UploadID, why)
			continue
		}
		if parts = withoutMark(parts); len(parts) == 0 && filled >= 0 {
			// A young one may be another client's that is about to fill it: with
			// the same bytes, or else it shall not be disturbed.
			if bare.id == "" && (filled == filling || u.c.Now().Sub(up.Initiated) >= emptyAge) {
				bare.id = up.UploadID
			}
			continue
		}
		partSize, ok := u.layout(parts)
		if len(parts) == 0 {
			u.note("open upload %s was left alone: nothing tells what it is of", up.UploadID)
			continue
		}
		if !ok {
			u.note("open upload %s was left alone: its parts have other sizes", up.UploadID)
			continue
		}
		done, err := u.compare(ctx, parts, partSize, false)
		if err != nil {
			return false, err
		}
		if done == nil && filled == filling && len(parts) < hopeless {
			// By its mark it is of this file: a client was killed before it could send
			// again what had arrived damaged.
			if bare.id == "" {
				bare.id, bare.parts = up.UploadID, len(parts)
			}
			continue
		}
		if done == nil {
			u.note("open upload %s was left alone: it has other bytes", up.UploadID)
			continue
		}
		u.adopt(up.UploadID, partSize, done, len(parts))
		return true, nil
	}
	if bare.id != "" {
		u.adopt(bare.id, u.partSize, nil, bare.parts)
		return true, nil
	}
	u.id = gone // it may be the object now: whoever called looks, and comes again
	return false, ended
}

// adopt goes on with an upload.
func (u *uploader) adopt(id string, partSize int64, done []*donePart, listed int) {
	u.id, u.partSize = id, partSize
	u.setDone(done)
	u.report.Resumed = true
	u.note("going on with upload %s: %d of %d parts are there", id, u.report.PartsKept, u.parts())
	if other := listed - u.report.PartsKept; other > 0 {
		u.note("%d parts of it have other bytes and are replaced or dropped", other)
	}
}

// tolerated lets an upload go on without resuming where the sender may upload but
// not list, or the server cannot.
func (o *openUploads) tolerated(ctx context.Context, err error) error {
	var e *Error
	if ctx.Err() == nil && errors.As(err, &e) && (e.Status == http.StatusForbidden || e.Code == "NotImplemented") &&
		e.Code != "SignatureDoesNotMatch" && e.Code != "InvalidAccessKeyId" {
		o.note("open uploads cannot be looked for (%s): the upload begins anew", e.Code)
		return nil
	}
	return err
}

// latest lists the latest of them, the latest first.
func (o *openUploads) latest(ctx context.Context) ([]Upload, error) {
	var uploads []Upload
	for up, err := range o.c.ObjectUploads(ctx, o.bucket, o.key) {
		if err != nil {
			return nil, err
		}
		uploads = append(uploads, up)
		if len(uploads) == maxUploads {
			break
		}
	}
	slices.SortStableFunc(uploads, func(a, b Upload) int { return b.Initiated.Compare(a.Initiated) })
	if len(uploads) > maxCandidates {
		o.note("there are %d open uploads; the latest %d were looked at", len(uploads), maxCandidates)
		uploads = uploads[:maxCandidates]
	}
	return uploads, nil
}

// parts lists the parts of one of them.
func (o *openUploads) parts(ctx context.Context, id string) ([]Part, error) {
	var parts []Part
	for p, err := range o.c.Parts(ctx, o.bucket, o.key, id) {
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// abort aborts an upload that failed, also when ctx has ended, and returns its ID
// if that failed too.
func (o *openUploads) abort(ctx context.Context, id string) string {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), abortTime)
	defer cancel()
	_, err := o.c.AbortMultipartUpload(ctx, &AbortMultipartUploadRequest{Bucket: o.bucket, Key: o.key, UploadID: id})
	if err != nil && !errors.Is(err, ErrNoSuchUpload) {
		o.note("upload %s could not be aborted: %v", id, err)
		return id
	}
	return ""
}

// fits tells whether an upload can have the attributes that are asked for. why is
// "" if it can, and filled is the filling of its mark, -1 without one.
func (u *uploader) fits(listed []Part) (filled int, why string) {
	filled = -1
	for _, p := range listed {
		if p.PartNumber == MaxParts {
			n := p.Size - int64(len(u.mark(0)))
			if n < 0 || n > maxFilling || p.ETag != etagOf(u.mark(int(n))) {
				return -1, "it was opened with other attributes"
			}
			filled = int(n)
		}
	}
	// One of another client, or of ours before it had a mark: what it was opened
	// with nobody knows.
	if filled < 0 && (!u.q.Attributes.isZero() || len(u.q.Tags) > 0 || len(u.q.Header) > 0) {
		return -1, "it has no mark that tells its attributes"
	}
	return filled, ""
}

// withoutMark are the parts that can be data.
func withoutMark(parts []Part) []Part {
	return slices.DeleteFunc(slices.Clone(parts), func(p Part) bool { return p.PartNumber > lastPart })
}

// layout finds the part size that most of the parts agree with.
func (u *uploader) layout(parts []Part) (int64, bool) {
	count := map[int64]int{u.partSize: 0}
	for _, p := range parts {
		if p.Size >= MinPartSize && p.Size <= MaxPartSize && (u.size+p.Size-1)/p.Size <= lastPart {
			count[p.Size] = 0
		}
	}
	for size := range count {
		for _, p := range parts {
			if fitsAt(u.size, size, &p) {
				count[size]++
			}
		}
	}
	best, most := int64(0), 0
	for _, size := range slices.Sorted(maps.Keys(count)) {
		if n := count[size]; n > most || n == most && n > 0 && size == u.partSize {
			best, most = size, n
		}
	}
	return best, most > 0
}

// fitsAt reports whether a part has the size that its number asks for.
func fitsAt(total, partSize int64, p *Part) bool {
	off := int64(p.PartNumber-1) * partSize
	return off < total && p.Size == min(partSize, total-off)
}

// hopeless is how many parts may differ before a comparison in which none was
// equal is given up.
const hopeless = 8

// compare compares listed parts with the file. It returns the equal ones by
// index, or nil if there are none, unless always.
func (u *uploader) compare(ctx context.Context, parts []Part, partSize int64, always bool) ([]*donePart, error) {
	n := int((u.size + partSize - 1) / partSize)
	done := make([]*donePart, n)
	var here []int // of those in parts that could be equal
	for i, p := range parts {
		if p.PartNumber <= n && fitsAt(u.size, partSize, &p) {
			here = append(here, i)
		}
	}
	// A file that has nothing in common with an upload shows that soon: some parts
	// from everywhere come first.
	here = spread(here, max(u.parallel, hopeless))
	equal, differ := 0, 0
	for from := 0; from < len(here); {
		to := min(from+max(u.parallel, hopeless), len(here))
		if equal > 0 || always {
			to = len(here)
		}
		err := parallel(ctx, u.parallel, here[from:to], func(ctx context.Context, i int) error {
			p := &parts[i]
			d, err := u.compareOne(ctx, p, int64(p.PartNumber-1)*partSize)
			u.track.mu.Lock()
			defer u.track.mu.Unlock()
			if d != nil {
				done[p.PartNumber-1] = d
				equal++
			} else {
				differ++
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		from = to
		if equal == 0 && differ >= hopeless && !always {
			return nil, nil
		}
	}
	if equal == 0 && !always {
		return nil, nil
	}
	return done, nil
}

// spread moves n entries from all over a list to its front.
func spread(list []int, n int) []int {
	if len(list) <= n {
		return list
	}
	var front, rest []int
	step := len(list) / n
	for i, v := range list {
		if i%step == 0 && len(front) < n {
			front = append(front, v)
		} else {
			rest = append(rest, v)
		}
	}
	return append(front, rest...)
}

// compareOne compares a part with the file, by CRC-64, or by MD5 where the server
// does not tell that. It returns nil if they differ.
func (u *uploader) compareOne(ctx context.Context, p *Part, off int64) (*donePart, error) {
	crc, md5sum, err := u.sums(ctx, off, p.Size, !p.CRC64.Known)
	if err != nil {
		return nil, err
	}
	equal := p.CRC64.Sum == crc
	if !p.CRC64.Known {
		equal = p.ETag == md5sum
	}
	if !equal {
		return nil, nil
	}
	return &donePart{p.ETag, crc, p.Size}, nil
}

// sumBuffer is what is read at a time.
const sumBuffer = 256 << 10

// sums reads n bytes of the file for their CRC-64 and, if that is asked for, the
// ETag of a part that has them.
func (u *uploader) sums(ctx context.Context, off, n int64, withMD5 bool) (crc uint64, etag string, err error) {
	buf := make([]byte, min(sumBuffer, n))
	h := newCRC()
	m := md5.New()
	for left := n; left > 0; {
		if ctx.Err() != nil {
			return 0, "", ended(ctx)
		}
		b := buf[:min(int64(len(buf)), left)]
		got, err := u.q.Body.ReadAt(b, off)
		if got < len(b) {
			if err == io.EOF || err == nil {
				err = fmt.Errorf("%w: it is shorter than %d bytes", ErrSourceChanged, u.size)
			}
			return 0, "", u.fail(err)
		}
		h.Write(b)
		if withMD5 {
			m.Write(b)
		}
		off += int64(len(b))
		left -= int64(len(b))
		u.track.verified(int64(len(b)))
	}
	if withMD5 {
		etag = digest.PartETag([16]byte(m.Sum(nil)))
	}
	return h.sum, etag, nil
}

// identical looks whether the object is there already, as it is asked for. It
// returns nil if it is not.
func (u *uploader) identical(ctx context.Context) (*UploadResult, error) {
	info, err := u.c.HeadObject(ctx, &HeadObjectRequest{Bucket: u.q.Bucket, Key: u.q.Key})
	if err != nil {
		if isAnswer(err) {
			return nil, nil
		}
		return nil, err
	}
	if info.Size != u.size || !info.CRC64.Known {
		return nil, nil
	}
	if same, err := u.uploads().sameAttributes(ctx, info, &u.q.Attributes, u.q.Tags, u.q.ACL, u.q.Header); !same || err != nil {
		return nil, err
	}
	u.track.phase(Verifying)
	crc, err := u.wholeCRC(ctx)
	if err != nil || crc != info.CRC64.Sum {
		return nil, err
	}
	if err := u.unchanged(); err != nil {
		return nil, u.fail(err)
	}
	u.id = "" // whatever there was, it is not needed
	u.report.Skipped = true
	u.note("the object is there already")
	return &UploadResult{ETag: info.ETag, CRC64: crc, Size: u.size, VersionID: info.VersionID}, nil
}

// wholeCRC is the CRC-64 of the file.
func (u *uploader) wholeCRC(ctx context.Context) (uint64, error) {
	if u.size == 0 {
		return 0, nil
	}
	sums := make([]uint64, u.parts())
	indices := make([]int, len(sums))
	for i := range indices {
		indices[i] = i
	}
	err := parallel(ctx, u.parallel, indices, func(ctx context.Context, i int) (err error) {
		off, n := u.section(i)
		sums[i], _, err = u.sums(ctx, off, n, false)
		return err
	})
	if err != nil {
		return 0, err
	}
	var whole digest.Combiner
	for i, sum := range sums {
		_, n := u.section(i)
		whole.Append(sum, n)
	}
	return whole.Sum(), nil
}

// complete makes the object. If the upload is gone, another client with the same
// bytes may have been faster, or this one before it was killed. Or it was aborted,
// and the object is an older one with the same bytes: it counts only if it has what is
// asked for besides.
func (o *openUploads) complete(ctx context.Context, q *CompleteMultipartUploadRequest, a *Attributes, tags []Tag, header http.Header) (*CompleteMultipartUploadResult, error) {
	res, err := o.c.CompleteMultipartUpload(ctx, q)
	if !errors.Is(err, ErrNoSuchUpload) {
		return res, err
	}
	info, ok := o.c.madeOf(ctx, q)
	if !ok {
		return nil, err
	}
	same, lookErr := o.sameAttributes(ctx, info, a, tags, q.ACL, header)
	switch {
	case lookErr != nil:
		return nil, lookErr
	case !same:
		return nil, err
	}
	o.note("upload %s was completed already", q.UploadID)
	return completeResult(info), nil
}

// sameAttributes reports whether an object has what is asked for.
func (o *openUploads) sameAttributes(ctx context.Context, info *ObjectInfo, a *Attributes, tags []Tag, acl ACL, header http.Header) (bool, error) {
	b := &info.Attributes
	for _, f := range [][2]string{
		{a.ContentType, b.ContentType}, {a.CacheControl, b.CacheControl}, {a.ContentDisposition, b.ContentDisposition},
		{a.ContentEncoding, b.ContentEncoding}, {a.Expires, b.Expires}, {string(a.StorageClass), string(b.StorageClass)},
		{a.Encryption.Algorithm, b.Encryption.Algorithm}, {a.Encryption.KeyID, b.Encryption.KeyID},
		{a.Encryption.DataAlgorithm, b.Encryption.DataAlgorithm},
	} {
		if f[0] != "" && f[0] != f[1] {
			return false, nil
		}
	}
	if len(a.Metadata) != len(b.Metadata) || len(tags) != info.TagCount {
		return false, nil
	}
	for name, value := range a.Metadata {
		if b.Metadata[lowerName(name)] != value {
			return false, nil
		}
	}
	// Of further headers those are known that the object shows.
	for name, values := range header {
		if !slices.Equal(info.Header.Values(name), values) {
			return false, nil
		}
	}
	if len(tags) > 0 {
		res, err := o.c.GetObjectTagging(ctx, &GetObjectTaggingRequest{Bucket: o.bucket, Key: o.key})
		if err != nil {
			return false, tolerated(err)
		}
		byKey := func(a, b Tag) int { return cmp.Compare(a.Key, b.Key) }
		if !slices.Equal(slices.SortedFunc(slices.Values(res.Tags), byKey), slices.SortedFunc(slices.Values(tags), byKey)) {
			return false, nil
		}
	}
	if acl != "" {
		res, err := o.c.GetObjectACL(ctx, &GetObjectACLRequest{Bucket: o.bucket, Key: o.key})
		if err != nil {
			return false, tolerated(err)
		}
		return res.ACL == acl, nil
	}
	return true, nil
}

// tolerated drops the error of a question that somebody may not be allowed to ask.
func tolerated(err error) error {
	if isAnswer(err) {
		return nil
	}
	return err
}

// etagOf is the ETag of a part that has these bytes.
func etagOf(p []byte) string { return digest.PartETag(md5.Sum(p)) }

func lowerName(name string) string { return strings.ToLower(name) }
