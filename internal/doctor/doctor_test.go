package doctor

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

const (
	keyID  = "LTAI5tExampleRoot"
	secret = "secret-0123456789-abcdefghij"
	token  = "token-0123456789-abcdefghij"
	bucket = "examples"
	host   = "oss.example.test"
)

// now is where all clocks stand, unless a case says otherwise.
var now = time.Date(2026, 3, 14, 9, 26, 53, 0, time.UTC)

// testClock stands still. Time that is waited for is over at once if over, and
// never otherwise.
type testClock struct {
	off  time.Duration
	over bool
}

func (c *testClock) Now() time.Time { return now.Add(c.off) }

func (c *testClock) AfterFunc(_ time.Duration, f func()) func() bool {
	if c.over {
		go f()
		return func() bool { return false }
	}
	return func() bool { return true }
}

// testKeys are root's key, those of users with policies, and those that fail.
type testKeys map[string]string

// What the keys of testKeys may be instead of a policy.
var keyErrors = map[string]error{
	"disabled": auth.ErrDisabledKey, "expired": auth.ErrExpiredToken, "mismatched": auth.ErrMismatchedToken, "invalid": auth.ErrInvalidToken,
}

func (k testKeys) Lookup(ctx context.Context, id, token string) (auth.Key, error) {
	is, known := k[id]
	if !known {
		return auth.RootKey{AccessKeyID: keyID, Secret: secret, OwnerID: "1000000000000001"}.Lookup(ctx, id, token)
	}
	if err := keyErrors[is]; err != nil {
		return auth.Key{}, err
	}
	policy, err := auth.ParsePolicy([]byte(is))
	if err != nil {
		return auth.Key{}, err
	}
	return auth.Key{Secret: secret, Identity: auth.Identity{
		Kind: auth.User, ID: "2", Name: "ci", AccessKeyID: id, Policies: []auth.NamedPolicy{{Name: "of-ci", Policy: policy}},
	}}, nil
}

// allow is a policy that allows actions everywhere.
func allow(actions ...string) string {
	list, _ := json.Marshal(actions)
	return `{"Version":"1","Statement":[{"Effect":"Allow","Action":` + string(list) + `,"Resource":"*"}]}`
}

// scene is what a case arranges: a subject, a world, and what listens in it.
// Every connection goes to one listener, whatever the name.
type scene struct {
	t       *testing.T
	subject Subject
	world   World
	clock   *testClock
	keys    testKeys
	options server.Options
	wrap    func(http.Handler) http.Handler // what is before the server
	tls     *tls.Config

	unknown func(host string) error // names that are not found
	dial    func(ctx context.Context, address string) (net.Conn, error)
	target  string
	leaves  int // uploads that stay open
	store   *store.Store
}

// newScene is one in which all is well: a bucket with an object, on a server at
// http://oss.example.test that takes both styles.
func newScene(t *testing.T) *scene {
	s := &scene{t: t, clock: &testClock{}, keys: testKeys{}}
	s.subject = Subject{
		Endpoint: "http://" + host, Region: "cn-hangzhou", Bucket: bucket, Write: true,
		Credentials:  oss.Credentials{AccessKeyID: keyID, AccessKeySecret: secret},
		Addressing:   oss.PathStyle,
		EndpointFrom: "OSS_ENDPOINT", KeyIDFrom: "OSS_ACCESS_KEY_ID", SecretFrom: "OSS_ACCESS_KEY_SECRET", TokenFrom: "OSS_SESSION_TOKEN",
	}
	s.world = World{
		Clock: s.clock, Resolver: s, Dial: s.dialTarget,
		Proxy: func(*url.URL) (*url.URL, error) { return nil, nil },
	}
	s.options = server.Options{Keys: s.keys, Clock: func() time.Time { return now }, Domains: []string{host}}
	return s
}

func (s *scene) LookupHost(_ context.Context, name string) ([]string, error) {
	if s.unknown != nil {
		if err := s.unknown(name); err != nil {
			return nil, err
		}
	}
	return []string{"192.0.2.1"}, nil
}

func (s *scene) dialTarget(ctx context.Context, network, address string) (net.Conn, error) {
	if s.dial != nil {
		return s.dial(ctx, address)
	}
	return (&net.Dialer{}).DialContext(ctx, network, s.target)
}

// listen opens the listener that every connection goes to.
func (s *scene) listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.target = l.Addr().String()
	s.t.Cleanup(func() { l.Close() })
	return l
}

// serve serves until the test ends.
func (s *scene) serve(hs *http.Server, l net.Listener) {
	if s.tls != nil {
		l = tls.NewListener(l, s.tls)
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		hs.Serve(l)
	}()
	s.t.Cleanup(func() {
		hs.Close()
		<-served
	})
}

// fake makes a handler the server.
func (s *scene) fake(h http.HandlerFunc) {
	s.serve(&http.Server{Handler: h}, s.listen())
}

// raw lets f have every connection.
func (s *scene) raw(f func(net.Conn)) {
	l := s.listen()
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer c.Close()
				f(c)
			})
		}
	})
	s.t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
}

// ossa starts a real server, with what the case put before it.
func (s *scene) ossa() {
	var err error
	s.store, err = store.Open(context.Background(), memkv.New(), memblob.New(), store.Options{Clock: func() time.Time { return now }})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { s.store.Close() })
	sv, err := server.New(s.store, s.options)
	if err != nil {
		s.t.Fatal(err)
	}
	hs := sv.HTTPServer()
	wrap := s.wrap
	s.wrap = nil
	plain := hs.Handler
	through := make(chan struct{})
	hs.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-through:
			if wrap != nil {
				wrap(plain).ServeHTTP(w, r)
				return
			}
		default: // the bucket is being made
		}
		plain.ServeHTTP(w, r)
	})
	s.serve(hs, sv.Listen(s.listen(), s.tls != nil))

	endpoint := "http://" + host

	if s.tls != nil {
		endpoint = "https://" + host
	}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, s.target)
		},
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10},
	}
	c, err := oss.NewClient(endpoint, oss.WithRegion("cn-hangzhou"), oss.WithAddressing(oss.PathStyle),
		oss.WithCredentials(oss.StaticCredentials(keyID, secret, "")), oss.WithClock(&testClock{}), oss.WithHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	ctx := context.Background()
	if _, err := c.PutBucket(ctx, &oss.PutBucketRequest{Bucket: bucket}); err != nil {
		s.t.Fatal(err)
	}
	if _, err := c.PutObject(ctx, &oss.PutObjectRequest{Bucket: bucket, Key: "there", Body: strings.NewReader("bytes")}); err != nil {
		s.t.Fatal(err)
	}
	close(through)
}

// examine runs all checks.
func (s *scene) examine() map[string]Check {
	s.t.Helper()
	checks := map[string]Check{}
	var names []string
	Examine(context.Background(), s.subject, s.world, func(c Check) {
		checks[c.Name] = c
		names = append(names, c.Name)
		s.wantSound(c)
	})
	var all []string
	for _, step := range steps {
		all = append(all, step.name)
	}
	if !slices.Equal(names, all) {
		s.t.Errorf("checks %v, want all of %v", names, all)
	}
	s.wantNothingLeft()
	return checks
}

// wantSound holds what is true of every check: it is explained, and it tells no
// secret.
func (s *scene) wantSound(c Check) {
	s.t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, hidden := range []string{secret, token, s.subject.Credentials.AccessKeySecret, s.subject.Credentials.SecurityToken} {
		if hidden = strings.TrimSpace(hidden); hidden != "" && hidden != keyID && strings.Contains(string(text), hidden) {
			s.t.Errorf("%s tells %q: %s", c.Name, hidden, text)
		}
	}
	explained := c.Looked != "" && c.Found != ""
	if bad := c.Mark == Warn || c.Mark == Fail; !explained || bad != (c.Cause != "") || bad != (c.Next != "") {
		s.t.Errorf("not explained: %s", text)
	}
}

// wantNothingLeft looks whether the store is as it was.
func (s *scene) wantNothingLeft() {
	s.t.Helper()
	if s.store == nil {
		return
	}
	stat, err := s.store.GetBucketStat(context.Background(), bucket)
	if err != nil {
		s.t.Fatal(err)
	}
	if stat.Objects != 1 || stat.Uploads != int64(s.leaves) {
		s.t.Errorf("left behind: %+v", stat)
	}
}

// A server that all is well with passes every check, by each addressing, version of
// signature, and by TLS.
func TestHealthy(t *testing.T) {
	for name, arrange := range map[string]func(s *scene){
		"path":      func(s *scene) {},
		"virtual":   func(s *scene) { s.subject.Addressing = oss.VirtualHost },
		"auto":      func(s *scene) { s.subject.Addressing = oss.AutoAddressing },
		"V1":        func(s *scene) { s.subject.Signature = oss.SignatureV1 },
		"key":       func(s *scene) { s.subject.Key = "there" },
		"no bucket": func(s *scene) { s.subject.Bucket, s.subject.Write = "", false },
		"only read": func(s *scene) { s.subject.Write = false },
		"TLS": func(s *scene) {
			s.subject.Endpoint = host
			s.certificate(nil, nil)
		},
		"cname": func(s *scene) {
			s.subject.Endpoint, s.subject.Addressing = "http://files.example.test", oss.CNAME
			s.options.Cnames = map[string]string{"files.example.test": bucket}
		},
		"a user": func(s *scene) {
			s.subject.Credentials.AccessKeyID = "LTAIuser"
			s.keys["LTAIuser"] = allow("oss:*")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newScene(t)
			arrange(s)
			s.ossa()
			for _, c := range s.examine() {
				skipped := s.subject.Bucket == "" || !s.subject.Write
				if c.Mark != OK && !(c.Mark == Skip && skipped) {
					t.Errorf("%s: %s: %s %v", c.Name, c.Mark, c.Found, c.Detail)
				}
			}
		})
	}
}

// Who is anonymous is not told to sign.
func TestAnonymous(t *testing.T) {
	s := newScene(t)
	s.subject.Anonymous, s.subject.Credentials = true, oss.Credentials{}
	s.ossa()
	checks := s.examine()
	for name, want := range map[string]Mark{"credentials": OK, "signature-v4": Skip, "list": Fail, "put": Fail} {
		if got := checks[name]; got.Mark != want {
			t.Errorf("%s: %s: %s", name, got.Mark, got.Found)
		}
	}
}

// An examination that is cancelled ends, and tells nothing that it did not see.
func TestCancelled(t *testing.T) {
	s := newScene(t)
	s.raw(func(c net.Conn) { io.Copy(io.Discard, c) }) // never answers
	ctx, cancel := context.WithCancel(context.Background())
	var last string
	Examine(ctx, s.subject, s.world, func(c Check) {
		if last = c.Name; last == "tls" {
			cancel()
		}
	})
	if last != "tls" {
		t.Errorf("the last check is %q", last)
	}
}

// certificate gives the scene TLS, with a certificate that edit may change, of an
// authority that is believed unless trusted returns false.
func (s *scene) certificate(edit func(c *x509.Certificate), trusted func() bool) {
	key := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			s.t.Fatal(err)
		}
		return k
	}
	authority := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Example Authority"},
		NotBefore: now.Add(-10000 * time.Hour), NotAfter: now.Add(10000 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "Example Server"}, DNSNames: []string{host, "*." + host},
		NotBefore: now.Add(-1000 * time.Hour), NotAfter: now.Add(1000 * time.Hour), BasicConstraintsValid: true,
	}
	if edit != nil {
		edit(leaf)
	}
	authorityKey, leafKey := key(), key()
	issuer, issuerKey := authority, authorityKey
	if leaf.IsCA { // it signs itself
		issuer, issuerKey = leaf, leafKey
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, issuer, &leafKey.PublicKey, issuerKey)
	if err != nil {
		s.t.Fatal(err)
	}
	s.tls = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: leafKey}}}
	s.world.RootCAs = x509.NewCertPool()
	if trusted == nil || trusted() {
		root, err := x509.CreateCertificate(rand.Reader, authority, authority, &authorityKey.PublicKey, authorityKey)
		if err != nil {
			s.t.Fatal(err)
		}
		parsed, err := x509.ParseCertificate(root)
		if err != nil {
			s.t.Fatal(err)
		}
		s.world.RootCAs.AddCert(parsed)
	}
}

// editing changes the header of answers.
type editing struct {
	http.ResponseWriter
	edit func(http.Header)
}

func (w *editing) WriteHeader(status int) {
	w.edit(w.Header())
	w.ResponseWriter.WriteHeader(status)
}

func (w *editing) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answering is a proxy that edits answers.
func answering(edit func(http.Header)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { next.ServeHTTP(&editing{w, edit}, r) })
	}
}

// asking is a proxy that edits requests.
func asking(edit func(r *http.Request)) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			edit(r)
			next.ServeHTTP(w, r)
		})
	}
}

// instead answers some requests in place of the server.
func instead(when func(r *http.Request) bool, h http.HandlerFunc) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if when(r) {
				h(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// refusing answers as OSS does.
func refusing(status int, code, message, more string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Date"] = []string{now.Format(http.TimeFormat)}
		w.Header().Set("Content-Type", "application/xml")
		w.Header().Set("x-oss-request-id", "5C3D9175B6FC201293AD4890")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message><RequestId>5C3D9175B6FC201293AD4890</RequestId>%s</Error>", code, message, more)
	}
}

// page answers with a web page.
func page(status int, server string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Server", server)
		w.WriteHeader(status)
		io.WriteString(w, "<!DOCTYPE html><html><body>hello</body></html>")
	}
}

var update = flag.Bool("update", false, "write docs/doctor.md anew")

const (
	document = "../../docs/doctor.md"
	begin    = "<!-- from the cases of internal/doctor; go test ./internal/doctor -update writes it -->\n"
	end      = "<!-- end -->\n"
)

// docs/doctor.md lists every case, with its advice.
func TestDocument(t *testing.T) {
	data, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, found := strings.Cut(string(data), begin)
	table, tail, ended := strings.Cut(rest, end)
	if !found || !ended {
		t.Fatalf("%s has not the lines that the table stands between", document)
	}
	var want strings.Builder
	want.WriteString("\n| Wrong set-up | Check | Mark | Cause | What to do next |\n|---|---|---|---|---|\n")
	for _, w := range wrongs {
		fmt.Fprintf(&want, "| %s | %s | %s | `%s` | %s |\n", w.name, w.check, w.mark, w.cause, strings.ReplaceAll(Advice[w.cause], "*", "\\*"))
	}
	want.WriteString("\n")
	if table == want.String() {
		return
	}
	if !*update {
		t.Fatalf("%s is not what the cases are: go test ./internal/doctor -update", document)
	}
	if err := os.WriteFile(document, []byte(head+begin+want.String()+end+tail), 0o666); err != nil {
		t.Fatal(err)
	}
}

// Every cause that is in the source has an advice and a case.
func TestCauses(t *testing.T) {
	source, err := os.ReadFile("causes.go")
	if err != nil {
		t.Fatal(err)
	}
	cases := map[Cause]bool{}
	for _, w := range wrongs {
		cases[w.cause] = true
	}
	n := 0
	for line := range strings.Lines(string(source)) {
		_, value, found := strings.Cut(line, " Cause = \"")
		if !found {
			continue
		}
		n++
		cause := Cause(strings.TrimSuffix(value, "\"\n"))
		if Advice[cause] == "" {
			t.Errorf("%s has no advice", cause)
		}
		if !cases[cause] {
			t.Errorf("%s has no case", cause)
		}
	}
	if n != len(Advice) || n < 25 {
		t.Errorf("%d causes and %d advices", n, len(Advice))
	}
}

// The name of the object that permissions are tried with is a key, whatever the
// key that was given.
func TestUnusedName(t *testing.T) {
	e := &examination{Subject: Subject{Key: "x" + strings.Repeat("é", wire.MaxKeyBytes/2)}, world: World{Random: rand.Reader}}
	if err := wire.ValidateKey(e.Key); err != nil {
		t.Fatal(err)
	}
	if err := wire.ValidateKey(e.unusedName()); err != nil {
		t.Error(err)
	}
}
