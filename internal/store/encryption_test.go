package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/store"
)

// cryptEnv is an env with a key ring, which has the key photos.
type cryptEnv struct {
	*env
	kv   kv.Engine
	ring *kms.Local
}

func newCryptEnv(t *testing.T) *cryptEnv {
	t.Helper()
	e := &cryptEnv{env: &env{t: t, ctx: context.Background(), blob: memblob.New()}, kv: memkv.New(), ring: newRing(t)}
	e.open(e.ring)
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	return e
}

func newRing(t *testing.T) *kms.Local {
	t.Helper()
	ring, err := kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	if err == nil {
		err = ring.Create(t.Context(), "photos")
	}
	must(t, err)
	return ring
}

func (e *cryptEnv) open(ring kms.KeyRing) {
	e.t.Helper()
	s, err := store.Open(e.ctx, e.kv, e.blob, store.Options{Clock: e.clock, KeyRing: ring})
	e.must(err)
	e.Store = s
	e.t.Cleanup(s.Close)
}

var (
	aes    = store.Encryption{Algorithm: store.AES256}
	photos = store.Encryption{Algorithm: store.KMS, KeyID: "photos"}
)

func (e *cryptEnv) putAs(key string, p []byte, wish store.Encryption) *store.Object {
	e.t.Helper()
	o, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: key, Body: body(p), Attributes: store.Attributes{Encryption: wish}})
	e.must(err)
	return o
}

func (e *cryptEnv) initiateAs(key string, wish store.Encryption, sequential bool) store.UploadID {
	e.t.Helper()
	id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{
		Bucket: "b", Key: key, Attributes: store.Attributes{Encryption: wish}, Sequential: sequential,
	})
	e.must(err)
	return id
}

// Objects of all sizes read back from anywhere, with the digests of what was
// sent.
func TestEncryptedObjects(t *testing.T) {
	e := newCryptEnv(t)
	for _, size := range []int{0, 1, 16, 5000, 65479, 65480, 65481, 131000, 131001, 256 << 10, 256<<10 + 1, 1 << 20} {
		p := data(uint64(size), size)
		for _, wish := range []store.Encryption{aes, photos} {
			key := fmt.Sprint(size, wish.Algorithm)
			o := e.putAs(key, p, wish)
			plain := e.put("plain", p)
			if o.ETag != plain.ETag || o.CRC64 != plain.CRC64 || o.Size != plain.Size || !bytes.Equal(o.MD5, plain.MD5) {
				t.Errorf("%s is told as %+v, plain as %+v", key, o, plain)
			}
			if head, err := e.HeadObject(e.ctx, "b", key); err != nil || head.Encryption != wish || o.Encryption != wish {
				t.Errorf("%s: %+v, %v", key, head, err)
			}
			e.must(e.DeleteObject(e.ctx, "b", "plain"))
			if !bytes.Equal(e.get(key), p) {
				t.Errorf("%s reads back otherwise", key)
			}
			e.ranges(key, p)
		}
	}
	if r := e.clean(); r.Encrypted != 24 || r.Unopened != 0 {
		t.Errorf("check: %+v", r)
	}
}

// ranges reads some ranges.
func (e *cryptEnv) ranges(key string, want []byte) {
	e.t.Helper()
	r, err := e.GetObject(e.ctx, "b", key)
	e.must(err)
	defer r.Close()
	for range 20 {
		off := rand.IntN(len(want) + 1)
		n := rand.IntN(min(len(want)-off, 300<<10) + 1)
		var b bytes.Buffer
		e.must(r.WriteRange(e.ctx, &b, int64(off), int64(n)))
		if !bytes.Equal(b.Bytes(), want[off:off+n]) {
			e.t.Errorf("%s: range %d+%d is otherwise", key, off, n)
		}
	}
}

// An encrypted upload: parts out of order, replaced and left out, copied ones,
// empty ones; Complete reads no byte and needs no key.
func TestEncryptedUpload(t *testing.T) {
	e := newCryptEnv(t)
	e.putAs("source", data(1, 200<<10), aes)
	for _, wish := range []store.Encryption{{}, aes, photos} {
		id := e.initiateAs("k", wish, false)
		first, third, last := data(2, 100<<10), data(3, 150<<10), data(4, 77)
		e.part("k", id, 9, data(5, 100<<10)) // not listed
		e.part("k", id, 3, data(6, 100<<10)) // replaced
		p10 := e.part("k", id, 10, last)
		p3 := e.part("k", id, 3, third)
		p1 := e.part("k", id, 1, first)
		part, err := e.UploadPartCopy(e.ctx, &store.UploadPartCopyRequest{
			Bucket: "b", Key: "k", UploadID: id, PartNumber: 7, Source: store.CopySource{Bucket: "b", Key: "source"},
			Range: func(int64) (int64, int64) { return 1000, 120 << 10 },
		})
		e.must(err)
		if part.Encryption != wish {
			t.Errorf("part of an upload with %v has %v", wish, part.Encryption)
		}
		p7 := store.CompletedPart{Number: 7, ETag: part.ETag}
		up, err := e.HeadUpload(e.ctx, "b", "k", id)
		e.must(err)
		if up.Encryption != wish {
			t.Errorf("upload with %v has %v", wish, up.Encryption)
		}

		e.open(kms.None{}) // Complete has no use for keys
		res, err := e.complete("k", id, p1, p3, p7, p10)
		e.must(err)
		again, err := e.complete("k", id, p1, p3, p7, p10)
		e.must(err)
		if res.Encryption != wish || again.Encryption != wish {
			t.Errorf("completed with %v and %v, want %v", res.Encryption, again.Encryption, wish)
		}
		e.open(e.ring)
		want := slices.Concat(first, third, data(1, 200<<10)[1000:1000+120<<10], last)
		if !bytes.Equal(e.get("k"), want) {
			t.Errorf("with %v it reads otherwise", wish)
		}
		e.ranges("k", want)
		e.clean()
	}
}

// A manifest that is too long for its row holds the streams too.
func TestEncryptedManyParts(t *testing.T) {
	e := newCryptEnv(t)
	id := e.initiateAs("k", aes, false)
	var parts []store.CompletedPart
	var want []byte
	for n := range 400 {
		p := data(uint64(n), 100<<10+n%7)
		parts = append(parts, e.part("k", id, 2*n+1, p))
		want = append(want, p...)
	}
	_, err := e.complete("k", id, parts...)
	e.must(err)
	e.ranges("k", want)
	if !bytes.Equal(e.get("k"), want) {
		t.Error("reads otherwise")
	}
	e.clean()
}

// A sequential upload goes on where it was after its state was sealed, and a part
// sent again continues from the state before.
func TestEncryptedSequence(t *testing.T) {
	e := newCryptEnv(t)
	id := e.initiateAs("k", aes, true)
	a, b, c := data(1, 100<<10+5), data(2, 100<<10+50), data(3, 11)
	p1 := e.part("k", id, 1, a)
	e.part("k", id, 2, c)
	p2 := e.part("k", id, 2, b)
	p3 := e.part("k", id, 3, c)
	e.clean()
	_, err := e.complete("k", id, p1, p2, p3)
	e.must(err)
	want := slices.Concat(a, b, c)
	o, err := e.HeadObject(e.ctx, "b", "k")
	e.must(err)
	if plain := e.put("plain", want); !bytes.Equal(o.MD5, plain.MD5) {
		t.Errorf("MD5 %x, want %x", o.MD5, plain.MD5)
	}
	if !bytes.Equal(e.get("k"), want) {
		t.Error("reads otherwise")
	}
}

// Copies are encrypted as wished for, whatever the source was. Onto itself the
// bytes are rewritten if and only if that changes.
func TestEncryptedCopies(t *testing.T) {
	e := newCryptEnv(t)
	p := data(1, 300<<10)
	all := []store.Encryption{{}, aes, photos}
	for _, from := range all {
		for _, to := range all {
			for _, target := range []string{"k", "other"} {
				was := e.putAs("k", p, from)
				o, err := e.CopyObject(e.ctx, &store.CopyObjectRequest{
					Bucket: "b", Key: target, Source: store.CopySource{Bucket: "b", Key: "k"},
					Attributes: func(a store.Attributes) store.Attributes { a.Encryption = to; return a },
				})
				e.must(err)
				if o.Encryption != to || !bytes.Equal(e.get(target), p) {
					t.Errorf("%v to %v as %s: %v", from, to, target, o.Encryption)
				}
				if moved := o.Version != was.Version; moved != (target == "other" || from != to) {
					t.Errorf("%v to %v as %s: bytes moved is %v", from, to, target, moved)
				}
			}
		}
	}
	// KMS with no key named is content with any.
	was := e.putAs("k", p, photos)
	o, err := e.CopyObject(e.ctx, &store.CopyObjectRequest{
		Bucket: "b", Key: "k", Source: store.CopySource{Bucket: "b", Key: "k"},
		Attributes: func(a store.Attributes) store.Attributes {
			a.Encryption = store.Encryption{Algorithm: store.KMS}
			return a
		},
	})
	e.must(err)
	if o.Version != was.Version || o.Encryption != photos {
		t.Errorf("copied onto itself with KMS: %v, moved %v", o.Encryption, o.Version != was.Version)
	}
	e.clean()
}

// An object that is replaced while it is copied onto itself, and so rewritten,
// is not covered by its older bytes.
func TestRewriteLosesNoUpdate(t *testing.T) {
	e := newCryptEnv(t)
	e.putAs("k", data(1, 5000), aes)
	once := sync.Once{}
	o, err := e.CopyObject(e.ctx, &store.CopyObjectRequest{
		Bucket: "b", Key: "k", Source: store.CopySource{Bucket: "b", Key: "k"},
		Attributes: func(a store.Attributes) store.Attributes {
			once.Do(func() { e.putAs("k", data(2, 6000), aes) })
			a.Encryption = store.Encryption{}
			return a
		},
	})
	e.must(err)
	if got := e.get("k"); !bytes.Equal(got, data(2, 6000)) || o.Size != 6000 || o.Encryption != (store.Encryption{}) {
		t.Errorf("%d bytes are left, told as %d with %v", len(got), o.Size, o.Encryption)
	}
	e.clean()
}

// After rotations, by new versions of the default key and of a named one, what
// was written before is read, and open uploads go on.
func TestKeyRotation(t *testing.T) {
	e := newCryptEnv(t)
	p := data(1, 100<<10)
	id := e.initiateAs("upload", photos, false)
	var parts []store.CompletedPart
	var want []byte
	for n := range 4 {
		e.putAs(fmt.Sprint("aes", n), p, aes)
		e.putAs(fmt.Sprint("kms", n), p, photos)
		parts = append(parts, e.part("upload", id, n+1, p))
		want = append(want, p...)
		e.must(errors.Join(e.ring.Rotate(e.ctx, ""), e.ring.Rotate(e.ctx, "photos")))
	}
	_, err := e.complete("upload", id, parts...)
	e.must(err)
	for n := range 4 {
		if !bytes.Equal(e.get(fmt.Sprint("aes", n)), p) || !bytes.Equal(e.get(fmt.Sprint("kms", n)), p) {
			t.Errorf("what was written after %d rotations reads otherwise", n)
		}
	}
	if !bytes.Equal(e.get("upload"), want) {
		t.Error("the upload reads otherwise")
	}
	e.clean()
}

// KMS without a key ID takes the default key, and tells which that is.
func TestDefaultKey(t *testing.T) {
	e := newCryptEnv(t)
	o := e.putAs("k", []byte("x"), store.Encryption{Algorithm: store.KMS})
	up, err := e.HeadUpload(e.ctx, "b", "u", e.initiateAs("u", store.Encryption{Algorithm: store.KMS}, false))
	e.must(err)
	for _, k := range e.ring.Keys() {
		if k.Default && (o.Encryption.KeyID != k.ID || up.Encryption.KeyID != k.ID) {
			t.Errorf("keys %q and %q, the default is %q", o.Encryption.KeyID, up.Encryption.KeyID, k.ID)
		}
	}
}

// A wish that cannot be granted leaves nothing behind.
func TestEncryptionRefused(t *testing.T) {
	e := newCryptEnv(t)
	refused := func(wish store.Encryption, want error) {
		t.Helper()
		attrs := store.Attributes{Encryption: wish}
		_, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: "k", Attributes: attrs,
			Body: store.Body{Reader: unread{t}, Size: 1000}})
		e.want(err, want)
		_, err = e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k", Attributes: attrs})
		e.want(err, want)
		_, err = e.CopyObject(e.ctx, &store.CopyObjectRequest{
			Bucket: "b", Key: "k", Source: store.CopySource{Bucket: "b", Key: "source"},
			Attributes: func(store.Attributes) store.Attributes { return attrs },
		})
		e.want(err, want)
	}
	e.put("source", data(1, 1000))
	refused(store.Encryption{Algorithm: store.KMS, KeyID: "none"}, store.ErrUnknownKey)
	e.open(kms.None{})
	refused(aes, store.ErrNoKeyRing)
	refused(photos, store.ErrNoKeyRing)
	if r := e.clean(); r.Objects != 1 || r.Uploads != 0 || r.Extents != 1 {
		t.Errorf("left behind: %+v", r)
	}
}

// unread is a body that nobody may read.
type unread struct{ t *testing.T }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body is read")
	return 0, io.EOF
}

// Without the ring what is encrypted is not read, and all else goes on; Check
// verifies what is stored. With another ring the store does not open, and the
// message says which ring is needed.
func TestRingLost(t *testing.T) {
	e := newCryptEnv(t)
	p := data(1, 100<<10)
	e.put("plain", p)
	e.putAs("secret", p, aes)
	id := e.initiateAs("upload", aes, false)
	e.part("upload", id, 1, p)
	turn := e.initiateAs("turn", aes, true)
	e.part("turn", turn, 1, p)

	for name, ring := range map[string]*kms.Local{"none": mustKMS(t, vfs.NewMem()), "another": newRing(t)} {
		_, err := store.Open(e.ctx, e.kv, e.blob, store.Options{KeyRing: ring})
		if !errors.Is(err, store.ErrWrongRing) || !strings.Contains(err.Error(), e.ring.RingID()) || !strings.Contains(err.Error(), "keyring") {
			t.Errorf("%s: %v", name, err)
		}
	}

	e.open(kms.None{})
	_, err := e.GetObject(e.ctx, "b", "secret")
	e.want(err, store.ErrNoKeyRing)
	_, err = e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: "upload", UploadID: id, PartNumber: 2, Body: body(p)})
	e.want(err, store.ErrNoKeyRing)
	if !bytes.Equal(e.get("plain"), p) {
		t.Error("plain reads otherwise")
	}
	r := e.clean()
	if r.Encrypted != 3 || r.Unopened != 3 || r.Bytes < 4*100<<10 {
		t.Errorf("check without the ring: %+v", r)
	}
	e.must(e.AbortMultipartUpload(e.ctx, "b", "upload", id))
	e.must(e.AbortMultipartUpload(e.ctx, "b", "turn", turn))
	e.must(e.DeleteObject(e.ctx, "b", "secret"))
	if r := e.clean(); r.Extents != 1 {
		t.Errorf("%d extents are left of one", r.Extents)
	}
}

func mustKMS(t *testing.T, fs vfs.FS) *kms.Local {
	t.Helper()
	ring, err := kms.Open(fs, "keyring", kms.Options{})
	must(t, err)
	return ring
}

// nameless hides which ring it is, so that a store opens with it.
type nameless struct{ kms.KeyRing }

// A key that is not in the ring, or is another there, is an error that says so,
// before a byte is read; for Check it is damage.
func TestKeyLost(t *testing.T) {
	e := newCryptEnv(t)
	e.putAs("default", data(1, 1000), aes)
	e.putAs("photos", data(1, 1000), photos)
	id := e.initiateAs("upload", photos, true)
	e.part("upload", id, 1, data(1, 100))
	e.open(nameless{newRing(t)})
	for _, key := range []string{"default", "photos"} {
		_, err := e.GetObject(e.ctx, "b", key)
		e.want(err, store.ErrKeyLost)
	}
	_, err := e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: "upload", UploadID: id, PartNumber: 2, Body: store.Body{Reader: unread{t}, Size: 5}})
	e.want(err, store.ErrKeyLost)
	r, err := e.Check(e.ctx, store.CheckOptions{})
	e.must(err)
	if r.Damaged != 3 {
		t.Errorf("check: %+v", r)
	}
}

// change rewrites an object's record behind the store's back.
func (e *cryptEnv) change(key string, edit func(*meta.Object)) {
	e.t.Helper()
	var id string
	e.must(errOf(e.GetBucketInfo(e.ctx, "b"))(func(b *store.Bucket) { id = b.ID }))
	p := meta.RangePartition(id, 0)
	rows, err := e.kv.Get(e.ctx, p, meta.HeaderKey(), meta.ObjectKey(key))
	e.must(err)
	rec, err := meta.DecodeObject(rows[1].Value)
	e.must(err)
	edit(rec)
	if bytes.Equal(rec.Encode(), rows[1].Value) {
		return
	}
	e.must(e.kv.Commit(e.ctx, p, []kv.Guard{kv.Guard(rows[0]), kv.Guard(rows[1])}, []kv.Write{{Key: rows[1].Key, Value: rec.Encode()}}))
}

func errOf[T any](v T, err error) func(func(T)) error {
	return func(use func(T)) error {
		if err == nil {
			use(v)
		}
		return err
	}
}

// Records that were exchanged or changed by someone with access to the files do
// not make one object read as another, nor as something shorter.
func TestExchanged(t *testing.T) {
	e := newCryptEnv(t)
	p, q := data(1, 200<<10), data(2, 200<<10)
	records := make(map[string]meta.Object)
	fresh := func() {
		e.putAs("p", p, aes)
		e.putAs("q", q, aes)
		id := e.initiateAs("parts", aes, false)
		_, err := e.complete("parts", id, e.part("parts", id, 1, p), e.part("parts", id, 2, q))
		e.must(err)
		for _, key := range []string{"p", "q", "parts"} {
			e.change(key, func(rec *meta.Object) { records[key] = *rec })
		}
	}
	for name, edit := range map[string]func(*meta.Object){
		"bytes of another":          func(rec *meta.Object) { rec.Manifest = records["q"].Manifest },
		"key of another":            func(rec *meta.Object) { rec.Encryption = records["q"].Encryption },
		"key and bytes of another":  func(rec *meta.Object) { rec.Encryption, rec.Manifest = records["q"].Encryption, records["q"].Manifest },
		"record of another":         func(rec *meta.Object) { *rec = records["q"] },
		"shorter":                   func(rec *meta.Object) { rec.Size -= 100 },
		"not encrypted, as it lies": func(rec *meta.Object) { rec.Encryption = meta.Encryption{} },
	} {
		fresh()
		e.change("p", edit)
		e.unreadable(name, "p", p)
	}
	for name, edit := range map[string]func(*meta.Object){
		"parts exchanged":  func(rec *meta.Object) { slices.Reverse(rec.Manifest.Extents) },
		"parts repeated":   func(rec *meta.Object) { rec.Manifest.Extents[1] = rec.Manifest.Extents[0] },
		"parts renumbered": func(rec *meta.Object) { rec.Manifest.Streams[1].PartNumber = 3 },
		"a part less": func(rec *meta.Object) {
			rec.Manifest.Extents, rec.Manifest.Streams = rec.Manifest.Extents[:1], rec.Manifest.Streams[:1]
		},
		"no streams": func(rec *meta.Object) { rec.Manifest.Streams = nil },
	} {
		fresh()
		e.change("parts", edit)
		e.unreadable(name, "parts", slices.Concat(p, q))
	}
}

// unreadable sees that nothing wrong is read from an object, and that this ends
// in an error.
func (e *cryptEnv) unreadable(what, key string, right []byte) {
	e.t.Helper()
	r, err := e.GetObject(e.ctx, "b", key)
	if err != nil {
		return
	}
	defer r.Close()
	var b bytes.Buffer
	err = r.WriteRange(e.ctx, &b, 0, r.Object.Size)
	if !errors.Is(err, blob.ErrCorrupt) || !bytes.HasPrefix(right, b.Bytes()) {
		e.t.Errorf("%s: %d bytes are read, %v", what, b.Len(), err)
	}
}

// The ring is noted once, before anything that needs it is named, whatever
// writes first; a power cut of the ring's file system and the metadata at any
// moment leaves them in agreement (TestPowerCut).
func TestRingNoted(t *testing.T) {
	e := newCryptEnv(t)
	noted := func() string {
		rows, err := e.kv.Get(e.ctx, meta.Root, meta.KeyRingKey())
		e.must(err)
		if rows[0].Value == nil {
			return ""
		}
		rec, err := meta.DecodeKeyRing(rows[0].Value)
		e.must(err)
		return rec.ID
	}
	e.put("plain", []byte("x"))
	if got := noted(); got != "" {
		t.Errorf("noted %q without need", got)
	}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, err := e.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: fmt.Sprint(i), Body: body([]byte("x")), Attributes: store.Attributes{Encryption: aes}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := noted(); got != e.ring.RingID() {
		t.Errorf("noted %q, the ring is %q", got, e.ring.RingID())
	}
	// Another process with another ring, opened before there was one to be noted.
	late := newCryptEnv(t)
	late.kv, late.blob = e.kv, e.blob
	if _, err := store.Open(e.ctx, e.kv, e.blob, store.Options{KeyRing: late.ring}); !errors.Is(err, store.ErrWrongRing) {
		t.Errorf("another ring: %v", err)
	}
}
