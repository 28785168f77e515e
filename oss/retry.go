package oss

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"math"
	"net"
	"net/http"
	"strconv"
	"time"
)

// RetryPolicy says how often and when a failed request is sent again. Whether it
// may be is not a matter of policy: see the package comment.
type RetryPolicy struct {
	Attempts int // in all, the first one included; default 5, 1 for no repetition

	// PartAttempts is Attempts for UploadPart, UploadPartCopy and
	// CompleteMultipartUpload, and for the ranges of a download: where giving up
	// throws away most. It counts for every request while no connection can be made
	// to an endpoint that has answered before, as when a server is started again.
	// Default 10, which takes about a minute, or Attempts if that is given.
	PartAttempts int

	MinPause time.Duration // before the first repetition; default 200 ms
	MaxPause time.Duration // default 20 s
}

func (p RetryPolicy) withDefaults() (RetryPolicy, error) {
	if p.Attempts < 0 || p.PartAttempts < 0 || p.MinPause < 0 || p.MaxPause < 0 {
		return p, errors.New("oss: negative value in RetryPolicy")
	}
	if p.PartAttempts == 0 {
		p.PartAttempts = cmp.Or(p.Attempts, 10)
	}
	if p.Attempts == 0 {
		p.Attempts = 5
	}
	if p.MinPause == 0 {
		p.MinPause = 200 * time.Millisecond
	}
	if p.MaxPause == 0 {
		p.MaxPause = 20 * time.Second
	}
	p.MaxPause = max(p.MaxPause, p.MinPause)
	return p, nil
}

// pause is how long to wait before the n-th repetition, 1 and up: doubling, and
// between half and the whole of that, so that clients do not come in step.
func (p RetryPolicy) pause(n int, random float64) time.Duration {
	d := p.MaxPause
	if doubled := float64(p.MinPause) * math.Pow(2, float64(n-1)); doubled < float64(p.MaxPause) {
		d = time.Duration(doubled)
	}
	return d/2 + time.Duration(float64(d/2)*random)
}

// failure is what an attempt that did not succeed means.
type failure int

const (
	final     failure = iota // another attempt would fail as well
	notDone                  // the server certainly did nothing
	uncertain                // the server may have acted
)

// classify tells what the error of an attempt means. Errors of the transport
// leave open what the server did, unless no connection was made.
func classify(ctx context.Context, err error) failure {
	if ctx.Err() != nil {
		return final
	}
	if e := (*Error)(nil); errors.As(err, &e) {
		return classifyAnswer(e)
	}
	if notConnected(err) {
		return notDone
	}
	if bad := (*sourceError)(nil); errors.As(err, &bad) {
		return final
	}
	if bad := (*tls.CertificateVerificationError)(nil); errors.As(err, &bad) || errors.Is(err, http.ErrSchemeMismatch) {
		return final
	}
	return uncertain
}

// notConnected reports whether no connection to the endpoint was made.
func notConnected(err error) bool {
	op := (*net.OpError)(nil)
	return errors.As(err, &op) && op.Op == "dial"
}

// attempts is how often a call is sent that last failed with err.
func (c *Client) attempts(k *call, err error) int {
	switch {
	case k.once:
		return 1
	case k.patient, c.reached.Load() && notConnected(err):
		return c.retry.PartAttempts
	}
	return c.retry.Attempts
}

func classifyAnswer(e *Error) failure {
	switch e.Code {
	case "RequestTimeout", "IncompleteBody", "InvalidDigest", "InvalidCRC64":
		// What was sent did not arrive, or not as it was.
		return notDone
	case "NotImplemented", "CallbackFailed":
		return final
	}
	switch e.Status {
	case http.StatusTooManyRequests, http.StatusServiceUnavailable, http.StatusRequestTimeout:
		return notDone
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return final
	}
	if e.Status >= 500 {
		return uncertain
	}
	return final
}

// expired reports whether an answer says that the credentials are no longer good.
func expired(e *Error) bool {
	switch e.Code {
	case "SecurityTokenExpired", "ExpiredToken", "InvalidSecurityToken", "InvalidAccessKeyId":
		return true
	}
	return false
}

// maxRetryAfter bounds how long a server can make us wait.
const maxRetryAfter = time.Minute

// retryAfter reads the header of that name, in seconds.
func retryAfter(h http.Header) time.Duration {
	n, err := strconv.Atoi(h.Get("Retry-After"))
	if err != nil || n <= 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, maxRetryAfter)
}
