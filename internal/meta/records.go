package meta

import (
	"fmt"
	"time"

	"github.com/ossastore/ossa/internal/blob"
)

// State is what a partition is in.
type State uint64

// States of range and upload partitions. Only Open accepts new names.
const (
	Open     State = 0
	Deleting State = 1 // of a range: its bucket may be about to go; goes back to Open
	Deleted  State = 2 // of a range: its bucket is gone, final
	Closed   State = 3 // of an upload: it has ended, final
)

// Header is a partition's header row. Every change of it has a new Epoch, so
// that it is never again what it was.
type Header struct {
	State State
	Epoch uint64
	Key   string // of an upload partition: the upload's key
}

// Next returns the header in this state with the next epoch.
func (h Header) Next(s State) Header {
	h.State, h.Epoch = s, h.Epoch+1
	return h
}

// Encode gives the row's value.
func (h Header) Encode() []byte {
	e := newEncoder('h')
	e.uint(1, uint64(h.State))
	e.uint(2, h.Epoch)
	e.string(3, h.Key)
	return e.finish()
}

// DecodeHeader reads a header row.
func DecodeHeader(value []byte) (h Header, err error) {
	err = decode('h', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.uint((*uint64)(&h.State))
		case 2:
			return f.uint(&h.Epoch)
		case 3:
			return f.string(&h.Key)
		}
		return errTag
	})
	return h, err
}

// Bucket is a bucket's row in Root.
type Bucket struct {
	ID           string
	Created      time.Time
	ACL          string
	StorageClass string
	Redundancy   string
}

// Encode gives the row's value.
func (b *Bucket) Encode() []byte {
	e := newEncoder('b')
	e.string(1, b.ID)
	e.time(2, b.Created)
	e.string(3, b.ACL)
	e.string(4, b.StorageClass)
	e.string(5, b.Redundancy)
	return e.finish()
}

// DecodeBucket reads a bucket's row.
func DecodeBucket(value []byte) (*Bucket, error) {
	var b Bucket
	err := decode('b', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&b.ID)
		case 2:
			return f.time(&b.Created)
		case 3:
			return f.string(&b.ACL)
		case 4:
			return f.string(&b.StorageClass)
		case 5:
			return f.string(&b.Redundancy)
		}
		return errTag
	})
	return &b, err
}

// Range is a row of a bucket's map: the partition that holds the keys from
// this row's start key on.
type Range struct{ Partition string }

// Encode gives the row's value.
func (r Range) Encode() []byte {
	e := newEncoder('m')
	e.string(1, r.Partition)
	return e.finish()
}

// DecodeRange reads a row of a bucket's map.
func DecodeRange(value []byte) (r Range, err error) {
	err = decode('m', value, func(f field) error {
		if f.tag == 1 {
			return f.string(&r.Partition)
		}
		return errTag
	})
	return r, err
}

// Config is the head row of a bucket's configuration.
type Config struct {
	Document   []byte // all of it, if it is short; else it lies in chunks
	Generation string // of the document; no two have the same
	Chunks     int
	Size       int64 // bytes of the document
	Modified   time.Time
}

// Encode gives the row's value.
func (c *Config) Encode() []byte {
	e := newEncoder('k')
	e.bytes(1, c.Document)
	e.string(2, c.Generation)
	e.uint(3, uint64(c.Chunks))
	e.uint(4, uint64(c.Size))
	e.time(5, c.Modified)
	return e.finish()
}

// DecodeConfig reads the head row of a configuration.
func DecodeConfig(value []byte) (*Config, error) {
	var c Config
	err := decode('k', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.bytes(&c.Document)
		case 2:
			return f.string(&c.Generation)
		case 3:
			var n uint64
			err := f.uint(&n)
			if err == nil && n > MaxConfigChunks {
				err = errValue
			}
			c.Chunks = int(n)
			return err
		case 4:
			err := f.int(&c.Size)
			if c.Size < 0 || c.Size > MaxConfigBytes {
				err = errValue
			}
			return err
		case 5:
			return f.time(&c.Modified)
		}
		return errTag
	})
	return &c, err
}

// MaxConfigBytes is how long the document of a configuration is at most.
const MaxConfigBytes = 512 << 10

// MaxConfigChunks is how many chunks a configuration has at most.
const MaxConfigChunks = 16

// ConfigChunk is a piece of a configuration's document.
type ConfigChunk struct{ Bytes []byte }

// Encode gives the row's value.
func (c *ConfigChunk) Encode() []byte {
	e := newEncoder('K')
	e.bytes(1, c.Bytes)
	return e.finish()
}

// DecodeConfigChunk reads a chunk.
func DecodeConfigChunk(value []byte) (*ConfigChunk, error) {
	var c ConfigChunk
	err := decode('K', value, func(f field) error {
		if f.tag == 1 {
			return f.bytes(&c.Bytes)
		}
		return errTag
	})
	return &c, err
}

// Grave names the partitions of a deleted bucket that are to be cleared away.
type Grave struct{ Ranges []string }

// Encode gives the row's value.
func (g Grave) Encode() []byte {
	e := newEncoder('g')
	for _, r := range g.Ranges {
		e.string(1, r)
	}
	return e.finish()
}

// DecodeGrave reads a grave's row.
func DecodeGrave(value []byte) (g Grave, err error) {
	err = decode('g', value, func(f field) error {
		if f.tag == 1 {
			g.Ranges = append(g.Ranges, string(f.b))
			return nil
		}
		return errTag
	})
	return g, err
}

// Sweep tells how far leftovers of earlier lives of the program were swept.
type Sweep struct{ Mark blob.Mark }

// Encode gives the row's value.
func (s Sweep) Encode() []byte {
	e := newEncoder('s')
	e.uint(1, uint64(s.Mark))
	return e.finish()
}

// DecodeSweep reads the sweep row.
func DecodeSweep(value []byte) (s Sweep, err error) {
	err = decode('s', value, func(f field) error {
		if f.tag == 1 {
			return f.uint((*uint64)(&s.Mark))
		}
		return errTag
	})
	return s, err
}

// Lifecycle tells how far the last walk over a bucket's objects has come that
// looked for what the bucket's rules want.
type Lifecycle struct {
	Began time.Time
	Rules []byte // digest of the rules that it goes by
	After string // the last key that it has done
	Done  bool
}

// Encode gives the row's value.
func (l Lifecycle) Encode() []byte {
	e := newEncoder('l')
	e.time(1, l.Began)
	e.bytes(2, l.Rules)
	e.string(3, l.After)
	e.bool(4, l.Done)
	return e.finish()
}

// DecodeLifecycle reads a bucket's lifecycle row.
func DecodeLifecycle(value []byte) (l Lifecycle, err error) {
	err = decode('l', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.time(&l.Began)
		case 2:
			return f.bytes(&l.Rules)
		case 3:
			return f.string(&l.After)
		case 4:
			return f.bool(&l.Done)
		}
		return errTag
	})
	return l, err
}

// KeyRing names the key ring that has wrapped something, once one has.
type KeyRing struct{ ID string }

// Encode gives the row's value.
func (k KeyRing) Encode() []byte {
	e := newEncoder('w')
	e.string(1, k.ID)
	return e.finish()
}

// DecodeKeyRing reads the key ring's row.
func DecodeKeyRing(value []byte) (k KeyRing, err error) {
	err = decode('w', value, func(f field) error {
		if f.tag == 1 {
			return f.string(&k.ID)
		}
		return errTag
	})
	return k, err
}

// Attributes are what a client says about an object beside its bytes.
type Attributes struct {
	ContentType        string
	CacheControl       string
	ContentDisposition string
	ContentEncoding    string
	ContentLanguage    string
	Expires            string
	Meta               []Pair
	StorageClass       string
	Tags               []Pair
	ACL                string
}

// Pair is a name and its value: user metadata, a tag.
type Pair struct{ Name, Value string }

// Attributes have the tags 32 to 41 in the records that embed them.
func (e *encoder) attributes(a *Attributes) {
	e.string(32, a.ContentType)
	e.string(33, a.CacheControl)
	e.string(34, a.ContentDisposition)
	e.string(35, a.ContentEncoding)
	e.string(36, a.ContentLanguage)
	e.string(37, a.Expires)
	for _, p := range a.Meta {
		e.pair(38, p)
	}
	e.string(39, a.StorageClass)
	for _, p := range a.Tags {
		e.pair(40, p)
	}
	e.string(41, a.ACL)
}

func (e *encoder) pair(tag uint64, p Pair) {
	inner := newEncoder('=')
	inner.string(1, p.Name)
	inner.string(2, p.Value)
	e.bytes(tag, inner.finish())
}

func (f field) pair(to *[]Pair) error {
	var p Pair
	err := decode('=', f.b, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&p.Name)
		case 2:
			return f.string(&p.Value)
		}
		return errTag
	})
	*to = append(*to, p)
	return err
}

func (f field) attributes(a *Attributes) error {
	switch f.tag {
	case 32:
		return f.string(&a.ContentType)
	case 33:
		return f.string(&a.CacheControl)
	case 34:
		return f.string(&a.ContentDisposition)
	case 35:
		return f.string(&a.ContentEncoding)
	case 36:
		return f.string(&a.ContentLanguage)
	case 37:
		return f.string(&a.Expires)
	case 38:
		return f.pair(&a.Meta)
	case 39:
		return f.string(&a.StorageClass)
	case 40:
		return f.pair(&a.Tags)
	case 41:
		return f.string(&a.ACL)
	}
	return errTag
}

// Object is an object version's row.
type Object struct {
	Version    string // unique for ever; names these bytes, not these attributes
	Type       string
	Size       int64
	ETag       string
	CRC64      uint64
	MD5        []byte // 16 bytes, or nil
	Modified   time.Time
	UploadID   string // the upload it was completed from, or ""
	Manifest   Manifest
	Encryption Encryption

	// Of an object of an archive class: from when to when it can be read; zero
	// while it was not restored. What has passed stays until it is restored again.
	RestoreReady, RestoreExpiry time.Time
	// When a lifecycle rule gave it its storage class; zero if none did.
	Transitioned time.Time

	Attributes
}

// Encode gives the row's value.
func (o *Object) Encode() []byte {
	e := newEncoder('o')
	e.string(1, o.Version)
	e.string(2, o.Type)
	e.uint(3, uint64(o.Size))
	e.string(4, o.ETag)
	e.uint(5, o.CRC64)
	e.bytes(6, o.MD5)
	e.time(7, o.Modified)
	e.string(8, o.UploadID)
	e.extents(9, o.Manifest.Extents)
	e.extents(10, o.Manifest.Stored)
	e.encryption(11, &o.Encryption)
	e.bytes(12, AppendStreams(nil, o.Manifest.Streams))
	e.time(13, o.RestoreReady)
	e.time(14, o.RestoreExpiry)
	e.time(15, o.Transitioned)
	e.attributes(&o.Attributes)
	return e.finish()
}

// DecodeObject reads an object version's row.
func DecodeObject(value []byte) (*Object, error) {
	var o Object
	err := decode('o', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&o.Version)
		case 2:
			return f.string(&o.Type)
		case 3:
			return f.int(&o.Size)
		case 4:
			return f.string(&o.ETag)
		case 5:
			return f.uint(&o.CRC64)
		case 6:
			return f.bytes(&o.MD5)
		case 7:
			return f.time(&o.Modified)
		case 8:
			return f.string(&o.UploadID)
		case 9:
			return f.extents(&o.Manifest.Extents)
		case 10:
			return f.extents(&o.Manifest.Stored)
		case 11:
			return f.encryption(&o.Encryption)
		case 12:
			return f.streams(&o.Manifest.Streams)
		case 13:
			return f.time(&o.RestoreReady)
		case 14:
			return f.time(&o.RestoreExpiry)
		case 15:
			return f.time(&o.Transitioned)
		}
		return f.attributes(&o.Attributes)
	})
	return &o, err
}

// Upload is an open upload's row.
type Upload struct {
	Initiated  time.Time
	Sequential bool
	Encryption Encryption
	Attributes
}

// Encode gives the row's value.
func (u *Upload) Encode() []byte {
	e := newEncoder('u')
	e.time(1, u.Initiated)
	e.bool(2, u.Sequential)
	e.encryption(3, &u.Encryption)
	e.attributes(&u.Attributes)
	return e.finish()
}

// DecodeUpload reads an open upload's row.
func DecodeUpload(value []byte) (*Upload, error) {
	var u Upload
	err := decode('u', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.time(&u.Initiated)
		case 2:
			return f.bool(&u.Sequential)
		case 3:
			return f.encryption(&u.Encryption)
		}
		return f.attributes(&u.Attributes)
	})
	return &u, err
}

// Part is a part's row, current or replaced.
type Part struct {
	Size     int64
	MD5      []byte // 16 bytes
	CRC64    uint64
	Modified time.Time
	Extents  []blob.Extent
}

// Encode gives the row's value.
func (p *Part) Encode() []byte {
	e := newEncoder('p')
	e.uint(1, uint64(p.Size))
	e.bytes(2, p.MD5)
	e.uint(3, p.CRC64)
	e.time(4, p.Modified)
	e.extents(5, p.Extents)
	return e.finish()
}

// DecodePart reads a part's row.
func DecodePart(value []byte) (*Part, error) {
	var p Part
	err := decode('p', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.int(&p.Size)
		case 2:
			return f.bytes(&p.MD5)
		case 3:
			return f.uint(&p.CRC64)
		case 4:
			return f.time(&p.Modified)
		case 5:
			return f.extents(&p.Extents)
		}
		return errTag
	})
	if err == nil && len(p.MD5) != 16 {
		err = fmt.Errorf("%w: part with an MD5 of %d bytes", ErrCorrupt, len(p.MD5))
	}
	return &p, err
}

// Sequence is the state of a sequential upload: the MD5 of all bytes, resumable,
// before and after the last part. It contains up to 63 bytes of the parts, and is
// a stream like them in an encrypted upload.
type Sequence struct {
	Last          int // number of the last part
	Before, After []byte
}

// Encode gives the row's value.
func (s *Sequence) Encode() []byte {
	e := newEncoder('q')
	e.uint(1, uint64(s.Last))
	e.bytes(2, s.Before)
	e.bytes(3, s.After)
	return e.finish()
}

// DecodeSequence reads a sequential upload's state.
func DecodeSequence(value []byte) (*Sequence, error) {
	var s Sequence
	err := decode('q', value, func(f field) error {
		switch f.tag {
		case 1:
			var last int64
			err := f.int(&last)
			s.Last = int(last)
			return err
		case 2:
			return f.bytes(&s.Before)
		case 3:
			return f.bytes(&s.After)
		}
		return errTag
	})
	return &s, err
}

// Completed is what an upload was completed with and became. It answers a
// repeated Complete.
type Completed struct {
	Key      string
	List     []byte // digest of the part list that it was completed with
	ETag     string
	CRC64    uint64
	Size     int64
	Modified time.Time

	Algorithm, KeyID string // as in Encryption
}

// Encode gives the row's value.
func (c *Completed) Encode() []byte {
	e := newEncoder('c')
	e.string(1, c.Key)
	e.bytes(2, c.List)
	e.string(3, c.ETag)
	e.uint(4, c.CRC64)
	e.uint(5, uint64(c.Size))
	e.time(6, c.Modified)
	e.string(7, c.Algorithm)
	e.string(8, c.KeyID)
	return e.finish()
}

// DecodeCompleted reads a completed upload's row.
func DecodeCompleted(value []byte) (*Completed, error) {
	var c Completed
	err := decode('c', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&c.Key)
		case 2:
			return f.bytes(&c.List)
		case 3:
			return f.string(&c.ETag)
		case 4:
			return f.uint(&c.CRC64)
		case 5:
			return f.int(&c.Size)
		case 6:
			return f.time(&c.Modified)
		case 7:
			return f.string(&c.Algorithm)
		case 8:
			return f.string(&c.KeyID)
		}
		return errTag
	})
	return &c, err
}

// Garbage is something that lost its name in the commit that wrote this row,
// and whose bytes are to be deleted.
type Garbage struct {
	Version  string   // object version that lost its name, or that the upload became
	Manifest Manifest // its bytes

	// The upload that ended: all its parts go, but those of the object that it
	// became, while that object is named.
	UploadID string
	Key      string
}

// Encode gives the row's value.
func (g *Garbage) Encode() []byte {
	e := newEncoder('d')
	e.string(1, g.Version)
	e.extents(2, g.Manifest.Extents)
	e.extents(3, g.Manifest.Stored)
	e.string(4, g.UploadID)
	e.string(5, g.Key)
	return e.finish()
}

// DecodeGarbage reads a garbage row.
func DecodeGarbage(value []byte) (*Garbage, error) {
	var g Garbage
	err := decode('d', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&g.Version)
		case 2:
			return f.extents(&g.Manifest.Extents)
		case 3:
			return f.extents(&g.Manifest.Stored)
		case 4:
			return f.string(&g.UploadID)
		case 5:
			return f.string(&g.Key)
		}
		return errTag
	})
	return &g, err
}
