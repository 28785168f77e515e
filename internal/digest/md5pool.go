package digest

import (
	"crypto/md5"
	"encoding"
	"encoding/binary"
	"hash"
	"sync"
)

const (
	maxLanes = 16

	// soloSize is how much of a lone stream is hashed before it looks whether
	// others have come, in bytes.
	soloSize = 64 << 10

	// laneMin is the shortest write that is worth meeting others for, in bytes.
	laneMin = 4 << 10
)

// MD5Pool hashes several streams at once, side by side in the lanes of wide
// registers, where the CPU has AVX-512VL; elsewhere its hashes are crypto/md5.
// One MD5 cannot be made faster, but sixteen together cost little more than
// one. Streams meet while their writes overlap in time: one of the writers
// hashes for all that wait, so there are no goroutines to stop, and a lone
// stream is hashed by crypto/md5 at its full speed. The zero value is ready.
type MD5Pool struct {
	mu      sync.Mutex
	leading bool      // some writer is hashing for all
	waiting []*md5Job // to be taken by the leader, oldest first
}

// md5Job is what one writer wants hashed: whole blocks, at least one.
type md5Job struct {
	state [4]uint32
	data  []byte
	wake  chan bool // true: done; false: lead from here
}

// New returns an MD5 whose writes may be hashed together with those of the
// other hashes of this pool. The hash itself is for one goroutine at a time, and
// Write returns once it no longer needs its argument. It saves its state as
// crypto/md5 does.
func (p *MD5Pool) New() hash.Hash {
	if !canLanes {
		return md5.New()
	}
	h := &pooledMD5{pool: p, job: md5Job{wake: make(chan bool, 1)}}
	h.Reset()
	return h
}

// hash brings j up to the end of its data.
func (p *MD5Pool) hash(j *md5Job) {
	p.mu.Lock()
	if p.leading {
		p.waiting = append(p.waiting, j)
		p.mu.Unlock()
		if done := <-j.wake; done {
			return
		}
	} else {
		p.leading = true
		p.mu.Unlock()
	}
	p.lead(j)
}

// lead hashes j and whoever comes along until j is done, and hands the rest to
// another writer.
func (p *MD5Pool) lead(j *md5Job) {
	var buf [maxLanes]*md5Job
	batch := append(buf[:0], j)
	for len(j.data) > 0 {
		p.mu.Lock()
		batch = p.take(batch)
		p.mu.Unlock()

		hashTogether(batch)
		rest := batch[:0]
		for _, other := range batch {
			switch {
			case len(other.data) > 0:
				rest = append(rest, other)
			case other != j:
				other.wake <- true
			}
		}
		batch = rest
	}
	p.mu.Lock()
	// What is begun goes back to the front; its first writer leads on.
	p.waiting = append(append([]*md5Job(nil), batch...), p.waiting...)
	var next *md5Job
	if len(p.waiting) > 0 {
		next = p.waiting[0]
		p.waiting = p.waiting[1:]
	} else {
		p.leading = false
	}
	p.mu.Unlock()
	if next != nil {
		next.wake <- false
	}
}

// take fills the batch up from those that wait.
func (p *MD5Pool) take(batch []*md5Job) []*md5Job {
	n := min(maxLanes-len(batch), len(p.waiting))
	batch = append(batch, p.waiting[:n]...)
	rest := copy(p.waiting, p.waiting[n:])
	clear(p.waiting[rest:])
	p.waiting = p.waiting[:rest]
	return batch
}

// hashTogether moves all jobs on by as much as the shortest of them has.
func hashTogether(jobs []*md5Job) {
	n := len(jobs[0].data)
	for _, j := range jobs[1:] {
		n = min(n, len(j.data))
	}
	if len(jobs) == 1 {
		n = min(n, soloSize)
		jobs[0].state = hashAlone(jobs[0].state, jobs[0].data[:n])
	} else {
		hashLanes(jobs, n/md5.BlockSize)
	}
	for _, j := range jobs {
		j.data = j.data[n:]
	}
}

// hashAlone moves a state on by whole blocks with crypto/md5.
func hashAlone(state [4]uint32, data []byte) [4]uint32 {
	h := openMD5(state, nil, 0)
	h.Write(data)
	var buf [md5StateSize]byte
	encoded, err := h.(encoding.BinaryAppender).AppendBinary(buf[:0])
	if err != nil {
		panic("digest: crypto/md5 does not save its state: " + err.Error())
	}
	for i := range state {
		state[i] = binary.BigEndian.Uint32(encoded[len(md5Magic)+4*i:])
	}
	return state
}

// The state of crypto/md5 as it encodes it: magic, four words, a block that
// holds the bytes not yet hashed, the length in bytes; all big-endian.
const (
	md5Magic     = "md5\x01"
	md5StateSize = len(md5Magic) + md5.Size + md5.BlockSize + 8
)

func encodeMD5(state [4]uint32, tail []byte, length uint64) []byte {
	b := append(make([]byte, 0, md5StateSize), md5Magic...)
	for _, v := range state {
		b = binary.BigEndian.AppendUint32(b, v)
	}
	b = append(b, tail...)
	b = b[:len(b)+md5.BlockSize-len(tail)]
	return binary.BigEndian.AppendUint64(b, length)
}

// openMD5 returns a crypto/md5 in the given state. The encoding is covered by
// the compatibility promise of crypto/md5 for saved states, and by our tests.
func openMD5(state [4]uint32, tail []byte, length uint64) hash.Hash {
	h, err := MD5State(encodeMD5(state, tail, length)).Open()
	if err != nil {
		panic("digest: crypto/md5 does not open its state: " + err.Error())
	}
	return h
}

// pooledMD5 is one stream of a pool.
type pooledMD5 struct {
	pool   *MD5Pool
	job    md5Job
	tail   [md5.BlockSize]byte // the bytes behind the last whole block
	length uint64              // bytes written
}

func (h *pooledMD5) Size() int      { return md5.Size }
func (h *pooledMD5) BlockSize() int { return md5.BlockSize }

func (h *pooledMD5) Reset() {
	h.job.state = [4]uint32{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476}
	h.length = 0
}

func (h *pooledMD5) Write(p []byte) (int, error) {
	n := len(p)
	held := int(h.length % md5.BlockSize)
	h.length += uint64(n)
	if held > 0 {
		k := copy(h.tail[held:], p)
		if p = p[k:]; held+k < md5.BlockSize {
			return n, nil
		}
		h.job.state = hashAlone(h.job.state, h.tail[:])
	}
	whole := len(p) &^ (md5.BlockSize - 1)
	switch {
	case whole >= laneMin:
		h.job.data = p[:whole]
		h.pool.hash(&h.job)
		h.job.data = nil
	case whole > 0:
		h.job.state = hashAlone(h.job.state, p[:whole])
	}
	copy(h.tail[:], p[whole:])
	return n, nil
}

func (h *pooledMD5) Sum(b []byte) []byte {
	return openMD5(h.job.state, h.tail[:h.length%md5.BlockSize], h.length).Sum(b)
}

// MarshalBinary is the state in the encoding of crypto/md5.
func (h *pooledMD5) MarshalBinary() ([]byte, error) {
	return encodeMD5(h.job.state, h.tail[:h.length%md5.BlockSize], h.length), nil
}
