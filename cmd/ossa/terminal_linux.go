package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// isTerminal tells whether someone reads along. Other devices, such as /dev/null,
// have nobody.
func isTerminal(f *os.File) bool {
	conn, err := f.SyscallConn()
	if err != nil {
		return false
	}
	is := false
	err = conn.Control(func(fd uintptr) {
		_, err := unix.IoctlGetTermios(int(fd), unix.TCGETS)
		is = err == nil
	})
	return is && err == nil
}
