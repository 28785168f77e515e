package engine

import "errors"

var (
	// ErrLocked: another process has the data directory open.
	ErrLocked = errors.New("data directory is in use")

	// ErrNewer: a later release of Ossa wrote the data directory.
	ErrNewer = errors.New("data directory was written by a newer release")

	// ErrNotData: the directory holds something, and not what Ossa writes.
	ErrNotData = errors.New("not an Ossa data directory")

	// ErrMissing: there is no data directory, and none was to be made.
	ErrMissing = errors.New("no data directory")

	// ErrIncomplete: names are there without bytes, or bytes without names. To
	// go on would be to take what is left for garbage, and delete it.
	ErrIncomplete = errors.New("data directory is incomplete")

	// ErrBadCredentials: root-credentials is there and cannot be understood.
	ErrBadCredentials = errors.New("root credentials cannot be read")
)
