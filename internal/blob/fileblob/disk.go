package fileblob

import (
	"fmt"

	"github.com/ossastore/ossa/internal/blob"
)

// plentyFactor is how many times the reserve must be free for the disk not to be
// short of space any more.
const plentyFactor = 4

// settleReserve finds how many bytes must stay free.
func (e *Engine) settleReserve() {
	switch {
	case e.opts.ReserveBytes < 0:
		e.reserve = 0
	case e.opts.ReserveBytes > 0:
		e.reserve = uint64(e.opts.ReserveBytes)
	default:
		usage, err := e.fs.GetDiskUsage(e.dir)
		if err != nil {
			return // no figures, no bound
		}
		e.reserve = min(max(usage.TotalBytes/50, minReserveBytes), maxReserveBytes)
	}
}

// admit lets n more bytes in, or answers blob.ErrFull. What is let in counts
// until release(n), which comes when the disk's own figures show it. A file
// system without figures lets everything in.
func (e *Engine) admit(n int64) error {
	err := e.askFor(n)
	if err != nil && e.runShort() {
		err = e.askFor(n)
	}
	return err
}

func (e *Engine) askFor(n int64) error {
	if e.reserve == 0 {
		return nil
	}
	usage, err := e.fs.GetDiskUsage(e.dir)
	if err != nil {
		e.admitted.Add(n)
		return nil
	}
	ahead := e.admitted.Add(n)
	if uint64(ahead)+e.reserve > usage.AvailBytes {
		e.admitted.Add(-n)
		return fmt.Errorf("%w: %d bytes asked, %d free, %d reserved", blob.ErrFull, n, usage.AvailBytes, e.reserve)
	}
	if usage.AvailBytes > plentyFactor*e.reserve && e.short.Load() {
		e.short.Store(false)
	}
	return nil
}

func (e *Engine) release(n int64) {
	if e.reserve != 0 {
		e.admitted.Add(-n)
	}
}
