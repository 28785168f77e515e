package fileblob_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/blobtest"
	"github.com/ossastore/ossa/internal/blob/fileblob"
)

var owner = blob.Owner{Bucket: "12", Key: "path/to/some/object", UploadID: "0123456789ABCDEF0123456789ABCDEF", PartNumber: 1}

// BenchmarkLarge writes durable parts of 5 MiB in chunks of 1 MiB.
func BenchmarkLarge(b *testing.B) {
	for _, writers := range []int{1, 4, 8} {
		b.Run(fmt.Sprint(writers), func(b *testing.B) {
			benchmarkWrites(b, writers, 5<<20, 1<<20)
		})
	}
}

// BenchmarkSmall writes durable objects.
func BenchmarkSmall(b *testing.B) {
	for _, size := range []int64{4 << 10, 100 << 10} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%dK/%d", size>>10, writers), func(b *testing.B) {
				benchmarkWrites(b, writers, size, int(size))
			})
		}
	}
}

// benchmarkWrites lets writers share b.N extents of size bytes on a real disk.
// Extents are deleted once a gigabyte has gathered, outside the measured time.
func benchmarkWrites(b *testing.B, writers int, size int64, chunk int) {
	e := open(b, vfs.Default, b.TempDir(), fileblob.Options{})
	defer e.Close()
	data := blobtest.Data(1, size)
	b.SetBytes(size)
	b.ReportAllocs()
	cpu := cpuTime(b)
	b.ResetTimer()

	var next atomic.Int64
	var wait sync.WaitGroup
	for range writers {
		wait.Go(func() {
			for next.Add(1) <= int64(b.N) {
				if x, err := writeChunks(e, data, chunk); err != nil {
					b.Error(err)
					return
				} else if size >= 1<<20 {
					e.Delete(context.Background(), x...)
				}
			}
		})
	}
	wait.Wait()

	b.StopTimer()
	spent := cpuTime(b) - cpu
	b.ReportMetric(spent.Seconds()/(float64(b.N)*float64(size)/(1<<30)), "cpu-s/GiB")
	b.ReportMetric(float64(spent.Microseconds())/float64(b.N), "cpu-µs/op")
	b.ReportMetric(float64(e.Stats().Syncs)/float64(b.N), "syncs/op")
}

func writeChunks(e *fileblob.Engine, data []byte, chunk int) ([]blob.Extent, error) {
	w, err := e.Create(context.Background(), owner, int64(len(data)))
	if err != nil {
		return nil, err
	}
	defer w.Abort()
	for len(data) > 0 {
		n := min(chunk, len(data))
		if _, err := w.Write(data[:n]); err != nil {
			return nil, err
		}
		data = data[n:]
	}
	return w.Commit(context.Background())
}

func cpuTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkRead reads a large extent from the page cache, front to back, and
// small ones at random.
func BenchmarkRead(b *testing.B) {
	e := open(b, vfs.Default, b.TempDir(), fileblob.Options{})
	defer e.Close()
	for _, c := range []struct {
		name string
		size int64
		at   int64 // bytes of one read
	}{
		{"64M/1M", 64 << 20, 1 << 20},
		{"64M/256K", 64 << 20, 256 << 10},
		{"4K", 4 << 10, 4 << 10},
	} {
		data := blobtest.Data(1, c.size)
		extents, err := writeChunks(e, data, len(data))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(c.name, func(b *testing.B) {
			p := make([]byte, c.at)
			b.SetBytes(c.at)
			b.ReportAllocs()
			off := int64(0)
			for b.Loop() {
				if _, err := e.ReadAt(context.Background(), extents[0], p, off); err != nil {
					b.Fatal(err)
				}
				off = (off + c.at) % c.size
			}
		})
	}
}
