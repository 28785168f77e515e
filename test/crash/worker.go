package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/ossastore/ossa/test/process"
)

// Sizes of bodies in bytes. Small and large ones are kept in different ways,
// so there are plenty around the boundary.
const (
	smallMax  = 16 << 10
	mediumMin = 200 << 10
	mediumMax = 300 << 10
	largeMax  = 5 << 20
	partMin   = 100 << 10 // what the protocol wants of all parts but the last
	partMax   = 1 << 20

	lastPart     = 9 // the number that may be smaller
	uploadsMax   = 4 // open at a time, of one worker
	finishedKept = 3 // completed uploads to complete again
)

// keyNames are the keys of each worker, under its own prefix. The odd ones are
// there because names and bytes must survive together.
var keyNames = []string{"one", "two", "three/four", "a b+c", "a//b", "中文/é", "dir/", ".."}

// worker is one client: the only one that touches its keys.
type worker struct {
	prefix string
	v4     bool
	random *rand.Rand
	c      *client

	// objects holds, for each key, what may be there: one entry unless an
	// operation is in doubt. A nil content is no object.
	objects map[string][]*content

	uploads   map[uploadName]*upload
	finished  []*completion
	initiated string // key of an initiate in doubt; "" for none

	account *account
	ruled   *ruled
}

// upload is an open multipart upload.
type upload struct {
	parts map[int][]*content // what may be there, as in objects

	// Of the operation in doubt that ends the upload, if there is one.
	mayBeGone bool
	outcome   *completion // nil for an abort
}

// completion is a CompleteMultipartUpload and what comes of it.
type completion struct {
	name    uploadName
	numbers []int
	v       *content
	all     bool // asked for with x-oss-complete-all
}

func newWorker(number int, random *rand.Rand) *worker {
	prefix := fmt.Sprintf("w%d/", number)
	return &worker{
		account: newAccount(fmt.Sprintf("user-%d", number), prefix, random),
		ruled:   newRuled(number, random),
		prefix:  prefix,
		v4:      number%2 == 0,
		random:  random,
		objects: map[string][]*content{},
		uploads: map[uploadName]*upload{},
	}
}

// run works until the server is gone. Whatever happens before the kill, other
// than success, is an error.
func (w *worker) run(urls process.Addresses, r *running) error {
	w.connect(urls)
	defer w.close()
	for {
		what, err := w.step(context.Background())
		switch {
		case err == nil:
			r.acknowledge()
		case errors.Is(err, errInDoubt) && r.killed.Load():
			r.inDoubt.Add(1)
			return nil
		default:
			r.once.Do(func() { close(r.reached) })
			return fmt.Errorf("%s: %w", what, err)
		}
	}
}

func (w *worker) connect(urls process.Addresses) {
	w.c = newClient(urls.API, w.v4)
	w.ruled.c = w.c
	w.account.connect(urls.API, urls.Admin)
}

func (w *worker) close() {
	w.c.close()
	w.account.admin.HTTP.CloseIdleConnections()
}

// step does one random operation.
func (w *worker) step(ctx context.Context) (what string, err error) {
	if w.random.IntN(6) == 0 {
		return w.account.step(ctx)
	}
	if w.random.IntN(4) == 0 {
		return w.ruled.step(ctx)
	}
	key := w.prefix + keyNames[w.random.IntN(len(keyNames))]
	open := slices.SortedFunc(maps.Keys(w.uploads), func(a, b uploadName) int {
		return slices.Compare([]string{a.Key, a.UploadId}, []string{b.Key, b.UploadId})
	})
	dice := w.random.IntN(100)
	if dice >= 45 && len(open) == 0 || dice >= 92 && len(open) < uploadsMax {
		return "InitiateMultipartUpload " + key, w.initiate(ctx, key)
	}
	if dice < 45 {
		return w.objectStep(ctx, key, dice)
	}
	name := open[w.random.IntN(len(open))]
	what = fmt.Sprintf("%s?uploadId=%s", name.Key, name.UploadId)
	switch {
	case dice < 80:
		return "UploadPart " + what, w.uploadPart(ctx, name)
	case dice < 88:
		return "CompleteMultipartUpload " + what, w.complete(ctx, name)
	default:
		return "AbortMultipartUpload " + what, w.abort(ctx, name)
	}
}

func (w *worker) objectStep(ctx context.Context, key string, dice int) (what string, err error) {
	switch {
	case dice < 15:
		return "PutObject " + key, w.put(ctx, key, w.random.IntN(smallMax))
	case dice < 20:
		return "PutObject " + key, w.put(ctx, key, mediumMin+w.random.IntN(mediumMax-mediumMin))
	case dice < 22:
		return "PutObject " + key, w.put(ctx, key, w.random.IntN(largeMax))
	case dice < 29:
		return "DeleteObject " + key, w.delete(ctx, key)
	case dice < 34:
		return w.copy(ctx, key)
	default:
		return "GetObject " + key, w.get(ctx, key)
	}
}

// settle notes what an operation that would make key hold v has come to.
func (w *worker) settle(key string, v *content, err error) error {
	switch {
	case err == nil:
		w.objects[key] = []*content{v}
	case errors.Is(err, errInDoubt):
		w.objects[key] = append(w.allowed(key), v)
	}
	return err
}

// allowed is what key may hold.
func (w *worker) allowed(key string) []*content {
	if may, ok := w.objects[key]; ok {
		return may
	}
	return []*content{nil}
}

func (w *worker) put(ctx context.Context, key string, size int) error {
	v := newContent([]piece{newPiece(w.random.Uint64(), size)}, false)
	return w.settle(key, v, w.c.putObject(ctx, key, v))
}

func (w *worker) delete(ctx context.Context, key string) error {
	return w.settle(key, nil, w.c.deleteObject(ctx, key))
}

func (w *worker) copy(ctx context.Context, to string) (what string, err error) {
	from := w.prefix + keyNames[w.random.IntN(len(keyNames))]
	what = "CopyObject " + from + " to " + to
	source := w.allowed(from)[0]
	if from == to || source == nil {
		return "GetObject " + from, w.get(ctx, from)
	}
	return what, w.settle(to, source.copy(), w.c.copyObject(ctx, from, to))
}

// get reads an object in the middle of the work.
func (w *worker) get(ctx context.Context, key string) error {
	return w.lookAtObject(ctx, key)
}

func (w *worker) initiate(ctx context.Context, key string) error {
	id, err := w.c.initiateMultipartUpload(ctx, key, w.random.IntN(3) == 0)
	switch {
	case err == nil:
		w.uploads[uploadName{key, id}] = &upload{parts: map[int][]*content{}}
	case errors.Is(err, errInDoubt):
		w.initiated = key
	}
	return err
}

func (w *worker) uploadPart(ctx context.Context, name uploadName) error {
	u := w.uploads[name]
	number := 1 + w.random.IntN(lastPart)
	size := partMin + w.random.IntN(partMax-partMin)
	if number == lastPart {
		size = w.random.IntN(partMax)
	}
	v := newContent([]piece{newPiece(w.random.Uint64(), size)}, false)
	err := w.c.uploadPart(ctx, name.Key, name.UploadId, number, v)
	switch {
	case err == nil:
		u.parts[number] = []*content{v}
	case errors.Is(err, errInDoubt):
		old, ok := u.parts[number]
		if !ok {
			old = []*content{nil}
		}
		u.parts[number] = append(old, v)
	}
	return err
}

// complete completes an upload with all its parts, or with some of them. With
// none it uploads one instead.
func (w *worker) complete(ctx context.Context, name uploadName) error {
	u := w.uploads[name]
	if len(u.parts) == 0 {
		return w.uploadPart(ctx, name)
	}
	do := &completion{name: name, numbers: slices.Sorted(maps.Keys(u.parts))}
	switch w.random.IntN(4) {
	case 0:
		do.all = true
	case 1:
		do.numbers = do.numbers[w.random.IntN(len(do.numbers)):]
	}
	var pieces []piece
	for _, number := range do.numbers {
		pieces = append(pieces, u.parts[number][0].parts[0])
	}
	do.v = newContent(pieces, true)

	err := w.settle(name.Key, do.v, w.c.completeMultipartUpload(ctx, name.Key, name.UploadId, do.numbers, do.v, do.all))
	switch {
	case err == nil:
		w.finish(do)
	case errors.Is(err, errInDoubt):
		u.mayBeGone, u.outcome = true, do
	}
	return err
}

// finish notes that an upload has become its object.
func (w *worker) finish(do *completion) {
	delete(w.uploads, do.name)
	w.finished = append(w.finished, do)
	if len(w.finished) > finishedKept {
		w.finished = w.finished[1:]
	}
}

func (w *worker) abort(ctx context.Context, name uploadName) error {
	err := w.c.abortMultipartUpload(ctx, name.Key, name.UploadId)
	switch {
	case err == nil:
		delete(w.uploads, name)
	case errors.Is(err, errInDoubt):
		w.uploads[name].mayBeGone = true
	}
	return err
}
