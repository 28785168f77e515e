package main

import (
	"fmt"
	"strings"
	"testing"
)

// detailed is an error that prints a stack trace if it is let.
type detailed struct{}

func (detailed) Error() string { return "disk is on fire" }

func (d detailed) Format(f fmt.State, verb rune) {
	if f.Flag('+') {
		fmt.Fprint(f, "goroutine 1 [running]")
		return
	}
	fmt.Fprint(f, d.Error())
}

// An error is what it says, in both formats.
func TestLoggedErrors(t *testing.T) {
	for _, format := range []string{"text", "json"} {
		var b strings.Builder
		c := serveConfig{logFormat: format, logLevel: "info"}
		c.logger(&b).Error("it failed", "cause", detailed{})
		if log := b.String(); !strings.Contains(log, "disk is on fire") || strings.Contains(log, "goroutine") {
			t.Errorf("%s: %s", format, log)
		}
	}
}
