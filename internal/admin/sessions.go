package admin

import (
	"context"
	"errors"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
)

// assumeRole begins a session of whoever calls, who must be allowed to: what it
// touches is the caller itself.
var assumeRole = action{
	name: "AssumeRole", permission: "sts:AssumeRole",
	serve: func(ctx context.Context, c *call, body []byte) (any, error) {
		var r AssumeRoleRequest
		if err := decode(body, &r); err != nil {
			return nil, err
		}
		if err := c.authorize([]auth.Resource{c.self()}); err != nil {
			return nil, err
		}
		const most = int64(1<<63-1) / int64(time.Second)
		duration := time.Duration(max(-1, min(r.DurationSeconds, most))) * time.Second
		session, err := c.h.opts.Keys.AssumeRole(ctx, c.identity, []byte(r.Policy), duration)
		if errors.Is(err, store.ErrNoSuchUser) {
			return nil, sign.UnknownAccessKey(c.accessKeyID) // gone since it signed
		}
		if err != nil {
			return nil, err
		}
		return &Credentials{
			AccessKeyID: session.AccessKeyID, AccessKeySecret: session.AccessKeySecret,
			SecurityToken: session.SecurityToken, Expires: session.Expires,
		}, nil
	},
}

func (c *call) self() auth.Resource {
	if c.identity.Kind == auth.Owner {
		return auth.Resource{Service: "ram", Path: "root"}
	}
	return user(c.identity.Name)
}

// withRing does something to the key ring, if there is one.
func (c *call) withRing(fn func(Ring) error) error {
	if c.h.opts.Ring == nil {
		return kms.ErrNoKeyRing
	}
	if err := fn(c.h.opts.Ring); err != nil {
		return &ringError{err}
	}
	return nil
}

// ringError is of what is done to the key ring. If nothing else is known of it
// the ring's file is at fault: it is gone, or its disk is full.
type ringError struct{ err error }

func (e *ringError) Error() string { return "key ring: " + e.err.Error() }
func (e *ringError) Unwrap() error { return e.err }

func listKeys(_ context.Context, c *call, _ *None) (*ListKeysResult, error) {
	res := &ListKeysResult{Keys: []Key{}}
	err := c.withRing(func(ring Ring) error {
		for _, k := range ring.Keys() {
			res.Keys = append(res.Keys, Key(k))
		}
		return nil
	})
	return res, err
}
