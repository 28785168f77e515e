package pebblekv

import "time"

// Hasty returns o with all waits a thousand times shorter.
func Hasty(o Options) Options {
	o.after = func(d time.Duration) <-chan time.Time { return time.After(d / 1000) }
	return o
}
