package digest

import "golang.org/x/sys/cpu"

// canFold tells whether this CPU has what fold needs.
var canFold = cpu.X86.HasPCLMULQDQ

// fold folds p, whose length is a multiple of 128, into the eight lanes of 16
// bytes: lane = lane.first*first ^ lane.second*second ^ next 16 bytes, with
// carry-less products. It needs canFold.
//
//go:noescape
func fold(lanes *[lanesSize]byte, p []byte, first, second uint64)
