package admin_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/admin"
	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/vfstest"
)

const region = "cn-test"

var root = sign.Credentials{AccessKeyID: "ROOT", AccessKeySecret: "root-secret"}

// env is a handler over engines in memory, behind a real listener.
type env struct {
	t      *testing.T
	ctx    context.Context
	store  *store.Store
	ring   *kms.Local
	server *httptest.Server

	mu  sync.Mutex
	now time.Time
	log bytes.Buffer
}

func (e *env) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *env) pass(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = e.now.Add(d)
}

// Write takes the log.
func (e *env) Write(p []byte) (int, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.Write(p)
}

func (e *env) logged() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.log.String()
}

func newEnv(t *testing.T) *env { return newEnvWith(t, func(*admin.Options) {}) }

func newEnvWith(t *testing.T, edit func(*admin.Options)) *env {
	t.Helper()
	e := &env{t: t, ctx: t.Context(), now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)}
	var err error
	e.ring, err = kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	e.must(err)
	e.store, err = store.Open(e.ctx, memkv.New(), memblob.New(), store.Options{KeyRing: e.ring, Clock: e.clock})
	e.must(err)
	t.Cleanup(e.store.Close)
	keys := iam.New(e.store, iam.Options{
		Root: auth.RootKey{AccessKeyID: root.AccessKeyID, Secret: root.AccessKeySecret, OwnerID: "1000"}, Ring: e.ring, Clock: e.clock,
	})
	opts := admin.Options{
		Store: e.store, Keys: keys, Ring: e.ring, Region: region, Clock: e.clock,
		Logger: slog.New(slog.NewTextHandler(e, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	edit(&opts)
	h, err := admin.New(opts)
	e.must(err)
	e.server = httptest.NewServer(h)
	t.Cleanup(e.server.Close)
	return e
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) client(c sign.Credentials) *admin.Client {
	return &admin.Client{Endpoint: e.server.URL, Region: region, Credentials: c, Clock: e.clock}
}

func (e *env) call(c sign.Credentials, action string, in, out any) error {
	return e.client(c).Call(e.ctx, action, in, out)
}

// do is a call of root that must succeed.
func (e *env) do(action string, in, out any) {
	e.t.Helper()
	if err := e.call(root, action, in, out); err != nil {
		e.t.Fatalf("%s: %v", action, err)
	}
}

func (e *env) refused(err error, code string) *admin.Error {
	e.t.Helper()
	var refusal *admin.Error
	if !errors.As(err, &refusal) || refusal.Code != code {
		e.t.Fatalf("got %v, want %s", err, code)
	}
	return refusal
}

// user makes a user with a key and a policy of statements.
func (e *env) user(name string, statements ...string) sign.Credentials {
	e.t.Helper()
	e.do("CreateUser", admin.NameRequest{Name: name}, nil)
	if len(statements) > 0 {
		e.do("CreatePolicy", admin.PolicyRequest{Name: name + "-policy", Document: document(statements...)}, nil)
		e.do("AttachPolicyToUser", admin.AttachRequest{User: name, Policy: name + "-policy"}, nil)
	}
	var key admin.NewAccessKey
	e.do("CreateAccessKey", admin.UserRequest{User: name}, &key)
	return sign.Credentials{AccessKeyID: key.ID, AccessKeySecret: key.Secret}
}

func document(statements ...string) string {
	return `{"Version":"1","Statement":[` + strings.Join(statements, ",") + `]}`
}

func allow(action, resource string) string {
	return fmt.Sprintf(`{"Effect":"Allow","Action":%q,"Resource":%q}`, action, resource)
}

// everyCall are all actions with a request that asks for what is there, and the
// resources that it touches.
var everyCall = []struct {
	action    string
	request   any
	resources []string
}{
	{"ram:CreateUser", admin.NameRequest{Name: "new"}, []string{"acs:ram:*:*:user/new"}},
	{"ram:GetUser", admin.NameRequest{Name: "bob"}, []string{"acs:ram:*:*:user/bob"}},
	{"ram:ListUsers", admin.ListRequest{}, []string{"acs:ram:*:*:user/*"}},
	{"ram:UpdateUser", admin.UpdateUserRequest{Name: "bob", RevokeSessions: true}, []string{"acs:ram:*:*:user/bob"}},
	{"ram:DeleteUser", admin.NameRequest{Name: "empty"}, []string{"acs:ram:*:*:user/empty"}},
	{"ram:CreateAccessKey", admin.UserRequest{User: "bob"}, []string{"acs:ram:*:*:user/bob"}},
	{"ram:ListAccessKeys", admin.UserRequest{User: "bob"}, []string{"acs:ram:*:*:user/bob"}},
	{"ram:UpdateAccessKey", admin.UpdateAccessKeyRequest{User: "bob", ID: "KEY", Enabled: true}, []string{"acs:ram:*:*:user/bob"}},
	{"ram:DeleteAccessKey", admin.AccessKeyRequest{User: "bob", ID: "KEY"}, []string{"acs:ram:*:*:user/bob"}},
	{"ram:CreatePolicy", admin.PolicyRequest{Name: "new", Document: document(allow("oss:*", "*"))}, []string{"acs:ram:*:*:policy/new"}},
	{"ram:UpdatePolicy", admin.PolicyRequest{Name: "bob-policy", Document: document(allow("oss:*", "*"))}, []string{"acs:ram:*:*:policy/bob-policy"}},
	{"ram:GetPolicy", admin.NameRequest{Name: "bob-policy"}, []string{"acs:ram:*:*:policy/bob-policy"}},
	{"ram:ListPolicies", admin.ListRequest{}, []string{"acs:ram:*:*:policy/*"}},
	{"ram:DeletePolicy", admin.NameRequest{Name: "loose"}, []string{"acs:ram:*:*:policy/loose"}},
	{"ram:AttachPolicyToUser", admin.AttachRequest{User: "bob", Policy: "loose"}, []string{"acs:ram:*:*:user/bob", "acs:ram:*:*:policy/loose"}},
	{"ram:DetachPolicyFromUser", admin.AttachRequest{User: "bob", Policy: "bob-policy"}, []string{"acs:ram:*:*:user/bob", "acs:ram:*:*:policy/bob-policy"}},
	{"ram:SimulatePolicy", admin.SimulateRequest{User: "bob", Action: "oss:GetObject", Resource: "acs:oss:*:*:b/k"}, []string{"acs:ram:*:*:user/bob"}},
	{"sts:AssumeRole", admin.AssumeRoleRequest{}, []string{"acs:ram:*:*:user/ann"}},
	{"kms:ListKeys", admin.None{}, []string{"acs:kms:*:*:key/*"}},
	{"kms:CreateKey", admin.KeyRequest{ID: "new"}, []string{"acs:kms:*:*:key/new"}},
	{"kms:RotateKey", admin.KeyRequest{ID: "made"}, []string{"acs:kms:*:*:key/made"}},
}

// prepare makes what the calls of everyCall ask for, and returns the key that
// they call KEY.
func (e *env) prepare() (key string) {
	key = e.user("bob", allow("oss:*", "*")).AccessKeyID
	e.do("CreateUser", admin.NameRequest{Name: "empty"}, nil)
	e.do("CreatePolicy", admin.PolicyRequest{Name: "loose", Document: document(allow("oss:*", "*"))}, nil)
	e.do("CreateKey", admin.KeyRequest{ID: "made"}, nil)
	return key
}

func withKey(request any, key string) any {
	switch r := request.(type) {
	case admin.UpdateAccessKeyRequest:
		r.ID = key
		return r
	case admin.AccessKeyRequest:
		r.ID = key
		return r
	}
	return request
}

// Every action needs the right of its name on everything that it touches: who
// has no rights, all other rights, the right on other resources, or the right on
// all but one of them, is denied, and so is a session whose policy leaves it
// out. Who has it is not.
func TestEveryAction(t *testing.T) {
	for _, tt := range everyCall {
		t.Run(tt.action, func(t *testing.T) {
			_, name, _ := strings.Cut(tt.action, ":")
			var exactly []string
			for _, r := range tt.resources {
				exactly = append(exactly, allow(tt.action, r))
			}
			denials := map[string][]string{
				"nothing":    nil,
				"others":     {fmt.Sprintf(`{"Effect":"Allow","NotAction":%q,"Resource":"*"}`, tt.action)},
				"elsewhere":  {allow(tt.action, "acs:oss:*:*:*"), allow(tt.action, "acs:ram:*:*:user/other")},
				"all but it": {allow("*", "*"), fmt.Sprintf(`{"Effect":"Deny","Action":%q,"Resource":%q}`, tt.action, tt.resources[len(tt.resources)-1])},
			}
			if len(tt.resources) > 1 {
				denials["one of two"] = exactly[:1]
				denials["other of two"] = exactly[1:]
			}
			for what, statements := range denials {
				e := newEnv(t)
				key := e.prepare()
				ann := e.user("ann", statements...)
				refusal := e.refused(e.call(ann, name, withKey(tt.request, key), nil), "NoPermission")
				if refusal.Status != 403 || refusal.Action != tt.action || !slices.Contains(tt.resources, refusal.Resource) ||
					!strings.Contains(refusal.Message, tt.action) || (what == "all but it") != (refusal.NoPermissionType == "ExplicitDeny") {
					t.Errorf("with %s: %+v", what, refusal)
				}
			}

			e := newEnv(t)
			key := e.prepare()
			ann := e.user("ann", exactly...)
			if err := e.call(ann, name, withKey(tt.request, key), nil); err != nil {
				t.Errorf("with the right: %v", err)
			}
			if name == "AssumeRole" {
				return // sessions do not begin sessions
			}
			e = newEnv(t)
			key = e.prepare()
			ann = e.user("ann", append(exactly, allow("sts:AssumeRole", "*"))...)
			session := func(policy string) sign.Credentials {
				var c admin.Credentials
				e.must(e.call(ann, "AssumeRole", admin.AssumeRoleRequest{Policy: policy}, &c))
				return sign.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
			}
			e.refused(e.call(session(document(allow("oss:*", "*"))), name, withKey(tt.request, key), nil), "NoPermission")
			if err := e.call(session(document(exactly...)), name, withKey(tt.request, key), nil); err != nil {
				t.Errorf("session with the right: %v", err)
			}
		})
	}
}

// everyCall leaves no action out, and neither does the documentation.
func TestEveryActionIsListed(t *testing.T) {
	text, err := os.ReadFile("../../docs/admin-api.md")
	if err != nil {
		t.Fatal(err)
	}
	documented := regexp.MustCompile("(?m)^\\| `((ram|sts|kms):[A-Za-z]+)`").FindAllStringSubmatch(string(text), -1)
	var names []string
	for _, m := range documented {
		names = append(names, m[1])
	}
	var tested []string
	for _, tt := range everyCall {
		tested = append(tested, tt.action)
	}
	if all := admin.Actions(); !slices.Equal(all, names) || !slices.Equal(all, tested) {
		t.Errorf("actions    %v\ndocumented %v\ntested     %v", all, names, tested)
	}
}

// raw is a call as it goes over the wire, for taking apart.
type raw struct {
	method, path string
	header       http.Header
	body         string
}

func (e *env) raw(c sign.Credentials, action, body string) *raw {
	sum := sha256.Sum256([]byte(body))
	r := sign.Request{
		Method: "POST", Bucket: "_admin", Key: "v1/" + action, Host: strings.TrimPrefix(e.server.URL, "http://"),
		Header: map[string][]string{"X-Oss-Body-Sha256": {hex.EncodeToString(sum[:])}},
	}
	sign.SignV4Header(&r, c, region, e.clock())
	return &raw{"POST", "/_admin/v1/" + action, r.Header, body}
}

func (e *env) send(r *raw) (status int, code string, header http.Header) {
	e.t.Helper()
	request, err := http.NewRequest(r.method, e.server.URL+r.path, strings.NewReader(r.body))
	e.must(err)
	request.Header = r.header
	answer, err := http.DefaultClient.Do(request)
	e.must(err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	e.must(err)
	var refusal admin.Error
	if err := json.Unmarshal(text, &refusal); err != nil || answer.Header.Get("Content-Type") != "application/json" {
		e.t.Fatalf("%d is no JSON: %s", answer.StatusCode, text)
	}
	if answer.StatusCode != 200 && (refusal.Code == "" || refusal.Message == "" || refusal.RequestID != answer.Header.Get("X-Oss-Request-Id")) {
		e.t.Errorf("%d %s", answer.StatusCode, text)
	}
	return answer.StatusCode, refusal.Code, answer.Header
}

// What was signed is what is done: nothing of a call can be exchanged, and
// whatever is wrong with it has its answer.
func TestTamper(t *testing.T) {
	const body = `{"Name":"bob"}`
	for _, tt := range []struct {
		name   string
		edit   func(e *env, r *raw)
		status int
		code   string
	}{
		{"nothing", func(*env, *raw) {}, 200, ""},
		{"another body", func(_ *env, r *raw) { r.body = `{"Name":"eve"}` }, 400, "BodyDigestMismatch"},
		{"another body and its digest", func(e *env, r *raw) {
			r.body = `{"Name":"eve"}`
			r.header["X-Oss-Body-Sha256"] = e.raw(root, "GetUser", r.body).header["X-Oss-Body-Sha256"]
		}, 403, "SignatureDoesNotMatch"},
		{"a second digest", func(e *env, r *raw) {
			r.header.Add("X-Oss-Body-Sha256", e.raw(root, "GetUser", "x").header.Get("X-Oss-Body-Sha256"))
		}, 403, "SignatureDoesNotMatch"},
		{"no digest", func(_ *env, r *raw) { r.header.Del("X-Oss-Body-Sha256") }, 403, "SignatureDoesNotMatch"},
		{"another action", func(_ *env, r *raw) { r.path = "/_admin/v1/DeleteUser" }, 403, "SignatureDoesNotMatch"},
		{"a query", func(_ *env, r *raw) { r.path += "?x=y" }, 404, "NoSuchAction"},
		{"no action", func(_ *env, r *raw) { r.path = "/_admin/v1/" }, 404, "NoSuchAction"},
		{"an unknown action", func(_ *env, r *raw) { r.path = "/_admin/v1/Rule" }, 404, "NoSuchAction"},
		{"letter case", func(_ *env, r *raw) { r.path = "/_admin/v1/getuser" }, 404, "NoSuchAction"},
		{"GET", func(_ *env, r *raw) { r.method = "GET" }, 405, "MethodNotAllowed"},
		{"PUT", func(_ *env, r *raw) { r.method = "PUT" }, 405, "MethodNotAllowed"},
		{"no signature", func(_ *env, r *raw) { r.header.Del("Authorization") }, 403, "AccessDenied"},
		{"rubbish", func(_ *env, r *raw) { r.header.Set("Authorization", "Basic x") }, 400, "InvalidArgument"},
		{"another secret", func(e *env, r *raw) {
			*r = *e.raw(sign.Credentials{AccessKeyID: "ROOT", AccessKeySecret: "guess"}, "GetUser", body)
		}, 403, "SignatureDoesNotMatch"},
		{"an unknown key", func(e *env, r *raw) {
			*r = *e.raw(sign.Credentials{AccessKeyID: "NOBODY", AccessKeySecret: "guess"}, "GetUser", body)
		}, 403, "InvalidAccessKeyId"},
		{"a token that nobody issued", func(e *env, r *raw) {
			*r = *e.raw(sign.Credentials{AccessKeyID: "STS.X", AccessKeySecret: "guess", SecurityToken: "x"}, "GetUser", body)
		}, 403, "InvalidSecurityToken"},
		{"an old call", func(e *env, _ *raw) { e.pass(sign.MaxSkew + time.Second) }, 403, "RequestTimeTooSkewed"},
		{"a call of V1", func(e *env, r *raw) {
			signed := sign.Request{Method: "POST", Bucket: "_admin", Key: "v1/GetUser", Header: r.header}
			signed.Header = http.Header{"X-Oss-Body-Sha256": r.header["X-Oss-Body-Sha256"]}
			sign.SignV1Header(&signed, root, e.clock())
			r.header = signed.Header
		}, 403, "AccessDenied"},
		{"a call of the OSS API", func(e *env, r *raw) {
			signed := sign.Request{Method: "POST", Bucket: "admin", Key: "v1/GetUser", Header: http.Header{"X-Oss-Body-Sha256": r.header["X-Oss-Body-Sha256"]}}
			sign.SignV4Header(&signed, root, region, e.clock())
			r.header = signed.Header
		}, 403, "SignatureDoesNotMatch"},
		{"another region", func(e *env, r *raw) {
			signed := sign.Request{Method: "POST", Bucket: "_admin", Key: "v1/GetUser", Header: http.Header{"X-Oss-Body-Sha256": r.header["X-Oss-Body-Sha256"]}}
			sign.SignV4Header(&signed, root, "cn-other", e.clock())
			r.header = signed.Header
		}, 400, "InvalidArgument"},
		{"an unknown field", func(e *env, r *raw) { *r = *e.raw(root, "GetUser", `{"Name":"bob","Admin":true}`) }, 400, "InvalidBody"},
		{"no JSON", func(e *env, r *raw) { *r = *e.raw(root, "GetUser", `Name=bob`) }, 400, "InvalidBody"},
		{"two documents", func(e *env, r *raw) { *r = *e.raw(root, "GetUser", body+body) }, 400, "InvalidBody"},
		{"an empty body", func(e *env, r *raw) { *r = *e.raw(root, "GetUser", "") }, 400, "InvalidBody"},
		{"a list", func(e *env, r *raw) { *r = *e.raw(root, "GetUser", "[]") }, 400, "InvalidBody"},
		{"another type", func(e *env, r *raw) { *r = *e.raw(root, "GetUser", `{"Name":7}`) }, 400, "InvalidBody"},
		{"a long body", func(e *env, r *raw) {
			*r = *e.raw(root, "GetUser", `{"Name":"`+strings.Repeat("b", 64<<10)+`"}`)
		}, 413, "BodyTooLarge"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := newEnv(t)
			e.user("bob")
			r := e.raw(root, "GetUser", body)
			tt.edit(e, r)
			if status, code, _ := e.send(r); status != tt.status || code != tt.code {
				t.Errorf("answered %d %s, want %d %s", status, code, tt.status, tt.code)
			}
		})
	}
}

// What is wrong with a request has the code of RAM.
func TestRefusals(t *testing.T) {
	e := newEnv(t)
	bob := e.user("bob", allow("oss:*", "*"))
	e.do("CreateUser", admin.NameRequest{Name: "bare"}, nil)
	e.do("CreatePolicy", admin.PolicyRequest{Name: "loose", Document: document(allow("oss:*", "*"))}, nil)
	long := document(allow("oss:*", "*")) + strings.Repeat(" ", store.MaxPolicyDocument)
	for _, tt := range []struct {
		action string
		in     any
		code   string
	}{
		{"CreateUser", admin.NameRequest{Name: "bob"}, "EntityAlreadyExists.User"},
		{"CreateUser", admin.NameRequest{Name: "../x"}, "InvalidParameter.Name"},
		{"CreateUser", admin.NameRequest{}, "InvalidParameter.Name"},
		{"GetUser", admin.NameRequest{Name: "eve"}, "EntityNotExist.User"},
		{"DeleteUser", admin.NameRequest{Name: "bob"}, "DeleteConflict.User.AccessKey"},
		{"ListUsers", admin.ListRequest{Max: 1001}, "InvalidParameter.Max"},
		{"ListPolicies", admin.ListRequest{Max: -1}, "InvalidParameter.Max"},
		{"CreateAccessKey", admin.UserRequest{User: "eve"}, "EntityNotExist.User"},
		{"DeleteAccessKey", admin.AccessKeyRequest{User: "bare", ID: bob.AccessKeyID}, "EntityNotExist.User.AccessKey"},
		{"UpdateAccessKey", admin.UpdateAccessKeyRequest{User: "bob", ID: "x"}, "EntityNotExist.User.AccessKey"},
		{"CreatePolicy", admin.PolicyRequest{Name: "loose", Document: document(allow("oss:*", "*"))}, "EntityAlreadyExists.Policy"},
		{"CreatePolicy", admin.PolicyRequest{Name: "a b", Document: document(allow("oss:*", "*"))}, "InvalidParameter.Name"},
		{"CreatePolicy", admin.PolicyRequest{Name: "new", Document: "{}"}, "InvalidParameter.PolicyDocument"},
		{"CreatePolicy", admin.PolicyRequest{Name: "new", Document: long}, "InvalidParameter.PolicyDocument"},
		{"UpdatePolicy", admin.PolicyRequest{Name: "loose", Document: "{"}, "InvalidParameter.PolicyDocument"},
		{"UpdatePolicy", admin.PolicyRequest{Name: "new", Document: document(allow("oss:*", "*"))}, "EntityNotExist.Policy"},
		{"DeletePolicy", admin.NameRequest{Name: "bob-policy"}, "DeleteConflict.Policy.User"},
		{"AttachPolicyToUser", admin.AttachRequest{User: "bob", Policy: "none"}, "EntityNotExist.Policy"},
		{"DetachPolicyFromUser", admin.AttachRequest{User: "bob", Policy: "loose"}, "EntityNotExist.User.Policy"},
		{"AssumeRole", admin.AssumeRoleRequest{}, "MissingParameter.Policy"},
		{"AssumeRole", admin.AssumeRoleRequest{Policy: document(allow("oss:*", "*")), DurationSeconds: 1}, "InvalidParameter.DurationSeconds"},
		{"AssumeRole", admin.AssumeRoleRequest{Policy: document(allow("oss:*", "*")), DurationSeconds: -1 << 63}, "InvalidParameter.DurationSeconds"},
		{"AssumeRole", admin.AssumeRoleRequest{Policy: document(allow("oss:*", "*")), DurationSeconds: 1<<63 - 1}, "InvalidParameter.DurationSeconds"},
		{"AssumeRole", admin.AssumeRoleRequest{Policy: "{}"}, "InvalidParameter.PolicyDocument"},
		{"SimulatePolicy", admin.SimulateRequest{Action: "oss:GetObject", Resource: "acs:oss:*:*:b"}, "InvalidParameter"},
		{"SimulatePolicy", admin.SimulateRequest{User: "bob", Action: "oss:Get*", Resource: "acs:oss:*:*:b"}, "InvalidParameter"},
		{"SimulatePolicy", admin.SimulateRequest{User: "bob", Action: "oss:GetObject", Resource: "b/k"}, "InvalidParameter.Resource"},
		{"SimulatePolicy", admin.SimulateRequest{User: "bob", Action: "oss:GetObject", Resource: "*", SourceIP: "x"}, "InvalidParameter.SourceIP"},
		{"SimulatePolicy", admin.SimulateRequest{User: "bob", Action: "oss:GetObject", Resource: "*", Conditions: map[string][]string{"acs:SourceIp": nil}}, "InvalidParameter.Conditions"},
		{"SimulatePolicy", admin.SimulateRequest{User: "eve", Action: "oss:GetObject", Resource: "*"}, "EntityNotExist.User"},
		{"CreateKey", admin.KeyRequest{}, "InvalidParameter.KeyId"},
		{"RotateKey", admin.KeyRequest{ID: "none"}, "EntityNotExist.Key"},
	} {
		if err := e.call(root, tt.action, tt.in, nil); err == nil {
			t.Errorf("%s %+v succeeded", tt.action, tt.in)
		} else {
			e.refused(err, tt.code)
		}
	}
}

// Without a key ring there are neither secrets nor keys.
func TestNoKeyRing(t *testing.T) {
	e := newEnvWith(t, func(o *admin.Options) { o.Ring = nil })
	for _, action := range []string{"ListKeys", "CreateKey", "RotateKey"} {
		e.refused(e.call(root, action, admin.None{}, nil), "NoKeyRing")
	}
}

// That the ring's file cannot be written is told as what it is.
func TestKeyRingFileFails(t *testing.T) {
	fs := vfstest.NewFailingFrom(vfs.NewMem(), 0)
	ring, err := kms.Open(fs, "keyring", kms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := newEnvWith(t, func(o *admin.Options) { o.Ring = ring })
	for _, action := range []string{"CreateKey", "RotateKey"} {
		e.refused(e.call(root, action, admin.KeyRequest{ID: "k"}, nil), "ServiceUnavailable")
	}
	if log := e.logged(); !strings.Contains(log, vfstest.ErrInjected.Error()) {
		t.Errorf("the log does not say why: %s", log)
	}
}

// Who proves no identity too often is not heard for a while, even if he then
// does; others are.
func TestGuessing(t *testing.T) {
	e := newEnvWith(t, func(o *admin.Options) { o.MaxFailures, o.FailureEvery = 5, 10*time.Second })
	guess := sign.Credentials{AccessKeyID: "ROOT", AccessKeySecret: "guess"}
	for range 5 {
		e.do("ListUsers", admin.ListRequest{}, nil) // forgives nothing
		e.refused(e.call(guess, "ListUsers", admin.ListRequest{}, nil), "SignatureDoesNotMatch")
	}
	refusal := e.refused(e.call(root, "ListUsers", admin.ListRequest{}, nil), "TooManyFailures")
	if refusal.Status != 429 {
		t.Errorf("status %d", refusal.Status)
	}
	if _, _, header := e.send(e.raw(root, "ListUsers", "{}")); header.Get("Retry-After") != "11" {
		t.Errorf("Retry-After %q", header.Get("Retry-After"))
	}
	e.pass(10*time.Second + time.Millisecond)
	e.refused(e.call(guess, "ListUsers", admin.ListRequest{}, nil), "SignatureDoesNotMatch")
	e.refused(e.call(root, "ListUsers", admin.ListRequest{}, nil), "TooManyFailures")
	e.pass(time.Minute)
	e.do("ListUsers", admin.ListRequest{}, nil)
}

// A user's whole life, as the client sees it.
func TestLife(t *testing.T) {
	e := newEnv(t)
	bob := e.user("bob", allow("ram:GetUser", "acs:ram:*:*:user/bob"), allow("sts:*", "*"))
	var u admin.User
	e.must(e.call(bob, "GetUser", admin.NameRequest{Name: "bob"}, &u))
	if u.Name != "bob" || !u.Enabled || u.AccessKeys != 1 || !slices.Equal(u.Policies, []string{"bob-policy"}) || !u.Created.Equal(e.now) || u.SessionsRevoked != nil {
		t.Errorf("%+v", u)
	}
	var keys admin.ListAccessKeysResult
	e.do("ListAccessKeys", admin.UserRequest{User: "bob"}, &keys)
	if len(keys.AccessKeys) != 1 || keys.AccessKeys[0].Used == nil || !keys.AccessKeys[0].Used.Equal(e.now) {
		t.Errorf("%+v", keys)
	}
	var c admin.Credentials
	e.must(e.call(bob, "AssumeRole", admin.AssumeRoleRequest{DurationSeconds: 900}, &c))
	session := sign.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
	e.must(e.call(session, "GetUser", admin.NameRequest{Name: "bob"}, nil))
	e.refused(e.call(session, "AssumeRole", admin.AssumeRoleRequest{}, nil), "NoPermission")
	e.do("UpdateUser", admin.UpdateUserRequest{Name: "bob", RevokeSessions: true}, &u)
	if u.SessionsRevoked == nil || !u.Enabled {
		t.Errorf("%+v", u)
	}
	e.refused(e.call(session, "GetUser", admin.NameRequest{Name: "bob"}, nil), "InvalidSecurityToken")

	e.must(e.call(bob, "AssumeRole", admin.AssumeRoleRequest{DurationSeconds: 900}, &c))
	session = sign.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
	e.pass(900 * time.Second)
	e.refused(e.call(session, "GetUser", admin.NameRequest{Name: "bob"}, nil), "SecurityTokenExpired")

	off := false
	e.do("UpdateUser", admin.UpdateUserRequest{Name: "bob", Enabled: &off}, &u)
	e.refused(e.call(bob, "GetUser", admin.NameRequest{Name: "bob"}, nil), "InvalidAccessKeyId")
	e.do("DeleteAccessKey", admin.AccessKeyRequest{User: "bob", ID: bob.AccessKeyID}, nil)
	e.refused(e.call(root, "DeleteUser", admin.NameRequest{Name: "bob"}, nil), "DeleteConflict.User.Policy")
	e.do("DetachPolicyFromUser", admin.AttachRequest{User: "bob", Policy: "bob-policy"}, nil)
	e.do("DeleteUser", admin.NameRequest{Name: "bob"}, nil)
	e.do("DeletePolicy", admin.NameRequest{Name: "bob-policy"}, nil)
}

// A simulation asks all that a request would be decided by.
func TestSimulate(t *testing.T) {
	e := newEnv(t)
	e.user("bob", allow("oss:PutObject", "acs:oss:*:*:b/*"), `{"Effect":"Deny","Action":"oss:PutObject","Resource":"acs:oss:*:*:b/secret/*"}`,
		`{"Effect":"Allow","Action":"oss:ListObjects","Resource":"*","Condition":{"StringLike":{"oss:Prefix":"a/*"},"IpAddress":{"acs:SourceIp":"192.0.2.0/24"},"Bool":{"acs:SecureTransport":"true"}}}`,
		`{"Effect":"Allow","Action":"oss:DeleteObject","Resource":"*","Condition":{"StringEquals":{"oss:ExistingObjectTag/temp":"yes"}}}`,
		`{"Effect":"Allow","Action":"oss:GetBucketInfo","Resource":"*","Condition":{"StringEquals":{"oss:BucketTag/team":"red"}}}`,
		`{"Effect":"Allow","Action":"oss:ListMultipartUploads","Resource":"*","Condition":{"StringEquals":{"oss:Prefix":""}}}`)
	e.must(e.store.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: "b"}))
	put := func(key, acl string, tags ...store.Tag) {
		_, err := e.store.PutObject(e.ctx, &store.PutObjectRequest{
			Bucket: "b", Key: key, Attributes: store.Attributes{ACL: acl, Tags: tags}, Body: store.Body{Reader: strings.NewReader("x"), Size: 1},
		})
		e.must(err)
	}
	put("public", "public-read")
	put("plain", "")
	put("tagged", "", store.Tag{Key: "temp", Value: "yes"})
	e.must(e.store.PutBucketConfig(e.ctx, "b", store.ConfigTagging,
		[]byte(`<Tagging><TagSet><Tag><Key>team</Key><Value>red</Value></Tag></TagSet></Tagging>`)))
	e.must(e.store.PutBucketConfig(e.ctx, "b", store.ConfigPolicy,
		[]byte(`{"Version":"1","Statement":[{"Effect":"Allow","Principal":["*"],"Action":"oss:GetObjectAcl","Resource":"acs:oss:*:*:b/*"}]}`)))

	inside := admin.SimulateRequest{User: "bob", SourceIP: "192.0.2.7", Secure: true, Conditions: map[string][]string{"oss:Prefix": {"a/b"}}}
	outside := inside
	outside.SourceIP = "198.51.100.1"
	insecure := inside
	insecure.Secure = false
	bob, anonymous := admin.SimulateRequest{User: "bob"}, admin.SimulateRequest{Anonymous: true}
	limited := admin.SimulateRequest{User: "bob", Policy: document(allow("oss:GetObject", "*"))}
	for _, tt := range []struct {
		name             string
		who              admin.SimulateRequest
		action, resource string
		allowed          bool
		kind, policy     string
		statement        int
		text, note       string
	}{
		{"allowed", bob, "oss:PutObject", "b/new", true, "AccountLevelIdentityBasedPolicy", "bob-policy", 1, `"Allow"`, "no object b/new"},
		{"denied", bob, "oss:PutObject", "b/secret/x", false, "AccountLevelIdentityBasedPolicy", "bob-policy", 2, `"Deny"`, ""},
		{"not allowed", bob, "oss:GetObject", "b/plain", false, "AccountLevelIdentityBasedPolicy", "", 0, "", ""},
		{"by ACL", bob, "oss:GetObject", "b/public", true, "ACL", "", 0, "", ""},
		{"by ACL, anonymous", anonymous, "oss:GetObject", "b/public", true, "ACL", "", 0, "", ""},
		{"by bucket policy", anonymous, "oss:GetObjectAcl", "b/plain", true, "BucketPolicy", "", 1, `"Principal"`, ""},
		{"inside", inside, "oss:ListObjects", "b", true, "AccountLevelIdentityBasedPolicy", "bob-policy", 3, `"oss:Prefix"`, ""},
		{"outside", outside, "oss:ListObjects", "b", false, "AccountLevelIdentityBasedPolicy", "", 0, "", ""},
		{"insecure", insecure, "oss:ListObjects", "b", false, "AccountLevelIdentityBasedPolicy", "", 0, "", ""},
		{"tag", bob, "oss:DeleteObject", "b/tagged", true, "AccountLevelIdentityBasedPolicy", "bob-policy", 4, `"temp"`[1:5], ""},
		{"no tag", bob, "oss:DeleteObject", "b/plain", false, "AccountLevelIdentityBasedPolicy", "", 0, "", ""},
		{"bucket tag", bob, "oss:GetBucketInfo", "b", true, "AccountLevelIdentityBasedPolicy", "bob-policy", 5, `team`, ""},
		{"no prefix", bob, "oss:ListMultipartUploads", "b", true, "AccountLevelIdentityBasedPolicy", "bob-policy", 6, `oss:Prefix`, ""},
		{"a prefix", inside, "oss:ListMultipartUploads", "b", false, "AccountLevelIdentityBasedPolicy", "", 0, "", ""},
		{"session", limited, "oss:PutObject", "b/new", false, "SessionPolicy", "", 0, "", ""},
		{"no bucket", bob, "oss:PutObject", "none/x", false, "AccountLevelIdentityBasedPolicy", "", 0, "", "there is no bucket none"},
	} {
		req := tt.who
		req.Action, req.Resource = tt.action, "acs:oss:*:*:"+tt.resource
		var res admin.SimulateResult
		e.do("SimulatePolicy", req, &res)
		if res.Allowed != tt.allowed || res.Type != tt.kind || res.Policy != tt.policy || res.Statement != tt.statement ||
			!strings.Contains(string(res.Text), tt.text) || (res.Text != nil) != (tt.statement > 0) ||
			!strings.Contains(strings.Join(res.Notes, "\n"), tt.note) || !strings.Contains(res.Decision, tt.action) {
			t.Errorf("%s: %+v %s", tt.name, res, res.Text)
		}
	}
	off := false
	e.do("UpdateUser", admin.UpdateUserRequest{Name: "bob", Enabled: &off}, nil)
	var res admin.SimulateResult
	bob.Action, bob.Resource = "oss:PutObject", "acs:oss:*:*:b/k"
	e.do("SimulatePolicy", bob, &res)
	if !strings.Contains(strings.Join(res.Notes, "\n"), "user bob is disabled") {
		t.Errorf("%+v", res)
	}
}

// What is longer than any name is the name of nothing, and no fault of the
// server's.
func TestLongNames(t *testing.T) {
	e := newEnv(t)
	e.user("bob")
	long := strings.Repeat("x", 20<<10)
	off := false
	for _, tt := range []struct {
		action, code string
		request      any
	}{
		{"GetUser", "EntityNotExist.User", admin.NameRequest{Name: long}},
		{"UpdateUser", "EntityNotExist.User", admin.UpdateUserRequest{Name: long, Enabled: &off}},
		{"DeleteUser", "EntityNotExist.User", admin.NameRequest{Name: long}},
		{"CreateAccessKey", "EntityNotExist.User", admin.UserRequest{User: long}},
		{"ListAccessKeys", "EntityNotExist.User", admin.UserRequest{User: long}},
		{"UpdateAccessKey", "EntityNotExist.User.AccessKey", admin.UpdateAccessKeyRequest{User: "bob", ID: long}},
		{"DeleteAccessKey", "EntityNotExist.User.AccessKey", admin.AccessKeyRequest{User: "bob", ID: long}},
		{"GetPolicy", "EntityNotExist.Policy", admin.NameRequest{Name: long}},
		{"UpdatePolicy", "EntityNotExist.Policy", admin.PolicyRequest{Name: long, Document: document(allow("oss:GetObject", "*"))}},
		{"DeletePolicy", "EntityNotExist.Policy", admin.NameRequest{Name: long}},
		{"AttachPolicyToUser", "EntityNotExist.Policy", admin.AttachRequest{User: "bob", Policy: long}},
		{"AttachPolicyToUser", "EntityNotExist.User", admin.AttachRequest{User: long, Policy: long}},
		{"DetachPolicyFromUser", "EntityNotExist.Policy", admin.AttachRequest{User: "bob", Policy: long}},
		{"SimulatePolicy", "EntityNotExist.User", admin.SimulateRequest{User: long, Action: "oss:GetObject", Resource: "acs:oss:*:*:b/k"}},
		{"SimulatePolicy", "InvalidParameter.Resource", admin.SimulateRequest{Anonymous: true, Action: "oss:GetObject", Resource: "acs:oss:*:*:" + long}},
		{"SimulatePolicy", "InvalidParameter.Resource", admin.SimulateRequest{Anonymous: true, Action: "oss:GetObject", Resource: "acs:oss:*:*:b/" + long}},
	} {
		e.refused(e.call(root, tt.action, tt.request, nil), tt.code)
	}
	for _, id := range []string{strings.Repeat("x", 5<<10), long} {
		e.refused(e.call(sign.Credentials{AccessKeyID: id, AccessKeySecret: "s"}, "ListUsers", admin.ListRequest{}, nil), "InvalidAccessKeyId")
	}
}

// The log has a line for each call, and no secret in any.
func TestLog(t *testing.T) {
	e := newEnv(t)
	bob := e.user("bob", allow("sts:AssumeRole", "*"))
	var c admin.Credentials
	e.must(e.call(bob, "AssumeRole", admin.AssumeRoleRequest{}, &c))
	session := sign.Credentials{AccessKeyID: c.AccessKeyID, AccessKeySecret: c.AccessKeySecret, SecurityToken: c.SecurityToken}
	e.refused(e.call(session, "GetUser", admin.NameRequest{Name: "bob"}, nil), "NoPermission")
	e.refused(e.call(sign.Credentials{AccessKeyID: "X", AccessKeySecret: "y"}, "GetUser", admin.NameRequest{Name: "bob"}, nil), "InvalidAccessKeyId")
	log := e.logged()
	for _, want := range []string{
		`action=CreateAccessKey resource=acs:ram:*:*:user/bob status=200 code=""`,
		"user=bob", "access_key_id=" + bob.AccessKeyID, "access_key_id=" + c.AccessKeyID, "code=NoPermission", "code=InvalidAccessKeyId", "authenticated=false",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("the log lacks %s:\n%s", want, log)
		}
	}
	for _, secret := range []string{bob.AccessKeySecret, c.AccessKeySecret, c.SecurityToken, root.AccessKeySecret, "Signature"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log has %s", secret)
		}
	}
	if n := strings.Count(log, `msg="admin request"`); n != 7 {
		t.Errorf("%d lines for 7 calls:\n%s", n, log)
	}
}

// What is not the admin API is told to be something else, and no redirect takes
// a call to another server.
func TestClientElsewhere(t *testing.T) {
	for name, h := range map[string]http.HandlerFunc{
		"not found": http.NotFound,
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://192.0.2.1/", http.StatusTemporaryRedirect)
		},
		"a page": func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "<html>") },
		"bad JSON": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(500)
			io.WriteString(w, "{}")
		},
	} {
		s := httptest.NewServer(h)
		c := &admin.Client{Endpoint: s.URL, Region: region, Credentials: root}
		if err := c.Call(t.Context(), "ListUsers", admin.ListRequest{}, nil); err == nil || !strings.Contains(err.Error(), "does not answer as the admin API") {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
	for _, endpoint := range []string{"", "localhost:9001", "ftp://x", "http://"} {
		c := &admin.Client{Endpoint: endpoint, Region: region, Credentials: root}
		if err := c.Call(t.Context(), "ListUsers", admin.ListRequest{}, nil); err == nil || !strings.Contains(err.Error(), "is not the URL") {
			t.Errorf("%q: %v", endpoint, err)
		}
	}
}
