package store

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// secret sees that the key ring opens the secret of an access key.
func (c *checker) secret(ctx context.Context, where, id string, sealed []byte) error {
	_, err := c.s.opts.KeyRing.Decrypt(ctx, sealed, SecretContext(id))
	switch {
	case err == nil, errors.Is(err, kms.ErrNoKeyRing):
		return nil
	case fatal(ctx, err):
		return err
	}
	c.damage(where, fmt.Errorf("secret: %w", err))
	return nil
}

// ram verifies users, access keys and policies, and that what names one of them
// and what is named agree. Secrets are opened if there is a key ring.
func (c *checker) ram(ctx context.Context) error {
	keys := make(map[string]string) // access key ID -> user that names it
	attached := make(map[string]uint64)
	err := c.s.scanPrefix(ctx, meta.Root, meta.UserPrefix, func(row kv.Row) error {
		c.Users++
		u, err := parseUser(row)
		if err != nil {
			c.damage(fmt.Sprintf("user %q", row.Key), err)
			return nil
		}
		where := "user " + u.name
		if u.ID == "" || !slices.IsSorted(u.AccessKeys) {
			c.damage(where, errors.New("no ID, or access keys out of order"))
		}
		for _, id := range u.AccessKeys {
			keys[id] = u.name
		}
		for _, name := range u.Policies {
			attached[name]++
		}
		return nil
	})
	if err != nil {
		return err
	}
	err = c.s.scanPrefix(ctx, meta.Root, meta.AccessKeyPrefix, func(row kv.Row) error {
		c.AccessKeys++
		id := string(row.Key[len(meta.AccessKeyPrefix):])
		where := "access key " + id
		rec, err := meta.DecodeAccessKey(row.Value)
		switch {
		case err != nil:
			c.damage(where, err)
		case keys[id] != rec.User:
			c.damage(where, fmt.Errorf("user %q does not have it", rec.User))
		case len(rec.Sealed) == 0:
			c.damage(where, errors.New("no secret"))
		}
		delete(keys, id)
		if err == nil && len(rec.Sealed) > 0 {
			return c.secret(ctx, where, id, rec.Sealed)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for id, user := range keys {
		c.damage("user "+user, fmt.Errorf("access key %s is missing", id))
	}
	err = c.s.scanPrefix(ctx, meta.Root, meta.PolicyPrefix, func(row kv.Row) error {
		c.Policies++
		p, err := parsePolicy(row)
		if err != nil {
			c.damage(fmt.Sprintf("policy %q", row.Key), err)
			return nil
		}
		if p.Attached != attached[p.name] {
			c.damage("policy "+p.name, fmt.Errorf("%d users have it, the record says %d", attached[p.name], p.Attached))
		}
		delete(attached, p.name)
		return nil
	})
	for name := range attached {
		c.damage("policy "+name, errors.New("users have it, and it is missing"))
	}
	return err
}
