package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// ConfigKind names a configuration of a bucket.
type ConfigKind string

// The configurations that a bucket can have.
const (
	ConfigPolicy     ConfigKind = "policy"
	ConfigLifecycle  ConfigKind = "lifecycle"
	ConfigCors       ConfigKind = "cors"
	ConfigReferer    ConfigKind = "referer"
	ConfigEncryption ConfigKind = "encryption"
	ConfigTagging    ConfigKind = "tagging" // tags of the bucket itself
)

const (
	// MaxConfig is how many bytes a configuration may have.
	MaxConfig = meta.MaxConfigBytes

	// configInline is how many of them the head row carries; a longer document
	// lies in chunks of that size.
	configInline = 32 << 10
)

var errEmptyConfig = errors.New("store: empty configuration")

// BucketConfigs is a bucket with some of its configurations.
type BucketConfigs struct {
	Bucket    Bucket
	Documents map[ConfigKind][]byte // those that are there
}

// PutBucketConfig sets a configuration of a bucket, in place of the one that it
// had. The document is kept as it is and has 1 to MaxConfig bytes.
//
// The bucket's deletion does not look at configurations, and its decision lies
// in another partition. A configuration that is set meanwhile either finds no
// bucket, or was set before the deletion and has gone with the bucket: a bucket
// that is made again has another ID and none of the old rows.
func (s *Store) PutBucketConfig(ctx context.Context, bucket string, kind ConfigKind, document []byte) error {
	if len(document) == 0 {
		return errEmptyConfig
	}
	err := s.updateBucketConfig(ctx, bucket, kind, func(*configRow) ([]byte, error) { return document, nil })
	return wrap(err, &Error{Op: "PutBucketConfig", Bucket: bucket, Config: kind})
}

// DeleteBucketConfig takes a configuration of a bucket away. That there is none
// is no error.
func (s *Store) DeleteBucketConfig(ctx context.Context, bucket string, kind ConfigKind) error {
	err := s.updateBucketConfig(ctx, bucket, kind, func(*configRow) ([]byte, error) { return nil, nil })
	return wrap(err, &Error{Op: "DeleteBucketConfig", Bucket: bucket, Config: kind})
}

// UpdateBucketConfig makes a new document of the one that a bucket has, nil for
// none: what change returns takes its place, and nil takes it away. change may
// be called again, with another document, if others are at it too. Its error
// ends the operation and comes back wrapped.
func (s *Store) UpdateBucketConfig(ctx context.Context, bucket string, kind ConfigKind, change func(document []byte) ([]byte, error)) error {
	err := s.updateBucketConfig(ctx, bucket, kind, func(row *configRow) ([]byte, error) {
		if row.Value == nil {
			return change(nil)
		}
		document, err := s.loadConfig(ctx, row.partition, kind, row.Row)
		if err != nil {
			return nil, err
		}
		return change(document)
	})
	return wrap(err, &Error{Op: "UpdateBucketConfig", Bucket: bucket, Config: kind})
}

// configRow is the head row of a configuration. Head is zero if there is none.
type configRow struct {
	*view
	kv.Row
	head *meta.Config
}

func (s *Store) updateBucketConfig(ctx context.Context, bucket string, kind ConfigKind, document func(*configRow) ([]byte, error)) error {
	return retry(ctx, func() error {
		row, err := s.configRow(ctx, bucket, kind)
		if err != nil {
			return err
		}
		d, err := document(row)
		if err != nil || d == nil && row.Value == nil {
			return err
		}
		c := row.change()
		if d == nil {
			c.replace(row.Row, nil)
		} else if err := s.writeConfig(c, row.Row, kind, d); err != nil {
			return err
		}
		for n := range row.head.Chunks {
			c.add(meta.ConfigChunkKey(string(kind), row.head.Generation, n), nil)
		}
		return s.commit(ctx, c)
	})
}

// configRow reads the head row of a configuration for a commit.
func (s *Store) configRow(ctx context.Context, bucket string, kind ConfigKind) (*configRow, error) {
	b, err := s.liveBucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	v, err := s.view(ctx, meta.BucketPartition(b.ID), meta.ConfigKey(string(kind)))
	switch {
	case err != nil:
		return nil, err
	case v.rawHeader == nil:
		return nil, ErrNoSuchBucket // cleared away since its row was read
	}
	row := &configRow{view: v, Row: v.rows[0], head: &meta.Config{}}
	if row.Value != nil {
		row.head, err = meta.DecodeConfig(row.Value)
	}
	return row, err
}

// writeConfig adds the rows of a document to a change.
func (s *Store) writeConfig(c *change, row kv.Row, kind ConfigKind, document []byte) error {
	if n := len(document); n > MaxConfig {
		return wrap(ErrTooLarge, &Error{Size: int64(n)})
	}
	// A generation of its own makes every head row different from the one
	// before, whatever the document.
	rec := meta.Config{Generation: s.newID(), Modified: s.now(), Size: int64(len(document))}
	if rec.Size <= configInline {
		rec.Document = document
	} else {
		for rest := document; len(rest) > 0; rec.Chunks++ {
			chunk := meta.ConfigChunk{Bytes: rest[:min(len(rest), configInline)]}
			rest = rest[len(chunk.Bytes):]
			c.add(meta.ConfigChunkKey(string(kind), rec.Generation, rec.Chunks), chunk.Encode())
		}
	}
	c.replace(row, rec.Encode())
	return nil
}

// GetBucketConfig returns a configuration of a bucket: ErrNoSuchConfig if it
// has none of this kind.
func (s *Store) GetBucketConfig(ctx context.Context, bucket string, kind ConfigKind) ([]byte, error) {
	all, err := s.getBucketConfigs(ctx, bucket, kind)
	if err == nil && all.Documents[kind] == nil {
		err = ErrNoSuchConfig
	}
	if err != nil {
		return nil, wrap(err, &Error{Op: "GetBucketConfig", Bucket: bucket, Config: kind})
	}
	return all.Documents[kind], nil
}

// GetBucketConfigs returns a bucket with those of the configurations asked for
// that it has, read at once.
func (s *Store) GetBucketConfigs(ctx context.Context, bucket string, kinds ...ConfigKind) (*BucketConfigs, error) {
	all, err := s.getBucketConfigs(ctx, bucket, kinds...)
	return all, wrap(err, &Error{Op: "GetBucketConfigs", Bucket: bucket})
}

func (s *Store) getBucketConfigs(ctx context.Context, bucket string, kinds ...ConfigKind) (*BucketConfigs, error) {
	b, err := s.liveBucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	keys := make([][]byte, len(kinds))
	for i, kind := range kinds {
		keys[i] = meta.ConfigKey(string(kind))
	}
	for range maxTries {
		v, err := s.view(ctx, meta.BucketPartition(b.ID), keys...)
		if err != nil {
			return nil, err
		}
		if v.rawHeader == nil {
			return nil, ErrNoSuchBucket // cleared away since its row was read
		}
		all := &BucketConfigs{Bucket: *b.info(), Documents: make(map[ConfigKind][]byte)}
		replaced := false
		for i, row := range v.rows {
			if row.Value == nil {
				continue
			}
			document, err := s.loadConfig(ctx, v.partition, kinds[i], row)
			if errors.Is(err, errConflict) {
				replaced = true
			} else if err != nil {
				return nil, err
			}
			all.Documents[kinds[i]] = document
		}
		if !replaced {
			return all, nil
		}
	}
	return nil, fmt.Errorf("%w: too many conflicts", ErrUnavailable)
}

// loadConfig returns the document of a head row: errConflict if its chunks have
// been replaced since the row was read.
func (s *Store) loadConfig(ctx context.Context, p kv.Partition, kind ConfigKind, row kv.Row) ([]byte, error) {
	head, err := meta.DecodeConfig(row.Value)
	if err != nil || head.Chunks == 0 {
		return head.Document, err
	}
	keys := [][]byte{row.Key}
	for n := range head.Chunks {
		keys = append(keys, meta.ConfigChunkKey(string(kind), head.Generation, n))
	}
	v, err := s.view(ctx, p, keys...)
	if err != nil {
		return nil, err
	}
	if string(v.rows[0].Value) != string(row.Value) {
		return nil, errConflict
	}
	document := make([]byte, 0, head.Size)
	for _, row := range v.rows[1:] {
		chunk, err := meta.DecodeConfigChunk(row.Value)
		if err != nil {
			return nil, fmt.Errorf("configuration %s in %q: %w", kind, p, err)
		}
		document = append(document, chunk.Bytes...)
	}
	if int64(len(document)) != head.Size {
		return nil, fmt.Errorf("%w: configuration %s in %q has %d bytes of %d", meta.ErrCorrupt, kind, p, len(document), head.Size)
	}
	return document, nil
}

// bucketRows verifies the rows of a bucket's partition: each configuration is
// whole, and there is no chunk but those of configurations.
func (c *checker) bucketRows(ctx context.Context, where string, p kv.Partition) error {
	chunks := make(map[string]bool) // no head seen yet that names them; heads come after all chunks
	err := c.s.scan(ctx, p, nil, nil, func(row kv.Row) error {
		switch {
		case has(row.Key, meta.ConfigChunkPrefix):
			chunks[string(row.Key)] = true
		case has(row.Key, meta.ConfigPrefix):
			return c.config(ctx, where, p, row, chunks)
		case string(row.Key) == string(meta.LifecycleKey()):
			if _, err := meta.DecodeLifecycle(row.Value); err != nil {
				c.damage(where, fmt.Errorf("lifecycle: %w", err))
			}
		case string(row.Key) != kv.HeaderKey && !has(row.Key, meta.RangePrefix):
			c.damage(where, fmt.Errorf("unknown row %q", row.Key))
		}
		return nil
	})
	for _, key := range slices.Sorted(maps.Keys(chunks)) {
		c.damage(where, fmt.Errorf("row %q belongs to no configuration", key))
	}
	return err
}

// config verifies one configuration and takes its chunks out of those seen.
func (c *checker) config(ctx context.Context, where string, p kv.Partition, row kv.Row, chunks map[string]bool) error {
	kind := ConfigKind(row.Key[len(meta.ConfigPrefix):])
	where = fmt.Sprintf("%s: configuration %s", where, kind)
	document, err := c.s.loadConfig(ctx, p, kind, row)
	switch {
	case fatal(ctx, err):
		return err
	case err != nil:
		c.damage(where, err)
	case len(document) == 0:
		c.damage(where, errors.New("empty"))
	}
	if head, err := meta.DecodeConfig(row.Value); err == nil {
		for n := range head.Chunks {
			delete(chunks, string(meta.ConfigChunkKey(string(kind), head.Generation, n)))
		}
	}
	return nil
}
