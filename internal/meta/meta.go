// Package meta lays the metadata of Ossa out over package kv: which partition
// holds which rows, what their keys are, and how their values are encoded.
//
// # Partitions and rows
//
//	"root"                   b/<bucket>        Bucket
//	                         g/<bucket ID>     Grave: a deleted bucket to clear away
//	                         s                 Sweep: how far leftovers were swept
//	                         w                 KeyRing: the one that wraps keys
//	                         U/<user>          User
//	                         A/<access key ID> AccessKey of a user
//	                         P/<policy>        Policy that users may have
//	"b."<bucket ID>          m/<start key>     Range: the partition of keys from there on
//	                         k/<kind>          Config: a configuration of the bucket
//	                         K/<kind>/<generation>/<n> ConfigChunk of a long one
//	                         l                 Lifecycle: how far it has come
//	"r."<bucket ID>"."<n>    o/<key>           Object, current version
//	                         v/<key>/<inverse> older versions (none yet)
//	                         u/<key>/<ID>      Upload, open
//	                         c/<ID>            Completed: the answer to a repeated Complete
//	                         d/<time><random>  Garbage to reclaim
//	"u."<bucket ID>"."<ID>   p/<number>        Part
//	                         x/<number><random> Part replaced by a later one
//	                         q                 Sequence, in sequential uploads
//
// Every partition has the header row kv.HeaderKey as well: a Header.
//
// A key in o/ is raw bytes to the end of the row key. Where something follows
// the key (u/ and v/), the key is escaped so that the order of rows is still
// the order of keys: NUL becomes 00 FF, and 00 01 ends the key. Numbers in keys
// are big-endian.
//
// # Values
//
//	+------+---------+-- field --+-- field --+-----+-------------+
//	| kind | version | tag, size, bytes | ...      | CRC-32C, LE |
//	+------+---------+-----------+-----------+-----+-------------+
//	  1 byte  1 byte   uvarint, uvarint               4 bytes
//
// The kind is the letter of the row ('o' for an Object). Fields with a zero
// value are absent. Integers are uvarints inside their field's bytes, times are
// nanoseconds since 1970 UTC. A decoder refuses an unknown version or tag: a
// program that does not understand all of a record must not write it again.
package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// ErrCorrupt: a row is not what any release of this program wrote.
var ErrCorrupt = errors.New("meta: corrupt record")

const recordVersion = 1

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// encoder builds one record.
type encoder struct{ b []byte }

func newEncoder(kind byte) *encoder {
	return &encoder{b: append(make([]byte, 0, 256), kind, recordVersion)}
}

func (e *encoder) bytes(tag uint64, v []byte) {
	if len(v) == 0 {
		return
	}
	e.b = binary.AppendUvarint(e.b, tag)
	e.b = binary.AppendUvarint(e.b, uint64(len(v)))
	e.b = append(e.b, v...)
}

func (e *encoder) string(tag uint64, v string) { e.bytes(tag, []byte(v)) }

func (e *encoder) uint(tag, v uint64) {
	if v == 0 {
		return
	}
	var buf [binary.MaxVarintLen64]byte
	e.bytes(tag, buf[:binary.PutUvarint(buf[:], v)])
}

func (e *encoder) bool(tag uint64, v bool) {
	if v {
		e.uint(tag, 1)
	}
}

func (e *encoder) time(tag uint64, t time.Time) {
	if !t.IsZero() {
		e.uint(tag, uint64(t.UnixNano()))
	}
}

func (e *encoder) finish() []byte {
	return binary.LittleEndian.AppendUint32(e.b, crc32.Checksum(e.b, castagnoli))
}

// field is one field of a record as the decoder meets it.
type field struct {
	tag uint64
	b   []byte
}

// decode calls set for every field of a record of this kind.
func decode(kind byte, value []byte, set func(field) error) error {
	n := len(value)
	if n < 6 {
		return fmt.Errorf("%w: %q of %d bytes", ErrCorrupt, kind, n)
	}
	body, sum := value[:n-4], binary.LittleEndian.Uint32(value[n-4:])
	switch {
	case crc32.Checksum(body, castagnoli) != sum:
		return fmt.Errorf("%w: %q: checksum", ErrCorrupt, kind)
	case body[0] != kind:
		return fmt.Errorf("%w: %q where %q belongs", ErrCorrupt, body[0], kind)
	case body[1] != recordVersion:
		return fmt.Errorf("%w: %q of version %d", ErrCorrupt, kind, body[1])
	}
	for body = body[2:]; len(body) > 0; {
		tag, n := binary.Uvarint(body)
		if n <= 0 {
			return fmt.Errorf("%w: %q: tag", ErrCorrupt, kind)
		}
		size, m := binary.Uvarint(body[n:])
		if m <= 0 || size > uint64(len(body)-n-m) {
			return fmt.Errorf("%w: %q: size of field %d", ErrCorrupt, kind, tag)
		}
		body = body[n+m:]
		if err := set(field{tag, body[:size]}); err != nil {
			return fmt.Errorf("%w: %q: field %d: %w", ErrCorrupt, kind, tag, err)
		}
		body = body[size:]
	}
	return nil
}

var (
	errTag   = errors.New("unknown")
	errValue = errors.New("bad value")
)

func (f field) uint(to *uint64) error {
	v, n := binary.Uvarint(f.b)
	if n != len(f.b) || n <= 0 {
		return errValue
	}
	*to = v
	return nil
}

func (f field) int(to *int64) error {
	var v uint64
	if err := f.uint(&v); err != nil {
		return err
	}
	*to = int64(v)
	return nil
}

func (f field) bool(to *bool) error {
	var v uint64
	if err := f.uint(&v); err != nil {
		return err
	}
	*to = v != 0
	return nil
}

func (f field) time(to *time.Time) error {
	var v uint64
	if err := f.uint(&v); err != nil {
		return err
	}
	*to = time.Unix(0, int64(v)).UTC()
	return nil
}

func (f field) string(to *string) error {
	*to = string(f.b)
	return nil
}

func (f field) bytes(to *[]byte) error {
	*to = append([]byte(nil), f.b...)
	return nil
}
