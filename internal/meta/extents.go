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
	all, rest, err := parseExtents(b)
	if err == nil && rest != nil {
		err = fmt.Errorf("%w: extent of 0 bytes", ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	return all, nil
}

// parseExtents reads extents to the end of b, where rest is nil, or to a
// terminator, where rest is what follows it.
func parseExtents(b []byte) (all []blob.Extent, rest []byte, err error) {
	var last blob.Extent
	for len(b) > 0 {
		var d [3]int64
		for i := range d {
			v, n := binary.Varint(b)
			if n <= 0 {
				return nil, nil, fmt.Errorf("%w: extents", ErrCorrupt)
			}
			d[i], b = v, b[n:]
		}
		if len(b) < 4 {
			return nil, nil, fmt.Errorf("%w: extents", ErrCorrupt)
		}
		next := blob.Extent{
			File: last.File + uint64(d[0]), Offset: last.Offset + uint64(d[1]), Length: last.Length + d[2],
			Sum: binary.LittleEndian.Uint32(b),
		}
		b = b[4:]
		if next == (blob.Extent{File: last.File, Offset: last.Offset}) {
			return all, b[:len(b):len(b)], nil
		}
		if next.Length <= 0 {
			return nil, nil, fmt.Errorf("%w: extent of %d bytes", ErrCorrupt, next.Length)
		}
		all, last = append(all, next), next
	}
	return all, nil, nil
}

// AppendManifest appends the encoding of a stored manifest to b: extents and,
// of an object that has any, a terminator and streams. The terminator is what
// no extent is: one of no bytes, with the file and offset of the one before it
// and no sum.
func AppendManifest(b []byte, extents []blob.Extent, streams []Stream) []byte {
	b = AppendExtents(b, extents)
	if len(streams) == 0 {
		return b
	}
	var last int64
	if n := len(extents); n > 0 {
		last = extents[n-1].Length
	}
	b = append(b, 0, 0)
	b = binary.AppendVarint(b, -last)
	return AppendStreams(append(b, 0, 0, 0, 0), streams)
}

// ParseManifest reads what AppendManifest wrote.
func ParseManifest(b []byte) ([]blob.Extent, []Stream, error) {
	extents, rest, err := parseExtents(b)
	if err != nil {
		return nil, nil, err
	}
	streams, err := ParseStreams(rest)
	if err == nil && rest != nil && len(streams) == 0 {
		err = fmt.Errorf("%w: manifest without the streams it announces", ErrCorrupt)
	}
	if err != nil {
		return nil, nil, err
	}
	return extents, streams, nil
}

func (e *encoder) extents(tag uint64, extents []blob.Extent) {
	e.bytes(tag, AppendExtents(nil, extents))
}

func (f field) extents(to *[]blob.Extent) (err error) {
	*to, err = ParseExtents(f.b)
	return err
}

// InlineManifest is how many bytes of encoded extents and streams a record
// carries itself; a longer manifest is an extent of its own.
const InlineManifest = 4 << 10

// Manifest tells where an object's bytes lie, in order. Either Extents names
// them, or Stored names the extents that hold their encoding and that of Streams
// (AppendManifest). All are empty for no bytes.
type Manifest struct {
	Extents []blob.Extent
	Stored  []blob.Extent
	Streams []Stream // of an object that was completed from an encrypted upload
}
