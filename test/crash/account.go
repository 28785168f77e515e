package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/admin"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/test/process"
)

const (
	keysMax     = 4 // of a user
	deletedKept = 3 // access keys that must stay deleted
	sessionsMax = 3 // that are tried again
)

// account is one user with its access keys, sessions and policy. One worker
// alone changes it, through the admin API, with root's key.
type account struct {
	name   string // of the user and of the policy
	prefix string // of keys of objects that the policy lets it read
	random *rand.Rand
	admin  *admin.Client
	url    string // of the OSS API

	// may holds what may be: one state unless an operation is in doubt.
	may []*accountState

	secrets  map[string]string // of access keys, as far as they are known
	deleted  []sign.Credentials
	sessions []session
	made     int // users so far
}

// accountState is what is there.
type accountState struct {
	user     int // which of the users of this name, 0 for none
	disabled bool
	keys     map[string]bool // enabled
	oneMore  bool            // and a key whose ID nobody was told
	document string          // of the policy, "" for none
	attached bool
	revoked  int // how often sessions were
}

// session is one that was begun under a state.
type session struct {
	credentials sign.Credentials
	user        int
	revoked     int
}

func newAccount(name, prefix string, random *rand.Rand) *account {
	return &account{
		name: name, prefix: prefix, random: random, secrets: map[string]string{},
		may: []*accountState{{keys: map[string]bool{}}},
	}
}

func (a *account) connect(url, adminURL string) {
	a.url = url
	a.admin = &admin.Client{
		Endpoint: adminURL, Region: process.Region, HTTP: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}},
		Credentials: sign.Credentials{AccessKeyID: process.AccessKeyID, AccessKeySecret: process.AccessKeySecret},
	}
}

func (s *accountState) clone() *accountState {
	c := *s
	c.keys = maps.Clone(s.keys)
	return &c
}

func (a *account) call(ctx context.Context, action string, in, out any) error {
	err := a.admin.Call(ctx, action, in, out)
	var refusal *admin.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refusal) && refusal.Status != http.StatusServiceUnavailable:
		return err
	}
	return fmt.Errorf("%w: %v", errInDoubt, err)
}

// step does one random operation that must succeed.
func (a *account) step(ctx context.Context) (what string, err error) {
	now := a.may[0]
	next := now.clone()
	known := slices.Sorted(maps.Keys(now.keys))
	user, policy := admin.NameRequest{Name: a.name}, admin.NameRequest{Name: a.name}
	do := func(action string, in any) (string, error) {
		return action + " " + a.name, a.settle(next, a.call(ctx, action, in, nil))
	}
	if now.user == 0 {
		a.made++
		next.user, next.revoked = a.made, 0
		return do("CreateUser", user)
	}
	if now.document == "" || a.random.IntN(10) == 0 {
		return a.putPolicy(ctx, next)
	}
	switch n := a.random.IntN(100); {
	case n < 25 && len(now.keys) < keysMax:
		return "CreateAccessKey " + a.name, a.createKey(ctx, next)
	case n < 40 && len(known) > 0:
		id := known[a.random.IntN(len(known))]
		next.keys[id] = !next.keys[id]
		return do("UpdateAccessKey", admin.UpdateAccessKeyRequest{User: a.name, ID: id, Enabled: next.keys[id]})
	case n < 50 && len(known) > 0:
		id := known[a.random.IntN(len(known))]
		delete(next.keys, id)
		what, err = do("DeleteAccessKey", admin.AccessKeyRequest{User: a.name, ID: id})
		if secret := a.secrets[id]; err == nil && secret != "" {
			a.deleted = append(a.deleted, sign.Credentials{AccessKeyID: id, AccessKeySecret: secret})
			a.deleted = a.deleted[max(0, len(a.deleted)-deletedKept):]
		}
		return what, err
	case n < 60:
		next.disabled = !next.disabled
		enabled := !next.disabled
		return do("UpdateUser", admin.UpdateUserRequest{Name: a.name, Enabled: &enabled})
	case n < 65:
		next.revoked++
		return do("UpdateUser", admin.UpdateUserRequest{Name: a.name, RevokeSessions: true})
	case n < 80:
		next.attached = !next.attached
		if next.attached {
			return do("AttachPolicyToUser", admin.AttachRequest{User: a.name, Policy: a.name})
		}
		return do("DetachPolicyFromUser", admin.AttachRequest{User: a.name, Policy: a.name})
	case n < 85 && len(now.keys) == 0 && !now.attached:
		*next = accountState{keys: map[string]bool{}, document: now.document}
		return do("DeleteUser", user)
	case n < 90 && !now.attached:
		next.document = ""
		return do("DeletePolicy", policy)
	}
	return "AssumeRole " + a.name, a.begin(ctx)
}

// settle notes what an operation that leads to next has come to.
func (a *account) settle(next *accountState, err error) error {
	switch {
	case err == nil:
		a.may = []*accountState{next}
	case errors.Is(err, errInDoubt):
		a.may = append(a.may, next)
	}
	return err
}

func (a *account) putPolicy(ctx context.Context, next *accountState) (string, error) {
	action := "UpdatePolicy"
	if next.document == "" {
		action = "CreatePolicy"
	}
	next.document = fmt.Sprintf(`{"Version": "1", "Statement": [{"Effect": "Allow", "Action": ["oss:GetObject", "sts:AssumeRole"],
		"Resource": ["acs:oss:*:*:%s/%s*", "acs:ram:*:*:user/*", "acs:oss:*:*:%d"]}]}`, bucket, a.prefix, a.random.Uint32())
	return action + " " + a.name, a.settle(next, a.call(ctx, action, admin.PolicyRequest{Name: a.name, Document: next.document}, nil))
}

func (a *account) createKey(ctx context.Context, next *accountState) error {
	var key admin.NewAccessKey
	err := a.call(ctx, "CreateAccessKey", admin.UserRequest{User: a.name}, &key)
	if err == nil {
		next.keys[key.ID] = true
		a.secrets[key.ID] = key.Secret
	} else {
		next.oneMore = true
	}
	return a.settle(next, err)
}

// begin begins a session with a key that can, if there is one. Nothing of that
// is kept by the server, so it is never in doubt.
func (a *account) begin(ctx context.Context) error {
	now := a.may[0]
	for _, id := range slices.Sorted(maps.Keys(now.keys)) {
		if !now.keys[id] || now.disabled || !now.attached || a.secrets[id] == "" {
			continue
		}
		user := *a.admin
		user.Credentials = sign.Credentials{AccessKeyID: id, AccessKeySecret: a.secrets[id]}
		var c admin.Credentials
		err := user.Call(ctx, "AssumeRole", admin.AssumeRoleRequest{}, &c)
		var refusal *admin.Error
		if err != nil && !errors.As(err, &refusal) {
			return fmt.Errorf("%w: %v", errInDoubt, err)
		} else if err != nil {
			return err
		}
		a.sessions = append(a.sessions, session{
			sign.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}, now.user, now.revoked,
		})
		a.sessions = a.sessions[max(0, len(a.sessions)-sessionsMax):]
		return nil
	}
	return a.check(ctx, now)
}

// verify finds what is there among what may be.
func (a *account) verify(ctx context.Context) error {
	var errs []error
	for _, may := range a.may {
		err := a.check(ctx, may)
		if err == nil {
			a.may = []*accountState{may}
			return nil
		}
		errs = append(errs, err)
	}
	return fmt.Errorf("user %s is in none of the states that it may be in: %w", a.name, errors.Join(errs...))
}

// check compares all that the server tells and does with a state.
func (a *account) check(ctx context.Context, want *accountState) error {
	if err := a.checkPolicy(ctx, want); err != nil {
		return err
	}
	var u admin.User
	err := a.call(ctx, "GetUser", admin.NameRequest{Name: a.name}, &u)
	var refusal *admin.Error
	if errors.As(err, &refusal) && refusal.Code == "EntityNotExist.User" {
		if want.user != 0 {
			return errors.New("the user is lost")
		}
	} else if err != nil {
		return err
	} else if want.user == 0 || u.Enabled == want.disabled || (len(u.Policies) == 1) != want.attached {
		return fmt.Errorf("GetUser tells %+v, want %+v", u, *want)
	}
	if want.user != 0 {
		if err := a.checkKeys(ctx, want); err != nil {
			return err
		}
	}
	return a.checkSignatures(ctx, want)
}

func (a *account) checkPolicy(ctx context.Context, want *accountState) error {
	var p admin.Policy
	err := a.call(ctx, "GetPolicy", admin.NameRequest{Name: a.name}, &p)
	var refusal *admin.Error
	if errors.As(err, &refusal) && refusal.Code == "EntityNotExist.Policy" {
		err = nil
	}
	if err == nil && p.Document != want.document {
		err = fmt.Errorf("policy is %q, want %q", p.Document, want.document)
	}
	return err
}

func (a *account) checkKeys(ctx context.Context, want *accountState) error {
	var res admin.ListAccessKeysResult
	if err := a.call(ctx, "ListAccessKeys", admin.UserRequest{User: a.name}, &res); err != nil {
		return err
	}
	strange := ""
	listed := map[string]bool{}
	for _, key := range res.AccessKeys {
		enabled, known := want.keys[key.ID]
		switch {
		case !known && want.oneMore && strange == "":
			strange = key.ID
		case !known || enabled != key.Enabled:
			return fmt.Errorf("access key %s is listed, enabled: %v; known: %v, want enabled: %v", key.ID, key.Enabled, known, enabled)
		}
		listed[key.ID] = true
	}
	for id := range want.keys {
		if !listed[id] {
			return fmt.Errorf("access key %s is lost", id)
		}
	}
	if want.oneMore && strange == "" {
		return errors.New("the access key in doubt is not there")
	}
	if strange != "" { // whose secret nobody knows
		want.keys[strange], want.oneMore = true, false
	}
	return nil
}

// checkSignatures sees that keys and sessions open what they should and nothing
// else.
func (a *account) checkSignatures(ctx context.Context, want *accountState) error {
	for id, enabled := range want.keys {
		secret := a.secrets[id]
		if secret == "" {
			continue
		}
		code := "InvalidAccessKeyId"
		if enabled && !want.disabled {
			code = want.answer()
		}
		if err := a.tries(ctx, sign.Credentials{AccessKeyID: id, AccessKeySecret: secret}, code); err != nil {
			return fmt.Errorf("access key %s: %w", id, err)
		}
	}
	for _, gone := range a.deleted {
		if err := a.tries(ctx, gone, "InvalidAccessKeyId"); err != nil {
			return fmt.Errorf("deleted access key %s: %w", gone.AccessKeyID, err)
		}
	}
	for _, s := range a.sessions {
		code := "InvalidSecurityToken"
		switch {
		case s.user != want.user || s.revoked != want.revoked:
		case want.disabled:
			code = "InvalidAccessKeyId"
		default:
			code = want.answer()
		}
		if err := a.tries(ctx, s.credentials, code); err != nil {
			return fmt.Errorf("session %s of user %d: %w", s.credentials.AccessKeyID, s.user, err)
		}
	}
	return nil
}

// answer is what reading an object that there is not is answered with.
func (s *accountState) answer() string {
	if s.attached {
		return "NoSuchKey"
	}
	return "AccessDenied"
}

// tries reads an object that there is not, and wants a code.
func (a *account) tries(ctx context.Context, credentials sign.Credentials, code string) error {
	c := newClient(a.url, strings.HasPrefix(credentials.AccessKeyID, "STS."))
	defer c.close()
	c.credentials = credentials
	_, err := c.getObject(ctx, a.prefix+"nothing")
	if err == nil || !isCode(err, code) {
		return fmt.Errorf("answered %w, want %s", err, code)
	}
	return nil
}
