package server

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// counted bounds how often each of something may be there at once. Only what is
// there takes memory.
type counted[K comparable] struct {
	max int

	mu sync.Mutex
	n  map[K]int
}

func newCounted[K comparable](limit int) *counted[K] {
	return &counted[K]{max: limit, n: make(map[K]int)}
}

// enter reports whether k may be there once more. If so, leave follows.
func (c *counted[K]) enter(k K) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[k] >= c.max {
		return false
	}
	c.n[k]++
	return true
}

func (c *counted[K]) leave(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.n[k]--; c.n[k] == 0 {
		delete(c.n, k)
	}
}

// shares bounds the bytes of all documents together and those of each sender, by
// access key ID: half of them, so that nobody keeps the others from sending
// theirs by being slow with his own. A sender's only document may take all.
type shares struct {
	max int64

	mu    sync.Mutex
	taken int64
	of    map[string]int64
}

func newShares(limit int64) *shares {
	return &shares{max: limit, of: make(map[string]int64)}
}

// take reports whether who may have n bytes more. If so, give follows.
func (s *shares) take(who string, n int64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken+n > s.max || s.of[who] > 0 && s.of[who]+n > s.max/2 {
		return false
	}
	s.taken += n
	s.of[who] += n
	return true
}

func (s *shares) give(who string, n int64) {
	if n == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken -= n
	if s.of[who] -= n; s.of[who] == 0 {
		delete(s.of, who)
	}
}

// Listen returns l with the limits on connections that s has. The caller serves
// it, and does not use l any more; encrypted says that TLS is spoken on it.
func (s *Server) Listen(l net.Listener, encrypted bool) net.Listener {
	return &listener{Listener: l, s: s, encrypted: encrypted, refusing: make(map[net.Conn]struct{})}
}

// listener hands connections on as long as there are not too many, in all and
// from one address. Others are turned away at once: those who wait in a queue
// would make everybody wait.
type listener struct {
	net.Listener
	s         *Server
	encrypted bool

	mu       sync.Mutex
	refusing map[net.Conn]struct{}
	closed   bool
	goodbyes sync.WaitGroup
}

// Accept waits for the next connection that may be there.
func (l *listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if leave := l.s.enter(peer(c.RemoteAddr().String())); leave != nil {
			return &countedConn{Conn: c, leave: leave}, nil
		}
		l.refuse(c)
	}
}

// enter counts a connection; nil if it may not be there. A trusted proxy has
// the connections of many, and no limit of its own.
func (s *Server) enter(addr netip.Addr) (leave func()) {
	if open := s.connections.Add(1); open > int64(s.opts.MaxConnections) {
		s.connections.Add(-1)
		s.turnedAway("in all", s.opts.MaxConnections, addr)
		return nil
	}
	if s.proxies.trusts(addr) {
		return func() { s.connections.Add(-1) }
	}
	from := network(addr)
	if !s.addresses.enter(from) {
		s.connections.Add(-1)
		s.turnedAway("from one address", s.opts.MaxConnectionsPerAddress, addr)
		return nil
	}
	return func() {
		s.addresses.leave(from)
		s.connections.Add(-1)
	}
}

// network is what one client has for itself: an address, of IPv6 the usual /64.
func network(addr netip.Addr) netip.Addr {
	if addr.Is6() {
		if prefix, err := addr.Prefix(64); err == nil {
			return prefix.Addr()
		}
	}
	return addr
}

// warnEvery is how often the log says that connections are turned away.
const warnEvery = time.Minute

func (s *Server) turnedAway(which string, limit int, addr netip.Addr) {
	s.metrics.refused.Inc()
	now, last := time.Now().UnixNano(), s.warned.Load()
	if now-last >= int64(warnEvery) && s.warned.CompareAndSwap(last, now) {
		s.opts.Logger.Warn("too many connections, some are turned away",
			slog.String("limit", fmt.Sprintf("%d %s", limit, which)), slog.String("source_ip", addr.String()))
	}
}

const (
	// maxGoodbyes bounds the connections that are being told why they are turned
	// away; beyond it they are closed without a word.
	maxGoodbyes = 64
	// goodbyeTimeout is how long a client has to read it.
	goodbyeTimeout = time.Second
)

// refuse turns a connection away. Who speaks HTTP in the clear is told why;
// doing so with TLS would cost as much as serving him.
func (l *listener) refuse(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.encrypted || l.closed || len(l.refusing) >= maxGoodbyes {
		c.Close()
		return
	}
	l.refusing[c] = struct{}{}
	l.goodbyes.Go(func() {
		l.s.goodbye(c)
		c.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.refusing, c)
	})
}

// goodbye answers a request that is not read. The client may be sending it: to
// close at once would reset the connection, answer and all.
func (s *Server) goodbye(c net.Conn) {
	c.SetDeadline(time.Now().Add(goodbyeTimeout))
	e := *wire.NewError("ServiceUnavailable")
	e.RequestID, e.HostID = s.newRequestID(s.opts.Clock()), c.LocalAddr().String()
	doc := wire.MarshalError(&e)
	_, err := fmt.Fprintf(c, "HTTP/1.1 503 Service Unavailable\r\nServer: AliyunOSS\r\n%s: %s\r\nRetry-After: %s\r\n"+
		"Connection: close\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		wire.HeaderRequestID, e.RequestID, retryAfter, wire.ContentTypeXML, len(doc), doc)
	if err != nil {
		return
	}
	if half, ok := c.(interface{ CloseWrite() error }); ok && half.CloseWrite() == nil {
		var rest [4 << 10]byte
		for {
			if _, err := c.Read(rest[:]); err != nil {
				return // its end, or the deadline
			}
		}
	}
}

// Close stops listening. Connections that were handed on stay.
func (l *listener) Close() error {
	err := l.Listener.Close()
	l.mu.Lock()
	l.closed = true
	for c := range l.refusing {
		c.Close()
	}
	l.mu.Unlock()
	l.goodbyes.Wait()
	return err
}

// countedConn is a connection that counts until it is closed.
type countedConn struct {
	net.Conn
	once  sync.Once
	leave func()
}

func (c *countedConn) Close() error {
	defer c.once.Do(c.leave)
	return c.Conn.Close()
}

// CloseWrite is what net/http ends an answer with before it closes a connection
// that is still being sent to.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
