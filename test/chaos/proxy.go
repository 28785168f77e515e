package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/digest"
)

// proxy stands between clients and the server and fails as networks and gateways
// do.
type proxy struct {
	url       string
	http      http.Server
	served    chan struct{}
	transport http.Transport

	mu       sync.Mutex
	target   string // host:port of the server, "" while there is none
	random   *rand.Rand
	rate     float64
	hangs    int // requests that may still hang
	ledger   *ledger
	log      io.Writer
	triggers []*trigger
	quit     chan struct{} // closed when the client has ended
	busy     int           // requests under way
	idle     *sync.Cond    // busy is 0
}

// trigger fires when so many bytes or requests have passed, whatever comes first.
type trigger struct {
	bytes    int64
	requests int
	fired    chan struct{}
	once     sync.Once
}

func newTrigger(bytes int64, requests int) *trigger {
	return &trigger{bytes: bytes, requests: requests, fired: make(chan struct{})}
}

func newProxy() (*proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{url: "http://" + l.Addr().String(), served: make(chan struct{}), ledger: newLedger(), log: io.Discard, quit: make(chan struct{})}
	p.idle = sync.NewCond(&p.mu)
	p.transport.DisableCompression = true
	p.transport.MaxIdleConnsPerHost = 16
	p.http.Handler = p
	go func() {
		defer close(p.served)
		p.http.Serve(l)
	}()
	return p, nil
}

func (p *proxy) close() {
	p.http.Close()
	<-p.served
	p.transport.CloseIdleConnections()
}

// pointTo sets where the server is.
func (p *proxy) pointTo(target string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = target
	p.transport.CloseIdleConnections()
}

// roundBegins sets what happens from now on.
func (p *proxy) roundBegins(plan *plan, log io.Writer) *ledger {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.random = rand.New(rand.NewPCG(plan.bodySeed, 3))
	p.rate, p.hangs, p.ledger, p.log = plan.rate, 0, newLedger(), log
	if plan.hang {
		p.hangs = 1
	}
	return p.ledger
}

// calm ends all faults.
func (p *proxy) calm() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rate, p.hangs = 0, 0
}

// clientStarts begins one run of a client.
func (p *proxy) clientStarts(triggers []*trigger) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.triggers, p.quit = triggers, make(chan struct{})
	p.ledger.clientStarts()
}

// clientEnded lets go of what stalls.
func (p *proxy) clientEnded() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.quit)
	p.triggers = nil
}

// enter counts requests under way.
func (p *proxy) enter(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.busy += n; p.busy == 0 {
		p.idle.Broadcast()
	}
}

// settle waits until no request is under way.
func (p *proxy) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.busy > 0 {
		p.idle.Wait()
	}
}

// passed tells the triggers.
func (p *proxy) passed(bytes int64, requests int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, t := range p.triggers {
		t.bytes -= bytes
		t.requests -= requests
		if t.bytes < 0 || t.requests < 0 {
			t.once.Do(func() { close(t.fired) })
		}
	}
}

type faultKind int

const (
	none     faultKind = iota
	delay              // before the server gets the request
	stall              // in the middle of the body, or before the answer
	hang               // the same, until the client goes
	cut                // in the middle of the body
	damage             // a bit of a part
	refuse             // instead of the server
	lose               // the answer
	disown             // the answer is 500, 502 or 503 though the server acted
	truncate           // the answer
	kinds
)

func (k faultKind) String() string {
	return [...]string{"", "delay", "stall", "hang", "cut", "damage", "refuse", "lose", "disown", "truncate"}[k]
}

// fault is what one request meets.
type fault struct {
	kind   faultKind
	at     int64 // byte
	pause  time.Duration
	status int
}

const (
	pauseMax = 400 * time.Millisecond // of delays and stalls
	hangMax  = 40 * time.Second       // longer than a client stands while it sends
)

func (p *proxy) choose(e *request) fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	r := p.random
	if p.hangs > 0 && r.IntN(10) == 0 {
		p.hangs--
		return fault{kind: hang, at: r.Int64N(max(e.size, 1))}
	}
	if r == nil || r.Float64() >= p.rate {
		return fault{}
	}
	f := fault{
		kind: faultKind(1 + r.IntN(int(kinds)-1)), at: r.Int64N(max(e.size, 1)), pause: upTo(r, pauseMax),
		status: [...]int{500, 502, 503}[r.IntN(3)],
	}
	switch {
	case f.kind == hang:
		f.kind = lose // there are few of those, and they are planned
	case f.kind == damage && (e.op != opPart || e.size < 1):
		f.kind = disown // what an object holds must be of the file
	case f.kind == truncate:
		f.at = r.Int64N(300)
	}
	return f
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.enter(1)
	defer p.enter(-1)
	p.passed(0, 1)
	e := newRequest(r)
	f := p.choose(e)
	p.mu.Lock()
	l, quit, log, target := p.ledger, p.quit, p.log, p.target
	p.mu.Unlock()
	l.begin(e)
	if f.kind != none {
		l.fault()
	}
	body := &carried{p: p, r: r.Body, e: e, f: f, quit: quit, crc: digest.NewCRC64()}
	outcome := p.pass(w, r, e, f, body, l, target, quit)
	fmt.Fprintf(log, "%s %s %s %d, %d of %d bytes, fault %v at %d: %s\n", time.Now().Format("15:04:05.000"), e.op, e.uploadID, e.part, e.sent, e.size, f.kind, f.at, outcome)
}

// pass lets a request through, or not.
func (p *proxy) pass(w http.ResponseWriter, r *http.Request, e *request, f fault, body *carried, l *ledger, target string, quit chan struct{}) string {
	if target == "" {
		f = fault{kind: refuse, status: 502}
	}
	switch f.kind {
	case refuse:
		if f.at%2 == 0 {
			io.Copy(io.Discard, body) // some read all of it before
		}
		l.end(e, false, false)
		refusal(w, f.status)
		return fmt.Sprint("refused with ", f.status)
	case delay:
		time.Sleep(f.pause) // whatever becomes of the client
	case cut:
		if e.size <= 0 {
			l.end(e, false, false)
			abort(w)
			return "cut"
		}
	}
	resp, answer, err := p.forward(r, e, body, target)
	acted := err == nil && resp.StatusCode/100 == 2
	kept := l.end(e, acted, body.damaged)
	if err != nil {
		abort(w)
		return "cut: " + err.Error()
	}
	if acted && e.op == opInitiate {
		l.initiated(answer)
	}
	outcome := fmt.Sprint("answered ", resp.StatusCode)
	switch f.kind {
	case hang:
		wait(quit, hangMax)
		abort(w)
		return outcome + ", hung"
	case stall:
		if e.size <= 0 {
			time.Sleep(f.pause)
		}
	case lose:
		abort(w)
		return outcome + ", lost"
	case disown:
		refusal(w, f.status)
		return outcome + fmt.Sprint(", disowned with ", f.status)
	case truncate:
		part := wireForm(resp, answer)
		abortAfter(w, part[:min(f.at, int64(len(part))-1)])
		return outcome + ", truncated"
	}
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	if r.Method != http.MethodHead {
		w.Write(answer)
	}
	if http.NewResponseController(w).Flush() != nil || r.Context().Err() != nil {
		return outcome + ", and the client had gone"
	}
	l.delivered(kept)
	return outcome
}

// answerMax bounds answers, which are documents, in bytes.
const answerMax = 32 << 20

// forward asks the server. Once it has all of a request the client's end does not
// end it.
func (p *proxy) forward(r *http.Request, e *request, body *carried, target string) (*http.Response, []byte, error) {
	out := r.Clone(context.WithoutCancel(r.Context()))
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", target, ""
	out.Body = io.NopCloser(body)
	if r.ContentLength == 0 {
		out.Body = http.NoBody
		e.whole = true
	}
	resp, err := p.transport.RoundTrip(out)
	if err != nil {
		body.stop()
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, answerMax))
	body.stop()
	return resp, answer, err
}

// wireForm is an answer as it goes over the wire.
func wireForm(resp *http.Response, answer []byte) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\n", resp.Status)
	resp.Header.Write(&b)
	if resp.Header.Get("Content-Length") == "" && resp.Request.Method != http.MethodHead {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(answer))
	}
	b.WriteString("\r\n")
	b.Write(answer)
	return b.Bytes()
}

// refusal answers as gateways do: without an error document.
func refusal(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<html><body><h1>%d %s</h1></body></html>", status, http.StatusText(status))
}

// abort cuts the connection.
func abort(w http.ResponseWriter) { abortAfter(w, nil) }

// abortAfter cuts it after some bytes.
func abortAfter(w http.ResponseWriter, b []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	conn.Write(b)
	if tcp, ok := conn.(*net.TCPConn); ok && len(b) == 0 {
		tcp.SetLinger(0) // a reset, and not an end
	}
	conn.Close()
}

// wait waits, unless the client ends.
func wait(quit chan struct{}, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-quit:
	case <-t.C:
	}
}

var errCut = errors.New("cut by the proxy")

// carried is a body on its way to the server.
type carried struct {
	p    *proxy
	r    io.Reader
	e    *request
	f    fault
	quit chan struct{}
	crc  interface {
		io.Writer
		Sum64() uint64
	}

	mu      sync.Mutex // held while reading
	damaged bool
	paused  bool
	stopped bool
}

func (c *carried) Read(b []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return 0, errCut
	}
	left := c.f.at - c.e.sent // until the fault
	switch c.f.kind {
	case cut, stall, hang, damage:
		if left > 0 {
			b = b[:min(int64(len(b)), left)]
			break
		}
		if c.f.kind == cut {
			return 0, errCut
		}
		if !c.paused && c.f.kind == stall {
			wait(c.quit, c.f.pause)
		}
		if !c.paused && c.f.kind == hang {
			wait(c.quit, hangMax)
			return 0, errCut
		}
	}
	n, err := c.r.Read(b)
	c.crc.Write(b[:n])
	if left <= 0 && n > 0 && !c.paused {
		c.paused = true
		if c.f.kind == damage {
			b[0] ^= 0x10
			c.damaged = true
		}
	}
	c.e.sent += int64(n)
	c.e.whole = c.e.sent == c.e.size
	c.e.crc = c.crc.Sum64()
	c.p.passed(int64(n), 0)
	return n, err
}

// stop ends reading: what the request's entry says does not change any more.
func (c *carried) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopped = true
}
