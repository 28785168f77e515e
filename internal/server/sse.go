package server

import (
	"context"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// encryptionHeaders are those that ask for encryption by the server.
var encryptionHeaders = []string{wire.HeaderEncryption, wire.HeaderDataEncryption, wire.HeaderEncryptionKey}

// encryptionHeader reads what the sender says of encryption; asked is whether
// it says anything. SM4 is the one algorithm of OSS that this server does not
// have; whoever asks for it is told so.
func (rq *request) encryptionHeader() (e store.Encryption, asked bool, err error) {
	data, key := rq.header(wire.HeaderDataEncryption), rq.header(wire.HeaderEncryptionKey)
	asked = rq.hasHeader(wire.HeaderEncryption)
	e.Algorithm = rq.header(wire.HeaderEncryption)
	switch e.Algorithm {
	case "":
		if asked {
			return e, asked, wire.NewError("InvalidEncryptionAlgorithmError")
		}
	case wire.EncryptionAES256, wire.EncryptionKMS, wire.EncryptionSM4:
	default:
		return e, asked, wire.NewError("InvalidEncryptionAlgorithmError")
	}
	for _, h := range []struct{ name, value string }{
		{wire.HeaderDataEncryption, data}, {wire.HeaderEncryptionKey, key},
	} {
		if h.value != "" && e.Algorithm != wire.EncryptionKMS {
			return e, asked, wire.InvalidArgument(h.name, h.value, h.name+" is not applicable if the sse algorithm is not KMS")
		}
	}
	switch {
	case data != "" && data != wire.EncryptionSM4:
		return e, asked, wire.NewError("InvalidDataEncryptionAlgorithmError")
	case data != "":
		return e, asked, headerNotImplemented(wire.HeaderDataEncryption)
	case e.Algorithm == wire.EncryptionSM4:
		return e, asked, headerNotImplemented(wire.HeaderEncryption)
	}
	e.KeyID = key
	return e, asked, nil
}

// refuseEncryption refuses headers that ask for encryption where it was
// decided before: whoever sends them must not believe them granted.
func (rq *request) refuseEncryption() error {
	for _, name := range encryptionHeaders {
		if rq.hasHeader(name) {
			return wire.InvalidArgument(name, rq.header(name), name+" is not applicable to this operation.")
		}
	}
	return nil
}

// encryption is how an object is to be encrypted: as its sender asked for, or
// else by the bucket's default.
func (s *Server) encryption(ctx context.Context, rq *request, wish store.Encryption, asked bool) (store.Encryption, error) {
	if asked {
		return wish, nil
	}
	rules, err := s.rules(ctx, rq, rq.target.bucket)
	if err != nil {
		return store.Encryption{}, err
	}
	rule, err := keptEncryption(rules.encryption)
	if err != nil || rule == nil {
		return store.Encryption{}, err
	}
	if rule.SSEAlgorithm == wire.EncryptionSM4 || rule.KMSDataEncryption != "" {
		return store.Encryption{}, headerNotImplemented(wire.HeaderEncryption) // written by a release that has it
	}
	return store.Encryption{Algorithm: rule.SSEAlgorithm, KeyID: rule.KMSMasterKeyID}, nil
}

// setDefaultEncryption does what PutBucketEncryption does.
func (s *Server) setDefaultEncryption(ctx context.Context, bucket string, e store.Encryption) error {
	document, err := wire.Marshal(&wire.BucketEncryption{
		Default: wire.ServerSideEncryptionRule{SSEAlgorithm: e.Algorithm, KMSMasterKeyID: e.KeyID},
	})
	if err != nil {
		return err
	}
	return s.store.PutBucketConfig(ctx, bucket, store.ConfigEncryption, document)
}

// setEncryption sets the headers that say how an object or a part is encrypted.
func (a *answer) setEncryption(e store.Encryption) {
	a.setIf(wire.HeaderEncryption, e.Algorithm)
	a.setIf(wire.HeaderEncryptionKey, e.KeyID)
}
