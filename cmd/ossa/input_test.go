package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file is read whole or refused: a document of which the end is missing would be
// another one.
func TestReadFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, []byte("12345"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, from := range []string{name, "-"} {
		p := &printer{stdin: strings.NewReader("12345")}
		if text, err := p.readFile(from, 5); err != nil || string(text) != "12345" {
			t.Errorf("%s: %q, %v", from, text, err)
		}
		p = &printer{stdin: strings.NewReader("12345")}
		if _, err := p.readFile(from, 4); err == nil || !strings.HasSuffix(err.Error(), " is longer than 4 bytes") {
			t.Errorf("%s with a byte too many: %v", from, err)
		}
	}
}
