package oss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/wire"
)

// InitiateMultipartUploadRequest opens an upload. What it says of the object
// counts, and not what comes with the parts.
type InitiateMultipartUploadRequest struct {
	Bucket, Key string
	Attributes
	Tags            []Tag
	ForbidOverwrite bool // refused if the object exists now
	Sequential      bool // parts must come in order, and the object has a Content-MD5
	Header          http.Header
}

// InitiateMultipartUploadResult is an open upload.
type InitiateMultipartUploadResult struct {
	Answer
	UploadID string
}

func (q *InitiateMultipartUploadRequest) build() *call {
	k := onObject("InitiateMultipartUpload", http.MethodPost, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryUploads)
	if q.Sequential {
		k.flag(wire.QuerySequential)
	}
	k.attributes(&q.Attributes, q.Tags)
	k.forbidOverwrite(q.ForbidOverwrite)
	k.idempotent = true
	return k
}

// InitiateMultipartUpload opens an upload. When an answer was lost, the
// repetition opens another one, and the first stays behind, empty: listings
// show it.
func (c *Client) InitiateMultipartUpload(ctx context.Context, q *InitiateMultipartUploadRequest) (*InitiateMultipartUploadResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.InitiateMultipartUploadResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	if doc.UploadID == "" {
		return nil, opError(k.op, k.bucket, k.key, errors.New("the answer has no upload ID"))
	}
	return &InitiateMultipartUploadResult{Answer: r.answer(), UploadID: doc.UploadID}, nil
}

// onUpload is a call that is about an upload.
func onUpload(op, method, bucket, key, uploadID string, extra http.Header) *call {
	k := onObject(op, method, bucket, key, extra)
	if uploadID == "" {
		k.fail(errors.New("no upload ID"))
	}
	return k
}

// part says which part a call is about.
func (k *call) part(number int) {
	if number < 1 || number > MaxParts {
		k.fail(fmt.Errorf("part number %d is not one of 1 to %d", number, MaxParts))
	}
	k.param(wire.QueryPartNumber, strconv.Itoa(number))
}

// UploadPartRequest sends a part.
type UploadPartRequest struct {
	Bucket, Key string
	UploadID    string
	PartNumber  int // 1 to 10000

	// Body and Length are as in PutObjectRequest.
	Body   io.Reader
	Length int64

	ContentMD5 string // base64; the server then checks the bytes before it keeps them
	Header     http.Header
}

// UploadPartResult is a part that the server has.
type UploadPartResult struct {
	Answer
	ETag       string
	CRC64      CRC64
	ContentMD5 string
}

func (q *UploadPartRequest) build() *call {
	k := onUpload("UploadPart", http.MethodPut, q.Bucket, q.Key, q.UploadID, q.Header)
	k.part(q.PartNumber)
	k.param(wire.QueryUploadID, q.UploadID)
	k.set("Content-MD5", q.ContentMD5)
	k.idempotent, k.patient = true, true
	return k
}

// UploadPart sends a part; one sent earlier under the same number is replaced.
// What was sent is compared with what the server got: a difference is
// ErrChecksum.
func (c *Client) UploadPart(ctx context.Context, q *UploadPartRequest) (*UploadPartResult, error) {
	length := q.Length
	if length == 0 {
		length = -1
	}
	body, err := readerContent(q.Body, length)
	if err != nil {
		return nil, opError("UploadPart", q.Bucket, q.Key, err)
	}
	res, _, err := c.uploadPart(ctx, q, body)
	return res, err
}

// uploadPart also returns the CRC-64 of what was sent.
func (c *Client) uploadPart(ctx context.Context, q *UploadPartRequest, body *content) (*UploadPartResult, uint64, error) {
	k := q.build()
	if body.size > MaxPartSize {
		k.fail(fmt.Errorf("a part of %d bytes is longer than %d", body.size, int64(MaxPartSize)))
	}
	k.body = body
	body.sum = newCRC()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, 0, err
	}
	res := &UploadPartResult{
		Answer: r.answer(), ETag: headerETag(r.header), CRC64: headerCRC64(r.header), ContentMD5: r.header.Get("Content-MD5"),
	}
	return res, body.sum.Sum64(), k.compare(r, res.CRC64)
}

// UploadPartCopyRequest makes a part of an object, or of a range of one.
type UploadPartCopyRequest struct {
	Bucket, Key string
	UploadID    string
	PartNumber  int
	Source      CopySource
	Range       *Range // of the source, within it; nil for all
	Conditions         // on the source
	Header      http.Header
}

// UploadPartCopyResult is a part that the server has.
type UploadPartCopyResult struct {
	Answer
	ETag            string
	CRC64           CRC64
	LastModified    time.Time
	SourceVersionID string
}

func (q *UploadPartCopyRequest) build() *call {
	k := onUpload("UploadPartCopy", http.MethodPut, q.Bucket, q.Key, q.UploadID, q.Header)
	k.part(q.PartNumber)
	k.param(wire.QueryUploadID, q.UploadID)
	k.set(wire.HeaderCopySource, q.Source.header(k))
	if q.Range != nil {
		if q.Range.Offset < 0 || q.Range.Length <= 0 {
			k.fail(fmt.Errorf("range %d, %d of the source is none", q.Range.Offset, q.Range.Length))
		}
		k.set(wire.HeaderCopySourceRange, q.Range.header())
	}
	k.conditions(&q.Conditions, copySourcePrefix)
	k.idempotent, k.slow, k.patient = true, true, true
	return k
}

// UploadPartCopy makes a part of what the server has already. A range that does
// not lie within the source is refused: OSS would copy the whole.
func (c *Client) UploadPartCopy(ctx context.Context, q *UploadPartCopyRequest) (*UploadPartCopyResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	if q.Range != nil && r.header.Get("Content-Range") == "" {
		return nil, opError(k.op, k.bucket, k.key, errors.New("the range does not lie within the source, and all of it was copied"))
	}
	var doc wire.CopyPartResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	return &UploadPartCopyResult{
		Answer: r.answer(), ETag: string(doc.ETag), CRC64: headerCRC64(r.header), LastModified: doc.LastModified.Time,
		SourceVersionID: r.header.Get(wire.HeaderCopySourceVersionID),
	}, nil
}

// CompletePart names a part that belongs to the object.
type CompletePart struct {
	PartNumber int
	ETag       string
}

// CompleteMultipartUploadRequest makes the object.
type CompleteMultipartUploadRequest struct {
	Bucket, Key string
	UploadID    string
	Parts       []CompletePart // ascending by number
	All         bool           // take all parts that the server has; Parts must be empty

	ACL             ACL
	ForbidOverwrite bool // refused if the object exists by now; the upload stays open
	Header          http.Header
}

// CompleteMultipartUploadResult is the object.
type CompleteMultipartUploadResult struct {
	Answer
	ETag      string
	CRC64     CRC64 // of the whole object
	Location  string
	VersionID string
	Body      []byte // the answer of the callback, if there was one
}

func (q *CompleteMultipartUploadRequest) build() *call {
	k := onUpload("CompleteMultipartUpload", http.MethodPost, q.Bucket, q.Key, q.UploadID, q.Header)
	k.param(wire.QueryUploadID, q.UploadID)
	k.set(wire.HeaderObjectACL, string(q.ACL))
	k.forbidOverwrite(q.ForbidOverwrite)
	k.idempotent, k.slow, k.patient = true, true, true
	if q.All {
		if len(q.Parts) > 0 {
			k.fail(errors.New("a list of parts together with All"))
		}
		k.set(wire.HeaderCompleteAll, wire.CompleteAllYes)
		return k
	}
	doc := &wire.CompleteMultipartUpload{}
	for _, p := range q.Parts {
		doc.Parts = append(doc.Parts, wire.CompletePart{PartNumber: p.PartNumber, ETag: wire.ParseETag(p.ETag)})
	}
	k.document(doc)
	return k
}

// CompleteMultipartUpload makes the object of its parts. If an answer is lost
// and the repetition finds no such upload, the object tells whether it was made:
// it has the ETag that follows from the list.
func (c *Client) CompleteMultipartUpload(ctx context.Context, q *CompleteMultipartUploadRequest) (*CompleteMultipartUploadResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		if k.ambiguous && !q.All && errors.Is(err, ErrNoSuchUpload) {
			if res, ok := c.completed(ctx, q); ok {
				return res, nil
			}
		}
		return nil, err
	}
	res := &CompleteMultipartUploadResult{
		Answer: r.answer(), ETag: headerETag(r.header), CRC64: headerCRC64(r.header), VersionID: r.header.Get(wire.HeaderVersionID),
	}
	var doc wire.CompleteMultipartUploadResult
	if err := wire.Unmarshal(r.doc, &doc); err != nil {
		if res.ETag == "" {
			return nil, opError(k.op, k.bucket, k.key, fmt.Errorf("%w: %w", errNoOSS, err))
		}
		// The object is there. What answers is the callback's server.
		res.Body = r.doc
		return res, nil
	}
	res.Location = doc.Location
	if res.ETag == "" {
		res.ETag = string(doc.ETag)
	}
	return res, nil
}

// completed looks whether the object is the one that a list of parts makes.
func (c *Client) completed(ctx context.Context, q *CompleteMultipartUploadRequest) (*CompleteMultipartUploadResult, bool) {
	info, ok := c.madeOf(ctx, q)
	if !ok {
		return nil, false
	}
	return completeResult(info), true
}

// madeOf looks at the object, and whether it is the one that a list of parts makes.
func (c *Client) madeOf(ctx context.Context, q *CompleteMultipartUploadRequest) (*ObjectInfo, bool) {
	info, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: q.Bucket, Key: q.Key})
	return info, err == nil && info.ETag == multipartETag(q.Parts)
}

func completeResult(info *ObjectInfo) *CompleteMultipartUploadResult {
	return &CompleteMultipartUploadResult{Answer: info.Answer, ETag: info.ETag, CRC64: info.CRC64, VersionID: info.VersionID}
}

func multipartETag(parts []CompletePart) string {
	b := digest.NewETagBuilder()
	for _, p := range parts {
		b.Append(string(wire.ParseETag(p.ETag)))
	}
	return b.Sum()
}

// AbortMultipartUploadRequest drops an upload and its parts.
type AbortMultipartUploadRequest struct {
	Bucket, Key string
	UploadID    string
	Header      http.Header
}

func (q *AbortMultipartUploadRequest) build() *call {
	k := onUpload("AbortMultipartUpload", http.MethodDelete, q.Bucket, q.Key, q.UploadID, q.Header)
	k.param(wire.QueryUploadID, q.UploadID)
	k.idempotent = true
	return k
}

// AbortMultipartUpload drops an upload and its parts.
func (c *Client) AbortMultipartUpload(ctx context.Context, q *AbortMultipartUploadRequest) (*Answer, error) {
	k := q.build()
	a, err := c.plain(ctx, k)
	if k.ambiguous && errors.Is(err, ErrNoSuchUpload) {
		return &Answer{}, nil // an earlier attempt did it
	}
	return a, err
}

// ListPartsRequest asks for a page of the parts of an upload.
type ListPartsRequest struct {
	Bucket, Key      string
	UploadID         string
	PartNumberMarker int // list parts with greater numbers
	MaxParts         int // 1 to 1000; default the server's, 1000
	Header           http.Header
}

// Part is a part that a server has.
type Part struct {
	PartNumber   int
	Size         int64
	ETag         string
	CRC64        CRC64
	LastModified time.Time
}

// ListPartsResult is a page of parts.
type ListPartsResult struct {
	Answer
	Parts                []Part
	StorageClass         StorageClass
	IsTruncated          bool
	NextPartNumberMarker int
}

func (q *ListPartsRequest) build() *call {
	k := onUpload("ListParts", http.MethodGet, q.Bucket, q.Key, q.UploadID, q.Header)
	k.param(wire.QueryUploadID, q.UploadID)
	k.number(wire.QueryPartNumberMarker, q.PartNumberMarker)
	k.number(wire.QueryMaxParts, q.MaxParts)
	k.param(wire.QueryEncodingType, wire.EncodingURL)
	k.idempotent = true
	return k
}

// ListParts lists a page of the parts of an upload. [Client.Parts] lists them all.
func (c *Client) ListParts(ctx context.Context, q *ListPartsRequest) (*ListPartsResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.ListPartsResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	res := &ListPartsResult{
		Answer: r.answer(), StorageClass: StorageClass(doc.StorageClass), IsTruncated: doc.IsTruncated,
		NextPartNumberMarker: int(doc.NextPartNumberMarker),
	}
	for _, p := range doc.Parts {
		res.Parts = append(res.Parts, Part{
			PartNumber: p.PartNumber, Size: p.Size, ETag: string(p.ETag), LastModified: p.LastModified.Time,
			// An endpoint that does not tell the CRC-64 leaves it 0, which bytes rarely have.
			CRC64: CRC64{Sum: p.CRC64, Known: p.CRC64 != 0},
		})
	}
	return res, nil
}

// ListMultipartUploadsRequest asks for a page of the open uploads of a bucket.
type ListMultipartUploadsRequest struct {
	Bucket         string
	Prefix         string
	Delimiter      string
	KeyMarker      string
	UploadIDMarker string // with KeyMarker only
	MaxUploads     int    // 1 to 1000; default the server's, 1000
	Header         http.Header
}

// Upload is an open upload.
type Upload struct {
	Key          string
	UploadID     string
	Initiated    time.Time
	StorageClass StorageClass
}

// ListMultipartUploadsResult is a page of open uploads, by key and then by ID.
type ListMultipartUploadsResult struct {
	Answer
	Uploads            []Upload
	CommonPrefixes     []string
	IsTruncated        bool
	NextKeyMarker      string
	NextUploadIDMarker string
}

func (q *ListMultipartUploadsRequest) build() *call {
	k := onBucket("ListMultipartUploads", http.MethodGet, q.Bucket, q.Header)
	k.flag(wire.QueryUploads)
	k.param(wire.QueryPrefix, q.Prefix)
	k.param(wire.QueryDelimiter, q.Delimiter)
	k.param(wire.QueryKeyMarker, q.KeyMarker)
	k.param(wire.QueryUploadIDMarker, q.UploadIDMarker)
	k.number(wire.QueryMaxUploads, q.MaxUploads)
	k.param(wire.QueryEncodingType, wire.EncodingURL)
	k.idempotent = true
	return k
}

// ListMultipartUploads lists a page of the open uploads of a bucket. [Client.Uploads]
// and [Client.ObjectUploads] list them all.
func (c *Client) ListMultipartUploads(ctx context.Context, q *ListMultipartUploadsRequest) (*ListMultipartUploadsResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	var doc wire.ListMultipartUploadsResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	res := &ListMultipartUploadsResult{
		Answer: r.answer(), CommonPrefixes: prefixesOf(doc.CommonPrefixes), IsTruncated: doc.IsTruncated,
		NextKeyMarker: doc.NextKeyMarker, NextUploadIDMarker: doc.NextUploadIDMarker,
	}
	for _, u := range doc.Uploads {
		res.Uploads = append(res.Uploads, Upload{
			Key: u.Key, UploadID: u.UploadID, Initiated: u.Initiated.Time, StorageClass: StorageClass(u.StorageClass),
		})
	}
	return res, nil
}
