package store

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"sync"
	"sync/atomic"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/digest"
)

const (
	bufferSize  = 256 << 10 // bytes of a pooled buffer
	spareBuffer = 64 << 10  // bytes of a buffer made when the pool is empty
	maxDepth    = 4         // buffers that one body may have under way
)

// buffers is a bounded pool of buffers for bodies on their way. A client that
// is slow keeps a buffer for long, so an empty pool makes nobody wait: who needs
// a buffer to go on gets a small one. So memory is bounded by the pool and by
// the number of requests that are let in, and no client can stop another.
type buffers struct {
	free  chan []byte
	slots chan struct{} // one for each buffer that may still be made
	spare sync.Pool     // *[]byte of spareBuffer bytes
}

func newBuffers(n int) *buffers {
	b := &buffers{free: make(chan []byte, n), slots: make(chan struct{}, n)}
	for range n {
		b.slots <- struct{}{}
	}
	return b
}

// get returns a buffer of bufferSize bytes, or of spareBuffer bytes.
func (b *buffers) get() []byte {
	if buf := b.tryGet(); buf != nil {
		return buf
	}
	if buf, ok := b.spare.Get().(*[]byte); ok {
		return *buf
	}
	return make([]byte, spareBuffer)
}

// tryGet returns a buffer of bufferSize bytes, or nil when all are in use.
func (b *buffers) tryGet() []byte {
	select {
	case buf := <-b.free:
		return buf
	default:
	}
	select {
	case buf := <-b.free:
		return buf
	case <-b.slots:
		return make([]byte, bufferSize)
	default:
		return nil
	}
}

func (b *buffers) put(buf []byte) {
	if len(buf) == bufferSize {
		b.free <- buf // never blocks: as many places as buffers
	} else {
		b.spare.Put(&buf)
	}
}

// received is a body that was stored: its bytes are durable, and no record
// names them yet.
type received struct {
	extents  []blob.Extent
	size     int64
	md5      [16]byte
	crc64    uint64
	sequence digest.MD5State // after this body, where one was given
}

// ingest streams a body once through the digests into an extent, and checks
// what the client claims of it. limit bounds its size. all, where not nil, is
// an MD5 under way that the body continues. What is stored is encrypted if
// sealing is not nil; the digests are those of the body. On error nothing is
// kept.
func (s *Store) ingest(ctx context.Context, owner blob.Owner, body Body, limit int64, all hash.Hash, sealing *sealing) (*received, error) {
	if body.Size > limit {
		return nil, ErrTooLarge
	}
	sums := &bodyHash{part: s.hasher(body.Size), all: all}
	w, err := s.blob.Create(ctx, owner, sealing.storedSize(body.Size))
	if err != nil {
		return nil, engineError(err)
	}
	defer w.Abort()

	size, err := s.stream(body, limit, sums, &output{w: w, random: random{s}, sealing: sealing})
	if err != nil {
		return nil, err
	}
	r := &received{size: size}
	if err := sums.sum(r); err != nil {
		return nil, err
	}
	switch {
	case body.Size >= 0 && size != body.Size:
		return nil, fmt.Errorf("%w: %d of %d bytes", ErrShortBody, size, body.Size)
	case body.MD5 != nil && string(body.MD5) != string(r.md5[:]):
		return nil, ErrWrongMD5
	case body.CRC64 != nil && *body.CRC64 != r.crc64:
		return nil, ErrWrongCRC64
	}
	// From here on the client's leaving changes nothing.
	if r.extents, err = w.Commit(context.WithoutCancel(ctx)); err != nil {
		return nil, engineError(err)
	}
	return r, nil
}

// chunk is a filled buffer on its way through the digests and to the disk.
type chunk struct {
	buf  []byte
	n    int
	uses atomic.Int32 // stages that still need it
}

// stream reads body to its end, hashing and writing while it reads on. The
// stages are a pipeline: each runs on its own goroutine and they share
// buffers, at most maxDepth of them, fewer when the pool runs low. Encrypting
// belongs to the stage that writes: both together take less time than MD5.
func (s *Store) stream(body Body, limit int64, sums *bodyHash, out *output) (int64, error) {
	first := s.buffers.get()
	n, err := readFull(body.Reader, first)
	if err != nil || n < len(first) || int64(n) == body.Size {
		// One buffer holds it all: nothing to overlap.
		defer s.buffers.put(first)
		return s.streamOne(first[:n], err, sums, out)
	}
	if err := out.begin(body.Size); err != nil {
		s.buffers.put(first)
		return 0, err
	}
	return s.streamMany(body.Reader, first, limit, sums, out)
}

// streamOne handles a body that ended within its first buffer, which is far
// below every limit.
func (s *Store) streamOne(p []byte, err error, sums *bodyHash, out *output) (int64, error) {
	if err != nil && err != io.EOF {
		return 0, bodyError(err)
	}
	sums.Write(p)
	if err := out.begin(int64(len(p))); err != nil {
		return 0, err
	}
	if _, err := out.Write(p); err != nil {
		return 0, engineError(err)
	}
	if err := out.finish(); err != nil {
		return 0, engineError(err)
	}
	return int64(len(p)), nil
}

func (s *Store) streamMany(r io.Reader, first []byte, limit int64, sums *bodyHash, out *output) (int64, error) {
	var (
		toHash  = make(chan *chunk, maxDepth)
		toWrite = make(chan *chunk, maxDepth)
		back    = make(chan []byte, maxDepth)
		hashed  = make(chan struct{})
		written = make(chan error, 1)
		failed  atomic.Bool // the writer failed: reading on is of no use
	)
	release := func(c *chunk) {
		if c.uses.Add(-1) == 0 {
			back <- c.buf // never blocks: as many places as buffers
		}
	}
	go func() {
		defer close(hashed)
		for c := range toHash {
			sums.Write(c.buf[:c.n])
			release(c)
		}
	}()
	go func() {
		var err error
		for c := range toWrite {
			if err == nil {
				if _, err = out.Write(c.buf[:c.n]); err != nil {
					failed.Store(true)
				}
			}
			release(c)
		}
		written <- err
	}()

	buf, n, depth := first, len(first), 1
	var size int64
	var readErr error
	for {
		if size += int64(n); size > limit {
			readErr = ErrTooLarge
			break
		}
		c := &chunk{buf: buf, n: n}
		c.uses.Store(2)
		toHash <- c
		toWrite <- c
		buf = nil
		if readErr == io.EOF || failed.Load() {
			break
		}
		// Another buffer if there is one to spare, else the next that is done.
		select {
		case buf = <-back:
		default:
			if depth < maxDepth {
				if buf = s.buffers.tryGet(); buf != nil {
					depth++
				}
			}
			if buf == nil {
				buf = <-back
			}
		}
		if n, readErr = readFull(r, buf); readErr != nil && readErr != io.EOF {
			break
		}
		if n == 0 {
			break
		}
	}
	close(toHash)
	close(toWrite)
	<-hashed
	writeErr := <-written
	if buf != nil {
		s.buffers.put(buf)
		depth--
	}
	for ; depth > 0; depth-- {
		s.buffers.put(<-back)
	}
	switch {
	case readErr != nil && readErr != io.EOF:
		return 0, bodyError(readErr)
	case writeErr != nil:
		return 0, engineError(writeErr)
	}
	if err := out.finish(); err != nil {
		return 0, engineError(err)
	}
	return size, nil
}

// readFull fills p as far as the body goes: io.EOF says that it has ended.
func readFull(r io.Reader, p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var m int
		m, err = r.Read(p[n:])
		n += m
	}
	return n, err
}

func bodyError(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", ErrShortBody, err)
	}
	return err
}

// hasher returns what a body of size bytes, -1 when unknown, is hashed with.
// Bodies that take several buffers meet in a pool, where the MD5 of those under
// way together is computed side by side.
func (s *Store) hasher(size int64) *digest.Hasher {
	if size >= 0 && size <= bufferSize {
		return digest.NewHasher()
	}
	return s.md5[s.nextMD5.Add(1)%uint64(len(s.md5))].NewHasher()
}

// bodyHash computes what a body's digests are: of the body itself, and of a
// sequential upload's bytes up to its end.
type bodyHash struct {
	part *digest.Hasher
	all  hash.Hash // nil but in a sequential upload
}

func (h *bodyHash) Write(p []byte) {
	h.part.Write(p)
	if h.all != nil {
		h.all.Write(p)
	}
}

func (h *bodyHash) sum(r *received) (err error) {
	r.md5, r.crc64, _ = h.part.Sum()
	if h.all != nil {
		r.sequence, err = digest.SaveMD5(h.all)
	}
	return err
}
