package doctor

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// errTimeout is why a request ended that took too long.
var errTimeout = errors.New("no answer in time")

// maxAnswer bounds what is read of an answer, in bytes.
const maxAnswer = 64 << 10

// scheme is how a request is signed.
type scheme int

const (
	unsigned scheme = iota
	signV4
	signV1
)

// question is a request on its way.
type question struct {
	method      string
	bucket, key string
	query       []sign.Param
	header      http.Header
	body        []byte
	scheme      scheme
	region      string // of V4
	style       oss.Addressing

	// announce, unless 0, is the length of a body that is announced and never
	// sent: see answer.continued. The signature is made wrong.
	announce int64
}

// answer is what came of it.
type answer struct {
	status    int
	header    http.Header
	body      []byte
	refusal   *wire.Error // of a status of 300 and more
	signed    *sign.Request
	host      string    // that was asked
	at        time.Time // by our clock, when the answer came
	continued bool      // somebody wanted the announced body
	err       error     // there is no answer
}

// code is the code of an error document, or "".
func (a *answer) code() string {
	if a.refusal == nil {
		return ""
	}
	return a.refusal.Code
}

// ours reports whether the answer is one of an OSS server.
func (a *answer) ours() bool {
	return a.err == nil && (a.header.Get(wire.HeaderRequestID) != "" || a.code() != "" && a.refusal.RequestID != "")
}

// text is the answer for people: what a server says in its own words, cut.
func (a *answer) text() string {
	switch {
	case a.err != nil:
		return describe(a.err)
	case a.code() != "":
		return a.refusal.Code + " (HTTP " + strconv.Itoa(a.status) + "): " + plain(a.refusal.Message)
	}
	return "HTTP " + strconv.Itoa(a.status)
}

func (e *examination) newTransport() *http.Transport {
	return &http.Transport{
		Proxy:              func(r *http.Request) (*url.URL, error) { return e.world.Proxy(r.URL) },
		DialContext:        e.world.Dial,
		TLSClientConfig:    &tls.Config{RootCAs: e.world.RootCAs, Time: e.world.Clock.Now},
		DisableCompression: true,
		MaxIdleConns:       4,
	}
}

// address is where a bucket or an object is, as package oss has it.
func (e *examination) address(style oss.Addressing, bucket, key string) url.URL {
	u, path := e.url, "/"+key
	switch {
	case bucket == "" || style == oss.CNAME:
	case style == oss.PathStyle:
		path = "/" + bucket + "/" + key
	default:
		u.Host = bucket + "." + u.Host
	}
	u.Path, u.RawPath = path, wire.EncodePath(path)
	return u
}

// ask sends a question, once.
func (e *examination) ask(ctx context.Context, q question) *answer {
	return e.askBy(ctx, e.transport, q)
}

func (e *examination) askBy(ctx context.Context, transport *http.Transport, q question) *answer {
	ctx, done := e.within(ctx)
	defer done()
	a := &answer{}
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{Got100Continue: func() { a.continued = true }})
	req := e.request(q, a)
	resp, err := transport.RoundTrip(req.WithContext(ctx))
	a.at = e.world.Clock.Now()
	if err != nil {
		a.err = err
		if errors.Is(context.Cause(ctx), errTimeout) {
			a.err = errTimeout
		}
		return a
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	if a.body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil && len(a.body) == 0 {
		a.err = err
		return a
	}
	e.readRefusal(a)
	return a
}

// readRefusal reads why the answer is no, if it is. What people see of it has no
// secrets any more, before it is cut; the texts that were signed have them yet.
func (e *examination) readRefusal(a *answer) {
	if a.status < 300 {
		return
	}
	a.refusal = wire.ParseError(a.status, a.header, a.body)
	a.refusal.Code, a.refusal.Message = e.hide(a.refusal.Code), e.hide(a.refusal.Message)
}

// hide takes the secrets out of a text.
func (e *examination) hide(text string) string {
	return wire.Hide(text, e.Credentials.AccessKeySecret, e.Credentials.SecurityToken)
}

// request makes the HTTP request of a question.
func (e *examination) request(q question, a *answer) *http.Request {
	u := e.address(q.style, q.bucket, q.key)
	u.RawQuery = sign.EncodeQuery(q.query)
	header := q.header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set("User-Agent", e.world.UserAgent)
	header.Set("Accept-Encoding", "identity")
	if q.announce > 0 {
		header.Set("Expect", "100-continue")
	}
	a.host = u.Host
	if q.scheme != unsigned {
		a.signed = &sign.Request{Method: q.method, Bucket: q.bucket, Key: q.key, Query: q.query, Header: header, Host: u.Host}
		key := sign.Credentials{
			AccessKeyID: e.Credentials.AccessKeyID, AccessKeySecret: e.Credentials.AccessKeySecret, SecurityToken: e.Credentials.SecurityToken,
		}
		if q.announce > 0 {
			key.AccessKeySecret = "wrong on purpose"
		}
		if now := e.world.Clock.Now().Add(e.skew); q.scheme == signV1 {
			sign.SignV1Header(a.signed, key, now)
		} else {
			sign.SignV4Header(a.signed, key, q.region, now)
		}
	}
	req := &http.Request{
		Method: q.method, URL: &u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody,
	}
	switch {
	case q.announce > 0:
		req.Body, req.ContentLength = &unsentBody{}, q.announce
	case len(q.body) > 0:
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(q.body)), int64(len(q.body))
	}
	return req
}

// unsentBody is a body of which nothing is ever sent.
type unsentBody struct{}

var errUnsent = errors.New("the body is not sent")

func (*unsentBody) Read([]byte) (int, error) { return 0, errUnsent }
func (*unsentBody) Close() error             { return nil }

// signedQuestion signs a question by the version that the client uses, or by
// the other one if the server takes only that.
func (e *examination) signedQuestion(q question) question {
	q.style, q.region, q.scheme = e.style, e.region, signV4
	switch {
	case e.Anonymous:
		q.scheme = unsigned
	case e.v1 && (e.Signature == oss.SignatureV1 || !e.v4):
		q.scheme = signV1
	}
	return q
}

// maxPlain bounds words of others that are told, in bytes.
const maxPlain = 300

// plain makes words of a stranger fit for a terminal: on one line, without
// control characters, and short.
func plain(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, "?"), func(r rune) bool {
		return r <= ' ' || r >= 0x7f && r < 0xa0
	}), " ")
	if len(s) > maxPlain {
		s = strings.ToValidUTF8(s[:maxPlain], "") + "..."
	}
	return s
}

// describe is an error of the network without the addresses that it repeats.
func describe(err error) string {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	return plain(err.Error())
}
