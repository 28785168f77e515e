package fileblob

import "sync"

// bufferClasses are the lengths of pooled buffers, so that a thousand short
// extents being written do not hold a thousand long buffers. The frame of a
// record comes on top of the round length of its data.
var bufferClasses = [...]int64{4<<10 + frame, 32<<10 + frame, 64<<10 + frame, 256<<10 + frame}

const frame = 4 << 10

// buffers lends byte slices.
type buffers struct {
	pools [len(bufferClasses)]sync.Pool
}

// get returns a buffer of at least n bytes. Its content is anything.
func (b *buffers) get(n int64) *[]byte {
	for i, class := range bufferClasses {
		if n > class {
			continue
		}
		if p, ok := b.pools[i].Get().(*[]byte); ok {
			return p
		}
		p := make([]byte, class)
		return &p
	}
	p := make([]byte, n)
	return &p
}

// put takes a buffer back. Longer ones than any class are left to the garbage
// collector.
func (b *buffers) put(p *[]byte) {
	for i, class := range bufferClasses {
		if int64(len(*p)) == class {
			b.pools[i].Put(p)
		}
	}
}
