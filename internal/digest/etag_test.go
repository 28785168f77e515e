package digest

import (
	"crypto/md5"
	"strings"
	"testing"
)

func TestParseETag(t *testing.T) {
	const sum = "5D41402ABC4B2A76B9719D911017C592"
	for in, want := range map[string]string{
		sum:                                    sum,
		strings.ToLower(sum):                   sum,
		`"` + sum + `"`:                        sum,
		` "` + strings.ToLower(sum) + "\"\r\n": sum,
		`"` + sum + `-1"`:                      sum + "-1",
		strings.ToLower(sum) + "-10000":        sum + "-10000",
	} {
		if got, ok := ParseETag(in); !ok || got != want {
			t.Errorf("ParseETag(%q) = %q, %v, want %q", in, got, ok, want)
		}
	}
	for _, in := range []string{
		"", `"`, `""`, "-1", "*", sum[1:], sum + "0", `"` + sum, sum + `"`, `""` + sum + `""`, "'" + sum + "'",
		"W/\"" + sum + `"`, strings.Replace(sum, "5", "G", 1), sum + "-", sum + "-0", sum + "-01", sum + "-+1",
		sum + "--1", sum + "-1-1", sum + "-99999999999999999999", sum + " -1", strings.Repeat("é", 16),
	} {
		if got, ok := ParseETag(in); ok {
			t.Errorf("ParseETag(%q) = %q, want it refused", in, got)
		}
	}
}

// FuzzParseETag proves that what is accepted is a fixed point.
func FuzzParseETag(f *testing.F) {
	f.Add(`"5d41402abc4b2a76b9719d911017c592-2"`)
	f.Fuzz(func(t *testing.T, s string) {
		tag, ok := ParseETag(s)
		if !ok {
			return
		}
		if again, ok := ParseETag(`"` + tag + `"`); !ok || again != tag {
			t.Fatalf("ParseETag(%q) = %q, but that parses as %q, %v", s, tag, again, ok)
		}
	})
}

// TestMultipartETagCase proves that lower-case part ETags give the same result.
func TestMultipartETagCase(t *testing.T) {
	part := PartETag(md5.Sum([]byte("hello")))
	if part != "5D41402ABC4B2A76B9719D911017C592" {
		t.Fatalf("PartETag = %q", part)
	}
	upper, low := MultipartETag([]string{part, part}), MultipartETag([]string{strings.ToLower(part), part})
	if upper != low || !strings.HasSuffix(upper, "-2") {
		t.Errorf("MultipartETag = %q and %q", upper, low)
	}
}
