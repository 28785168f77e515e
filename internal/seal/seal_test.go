package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"os"
	"slices"
	"testing"
	"testing/iotest"
)

var rewrite = flag.Bool("rewrite", false, "write testdata anew: only when a new format is wanted")

var (
	someKey  = bytes.Repeat([]byte{7}, KeySize)
	someWhat = []byte("what it is")
)

// sealed makes the stream of a body that is written in pieces.
func sealed(t testing.TB, body []byte, piece int, size int64) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := NewWriter(&b, rand.Reader, someKey, someWhat, size)
	if err != nil {
		t.Fatal(err)
	}
	for p := range slices.Chunk(body, piece) {
		if n, err := w.Write(p); n != len(p) || err != nil {
			t.Fatalf("Write: %d, %v", n, err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func opened(stream []byte, size, off, n int64, buf []byte) ([]byte, error) {
	s, err := Open(bytes.NewReader(stream), someKey, someWhat, size)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(s.Reader(off, n, buf))
}

// body is n bytes that are the same each time and do not repeat.
func body(n int) []byte {
	b := make([]byte, n)
	mathrand.NewChaCha8([32]byte{1}).Read(b)
	return b
}

// sizes are those at which something may go wrong by one.
func sizes() []int {
	all := []int{0, 1, 2, 100, 4096}
	for segments := range 6 {
		edge := firstPlain + segments*plainSize
		all = append(all, edge-1, edge, edge+1)
	}
	return append(all, 256<<10, 1<<20)
}

// Bodies of every size come back, however they are written and read, and are as
// long as Size says.
func TestRoundTrip(t *testing.T) {
	for _, size := range sizes() {
		want := body(size)
		for _, piece := range []int{7777, 65536, 1 << 20} {
			for _, declared := range []int64{int64(size), -1} {
				stream := sealed(t, want, piece, declared)
				if int64(len(stream)) != Size(int64(size)) {
					t.Fatalf("%d bytes make a stream of %d, Size says %d", size, len(stream), Size(int64(size)))
				}
				for _, buf := range [][]byte{nil, make([]byte, segmentSize), make([]byte, 256<<10)} {
					got, err := opened(stream, int64(size), 0, int64(size), buf)
					if err != nil || !bytes.Equal(got, want) {
						t.Fatalf("%d bytes in pieces of %d read through %d: %v", size, piece, len(buf), err)
					}
				}
			}
		}
	}
}

// Every range gives its bytes, and reads no more than the segments they are in.
func TestRanges(t *testing.T) {
	const size = firstPlain + 3*plainSize + 100
	want := body(size)
	stream := sealed(t, want, size, size)
	for _, off := range sizes() {
		for _, n := range sizes() {
			if off+n > size {
				continue
			}
			src := &counted{r: bytes.NewReader(stream)}
			s, err := Open(src, someKey, someWhat, size)
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(iotest.OneByteReader(s.Reader(int64(off), int64(n), make([]byte, 128<<10))))
			if err != nil || !bytes.Equal(got, want[off:off+n]) {
				t.Fatalf("range %d+%d: %v", off, n, err)
			}
			if most := int64((n+plainSize-2)/plainSize+1) * segmentSize; n > 0 && src.n-headerSize > most {
				t.Errorf("range %d+%d reads %d bytes", off, n, src.n)
			}
		}
	}
	s, err := Open(bytes.NewReader(stream), someKey, someWhat, size)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]int64{{-1, 1}, {0, size + 1}, {size, 1}, {1, -1}} {
		if _, err := io.ReadAll(s.Reader(r[0], r[1], nil)); err == nil {
			t.Errorf("range %v is read", r)
		}
	}
}

type counted struct {
	r io.ReaderAt
	n int64
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.r.ReadAt(p, off)
	c.n += int64(n)
	return n, err
}

// Whatever is changed of a stream, what is read is right as far as it goes and
// ends in ErrCorrupt.
func TestDamage(t *testing.T) {
	const size = firstPlain + 2*plainSize + 100
	want := body(size)
	stream := sealed(t, want, size, size)
	other := sealed(t, want, size, size)
	segment := func(s []byte, n int) []byte {
		return s[n*segmentSize : min((n+1)*segmentSize, len(s))]
	}
	bad := map[string][]byte{
		"exchanged segments": slices.Concat(segment(stream, 0), segment(stream, 2), segment(stream, 1), segment(stream, 3)),
		"repeated segment":   slices.Concat(segment(stream, 0), segment(stream, 1), segment(stream, 1), segment(stream, 3)),
		"missing segment":    slices.Concat(segment(stream, 0), segment(stream, 1), segment(stream, 3)),
		"missing last":       stream[:3*segmentSize],
		"foreign segment":    slices.Concat(segment(stream, 0), segment(other, 1), segment(stream, 2), segment(stream, 3)),
		"foreign header":     slices.Concat(other[:headerSize], stream[headerSize:]),
		"a byte more":        append(bytes.Clone(stream), 0),
		"a segment more":     slices.Concat(stream, segment(stream, 3)),
		"twice":              slices.Concat(stream, stream),
		"nothing":            {},
	}
	for range 200 {
		flipped := bytes.Clone(stream)
		i := mathrand.IntN(len(stream))
		flipped[i] ^= 1 << mathrand.IntN(8)
		bad[fmt.Sprintf("byte %d", i)] = flipped
		cut := mathrand.IntN(len(stream))
		bad[fmt.Sprintf("cut to %d", cut)] = stream[:cut]
	}
	for edge := 0; edge < len(stream); edge += segmentSize {
		bad[fmt.Sprintf("cut to %d", edge+1)] = stream[:edge+1]
		bad[fmt.Sprintf("cut to %d", max(edge-1, 0))] = stream[:max(edge-1, 0)]
	}
	for name, s := range bad {
		for _, buf := range [][]byte{nil, make([]byte, 256<<10)} {
			got, err := opened(s, size, 0, size, buf)
			if !errors.Is(err, ErrCorrupt) || !bytes.Equal(got, want[:len(got)]) {
				t.Errorf("%s: %d bytes, %v", name, len(got), err)
			}
		}
	}
	// The size belongs to what is verified: a shorter one does not make a stream.
	for _, wrong := range []int64{1, firstPlain, firstPlain + plainSize, size - 1, size + 1} {
		if _, err := opened(stream, wrong, 0, wrong, nil); !errors.Is(err, ErrCorrupt) {
			t.Errorf("as %d bytes: %v", wrong, err)
		}
	}
}

// Every bit of a short stream counts.
func TestEveryBit(t *testing.T) {
	stream := sealed(t, []byte("hello"), 5, 5)
	for i := range stream {
		for bit := range 8 {
			bad := bytes.Clone(stream)
			bad[i] ^= 1 << bit
			if got, err := opened(bad, 5, 0, 5, nil); !errors.Is(err, ErrCorrupt) || len(got) > 0 {
				t.Fatalf("bit %d of byte %d: %q, %v", bit, i, got, err)
			}
		}
	}
}

// A stream opens with its key and as what it is, and not otherwise.
func TestOther(t *testing.T) {
	stream := sealed(t, []byte("hello"), 5, 5)
	otherKey := bytes.Clone(someKey)
	otherKey[31] ^= 1
	for name, c := range map[string]struct {
		key, what []byte
		want      error
	}{
		"right":         {someKey, someWhat, nil},
		"other key":     {otherKey, someWhat, ErrCorrupt},
		"other what":    {someKey, []byte("what it was"), ErrCorrupt},
		"shorter what":  {someKey, someWhat[:5], ErrCorrupt},
		"no what":       {someKey, nil, ErrCorrupt},
		"what and more": {someKey, append(bytes.Clone(someWhat), 0), ErrCorrupt},
	} {
		s, err := Open(bytes.NewReader(stream), c.key, c.what, 5)
		if err == nil {
			_, err = io.ReadAll(s.Reader(0, 5, nil))
		}
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := NewWriter(io.Discard, rand.Reader, someKey[:16], nil, -1); err == nil {
		t.Error("a short key is taken")
	}
	if _, err := NewWriter(io.Discard, iotest.ErrReader(io.ErrUnexpectedEOF), someKey, nil, -1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("without randomness: %v", err)
	}
}

// Two streams of one body have nothing in common, and none shows the body.
func TestFresh(t *testing.T) {
	zeros := make([]byte, 1<<20)
	a, b := sealed(t, zeros, 1<<20, 1<<20), sealed(t, zeros, 1<<20, 1<<20)
	seen := make(map[[16]byte]bool)
	for p := range slices.Chunk(slices.Concat(a[len(magic):], b[len(magic):]), 16) {
		if len(p) < 16 {
			continue
		}
		if seen[[16]byte(p)] {
			t.Fatal("16 bytes come twice")
		}
		seen[[16]byte(p)] = true
	}
}

// A writer's error comes back from every call after it, and an error of the
// source is not taken for damage.
func TestErrors(t *testing.T) {
	failure := errors.New("failure")
	for after := range 4 {
		w, err := NewWriter(&failing{after: after, err: failure}, rand.Reader, someKey, nil, -1)
		if err != nil {
			t.Fatal(err)
		}
		_, first := w.Write(make([]byte, 2*segmentSize))
		if closed := w.Close(); !errors.Is(closed, failure) || first == nil && after < 3 {
			t.Errorf("after %d writes: %v, then %v", after, first, closed)
		}
	}
	stream := sealed(t, body(1<<20), 1<<20, 1<<20)
	s, err := Open(brokenAt{bytes.NewReader(stream), 600 << 10, failure}, someKey, someWhat, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(s.Reader(0, 1<<20, make([]byte, 256<<10))); !errors.Is(err, failure) || errors.Is(err, ErrCorrupt) {
		t.Errorf("source that fails: %v", err)
	}
	if _, err := Open(brokenAt{bytes.NewReader(stream), 0, failure}, someKey, someWhat, 1<<20); !errors.Is(err, failure) {
		t.Errorf("source that fails at once: %v", err)
	}
}

type failing struct {
	after int
	err   error
}

func (f *failing) Write(p []byte) (int, error) {
	if f.after--; f.after < 0 {
		return 0, f.err
	}
	return len(p), nil
}

type brokenAt struct {
	r   io.ReaderAt
	at  int64
	err error
}

func (b brokenAt) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > b.at {
		return 0, b.err
	}
	return b.r.ReadAt(p, off)
}

// Streams of earlier releases open, and are written in the same way.
func TestGolden(t *testing.T) {
	const name = "testdata/stream"
	var b bytes.Buffer
	w, err := NewWriter(&b, bytes.NewReader(bytes.Repeat([]byte{9}, saltSize)), someKey, someWhat, -1)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("0123456789abcdef"), 4096+1) // two segments
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	// The beginning and the end say it all: the tags cover what is between.
	stream := b.Bytes()
	got := fmt.Sprintf("%d %s %s\n", len(stream), hex.EncodeToString(stream[:64]), hex.EncodeToString(stream[segmentSize-16:]))
	if *rewrite {
		if err := os.WriteFile(name, []byte(got), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if want, err := os.ReadFile(name); err != nil || got != string(want) {
		t.Errorf("the format has changed: %v\n%s", err, got)
	}
}

func TestSize(t *testing.T) {
	for plain, want := range map[int64]int64{
		0: 0, 1: 57, firstPlain: segmentSize, firstPlain + 1: segmentSize + 17, firstPlain + plainSize: 2 * segmentSize,
		5 << 30: 5<<30 + 40 + 16*81941,
	} {
		if got := Size(plain); got != want {
			t.Errorf("Size(%d) = %d, want %d", plain, got, want)
		}
	}
}

// Any change at any place: nothing wrong is read, nothing panics.
func FuzzStream(f *testing.F) {
	f.Add(uint32(0), []byte{1}, uint32(0), uint32(10))
	f.Add(uint32(segmentSize), []byte("xyz"), uint32(firstPlain), uint32(plainSize))
	const size = firstPlain + plainSize + 100
	want := body(size)
	stream := sealed(f, want, size, size)
	f.Fuzz(func(t *testing.T, at uint32, change []byte, off, n uint32) {
		bad := bytes.Clone(stream)
		copy(bad[int(at)%len(bad):], change)
		o := int64(off) % (size + 1)
		k := int64(n) % (size + 1 - o)
		got, err := opened(bad, size, o, k, nil)
		switch {
		case err != nil && !errors.Is(err, ErrCorrupt):
			t.Error(err)
		case !bytes.Equal(got, want[o:o+int64(len(got))]), err == nil && int64(len(got)) != k:
			t.Errorf("range %d+%d gives %d bytes that are wrong", o, k, len(got))
		}
	})
}

// Bytes that are no stream at all.
func FuzzOpen(f *testing.F) {
	f.Add(sealed(f, []byte("hello"), 5, 5), int64(5))
	f.Fuzz(func(t *testing.T, b []byte, size int64) {
		if size < 1 || size > 1<<20 {
			return
		}
		got, err := opened(b, size, 0, size, nil)
		if err == nil && int64(len(got)) != size || err != nil && !errors.Is(err, ErrCorrupt) {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	})
}

func BenchmarkWriter(b *testing.B) {
	for _, size := range []int{4 << 10, 5 << 20} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			p := body(min(size, 256<<10))
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				w, err := NewWriter(io.Discard, rand.Reader, someKey, someWhat, int64(size))
				if err != nil {
					b.Fatal(err)
				}
				for n := 0; n < size; n += len(p) {
					if _, err := w.Write(p); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	const size = 5 << 20
	stream := sealed(b, body(size), size, size)
	buf := make([]byte, 256<<10)
	for _, n := range []int64{4 << 10, size} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.SetBytes(n)
			b.ReportAllocs()
			for b.Loop() {
				s, err := Open(bytes.NewReader(stream), someKey, someWhat, size)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := io.Copy(io.Discard, s.Reader(size-n, n, buf)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// The nonce of every segment of the longest body is its own.
func TestIndexFits(t *testing.T) {
	if n := segments(5 << 30); n >= 1<<32-1 {
		t.Errorf("%d segments", n)
	}
	nonce := make([]byte, nonceSize)
	k, err := deriveKeys(someKey, make([]byte, saltSize), nil)
	if err != nil {
		t.Fatal(err)
	}
	binary.BigEndian.PutUint32(nonce[prefixSize:], 7)
	segment := k.aead.Seal(nil, nonce, []byte("x"), nil)
	binary.BigEndian.PutUint32(nonce[prefixSize:], 3)
	if _, err := (segmentCipher{k.aead, 4}).DecryptSegment(segment, nonce); err != nil {
		t.Errorf("segment 7 read from 4 on: %v", err)
	}
	if _, err := (segmentCipher{k.aead, 4}).EncryptSegment([]byte("x"), nonce); err != nil {
		t.Error(err)
	}
}

func BenchmarkGCM(b *testing.B) {
	k, err := deriveKeys(someKey, make([]byte, saltSize), nil)
	if err != nil {
		b.Fatal(err)
	}
	dst, src, nonce := make([]byte, 0, segmentSize), body(plainSize), make([]byte, nonceSize)
	b.SetBytes(plainSize)
	for b.Loop() {
		k.aead.Seal(dst, nonce, src, nil)
	}
}

// Short bodies come back in one call, and any change is noticed.
func TestBytes(t *testing.T) {
	for _, size := range []int{0, 1, 92, firstPlain} {
		stream, err := Bytes(rand.Reader, someKey, someWhat, body(size))
		if err != nil || int64(len(stream)) != Size(int64(size)) {
			t.Fatalf("%d bytes: %d, %v", size, len(stream), err)
		}
		if got, err := OpenBytes(someKey, someWhat, stream); err != nil || !bytes.Equal(got, body(size)) {
			t.Errorf("%d bytes come back as %d, %v", size, len(got), err)
		}
		for _, i := range []int{0, len(stream) / 2, len(stream) - 1} {
			if len(stream) == 0 {
				break
			}
			bad := bytes.Clone(stream)
			bad[i] ^= 4
			for _, s := range [][]byte{bad, stream[:i]} {
				if got, err := OpenBytes(someKey, someWhat, s); i > 0 && !errors.Is(err, ErrCorrupt) {
					t.Errorf("changed at %d of %d: %d bytes, %v", i, len(stream), len(got), err)
				}
			}
		}
	}
	if _, err := OpenBytes(someKey, someWhat, sealed(t, body(firstPlain+1), 1000, -1)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("two segments: %v", err)
	}
}
