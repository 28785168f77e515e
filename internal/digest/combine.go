package digest

import "hash/crc64"

// Combining CRCs is arithmetic on polynomials over GF(2) modulo the CRC's
// own: appending n bytes to a message multiplies its remainder by x^(8n). The
// first and last inversions of CRC-64/XZ cancel out.
//
// Polynomials are reflected: the highest bit is the coefficient of x^0.

const (
	polyOne  = uint64(1) << 63 // x^0
	polyByte = uint64(1) << 55 // x^8
)

// bytePowers[i] is x^(8 * 2^i): what 2^i bytes multiply by.
var bytePowers = func() (powers [63]uint64) {
	powers[0] = polyByte
	for i := 1; i < len(powers); i++ {
		powers[i] = polyMul(powers[i-1], powers[i-1])
	}
	return powers
}()

// polyMul is a*b modulo the polynomial.
func polyMul(a, b uint64) (product uint64) {
	for range 64 {
		product ^= a & -(b >> 63)
		b <<= 1
		a = a>>1 ^ crc64.ECMA&-(a&1)
	}
	return product
}

// polyBytes is x^(8n), the operator that appends n bytes; n is 0 to 2^63-1.
func polyBytes(n int64) uint64 {
	product := polyOne
	for i := 0; n > 0; i++ {
		if n&1 != 0 {
			product = polyMul(product, bytePowers[i])
		}
		n >>= 1
	}
	return product
}

// CombineCRC64 returns the CRC-64 of A followed by B from the CRC-64 of each
// and the length of B in bytes, 0 to 2^63-1.
func CombineCRC64(crcA, crcB uint64, lenB int64) uint64 {
	return polyMul(crcA, polyBytes(lenB)) ^ crcB
}

// Combiner appends runs of bytes by their CRC-64 and length. It remembers the
// operator of the last length, so that many parts of one size cost one
// multiplication each. The zero value stands for no bytes.
type Combiner struct {
	crc      uint64
	length   int64  // length that operator appends
	operator uint64 // 0: none yet
}

// Append appends n bytes, 0 to 2^63-1, with the given CRC-64.
func (c *Combiner) Append(crc uint64, n int64) {
	if c.operator == 0 || c.length != n {
		c.length, c.operator = n, polyBytes(n)
	}
	c.crc = polyMul(c.crc, c.operator) ^ crc
}

// Sum returns the CRC-64 of all that was appended.
func (c *Combiner) Sum() uint64 { return c.crc }
