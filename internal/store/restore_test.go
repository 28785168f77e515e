package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

// frozen is an env whose restorations take an hour, and an object "k" of a
// class in it.
func frozen(t *testing.T, class string) *env {
	t.Helper()
	e := &env{t: t, ctx: context.Background(), blob: memblob.New(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	s, err := store.Open(e.ctx, memkv.New(), e.blob, store.Options{Clock: e.clock, RestoreTime: time.Hour})
	e.must(err)
	e.Store = s
	t.Cleanup(func() { s.Close() })
	e.must(s.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	e.putClass("k", class)
	return e
}

func (e *env) putClass(key, class string) {
	e.t.Helper()
	_, err := e.PutObject(e.ctx, &store.PutObjectRequest{
		Bucket: "b", Key: key, Attributes: store.Attributes{StorageClass: class}, Body: body([]byte("hello")),
	})
	e.must(err)
}

func (e *env) restore(key string, days int) (*store.RestoreObjectResult, error) {
	return e.RestoreObject(e.ctx, &store.RestoreObjectRequest{
		Bucket: "b", Key: key, Days: func(*store.Object) (int, error) { return days, nil },
	})
}

// read says what reading an object ends in.
func (e *env) read(key string) error {
	r, err := e.GetObject(e.ctx, "b", key)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.WriteRange(e.ctx, new(bytes.Buffer), 0, r.Object.Size)
}

func (e *env) copyOnto(source, key, class string) error {
	_, err := e.CopyObject(e.ctx, &store.CopyObjectRequest{
		Bucket: "b", Key: key, Source: store.CopySource{Bucket: "b", Key: source},
		Attributes: func(a store.Attributes) store.Attributes { a.StorageClass = class; return a },
	})
	return err
}

func (e *env) head(key string) *store.Object {
	e.t.Helper()
	o, err := e.HeadObject(e.ctx, "b", key)
	e.must(err)
	return o
}

// An object of each archive class goes from frozen to being restored to
// restored and back by nothing but time, and every way of reading it agrees.
func TestRestoreObject(t *testing.T) {
	for class, longest := range map[string]int{"Archive": 7, "ColdArchive": 365, "DeepColdArchive": 365} {
		t.Run(class, func(t *testing.T) {
			e := frozen(t, class)
			id := e.initiate("u")
			check := func(where string, state error) {
				t.Helper()
				_, partErr := e.UploadPartCopy(e.ctx, &store.UploadPartCopyRequest{
					Bucket: "b", Key: "u", UploadID: id, PartNumber: 1, Source: store.CopySource{Bucket: "b", Key: "k"},
				})
				for what, err := range map[string]error{
					"GetObject": e.read("k"), "CopyObject": e.copyOnto("k", "copy", "Standard"), "UploadPartCopy": partErr,
				} {
					if !errors.Is(err, state) {
						t.Errorf("%s: %s: %v, want %v", where, what, err, state)
					}
				}
				r, err := e.GetObject(e.ctx, "b", "k")
				e.must(err)
				if r.Close(); r.Readable() != (state == nil) || r.Object.Restore.Done(e.clock()) != (state == nil) {
					t.Errorf("%s: Readable is %v, %+v", where, r.Readable(), r.Object.Restore)
				}
			}
			check("frozen", store.ErrNotRestored)

			res, err := e.restore("k", 2)
			e.must(err)
			if !res.Started || res.StorageClass != class || !e.head("k").Restore.Ongoing(e.clock()) {
				t.Errorf("%+v, and then %+v", res, e.head("k").Restore)
			}
			_, err = e.restore("k", 2)
			e.want(err, store.ErrRestoreInProgress)
			check("being restored", store.ErrNotRestored)

			e.pass(time.Hour)
			check("restored", nil)
			expires := e.head("k").Restore.Expiry
			if left := expires.Sub(e.clock()); left < 47*time.Hour || left > 48*time.Hour {
				t.Errorf("restored for %v more", left)
			}
			res, err = e.restore("k", 3)
			e.must(err)
			if got := e.head("k").Restore.Expiry; res.Started || !got.Equal(expires.Add(72*time.Hour)) {
				t.Errorf("%+v: until %v, was until %v", res, got, expires)
			}
			_, err = e.restore("k", longest)
			e.must(err)
			if got := e.head("k").Restore.Expiry; !got.Equal(expires.Add(time.Duration(longest-2) * 24 * time.Hour)) {
				t.Errorf("until %v, was until %v at first", got, expires)
			}
			e.pass(time.Duration(longest)*24*time.Hour - time.Minute)
			check("a minute before the end", nil)
			e.pass(time.Minute)
			check("over", store.ErrNotRestored)
			res, err = e.restore("k", 1)
			e.must(err)
			if !res.Started {
				t.Error("a restoration that is over was extended")
			}
			e.must(clean(e.ctx, e.Store))
		})
	}
}

// Only archived objects can be restored, and the caller's refusal changes
// nothing.
func TestRestoreObjectRefused(t *testing.T) {
	e := frozen(t, "Archive")
	for _, class := range []string{"", "Standard", "IA"} {
		e.putClass("s", class)
		_, err := e.restore("s", 1)
		e.want(err, store.ErrNotArchived)
		e.must(e.read("s"))
	}
	_, err := e.restore("nothing", 1)
	e.want(err, store.ErrNoSuchKey)
	_, err = e.RestoreObject(e.ctx, &store.RestoreObjectRequest{Bucket: "c", Key: "k"})
	e.want(err, store.ErrNoSuchBucket)
	_, err = e.RestoreObject(e.ctx, &store.RestoreObjectRequest{
		Bucket: "b", Key: "k", Days: func(*store.Object) (int, error) { return 1, errRefused },
	})
	e.want(err, errRefused)
	for _, key := range []string{"k", "s", "nothing"} {
		_, err = e.RestoreObject(e.ctx, &store.RestoreObjectRequest{
			Bucket: "b", Key: key, Check: func(o *store.Object) error {
				if (o == nil) != (key == "nothing") {
					t.Errorf("asked about %v", o)
				}
				return errRefused
			},
		})
		e.want(err, errRefused)
	}
	if o := e.head("k"); o.Restore != (store.Restore{}) {
		t.Errorf("%+v", o.Restore)
	}
}

// Whatever writes an object anew, also with its own bytes, forgets that it was
// restored; what changes it in place does not.
func TestRestoreIsForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		do       func(*env) error
		readable bool
	}{
		"PutObject":               {func(e *env) error { e.putClass("k", "Archive"); return nil }, false},
		"PutObject Standard":      {func(e *env) error { e.putClass("k", "Standard"); return nil }, true},
		"CopyObject onto itself":  {func(e *env) error { return e.copyOnto("k", "k", "Archive") }, false},
		"CopyObject to a colder":  {func(e *env) error { return e.copyOnto("k", "k", "ColdArchive") }, false},
		"CopyObject to Standard":  {func(e *env) error { return e.copyOnto("k", "k", "Standard") }, true},
		"CopyObject from another": {func(e *env) error { e.putClass("x", "IA"); return e.copyOnto("x", "k", "Archive") }, false},
		"CompleteMultipartUpload": {func(e *env) error {
			id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{
				Bucket: "b", Key: "k", Attributes: store.Attributes{StorageClass: "DeepColdArchive"},
			})
			e.must(err)
			part := e.part("k", id, 1, []byte("hello"))
			_, err = e.CompleteMultipartUpload(e.ctx, &store.CompleteMultipartUploadRequest{
				Bucket: "b", Key: "k", UploadID: id, Parts: []store.CompletedPart{part},
			})
			return err
		}, false},
		"PutObjectAcl":     {func(e *env) error { return e.PutObjectAcl(e.ctx, "b", "k", "private") }, true},
		"PutObjectTagging": {func(e *env) error { return e.PutObjectTagging(e.ctx, "b", "k", []store.Tag{{Key: "t"}}) }, true},
	} {
		t.Run(name, func(t *testing.T) {
			e := frozen(t, "Archive")
			_, err := e.restore("k", 1)
			e.must(err)
			e.pass(time.Hour)
			e.must(c.do(e))
			if c.readable {
				e.must(e.read("k"))
			} else {
				e.want(e.read("k"), store.ErrNotRestored)
				if o := e.head("k"); o.Restore != (store.Restore{}) {
					t.Errorf("%+v", o.Restore)
				}
			}
		})
	}
}

// Whether an object can be read is decided when it is opened, with the row that
// is read: a reader reads on when the restoration is over meanwhile, and one
// that was opened too early stays useless.
func TestRestoreIsDecidedAtOpen(t *testing.T) {
	e := frozen(t, "Archive")
	early, err := e.GetObject(e.ctx, "b", "k")
	e.must(err)
	defer early.Close()
	_, err = e.restore("k", 1)
	e.must(err)
	e.pass(time.Hour)
	e.want(early.WriteRange(e.ctx, new(bytes.Buffer), 0, 0), store.ErrNotRestored)

	r, err := e.GetObject(e.ctx, "b", "k")
	e.must(err)
	defer r.Close()
	e.pass(48 * time.Hour)
	e.putClass("k", "Archive")
	e.must(e.Reclaim(e.ctx))
	var b bytes.Buffer
	e.must(r.WriteRange(e.ctx, &b, 0, r.Object.Size))
	if b.String() != "hello" {
		t.Errorf("read %q", b.String())
	}
}

// Of several that restore an object at once one begins and the others are told
// that it has begun.
func TestRestoreObjectOnce(t *testing.T) {
	e := frozen(t, "ColdArchive")
	var wg sync.WaitGroup
	results := make([]string, 8)
	for i := range results {
		wg.Go(func() {
			res, err := e.restore("k", 1)
			results[i] = fmt.Sprint(err == nil && res.Started, errors.Is(err, store.ErrRestoreInProgress))
		})
	}
	wg.Wait()
	started := 0
	for _, r := range results {
		switch r {
		case "true false":
			started++
		case "false true":
		default:
			t.Errorf("result %s", r)
		}
	}
	if started != 1 {
		t.Errorf("%d began", started)
	}
}

// A restoration that meets an overwrite on its way looks again: it is the new
// object that counts.
func TestRestoreMeetsOverwrite(t *testing.T) {
	e, engine := newSteppedEnv(t, nil)
	e.putClass("k", "Archive")
	engine.once(writesTo("o/k"), func(do func() error) error {
		e.putClass("k", "Standard")
		return do()
	})
	_, err := e.restore("k", 1)
	e.want(err, store.ErrNotArchived)
}

// The figures of a bucket: by class, as it is and as it would be billed, with
// what open uploads hold and how long the oldest has been open.
func TestGetBucketStat(t *testing.T) {
	e := frozen(t, "Archive")
	oldest := e.clock()
	for i, class := range []string{"Standard", "IA", "ColdArchive", "DeepColdArchive"} {
		_, err := e.PutObject(e.ctx, &store.PutObjectRequest{
			Bucket: "b", Key: class, Attributes: store.Attributes{StorageClass: class}, Body: body(data(1, 1000+i*40000)),
		})
		e.must(err)
		id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{
			Bucket: "b", Key: class, Attributes: store.Attributes{StorageClass: class},
		})
		e.must(err)
		e.part(class, id, 1, data(1, 10+i))
		e.part(class, id, 2, data(1, 20))
		e.part(class, id, 2, data(1, 30)) // the one replaced counts no more
		e.pass(time.Hour)
	}
	st, err := e.GetBucketStat(e.ctx, "b")
	e.must(err)
	const min = 64 << 10
	for class, want := range map[string]store.ClassStat{
		"Standard":        {Objects: 1, Bytes: 1000, Billed: 1000, Parts: 2, PartBytes: 40},
		"IA":              {Objects: 1, Bytes: 41000, Billed: min, Parts: 2, PartBytes: 41},
		"Archive":         {Objects: 1, Bytes: 5, Billed: min},
		"ColdArchive":     {Objects: 1, Bytes: 81000, Billed: 81000, Parts: 2, PartBytes: 42},
		"DeepColdArchive": {Objects: 1, Bytes: 121000, Billed: 121000, Parts: 2, PartBytes: 43},
	} {
		if st.ByClass[class] != want {
			t.Errorf("%s: %+v, want %+v", class, st.ByClass[class], want)
		}
	}
	if st.Objects != 5 || st.Bytes != 244005 || st.Uploads != 4 || st.Parts != 8 || st.PartBytes != 166 {
		t.Errorf("%+v", st)
	}
	if age := st.OldestUpload.Sub(oldest); age < 0 || age > time.Second {
		t.Errorf("the oldest upload began %v after the first", age)
	}
}
