package admin

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/store"
)

// action is one thing that can be called.
type action struct {
	name       string // in the path
	permission string // in policies
	serve      func(ctx context.Context, c *call, body []byte) (any, error)
}

// do makes an action of how its resources are found in a request and of what it
// does. Nothing is done before all of the resources have been asked for.
func do[Request, Result any](
	permission string,
	resources func(*Request) []auth.Resource,
	fn func(ctx context.Context, c *call, req *Request) (Result, error),
) action {
	_, name, _ := strings.Cut(permission, ":")
	return action{name: name, permission: permission, serve: func(ctx context.Context, c *call, body []byte) (any, error) {
		req := new(Request)
		if err := decode(body, req); err != nil {
			return nil, err
		}
		if err := c.authorize(resources(req)); err != nil {
			return nil, err
		}
		return fn(ctx, c, req)
	}}
}

func user(name string) auth.Resource   { return auth.Resource{Service: "ram", Path: "user/" + name} }
func policy(name string) auth.Resource { return auth.Resource{Service: "ram", Path: "policy/" + name} }
func ringKey(id string) auth.Resource  { return auth.Resource{Service: "kms", Path: "key/" + id} }

func namedUser(r *NameRequest) []auth.Resource               { return []auth.Resource{user(r.Name)} }
func namedPolicy(r *NameRequest) []auth.Resource             { return []auth.Resource{policy(r.Name)} }
func updatedUser(r *UpdateUserRequest) []auth.Resource       { return []auth.Resource{user(r.Name)} }
func keysUser(r *UserRequest) []auth.Resource                { return []auth.Resource{user(r.User)} }
func keyUser(r *AccessKeyRequest) []auth.Resource            { return []auth.Resource{user(r.User)} }
func switchedUser(r *UpdateAccessKeyRequest) []auth.Resource { return []auth.Resource{user(r.User)} }
func writtenPolicy(r *PolicyRequest) []auth.Resource         { return []auth.Resource{policy(r.Name)} }
func allUsers(*ListRequest) []auth.Resource                  { return []auth.Resource{user("*")} }
func allPolicies(*ListRequest) []auth.Resource               { return []auth.Resource{policy("*")} }
func attached(r *AttachRequest) []auth.Resource {
	return []auth.Resource{user(r.User), policy(r.Policy)}
}
func ringKeys(*None) []auth.Resource         { return []auth.Resource{ringKey("*")} }
func namedKey(r *KeyRequest) []auth.Resource { return []auth.Resource{ringKey(r.ID)} }

// actions are all that can be called. docs/admin-api.md has the same list.
var actions = []action{
	do("ram:CreateUser", namedUser, func(ctx context.Context, c *call, r *NameRequest) (*User, error) {
		return userAnswer(c.h.opts.Store.CreateUser(ctx, r.Name))
	}),
	do("ram:GetUser", namedUser, func(ctx context.Context, c *call, r *NameRequest) (*User, error) {
		return userAnswer(c.h.opts.Store.GetUser(ctx, r.Name))
	}),
	do("ram:ListUsers", allUsers, listUsers),
	do("ram:UpdateUser", updatedUser, func(ctx context.Context, c *call, r *UpdateUserRequest) (*User, error) {
		return userAnswer(c.h.opts.Store.UpdateUser(ctx, r.Name, store.UserChange{Enabled: r.Enabled, RevokeSessions: r.RevokeSessions}))
	}),
	do("ram:DeleteUser", namedUser, func(ctx context.Context, c *call, r *NameRequest) (None, error) {
		return None{}, c.h.opts.Store.DeleteUser(ctx, r.Name)
	}),

	do("ram:CreateAccessKey", keysUser, createAccessKey),
	do("ram:ListAccessKeys", keysUser, listAccessKeys),
	do("ram:UpdateAccessKey", switchedUser, func(ctx context.Context, c *call, r *UpdateAccessKeyRequest) (None, error) {
		return None{}, c.h.opts.Store.UpdateAccessKey(ctx, r.User, r.ID, r.Enabled)
	}),
	do("ram:DeleteAccessKey", keyUser, func(ctx context.Context, c *call, r *AccessKeyRequest) (None, error) {
		return None{}, c.h.opts.Store.DeleteAccessKey(ctx, r.User, r.ID)
	}),

	do("ram:CreatePolicy", writtenPolicy, func(ctx context.Context, c *call, r *PolicyRequest) (*Policy, error) {
		if _, err := auth.ParsePolicy([]byte(r.Document)); err != nil {
			return nil, err
		}
		return policyAnswer(c.h.opts.Store.CreatePolicy(ctx, r.Name, []byte(r.Document)))
	}),
	do("ram:UpdatePolicy", writtenPolicy, func(ctx context.Context, c *call, r *PolicyRequest) (*Policy, error) {
		if _, err := auth.ParsePolicy([]byte(r.Document)); err != nil {
			return nil, err
		}
		return policyAnswer(c.h.opts.Store.UpdatePolicy(ctx, r.Name, []byte(r.Document)))
	}),
	do("ram:GetPolicy", namedPolicy, func(ctx context.Context, c *call, r *NameRequest) (*Policy, error) {
		return policyAnswer(c.h.opts.Store.GetPolicy(ctx, r.Name))
	}),
	do("ram:ListPolicies", allPolicies, listPolicies),
	do("ram:DeletePolicy", namedPolicy, func(ctx context.Context, c *call, r *NameRequest) (None, error) {
		return None{}, c.h.opts.Store.DeletePolicy(ctx, r.Name)
	}),
	do("ram:AttachPolicyToUser", attached, func(ctx context.Context, c *call, r *AttachRequest) (None, error) {
		return None{}, c.h.opts.Store.AttachPolicyToUser(ctx, r.User, r.Policy)
	}),
	do("ram:DetachPolicyFromUser", attached, func(ctx context.Context, c *call, r *AttachRequest) (None, error) {
		return None{}, c.h.opts.Store.DetachPolicyFromUser(ctx, r.User, r.Policy)
	}),
	do("ram:SimulatePolicy", simulated, simulate),

	assumeRole,

	do("kms:ListKeys", ringKeys, listKeys),
	do("kms:CreateKey", namedKey, func(ctx context.Context, c *call, r *KeyRequest) (None, error) {
		return None{}, c.withRing(func(ring Ring) error { return ring.Create(ctx, r.ID) })
	}),
	do("kms:RotateKey", namedKey, func(ctx context.Context, c *call, r *KeyRequest) (None, error) {
		return None{}, c.withRing(func(ring Ring) error { return ring.Rotate(ctx, r.ID) })
	}),
}

// maxListed is how many entries a page of a listing has at most.
const maxListed = store.MaxListed

// page is how many entries are asked for.
func (r *ListRequest) page() (int, error) {
	switch {
	case r.Max == 0:
		return maxListed, nil
	case r.Max < 0 || r.Max > maxListed:
		return 0, refuse(http.StatusBadRequest, "InvalidParameter.Max", fmt.Sprintf("Max is 1 to %d.", maxListed))
	}
	return r.Max, nil
}

// timeOrNil is a time that JSON leaves out when it is none.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func userOf(u *store.User) *User {
	policies := u.Policies
	if policies == nil {
		policies = []string{}
	}
	return &User{
		Name: u.Name, ID: u.ID, Created: u.Created, Enabled: u.Enabled, AccessKeys: u.AccessKeys,
		Policies: policies, SessionsRevoked: timeOrNil(u.SessionsRevoked),
	}
}

func userAnswer(u *store.User, err error) (*User, error) {
	if err != nil {
		return nil, err
	}
	return userOf(u), nil
}

func listUsers(ctx context.Context, c *call, r *ListRequest) (*ListUsersResult, error) {
	n, err := r.page()
	if err != nil {
		return nil, err
	}
	page, err := c.h.opts.Store.ListUsers(ctx, &store.ListUsersRequest{Marker: r.Marker, Max: n})
	if err != nil {
		return nil, err
	}
	res := &ListUsersResult{Users: []User{}, Truncated: page.Truncated}
	for i := range page.Users {
		res.Users = append(res.Users, *userOf(&page.Users[i]))
	}
	return res, nil
}

func accessKeyOf(k *store.AccessKey) AccessKey {
	return AccessKey{ID: k.ID, User: k.User, Created: k.Created, Enabled: k.Enabled, Used: timeOrNil(k.Used)}
}

func createAccessKey(ctx context.Context, c *call, r *UserRequest) (*NewAccessKey, error) {
	key, secret, err := c.h.opts.Store.CreateAccessKey(ctx, r.User)
	if err != nil {
		return nil, err
	}
	return &NewAccessKey{AccessKey: accessKeyOf(key), Secret: secret}, nil
}

func listAccessKeys(ctx context.Context, c *call, r *UserRequest) (*ListAccessKeysResult, error) {
	keys, err := c.h.opts.Store.ListAccessKeys(ctx, r.User)
	if err != nil {
		return nil, err
	}
	res := &ListAccessKeysResult{AccessKeys: []AccessKey{}}
	for i := range keys {
		res.AccessKeys = append(res.AccessKeys, accessKeyOf(&keys[i]))
	}
	return res, nil
}

func policyOf(p *store.Policy) *Policy {
	return &Policy{Name: p.Name, Created: p.Created, Updated: p.Updated, Attached: p.Attached, Document: string(p.Document)}
}

func policyAnswer(p *store.Policy, err error) (*Policy, error) {
	if err != nil {
		return nil, err
	}
	return policyOf(p), nil
}

func listPolicies(ctx context.Context, c *call, r *ListRequest) (*ListPoliciesResult, error) {
	n, err := r.page()
	if err != nil {
		return nil, err
	}
	page, err := c.h.opts.Store.ListPolicies(ctx, &store.ListPoliciesRequest{Marker: r.Marker, Max: n})
	if err != nil {
		return nil, err
	}
	res := &ListPoliciesResult{Policies: []Policy{}, Truncated: page.Truncated}
	for i := range page.Policies {
		res.Policies = append(res.Policies, *policyOf(&page.Policies[i]))
	}
	return res, nil
}

// Actions lists the permissions of all actions, in the order of the
// documentation.
func Actions() []string {
	var all []string
	for _, a := range actions {
		all = append(all, a.permission)
	}
	return all
}
