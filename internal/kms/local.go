package kms

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/smallfile"
)

// Options of a Local ring. The zero value works.
type Options struct {
	Clock  func() time.Time // default time.Now
	Rand   io.Reader        // default crypto/rand; used under a lock
	Logger *slog.Logger     // default discards
}

// EnsureDefaults fills in what is zero.
func (o *Options) EnsureDefaults() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

var (
	// ErrBadFile: the file is there and is no key ring that can be used. The
	// text says why and names the file.
	ErrBadFile = errors.New("unusable key ring file")
	// ErrKeyExists: the ring has a key of this ID.
	ErrKeyExists = errors.New("kms: key exists")
	// ErrInvalidKeyID: no key can have this ID.
	ErrInvalidKeyID = errors.New("kms: key ID must be 1 to 128 letters, digits and ._:/-, with a letter or digit first")
	// ErrRingFull: no more keys or versions.
	ErrRingFull = errors.New("kms: key ring is full")
)

// Local is a key ring in a file. It is made when it is first used, and changed
// by writing it anew: the file is whole at any time. One process changes it.
type Local struct {
	fs   vfs.FS
	path string
	opts Options

	mu   sync.RWMutex
	ring *ring // nil: there is none yet
}

// Open reads the key ring file at path. That there is none is no error: the
// first key that is asked for makes it. A file that others than its owner's
// group can read is refused, one that the group can read is warned of: volumes
// of containers are made so.
func Open(fsys vfs.FS, path string, opts Options) (*Local, error) {
	opts.EnsureDefaults()
	l := &Local{fs: fsys, path: path, opts: opts}
	text, err := smallfile.Read(fsys, path, maxFile)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fsys.Stat(fsys.PathDir(path)); err != nil {
			return nil, fmt.Errorf("%w: no directory for %s: %w", ErrBadFile, path, err)
		}
		return l, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read key ring: %w", err)
	}
	if err := l.checkMode(); err != nil {
		return nil, err
	}
	r, err := decodeRing(text)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w; put back a copy of it", ErrBadFile, path, err)
	}
	l.ring = r
	return l, nil
}

func (l *Local) checkMode() error {
	if !smallfile.OnMachine(l.fs) {
		return nil
	}
	info, err := l.fs.Stat(l.path)
	if err != nil {
		return fmt.Errorf("look at key ring: %w", err)
	}
	mode := info.Mode().Perm()
	switch {
	case mode&0o007 != 0:
		return fmt.Errorf("%w: everybody on this machine may use %s (mode %04o); chmod 600 it", ErrBadFile, l.path, mode)
	case mode&0o070 != 0:
		l.opts.Logger.Warn("the key ring is open to a group; chmod 600 it if that is not meant",
			"file", l.path, "mode", fmt.Sprintf("%04o", mode))
	}
	return nil
}

// RingID returns the ring's ID, or "" while there is no file.
func (l *Local) RingID() string {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.ring == nil {
		return ""
	}
	return l.ring.ID
}

// Place returns the path of the file.
func (l *Local) Place() string { return l.path }

// KeyInfo is one version of a key, without its material.
type KeyInfo struct {
	ID      string
	Version int // 1 is the first
	Created time.Time
	Default bool // of the key that wraps what names none
	Current bool // the version that wraps
}

// Keys lists all versions of all keys, in the order in which they were made.
func (l *Local) Keys() []KeyInfo {
	l.mu.RLock()
	defer l.mu.RUnlock()
	var all []KeyInfo
	if l.ring == nil {
		return nil
	}
	for _, k := range l.ring.Keys {
		for i, v := range k.Versions {
			all = append(all, KeyInfo{
				ID: k.ID, Version: v.Version, Created: v.Created,
				Default: k.ID == l.ring.Default, Current: i == len(k.Versions)-1,
			})
		}
	}
	return all
}

// GenerateDataKey implements KeyRing.
func (l *Local) GenerateDataKey(ctx context.Context, keyID string, purpose []byte) (DataKey, error) {
	if err := ctx.Err(); err != nil {
		return DataKey{}, err
	}
	plain, err := l.random(KeySize)
	if err != nil {
		return DataKey{}, err
	}
	wrapped, keyID, err := l.wrap(keyID, plain, purpose)
	if err != nil {
		return DataKey{}, err
	}
	return DataKey{Plain: plain, Wrapped: wrapped, KeyID: keyID}, nil
}

// Encrypt implements KeyRing.
func (l *Local) Encrypt(ctx context.Context, plain, purpose []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(plain) > MaxSecret {
		return nil, fmt.Errorf("kms: secret of %d bytes is longer than %d", len(plain), MaxSecret)
	}
	wrapped, _, err := l.wrap("", plain, purpose)
	return wrapped, err
}

// Decrypt implements KeyRing.
func (l *Local) Decrypt(ctx context.Context, wrapped, purpose []byte) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := parseHeader(wrapped)
	if err != nil {
		return nil, err
	}
	material, err := l.material(h)
	if err != nil {
		return nil, err
	}
	return unwrap(material, h, wrapped, purpose)
}

func (l *Local) material(h header) ([]byte, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.ring == nil {
		return nil, fmt.Errorf("%w: %s, and no file at %s", ErrUnknownKey, h.keyID, l.path)
	}
	k := l.ring.find(h.keyID)
	if k == nil || h.version > len(k.Versions) {
		return nil, fmt.Errorf("%w: %s version %d", ErrUnknownKey, h.keyID, h.version)
	}
	return k.Versions[h.version-1].Material, nil
}

// wrap encrypts with the current version of a key, "" for the default one. It
// returns the key's ID.
func (l *Local) wrap(keyID string, plain, purpose []byte) ([]byte, string, error) {
	r, err := l.use()
	if err != nil {
		return nil, "", err
	}
	if keyID == "" {
		keyID = r.Default
	}
	k := r.find(keyID)
	if k == nil {
		return nil, "", fmt.Errorf("%w: %.*q", ErrUnknownKey, maxKeyID, keyID)
	}
	random, err := l.random(saltSize + nonceSize)
	if err != nil {
		return nil, "", err
	}
	current := k.Versions[len(k.Versions)-1]
	wrapped, err := wrap(current.Material, k.ID, current.Version, random, plain, purpose)
	return wrapped, k.ID, err
}

// use returns the ring, which is not changed any more: a change makes another.
// The first use makes the file.
func (l *Local) use() (*ring, error) {
	l.mu.RLock()
	r := l.ring
	l.mu.RUnlock()
	if r != nil {
		return r, nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ring == nil {
		if err := l.create(); err != nil {
			return nil, err
		}
	}
	return l.ring, nil
}

// create makes a ring of one key, unless a file has come since Open: somebody
// has put a copy of a ring there, which may be the only one. The caller holds the
// lock.
func (l *Local) create() error {
	text, err := smallfile.Read(l.fs, l.path, maxFile)
	if err == nil {
		return l.adopt(text)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("read key ring: %w", err)
	}
	id, err := l.randomLocked(16)
	if err != nil {
		return err
	}
	keyID, err := l.newKeyID()
	if err != nil {
		return err
	}
	r := &ring{Format: fileFormat, ID: strings.ToUpper(hex.EncodeToString(id)), Default: keyID, Keys: []*key{{ID: keyID}}}
	if err := l.addVersion(r.Keys[0]); err != nil {
		return err
	}
	if err := l.save(r); err != nil {
		return err
	}
	l.opts.Logger.Info("key ring made; keep a copy of it: without it nothing that it encrypted can be read", "file", l.path, "ring", r.ID)
	return nil
}

// adopt uses the ring that the file holds. It is written again, since a file of
// ours whose making failed half-way may not be durable.
func (l *Local) adopt(text []byte) error {
	if err := l.checkMode(); err != nil {
		return err
	}
	r, err := decodeRing(text)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrBadFile, l.path, err)
	}
	if err := l.save(r); err != nil {
		return err
	}
	l.opts.Logger.Info("key ring found, which was not there at the start", "file", l.path, "ring", r.ID)
	return nil
}

// Create adds a key, which is used by those who name it.
func (l *Local) Create(ctx context.Context, keyID string) error {
	if !ValidKeyID(keyID) {
		return ErrInvalidKeyID
	}
	return l.change(ctx, func(r *ring) error {
		switch {
		case r.find(keyID) != nil:
			return fmt.Errorf("%w: %s", ErrKeyExists, keyID)
		case len(r.Keys) >= maxKeys:
			return ErrRingFull
		}
		k := &key{ID: keyID}
		r.Keys = append(r.Keys, k)
		return l.addVersion(k)
	})
}

// Rotate adds a version to a key, "" for the default one. From then on it wraps
// with that; the older versions stay and open what they have wrapped.
func (l *Local) Rotate(ctx context.Context, keyID string) error {
	return l.change(ctx, func(r *ring) error {
		if keyID == "" {
			keyID = r.Default
		}
		k := r.find(keyID)
		switch {
		case k == nil:
			return fmt.Errorf("%w: %.*q", ErrUnknownKey, maxKeyID, keyID)
		case len(k.Versions) >= maxVersions:
			return ErrRingFull
		}
		return l.addVersion(k)
	})
}

// change writes a changed ring, on top of what the file holds: if the last
// change failed half-way or another process made one, it has more keys than
// this one knows of, and none may be lost.
func (l *Local) change(ctx context.Context, edit func(*ring) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, err := l.use(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	text, err := smallfile.Read(l.fs, l.path, maxFile)
	if err != nil {
		return fmt.Errorf("read key ring: %w", err)
	}
	r, err := decodeRing(text)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrBadFile, l.path, err)
	}
	if !r.extends(l.ring) {
		return fmt.Errorf("%w: %s no longer holds the keys that this process uses; put them back", ErrBadFile, l.path)
	}
	if err := edit(r); err != nil {
		return err
	}
	return l.save(r)
}

// save writes r durably and uses it from then on. The caller holds the lock. On
// error the file may be r nevertheless; nothing was wrapped with its new keys.
func (l *Local) save(r *ring) error {
	text := r.encode()
	if len(text) > maxFile {
		return ErrRingFull
	}
	if err := smallfile.Write(l.fs, l.fs.PathDir(l.path), l.fs.PathBase(l.path), text); err != nil {
		return err
	}
	l.ring = r
	return nil
}

func (l *Local) addVersion(k *key) error {
	material, err := l.randomLocked(KeySize)
	if err != nil {
		return err
	}
	k.Versions = append(k.Versions, version{
		Version: len(k.Versions) + 1, Created: l.opts.Clock().UTC().Truncate(time.Second), Material: material,
	})
	return nil
}

// newKeyID returns a random UUID (version 4), the form of the key IDs of KMS.
func (l *Local) newKeyID() (string, error) {
	b, err := l.randomLocked(16)
	if err != nil {
		return "", err
	}
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}

func (l *Local) random(n int) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.randomLocked(n)
}

func (l *Local) randomLocked(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(l.opts.Rand, b); err != nil {
		return nil, fmt.Errorf("kms: no randomness: %w", err)
	}
	return b, nil
}
