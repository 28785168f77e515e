package transfer

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncFolder makes durable what was written: one call, instead of one for every
// small file.
func syncFolder(root *os.Root) error {
	d, err := root.Open(".")
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}
