package iam_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

const (
	readAll  = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*"}]}`
	writeAll = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:PutObject","Resource":"*"}]}`
)

var root = auth.RootKey{AccessKeyID: "ROOT", Secret: "root-secret", OwnerID: "1000"}

// env is Keys over a store and a key ring in memory.
type env struct {
	*iam.Keys
	t     *testing.T
	ctx   context.Context
	store *store.Store
	ring  *kms.Local
	now   time.Time
}

func (e *env) clock() time.Time { return e.now }

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, ctx: t.Context(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var err error
	e.ring, err = kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	e.must(err)
	e.store, err = store.Open(e.ctx, memkv.New(), memblob.New(), store.Options{KeyRing: e.ring, Clock: e.clock})
	e.must(err)
	t.Cleanup(e.store.Close)
	e.Keys = e.keys(root)
	return e
}

// keys are others over the same rows, as another process has them.
func (e *env) keys(root auth.RootKey) *iam.Keys {
	return iam.New(e.store, iam.Options{Root: root, Ring: e.ring, Clock: e.clock})
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// user makes a user with a key and the policy, "" for none.
func (e *env) user(name, policy string) (id, secret string) {
	e.t.Helper()
	_, err := e.store.CreateUser(e.ctx, name)
	e.must(err)
	if policy != "" {
		_, err = e.store.CreatePolicy(e.ctx, name+"-policy", []byte(policy))
		e.must(err)
		e.must(e.store.AttachPolicyToUser(e.ctx, name, name+"-policy"))
	}
	key, secret, err := e.store.CreateAccessKey(e.ctx, name)
	e.must(err)
	return key.ID, secret
}

func (e *env) want(id, token string, target error) auth.Key {
	e.t.Helper()
	key, err := e.Lookup(e.ctx, id, token)
	if !errors.Is(err, target) {
		e.t.Fatalf("look-up of %s: %v, want %v", id, err, target)
	}
	if err != nil && (key.Secret != "" || key.Identity.Kind != auth.Anonymous) {
		e.t.Fatalf("a key came with %v", err)
	}
	return key
}

func may(id auth.Identity, action string) bool {
	var a auth.Authorizer
	return a.Decide(auth.Request{Identity: id, Action: action, Resource: auth.OSSResource("b", "k")}).Allowed
}

// Root, users' keys and what becomes of them.
func TestLookup(t *testing.T) {
	e := newEnv(t)
	id, secret := e.user("ann", readAll)

	if key := e.want("ROOT", "", nil); key.Secret != "root-secret" || key.Identity.Kind != auth.Owner || key.Identity.ID != "1000" {
		t.Errorf("root: %+v", key.Identity)
	}
	key := e.want(id, "", nil)
	if key.Secret != secret || key.Identity.Kind != auth.User || key.Identity.Name != "ann" || key.Identity.AccessKeyID != id ||
		!may(key.Identity, "oss:GetObject") || may(key.Identity, "oss:PutObject") {
		t.Errorf("user: %+v", key.Identity)
	}
	e.want("OSSUAAAAAAAAAAAAAAAAAAAA", "", auth.ErrUnknownKey)
	e.want("", "", auth.ErrUnknownKey)
	e.want("A/x", "", auth.ErrUnknownKey)
	e.want("STS.AAAA", "", auth.ErrUnknownKey)
	e.want(strings.Repeat("A", 5<<10), "", auth.ErrUnknownKey) // longer than any row's key
	e.want(id, "garbage", auth.ErrInvalidToken)
	e.want("ROOT", "garbage", auth.ErrInvalidToken)

	// Each change counts from its answer on.
	_, err := e.store.UpdatePolicy(e.ctx, "ann-policy", []byte(writeAll))
	e.must(err)
	if now := e.want(id, "", nil).Identity; may(now, "oss:GetObject") || !may(now, "oss:PutObject") {
		t.Error("the policy's update does not count")
	}
	e.must(e.store.DetachPolicyFromUser(e.ctx, "ann", "ann-policy"))
	if may(e.want(id, "", nil).Identity, "oss:PutObject") {
		t.Error("the policy that was taken away counts")
	}
	e.must(e.store.UpdateAccessKey(e.ctx, "ann", id, false))
	e.want(id, "", auth.ErrDisabledKey)
	e.must(e.store.UpdateAccessKey(e.ctx, "ann", id, true))
	e.want(id, "", nil)
	off := false
	_, err = e.store.UpdateUser(e.ctx, "ann", store.UserChange{Enabled: &off})
	e.must(err)
	e.want(id, "", auth.ErrDisabledKey)
	e.must(e.store.DeleteAccessKey(e.ctx, "ann", id))
	e.want(id, "", auth.ErrUnknownKey)
}

// Only requests that were signed with a user's own key count as its use.
func TestUsed(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", "")
	key := e.want(id, "", nil)
	session, err := e.AssumeRole(e.ctx, key.Identity, nil, 0)
	e.must(err)
	e.Used(e.want(session.AccessKeyID, session.SecurityToken, nil).Identity)
	e.Used(e.want("ROOT", "", nil).Identity)
	e.Used(auth.Identity{})
	used := func() time.Time {
		keys, err := e.store.ListAccessKeys(e.ctx, "ann")
		e.must(err)
		return keys[0].Used
	}
	if got := used(); !got.IsZero() {
		t.Errorf("used at %v", got)
	}
	e.Used(key.Identity)
	if got := used(); !got.Equal(e.now) {
		t.Errorf("used at %v, want %v", got, e.now)
	}
}

// A policy that cannot be read may deny something: nobody passes without it.
func TestUnreadablePolicy(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", `{"Version":"9"}`)
	if _, err := e.Lookup(e.ctx, id, ""); err == nil || !strings.Contains(err.Error(), "ann-policy") {
		t.Errorf("look-up: %v", err)
	}
}

// A secret that the ring does not open is no secret.
func TestForeignRing(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", "")
	other, err := kms.Open(vfs.NewMem(), "other", kms.Options{})
	e.must(err)
	for _, ring := range []kms.KeyRing{other, kms.None{}} {
		e.Keys = iam.New(e.store, iam.Options{Root: root, Ring: ring, Clock: e.clock})
		key, err := e.Lookup(e.ctx, id, "")
		if err == nil || key.Secret != "" || errors.Is(err, auth.ErrUnknownKey) {
			t.Errorf("look-up: %v", err)
		}
	}
}

// A session has the rights of its user that its policy allows too, until it
// expires.
func TestSession(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", strings.Replace(readAll, `"oss:GetObject"`, `["oss:GetObject","oss:PutObject"]`, 1))
	ann := e.want(id, "", nil).Identity
	plain, err := e.AssumeRole(e.ctx, ann, nil, 0)
	e.must(err)
	narrow, err := e.AssumeRole(e.ctx, ann, []byte(readAll), iam.MinDuration)
	e.must(err)
	if !strings.HasPrefix(plain.AccessKeyID, "STS.") || !plain.Expires.Equal(e.now.Add(iam.DefaultDuration)) {
		t.Errorf("session: %v until %v", plain, plain.Expires)
	}
	key := e.want(plain.AccessKeyID, plain.SecurityToken, nil)
	if key.Secret != plain.AccessKeySecret || key.Identity.ID != ann.ID || key.Identity.AccessKeyID != plain.AccessKeyID || !may(key.Identity, "oss:PutObject") {
		t.Errorf("session: %+v", key.Identity)
	}
	key = e.want(narrow.AccessKeyID, narrow.SecurityToken, nil)
	if !may(key.Identity, "oss:GetObject") || may(key.Identity, "oss:PutObject") || may(key.Identity, "oss:DeleteObject") {
		t.Error("the policy of the session does not count")
	}
	if _, err := e.AssumeRole(e.ctx, key.Identity, nil, 0); !errors.Is(err, iam.ErrNoSessions) {
		t.Errorf("session of a session: %v", err)
	}

	e.want(plain.AccessKeyID, "", auth.ErrUnknownKey)
	e.want(plain.AccessKeyID, "x", auth.ErrInvalidToken)
	e.want(plain.AccessKeyID, narrow.SecurityToken, auth.ErrMismatchedToken)
	e.want(id, plain.SecurityToken, auth.ErrMismatchedToken)
	e.want("ROOT", plain.SecurityToken, auth.ErrMismatchedToken)

	e.now = narrow.Expires.Add(-time.Second)
	e.want(narrow.AccessKeyID, narrow.SecurityToken, nil)
	e.now = narrow.Expires
	e.want(narrow.AccessKeyID, narrow.SecurityToken, auth.ErrExpiredToken)
	e.want(plain.AccessKeyID, narrow.SecurityToken, auth.ErrMismatchedToken)
	e.want(plain.AccessKeyID, plain.SecurityToken, nil)
}

// Any other bytes than those that were issued are no token. What is kept of a
// token never answers for another.
func TestForgedToken(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", readAll)
	c, err := e.AssumeRole(e.ctx, e.want(id, "", nil).Identity, []byte(readAll), 0)
	e.must(err)
	e.want(c.AccessKeyID, c.SecurityToken, nil)
	sealed, err := base64.RawURLEncoding.DecodeString(c.SecurityToken)
	e.must(err)
	for i := range sealed {
		forged := strings.Clone(string(sealed[:i])) + string(sealed[i]^1) + string(sealed[i+1:])
		e.want(c.AccessKeyID, base64.RawURLEncoding.EncodeToString([]byte(forged)), auth.ErrInvalidToken)
	}
	// A secret that was sealed for another purpose is none either.
	other, err := e.ring.Encrypt(e.ctx, []byte(`{"v":1,"id":"STS.X","secret":"s","root":"x"}`), store.SecretContext("X"))
	e.must(err)
	for _, token := range []string{
		c.SecurityToken + "A", c.SecurityToken[1:], " " + c.SecurityToken, c.SecurityToken + "=", strings.Repeat("A", 1<<20),
		base64.RawURLEncoding.EncodeToString(other),
	} {
		e.want(c.AccessKeyID, token, auth.ErrInvalidToken)
	}
}

// Sessions end with their user, with its being switched off, and when it
// revokes them. Those that begin later do not.
func TestRevokedSession(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", readAll)
	begin := func() *iam.Credentials {
		c, err := e.AssumeRole(e.ctx, e.want(id, "", nil).Identity, nil, 0)
		e.must(err)
		e.want(c.AccessKeyID, c.SecurityToken, nil)
		return c
	}
	change := func(c store.UserChange) {
		t.Helper()
		_, err := e.store.UpdateUser(e.ctx, "ann", c)
		e.must(err)
	}
	on, off := true, false
	first := begin()
	change(store.UserChange{Enabled: &off})
	e.want(first.AccessKeyID, first.SecurityToken, auth.ErrDisabledKey)
	change(store.UserChange{Enabled: &on})
	e.want(first.AccessKeyID, first.SecurityToken, nil)

	// The clock stands still, and even goes back: it does not matter.
	change(store.UserChange{RevokeSessions: true})
	e.want(first.AccessKeyID, first.SecurityToken, auth.ErrInvalidToken)
	e.now = e.now.Add(-time.Minute)
	second := begin()
	e.want(first.AccessKeyID, first.SecurityToken, auth.ErrInvalidToken)
	e.want(second.AccessKeyID, second.SecurityToken, nil)

	e.must(e.store.DeleteAccessKey(e.ctx, "ann", id))
	e.must(e.store.DetachPolicyFromUser(e.ctx, "ann", "ann-policy"))
	e.want(second.AccessKeyID, second.SecurityToken, nil)
	e.must(e.store.DeleteUser(e.ctx, "ann"))
	e.want(second.AccessKeyID, second.SecurityToken, auth.ErrInvalidToken)
	_, err := e.store.CreateUser(e.ctx, "ann")
	e.must(err)
	e.want(second.AccessKeyID, second.SecurityToken, auth.ErrInvalidToken) // of another ann
}

// Sessions of root need a policy and end with root's key.
func TestRootSession(t *testing.T) {
	e := newEnv(t)
	owner := e.want("ROOT", "", nil).Identity
	if _, err := e.AssumeRole(e.ctx, owner, nil, 0); !errors.Is(err, iam.ErrPolicyNeeded) {
		t.Errorf("without a policy: %v", err)
	}
	c, err := e.AssumeRole(e.ctx, owner, []byte(readAll), 0)
	e.must(err)
	key := e.want(c.AccessKeyID, c.SecurityToken, nil)
	if key.Identity.Kind != auth.Owner || !may(key.Identity, "oss:GetObject") || may(key.Identity, "oss:PutObject") {
		t.Errorf("session of root: %+v", key.Identity)
	}
	for _, other := range []auth.RootKey{
		{AccessKeyID: "ROOT", Secret: "another", OwnerID: "1000"}, {AccessKeyID: "NEW", Secret: root.Secret, OwnerID: "1000"},
	} {
		e.Keys = e.keys(other)
		e.want(c.AccessKeyID, c.SecurityToken, auth.ErrInvalidToken)
	}
	e.Keys = e.keys(root) // another process with the same key knows it
	e.want(c.AccessKeyID, c.SecurityToken, nil)
}

// What no session can be had for.
func TestAssumeRoleRefused(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", "")
	ann := e.want(id, "", nil).Identity
	long := `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"` + "acs:oss:*:*:" + strings.Repeat("b", auth.MaxSessionPolicyBytes) + `"}]}`
	policy := errors.New("an *auth.PolicyError")
	for _, tt := range []struct {
		name     string
		id       auth.Identity
		policy   string
		duration time.Duration
		want     error
	}{
		{"too short", ann, "", iam.MinDuration - 1, iam.ErrDuration},
		{"too long", ann, "", iam.MaxDuration + 1, iam.ErrDuration},
		{"negative", ann, "", -time.Hour, iam.ErrDuration},
		{"anonymous", auth.Identity{}, "", 0, iam.ErrNoSessions},
		{"no policy", ann, "{}", 0, policy},
		{"not JSON", ann, "x", 0, policy},
		{"long policy", ann, long, 0, policy},
		{"another user of the name", auth.Identity{Kind: auth.User, Name: "ann", ID: "2"}, "", 0, store.ErrNoSuchUser},
	} {
		_, err := e.AssumeRole(e.ctx, tt.id, []byte(tt.policy), tt.duration)
		var flaw *auth.PolicyError
		if is := errors.As(err, &flaw); is != (tt.want == policy) || !is && !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	for _, duration := range []time.Duration{iam.MinDuration, iam.MaxDuration} {
		c, err := e.AssumeRole(e.ctx, ann, nil, duration)
		e.must(err)
		if !c.Expires.Equal(e.now.Add(duration)) {
			t.Errorf("%v: until %v", duration, c.Expires)
		}
	}
}

// The longest policy that a session may have fits its token, whatever is in it.
func TestLongestSessionPolicy(t *testing.T) {
	e := newEnv(t)
	id, _ := e.user("ann", "")
	ann := e.want(id, "", nil).Identity
	for _, fill := range []string{`"<>&\"",`, `"é",`, "\"\u2028\","} {
		const head, tail = `{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:GetObject","Resource":"*","Condition":{"StringLike":{"acs:UserAgent":[`, `"x"]}}}]}`
		policy := head + strings.Repeat(fill, (auth.MaxSessionPolicyBytes-len(head)-len(tail))/len(fill)) + tail
		c, err := e.AssumeRole(e.ctx, ann, []byte(policy), 0)
		e.must(err)
		e.want(c.AccessKeyID, c.SecurityToken, nil)
	}
}

// Whatever changes in whatever order, every key and every session that there
// ever was is told to be what it is.
func TestRandomHistory(t *testing.T) {
	for range 3 {
		seed := rand.Uint64()
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { randomHistory(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

// account is what is known of a user.
type account struct {
	id       string // "" while there is none
	enabled  bool
	sessions int
	may      bool            // has the policy
	keys     map[string]bool // enabled
}

type begun struct {
	*iam.Credentials
	name, user string
	sessions   int
}

func randomHistory(t *testing.T, rng *rand.Rand) {
	e := newEnv(t)
	_, err := e.store.CreatePolicy(e.ctx, "read", []byte(readAll))
	e.must(err)
	accounts := map[string]*account{"ann": {}, "bob": {}}
	gone := map[string]bool{} // access keys
	var sessions []begun
	for range 400 {
		name := []string{"ann", "bob"}[rng.IntN(2)]
		a := accounts[name]
		e.now = e.now.Add(time.Duration(rng.IntN(300)) * time.Second)
		some := ""
		for id := range a.keys {
			some = id
		}
		switch n := rng.IntN(10); {
		case a.id == "":
			u, err := e.store.CreateUser(e.ctx, name)
			e.must(err)
			*a = account{id: u.ID, enabled: true, keys: map[string]bool{}}
		case n == 0:
			a.enabled = !a.enabled
			_, err := e.store.UpdateUser(e.ctx, name, store.UserChange{Enabled: &a.enabled})
			e.must(err)
		case n == 1:
			a.sessions++
			_, err := e.store.UpdateUser(e.ctx, name, store.UserChange{RevokeSessions: true})
			e.must(err)
		case n == 2 && some != "":
			a.keys[some] = !a.keys[some]
			e.must(e.store.UpdateAccessKey(e.ctx, name, some, a.keys[some]))
		case n == 3 && some != "":
			e.must(e.store.DeleteAccessKey(e.ctx, name, some))
			delete(a.keys, some)
			gone[some] = true
		case n == 4:
			if a.may = !a.may; a.may {
				e.must(e.store.AttachPolicyToUser(e.ctx, name, "read"))
			} else {
				e.must(e.store.DetachPolicyFromUser(e.ctx, name, "read"))
			}
		case n == 5 && len(a.keys) == 0 && !a.may:
			e.must(e.store.DeleteUser(e.ctx, name))
			*a = account{}
		case n < 8 && some != "" && a.enabled && a.keys[some]:
			c, err := e.AssumeRole(e.ctx, e.want(some, "", nil).Identity, nil, iam.MinDuration)
			e.must(err)
			sessions = append(sessions, begun{c, name, a.id, a.sessions})
		default:
			key, _, err := e.store.CreateAccessKey(e.ctx, name)
			e.must(err)
			a.keys[key.ID] = true
		}

		for _, a := range accounts {
			for id, enabled := range a.keys {
				if !enabled || !a.enabled {
					e.want(id, "", auth.ErrDisabledKey)
				} else if got := e.want(id, "", nil).Identity; got.ID != a.id || may(got, "oss:GetObject") != a.may {
					t.Fatalf("key %s: %+v, want %+v", id, got, a)
				}
			}
		}
		for id := range gone {
			e.want(id, "", auth.ErrUnknownKey)
		}
		for _, s := range sessions {
			a := accounts[s.name]
			switch {
			case !e.now.Before(s.Expires):
				e.want(s.AccessKeyID, s.SecurityToken, auth.ErrExpiredToken)
			case a.id != s.user || a.sessions != s.sessions:
				e.want(s.AccessKeyID, s.SecurityToken, auth.ErrInvalidToken)
			case !a.enabled:
				e.want(s.AccessKeyID, s.SecurityToken, auth.ErrDisabledKey)
			default:
				if got := e.want(s.AccessKeyID, s.SecurityToken, nil).Identity; got.ID != a.id || may(got, "oss:GetObject") != a.may {
					t.Fatalf("session %s: %+v, want %+v", s, got, a)
				}
			}
		}
	}
}
