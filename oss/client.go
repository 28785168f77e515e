package oss

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// Signature is the version of the signature.
type Signature int

// The versions. V4 needs a region.
const (
	SignatureV4 Signature = iota
	SignatureV1
)

// Addressing is where in a URL a bucket's name stands.
type Addressing int

const (
	// AutoAddressing is PathStyle if the endpoint is an IP address or localhost,
	// and VirtualHost otherwise.
	AutoAddressing Addressing = iota
	PathStyle                 // http://endpoint/bucket/key
	VirtualHost               // http://bucket.endpoint/key
	CNAME                     // http://endpoint/key: the endpoint is a domain of the bucket's
)

// Client sends requests to one endpoint. It is safe for concurrent use and
// needs no closing. CloseIdleConnections gives connections back.
type Client struct {
	endpoint   url.URL // scheme and host
	addressing Addressing
	signature  Signature
	region     string
	additional []string // headers that V4 signs besides its own

	credentials CredentialsProvider
	http        *http.Client
	roots       *x509.CertPool // nil for those of the machine
	log         *slog.Logger
	clock       Clock
	retry       RetryPolicy
	stall       time.Duration
	answer      time.Duration
	userAgent   string
	header      http.Header    // of every request
	limit       *limiter       // nil for none
	random      func() float64 // in [0, 1), for jitter

	reached atomic.Bool // the endpoint has answered

	skew atomic.Int64 // nanoseconds that the server's clock is ahead of ours
	rate rate         // how fast uploads were, for the size of parts

	spare spare // connections that transfers share
}

// Option is a setting of a Client. A nil or zero argument is the default.
type Option func(*Client)

// WithCredentials sets where credentials come from; default
// EnvironmentCredentials.
func WithCredentials(p CredentialsProvider) Option { return func(c *Client) { c.credentials = p } }

// WithRegion sets the region, such as cn-hangzhou. V4 needs it; endpoints of
// the form oss-cn-hangzhou.aliyuncs.com imply it.
func WithRegion(region string) Option { return func(c *Client) { c.region = region } }

// WithSignature sets the version of the signature; default SignatureV4.
func WithSignature(s Signature) Option { return func(c *Client) { c.signature = s } }

// WithAddressing sets where bucket names stand; default AutoAddressing.
func WithAddressing(a Addressing) Option { return func(c *Client) { c.addressing = a } }

// WithAdditionalHeaders names headers, such as Host, that V4 signs besides those
// that it must.
func WithAdditionalHeaders(names ...string) Option {
	return func(c *Client) { c.additional = append(c.additional, names...) }
}

// WithProfile sets what a configuration file of ossutil says: credentials,
// addressing, version of the signature, and region if there is one. Options after
// it prevail. The endpoint is an argument of NewClient, and certificates are for
// WithRootCAs.
func WithProfile(p *Profile) Option {
	return func(c *Client) {
		c.credentials, c.addressing, c.signature = p, p.Addressing, p.Signature
		if p.Region != "" {
			c.region = p.Region
		}
	}
}

// WithHTTPClient sets what sends requests. Redirects are never followed. A
// Timeout of the http.Client bounds whole transfers, which is rarely wanted.
func WithHTTPClient(h *http.Client) Option { return func(c *Client) { c.http = h } }

// WithRootCAs sets whose certificates are believed, instead of those of the
// machine; see LoadRootCAs. With WithHTTPClient that client decides, and
// WithRootCAs is an error.
func WithRootCAs(roots *x509.CertPool) Option { return func(c *Client) { c.roots = roots } }

// LoadRootCAs returns the authorities that the machine believes, and besides them
// those of a PEM file.
func LoadRootCAs(file string) (*x509.CertPool, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, fmt.Errorf("oss: certificates to believe: %w", err)
	}
	defer f.Close()

	text, err := io.ReadAll(io.LimitReader(f, maxRootCAs+1))
	if err != nil {
		return nil, fmt.Errorf("oss: certificates to believe: %w", err)
	}
	if len(text) > maxRootCAs {
		return nil, fmt.Errorf("oss: certificates to believe: %s is longer than %d bytes", file, maxRootCAs)
	}
	roots, err := x509.SystemCertPool()
	if err != nil {
		return nil, fmt.Errorf("oss: certificates of this machine: %w", err)
	}
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("oss: certificates to believe: %s has none in PEM", file)
	}
	return roots, nil
}

// maxRootCAs bounds a file of certificates, in bytes.
const maxRootCAs = 8 << 20

// WithLogger sets where the client tells what it does: requests at level Debug,
// repetitions at level Warn. Default is nowhere.
func WithLogger(l *slog.Logger) Option { return func(c *Client) { c.log = l } }

// WithClock sets the time of signatures, pauses and stalls; default the
// machine's.
func WithClock(clock Clock) Option { return func(c *Client) { c.clock = clock } }

// WithRetryPolicy sets when failed requests are sent again; default
// RetryPolicy{}.
func WithRetryPolicy(p RetryPolicy) Option { return func(c *Client) { c.retry = p } }

// WithStallTimeout sets how long nothing may move on a connection, or less than
// 256 bytes of an answer, before the request is given up and, if it can be,
// repeated. Default 30 s; negative is no limit. Waiting for an answer after all
// was sent has a limit of its own, see WithAnswerTimeout.
func WithStallTimeout(d time.Duration) Option { return func(c *Client) { c.stall = d } }

// WithAnswerTimeout sets how long the server may take over an answer when it has
// the whole request. Default 2 minutes, and five times that where the server
// copies or completes; negative is no limit.
func WithAnswerTimeout(d time.Duration) Option { return func(c *Client) { c.answer = d } }

// WithHeader adds a header to every request that does not have it, such as
// x-oss-request-payer or x-oss-traffic-limit. Presigned URLs do not ask for it:
// they are for others.
func WithHeader(name, value string) Option { return func(c *Client) { c.header.Set(name, value) } }

// WithRateLimit bounds how many bytes a second the bodies of all requests and
// answers of the client have together; 0 is no limit.
func WithRateLimit(bytesPerSecond int64) Option {
	return func(c *Client) { c.limit = &limiter{perSecond: bytesPerSecond} }
}

// WithUserAgent sets the User-Agent header.
func WithUserAgent(s string) Option { return func(c *Client) { c.userAgent = s } }

const (
	defaultStall  = 30 * time.Second
	defaultAnswer = 2 * time.Minute
	slowAnswer    = 5 // times the answer timeout, for operations that move data in the server
)

// NewClient makes a client for an endpoint: a URL without a path, or a host with
// or without a port, for which https is taken.
func NewClient(endpoint string, options ...Option) (*Client, error) {
	c := &Client{header: http.Header{}, random: rand.Float64}
	for _, option := range options {
		option(c)
	}
	c.ensureDefaults()
	if c.limit != nil {
		c.limit.clock = c.clock
		if c.limit.perSecond < 0 {
			return nil, errors.New("oss: negative rate limit")
		}
		if c.limit.perSecond == 0 {
			c.limit = nil
		}
	}
	u, err := parseEndpoint(endpoint)
	if err != nil {
		return nil, err
	}
	c.endpoint = u
	if c.addressing == AutoAddressing {
		c.addressing = VirtualHost
		if wire.IsPathHost(u.Hostname()) {
			c.addressing = PathStyle
		}
	}
	if c.region == "" {
		c.region = wire.RegionOfEndpoint(u.Hostname())
	}
	if err := c.checkRegion(); err != nil {
		return nil, err
	}
	if c.retry, err = c.retry.withDefaults(); err != nil {
		return nil, err
	}
	if c.http == nil {
		transport := newTransport()
		if c.roots != nil {
			transport.TLSClientConfig = &tls.Config{RootCAs: c.roots}
		}
		c.http = &http.Client{Transport: transport}
	} else if c.roots != nil {
		return nil, errors.New("oss: WithRootCAs and WithHTTPClient do not go together")
	}
	h := *c.http // with a policy of ours on redirects
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	c.http = &h
	return c, nil
}

// ensureDefaults sets what no option has set, or has set to nothing.
func (c *Client) ensureDefaults() {
	if c.credentials == nil {
		c.credentials = EnvironmentCredentials()
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.clock == nil {
		c.clock = systemClock{}
	}
	c.stall, c.answer = cmp.Or(c.stall, defaultStall), cmp.Or(c.answer, defaultAnswer)
	c.userAgent = cmp.Or(c.userAgent, "ossa-go")
}

// CloseIdleConnections closes the connections that no request uses.
func (c *Client) CloseIdleConnections() { c.http.CloseIdleConnections() }

func (c *Client) checkRegion() error {
	switch {
	case c.region == "" && c.signature == SignatureV4:
		return errors.New("oss: V4 signatures need a region: WithRegion")
	case strings.HasPrefix(c.region, "oss-"):
		return fmt.Errorf("oss: region %q: it is %q, without the oss- of endpoints", c.region, c.region[len("oss-"):])
	case strings.Trim(c.region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		return fmt.Errorf("oss: region %q has characters other than a-z, 0-9 and -", c.region)
	}
	return nil
}

func parseEndpoint(s string) (url.URL, error) {
	text := s
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return url.URL{}, fmt.Errorf("oss: endpoint %q is not a URL", wire.EndpointText(s))
	case u.Scheme != "http" && u.Scheme != "https":
		return url.URL{}, fmt.Errorf("oss: endpoint %q is neither http nor https", wire.EndpointText(s))
	case u.Hostname() == "":
		return url.URL{}, fmt.Errorf("oss: endpoint %q has no host", wire.EndpointText(s))
	case u.User != nil:
		return url.URL{}, fmt.Errorf("oss: endpoint %q has a user name in front of it", wire.EndpointText(s))
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return url.URL{}, fmt.Errorf("oss: endpoint %q has more than scheme, host and port", wire.EndpointText(s))
	}
	return url.URL{Scheme: u.Scheme, Host: u.Host}, nil
}

// address returns where a bucket or an object is. Neither may be empty by
// accident: an empty key would make a request for the bucket itself.
func (c *Client) address(bucket, key string) url.URL {
	u := c.endpoint
	path := "/" + key
	switch {
	case bucket == "" || c.addressing == CNAME:
	case c.addressing == PathStyle:
		path = "/" + bucket + "/" + key
	default:
		u.Host = bucket + "." + u.Host
	}
	u.Path, u.RawPath = path, wire.EncodePath(path)
	return u
}

// newTransport is HTTP/1.1 as the service speaks it: parts in parallel want
// connections of their own.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   15 * time.Second,
		MaxIdleConns:          256,
		MaxIdleConnsPerHost:   128,
		IdleConnTimeout:       50 * time.Second, // below what servers keep
		ExpectContinueTimeout: time.Second,
		DisableCompression:    true, // lengths and checksums are of what is stored
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
	}
}
