package server

import (
	"context"

	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/store"
)

// expiration is when an object expires by the lifecycle rules of its bucket, and
// by which, as a header tells it; "" if it does not. Rules that cannot be read are
// the runner's to complain about: an object can be read in spite of them.
func (s *Server) expiration(ctx context.Context, rq *request, o *store.Object) string {
	r, err := s.rules(ctx, rq, o.Bucket)
	if err != nil || r.lifecycle == nil {
		return ""
	}
	rules, err := s.lifecycles.get(o.Bucket, r.lifecycle, func() (lifecycle.Rules, error) { return lifecycle.Parse(r.lifecycle) })
	if err != nil {
		return ""
	}
	about := lifecycle.Object{Key: o.Key, Size: o.Size, Class: o.StorageClass, Modified: o.LastModified}
	for _, t := range o.Tags {
		about.Tags = append(about.Tags, lifecycle.Tag(t))
	}
	due, ok := rules.Expiration(s.opts.Calendar, about)
	if !ok {
		return ""
	}
	return due.Header()
}
