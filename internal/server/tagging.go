package server

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// maxTagsRead bounds a list of tags that is taken in. One that is longer than
// an object or a bucket may have and shorter than this gets the error about
// tags; a longer one is no list of tags at all.
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

// putBucketTagging replaces a bucket's tags.
func (s *Server) putBucketTagging(ctx context.Context, rq *request) error {
	doc, err := s.document(rq, s.opts.MaxConfigBody)
	if err != nil {
		return err
	}
	tags, err := wire.DecodeTagging(doc, maxTagsRead)
	if err != nil {
		return err
	}
	if err := wire.ValidateBucketTags(tags); err != nil {
		return err
	}
	return s.putConfig(ctx, rq, store.ConfigTagging, bucketTagging(tags))
}

// getBucketTagging tells a bucket's tags.
func (s *Server) getBucketTagging(ctx context.Context, rq *request) error {
	err := s.getConfig(ctx, rq, store.ConfigTagging)
	if errors.Is(err, store.ErrNoSuchConfig) {
		return rq.w.document(&wire.Tagging{})
	}
	return err
}

// deleteBucketTagging takes a bucket's tags away: those whose keys the parameter
// tagging lists, with commas between, or all.
func (s *Server) deleteBucketTagging(ctx context.Context, rq *request) error {
	list := rq.query.Get(wire.QueryTagging)
	if list == "" {
		return s.deleteConfig(ctx, rq, store.ConfigTagging)
	}
	keys := strings.Split(list, ",")
	err := s.store.UpdateBucketConfig(ctx, rq.target.bucket, store.ConfigTagging, func(document []byte) ([]byte, error) {
		if document == nil {
			return nil, nil
		}
		tags, err := keptTags(document)
		if err != nil {
			return nil, err
		}
		tags = slices.DeleteFunc(tags, func(t wire.Tag) bool { return slices.Contains(keys, t.Key) })
		return wire.Marshal(bucketTagging(tags))
	})
	if err != nil {
		return err
	}
	return rq.w.empty(http.StatusNoContent)
}

func bucketTagging(tags []wire.Tag) *wire.Tagging {
	return &wire.Tagging{TagSet: wire.TagSet{Tags: tags}}
}

// keptTags reads the tags of a bucket as they are kept.
func keptTags(document []byte) ([]wire.Tag, error) {
	t, err := kept(store.ConfigTagging, document, func(b []byte) (*wire.Tagging, error) {
		tags, err := wire.DecodeTagging(b, wire.MaxBucketTags)
		return bucketTagging(tags), err
	})
	if err != nil {
		return nil, err
	}
	return t.TagSet.Tags, nil
}
