package model

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// ram is users, access keys and policies.
type ram struct {
	users    map[string]*user
	policies map[string]*store.Policy
}

type user struct {
	store.User
	keys     map[string]*store.AccessKey
	sessions uint64
}

func newRAM() ram {
	return ram{users: make(map[string]*user), policies: make(map[string]*store.Policy)}
}

func (r ram) clone() ram {
	c := newRAM()
	for name, u := range r.users {
		own := &user{User: *u.info(), keys: make(map[string]*store.AccessKey), sessions: u.sessions}
		for id, key := range u.keys {
			k := *key
			own.keys[id] = &k
		}
		c.users[name] = own
	}
	for name, p := range r.policies {
		own := *p
		c.policies[name] = &own
	}
	return c
}

func (s *Store) user(name string) (*user, error) {
	if u := s.ram.users[name]; u != nil {
		return u, nil
	}
	return nil, store.ErrNoSuchUser
}

func (u *user) info() *store.User {
	info := u.User
	info.AccessKeys = len(u.keys)
	info.Policies = slices.Clone(u.Policies)
	return &info
}

func (s *Store) second() time.Time { return s.now().Truncate(time.Second) }

// CreateUser is store's.
func (s *Store) CreateUser(_ context.Context, name string) (*store.User, error) {
	var err error
	switch {
	case !store.ValidUserName(name):
		err = store.ErrInvalidName
	case s.ram.users[name] != nil:
		err = store.ErrUserExists
	case len(s.ram.users) >= store.MaxUsers:
		err = store.ErrTooManyUsers
	default:
		u := &user{
			User: store.User{Name: name, ID: s.newName(), Created: s.second(), Enabled: true},
			keys: make(map[string]*store.AccessKey),
		}
		s.ram.users[name] = u
		return u.info(), nil
	}
	return nil, at(err, store.Error{Op: "CreateUser", Subject: name})
}

// GetUser is store's.
func (s *Store) GetUser(_ context.Context, name string) (*store.User, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "GetUser", Subject: name})
	}
	return u.info(), nil
}

// ListUsers is store's.
func (s *Store) ListUsers(_ context.Context, req *store.ListUsersRequest) (*store.ListUsersResult, error) {
	res := &store.ListUsersResult{}
	for _, name := range slices.Sorted(maps.Keys(s.ram.users)) {
		if name <= req.Marker {
			continue
		}
		if res.Truncated = len(res.Users) == req.Max; res.Truncated {
			break
		}
		res.Users = append(res.Users, *s.ram.users[name].info())
	}
	return res, nil
}

// UpdateUser is store's.
func (s *Store) UpdateUser(_ context.Context, name string, change store.UserChange) (*store.User, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "UpdateUser", Subject: name})
	}
	if change.Enabled != nil {
		u.Enabled = *change.Enabled
	}
	if change.RevokeSessions {
		u.sessions++
		u.SessionsRevoked = s.second()
	}
	return u.info(), nil
}

// DeleteUser is store's.
func (s *Store) DeleteUser(_ context.Context, name string) error {
	u, err := s.user(name)
	switch {
	case err != nil:
	case len(u.keys) > 0:
		err = store.ErrUserHasKeys
	case len(u.Policies) > 0:
		err = store.ErrUserHasPolicies
	default:
		delete(s.ram.users, name)
	}
	return at(err, store.Error{Op: "DeleteUser", Subject: name})
}

// CreateAccessKey is store's. The ID is the one that Options.NewAccessKeyID
// gives; there is no secret.
func (s *Store) CreateAccessKey(_ context.Context, name string) (*store.AccessKey, string, error) {
	u, err := s.user(name)
	if err == nil && len(u.keys) >= store.MaxAccessKeys {
		err = store.ErrTooManyKeys
	}
	if err != nil {
		return nil, "", at(err, store.Error{Op: "CreateAccessKey", Subject: name})
	}
	key := &store.AccessKey{ID: s.opts.NewAccessKeyID(), User: name, Created: s.second(), Enabled: true}
	u.keys[key.ID] = key
	info := *key
	return &info, "", nil
}

// ListAccessKeys is store's.
func (s *Store) ListAccessKeys(_ context.Context, name string) ([]store.AccessKey, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "ListAccessKeys", Subject: name})
	}
	var all []store.AccessKey
	for _, id := range slices.Sorted(maps.Keys(u.keys)) {
		all = append(all, *u.keys[id])
	}
	return all, nil
}

func (s *Store) accessKey(name, id string) (*user, *store.AccessKey, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, nil, err
	}
	if key := u.keys[id]; key != nil {
		return u, key, nil
	}
	return nil, nil, store.ErrNoSuchAccessKey
}

// UpdateAccessKey is store's.
func (s *Store) UpdateAccessKey(_ context.Context, name, id string, enabled bool) error {
	_, key, err := s.accessKey(name, id)
	if err == nil {
		key.Enabled = enabled
	}
	return at(err, store.Error{Op: "UpdateAccessKey", Subject: name + " " + id})
}

// DeleteAccessKey is store's.
func (s *Store) DeleteAccessKey(_ context.Context, name, id string) error {
	u, _, err := s.accessKey(name, id)
	if err == nil {
		delete(u.keys, id)
	}
	return at(err, store.Error{Op: "DeleteAccessKey", Subject: name + " " + id})
}

// NoteAccessKeyUse is store's.
func (s *Store) NoteAccessKeyUse(id string) {
	for _, u := range s.ram.users {
		if key := u.keys[id]; key != nil {
			key.Used = s.second()
		}
	}
}

// FlushAccessKeyUses is store's.
func (s *Store) FlushAccessKeyUses(context.Context) error { return nil }

// LookupAccessKey is store's.
func (s *Store) LookupAccessKey(_ context.Context, id string) (*store.Principal, error) {
	for _, u := range s.ram.users {
		if key := u.keys[id]; key != nil {
			p := s.principal(u)
			k := *key
			k.Used = time.Time{} // what the row says is not told
			p.Key = &k
			return p, nil
		}
	}
	return nil, at(store.ErrNoSuchAccessKey, store.Error{Op: "LookupAccessKey", Subject: id})
}

// LookupUser is store's.
func (s *Store) LookupUser(_ context.Context, name string) (*store.Principal, error) {
	u, err := s.user(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "LookupUser", Subject: name})
	}
	return s.principal(u), nil
}

func (s *Store) principal(u *user) *store.Principal {
	p := &store.Principal{User: *u.info(), Sessions: u.sessions}
	for _, name := range u.Policies {
		p.Policies = append(p.Policies, *s.ram.policies[name])
	}
	return p
}

// CreatePolicy is store's.
func (s *Store) CreatePolicy(_ context.Context, name string, document []byte) (*store.Policy, error) {
	var err error
	switch {
	case !store.ValidPolicyName(name):
		err = store.ErrInvalidName
	case len(document) > store.MaxPolicyDocument:
		err = store.ErrTooLarge
	case s.ram.policies[name] != nil:
		err = store.ErrPolicyExists
	case len(s.ram.policies) >= store.MaxPolicies:
		err = store.ErrTooManyPolicies
	default:
		p := &store.Policy{Name: name, Created: s.second(), Updated: s.second(), Document: slices.Clone(document)}
		s.ram.policies[name] = p
		info := *p
		return &info, nil
	}
	return nil, at(err, store.Error{Op: "CreatePolicy", Subject: name})
}

func (s *Store) policy(name string) (*store.Policy, error) {
	if p := s.ram.policies[name]; p != nil {
		return p, nil
	}
	return nil, store.ErrNoSuchPolicy
}

// UpdatePolicy is store's.
func (s *Store) UpdatePolicy(_ context.Context, name string, document []byte) (*store.Policy, error) {
	p, err := s.policy(name)
	if len(document) > store.MaxPolicyDocument {
		err = store.ErrTooLarge
	}
	if err != nil {
		return nil, at(err, store.Error{Op: "UpdatePolicy", Subject: name})
	}
	p.Document, p.Updated = slices.Clone(document), s.second()
	info := *p
	return &info, nil
}

// GetPolicy is store's.
func (s *Store) GetPolicy(_ context.Context, name string) (*store.Policy, error) {
	p, err := s.policy(name)
	if err != nil {
		return nil, at(err, store.Error{Op: "GetPolicy", Subject: name})
	}
	info := *p
	return &info, nil
}

// ListPolicies is store's.
func (s *Store) ListPolicies(_ context.Context, req *store.ListPoliciesRequest) (*store.ListPoliciesResult, error) {
	res := &store.ListPoliciesResult{}
	for _, name := range slices.Sorted(maps.Keys(s.ram.policies)) {
		if name <= req.Marker {
			continue
		}
		if res.Truncated = len(res.Policies) == req.Max; res.Truncated {
			break
		}
		info := *s.ram.policies[name]
		info.Document = nil
		res.Policies = append(res.Policies, info)
	}
	return res, nil
}

// DeletePolicy is store's.
func (s *Store) DeletePolicy(_ context.Context, name string) error {
	p, err := s.policy(name)
	if err == nil && p.Attached > 0 {
		err = store.ErrPolicyAttached
	}
	if err == nil {
		delete(s.ram.policies, name)
	}
	return at(err, store.Error{Op: "DeletePolicy", Subject: name})
}

// AttachPolicyToUser is store's.
func (s *Store) AttachPolicyToUser(_ context.Context, name, policy string) error {
	u, err := s.user(name)
	if err == nil {
		var p *store.Policy
		p, err = s.policy(policy)
		switch {
		case err != nil, slices.Contains(u.Policies, policy):
		case len(u.Policies) >= store.MaxUserPolicies:
			err = store.ErrTooManyPolicies
		default:
			u.Policies = append(u.Policies, policy)
			p.Attached++
		}
	}
	return at(err, store.Error{Op: "AttachPolicyToUser", Subject: name + " " + policy})
}

// DetachPolicyFromUser is store's.
func (s *Store) DetachPolicyFromUser(_ context.Context, name, policy string) error {
	u, err := s.user(name)
	if err == nil {
		var p *store.Policy
		p, err = s.policy(policy)
		i := slices.Index(u.Policies, policy)
		switch {
		case err != nil:
		case i < 0:
			err = store.ErrNotAttached
		default:
			u.Policies = slices.Delete(u.Policies, i, i+1)
			p.Attached--
		}
	}
	return at(err, store.Error{Op: "DetachPolicyFromUser", Subject: name + " " + policy})
}
