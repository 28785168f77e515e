package server

import (
	"context"
	"net/http"

	"github.com/ossastore/ossa/internal/wire"
)

// maxTagsRead bounds a list of tags that is taken in. One that is longer than
// an object may have and shorter than this gets the error about tags; a longer
// one is no list of tags at all.
const maxTagsRead = 10 * wire.MaxObjectTags

// putObjectTagging replaces an object's tags.
func (s *Server) putObjectTagging(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	doc, err := s.document(rq, s.opts.MaxConfigBody)
	if err != nil {
		return err
	}
	tags, err := wire.DecodeTagging(doc, maxTagsRead)
	if err != nil {
		return err
	}
	if err := wire.ValidateObjectTags(tags); err != nil {
		return err
	}
	if err := s.authorizeTags(ctx, rq, storeTags(tags)); err != nil {
		return err
	}
	check := s.ifAllowed(ctx, rq, rq.target.key, versioned(rq.op.action, rq))
	if err := s.store.PutObjectTaggingIf(ctx, rq.target.bucket, rq.target.key, storeTags(tags), check); err != nil {
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// getObjectTagging tells an object's tags.
func (s *Server) getObjectTagging(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	o, err := s.readableObject(ctx, rq)
	if err != nil {
		return err
	}
	result := &wire.Tagging{}
	for _, t := range o.Tags {
		result.TagSet.Tags = append(result.TagSet.Tags, wire.Tag(t))
	}
	return rq.w.document(result)
}

// deleteObjectTagging removes all of an object's tags.
func (s *Server) deleteObjectTagging(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	check := s.ifAllowed(ctx, rq, rq.target.key, versioned(rq.op.action, rq))
	if err := s.store.PutObjectTaggingIf(ctx, rq.target.bucket, rq.target.key, nil, check); err != nil {
		return err
	}
	return rq.w.empty(http.StatusNoContent)
}
