package meta

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/ossastore/ossa/internal/kv"
)

// Root is the one partition whose name is fixed.
const Root kv.Partition = "root"

// BucketPartition holds a bucket's map of ranges and its configuration.
func BucketPartition(bucketID string) kv.Partition { return kv.Partition("b." + bucketID) }

// SplitBucketPartition tells whose partition p is.
func SplitBucketPartition(p kv.Partition) (bucketID string, ok bool) {
	return strings.CutPrefix(string(p), "b.")
}

// RangePartition holds the n-th range of a bucket's keys.
func RangePartition(bucketID string, n int) kv.Partition {
	return kv.Partition(fmt.Sprintf("r.%s.%d", bucketID, n))
}

// UploadPartition holds the parts of one upload.
func UploadPartition(bucketID, uploadID string) kv.Partition {
	return kv.Partition("u." + bucketID + "." + uploadID)
}

// SplitUploadPartition tells whose upload partition p is.
func SplitUploadPartition(p kv.Partition) (bucketID, uploadID string, ok bool) {
	rest, ok := strings.CutPrefix(string(p), "u.")
	if !ok {
		return "", "", false
	}
	return strings.Cut(rest, ".")
}

// SplitRangePartition tells whose range partition p is.
func SplitRangePartition(p kv.Partition) (bucketID string, ok bool) {
	rest, ok := strings.CutPrefix(string(p), "r.")
	if !ok {
		return "", false
	}
	bucketID, _, ok = strings.Cut(rest, ".")
	return bucketID, ok
}

// HeaderKey is the key of every partition's header row.
func HeaderKey() []byte { return []byte(kv.HeaderKey) }

// Prefixes of the kinds of rows.
const (
	BucketPrefix      = "b/"
	GravePrefix       = "g/"
	RangePrefix       = "m/"
	ConfigPrefix      = "k/"
	ConfigChunkPrefix = "K/"
	ObjectPrefix      = "o/"
	VersionPrefix     = "v/"
	UploadPrefix      = "u/"
	CompletedPrefix   = "c/"
	GarbagePrefix     = "d/"
	PartPrefix        = "p/"
	ReplacedPrefix    = "x/"
)

// BucketKey is the row of a bucket in Root.
func BucketKey(name string) []byte { return []byte(BucketPrefix + name) }

// GraveKey is the row in Root of a deleted bucket.
func GraveKey(bucketID string) []byte { return []byte(GravePrefix + bucketID) }

// SweepKey is the row in Root that tells how far leftovers were swept.
func SweepKey() []byte { return []byte("s") }

// KeyRingKey is the row in Root that names the key ring in use.
func KeyRingKey() []byte { return []byte("w") }

// RangeKey is the row in a bucket partition of the range that begins at start.
func RangeKey(start string) []byte { return []byte(RangePrefix + start) }

// ConfigKey is the row in a bucket partition of a configuration of the bucket.
func ConfigKey(kind string) []byte { return []byte(ConfigPrefix + kind) }

// ConfigChunkKey is the row of the n-th chunk, from 0 on, of a configuration
// that is too long for one row.
func ConfigChunkKey(kind, generation string, n int) []byte {
	b := append([]byte(ConfigChunkPrefix+kind+"/"+generation), '/')
	return binary.BigEndian.AppendUint16(b, uint16(n))
}

// LifecycleKey is the row in a bucket partition that tells how far the lifecycle
// has come.
func LifecycleKey() []byte { return []byte("l") }

// ObjectKey is the row of an object's current version.
func ObjectKey(key string) []byte { return []byte(ObjectPrefix + key) }

// UploadKey is the row of an open upload.
func UploadKey(key, uploadID string) []byte {
	b := append(make([]byte, 0, len(key)+len(uploadID)+8), UploadPrefix...)
	b = appendEscaped(b, key)
	b = append(b, 0, 1)
	return append(b, uploadID...)
}

// UploadKeyPrefix is what the rows of all uploads begin with whose key begins
// with prefix.
func UploadKeyPrefix(prefix string) []byte {
	return appendEscaped([]byte(UploadPrefix), prefix)
}

// AfterUploads is the first row key after all uploads of key.
func AfterUploads(key string) []byte {
	return append(UploadKeyPrefix(key), 0, 2)
}

// SplitUploadKey takes the key of an upload's row apart.
func SplitUploadKey(row []byte) (key, uploadID string, err error) {
	rest, ok := bytes.CutPrefix(row, []byte(UploadPrefix))
	if !ok {
		return "", "", fmt.Errorf("%w: upload row %q", ErrCorrupt, row)
	}
	out := make([]byte, 0, len(rest))
	for {
		i := bytes.IndexByte(rest, 0)
		if i < 0 || i+1 >= len(rest) {
			return "", "", fmt.Errorf("%w: upload row %q", ErrCorrupt, row)
		}
		out = append(out, rest[:i]...)
		switch rest[i+1] {
		case 0xff:
			out = append(out, 0)
			rest = rest[i+2:]
		case 1:
			return string(out), string(rest[i+2:]), nil
		default:
			return "", "", fmt.Errorf("%w: upload row %q", ErrCorrupt, row)
		}
	}
}

// CompletedKey is the row of the answer to a completed upload.
func CompletedKey(uploadID string) []byte { return []byte(CompletedPrefix + uploadID) }

// GarbageKey is the row of something to reclaim, ordered by time.
func GarbageKey(nanos int64, random uint64) []byte {
	b := binary.BigEndian.AppendUint64([]byte(GarbagePrefix), uint64(nanos))
	return binary.BigEndian.AppendUint64(b, random)
}

// PartKey is the row of a part, 1 to 10000.
func PartKey(number int) []byte {
	return binary.BigEndian.AppendUint16([]byte(PartPrefix), uint16(number))
}

// PartNumber reads the number back from a part's row key.
func PartNumber(row []byte) (int, error) {
	if len(row) != len(PartPrefix)+2 || !bytes.HasPrefix(row, []byte(PartPrefix)) {
		return 0, fmt.Errorf("%w: part row %q", ErrCorrupt, row)
	}
	return int(binary.BigEndian.Uint16(row[len(PartPrefix):])), nil
}

// ReplacedKey is the row of a part that a later one replaced.
func ReplacedKey(number int, random uint64) []byte {
	b := binary.BigEndian.AppendUint16([]byte(ReplacedPrefix), uint16(number))
	return binary.BigEndian.AppendUint64(b, random)
}

// SequenceKey is the row of a sequential upload's state.
func SequenceKey() []byte { return []byte("q") }

// PrefixEnd is the first row key after all that begin with prefix; nil when
// there is none.
func PrefixEnd(prefix []byte) []byte {
	end := append([]byte(nil), prefix...)
	for i := len(end) - 1; i >= 0; i-- {
		if end[i] < 0xff {
			end[i]++
			return end[:i+1]
		}
	}
	return nil
}

func appendEscaped(b []byte, key string) []byte {
	for i := 0; i < len(key); i++ {
		b = append(b, key[i])
		if key[i] == 0 {
			b = append(b, 0xff)
		}
	}
	return b
}
