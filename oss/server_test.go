package oss

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/internal/store"
)

const (
	testKeyID  = "testaccesskey"
	testSecret = "testsecret-0123456789"
	testBucket = "examplebucket"
)

// epoch is where the clocks of tests stand.
var epoch = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// testClock stands still until it is told otherwise. Pauses, which are shorter
// than any stall timeout, are over at once and remembered.
type testClock struct {
	mu     sync.Mutex
	now    time.Time
	pauses []time.Duration
	timers map[*testTimer]bool
}

type testTimer struct {
	at time.Time
	f  func()
}

// longestPause is below every stall timeout that tests use.
const longestPause = 25 * time.Second

func newTestClock() *testClock {
	return &testClock{now: epoch, timers: map[*testTimer]bool{}}
}

func (c *testClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d <= longestPause {
		c.pauses = append(c.pauses, d)
		go f()
		return func() bool { return false }
	}
	t := &testTimer{c.now.Add(d), f}
	c.timers[t] = true
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		there := c.timers[t]
		delete(c.timers, t)
		return there
	}
}

// advance moves time on and fires what is due.
func (c *testClock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	var due []func()
	for t := range c.timers {
		if !t.at.After(c.now) {
			delete(c.timers, t)
			due = append(due, t.f)
		}
	}
	c.mu.Unlock()
	for _, f := range due {
		f()
	}
}

func (c *testClock) slept() []time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]time.Duration(nil), c.pauses...)
}

// fault answers a request in place of the server, or does something to what
// goes between.
type fault func(next http.RoundTripper, req *http.Request) (*http.Response, error)

// faults is a network that fails as a test wants it to.
type faults struct {
	next http.RoundTripper

	mu    sync.Mutex
	hook  func(req *http.Request, op string) fault // nil, or a nil fault, lets a request pass
	count map[string]int                           // requests by operation
	sent  int64                                    // bytes of bodies that left
}

func (f *faults) RoundTrip(req *http.Request) (*http.Response, error) {
	op := operationOf(req)
	f.mu.Lock()
	f.count[op]++
	var do fault
	if f.hook != nil {
		do = f.hook(req, op)
	}
	f.mu.Unlock()
	if req.Body != nil && req.Body != http.NoBody {
		req = req.Clone(req.Context())
		req.Body = &meter{req.Body, f}
	}
	if do != nil {
		return do(f.next, req)
	}
	return f.next.RoundTrip(req)
}

func (f *faults) CloseIdleConnections() { f.next.(*http.Transport).CloseIdleConnections() }

func (f *faults) set(hook func(req *http.Request, op string) fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// requests returns how many requests of an operation were made.
func (f *faults) requests(op string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.count[op]
}

// reset forgets what was counted.
func (f *faults) reset() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.count, f.sent = map[string]int{}, 0
}

func (f *faults) bytesSent() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.sent
}

type meter struct {
	io.ReadCloser
	f *faults
}

func (m *meter) Read(p []byte) (int, error) {
	n, err := m.ReadCloser.Read(p)
	m.f.mu.Lock()
	m.f.sent += int64(n)
	m.f.mu.Unlock()
	return n, err
}

// operationOf names a request by what makes it that operation.
func operationOf(req *http.Request) string {
	q := req.URL.Query()
	switch {
	case q.Has("uploadId") && q.Has("partNumber") && req.Header.Get("X-Oss-Copy-Source") != "":
		return "UploadPartCopy"
	case q.Has("uploadId") && q.Has("partNumber"):
		return "UploadPart"
	case q.Has("uploadId") && req.Method == http.MethodPost:
		return "Complete"
	case q.Has("uploadId") && req.Method == http.MethodDelete:
		return "Abort"
	case q.Has("uploadId"):
		return "ListParts"
	case q.Has("uploads") && req.Method == http.MethodPost:
		return "Initiate"
	case q.Has("uploads"):
		return "ListUploads"
	}
	return req.Method
}

// once is a hook that does something to the first n requests of an operation.
func once(op string, n int, do fault) func(*http.Request, string) fault {
	return func(_ *http.Request, o string) fault {
		if o != op || n == 0 {
			return nil
		}
		n--
		return do
	}
}

// loseAnswer lets the server act and loses what it says.
func loseAnswer(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	return nil, io.ErrUnexpectedEOF
}

// cutAfter breaks the connection after n bytes of the request.
func cutAfter(n int64) fault {
	return func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
		if req.Body != nil {
			io.CopyN(io.Discard, req.Body, n)
			req.Body.Close()
		}
		return nil, io.ErrUnexpectedEOF
	}
}

// answerWith is an error of a server that did not look at the request.
func answerWith(status int, code string) fault {
	return func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
		body := fmt.Sprintf("<Error><Code>%s</Code><Message>made up</Message></Error>", code)
		return &http.Response{
			StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

// truncate lets n bytes of the answer through.
func truncate(n int64) fault {
	return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err != nil {
			return nil, err
		}
		resp.Body = &cutBody{resp.Body, n}
		return resp, nil
	}
}

type cutBody struct {
	io.ReadCloser
	left int64
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.ErrUnexpectedEOF
	}
	n, err := b.ReadCloser.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// damage turns a bit of the request's body.
func damage(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	req = req.Clone(req.Context())
	req.Body = &damagedBody{ReadCloser: req.Body}
	return next.RoundTrip(req)
}

type damagedBody struct {
	io.ReadCloser
	done bool
}

func (b *damagedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 && !b.done {
		// p may be memory that the caller's data lies in: change a copy.
		p[n-1] ^= 1
		b.done = true
	}
	return n, err
}

// hang moves nothing until the request is given up.
func hang(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// testKeys are root's key and that of a user who may upload and nothing else.
type testKeys struct{ auth.RootKey }

const uploaderKeyID = "uploaderaccesskey"

func (k testKeys) Lookup(ctx context.Context, id, token string) (auth.Key, error) {
	if id != uploaderKeyID {
		return k.RootKey.Lookup(ctx, id, token)
	}
	policy, err := auth.ParsePolicy([]byte(`{"Version":"1","Statement":[{"Effect":"Allow","Action":"oss:PutObject","Resource":"acs:oss:*:*:*"}]}`))
	if err != nil {
		return auth.Key{}, err
	}
	return auth.Key{Secret: testSecret, Identity: auth.Identity{
		Kind: auth.User, ID: "2", Name: "uploader", AccessKeyID: id, Policies: []auth.NamedPolicy{{Name: "upload", Policy: policy}},
	}}, nil
}

// fixture is a client and a server in memory, with a network between them.
type fixture struct {
	*Client
	t      testing.TB
	clock  *testClock
	net    *faults
	url    string
	store  *store.Store
	server *server.Server
}

// newFixture starts a server with an empty bucket. The goroutines of the test
// must be gone at its end.
func newFixture(t testing.TB, options ...Option) *fixture {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() { noGoroutines(t, before) })

	f := &fixture{t: t, clock: newTestClock()}
	var err error
	f.store, err = store.Open(context.Background(), memkv.New(), memblob.New(), store.Options{Clock: f.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.store.Close() })
	f.server, err = server.New(f.store, server.Options{
		Keys:  testKeys{auth.RootKey{AccessKeyID: testKeyID, Secret: testSecret, OwnerID: "1000000000000001"}},
		Clock: f.clock.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs := f.server.HTTPServer()
	served := make(chan struct{})
	go func() {
		defer close(served)
		hs.Serve(l)
	}()
	t.Cleanup(func() {
		f.CloseIdleConnections()
		hs.Close()
		<-served
	})
	f.url = "http://" + l.Addr().String()
	f.net = &faults{next: newTransport(), count: map[string]int{}}
	f.Client = f.client(options...)
	if _, err := f.PutBucket(context.Background(), &PutBucketRequest{Bucket: testBucket}); err != nil {
		t.Fatal(err)
	}
	f.net.reset()
	return f
}

// client makes a client of the fixture's server, over its network.
func (f *fixture) client(options ...Option) *Client {
	f.t.Helper()
	options = append([]Option{
		WithCredentials(StaticCredentials(testKeyID, testSecret, "")),
		WithRegion("cn-hangzhou"),
		WithClock(f.clock),
		WithHTTPClient(&http.Client{Transport: f.net}),
	}, options...)
	c, err := NewClient(f.url, options...)
	if err != nil {
		f.t.Fatal(err)
	}
	return c
}

// noGoroutines waits until there are no more goroutines than there were.
func noGoroutines(t testing.TB, before int) {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for runtime.NumGoroutine() > before {
		if time.Now().After(deadline) {
			buf := make([]byte, 1<<20)
			t.Errorf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, buf[:runtime.Stack(buf, true)])
			return
		}
		runtime.Gosched()
	}
}

// pattern is n bytes that repeat nowhere within a part.
func pattern(n int, seed uint64) []byte {
	p := make([]byte, n)
	x := seed*2654435761 + 88172645463325252
	for i := range p {
		x ^= x << 13
		x ^= x >> 7
		x ^= x << 17
		p[i] = byte(x >> 24)
	}
	return p
}

// read reads an object.
func (f *fixture) read(key string) []byte {
	f.t.Helper()
	res, err := f.client(WithHTTPClient(&http.Client{Transport: f.net.next})).GetObject(context.Background(),
		&GetObjectRequest{Bucket: testBucket, Key: key})
	if err != nil {
		f.t.Fatal(err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatal(err)
	}
	return data
}

// put makes an object.
func (f *fixture) put(key string, data []byte) {
	f.t.Helper()
	_, err := f.client(WithHTTPClient(&http.Client{Transport: f.net.next})).PutObject(context.Background(),
		&PutObjectRequest{Bucket: testBucket, Key: key, Body: strings.NewReader(string(data))})
	if err != nil {
		f.t.Fatal(err)
	}
}
