//go:build !amd64

package digest

import (
	"encoding/binary"
	"math/bits"
)

// canFold is false where fold has no assembly: the table is faster than fold
// below, which says in Go what the assembly does. Only tests get to it.
const canFold = false

func fold(lanes *[lanesSize]byte, p []byte, first, second uint64) {
	for ; len(p) > 0; p = p[lanesSize:] {
		for i := 0; i < lanesSize; i += 16 {
			a, b := carrylessMul(binary.LittleEndian.Uint64(lanes[i:]), first)
			c, d := carrylessMul(binary.LittleEndian.Uint64(lanes[i+8:]), second)
			binary.LittleEndian.PutUint64(lanes[i:], a^c^binary.LittleEndian.Uint64(p[i:]))
			binary.LittleEndian.PutUint64(lanes[i+8:], b^d^binary.LittleEndian.Uint64(p[i+8:]))
		}
	}
}

// carrylessMul is the 127-bit product of a and b as polynomials.
func carrylessMul(a, b uint64) (low, high uint64) {
	for ; b != 0; b &= b - 1 {
		n := bits.TrailingZeros64(b)
		low ^= a << n
		high ^= a >> (64 - n)
	}
	return low, high
}
