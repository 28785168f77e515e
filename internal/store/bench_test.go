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

// BenchmarkGetBucketStat counts a bucket of many small objects on a disk, which
// costs a look at each.
func BenchmarkGetBucketStat(b *testing.B) {
	const objects, writers = 20000, 64
	ctx, s := context.Background(), openBench(b)
	var n atomic.Int64
	done := make(chan error, writers)
	for range writers {
		go func() {
			var err error
			for i := n.Add(1); i <= objects && err == nil; i = n.Add(1) {
				_, err = s.PutObject(ctx, &store.PutObjectRequest{Bucket: "b", Key: fmt.Sprintf("key-%08d", i), Body: body([]byte("hello"))})
			}
			done <- err
		}()
	}
	for range writers {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if st, err := s.GetBucketStat(ctx, "b"); err != nil || st.Objects != objects {
			b.Fatal(st, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/objects, "ns/object")
}
