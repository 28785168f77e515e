package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
)

// call is one operation on its way to the wire.
type call struct {
	op          string
	method      string
	bucket, key string
	query       []sign.Param
	header      http.Header
	body        *content // nil for none

	// idempotent says that a second request does no harm when the first may have
	// been acted upon.
	idempotent bool
	patient    bool // RetryPolicy.PartAttempts counts
	once       bool // whoever sends it repeats it
	slow       bool // the server may take its time, see WithAnswerTimeout
	stream     bool // the answer's body is handed out

	err error // a mistake found while building

	// ambiguous is set when an attempt ended without telling what the server did.
	ambiguous bool
}

func newCall(op, method, bucket, key string, extra http.Header) *call {
	k := &call{op: op, method: method, bucket: bucket, key: key, header: http.Header{}}
	for name, values := range extra {
		k.header[http.CanonicalHeaderKey(name)] = append([]string(nil), values...)
	}
	return k
}

// onBucket is a call that is about a bucket.
func onBucket(op, method, bucket string, extra http.Header) *call {
	k := newCall(op, method, bucket, "", extra)
	if !wire.ValidBucketName(bucket) {
		k.fail(fmt.Errorf("%q is not a bucket name", bucket))
	}
	return k
}

// onObject is a call that is about an object. A key is checked here, because
// without one the request would be about the bucket.
func onObject(op, method, bucket, key string, extra http.Header) *call {
	k := onBucket(op, method, bucket, extra)
	k.key = key
	if wire.ValidateKey(key) != nil {
		k.fail(fmt.Errorf("%q is not an object key: 1 to %d bytes of UTF-8, not beginning with / or \\", key, wire.MaxKeyBytes))
	}
	return k
}

// fail notes the first mistake.
func (k *call) fail(err error) {
	if k.err == nil {
		k.err = err
	}
}

// param adds a parameter with a value, unless that is "".
func (k *call) param(name, value string) {
	if value != "" {
		k.query = append(k.query, sign.Param{Name: name, Value: value})
	}
}

// flag adds a parameter without a value.
func (k *call) flag(name string) { k.query = append(k.query, sign.Param{Name: name}) }

func (k *call) number(name string, n int) {
	if n != 0 {
		k.param(name, strconv.Itoa(n))
	}
}

// set sets a header, unless value is "".
func (k *call) set(name, value string) {
	if value != "" {
		k.header.Set(name, value)
	}
}

func (k *call) setTime(name string, t time.Time) {
	if !t.IsZero() {
		k.header.Set(name, wire.FormatHTTPDate(t))
	}
}

// document makes doc the body.
func (k *call) document(doc any) {
	data, err := wire.Marshal(doc)
	if err != nil {
		k.fail(err)
		return
	}
	k.set("Content-Type", wire.ContentTypeXML)
	k.body = bytesContent(data)
}

// reply is a successful answer.
type reply struct {
	status int
	header http.Header
	doc    []byte        // what was answered, if the call is no stream
	body   io.ReadCloser // what is answered, if it is one
	length int64         // of body, -1 if unknown
	sent   int64         // bytes of the request's body
}

// digestTries is how often bytes are sent that did not have their digest.
const digestTries = 2

// maxDocument bounds an answer that is no object, in bytes: 1000 entries with
// keys of 1023 bytes, all of them escaped, fit.
const maxDocument = 32 << 20

// maxErrorBody bounds what is read of an error.
const maxErrorBody = 64 << 10

// send sends a call, again if that is needed, possible and harmless.
func (c *Client) send(ctx context.Context, k *call) (*reply, error) {
	if k.err != nil {
		return nil, opError(k.op, k.bucket, k.key, k.err)
	}
	skewed, refreshed := false, false
	for n := 1; ; n++ {
		if ctx.Err() != nil {
			return nil, opError(k.op, k.bucket, k.key, ended(ctx))
		}
		creds, err := c.credentials.Credentials(ctx)
		if err != nil {
			return nil, opError(k.op, k.bucket, k.key, err)
		}
		r, again, err := c.attempt(ctx, k, creds)
		if err == nil {
			return r, nil
		}
		what := classify(ctx, err)
		if what == uncertain {
			k.ambiguous = true
		}
		e := (*Error)(nil)
		if errors.As(err, &e) && again && ctx.Err() == nil {
			if e.Code == "RequestTimeTooSkewed" && !skewed && c.correctClock(e) {
				skewed = true
				n--
				continue
			}
			if p, ok := c.credentials.(CredentialsRefresher); ok && expired(e) && !refreshed {
				refreshed = true
				p.Expire(creds)
				n--
				continue
			}
		}
		if e != nil && (e.Code == "InvalidDigest" || e.Code == "InvalidCRC64") && n >= digestTries {
			return nil, err // the digest is wrong, not the bytes
		}
		if what == final || what == uncertain && !k.idempotent || !again || n >= c.attempts(k, err) {
			return nil, err
		}
		pause := c.retry.pause(n, c.random())
		if e != nil {
			pause = max(pause, e.retryAfter)
		}
		c.log.Warn("request is repeated", "op", k.op, "bucket", k.bucket, "key", k.key, "attempt", n, "pause", pause, "err", err)
		if err := sleep(ctx, c.clock, pause); err != nil {
			return nil, opError(k.op, k.bucket, k.key, ended(ctx))
		}
	}
}

// ended is why a context has ended. It is context.Canceled or DeadlineExceeded,
// and the cause if there is another.
func ended(ctx context.Context) error {
	err, cause := ctx.Err(), context.Cause(ctx)
	if cause == nil || err == cause {
		return err
	}
	return fmt.Errorf("%w: %w", err, cause)
}

// Now is the time as the server has it, as far as that is known: the clock is
// corrected once a request was refused because of it.
func (c *Client) Now() time.Time { return c.clock.Now().Add(time.Duration(c.skew.Load())) }

// correctClock learns the server's time from its refusal.
func (c *Client) correctClock(e *Error) bool {
	if e.date.IsZero() {
		return false
	}
	skew := e.date.Sub(c.clock.Now())
	c.skew.Store(int64(skew))
	c.log.Warn("the clock differs from the server's and was corrected", "skew", skew)
	return true
}

// attempt sends a call once. again is whether it can be sent once more, as far
// as its body is concerned.
func (c *Client) attempt(parent context.Context, k *call, creds Credentials) (r *reply, again bool, err error) {
	ctx, cancel := context.WithCancelCause(parent)
	w := &watch{clock: c.clock, cancel: cancel}
	answer := c.answer
	if k.slow {
		answer *= slowAnswer
	}
	req, signed, err := c.newRequest(ctx, k, creds)
	if err != nil {
		cancel(nil)
		return nil, false, opError(k.op, k.bucket, k.key, err)
	}

	var out *outgoing
	w.arm(answer)
	if k.body != nil && k.body.size != 0 {
		out, err = k.body.begin(ctx, c.limit, w, func(sent bool) {
			if sent {
				w.arm(answer)
			} else {
				w.arm(c.stall)
			}
		})
		if err != nil {
			w.end()
			cancel(nil)
			return nil, false, opError(k.op, k.bucket, k.key, &sourceError{err})
		}
		req.Body, req.ContentLength = out, k.body.size
		w.arm(c.stall)
	}

	began := c.clock.Now()
	resp, err := c.http.Do(req)
	w.disarm()
	if err == nil {
		c.reached.Store(true)
	}
	var refusal *Error // what the server answered, and not what ended another call and with it this context
	in := &incoming{watch: w, stall: c.stall, slow: k.slow, ctx: ctx, cancel: cancel, limit: c.limit, length: -1}
	if err == nil {
		in.body, in.length = resp.Body, resp.ContentLength
		r = &reply{status: resp.StatusCode, header: resp.Header, length: in.length}
		err = c.receive(k, r, in)
		refusal, _ = err.(*Error)
	}
	streams := err == nil && k.stream
	var failed error // of the caller's body
	again = true
	if out != nil {
		if err != nil || !streams {
			cancel(nil) // so that the transport lets go of the body
		}
		sent, touched, srcErr := out.detach()
		again, failed = k.body.again || !touched, srcErr
		if err != nil && k.body.moved != nil && sent > 0 {
			k.body.moved(-sent)
		}
		if r != nil {
			r.sent = sent
		}
	}
	c.log.Debug("request", "op", k.op, "bucket", k.bucket, "key", k.key, "status", status(resp), "took", c.clock.Now().Sub(began), "err", err)
	if err == nil {
		if streams {
			r.body = in
		} else {
			in.Close()
		}
		return r, again, nil
	}

	cause := context.Cause(ctx)
	in.Close()
	if refusal != nil {
		for _, text := range []*string{&refusal.Code, &refusal.Message} {
			*text = wire.Hide(*text, creds.AccessKeySecret, creds.SecurityToken)
		}
		refusal.explain(signed)
		return nil, again, refusal
	}
	switch {
	case failed != nil:
		err = failed
	case parent.Err() != nil:
		err = ended(parent)
	case errors.Is(cause, ErrStalled):
		err = ErrStalled
	}
	if u := (*url.Error)(nil); errors.As(err, &u) {
		err = u.Err // the address says nothing that the operation does not
	}
	return nil, again, opError(k.op, k.bucket, k.key, err)
}

func status(resp *http.Response) int {
	if resp == nil {
		return 0
	}
	return resp.StatusCode
}

// receive reads an answer, but for the body of a stream.
func (c *Client) receive(k *call, r *reply, in *incoming) error {
	if r.status >= 300 || r.status < 200 || r.status == http.StatusNonAuthoritativeInfo {
		body, err := io.ReadAll(io.LimitReader(in, maxErrorBody))
		if err != nil && len(body) == 0 && k.method != http.MethodHead {
			return err
		}
		e := newError(k.op, k.bucket, k.key, wire.ParseError(r.status, r.header, body))
		e.retryAfter = retryAfter(r.header)
		e.date, _ = wire.ParseHTTPDate(r.header.Get("Date"))
		if e.Code == "" && k.method == http.MethodHead && r.status == http.StatusNotFound && k.key != "" {
			e.Code = "NoSuchKey" // from an endpoint without x-oss-err
		}
		return e
	}
	if k.stream {
		return nil
	}
	doc := &bytes.Buffer{}
	n, err := io.Copy(doc, io.LimitReader(in, maxDocument+1))
	if err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	if n > maxDocument {
		return fmt.Errorf("the answer is longer than %d bytes", maxDocument)
	}
	r.doc = doc.Bytes()
	return nil
}

// explain adds what was signed to the refusal of a signature.
func (e *Error) explain(signed *sign.Request) {
	if e.Code != "SignatureDoesNotMatch" || signed == nil {
		return
	}
	if claim, err := sign.Parse(signed); err == nil {
		e.CanonicalRequest, e.StringToSign = claim.CanonicalRequest(signed), claim.StringToSign(signed)
	}
}

// newRequest makes the HTTP request, signed. signed is nil for one without a
// signature.
func (c *Client) newRequest(ctx context.Context, k *call, creds Credentials) (req *http.Request, signed *sign.Request, err error) {
	header := k.header.Clone()
	for name, values := range c.header {
		if _, set := header[name]; !set {
			header[name] = values
		}
	}
	header.Set("User-Agent", c.userAgent)
	if k.method == http.MethodGet {
		header.Set("Accept-Encoding", "identity")
	}
	if err := checkHeader(header); err != nil {
		return nil, nil, err
	}
	u := c.address(k.bucket, k.key)
	u.RawQuery = sign.EncodeQuery(k.query)
	if err := creds.check(); err != nil {
		return nil, nil, err
	}
	if !creds.anonymous() {
		signed = &sign.Request{Method: k.method, Bucket: k.bucket, Key: k.key, Query: k.query, Header: header, Host: u.Host}
		key := sign.Credentials{AccessKeyID: creds.AccessKeyID, AccessKeySecret: creds.AccessKeySecret, SecurityToken: creds.SecurityToken}
		if c.signature == SignatureV1 {
			sign.SignV1Header(signed, key, c.Now())
		} else {
			sign.SignV4Header(signed, key, c.region, c.Now(), c.additional...)
		}
	}
	req = &http.Request{
		Method: k.method, URL: &u, Host: u.Host, Header: header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Body: http.NoBody,
	}
	return req.WithContext(ctx), signed, nil
}

// checkHeader refuses what cannot stand in a header, before it is signed.
func checkHeader(h http.Header) error {
	for name, values := range h {
		if name == "" || strings.ContainsFunc(name, func(r rune) bool { return !isTokenRune(r) }) {
			return fmt.Errorf("%q is not the name of a header", name)
		}
		for _, v := range values {
			if strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
				return fmt.Errorf("the header %s has a control character in it", name)
			}
		}
	}
	return nil
}

// isTokenRune reports whether r can stand in the name of a header.
func isTokenRune(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("!#$%&'*+-.^_`|~", r)
}

// begin opens the body for an attempt.
func (b *content) begin(ctx context.Context, limit *limiter, w *watch, arm func(sent bool)) (*outgoing, error) {
	r, err := b.open()
	if err != nil {
		return nil, err
	}
	if b.sum != nil {
		b.sum.Reset()
	}
	return &outgoing{c: b, ctx: ctx, limit: limit, watch: w, arm: arm, r: r, left: b.size}, nil
}

// incoming is the body of an answer.
type incoming struct {
	body   io.ReadCloser // nil if there is no answer
	watch  *watch
	stall  time.Duration
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  *limiter
	length int64 // announced; -1 if unknown

	slow   bool          // as of the call
	came   int           // bytes, of the latest leastPerStall
	waited time.Duration // for them
}

// leastPerStall is how many bytes of an answer must come within the stall timeout:
// what trickles stands as good as still, and could do so for years.
const leastPerStall = 256

// trickles counts what came after a wait.
func (in *incoming) trickles(n int, wait time.Duration) bool {
	in.came += n
	in.waited += wait
	if in.came >= leastPerStall {
		in.came, in.waited = 0, 0
	}
	return in.waited >= in.stall && in.stall > 0 && !in.slow
}

func (in *incoming) Read(p []byte) (int, error) {
	began := in.watch.clock.Now()
	in.watch.arm(in.stall)
	n, err := in.body.Read(p)
	in.watch.disarm()
	if in.trickles(n, in.watch.clock.Now().Sub(began)) && err == nil {
		in.cancel(ErrStalled)
		err = ErrStalled
	}
	in.limit.wait(in.ctx, n)
	if err != nil && err != io.EOF && errors.Is(context.Cause(in.ctx), ErrStalled) {
		err = ErrStalled
	}
	return n, err
}

func (in *incoming) Close() error {
	in.watch.end()
	in.cancel(nil)
	if in.body == nil {
		return nil
	}
	return in.body.Close()
}
