package digest

import (
	"bytes"
	"crypto/md5"
	"encoding"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestHashLanes compares every number of lanes and of blocks with crypto/md5,
// each stream in a state, at an address and with bytes of its own.
func TestHashLanes(t *testing.T) {
	if !canLanes {
		t.Log("this CPU has no kernels; MD5Pool is crypto/md5 here")
		return
	}
	buf := randomBytes(11, 64<<10)
	for lanes := 2; lanes <= maxLanes; lanes++ {
		for blocks := range 40 {
			jobs := make([]*md5Job, lanes)
			want := make([][4]uint32, lanes)
			for i := range jobs {
				offset := i*997 + blocks
				data := buf[offset : offset+md5.BlockSize*blocks+1]
				state := [4]uint32{uint32(i) * 0x9e3779b9, uint32(blocks) * 0x85ebca6b, ^uint32(i), 0x10325476}
				jobs[i] = &md5Job{state: state, data: data}
				want[i] = hashAlone(state, data[:len(data)-1])
			}
			hashLanes(jobs, blocks)
			for i, j := range jobs {
				if j.state != want[i] {
					t.Fatalf("%d lanes, %d blocks, lane %d: %x, want %x", lanes, blocks, i, j.state, want[i])
				}
			}
		}
	}
}

// TestMD5Pool runs streams of random lengths and pieces at once, more of them
// than lanes, and compares each with crypto/md5.
func TestMD5Pool(t *testing.T) {
	for _, streams := range []int{1, 2, 5, 9, 16, 40} {
		var pool MD5Pool
		var wg sync.WaitGroup
		for s := range streams {
			wg.Go(func() {
				r := rand.New(rand.NewPCG(12, uint64(s)))
				h := pool.New()
				for range 15 {
					p := randomBytes(r.Uint64(), r.IntN(1<<(4+r.IntN(15))))
					h.Reset()
					for rest := p; len(rest) > 0; {
						n := 1 + r.IntN(len(rest))
						h.Write(rest[:n])
						rest = rest[n:]
					}
					if want := md5.Sum(p); !bytes.Equal(h.Sum(nil), want[:]) {
						t.Errorf("%d streams: %d bytes: %x, want %x", streams, len(p), h.Sum(nil), want)
						return
					}
				}
			})
		}
		wg.Wait()
		if pool.leading || len(pool.waiting) != 0 {
			t.Fatalf("%d streams: the pool is left with %d jobs", streams, len(pool.waiting))
		}
	}
}

// TestMD5PoolState writes every length in two pieces and compares sum and saved
// state with crypto/md5.
func TestMD5PoolState(t *testing.T) {
	var pool MD5Pool
	buf := randomBytes(13, 3*laneMin)
	for n := 0; n <= len(buf); n += 1 + n/50 {
		for _, cut := range []int{0, n / 3, n / 2, max(0, n-1), n} {
			ours, theirs := pool.New(), md5.New()
			for _, p := range [][]byte{buf[:cut], buf[cut:n]} {
				ours.Write(p)
				theirs.Write(p)
			}
			if got, want := ours.Sum([]byte("x")), theirs.Sum([]byte("x")); !bytes.Equal(got, want) {
				t.Fatalf("%d bytes cut at %d: %x, want %x", n, cut, got, want)
			}
			want, err := theirs.(encoding.BinaryMarshaler).MarshalBinary()
			if err != nil {
				t.Fatal(err)
			}
			if got, err := SaveMD5(ours); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%d bytes cut at %d: state %x, %v, want %x", n, cut, got, err, want)
			}
		}
	}
}

func FuzzMD5Lanes(f *testing.F) {
	f.Add(uint8(16), uint32(1), randomBytes(14, 3000))
	f.Add(uint8(5), uint32(2), randomBytes(15, 700))
	f.Fuzz(func(t *testing.T, lanes uint8, seed uint32, p []byte) {
		n := 2 + int(lanes)%(maxLanes-1)
		blocks := len(p) / n / md5.BlockSize
		if !canLanes || blocks == 0 {
			return
		}
		jobs := make([]*md5Job, n)
		want := make([][4]uint32, n)
		for i := range jobs {
			data := p[i*len(p)/n:][:blocks*md5.BlockSize]
			jobs[i] = &md5Job{state: [4]uint32{seed, seed * 3, seed ^ uint32(i), uint32(i)}, data: data}
			want[i] = hashAlone(jobs[i].state, data)
		}
		hashLanes(jobs, blocks)
		for i, j := range jobs {
			if j.state != want[i] {
				t.Fatalf("lane %d of %d: %x, want %x", i, n, j.state, want[i])
			}
		}
	})
}

// BenchmarkMD5 hashes 256 KiB writes of several streams at once: one pool for
// all of them against crypto/md5 for each.
func BenchmarkMD5(b *testing.B) {
	for _, streams := range []int{1, 2, 4, 8, 16} {
		p := randomBytes(16, 256<<10)
		run := func(b *testing.B, open func() interface{ Write([]byte) (int, error) }) {
			b.SetBytes(int64(len(p) * streams))
			var wg sync.WaitGroup
			for range streams {
				wg.Go(func() {
					h := open()
					for range b.N {
						h.Write(p)
					}
				})
			}
			wg.Wait()
		}
		b.Run(fmt.Sprintf("%d/pool", streams), func(b *testing.B) {
			var pool MD5Pool
			run(b, func() interface{ Write([]byte) (int, error) } { return pool.New() })
		})
		b.Run(fmt.Sprintf("%d/std", streams), func(b *testing.B) {
			run(b, func() interface{ Write([]byte) (int, error) } { return md5.New() })
		})
	}
}

// BenchmarkMD5Lanes is one core on its own: what the kernels can do.
func BenchmarkMD5Lanes(b *testing.B) {
	if !canLanes {
		b.Log("no kernels")
		return
	}
	for _, lanes := range []int{4, 8, 16} {
		b.Run(fmt.Sprint(lanes), func(b *testing.B) {
			jobs := make([]*md5Job, lanes)
			for i := range jobs {
				jobs[i] = &md5Job{data: randomBytes(uint64(i), 64<<10)}
			}
			b.SetBytes(int64(lanes * 64 << 10))
			for b.Loop() {
				hashLanes(jobs, 64<<10/md5.BlockSize)
			}
		})
	}
}
