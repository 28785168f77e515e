package store_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/md5"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/store"
)

// workload is several goroutines' work on a few keys of one bucket, with all
// that is needed to judge it afterwards.
type workload struct {
	t    *testing.T
	ctx  context.Context
	rec  *recorder
	pool []byte

	// allowed tells whether an operation may end in this error besides those
	// that the rules of OSS give.
	allowed func(error) bool

	mu       sync.Mutex
	made     int
	contents map[string][][16]byte // value of an object -> MD5 of what it may hold
	pieces   map[string][]byte     // ETag of a part or an object -> its bytes
	uploads  []*work
	domains  []string
}

// work is an upload and what was tried to end it.
type work struct {
	key, value string
	id         store.UploadID
	begun      *write // its Initiate
	ends       []*ending
}

// ending is an attempt to end an upload.
type ending struct {
	*write
	list string // parts that it was completed with, or "abort"
}

func newWorkload(t *testing.T, rng *rand.Rand) *workload {
	return &workload{
		t: t, ctx: context.Background(), rec: newRecorder(), pool: data(rng.Uint64(), 1<<20),
		allowed:  func(error) bool { return false },
		contents: make(map[string][][16]byte), pieces: make(map[string][]byte),
	}
}

// piece makes bytes that no other piece has.
func (w *workload) piece(rng *rand.Rand, n int) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	p := slices.Clone(w.pool[rng.IntN(len(w.pool)-n):][:max(n, 8)])
	binary.BigEndian.PutUint64(p, uint64(w.made))
	w.pieces[fmt.Sprintf("%X", md5.Sum(p))] = p
	return p
}

// value makes a name for what a write writes.
func (w *workload) value(content []byte) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.made++
	v := fmt.Sprintf("v%d", w.made)
	if content != nil {
		w.contents[v] = append(w.contents[v], md5.Sum(content))
	}
	return v
}

func (w *workload) mayHold(value string, content []byte) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.contents[value] = append(w.contents[value], md5.Sum(content))
}

func (w *workload) bytesOf(etag string) []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pieces[etag]
}

// fail tells errors that nothing excuses.
func (w *workload) fail(op string, err error, expected ...error) {
	if err == nil || w.allowed(err) {
		return
	}
	for _, target := range expected {
		if errors.Is(err, target) {
			return
		}
	}
	w.t.Errorf("%s: %v", op, err)
}

// labelled gives an object its value as user metadata. Every other value is
// encrypted.
func labelled(value string) store.Attributes {
	a := store.Attributes{ContentType: "test/" + value, Meta: map[string]string{"value": value}}
	if (value[len(value)-1]-'0')%2 == 1 {
		a.Encryption.Algorithm = store.AES256
	}
	return a
}

// step does one random operation.
func (w *workload) step(s *store.Store, rng *rand.Rand) {
	key := pick(rng, "k1", "k2", "k3")
	switch n := rng.IntN(118); {
	case n >= 113:
		w.cname(s, rng)
	case n >= 109:
		w.expireUpload(s, rng, w.upload(rng))
	case n >= 105:
		w.lifecycle(s, rng)
	case n >= 100:
		w.config(s, rng)
	case n < 14:
		w.put(s, rng, key)
	case n < 34:
		w.get(s, pick(rng, "k1", "k2", "k3", "copy"), func() {
			if rng.IntN(2) == 0 {
				w.step(s, rng) // the object may lose its name, and the reader keeps it
			}
		})
	case n < 39:
		end := w.rec.write(key, "")
		err := s.DeleteObject(w.ctx, "b", key)
		end(err)
		w.fail("DeleteObject", err)
	case n < 46:
		w.copy(s, key)
	case n < 54:
		w.initiate(s, key)
	case n < 76:
		w.uploadPart(s, rng)
	case n < 82:
		w.listParts(s, w.upload(rng))
	case n < 95:
		w.complete(s, rng)
	default:
		w.abort(s, w.upload(rng))
	}
}

func (w *workload) put(s *store.Store, rng *rand.Rand, key string) {
	p := w.piece(rng, pick(rng, 8, 5000, 5000, 130<<10, 300<<10))
	v := w.value(p)
	end := w.rec.write(key, v)
	o, err := s.PutObject(w.ctx, &store.PutObjectRequest{Bucket: "b", Key: key, Attributes: labelled(v), Body: body(p)})
	end(err)
	w.fail("PutObject", err)
	if err == nil && o.ETag != fmt.Sprintf("%X", md5.Sum(p)) {
		w.t.Errorf("PutObject: ETag %s", o.ETag)
	}
}

// lifecycle expires some objects, moves others to another class, and keeps a
// cursor. What is due is what was there when it looked.
func (w *workload) lifecycle(s *store.Store, rng *rand.Rand) {
	b, err := s.GetBucketInfo(w.ctx, "b")
	if w.fail("GetBucketInfo", err); err != nil {
		return
	}
	keys := []string{"k1", "k2", "k3"}
	due := make(map[string]store.Verdict) // by value
	for _, key := range keys {
		if o, err := s.HeadObject(w.ctx, "b", key); err == nil {
			due[o.Meta["value"]] = pick(rng, store.Verdict{}, store.Verdict{Expire: true}, store.Verdict{StorageClass: "IA"})
		} else {
			w.fail("HeadObject", err, store.ErrNoSuchKey)
		}
	}
	ends := make(map[string]func(error))
	for _, key := range keys {
		ends[key] = w.rec.write(key, "")
	}
	judged, err := s.ApplyLifecycle(w.ctx, *b, keys, func(o *store.Object) store.Verdict { return due[o.Meta["value"]] })
	w.fail("ApplyLifecycle", err)
	for _, j := range judged {
		if want := due[j.Meta["value"]]; j.Verdict != want || want == (store.Verdict{}) {
			w.t.Errorf("%s of value %q got %+v, want %+v", j.Key, j.Meta["value"], j.Verdict, want)
		}
		if j.Expire {
			ends[j.Key](nil)
			delete(ends, j.Key)
		}
	}
	for _, end := range ends {
		end(cmp.Or(err, errNotDue))
	}

	end := w.rec.read("cursor")
	cursor, err := s.GetLifecycleCursor(w.ctx, *b)
	if w.fail("GetLifecycleCursor", err); err == nil {
		end(cursor.After)
	}
	v := w.value(nil)
	endWrite := w.rec.write("cursor", v)
	err = s.PutLifecycleCursor(w.ctx, *b, store.LifecycleCursor{After: v})
	endWrite(err)
	w.fail("PutLifecycleCursor", err)
}

var errNotDue = errors.New("not due")

// expireUpload aborts an upload if it is idle and, mostly, due.
func (w *workload) expireUpload(s *store.Store, rng *rand.Rand, u *work) {
	if u == nil {
		return
	}
	b, err := s.GetBucketInfo(w.ctx, "b")
	if w.fail("GetBucketInfo", err); err != nil {
		return
	}
	end, due := w.end(u, "aborted"), rng.IntN(3) > 0
	st, err := s.AbortDueUpload(w.ctx, *b, u.key, u.id, func(st *store.UploadState) bool { return due })
	if err == nil && st == nil {
		err = errNotDue
	}
	end(err)
	w.fail("AbortDueUpload", err, errNotDue)
}

// config sets, reads or deletes a configuration of the bucket. Its document
// says which value it is.
func (w *workload) config(s *store.Store, rng *rand.Rand) {
	switch rng.IntN(5) {
	case 0:
		end := w.rec.write("config", "")
		err := s.DeleteBucketConfig(w.ctx, "b", store.ConfigPolicy)
		end(err)
		w.fail("DeleteBucketConfig", err)
	case 1:
		w.getConfig(s)
	default:
		v := w.value(nil)
		document := bytes.Repeat([]byte(v+" "), pick(rng, 1, 100, 8000, 50000))
		end := w.rec.write("config", v)
		err := s.PutBucketConfig(w.ctx, "b", store.ConfigPolicy, document)
		end(err)
		w.fail("PutBucketConfig", err)
	}
}

// cname lets a new domain lead to the bucket, or reads or takes away one of the
// latest.
func (w *workload) cname(s *store.Store, rng *rand.Rand) {
	switch domain := w.domain(rng); {
	case domain == "" || rng.IntN(2) == 0:
		domain = w.value(nil) + ".example"
		w.mu.Lock()
		w.domains = append(w.domains, domain)
		w.mu.Unlock()
		end := w.rec.write(domain, "b")
		err := s.PutCname(w.ctx, "b", domain)
		end(err)
		w.fail("PutCname", err, store.ErrTooManyCnames)
	case rng.IntN(2) == 0:
		w.lookupCname(s, domain)
	default:
		end := w.rec.write(domain, "")
		err := s.DeleteCname(w.ctx, "b", domain)
		end(err)
		w.fail("DeleteCname", err, store.ErrNoSuchCname)
	}
}

// domain returns one of the latest domains, or "".
func (w *workload) domain(rng *rand.Rand) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.domains)
	if n == 0 {
		return ""
	}
	return w.domains[n-1-rng.IntN(min(4, n))]
}

func (w *workload) lookupCname(s *store.Store, domain string) {
	end := w.rec.read(domain)
	bucket, err := s.LookupCname(w.ctx, domain)
	w.fail("LookupCname", err, store.ErrNoSuchCname)
	if err == nil || errors.Is(err, store.ErrNoSuchCname) {
		end(bucket)
	}
}

func (w *workload) getConfig(s *store.Store) {
	end := w.rec.read("config")
	document, err := s.GetBucketConfig(w.ctx, "b", store.ConfigPolicy)
	if errors.Is(err, store.ErrNoSuchConfig) {
		end("")
		return
	}
	if w.fail("GetBucketConfig", err); err != nil {
		return
	}
	v, _, _ := strings.Cut(string(document), " ")
	end(v)
	if n := len(v) + 1; len(document)%n != 0 || string(document) != strings.Repeat(v+" ", len(document)/n) {
		w.t.Errorf("a configuration of %d bytes is not all of value %s", len(document), v)
	}
}

// get reads an object and sees that its bytes and attributes belong together.
// It calls meanwhile when it has opened the object and read nothing yet.
func (w *workload) get(s *store.Store, key string, meanwhile func()) {
	end := w.rec.read(key)
	r, err := s.GetObject(w.ctx, "b", key)
	if errors.Is(err, store.ErrNoSuchKey) {
		end("")
		return
	}
	if w.fail("GetObject "+key, err); err != nil {
		return
	}
	defer r.Close()
	v := r.Object.Meta["value"]
	end(v)
	if want := labelled(v); r.Object.ContentType != want.ContentType || r.Object.Encryption != want.Encryption {
		w.t.Errorf("%s: content type %q, encryption %q with value %q", key, r.Object.ContentType, r.Object.Encryption.Algorithm, v)
	}
	meanwhile()
	var b bytes.Buffer
	if err := r.WriteRange(w.ctx, &b, 0, r.Object.Size); err != nil {
		w.fail("read "+key, err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if allowed := w.contents[v]; !slices.Contains(allowed, md5.Sum(b.Bytes())) {
		w.t.Errorf("%s: value %q has %d bytes of another object", key, v, b.Len())
	}
}

// copy copies a key to another one. It reads the source and writes the copy.
func (w *workload) copy(s *store.Store, key string) {
	v := w.value(nil)
	endRead, endWrite := w.rec.read(key), w.rec.write("copy", v)
	_, err := s.CopyObject(w.ctx, &store.CopyObjectRequest{
		Bucket: "b", Key: "copy", Source: store.CopySource{Bucket: "b", Key: key},
		Attributes: func(source store.Attributes) store.Attributes {
			// This is the source whose bytes the copy must have.
			was := source.Meta["value"]
			endRead(was)
			w.mu.Lock()
			w.contents[v] = append(w.contents[v], w.contents[was]...)
			w.mu.Unlock()
			return labelled(v)
		},
	})
	endWrite(err)
	if errors.Is(err, store.ErrNoSuchKey) {
		endRead("")
	}
	w.fail("CopyObject", err, store.ErrNoSuchKey)
}

func (w *workload) initiate(s *store.Store, key string) {
	up := &work{key: key, value: w.value(nil)}
	end := w.rec.write("upload "+up.value, "open")
	id, err := s.InitiateMultipartUpload(w.ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: key, Attributes: labelled(up.value)})
	end(err)
	if w.fail("InitiateMultipartUpload", err); err != nil {
		return
	}
	up.id = id
	w.rec.mu.Lock()
	up.begun = w.rec.writes["upload "+up.value][0]
	w.rec.mu.Unlock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.uploads = append(w.uploads, up)
}

// upload returns one of the latest uploads, or nil.
func (w *workload) upload(rng *rand.Rand) *work {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := len(w.uploads)
	if n == 0 {
		return nil
	}
	return w.uploads[n-1-rng.IntN(min(4, n))]
}

func (u *work) part(n store.PartNumber) string { return fmt.Sprintf("part %d of %s", n, u.id) }

func (w *workload) uploadPart(s *store.Store, rng *rand.Rand) {
	u := w.upload(rng)
	if u == nil {
		return
	}
	n := store.PartNumber(1 + rng.IntN(3))
	p := w.piece(rng, 100<<10+rng.IntN(40<<10))
	etag := fmt.Sprintf("%X", md5.Sum(p))
	end := w.rec.write(u.part(n), etag)
	_, err := s.UploadPart(w.ctx, &store.UploadPartRequest{Bucket: "b", Key: u.key, UploadID: u.id, PartNumber: n, Body: body(p)})
	end(err)
	w.fail("UploadPart", err, store.ErrNoSuchUpload)
}

// listParts reads all parts of an upload. It returns nil when there is no such
// upload any more.
func (w *workload) listParts(s *store.Store, u *work) *store.ListPartsResult {
	if u == nil {
		return nil
	}
	var ends []func(string)
	for n := range store.PartNumber(3) {
		ends = append(ends, w.rec.read(u.part(n+1)))
	}
	res, err := s.ListParts(w.ctx, &store.ListPartsRequest{Bucket: "b", Key: u.key, UploadID: u.id, Max: 10})
	if err != nil {
		w.fail("ListParts", err, store.ErrNoSuchUpload)
		return nil
	}
	have := make([]string, 3)
	for _, p := range res.Parts {
		have[p.Number-1] = p.ETag
	}
	for i, end := range ends {
		end(have[i])
	}
	return res
}

func (w *workload) end(u *work, list string) (done func(error)) {
	finish := w.rec.write("upload "+u.value, list)
	w.rec.mu.Lock()
	defer w.rec.mu.Unlock()
	all := w.rec.writes["upload "+u.value]
	u.ends = append(u.ends, &ending{all[len(all)-1], list})
	return finish
}

// complete completes an upload with what is there, while others may change it.
func (w *workload) complete(s *store.Store, rng *rand.Rand) {
	u := w.upload(rng)
	res := w.listParts(s, u)
	if res == nil {
		return
	}
	var content []byte
	req := &store.CompleteMultipartUploadRequest{Bucket: "b", Key: u.key, UploadID: u.id}
	var list []string
	for _, p := range res.Parts {
		if rng.IntN(8) > 0 {
			req.Parts = append(req.Parts, store.CompletedPart{Number: p.Number, ETag: p.ETag})
			list = append(list, fmt.Sprint(p.Number, p.ETag))
			content = append(content, w.bytesOf(p.ETag)...)
		}
	}
	w.mayHold(u.value, content)
	for range 1 + rng.IntN(2) {
		endWrite, endUpload := w.rec.write(u.key, u.value), w.end(u, "completed "+strings.Join(list, " "))
		done, err := s.CompleteMultipartUpload(w.ctx, req)
		endUpload(err)
		endWrite(err)
		w.fail("CompleteMultipartUpload", err, store.ErrNoSuchUpload, store.ErrInvalidPart)
		if err == nil && (done.Size != int64(len(content)) || !strings.HasSuffix(done.ETag, fmt.Sprintf("-%d", len(list)))) {
			w.t.Errorf("completed with %d bytes: %+v", len(content), done)
		}
	}
}

func (w *workload) abort(s *store.Store, u *work) {
	if u == nil {
		return
	}
	end := w.end(u, "aborted")
	err := s.AbortMultipartUpload(w.ctx, "b", u.key, u.id)
	end(err)
	w.fail("AbortMultipartUpload", err, store.ErrNoSuchUpload)
}

// look reads all that there is, when nobody changes it, and judges the whole
// history.
func (w *workload) look(s *store.Store) error {
	for _, key := range []string{"k1", "k2", "k3", "copy"} {
		w.get(s, key, func() {})
	}
	w.getConfig(s)
	for _, domain := range w.domains {
		w.lookupCname(s, domain)
	}
	var errs []error
	for _, u := range w.uploads {
		errs = append(errs, w.judge(u, w.listParts(s, u) != nil))
	}
	return errors.Join(append(errs, w.rec.explain())...)
}

// judge sees that an upload was ended once at most, and is open if it was not.
func (w *workload) judge(u *work, open bool) error {
	w.rec.mu.Lock()
	defer w.rec.mu.Unlock()
	winner, maybe := "", false
	for _, e := range u.ends {
		switch e.outcome {
		case doubted:
			maybe = true
		case applied:
			if winner != "" && winner != e.list {
				return fmt.Errorf("upload %s was %s and %s", u.id, winner, e.list)
			}
			winner = e.list
		}
	}
	switch {
	case open && winner != "":
		return fmt.Errorf("upload %s was %s and is open", u.id, winner)
	case !open && winner == "" && !maybe && u.begun.outcome == applied:
		return fmt.Errorf("upload %s has ended, but nobody ended it", u.id)
	}
	for _, x := range w.rec.reads[u.key] {
		if x.value == u.value && (open || winner == "aborted") {
			return fmt.Errorf("upload %s was never completed, but its object was read", u.id)
		}
	}
	return nil
}
