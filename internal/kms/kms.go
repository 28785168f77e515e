// Package kms keeps the keys that other keys are encrypted with. Nothing of a
// client is encrypted here: every object or upload has a data key of its own,
// and what lies beside its bytes is that data key, wrapped.
//
// What every KeyRing promises, and kmstest proves of each:
//
//   - A data key is fresh: 32 random bytes that were never given out before.
//   - What is wrapped opens only with the key that wrapped it, whole and
//     unchanged, and for the purpose that it was bound to: anything else is
//     ErrUnknownKey or ErrWrongKey, never other bytes.
//   - What is wrapped names its key. So keys may be rotated, and what an older
//     one has wrapped still opens.
//   - A key that was used is durable: it is there after a power cut that comes
//     once the call has returned.
package kms

import (
	"context"
	"errors"
)

// KeySize is the length of a data key in bytes.
const KeySize = 32

// MaxSecret is the longest secret that Encrypt takes, in bytes.
const MaxSecret = 4096

var (
	// ErrNoKeyRing: there is no key ring to wrap or open anything with.
	ErrNoKeyRing = errors.New("kms: no key ring")
	// ErrUnknownKey: the key is not in the ring.
	ErrUnknownKey = errors.New("kms: no such key in the key ring")
	// ErrWrongKey: what is wrapped does not open. The key of this name is
	// another, the purpose differs, or the bytes are damaged.
	ErrWrongKey = errors.New("kms: wrapped key does not open")
)

// DataKey is a fresh key to encrypt data with.
type DataKey struct {
	Plain   []byte // KeySize bytes; never stored, never logged
	Wrapped []byte // what Decrypt makes Plain of
	KeyID   string // of the key that wrapped it
}

// KeyRing wraps and opens small secrets. All methods may be called
// concurrently. purpose is not secret and not stored: whoever opens must say
// the same again, so that what was wrapped for one place is of no use in
// another.
type KeyRing interface {
	// GenerateDataKey makes a data key, wrapped with the key of this ID, "" for
	// the ring's default key.
	GenerateDataKey(ctx context.Context, keyID string, purpose []byte) (DataKey, error)

	// Decrypt opens what GenerateDataKey or Encrypt has wrapped.
	Decrypt(ctx context.Context, wrapped, purpose []byte) ([]byte, error)

	// Encrypt wraps up to MaxSecret bytes with the default key.
	Encrypt(ctx context.Context, plain, purpose []byte) ([]byte, error)
}

// Identified is what a KeyRing may offer besides, whose keys are in no other
// ring: the data remember which one they need.
type Identified interface {
	// RingID returns the ring's name, unique for ever, or "" while nothing was
	// ever wrapped with it.
	RingID() string
	// Place says to people where the ring lies, such as the path of its file.
	Place() string
}

// None is a ring without keys.
type None struct{}

// GenerateDataKey answers ErrNoKeyRing.
func (None) GenerateDataKey(context.Context, string, []byte) (DataKey, error) {
	return DataKey{}, ErrNoKeyRing
}

// Decrypt answers ErrNoKeyRing.
func (None) Decrypt(context.Context, []byte, []byte) ([]byte, error) { return nil, ErrNoKeyRing }

// Encrypt answers ErrNoKeyRing.
func (None) Encrypt(context.Context, []byte, []byte) ([]byte, error) { return nil, ErrNoKeyRing }
