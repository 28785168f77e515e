package server

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/wire"
)

// Options of a Server. Only Keys must be set; the zero value of everything else
// takes the default that its comment names.
type Options struct {
	// Region is the one region of the server, without "oss-"; default
	// cn-hangzhou. V4 signatures must be scoped to it unless AnyRegion.
	Region    string
	AnyRegion bool

	// Domains are the host names under which buckets are sub-domains:
	// <bucket>.<domain>. localhost always is one.
	Domains []string

	// Cnames are further host names, in lower case, and the buckets that they
	// lead to. They have priority over everything else that a host can mean.
	Cnames map[string]string

	// TrustedProxies are the addresses whose ForwardedHeader says who the client
	// is; from others it is ignored. Default none, and X-Forwarded-For.
	TrustedProxies  []netip.Prefix
	ForwardedHeader ForwardedHeader

	Keys auth.Keys // access keys; required

	// OwnerID is the account that everything belongs to, in decimal; default
	// 1000000000000001. OwnerName is how it is shown; default OwnerID.
	OwnerID, OwnerName string

	// Calendar is what lifecycle rules count days by; default real days.
	Calendar lifecycle.Calendar

	// AnonymousList lets everybody list a public-read bucket; default no.
	AnonymousList bool

	Clock      func() time.Time      // for signatures, dates and logs; default time.Now
	Rand       io.Reader             // for request IDs; default crypto/rand; used concurrently
	Logger     *slog.Logger          // default discards
	Registerer prometheus.Registerer // default a registry of its own

	// AccessLog gets one line for each request, in one Write, with the fields of
	// OSS access logs; default none. It is used concurrently.
	AccessLog io.Writer

	// MaxInFlight is how many requests are served at once; more are answered
	// with ServiceUnavailable before anything of them is read. Default 2048.
	MaxInFlight int

	// MaxInFlightPerKey is how many requests of one access key are served at
	// once, those that are not signed counting as one; more are answered with
	// ActiveRequestLimitExceeded. Default half of MaxInFlight.
	MaxInFlightPerKey int

	// MaxConnections bounds the connections of clients, in all and from one
	// address (of IPv6, one /64) that is no trusted proxy; others are turned
	// away. Default 4096, and half of it from one address.
	MaxConnections           int
	MaxConnectionsPerAddress int

	// HTTP2 offers HTTP/2 to clients that speak TLS. MaxStreams is how many
	// requests one of its connections may have at once; default 100.
	HTTP2      bool
	MaxStreams int

	MaxHeaderBytes int           // of one request, with its request line; default 64 KiB
	HeaderTimeout  time.Duration // for a request's header to arrive; default 30 s
	IdleTimeout    time.Duration // between requests of a connection; default 120 s, at least 60 s

	// A connection is given up when fewer than ProgressBytes move within
	// ProgressTimeout of waiting for the other side, in either direction. There
	// is no limit on how long a request takes. Default 64 KiB and 60 s.
	ProgressTimeout time.Duration
	ProgressBytes   int64

	// A body that is not wanted is read to its end, so that a client which sends
	// before it listens sees the answer, as long as it is no longer than
	// DrainBytes and comes within DrainTimeout. Default 32 MiB and 5 s.
	DrainBytes   int64
	DrainTimeout time.Duration

	// Longest XML documents that are read, in bytes.
	MaxCompleteBody int64 // default 4 MiB
	MaxDeleteBody   int64 // default 2 MiB
	MaxConfigBody   int64 // default 64 KiB; of PutBucket and PutObjectTagging

	// DocumentMemory bounds the documents in memory at one time, in bytes, and
	// half of it those of one access key; all that are not signed count as one. A
	// request that would exceed it is answered with ServiceUnavailable before its
	// body is read. Default 64 MiB, of which the process takes about twice.
	DocumentMemory int64
}

// minIdleTimeout is what official clients expect of a connection they keep.
const minIdleTimeout = 60 * time.Second

// EnsureDefaults fills in what is zero.
func (o *Options) EnsureDefaults() {
	setDefault(&o.Region, "cn-hangzhou")
	setDefault(&o.ForwardedHeader, XForwardedFor)
	setDefault(&o.OwnerID, "1000000000000001")
	setDefault(&o.OwnerName, o.OwnerID)
	setDefault(&o.MaxInFlight, 2048)
	setDefault(&o.MaxInFlightPerKey, max(1, o.MaxInFlight/2))
	setDefault(&o.MaxConnections, 4096)
	setDefault(&o.MaxConnectionsPerAddress, max(1, o.MaxConnections/2))
	setDefault(&o.MaxStreams, 100)
	setDefault(&o.MaxHeaderBytes, 64<<10)
	setDefault(&o.HeaderTimeout, 30*time.Second)
	setDefault(&o.IdleTimeout, 120*time.Second)
	setDefault(&o.ProgressTimeout, 60*time.Second)
	setDefault(&o.ProgressBytes, 64<<10)
	setDefault(&o.DrainBytes, 32<<20)
	setDefault(&o.DrainTimeout, 5*time.Second)
	setDefault(&o.MaxCompleteBody, wire.MaxCompleteBody)
	setDefault(&o.MaxDeleteBody, wire.MaxDeleteBody)
	setDefault(&o.MaxConfigBody, wire.MaxTaggingBody)
	setDefault(&o.DocumentMemory, 64<<20)
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
}

func setDefault[T comparable](p *T, value T) {
	var zero T
	if *p == zero {
		*p = value
	}
}

// Validate says what is wrong with options whose defaults are filled in.
func (o *Options) Validate() error {
	if o.Keys == nil {
		return errors.New("server: Options.Keys is missing")
	}
	if strings.HasPrefix(o.Region, "oss-") || strings.ContainsAny(o.Region, "/ ") {
		return fmt.Errorf("server: region %q is not of the form cn-hangzhou", o.Region)
	}
	for _, domain := range o.Domains {
		if domain == "" || strings.ContainsAny(domain, "/: ") || strings.Trim(domain, ".") != domain {
			return fmt.Errorf("server: domain %q is not a host name", domain)
		}
	}
	for name, bucket := range o.Cnames {
		if !wire.ValidDomain(name) || name != strings.ToLower(name) || !wire.ValidBucketName(bucket) {
			return fmt.Errorf("server: %s cannot lead to %s", name, bucket)
		}
	}
	for _, prefix := range o.TrustedProxies {
		if !prefix.IsValid() || prefix.Addr().Is4In6() {
			return fmt.Errorf("server: %v is not a range of addresses", prefix)
		}
	}
	if !slices.Contains(forwardedHeaders, o.ForwardedHeader) {
		return fmt.Errorf("server: %s is no header of proxies", o.ForwardedHeader)
	}
	if err := o.Calendar.Validate(); err != nil {
		return fmt.Errorf("server: a day of %w", err)
	}
	if o.IdleTimeout < minIdleTimeout {
		return fmt.Errorf("server: idle timeout %v is shorter than %v", o.IdleTimeout, minIdleTimeout)
	}
	for _, n := range []int64{
		int64(o.MaxInFlight), int64(o.MaxInFlightPerKey), int64(o.MaxConnections), int64(o.MaxConnectionsPerAddress),
		int64(o.MaxStreams), int64(o.MaxHeaderBytes), int64(o.HeaderTimeout), int64(o.ProgressTimeout),
		o.ProgressBytes, o.DrainBytes, int64(o.DrainTimeout), o.MaxCompleteBody, o.MaxDeleteBody, o.MaxConfigBody,
		o.DocumentMemory,
	} {
		if n < 0 {
			return errors.New("server: negative limit")
		}
	}
	return nil
}
