package server

import (
	"context"
	"errors"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// putBucketReferer replaces the rules about pages that link to a bucket. An
// empty list that allows an empty Referer is how they are taken away.
func (s *Server) putBucketReferer(ctx context.Context, rq *request) error {
	doc, err := s.document(rq, wire.MaxRefererBody)
	if err != nil {
		return err
	}
	c, err := wire.DecodeReferer(doc)
	if err != nil {
		return err
	}
	return s.putConfig(ctx, rq, store.ConfigReferer, c)
}

// getBucketReferer tells the rules; those of a bucket without any let
// everybody pass.
func (s *Server) getBucketReferer(ctx context.Context, rq *request) error {
	err := s.getConfig(ctx, rq, store.ConfigReferer)
	if errors.Is(err, store.ErrNoSuchConfig) {
		return rq.w.document(wire.NewReferer())
	}
	return err
}
