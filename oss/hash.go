package oss

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"runtime"

	"github.com/ossastore/ossa/internal/digest"
)

// Hash is what a server tells of bytes.
type Hash struct {
	CRC64 uint64
	MD5   [16]byte // the ETag of an object made by PutObject, in upper-case hex
	Parts int

	// MultipartETag is the ETag of an object made of parts of the size asked for.
	MultipartETag string
}

// HashReader calculates what a server will tell of the bytes of r, uploaded in
// parts of partSize.
func HashReader(ctx context.Context, r io.Reader, partSize int64) (*Hash, error) {
	if partSize <= 0 {
		return nil, fmt.Errorf("oss: parts of %d bytes", partSize)
	}
	res := &Hash{}
	whole, crc, etags := md5.New(), newCRC(), digest.NewETagBuilder()
	buf := make([]byte, sumBuffer)
	for {
		part := md5.New()
		n, err := io.CopyBuffer(io.MultiWriter(whole, crc, part), &contextReader{ctx, io.LimitReader(r, partSize)}, buf)
		if err != nil {
			return nil, fmt.Errorf("oss: %w", err)
		}
		if n == 0 && res.Parts > 0 {
			break
		}
		etags.Append(digest.PartETag([16]byte(part.Sum(nil))))
		res.Parts++
		if n < partSize {
			break
		}
	}
	res.CRC64, res.MD5, res.MultipartETag = crc.sum, [16]byte(whole.Sum(nil)), etags.Sum()
	return res, nil
}

// HashReaderAt calculates what HashReader does, of size bytes of r, with several
// goroutines that read r at the same time. There are at most MaxParts parts.
func HashReaderAt(ctx context.Context, r io.ReaderAt, size, partSize int64) (*Hash, error) {
	if size < 0 || partSize <= 0 {
		return nil, fmt.Errorf("oss: %d bytes in parts of %d bytes", size, partSize)
	}
	if (size-1)/partSize >= MaxParts {
		return nil, fmt.Errorf("oss: %d bytes are more than %d parts of %d bytes", size, MaxParts, partSize)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()

	whole := make(chan error, 1)
	md := md5.New()
	go func() {
		_, err := io.CopyBuffer(md, &contextReader{ctx, &fullReader{r: io.NewSectionReader(r, 0, size), left: size}}, make([]byte, sumBuffer))
		if err != nil {
			cancel()
		}
		whole <- err
	}()
	parts, err := hashParts(ctx, r, size, partSize)
	if err != nil {
		cancel()
	}
	if wholeErr := <-whole; wholeErr != nil && (err == nil || errors.Is(err, context.Canceled)) {
		err = wholeErr
	}
	if err != nil {
		return nil, fmt.Errorf("oss: %w", err)
	}
	var crc digest.Combiner
	etags := digest.NewETagBuilder()
	for i, p := range parts {
		crc.Append(p.crc, min(partSize, size-int64(i)*partSize))
		etags.Append(digest.PartETag(p.md5))
	}
	return &Hash{CRC64: crc.Sum(), MD5: [16]byte(md.Sum(nil)), Parts: len(parts), MultipartETag: etags.Sum()}, nil
}

type partHash struct {
	crc uint64
	md5 [16]byte
}

// hashParts hashes parts, as many at a time as there are processors. No bytes
// are one part.
func hashParts(ctx context.Context, r io.ReaderAt, size, partSize int64) ([]partHash, error) {
	parts := make([]partHash, max(1, (size-1)/partSize+1))
	indices := make([]int, len(parts))
	for i := range indices {
		indices[i] = i
	}
	err := parallel(ctx, runtime.GOMAXPROCS(0), indices, func(ctx context.Context, i int) error {
		off := int64(i) * partSize
		n := min(partSize, size-off)
		sum, crc := md5.New(), newCRC()
		section := &fullReader{r: io.NewSectionReader(r, off, n), left: n}
		_, err := io.CopyBuffer(io.MultiWriter(sum, crc), &contextReader{ctx, section}, make([]byte, sumBuffer))
		parts[i] = partHash{crc.sum, [16]byte(sum.Sum(nil))}
		return err
	})
	return parts, err
}

// fullReader fails if there are fewer bytes than there should be.
type fullReader struct {
	r    io.Reader
	left int64
}

func (r *fullReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.left -= int64(n)
	if err == io.EOF && r.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

// contextReader ends with its context.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if r.ctx.Err() != nil {
		return 0, ended(r.ctx)
	}
	return r.r.Read(p)
}
