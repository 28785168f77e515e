package main

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"cp", "rm", "ls", "check", "dry-run", "uploads"}
	for typed, want := range map[string]string{
		"mc": "", "worm": "", "lsd": "ls", "chek": "check", "hceck": "check", "dryrun": "dry-run", "upload": "uploads", "up": "", "upl": "uploads", "launch": "",
	} {
		if got := nearest(typed, names); got != want {
			t.Errorf("%s: %q, want %q", typed, got, want)
		}
	}
}
