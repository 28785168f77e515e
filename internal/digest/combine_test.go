package digest

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestCombineCRC64 cuts messages in two and compares with the CRC of the whole.
func TestCombineCRC64(t *testing.T) {
	for n := range 600 {
		p := randomBytes(uint64(n), n)
		for cut := 0; cut <= n; cut += 1 + n/9 {
			a, b := p[:cut], p[cut:]
			if got, want := CombineCRC64(table(0, a), table(0, b), int64(len(b))), table(0, p); got != want {
				t.Fatalf("length %d cut at %d: %#x, want %#x", n, cut, got, want)
			}
		}
	}
}

// TestCombineLong checks lengths that no test can hash: appending 2n bytes is
// appending n bytes twice, and appending a+b is appending a, then b.
func TestCombineLong(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		a := r.Int64N(math.MaxInt64/2) >> r.IntN(62)
		b := r.Int64N(math.MaxInt64/2) >> r.IntN(62)
		crc := r.Uint64()
		if got, want := CombineCRC64(crc, 0, a+b), CombineCRC64(CombineCRC64(crc, 0, a), 0, b); got != want {
			t.Fatalf("%d+%d zero bytes: %#x, want %#x", a, b, got, want)
		}
	}
	crc, half := uint64(0x995dc9bbdf1939fa), int64(math.MaxInt64/2)
	twice := CombineCRC64(CombineCRC64(crc, 0, half), 0, half)
	// CombineCRC64 with crcB = 0 only multiplies; one more byte makes it 2^63-1.
	if got, want := CombineCRC64(crc, 0, math.MaxInt64), CombineCRC64(twice, 0, 1); got != want {
		t.Errorf("2^63-1 bytes: %#x, want %#x", got, want)
	}
}

// TestCombiner appends parts of equal and changing lengths, empty ones among them.
func TestCombiner(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 200 {
		var c Combiner
		var whole []byte
		size := r.IntN(300)
		for range r.IntN(20) {
			if r.IntN(4) == 0 {
				size = r.IntN(300)
			}
			p := randomBytes(r.Uint64(), size)
			whole = append(whole, p...)
			c.Append(table(0, p), int64(size))
		}
		if got, want := c.Sum(), table(0, whole); got != want {
			t.Fatalf("%d bytes: %#x, want %#x", len(whole), got, want)
		}
	}
}

func FuzzCombineCRC64(f *testing.F) {
	f.Add([]byte("hello"), []byte(" world"))
	f.Fuzz(func(t *testing.T, a, b []byte) {
		want := table(table(0, a), b)
		if got := CombineCRC64(table(0, a), table(0, b), int64(len(b))); got != want {
			t.Fatalf("got %#x, want %#x", got, want)
		}
	})
}

func BenchmarkCombineCRC64(b *testing.B) {
	for _, bench := range []struct {
		name string
		n    int64
	}{{"5MiB", 5 << 20}, {"5MB", 5_000_000}, {"random", 0x2b7e151628aed2a6}, {"worst", math.MaxInt64}} {
		b.Run(bench.name, func(b *testing.B) {
			crc := uint64(1)
			for b.Loop() {
				crc = CombineCRC64(crc, 2, bench.n)
			}
		})
	}
}

// BenchmarkCombiner10000 is what completing 10,000 equal parts costs.
func BenchmarkCombiner10000(b *testing.B) {
	for b.Loop() {
		var c Combiner
		for i := range 10000 {
			c.Append(uint64(i), 5<<20)
		}
		if c.Sum() == 0 {
			b.Fatal("sum is 0")
		}
	}
}
