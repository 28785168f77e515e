package server

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"
)

// fromMany is a listener whose connections come from addresses in turn.
type fromMany struct {
	net.Listener
	mu    sync.Mutex
	addrs []string // the last one stays
}

type fromOne struct {
	net.Conn
	addr net.Addr
}

func (c *fromOne) RemoteAddr() net.Addr { return c.addr }
func (c *fromOne) CloseWrite() error    { return c.Conn.(*net.TCPConn).CloseWrite() }

func (l *fromMany) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	addr := l.addrs[0]
	if len(l.addrs) > 1 {
		l.addrs = l.addrs[1:]
	}
	return &fromOne{c, net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))}, nil
}

// listenAs serves connections that come from these addresses.
func (f *fixture) listenAs(encrypted bool, addrs ...string) {
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
		hs.Serve(f.server.Listen(&fromMany{Listener: l, addrs: addrs}, encrypted))
	}()
	f.t.Cleanup(func() {
		hs.Close()
		<-served
	})
}

// answered sends a request on a connection and returns the status.
func (c *conn) answered() int {
	c.t.Helper()
	c.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	return c.read("GET").status
}

// Connections beyond the limit are told so and closed, the others go on, and
// there is room again when one is closed.
func TestMaxConnections(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.MaxConnections, c.opts.MaxConnectionsPerAddress = 3, 3 })
	var open []*conn
	for range 3 {
		c := f.dial()
		if status := c.answered(); status != 403 {
			t.Fatalf("answered %d", status)
		}
		open = append(open, c)
	}
	c := f.dial()
	r := c.read("GET") // before anything is asked
	if r.status != 503 || r.code() != "ServiceUnavailable" || r.get("Retry-After") == "" || len(r.get("x-oss-request-id")) != 24 {
		t.Errorf("got %d %v %s", r.status, r.header, r.body)
	}
	c.closed()
	for _, c := range open {
		if status := c.answered(); status != 403 {
			t.Errorf("a connection that was there is answered %d", status)
		}
	}
	if got := f.metric("ossa_connections_refused_total"); got != 1 {
		t.Errorf("%v were counted", got)
	}
	f.log.wait(t, `"level":"WARN"`, "too many connections", "3 in all")
	open[0].Close()
	f.untilServed()
}

// untilServed waits until a new connection is served.
func (f *fixture) untilServed() {
	f.t.Helper()
	for end := time.Now().Add(30 * time.Second); ; {
		c := f.dial()
		status := c.answered()
		c.Close()
		if status == 403 {
			return
		}
		if time.Now().After(end) {
			f.t.Fatalf("still answered %d", status)
		}
	}
}

// One address cannot take the connections of others; a proxy that speaks for
// many is not held to it, and of IPv6 a /64 counts as one.
func TestMaxConnectionsPerAddress(t *testing.T) {
	f := newHandler(t, func(c *config) {
		c.opts.MaxConnections, c.opts.MaxConnectionsPerAddress = 20, 2
		c.opts.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	from := []struct {
		addr   string
		status int
	}{
		{"192.0.2.1:1", 403}, {"192.0.2.1:2", 403}, {"192.0.2.1:3", 503}, {"192.0.2.2:1", 403},
		{"10.0.0.1:1", 403}, {"10.0.0.1:2", 403}, {"10.0.0.1:3", 403},
		{"[2001:db8::1]:1", 403}, {"[2001:db8::2]:1", 403}, {"[2001:db8::3]:1", 503}, {"[2001:db8:0:1::1]:1", 403},
	}
	var addrs []string
	for _, tt := range from {
		addrs = append(addrs, tt.addr)
	}
	f.listenAs(false, addrs...)
	for _, tt := range from {
		if status := f.dial().answered(); status != tt.status {
			t.Errorf("%s is answered %d, want %d", tt.addr, status, tt.status)
		}
	}
	if n := f.server.addresses.kinds(); n != 4 {
		t.Errorf("%d addresses are remembered", n)
	}
}

// A flood of connections, half of which say nothing and half too little, does
// not keep others from being served, nor does it add up: not in connections,
// not in what is remembered of them. When it is over all is as before.
func TestConnectionFlood(t *testing.T) {
	for _, encrypted := range []bool{false, true} {
		f := newHandler(t, func(c *config) { c.opts.MaxConnections, c.opts.MaxConnectionsPerAddress = 40, 20 })
		const flood = 400
		addrs := []string{"192.0.2.2:1"} // somebody else
		for i := range flood {
			addrs = append(addrs, fmt.Sprintf("192.0.2.1:%d", i+1))
		}
		f.listenAs(encrypted, append(addrs, "192.0.2.3:1")...)
		other := f.dial()
		if status := other.answered(); status != 403 {
			t.Fatalf("answered %d", status)
		}
		var conns []*conn
		for i := range flood {
			c := f.dial()
			if i%2 == 0 {
				// Those who were turned away may have been reset.
				io.WriteString(c, "GET / HTTP/1.1\r\nX: ")
			}
			conns = append(conns, c)
		}
		// The last one of the flood was looked at, since the next one is served.
		if status := f.dial().answered(); status != 403 {
			t.Errorf("during the flood somebody new is answered %d", status)
		}
		if status := other.answered(); status != 403 {
			t.Errorf("during the flood who was there is answered %d", status)
		}
		if open := f.metric("ossa_connections_open"); open > 22 {
			t.Errorf("%v connections are open", open)
		}
		if refused := f.metric("ossa_connections_refused_total"); refused != flood-20 {
			t.Errorf("%v connections were turned away", refused)
		}
		if n := strings.Count(f.log.String(), "too many connections"); n != 1 {
			t.Errorf("the log tells it %d times", n)
		}
		for _, c := range conns {
			c.Close()
		}
		other.Close()
		for end := time.Now().Add(30 * time.Second); f.metric("ossa_connections_open") > 1; {
			if time.Now().After(end) {
				t.Fatal("connections stay")
			}
		}
	}
}

// drip writes a byte every few milliseconds until the other side closes.
func (c *conn) drip(b string) {
	ticks := time.NewTicker(2 * time.Millisecond)
	defer ticks.Stop()
	for range ticks.C {
		if _, err := io.WriteString(c, b); err != nil {
			return
		}
	}
}

// Who sends a header or a body byte by byte, or reads so, is given up although
// something moves all the time; meanwhile others are served.
func TestDrips(t *testing.T) {
	f := newFixture(t, impatient, func(c *config) {
		c.opts.HeaderTimeout = 50 * time.Millisecond
		c.opts.ProgressTimeout = 200 * time.Millisecond
	})
	f.put("bucket", "", "")
	f.put("bucket", "large", strings.Repeat("x", 32<<20))

	header := f.dial()
	header.write("GET / HTTP/1.1\r\nX: ")
	go header.drip("x")

	body := f.dial()
	body.head(call{method: "PUT", bucket: "bucket", key: "k"}, "Content-Length: 1000000")
	go body.drip("x")

	chunks := f.dial()
	chunks.head(call{method: "PUT", bucket: "bucket", key: "k"}, "Transfer-Encoding: chunked")
	go chunks.drip("1\r\nx\r\n")

	reader := f.dial()
	reader.head(call{method: "GET", bucket: "bucket", key: "large"})
	go func() {
		ticks := time.NewTicker(2 * time.Millisecond)
		defer ticks.Stop()
		for range ticks.C {
			if _, err := reader.Conn.Read(make([]byte, 1)); err != nil {
				return
			}
		}
	}()

	f.want(call{method: "HEAD", bucket: "bucket", key: "large"}, 200, "")
	for _, c := range []*conn{body, chunks} {
		if r := c.read("PUT"); r.status != 400 || r.code() != "RequestTimeout" {
			t.Errorf("got %d %s", r.status, r.body)
		}
	}
	header.closed()
	f.log.wait(t, `"operation":"GetObject"`, `"aborted":true`, "i/o timeout")
	f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 404, "NoSuchKey")
}

// One access key cannot take the server from the others, nor can those who sign
// nothing.
func TestMaxInFlightPerKey(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.MaxInFlightPerKey = 1 })
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	for _, anonymous := range []bool{false, true} {
		c := f.dial()
		c.head(call{method: "PUT", bucket: "bucket", key: "k", anonymous: anonymous}, "Expect: 100-continue", "Content-Length: 5")
		for range 2 { // "100 Continue": the handler is at the body
			if _, err := c.r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		r := f.want(call{method: "HEAD", bucket: "bucket", key: "missing", anonymous: anonymous}, 503, "ActiveRequestLimitExceeded")
		if r.get("Retry-After") == "" {
			t.Error("there is no Retry-After")
		}
		f.want(call{method: "HEAD", bucket: "bucket", key: "missing", anonymous: !anonymous}, 404, "NoSuchKey")
		c.write("hello")
		if r := c.read("PUT"); r.status != 200 {
			t.Errorf("got %d %s", r.status, r.body)
		}
		f.want(call{method: "HEAD", bucket: "bucket", key: "k", anonymous: anonymous}, 200, "")
	}
	if n := f.server.perKey.kinds(); n != 0 {
		t.Errorf("%d keys are remembered", n)
	}
}

// A signature that is wrong does not count for the key that it claims.
func TestWrongSignatureTakesNothing(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.MaxInFlightPerKey = 1 })
	f.put("bucket", "", "")
	c := f.dial()
	c.write("PUT /bucket/k HTTP/1.1\r\nHost: h\r\nDate: %s\r\nAuthorization: OSS %s:x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
		epoch.Format(http.TimeFormat), testKeyID)
	if r := c.read("PUT"); r.code() != "SignatureDoesNotMatch" {
		t.Errorf("got %d %s", r.status, r.body)
	}
	f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 404, "NoSuchKey")
}

// kinds is how many are counted separately.
func (c *counted[K]) kinds() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.n)
}
