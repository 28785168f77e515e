package meta

import (
	"encoding/binary"
	"fmt"

	"github.com/ossastore/ossa/internal/blob"
)

// Extents are encoded one after another, each against the one before it:
//
//	file    zigzag varint, difference
//	offset  zigzag varint, difference
//	length  zigzag varint, difference
//	sum     4 bytes, LE
//
// so that a run of equal parts costs about eight bytes a part.

// AppendExtents appends the encoding of extents to b.
func AppendExtents(b []byte, extents []blob.Extent) []byte {
	var last blob.Extent
	for _, e := range extents {
		b = binary.AppendVarint(b, int64(e.File-last.File))
		b = binary.AppendVarint(b, int64(e.Offset-last.Offset))
		b = binary.AppendVarint(b, e.Length-last.Length)
		b = binary.LittleEndian.AppendUint32(b, e.Sum)
		last = e
	}
	return b
}

// ParseExtents reads what AppendExtents wrote.
func ParseExtents(b []byte) ([]blob.Extent, error) {
	var all []blob.Extent
	var last blob.Extent
	for len(b) > 0 {
		var d [3]int64
		for i := range d {
			v, n := binary.Varint(b)
			if n <= 0 {
				return nil, fmt.Errorf("%w: extents", ErrCorrupt)
			}
			d[i], b = v, b[n:]
		}
		if len(b) < 4 {
			return nil, fmt.Errorf("%w: extents", ErrCorrupt)
		}
		last.File += uint64(d[0])
		last.Offset += uint64(d[1])
		last.Length += d[2]
		last.Sum = binary.LittleEndian.Uint32(b)
		b = b[4:]
		if last.Length <= 0 {
			return nil, fmt.Errorf("%w: extent of %d bytes", ErrCorrupt, last.Length)
		}
		all = append(all, last)
	}
	return all, nil
}

func (e *encoder) extents(tag uint64, extents []blob.Extent) {
	e.bytes(tag, AppendExtents(nil, extents))
}

func (f field) extents(to *[]blob.Extent) (err error) {
	*to, err = ParseExtents(f.b)
	return err
}

// InlineManifest is how many bytes of encoded extents a record carries itself;
// a longer manifest is an extent of its own.
const InlineManifest = 4 << 10

// Manifest tells where an object's bytes lie, in order. Either Extents names
// them, or Stored names the extents that hold their encoding (AppendExtents).
// Both are empty for no bytes.
type Manifest struct {
	Extents []blob.Extent
	Stored  []blob.Extent
}
