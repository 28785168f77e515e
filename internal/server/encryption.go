package server

import (
	"context"
	"errors"

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
		return sm4NotImplemented()
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

// bucketEncryption returns a bucket's default encryption, nil if it has none.
func (s *Server) bucketEncryption(ctx context.Context, bucket string) (*wire.ServerSideEncryptionRule, error) {
	document, err := s.store.GetBucketConfig(ctx, bucket, store.ConfigEncryption)
	if errors.Is(err, store.ErrNoSuchConfig) {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	e, err := kept(store.ConfigEncryption, document, wire.DecodeEncryption)
	if err != nil {
		return nil, err
	}
	return &e.Default, nil
}

// sm4NotImplemented refuses the one algorithm of OSS that this server does not
// have.
func sm4NotImplemented() error {
	e := wire.NewError("NotImplemented").WithMessage("The encryption algorithm SM4 is not implemented by this server.")
	e.Status = statusNotImplemented
	return e
}
