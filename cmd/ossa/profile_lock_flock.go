//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package main

import (
	"os"
	"syscall"
)

// lockDirectory waits until nobody else of this program changes a directory. Where
// the file system knows no locks it does without.
func lockDirectory(dir string) (unlock func(), err error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	for {
		if err := syscall.Flock(int(d.Fd()), syscall.LOCK_EX); err != syscall.EINTR {
			return func() { d.Close() }, nil
		}
	}
}
