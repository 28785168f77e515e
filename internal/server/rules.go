package server

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// rules are what a bucket says about who may do what. A request reads them
// once, all at one instant, and is judged by them to its end.
type rules struct {
	missing error  // why there is no bucket; nil if there is one
	acl     string // "" if there is no bucket
	policy  *auth.Policy
	referer *wire.RefererConfiguration // nil: everybody may
	tagging []byte                     // the document with the bucket's tags

	// What only some requests read; see configKinds.
	lifecycle  []byte // the document of the rules by which objects expire
	encryption []byte // the document with the default encryption
	cors       []byte // the document of the rules for pages of other origins
}

// configKinds are the configurations that a request is judged by or answered
// with. Some are long, and are left where they are if nobody asks.
func (rq *request) configKinds() []store.ConfigKind {
	if rq.op.name == "OptionObject" {
		return []store.ConfigKind{store.ConfigCors}
	}
	kinds := []store.ConfigKind{store.ConfigPolicy, store.ConfigReferer, store.ConfigTagging}
	switch rq.op.name {
	case "GetObject", "HeadObject":
		kinds = append(kinds, store.ConfigLifecycle)
	case "PutObject", "CopyObject", "InitiateMultipartUpload":
		kinds = append(kinds, store.ConfigEncryption)
	}
	if rq.hasHeader("Origin") {
		kinds = append(kinds, store.ConfigCors)
	}
	return kinds
}

// rules returns the rules of a bucket, also of one that is not there.
//
// A policy that cannot be read may deny anything. Only the owner, who can
// replace it, gets on.
func (s *Server) rules(ctx context.Context, rq *request, bucket string) (*rules, error) {
	if r := rq.rules[bucket]; r != nil {
		return r, nil
	}
	r := &rules{}
	configs, err := s.store.GetBucketConfigs(ctx, bucket, rq.configKinds()...)
	switch {
	case errors.Is(err, store.ErrNoSuchBucket):
		r.missing = err
	case err != nil:
		return nil, err
	default:
		r.acl, r.tagging = configs.Bucket.ACL, configs.Documents[store.ConfigTagging]
		r.lifecycle, r.encryption = configs.Documents[store.ConfigLifecycle], configs.Documents[store.ConfigEncryption]
		r.cors = configs.Documents[store.ConfigCors]
		if doc := configs.Documents[store.ConfigPolicy]; doc != nil {
			r.policy, err = s.policies.get(bucket, doc, func() (*auth.Policy, error) { return keptPolicy(bucket, doc) })
			if err != nil && rq.identity.Kind != auth.Owner {
				return nil, fmt.Errorf("bucket %s: %w", bucket, err)
			}
		}
		if doc := configs.Documents[store.ConfigReferer]; doc != nil {
			r.referer, err = s.referers.get(bucket, doc, func() (*wire.RefererConfiguration, error) {
				return kept(store.ConfigReferer, doc, wire.DecodeReferer)
			})
			if err != nil {
				return nil, fmt.Errorf("bucket %s: %w", bucket, err)
			}
		}
	}
	if rq.rules == nil {
		rq.rules = make(map[string]*rules)
	}
	rq.rules[bucket] = r
	return r, nil
}

func (r *rules) tags() ([]wire.Tag, error) {
	if r.tagging == nil {
		return nil, nil
	}
	return keptTags(r.tagging)
}

// checkReferer refuses a request that a page of somebody else's has led to. One
// with a signature in its headers was made by no page's link.
func (s *Server) checkReferer(ctx context.Context, rq *request) error {
	if rq.target.bucket == "" || rq.signature == sign.V1Header || rq.signature == sign.V4Header {
		return nil
	}
	r, err := s.rules(ctx, rq, rq.target.bucket)
	if err != nil || r.referer == nil || r.referer.Allows(rq.header("Referer")) {
		return err
	}
	return wire.NewError("AccessDenied").WithMessage("You are denied by bucket referer policy.")
}

// maxParsed is how many documents of a kind are kept parsed.
const maxParsed = 256

// parsed keeps what came of parsing documents, one of each bucket, beside the
// document itself: so nothing in it is ever taken for what it is no more.
type parsed[V any] struct {
	mu   sync.Mutex
	kept map[string]parsedDocument[V] // by bucket
}

type parsedDocument[V any] struct {
	document string
	value    V
}

// get returns what parse makes of a bucket's document.
func (p *parsed[V]) get(bucket string, document []byte, parse func() (V, error)) (V, error) {
	p.mu.Lock()
	have, ok := p.kept[bucket]
	p.mu.Unlock()
	if ok && have.document == string(document) {
		return have.value, nil
	}
	v, err := parse()
	if err != nil {
		return v, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.kept) >= maxParsed || p.kept == nil {
		p.kept = make(map[string]parsedDocument[V])
	}
	p.kept[bucket] = parsedDocument[V]{string(document), v}
	return v, nil
}
