package oss

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
)

// content is the body of a request, before it is sent.
type content struct {
	// open returns the bytes from the start. It is called once for each attempt,
	// and a second time only if again is set.
	open  func() (io.Reader, error)
	size  int64 // bytes, -1 if unknown
	again bool  // can be opened more than once

	// exclusive says that a blocked Read can be waited for, so that the bytes are
	// not touched once the call is over. It is so for everything in memory and
	// for files.
	exclusive bool

	sum   *crcHash      // CRC-64 of what an attempt has sent, nil for nothing
	moved func(n int64) // told about bytes as they go out; negative when an attempt is void
}

// bytesContent is a body in memory.
func bytesContent(p []byte) *content {
	return &content{
		open:      func() (io.Reader, error) { return bytes.NewReader(p), nil },
		size:      int64(len(p)),
		again:     true,
		exclusive: true,
	}
}

// sectionContent is a body that lies in r.
func sectionContent(r io.ReaderAt, off, n int64) *content {
	return &content{
		open:      func() (io.Reader, error) { return io.NewSectionReader(r, off, n), nil },
		size:      n,
		again:     true,
		exclusive: true,
	}
}

// readerContent is a body that a caller handed in, from where it stands. size
// is the number of bytes, or less than 0 if r must tell itself.
func readerContent(r io.Reader, size int64) (*content, error) {
	if r == nil {
		if size > 0 {
			return nil, errors.New("a length is given and no body")
		}
		return bytesContent(nil), nil
	}
	s, ok := r.(io.Seeker)
	if ok {
		// Pipes and terminals have the method and not the ability.
		if start, err := s.Seek(0, io.SeekCurrent); err == nil {
			return seekerContent(r, s, start, size)
		}
	}
	if size < 0 {
		size = -1
		if l, ok := r.(interface{ Len() int }); ok { // bytes.Buffer
			size = int64(l.Len())
		}
	}
	return &content{open: func() (io.Reader, error) { return r, nil }, size: size}, nil
}

func seekerContent(r io.Reader, s io.Seeker, start, size int64) (*content, error) {
	end, err := s.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	if _, err := s.Seek(start, io.SeekStart); err != nil {
		return nil, err
	}
	if size < 0 {
		size = max(end-start, 0)
	}
	return &content{
		open: func() (io.Reader, error) {
			_, err := s.Seek(start, io.SeekStart)
			return r, err
		},
		size:      size,
		again:     true,
		exclusive: true,
	}, nil
}

// sourceError is a failure of the body's own, which no repetition mends.
type sourceError struct{ err error }

func (e *sourceError) Error() string { return "read the body: " + e.err.Error() }
func (e *sourceError) Unwrap() error { return e.err }

// outgoing is the body of one attempt. The HTTP transport may go on reading
// after it has returned; detach puts an end to that.
type outgoing struct {
	c     *content
	ctx   context.Context // of the attempt
	limit *limiter
	watch *watch
	arm   func(sent bool) // wait for the network again; sent is whether that was all

	mu      sync.Mutex // held while reading
	r       io.Reader
	left    int64 // -1 if unknown
	touched bool  // somebody has read
	count   int64

	errMu  sync.Mutex // err can be asked for while a Read blocks
	err    error
	closed bool
}

var errDetached = errors.New("oss: the request is over")

func (o *outgoing) Read(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.isClosed() {
		return 0, errDetached
	}
	o.touched = true
	if o.left >= 0 && int64(len(p)) > o.left {
		p = p[:o.left]
	}
	if o.left == 0 {
		return 0, io.EOF
	}
	o.watch.disarm() // the source takes what time it wants
	n, err := o.r.Read(p)
	o.limit.wait(o.ctx, n)
	if o.isClosed() {
		return 0, errDetached
	}
	if n > 0 {
		o.count += int64(n)
		if o.left > 0 {
			o.left -= int64(n)
		}
		if o.c.sum != nil {
			o.c.sum.Write(p[:n])
		}
		if o.c.moved != nil {
			o.c.moved(int64(n))
		}
	}
	o.arm(o.left == 0 || err != nil)
	if err == io.EOF && o.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err != nil && err != io.EOF {
		o.setErr(&sourceError{err})
	}
	return n, err
}

func (o *outgoing) setErr(err error) {
	o.errMu.Lock()
	defer o.errMu.Unlock()
	o.err = err
}

func (o *outgoing) isClosed() bool {
	o.errMu.Lock()
	defer o.errMu.Unlock()
	return o.closed
}

// Close is called by the transport. The caller's reader stays open.
func (o *outgoing) Close() error { return nil }

// detach ends reading: what comes after is refused. It waits for a Read that is
// under way if those end by themselves. It returns how many bytes were read, -1
// if a Read still blocks, whether any Read was begun, and the error of the source.
func (o *outgoing) detach() (n int64, touched bool, err error) {
	o.errMu.Lock()
	o.closed = true
	err = o.err
	o.errMu.Unlock()
	if !o.c.exclusive && !o.mu.TryLock() {
		return -1, true, err // blocked in a Read that may never return
	}
	if o.c.exclusive {
		o.mu.Lock()
	}
	defer o.mu.Unlock()
	o.errMu.Lock()
	err = o.err
	o.errMu.Unlock()
	return o.count, o.touched, err
}
