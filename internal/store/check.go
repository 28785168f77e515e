package store

import (
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash"
	"io"
	"strings"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// CheckOptions of Check. The zero value works.
type CheckOptions struct {
	// Progress, when set, is called now and then with the report so far.
	Progress func(CheckReport)
}

// CheckReport is what Check found.
type CheckReport struct {
	Buckets, Objects, Uploads, Parts int64
	Users, AccessKeys, Policies      int64
	Extents                          int64 // read and verified
	Bytes                            int64 // read and verified
	Encrypted                        int64 // objects and parts
	Unopened                         int64 // of those, not decrypted for want of a key ring: only what is stored was verified
	Garbage                          int64 // rows that wait for the reclaimer
	Unnamed                          int64 // extents that nothing names; the sweeper's
	UnnamedBytes                     int64
	Damaged                          int64 // how many Damage there is in all
	Damage                           []Damage
}

// Damage is one thing that is not as it was written.
type Damage struct {
	Where string // such as `object photos/"a/b"`
	What  string
}

// maxDamage is how many Damage a report lists.
const maxDamage = 1000

// Check reads everything: every row of every partition, every byte that a row
// names, every checksum, the digests that clients were told, and every extent,
// to see that something names it. Without a key ring, of what is encrypted only
// the bytes that are stored are verified. What it finds damaged is in the report; an
// error means that it could not go on.
//
// Nothing may change while it runs.
func (s *Store) Check(ctx context.Context, opts CheckOptions) (*CheckReport, error) {
	c := &checker{s: s, progress: opts.Progress, named: make(map[blob.Extent]string), partitions: make(map[kv.Partition]bool)}
	if c.progress == nil {
		c.progress = func(CheckReport) {}
	}
	for _, step := range []func(context.Context) error{c.root, c.ram, c.cnames, c.graves, c.strayPartitions, c.extents} {
		if err := step(ctx); err != nil {
			return &c.CheckReport, err
		}
		c.progress(c.CheckReport)
	}
	return &c.CheckReport, nil
}

type checker struct {
	CheckReport
	s          *Store
	progress   func(CheckReport)
	named      map[blob.Extent]string // extent -> what names it
	partitions map[kv.Partition]bool  // partitions that something names
}

func (c *checker) damage(where string, err error) {
	c.Damaged++
	if len(c.Damage) < maxDamage {
		c.CheckReport.Damage = append(c.CheckReport.Damage, Damage{where, err.Error()})
	}
}

// fatal tells errors that end the check from damage.
func fatal(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, kv.ErrUnavailable)
}

func (c *checker) root(ctx context.Context) error {
	c.partitions[meta.Root] = true
	if v, err := c.s.view(ctx, meta.Root, meta.KeyRingKey()); err != nil {
		c.damage("root", err)
	} else if row := v.rows[0]; row.Value != nil {
		if _, err := meta.DecodeKeyRing(row.Value); err != nil {
			c.damage("key ring in use", err)
		}
	}
	c.header(ctx, "root", meta.Root)
	return c.s.scanPrefix(ctx, meta.Root, meta.BucketPrefix, func(row kv.Row) error {
		name := string(row.Key[len(meta.BucketPrefix):])
		c.Buckets++
		rec, err := meta.DecodeBucket(row.Value)
		if err != nil {
			c.damage("bucket "+name, err)
			return nil
		}
		b := &bucketRow{name: name, row: row, Bucket: *rec}
		c.partitions[meta.BucketPartition(b.ID)] = true
		c.header(ctx, "bucket "+name, meta.BucketPartition(b.ID))
		if err := c.bucketRows(ctx, "bucket "+name, meta.BucketPartition(b.ID)); err != nil {
			return err
		}
		all, err := c.s.ranges(ctx, b)
		if err != nil {
			c.damage("bucket "+name, fmt.Errorf("map of ranges: %w", err))
			return nil
		}
		for _, r := range all {
			if err := c.keyRange(ctx, b, r.partition); err != nil {
				return err
			}
		}
		return nil
	})
}

// header verifies a partition's header row.
func (c *checker) header(ctx context.Context, where string, p kv.Partition) *view {
	v, err := c.s.view(ctx, p)
	switch {
	case err != nil:
		c.damage(where, err)
	case v.rawHeader == nil:
		c.damage(where, fmt.Errorf("partition %q is missing", p))
	default:
		return v
	}
	return nil
}

func (c *checker) keyRange(ctx context.Context, b *bucketRow, p kv.Partition) error {
	c.partitions[p] = true
	if c.header(ctx, "bucket "+b.name, p) == nil {
		return nil
	}
	return c.s.scan(ctx, p, nil, nil, func(row kv.Row) error {
		switch {
		case has(row.Key, meta.ObjectPrefix):
			return c.object(ctx, b, row)
		case has(row.Key, meta.UploadPrefix):
			return c.upload(ctx, b, row)
		case has(row.Key, meta.CompletedPrefix):
			if _, err := meta.DecodeCompleted(row.Value); err != nil {
				c.damage(fmt.Sprintf("bucket %s: answer %q", b.name, row.Key), err)
			}
		case has(row.Key, meta.GarbagePrefix):
			return c.garbage(ctx, b.name, b.ID, row)
		case string(row.Key) != kv.HeaderKey:
			c.damage("bucket "+b.name, fmt.Errorf("unknown row %q", row.Key))
		}
		return nil
	})
}

func has(key []byte, prefix string) bool { return strings.HasPrefix(string(key), prefix) }

func (c *checker) object(ctx context.Context, b *bucketRow, row kv.Row) error {
	key := string(row.Key[len(meta.ObjectPrefix):])
	where := fmt.Sprintf("object %s/%q", b.name, key)
	c.Objects++
	rec, err := meta.DecodeObject(row.Value)
	if err != nil {
		c.damage(where, err)
		return nil
	}
	c.name(where, rec.Manifest.Stored)
	extents, _, err := c.s.loadManifest(ctx, rec.Manifest)
	if err != nil {
		c.damage(where, err)
		return ctx.Err()
	}
	c.name(where, extents)
	content, err := c.s.objectContent(ctx, b.ID, key, rec)
	if opened, err := c.opened(ctx, where, rec.Encryption, extents, err); !opened {
		return err
	}
	var sum hash.Hash
	if rec.MD5 != nil {
		sum = md5.New()
	}
	return c.bytes(ctx, where, content, rec.CRC64, sum, rec.MD5)
}

// opened tells whether bytes can be read, err being what came of opening them.
// If they are encrypted and there is no key ring, it verifies what is stored.
func (c *checker) opened(ctx context.Context, where string, encryption meta.Encryption, extents []blob.Extent, err error) (bool, error) {
	if encryption.Algorithm != "" {
		c.Encrypted++
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, ErrNoKeyRing):
		c.Unopened++
		var size int64
		for _, e := range extents {
			size += e.Length
		}
		stored, err := c.s.newContent(extents, size, nil)
		if err != nil {
			return false, err
		}
		_, err = c.read(ctx, where, stored, io.Discard)
		return false, err
	case fatal(ctx, err):
		return false, err
	}
	c.damage(where, err)
	return false, nil
}

func (c *checker) upload(ctx context.Context, b *bucketRow, row kv.Row) error {
	c.Uploads++
	key, id, err := meta.SplitUploadKey(row.Key)
	if err != nil {
		c.damage("bucket "+b.name, err)
		return nil
	}
	where := fmt.Sprintf("upload %s of %s/%q", id, b.name, key)
	up, err := meta.DecodeUpload(row.Value)
	if err != nil {
		c.damage(where, err)
	}
	dataKey, noKey := c.s.openDataKey(ctx, up.Encryption, placeOf(b.ID, "", id), key)
	p := meta.UploadPartition(b.ID, id)
	c.partitions[p] = true
	v := c.header(ctx, where, p)
	if v == nil {
		return nil
	}
	if v.header.State != meta.Open {
		c.damage(where, errors.New("closed, but still listed"))
	}
	return c.s.scan(ctx, p, nil, nil, func(row kv.Row) error {
		switch {
		case has(row.Key, meta.PartPrefix), has(row.Key, meta.ReplacedPrefix):
			return c.part(ctx, where, row, up.Encryption, dataKey, noKey)
		case string(row.Key) == string(meta.SequenceKey()):
			seq, err := meta.DecodeSequence(row.Value)
			if err == nil && noKey == nil {
				_, before := dataKey.openState(seq.Before)
				_, after := dataKey.openState(seq.After)
				err = errors.Join(before, after)
			}
			if err != nil {
				c.damage(where, err)
			}
		case string(row.Key) != kv.HeaderKey:
			c.damage(where, fmt.Errorf("unknown row %q", row.Key))
		}
		return nil
	})
}

// part verifies a part of an upload whose data key is given, or the error that
// came of opening it.
func (c *checker) part(ctx context.Context, where string, row kv.Row, encryption meta.Encryption, key *dataKey, noKey error) error {
	n, err := meta.PartNumber(row.Key)
	replaced := err != nil
	if replaced {
		where = fmt.Sprintf("replaced part %q of %s", row.Key, where)
	} else {
		where = fmt.Sprintf("part %d of %s", n, where)
		c.Parts++
	}
	rec, err := meta.DecodePart(row.Value)
	if err != nil {
		c.damage(where, err)
		return nil
	}
	if replaced { // its bytes may be gone already, like those of garbage
		c.doomed(rec.Extents)
		return nil
	}
	c.name(where, rec.Extents)
	var content *content
	if err = noKey; err == nil {
		content, err = c.s.partContent(key, PartNumber(n), rec)
	}
	if opened, err := c.opened(ctx, where, encryption, rec.Extents, err); !opened {
		return err
	}
	return c.bytes(ctx, where, content, rec.CRC64, md5.New(), rec.MD5)
}

// bytes reads a content and compares it with what clients were told.
func (c *checker) bytes(ctx context.Context, where string, content *content, crc uint64, sum hash.Hash, want []byte) error {
	got := &digests{md5: sum}
	whole, err := c.read(ctx, where, content, got)
	switch {
	case err != nil || !whole:
		return err
	case got.crc64 != crc:
		c.damage(where, fmt.Errorf("CRC-64 is %d, the record says %d", got.crc64, crc))
	case sum != nil && string(sum.Sum(nil)) != string(want):
		c.damage(where, fmt.Errorf("MD5 is %X, the record says %X", sum.Sum(nil), want))
	}
	return nil
}

// read copies all of a content to w, and tells whether that went well. An error
// ends the check.
func (c *checker) read(ctx context.Context, where string, content *content, w io.Writer) (bool, error) {
	counted := &progressWriter{w: w, checker: c}
	if err := content.writeRange(ctx, counted, 0, content.size); err != nil {
		if fatal(ctx, err) {
			return false, err
		}
		c.damage(where, fmt.Errorf("bytes from %d on: %w", counted.n, err))
		return false, nil
	}
	c.Extents += int64(len(content.extents))
	c.progress(c.CheckReport)
	return true, nil
}

// digests computes what clients were told of bytes.
type digests struct {
	crc64 uint64
	md5   hash.Hash // nil if nobody was told it
}

func (d *digests) Write(p []byte) (int, error) {
	d.crc64 = digest.CRC64(d.crc64, p)
	if d.md5 != nil {
		d.md5.Write(p)
	}
	return len(p), nil
}

// progressWriter counts the bytes that a check reads.
type progressWriter struct {
	w       io.Writer
	n       int64 // of one content
	checker *checker
}

func (w *progressWriter) Write(p []byte) (int, error) {
	if w.n += int64(len(p)); w.n%progressBytes < int64(len(p)) {
		w.checker.progress(w.checker.CheckReport)
	}
	w.checker.Bytes += int64(len(p))
	return w.w.Write(p)
}

// progressBytes is how often progress is told within one content.
const progressBytes = 64 << 20

// name notes what names extents. Two that name one extent would delete it from
// under each other.
func (c *checker) name(where string, extents []blob.Extent) {
	for _, e := range extents {
		if other := c.named[e]; other != "" {
			c.damage(where, fmt.Errorf("shares extent %d+%d with %s", e.File, e.Offset, other))
		}
		c.named[e] = where
	}
}

// garbage notes what waits for the reclaimer. Its bytes may be gone in part
// already, so they are not read.
func (c *checker) garbage(ctx context.Context, bucket, bucketID string, row kv.Row) error {
	c.Garbage++
	where := fmt.Sprintf("bucket %s: garbage %q", bucket, row.Key)
	g, err := meta.DecodeGarbage(row.Value)
	if err != nil {
		c.damage(where, err)
		return nil
	}
	c.doomed(g.Manifest.Stored)
	if extents, _, err := c.s.loadManifest(ctx, g.Manifest); err == nil {
		c.doomed(extents)
	} else if !errors.Is(err, blob.ErrNotFound) {
		c.damage(where, err)
	}
	if g.UploadID == "" {
		return ctx.Err()
	}
	p := meta.UploadPartition(bucketID, g.UploadID)
	c.partitions[p] = true
	for _, prefix := range []string{meta.PartPrefix, meta.ReplacedPrefix} {
		err := c.s.scanPrefix(ctx, p, prefix, func(row kv.Row) error {
			rec, err := meta.DecodePart(row.Value)
			if err != nil {
				c.damage(where, err)
				return nil
			}
			c.doomed(rec.Extents)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) doomed(extents []blob.Extent) {
	for _, e := range extents {
		if _, taken := c.named[e]; !taken {
			c.named[e] = ""
		}
	}
}

// graves looks at what is left of deleted buckets.
func (c *checker) graves(ctx context.Context) error {
	return c.s.scanPrefix(ctx, meta.Root, meta.GravePrefix, func(row kv.Row) error {
		id := string(row.Key[len(meta.GravePrefix):])
		g, err := meta.DecodeGrave(row.Value)
		if err != nil {
			c.damage("deleted bucket "+id, err)
			return nil
		}
		c.partitions[meta.BucketPartition(id)] = true
		for _, r := range g.Ranges {
			p := kv.Partition(r)
			c.partitions[p] = true
			err := c.s.scanPrefix(ctx, p, meta.GarbagePrefix, func(row kv.Row) error {
				return c.garbage(ctx, "(deleted) "+id, id, row)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// strayPartitions verifies the header of partitions that nothing names: what a
// crash left between the two commits that make an upload or a bucket.
func (c *checker) strayPartitions(ctx context.Context) error {
	lister, ok := c.s.kv.(kv.Lister)
	if !ok {
		return nil
	}
	var after kv.Partition
	for {
		names, more, err := lister.Partitions(ctx, after, 1000)
		if err != nil {
			return engineError(err)
		}
		for _, p := range names {
			if after = p; !c.partitions[p] {
				c.header(ctx, fmt.Sprintf("partition %q", p), p)
			}
		}
		if !more || len(names) == 0 {
			return nil
		}
	}
}

// extents looks for extents that nothing names.
func (c *checker) extents(ctx context.Context) error {
	lister, ok := c.s.blob.(blob.Lister)
	if !ok {
		return nil
	}
	return lister.Extents(ctx, 0, ^blob.Mark(0), func(e blob.Extent, _ blob.Owner) error {
		if _, named := c.named[e]; !named {
			c.Unnamed++
			c.UnnamedBytes += e.Length
		}
		return ctx.Err()
	})
}
