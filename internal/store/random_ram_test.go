package store_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/store"
)

// ramAPI is what store and model have in common of users, keys and policies.
type ramAPI interface {
	CreateUser(context.Context, string) (*store.User, error)
	GetUser(context.Context, string) (*store.User, error)
	ListUsers(context.Context, *store.ListUsersRequest) (*store.ListUsersResult, error)
	UpdateUser(context.Context, string, store.UserChange) (*store.User, error)
	DeleteUser(context.Context, string) error
	CreateAccessKey(context.Context, string) (*store.AccessKey, string, error)
	ListAccessKeys(context.Context, string) ([]store.AccessKey, error)
	UpdateAccessKey(context.Context, string, string, bool) error
	DeleteAccessKey(context.Context, string, string) error
	NoteAccessKeyUse(string)
	FlushAccessKeyUses(context.Context) error
	LookupAccessKey(context.Context, string) (*store.Principal, error)
	LookupUser(context.Context, string) (*store.Principal, error)
	CreatePolicy(context.Context, string, []byte) (*store.Policy, error)
	UpdatePolicy(context.Context, string, []byte) (*store.Policy, error)
	GetPolicy(context.Context, string) (*store.Policy, error)
	ListPolicies(context.Context, *store.ListPoliciesRequest) (*store.ListPoliciesResult, error)
	DeletePolicy(context.Context, string) error
	AttachPolicyToUser(context.Context, string, string) error
	DetachPolicyFromUser(context.Context, string, string) error
}

// principal prints all of one.
type principal struct{ *store.Principal }

func (p principal) String() string {
	key := "no key"
	if p.Key != nil {
		key = fmt.Sprintf("%+v", *p.Key)
	}
	return fmt.Sprintf("%+v %+v %s %d", p.User, p.Policies, key, p.Sessions)
}

// plainRing seals by writing the purpose beside the secret: what the store does
// with a ring is seen, and nothing is hidden.
type plainRing struct{ kms.None }

func (plainRing) Encrypt(_ context.Context, plain, purpose []byte) ([]byte, error) {
	return fmt.Appendf(nil, "%s:%s", purpose, plain), nil
}

func (plainRing) Decrypt(_ context.Context, wrapped, purpose []byte) ([]byte, error) {
	plain, ok := strings.CutPrefix(string(wrapped), string(purpose)+":")
	if !ok {
		return nil, kms.ErrWrongKey
	}
	return []byte(plain), nil
}

var (
	someUsers    = []string{"ann", "bob", "ci@work", "x-y.z_0"}
	somePolicies = []string{"read", "upload-only", "all_0"}
)

func (h *history) accessKey() (user, id string) {
	user = pick(h.rng, someUsers...)
	keys, _ := h.model.ListAccessKeys(h.ctx, user)
	if len(keys) == 0 || h.rng.IntN(20) == 0 {
		return user, pick(h.rng, "", "OSSU", "OSSUAAAAAAAAAAAAAAAAAAAA")
	}
	id = keys[h.rng.IntN(len(keys))].ID
	if h.rng.IntN(20) == 0 {
		user = pick(h.rng, someUsers...) // whose it is not, mostly
	}
	return user, id
}

// randomRAM returns some operation on users, access keys and policies.
func (h *history) randomRAM() op {
	ctx, rng := h.ctx, h.rng
	user, policy := pick(rng, someUsers...), pick(rng, somePolicies...)
	if rng.IntN(30) == 0 {
		user, policy = pick(rng, "", "-a", "a/b", "a b", strings.Repeat("u", 65)), pick(rng, "", "a.b", "p\x00", strings.Repeat("p", 129))
	}
	document := fmt.Appendf(nil, `{"n": %d}`, rng.IntN(1000))
	if rng.IntN(30) == 0 {
		document = make([]byte, pick(rng, 0, store.MaxPolicyDocument, store.MaxPolicyDocument+1))
	}
	switch n := rng.IntN(100); {
	case n < 12:
		return op{"CreateUser " + user, func(a api) (any, error) { return a.CreateUser(ctx, user) }}
	case n < 16:
		return op{"GetUser " + user, func(a api) (any, error) { return a.GetUser(ctx, user) }}
	case n < 19:
		return listUsers(pick(rng, "", "ann", "b", "zz"), 1+rng.IntN(3))
	case n < 29:
		change := store.UserChange{RevokeSessions: rng.IntN(2) == 0}
		if enabled := rng.IntN(2) == 0; rng.IntN(2) == 0 {
			change.Enabled = &enabled
		}
		return op{fmt.Sprintf("UpdateUser %s %+v", user, change), func(a api) (any, error) { return a.UpdateUser(ctx, user, change) }}
	case n < 34:
		return op{"DeleteUser " + user, func(a api) (any, error) { return nil, a.DeleteUser(ctx, user) }}
	case n < 44:
		return h.createAccessKey(user)
	case n < 48:
		return listAccessKeys(user)
	case n < 53:
		user, id := h.accessKey()
		enabled := rng.IntN(2) == 0
		return op{fmt.Sprintf("UpdateAccessKey %s %s %v", user, id, enabled), func(a api) (any, error) { return nil, a.UpdateAccessKey(ctx, user, id, enabled) }}
	case n < 60:
		user, id := h.accessKey()
		return op{"DeleteAccessKey " + user + " " + id, func(a api) (any, error) { return nil, a.DeleteAccessKey(ctx, user, id) }}
	case n < 64:
		_, id := h.accessKey()
		if len(id) < 24 {
			return h.createAccessKey(user)
		}
		return op{"NoteAccessKeyUse " + id, func(a api) (any, error) { a.NoteAccessKeyUse(id); return nil, nil }}
	case n < 67:
		return op{"FlushAccessKeyUses", func(a api) (any, error) { return nil, a.FlushAccessKeyUses(ctx) }}
	case n < 71:
		_, id := h.accessKey()
		return lookupAccessKey(id)
	case n < 74:
		return lookupUser(user)
	case n < 80:
		return op{"CreatePolicy " + policy, func(a api) (any, error) { return a.CreatePolicy(ctx, policy, document) }}
	case n < 84:
		return op{"UpdatePolicy " + policy, func(a api) (any, error) { return a.UpdatePolicy(ctx, policy, document) }}
	case n < 86:
		return getPolicy(policy)
	case n < 88:
		return listPolicies(pick(rng, "", "all_0", "r", "zz"), 1+rng.IntN(2))
	case n < 90:
		return op{"DeletePolicy " + policy, func(a api) (any, error) { return nil, a.DeletePolicy(ctx, policy) }}
	case n < 96:
		return op{"AttachPolicyToUser " + user + " " + policy, func(a api) (any, error) { return nil, a.AttachPolicyToUser(ctx, user, policy) }}
	}
	// Mostly from a user who has one: picked blindly, hardly any detachment succeeds.
	for _, name := range someUsers {
		if p, err := h.model.LookupUser(ctx, name); err == nil && len(p.Policies) > 0 && rng.IntN(2) == 0 {
			user, policy = name, p.Policies[0].Name
		}
	}
	return op{"DetachPolicyFromUser " + user + " " + policy, func(a api) (any, error) { return nil, a.DetachPolicyFromUser(ctx, user, policy) }}
}

func (h *history) createAccessKey(user string) op {
	return op{"CreateAccessKey " + user, func(a api) (any, error) {
		key, secret, err := a.CreateAccessKey(h.ctx, user)
		if secret != "" {
			h.secrets[key.ID] = secret
		}
		return key, err
	}}
}

func listUsers(marker string, n int) op {
	return op{"ListUsers", func(a api) (any, error) {
		return a.ListUsers(context.Background(), &store.ListUsersRequest{Marker: marker, Max: n})
	}}
}

func listAccessKeys(user string) op {
	return op{"ListAccessKeys " + user, func(a api) (any, error) { return a.ListAccessKeys(context.Background(), user) }}
}

func lookupAccessKey(id string) op {
	return op{"LookupAccessKey " + id, func(a api) (any, error) {
		p, err := a.LookupAccessKey(context.Background(), id)
		return principal{p}, err
	}}
}

func lookupUser(name string) op {
	return op{"LookupUser " + name, func(a api) (any, error) {
		p, err := a.LookupUser(context.Background(), name)
		return principal{p}, err
	}}
}

func getPolicy(name string) op {
	return op{"GetPolicy " + name, func(a api) (any, error) { return a.GetPolicy(context.Background(), name) }}
}

func listPolicies(marker string, n int) op {
	return op{"ListPolicies", func(a api) (any, error) {
		return a.ListPolicies(context.Background(), &store.ListPoliciesRequest{Marker: marker, Max: n})
	}}
}

// compareRAM compares all users, keys and policies that there are.
func (h *history) compareRAM() {
	h.t.Helper()
	for _, u := range h.step(listUsers("", store.MaxListed)).(*store.ListUsersResult).Users {
		h.step(lookupUser(u.Name))
		for _, key := range h.step(listAccessKeys(u.Name)).([]store.AccessKey) {
			h.step(lookupAccessKey(key.ID))
		}
	}
	for _, p := range h.step(listPolicies("", store.MaxListed)).(*store.ListPoliciesResult).Policies {
		h.step(getPolicy(p.Name))
	}
}

// unifyPrincipal sees that the secret is the one that was given out.
func (h *history) unifyPrincipal(got, want *store.Principal) {
	h.t.Helper()
	if got.Key == nil {
		return
	}
	secret, err := h.ring.Decrypt(h.ctx, got.Sealed, store.SecretContext(got.Key.ID))
	h.check(err)
	if given, known := h.secrets[got.Key.ID]; known && string(secret) != given {
		h.check(fmt.Errorf("access key %s has another secret", got.Key.ID))
	}
	got.Key.Used, want.Key.Used = time.Time{}, time.Time{} // what is written down of it
}

// newAccessKeyID returns the ID of the access key that the model does not know.
func (h *history) newAccessKeyID() string {
	for _, name := range someUsers {
		known := make(map[string]bool)
		keys, _ := h.model.ListAccessKeys(h.ctx, name)
		for _, key := range keys {
			known[key.ID] = true
		}
		keys, _ = h.real.ListAccessKeys(h.ctx, name)
		for _, key := range keys {
			if !known[key.ID] {
				return key.ID
			}
		}
	}
	return "none"
}

// snapshotRAM tells all users, keys and policies, but for names that differ by
// right.
func snapshotRAM(a ramAPI) (string, error) {
	ctx := context.Background()
	var s strings.Builder
	users, err := a.ListUsers(ctx, &store.ListUsersRequest{Max: store.MaxListed})
	if err != nil {
		return "", err
	}
	for _, u := range users.Users {
		u.ID = ""
		keys, err := a.ListAccessKeys(ctx, u.Name)
		if err != nil {
			return "", err
		}
		p, err := a.LookupUser(ctx, u.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&s, "\n%+v %+v sessions %d", u, keys, p.Sessions)
	}
	policies, err := a.ListPolicies(ctx, &store.ListPoliciesRequest{Max: store.MaxListed})
	if err != nil {
		return "", err
	}
	for _, p := range policies.Policies {
		whole, err := a.GetPolicy(ctx, p.Name)
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&s, "\n%+v %.40q", p, whole.Document)
	}
	return s.String(), nil
}
