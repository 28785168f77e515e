package store_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/store"
)

// BenchmarkUploadPart stores durable parts of 5 MiB on a disk, from as many
// goroutines as its name says, encrypted or not.
func BenchmarkUploadPart(b *testing.B) {
	for _, conns := range []int{1, 4, 8} {
		for _, algorithm := range []string{"", store.AES256} {
			b.Run(fmt.Sprintf("conns=%d/encryption=%s", conns, algorithm), func(b *testing.B) { benchmarkUploadPart(b, conns, algorithm) })
		}
	}
}

func benchmarkUploadPart(b *testing.B, conns int, algorithm string) {
	ctx := context.Background()
	s := openBench(b)
	id, err := s.InitiateMultipartUpload(ctx, &store.InitiateMultipartUploadRequest{
		Bucket: "b", Key: "k", Attributes: store.Attributes{Encryption: store.Encryption{Algorithm: algorithm}},
	})
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
}

// BenchmarkGetObject reads an object of 5 MiB from a disk, encrypted or not.
func BenchmarkGetObject(b *testing.B) {
	for _, algorithm := range []string{"", store.AES256} {
		b.Run("encryption="+algorithm, func(b *testing.B) {
			ctx := context.Background()
			s := openBench(b)
			p := data(1, 5<<20)
			_, err := s.PutObject(ctx, &store.PutObjectRequest{
				Bucket: "b", Key: "k", Body: body(p), Attributes: store.Attributes{Encryption: store.Encryption{Algorithm: algorithm}},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(len(p)))
			for b.Loop() {
				r, err := s.GetObject(ctx, "b", "k")
				if err != nil {
					b.Fatal(err)
				}
				if err := r.WriteRange(ctx, io.Discard, 0, r.Object.Size); err != nil {
					b.Fatal(err)
				}
				r.Close()
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
	ring, err := kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := store.Open(ctx, e.KV, e.Blob, store.Options{KeyRing: ring})
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
