package store_test

import (
	"context"
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/store"
)

// imagined is an upload whose parts have records but no bytes.
type imagined struct {
	*store.Store
	tb   testing.TB
	ctx  context.Context
	kv   kv.Engine
	size int64 // bytes of each part
}

func imagine(tb testing.TB, k kv.Engine, size int64) *imagined {
	tb.Helper()
	m := &imagined{tb: tb, ctx: context.Background(), kv: k, size: size}
	var err error
	m.Store, err = store.Open(m.ctx, k, memblob.New(), store.Options{})
	m.must(err)
	m.must(m.PutBucket(m.ctx, &store.PutBucketRequest{Bucket: "b"}))
	return m
}

func (m *imagined) must(err error) {
	m.tb.Helper()
	if err != nil {
		m.tb.Fatal(err)
	}
}

// part is the record of the n-th part.
func (m *imagined) part(n int) *meta.Part {
	sum := md5.Sum(binary.BigEndian.AppendUint64(nil, uint64(n)))
	return &meta.Part{
		Size: m.size, MD5: sum[:], CRC64: binary.BigEndian.Uint64(sum[:]), Modified: time.Unix(0, int64(n)).UTC(),
		Extents: []blob.Extent{{File: 1<<40 | uint64(n), Length: m.size, Sum: binary.BigEndian.Uint32(sum[8:])}},
	}
}

// upload makes an upload of so many parts.
func (m *imagined) upload(key string, parts int, attrs store.Attributes) store.UploadID {
	m.tb.Helper()
	id, err := m.InitiateMultipartUpload(m.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: key, Attributes: attrs})
	m.must(err)
	b, err := m.GetBucketInfo(m.ctx, "b")
	m.must(err)
	p := meta.UploadPartition(b.ID, string(id))
	header, err := m.kv.Get(m.ctx, p, meta.HeaderKey())
	m.must(err)
	for n := 1; n <= parts; {
		guards := []kv.Guard{{Key: meta.HeaderKey(), Value: header[0].Value}, {Key: meta.PartKey(n)}}
		var rows []kv.Write
		for ; n <= parts && len(rows) < kv.DefaultLimits.CommitRows; n++ {
			rows = append(rows, kv.Write{Key: meta.PartKey(n), Value: m.part(n).Encode()})
		}
		m.must(m.kv.Commit(m.ctx, p, guards, rows))
	}
	return id
}

func (m *imagined) list(parts int) []store.CompletedPart {
	var list []store.CompletedPart
	for n := 1; n <= parts; n++ {
		list = append(list, store.CompletedPart{Number: store.PartNumber(n), ETag: digest.PartETag([16]byte(m.part(n).MD5))})
	}
	return list
}

func (m *imagined) complete(key string, id store.UploadID, list []store.CompletedPart) (*store.CompleteMultipartUploadResult, error) {
	return m.CompleteMultipartUpload(m.ctx, &store.CompleteMultipartUploadRequest{Bucket: "b", Key: key, UploadID: id, Parts: list})
}

// The largest object there may be: as many parts as there may be, each as
// large as it may be.
func TestLargestObject(t *testing.T) {
	m := imagine(t, memkv.New(), store.MaxPartSize)
	id := m.upload("k", store.MaxParts, store.Attributes{})
	list := m.list(store.MaxParts)
	res, err := m.complete("k", id, list)
	m.must(err)
	if res.Size != 10000*5<<30 || !strings.HasSuffix(res.ETag, "-10000") {
		t.Errorf("result %+v", res)
	}
	// The CRC-64 of all comes out whatever is combined first.
	type sum struct {
		crc uint64
		n   int64
	}
	var sums []sum
	var tags strings.Builder
	for n := 1; n <= store.MaxParts; n++ {
		sums = append(sums, sum{m.part(n).CRC64, m.size})
		tags.WriteString(list[n-1].ETag)
	}
	for len(sums) > 1 {
		var half []sum
		for i := 0; i+1 < len(sums); i += 2 {
			half = append(half, sum{digest.CombineCRC64(sums[i].crc, sums[i+1].crc, sums[i+1].n), sums[i].n + sums[i+1].n})
		}
		if len(sums)%2 == 1 {
			half = append(half, sums[len(sums)-1])
		}
		sums = half
	}
	if res.CRC64 != sums[0].crc || res.Size != sums[0].n {
		t.Errorf("CRC-64 %d of %d bytes, want %d of %d", res.CRC64, res.Size, sums[0].crc, sums[0].n)
	}
	if want := fmt.Sprintf("%X-10000", md5.Sum([]byte(tags.String()))); res.ETag != want {
		t.Errorf("ETag %s, want %s", res.ETag, want)
	}
	r, err := m.GetObject(m.ctx, "b", "k")
	m.must(err) // its manifest is whole: the parts' lengths make up the size
	r.Close()
	if again, err := m.complete("k", id, list); err != nil || *again != *res {
		t.Errorf("repeated: %+v, %v", again, err)
	}
	m.must(m.DeleteObject(m.ctx, "b", "k"))
	m.must(m.Reclaim(m.ctx))
	if got := m.Stats().ReclaimPending; got != 0 {
		t.Errorf("%d rows wait for the reclaimer", got)
	}
}

// A byte more than the largest object, and a small part in the middle.
func TestTooLargeObject(t *testing.T) {
	m := imagine(t, memkv.New(), store.MaxPartSize+1)
	id := m.upload("k", store.MaxParts, store.Attributes{})
	if _, err := m.complete("k", id, m.list(store.MaxParts)); !oneOf(err, store.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
	m.size = store.MinPartSize - 1
	id = m.upload("k", store.MaxParts, store.Attributes{})
	if _, err := m.complete("k", id, m.list(store.MaxParts)); !oneOf(err, store.ErrPartTooSmall) {
		t.Errorf("too small: %v", err)
	}
}

// The longest key with all that may be said about an object fits one commit,
// also where it replaces another like it.
func TestLargestMetadata(t *testing.T) {
	long := func(n int) string { return strings.Repeat("\x00", n) }
	attrs := store.Attributes{
		ContentType: long(1 << 10), CacheControl: long(1 << 10), ContentDisposition: long(1 << 10), ContentEncoding: long(1 << 10),
		ContentLanguage: long(1 << 10), Expires: long(1 << 10), Meta: make(map[string]string), StorageClass: "DeepColdArchive", ACL: "public-read-write",
	}
	for i := range 2048 {
		attrs.Meta[fmt.Sprintf("%04d", i)] = "" // 8 KiB of names cost the most
	}
	for i := range 10 {
		attrs.Tags = append(attrs.Tags, store.Tag{Key: fmt.Sprint(i, long(511)), Value: long(1024)})
	}
	m := imagine(t, memkv.New(), store.MinPartSize)
	for _, parts := range []int{300, 340, 400, store.MaxParts} { // manifests within the record, and beyond
		key := long(1023)
		id := m.upload(key, parts, attrs)
		if _, err := m.complete(key, id, m.list(parts)); err != nil {
			t.Errorf("%d parts: %v", parts, err)
		}
		o, err := m.HeadObject(m.ctx, "b", key)
		m.must(err)
		if len(o.Meta) != 2048 || len(o.Tags) != 10 || o.Size != m.size*int64(parts) {
			t.Errorf("%d parts: %d metadata, %d tags, %d bytes", parts, len(o.Meta), len(o.Tags), o.Size)
		}
	}
}

// engineOnDisk opens the engine of a real directory.
func engineOnDisk(b *testing.B) kv.Engine {
	k, err := pebblekv.Open(b.TempDir(), pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { k.Close() })
	return k
}

// BenchmarkCompleteMultipartUpload completes an upload of 10,000 parts, with
// its commit on a disk.
func BenchmarkCompleteMultipartUpload(b *testing.B) {
	m := imagine(b, engineOnDisk(b), 5<<20)
	list := m.list(store.MaxParts)
	var ids []store.UploadID
	for range b.N {
		ids = append(ids, m.upload("k", store.MaxParts, store.Attributes{}))
	}
	b.ResetTimer()
	for _, id := range ids {
		if _, err := m.complete("k", id, list); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkListParts lists a page of 1,000 of 10,000 parts.
func BenchmarkListParts(b *testing.B) {
	m := imagine(b, engineOnDisk(b), 5<<20)
	id := m.upload("k", store.MaxParts, store.Attributes{})
	for b.Loop() {
		res, err := m.ListParts(m.ctx, &store.ListPartsRequest{Bucket: "b", Key: "k", UploadID: id, Marker: 5000, Max: store.MaxListed})
		if err != nil || len(res.Parts) != store.MaxListed {
			b.Fatal(len(res.Parts), err)
		}
	}
}

// BenchmarkInitiateMultipartUpload opens uploads, with two commits each on a
// disk.
func BenchmarkInitiateMultipartUpload(b *testing.B) {
	m := imagine(b, engineOnDisk(b), 5<<20)
	for b.Loop() {
		m.upload("k", 0, store.Attributes{})
	}
}

// BenchmarkListObjects lists a page of 1,000 of 10,000 objects.
func BenchmarkListObjects(b *testing.B) {
	m := imagine(b, engineOnDisk(b), 5<<20)
	info, err := m.GetBucketInfo(m.ctx, "b")
	m.must(err)
	p := meta.RangePartition(info.ID, 0)
	header, err := m.kv.Get(m.ctx, p, meta.HeaderKey())
	m.must(err)
	name := func(n int) []byte { return meta.ObjectKey(fmt.Sprintf("photos/2026/%08d.jpg", n)) }
	for n := 0; n < 10000; {
		guards := []kv.Guard{{Key: meta.HeaderKey(), Value: header[0].Value}, {Key: name(n)}}
		var rows []kv.Write
		for ; len(rows) < kv.DefaultLimits.CommitRows; n++ {
			part := m.part(n)
			rec := meta.Object{
				Version: fmt.Sprintf("%032X", n), Type: "Normal", Size: m.size, ETag: digest.PartETag([16]byte(part.MD5)), CRC64: part.CRC64,
				MD5: part.MD5, Modified: part.Modified, Manifest: meta.Manifest{Extents: part.Extents},
			}
			rows = append(rows, kv.Write{Key: name(n), Value: rec.Encode()})
		}
		m.must(m.kv.Commit(m.ctx, p, guards, rows))
	}
	b.ResetTimer()
	for b.Loop() {
		res, err := m.ListObjects(m.ctx, &store.ListObjectsRequest{Bucket: "b", Marker: "photos/2026/00005000.jpg", Max: store.MaxListed})
		if err != nil || len(res.Objects) != store.MaxListed {
			b.Fatal(len(res.Objects), err)
		}
	}
}
