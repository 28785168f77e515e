//go:build darwin || dragonfly || freebsd || linux || netbsd || openbsd

package partial

import (
	"errors"
	"os"
	"syscall"
)

// lock locks a file, and returns ErrBusy if it is locked. File systems that have
// no locks go without.
func lock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); {
		case errors.Is(err, syscall.EINTR):
		case errors.Is(err, syscall.EWOULDBLOCK):
			return ErrBusy
		default:
			return nil
		}
	}
}
