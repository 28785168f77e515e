package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// putBucketAcl sets a bucket's ACL. The documentation page "PutBucketACL" says
// that it creates a bucket that is not there; that takes the right to do so.
func (s *Server) putBucketAcl(ctx context.Context, rq *request) error {
	acl, err := rq.bucketACL()
	if err != nil {
		return err
	}
	if acl == "" {
		return wire.InvalidArgument(wire.HeaderACL, "", "no such bucket access control exists")
	}
	err = s.store.PutBucketAcl(ctx, rq.target.bucket, acl)
	if errors.Is(err, store.ErrNoSuchBucket) {
		if err := s.authorize(ctx, rq, "oss:PutBucket", rq.target.bucket, ""); err != nil {
			return err
		}
		err = s.store.PutBucket(ctx, &store.PutBucketRequest{Bucket: rq.target.bucket, ACL: acl})
	}
	if err != nil {
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// getBucketAcl tells a bucket's ACL.
func (s *Server) getBucketAcl(ctx context.Context, rq *request) error {
	b, err := s.store.GetBucketInfo(ctx, rq.target.bucket)
	if err != nil {
		return err
	}
	return rq.w.document(s.policy(b.ACL))
}

// putObjectAcl sets an object's ACL. Neither its ETag nor its date change.
func (s *Server) putObjectAcl(ctx context.Context, rq *request) error {
	acl, err := rq.objectACL()
	if err != nil {
		return err
	}
	if acl == "" {
		return wire.InvalidArgument(wire.HeaderObjectACL, "", "no such object access control exists")
	}
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	check := s.ifAllowed(ctx, rq, rq.target.key, versioned(rq.op.action, rq))
	if err := s.store.PutObjectAclIf(ctx, rq.target.bucket, rq.target.key, acl, check); err != nil {
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// getObjectAcl tells an object's ACL.
func (s *Server) getObjectAcl(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	o, err := s.readableObject(ctx, rq)
	if err != nil {
		return err
	}
	acl := o.ACL
	setDefault(&acl, string(wire.Default))
	return rq.w.document(s.policy(acl))
}

func (s *Server) policy(acl string) *wire.AccessControlPolicy {
	return &wire.AccessControlPolicy{
		Owner:             s.owner(),
		AccessControlList: wire.AccessControlList{Grant: wire.ACL(acl)},
	}
}
