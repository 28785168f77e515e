package store_test

import (
	"bytes"
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/store"
)

// BenchmarkUploadPart stores durable parts of 5 MiB on a disk, from as many
// goroutines as its name says.
func BenchmarkUploadPart(b *testing.B) {
	for _, conns := range []int{1, 4, 8} {
		b.Run(fmt.Sprintf("conns=%d", conns), func(b *testing.B) {
			ctx := context.Background()
			s := openBench(b)
			id, err := s.InitiateMultipartUpload(ctx, &store.InitiateMultipartUploadRequest{Bucket: "b", Key: "k"})
			if err != nil {
				b.Fatal(err)
			}
			p := data(1, 5<<20)
			b.SetBytes(int64(len(p)))
			var n atomic.Int64
			b.ResetTimer()
			done := make(chan error, conns)
			for range conns {
				go func() {
					for n.Add(1) <= int64(b.N) {
						_, err := s.UploadPart(ctx, &store.UploadPartRequest{
							Bucket: "b", Key: "k", UploadID: id, PartNumber: store.PartNumber(n.Load()%store.MaxParts + 1),
							Body: store.Body{Reader: bytes.NewReader(p), Size: int64(len(p))},
						})
						if err != nil {
							done <- err
							return
						}
					}
					done <- nil
				}()
			}
			for range conns {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// openBench opens a store with one bucket, "b", on a disk.
func openBench(b *testing.B) *store.Store {
	b.Helper()
	ctx := context.Background()
	e, err := engine.Open(engine.Options{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { e.Close() })
	s, err := store.Open(ctx, e.KV, e.Blob, store.Options{})
	if err != nil {
		b.Fatal(err)
	}
	if err := s.PutBucket(ctx, &store.PutBucketRequest{Bucket: "b"}); err != nil {
		b.Fatal(err)
	}
	return s
}
