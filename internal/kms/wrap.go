package kms

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
)

// What is wrapped is
//
//	+--------+----------+--------+---------+------+-------+------------------+
//	| format | n        | key ID | version | salt | nonce | ciphertext, tag  |
//	+--------+----------+--------+---------+------+-------+------------------+
//	  1 byte   uvarint    n        uvarint   20     12      secret, and 16
//
// encrypted by AES-256-GCM with a key that HKDF-SHA256 derives from the ring's
// key, the salt, and the text wrapInfo. Additional data is all before the salt,
// and then the purpose. The salt keeps the number of secrets for one key beyond
// every bound: with random nonces alone, 2^32 would be too many.
const (
	wrapFormat = 1
	wrapInfo   = "ossa key ring wrap 1"
	saltSize   = 20
	nonceSize  = 12
	tagSize    = 16
)

// header is what a wrapped secret says about its key.
type header struct {
	keyID   string
	version int
	size    int // bytes of the header
}

func appendHeader(b []byte, keyID string, version int) []byte {
	b = append(b, wrapFormat)
	b = binary.AppendUvarint(b, uint64(len(keyID)))
	b = append(b, keyID...)
	return binary.AppendUvarint(b, uint64(version))
}

func parseHeader(wrapped []byte) (h header, err error) {
	if len(wrapped) == 0 || wrapped[0] != wrapFormat {
		return h, fmt.Errorf("%w: unknown format", ErrWrongKey)
	}
	rest := wrapped[1:]
	n, size := binary.Uvarint(rest)
	if size <= 0 || n > maxKeyID || n > uint64(len(rest)-size) {
		return h, fmt.Errorf("%w: cut short", ErrWrongKey)
	}
	h.keyID, rest = string(rest[size:size+int(n)]), rest[size+int(n):]
	v, size := binary.Uvarint(rest)
	if size <= 0 || v < 1 || v > maxVersions || len(rest)-size < saltSize+nonceSize+tagSize {
		return h, fmt.Errorf("%w: cut short", ErrWrongKey)
	}
	h.version, h.size = int(v), len(wrapped)-len(rest)+size
	return h, nil
}

// wrap encrypts plain with a key's material. random is saltSize+nonceSize bytes.
func wrap(material []byte, keyID string, version int, random, plain, purpose []byte) ([]byte, error) {
	b := appendHeader(nil, keyID, version)
	additional := append(b[:len(b):len(b)], purpose...)
	aead, err := wrapCipher(material, random[:saltSize])
	if err != nil {
		return nil, err
	}
	b = append(b, random...)
	return aead.Seal(b, random[saltSize:], plain, additional), nil
}

func unwrap(material []byte, h header, wrapped, purpose []byte) ([]byte, error) {
	additional := append(wrapped[:h.size:h.size], purpose...)
	salt, rest := wrapped[h.size:h.size+saltSize], wrapped[h.size+saltSize:]
	aead, err := wrapCipher(material, salt)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, rest[:nonceSize], rest[nonceSize:], additional)
	if err != nil {
		return nil, fmt.Errorf("%w: key %s version %d", ErrWrongKey, h.keyID, h.version)
	}
	return plain, nil
}

func wrapCipher(material, salt []byte) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, material, salt, wrapInfo, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}
