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
// to see that something names it. What it finds damaged is in the report; an
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
	extents, err := c.s.loadManifest(ctx, rec.Manifest)
	if err != nil {
		c.damage(where, err)
		return ctx.Err()
	}
	c.name(where, extents)
	var sum hash.Hash
	if rec.MD5 != nil {
		sum = md5.New()
	}
	return c.bytes(ctx, where, extents, rec.Size, rec.CRC64, sum, rec.MD5)
}

func (c *checker) upload(ctx context.Context, b *bucketRow, row kv.Row) error {
	c.Uploads++
	key, id, err := meta.SplitUploadKey(row.Key)
	if err != nil {
		c.damage("bucket "+b.name, err)
		return nil
	}
	where := fmt.Sprintf("upload %s of %s/%q", id, b.name, key)
	if _, err := meta.DecodeUpload(row.Value); err != nil {
		c.damage(where, err)
	}
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
			return c.part(ctx, where, row)
		case string(row.Key) == string(meta.SequenceKey()):
			if _, err := meta.DecodeSequence(row.Value); err != nil {
				c.damage(where, err)
			}
		case string(row.Key) != kv.HeaderKey:
			c.damage(where, fmt.Errorf("unknown row %q", row.Key))
		}
		return nil
	})
}

func (c *checker) part(ctx context.Context, where string, row kv.Row) error {
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
	return c.bytes(ctx, where, rec.Extents, rec.Size, rec.CRC64, md5.New(), rec.MD5)
}

// bytes reads extents and compares what they hold with what clients were told.
func (c *checker) bytes(ctx context.Context, where string, extents []blob.Extent, size int64, crc uint64, sum hash.Hash, want []byte) error {
	buf := c.s.buffers.get()
	defer c.s.buffers.put(buf)

	var n int64
	var got uint64
	for _, e := range extents {
		for off := int64(0); off < e.Length; {
			p := buf[:min(int64(len(buf)), e.Length-off)]
			m, err := c.s.blob.ReadAt(ctx, e, p, off)
			if err != nil && err != io.EOF || m == 0 {
				if fatal(ctx, err) {
					return err
				}
				c.damage(where, fmt.Errorf("bytes from %d on: %w", n, err))
				return nil
			}
			got = digest.CRC64(got, p[:m])
			if sum != nil {
				sum.Write(p[:m])
			}
			off, n = off+int64(m), n+int64(m)
			c.Bytes += int64(m)
		}
		if c.Extents++; c.Extents%64 == 0 {
			c.progress(c.CheckReport)
		}
	}
	switch {
	case n != size:
		c.damage(where, fmt.Errorf("%d bytes where the record says %d", n, size))
	case got != crc:
		c.damage(where, fmt.Errorf("CRC-64 is %d, the record says %d", got, crc))
	case sum != nil && string(sum.Sum(nil)) != string(want):
		c.damage(where, fmt.Errorf("MD5 is %X, the record says %X", sum.Sum(nil), want))
	}
	return nil
}

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
	if extents, err := c.s.loadManifest(ctx, g.Manifest); err == nil {
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
