package oss

import (
	"fmt"
	"io"
	"iter"
)

// defaultPreferred is the part size that DeterminePartSize starts from, as the
// SDK for Python does.
const defaultPreferred = 10 << 20

// DeterminePartSize picks the size of the parts of an object of total bytes:
// preferred (0 for 10 MiB), doubled until it is at least MinPartSize and MaxParts
// parts hold the object. If total is less than preferred the object is one part.
func DeterminePartSize(total, preferred int64) (int64, error) {
	return determinePartSize(total, preferred, MaxParts)
}

func determinePartSize(total, preferred, maxParts int64) (int64, error) {
	if preferred == 0 {
		preferred = defaultPreferred
	}
	switch {
	case total < 0 || preferred < 0:
		return 0, fmt.Errorf("oss: a size of %d and parts of %d bytes", total, preferred)
	case total > maxParts*MaxPartSize:
		return 0, fmt.Errorf("oss: an object of %d bytes is larger than %d parts of %d bytes", total, maxParts, int64(MaxPartSize))
	case total < preferred && total <= MaxPartSize:
		return total, nil
	}
	size := preferred
	for size < MinPartSize || size < MaxPartSize && size*maxParts < total {
		size *= 2
	}
	return min(size, MaxPartSize), nil
}

// Sections presents size bytes of r as parts of partSize bytes, the last one
// being the rest: each with its number, from 1. No bytes are no parts. Each is an
// io.Seeker, so that a part can be sent again, and they can be read at the same
// time.
func Sections(r io.ReaderAt, size, partSize int64) iter.Seq2[int, *io.SectionReader] {
	return func(yield func(int, *io.SectionReader) bool) {
		number := 1
		for off := int64(0); off < size && partSize > 0; off += partSize {
			if !yield(number, io.NewSectionReader(r, off, min(partSize, size-off))) {
				return
			}
			number++
		}
	}
}
