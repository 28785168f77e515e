package oss

import (
	"context"
	"crypto/md5"
	"fmt"
	"io"

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
