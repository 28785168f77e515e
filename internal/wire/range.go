package wire

import (
	"fmt"
	"math"
	"strings"
)

// Range is a run of an object's bytes.
type Range struct {
	Offset int64
	Length int64 // at least 1 for a RangePart
}

// ContentRange returns the value of the Content-Range header for the range of
// an object of size bytes.
func (r Range) ContentRange(size int64) string {
	return fmt.Sprintf("bytes %d-%d/%d", r.Offset, r.Offset+r.Length-1, size)
}

// RangeKind says how a request with a Range header is to be answered.
type RangeKind int

const (
	RangeWhole         RangeKind = iota // 200 with the whole object and no Content-Range
	RangePart                           // 206 with the range
	RangeUnsatisfiable                  // 416 InvalidRange; the range is meaningless
)

// ParseRange decides what the Range header h selects of an object of size
// bytes. standard is whether the request has "x-oss-range-behavior: standard".
//
// Without it OSS serves the whole object whenever the range does not lie
// within it, as the documentation page "GetObject" says. With it, a range is
// clipped or unsatisfiable as in HTTP. A malformed header is ignored either
// way, and of several ranges the first counts.
func ParseRange(h string, size int64, standard bool) (Range, RangeKind) {
	whole := Range{0, size}
	specs, ok := parseRangeSpecs(h)
	if !ok {
		return whole, RangeWhole
	}
	spec := specs[0]
	first, last, satisfiable := spec.resolve(size)
	switch {
	case satisfiable && (standard || spec.within(size)):
		return Range{first, last - first + 1}, RangePart
	case !standard:
		return whole, RangeWhole
	default:
		return Range{}, RangeUnsatisfiable
	}
}

// ParseCopySourceRange decides what x-oss-copy-source-range selects of a source
// of size bytes. It returns false, and the whole source, if h is empty,
// malformed, has several ranges, or does not lie within the source: then the
// answer has no Content-Range either.
func ParseCopySourceRange(h string, size int64) (Range, bool) {
	if strings.Contains(h, ",") {
		return Range{0, size}, false
	}
	r, kind := ParseRange(h, size, false)
	return r, kind == RangePart
}

// rangeSpec is one range as it was written: first-last, first- (last is -1) or
// -suffix (first is -1, last is the suffix).
type rangeSpec struct{ first, last int64 }

// resolve returns the positions that the spec selects of size bytes, clipped to
// them, and whether there is any byte among them.
func (s rangeSpec) resolve(size int64) (first, last int64, ok bool) {
	switch {
	case s.first < 0:
		return max(size-s.last, 0), size - 1, s.last > 0 && size > 0
	case s.last < 0:
		return s.first, size - 1, s.first < size
	default:
		return s.first, min(s.last, size-1), s.first < size
	}
}

// within reports whether the spec needs no clipping.
func (s rangeSpec) within(size int64) bool { return s.last < size || s.first < 0 && s.last == size }

func parseRangeSpecs(h string) ([]rangeSpec, bool) {
	unit, list, ok := strings.Cut(h, "=")
	if !ok || !strings.EqualFold(strings.TrimSpace(unit), "bytes") {
		return nil, false
	}
	var specs []rangeSpec
	for text := range strings.SplitSeq(list, ",") {
		spec, ok := parseRangeSpec(strings.Trim(text, " \t"))
		if !ok {
			return nil, false
		}
		specs = append(specs, spec)
	}
	return specs, true
}

func parseRangeSpec(text string) (rangeSpec, bool) {
	left, right, ok := strings.Cut(text, "-")
	if !ok || left == "" && right == "" {
		return rangeSpec{}, false
	}
	s := rangeSpec{-1, -1}
	if left != "" {
		if s.first, ok = parsePosition(left); !ok {
			return rangeSpec{}, false
		}
	}
	if right != "" {
		if s.last, ok = parsePosition(right); !ok {
			return rangeSpec{}, false
		}
	}
	return s, left == "" || right == "" || s.first <= s.last
}

// parsePosition reads decimal digits. What is too large for an int64 lies
// behind the end of every object, and becomes the largest int64.
func parsePosition(s string) (int64, bool) {
	var n int64
	for i := range len(s) {
		d := int64(s[i]) - '0'
		if d < 0 || d > 9 {
			return 0, false
		}
		if n > (math.MaxInt64-d)/10 {
			n = math.MaxInt64
			continue
		}
		n = n*10 + d
	}
	return n, true
}
