package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"
)

// plan is what a round does, by its seed and number alone.
type plan struct {
	number int
	random *rand.Rand // of what is not planned ahead

	size     int64
	partSize int64 // 0 for what the client chooses
	parallel int
	old      bool // an object of that key is there
	bodySeed uint64

	rate    float64 // of requests that meet a fault
	hang    bool    // one of them stalls for as long as the client stands it
	zombies bool    // requests of a dead client may still be under way when the next one starts

	clientKills int
	serverKills int
	change      change // of the file, in the first run
}

// change is what happens to a file while it is uploaded.
type change int

const (
	unchanged change = iota
	overwrite        // some bytes in the middle
	grow
	shrink
	replace // by another file, with a rename
)

func (c change) String() string {
	return [...]string{"", "overwritten", "grown", "shrunk", "replaced"}[c]
}

const (
	partMin = 100 << 10 // that the protocol allows

	smallMax = 16 << 20 // of most rounds
	largeIn  = 100      // one round of so many is larger
	mostIn   = 500      // and one of so many as large as can be
	partsMax = 120      // that are asked for; more make a round long
)

func newPlan(c config, number int) *plan {
	random := rand.New(rand.NewPCG(c.seed, uint64(number)))
	p := &plan{number: number, random: random, bodySeed: random.Uint64()}
	p.size = planSize(random, number, c.maxSize)
	p.partSize = planPartSize(random, p.size)
	if p.partSize > 0 && random.IntN(4) == 0 { // sizes around a boundary
		n := p.size / p.partSize * p.partSize
		p.size = min(max(n+int64(random.IntN(3))-1, 0), c.maxSize)
	}
	p.parallel = 1 + random.IntN(8)
	p.old = random.IntN(4) == 0
	if random.IntN(3) > 0 {
		p.rate = 0.02 + 0.2*random.Float64()
	}
	p.hang = random.IntN(150) == 0
	p.zombies = random.IntN(4) == 0
	if random.IntN(4) > 0 {
		p.clientKills = 1 + int(random.ExpFloat64())
	}
	if random.IntN(3) == 0 {
		p.serverKills = 1 + random.IntN(2)
	}
	if random.IntN(7) == 0 && p.size > 0 {
		p.change = change(1 + random.IntN(4))
	}
	return p
}

// planSize picks a size: the logarithm is even, below a bound that is usually
// low.
func planSize(random *rand.Rand, number int, most int64) int64 {
	low, high := 1.0, float64(min(smallMax, most))
	switch {
	case number%mostIn == mostIn/10:
		return most
	case random.IntN(largeIn) == 0 && most > smallMax:
		low, high = smallMax, float64(most)
	case random.IntN(16) == 0:
		return 0
	case random.IntN(2) == 0:
		low = min(partMin, high) // such as have several parts
	}
	return int64(low * math.Pow(high/low, random.Float64()))
}

func planPartSize(random *rand.Rand, size int64) int64 {
	if random.IntN(5) == 0 {
		return 0
	}
	low := max(partMin, size/partsMax)
	high := max(low, size/2)
	return int64(float64(low) * math.Pow(float64(high)/float64(low), random.Float64()))
}

func (p *plan) String() string {
	s := fmt.Sprintf("%d bytes, parts of %d, %d at a time, faults %.2f, kills %d+%d", p.size, p.partSize, p.parallel, p.rate, p.clientKills, p.serverKills)
	for _, more := range []struct {
		is   bool
		text string
	}{{p.hang, "hang"}, {p.zombies, "zombies"}, {p.old, "over an object"}, {p.change != unchanged, p.change.String()}} {
		if more.is {
			s += ", " + more.text
		}
	}
	return s
}

// upTo is a random time below d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}
