package server

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// reservedHost tells whether a host name is the server's own to take apart, so
// that no bucket can have it: an address, localhost, a configured domain, the
// public service, and what lies below each.
func reservedHost(name string, domains []string) bool {
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return true
	}
	if strings.HasSuffix(name, aliyuncs) {
		return true
	}
	return slices.ContainsFunc(append([]string{localhost}, domains...), func(domain string) bool {
		return name == domain || strings.HasSuffix(name, "."+domain)
	})
}

// maxHostName is the longest name that the DNS has, in bytes.
const maxHostName = 253

// cnameBucket returns the bucket that a host name leads to, by the settings or
// by PutCname, or "". Settings come first, so that they can name any host.
func (s *Server) cnameBucket(ctx context.Context, name string) (string, error) {
	if bucket := s.opts.Cnames[name]; bucket != "" {
		return bucket, nil
	}
	if s.store == nil || len(name) > maxHostName || !strings.Contains(name, ".") || reservedHost(name, s.domains) {
		return "", nil
	}
	bucket, err := s.store.LookupCname(ctx, name)
	if errors.Is(err, store.ErrNoSuchCname) {
		return "", nil
	}
	return bucket, err
}

// cnameConfig reads the body of PutCname and DeleteCname.
func (s *Server) cnameConfig(rq *request) (*wire.Cname, error) {
	doc, err := s.document(rq, s.opts.MaxConfigBody)
	if err != nil {
		return nil, err
	}
	config, err := wire.DecodeCname(doc)
	if err != nil {
		return nil, err
	}
	return &config.Cname, nil
}

// putCname lets a domain lead to a bucket. Nobody is asked to prove that the
// domain is his: whoever may do this may reach the server under any name. A
// certificate for it is a file that the server is started with.
func (s *Server) putCname(ctx context.Context, rq *request) error {
	cname, err := s.cnameConfig(rq)
	if err != nil {
		return err
	}
	if c := cname.Certificate; c != nil && !c.DeleteCertificate {
		return elementNotImplemented("CertificateConfiguration")
	}
	bucket := rq.target.bucket
	switch owner := s.opts.Cnames[cname.Domain]; {
	case owner == bucket:
		return rq.w.empty(http.StatusOK)
	case owner != "":
		return cnameExists(cname.Domain, owner)
	case reservedHost(cname.Domain, s.domains):
		return wire.NewError("CnameIsForbidden").With("Cname", cname.Domain)
	}
	err = s.store.PutCname(ctx, bucket, cname.Domain)
	var where *store.Error
	switch {
	case errors.Is(err, store.ErrCnameExists) && errors.As(err, &where):
		return cnameExists(cname.Domain, where.Bucket)
	case err != nil:
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// cnameExists refuses a domain that leads to another bucket.
func cnameExists(domain, bucket string) error {
	return wire.NewError("CnameAlreadyExists").With("Cname", domain).With("CnameType", "CNAME_OSS").With("BucketName", bucket)
}

// deleteCname takes a domain from a bucket.
func (s *Server) deleteCname(ctx context.Context, rq *request) error {
	cname, err := s.cnameConfig(rq)
	if err != nil {
		return err
	}
	if s.opts.Cnames[cname.Domain] == rq.target.bucket {
		return wire.NewError("CnameDenied").
			WithMessage("The domain is in the settings that the server was started with.").With("Cname", cname.Domain)
	}
	if err := s.store.DeleteCname(ctx, rq.target.bucket, cname.Domain); err != nil {
		if errors.Is(err, store.ErrNoSuchCname) {
			return wire.NewError("NoSuchCname").With("Cname", cname.Domain)
		}
		return err
	}
	return rq.w.empty(http.StatusOK)
}

// listCname lists the domains of a bucket. Those of the settings are as old as
// the bucket.
func (s *Server) listCname(ctx context.Context, rq *request) error {
	b, err := s.store.GetBucketInfo(ctx, rq.target.bucket)
	if err != nil {
		return err
	}
	stored, err := s.store.ListCname(ctx, b.Name)
	if err != nil {
		return err
	}
	result := &wire.ListCnameResult{Bucket: b.Name, Owner: s.opts.OwnerID}
	add := func(info wire.CnameInfo) {
		info.Status = wire.CnameEnabled
		result.Cnames = append(result.Cnames, info)
	}
	for domain, bucket := range s.opts.Cnames {
		if bucket == b.Name {
			add(wire.CnameInfo{Domain: domain, LastModified: wire.Time{Time: b.Created}})
		}
	}
	for _, c := range stored {
		if s.opts.Cnames[c.Domain] == "" {
			add(wire.CnameInfo{Domain: c.Domain, LastModified: wire.Time{Time: c.Created}})
		}
	}
	slices.SortFunc(result.Cnames, func(a, b wire.CnameInfo) int { return strings.Compare(a.Domain, b.Domain) })
	return rq.w.document(result)
}
