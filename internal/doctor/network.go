package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

// hop is where connections go to: the endpoint, or the proxy.
func (e *examination) hop() (what, host, port string) {
	u, what := &e.url, "the endpoint"
	if e.proxy != nil {
		u, what = e.proxy, "the proxy"
	}
	return what, u.Hostname(), portOf(u)
}

func portOf(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	case strings.HasPrefix(u.Scheme, "socks5"):
		return "1080"
	}
	return "80"
}

// maxAddresses bounds how many addresses of a host are tried.
const maxAddresses = 4

func (e *examination) checkDNS(ctx context.Context) finding {
	what, host, _ := e.hop()
	if _, err := netip.ParseAddr(host); err == nil {
		e.addresses = []string{host}
		return ok("%s is an address: there is nothing to look up", host)
	}
	ctx, done := e.within(ctx)
	defer done()
	addresses, err := e.world.Resolver.LookupHost(ctx, host)
	var dns *net.DNSError
	switch {
	case err == nil && len(addresses) > 0:
		e.addresses = addresses[:min(len(addresses), maxAddresses)]
		return ok("%s is %s", host, strings.Join(e.addresses, ", "))
	case errors.Is(context.Cause(ctx), errTimeout):
		return fail(DNSFailure, "no name server answered for %s, %s, within %v", host, what, e.world.Timeout)
	case err == nil, errors.As(err, &dns) && dns.IsNotFound:
		return fail(DNSUnknownHost, "there is no host %s, %s", host, what)
	}
	return fail(DNSFailure, "the look-up of %s, %s, failed: %s", host, what, describe(err))
}

func (e *examination) checkTCP(ctx context.Context) finding {
	what, _, port := e.hop()
	var bad finding
	var good []string
	for _, address := range e.addresses {
		address = net.JoinHostPort(address, port)
		if f := e.dial(ctx, what, address); f.mark == Fail {
			bad = f
		} else {
			good = append(good, address)
		}
	}
	switch {
	case len(good) == 0:
		return bad
	case bad.mark == Fail:
		return warn(SomeAddresses, "%s can be reached at %s; %s", what, strings.Join(good, ", "), bad.found)
	}
	return ok("connected to %s", strings.Join(good, ", "))
}

func (e *examination) dial(ctx context.Context, what, address string) finding {
	ctx, done := e.within(ctx)
	defer done()
	conn, err := e.world.Dial(ctx, "tcp", address)
	var timeout net.Error
	switch {
	case err == nil:
		conn.Close()
		return finding{mark: OK}
	case errors.Is(context.Cause(ctx), errTimeout), errors.As(err, &timeout) && timeout.Timeout():
		return fail(ConnectTimeout, "nothing answers at %s, %s, not even with a refusal, for %v", address, what, e.world.Timeout)
	case errors.Is(err, syscall.ECONNREFUSED):
		return fail(ConnectRefused, "the machine of %s is there and refuses connections to %s", what, address)
	}
	return fail(Unreachable, "no connection to %s, %s: %s", address, what, describe(err))
}

// expiresSoon is how long before its end a certificate is warned about.
const expiresSoon = 14 * 24 * time.Hour

// checkTLS shakes hands, takes any certificate, and judges it by itself. Nothing is
// sent to a server that is not believed.
func (e *examination) checkTLS(ctx context.Context) finding {
	if e.url.Scheme == "http" {
		return ok("not used, as the endpoint is http: whoever is on the way can read the data, and not the secret")
	}
	var state *tls.ConnectionState
	var verdict finding
	transport := e.newTransport()
	defer transport.CloseIdleConnections()
	transport.TLSClientConfig.InsecureSkipVerify = true // VerifyConnection does it, in words
	transport.TLSClientConfig.MinVersion = tls.VersionTLS10
	transport.TLSClientConfig.VerifyConnection = func(cs tls.ConnectionState) error {
		state, verdict = &cs, e.judgeCertificate(&cs)
		if verdict.mark == Fail {
			return errors.New("the certificate was judged")
		}
		return nil
	}
	a := e.askBy(ctx, transport, question{method: http.MethodGet})
	var plainText tls.RecordHeaderError
	switch {
	case state != nil:
		return verdict // what came afterwards is a matter of http
	case errors.As(a.err, &plainText) || errors.Is(a.err, http.ErrSchemeMismatch) ||
		a.err != nil && strings.Contains(a.err.Error(), "server gave HTTP response to HTTPS client"):
		return fail(TLSOnPlainPort, "%s answers without TLS, and the endpoint is https", e.url.Host)
	case a.err == nil && a.status == http.StatusProxyAuthRequired:
		return fail(ProxyPassword, "the proxy %s wants a password", e.proxy.Redacted())
	case errors.Is(a.err, errTimeout):
		return fail(TLSFailure, "%s takes connections and does not answer the TLS handshake", e.url.Host)
	case a.err != nil && e.proxy != nil:
		return fail(ProxyRefused, "the proxy %s does not connect to %s: %s", e.proxy.Redacted(), e.url.Host, describe(a.err))
	case a.err != nil:
		return fail(TLSFailure, "the TLS handshake with %s failed: %s", e.url.Host, describe(a.err))
	}
	return fail(TLSFailure, "%s answered before TLS was agreed on: %s", e.url.Host, a.text())
}

// judgeCertificate looks at what a server proves itself with.
func (e *examination) judgeCertificate(cs *tls.ConnectionState) finding {
	now, leaf := e.world.Clock.Now(), cs.PeerCertificates[0]
	options := x509.VerifyOptions{
		DNSName: e.url.Hostname(), Roots: e.world.RootCAs, Intermediates: x509.NewCertPool(), CurrentTime: now,
	}
	for _, c := range cs.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := leaf.Verify(options)
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case now.After(leaf.NotAfter):
		return fail(CertificateExpired, "the certificate ended at %s; the clock here says %s", moment(leaf.NotAfter), moment(now))
	case now.Before(leaf.NotBefore):
		return fail(CertificateFuture, "the certificate begins at %s; the clock here says %s", moment(leaf.NotBefore), moment(now))
	case errors.As(err, &name):
		return fail(CertificateName, "the certificate is for %s, and not for %s", namesOf(leaf), options.DNSName)
	case errors.As(err, &unknown) && bytes.Equal(leaf.RawIssuer, leaf.RawSubject):
		return fail(CertificateSelfSigned, "the certificate of %s is signed by itself, and not known here", options.DNSName)
	case errors.As(err, &unknown):
		return fail(CertificateUnknown, "the certificate was issued by %q, which is not known here", plain(leaf.Issuer.String()))
	case err != nil:
		return fail(CertificateUnknown, "the certificate is not believed: %s", describe(err))
	case cs.Version < tls.VersionTLS12:
		return fail(TLSOld, "the server speaks %s at most", tls.VersionName(cs.Version))
	case leaf.NotAfter.Sub(now) < expiresSoon:
		return warn(CertificateSoon, "the certificate ends at %s, in %d days", moment(leaf.NotAfter), int(leaf.NotAfter.Sub(now).Hours()/24))
	}
	return ok("%s, certificate for %s, until %s", tls.VersionName(cs.Version), namesOf(leaf), moment(leaf.NotAfter))
}

func moment(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

// maxNames bounds the names of a certificate that are told.
const maxNames = 5

func namesOf(c *x509.Certificate) string {
	names := append([]string(nil), c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	switch n := len(names); {
	case n == 0:
		return fmt.Sprintf("no host, only %q", plain(c.Subject.CommonName))
	case n > maxNames:
		names = append(names[:maxNames], "...")
	}
	return plain(strings.Join(names, ", "))
}
