package oss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// A stream is read into buffers, each of which is a part: only so can a part be
// sent again. All buffers together are bounded; parts grow with their number, so
// that a stream of any length that memory allows fits in the parts there are.

// growEvery is how many parts are of one size before the size doubles.
const growEvery = 1000

// streamPartSize is the size of a part of a stream, by its number.
func (u *uploader) streamPartSize(number int) int64 {
	size := u.partSize
	for n := growEvery; n < number && size < u.memory; n += growEvery {
		size *= 2
	}
	return min(size, u.memory, MaxPartSize)
}

// runStream sends a stream.
func (u *uploader) runStream(ctx context.Context) (*UploadResult, error) {
	u.size = -1
	u.partSize = min(u.choosePartSize(), max(u.memory/2, MinPartSize))
	first := make([]byte, u.streamPartSize(1))
	n, err := u.fill(ctx, first)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err == io.EOF {
		u.size = int64(n)
		u.track.total(u.size)
		u.track.phase(Transferring)
		return u.putBody(ctx, bytesContent(first[:n]))
	}
	have, err := u.openStream(ctx)
	if err != nil {
		return nil, err
	}
	u.track.phase(Transferring)
	if err := u.sendStream(ctx, first, have); err != nil {
		return nil, err
	}
	u.track.total(u.size)
	return u.complete(ctx)
}

// maxEmptyReads is how often a Read may return nothing in a row.
const maxEmptyReads = 100

// fill reads until p is full. At the end of the stream the error is io.EOF, and
// n may be anything up to len(p).
func (u *uploader) fill(ctx context.Context, p []byte) (n int, err error) {
	for empty := 0; n < len(p); empty++ {
		if ctx.Err() != nil {
			return n, u.fail(ended(ctx))
		}
		m, err := u.q.Stream.Read(p[n:])
		n += m
		if m > 0 {
			empty = 0
		}
		switch {
		case err == io.EOF:
			return n, io.EOF
		case err != nil:
			return n, u.fail(&sourceError{err})
		case empty == maxEmptyReads:
			return n, u.fail(&sourceError{io.ErrNoProgress})
		}
	}
	return n, nil
}

// openStream opens an upload, or finds the one to go on with: what it has is
// compared as the stream comes.
func (u *uploader) openStream(ctx context.Context) (have map[int]Part, err error) {
	if u.q.Resume == ResumeAlways {
		open := u.uploads()
		uploads, err := open.latest(ctx)
		if err != nil {
			if err = open.tolerated(ctx, err); err != nil {
				return nil, err
			}
		}
		for _, up := range uploads {
			parts, err := open.parts(ctx, up.UploadID)
			if errors.Is(err, ErrNoSuchUpload) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if filled, _ := u.fits(parts); filled < 0 {
				continue
			}
			u.id = up.UploadID
			u.report.Resumed = true
			have = map[int]Part{}
			for _, p := range withoutMark(parts) {
				have[p.PartNumber] = p
			}
			u.note("going on with upload %s: it has %d parts, which are compared with the stream", u.id, len(have))
			return have, nil
		}
	}
	return nil, u.initiate(ctx)
}

// streamPart is a part in memory.
type streamPart struct {
	number int
	data   []byte
}

// sendStream reads the stream to its end and sends it, first being what was read
// of it.
func (u *uploader) sendStream(ctx context.Context, first []byte, have map[int]Part) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		wg     sync.WaitGroup
		once   sync.Once
		failed error
		queue  = make(chan streamPart)
		free   = make(chan []byte, u.parallel+1)
	)
	for range u.parallel {
		wg.Go(func() {
			for p := range queue {
				if inner.Err() == nil {
					if err := u.settle(inner, p, have); err != nil {
						once.Do(func() { failed = err })
						cancel(err)
					}
				}
				free <- p.data[:cap(p.data)]
			}
		})
	}
	readErr := u.readParts(inner, first, queue, free)
	if readErr != nil {
		cancel(readErr)
	}
	close(queue)
	wg.Wait()
	switch {
	case failed != nil:
		return failed
	case ctx.Err() != nil:
		return u.fail(ended(ctx))
	}
	return readErr
}

// partBuffers are the buffers of a stream. Those in use, and those that wait for
// use, take no more than memory.
type partBuffers struct {
	memory int64 // bytes
	most   int   // buffers
	inUse  int64 // bytes of those that exist
	out    int   // that exist
	free   <-chan []byte
}

// get returns a buffer of a size, once there is room for it.
func (b *partBuffers) get(ctx context.Context, size int64) ([]byte, error) {
	for {
		if b.out < b.most && b.inUse+size <= b.memory || b.out == 0 {
			b.inUse += size
			b.out++
			return make([]byte, size), nil
		}
		select {
		case p := <-b.free:
			if int64(cap(p)) == size {
				return p, nil
			}
			b.inUse -= int64(cap(p))
			b.out--
		case <-ctx.Done():
			return nil, ended(ctx)
		}
	}
}

// readParts cuts the stream into parts; one waits until there is room for it.
func (u *uploader) readParts(ctx context.Context, data []byte, queue chan<- streamPart, free <-chan []byte) error {
	buffers := partBuffers{memory: u.memory, most: u.parallel + 1, inUse: int64(cap(data)), out: 1, free: free}
	u.size = 0
	u.done = nil
	for number := 1; ; number++ {
		last := false
		if number > 1 {
			if number > lastPart {
				return u.fail(fmt.Errorf("the stream is longer than %d parts of at most %d bytes; that needs a larger part size and, in the library, more Memory", lastPart, u.streamPartSize(lastPart)))
			}
			var err error
			if data, err = buffers.get(ctx, u.streamPartSize(number)); err != nil {
				return u.fail(err)
			}
			n, err := u.fill(ctx, data)
			if err != nil && err != io.EOF {
				return err
			}
			last = err == io.EOF
			data = data[:n]
			if n == 0 {
				return nil
			}
		}
		u.size += int64(len(data))
		u.track.mu.Lock()
		u.done = append(u.done, nil)
		u.track.mu.Unlock()
		select {
		case queue <- streamPart{number: number, data: data}:
		case <-ctx.Done():
			return u.fail(ended(ctx))
		}
		if last {
			return nil
		}
	}
}

// settle sees to it that the server has a part.
func (u *uploader) settle(ctx context.Context, p streamPart, have map[int]Part) error {
	n := int64(len(p.data))
	if there, ok := have[p.number]; ok && there.Size == n {
		h := newCRC()
		h.Write(p.data)
		etag := there.ETag
		equal := there.CRC64.Known && there.CRC64.Sum == h.sum
		if !there.CRC64.Known {
			equal = etag == etagOf(p.data)
		}
		u.track.verified(n)
		if equal {
			u.keep(p.number-1, &donePart{etag, h.sum, n}, &u.report.PartsKept, &u.report.BytesKept)
			u.track.placed(n)
			return nil
		}
	}
	d, err := u.sendPart(ctx, p.number, bytesContent(p.data))
	if err != nil {
		return err
	}
	u.keep(p.number-1, d, &u.report.PartsSent, &u.report.BytesSent)
	return nil
}
