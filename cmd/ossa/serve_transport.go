package main

import (
	"log/slog"
	"net/netip"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/internal/wire"
)

// transportConfig is how clients reach the server: names, TLS and proxies.
type transportConfig struct {
	cnames            []string // domain=bucket
	tlsCerts, tlsKeys []string // files, in pairs
	http2             bool
	adminTLS          bool
	proxies           []string
	proxyHeader       string

	// After validate.
	bucketOf map[string]string // by domain
	trusted  []netip.Prefix
	header   server.ForwardedHeader
}

func (c *transportConfig) addFlags(flags *pflag.FlagSet) {
	flags.StringSliceVar(&c.cnames, "cname", nil,
		"`domain=bucket` pairs: host names that lead to buckets, besides those of PutCname, with commas between (OSSA_CNAME)")
	flags.StringSliceVar(&c.tlsCerts, "tls-cert", nil,
		"PEM `file` of the certificate and its chain; with it the API speaks TLS only; several with commas between (OSSA_TLS_CERT)")
	flags.StringSliceVar(&c.tlsKeys, "tls-key", nil, "PEM `file` of the private key, one for each certificate (OSSA_TLS_KEY)")
	flags.BoolVar(&c.http2, "http2", false, "offer HTTP/2 to clients that speak TLS (OSSA_HTTP2)")
	flags.BoolVar(&c.adminTLS, "admin-tls", false, "TLS with the same certificate on --admin-listen (OSSA_ADMIN_TLS)")
	flags.StringSliceVar(&c.proxies, "trusted-proxy", nil,
		"`addresses` of proxies, such as 10.0.0.0/8, whose word about the client is believed, with commas between (OSSA_TRUSTED_PROXY)")
	flags.StringVar(&c.proxyHeader, "proxy-header", string(server.XForwardedFor),
		"the one `header` in which those proxies name the client: X-Forwarded-For, X-Real-IP or Forwarded (OSSA_PROXY_HEADER)")
}

func (c *transportConfig) validate() error {
	if len(c.tlsCerts) != len(c.tlsKeys) {
		return usagef("--tls-cert names %d files and --tls-key %d; each certificate has one key", len(c.tlsCerts), len(c.tlsKeys))
	}
	for _, flag := range []struct {
		name string
		on   bool
	}{{"--http2", c.http2}, {"--admin-tls", c.adminTLS}} {
		if flag.on && !c.tls() {
			return usagef("%s needs --tls-cert and --tls-key", flag.name)
		}
	}
	c.bucketOf = make(map[string]string)
	for _, text := range c.cnames {
		domain, bucket, ok := strings.Cut(strings.TrimSpace(text), "=")
		domain = strings.ToLower(domain)
		if !ok || !wire.ValidDomain(domain) || !wire.ValidBucketName(bucket) {
			return usagef("--cname: %q is not domain=bucket, such as img.example.com=photos", text)
		}
		if other := c.bucketOf[domain]; other != "" && other != bucket {
			return usagef("--cname: %s cannot lead to both %s and %s", domain, other, bucket)
		}
		c.bucketOf[domain] = bucket
	}
	c.trusted = nil
	for _, text := range c.proxies {
		prefix, err := parsePrefix(strings.TrimSpace(text))
		if err != nil {
			return usagef("--trusted-proxy: %q is neither an address nor a range such as 10.0.0.0/8", text)
		}
		c.trusted = append(c.trusted, prefix)
	}
	var ok bool
	if c.header, ok = server.ParseForwardedHeader(c.proxyHeader); !ok {
		return usagef("--proxy-header: %q is none of X-Forwarded-For, X-Real-IP and Forwarded", c.proxyHeader)
	}
	return nil
}

// parsePrefix reads a range of addresses; an address is a range of one.
func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil {
		addr = addr.Unmap()
		return addr.Prefix(addr.BitLen())
	}
	prefix, err := netip.ParsePrefix(text)
	return prefix.Masked(), err
}

// tls tells whether the API speaks TLS.
func (c *transportConfig) tls() bool { return len(c.tlsCerts) > 0 }

// certificates reads the files; nil without TLS.
func (c *transportConfig) certificates(log *slog.Logger) (*server.Certificates, error) {
	if !c.tls() {
		return nil, nil
	}
	var files []server.CertificateFiles
	for i := range c.tlsCerts {
		files = append(files, server.CertificateFiles{Cert: c.tlsCerts[i], Key: c.tlsKeys[i]})
	}
	return server.OpenCertificates(files, nil, log)
}

// options are what the server is told of it.
func (c *transportConfig) options(o *server.Options) {
	o.Cnames = c.bucketOf
	o.HTTP2 = c.http2
	o.TrustedProxies, o.ForwardedHeader = c.trusted, c.header
}
