package doctor

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// checkHTTP asks for nothing in particular, and looks who answers.
func (e *examination) checkHTTP(ctx context.Context) finding {
	e.front = e.ask(ctx, question{method: http.MethodGet})
	a := e.front
	if a.err != nil {
		return e.noAnswer(a)
	}
	switch {
	case saysTLS(a):
		return fail(HTTPOnTLSPort, "%s wants TLS, and the endpoint is http", e.url.Host)
	case a.status == http.StatusProxyAuthRequired:
		return fail(ProxyPassword, "a proxy wants a password")
	case isS3(a) && a.header.Get(wire.HeaderRequestID) == "":
		return fail(S3Server, "the server speaks S3 (%s), and not OSS", plain(s3Trace(a)))
	case a.ours() && a.status >= 500:
		f := fail(ServerUnavailable, "the server answers %s", a.text())
		if after := a.header.Get("Retry-After"); after != "" {
			f.found += "; it says to come again after " + plain(after) + " s"
		}
		return f
	case a.ours():
		return ok("an OSS server answers: %s", a.text())
	case e.isAdmin(ctx, a):
		return fail(AdminListener, "this is the admin listener of an Ossa server")
	}
	return e.stranger(a)
}

// noAnswer explains a request that nothing came of.
func (e *examination) noAnswer(a *answer) finding {
	switch {
	case e.url.Scheme == "http" && strings.Contains(a.err.Error(), `malformed HTTP response "\x15\x03`):
		return fail(HTTPOnTLSPort, "%s answers in TLS, and the endpoint is http", e.url.Host)
	case errors.Is(a.err, errTimeout):
		return fail(HTTPTimeout, "%s takes connections and does not answer a request within %v", e.url.Host, e.world.Timeout)
	}
	return fail(HTTPCut, "%s takes connections and does not answer in HTTP: %s", e.url.Host, describe(a.err))
}

// saysTLS recognises what servers tell those who come without TLS.
func saysTLS(a *answer) bool {
	return a.status == http.StatusBadRequest && !a.ours() &&
		(bytes.Contains(a.body, []byte("HTTP request to an HTTPS server")) || bytes.Contains(a.body, []byte("HTTP request was sent to HTTPS port")))
}

func isS3(a *answer) bool { return s3Trace(a) != "" }

// s3Trace is what tells an S3 server, or "".
func s3Trace(a *answer) string {
	for name := range a.header {
		if strings.HasPrefix(name, "X-Amz-") {
			return strings.ToLower(name)
		}
	}
	if server := a.header.Get("Server"); server == "AmazonS3" || strings.HasPrefix(server, "MinIO") {
		return "Server: " + server
	}
	return ""
}

// isAdmin recognises the other listener of Ossa, where no bucket is.
func (e *examination) isAdmin(ctx context.Context, a *answer) bool {
	if a.status != http.StatusNotFound || isHTML(a) {
		return false
	}
	live := e.ask(ctx, question{method: http.MethodGet, key: "livez"})
	return live.err == nil && live.status == http.StatusOK && !live.ours() && string(live.body) == "ok\n"
}

func isHTML(a *answer) bool {
	start := bytes.ToLower(bytes.TrimSpace(a.body[:min(len(a.body), 256)]))
	return strings.HasPrefix(a.header.Get("Content-Type"), "text/html") ||
		bytes.HasPrefix(start, []byte("<!doctype html")) || bytes.HasPrefix(start, []byte("<html"))
}

// stranger explains an answer that no OSS server gave.
func (e *examination) stranger(a *answer) finding {
	target := ""
	if u, err := url.Parse(a.header.Get("Location")); err == nil && u.Host != "" {
		target = u.Host
	}
	server := ""
	if s := a.header.Get("Server"); s != "" {
		server = " by " + plain(s)
	}
	switch {
	case a.status == http.StatusNetworkAuthenticationRequired, isHTML(a) && a.status/100 == 2, target != "" && target != e.url.Host:
		what := "a web page"
		if target != "" {
			what = "a redirect to " + plain(target)
		}
		return fail(CaptivePortal, "instead of a server %s answers, with HTTP %d%s", what, a.status, server)
	case a.status/100 == 3:
		return fail(Redirect, "the answer is a redirect to %q", plain(a.header.Get("Location")))
	case a.status == http.StatusBadGateway || a.status == http.StatusServiceUnavailable || a.status == http.StatusGatewayTimeout:
		return fail(ProxyGateway, "a proxy answers HTTP %d%s, because it does not get to the server behind it", a.status, server)
	case isHTML(a):
		return fail(NotOSS, "a web page answers, with HTTP %d%s", a.status, server)
	}
	return fail(NotOSS, "what answers, with HTTP %d%s, has no x-oss-request-id: it is no OSS server", a.status, server)
}

// maxSkew is what servers allow, and drift what is worth telling.
const (
	maxSkew = 15 * time.Minute
	drift   = 5 * time.Minute
)

func (e *examination) checkClock(context.Context) finding {
	date, valid := wire.ParseHTTPDate(e.front.header.Get("Date"))
	if !valid {
		return warn(ClockUnknown, "the answer has no date: the clock of the server is not known")
	}
	e.skew = date.Sub(e.front.at)
	off := e.skew.Abs().Round(time.Second)
	way, cause := "behind", ClockBehind
	if e.skew < 0 {
		way, cause = "ahead of", ClockAhead
	}
	switch {
	case e.skew.Abs() > maxSkew:
		return fail(cause, "the clock here is %v %s the server's, and servers refuse more than %v; what follows is signed with the server's time", off, way, maxSkew)
	case e.skew.Abs() > drift:
		return warn(ClockDrifts, "the clock here is %v %s the server's", off, way)
	case off <= time.Second: // dates have no fractions
		e.skew = 0
		return ok("the same time as the server's")
	}
	return ok("%v %s the server's", off, way)
}
