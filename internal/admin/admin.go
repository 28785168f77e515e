// Package admin is the API by which users, access keys, policies, sessions and
// the key ring are looked after, and its client. docs/admin-api.md describes it
// for those who call it.
//
// A call is a POST of a JSON document to Prefix and the name of an action. It is
// signed as calls of OSS are, with V4 in the Authorization header, by root or
// by whom policies allow the action; the names of actions are those of RAM, and
// nobody but root may do anything without such a policy. Two things differ from
// OSS:
//
//   - The resource that is signed is in a bucket that there cannot be. So no
//     signature that was made for OSS is one here, nor the other way round.
//   - The signatures of OSS leave the body out. Here its SHA-256 must stand in a
//     header that is signed, so that a signed call says all that it asks for.
//
// Who fails to prove an identity too often is not listened to for a while. A
// secret is in the answer that tells of its making, in no other one, and in no
// log.
package admin

import (
	"context"
	"crypto/rand"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/store"
)

// bucket poses as a bucket in signatures. No bucket has an underscore.
const bucket = "_admin"

// version is the part of the path that changes with the API.
const version = "v1/"

// Prefix begins the path of every call; the name of the action follows.
const Prefix = "/" + bucket + "/" + version

// digestHeader holds the SHA-256 of the body in lower-case hex. It is signed,
// as all headers are that begin so.
const digestHeader = "X-Oss-Body-Sha256"

const requestIDHeader = "X-Oss-Request-Id"

// Ring is what can be done to a key ring. A *kms.Local is one.
type Ring interface {
	Keys() []kms.KeyInfo
	Create(ctx context.Context, keyID string) error
	Rotate(ctx context.Context, keyID string) error
}

// Options of a Handler. Store and Keys must be set.
type Options struct {
	Store      *store.Store
	Keys       *iam.Keys
	Ring       Ring // nil: the server has none
	Authorizer auth.Authorizer

	Region string           // that calls are signed for; required
	Clock  func() time.Time // default time.Now
	Rand   io.Reader        // for request IDs; default crypto/rand; used concurrently
	Logger *slog.Logger     // default discards

	MaxBody     int64         // of a call, in bytes; default 64 KiB
	BodyTimeout time.Duration // for a body to arrive; default 10 s
	MaxInFlight int           // calls at once; more are turned away; default 32

	// After so many calls in a row from one address that prove no identity it is
	// heard once in FailureEvery. Default 20 and 3 s.
	MaxFailures  int
	FailureEvery time.Duration
}

// EnsureDefaults fills in what is zero.
func (o *Options) EnsureDefaults() {
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.MaxBody == 0 {
		o.MaxBody = 64 << 10
	}
	if o.BodyTimeout == 0 {
		o.BodyTimeout = 10 * time.Second
	}
	if o.MaxInFlight == 0 {
		o.MaxInFlight = 32
	}
	if o.MaxFailures == 0 {
		o.MaxFailures = 20
	}
	if o.FailureEvery == 0 {
		o.FailureEvery = 3 * time.Second
	}
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	if o.Store == nil || o.Keys == nil || o.Region == "" {
		return errors.New("admin: Options.Store, Keys and Region must be set")
	}
	if o.MaxBody < 0 || o.BodyTimeout < 0 || o.MaxInFlight < 0 || o.MaxFailures < 0 || o.FailureEvery < 0 {
		return errors.New("admin: negative limit")
	}
	return nil
}

// Handler answers calls.
type Handler struct {
	opts     Options
	actions  map[string]*action
	failures *failures
	slots    chan struct{}
}

// New returns a handler for the paths below Prefix.
func New(opts Options) (*Handler, error) {
	opts.EnsureDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	h := &Handler{
		opts: opts, actions: make(map[string]*action),
		failures: newFailures(opts.MaxFailures, opts.FailureEvery),
		slots:    make(chan struct{}, opts.MaxInFlight),
	}
	for i := range actions {
		h.actions[actions[i].name] = &actions[i]
	}
	return h, nil
}

var _ http.Handler = (*Handler)(nil)
