package admin

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/sign"
)

// call is one request on its way.
type call struct {
	h        *Handler
	r        *http.Request
	id       string
	action   *action
	address  netip.Addr
	identity auth.Identity

	accessKeyID string // as claimed, whether or not it was proven
	resources   []auth.Resource
}

// ServeHTTP answers one call. Every answer is JSON.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := time.Now()
	c := &call{h: h, r: r, id: h.newRequestID(), address: addressOf(r)}
	answer, err := c.serve(w)
	status := http.StatusOK
	var refusal *Error
	if err != nil {
		refusal = c.refusal(err)
		status, answer = refusal.Status, refusal
	}
	body, bad := json.Marshal(answer)
	if bad != nil {
		panic(bad) // our own types
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set(requestIDHeader, c.id)
	if refusal != nil && refusal.retryAfter > 0 {
		header.Set("Retry-After", fmt.Sprint(int(refusal.retryAfter/time.Second)+1))
	}
	w.WriteHeader(status)
	_, _ = w.Write(append(body, '\n')) // who left does not read it
	c.log(status, refusal, time.Since(began))
}

// serve does what the call asks for, if its sender may.
func (c *call) serve(w http.ResponseWriter) (answer any, err error) {
	defer func() {
		if value := recover(); value != nil {
			c.h.opts.Logger.Error("a call of the admin API panicked", "request_id", c.id, "panic", fmt.Sprint(value), "stack", string(debug.Stack()))
			err = errInternal
		}
	}()
	select {
	case c.h.slots <- struct{}{}:
		defer func() { <-c.h.slots }()
	default:
		return nil, refuse(http.StatusServiceUnavailable, "ServiceUnavailable", "Too many calls at the same time. Try again.")
	}
	if wait := c.h.failures.wait(c.address, c.h.opts.Clock()); wait > 0 {
		return nil, &Error{
			Status: http.StatusTooManyRequests, Code: "TooManyFailures", retryAfter: wait,
			Message: "Too many calls from this address did not prove who sent them. Wait before you try again.",
		}
	}
	name, below := strings.CutPrefix(c.r.URL.Path, Prefix)
	if c.action = c.h.actions[name]; c.action == nil || !below || c.r.URL.RawQuery != "" {
		c.action = nil
		return nil, refuse(http.StatusNotFound, "NoSuchAction", "There is no action of this name. A call is POST "+Prefix+"<Action>, without a query.")
	}
	if c.r.Method != http.MethodPost {
		return nil, refuse(http.StatusMethodNotAllowed, "MethodNotAllowed", "Calls are sent with POST.")
	}
	if err := c.authenticate(); err != nil {
		return nil, err
	}
	body, err := c.readBody(w)
	if err != nil {
		return nil, err
	}
	return c.action.serve(c.r.Context(), c, body)
}

// authenticate finds out who sent the call. Whoever does not prove it is
// counted against the address.
func (c *call) authenticate() error {
	err := c.verify()
	var flaw *sign.Error
	if errors.As(err, &flaw) {
		c.h.failures.note(c.address, c.h.opts.Clock())
	}
	return err
}

func (c *call) verify() error {
	signed := &sign.Request{
		Method: c.r.Method,
		Bucket: bucket,
		Key:    version + c.action.name,
		Header: c.r.Header,
		Host:   c.r.Host,
	}
	claim, err := sign.Parse(signed)
	if err != nil {
		return err
	}
	if claim.Scheme != sign.V4Header {
		return &sign.Error{Code: "AccessDenied", Status: http.StatusForbidden, Message: "Calls of the admin API are signed with V4 in the Authorization header."}
	}
	c.accessKeyID = claim.AccessKeyID
	c.identity, err = auth.Verify(c.r.Context(), c.h.opts.Keys, claim, signed, c.h.opts.Clock(), c.h.opts.Region)
	return err
}

// readBody reads the body, which must be the one that was signed.
func (c *call) readBody(w http.ResponseWriter) ([]byte, error) {
	values := c.r.Header.Values(digestHeader)
	if len(values) != 1 {
		return nil, refuse(http.StatusBadRequest, "MissingBodyDigest", "The header "+strings.ToLower(digestHeader)+" must hold the SHA-256 of the body in hex.")
	}
	// Not every writer has deadlines; those of net/http do.
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(c.h.opts.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(w, c.r.Body, c.h.opts.MaxBody))
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		return nil, refuse(http.StatusRequestEntityTooLarge, "BodyTooLarge", fmt.Sprintf("A body has %d bytes at most.", c.h.opts.MaxBody))
	case err != nil:
		return nil, refuse(http.StatusBadRequest, "IncompleteBody", "The body did not arrive.")
	}
	sum := sha256.Sum256(body)
	if subtle.ConstantTimeCompare([]byte(hex.EncodeToString(sum[:])), []byte(values[0])) != 1 {
		return nil, refuse(http.StatusBadRequest, "BodyDigestMismatch", "The body is not the one whose SHA-256 was signed.")
	}
	return body, nil
}

// decode reads one JSON object, all of it known.
func decode(body []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return refuse(http.StatusBadRequest, "InvalidBody", "The body is not the JSON document of this action: "+strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := d.Token(); err != io.EOF {
		return refuse(http.StatusBadRequest, "InvalidBody", "Something follows the JSON document.")
	}
	return nil
}

// authorize sees that the sender may do the action to all that it touches.
func (c *call) authorize(resources []auth.Resource) error {
	c.resources = resources
	for _, resource := range resources {
		d := c.h.opts.Authorizer.Decide(auth.Request{
			Identity: c.identity, Action: c.action.permission, Resource: resource,
			Context: auth.Conditions{
				SourceIP: c.address, UserAgent: c.r.UserAgent(), Time: c.h.opts.Clock(), Secure: c.r.TLS != nil,
			},
		})
		if !d.Allowed {
			return &Error{
				Status: http.StatusForbidden, Code: "NoPermission", Message: d.Reason,
				Action: d.Action, Resource: d.Resource, NoPermissionType: d.NoPermissionType(),
			}
		}
	}
	return nil
}

func (c *call) log(status int, refusal *Error, elapsed time.Duration) {
	code := ""
	if refusal != nil {
		code = refusal.Code
	}
	var resources []string
	for _, r := range c.resources {
		resources = append(resources, clip(r.String()))
	}
	c.h.opts.Logger.LogAttrs(context.Background(), slog.LevelInfo, "admin request",
		slog.String("request_id", c.id),
		slog.String("action", c.name()),
		slog.String("resource", strings.Join(resources, " ")),
		slog.Int("status", status),
		slog.String("code", code),
		slog.Duration("duration", elapsed),
		slog.String("remote", c.r.RemoteAddr),
		slog.String("access_key_id", clip(c.accessKeyID)),
		slog.Bool("authenticated", c.identity.Kind != auth.Anonymous),
		slog.String("user", c.identity.Name),
		slog.String("user_agent", clip(c.r.UserAgent())),
	)
}

// name is the action's, "" when there is none.
func (c *call) name() string {
	if c.action == nil {
		return ""
	}
	return c.action.name
}

// clipBytes bounds what one attribute of a log line takes from a client.
const clipBytes = 256

func clip(s string) string {
	if len(s) > clipBytes {
		return s[:clipBytes] + "..."
	}
	return s
}

// newRequestID returns 24 upper-case hex digits, as those of the OSS API are.
func (h *Handler) newRequestID() string {
	var b [12]byte
	binary.BigEndian.PutUint32(b[:], uint32(h.opts.Clock().Unix()))
	if _, err := io.ReadFull(h.opts.Rand, b[4:]); err != nil {
		panic(fmt.Sprintf("admin: no randomness: %v", err))
	}
	return strings.ToUpper(hex.EncodeToString(b[:]))
}

func addressOf(r *http.Request) netip.Addr {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	address, _ := netip.ParseAddr(host)
	return address.Unmap().WithZone("")
}
