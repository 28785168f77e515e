package store_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

// env is a store on engines in memory, with a clock that tests set.
type env struct {
	*store.Store
	t    *testing.T
	ctx  context.Context
	blob *memblob.Engine

	mu  sync.Mutex
	now time.Time
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, ctx: context.Background(), blob: memblob.New(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s, err := store.Open(e.ctx, memkv.New(), e.blob, store.Options{Clock: e.clock})
	if err != nil {
		t.Fatal(err)
	}
	e.Store = s
	t.Cleanup(func() { s.Close() })
	e.must(s.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	return e
}

func (e *env) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(time.Millisecond)
	return e.now
}

func (e *env) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) want(err, target error) {
	e.t.Helper()
	if !errors.Is(err, target) {
		e.t.Fatalf("error %v, want %v", err, target)
	}
}

func body(p []byte) store.Body { return store.Body{Reader: bytes.NewReader(p), Size: int64(len(p))} }

func data(seed uint64, n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(p)
	return p
}

func (e *env) put(key string, p []byte) *store.Object {
	e.t.Helper()
	o, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: key, Body: body(p)})
	e.must(err)
	return o
}

func (e *env) get(key string) []byte {
	e.t.Helper()
	r, err := e.GetObject(e.ctx, "b", key)
	e.must(err)
	defer r.Close()
	var b bytes.Buffer
	e.must(r.WriteRange(e.ctx, &b, 0, r.Object.Size))
	return b.Bytes()
}

func (e *env) initiate(key string) store.UploadID {
	e.t.Helper()
	id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: key})
	e.must(err)
	return id
}

func (e *env) part(key string, id store.UploadID, n int, p []byte) store.CompletedPart {
	e.t.Helper()
	part, err := e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: key, UploadID: id, PartNumber: store.PartNumber(n), Body: body(p)})
	e.must(err)
	if want := fmt.Sprintf("%X", md5.Sum(p)); part.ETag != want {
		e.t.Fatalf("part ETag %s, want %s", part.ETag, want)
	}
	return store.CompletedPart{Number: part.Number, ETag: part.ETag}
}

func (e *env) complete(key string, id store.UploadID, parts ...store.CompletedPart) (*store.CompleteMultipartUploadResult, error) {
	return e.CompleteMultipartUpload(e.ctx, &store.CompleteMultipartUploadRequest{Bucket: "b", Key: key, UploadID: id, Parts: parts})
}

// clean reclaims and checks: every byte that is left is named, and none is
// damaged.
func (e *env) clean() *store.CheckReport {
	e.t.Helper()
	e.must(e.Reclaim(e.ctx))
	r, err := e.Check(e.ctx, store.CheckOptions{})
	e.must(err)
	for _, d := range r.Damage {
		e.t.Errorf("%s: %s", d.Where, d.What)
	}
	if r.Unnamed != 0 || r.Garbage != 0 {
		e.t.Errorf("%d unnamed extents and %d garbage rows are left", r.Unnamed, r.Garbage)
	}
	return r
}

// An object reads back as written, in any range, and an overwritten one gives
// its space back.
func TestPutObject(t *testing.T) {
	e := newEnv(t)
	for i, n := range []int{0, 1, 1000, 256 << 10, 256<<10 + 1, 1<<20 + 17, 3 << 20} {
		key, p := fmt.Sprintf("k%d", i), data(uint64(i), n)
		o := e.put(key, p)
		if o.Size != int64(n) || o.CRC64 != crc64.Checksum(p, crc64.MakeTable(crc64.ECMA)) {
			t.Fatalf("%d bytes: %+v", n, o)
		}
		if got := e.get(key); !bytes.Equal(got, p) {
			t.Fatalf("%d bytes read back differ", n)
		}
		if n > 10 {
			r, err := e.GetObject(e.ctx, "b", key)
			e.must(err)
			var b bytes.Buffer
			e.must(r.WriteRange(e.ctx, &b, 5, int64(n-9)))
			r.Close()
			if !bytes.Equal(b.Bytes(), p[5:n-4]) {
				t.Fatalf("%d bytes: range differs", n)
			}
		}
	}
	before := e.clean().Bytes
	e.put("k6", []byte("small"))
	if after := e.clean().Bytes; after != before-3<<20+5 {
		t.Errorf("%d bytes after, %d before", after, before)
	}
}

// A body that is not what the client says is not kept.
func TestPutObjectWrongBody(t *testing.T) {
	e := newEnv(t)
	p := data(1, 600<<10)
	wrong, crc := md5.Sum([]byte("other")), uint64(42)
	broken := errors.New("connection broke")
	for name, c := range map[string]struct {
		body store.Body
		want error
	}{
		"md5":       {store.Body{Reader: bytes.NewReader(p), Size: int64(len(p)), MD5: wrong[:]}, store.ErrWrongMD5},
		"crc64":     {store.Body{Reader: bytes.NewReader(p), Size: -1, CRC64: &crc}, store.ErrWrongCRC64},
		"short":     {store.Body{Reader: bytes.NewReader(p[:500<<10]), Size: int64(len(p))}, store.ErrShortBody},
		"cut":       {store.Body{Reader: io.MultiReader(bytes.NewReader(p[:300<<10]), errReader{broken}), Size: int64(len(p))}, broken},
		"cut early": {store.Body{Reader: errReader{io.ErrUnexpectedEOF}, Size: 10}, store.ErrShortBody},
		"too large": {store.Body{Reader: bytes.NewReader(p), Size: store.MaxPartSize + 1}, store.ErrTooLarge},
	} {
		_, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: "k", Body: c.body})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}
	if r := e.clean(); r.Objects != 0 || r.Extents != 0 {
		t.Errorf("something was kept: %+v", r)
	}
}

type errReader struct{ err error }

func (r errReader) Read([]byte) (int, error) { return 0, r.err }

// A multipart upload from its start to the repeated Complete.
func TestCompleteMultipartUpload(t *testing.T) {
	e := newEnv(t)
	id := e.initiate("k")
	p1, p2, p3 := data(1, 300<<10), data(2, 100<<10), data(3, 7)
	e.part("k", id, 1, data(9, 200<<10))
	c1 := e.part("k", id, 1, p1)
	c3 := e.part("k", id, 3, p3)
	c2 := e.part("k", id, 2, p2)
	e.part("k", id, 9, data(4, 5000))

	bad := c2
	bad.ETag = c1.ETag
	for name, c := range map[string]struct {
		parts []store.CompletedPart
		want  error
	}{
		"order":     {[]store.CompletedPart{c2, c1}, store.ErrInvalidPartOrder},
		"twice":     {[]store.CompletedPart{c1, c1}, store.ErrInvalidPartOrder},
		"wrong tag": {[]store.CompletedPart{c1, bad}, store.ErrInvalidPart},
		"missing":   {[]store.CompletedPart{c1, {Number: 4, ETag: c1.ETag}}, store.ErrInvalidPart},
		"too small": {[]store.CompletedPart{c1, c3, {Number: 9, ETag: fmt.Sprintf("%X", md5.Sum(data(4, 5000)))}}, store.ErrPartTooSmall},
	} {
		if _, err := e.complete("k", id, c.parts...); !errors.Is(err, c.want) {
			t.Errorf("%s: error %v, want %v", name, err, c.want)
		}
	}

	first, err := e.complete("k", id, c1, c2, c3)
	e.must(err)
	want := append(append(append([]byte(nil), p1...), p2...), p3...)
	if !bytes.Equal(e.get("k"), want) {
		t.Fatal("object differs from its parts")
	}
	if first.CRC64 != crc64.Checksum(want, crc64.MakeTable(crc64.ECMA)) || !strings.HasSuffix(first.ETag, "-3") {
		t.Errorf("result %+v", first)
	}

	again, err := e.complete("k", id, c1, c2, c3)
	e.must(err)
	if *again != *first {
		t.Errorf("repeated Complete: %+v, first %+v", again, first)
	}
	_, err = e.complete("k", id, c1, c2)
	e.want(err, store.ErrNoSuchUpload)
	e.want(e.AbortMultipartUpload(e.ctx, "b", "k", id), store.ErrNoSuchUpload)

	if r := e.clean(); r.Bytes != int64(len(want)) {
		t.Errorf("%d bytes are kept, %d are the object's", r.Bytes, len(want))
	}
	// The answer outlives the object, but not its day.
	e.must(e.DeleteObject(e.ctx, "b", "k"))
	if again, err = e.complete("k", id, c1, c2, c3); err != nil || *again != *first {
		t.Errorf("repeated Complete after the object is gone: %+v, %v", again, err)
	}
	e.pass(26 * time.Hour)
	e.clean()
	_, err = e.complete("k", id, c1, c2, c3)
	e.want(err, store.ErrNoSuchUpload)
}

// Two hundred who complete and abort one upload at once: one decision, and
// nothing of what was decided for is lost.
func TestCompleteRacesAbort(t *testing.T) {
	for round := range 20 {
		e := newEnv(t)
		id := e.initiate("k")
		p1, p2 := data(1, 150<<10), data(2, 300<<10)
		c1, c2 := e.part("k", id, 1, p1), e.part("k", id, 2, p2)
		var wg sync.WaitGroup
		var mu sync.Mutex
		completed, aborted := 0, 0
		for i := range 200 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				var err error
				abort := i%8 == round%8
				if abort {
					err = e.AbortMultipartUpload(e.ctx, "b", "k", id)
				} else {
					_, err = e.complete("k", id, c1, c2)
				}
				mu.Lock()
				defer mu.Unlock()
				switch {
				case err == nil && abort:
					aborted++
				case err == nil:
					completed++
				case !errors.Is(err, store.ErrNoSuchUpload):
					t.Errorf("unexpected error: %v", err)
				}
			}()
		}
		wg.Wait()
		_, err := e.HeadObject(e.ctx, "b", "k")
		switch {
		case aborted == 0 && completed == 175:
			if !bytes.Equal(e.get("k"), append(append([]byte(nil), p1...), p2...)) {
				t.Fatal("completed object differs")
			}
		case aborted == 1 && completed == 0:
			e.want(err, store.ErrNoSuchKey)
		default:
			t.Fatalf("%d completed and %d aborted", completed, aborted)
		}
		e.clean()
	}
}

// A reader keeps the bytes it reads, whatever becomes of the object.
func TestReaderPinsBytes(t *testing.T) {
	e := newEnv(t)
	p := data(1, 1<<20)
	e.put("k", p)
	r, err := e.GetObject(e.ctx, "b", "k")
	e.must(err)
	e.put("k", []byte("new"))
	e.must(e.DeleteObject(e.ctx, "b", "k"))
	e.must(e.Reclaim(e.ctx))
	var b bytes.Buffer
	e.must(r.WriteRange(e.ctx, &b, 0, r.Object.Size))
	if !bytes.Equal(b.Bytes(), p) {
		t.Error("bytes changed under the reader")
	}
	r.Close()
	if got := e.clean(); got.Extents != 0 {
		t.Errorf("%d extents stay", got.Extents)
	}
}

// A sequential upload takes its parts in order and knows the MD5 of all.
func TestSequentialUpload(t *testing.T) {
	e := newEnv(t)
	id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k", Sequential: true})
	e.must(err)
	try := func(n int, p []byte) error {
		_, err := e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: "k", UploadID: id, PartNumber: store.PartNumber(n), Body: body(p)})
		return err
	}
	p1, p2 := data(1, 100<<10), data(2, 400<<10)
	e.want(try(2, p2), store.ErrPartNotSequential)
	e.must(try(1, p2))
	e.must(try(1, p1))
	e.must(try(2, p2))
	e.want(try(1, p1), store.ErrPartNotSequential)
	_, err = e.CompleteMultipartUpload(e.ctx, &store.CompleteMultipartUploadRequest{Bucket: "b", Key: "k", UploadID: id, All: true})
	e.must(err)
	o, err := e.HeadObject(e.ctx, "b", "k")
	e.must(err)
	if sum := md5.Sum(append(append([]byte(nil), p1...), p2...)); !bytes.Equal(o.MD5, sum[:]) {
		t.Errorf("MD5 %X, want %X", o.MD5, sum)
	}
	e.clean()
}

// A bucket goes only when it is empty, and a bucket made again is another one.
func TestDeleteBucket(t *testing.T) {
	e := newEnv(t)
	e.put("k", data(1, 5))
	e.want(e.DeleteBucket(e.ctx, "b"), store.ErrBucketHasObjects)
	e.must(e.DeleteObject(e.ctx, "b", "k"))
	id := e.initiate("k")
	e.want(e.DeleteBucket(e.ctx, "b"), store.ErrBucketHasUploads)
	e.put("other", data(2, 5))
	e.must(e.DeleteObject(e.ctx, "b", "other"))
	e.must(e.AbortMultipartUpload(e.ctx, "b", "k", id))
	e.must(e.DeleteBucket(e.ctx, "b"))
	_, err := e.GetBucketInfo(e.ctx, "b")
	e.want(err, store.ErrNoSuchBucket)
	e.want(e.DeleteBucket(e.ctx, "b"), store.ErrNoSuchBucket)
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	e.put("k", data(1, 5))
	e.clean()
}

// Listing pages give every key once, in order, whatever the delimiter.
func TestListObjects(t *testing.T) {
	e := newEnv(t)
	keys := []string{"a", "a\x00b", "a/", "a/b", "a/b/c", "a0", "b/x", "b/y", "b/z", "c", "d//e", "é", "\xf4\x8f\xbf\xbf"}
	for _, k := range keys {
		e.put(k, []byte(k))
	}
	for max := 1; max <= len(keys)+1; max++ {
		for _, delimiter := range []string{"", "/", "b"} {
			for _, prefix := range []string{"", "a", "a/", "b/", "zz"} {
				var got, want []string
				for marker := ""; ; {
					res, err := e.ListObjects(e.ctx, &store.ListObjectsRequest{Bucket: "b", Prefix: prefix, Delimiter: delimiter, Marker: marker, Max: max})
					e.must(err)
					if len(res.Objects)+len(res.CommonPrefixes) > max {
						t.Fatalf("page of %d", len(res.Objects)+len(res.CommonPrefixes))
					}
					for _, o := range res.Objects {
						got = append(got, o.Key)
					}
					for _, p := range res.CommonPrefixes {
						got = append(got, p+"*")
					}
					if !res.Truncated {
						break
					}
					marker = res.Next
				}
				seen := map[string]bool{}
				for _, k := range keys {
					if !strings.HasPrefix(k, prefix) {
						continue
					}
					if delimiter != "" {
						if i := strings.Index(k[len(prefix):], delimiter); i >= 0 {
							k = k[:len(prefix)+i+len(delimiter)] + "*"
						}
					}
					if !seen[k] {
						seen[k] = true
						want = append(want, k)
					}
				}
				less := func(x []string) string {
					x = append([]string(nil), x...)
					slices.Sort(x)
					return strings.Join(x, "|")
				}
				if less(got) != less(want) {
					t.Fatalf("max %d prefix %q delimiter %q: got %q, want %q", max, prefix, delimiter, got, want)
				}
			}
		}
	}
}
