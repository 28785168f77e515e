package fileblob

import (
	"bytes"
	"errors"
	"testing"

	"github.com/ossastore/ossa/internal/blob"
)

// fix makes the checksum over p[:at] at p[at:] right, so that what is behind
// it is reached.
func fix(p []byte, at int) []byte {
	p = bytes.Clone(p)
	if len(p) >= at+4 {
		le.PutUint32(p[at:], crc32c(p[:at]))
	}
	return p
}

// What parses is what its encoding gives back, and nothing panics.
func FuzzFileHeader(f *testing.F) {
	p := make([]byte, headerBytes)
	h := fileHeader{kind: largeKind, block: 64 << 10, number: 7, declared: -1, owner: blob.Owner{Bucket: "b", Key: "k", PartNumber: 3}}
	if err := h.encode(p); err != nil {
		f.Fatal(err)
	}
	f.Add(p[:200], byte(largeKind), uint64(7))
	h = fileHeader{kind: segmentKind, block: 4 << 10, number: 1 << 40}
	if err := h.encode(p); err != nil {
		f.Fatal(err)
	}
	f.Add(p[:200], byte(segmentKind), uint64(1<<40))
	f.Fuzz(func(t *testing.T, front []byte, want byte, number uint64) {
		p := make([]byte, headerBytes)
		copy(p, front)
		p = fix(p, headerBytes-4)
		h, err := parseFileHeader(p, kind(want), number)
		if err != nil {
			if !errors.Is(err, errFormat) {
				t.Fatal(err)
			}
			return
		}
		q := make([]byte, headerBytes)
		if err := h.encode(q); err != nil {
			t.Fatal(err)
		}
		again, err := parseFileHeader(q, kind(want), number)
		if err != nil || again != h || h.number != number {
			t.Fatalf("%+v, then %+v, %v", h, again, err)
		}
	})
}

func FuzzFooter(f *testing.F) {
	foot := footer{number: 9, length: 5 << 20, block: 64 << 10, sum: 1}
	f.Add(foot.append(nil), uint64(9), largeFileBytes(5<<20, 64<<10))
	f.Fuzz(func(t *testing.T, p []byte, number uint64, size int64) {
		foot, err := parseFooter(fix(p, 52), number, size)
		if err != nil {
			if !errors.Is(err, errFormat) {
				t.Fatal(err)
			}
			return
		}
		if foot.length > size || largeFileBytes(foot.length, foot.block) != size || foot.number != number {
			t.Fatalf("%+v in a file of %d bytes", foot, size)
		}
		if again, err := parseFooter(foot.append(nil), number, size); err != nil || again != foot {
			t.Fatalf("%+v, then %+v, %v", foot, again, err)
		}
	})
}

func FuzzRecordHeader(f *testing.F) {
	p := make([]byte, recordHeaderBytes)
	r := recordHeader{number: 5, offset: 4096, length: 100, sum: 1, ownerBytes: 20, ownerSum: 2}
	r.encode(p)
	f.Add(p, uint64(5), int64(4096))
	f.Fuzz(func(t *testing.T, p []byte, number uint64, offset int64) {
		r, err := parseRecordHeader(fix(p, 36), number, offset)
		if err != nil {
			if !errors.Is(err, errFormat) {
				t.Fatal(err)
			}
			return
		}
		if r.bytes(minBlockBytes) <= recordHeaderBytes || r.bytes(minBlockBytes) > 2*maxLargeBytes {
			t.Fatalf("record of %d bytes: %+v", r.bytes(minBlockBytes), r)
		}
		q := make([]byte, recordHeaderBytes)
		r.encode(q)
		if again, err := parseRecordHeader(q, number, offset); err != nil || again != r {
			t.Fatalf("%+v, then %+v, %v", r, again, err)
		}
	})
}

func FuzzDead(f *testing.F) {
	f.Add(deadRecord{4096, 64}.append(nil, 3), uint64(3))
	f.Fuzz(func(t *testing.T, p []byte, number uint64) {
		if len(p) == deadEntryBytes {
			p = bytes.Clone(p)
			le.PutUint32(p[12:], deadSum(p, number))
		}
		d, ok := parseDead(p, number)
		if !ok {
			return
		}
		if d.offset < headerBytes || d.bytes <= 0 {
			t.Fatalf("%+v", d)
		}
		if _, ok := parseDead(d.append(nil, number+1), number); ok {
			t.Fatal("an entry of another segment is taken")
		}
		if again, ok := parseDead(d.append(nil, number), number); !ok || again != d {
			t.Fatalf("%+v, then %+v", d, again)
		}
	})
}

func FuzzGeneration(f *testing.F) {
	f.Add([]byte(generationMagic + "\x01\x00\x00\x00\x00\x00\x00\x00...."))
	f.Fuzz(func(t *testing.T, p []byte) {
		generation, err := parseGeneration(fix(p, 16))
		if err == nil && (len(p) != generationBytes || generation != le.Uint64(p[8:])) {
			t.Fatalf("%x parses as %d", p, generation)
		}
	})
}

// An owner that does not fit is refused, not cut.
func TestOwnerTooLong(t *testing.T) {
	long := string(make([]byte, maxOwnerBytes))
	for _, o := range []blob.Owner{{Key: long}, {Bucket: long[:1023], Version: long[:1023]}, {PartNumber: -1}, {PartNumber: 1 << 16}} {
		if _, err := appendOwner(nil, o); err == nil {
			t.Errorf("owner of %d bytes is taken", len(o.Bucket)+len(o.Key)+len(o.Version))
		}
	}
}
