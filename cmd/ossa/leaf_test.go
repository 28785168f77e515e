package main

import (
	"strings"
	"testing"
)

// Nothing is done where something is given that is empty: rm without the version
// that was meant would delete the object.
func TestEmptyValues(t *testing.T) {
	setTestEnvironment(t, newLongBucket(t, 3, 3, nil))
	for _, args := range [][]string{
		{"rm", "oss://long/k", "--version-id", ""}, {"rm", "oss://long/k", "--version-id="}, {"uploads", "abort", "oss://long/k", ""}, {"tag", "rm", "oss://long/k", ""},
		{"uploads", "clean", "oss://long", "--older-than", "0s", "--prefix", ""}, {"ls", "oss://long", "--profile", ""},
	} {
		var out, errs strings.Builder
		if status := run(args, &out, &errs); status != exitUsage || out.Len() > 0 || !strings.Contains(errs.String(), "is empty; is a variable not set?") {
			t.Errorf("%q: status %d, %q, %q", args, status, out.String(), errs.String())
		}
	}
}
