// Package seal encrypts the bytes of one body so that they can be read from any
// place, and so that no change of them stays unnoticed.
//
// A body becomes a stream:
//
//	+----------+------+-----------+-----------+-----+----------------+
//	| magic    | salt | segment 0 | segment 1 | ... | last segment   |
//	+----------+------+-----------+-----------+-----+----------------+
//	  8 bytes    32     65496       65536             17 to 65536
//
// A segment is its part of the body, encrypted by AES-256-GCM, and a tag of 16
// bytes. Its nonce is 7 bytes of the stream, its index in 4, and 1 in the last
// segment or else 0; so segments that are exchanged, missing or cut off do not
// open. Header and segment 0 together are as long as each other segment: segment
// n begins at n * 65536, which is where a block of a data file begins. The last
// segment is empty never: no bytes are an empty stream, without a header.
//
// Key and nonce prefix of a stream are HKDF-SHA256 of the data key, the salt,
// and what the stream is, which is not stored with it: the text "ossa stream 1"
// and what the caller says. So one data key serves any number of streams, and
// none of them opens as another.
//
// The framing is that of Tink's noncebased package (docs/decisions/0005).
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// KeySize is the length of a data key in bytes.
const KeySize = 32

const (
	magic      = "ossaseal" // 8 bytes
	saltSize   = 32
	headerSize = 8 + saltSize
	tagSize    = 16

	segmentSize = 64 << 10              // bytes of a segment in the stream
	plainSize   = segmentSize - tagSize // bytes of the body in a segment
	firstPlain  = plainSize - headerSize

	nonceSize   = 12
	prefixSize  = 7 // of the nonce; then the index in 4 bytes and the mark of the last
	infoVersion = "ossa stream 1"
)

// ErrCorrupt: a stream is not what was written as this stream with this key.
var ErrCorrupt = errors.New("seal: corrupt stream")

// Size returns how long the stream of a body of plain bytes is.
func Size(plain int64) int64 {
	if plain <= 0 {
		return 0
	}
	return headerSize + plain + tagSize*segments(plain)
}

// segments returns how many segments a body of plain bytes has, 1 or more.
func segments(plain int64) int64 {
	if plain <= firstPlain {
		return 1
	}
	return 1 + (plain-firstPlain+plainSize-1)/plainSize
}

// place returns the segment that holds byte off of a body, and where in it.
func place(off int64) (segment, skip int64) {
	if off < firstPlain {
		return 0, off
	}
	off -= firstPlain
	return 1 + off/plainSize, off % plainSize
}

// keys are what a stream's segments are encrypted with.
type keys struct {
	aead   cipher.AEAD
	prefix []byte
}

func deriveKeys(key, salt, what []byte) (*keys, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("seal: key of %d bytes", len(key))
	}
	b, err := hkdf.Key(sha256.New, key, salt, infoVersion+string(what), KeySize+prefixSize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(b[:KeySize])
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	return &keys{aead, b[KeySize:]}, err
}

// segmentCipher encrypts and decrypts the segments of a stream from one on. The
// methods with a destination spare an allocation each; noncebased looks for
// them, and would use the others otherwise.
type segmentCipher struct {
	aead  cipher.AEAD
	first uint32 // index of the segment that noncebased counts as 0
}

// EncryptSegment implements noncebased.SegmentEncrypter.
func (c segmentCipher) EncryptSegment(segment, nonce []byte) ([]byte, error) {
	return c.EncryptSegmentWithDst(nil, segment, nonce)
}

// EncryptSegmentWithDst encrypts into dst as far as it reaches.
func (c segmentCipher) EncryptSegmentWithDst(dst, segment, nonce []byte) ([]byte, error) {
	return c.aead.Seal(dst, nonce, segment, nil), nil
}

// DecryptSegment implements noncebased.SegmentDecrypter.
func (c segmentCipher) DecryptSegment(segment, nonce []byte) ([]byte, error) {
	return c.DecryptSegmentWithDst(nil, segment, nonce)
}

// DecryptSegmentWithDst decrypts into dst as far as it reaches.
func (c segmentCipher) DecryptSegmentWithDst(dst, segment, nonce []byte) ([]byte, error) {
	index := nonce[prefixSize : prefixSize+4]
	binary.BigEndian.PutUint32(index, binary.BigEndian.Uint32(index)+c.first)
	plain, err := c.aead.Open(dst, nonce, segment, nil)
	if err != nil {
		return nil, fmt.Errorf("%w: segment %d", ErrCorrupt, binary.BigEndian.Uint32(index))
	}
	return plain, nil
}
