package server

import (
	"context"
	"fmt"
	"net/http"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// A configuration of a bucket is read strictly when it is set, and kept as the
// document that answers for it. Setting one replaces it whole.

// putConfig keeps a configuration and answers.
func (s *Server) putConfig(ctx context.Context, rq *request, kind store.ConfigKind, doc any) error {
	b, err := wire.Marshal(doc)
	if err != nil {
		return err
	}
	if len(b) > store.MaxConfig {
		return &wire.DecodeError{Detail: fmt.Sprintf("the document is longer than %d bytes", store.MaxConfig)}
	}
	if err := s.store.PutBucketConfig(ctx, rq.target.bucket, kind, b); err != nil {
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// getConfig answers with a configuration.
func (s *Server) getConfig(ctx context.Context, rq *request, kind store.ConfigKind) error {
	b, err := s.store.GetBucketConfig(ctx, rq.target.bucket, kind)
	if err != nil {
		return err
	}
	rq.w.bytes(http.StatusOK, wire.ContentTypeXML, b)
	return nil
}

// deleteConfig takes a configuration away and answers.
func (s *Server) deleteConfig(ctx context.Context, rq *request, kind store.ConfigKind) error {
	if err := s.store.DeleteBucketConfig(ctx, rq.target.bucket, kind); err != nil {
		return err
	}
	return rq.w.empty(http.StatusNoContent)
}

// kept makes sense of a document that was read when it was set.
func kept[T any](kind store.ConfigKind, document []byte, decode func([]byte) (*T, error)) (*T, error) {
	v, err := decode(document)
	if err != nil {
		return nil, fmt.Errorf("kept configuration %s: %v", kind, err) // not the client's fault
	}
	return v, nil
}
