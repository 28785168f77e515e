package server

import (
	"encoding/binary"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// request is one request on its way through the server, and its answer.
type request struct {
	r        *http.Request
	w        *answer
	body     *body
	id       string
	began    time.Time // by the real clock; for durations
	received time.Time // by the server's clock
	origin   origin

	target      target
	query       wire.Values
	op          *operation
	identity    auth.Identity
	signature   sign.Scheme       // how it is signed
	rules       map[string]*rules // of the buckets that it concerns, by name; see Server.rules
	newTags     []store.Tag       // that an object is to be given; nil for those of the header
	accessKeyID string            // as claimed, whether or not it was proven

	reserved int64 // bytes of the server's documents, given back when rq is finished

	code string // of the error that was answered with, "" for none
}

func (s *Server) newRequest(w http.ResponseWriter, r *http.Request, began time.Time) *request {
	now := s.opts.Clock()
	rq := &request{r: r, id: s.newRequestID(now), began: began, received: now, origin: s.proxies.origin(r), op: unrouted}
	rc := http.NewResponseController(w)
	rq.w = &answer{
		ResponseWriter: w,
		pace:           pace{set: rc.SetWriteDeadline, timeout: s.opts.ProgressTimeout, bytes: s.opts.ProgressBytes},
		send:           rc.Flush,
		base: http.Header{
			wire.HeaderRequestID: {rq.id},
			"Date":               {now.UTC().Format(http.TimeFormat)},
			"Server":             {"AliyunOSS"},
		},
		began: began,
	}
	rq.body = &body{
		r:      r,
		answer: rq.w,
		pace:   pace{set: rc.SetReadDeadline, timeout: s.opts.ProgressTimeout, bytes: s.opts.ProgressBytes},
		opts:   &s.opts,
		ended:  r.Body == nil || r.Body == http.NoBody,
	}
	rq.w.body = rq.body
	if rq.body.stream() {
		long := time.Unix(0, 0) // ago
		rq.body.pace.watch = &watchdog{bark: func() { rc.SetReadDeadline(long) }}
		rq.w.pace.watch = &watchdog{bark: func() { rc.SetWriteDeadline(long) }}
	} else {
		rq.w.base["Connection"] = []string{"keep-alive"} // or close: the answer and net/http see to it
		rq.w.pace.begin()                                // the deadline of the answer before this one may have passed
	}
	rq.w.reset()
	return rq
}

// end lets go of what belongs to the connection.
func (rq *request) end() {
	for _, w := range []*watchdog{rq.body.pace.watch, rq.w.pace.watch} {
		if w != nil {
			w.stop()
		}
	}
}

// newRequestID returns 24 upper-case hex digits: seconds in 32 bits, then 64
// random bits.
func (s *Server) newRequestID(now time.Time) string {
	var b [wire.RequestIDLength / 2]byte
	binary.BigEndian.PutUint32(b[:], uint32(now.Unix()))
	if _, err := io.ReadFull(s.opts.Rand, b[4:]); err != nil {
		// An ID that is not unique is better than no answer.
		binary.BigEndian.PutUint64(b[4:], uint64(now.UnixNano()))
	}
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

// has reports whether the request meets a condition of the operation table.
func (rq *request) has(c condition) bool {
	if c.isHeader {
		return rq.hasHeader(c.name)
	}
	value, ok := rq.query.Lookup(c.name)
	return ok && (!c.hasValue || value == c.value)
}

// header returns a header's value, several joined with commas, or "".
func (rq *request) header(name string) string {
	return strings.Join(rq.r.Header.Values(name), ",")
}

func (rq *request) hasHeader(name string) bool {
	return len(rq.r.Header.Values(name)) > 0
}

// versionID reads the parameter of that name. An unversioned bucket has one
// version of each object, which is called null: the caller goes on as without
// the parameter if null is true. Another ID names nothing.
func (rq *request) versionID() (id string, null bool, err error) {
	id, ok := rq.query.Lookup(wire.QueryVersionID)
	if !ok {
		return "", true, nil
	}
	if err := checkVersionID(id); err != nil {
		return "", false, err
	}
	return id, id == wire.NullVersion, nil
}

// maxVersionID bounds a version ID, in bytes. Those of OSS are shorter.
const maxVersionID = 1024

func checkVersionID(id string) error {
	if id == "" {
		return wire.InvalidArgument(wire.QueryVersionID, id, "Version id can not be the empty string.")
	}
	for i := range len(id) {
		c := id[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if len(id) > maxVersionID || !letter && (c < '0' || c > '9') && !strings.ContainsRune("-_.~+/=", rune(c)) {
			return wire.InvalidArgument(wire.QueryVersionID, id, "Invalid version id specified.")
		}
	}
	return nil
}

// encodingType reads the parameter of that name: "" or "url".
func (rq *request) encodingType() (string, error) {
	return wire.ParseEncodingType(rq.query.Get(wire.QueryEncodingType))
}

// attributes reads what PutObject and InitiateMultipartUpload say about the
// object to be. The ACL is not among it: of the two only PutObject has one.
func (rq *request) attributes() (store.Attributes, error) {
	a, err := rq.metadata()
	if err != nil {
		return a, err
	}
	if a.StorageClass, err = rq.storageClass(); err != nil {
		return a, err
	}
	a.Tags, err = rq.tags()
	return a, err
}

// metadata reads the standard headers that are kept, and x-oss-meta-.
func (rq *request) metadata() (store.Attributes, error) {
	a := store.Attributes{
		ContentType:        rq.header("Content-Type"),
		CacheControl:       rq.header("Cache-Control"),
		ContentDisposition: rq.header("Content-Disposition"),
		ContentEncoding:    rq.header("Content-Encoding"),
		ContentLanguage:    rq.header("Content-Language"),
		Expires:            rq.header("Expires"),
	}
	setDefault(&a.ContentType, wire.ContentTypeFallback)
	var err error
	a.Meta, err = wire.ParseMetadata(rq.r.Header)
	return a, err
}

// storageClass reads x-oss-storage-class; "" takes the bucket's.
func (rq *request) storageClass() (string, error) {
	text := rq.header(wire.HeaderStorageClass)
	if text == "" {
		return "", nil
	}
	class, err := wire.ParseStorageClass(wire.HeaderStorageClass, text)
	return string(class), err
}

// objectACL reads x-oss-object-acl; "" is the bucket's.
func (rq *request) objectACL() (string, error) {
	text := rq.header(wire.HeaderObjectACL)
	if text == "" {
		return "", nil
	}
	acl, err := wire.ParseObjectACL(text)
	return string(acl), err
}

func (rq *request) tags() ([]store.Tag, error) {
	parsed, err := wire.ParseTagging(rq.header(wire.HeaderTagging))
	if err != nil {
		return nil, err
	}
	return storeTags(parsed), nil
}

func storeTags(tags []wire.Tag) []store.Tag {
	var out []store.Tag
	for _, t := range tags {
		out = append(out, store.Tag(t))
	}
	return out
}

func (rq *request) forbidOverwrite() (bool, error) {
	return wire.ParseForbidOverwrite(rq.header(wire.HeaderForbidOverwrite))
}

// refuseCallback refuses a request that asks for a callback.
func (rq *request) refuseCallback() error {
	inHeader, inQuery := rq.hasHeader(wire.HeaderCallback), rq.query.Has(wire.QueryCallback)
	switch {
	case inHeader && inQuery:
		return wire.InvalidArgument(wire.QueryCallback, rq.query.Get(wire.QueryCallback),
			"Either the callback query string parameter or the x-oss-callback header should be specified, not both.")
	case inHeader || inQuery:
		return headerNotImplemented(wire.HeaderCallback)
	}
	return nil
}

// limitTraffic reads x-oss-traffic-limit, which comes as a header or as a
// parameter, and slows both directions down to it.
func (rq *request) limitTraffic() error {
	text := rq.header(wire.HeaderTrafficLimit)
	if rq.query.Has(wire.QueryTrafficLimit) {
		if rq.hasHeader(wire.HeaderTrafficLimit) {
			return wire.InvalidArgument(wire.HeaderTrafficLimit, text,
				"x-oss-traffic-limit should be specified either in query string or header, not both.")
		}
		text = rq.query.Get(wire.QueryTrafficLimit)
	}
	bits, err := wire.ParseTrafficLimit(text)
	if err != nil || bits == 0 {
		return err
	}
	rq.body.throttle = newThrottle(rq.r.Context(), bits/8)
	rq.w.throttle = newThrottle(rq.r.Context(), bits/8)
	return nil
}

func formatCRC64(sum uint64) string { return strconv.FormatUint(sum, 10) }
