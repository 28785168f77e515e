package digest

import (
	"crypto/md5"
	"strings"
	"testing"
)

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
