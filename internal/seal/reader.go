package seal

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"github.com/tink-crypto/tink-go/v2/streamingaead/subtle/noncebased"
)

// Stream is a stream that can be read.
type Stream struct {
	src  io.ReaderAt
	size int64 // of the body
	keys *keys
}

// Open reads the header of the stream that src holds from its start on. size is
// the length of its body. key and what are those that it was written with; that
// they are others is seen when it is read.
func Open(src io.ReaderAt, key, what []byte, size int64) (*Stream, error) {
	s := &Stream{src: src, size: size}
	if size <= 0 {
		return s, nil
	}
	header := make([]byte, headerSize)
	switch n, err := src.ReadAt(header, 0); {
	case n < headerSize && (err == nil || err == io.EOF):
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, n)
	case n < headerSize:
		return nil, err
	case string(header[:len(magic)]) != magic:
		return nil, fmt.Errorf("%w: it does not begin as one", ErrCorrupt)
	}
	var err error
	s.keys, err = deriveKeys(key, header[len(magic):], what)
	return s, err
}

// Reader reads n bytes of the body from off on, which lie within it. Only the
// segments that hold them are read and decrypted, through buf if that is not
// empty: from src comes a piece as long as buf at a time then, which begins at a
// multiple of a segment. The reader gives the n bytes and then io.EOF, or
// ErrCorrupt, or an error of src.
func (s *Stream) Reader(off, n int64, buf []byte) io.Reader {
	if off < 0 || n < 0 || off+n > s.size {
		return failedReader{fmt.Errorf("seal: range %d+%d of %d bytes", off, n, s.size)}
	}
	if n == 0 {
		return failedReader{io.EOF}
	}
	segment, skip := place(off)
	params := noncebased.ReaderParams{
		SegmentDecrypter: segmentCipher{s.keys.aead, uint32(segment)}, NonceSize: nonceSize, NoncePrefix: s.keys.prefix,
		CiphertextSegmentSize: segmentSize,
	}
	last, _ := place(off + n - 1)
	from := &source{src: s.src, off: segment * segmentSize, end: (last + 1) * segmentSize, buf: buf}
	if segment == 0 {
		from.off, params.FirstCiphertextSegmentOffset = headerSize, headerSize
		if s.size <= firstPlain {
			params.CiphertextSegmentSize, params.FirstCiphertextSegmentOffset = int(s.size)+tagSize, 0
		}
	}
	// noncebased wants a byte more than a segment, to see whether it is the last.
	// Where others follow for sure any byte will do, and none need be read; at
	// the end what should not be there must be noticed.
	if from.end < Size(s.size) {
		params.R = io.MultiReader(from, bytes.NewReader([]byte{0}))
	} else {
		from.end = Size(s.size) + 1
		params.R = from
	}
	r, err := noncebased.NewReader(params)
	if err != nil {
		return failedReader{err}
	}
	return &reader{r: r, skip: skip, left: n, toEnd: off+n == s.size}
}

type failedReader struct{ err error }

func (r failedReader) Read([]byte) (int, error) { return 0, r.err }

// reader gives some bytes of what r gives, and all of them.
type reader struct {
	r     io.Reader
	skip  int64
	left  int64
	toEnd bool // the stream must end with these bytes
}

func (r *reader) Read(p []byte) (int, error) {
	for r.skip > 0 {
		n, err := r.r.Read(p[:min(int64(len(p)), r.skip)])
		if r.skip -= int64(n); err != nil {
			return 0, early(err)
		}
		if len(p) == 0 {
			return 0, nil
		}
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.r.Read(p[:min(int64(len(p)), r.left)])
	r.left -= int64(n)
	if err != nil {
		return n, early(err)
	}
	if r.left == 0 && r.toEnd {
		if _, err := r.r.Read(make([]byte, 1)); err != io.EOF {
			return 0, fmt.Errorf("%w: it does not end", ErrCorrupt)
		}
	}
	return n, nil
}

// early is what the end of a stream is that comes before the bytes wanted.
func early(err error) error {
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: it ends early", ErrCorrupt)
	}
	return err
}

// source reads bytes off to end of src in pieces that end at multiples of the
// length of buf.
type source struct {
	src      io.ReaderAt
	off, end int64
	buf      []byte
	rest     []byte // of buf, not given yet
}

func (s *source) Read(p []byte) (int, error) {
	if len(s.rest) == 0 {
		if s.off >= s.end {
			return 0, io.EOF
		}
		if len(s.buf) == 0 {
			n, err := s.src.ReadAt(p[:min(int64(len(p)), s.end-s.off)], s.off)
			s.off += int64(n)
			return n, err
		}
		size := int64(len(s.buf))
		want := min(size-s.off%size, s.end-s.off)
		n, err := s.src.ReadAt(s.buf[:want], s.off)
		s.off += int64(n)
		if n == 0 {
			if err == nil {
				err = io.ErrNoProgress
			}
			return 0, err
		}
		if err != nil && err != io.EOF {
			return 0, err
		}
		s.rest = s.buf[:n]
	}
	n := copy(p, s.rest)
	s.rest = s.rest[n:]
	return n, nil
}

// OpenBytes opens what Bytes made: a stream of one segment.
func OpenBytes(key, what, stream []byte) ([]byte, error) {
	if len(stream) == 0 {
		return nil, nil
	}
	size := int64(len(stream)) - headerSize - tagSize
	if size <= 0 || size > firstPlain {
		return nil, fmt.Errorf("%w: %d bytes", ErrCorrupt, len(stream))
	}
	s, err := Open(bytes.NewReader(stream), key, what, size)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(s.Reader(0, size, nil))
}
