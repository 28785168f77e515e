package digest

import (
	"bytes"
	"fmt"
	"hash/crc64"
	"math/rand/v2"
	"testing"
)

// table is the oracle: hash/crc64 and nothing of ours.
func table(crc uint64, p []byte) uint64 {
	return crc64.Update(crc, crc64.MakeTable(crc64.ECMA), p)
}

func randomBytes(seed uint64, n int) []byte {
	p := make([]byte, n)
	r := rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)})
	r.Read(p)
	return p
}

// TestCRC64 compares every length up to 4096 at changing alignments, and every
// alignment at chosen lengths, with hash/crc64. Folding is called directly too,
// so that it is tested below its threshold and on CPUs that do not use it.
func TestCRC64(t *testing.T) {
	buf := randomBytes(1, 8192)
	check := func(t *testing.T, offset, n int, crc uint64) {
		t.Helper()
		p := buf[offset : offset+n]
		want := table(crc, p)
		if got := CRC64(crc, p); got != want {
			t.Fatalf("CRC64(%#x, offset %d, length %d) = %#x, want %#x", crc, offset, n, got, want)
		}
		if n >= lanesSize && foldWorks() {
			if got := foldCRC64(crc, p); got != want {
				t.Fatalf("foldCRC64(%#x, offset %d, length %d) = %#x, want %#x", crc, offset, n, got, want)
			}
		}
	}
	for n := range 4097 {
		for _, crc := range []uint64{0, ^uint64(0), 0x0123456789abcdef * uint64(n+1)} {
			check(t, n%67, n, crc)
		}
	}
	for offset := range 257 {
		for _, n := range []int{1, 15, 127, 128, 129, 255, 256, 511, 512, 513, 1000, 4095, 4096, 7000} {
			check(t, offset, n, uint64(offset)<<32)
		}
	}
}

// TestCRC64Splits writes one message in two pieces, cut everywhere.
func TestCRC64Splits(t *testing.T) {
	buf := randomBytes(2, 2000)
	want := table(0, buf)
	for cut := range len(buf) + 1 {
		if got := CRC64(CRC64(0, buf[:cut]), buf[cut:]); got != want {
			t.Fatalf("cut at %d: %#x, want %#x", cut, got, want)
		}
	}
}

// TestFoldConstants derives the multipliers from the polynomial.
func TestFoldConstants(t *testing.T) {
	power := func(n int) uint64 {
		p := polyOne
		for range n {
			p = polyMul(p, polyOne>>1)
		}
		return p
	}
	if got := power(8*lanesSize + 63); got != foldFirst {
		t.Errorf("foldFirst is %#x, should be %#x", uint64(foldFirst), got)
	}
	if got := power(8*lanesSize - 1); got != foldSecond {
		t.Errorf("foldSecond is %#x, should be %#x", uint64(foldSecond), got)
	}
}

// TestNewCRC64 compares the hash with that of hash/crc64, byte order included.
func TestNewCRC64(t *testing.T) {
	got, want := NewCRC64(), crc64.New(crc64.MakeTable(crc64.ECMA))
	for n := 1; n < 3000; n += 97 {
		p := randomBytes(uint64(n), n)
		got.Write(p)
		want.Write(p)
		if got.Sum64() != want.Sum64() || !bytes.Equal(got.Sum([]byte("x")), want.Sum([]byte("x"))) {
			t.Fatalf("after a write of %d bytes: %#x, want %#x", n, got.Sum64(), want.Sum64())
		}
	}
	got.Reset()
	if got.Sum64() != 0 || got.Size() != want.Size() || got.BlockSize() != want.BlockSize() {
		t.Errorf("after Reset: sum %d, size %d, block size %d", got.Sum64(), got.Size(), got.BlockSize())
	}
}

func TestParseCRC64(t *testing.T) {
	for _, crc := range []uint64{0, 1, 11051210869376104954, ^uint64(0)} {
		if got, ok := ParseCRC64(CRC64String(crc)); !ok || got != crc {
			t.Errorf("ParseCRC64(%q) = %d, %v", CRC64String(crc), got, ok)
		}
	}
	for _, s := range []string{"", "-1", "+1", "0x1", " 1", "1_0", "18446744073709551616", "1.0"} {
		if _, ok := ParseCRC64(s); ok {
			t.Errorf("ParseCRC64(%q) is accepted", s)
		}
	}
}

// FuzzCRC64 cuts a message at an arbitrary place and alignment.
func FuzzCRC64(f *testing.F) {
	f.Add(uint64(0), []byte("123456789"), 3)
	f.Add(^uint64(0), randomBytes(3, 1500), 700)
	f.Fuzz(func(t *testing.T, crc uint64, p []byte, cut int) {
		want := table(crc, p)
		if cut < 0 || cut > len(p) {
			cut = 0
		}
		if got := CRC64(CRC64(crc, p[:cut]), p[cut:]); got != want {
			t.Fatalf("got %#x, want %#x", got, want)
		}
		if len(p)-cut >= lanesSize && foldWorks() {
			if got := foldCRC64(table(crc, p[:cut]), p[cut:]); got != want {
				t.Fatalf("folded: got %#x, want %#x", got, want)
			}
		}
	})
}

func BenchmarkCRC64(b *testing.B) {
	for _, size := range []int{512, 4 << 10, 64 << 10, 1 << 20} {
		p := randomBytes(4, size)
		b.Run(fmt.Sprintf("%d/fold", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				CRC64(0, p)
			}
		})
		b.Run(fmt.Sprintf("%d/table", size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				crc64.Update(0, ecma, p)
			}
		})
	}
}
