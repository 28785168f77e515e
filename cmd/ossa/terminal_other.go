//go:build !linux

package main

import "os"

// isTerminal tells whether someone reads along. Of other devices than terminals
// it knows the one that has nobody.
func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	if err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return false
	}
	nobody, err := os.Stat(os.DevNull)
	return err != nil || !os.SameFile(info, nobody)
}
