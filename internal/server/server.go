// Package server is the HTTP face of Ossa: it turns requests of the OSS
// protocol into calls of the store, and what comes back into answers.
//
// A request takes one way down:
//
//	ID  ->  route  ->  overload?  ->  authenticate  ->  authorize  ->  handler  ->  store
//
// What the API consists of is one table ([Operations]); routing, the action that
// must be allowed, metrics and docs/operations.md are read from it. A handler
// decodes, calls the store once and encodes. It returns an error rather than
// answering with one: errors.go alone makes answers of errors.
//
// What the package keeps true:
//
//   - The request target is taken as it came. No path is cleaned, nothing is
//     redirected, and there is no mux.
//   - Who sent a request, and whether it may, is known before a byte of its body
//     is read. Two documents are the exception: a list of keys, and tags where a
//     policy has a condition on them.
//   - It is known again where it counts: of the very version of an object that is
//     read, and of the one that a change takes away, by the commit that does it.
//   - The body is read once, by the store, as it comes. Only XML documents,
//     which are bounded, are held in memory.
//   - A client that stops sending or reading is given up after a time without
//     progress; a slow one that goes on is not.
//   - A client never takes a short body for whole: when reading an object fails
//     on the way, the connection is cut.
//   - No secret and no signature gets into a log.
package server

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// Server answers OSS requests out of a store. It is an http.Handler, meant to be
// the handler of an http.Server itself; see HTTPServer.
type Server struct {
	store      *store.Store
	opts       Options
	domains    []string // lower case
	proxies    proxies
	authorizer auth.Authorizer
	policies   parsed[*auth.Policy]
	lifecycles parsed[lifecycle.Rules]
	referers   parsed[*wire.RefererConfiguration]
	cors       parsed[*wire.CORSConfiguration]
	metrics    *metrics
	inFlight   atomic.Int64
	perKey     *counted[string] // requests, by access key ID; "" are the anonymous ones

	connections atomic.Int64
	addresses   *counted[netip.Addr] // connections of each
	warned      atomic.Int64         // when the log last told of too many, nanoseconds since 1970

	documents *shares // bytes of documents in memory
}

// New makes a Server on a store, which stays the caller's.
func New(s *store.Store, opts Options) (*Server, error) {
	opts.EnsureDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	srv := &Server{
		store:      s,
		opts:       opts,
		proxies:    proxies{trusted: opts.TrustedProxies, header: opts.ForwardedHeader},
		authorizer: auth.Authorizer{AnonymousList: opts.AnonymousList, Region: opts.Region, Account: opts.OwnerID},
		documents:  newShares(opts.DocumentMemory),
	}
	srv.perKey = newCounted[string](opts.MaxInFlightPerKey)
	srv.addresses = newCounted[netip.Addr](opts.MaxConnectionsPerAddress)
	for _, domain := range opts.Domains {
		srv.domains = append(srv.domains, strings.ToLower(domain))
	}
	slices.Sort(srv.domains)
	var err error
	if srv.metrics, err = newMetrics(opts.Registerer, s, &srv.inFlight, &srv.connections); err != nil {
		return nil, err
	}
	return srv, nil
}

// HTTPServer returns an http.Server for s with the limits of its Options. The
// caller hands in a listener, which Listen has been given, and shuts it down.
func (s *Server) HTTPServer() *http.Server {
	var protocols http.Protocols
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(s.opts.HTTP2)
	return &http.Server{
		Handler:   s,
		Protocols: &protocols,
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams:          s.opts.MaxStreams,
			MaxReceiveBufferPerStream:     streamWindow,
			MaxReceiveBufferPerConnection: connectionWindow,
			WriteByteTimeout:              s.opts.ProgressTimeout,
		},
		ReadHeaderTimeout: s.opts.HeaderTimeout,
		IdleTimeout:       s.opts.IdleTimeout,
		MaxHeaderBytes:    s.opts.MaxHeaderBytes,
		ErrorLog:          connectionLog(s.opts.Logger),

		// "OPTIONS *" is ours to answer.
		DisableGeneralOptionsHandler: true,

		// The deadline of the last answer must not hit what net/http itself
		// answers to a malformed request after it.
		ConnState: func(c net.Conn, state http.ConnState) {
			if state == http.StateIdle {
				c.SetWriteDeadline(time.Time{})
			}
		},
	}
}

// What an HTTP/2 client may send ahead of what has been read, in bytes. It takes
// as much memory at worst, and bounds a connection's speed to a window for each
// round trip. The second is the largest that net/http takes.
const (
	streamWindow     = 1 << 20
	connectionWindow = 4<<20 - 1
)

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	rq := s.newRequest(w, r, began)
	in := s.inFlight.Add(1)
	defer s.inFlight.Add(-1)
	defer s.finish(rq)

	err := s.route(rq)
	if err == nil && in > int64(s.opts.MaxInFlight) {
		err = errOverload
	}
	if err != errOverload {
		s.allowOrigin(r.Context(), rq)
	}
	if err == nil {
		err = s.serve(r.Context(), rq)
	}
	if err != nil {
		s.fail(rq, err)
	}
	rq.body.drain()
	if rq.body.stream() && rq.w.sent > 0 {
		rq.w.flush() // while it is watched: net/http would wait without end
	}
}

// route finds out what is asked for.
func (s *Server) route(rq *request) error {
	t, err := parseTarget(rq.r, s.domains, func(name string) (string, error) {
		return s.cnameBucket(rq.r.Context(), name)
	})
	rq.target = t
	if err != nil {
		return err
	}
	_, rawQuery, _ := strings.Cut(rq.r.RequestURI, "?")
	if rq.r.RequestURI == "" {
		rawQuery = rq.r.URL.RawQuery
	}
	if rq.query, err = wire.ParseQuery(rawQuery); err != nil {
		return err
	}
	op, err := routes.find(rq.r.Method, t.level(), rq.has)
	if err != nil {
		return err
	}
	rq.op = op
	return nil
}

// serve lets an operation happen if its sender may have it.
func (s *Server) serve(ctx context.Context, rq *request) error {
	if rq.op.action != "" {
		if err := s.authenticate(ctx, rq); err != nil {
			return err
		}
		if !s.perKey.enter(rq.accessKeyID) {
			return errKeyOverload
		}
		defer s.perKey.leave(rq.accessKeyID)
		if err := s.authorizeOperation(ctx, rq); err != nil {
			return err
		}
	}
	if rq.op.handler == nil {
		return notImplemented("The operation " + rq.op.name + " is")
	}
	if err := rq.refuseConditions(); err != nil {
		return err
	}
	if err := rq.limitTraffic(); err != nil {
		return err
	}
	return rq.op.handler(s, ctx, rq)
}

func (s *Server) owner() wire.Owner {
	return wire.Owner{ID: s.opts.OwnerID, DisplayName: s.opts.OwnerName}
}

// location is the region in the form that endpoints have it.
func (s *Server) location() string { return "oss-" + s.opts.Region }
