package oss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// rangeReader reads a range of one version of an object. When a connection
// breaks it goes on where that stood.
type rangeReader struct {
	c    *Client
	q    GetObjectRequest // but for Range and IfMatch
	etag string
	ctx  context.Context

	off, left int64
	body      io.ReadCloser // nil while there is none
	crc       CRC64         // of the whole object, as the latest answer told it
	tries     int           // in a row that brought next to nothing
	brought   int64         // by the latest
}

func (r *rangeReader) fail(err error) error { return opError("GetObject", r.q.Bucket, r.q.Key, err) }

func (r *rangeReader) Read(p []byte) (int, error) {
	for {
		if r.left == 0 {
			return 0, io.EOF
		}
		if len(p) == 0 {
			return 0, nil
		}
		if r.body == nil {
			if err := r.open(); err != nil {
				if errors.Is(err, ErrSourceChanged) || errors.Is(err, errNoRange) || classify(r.ctx, err) == final {
					return 0, err
				}
				if err := r.broken(err); err != nil {
					return 0, err
				}
				continue
			}
		}
		n, err := r.body.Read(p[:min(int64(len(p)), r.left)])
		r.off += int64(n)
		r.left -= int64(n)
		if r.brought += int64(n); r.brought >= leastPerStall {
			r.tries = 0
		}
		if err != nil && r.left > 0 {
			if err := r.broken(err); err != nil {
				return n, err
			}
		}
		if n > 0 {
			return n, nil
		}
	}
}

// broken gets over a body that ended too soon, or never began, if that makes
// sense.
func (r *rangeReader) broken(err error) error {
	if r.body != nil {
		r.body.Close()
		r.body = nil
	}
	if r.ctx.Err() != nil {
		return r.fail(ended(r.ctx))
	}
	r.tries++
	if r.tries >= r.c.retry.PartAttempts {
		if err == io.EOF {
			err = ErrShortBody
		}
		return err
	}
	pause := r.c.retry.pause(r.tries, r.c.random())
	if e := (*Error)(nil); errors.As(err, &e) {
		pause = max(pause, e.retryAfter)
	}
	r.c.log.Warn("object is read on after a break", "bucket", r.q.Bucket, "key", r.q.Key, "offset", r.off, "pause", pause, "err", err)
	if sleep(r.ctx, r.c.clock, pause) != nil {
		return r.fail(ended(r.ctx))
	}
	return nil
}

// open asks for what is left.
func (r *rangeReader) open() error {
	q := r.q
	q.Range = &Range{r.off, r.left}
	q.IfMatch = r.etag
	res, err := r.c.getObject(r.ctx, &q, true)
	if errors.Is(err, ErrPreconditionFailed) {
		return r.fail(fmt.Errorf("%w: %w", ErrSourceChanged, err))
	}
	if err != nil {
		return err
	}
	// A proxy may have dropped the range, or the condition.
	whole := r.off == 0 && res.ContentRange == "" && res.ContentLength == r.left
	if !whole && res.ContentRange != fmt.Sprintf("bytes %d-%d/%d", r.off, r.off+r.left-1, res.Size) || res.ETag != r.etag {
		res.Body.Close()
		return r.fail(fmt.Errorf("%w: asked for bytes %d-%d of %s, the answer has %q of %s", errNoRange, r.off, r.off+r.left-1, r.etag, res.ContentRange, res.ETag))
	}
	r.body, r.crc, r.brought = res.Body, res.CRC64, 0
	return nil
}

func (r *rangeReader) Close() error {
	if r.body == nil {
		return nil
	}
	err := r.body.Close()
	r.body = nil
	r.left = 0
	return err
}

// OpenObjectRequest asks for an object that is read from start to end.
type OpenObjectRequest struct {
	Bucket, Key string
	VersionID   string
	Range       *Range      // nil for the whole object
	Header      http.Header // further headers
}

// OpenObject opens an object for reading once, from start to end, over
// connections that may break: reading goes on where it stood, in the same version
// of the object; if that is no more, with ErrSourceChanged. The bytes of a whole
// object are compared with its CRC-64 at the end, as GetObject does.
func (c *Client) OpenObject(ctx context.Context, q *OpenObjectRequest) (*GetObjectResult, error) {
	get := GetObjectRequest{Bucket: q.Bucket, Key: q.Key, VersionID: q.VersionID, Range: q.Range, Header: q.Header}
	first, err := c.GetObject(ctx, &get)
	if err != nil {
		return nil, err
	}
	if first.ContentLength < 0 || first.ETag == "" {
		return first, nil // it cannot be found again
	}
	off := int64(0)
	if first.ContentRange != "" {
		if _, err := fmt.Sscanf(first.ContentRange, "bytes %d-", &off); err != nil {
			first.Body.Close()
			return nil, opError("OpenObject", q.Bucket, q.Key, fmt.Errorf("content range %q", first.ContentRange))
		}
	}
	v := first.Body.(*verifier)
	get.Range = nil
	r := &rangeReader{c: c, q: get, etag: first.ETag, ctx: ctx, off: off, left: first.ContentLength, body: v.ReadCloser}
	res := *first
	res.Body = &verifier{ReadCloser: r, k: v.k, length: v.length, want: v.want, crc: v.crc}
	return &res, nil
}
