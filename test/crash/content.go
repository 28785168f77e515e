package main

import (
	"crypto/md5"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"hash/crc64"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
)

// piece is a run of bytes that its seed and size determine.
type piece struct {
	seed uint64
	size int // bytes
	sum  [md5.Size]byte
}

func newPiece(seed uint64, size int) piece {
	p := piece{seed: seed, size: size}
	p.sum = md5.Sum(p.appendTo(nil))
	return p
}

func (p piece) appendTo(b []byte) []byte {
	var key [32]byte
	binary.LittleEndian.PutUint64(key[:], p.seed)
	start := len(b)
	b = append(b, make([]byte, p.size)...)
	rand.NewChaCha8(key).Read(b[start:]) // never fails
	return b
}

func (p piece) etag() string { return strings.ToUpper(hex.EncodeToString(p.sum[:])) }

// content is what an object or a part holds.
type content struct {
	parts     []piece // one for a part and for a plain object
	size      int64
	md5       [md5.Size]byte
	crc64     uint64
	multipart bool
	copied    bool // the ETag of a copy is the server's choice
}

func newContent(parts []piece, multipart bool) *content {
	v := &content{parts: parts, multipart: multipart}
	s := newSums()
	s.Write(v.bytes())
	v.size, v.md5, v.crc64 = s.size, s.md5(), s.crc.Sum64()
	return v
}

func (v *content) copy() *content {
	c := *v
	c.copied = true
	return &c
}

func (v *content) seed() uint64 { return v.parts[0].seed }

func (v *content) bytes() []byte {
	var b []byte
	for _, p := range v.parts {
		b = p.appendTo(b)
	}
	return b
}

func (v *content) contentMD5() string { return base64.StdEncoding.EncodeToString(v.md5[:]) }

func (v *content) etag() string {
	if !v.multipart {
		return v.parts[0].etag()
	}
	h := md5.New()
	for _, p := range v.parts {
		h.Write([]byte(p.etag()))
	}
	return strings.ToUpper(hex.EncodeToString(h.Sum(nil))) + "-" + strconv.Itoa(len(v.parts))
}

func (v *content) String() string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%d bytes with ETag %s", v.size, v.etag())
}

// matchHeader compares the digests that an answer states.
func (v *content) matchHeader(h http.Header) error {
	if got := strings.Trim(h.Get("ETag"), `"`); got != v.etag() {
		return fmt.Errorf("the answer has ETag %q, want %q", got, v.etag())
	}
	if got := h.Get("X-Oss-Hash-Crc64ecma"); got != strconv.FormatUint(v.crc64, 10) {
		return fmt.Errorf("the answer has CRC-64 %q, want %d", got, v.crc64)
	}
	return nil
}

// sums digests a body as it comes.
type sums struct {
	size int64
	sum  hash.Hash
	crc  hash.Hash64

	etag, class string // as the header tells them
}

func newSums() *sums {
	return &sums{sum: md5.New(), crc: crc64.New(crc64.MakeTable(crc64.ECMA))}
}

func (s *sums) Write(p []byte) (int, error) {
	s.size += int64(len(p))
	s.sum.Write(p)
	s.crc.Write(p)
	return len(p), nil
}

func (s *sums) md5() (m [md5.Size]byte) {
	s.sum.Sum(m[:0])
	return m
}

func (s *sums) String() string {
	m := s.md5()
	return fmt.Sprintf("%d bytes with MD5 %X and ETag %s", s.size, m, s.etag)
}

// is tells whether the body that was read is v.
func (s *sums) is(v *content) bool {
	return v != nil && s.size == v.size && s.md5() == v.md5 && (v.copied || s.etag == v.etag())
}
