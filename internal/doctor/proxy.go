package doctor

import (
	"bufio"
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// traces are headers of answers that something in between leaves.
var traces = []string{"Via", "X-Cache", "X-Varnish", "Cf-Ray", "X-Squid-Error", "Proxy-Connection", "X-Amz-Cf-Id", "Age"}

// checkProxy looks for something between here and the server, and at what it does
// to requests. The most harmful comes first.
func (e *examination) checkProxy(ctx context.Context) finding {
	if f := e.probeRewriting(ctx); f.mark != OK {
		return f
	}
	host := ""
	if e.front.refusal != nil {
		host = e.front.refusal.HostID
	}
	switch {
	case host != "" && !strings.EqualFold(withoutPort(host), withoutPort(e.front.host)):
		return warn(HostRewritten, "the server was asked for the host %s, and not for %s", plain(host), e.front.host)
	case e.front.header.Get("Content-Encoding") != "":
		return warn(BodyEncoded, "the answer is encoded as %s, which was not asked for", plain(e.front.header.Get("Content-Encoding")))
	}
	if e.Write && e.Bucket != "" && !e.Anonymous {
		if a := e.announce(ctx); a.continued {
			return warn(BodyBuffered, "a body is asked for before the server has looked at the request: something collects bodies first")
		}
	}
	if e.proxy != nil {
		return warn(ProxyUsed, "requests go through the proxy %s, as the environment says", e.proxy.Redacted())
	}
	for _, name := range traces {
		if value := e.front.header.Get(name); value != "" {
			return warn(ProxyInFront, "something in between has left a header: %s: %s", name, plain(value))
		}
	}
	return ok("none; headers and paths arrive as they were sent")
}

// probeRewriting signs what those in between like to change: blanks in a header,
// and a path that could be tidied up. The key is one that nobody has.
func (e *examination) probeRewriting(ctx context.Context) finding {
	if e.Anonymous || !e.v4 && !e.v1 {
		return finding{mark: OK}
	}
	q := e.knock(signV4)
	if !e.v4 {
		q.scheme = signV1
	}
	q.header = http.Header{"X-Oss-Doctor": {"Two  Blanks"}}
	if a := e.ask(ctx, q); a.code() == "SignatureDoesNotMatch" {
		f := mismatch(a)
		return finding{mark: Fail, cause: HeadersRewritten, found: "a header that was signed does not arrive as it was sent", detail: f.detail}
	}
	if e.Bucket == "" || e.marks["bucket"] == Fail || e.marks["bucket"] == Skip {
		return finding{mark: OK}
	}
	q = e.signedQuestion(question{method: http.MethodGet, bucket: e.Bucket, key: e.unusedName() + "/a//b c+d%2Fe/./f/../g"})
	if a := e.ask(ctx, q); a.code() == "SignatureDoesNotMatch" {
		f := mismatch(a)
		return finding{mark: Fail, cause: PathRewritten, found: "a path does not arrive as it was sent", detail: f.detail}
	}
	return finding{mark: OK}
}

// ignoredProxy is an error if the environment names a proxy that cannot be one:
// net/http goes without it then, and says nothing. Its text is not told, as a
// password may be in it. With NO_PROXY, and on the way to this machine, nobody knows
// whether it was meant.
func ignoredProxy(getenv func(string) string, u *url.URL) error {
	if host := u.Hostname(); getenv("NO_PROXY") != "" || getenv("no_proxy") != "" || host == "localhost" || net.ParseIP(host).IsLoopback() {
		return nil
	}
	name := strings.ToUpper(u.Scheme) + "_PROXY"
	if getenv(name) == "" {
		name = strings.ToLower(name)
	}
	proxy := getenv(name)
	if parsed, err := url.Parse(proxy); proxy == "" || err == nil && parsed.Scheme != "" && parsed.Host != "" {
		return nil
	}
	if _, err := url.Parse("http://" + proxy); err == nil {
		return nil // as HOST:PORT
	}
	return fmt.Errorf("%s cannot be read, and is ignored", name)
}

func withoutPort(host string) string {
	if h, _, err := net.SplitHostPort(host); err == nil {
		return h
	}
	return host
}

// announced is the size of a body that is announced and never sent: more than
// proxies take that were left as they come.
const announced = 64 << 20

// announce asks to send a large body, with a signature that is wrong on purpose:
// a server refuses that before it wants the body.
func (e *examination) announce(ctx context.Context) *answer {
	transport := e.newTransport()
	transport.ExpectContinueTimeout = e.world.Timeout
	defer transport.CloseIdleConnections()
	return e.askBy(ctx, transport, e.signedQuestion(question{
		method: http.MethodPut, bucket: e.Bucket, key: e.unusedName(), announce: announced,
		header: http.Header{"Content-Type": {"application/octet-stream"}},
	}))
}

// connections is how many are opened at the same time: as many as a transfer
// with many jobs wants.
const connections = 16

func (e *examination) checkLimits(ctx context.Context) finding {
	if e.Write && e.Bucket != "" && !e.Anonymous && (e.v4 || e.v1) {
		if a := e.announce(ctx); a.err == nil && a.status == http.StatusRequestEntityTooLarge {
			return fail(BodyTooLarge, "a body of 64 MiB is refused with HTTP 413 before the server sees it")
		}
	}
	if e.proxy != nil {
		return ok("connections at the same time are not tried, as the proxy has its own limits")
	}
	bad, first := e.askTogether(ctx)
	switch {
	case bad > 0 && first.err == nil:
		return warn(TooManyConnections, "of %d connections at the same time %d are refused: %s", connections, bad, first.text())
	case bad > 0:
		return warn(TooManyConnections, "of %d connections at the same time %d fail: %s", connections, bad, first.text())
	}
	return ok("%d connections at the same time are served", connections)
}

// askTogether opens connections, asks on each of them, and closes them when all
// are answered. It returns how many were not served, and the first of those
// answers. No http.Transport, which repeats and reuses, would do that.
func (e *examination) askTogether(ctx context.Context) (bad int, first *answer) {
	ctx, done := e.within(ctx)
	defer done()
	var answers [connections]*answer
	var conns [connections]net.Conn
	var all sync.WaitGroup
	for i := range connections {
		all.Go(func() {
			if conns[i], answers[i] = e.connect(ctx); answers[i] == nil {
				answers[i] = e.askOn(ctx, conns[i])
			}
		})
	}
	all.Wait()
	for i, a := range answers {
		if conns[i] != nil {
			conns[i].Close()
		}
		if a.err != nil || a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests {
			if bad++; first == nil || first.err != nil {
				first = a
			}
		}
	}
	return bad, first
}

// connect opens a connection for requests. The answer is nil unless that failed.
func (e *examination) connect(ctx context.Context) (net.Conn, *answer) {
	address := net.JoinHostPort(e.url.Hostname(), portOf(&e.url))
	conn, err := e.world.Dial(ctx, "tcp", address)
	if err != nil {
		return nil, &answer{err: err}
	}
	if e.url.Scheme == "https" {
		config := e.transport.TLSClientConfig.Clone()
		config.ServerName = e.url.Hostname()
		secure := tls.Client(conn, config)
		if err := secure.HandshakeContext(ctx); err != nil {
			conn.Close()
			return nil, &answer{err: err}
		}
		conn = secure
	}
	return conn, nil
}

// maxHeaders bounds the headers of an answer, in bytes.
const maxHeaders = 1 << 20

// askOn sends GET / on a connection, which stays open.
func (e *examination) askOn(ctx context.Context, conn net.Conn) *answer {
	stop := context.AfterFunc(ctx, func() { conn.Close() })
	defer stop()
	a := &answer{}
	sent := e.request(question{method: http.MethodGet}, a).Write(conn)
	// Who is turned away may be answered before anything was sent.
	resp, err := http.ReadResponse(bufio.NewReader(io.LimitReader(conn, maxHeaders+maxAnswer)), nil)
	if a.err = err; err != nil {
		a.err = cmp.Or[error](sent, err)
		return a
	}
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, _ = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)) // its code is of use, and no more than that
	e.readRefusal(a)
	return a
}
