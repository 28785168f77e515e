//go:build !linux

package fileblob

import (
	"errors"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// punchHole makes no holes here.
func punchHole(vfs.File, int64, int64) error { return errors.ErrUnsupported }
