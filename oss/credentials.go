package oss

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"time"
)

// Credentials are an access key. Printing and logging them shows the ID only.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string    // of temporary keys; "" for others
	Expires         time.Time // zero if they do not expire or nobody knows
}

func (c Credentials) String() string       { return c.AccessKeyID }
func (c Credentials) GoString() string     { return fmt.Sprintf("oss.Credentials{%q}", c.AccessKeyID) }
func (c Credentials) LogValue() slog.Value { return slog.StringValue(c.AccessKeyID) }

// anonymous reports whether requests are to be sent without a signature.
func (c Credentials) anonymous() bool { return c.AccessKeyID == "" && c.AccessKeySecret == "" }

// check finds what is wrong with credentials before a server calls it a
// signature that does not match.
func (c Credentials) check() error {
	if c.anonymous() {
		return nil
	}
	for _, v := range []struct{ name, value string }{
		{"access key ID", c.AccessKeyID}, {"access key secret", c.AccessKeySecret}, {"security token", c.SecurityToken},
	} {
		if v.value == "" && v.name != "security token" {
			return fmt.Errorf("oss: the %s is empty", v.name)
		}
		if strings.ContainsFunc(v.value, func(r rune) bool { return r <= ' ' || r == 0x7f || r > 0x7e }) {
			return fmt.Errorf("oss: the %s has a blank, a line break or another character that none has", v.name)
		}
	}
	return nil
}

// CredentialsProvider hands out credentials, for every request anew. It is used
// concurrently.
type CredentialsProvider interface {
	Credentials(ctx context.Context) (Credentials, error)
}

// CredentialsRefresher is a CredentialsProvider that can get new ones. A Client
// calls Expire with credentials that a server refused as expired or unknown;
// the next Credentials must not be those, if there are others.
type CredentialsRefresher interface {
	CredentialsProvider
	Expire(refused Credentials)
}

// providerFunc is a provider that is one function.
type providerFunc func(ctx context.Context) (Credentials, error)

func (f providerFunc) Credentials(ctx context.Context) (Credentials, error) { return f(ctx) }

// StaticCredentials always hands out the same access key. token is "" unless
// the key is temporary.
func StaticCredentials(id, secret, token string) CredentialsProvider {
	c := Credentials{AccessKeyID: id, AccessKeySecret: secret, SecurityToken: token}
	return providerFunc(func(context.Context) (Credentials, error) {
		if c.anonymous() {
			return c, errors.New("oss: the access key is empty; AnonymousCredentials asks for none")
		}
		return c, c.check()
	})
}

// AnonymousCredentials leaves requests unsigned.
func AnonymousCredentials() CredentialsProvider {
	return providerFunc(func(context.Context) (Credentials, error) { return Credentials{}, nil })
}

// EnvironmentCredentials reads OSS_ACCESS_KEY_ID, OSS_ACCESS_KEY_SECRET and, for
// temporary keys, OSS_SESSION_TOKEN.
func EnvironmentCredentials() CredentialsProvider {
	return providerFunc(func(context.Context) (Credentials, error) {
		c := Credentials{
			AccessKeyID:     os.Getenv("OSS_ACCESS_KEY_ID"),
			AccessKeySecret: os.Getenv("OSS_ACCESS_KEY_SECRET"),
			SecurityToken:   os.Getenv("OSS_SESSION_TOKEN"),
		}
		if c.AccessKeyID == "" || c.AccessKeySecret == "" {
			return Credentials{}, errors.New("oss: OSS_ACCESS_KEY_ID and OSS_ACCESS_KEY_SECRET are not both set")
		}
		return c, c.check()
	})
}

// refreshAhead is how long before their end credentials are renewed.
const refreshAhead = 5 * time.Minute

// RefreshingCredentials hands out what fetch returned, and calls fetch again
// when that is about to expire or a server refused it. However many requests
// wait, one fetch runs at a time. While the old credentials are good, a fetch
// that fails is no error. clock is nil for the time of the machine.
func RefreshingCredentials(fetch func(ctx context.Context) (Credentials, error), clock Clock) CredentialsRefresher {
	if clock == nil {
		clock = systemClock{}
	}
	return &refreshing{fetch: fetch, clock: clock, turn: make(chan struct{}, 1)}
}

type refreshing struct {
	fetch func(ctx context.Context) (Credentials, error)
	clock Clock
	turn  chan struct{} // held by who fetches

	mu      sync.Mutex
	current *Credentials // nil for none; by reference, so that no secret is in the text of a provider
	retryAt time.Time    // not before, after a fetch that failed while current is good
}

// fetchPause is between fetches that fail, while the old credentials are good.
const fetchPause = 10 * time.Second

func (r *refreshing) Credentials(ctx context.Context) (Credentials, error) {
	if c, fresh, _ := r.look(); fresh {
		return c, nil
	}
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return Credentials{}, context.Cause(ctx)
	}
	defer func() { <-r.turn }()

	old, fresh, good := r.look() // somebody else may have fetched meanwhile
	if fresh {
		return old, nil
	}
	c, err := r.fetch(ctx)
	if err == nil {
		err = c.check()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err == nil:
		r.current, r.retryAt = &c, time.Time{}
		return c, nil
	case good:
		r.retryAt = r.clock.Now().Add(fetchPause)
		return old, nil
	}
	return Credentials{}, fmt.Errorf("oss: refresh credentials: %w", err)
}

// look returns the current credentials, whether they can be used without a
// fetch, and whether they can be used at all.
func (r *refreshing) look() (c Credentials, fresh, good bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.current == nil {
		return Credentials{}, false, false
	}
	c = *r.current
	now := r.clock.Now()
	good = c.Expires.IsZero() || now.Before(c.Expires)
	fresh = good && (c.Expires.IsZero() || now.Before(c.Expires.Add(-refreshAhead)) || now.Before(r.retryAt))
	return c, fresh, good
}

// Expire forgets credentials, unless others have come since.
func (r *refreshing) Expire(refused Credentials) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if c := r.current; c != nil && c.AccessKeyID == refused.AccessKeyID && c.SecurityToken == refused.SecurityToken &&
		c.AccessKeySecret == refused.AccessKeySecret {
		r.current = nil
	}
}
