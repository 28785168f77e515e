//go:build linux && (amd64 || arm64)

package partial

import (
	"os"
	"syscall"
)

// syncRangeWrite is SYNC_FILE_RANGE_WRITE.
const syncRangeWrite = 2

// Flush begins to write n bytes to disk, so that less is left to wait for when
// the file is synced. It promises nothing, and its failure means nothing.
func Flush(f *os.File, off, n int64) {
	raw, err := f.SyscallConn()
	if err != nil {
		return
	}
	raw.Control(func(fd uintptr) { syscall.SyncFileRange(int(fd), off, n, syncRangeWrite) })
}
