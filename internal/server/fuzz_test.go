package server

import (
	"bufio"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
)

// serve lets the handler answer c without a connection between.
func (f *fixture) serve(c call) *result {
	header, query := c.headers(f.t)
	target := c.path()
	if query != "" {
		target += "?" + query
	}
	r := httptest.NewRequest("GET", "/", strings.NewReader(c.body))
	r.Method, r.RequestURI, r.Host, r.Header = c.method, target, c.hostName(), header
	return f.handle(r)
}

// handle lets the handler answer r. A connection that was cut has status 0.
func (f *fixture) handle(r *http.Request) *result {
	w := httptest.NewRecorder()
	cut := func() (cut bool) {
		defer func() {
			if v := recover(); v != nil {
				if v != http.ErrAbortHandler {
					panic(v)
				}
				cut = true
			}
		}()
		f.server.ServeHTTP(w, r)
		return false
	}()
	if cut {
		return &result{header: http.Header{}}
	}
	body := w.Body.String()
	if r.Method == http.MethodHead {
		body = "" // net/http drops it
	}
	header := http.Header{}
	for name, values := range w.Header() {
		header[http.CanonicalHeaderKey(name)] = values // as a client reads them
	}
	return &result{w.Code, header, body}
}

// FuzzRoute feeds hosts, targets and methods to routing, which must find an
// operation or a refusal, and take nothing for a key that is none.
func FuzzRoute(f *testing.F) {
	f.Add("GET", "127.0.0.1:9000", "/bucket/key?acl")
	f.Add("PUT", "bucket.localhost", "//%2F..?uploadId=&partNumber")
	f.Add("POST", ".oss-cn-hangzhou.aliyuncs.com", "/?x-oss-process=csv/select")
	f.Add("OPTIONS", "[::1]:", "*")
	f.Add("", "İ.localhost", "http://a/b%zz?%")
	f.Add("GET", "IMG.Example.org.:80", "/bucket?cname&comp=add")
	f.Fuzz(func(t *testing.T, method, host, uri string) {
		s := &Server{domains: []string{"oss.example.com"}, opts: Options{Cnames: map[string]string{"img.example.org": "bucket"}}}
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.Host, r.RequestURI = method, host, uri
		rq := &request{r: r, op: unrouted, body: &body{r: r}}
		err := s.route(rq)
		if err != nil {
			if e, expected := refuse(rq, err); !expected || e.err.Status < 400 || e.err.Status >= 500 {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		if rq.op == unrouted || rq.op.level.place() != rq.target.level() {
			t.Fatalf("%s of level %s for %+v", rq.op.name, rq.op.level, rq.target)
		}
		if rq.target.bucket != "" && !wire.ValidBucketName(rq.target.bucket) {
			t.Fatalf("bucket %q", rq.target.bucket)
		}
		if rq.target.key != "" && wire.ValidateKey(rq.target.key) != nil {
			t.Fatalf("key %q", rq.target.key)
		}
	})
}

// FuzzRequest feeds whole requests to the server. Those that HTTP can read are
// answered as OSS answers, never with a fault of ours. They come from the owner
// of everything, so that they get further than to the signature.
func FuzzRequest(f *testing.F) {
	for _, seed := range []string{
		"GET /bucket/key HTTP/1.1\r\nHost: a\r\nRange: bytes=0-\r\n\r\n",
		"PUT /bucket/key HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-MD5: x\r\n\r\nhello",
		"PUT /bucket/key?uploadId=1&partNumber=1 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"PUT /bucket/key HTTP/1.1\r\nHost: a\r\nx-oss-copy-source: /bucket/other?versionId=null\r\n\r\n",
		"POST /bucket/key?uploadId=1 HTTP/1.1\r\nHost: a\r\nContent-Length: 26\r\n\r\n<CompleteMultipartUpload/>",
		"POST /bucket?delete HTTP/1.1\r\nHost: a\r\nContent-Length: 58\r\n\r\n<Delete><Object><Key>&#0;</Key></Object><Quiet>true</Quiet",
		"PUT /bucket/key?tagging HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n<Tagging>",
		"PUT /bucket HTTP/1.1\r\nHost: a\r\nx-oss-acl: private\r\nContent-Length: 0\r\n\r\n",
		"GET /?max-keys=1 HTTP/1.0\r\n\r\n",
	} {
		f.Add(seed)
	}
	var fx *fixture
	n := 0
	f.Fuzz(func(t *testing.T, text string) {
		r, err := http.ReadRequest(bufio.NewReader(strings.NewReader(text)))
		if err != nil {
			return // not HTTP
		}
		if n++; fx == nil || n%1000 == 0 {
			fx = newHandler(t)
			fx.serve(call{method: "PUT", bucket: "bucket"})
			fx.serve(call{method: "PUT", bucket: "bucket", key: "key", body: "hello"})
		}
		fx.log.reset()
		asOwner(r)
		res := fx.handle(r)
		if res.status == 0 || res.status >= 500 && res.status != http.StatusNotImplemented {
			t.Fatalf("%d %s\n%s", res.status, res.body, fx.log)
		}
		if strings.Contains(fx.log.String(), `"level":"ERROR"`) {
			t.Fatal(fx.log)
		}
	})
}

// asOwner signs a request that has come already, if it leads anywhere.
func asOwner(r *http.Request) {
	target, err := parseTarget(r, nil, noCnames)
	if err != nil {
		return
	}
	_, rawQuery, _ := strings.Cut(r.RequestURI, "?")
	query, err := wire.ParseQuery(rawQuery)
	if err != nil {
		return
	}
	sign.SignV4Header(&sign.Request{
		Method: r.Method, Bucket: target.bucket, Key: target.key, Query: signParams(query), Header: r.Header, Host: r.Host,
	}, sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}, testRegion, epoch)
}

// FuzzOrigin feeds headers of proxies to the search for the client. From
// somebody who is not trusted they change nothing; from somebody who is, the
// client is one of those that the header names, or the proxy.
func FuzzOrigin(f *testing.F) {
	f.Add("203.0.113.7, 10.0.0.2", "https", 0)
	f.Add(`for="[2001:db8::1]:80";proto=https, for=unknown`, "http", 2)
	f.Add("::ffff:10.0.0.1", ",", 1)
	f.Fuzz(func(t *testing.T, value, proto string, which int) {
		header := forwardedHeaders[uint(which)%uint(len(forwardedHeaders))]
		r := &http.Request{RemoteAddr: "192.0.2.1:1", Header: http.Header{}}
		r.Header.Set(string(header), value)
		r.Header.Set("X-Forwarded-Proto", proto)
		p := &proxies{header: header, trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}}
		outside := netip.MustParseAddr("192.0.2.1")
		if got := p.origin(r); got.addr != outside || got.secure {
			t.Fatalf("somebody was believed: %v", got)
		}
		r.RemoteAddr = "[fd00::1]:1"
		got := p.origin(r)
		if !got.addr.IsValid() || got.addr.Zone() != "" || got.addr.Is4In6() {
			t.Fatalf("the client is %v", got.addr)
		}
		if got.secure && !strings.Contains(strings.ToLower(value+proto), "https") {
			t.Fatal("nobody spoke of https")
		}
	})
}

// FuzzAccessLine feeds what clients choose to the access log: a request is one
// line of 29 fields, whatever is in them.
func FuzzAccessLine(f *testing.F) {
	f.Add("GET", "/bucket/key?Signature=sekret", "agent", "http://a/?x-oss-signature=sekret", "host", "AK")
	f.Add("PUT", "/\"\\\n?%53ignature=sekret&a", "\xff\u2028", "?", "", "\x00")
	f.Fuzz(func(t *testing.T, method, uri, agent, referer, host, key string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.Method, r.RequestURI, r.Host = method, uri, host
		r.Header = http.Header{"User-Agent": {agent}, "Referer": {referer}}
		s := &Server{opts: Options{Region: testRegion, OwnerID: "1"}}
		rq := &request{r: r, op: unrouted, accessKeyID: key, target: target{bucket: host, key: uri}, body: &body{r: r},
			w: &answer{ResponseWriter: httptest.NewRecorder()}}
		text := string(s.accessLine(rq, 0))
		n, quoted := 1, false
		for i := 0; i < len(text)-1; i++ {
			switch c := text[i]; {
			case c == '\\' && quoted:
				i++
			case c == '"':
				quoted = !quoted
			case c == ' ' && !quoted:
				n++
			case c < ' ' || c == 0x7f:
				t.Fatalf("a control character in %q", text)
			}
		}
		// The time is two words.
		if n != 29+1 || quoted || text[len(text)-1] != '\n' {
			t.Fatalf("%d words in %q", n, text)
		}
	})
}
