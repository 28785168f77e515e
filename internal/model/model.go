// Package model is a plain OSS store: maps and byte slices, no engines, no
// durability, no concurrency. Package store is tested against it: whatever
// store answers, model answers too, from the same requests, with the same
// results and errors. It is written to be obviously right, and copies
// everything it is given and everything it gives away.
//
// What identifies things inside the store (Bucket.ID, Object.Version) is made
// up here and differs; what is equal there is equal here.
package model

import (
	"cmp"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// Options of a Store. Clock and NewUploadID must be set.
type Options struct {
	Clock       func() time.Time
	NewUploadID func() store.UploadID
	// NewAccessKeyID must be set where access keys are made.
	NewAccessKeyID func() string
	KeyIDs         []string      // keys of the key ring that may be named
	MaxBuckets     int           // default 100
	CompletedFor   time.Duration // default 25 h
	RestoreTime    time.Duration
}

// Store is the model. It must not be used concurrently.
type Store struct {
	opts    Options
	buckets map[string]*bucket
	cnames  map[string]cname // by domain
	ram     ram
	made    int // buckets and versions made so far
}

type bucket struct {
	store.Bucket
	objects   map[string]*object
	uploads   map[store.UploadID]*upload
	completed map[store.UploadID]*completed
	configs   map[store.ConfigKind][]byte
}

type object struct {
	store.Object
	data []byte
}

type upload struct {
	store.Upload
	parts map[store.PartNumber]*part
	last  store.PartNumber // highest number so far
}

type part struct {
	store.Part
	data []byte
}

type completed struct {
	key    string
	list   string
	result store.CompleteMultipartUploadResult
}

// New returns a store without buckets.
func New(opts Options) *Store {
	if opts.MaxBuckets == 0 {
		opts.MaxBuckets = 100
	}
	if opts.CompletedFor == 0 {
		opts.CompletedFor = 25 * time.Hour
	}
	return &Store{opts: opts, buckets: make(map[string]*bucket), cnames: make(map[string]cname), ram: newRAM()}
}

// Clone returns a store that is the same and goes its own way from here on.
func (s *Store) Clone() *Store {
	c := &Store{opts: s.opts, made: s.made, buckets: make(map[string]*bucket), cnames: maps.Clone(s.cnames), ram: s.ram.clone()}
	for name, b := range s.buckets {
		own := &bucket{
			Bucket: b.Bucket, completed: maps.Clone(b.completed), configs: maps.Clone(b.configs),
			objects: make(map[string]*object), uploads: make(map[store.UploadID]*upload),
		}
		for key, o := range b.objects {
			object := *o
			own.objects[key] = &object
		}
		for id, u := range b.uploads {
			upload := *u
			upload.parts = maps.Clone(u.parts)
			own.uploads[id] = &upload
		}
		c.buckets[name] = own
	}
	return c
}

func (s *Store) now() time.Time { return s.opts.Clock().UTC() }

func (s *Store) newName() string {
	s.made++
	return fmt.Sprintf("%032d", s.made)
}

func (s *Store) bucket(name string) (*bucket, error) {
	if b := s.buckets[name]; b != nil {
		return b, nil
	}
	return nil, store.ErrNoSuchBucket
}

func (s *Store) object(bucket, key string) (*object, error) {
	b, err := s.bucket(bucket)
	if err != nil {
		return nil, err
	}
	if o := b.objects[key]; o != nil {
		return o, nil
	}
	return nil, store.ErrNoSuchKey
}

// Reclaim forgets the answers to Complete that are old enough.
func (s *Store) Reclaim(context.Context) error {
	now := s.now()
	for _, b := range s.buckets {
		maps.DeleteFunc(b.completed, func(_ store.UploadID, c *completed) bool {
			return now.Sub(c.result.LastModified) > s.opts.CompletedFor
		})
	}
	return nil
}

// encrypts says whether the key ring can do it. What is encrypted reads as it
// was written.
func (s *Store) encrypts(wish store.Encryption) error {
	if wish.KeyID != "" && !slices.Contains(s.opts.KeyIDs, wish.KeyID) {
		return store.ErrUnknownKey
	}
	return nil
}

// at says where err happened. An error that knows better keeps what it knows.
func at(err error, e store.Error) error {
	if err == nil {
		return nil
	}
	e.Err = err
	var inner *store.Error
	if errors.As(err, &inner) {
		e.Err, e.ETag, e.Size = inner.Err, inner.ETag, inner.Size
		e.PartNumber = cmp.Or(e.PartNumber, inner.PartNumber)
		e.Bucket, e.Key = cmp.Or(inner.Bucket, e.Bucket), cmp.Or(inner.Key, e.Key)
	}
	return &e
}

// receive reads a body and puts it to what the client claims of it.
func receive(body store.Body) ([]byte, error) {
	if body.Size > store.MaxPartSize {
		return nil, store.ErrTooLarge
	}
	data, err := io.ReadAll(body.Reader)
	sum := md5.Sum(data)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, store.ErrShortBody
	case err != nil:
		return nil, err
	case body.Size >= 0 && int64(len(data)) != body.Size:
		return nil, store.ErrShortBody
	case body.MD5 != nil && string(body.MD5) != string(sum[:]):
		return nil, store.ErrWrongMD5
	case body.CRC64 != nil && *body.CRC64 != checksum(data):
		return nil, store.ErrWrongCRC64
	}
	return data, nil
}

func checksum(data []byte) uint64 { return crc64.Checksum(data, crc64.MakeTable(crc64.ECMA)) }

func etag(data []byte) string { return fmt.Sprintf("%X", md5.Sum(data)) }

func cloneAttributes(a store.Attributes) store.Attributes {
	if len(a.Meta) == 0 {
		a.Meta = nil
	}
	if len(a.Tags) == 0 {
		a.Tags = nil
	}
	a.Meta, a.Tags = maps.Clone(a.Meta), slices.Clone(a.Tags)
	return a
}

func (o *object) info() *store.Object {
	info := o.Object
	info.Attributes, info.MD5 = cloneAttributes(o.Attributes), slices.Clone(o.MD5)
	info.LastModified = o.LastModified.Truncate(time.Second)
	info.Transitioned = o.Transitioned.Truncate(time.Second)
	return &info
}

func (u *upload) info() *store.Upload {
	info := u.Upload
	info.Attributes = cloneAttributes(u.Attributes)
	info.Initiated = u.Initiated.Truncate(time.Second)
	return &info
}

func (p *part) info() *store.Part {
	info := p.Part
	info.MD5, info.LastModified = slices.Clone(p.MD5), p.LastModified.Truncate(time.Second)
	return &info
}
