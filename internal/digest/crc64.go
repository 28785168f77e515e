package digest

import (
	"encoding/binary"
	"hash"
	"hash/crc64"
	"strconv"
)

// CRC-64/XZ: the ECMA-182 polynomial, bits reflected, all ones before and
// after. It is what OSS sends as x-oss-hash-crc64ecma.
var ecma = crc64.MakeTable(crc64.ECMA)

const (
	// lanesSize is how many bytes one step of fold takes in.
	lanesSize = 128

	// foldMin is the length from which folding is faster than the table.
	foldMin = 4 * lanesSize

	// Multiples of these powers of x move a lane lanesSize bytes onward: its
	// first half by x^(8*128+63) and its second by x^(8*128-1), modulo the
	// polynomial. One bit is missing because the product of two reflected
	// 64-bit polynomials comes out one bit too high.
	foldFirst  = 0x8757d71d4fcc1000
	foldSecond = 0xd7d86b2af73de740
)

// CRC64 returns the CRC-64/XZ of the bytes that crc stands for, followed by p.
// The CRC of nothing is 0. It gives what hash/crc64 gives for its ECMA table.
func CRC64(crc uint64, p []byte) uint64 {
	if !canFold || len(p) < foldMin {
		return crc64.Update(crc, ecma, p)
	}
	return foldCRC64(crc, p)
}

// foldCRC64 reads p through eight lanes of 16 bytes. The lanes, with the
// bytes so far folded into them, are then a message of 128 bytes that has the
// same remainder, which the table finishes. p is at least lanesSize long.
func foldCRC64(crc uint64, p []byte) uint64 {
	var lanes [lanesSize]byte
	copy(lanes[:], p)
	first := binary.LittleEndian.Uint64(lanes[:])
	binary.LittleEndian.PutUint64(lanes[:], first^^crc)
	p = p[lanesSize:]

	n := len(p) &^ (lanesSize - 1)
	fold(&lanes, p[:n], foldFirst, foldSecond)

	crc = crc64.Update(^uint64(0), ecma, lanes[:])
	return crc64.Update(crc, ecma, p[n:])
}

// crc64Hash is CRC64 as a hash.
type crc64Hash uint64

// NewCRC64 returns a hash of CRC-64/XZ. Sum gives it big-endian.
func NewCRC64() hash.Hash64 { return new(crc64Hash) }

func (h *crc64Hash) Write(p []byte) (int, error) {
	*h = crc64Hash(CRC64(uint64(*h), p))
	return len(p), nil
}

func (h *crc64Hash) Sum64() uint64       { return uint64(*h) }
func (h *crc64Hash) Sum(b []byte) []byte { return binary.BigEndian.AppendUint64(b, uint64(*h)) }
func (h *crc64Hash) Reset()              { *h = 0 }
func (h *crc64Hash) Size() int           { return crc64.Size }
func (h *crc64Hash) BlockSize() int      { return 1 }

// CRC64String is a CRC-64 as OSS writes it: an unsigned decimal number.
func CRC64String(crc uint64) string {
	return strconv.FormatUint(crc, 10)
}

// ParseCRC64 reads what CRC64String writes, and tells whether s is that:
// digits only.
func ParseCRC64(s string) (crc uint64, ok bool) {
	crc, err := strconv.ParseUint(s, 10, 64)
	return crc, err == nil
}
