package main

import (
	"crypto/md5"
	"fmt"
	"os"
	"strings"
	"testing"
)

// Files of /proc have bytes, and say that they have none.
func TestHashWithoutSize(t *testing.T) {
	const name = "/proc/version"
	text, err := os.ReadFile(name)
	if err != nil {
		t.Skip(err)
	}
	var out, errs strings.Builder
	status := run([]string{"hash", "md5", name}, &out, &errs)
	if want := fmt.Sprintf("%X  %s\n", md5.Sum(text), name); status != exitOK || out.String() != want {
		t.Errorf("status %d, %q, want %q; %s", status, out.String(), want, errs.String())
	}
}
