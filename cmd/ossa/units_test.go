package main

import (
	"strings"
	"testing"
	"time"
)

// Ages are read as people write them.
func TestParseAge(t *testing.T) {
	for text, want := range map[string]time.Duration{"7d": 7 * 24 * time.Hour, "2w": 14 * 24 * time.Hour, "12h": 12 * time.Hour, "0s": 0, "90m": 90 * time.Minute} {
		if age, err := parseAge("--older-than", text); err != nil || age != want {
			t.Errorf("%q: %v, %v; want %v", text, age, err, want)
		}
	}
	for _, text := range []string{"", "7", "d", "-1d", "-1h", "1.5d", "99999999999d"} {
		if age, err := parseAge("--older-than", text); err == nil || !strings.Contains(err.Error(), "--older-than") {
			t.Errorf("%q is %v, %v", text, age, err)
		}
	}
}
