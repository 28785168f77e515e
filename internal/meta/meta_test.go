package meta_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/meta"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/golden.txt anew: only when a new encoding is wanted")

// A kind is one kind of record: how it is encoded, and how it is read.
type kind struct {
	letter byte
	encode func(any) []byte
	decode func([]byte) (any, error)
}

func kindOf[T any](letter byte, encode func(T) []byte, decode func([]byte) (T, error)) kind {
	return kind{
		letter: letter,
		encode: func(v any) []byte { return encode(v.(T)) },
		decode: func(b []byte) (any, error) { v, err := decode(b); return v, err },
	}
}

var kinds = map[string]kind{
	"Header":      kindOf('h', meta.Header.Encode, meta.DecodeHeader),
	"Bucket":      kindOf('b', (*meta.Bucket).Encode, meta.DecodeBucket),
	"Range":       kindOf('m', meta.Range.Encode, meta.DecodeRange),
	"Config":      kindOf('k', (*meta.Config).Encode, meta.DecodeConfig),
	"ConfigChunk": kindOf('K', (*meta.ConfigChunk).Encode, meta.DecodeConfigChunk),
	"Grave":       kindOf('g', meta.Grave.Encode, meta.DecodeGrave),
	"KeyRing":     kindOf('w', meta.KeyRing.Encode, meta.DecodeKeyRing),
	"Sweep":       kindOf('s', meta.Sweep.Encode, meta.DecodeSweep),
	"Object":      kindOf('o', (*meta.Object).Encode, meta.DecodeObject),
	"Upload":      kindOf('u', (*meta.Upload).Encode, meta.DecodeUpload),
	"Part":        kindOf('p', (*meta.Part).Encode, meta.DecodePart),
	"Sequence":    kindOf('q', (*meta.Sequence).Encode, meta.DecodeSequence),
	"Completed":   kindOf('c', (*meta.Completed).Encode, meta.DecodeCompleted),
	"Garbage":     kindOf('d', (*meta.Garbage).Encode, meta.DecodeGarbage),
	"Cname":       kindOf('n', (*meta.Cname).Encode, meta.DecodeCname),
	"User":        kindOf('U', (*meta.User).Encode, meta.DecodeUser),
	"AccessKey":   kindOf('A', (*meta.AccessKey).Encode, meta.DecodeAccessKey),
	"Policy":      kindOf('P', (*meta.Policy).Encode, meta.DecodePolicy),
	"Lifecycle":   kindOf('l', meta.Lifecycle.Encode, meta.DecodeLifecycle),
}

var (
	someTime    = time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	someMD5     = []byte("0123456789abcdef")
	someExtents = []blob.Extent{
		{File: 1<<40 | 1, Offset: 4096, Length: 100 << 10, Sum: 0xdeadbeef},
		{File: 1<<40 | 1, Offset: 106560, Length: 100 << 10, Sum: 1},
		{File: 1<<64 - 1, Offset: 1<<64 - 1, Length: 5 << 30, Sum: 0},
		{File: 1, Offset: 0, Length: 1, Sum: 0xffffffff},
	}
	someStreams = []meta.Stream{
		{PartNumber: 1, Size: 5 << 20}, {PartNumber: 2, Size: 5 << 20}, {PartNumber: 3}, {PartNumber: 9, Size: 1}, {PartNumber: 10000, Size: 5 << 30},
	}
	someEncryption = meta.Encryption{Algorithm: "KMS", KeyID: "photos", Key: []byte("wrapped")}
	someAttributes = meta.Attributes{
		ContentType: "text/plain", CacheControl: "no-cache", ContentDisposition: "inline", ContentEncoding: "gzip",
		ContentLanguage: "de", Expires: "never", StorageClass: "IA", ACL: "public-read",
		Meta: []meta.Pair{{Name: "a", Value: "1"}, {Name: "empty"}}, Tags: []meta.Pair{{Name: "t", Value: "\x00\xff"}},
	}
)

// records are a zero and a full one of every kind.
var records = []struct {
	name  string // of the kind, and what is special
	value any
}{
	{"Header", meta.Header{}},
	{"Header full", meta.Header{State: meta.Closed, Epoch: 1<<64 - 1, Key: "k\x00"}},
	{"Bucket", &meta.Bucket{}},
	{"Bucket full", &meta.Bucket{ID: "ID", Created: someTime, ACL: "private", StorageClass: "Standard", Redundancy: "LRS"}},
	{"Range", meta.Range{}},
	{"Range full", meta.Range{Partition: "r.ID.0"}},
	{"Config", &meta.Config{}},
	{"Config full", &meta.Config{Document: []byte("<a/>"), Generation: "ID", Size: 4, Modified: someTime}},
	{"Config in chunks", &meta.Config{Generation: "ID", Chunks: 16, Size: 512 << 10, Modified: someTime}},
	{"ConfigChunk", &meta.ConfigChunk{}},
	{"ConfigChunk full", &meta.ConfigChunk{Bytes: []byte("<a/>")}},
	{"Grave", meta.Grave{}},
	{"Grave full", meta.Grave{Ranges: []string{"r.ID.0", "r.ID.1"}}},
	{"KeyRing", meta.KeyRing{}},
	{"KeyRing full", meta.KeyRing{ID: "ID"}},
	{"Sweep", meta.Sweep{}},
	{"Sweep full", meta.Sweep{Mark: blob.MaxMark}},
	{"Lifecycle", meta.Lifecycle{}},
	{"Lifecycle full", meta.Lifecycle{Began: someTime, Rules: []byte("digest"), After: "k\x00", Done: true}},
	{"Object", &meta.Object{}},
	{"Object full", &meta.Object{
		Version: "V", Type: "Multipart", Size: 48 << 40, ETag: "E-10000", CRC64: 1<<64 - 1, MD5: someMD5, Modified: someTime,
		UploadID: "U", Manifest: meta.Manifest{Extents: someExtents}, Attributes: someAttributes,
	}},
	{"Object stored", &meta.Object{Version: "V", Size: 1, Manifest: meta.Manifest{Stored: someExtents[:1]}}},
	{"Object encrypted", &meta.Object{
		Version: "V", Size: 1, Manifest: meta.Manifest{Extents: someExtents[:1], Streams: someStreams}, Encryption: someEncryption,
	}},
	{"Object restored", &meta.Object{
		Version: "V", RestoreReady: someTime, RestoreExpiry: someTime.Add(24 * time.Hour), Transitioned: someTime.Add(-time.Hour),
		Attributes: meta.Attributes{StorageClass: "Archive"},
	}},
	{"Upload", &meta.Upload{}},
	{"Upload full", &meta.Upload{Initiated: someTime, Sequential: true, Attributes: someAttributes}},
	{"Upload encrypted", &meta.Upload{Initiated: someTime, Encryption: someEncryption}},
	{"Part", &meta.Part{MD5: make([]byte, 16)}},
	{"Part full", &meta.Part{Size: 5 << 30, MD5: someMD5, CRC64: 7, Modified: someTime, Extents: someExtents[2:3]}},
	{"Sequence", &meta.Sequence{}},
	{"Sequence full", &meta.Sequence{Last: 10000, Before: []byte("before"), After: []byte("after")}},
	{"Completed", &meta.Completed{}},
	{"Completed full", &meta.Completed{Key: "k", List: []byte("list"), ETag: "E-1", CRC64: 9, Size: 48 << 40, Modified: someTime}},
	{"Completed encrypted", &meta.Completed{Key: "k", Algorithm: "KMS", KeyID: "photos"}},
	{"Garbage", &meta.Garbage{}},
	{"Garbage full", &meta.Garbage{Version: "V", Manifest: meta.Manifest{Extents: someExtents, Stored: someExtents[:1]}, UploadID: "U", Key: "k"}},
	{"Cname", &meta.Cname{}},
	{"Cname full", &meta.Cname{Bucket: "photos", BucketID: "ID", Created: someTime}},
	{"User", &meta.User{}},
	{"User full", &meta.User{
		ID: "ID", Created: someTime, Disabled: true, AccessKeys: []string{"A1", "A2"}, Policies: []string{"p", "q"},
		Sessions: 1<<64 - 1, SessionsRevoked: someTime,
	}},
	{"AccessKey", &meta.AccessKey{}},
	{"AccessKey full", &meta.AccessKey{User: "u", Created: someTime, Disabled: true, Used: someTime, Sealed: []byte("sealed")}},
	{"Policy", &meta.Policy{}},
	{"Policy full", &meta.Policy{Created: someTime, Updated: someTime, Attached: 1 << 40, Document: []byte("{}")}},
}

// keys are one of every kind of row key and partition.
var keys = []struct {
	name  string
	value []byte
}{
	{"Root", []byte(meta.Root)},
	{"BucketPartition", []byte(meta.BucketPartition("ID"))},
	{"RangePartition", []byte(meta.RangePartition("ID", 12))},
	{"UploadPartition", []byte(meta.UploadPartition("ID", "U"))},
	{"HeaderKey", meta.HeaderKey()},
	{"BucketKey", meta.BucketKey("photos")},
	{"GraveKey", meta.GraveKey("ID")},
	{"SweepKey", meta.SweepKey()},
	{"KeyRingKey", meta.KeyRingKey()},
	{"RangeKey", meta.RangeKey("k")},
	{"ConfigKey", meta.ConfigKey("cors")},
	{"ConfigChunkKey", meta.ConfigChunkKey("cors", "ID", 15)},
	{"LifecycleKey", meta.LifecycleKey()},
	{"ObjectKey", meta.ObjectKey("k\x00\xff/")},
	{"UploadKey", meta.UploadKey("k\x00\xff/", "U")},
	{"CompletedKey", meta.CompletedKey("U")},
	{"GarbageKey", meta.GarbageKey(someTime.UnixNano(), 1)},
	{"PartKey", meta.PartKey(10000)},
	{"ReplacedKey", meta.ReplacedKey(10000, 1<<63)},
	{"SequenceKey", meta.SequenceKey()},
	{"CnameKey", meta.CnameKey("img.example.com")},
	{"UserKey", meta.UserKey("ci")},
	{"AccessKeyKey", meta.AccessKeyKey("OSSUID")},
	{"PolicyKey", meta.PolicyKey("upload-only")},
}

// The encodings are those of earlier releases: whoever changes one makes the
// data of everybody unreadable. Every record reads back as it was written.
func TestGolden(t *testing.T) {
	var got strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&got, "key %s: %x\n", k.name, k.value)
	}
	for _, r := range records {
		kind := kinds[strings.Fields(r.name)[0]]
		b := kind.encode(r.value)
		fmt.Fprintf(&got, "record %s: %x\n", r.name, b)
		if back, err := kind.decode(b); err != nil || !reflect.DeepEqual(back, r.value) {
			t.Errorf("%s reads back as %+v, %v", r.name, back, err)
		}
	}
	if *rewrite {
		if err := os.WriteFile("testdata/golden.txt", []byte(got.String()), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the encoding has changed:\n%s", got.String())
	}
}

// Any damage of a record is noticed, and no record passes for another kind.
func TestDamage(t *testing.T) {
	for _, r := range records {
		name := strings.Fields(r.name)[0]
		b := kinds[name].encode(r.value)
		for i := range b {
			for bit := range 8 {
				bad := bytes.Clone(b)
				bad[i] ^= 1 << bit
				if _, err := kinds[name].decode(bad); !errors.Is(err, meta.ErrCorrupt) {
					t.Errorf("%s with bit %d of byte %d flipped: %v", r.name, bit, i, err)
				}
			}
			if _, err := kinds[name].decode(b[:i]); !errors.Is(err, meta.ErrCorrupt) {
				t.Errorf("%s cut to %d bytes: %v", r.name, i, err)
			}
		}
		for other, k := range kinds {
			if _, err := k.decode(b); (err == nil) != (other == name) {
				t.Errorf("%s read as %s: %v", r.name, other, err)
			}
		}
	}
}

// seal makes a record of a kind and fields, with a checksum that fits.
func seal(letter, version byte, fields []byte) []byte {
	b := append([]byte{letter, version}, fields...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
}

// Records that a later release may write are refused, not misread.
func TestUnknown(t *testing.T) {
	for name, k := range kinds {
		for what, b := range map[string][]byte{
			"version":        seal(k.letter, 2, nil),
			"tag":            seal(k.letter, 1, []byte{99, 1, 1}),
			"endless size":   seal(k.letter, 1, []byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}),
			"too long size":  seal(k.letter, 1, []byte{1, 2, 1}),
			"tag cut short":  seal(k.letter, 1, []byte{0x80}),
			"size cut short": seal(k.letter, 1, []byte{1, 0x80}),
		} {
			if _, err := k.decode(b); !errors.Is(err, meta.ErrCorrupt) {
				t.Errorf("%s with an unknown %s: %v", name, what, err)
			}
		}
	}
	if _, err := meta.DecodePart((&meta.Part{MD5: []byte("short")}).Encode()); !errors.Is(err, meta.ErrCorrupt) {
		t.Errorf("part with a short MD5: %v", err)
	}
}

// What proves itself by its checksum and still makes no sense never panics,
// and what can be read can be written and is read as the same.
func FuzzDecode(f *testing.F) {
	for _, r := range records {
		b := kinds[strings.Fields(r.name)[0]].encode(r.value)
		f.Add(b[2 : len(b)-4])
	}
	f.Fuzz(func(t *testing.T, fields []byte) {
		for name, k := range kinds {
			v, err := k.decode(seal(k.letter, 1, fields))
			if err != nil {
				if !errors.Is(err, meta.ErrCorrupt) {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if again, err := k.decode(k.encode(v)); err != nil || !reflect.DeepEqual(normal(again), normal(v)) {
				t.Errorf("%s: %+v reads back as %+v, %v", name, v, again, err)
			}
		}
	})
}

// normal returns what a value prints as: empty and absent are one, and so are
// the first moment of 1970 and none.
func normal(v any) string {
	s := fmt.Sprintf("%+v", reflect.Indirect(reflect.ValueOf(v)).Interface())
	return strings.ReplaceAll(s, "1970-01-01 00:00:00 +0000 UTC", "0001-01-01 00:00:00 +0000 UTC")
}

// Extents read back, whatever they are, and bytes that are none are refused.
func FuzzExtents(f *testing.F) {
	f.Add(meta.AppendExtents(nil, someExtents))
	f.Fuzz(func(t *testing.T, b []byte) {
		all, err := meta.ParseExtents(b)
		if err != nil {
			if !errors.Is(err, meta.ErrCorrupt) {
				t.Error(err)
			}
			return
		}
		again, err := meta.ParseExtents(meta.AppendExtents(nil, all))
		if err != nil || !reflect.DeepEqual(again, all) {
			t.Errorf("%v reads back as %v, %v", all, again, err)
		}
	})
}

// Stored manifests read back, whatever they are, and bytes that are none are
// refused.
func FuzzManifest(f *testing.F) {
	f.Add(meta.AppendManifest(nil, someExtents, nil))
	f.Add(meta.AppendManifest(nil, someExtents, someStreams))
	f.Add(meta.AppendManifest(nil, nil, someStreams[2:3]))
	f.Fuzz(func(t *testing.T, b []byte) {
		extents, streams, err := meta.ParseManifest(b)
		if err != nil {
			if !errors.Is(err, meta.ErrCorrupt) {
				t.Error(err)
			}
			return
		}
		e, s, err := meta.ParseManifest(meta.AppendManifest(nil, extents, streams))
		if err != nil || !reflect.DeepEqual(e, extents) || !reflect.DeepEqual(s, streams) {
			t.Errorf("%v and %v read back as %v and %v, %v", extents, streams, e, s, err)
		}
	})
}

// A manifest of streams is as it was written; one without is what a list of
// extents is, as earlier releases wrote it. No list of extents has a terminator.
func TestManifest(t *testing.T) {
	for _, extents := range [][]blob.Extent{nil, someExtents[:1], someExtents} {
		for _, streams := range [][]meta.Stream{nil, someStreams, someStreams[2:3]} {
			b := meta.AppendManifest(nil, extents, streams)
			e, s, err := meta.ParseManifest(b)
			if err != nil || !reflect.DeepEqual(e, extents) || !reflect.DeepEqual(s, streams) {
				t.Errorf("%v and %v read back as %v and %v, %v", extents, streams, e, s, err)
			}
			if _, err := meta.ParseExtents(b); (err == nil) != (streams == nil) {
				t.Errorf("%d extents with %d streams, read as extents: %v", len(extents), len(streams), err)
			}
			for i := len(meta.AppendExtents(nil, extents)) + 1; i < len(b); i++ {
				if e, s, err := meta.ParseManifest(b[:i]); err == nil && len(s) >= len(streams) {
					t.Errorf("cut to %d of %d bytes it reads as %v and %v", i, len(b), e, s)
				}
			}
		}
	}
	for name, b := range map[string][]byte{
		"number 0": {0, 1, 1}, "no streams": {1, 0, 1}, "number 10001": {2, 0x90, 0x4e, 1}, "too many": {1, 0x91, 0x4e, 1},
		"cut": {1, 1}, "overflow": {1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1},
	} {
		if s, err := meta.ParseStreams(b); !errors.Is(err, meta.ErrCorrupt) {
			t.Errorf("%s: %v, %v", name, s, err)
		}
	}
}

// 10000 parts of one size cost a few bytes, together.
func TestStreamsAreShort(t *testing.T) {
	var streams []meta.Stream
	for n := range 10000 {
		streams = append(streams, meta.Stream{PartNumber: n + 1, Size: 5 << 20})
	}
	if b := meta.AppendStreams(nil, streams); len(b) > 10 {
		t.Errorf("%d bytes", len(b))
	}
}

// A run of equal parts costs few bytes for each.
func TestExtentsAreShort(t *testing.T) {
	var large, small []blob.Extent
	for i := range 10000 {
		large = append(large, blob.Extent{File: 1<<40 + uint64(i), Length: 5 << 30, Sum: uint32(i) * 2654435761})
		small = append(small, blob.Extent{File: 1 << 40, Offset: 4096 + uint64(i)*102464, Length: 100 << 10, Sum: uint32(i) * 2654435761})
	}
	for name, c := range map[string]struct {
		extents []blob.Extent
		most    int // bytes
	}{
		"large": {large, 8 * 10000},
		"small": {small, 10 * 10000},
	} {
		b := meta.AppendExtents(nil, c.extents)
		if len(b) > c.most {
			t.Errorf("%s: %d bytes for 10000 extents, more than %d", name, len(b), c.most)
		}
		if back, err := meta.ParseExtents(b); err != nil || !reflect.DeepEqual(back, c.extents) {
			t.Errorf("%s: 10000 extents do not read back: %v", name, err)
		}
	}
}
