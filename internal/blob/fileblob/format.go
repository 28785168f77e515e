package fileblob

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/ossastore/ossa/internal/blob"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crc32c(p []byte) uint32 { return crc32.Checksum(p, castagnoli) }

// le is the byte order of every number in every file.
var le = binary.LittleEndian

const (
	formatVersion = 1

	headerBytes       = 4096 // of a data file; data or records follow
	footerBytes       = 64
	recordHeaderBytes = 40
	recordAlign       = 8
	deadEntryBytes    = 16

	// maxOwnerBytes bounds an encoded owner: a key of 1023 bytes, IDs, and
	// room to spare.
	maxOwnerBytes = 2048
)

const (
	headerMagic      = "OSSABLOB"
	footerMagic      = "OSSAEXT1"
	footerTailMagic  = "1TXEASSO"
	recordMagic      = "OREC"
	generationMagic  = "OSSAGEN1"
	lengthUndeclared = ^uint64(0)
)

// kind tells a file that is one large extent from one shared by small ones.
type kind byte

const (
	largeKind   kind = 1
	segmentKind kind = 2
)

// errFormat marks bytes that do not prove themselves. It never leaves the
// package bare: callers add blob.ErrCorrupt and the place.
var errFormat = errors.New("malformed")

// fileHeader opens every data file:
//
//	 0  8  magic "OSSABLOB"
//	 8  2  format version, 1
//	10  1  kind: 1 one large extent, 2 shared by small ones
//	11  1  zero
//	12  4  block size
//	16  8  file number
//	24  8  declared length of the data; all ones when unknown, or shared
//	32  2  length of the owner, 0 when shared
//	34  .  owner, then zeros
//	4092 4 CRC-32C of bytes 0 to 4091
type fileHeader struct {
	kind     kind
	block    int64
	number   uint64
	declared int64 // -1 when unknown
	owner    blob.Owner
}

// encode fills p, headerBytes long.
func (h *fileHeader) encode(p []byte) error {
	clear(p)
	copy(p, headerMagic)
	le.PutUint16(p[8:], formatVersion)
	p[10] = byte(h.kind)
	le.PutUint32(p[12:], uint32(h.block))
	le.PutUint64(p[16:], h.number)
	le.PutUint64(p[24:], uint64(h.declared))
	if h.kind == largeKind {
		owner, err := appendOwner(p[:34], h.owner)
		if err != nil {
			return err
		}
		le.PutUint16(p[32:], uint16(len(owner)-34))
	}
	le.PutUint32(p[headerBytes-4:], crc32c(p[:headerBytes-4]))
	return nil
}

// parseFileHeader checks and decodes the header of file number.
func parseFileHeader(p []byte, want kind, number uint64) (h fileHeader, err error) {
	switch {
	case len(p) != headerBytes || string(p[:8]) != headerMagic:
		return h, fmt.Errorf("file header: %w", errFormat)
	case le.Uint32(p[headerBytes-4:]) != crc32c(p[:headerBytes-4]):
		return h, fmt.Errorf("file header checksum: %w", errFormat)
	case le.Uint16(p[8:]) != formatVersion:
		return h, fmt.Errorf("file format version %d: %w", le.Uint16(p[8:]), errFormat)
	}
	h = fileHeader{
		kind:     kind(p[10]),
		block:    int64(le.Uint32(p[12:])),
		number:   le.Uint64(p[16:]),
		declared: int64(le.Uint64(p[24:])),
	}
	ownerBytes := int(le.Uint16(p[32:]))
	switch {
	case h.kind != want || h.number != number:
		return h, fmt.Errorf("file header is that of file %016x: %w", h.number, errFormat)
	case !validBlockBytes(h.block) || h.declared < -1 || ownerBytes > maxOwnerBytes:
		return h, fmt.Errorf("file header fields: %w", errFormat)
	}
	if h.kind == largeKind {
		h.owner, err = parseOwner(p[34 : 34+ownerBytes])
	}
	return h, err
}

// footer ends the file of a large extent. It begins at a multiple of 64, so
// that it lies in one sector and is there or not, never in part:
//
//	 0  8  magic "OSSAEXT1"
//	 8  8  file number
//	16  8  length of the data
//	24  4  block size
//	28  4  CRC-32C of the checksum table (Extent.Sum)
//	32 20  zero
//	52  4  CRC-32C of bytes 0 to 51
//	56  8  magic "1TXEASSO"
type footer struct {
	number uint64
	length int64
	block  int64
	sum    uint32
}

func (f *footer) append(p []byte) []byte {
	start := len(p)
	p = append(p, footerMagic...)
	p = le.AppendUint64(p, f.number)
	p = le.AppendUint64(p, uint64(f.length))
	p = le.AppendUint32(p, uint32(f.block))
	p = le.AppendUint32(p, f.sum)
	p = append(p, make([]byte, 20)...)
	p = le.AppendUint32(p, crc32c(p[start:]))
	return append(p, footerTailMagic...)
}

// parseFooter checks and decodes the footer of file number, size bytes long.
func parseFooter(p []byte, number uint64, size int64) (f footer, err error) {
	switch {
	case len(p) != footerBytes || string(p[:8]) != footerMagic || string(p[56:]) != footerTailMagic:
		return f, fmt.Errorf("footer: %w", errFormat)
	case le.Uint32(p[52:]) != crc32c(p[:52]):
		return f, fmt.Errorf("footer checksum: %w", errFormat)
	}
	f = footer{
		number: le.Uint64(p[8:]),
		length: int64(le.Uint64(p[16:])),
		block:  int64(le.Uint32(p[24:])),
		sum:    le.Uint32(p[28:]),
	}
	switch {
	case f.number != number:
		return f, fmt.Errorf("footer is that of file %016x: %w", f.number, errFormat)
	case !validBlockBytes(f.block) || f.length < 1 || f.length > size || largeFileBytes(f.length, f.block) != size:
		return f, fmt.Errorf("footer fields: %w", errFormat)
	}
	return f, nil
}

// tableBytes is the length of the checksum table of length bytes of data.
func tableBytes(length, block int64) int64 {
	return (length + block - 1) / block * 4
}

// largeFileBytes is the length of the file of a large extent.
func largeFileBytes(length, block int64) int64 {
	return alignUp(headerBytes+length+tableBytes(length, block), footerBytes) + footerBytes
}

func alignUp(n, to int64) int64 { return (n + to - 1) / to * to }

// recordHeader opens a small extent within a shared data file. The checksum
// table, the data and the owner follow, then zeros up to a multiple of 8:
//
//	 0  4  magic "OREC"
//	 4  2  length of the owner
//	 6  2  zero
//	 8  8  file number
//	16  8  offset of this header within the file
//	24  4  length of the data
//	28  4  CRC-32C of the checksum table (Extent.Sum)
//	32  4  CRC-32C of the owner
//	36  4  CRC-32C of bytes 0 to 35
type recordHeader struct {
	number     uint64
	offset     int64
	length     int64
	sum        uint32
	ownerBytes int64
	ownerSum   uint32
}

// encode fills p, recordHeaderBytes long.
func (r *recordHeader) encode(p []byte) {
	copy(p, recordMagic)
	le.PutUint16(p[4:], uint16(r.ownerBytes))
	le.PutUint16(p[6:], 0)
	le.PutUint64(p[8:], r.number)
	le.PutUint64(p[16:], uint64(r.offset))
	le.PutUint32(p[24:], uint32(r.length))
	le.PutUint32(p[28:], r.sum)
	le.PutUint32(p[32:], r.ownerSum)
	le.PutUint32(p[36:], crc32c(p[:36]))
}

// parseRecordHeader checks and decodes the header at offset of file number.
func parseRecordHeader(p []byte, number uint64, offset int64) (r recordHeader, err error) {
	switch {
	case len(p) != recordHeaderBytes || string(p[:4]) != recordMagic:
		return r, fmt.Errorf("record header: %w", errFormat)
	case le.Uint32(p[36:]) != crc32c(p[:36]):
		return r, fmt.Errorf("record header checksum: %w", errFormat)
	}
	r = recordHeader{
		number:     le.Uint64(p[8:]),
		offset:     int64(le.Uint64(p[16:])),
		length:     int64(le.Uint32(p[24:])),
		sum:        le.Uint32(p[28:]),
		ownerBytes: int64(le.Uint16(p[4:])),
		ownerSum:   le.Uint32(p[32:]),
	}
	switch {
	case r.number != number || r.offset != offset:
		return r, fmt.Errorf("record header is that of file %016x offset %d: %w", r.number, r.offset, errFormat)
	case r.length < 1 || r.length > maxLargeBytes || r.ownerBytes > maxOwnerBytes:
		return r, fmt.Errorf("record header fields: %w", errFormat)
	}
	return r, nil
}

// ownerOffset is where the owner lies within the file.
func (r *recordHeader) ownerOffset(block int64) int64 {
	return r.offset + recordHeaderBytes + tableBytes(r.length, block) + r.length
}

// bytes is the length of the whole record, padding included.
func (r *recordHeader) bytes(block int64) int64 {
	return alignUp(r.ownerOffset(block)+r.ownerBytes-r.offset, recordAlign)
}

func (r *recordHeader) extent() blob.Extent {
	return blob.Extent{File: r.number, Offset: uint64(r.offset), Length: r.length, Sum: r.sum}
}

// appendOwner appends the encoding of o:
//
//	1  flags: 1 the bytes are a manifest
//	2  part number
//	.  bucket, key, version, upload ID, each as 2 bytes of length and the bytes
func appendOwner(p []byte, o blob.Owner) ([]byte, error) {
	if o.PartNumber < 0 || o.PartNumber > 0xffff {
		return p, fmt.Errorf("fileblob: part number %d of an owner is out of range", o.PartNumber)
	}
	if n := 11 + len(o.Bucket) + len(o.Key) + len(o.Version) + len(o.UploadID); n > maxOwnerBytes {
		return p, fmt.Errorf("fileblob: owner of %d bytes is too long", n)
	}
	var flags byte
	if o.Manifest {
		flags = 1
	}
	p = append(p, flags)
	p = le.AppendUint16(p, uint16(o.PartNumber))
	for _, s := range [...]string{o.Bucket, o.Key, o.Version, o.UploadID} {
		p = le.AppendUint16(p, uint16(len(s)))
		p = append(p, s...)
	}
	return p, nil
}

// parseOwner decodes what appendOwner made of an owner.
func parseOwner(p []byte) (o blob.Owner, err error) {
	if len(p) < 3 || p[0] > 1 {
		return o, fmt.Errorf("owner: %w", errFormat)
	}
	o.Manifest = p[0] == 1
	o.PartNumber = int(le.Uint16(p[1:]))
	p = p[3:]
	for _, s := range [...]*string{&o.Bucket, &o.Key, &o.Version, &o.UploadID} {
		if len(p) < 2 || len(p)-2 < int(le.Uint16(p)) {
			return blob.Owner{}, fmt.Errorf("owner: %w", errFormat)
		}
		n := 2 + int(le.Uint16(p))
		*s = string(p[2:n])
		p = p[n:]
	}
	if len(p) != 0 {
		return blob.Owner{}, fmt.Errorf("owner: %w", errFormat)
	}
	return o, nil
}

// blockSums gathers the checksum table of data that comes in pieces.
type blockSums struct {
	block int64
	table []byte // CRC-32C of each whole block so far
	sum   uint32 // of the block being filled
	fill  int64  // bytes of it
}

func (b *blockSums) add(p []byte) {
	for len(p) > 0 {
		n := min(b.block-b.fill, int64(len(p)))
		b.sum = crc32.Update(b.sum, castagnoli, p[:n])
		b.fill += n
		p = p[n:]
		if b.fill == b.block {
			b.end()
		}
	}
}

// end closes the block being filled, if there is one.
func (b *blockSums) end() {
	if b.fill > 0 {
		b.table = le.AppendUint32(b.table, b.sum)
		b.sum, b.fill = 0, 0
	}
}
