package digest

import (
	"crypto/md5"
	"hash"
	"strconv"
	"strings"
)

// ETags are kept without quotes and in upper case, as OSS writes them between
// the quotes of its header.
//
//	simple     MD5 of the bytes:                       5D41402ABC4B2A76B9719D911017C592
//	multipart  MD5 of the parts' ETags, and how many:  1C787C506EABFB9B45EAAA8DB039F4B2-2

// PartETag is the ETag of bytes with this MD5: 32 upper-case hex digits.
func PartETag(sum [16]byte) string {
	return upperHex(sum[:])
}

// MultipartETag is the ETag of an object made of parts with these ETags, in
// the order of their numbers.
func MultipartETag(parts []string) string {
	b := NewETagBuilder()
	for _, p := range parts {
		b.Append(p)
	}
	return b.Sum()
}

// ETagBuilder makes the ETag of a multipart object one part at a time. OSS
// hashes the text of the parts' ETags in upper case, not their raw sums.
type ETagBuilder struct {
	md5   hash.Hash
	parts int
}

// NewETagBuilder returns a builder with no parts.
func NewETagBuilder() *ETagBuilder {
	return &ETagBuilder{md5: md5.New()}
}

// Append adds the next part by its ETag (without quotes, in any letter case).
func (b *ETagBuilder) Append(part string) {
	b.md5.Write([]byte(strings.ToUpper(part)))
	b.parts++
}

// Sum returns the ETag of the parts so far.
func (b *ETagBuilder) Sum() string {
	return upperHex(b.md5.Sum(nil)) + "-" + strconv.Itoa(b.parts)
}

func upperHex(p []byte) string {
	const digits = "0123456789ABCDEF"
	b := make([]byte, 0, 2*len(p))
	for _, c := range p {
		b = append(b, digits[c>>4], digits[c&15])
	}
	return string(b)
}
