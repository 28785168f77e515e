package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// MaxCnames is how many domains may lead to one bucket, the limit of OSS; made
// at once, a few more may pass.
const MaxCnames = 100

// Cname is a domain that leads to a bucket.
type Cname struct {
	Domain  string // lower case
	Bucket  string
	Created time.Time
}

// PutCname lets a domain lead to a bucket. That it does already is no error; that
// it leads to another one is ErrCnameExists, with that bucket in the Error.
//
// The commit guards the bucket's row: a bucket that is deleted meanwhile, and
// made again under the same name, has another one. So a row of a domain is
// never younger than the grave of its bucket, and goes with it.
func (s *Store) PutCname(ctx context.Context, bucket, domain string) error {
	err := retry(ctx, func() error { return s.putCname(ctx, bucket, domain) })
	return wrap(err, &Error{Op: "PutCname", Bucket: bucket})
}

func (s *Store) putCname(ctx context.Context, bucket, domain string) error {
	b, err := s.liveBucket(ctx, bucket)
	if err != nil {
		return err
	}
	root, err := s.view(ctx, meta.Root, meta.CnameKey(domain))
	if err != nil {
		return err
	}
	owner, err := s.cnameOwner(ctx, root.rows[0])
	switch {
	case err == nil && owner.ID == b.ID:
		return nil
	case err == nil:
		return wrap(ErrCnameExists, &Error{Bucket: owner.name})
	case !errors.Is(err, ErrNoSuchCname):
		return err
	}
	n := 0
	if err := s.eachCname(ctx, b.ID, func(kv.Row, *meta.Cname) error { n++; return nil }); err != nil {
		return err
	}
	if n >= MaxCnames {
		return ErrTooManyCnames
	}
	rec := meta.Cname{Bucket: b.name, BucketID: b.ID, Created: s.now()}
	c := root.change()
	c.guard(b.row)
	c.replace(root.rows[0], rec.Encode())
	return s.commit(ctx, c)
}

// cnameOwner returns the bucket that a domain's row leads to; ErrNoSuchCname if
// there is no row or it is a leftover.
func (s *Store) cnameOwner(ctx context.Context, row kv.Row) (*bucketRow, error) {
	if row.Value == nil {
		return nil, ErrNoSuchCname
	}
	rec, err := meta.DecodeCname(row.Value)
	if err != nil {
		return nil, fmt.Errorf("domain %s: %w", row.Key[len(meta.CnamePrefix):], err)
	}
	b, err := s.bucket(ctx, rec.Bucket)
	if errors.Is(err, ErrNoSuchBucket) || err == nil && b.ID != rec.BucketID {
		return nil, ErrNoSuchCname
	}
	return b, err
}

// eachCname calls fn for every row that leads to the bucket of this ID.
func (s *Store) eachCname(ctx context.Context, bucketID string, fn func(kv.Row, *meta.Cname) error) error {
	return s.scanPrefix(ctx, meta.Root, meta.CnamePrefix, func(row kv.Row) error {
		rec, err := meta.DecodeCname(row.Value)
		if err != nil {
			return fmt.Errorf("domain %s: %w", row.Key[len(meta.CnamePrefix):], err)
		}
		if rec.BucketID != bucketID {
			return nil
		}
		return fn(row, rec)
	})
}

// DeleteCname takes a domain from a bucket; ErrNoSuchCname if it does not lead
// there.
func (s *Store) DeleteCname(ctx context.Context, bucket, domain string) error {
	decided := false
	err := retry(ctx, func() error {
		b, err := s.liveBucket(ctx, bucket)
		if err != nil {
			return err
		}
		root, err := s.view(ctx, meta.Root, meta.CnameKey(domain))
		if err != nil {
			return err
		}
		owner, err := s.cnameOwner(ctx, root.rows[0])
		if err == nil && owner.ID != b.ID {
			err = ErrNoSuchCname
		}
		if errors.Is(err, ErrNoSuchCname) && decided {
			return nil // by somebody who was asked the same
		} else if err != nil {
			return err
		}
		decided = true
		c := root.change()
		c.replace(root.rows[0], nil)
		return s.commit(ctx, c)
	})
	return wrap(err, &Error{Op: "DeleteCname", Bucket: bucket})
}

// ListCname returns the domains that lead to a bucket, ascending. They are at
// most a few more than MaxCnames.
func (s *Store) ListCname(ctx context.Context, bucket string) ([]Cname, error) {
	var all []Cname
	b, err := s.liveBucket(ctx, bucket)
	if err == nil {
		err = s.eachCname(ctx, b.ID, func(row kv.Row, rec *meta.Cname) error {
			all = append(all, Cname{string(row.Key[len(meta.CnamePrefix):]), rec.Bucket, rec.Created})
			return nil
		})
	}
	return all, wrap(err, &Error{Op: "ListCname", Bucket: bucket})
}

// LookupCname returns the bucket that a domain leads to, or ErrNoSuchCname.
func (s *Store) LookupCname(ctx context.Context, domain string) (bucket string, err error) {
	rows, err := s.kv.Get(ctx, meta.Root, meta.CnameKey(domain))
	if err != nil {
		return "", wrap(engineError(err), &Error{Op: "LookupCname"})
	}
	b, err := s.cnameOwner(ctx, rows[0])
	if err != nil {
		return "", wrap(err, &Error{Op: "LookupCname"})
	}
	return b.name, nil
}

// dropCnames removes the domains of a bucket that is buried.
func (s *Store) dropCnames(ctx context.Context, bucketID string) error {
	var rows []kv.Row
	err := s.eachCname(ctx, bucketID, func(row kv.Row, _ *meta.Cname) error { rows = append(rows, row); return nil })
	if err != nil {
		return err
	}
	return s.removeRows(ctx, meta.Root, rows)
}

// cnames verifies that every domain leads to a bucket that is there, or whose
// grave is.
func (c *checker) cnames(ctx context.Context) error {
	return c.s.scanPrefix(ctx, meta.Root, meta.CnamePrefix, func(row kv.Row) error {
		where := fmt.Sprintf("domain %q", row.Key[len(meta.CnamePrefix):])
		rec, err := meta.DecodeCname(row.Value)
		if err != nil {
			c.damage(where, err)
			return nil
		}
		rows, err := c.s.kv.Get(ctx, meta.Root, meta.BucketKey(rec.Bucket), meta.GraveKey(rec.BucketID))
		if err != nil {
			return engineError(err)
		}
		if rows[1].Value != nil {
			return nil
		}
		if b, err := meta.DecodeBucket(rows[0].Value); rows[0].Value == nil || err == nil && b.ID != rec.BucketID {
			c.damage(where, errors.New("leads to a bucket that is not there"))
		}
		return nil
	})
}
