package wire

import "testing"

// TestParseRange is the table of the documentation page "GetObject", for an
// object of 1000 bytes, and its edges.
func TestParseRange(t *testing.T) {
	const size = 1000
	whole, bad := "whole", "416"
	tests := []struct{ header, plain, standard string }{
		{"bytes=0-499", "bytes 0-499/1000", "bytes 0-499/1000"},
		{"bytes=500-", "bytes 500-999/1000", "bytes 500-999/1000"},
		{"bytes=-200", "bytes 800-999/1000", "bytes 800-999/1000"},
		{"bytes=0-1000", whole, "bytes 0-999/1000"},
		{"bytes=500-2000", whole, "bytes 500-999/1000"},
		{"bytes=1000-1500", whole, bad},
		{"bytes=1000-", whole, bad},
		{"bytes=-2000", whole, "bytes 0-999/1000"},
		{"bytes=-0", whole, bad},
		{"bytes=500-100", whole, whole},
		{"byte=0-499", whole, whole},
		{"garbage", whole, whole},
		{"bytes=0-9,20-29", "bytes 0-9/1000", "bytes 0-9/1000"},

		{"", whole, whole},
		{"bytes=", whole, whole},
		{"bytes=-", whole, whole},
		{"bytes", whole, whole},
		{"=0-1", whole, whole},
		{"bytes=a-b", whole, whole},
		{"bytes=0-1-2", whole, whole},
		{"bytes=0--1", whole, whole},
		{"bytes=+0-1", whole, whole},
		{"bytes=0-9,x", whole, whole},
		{"bytes=0-9,", whole, whole},
		{"bytes=2000-,0-9", whole, bad},
		{"Bytes= 0-9 ,\t20-29", "bytes 0-9/1000", "bytes 0-9/1000"},
		{"bytes=0-0", "bytes 0-0/1000", "bytes 0-0/1000"},
		{"bytes=999-999", "bytes 999-999/1000", "bytes 999-999/1000"},
		{"bytes=0-999", "bytes 0-999/1000", "bytes 0-999/1000"},
		{"bytes=0-", "bytes 0-999/1000", "bytes 0-999/1000"},
		{"bytes=-1", "bytes 999-999/1000", "bytes 999-999/1000"},
		{"bytes=-1000", "bytes 0-999/1000", "bytes 0-999/1000"},
		{"bytes=000-0009", "bytes 0-9/1000", "bytes 0-9/1000"},
		{"bytes=0-9223372036854775807", whole, "bytes 0-999/1000"},
		{"bytes=0-99999999999999999999999", whole, "bytes 0-999/1000"},
		{"bytes=99999999999999999999999-", whole, bad},
		{"bytes=-99999999999999999999999", whole, "bytes 0-999/1000"},
	}
	for _, tt := range tests {
		if got := rangeText(tt.header, size, false); got != tt.plain {
			t.Errorf("%q: got %s, want %s", tt.header, got, tt.plain)
		}
		if got := rangeText(tt.header, size, true); got != tt.standard {
			t.Errorf("%q, standard: got %s, want %s", tt.header, got, tt.standard)
		}
	}
	for _, header := range []string{"bytes=0-0", "bytes=0-", "bytes=-1", "bytes=-0", "bytes=5-9"} {
		if got := rangeText(header, 0, false); got != whole {
			t.Errorf("%q of an empty object: got %s", header, got)
		}
		if got := rangeText(header, 0, true); got != bad {
			t.Errorf("%q of an empty object, standard: got %s", header, got)
		}
	}
	if got := rangeText("nonsense", 0, true); got != whole {
		t.Errorf("nonsense of an empty object, standard: got %s", got)
	}
}

func rangeText(header string, size int64, standard bool) string {
	r, kind := ParseRange(header, size, standard)
	switch {
	case kind == RangePart:
		return r.ContentRange(size)
	case kind == RangeUnsatisfiable:
		return "416"
	case r == Range{0, size}:
		return "whole"
	}
	return "neither part nor whole"
}

// TestParseCopySourceRange proves that anything but one range inside the source
// copies the whole source.
func TestParseCopySourceRange(t *testing.T) {
	tests := []struct {
		header string
		want   Range
		ok     bool
	}{
		{"bytes=0-102399", Range{0, 102400}, true},
		{"bytes=102400-204799", Range{102400, 102400}, true},
		{"bytes=102400-", Range{102400, 102400}, true},
		{"", Range{0, 204800}, false},
		{"bytes=0-204800", Range{0, 204800}, false},
		{"bytes=204800-204801", Range{0, 204800}, false},
		{"bytes=5-1", Range{0, 204800}, false},
		{"bytes=0-1,5-6", Range{0, 204800}, false},
		{"0-1", Range{0, 204800}, false},
	}
	for _, tt := range tests {
		if got, ok := ParseCopySourceRange(tt.header, 204800); got != tt.want || ok != tt.ok {
			t.Errorf("%q: got %v, %v", tt.header, got, ok)
		}
	}
}

// FuzzParseRange looks for a range that leaves the object.
func FuzzParseRange(f *testing.F) {
	f.Add("bytes=0-499", int64(1000), true)
	f.Add("bytes=-99999999999999999999", int64(0), false)
	f.Add("bytes=5-,6-7", int64(1), true)
	f.Fuzz(func(t *testing.T, header string, size int64, standard bool) {
		if size < 0 {
			return
		}
		r, kind := ParseRange(header, size, standard)
		switch {
		case kind == RangePart && (r.Offset < 0 || r.Length < 1 || r.Offset > size-r.Length):
			t.Fatalf("%v of %d bytes", r, size)
		case kind == RangeWhole && r != Range{0, size}:
			t.Fatalf("whole is %v of %d bytes", r, size)
		case kind == RangeUnsatisfiable && !standard:
			t.Fatal("unsatisfiable without standard")
		}
	})
}
