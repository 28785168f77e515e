package model

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// cname is what is known of a domain. It goes with its bucket.
type cname struct {
	bucket  string
	created time.Time
}

// PutCname is store's.
func (s *Store) PutCname(_ context.Context, bucket, domain string) error {
	return at(s.putCname(bucket, domain), store.Error{Op: "PutCname", Bucket: bucket})
}

func (s *Store) putCname(bucket, domain string) error {
	if _, err := s.bucket(bucket); err != nil {
		return err
	}
	if have, ok := s.cnames[domain]; ok && have.bucket == bucket {
		return nil
	} else if ok {
		return at(store.ErrCnameExists, store.Error{Bucket: have.bucket})
	}
	if len(s.domains(bucket)) >= store.MaxCnames {
		return store.ErrTooManyCnames
	}
	s.cnames[domain] = cname{bucket, s.now()}
	return nil
}

// domains are those of a bucket, ascending.
func (s *Store) domains(bucket string) (all []string) {
	for _, domain := range slices.Sorted(maps.Keys(s.cnames)) {
		if s.cnames[domain].bucket == bucket {
			all = append(all, domain)
		}
	}
	return all
}

// DeleteCname is store's.
func (s *Store) DeleteCname(_ context.Context, bucket, domain string) error {
	_, err := s.bucket(bucket)
	if err == nil && s.cnames[domain].bucket != bucket {
		err = store.ErrNoSuchCname
	}
	if err != nil {
		return at(err, store.Error{Op: "DeleteCname", Bucket: bucket})
	}
	delete(s.cnames, domain)
	return nil
}

// ListCname is store's.
func (s *Store) ListCname(_ context.Context, bucket string) ([]store.Cname, error) {
	if _, err := s.bucket(bucket); err != nil {
		return nil, at(err, store.Error{Op: "ListCname", Bucket: bucket})
	}
	var all []store.Cname
	for _, domain := range s.domains(bucket) {
		all = append(all, store.Cname{Domain: domain, Bucket: bucket, Created: s.cnames[domain].created})
	}
	return all, nil
}

// LookupCname is store's.
func (s *Store) LookupCname(_ context.Context, domain string) (bucket string, err error) {
	have, ok := s.cnames[domain]
	if !ok {
		return "", at(store.ErrNoSuchCname, store.Error{Op: "LookupCname"})
	}
	return have.bucket, nil
}
