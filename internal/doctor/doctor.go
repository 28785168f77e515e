// Package doctor finds out why a client and an endpoint do not get along. It
// looks at one thing after another, from the text of the endpoint to the
// permissions in a bucket, and says of each what it looked at, what it found, and
// what to do next.
//
// What it keeps true:
//
//   - It never sends a secret, and never tells one: not of a key, and not of a
//     token that a server quotes. Credentials that look wrong are not sent at all:
//     the secret could be where the ID belongs.
//   - It changes nothing. With Subject.Write it sends requests that need the right
//     to write, in such a way that nothing remains: an object whose checksum is
//     wrong, so that it is refused once the right to write was decided; an upload
//     that is aborted, and only where aborting is allowed.
//   - Each wrong set-up that it recognises has a Cause, with one advice. The table
//     of them is docs/doctor.md.
//
// The network, the clock and the environment are handed in.
package doctor

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// Subject is what is examined: the settings of a client, as they were given.
type Subject struct {
	Endpoint    string
	Region      string
	Credentials oss.Credentials
	Anonymous   bool // nothing is signed
	Addressing  oss.Addressing
	Signature   oss.Signature

	// Where the settings came from, such as OSS_ENDPOINT, for what is told.
	EndpointFrom, RegionFrom, KeyIDFrom, SecretFrom, TokenFrom string

	Bucket, Key string // "" for none
	Write       bool   // also try what needs the right to write
}

// Resolver finds the addresses of a host. *net.Resolver is one.
type Resolver interface {
	LookupHost(ctx context.Context, host string) ([]string, error)
}

// World is what the examination happens in. Its zero value is this machine.
type World struct {
	Clock     oss.Clock
	Resolver  Resolver
	Dial      func(ctx context.Context, network, address string) (net.Conn, error)
	Proxy     func(*url.URL) (*url.URL, error) // default: as HTTP_PROXY, HTTPS_PROXY and NO_PROXY say
	RootCAs   *x509.CertPool                   // nil for those of the machine
	Random    io.Reader                        // for names that nobody uses
	Timeout   time.Duration                    // for each request and look-up; default 10 s
	UserAgent string
}

const defaultTimeout = 10 * time.Second

func (w *World) ensureDefaults() {
	if w.Clock == nil {
		w.Clock = machineClock{}
	}
	if w.Resolver == nil {
		w.Resolver = net.DefaultResolver
	}
	if w.Dial == nil {
		w.Dial = (&net.Dialer{}).DialContext
	}
	if w.Proxy == nil {
		w.Proxy = func(u *url.URL) (*url.URL, error) {
			proxy, err := http.ProxyFromEnvironment(&http.Request{URL: u})
			if proxy == nil && err == nil {
				err = ignoredProxy(os.Getenv, u)
			}
			return proxy, err
		}
	}
	if w.Random == nil {
		w.Random = rand.Reader
	}
	if w.Timeout == 0 {
		w.Timeout = defaultTimeout
	}
	if w.UserAgent == "" {
		w.UserAgent = "ossa-doctor"
	}
}

type machineClock struct{}

func (machineClock) Now() time.Time { return time.Now() }

func (machineClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// Mark is how a check went.
type Mark string

// The marks. Skip is a check that was not made, as Found says.
const (
	OK   Mark = "ok"
	Warn Mark = "warn" // works, and may be not what was meant
	Fail Mark = "fail"
	Skip Mark = "skip"
)

// Check is one thing that was looked at.
type Check struct {
	Name   string   `json:"check"`
	Mark   Mark     `json:"mark"`
	Cause  Cause    `json:"cause,omitempty"` // of Warn and Fail
	Looked string   `json:"looked_at"`
	Found  string   `json:"found"`
	Detail []string `json:"detail,omitempty"` // further lines, such as a difference
	Next   string   `json:"next,omitempty"`   // what to do, for Warn and Fail
}

// finding is what a check finds: a Check without what its step says.
type finding struct {
	mark   Mark
	cause  Cause
	found  string
	detail []string
}

func ok(format string, args ...any) finding {
	return finding{mark: OK, found: fmt.Sprintf(format, args...)}
}

func skip(format string, args ...any) finding {
	return finding{mark: Skip, found: fmt.Sprintf(format, args...)}
}

func warn(cause Cause, format string, args ...any) finding {
	return finding{mark: Warn, cause: cause, found: fmt.Sprintf(format, args...)}
}

func fail(cause Cause, format string, args ...any) finding {
	return finding{mark: Fail, cause: cause, found: fmt.Sprintf(format, args...)}
}

// step is a check and what it stands on.
type step struct {
	name   string
	looked string
	needs  []string // checks without which this one tells nothing
	run    func(*examination, context.Context) finding
}

// signatures stands in needs for any signature that the server takes.
const signatures = "signatures"

var steps = []step{
	{"endpoint", "the text of the endpoint", nil, (*examination).checkEndpoint},
	{"dns", "the addresses of the host, or of the proxy", []string{"endpoint"}, (*examination).checkDNS},
	{"tcp", "a connection to each address", []string{"dns"}, (*examination).checkTCP},
	{"tls", "certificate, name, expiry and version of TLS", []string{"tcp"}, (*examination).checkTLS},
	{"http", "the answer to GET / without a signature", []string{"tls"}, (*examination).checkHTTP},
	{"clock", "the clock of this machine and the server's", []string{"http"}, (*examination).checkClock},
	{"credentials", "form of access key ID, secret and token", nil, (*examination).checkCredentials},
	{"signature-v4", "a request with a V4 signature", []string{"http", "credentials"}, (*examination).checkV4},
	{"signature-v1", "a request with a V1 signature", []string{"http", "credentials"}, (*examination).checkV1},
	{"region", "the region of V4 signatures and of the server", []string{"endpoint"}, (*examination).checkRegion},
	{"addressing", "requests with the bucket in the path and in the host", []string{signatures}, (*examination).checkAddressing},
	{"bucket", "what the bucket is, by GetBucketInfo", []string{"addressing"}, (*examination).checkBucket},
	{"list", "permission, by ListObjectsV2", []string{"bucket"}, (*examination).checkList},
	{"get", "permission, by GetObject of one byte", []string{"bucket"}, (*examination).checkGet},
	{"put", "permission, by PutObject with a checksum that cannot be right", []string{"bucket"}, (*examination).checkPut},
	{"multipart", "permission, by an upload of one part that is aborted", []string{"bucket"}, (*examination).checkMultipart},
	{"proxy", "traces of something between here and the server", []string{"http"}, (*examination).checkProxy},
	{"limits", "connections at the same time, and the size of requests", []string{"http"}, (*examination).checkLimits},
}

// examination is an Examine under way: what the checks found out so far.
type examination struct {
	Subject
	world     World
	transport *http.Transport
	marks     map[string]Mark

	url       url.URL  // scheme and host of the endpoint
	proxy     *url.URL // nil for none
	addresses []string // to connect to

	front  *answer       // to GET / without a signature
	skew   time.Duration // that the server's clock is ahead of ours
	region string        // that is signed for, corrected as far as possible

	regionText    finding // what the text of the region says, OK if nothing
	regionRefused bool    // by the server
	serverRegion  string  // "" as long as it is not known
	v4, v1        bool    // the server takes this signature
	style         oss.Addressing
	firstKey      string // of the listing; "" for none
}

// Examine looks at everything and tells of each check as it is done, in order.
// It returns early if ctx ends.
func Examine(ctx context.Context, s Subject, w World, tell func(Check)) {
	w.ensureDefaults()
	e := &examination{Subject: s, world: w, marks: map[string]Mark{}}
	e.transport = e.newTransport()
	defer e.transport.CloseIdleConnections()

	for _, step := range steps {
		f := finding{mark: Skip}
		if missing := e.missing(step.needs); missing != "" {
			f.found = "not looked at, because of " + missing
		} else {
			f = step.run(e, ctx)
		}
		if ctx.Err() != nil {
			return
		}
		e.marks[step.name] = f.mark
		f.found = e.hide(f.found)
		for i := range f.detail {
			f.detail[i] = e.hide(f.detail[i])
		}
		tell(Check{
			Name: step.name, Mark: f.mark, Cause: f.cause, Looked: step.looked,
			Found: f.found, Detail: f.detail, Next: Advice[f.cause],
		})
	}
}

// missing returns the first of needs that does not hold, or "".
func (e *examination) missing(needs []string) string {
	for _, name := range needs {
		switch {
		case name == signatures:
			if !e.Anonymous && !e.v4 && !e.v1 {
				return "the signatures"
			}
		case e.marks[name] == Fail || e.marks[name] == Skip:
			return name
		}
	}
	return ""
}

// within bounds what is done in ctx by the clock of the world.
func (e *examination) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	stop := e.world.Clock.AfterFunc(e.world.Timeout, func() { cancel(errTimeout) })
	return ctx, func() {
		stop()
		cancel(nil)
	}
}

// unusedName is a key that nobody has.
func (e *examination) unusedName() string {
	b := make([]byte, 8)
	if _, err := io.ReadFull(e.world.Random, b); err != nil {
		panic("doctor: no random bytes: " + err.Error())
	}
	key := strings.ToValidUTF8(e.Key[:min(len(e.Key), wire.MaxKeyBytes-64)], "") // a letter may have been cut
	return fmt.Sprintf("%s.ossa-doctor-%x", key, b)
}
