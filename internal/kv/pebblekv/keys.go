package pebblekv

import (
	"bytes"
	"strings"

	"github.com/ossastore/ossa/internal/kv"
)

// First bytes of the keys in Pebble, and the escapes of partition names. The
// package comment draws them.
const (
	spaceEngine = 0x01 // rows of this package
	spaceRows   = 0x02 // rows of partitions

	escape    = 0x00
	escapeNUL = 0xff // escape escapeNUL is a NUL of the name
	escapeEnd = 0x01 // escape escapeEnd ends the name
)

// formatKey is the row that tells which release's encoding this is.
var formatKey = append([]byte{spaceEngine}, "format"...)

// appendPartition appends the beginning that all keys of p have.
func appendPartition(b []byte, p kv.Partition) []byte {
	b = append(b, spaceRows)
	for i := range len(p) {
		b = append(b, p[i])
		if p[i] == escape {
			b = append(b, escapeNUL)
		}
	}
	return append(b, escape, escapeEnd)
}

// rowKey returns the key in Pebble of a row of p.
func rowKey(p kv.Partition, key []byte) []byte {
	return append(appendPartition(make([]byte, 0, len(p)+len(key)+8), p), key...)
}

// partitionBounds returns the bounds of all keys of p: lower <= key < upper.
func partitionBounds(p kv.Partition) (lower, upper []byte) {
	lower = appendPartition(nil, p)
	upper = bytes.Clone(lower)
	upper[len(upper)-1]++
	return lower, upper
}

// splitKey undoes rowKey. ok is false for a key that rowKey did not make.
func splitKey(b []byte) (p kv.Partition, key []byte, ok bool) {
	if len(b) == 0 || b[0] != spaceRows {
		return "", nil, false
	}
	var name strings.Builder
	for b = b[1:]; ; {
		i := bytes.IndexByte(b, escape)
		if i < 0 || i+1 == len(b) {
			return "", nil, false
		}
		name.Write(b[:i])
		next := b[i+1]
		b = b[i+2:]
		switch next {
		case escapeNUL:
			name.WriteByte(escape)
		case escapeEnd:
			return kv.Partition(name.String()), b, true
		default:
			return "", nil, false
		}
	}
}
