package server

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

const (
	testKeyID  = "testaccesskey"
	testSecret = "testsecret-0123456789"
	testRegion = "cn-hangzhou"
)

// epoch is where the clocks of tests stand.
var epoch = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// zeroes is the source of randomness of request IDs that repeat.
type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// ascending is the source of randomness of a store whose IDs come in order. It
// is used under a lock.
type ascending struct{ n uint32 }

func (a *ascending) Read(p []byte) (int, error) {
	a.n++
	clear(p)
	binary.BigEndian.PutUint32(p, a.n)
	return len(p), nil
}

// syncBuffer is a log that a test reads while the server writes.
type syncBuffer struct {
	mu      sync.Mutex
	b       bytes.Buffer
	written chan struct{} // closed at the next write, if somebody waits
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.written != nil {
		close(b.written)
		b.written = nil
	}
	return b.b.Write(p)
}

func (b *syncBuffer) reset() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.b.Reset()
}

// wait waits until a line of the log has all the texts, and returns it.
func (b *syncBuffer) wait(t testing.TB, texts ...string) string {
	t.Helper()
	limit := time.After(30 * time.Second)
	for {
		b.mu.Lock()
		if b.written == nil {
			b.written = make(chan struct{})
		}
		written, log := b.written, b.b.String()
		b.mu.Unlock()
		for line := range strings.SplitSeq(log, "\n") {
			found := true
			for _, text := range texts {
				found = found && strings.Contains(line, text)
			}
			if found {
				return line
			}
		}
		select {
		case <-written:
		case <-limit:
			t.Fatalf("the log never said %q:\n%s", texts, log)
		}
	}
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// fixture is a server on a real port, over a store in memory.
type fixture struct {
	t       testing.TB
	server  *Server
	store   *store.Store
	metrics *prometheus.Registry
	addr    string
	log     *syncBuffer
	client  *http.Client
	scheme  string // https if the client is to speak TLS
}

// config changes what a fixture is made of before it is made.
type config struct {
	opts  Options
	store store.Options
	kv    kv.Engine
	blob  blob.Engine
}

// newFixture makes a server and starts it.
func newFixture(t testing.TB, change ...func(*config)) *fixture {
	t.Helper()
	f := newHandler(t, change...)
	f.listen()
	return f
}

// newHandler makes a server that does not listen.
func newHandler(t testing.TB, change ...func(*config)) *fixture {
	t.Helper()
	f := &fixture{t: t, log: &syncBuffer{}, metrics: prometheus.NewRegistry(), scheme: "http"}
	clock := func() time.Time { return epoch }
	c := &config{
		opts: Options{
			Region:     testRegion,
			Domains:    []string{"oss.example.com"},
			Keys:       auth.RootKey{AccessKeyID: testKeyID, Secret: testSecret, OwnerID: "1000000000000001"},
			Clock:      clock,
			Rand:       zeroes{},
			Logger:     slog.New(slog.NewJSONHandler(f.log, nil)),
			Registerer: f.metrics,
		},
		store: store.Options{Clock: clock, Rand: &ascending{}},
		kv:    memkv.New(),
		blob:  memblob.New(),
	}
	for _, fn := range change {
		fn(c)
	}
	var err error
	if f.store, err = store.Open(context.Background(), c.kv, c.blob, c.store); err != nil {
		t.Fatal(err)
	}
	if f.server, err = New(f.store, c.opts); err != nil {
		t.Fatal(err)
	}
	return f
}

// listen serves on a port until the test ends.
func (f *fixture) listen() {
	f.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.t.Fatal(err)
	}
	f.addr = l.Addr().String()
	hs := f.server.HTTPServer()
	served := make(chan struct{})
	go func() {
		defer close(served)
		hs.Serve(f.server.Listen(l, false))
	}()
	transport := &http.Transport{DisableCompression: true}
	f.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}}
	f.t.Cleanup(func() {
		transport.CloseIdleConnections()
		hs.Close()
		<-served
	})
}

// call is a request to a fixture. It is signed with V4 unless told otherwise.
type call struct {
	method      string
	bucket, key string
	query       string // raw
	header      map[string]string
	body        string
	host        string // "" is 127.0.0.1:9000
	target      string // raw path; "" is path style
	anonymous   bool
	unsized     bool // chunked
	sign        func(*sign.Request)
}

// result is what came back.
type result struct {
	status int
	header http.Header
	body   string
}

// code is the error code of the answer, from its body or, on HEAD, its header.
func (r *result) code() string {
	return wire.ParseError(r.status, r.header, []byte(r.body)).Code
}

func (r *result) get(name string) string {
	for n, v := range r.header {
		if strings.EqualFold(n, name) {
			return strings.Join(v, ",")
		}
	}
	return ""
}

const testHost = "127.0.0.1:9000"

// path is the target of c without its query.
func (c *call) path() string {
	if c.target != "" {
		return c.target
	}
	if c.bucket == "" {
		return "/"
	}
	return "/" + c.bucket + "/" + wire.EncodePath(c.key)
}

// headers are those of c with its signature, and the query with it.
func (c *call) headers(t testing.TB) (http.Header, string) {
	t.Helper()
	h := http.Header{}
	for name, value := range c.header {
		h.Set(name, value)
	}
	if c.anonymous {
		return h, c.query
	}
	query, err := wire.ParseQuery(c.query)
	if err != nil {
		t.Fatal(err)
	}
	r := &sign.Request{
		Method: c.method, Bucket: c.bucket, Key: c.key, Query: signParams(query), Header: h, Host: c.hostName(),
	}
	if c.sign == nil {
		sign.SignV4Header(r, sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}, testRegion, epoch)
		return h, c.query
	}
	c.sign(r)
	return h, sign.EncodeQuery(r.Query)
}

func (c *call) hostName() string {
	if c.host != "" {
		return c.host
	}
	return testHost
}

// do sends c and returns the answer, read to its end.
func (f *fixture) do(c call) *result {
	f.t.Helper()
	header, query := c.headers(f.t)
	u := &url.URL{Scheme: f.scheme, Host: f.addr, Opaque: c.path(), RawQuery: query}
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
		if c.unsized {
			body = io.MultiReader(body)
		}
	}
	r, err := http.NewRequest(c.method, "http://"+f.addr, body)
	if err != nil {
		f.t.Fatal(err)
	}
	r.URL, r.Host, r.Header = u, c.hostName(), header
	res, err := f.client.Do(r)
	if err != nil {
		f.t.Fatalf("%s %s: %v", c.method, c.path(), err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		f.t.Fatalf("%s %s: read answer: %v", c.method, c.path(), err)
	}
	return &result{res.StatusCode, res.Header, string(b)}
}

// want sends c and expects a status and an error code, "" for none.
func (f *fixture) want(c call, status int, code string) *result {
	f.t.Helper()
	r := f.do(c)
	if r.status != status || r.status >= 300 && r.status != 304 && r.code() != code {
		f.t.Errorf("%s %s?%s: got %d %s, want %d %s\n%s", c.method, c.path(), c.query, r.status, r.code(), status, code, r.body)
	}
	return r
}

// put makes a bucket or an object.
func (f *fixture) put(bucket, key, body string) {
	f.t.Helper()
	f.want(call{method: "PUT", bucket: bucket, key: key, body: body}, 200, "")
}

// initiate opens an upload.
func (f *fixture) initiate(bucket, key string) string {
	f.t.Helper()
	r := f.want(call{method: "POST", bucket: bucket, key: key, query: "uploads"}, 200, "")
	return between(r.body, "<UploadId>", "</UploadId>")
}

func between(s, from, to string) string {
	_, s, _ = strings.Cut(s, from)
	s, _, _ = strings.Cut(s, to)
	return s
}

// parts lists the numbers of an upload's parts.
func (f *fixture) parts(bucket, key, id string) (numbers []string) {
	f.t.Helper()
	r := f.want(call{method: "GET", bucket: bucket, key: key, query: "uploadId=" + id}, 200, "")
	for rest := r.body; strings.Contains(rest, "<PartNumber>"); {
		_, rest, _ = strings.Cut(rest, "<PartNumber>")
		n, _, _ := strings.Cut(rest, "<")
		numbers = append(numbers, n)
	}
	return numbers
}

// conn is a raw connection to a fixture.
type conn struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func (f *fixture) dial() *conn {
	f.t.Helper()
	c, err := net.Dial("tcp", f.addr)
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { c.Close() })
	// A test that waits for ever is worse than one that fails.
	c.SetDeadline(time.Now().Add(30 * time.Second))
	return &conn{f.t, c, bufio.NewReader(c)}
}

// write sends bytes as they are.
func (c *conn) write(format string, args ...any) {
	c.t.Helper()
	if _, err := fmt.Fprintf(c, format, args...); err != nil {
		c.t.Fatalf("write: %v", err)
	}
}

// head writes the request line and the headers of a call, with the further
// lines given, and the empty line.
func (c *conn) head(a call, lines ...string) {
	c.t.Helper()
	header, query := a.headers(c.t)
	target := a.path()
	if query != "" {
		target += "?" + query
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\n", a.method, target, a.hostName())
	header.Write(&b)
	for _, line := range lines {
		b.WriteString(line + "\r\n")
	}
	c.write("%s\r\n", b.String())
}

// read reads one answer to a request of that method.
func (c *conn) read(method string) *result {
	c.t.Helper()
	res, err := http.ReadResponse(c.r, &http.Request{Method: method})
	if err != nil {
		c.t.Fatalf("read answer: %v", err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		c.t.Fatalf("read answer: %v", err)
	}
	header := res.Header
	if res.Close {
		header.Set("Connection", "close")
	}
	return &result{res.StatusCode, header, string(b)}
}

// closed expects that the server closes the connection.
func (c *conn) closed() {
	c.t.Helper()
	if b, err := c.r.ReadByte(); err == nil {
		c.t.Errorf("the connection goes on with %q", b)
	} else if ne, ok := err.(net.Error); ok && ne.Timeout() {
		c.t.Error("the connection stays open")
	}
}
