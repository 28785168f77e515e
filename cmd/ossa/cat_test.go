package main

import (
	"fmt"
	"testing"
)

// What a range asks for, numbers at the limits included.
func TestParseRange(t *testing.T) {
	for text, want := range map[string]string{
		"0-9": "0 10", "5-5": "5 1", "7-": "7 -1", "-3": "-3 -1", "bytes=1-2": "1 2", "0-9223372036854775807": "all",
		"1-9223372036854775807": "1 9223372036854775807", "9223372036854775807-": "9223372036854775807 -1",
	} {
		r, err := parseRange(text)
		got := "all"
		if r != nil {
			got = fmt.Sprint(r.Offset, " ", r.Length)
		}
		if err != nil || got != want {
			t.Errorf("%q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"-", "5", "9-3", "-0", "1--2", "0-1,3-4", "0-9223372036854775808", "a-b"} {
		if r, err := parseRange(text); err == nil {
			t.Errorf("%q is %v", text, r)
		}
	}
}
