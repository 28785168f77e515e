package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/ossastore/ossa/internal/admin"
	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/lifecycle/runner"
	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/internal/store"
)

// service is a running server: engines, store, and listeners.
type service struct {
	config serveConfig
	log    *slog.Logger
	key    rootKey

	engine *engine.Engine
	ring   *kms.Local // nil when off
	store  *store.Store
	rounds *runner.Runner // of lifecycle rules; nil when off
	ready  atomic.Bool
	certs  *server.Certificates // nil without TLS
	access *accessLogFile       // nil for none

	api, admin                 *http.Server
	apiListener, adminListener net.Listener // the second one nil when off
}

// openService opens the data directory and the listeners. The key is made
// last, so that a start which fails shows none.
func openService(ctx context.Context, c serveConfig, log *slog.Logger) (_ *service, err error) {
	s := &service{config: c, log: log}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()

	if s.certs, err = c.transport.certificates(log); err != nil {
		return nil, err
	}
	if c.accessFile != "" {
		if s.access, err = openAccessLog(c.accessFile, log); err != nil {
			return nil, err
		}
	}
	if s.engine, err = engine.Open(engine.Options{Dir: c.data, Logger: log}); err != nil {
		return nil, err
	}
	if s.ring, err = openKeyRing(c.keyRing, c.data, log); err != nil {
		return nil, err
	}
	if s.store, err = store.Open(ctx, s.engine.KV, s.engine.Blob, store.Options{Logger: log, RestoreTime: c.restoreTime, KeyRing: orNone(s.ring)}); err != nil {
		return nil, fmt.Errorf("open %s: %w%s", c.data, err, ringAdvice(err))
	}
	if s.apiListener, err = listen("--listen", c.listen, ""); err != nil {
		return nil, err
	}
	if c.adminListen != off {
		if s.adminListener, err = listen("--admin-listen", c.adminListen, " or \"off\""); err != nil {
			return nil, err
		}
	}
	if s.key, err = findRootKey(s.engine, os.Getenv); err != nil {
		return nil, err
	}
	return s, s.makeServers()
}

// listen opens a port and explains what to do when it is taken.
func listen(flag, address, or string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("%s is in use by another process; give %s another address%s", address, flag, or)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return l, nil
}

func (s *service) makeServers() error {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	log := s.log
	if !s.config.accessLog {
		log = quieter(log)
	}
	keys := iam.New(s.store, iam.Options{
		Root: auth.RootKey{AccessKeyID: s.key.ID, Secret: s.key.Secret, OwnerID: ownerID},
		Ring: orNone(s.ring),
	})
	opts := server.Options{
		OwnerID:    ownerID,
		Region:     s.config.region,
		Domains:    s.config.domains,
		Keys:       keys,
		Calendar:   s.config.lifecycle.calendar(),
		Logger:     log,
		Registerer: registry,
	}
	if s.access != nil {
		opts.AccessLog = s.access
	}
	s.config.transport.options(&opts)
	s.config.limits.options(&opts, openFiles(), s.log)
	face, err := server.New(s.store, opts)
	if err != nil {
		return err
	}
	s.config.lifecycle.warn(s.log)
	if s.rounds, err = s.config.lifecycle.runner(s.store, s.log, registry); err != nil {
		return err
	}
	s.api = face.HTTPServer()
	s.apiListener = face.Listen(s.apiListener, s.certs != nil)
	adminOpts := admin.Options{
		Store: s.store, Keys: keys, Region: s.config.region, Logger: log,
		Authorizer: auth.Authorizer{Region: s.config.region, Account: ownerID},
	}
	if s.ring != nil {
		adminOpts.Ring = s.ring
	}
	calls, err := admin.New(adminOpts)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", server.Admin(s.isReady, registry))
	mux.Handle(admin.Prefix, calls)
	s.admin = &http.Server{
		Handler:           mux,
		ReadHeaderTimeout: adminTimeout,
		IdleTimeout:       adminTimeout,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	if s.certs != nil {
		s.api.TLSConfig = s.certs.Config()
	}
	if s.config.transport.adminTLS {
		s.admin.TLSConfig = s.certs.Config()
	}
	return nil
}

const adminTimeout = time.Minute

// ownerID is the account that everything belongs to.
const ownerID = "1000000000000001"

// isReady tells whether requests are welcome and names can be read.
func (s *service) isReady(ctx context.Context) error {
	if !s.ready.Load() {
		return errors.New("starting or stopping")
	}
	_, err := s.store.ListBuckets(ctx, &store.ListBucketsRequest{Max: 1})
	return err
}

// start begins background work and serving. What ends either server before
// its time comes through the channel.
func (s *service) start() <-chan error {
	failed := make(chan error, 2)
	serve := func(h *http.Server, l net.Listener) {
		run := h.Serve
		if h.TLSConfig != nil {
			run = func(l net.Listener) error { return h.ServeTLS(l, "", "") }
		}
		if err := run(l); !errors.Is(err, http.ErrServerClosed) {
			failed <- fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
	}
	s.store.Start()
	if s.rounds != nil {
		s.rounds.Start()
	}
	go serve(s.api, s.apiListener)
	if s.adminListener != nil {
		go serve(s.admin, s.adminListener)
	}
	s.ready.Store(true)
	return failed
}

// drain lets requests finish. Load balancers see /readyz turn first; requests
// that are still there after the timeout are cut.
func (s *service) drain(timeout time.Duration) {
	s.ready.Store(false)
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if err := s.api.Shutdown(ctx); err != nil {
		s.log.Warn("requests did not finish in time and are cut", "timeout", timeout)
	}
}

// close ends everything, in the order in which it stands on each other. It is
// right for a service that was opened in part.
func (s *service) close() error {
	s.ready.Store(false)
	if s.api != nil {
		s.api.Close()
	}
	if s.apiListener != nil {
		s.apiListener.Close() // closed already, mostly
	}
	if s.rounds != nil {
		s.rounds.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
	var err error
	if s.engine != nil {
		err = s.engine.Close()
	}
	if s.admin != nil {
		s.admin.Close()
	}
	if s.adminListener != nil {
		s.adminListener.Close()
	}
	if s.access != nil {
		err = errors.Join(err, s.access.close())
	}
	return err
}
