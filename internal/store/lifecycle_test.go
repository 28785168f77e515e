package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

func (e *env) bucket() store.Bucket {
	e.t.Helper()
	b, err := e.GetBucketInfo(e.ctx, "b")
	e.must(err)
	return *b
}

func expireAll(*store.Object) store.Verdict { return store.Verdict{Expire: true} }

func always(*store.UploadState) bool { return true }

// What is due goes and gives its space back, what is moved keeps its bytes and
// its time, and all others stay.
func TestApplyLifecycle(t *testing.T) {
	e := newEnv(t)
	var keys []string
	for i := range 250 { // more than one commit takes
		keys = append(keys, fmt.Sprintf("k%03d", i))
		e.put(keys[i], data(uint64(i), 10+i))
	}
	before, err := e.HeadObject(e.ctx, "b", keys[1])
	e.must(err)
	judged, err := e.ApplyLifecycle(e.ctx, e.bucket(), append(keys, "none"), func(o *store.Object) store.Verdict {
		switch o.Size % 3 {
		case 0:
			return store.Verdict{Expire: true}
		case 2:
			return store.Verdict{StorageClass: "IA"}
		}
		return store.Verdict{StorageClass: o.StorageClass}
	})
	e.must(err)
	expired, moved := 0, 0
	for _, j := range judged {
		if j.Expire {
			expired++
		} else {
			moved++
		}
	}
	if expired != 83 || moved != 83 || len(judged) != 166 {
		t.Errorf("%d expired, %d moved of %d", expired, moved, len(judged))
	}
	e.clean()
	for i, key := range keys {
		o, err := e.HeadObject(e.ctx, "b", key)
		switch (10 + i) % 3 {
		case 0:
			e.want(err, store.ErrNoSuchKey)
			continue
		case 1:
			if e.must(err); o.StorageClass != "Standard" {
				t.Errorf("%s is %s", key, o.StorageClass)
			}
		case 2:
			if e.must(err); o.StorageClass != "IA" {
				t.Errorf("%s is %s", key, o.StorageClass)
			}
		}
		if i == 1 && !o.LastModified.Equal(before.LastModified) {
			t.Errorf("modified %v, was %v", o.LastModified, before.LastModified)
		}
		if got := e.get(key); !bytes.Equal(got, data(uint64(i), 10+i)) {
			t.Errorf("%s differs", key)
		}
	}
	if n := e.blob.Len(); n != 250-83 {
		t.Errorf("%d extents left", n)
	}
}

// An object that is overwritten between judgement and commit is judged anew.
func TestLifecycleBesideOverwrite(t *testing.T) {
	for _, together := range []bool{false, true} {
		t.Run(fmt.Sprintf("together=%t", together), func(t *testing.T) {
			e, k := newSteppedEnv(t, nil)
			old := e.put("k", data(1, 100))
			keys := []string{"k"}
			if together {
				e.put("l", data(2, 100))
				keys = append(keys, "l")
			}
			k.once(writesTo("o/"), func(do func() error) error {
				e.put("k", data(3, 100))
				return do()
			})
			var versions []string
			judged, err := e.ApplyLifecycle(e.ctx, e.bucket(), keys, func(o *store.Object) store.Verdict {
				if o.Key == "k" {
					versions = append(versions, o.Version)
					return store.Verdict{Expire: o.Version == old.Version}
				}
				return store.Verdict{Expire: true}
			})
			e.must(err)
			if got := e.get("k"); !bytes.Equal(got, data(3, 100)) {
				t.Error("object differs")
			}
			if len(versions) != 2 || len(judged) != len(keys)-1 {
				t.Errorf("judged %q, and then did %d things", versions, len(judged))
			}
			e.clean()
		})
	}
}

// Tags that are taken away in time keep an object.
func TestLifecycleBesideTagging(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	e.put("k", data(1, 100))
	e.must(e.PutObjectTagging(e.ctx, "b", "k", []store.Tag{{Key: "goes"}}))
	k.once(writesTo("o/"), func(do func() error) error {
		e.must(e.PutObjectTagging(e.ctx, "b", "k", nil))
		return do()
	})
	judged, err := e.ApplyLifecycle(e.ctx, e.bucket(), []string{"k"}, func(o *store.Object) store.Verdict {
		return store.Verdict{Expire: len(o.Tags) > 0}
	})
	e.must(err)
	if len(judged) != 0 {
		t.Errorf("%+v", judged)
	}
	e.get("k")
}

// What one object is in conflict about is not in the way of others.
func TestLifecycleBesideConflicts(t *testing.T) {
	e, k := newSteppedEnv(t, nil)
	e.put("k", data(1, 100))
	e.put("l", data(2, 100))
	k.once(writesTo("o/"), func(do func() error) error {
		e.must(e.DeleteObject(e.ctx, "b", "k"))
		return do()
	})
	judged, err := e.ApplyLifecycle(e.ctx, e.bucket(), []string{"k", "l"}, expireAll)
	e.must(err)
	if len(judged) != 1 || judged[0].Key != "l" {
		t.Errorf("%+v", judged)
	}
	e.clean()
}

// A bucket that was made again under its name is not the one that was judged.
func TestLifecycleOfBucketMadeAgain(t *testing.T) {
	e := newEnv(t)
	was := e.bucket()
	e.must(e.DeleteBucket(e.ctx, "b"))
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	e.put("k", data(1, 100))
	id := e.initiate("k")
	for range 2 { // before and after it is cleared away
		_, err := e.ApplyLifecycle(e.ctx, was, []string{"k"}, expireAll)
		e.want(err, store.ErrNoSuchBucket)
		_, err = e.AbortDueUpload(e.ctx, was, "k", id, always)
		e.want(err, store.ErrNoSuchBucket)
		_, err = e.GetUploadState(e.ctx, was, "k", id)
		e.want(err, store.ErrNoSuchBucket)
		e.must(e.Reclaim(e.ctx))
	}
	e.want(e.PutLifecycleCursor(e.ctx, was, store.LifecycleCursor{Done: true}), store.ErrNoSuchBucket)
	e.get("k")
	e.part("k", id, 1, data(2, 100))
	e.clean()
}

// An upload that is due goes with its parts; how it was is told.
func TestAbortDueUpload(t *testing.T) {
	e := newEnv(t)
	id := e.initiate("k")
	e.part("k", id, 1, data(1, 100))
	e.part("k", id, 1, data(2, 200))
	last := e.part("k", id, 2, data(3, 50))
	var seen store.UploadState
	st, err := e.AbortDueUpload(e.ctx, e.bucket(), "k", id, func(st *store.UploadState) bool {
		seen = *st
		return false
	})
	e.must(err)
	if st != nil || seen.Parts != 2 || seen.Bytes != 250 || !seen.Last.After(seen.Initiated) || seen.Key != "k" || seen.ID != id {
		t.Errorf("left alone: %+v; %+v", st, seen)
	}
	if _, err := e.ListParts(e.ctx, &store.ListPartsRequest{Bucket: "b", Key: "k", UploadID: id, Max: 10}); err != nil {
		t.Error(err)
	}
	st, err = e.AbortDueUpload(e.ctx, e.bucket(), "k", id, always)
	e.must(err)
	if st == nil || st.Bytes != 250 {
		t.Errorf("aborted: %+v", st)
	}
	_, err = e.complete("k", id, last)
	e.want(err, store.ErrNoSuchUpload)
	st, err = e.AbortDueUpload(e.ctx, e.bucket(), "k", id, always)
	if e.must(err); st != nil {
		t.Errorf("aborted again: %+v", st)
	}
	e.clean()
	if n := e.blob.Len(); n != 0 {
		t.Errorf("%d extents left", n)
	}
}

// meanwhile is a body that calls when it is first read.
type meanwhile struct {
	*bytes.Reader
	once sync.Once
	call func()
}

func (m *meanwhile) Read(p []byte) (int, error) {
	m.once.Do(m.call)
	return m.Reader.Read(p)
}

// An upload is left alone while a part of it is being received, sent or copied.
func TestAbortDueUploadBesidePart(t *testing.T) {
	e := newEnv(t)
	e.put("source", data(4, 100))
	id := e.initiate("k")
	tries := 0
	try := func() {
		st, err := e.AbortDueUpload(e.ctx, e.bucket(), "k", id, always)
		if e.must(err); st != nil {
			t.Errorf("aborted under a part: %+v", st)
		}
		tries++
	}
	p := data(1, 100)
	_, err := e.UploadPart(e.ctx, &store.UploadPartRequest{
		Bucket: "b", Key: "k", UploadID: id, PartNumber: 1,
		Body: store.Body{Size: 100, Reader: &meanwhile{Reader: bytes.NewReader(p), call: try}},
	})
	e.must(err)
	_, err = e.UploadPartCopy(e.ctx, &store.UploadPartCopyRequest{
		Bucket: "b", Key: "k", UploadID: id, PartNumber: 2, Source: store.CopySource{Bucket: "b", Key: "source"},
		Range: func(size int64) (int64, int64) { try(); return 0, size },
	})
	e.must(err)
	if tries != 2 {
		t.Errorf("tried %d times", tries)
	}
	st, err := e.AbortDueUpload(e.ctx, e.bucket(), "k", id, always)
	if e.must(err); st == nil || st.Parts != 2 {
		t.Errorf("when nothing comes any more: %+v", st)
	}
}

// A part that begins while its upload's end is being considered waits, and then
// finds what was decided, before its body is read.
func TestPartBesideAbortDueUpload(t *testing.T) {
	e := newEnv(t)
	for _, due := range []bool{false, true} {
		id := e.initiate("k")
		read := atomic.Bool{}
		part := func(ctx context.Context) error {
			_, err := e.UploadPart(ctx, &store.UploadPartRequest{
				Bucket: "b", Key: "k", UploadID: id, PartNumber: 1,
				Body: store.Body{Size: 100, Reader: &meanwhile{Reader: bytes.NewReader(data(1, 100)), call: func() { read.Store(true) }}},
			})
			return err
		}
		done := make(chan error, 1)
		_, err := e.AbortDueUpload(e.ctx, e.bucket(), "k", id, func(*store.UploadState) bool {
			// One that does not want to wait: it has not got any further.
			gone, leave := context.WithCancel(e.ctx)
			leave()
			if err := part(gone); !errors.Is(err, context.Canceled) || read.Load() {
				t.Errorf("part did not wait: %v", err)
			}
			go func() { done <- part(e.ctx) }()
			return due
		})
		e.must(err)
		err = <-done
		if due {
			if e.want(err, store.ErrNoSuchUpload); read.Load() {
				t.Error("the body was read for nothing")
			}
		} else if err != nil {
			t.Errorf("part of an upload that was left alone: %v", err)
		}
	}
	e.clean()
}

// A lifecycle that aborts races with parts, Completes and Aborts: one end wins,
// an object has all its bytes, and a part that was acknowledged is in the upload
// that is judged or in the object.
func TestAbortDueUploadRaces(t *testing.T) {
	e := newEnv(t)
	bucket := e.bucket()
	p := data(1, 1000)
	won := make(map[string]int)
	for round := range 300 {
		key := fmt.Sprintf("k%d", round)
		id := e.initiate(key)
		first := e.part(key, id, 1, p)
		var all sync.WaitGroup
		var aborted, expired, completed, acked atomic.Bool
		var judged int64
		all.Go(func() {
			st, err := e.AbortDueUpload(e.ctx, bucket, key, id, always)
			if err != nil {
				t.Errorf("AbortDueUpload: %v", err)
			}
			if st != nil {
				expired.Store(true)
				judged = st.Parts
			}
		})
		all.Go(func() {
			_, err := e.UploadPart(e.ctx, &store.UploadPartRequest{Bucket: "b", Key: key, UploadID: id, PartNumber: 2, Body: body(p)})
			acked.Store(err == nil)
			if err != nil && !errors.Is(err, store.ErrNoSuchUpload) {
				t.Errorf("UploadPart: %v", err)
			}
		})
		if rand.IntN(2) == 0 {
			all.Go(func() {
				_, err := e.complete(key, id, first)
				completed.Store(err == nil)
				if err != nil && !errors.Is(err, store.ErrNoSuchUpload) {
					t.Errorf("CompleteMultipartUpload: %v", err)
				}
			})
		}
		if rand.IntN(3) == 0 {
			all.Go(func() {
				err := e.AbortMultipartUpload(e.ctx, "b", key, id)
				aborted.Store(err == nil)
				if err != nil && !errors.Is(err, store.ErrNoSuchUpload) {
					t.Errorf("AbortMultipartUpload: %v", err)
				}
			})
		}
		all.Wait()
		ends := 0
		for what, happened := range map[string]bool{"aborted": aborted.Load(), "expired": expired.Load(), "completed": completed.Load()} {
			if happened {
				ends++
				won[what]++
			}
		}
		_, err := e.HeadObject(e.ctx, "b", key)
		open := e.GetUpload(e.ctx, "b", key, id) == nil && !completed.Load()
		switch {
		case ends > 1, ends == 0 && !open, ends == 1 && open:
			t.Errorf("%d ends, open %t", ends, open)
		case completed.Load() != (err == nil):
			t.Errorf("completed %t, object: %v", completed.Load(), err)
		case expired.Load() && acked.Load() && judged != 2:
			t.Errorf("a part was acknowledged and %d were judged", judged)
		}
		if open {
			won["open"]++
			e.must(e.AbortMultipartUpload(e.ctx, "b", key, id))
		}
	}
	t.Logf("%v", won)
	if won["expired"] == 0 || won["completed"] == 0 {
		t.Errorf("one never won: %v", won)
	}
	e.clean()
}

// Objects are overwritten all the time while a lifecycle expires what it has
// seen: no object is ever gone but the very one that it judged.
func TestLifecycleRacesOverwrite(t *testing.T) {
	e := newEnv(t)
	bucket := e.bucket()
	e.put("other", data(1, 10))
	expired := make(map[string]bool) // by version
	var gone []string                // versions that were written and not found
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			written := e.put("k", data(2, 50)).Version
			switch o, err := e.HeadObject(e.ctx, "b", "k"); {
			case errors.Is(err, store.ErrNoSuchKey):
				gone = append(gone, written)
			case err != nil || o.Version != written:
				t.Errorf("%v, %+v", err, o)
			}
		}
	})
	for len(expired) < 100 {
		o, err := e.HeadObject(e.ctx, "b", "k")
		if errors.Is(err, store.ErrNoSuchKey) {
			continue
		}
		e.must(err)
		keys := []string{"k"}
		if len(expired)%2 == 0 {
			keys = append(keys, "other")
		}
		judged, err := e.ApplyLifecycle(e.ctx, bucket, keys, func(now *store.Object) store.Verdict {
			return store.Verdict{Expire: now.Version == o.Version}
		})
		e.must(err)
		for _, j := range judged {
			if j.Version != o.Version || expired[j.Version] {
				t.Errorf("expired %s, judged %s", j.Version, o.Version)
			}
			expired[j.Version] = true
		}
	}
	close(stop)
	writer.Wait()
	for _, version := range gone {
		if !expired[version] {
			t.Errorf("%s is gone and was not judged", version)
		}
	}
	e.get("other")
	e.clean()
}

// A cursor is kept as it was put, in its bucket, and goes with it.
func TestLifecycleCursor(t *testing.T) {
	e := newEnv(t)
	c, err := e.GetLifecycleCursor(e.ctx, e.bucket())
	e.must(err)
	if !c.Began.IsZero() || c.Done {
		t.Errorf("none: %+v", c)
	}
	for _, want := range []store.LifecycleCursor{
		{Began: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Rules: []byte("d"), After: "k\x00\xff"},
		{Began: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Rules: []byte("d"), Done: true},
	} {
		for range 2 {
			e.must(e.PutLifecycleCursor(e.ctx, e.bucket(), want))
		}
		got, err := e.GetLifecycleCursor(e.ctx, e.bucket())
		e.must(err)
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	e.clean()
	e.must(e.DeleteBucket(e.ctx, "b"))
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	if c, err = e.GetLifecycleCursor(e.ctx, e.bucket()); err != nil || c.Done {
		t.Errorf("of the new bucket: %+v, %v", c, err)
	}
}
