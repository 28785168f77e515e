package pebblekv_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

// BenchmarkCommit measures commits of one row of 300 bytes by so many
// goroutines, each in a partition of its own, on the disk of TMPDIR.
func BenchmarkCommit(b *testing.B) {
	for _, goroutines := range []int{1, 8, 64} {
		b.Run(fmt.Sprintf("goroutines=%d", goroutines), func(b *testing.B) {
			e := benchOpen(b)
			for i := range goroutines {
				benchCreate(b, e, partition(i))
			}
			value := make([]byte, 300)
			took := make([][]time.Duration, goroutines)
			b.ResetTimer()
			var wg sync.WaitGroup
			for i := range goroutines {
				wg.Go(func() {
					for n := i; n < b.N; n += goroutines {
						begin := time.Now()
						benchPut(b, e, partition(i), fmt.Sprintf("k%09d", n), value)
						took[i] = append(took[i], time.Since(begin))
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			all := slices.Concat(took...)
			slices.Sort(all)
			b.ReportMetric(float64(all[len(all)/2].Microseconds()), "µs-p50")
			b.ReportMetric(float64(all[len(all)*99/100].Microseconds()), "µs-p99")
		})
	}
}

// BenchmarkGet measures Get of one row, and of four at one instant, of 10000.
func BenchmarkGet(b *testing.B) {
	e := benchOpen(b)
	benchFill(b, e, 10000)
	b.Run("rows=1", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			rows, err := e.Get(context.Background(), partition(0), rowName(n%10000))
			if err != nil || rows[0].Value == nil {
				b.Fatal(rows, err)
			}
		}
	})
	b.Run("rows=4", func(b *testing.B) {
		for n := 0; b.Loop(); n++ {
			_, err := e.Get(context.Background(), partition(0), []byte("h"), rowName(n%10000), rowName((n+1)%10000), []byte("none"))
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkScan measures a Scan of 1000 rows of 300 bytes.
func BenchmarkScan(b *testing.B) {
	e := benchOpen(b)
	benchFill(b, e, 10000)
	for b.Loop() {
		rows, _, err := e.Scan(context.Background(), partition(0), rowName(5000), nil, 1000)
		if err != nil || len(rows) != 1000 {
			b.Fatal(len(rows), err)
		}
	}
}

// BenchmarkDrop measures the life of a small partition, as of an upload: made,
// dropped, and a row read elsewhere.
func BenchmarkDrop(b *testing.B) {
	e := benchOpen(b)
	benchFill(b, e, 1000)
	for n := 0; b.Loop(); n++ {
		p := partition(1 + n)
		benchCreate(b, e, p)
		if err := e.Drop(context.Background(), p); err != nil {
			b.Fatal(err)
		}
		if _, _, err := e.Scan(context.Background(), partition(0), nil, nil, 10); err != nil {
			b.Fatal(err)
		}
	}
}

func partition(i int) kv.Partition { return kv.Partition(fmt.Sprintf("partition-%08d", i)) }

func rowName(i int) []byte { return fmt.Appendf(nil, "k%09d", i) }

func benchOpen(b *testing.B) *pebblekv.Engine {
	e, err := pebblekv.Open(b.TempDir(), pebblekv.Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

func benchCreate(b *testing.B, e kv.Engine, p kv.Partition) {
	if err := e.Create(context.Background(), p, []kv.Write{{Key: []byte("h"), Value: []byte("0")}}); err != nil {
		b.Fatal(err)
	}
}

func benchPut(b *testing.B, e kv.Engine, p kv.Partition, key string, value []byte) {
	guards := []kv.Guard{{Key: []byte("h"), Value: []byte("0")}, {Key: []byte(key)}}
	if err := e.Commit(context.Background(), p, guards, []kv.Write{{Key: []byte(key), Value: value}}); err != nil {
		b.Error(err)
	}
}

func benchFill(b *testing.B, e kv.Engine, n int) {
	benchCreate(b, e, partition(0))
	for i := 0; i < n; i += 500 {
		var rows []kv.Write
		for j := i; j < i+500; j++ {
			rows = append(rows, kv.Write{Key: rowName(j), Value: make([]byte, 300)})
		}
		guards := []kv.Guard{{Key: []byte("h"), Value: []byte("0")}, {Key: rows[0].Key}}
		if err := e.Commit(context.Background(), partition(0), guards, rows); err != nil {
			b.Fatal(err)
		}
	}
}
