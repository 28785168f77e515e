// Package digest computes what OSS tells clients about bytes: MD5, ETag and
// CRC-64.
//
// CRC-64 is folded by carry-less multiplication where the CPU has it, and
// CRCs of consecutive runs combine without their bytes. MD5 of one stream is
// crypto/md5; it is the slower of the two by far. Streams that are hashed at the
// same time can share an MD5Pool.
package digest

import (
	"crypto/md5"
	"encoding"
	"fmt"
	"hash"
)

// hashBlock is how many bytes a Hasher gives to one digest before the other:
// few enough that the second finds them in the cache of the core. Writers of a
// pool gain more from meeting for long runs.
const (
	hashBlock     = 16 << 10
	hashBlockPool = 256 << 10
)

// Hasher is what the bytes of one body go through: MD5 and CRC-64 together.
// It is for one goroutine at a time, and can be pooled with Reset.
type Hasher struct {
	md5   hash.Hash
	block int // bytes
	crc   uint64
	n     int64
}

// NewHasher returns a Hasher that has seen no bytes.
func NewHasher() *Hasher {
	return &Hasher{md5: md5.New(), block: hashBlock}
}

// NewHasher returns a Hasher whose MD5 is of this pool. It pays for writes of
// 64 KiB and more.
func (p *MD5Pool) NewHasher() *Hasher {
	return &Hasher{md5: p.New(), block: hashBlockPool}
}

// Write takes in p and never fails.
func (h *Hasher) Write(p []byte) (int, error) {
	n := len(p)
	for len(p) > 0 {
		block := p[:min(len(p), h.block)]
		h.crc = CRC64(h.crc, block)
		h.md5.Write(block)
		p = p[len(block):]
	}
	h.n += int64(n)
	return n, nil
}

// Sum returns the digests of the n bytes written since the last Reset. More
// may be written afterwards.
func (h *Hasher) Sum() (sum [16]byte, crc64 uint64, n int64) {
	h.md5.Sum(sum[:0])
	return sum, h.crc, h.n
}

// Reset makes h forget what it has seen.
func (h *Hasher) Reset() {
	h.md5.Reset()
	h.crc, h.n = 0, 0
}

// MD5State is an MD5 that is not finished yet, in the encoding of crypto/md5.
// A sequential upload keeps it between parts. The empty state has seen no bytes.
type MD5State []byte

// SaveMD5 returns the state of h, which must come from MD5State.Open,
// MD5Pool.New or md5.New. h can go on afterwards.
func SaveMD5(h hash.Hash) (MD5State, error) {
	m, ok := h.(encoding.BinaryMarshaler)
	if !ok {
		return nil, fmt.Errorf("digest: %T has no state to save", h)
	}
	state, err := m.MarshalBinary()
	if err != nil {
		return nil, fmt.Errorf("digest: save MD5: %w", err)
	}
	return state, nil
}

// Open returns an MD5 that goes on from s. It fails if s is not what SaveMD5
// returned.
func (s MD5State) Open() (hash.Hash, error) {
	h := md5.New()
	if len(s) == 0 {
		return h, nil
	}
	u, ok := h.(encoding.BinaryUnmarshaler)
	if !ok {
		return nil, fmt.Errorf("digest: %T has no state to open", h)
	}
	if err := u.UnmarshalBinary(s); err != nil {
		return nil, fmt.Errorf("digest: open MD5: %w", err)
	}
	return h, nil
}
