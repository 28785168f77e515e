package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// contentTypeJSON is what a policy is answered as.
const contentTypeJSON = "application/json"

// putBucketPolicy replaces a bucket's policy, which is kept to the byte.
func (s *Server) putBucketPolicy(ctx context.Context, rq *request) error {
	doc, err := s.document(rq, wire.MaxPolicyBody)
	if isDecodeError(err) {
		return invalidPolicyDocument(err)
	} else if err != nil {
		return err
	}
	if _, err := auth.ParseBucketPolicy(doc, rq.target.bucket); err != nil {
		return invalidPolicyDocument(err)
	}
	if err := s.store.PutBucketConfig(ctx, rq.target.bucket, store.ConfigPolicy, doc); err != nil {
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// getBucketPolicy tells a bucket's policy.
func (s *Server) getBucketPolicy(ctx context.Context, rq *request) error {
	doc, err := s.store.GetBucketConfig(ctx, rq.target.bucket, store.ConfigPolicy)
	if err != nil {
		return err
	}
	rq.w.bytes(http.StatusOK, contentTypeJSON, doc)
	return nil
}

// deleteBucketPolicy takes a bucket's policy away.
func (s *Server) deleteBucketPolicy(ctx context.Context, rq *request) error {
	return s.deleteConfig(ctx, rq, store.ConfigPolicy)
}

// getBucketPolicyStatus tells whether a bucket's policy lets everybody in. A
// bucket without one lets nobody in by it, as the documentation page has it.
func (s *Server) getBucketPolicyStatus(ctx context.Context, rq *request) error {
	doc, err := s.store.GetBucketConfig(ctx, rq.target.bucket, store.ConfigPolicy)
	if errors.Is(err, store.ErrNoSuchConfig) {
		return rq.w.document(&wire.PolicyStatus{})
	} else if err != nil {
		return err
	}
	policy, err := keptPolicy(rq.target.bucket, doc)
	if err != nil {
		return err
	}
	return rq.w.document(&wire.PolicyStatus{IsPublic: policy.IsPublic()})
}

func keptPolicy(bucket string, document []byte) (*auth.Policy, error) {
	return kept(store.ConfigPolicy, document, func(b []byte) (*auth.Policy, error) { return auth.ParseBucketPolicy(b, bucket) })
}

func invalidPolicyDocument(err error) error {
	return wire.NewError("InvalidPolicyDocument").WithMessage("The policy is invalid: " + err.Error() + ".")
}
