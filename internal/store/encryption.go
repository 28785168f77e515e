package store

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync/atomic"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/meta"
	"github.com/ossastore/ossa/internal/seal"
)

// Algorithms of Encryption. They differ in the key that wraps the data key:
// with KMS the client may name one of the key ring.
const (
	AES256 = "AES256"
	KMS    = "KMS"
)

// Encryption says how the bytes of an object are encrypted. The zero value: not
// at all.
type Encryption struct {
	Algorithm string // AES256 or KMS
	KeyID     string // with KMS, of the key that wraps the data key; as a wish, "" is the ring's default key
}

// dataKey is the key of the bytes of one object version, or of the parts of one
// upload and of the object that they became.
type dataKey struct {
	plain []byte
	place []byte // bucket ID and version or upload ID, see placeOf
}

// sealing is what one body is encrypted with, and as what. Nil: it is not.
type sealing struct{ key, what []byte }

// Fields of what a key or a stream is for have their length in front, so that
// no two places read the same. docs/format lists them.
func appendFields(b []byte, fields ...string) []byte {
	for _, f := range fields {
		b = binary.AppendUvarint(b, uint64(len(f)))
		b = append(b, f...)
	}
	return b
}

// placeOf says whose bytes they are: those of an upload's parts when there is
// an upload ID, else those of a version.
func placeOf(bucketID, version, uploadID string) []byte {
	if uploadID != "" {
		return appendFields(nil, bucketID, "u", uploadID)
	}
	return appendFields(nil, bucketID, "v", version)
}

// purpose is what a data key is wrapped for. The object's key is in it, and not
// in the place: keys that were exchanged between rows do not open.
func purpose(place []byte, key string) []byte {
	return appendFields(append([]byte("ossa data key 1"), place...), key)
}

// newDataKey makes a data key as wished for, nil if no encryption is, and the
// record of it.
func (s *Store) newDataKey(ctx context.Context, wish Encryption, place []byte, key string) (*dataKey, meta.Encryption, error) {
	if wish == (Encryption{}) {
		return nil, meta.Encryption{}, nil
	}
	k, err := s.opts.KeyRing.GenerateDataKey(ctx, wish.KeyID, purpose(place, key))
	switch {
	case errors.Is(err, kms.ErrNoKeyRing):
		return nil, meta.Encryption{}, ErrNoKeyRing
	case errors.Is(err, kms.ErrUnknownKey):
		return nil, meta.Encryption{}, fmt.Errorf("%w: %w", ErrUnknownKey, err)
	case err != nil:
		return nil, meta.Encryption{}, ringFailed(ctx, err)
	}
	rec := meta.Encryption{Algorithm: wish.Algorithm, Key: k.Wrapped}
	if wish.Algorithm == KMS {
		rec.KeyID = k.KeyID
	}
	return &dataKey{plain: k.Plain, place: place}, rec, nil
}

// openDataKey opens the data key of a record, nil if it has none.
func (s *Store) openDataKey(ctx context.Context, rec meta.Encryption, place []byte, key string) (*dataKey, error) {
	if rec.Algorithm == "" {
		return nil, nil
	}
	plain, err := s.opts.KeyRing.Decrypt(ctx, rec.Key, purpose(place, key))
	switch {
	case errors.Is(err, kms.ErrNoKeyRing):
		return nil, ErrNoKeyRing
	case errors.Is(err, kms.ErrUnknownKey), errors.Is(err, kms.ErrWrongKey):
		return nil, fmt.Errorf("%w: %w", ErrKeyLost, err)
	case err != nil:
		return nil, ringFailed(ctx, err)
	}
	return &dataKey{plain: plain, place: place}, nil
}

// ringFailed makes an error of a key ring that could not do what it should.
func ringFailed(ctx context.Context, err error) error {
	if ctx.Err() != nil || errors.Is(err, ErrUnavailable) {
		return err
	}
	return fmt.Errorf("%w: key ring: %w", ErrUnavailable, err)
}

// whole is how the bytes of an object that came in one request are encrypted.
func (k *dataKey) whole() *sealing {
	if k == nil {
		return nil
	}
	return &sealing{k.plain, k.place}
}

// part is how the bytes of a part are encrypted.
func (k *dataKey) part(n PartNumber) *sealing {
	if k == nil {
		return nil
	}
	return &sealing{k.plain, appendFields(k.place[:len(k.place):len(k.place)], "p", strconv.Itoa(int(n)))}
}

// sealState encrypts the MD5 state of a sequential upload, which has bytes of
// its parts in it.
func (s *Store) sealState(k *dataKey, state digest.MD5State) ([]byte, error) {
	if k == nil {
		return state, nil
	}
	return seal.Bytes(random{s}, k.plain, k.state(), state)
}

func (k *dataKey) openState(state []byte) (digest.MD5State, error) {
	if k == nil {
		return state, nil
	}
	plain, err := seal.OpenBytes(k.plain, k.state(), state)
	if err != nil {
		return nil, fmt.Errorf("%w: state of a sequential upload: %w", meta.ErrCorrupt, err)
	}
	return plain, nil
}

func (k *dataKey) state() []byte {
	return appendFields(k.place[:len(k.place):len(k.place)], "q")
}

// random is the store's source of randomness as a reader.
type random struct{ s *Store }

func (r random) Read(p []byte) (int, error) {
	r.s.random(p)
	return len(p), nil
}

func encryptionOf(rec meta.Encryption) Encryption {
	return Encryption{Algorithm: rec.Algorithm, KeyID: rec.KeyID}
}

// storedSize is how many bytes of the blob engine a body takes, -1 for unknown.
func (c *sealing) storedSize(size int64) int64 {
	if c == nil || size < 0 {
		return size
	}
	return seal.Size(size)
}

// output is where the bytes of a body go: into w, encrypted if they are to be.
type output struct {
	w       io.Writer
	random  io.Reader
	sealing *sealing
	sealed  *seal.Writer
}

// begin tells how many bytes come, -1 for unknown, before the first of them.
func (o *output) begin(size int64) (err error) {
	if o.sealing != nil {
		o.sealed, err = seal.NewWriter(o.w, o.random, o.sealing.key, o.sealing.what, size)
	}
	return err
}

func (o *output) Write(p []byte) (int, error) {
	if o.sealed != nil {
		return o.sealed.Write(p)
	}
	return o.w.Write(p)
}

// finish writes what is held back.
func (o *output) finish() error {
	if o.sealed != nil {
		return o.sealed.Close()
	}
	return nil
}

// corrupt makes damage of a stream what damage is called here.
func corrupt(err error) error {
	if errors.Is(err, seal.ErrCorrupt) {
		return fmt.Errorf("%w: %w", blob.ErrCorrupt, err)
	}
	return err
}

// noted is a key ring that the metadata know of before anything is wrapped with
// it. A server that is started without it later says so.
type noted struct {
	kms.KeyRing
	ring kms.Identified
	s    *Store
	done atomic.Bool
}

// GenerateDataKey implements kms.KeyRing.
func (n *noted) GenerateDataKey(ctx context.Context, keyID string, purpose []byte) (kms.DataKey, error) {
	k, err := n.KeyRing.GenerateDataKey(ctx, keyID, purpose)
	if err == nil {
		err = n.note(ctx)
	}
	if err != nil {
		return kms.DataKey{}, err
	}
	return k, nil
}

// Encrypt implements kms.KeyRing.
func (n *noted) Encrypt(ctx context.Context, plain, purpose []byte) ([]byte, error) {
	wrapped, err := n.KeyRing.Encrypt(ctx, plain, purpose)
	if err == nil {
		err = n.note(ctx)
	}
	if err != nil {
		return nil, err
	}
	return wrapped, nil
}

// note writes the ring's ID into the root partition.
func (n *noted) note(ctx context.Context) error {
	if n.done.Load() {
		return nil
	}
	err := retry(ctx, func() error {
		v, err := n.s.view(ctx, meta.Root, meta.KeyRingKey())
		if err != nil {
			return err
		}
		if v.rows[0].Value != nil {
			return checkRing(v.rows[0].Value, n.ring)
		}
		c := v.change()
		c.replace(v.rows[0], meta.KeyRing{ID: n.ring.RingID()}.Encode())
		return n.s.commit(ctx, c)
	})
	if err == nil {
		n.done.Store(true)
	}
	return err
}

// noteRing sees to it that the key ring of the options is the one that the
// metadata know, if they know one.
func (s *Store) noteRing(ctx context.Context) error {
	v, err := s.view(ctx, meta.Root, meta.KeyRingKey())
	if err != nil {
		return err
	}
	ring, ok := s.opts.KeyRing.(kms.Identified)
	value := v.rows[0].Value
	switch {
	case !ok && value != nil:
		rec, err := meta.DecodeKeyRing(value)
		if err != nil {
			return err
		}
		s.log.Warn("some of this data is encrypted and cannot be read without its key ring", "ring", rec.ID)
	case ok && value != nil:
		if err := checkRing(value, ring); err != nil {
			return err
		}
	}
	if ok {
		n := &noted{KeyRing: s.opts.KeyRing, ring: ring, s: s}
		n.done.Store(value != nil)
		s.opts.KeyRing = n
	}
	return nil
}

func checkRing(value []byte, ring kms.Identified) error {
	rec, err := meta.DecodeKeyRing(value)
	switch {
	case err != nil:
		return err
	case ring.RingID() == "":
		return fmt.Errorf("%w: data here is encrypted with key ring %s, and there is none at %s; put a copy of it there, or start without a key ring to use what is not encrypted",
			ErrWrongRing, rec.ID, ring.Place())
	case ring.RingID() != rec.ID:
		return fmt.Errorf("%w: data here is encrypted with key ring %s, and %s is key ring %s; put a copy of the right one there, or start without a key ring to use what is not encrypted",
			ErrWrongRing, rec.ID, ring.Place(), ring.RingID())
	}
	return nil
}
