package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/ossastore/ossa/test/process"
)

// verify compares all that the server tells with what must be, and settles
// what was in doubt: it returns how many objects and open uploads there are.
func (w *world) verify(urls process.Addresses) (objects, uploads int, err error) {
	ctx := context.Background()
	c := newClient(urls.API, true)
	defer c.close()

	listed, err := c.listMultipartUploads(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("ListMultipartUploads: %w", err)
	}
	errs := make([]error, len(w.workers))
	var wait sync.WaitGroup
	for i, worker := range w.workers {
		wait.Go(func() { errs[i] = worker.verify(ctx, urls, listed) })
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		return 0, 0, err
	}
	keys, err := c.listObjects(ctx)
	if err != nil {
		return 0, 0, fmt.Errorf("ListObjects: %w", err)
	}
	if err := w.sameRules(ctx, c); err != nil {
		return 0, 0, err
	}
	if err := w.listedUnderRules(keys, listed); err != nil {
		return 0, 0, err
	}
	uploads, err = w.noStrangeUploads(listed)
	if err != nil {
		return 0, 0, err
	}
	objects, err = w.exactlyTheseObjects(keys)
	return objects, uploads, err
}

// noStrangeUploads finds listed uploads that no worker knows.
func (w *world) noStrangeUploads(listed map[uploadName]bool) (int, error) {
	known := 0
	for _, worker := range w.workers {
		for name := range worker.uploads {
			if listed[name] {
				known++
			}
		}
	}
	if known != len(listed) {
		return 0, fmt.Errorf("%d uploads are listed and %d should be", len(listed), known)
	}
	return known, nil
}

func (w *world) exactlyTheseObjects(listed map[string]int64) (int, error) {
	count := 0
	for _, worker := range w.workers {
		for key, may := range worker.objects {
			if may[0] == nil {
				continue
			}
			count++
			if size, ok := listed[key]; !ok || size != may[0].size {
				return 0, fmt.Errorf("ListObjects: %q is listed: %v, with size %d, want %d", key, ok, size, may[0].size)
			}
		}
	}
	if count != len(listed) {
		return 0, fmt.Errorf("%d objects are listed and %d should be", len(listed), count)
	}
	return count, nil
}

// verify checks one worker's uploads and objects.
func (w *worker) verify(ctx context.Context, urls process.Addresses, listed map[uploadName]bool) error {
	w.connect(urls)
	defer w.close()
	if err := w.account.verify(ctx); err != nil {
		return err
	}

	if err := w.ruled.verify(ctx, listed); err != nil {
		return err
	}
	if err := w.adoptInitiated(listed); err != nil {
		return err
	}
	for name, u := range w.uploads {
		if err := w.verifyUpload(ctx, name, u, listed[name]); err != nil {
			return fmt.Errorf("upload %s of %q: %w", name.UploadId, name.Key, err)
		}
	}
	// First repeat, then look at the objects: a repeat must not change them.
	for _, do := range w.finished {
		err := w.c.completeMultipartUpload(ctx, do.name.Key, do.name.UploadId, do.numbers, do.v, do.all)
		if err != nil {
			return fmt.Errorf("repeated Complete of %s of %q: %w", do.name.UploadId, do.name.Key, err)
		}
	}
	for _, name := range keyNames {
		if err := w.lookAtObject(ctx, w.prefix+name); err != nil {
			return fmt.Errorf("object %q: %w", w.prefix+name, err)
		}
	}
	return nil
}

// adoptInitiated takes on the upload that an Initiate in doubt may have made.
func (w *worker) adoptInitiated(listed map[uploadName]bool) error {
	if w.initiated == "" {
		return nil
	}
	var strange []uploadName
	for name := range listed {
		if _, known := w.uploads[name]; !known && name.Key == w.initiated {
			strange = append(strange, name)
		}
	}
	if len(strange) > 1 {
		return fmt.Errorf("one Initiate of %q made %d uploads", w.initiated, len(strange))
	}
	for _, name := range strange {
		w.uploads[name] = &upload{parts: map[int][]*content{}}
	}
	w.initiated = ""
	return nil
}

func (w *worker) verifyUpload(ctx context.Context, name uploadName, u *upload, open bool) error {
	parts, err := w.c.listParts(ctx, name.Key, name.UploadId)
	if !open {
		return w.verifyGone(name, u, err)
	}
	if err != nil {
		return fmt.Errorf("ListParts: %w", err)
	}
	if u.outcome != nil { // it has not completed, so the object is the old one
		w.objects[name.Key] = slices.DeleteFunc(w.objects[name.Key], func(v *content) bool { return v == u.outcome.v })
	}
	u.mayBeGone, u.outcome = false, nil
	return u.verifyParts(parts)
}

// verifyGone accepts an upload that is not listed if it may have ended, and
// learns from it what the object must be.
func (w *worker) verifyGone(name uploadName, u *upload, listParts error) error {
	if !u.mayBeGone {
		return fmt.Errorf("it is lost: %d parts were acknowledged, ListParts says %v", len(u.parts), listParts)
	}
	if !isCode(listParts, "NoSuchUpload") {
		return fmt.Errorf("it is not listed any more, but ListParts says %v", listParts)
	}
	delete(w.uploads, name)
	if u.outcome != nil {
		w.objects[name.Key] = []*content{u.outcome.v}
		w.finish(u.outcome)
	}
	return nil
}

func (u *upload) verifyParts(listed map[int]listedPart) error {
	for number := range listed {
		if _, ok := u.parts[number]; !ok {
			return fmt.Errorf("part %d was never sent", number)
		}
	}
	for number, may := range u.parts {
		p, ok := listed[number]
		i := slices.IndexFunc(may, func(v *content) bool {
			if v == nil || !ok {
				return v == nil && !ok
			}
			return p.ETag == v.etag() && p.Size == v.size && p.HashCrc64ecma == strconv.FormatUint(v.crc64, 10)
		})
		switch {
		case i < 0:
			return fmt.Errorf("part %d: listed %v %+v, want %v", number, ok, p, may)
		case may[i] == nil:
			delete(u.parts, number)
		default:
			u.parts[number] = []*content{may[i]}
		}
	}
	return nil
}

// lookAtObject reads the object whole and finds it among what key may hold.
func (w *worker) lookAtObject(ctx context.Context, key string) error {
	may := w.allowed(key)
	got, err := w.c.getObject(ctx, key)
	if isCode(err, "NoSuchKey") {
		if !slices.Contains(may, nil) {
			return fmt.Errorf("it is lost: there was %v", may)
		}
		delete(w.objects, key)
		return nil
	}
	if err != nil {
		return fmt.Errorf("GetObject: %w", err)
	}
	i := slices.IndexFunc(may, got.is)
	if i < 0 {
		return fmt.Errorf("it holds %v, want %v", got, may)
	}
	w.objects[key] = []*content{may[i]}
	return nil
}
