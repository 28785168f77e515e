package oss

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/wire"
)

// PutObjectRequest makes an object of a body.
type PutObjectRequest struct {
	Bucket, Key string
	Attributes
	Tags            []Tag
	ACL             ACL
	ForbidOverwrite bool

	// Body is sent from where it stands; nil is an empty object. The request can be
	// repeated only if Body is an io.Seeker. Length is the number of bytes, needed
	// only if Body is no io.Seeker; 0 then means that it is unknown.
	Body   io.Reader
	Length int64

	ContentMD5 string      // base64; the server then checks the bytes before it keeps them
	Header     http.Header // further headers
}

// PutObjectResult is an object that was made.
type PutObjectResult struct {
	Answer
	ETag       string
	CRC64      CRC64
	ContentMD5 string
	VersionID  string
	Body       []byte // the answer of the callback, if there was one
}

func (q *PutObjectRequest) build() *call {
	k := onObject("PutObject", http.MethodPut, q.Bucket, q.Key, q.Header)
	k.attributes(&q.Attributes, q.Tags)
	k.set(wire.HeaderObjectACL, string(q.ACL))
	k.forbidOverwrite(q.ForbidOverwrite)
	k.set("Content-MD5", q.ContentMD5)
	k.idempotent = !q.ForbidOverwrite
	return k
}

func (k *call) forbidOverwrite(forbid bool) {
	if forbid {
		k.set(wire.HeaderForbidOverwrite, "true")
	}
}

// PutObject makes an object. What was sent is compared with what the server
// got: a difference is ErrChecksum, and the object is there all the same.
func (c *Client) PutObject(ctx context.Context, q *PutObjectRequest) (*PutObjectResult, error) {
	length := q.Length
	if length == 0 {
		length = -1
	}
	body, err := readerContent(q.Body, length)
	if err != nil {
		return nil, opError("PutObject", q.Bucket, q.Key, err)
	}
	return c.putObject(ctx, q, body)
}

func (c *Client) putObject(ctx context.Context, q *PutObjectRequest, body *content) (*PutObjectResult, error) {
	k := q.build()
	if body.size > MaxPutSize {
		k.fail(fmt.Errorf("%d bytes are more than the %d of one request; Upload has no such limit", body.size, int64(MaxPutSize)))
	}
	k.body = body
	body.sum = newCRC()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	res := &PutObjectResult{
		Answer:     r.answer(),
		ETag:       headerETag(r.header),
		CRC64:      headerCRC64(r.header),
		ContentMD5: r.header.Get("Content-MD5"),
		VersionID:  r.header.Get(wire.HeaderVersionID),
		Body:       r.doc,
	}
	return res, k.compare(r, res.CRC64)
}

// compare compares what was sent with what the server says it got.
func (k *call) compare(r *reply, got CRC64) error {
	if r.sent < 0 {
		return opError(k.op, k.bucket, k.key, errors.New("the server answered before it had the body"))
	}
	if k.body.size >= 0 && r.sent != k.body.size {
		return opError(k.op, k.bucket, k.key, ErrShortBody)
	}
	if !got.Known && r.header.Get("ETag") == "" {
		return opError(k.op, k.bucket, k.key, errNoOSS)
	}
	if sum := k.body.sum.Sum64(); !got.is(sum) {
		return opError(k.op, k.bucket, k.key, fmt.Errorf("%w: CRC-64 of the bytes sent is %d, the server has %s", ErrChecksum, sum, got))
	}
	return nil
}

// GetObjectRequest asks for an object or a range of it.
type GetObjectRequest struct {
	Bucket, Key string
	VersionID   string
	Conditions

	// Range is nil for the whole object. Bytes outside of the object are left
	// out; a range with none inside is ErrInvalidRange.
	Range *Range

	// Values for headers of the answer, instead of the stored ones.
	ResponseContentType        string
	ResponseContentLanguage    string
	ResponseExpires            string
	ResponseCacheControl       string
	ResponseContentDisposition string
	ResponseContentEncoding    string

	Header http.Header // further headers
}

// Range is a run of an object's bytes. Length -1 goes to the end. Offset -n with
// Length -1 is the last n bytes.
type Range struct {
	Offset, Length int64
}

func (r *Range) header() string {
	switch {
	case r.Offset < 0:
		return "bytes=" + strconv.FormatInt(r.Offset, 10)
	case r.Length < 0:
		return "bytes=" + strconv.FormatInt(r.Offset, 10) + "-"
	}
	return "bytes=" + strconv.FormatInt(r.Offset, 10) + "-" + strconv.FormatInt(r.last(), 10)
}

// last is the offset of the last byte of a range that has a length.
func (r *Range) last() int64 {
	if r.Length > math.MaxInt64-r.Offset {
		return math.MaxInt64
	}
	return r.Offset + r.Length - 1
}

// GetObjectResult is an object on its way. Body must be closed. Read returns
// ErrChecksum at its end if the bytes of a whole object are not those that were
// stored, and an error if there are fewer than announced.
type GetObjectResult struct {
	ObjectInfo
	Body          io.ReadCloser
	ContentLength int64  // bytes in Body
	ContentRange  string // "" for the whole object
}

func (q *GetObjectRequest) build() *call {
	k := onObject("GetObject", http.MethodGet, q.Bucket, q.Key, q.Header)
	k.param(wire.QueryVersionID, q.VersionID)
	k.conditions(&q.Conditions, "")
	k.param(wire.QueryResponseContentType, q.ResponseContentType)
	k.param(wire.QueryResponseContentLanguage, q.ResponseContentLanguage)
	k.param(wire.QueryResponseExpires, q.ResponseExpires)
	k.param(wire.QueryResponseCacheControl, q.ResponseCacheControl)
	k.param(wire.QueryResponseContentDisposition, q.ResponseContentDisposition)
	k.param(wire.QueryResponseContentEncoding, q.ResponseContentEncoding)
	if q.Range != nil {
		if q.Range.Length == 0 || q.Range.Offset < 0 && q.Range.Length > 0 {
			k.fail(fmt.Errorf("range %d, %d is none", q.Range.Offset, q.Range.Length))
		}
		k.set("Range", q.Range.header())
		k.set(wire.HeaderRangeBehavior, wire.RangeStandard)
	}
	k.idempotent, k.stream = true, true
	return k
}

// GetObject asks for an object. The request is repeated until the answer
// begins, and not in the middle of the bytes: for that there are DownloadFile
// and OpenObject.
func (c *Client) GetObject(ctx context.Context, q *GetObjectRequest) (*GetObjectResult, error) {
	return c.getObject(ctx, q, false)
}

func (c *Client) getObject(ctx context.Context, q *GetObjectRequest, once bool) (*GetObjectResult, error) {
	k := q.build()
	k.once = once
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	res := &GetObjectResult{ObjectInfo: objectInfo(r), ContentLength: r.length, ContentRange: r.header.Get("Content-Range")}
	if res.ETag == "" && !res.CRC64.Known {
		r.body.Close()
		return nil, opError(k.op, k.bucket, k.key, errNoOSS)
	}
	if q.Range != nil || k.header.Get("Range") == "" {
		if err := q.Range.checkRange(r.status, res); err != nil {
			r.body.Close()
			return nil, opError(k.op, k.bucket, k.key, err)
		}
	}
	v := &verifier{ReadCloser: r.body, k: k, length: r.length}
	if r.status == http.StatusPartialContent || res.ContentRange != "" {
		if total, ok := totalSize(res.ContentRange); ok {
			res.Size = total
		}
	} else if res.CRC64.Known {
		v.want, v.crc = res.CRC64, newCRC()
	}
	res.Body = v
	return res, nil
}

// errNoRange says that another range came than was asked for.
var errNoRange = errors.New("the answer is not the range that was asked for")

// checkRange compares what came with what was asked for: something on the way may
// have dropped the range, or made one up.
func (r *Range) checkRange(status int, res *GetObjectResult) error {
	if res.ContentRange == "" && status != http.StatusPartialContent {
		n := res.ContentLength
		if r == nil || n >= 0 && (r.Offset == 0 && (r.Length < 0 || r.Length >= n) || r.Offset < 0 && r.Offset <= -n) {
			return nil
		}
		return fmt.Errorf("%w: asked for %s, the answer is the whole object", errNoRange, r.header())
	}
	refuse := func() error {
		asked := "the whole object"
		if r != nil {
			asked = r.header()
		}
		return fmt.Errorf("%w: asked for %s, the answer has %d bytes and is %.80q", errNoRange, asked, res.ContentLength, res.ContentRange)
	}
	from, to, total, ok := parseContentRange(res.ContentRange)
	if r == nil || !ok || res.ContentLength >= 0 && res.ContentLength != to-from+1 {
		return refuse()
	}
	wantFrom, wantTo := r.Offset, total-1
	if r.Offset < 0 {
		wantFrom = max(total+r.Offset, 0)
	} else if r.Length > 0 {
		wantTo = min(r.last(), wantTo)
	}
	if from != wantFrom || to != wantTo {
		return refuse()
	}
	return nil
}

// parseContentRange reads "bytes 0-9/100", with ends that lie within the total.
func parseContentRange(text string) (from, to, total int64, ok bool) {
	text, ok = strings.CutPrefix(text, "bytes ")
	ends, size, cut := strings.Cut(text, "/")
	first, last, dash := strings.Cut(ends, "-")
	from, errFrom := strconv.ParseInt(first, 10, 64)
	to, errTo := strconv.ParseInt(last, 10, 64)
	total, errTotal := strconv.ParseInt(size, 10, 64)
	ok = ok && cut && dash && errors.Join(errFrom, errTo, errTotal) == nil
	return from, to, total, ok && 0 <= from && from <= to && to < total
}

// totalSize reads the size of the whole object off a Content-Range.
func totalSize(contentRange string) (int64, bool) {
	_, total, ok := strings.Cut(contentRange, "/")
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(total, 10, 64)
	return n, err == nil && n >= 0
}

// verifier is the body of an object, compared with what the server announced.
type verifier struct {
	io.ReadCloser
	k      *call
	length int64 // -1 if unknown
	got    int64
	want   CRC64
	crc    *crcHash // nil if there is nothing to compare
	err    error
}

func (v *verifier) Read(p []byte) (int, error) {
	if v.err != nil {
		return 0, v.err
	}
	n, err := v.ReadCloser.Read(p)
	v.got += int64(n)
	if v.crc != nil {
		v.crc.Write(p[:n])
	}
	switch {
	case err == nil:
		return n, nil
	case err != io.EOF:
		err = opError(v.k.op, v.k.bucket, v.k.key, err)
	case v.length >= 0 && v.got != v.length:
		err = opError(v.k.op, v.k.bucket, v.k.key, fmt.Errorf("%w: %d of %d bytes", ErrShortBody, v.got, v.length))
	case v.crc != nil && !v.want.is(v.crc.Sum64()):
		err = opError(v.k.op, v.k.bucket, v.k.key, fmt.Errorf("%w: CRC-64 of the bytes received is %d, the server has %s",
			ErrChecksum, v.crc.Sum64(), v.want))
	}
	v.err = err
	return n, err
}

// HeadObjectRequest asks what an object is.
type HeadObjectRequest struct {
	Bucket, Key string
	VersionID   string
	Conditions
	Header http.Header
}

func (q *HeadObjectRequest) build() *call {
	k := onObject("HeadObject", http.MethodHead, q.Bucket, q.Key, q.Header)
	k.param(wire.QueryVersionID, q.VersionID)
	k.conditions(&q.Conditions, "")
	k.idempotent = true
	return k
}

// HeadObject tells what an object is.
func (c *Client) HeadObject(ctx context.Context, q *HeadObjectRequest) (*ObjectInfo, error) {
	return c.head(ctx, q.build())
}

func (c *Client) head(ctx context.Context, k *call) (*ObjectInfo, error) {
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	info := objectInfo(r)
	return &info, nil
}

// GetObjectMetaRequest asks for the few things that GetObjectMeta tells.
type GetObjectMetaRequest struct {
	Bucket, Key string
	VersionID   string
	Header      http.Header
}

func (q *GetObjectMetaRequest) build() *call {
	k := onObject("GetObjectMeta", http.MethodHead, q.Bucket, q.Key, q.Header)
	k.flag(wire.QueryObjectMeta)
	k.param(wire.QueryVersionID, q.VersionID)
	k.idempotent = true
	return k
}

// GetObjectMeta tells size, ETag, CRC-64 and age of an object, and nothing else.
func (c *Client) GetObjectMeta(ctx context.Context, q *GetObjectMetaRequest) (*ObjectInfo, error) {
	return c.head(ctx, q.build())
}

// DeleteObjectRequest deletes an object, or one version of it.
type DeleteObjectRequest struct {
	Bucket, Key string
	VersionID   string
	Header      http.Header
}

// DeleteObjectResult is what became of it.
type DeleteObjectResult struct {
	Answer
	VersionID    string // deleted, or of the delete marker
	DeleteMarker bool   // one was made, or it was one
}

func (q *DeleteObjectRequest) build() *call {
	k := onObject("DeleteObject", http.MethodDelete, q.Bucket, q.Key, q.Header)
	k.param(wire.QueryVersionID, q.VersionID)
	k.idempotent = true
	return k
}

// DeleteObject deletes an object. One that is not there is no error.
func (c *Client) DeleteObject(ctx context.Context, q *DeleteObjectRequest) (*DeleteObjectResult, error) {
	k := q.build()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	if err := k.speaksOSS(r); err != nil {
		return nil, err
	}
	return &DeleteObjectResult{
		Answer:       r.answer(),
		VersionID:    r.header.Get(wire.HeaderVersionID),
		DeleteMarker: r.header.Get(wire.HeaderDeleteMarker) == "true",
	}, nil
}

// DeleteMultipleObjectsRequest deletes up to 1000 objects.
type DeleteMultipleObjectsRequest struct {
	Bucket  string
	Objects []ObjectID
	Quiet   bool // the answer does not list what was deleted
	Header  http.Header
}

// ObjectID names an object, or one version of it.
type ObjectID struct {
	Key, VersionID string
}

// DeletedObject is an object that was deleted, or was not there.
type DeletedObject struct {
	Key, VersionID        string
	DeleteMarker          bool
	DeleteMarkerVersionID string
}

// DeleteMultipleObjectsResult lists what was deleted.
type DeleteMultipleObjectsResult struct {
	Answer
	Deleted []DeletedObject
}

func (q *DeleteMultipleObjectsRequest) build() *call {
	k := onBucket("DeleteMultipleObjects", http.MethodPost, q.Bucket, q.Header)
	k.flag(wire.QueryDelete)
	k.param(wire.QueryEncodingType, wire.EncodingURL)
	k.idempotent = true
	doc := &wire.Delete{Quiet: q.Quiet}
	for _, o := range q.Objects {
		if o.Key == "" || !utf8.ValidString(o.Key) {
			k.fail(fmt.Errorf("%q is not an object key, or not one that a document can have", o.Key)) // it would name another
		}
		doc.Objects = append(doc.Objects, wire.DeleteObject(o))
	}
	if n := len(doc.Objects); n == 0 || n > wire.MaxDeleteObjects {
		k.fail(fmt.Errorf("%d keys, but it must be 1 to %d", n, wire.MaxDeleteObjects))
	}
	k.document(doc)
	return k
}

// DeleteMultipleObjects deletes many objects at once.
func (c *Client) DeleteMultipleObjects(ctx context.Context, q *DeleteMultipleObjectsRequest) (*DeleteMultipleObjectsResult, error) {
	k := q.build()
	k.sendMD5()
	r, err := c.send(ctx, k)
	if err != nil {
		return nil, err
	}
	res := &DeleteMultipleObjectsResult{Answer: r.answer()}
	if len(r.doc) == 0 {
		return res, nil // quiet
	}
	var doc wire.DeleteResult
	if err := k.unmarshal(r, &doc); err != nil {
		return nil, err
	}
	for _, d := range doc.Deleted {
		res.Deleted = append(res.Deleted, DeletedObject(d))
	}
	return res, nil
}

// sendMD5 adds the MD5 of a body in memory. It changes nothing if there is an
// error already.
func (k *call) sendMD5() {
	if k.err != nil || k.body == nil {
		return
	}
	r, err := k.body.open()
	if err != nil {
		k.fail(err)
		return
	}
	h := md5.New()
	if _, err := io.Copy(h, r); err != nil {
		k.fail(err)
		return
	}
	k.set("Content-MD5", base64.StdEncoding.EncodeToString(h.Sum(nil)))
}

// crcHash is the CRC-64 of what was written to it.
type crcHash struct {
	sum uint64
	n   int64
}

func newCRC() *crcHash { return &crcHash{} }

func (h *crcHash) Write(p []byte) (int, error) {
	h.sum = digest.CRC64(h.sum, p)
	h.n += int64(len(p))
	return len(p), nil
}

func (h *crcHash) Reset()        { *h = crcHash{} }
func (h *crcHash) Sum64() uint64 { return h.sum }
