package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// policyRow is a named policy as its row in the root partition tells it.
type policyRow struct {
	name string
	row  kv.Row
	meta.Policy
}

func parsePolicy(row kv.Row) (*policyRow, error) {
	name := string(row.Key[len(meta.PolicyPrefix):])
	if row.Value == nil {
		return nil, ErrNoSuchPolicy
	}
	rec, err := meta.DecodePolicy(row.Value)
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", name, err)
	}
	return &policyRow{name: name, row: row, Policy: *rec}, nil
}

func (p *policyRow) info() *Policy {
	return &Policy{
		Name: p.name, Created: p.Created.Truncate(time.Second), Updated: p.Updated.Truncate(time.Second),
		Attached: int(p.Attached), Document: p.Document,
	}
}

func (s *Store) policyView(ctx context.Context, name string) (*view, *policyRow, error) {
	if !ValidPolicyName(name) {
		return nil, nil, ErrNoSuchPolicy
	}
	v, err := s.view(ctx, meta.Root, meta.PolicyKey(name))
	if err != nil {
		return nil, nil, err
	}
	p, err := parsePolicy(v.rows[0])
	return v, p, err
}

// CreatePolicy makes a named policy of a document, which is kept as it is: that
// it is one is the caller's to see.
func (s *Store) CreatePolicy(ctx context.Context, name string, document []byte) (*Policy, error) {
	var made *Policy
	err := retry(ctx, func() error {
		switch {
		case !ValidPolicyName(name):
			return ErrInvalidName
		case len(document) > MaxPolicyDocument:
			return ErrTooLarge
		}
		v, err := s.view(ctx, meta.Root, meta.PolicyKey(name))
		if err != nil {
			return err
		}
		if v.rows[0].Value != nil {
			return ErrPolicyExists
		}
		if n, err := s.countRoot(ctx, meta.PolicyPrefix); err != nil {
			return err
		} else if n >= MaxPolicies {
			return ErrTooManyPolicies
		}
		now := s.now()
		p := policyRow{name: name, Policy: meta.Policy{Created: now, Updated: now, Document: document}}
		made = p.info()
		c := v.change()
		c.replace(v.rows[0], p.Encode())
		return s.commit(ctx, c)
	})
	if err != nil {
		return nil, wrap(err, &Error{Op: "CreatePolicy", Subject: name})
	}
	return made, nil
}

// UpdatePolicy replaces the document of a policy, for all who have it.
func (s *Store) UpdatePolicy(ctx context.Context, name string, document []byte) (*Policy, error) {
	var now *Policy
	err := retry(ctx, func() error {
		if len(document) > MaxPolicyDocument {
			return ErrTooLarge
		}
		v, p, err := s.policyView(ctx, name)
		if err != nil {
			return err
		}
		p.Document, p.Updated = document, s.now()
		now = p.info()
		value := p.Encode()
		if string(value) == string(p.row.Value) {
			return nil
		}
		c := v.change()
		c.replace(p.row, value)
		return s.commit(ctx, c)
	})
	if err != nil {
		return nil, wrap(err, &Error{Op: "UpdatePolicy", Subject: name})
	}
	return now, nil
}

// GetPolicy returns a policy with its document.
func (s *Store) GetPolicy(ctx context.Context, name string) (*Policy, error) {
	_, p, err := s.policyView(ctx, name)
	if err != nil {
		return nil, wrap(err, &Error{Op: "GetPolicy", Subject: name})
	}
	return p.info(), nil
}

// ListPoliciesRequest asks for a page of policies, ascending by name.
type ListPoliciesRequest struct {
	Marker string // names after it
	Max    int    // 1 to MaxListed
}

// ListPoliciesResult is a page of policies without their documents.
type ListPoliciesResult struct {
	Policies  []Policy
	Truncated bool // others follow the last one
}

// ListPolicies returns a page of policies.
func (s *Store) ListPolicies(ctx context.Context, req *ListPoliciesRequest) (*ListPoliciesResult, error) {
	rows, more, err := s.page(ctx, meta.PolicyPrefix, req.Marker, req.Max)
	if err != nil {
		return nil, wrap(err, &Error{Op: "ListPolicies"})
	}
	res := &ListPoliciesResult{Truncated: more}
	for _, row := range rows {
		p, err := parsePolicy(row)
		if err != nil {
			return nil, wrap(err, &Error{Op: "ListPolicies"})
		}
		info := p.info()
		info.Document = nil
		res.Policies = append(res.Policies, *info)
	}
	return res, nil
}

// DeletePolicy removes a policy that no user has.
func (s *Store) DeletePolicy(ctx context.Context, name string) error {
	err := retry(ctx, func() error {
		v, p, err := s.policyView(ctx, name)
		if err != nil {
			return err
		}
		if p.Attached > 0 {
			return ErrPolicyAttached
		}
		c := v.change()
		c.replace(p.row, nil)
		return s.commit(ctx, c)
	})
	return wrap(err, &Error{Op: "DeletePolicy", Subject: name})
}

// AttachPolicyToUser gives a user a policy. That the user has it is no error.
//
// It changes the rows of both, so that it excludes the deletion of either.
func (s *Store) AttachPolicyToUser(ctx context.Context, user, policy string) error {
	err := retry(ctx, func() error {
		v, u, p, err := s.attachment(ctx, user, policy)
		switch {
		case err != nil:
			return err
		case slices.Contains(u.Policies, policy):
			return nil
		case len(u.Policies) >= MaxUserPolicies:
			return ErrTooManyPolicies
		}
		u.Policies = append(u.Policies, policy)
		p.Attached++
		c := v.change()
		c.replace(p.row, p.Encode())
		return s.commitUser(ctx, c, u)
	})
	return wrap(err, &Error{Op: "AttachPolicyToUser", Subject: user + " " + policy})
}

// DetachPolicyFromUser takes a policy away from a user who has it.
func (s *Store) DetachPolicyFromUser(ctx context.Context, user, policy string) error {
	err := retry(ctx, func() error {
		v, u, p, err := s.attachment(ctx, user, policy)
		if err != nil {
			return err
		}
		if !slices.Contains(u.Policies, policy) {
			return ErrNotAttached
		}
		u.Policies = slices.DeleteFunc(u.Policies, func(name string) bool { return name == policy })
		p.Attached--
		c := v.change()
		c.replace(p.row, p.Encode())
		return s.commitUser(ctx, c, u)
	})
	return wrap(err, &Error{Op: "DetachPolicyFromUser", Subject: user + " " + policy})
}

func (s *Store) attachment(ctx context.Context, user, policy string) (*view, *userRow, *policyRow, error) {
	if !ValidPolicyName(policy) {
		policy = "" // the user is looked for first; there is no such policy either
	}
	v, u, err := s.userView(ctx, user, meta.PolicyKey(policy))
	if err != nil {
		return nil, nil, nil, err
	}
	p, err := parsePolicy(v.rows[1])
	return v, u, p, err
}
