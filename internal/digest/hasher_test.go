package digest

import (
	"crypto/md5"
	"crypto/sha256"
	"fmt"
	"testing"
)

// TestHasher writes bodies in pieces and compares with the standard library;
// the one Hasher is reused throughout, as a pool would.
func TestHasher(t *testing.T) {
	t.Run("alone", func(t *testing.T) { testHasher(t, NewHasher()) })
	t.Run("pool", func(t *testing.T) { testHasher(t, new(MD5Pool).NewHasher()) })
}

func testHasher(t *testing.T, h *Hasher) {
	t.Helper()
	for _, size := range []int{0, 1, 63, 64, 5000, hashBlock, hashBlock + 1, 3*hashBlock - 1, 200000, hashBlockPool + 65} {
		p := randomBytes(uint64(size), size)
		for _, piece := range []int{1 + size/7, size + 1, 4096} {
			h.Reset()
			for rest := p; len(rest) > 0; {
				n := min(piece, len(rest))
				if got, err := h.Write(rest[:n]); got != n || err != nil {
					t.Fatalf("Write of %d bytes = %d, %v", n, got, err)
				}
				h.Sum() // a look at the sums changes nothing
				rest = rest[n:]
			}
			sum, crc, n := h.Sum()
			if sum != md5.Sum(p) || crc != table(0, p) || n != int64(size) {
				t.Fatalf("%d bytes in pieces of %d: MD5 %x, CRC %#x, length %d", size, piece, sum, crc, n)
			}
		}
	}
}

// TestMD5State cuts a message everywhere, saves and opens the MD5 at the cut.
func TestMD5State(t *testing.T) {
	p := randomBytes(9, 300)
	want := md5.Sum(p)
	for cut := range len(p) + 1 {
		h, err := MD5State(nil).Open()
		if err != nil {
			t.Fatal(err)
		}
		h.Write(p[:cut])
		state, err := SaveMD5(h)
		if err != nil {
			t.Fatal(err)
		}
		h, err = state.Open()
		if err != nil {
			t.Fatal(err)
		}
		h.Write(p[cut:])
		if [16]byte(h.Sum(nil)) != want {
			t.Fatalf("cut at %d: %x, want %x", cut, h.Sum(nil), want)
		}
	}
}

// TestMD5StateDamaged proves that other states are refused.
func TestMD5StateDamaged(t *testing.T) {
	good, err := SaveMD5(md5.New())
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := sha256.New().(interface{ MarshalBinary() ([]byte, error) }).MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	for name, state := range map[string]MD5State{
		"short": good[:len(good)-1], "long": append(good[:len(good):len(good)], 0), "sha256": foreign, "one byte": {0},
	} {
		if _, err := state.Open(); err == nil {
			t.Errorf("%s: opened", name)
		}
	}
	if _, err := SaveMD5(NewCRC64()); err == nil {
		t.Error("SaveMD5 of a CRC-64 succeeded")
	}
}

func FuzzMD5State(f *testing.F) {
	good, err := SaveMD5(md5.New())
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(good))
	f.Fuzz(func(t *testing.T, state []byte) {
		if h, err := MD5State(state).Open(); err == nil {
			h.Write(make([]byte, 100))
			h.Sum(nil)
		}
	})
}

func BenchmarkHasher(b *testing.B) {
	for _, size := range []int{4 << 10, 256 << 10} {
		p := randomBytes(10, size)
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			h := NewHasher()
			for b.Loop() {
				h.Write(p)
			}
		})
	}
}
