package store_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

// Clients that read and send slowly, more of them than there are buffers, keep
// nobody from writing and reading.
func TestSlowClientsStopNobody(t *testing.T) {
	e := &env{t: t, ctx: t.Context(), blob: memblob.New()}
	s, err := store.Open(e.ctx, memkv.New(), e.blob, store.Options{Clock: e.clock, Buffers: 2})
	e.must(err)
	e.Store = s
	e.must(s.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	p := data(1, 1<<20)
	e.put("k", p)

	const slow = 5
	begun, stuck, ended := make(chan struct{}), make(chan struct{}), make(chan error)
	for range slow {
		go func() {
			r, err := s.GetObject(e.ctx, "b", "k")
			if err == nil {
				err = r.WriteRange(e.ctx, &stuckWriter{begun: begun, until: stuck}, 0, r.Object.Size)
				r.Close()
			}
			ended <- err
		}()
		go func() {
			r := &stuckReader{begun: begun, until: stuck, r: bytes.NewReader(p)}
			_, err := s.PutObject(e.ctx, &store.PutObjectRequest{Bucket: "b", Key: "slow", Body: store.Body{Reader: r, Size: int64(len(p))}})
			ended <- err
		}()
	}
	for range 2 * slow {
		<-begun
	}
	e.put("quick", p)
	if !bytes.Equal(e.get("quick"), p) {
		t.Error("object differs")
	}
	close(stuck)
	for range 2 * slow {
		e.must(<-ended)
	}
	if !bytes.Equal(e.get("slow"), p) {
		t.Error("object of a slow client differs")
	}
	e.clean()
}

// stuckWriter and stuckReader tell when they are used first, and then do
// nothing until they are let go.
type stuckWriter struct {
	begun chan<- struct{}
	until <-chan struct{}
	told  bool
}

func (w *stuckWriter) Write(p []byte) (int, error) {
	if !w.told {
		w.told = true
		w.begun <- struct{}{}
		<-w.until
	}
	return len(p), nil
}

type stuckReader struct {
	begun chan<- struct{}
	until <-chan struct{}
	r     io.Reader
	told  bool
}

func (r *stuckReader) Read(p []byte) (int, error) {
	if !r.told {
		r.told = true
		r.begun <- struct{}{}
		<-r.until
	}
	return r.r.Read(p)
}
