package server

import (
	"context"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// putBucketEncryption sets how objects of a bucket are encrypted that come
// without a word about it.
func (s *Server) putBucketEncryption(ctx context.Context, rq *request) error {
	doc, err := s.document(rq, s.opts.MaxConfigBody)
	if err != nil {
		return err
	}
	e, err := wire.DecodeEncryption(doc)
	if err != nil {
		return err
	}
	if e.Default.SSEAlgorithm == wire.EncryptionSM4 || e.Default.KMSDataEncryption == wire.EncryptionSM4 {
		return notImplemented("The encryption algorithm SM4 is")
	}
	return s.putConfig(ctx, rq, store.ConfigEncryption, e)
}

// getBucketEncryption tells a bucket's default encryption.
func (s *Server) getBucketEncryption(ctx context.Context, rq *request) error {
	return s.getConfig(ctx, rq, store.ConfigEncryption)
}

// deleteBucketEncryption makes objects come unencrypted again that say nothing
// about it.
func (s *Server) deleteBucketEncryption(ctx context.Context, rq *request) error {
	return s.deleteConfig(ctx, rq, store.ConfigEncryption)
}

// keptEncryption reads a bucket's default encryption as it is kept, nil if it
// has none.
func keptEncryption(document []byte) (*wire.ServerSideEncryptionRule, error) {
	if document == nil {
		return nil, nil
	}
	e, err := kept(store.ConfigEncryption, document, wire.DecodeEncryption)
	if err != nil {
		return nil, err
	}
	return &e.Default, nil
}
