package harness

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"sync"
)

// ErrInterrupted is what requests fail with while a Breaker is open.
var ErrInterrupted = errors.New("connection cut by the scenario")

// Breaker cuts the connection of a client in the middle of a transfer.
// Its zero value lets everything pass.
type Breaker struct {
	next http.RoundTripper

	mu    sync.Mutex
	match func(*http.Request) bool
	left  int
}

// CutAfter lets n requests that match pass and fails every later one.
func (b *Breaker) CutAfter(n int, match func(*http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.match, b.left = match, n
}

// Mend lets everything pass again.
func (b *Breaker) Mend() { b.CutAfter(0, nil) }

// RoundTrip implements http.RoundTripper.
func (b *Breaker) RoundTrip(r *http.Request) (*http.Response, error) {
	if b.cuts(r) {
		return nil, ErrInterrupted
	}
	return b.next.RoundTrip(r)
}

func (b *Breaker) cuts(r *http.Request) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.match == nil || !b.match(r) {
		return false
	}
	b.left--
	return b.left < 0
}

// IsPart reports whether the request uploads or copies a part.
func IsPart(r *http.Request) bool {
	return r.Method == http.MethodPut && r.URL.Query().Has("partNumber")
}

// IsRangedGet reports whether the request reads a slice of an object.
func IsRangedGet(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Range") != ""
}

// HTTPClient returns a client that leads every *.localhost name to 127.0.0.1,
// and the breaker in it. RFC 6761 reserves the names for that, but resolvers
// without nss-myhostname know only the bare "localhost".
func HTTPClient() (*http.Client, *Breaker) {
	dialer := &net.Dialer{}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(addr)
		if err == nil && (host == "localhost" || strings.HasSuffix(host, ".localhost")) {
			addr = net.JoinHostPort("127.0.0.1", port)
		}
		return dialer.DialContext(ctx, network, addr)
	}
	breaker := &Breaker{next: transport}
	return &http.Client{Transport: breaker}, breaker
}
