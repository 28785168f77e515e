package meta

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Encryption tells how bytes are encrypted: of an object, or of all parts of an
// upload. The zero value says that they are not.
type Encryption struct {
	Algorithm string // as OSS calls it: AES256 or KMS
	KeyID     string // with KMS, of the key that wraps Key
	Key       []byte // the data key, wrapped by the key ring
}

func (e *encoder) encryption(tag uint64, c *Encryption) {
	if c.Algorithm == "" && c.KeyID == "" && len(c.Key) == 0 {
		return
	}
	inner := newEncoder('e')
	inner.string(1, c.Algorithm)
	inner.string(2, c.KeyID)
	inner.bytes(3, c.Key)
	e.bytes(tag, inner.finish())
}

func (f field) encryption(c *Encryption) error {
	return decode('e', f.b, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&c.Algorithm)
		case 2:
			return f.string(&c.KeyID)
		case 3:
			return f.bytes(&c.Key)
		}
		return errTag
	})
}

// Stream is one of the streams that make up the bytes of an object which was
// completed from an encrypted upload: those of its parts, in order.
type Stream struct {
	PartNumber int
	Size       int64 // bytes of the part, before encryption
}

// maxStreams bounds the streams of an object: one for each part number.
const maxStreams = 10000

// Streams are encoded as runs of those whose numbers follow each other and
// whose sizes are equal:
//
//	number  uvarint, difference to the last number of the run before it
//	count   uvarint
//	size    uvarint

// AppendStreams appends the encoding of streams, which ascend by number, to b.
func AppendStreams(b []byte, streams []Stream) []byte {
	last := 0
	for len(streams) > 0 {
		n := 1
		for n < len(streams) && streams[n].Size == streams[0].Size && streams[n].PartNumber == streams[0].PartNumber+n {
			n++
		}
		b = binary.AppendUvarint(b, uint64(streams[0].PartNumber-last))
		b = binary.AppendUvarint(b, uint64(n))
		b = binary.AppendUvarint(b, uint64(streams[0].Size))
		last = streams[n-1].PartNumber
		streams = streams[n:]
	}
	return b
}

// ParseStreams reads what AppendStreams wrote.
func ParseStreams(b []byte) ([]Stream, error) {
	var all []Stream
	var last uint64
	for len(b) > 0 {
		var v [3]uint64
		for i := range v {
			n := 0
			if v[i], n = binary.Uvarint(b); n <= 0 {
				return nil, fmt.Errorf("%w: streams", ErrCorrupt)
			}
			b = b[n:]
		}
		step, count, size := v[0], v[1], v[2]
		if step < 1 || step > maxStreams || count < 1 || count > maxStreams || last+step+count-1 > maxStreams || size > math.MaxInt64 {
			return nil, fmt.Errorf("%w: %d streams of %d bytes from number %d on", ErrCorrupt, count, size, last+step)
		}
		for i := range count {
			all = append(all, Stream{PartNumber: int(last + step + i), Size: int64(size)})
		}
		last += step + count - 1
	}
	return all, nil
}

func (f field) streams(to *[]Stream) (err error) {
	*to, err = ParseStreams(f.b)
	return err
}
