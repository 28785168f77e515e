package server

import (
	"crypto/md5"
	"errors"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// body is the body of a request as a handler or the store reads it: as it
// comes, given up when it stops coming, not faster than the traffic limit.
//
// HTTP lets a server answer before it has read the whole body, but a client
// that sends all before it listens then sees a reset rather than the answer.
// So what is left is read first where it is little, and after the answer where
// it is more, up to a bound; see settle and drain.
type body struct {
	r        *http.Request
	answer   *answer
	pace     pace
	throttle *throttle
	opts     *Options

	n        int64 // bytes read
	ended    bool  // the end was seen
	err      error // why reading failed
	draining bool
}

// bodyError says that the client did not send its body. Nothing is wrong on our
// side.
type bodyError struct{ err error }

func (e *bodyError) Error() string { return "read request body: " + e.err.Error() }
func (e *bodyError) Unwrap() error { return e.err }

// timeout reports whether the client was too slow.
func (e *bodyError) timeout() bool { return errors.Is(e.err, os.ErrDeadlineExceeded) }

func (b *body) Read(p []byte) (int, error) {
	switch {
	case b.err != nil:
		return 0, b.err
	case b.ended:
		return 0, io.EOF
	}
	if b.throttle != nil && !b.draining {
		p = p[:b.throttle.clip(len(p))]
	}
	began := b.pace.begin()
	n, err := b.r.Body.Read(p)
	b.pace.end(began, n)
	b.n += int64(n)
	switch {
	case err == io.EOF:
		b.ended = true
		// From here on the connection is watched for the client's leaving; a
		// deadline that passes would look like that.
		b.pace.release()
	case err != nil:
		b.err = &bodyError{err}
		err = b.err
	}
	if n > 0 && err == nil && b.throttle != nil && !b.draining {
		if werr := b.throttle.wait(n); werr != nil {
			b.err, err = werr, werr
		}
	}
	return n, err
}

// required refuses a request that has neither a length nor chunks. limit is the
// largest length that can be meant, in bytes.
func (b *body) required(limit int64) error {
	switch {
	case b.r.ContentLength > limit:
		return tooLarge(limit, b.r.ContentLength)
	case b.r.ContentLength != 0 || b.r.Header.Get("Content-Length") != "" || len(b.r.TransferEncoding) > 0:
		return nil
	case b.r.ProtoMajor > 1:
		return nil // the end of the stream is the end of the body
	}
	return wire.NewError("MissingContentLength")
}

// upload returns the body for the store, with what the client claims about
// it. Nothing is read yet.
func (rq *request) upload(limit int64) (store.Body, error) {
	sb := store.Body{Reader: rq.body, Size: rq.r.ContentLength}
	if err := rq.body.required(limit); err != nil {
		return sb, err
	}
	if rq.hasHeader("Content-MD5") {
		sum, err := wire.ParseContentMD5(rq.header("Content-MD5"))
		if err != nil {
			return sb, err
		}
		sb.MD5 = sum[:]
	}
	if rq.hasHeader(wire.HeaderCRC64) {
		sum, err := wire.ParseCRC64(rq.header(wire.HeaderCRC64))
		if err != nil {
			return sb, err
		}
		sb.CRC64 = &sum
	}
	return sb, nil
}

// document reads an XML document of at most limit bytes, and checks it against
// Content-MD5 where there is one.
func (s *Server) document(rq *request, limit int64) ([]byte, error) {
	var want [md5.Size]byte
	check := rq.hasHeader("Content-MD5")
	if check {
		var err error
		if want, err = wire.ParseContentMD5(rq.header("Content-MD5")); err != nil {
			return nil, err
		}
	}
	size := rq.r.ContentLength
	if size < 0 || size > limit {
		size = limit
	}
	if !s.documents.take(rq.accessKeyID, size) {
		return nil, errOverload
	}
	rq.reserved += size
	doc, err := wire.ReadDocument(rq.body, rq.r.ContentLength, limit)
	if err != nil {
		return nil, err
	}
	if rq.r.ContentLength >= 0 && int64(len(doc)) < rq.r.ContentLength {
		return nil, &bodyError{io.ErrUnexpectedEOF}
	}
	if check && md5.Sum(doc) != want {
		return nil, wire.NewError("InvalidDigest")
	}
	return doc, nil
}

// awaited reports whether the client waits for a word from us before it sends
// its body. Reading would give it that word.
func (b *body) awaited() bool {
	return b.n == 0 && strings.EqualFold(b.r.Header.Get("Expect"), "100-continue")
}

// settleBytes is how much of a body that is not wanted is read before the
// answer, to keep the connection.
const settleBytes = 64 << 10

// stream tells whether the request has a stream of HTTP/2 for itself, which can
// be ended at any time without harm to others.
func (b *body) stream() bool { return b.r.ProtoMajor > 1 }

// settle reads a little body to its end, and reports whether the connection can
// be used for another request.
func (b *body) settle() bool {
	if b.ended || b.stream() {
		return true
	}
	if b.err != nil || b.awaited() || b.r.ContentLength-b.n > settleBytes {
		return false
	}
	b.discard(settleBytes)
	return b.ended
}

// drain reads what is left of a body after the answer, which it sees off
// first.
func (b *body) drain() {
	if b.ended {
		return
	}
	b.answer.flush()
	if b.stream() {
		return // net/http tells the client to send no more
	}
	if b.err == nil && !b.awaited() && b.r.ContentLength-b.n <= b.opts.DrainBytes {
		b.discard(b.opts.DrainBytes)
	}
	if !b.ended {
		// net/http would go on reading for a while.
		b.pace.set(time.Now())
	}
}

// discard reads up to limit bytes, for as long as DrainTimeout.
func (b *body) discard(limit int64) {
	b.draining = true
	b.pace = pace{set: b.pace.set, watch: b.pace.watch, timeout: b.opts.DrainTimeout, bytes: limit + 1}
	io.CopyN(io.Discard, b, limit) // b remembers what went wrong
}
