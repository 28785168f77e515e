package server

import (
	"context"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// Pages of other origins may use a bucket where its rules say so. A browser
// asks first, by a preflight, and shows a page no answer to an actual request
// that does not name its origin: errors, too, so that a page can tell why.

// exposed are headers that a page sees of every answer it may see at all. It
// cannot complete a multipart upload without the ETag of each part.
var exposed = []string{"ETag", wire.HeaderCRC64, wire.HeaderRequestID}

// maxRequestHeaders is how many headers a preflight may ask for.
const maxRequestHeaders = 200

// putBucketCors replaces a bucket's rules for pages of other origins.
func (s *Server) putBucketCors(ctx context.Context, rq *request) error {
	doc, err := s.document(rq, wire.MaxCORSBody)
	if err != nil {
		return err
	}
	c, err := wire.DecodeCORS(doc)
	if err != nil {
		return err
	}
	return s.putConfig(ctx, rq, store.ConfigCors, c)
}

// getBucketCors tells a bucket's rules.
func (s *Server) getBucketCors(ctx context.Context, rq *request) error {
	return s.getConfig(ctx, rq, store.ConfigCors)
}

// deleteBucketCors takes all rules away.
func (s *Server) deleteBucketCors(ctx context.Context, rq *request) error {
	return s.deleteConfig(ctx, rq, store.ConfigCors)
}

// bucketCORS returns the rules of the bucket that rq is about, nil if it has
// none.
func (s *Server) bucketCORS(ctx context.Context, rq *request) (*wire.CORSConfiguration, error) {
	r, err := s.rules(ctx, rq, rq.target.bucket)
	switch {
	case err != nil:
		return nil, err
	case r.missing != nil:
		return nil, r.missing
	case r.cors == nil:
		return nil, nil
	}
	return s.cors.get(rq.target.bucket, r.cors, func() (*wire.CORSConfiguration, error) {
		return kept(store.ConfigCors, r.cors, wire.DecodeCORS)
	})
}

// optionObject answers a preflight, which is never signed.
func (s *Server) optionObject(ctx context.Context, rq *request) error {
	origin, method := rq.header("Origin"), rq.header("Access-Control-Request-Method")
	for _, h := range []struct{ name, value string }{
		{"Origin", origin}, {"Access-Control-Request-Method", method},
	} {
		if h.value == "" {
			return wire.NewError("BadRequest").WithMessage("Insufficient information. " + h.name + " request header needed.")
		}
	}
	if rq.target.bucket == "" {
		return wire.NewError("AccessForbidden")
	}
	c, err := s.bucketCORS(ctx, rq)
	if err != nil {
		return err
	}
	if c == nil {
		return wire.NewError("AccessForbidden")
	}
	if c.ResponseVary {
		rq.w.always("Vary", "Origin")
	}
	headers := listed(rq.header("Access-Control-Request-Headers"))
	rule := c.Match(origin, method, headers)
	if rule == nil || len(headers) > maxRequestHeaders {
		return wire.NewError("AccessForbidden")
	}
	rq.w.allowOrigin(origin, rule)
	if len(headers) > 0 {
		rq.w.set("Access-Control-Allow-Headers", strings.Join(headers, ", "))
	}
	return rq.w.empty(http.StatusOK)
}

// listed splits a header that is a list.
func listed(header string) []string {
	var list []string
	for name := range strings.SplitSeq(header, ",") {
		if name = strings.TrimSpace(name); name != "" && !slices.Contains(list, name) {
			list = append(list, name)
		}
		if len(list) > maxRequestHeaders {
			break
		}
	}
	return list
}

// allowOrigin tells the browser, on whatever answer comes, that a page of
// another origin may see it, if the bucket's rules say so. Without a header
// Origin nothing is read.
func (s *Server) allowOrigin(ctx context.Context, rq *request) {
	origin := rq.header("Origin")
	if origin == "" || rq.target.bucket == "" || rq.r.Method == http.MethodOptions {
		return
	}
	c, err := s.bucketCORS(ctx, rq)
	if err != nil || c == nil {
		return // the operation finds out for itself what is wrong with the bucket
	}
	if c.ResponseVary {
		rq.w.always("Vary", "Origin")
	}
	if rule := c.Match(origin, rq.r.Method, nil); rule != nil {
		rq.w.allowOrigin(origin, rule)
	}
}

// allowOrigin sets the headers of a rule that matches.
func (a *answer) allowOrigin(origin string, rule *wire.CORSRule) {
	if rule.AnyOrigin() {
		a.always("Access-Control-Allow-Origin", "*")
	} else {
		a.always("Access-Control-Allow-Origin", origin)
		a.always("Vary", "Origin")
	}
	a.always("Access-Control-Allow-Methods", strings.Join(rule.AllowedMethods, ", "))
	expose := slices.Clone(rule.ExposeHeaders)
	for _, name := range exposed {
		if !slices.ContainsFunc(expose, func(e string) bool { return strings.EqualFold(e, name) }) {
			expose = append(expose, name)
		}
	}
	a.always("Access-Control-Expose-Headers", strings.Join(expose, ", "))
	if rule.MaxAgeSeconds != nil {
		a.always("Access-Control-Max-Age", strconv.FormatInt(*rule.MaxAgeSeconds, 10))
	}
}

// always sets a header of whatever answer comes, an error among them.
func (a *answer) always(name, value string) {
	a.base[name] = []string{value}
	a.set(name, value)
}
