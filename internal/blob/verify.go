package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// verifyBytes is how much Verify reads at once.
const verifyBytes = 512 << 10

var verifyBuffers = sync.Pool{New: func() any { return new([verifyBytes]byte) }}

// Verify reads all of e, so that the engine checks every checksum on the way.
// It returns nil when all bytes are what was written, and otherwise the
// engine's error: ErrCorrupt, ErrNotFound, or what kept it from reading.
func Verify(ctx context.Context, engine Engine, e Extent) error {
	buf := verifyBuffers.Get().(*[verifyBytes]byte)
	defer verifyBuffers.Put(buf)

	for off := int64(0); off < e.Length; {
		if err := ctx.Err(); err != nil {
			return err
		}

		want := min(verifyBytes, e.Length-off)
		n, err := engine.ReadAt(ctx, e, buf[:want], off)
		off += int64(n)
		if err != nil && !(errors.Is(err, io.EOF) && off == e.Length) {
			return err
		}
		if int64(n) != want {
			return fmt.Errorf("%w: file %d offset %d: %d bytes where %d were asked for", ErrCorrupt, e.File, e.Offset, n, want)
		}
	}
	return nil
}
