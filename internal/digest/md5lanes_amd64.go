package digest

import "golang.org/x/sys/cpu"

//go:generate sh -c "go run ./internal/genmd5 > md5lanes_amd64.s"

// canLanes tells whether this CPU runs the md5x kernels.
var canLanes = cpu.X86.HasAVX512F && cpu.X86.HasAVX512VL

// The kernels take the same number of 64-byte blocks of 4, 8 or 16 streams. A
// state is four rows, one for each word, of as many columns as there are
// streams; data points at the streams.

//go:noescape
func md5x4(state *[4 * maxLanes]uint32, data *[maxLanes]*byte, blocks int)

//go:noescape
func md5x8(state *[4 * maxLanes]uint32, data *[maxLanes]*byte, blocks int)

//go:noescape
func md5x16(state *[4 * maxLanes]uint32, data *[maxLanes]*byte, blocks int)

// hashLanes moves the states of 1 to maxLanes streams on by the given number
// of blocks, which every stream has at least. Lanes that are left over repeat
// the first stream. It needs canLanes.
func hashLanes(jobs []*md5Job, blocks int) {
	lanes := 16
	switch {
	case len(jobs) <= 4:
		lanes = 4
	case len(jobs) <= 8:
		lanes = 8
	}
	var state [4 * maxLanes]uint32
	var data [maxLanes]*byte
	for lane := range lanes {
		j := jobs[0]
		if lane < len(jobs) {
			j = jobs[lane]
		}
		data[lane] = &j.data[0]
		for i, v := range j.state {
			state[i*lanes+lane] = v
		}
	}
	// Not through a function value, which would move both to the heap.
	switch lanes {
	case 4:
		md5x4(&state, &data, blocks)
	case 8:
		md5x8(&state, &data, blocks)
	default:
		md5x16(&state, &data, blocks)
	}
	for lane, j := range jobs {
		for i := range j.state {
			j.state[i] = state[i*lanes+lane]
		}
	}
}
