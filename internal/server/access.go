package server

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// authenticate finds out who sent rq. Not being signed is no error: such a
// request is anonymous.
func (s *Server) authenticate(ctx context.Context, rq *request) error {
	signed := &sign.Request{
		Method: rq.r.Method,
		Bucket: rq.target.bucket,
		Key:    rq.target.key,
		Query:  signParams(rq.query),
		Header: rq.r.Header,
		Host:   rq.r.Host,
	}
	claim, err := sign.Parse(signed)
	if err != nil {
		return err
	}
	if claim.Scheme == sign.Anonymous {
		return nil
	}
	rq.accessKeyID = claim.AccessKeyID
	if err := claim.CheckTime(s.opts.Clock()); err != nil {
		return err
	}
	key, err := s.opts.Keys.Lookup(ctx, claim.AccessKeyID, claim.SecurityToken)
	if err != nil {
		return keyError(claim.AccessKeyID, err)
	}
	region := s.opts.Region
	if s.opts.AnyRegion {
		region = sign.AnyRegion
	}
	if err := claim.CheckScope(region); err != nil {
		return err
	}
	if err := claim.CheckSignature(signed, key.Secret); err != nil {
		return err
	}
	rq.identity = key.Identity
	return nil
}

// signParams are the parameters of a query as signatures have them.
func signParams(query wire.Values) []sign.Param {
	params := make([]sign.Param, 0, len(query))
	for _, p := range query {
		params = append(params, sign.Param(p))
	}
	return params
}

// keyError words a failed look-up of an access key.
func keyError(id string, err error) error {
	switch {
	case errors.Is(err, auth.ErrUnknownKey):
		return sign.UnknownAccessKey(id)
	case errors.Is(err, auth.ErrDisabledKey):
		return sign.DisabledAccessKey(id)
	case errors.Is(err, auth.ErrInvalidToken):
		return sign.InvalidToken()
	case errors.Is(err, auth.ErrExpiredToken):
		return sign.ExpiredToken()
	case errors.Is(err, auth.ErrMismatchedToken):
		return sign.MismatchedToken()
	}
	return fmt.Errorf("look up access key: %w", err)
}

// authorizeOperation asks for what the operation table names, and for tags
// that are written on the way. Sources of copies are the handlers' to ask for.
func (s *Server) authorizeOperation(ctx context.Context, rq *request) error {
	if rq.op.level == onKeys {
		return nil
	}
	t := rq.target
	if err := s.authorize(ctx, rq, versioned(rq.op.action, rq), t.bucket, t.key); err != nil {
		return err
	}
	if rq.op.action == "oss:PutObject" && rq.header(wire.HeaderTagging) != "" {
		return s.authorize(ctx, rq, "oss:PutObjectTagging", t.bucket, t.key)
	}
	return nil
}

// versioned is the action on one version of an object, where rq names one:
// oss:GetObject becomes oss:GetObjectVersion.
func versioned(action string, rq *request) string {
	if rq.op.level != onObject || action == "oss:PutObject" || rq.query.Get(wire.QueryVersionID) == "" {
		return action
	}
	return strings.Replace(action, "Object", "ObjectVersion", 1)
}

// authorize refuses rq if its sender may not do action to an object, or to a
// bucket when key is "". Rows are read only where an ACL can matter: then a
// bucket that is not there is NoSuchBucket, and anybody may learn that.
func (s *Server) authorize(ctx context.Context, rq *request, action, bucket, key string) error {
	q := auth.Request{
		Identity: rq.identity,
		Action:   action,
		Resource: auth.OSSResource(bucket, key),
	}
	if bucket != "" && s.aclCounts(rq, action) {
		b, err := s.store.GetBucketInfo(ctx, bucket)
		if err != nil {
			return err
		}
		q.BucketACL = b.ACL
		if key != "" {
			o, err := s.store.HeadObject(ctx, bucket, key)
			switch {
			case err == nil:
				q.ObjectACL = o.ACL
			case !errors.Is(err, store.ErrNoSuchKey):
				return err
			}
		}
	}
	return s.decide(q)
}

// authorizeFound asks again about an object that is about to be read. It may
// have taken the place of the one that authorize saw, with another ACL.
func (s *Server) authorizeFound(ctx context.Context, rq *request, action string, o *store.Object) error {
	q := auth.Request{
		Identity:  rq.identity,
		Action:    action,
		Resource:  auth.OSSResource(o.Bucket, o.Key),
		ObjectACL: o.ACL,
	}
	if s.aclCounts(rq, action) {
		b, err := s.store.GetBucketInfo(ctx, o.Bucket)
		if err != nil {
			return err
		}
		q.BucketACL = b.ACL
	}
	return s.decide(q)
}

// aclCounts reports whether an ACL can make a difference to rq's sender.
func (s *Server) aclCounts(rq *request, action string) bool {
	return rq.identity.Kind != auth.Owner && s.authorizer.MayGrant(action)
}

func (s *Server) decide(q auth.Request) error {
	if d := s.authorizer.Decide(q); !d.Allowed {
		return wire.NewError("AccessDenied").WithMessage(d.Reason)
	}
	return nil
}
