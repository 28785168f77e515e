package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/store"
)

// writeCertificate writes a self-signed certificate for names, valid at epoch
// and today, and returns it with the files.
func writeCertificate(t testing.TB, files CertificateFiles, names ...string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore:   epoch.AddDate(-1, 0, 0), NotAfter: epoch.AddDate(100, 0, 0),
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		files.Cert: {Type: "CERTIFICATE", Bytes: der}, files.Key: {Type: "PRIVATE KEY", Bytes: pkcs8},
	} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func certificateFiles(dir, name string) CertificateFiles {
	return CertificateFiles{filepath.Join(dir, name+".pem"), filepath.Join(dir, name+".key")}
}

// newTLSFixture makes a server that speaks TLS, and HTTP/2 if its client does.
func newTLSFixture(t testing.TB, http2 bool, change ...func(*config)) *fixture {
	t.Helper()
	f := newHandler(t, append([]func(*config){func(c *config) { c.opts.HTTP2 = true }}, change...)...)
	f.scheme = "https"
	files := certificateFiles(t.TempDir(), "server")
	cert := writeCertificate(t, files, "localhost")
	certs, err := OpenCertificates([]CertificateFiles{files}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f.addr = l.Addr().String()
	hs := f.server.HTTPServer()
	hs.TLSConfig = certs.Config()
	served := make(chan struct{})
	go func() {
		defer close(served)
		hs.ServeTLS(f.server.Listen(l, true), "", "")
	}()
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	transport := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: http2, TLSClientConfig: &tls.Config{RootCAs: roots},
		ExpectContinueTimeout: 30 * time.Second}
	f.client = &http.Client{Transport: transport, Timeout: time.Minute}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		hs.Close()
		<-served
	})
	return f
}

// send sends c over the fixture's client with a body that may never end, and
// returns the answer unread.
func (f *fixture) send(c call, body io.Reader, size int64, expect bool) *http.Response {
	f.t.Helper()
	header, query := c.headers(f.t)
	r, err := http.NewRequest(c.method, f.scheme+"://"+f.addr+c.path()+"?"+query, body)
	if err != nil {
		f.t.Fatal(err)
	}
	r.Host, r.Header, r.ContentLength = c.hostName(), header, size
	if expect {
		r.Header.Set("Expect", "100-continue")
	}
	res, err := f.client.Do(r)
	if err != nil {
		f.t.Fatalf("%s %s: %v", c.method, c.path(), err)
	}
	f.t.Cleanup(func() { res.Body.Close() })
	if res.ProtoMajor != 2 {
		f.t.Fatalf("the answer came over %s", res.Proto)
	}
	return res
}

func codeOf(t testing.TB, res *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return (&result{res.StatusCode, res.Header, string(b)}).code()
}

// The protocol is the same over HTTP/2, and over TLS: every header but that of
// connections, errors of HEAD, a whole upload whose URL has https.
func TestHTTP2(t *testing.T) {
	for _, http2 := range []bool{false, true} {
		t.Run(fmt.Sprint(http2), func(t *testing.T) {
			f := newTLSFixture(t, http2)
			f.put("bucket", "", "")
			r := f.want(call{method: "PUT", bucket: "bucket", key: "a//b", body: "hello", header: map[string]string{"x-oss-meta-a": "1"}}, 200, "")
			if got := r.get("Connection") != ""; got == http2 {
				t.Errorf("Connection is %q", r.get("Connection"))
			}
			if r := f.want(call{method: "GET", bucket: "bucket", key: "a//b"}, 200, ""); r.body != "hello" || r.get("x-oss-meta-a") != "1" {
				t.Errorf("got %q %v", r.body, r.header)
			}
			f.want(call{method: "HEAD", bucket: "bucket", key: "missing"}, 404, "NoSuchKey")
			f.want(call{method: "DELETE", bucket: "bucket", key: "missing"}, 204, "")
			f.want(call{method: "GET", bucket: "bucket", anonymous: true}, 403, "AccessDenied")
			f.want(call{method: "PUT", bucket: "bucket", key: "k", body: "x", header: map[string]string{"Content-MD5": "XUFAKrxLKna5cZ2REBfFkg=="}}, 400, "InvalidDigest")

			id := f.initiate("bucket", "key")
			part := strings.Repeat("x", 5<<20)
			r = f.want(call{method: "PUT", bucket: "bucket", key: "key", query: "partNumber=1&uploadId=" + id, body: part, unsized: true}, 200, "")
			r = f.want(call{method: "POST", bucket: "bucket", key: "key", query: "uploadId=" + id, body: "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>" +
				r.get("ETag") + "</ETag></Part></CompleteMultipartUpload>"}, 200, "")
			if location := between(r.body, "<Location>", "</Location>"); location != "https://"+testHost+"/bucket/key" {
				t.Errorf("Location is %s", location)
			}
			if r := f.want(call{method: "GET", bucket: "bucket", key: "key"}, 200, ""); r.body != part {
				t.Error("the object is not what was sent")
			}
			res, err := f.client.Get("https://" + f.addr + "/")
			if err != nil || (res.ProtoMajor == 2) != http2 {
				t.Errorf("the client speaks %v, %v", res, err)
			}
		})
	}
}

// A server that was not told to offer HTTP/2 does not.
func TestHTTP2Off(t *testing.T) {
	f := newTLSFixture(t, true, func(c *config) { c.opts.HTTP2 = false })
	res, err := f.client.Get("https://" + f.addr + "/")
	if err != nil || res.ProtoMajor != 1 {
		t.Errorf("the client speaks %v, %v", res, err)
	}
}

// A request in the clear that comes to the port of TLS is told so.
func TestPlainRequestToTLS(t *testing.T) {
	f := newTLSFixture(t, true)
	c := f.dial()
	c.write("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
	if r := c.read("GET"); r.status != 400 || !strings.Contains(r.body, "HTTP request to an HTTPS server") {
		t.Errorf("got %d %q", r.status, r.body)
	}
	c.closed()
}

// endless is a body that goes on for as long as somebody reads.
type endless struct{ closed atomic.Bool }

func (e *endless) Read(p []byte) (int, error) {
	if e.closed.Load() {
		return 0, errors.New("closed")
	}
	return len(p), nil
}

func (e *endless) Close() error { e.closed.Store(true); return nil }

// An answer that comes before the body was sent ends the body's stream, and the
// connection serves other requests, before and after.
func TestHTTP2EarlyAnswers(t *testing.T) {
	f := newTLSFixture(t, true)
	f.put("bucket", "", "")
	reused := 0
	trace := &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if info.Reused {
			reused++
		}
	}}
	for name, c := range map[string]call{
		"AccessDenied":   {method: "PUT", bucket: "bucket", key: "k", anonymous: true},
		"NoSuchUpload":   {method: "PUT", bucket: "bucket", key: "k", query: "partNumber=1&uploadId=x"},
		"NoSuchBucket":   {method: "PUT", bucket: "missing", key: "k"},
		"EntityTooLarge": {method: "PUT", bucket: "bucket", key: "k"},
	} {
		for _, expect := range []bool{false, true} {
			size := int64(5 << 30)
			if name == "EntityTooLarge" {
				size++
			}
			res := f.send(c, &endless{}, size, expect)
			if got := codeOf(t, res); got != name {
				t.Errorf("got %d %s, want %s", res.StatusCode, got, name)
			}
			r, err := http.NewRequest("GET", "https://"+f.addr+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err = f.client.Do(r.WithContext(httptrace.WithClientTrace(t.Context(), trace)))
			if err != nil {
				t.Fatal(err)
			}
			res.Body.Close()
		}
	}
	if reused != 8 {
		t.Errorf("%d of 8 requests found the connection open", reused)
	}
}

// A client that waits to be asked for its body is asked on HTTP/2 too.
func TestHTTP2ExpectContinue(t *testing.T) {
	f := newTLSFixture(t, true)
	f.put("bucket", "", "")
	res := f.send(call{method: "PUT", bucket: "bucket", key: "k"}, strings.NewReader("hello"), 5, true)
	if res.StatusCode != 200 {
		t.Errorf("got %d %s", res.StatusCode, codeOf(t, res))
	}
}

// A client that stops sending is told so on its stream; others of its connection
// are not harmed.
func TestHTTP2SlowSender(t *testing.T) {
	f := newTLSFixture(t, true, impatient)
	f.put("bucket", "", "")
	body, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	go w.Write([]byte("hello"))
	res := f.send(call{method: "PUT", bucket: "bucket", key: "k"}, body, 1000000, false)
	if got := codeOf(t, res); res.StatusCode != 400 || got != "RequestTimeout" {
		t.Errorf("got %d %s", res.StatusCode, got)
	}
	f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 404, "NoSuchKey")
}

// Somebody who does not read an object, or leaves in the middle, is given up.
func TestHTTP2SlowReader(t *testing.T) {
	for _, leave := range []bool{false, true} {
		f := newTLSFixture(t, true, func(c *config) {
			if !leave {
				impatient(c)
			}
		})
		f.put("bucket", "", "")
		_, err := f.store.PutObject(t.Context(), &store.PutObjectRequest{Bucket: "bucket", Key: "k",
			Body: store.Body{Reader: strings.NewReader(strings.Repeat("x", 16<<20)), Size: 16 << 20}})
		if err != nil {
			t.Fatal(err)
		}
		res := f.send(call{method: "GET", bucket: "bucket", key: "k"}, nil, 0, false)
		if leave {
			res.Body.Close()
		}
		line := f.log.wait(t, `"operation":"GetObject"`)
		if !strings.Contains(line, `"aborted":true`) || strings.Contains(f.log.String(), `"level":"ERROR"`) {
			t.Errorf("logged %s", line)
		}
		if n, err := io.Copy(io.Discard, res.Body); err == nil {
			t.Errorf("%d bytes came and no error", n)
		}
	}
}

// An object that cannot be read to its end breaks its stream off.
func TestHTTP2UnreadableObject(t *testing.T) {
	engine := newFaulty()
	f := newTLSFixture(t, true, func(c *config) { c.blob = engine })
	f.put("bucket", "", "")
	f.put("bucket", "k", strings.Repeat("x", 4<<20))
	var reads atomic.Int64
	reads.Store(2)
	fail := func() error {
		if reads.Add(-1) < 0 {
			return blob.ErrCorrupt
		}
		return nil
	}
	engine.read.Store(&fail)
	res := f.send(call{method: "GET", bucket: "bucket", key: "k"}, nil, 0, false)
	if n, err := io.Copy(io.Discard, res.Body); err == nil || n >= 4<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A body that is cut off leaves nothing.
func TestHTTP2CutBody(t *testing.T) {
	f := newTLSFixture(t, true)
	f.put("bucket", "", "")
	header, query := (&call{method: "PUT", bucket: "bucket", key: "k"}).headers(t)
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", 100000)), new(endsBadly))
	r, err := http.NewRequest("PUT", "https://"+f.addr+"/bucket/k?"+query, body)
	if err != nil {
		t.Fatal(err)
	}
	r.Host, r.Header = testHost, header
	if res, err := f.client.Do(r); err == nil {
		t.Errorf("answered %d", res.StatusCode)
	}
	f.log.wait(t, `"operation":"PutObject"`, `"key":"k"`)
	f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 404, "NoSuchKey")
}

type endsBadly struct{}

func (endsBadly) Read([]byte) (int, error) { return 0, errors.New("the client breaks off") }

// What a connection may have under way is told to clients at once: requests,
// bytes of header, bytes ahead.
func TestHTTP2Settings(t *testing.T) {
	f := newTLSFixture(t, true, func(c *config) { c.opts.MaxStreams = 7 })
	c, err := tls.Dial("tcp", f.addr, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2"}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")); err != nil {
		t.Fatal(err)
	}
	var head [9]byte // length (3), type, flags, stream (4)
	if _, err := io.ReadFull(c, head[:]); err != nil {
		t.Fatal(err)
	}
	length := int(head[0])<<16 | int(head[1])<<8 | int(head[2])
	body := make([]byte, length)
	if _, err := io.ReadFull(c, body); err != nil || head[3] != 4 {
		t.Fatalf("a frame of type %d, %v", head[3], err)
	}
	settings := map[uint16]uint32{}
	for ; len(body) >= 6; body = body[6:] {
		settings[binary.BigEndian.Uint16(body)] = binary.BigEndian.Uint32(body[2:])
	}
	if settings[3] != 7 || settings[4] != streamWindow {
		t.Errorf("settings are %v", settings)
	}
	if n := settings[6]; n < 64<<10 || n > 128<<10 {
		t.Errorf("headers may have %d bytes", n)
	}
}

// Who does not come to the end of a handshake is not waited for.
func TestSlowHandshake(t *testing.T) {
	f := newTLSFixture(t, true, func(c *config) { c.opts.HeaderTimeout = 50 * time.Millisecond })
	silent, slow := f.dial(), f.dial()
	slow.write("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc") // a hello of 16 KiB is to come
	go slow.drip("\x00")
	silent.closed()
	slow.closed()
}

// A watchdog ends a wait that is too long, and nothing else: neither a rest of
// any length nor many short waits.
func TestWatchdog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		barked := make(chan time.Time, 1)
		w := &watchdog{bark: func() { barked <- time.Now() }}
		for range 100 {
			w.wait(time.Now().Add(time.Minute))
			time.Sleep(59 * time.Second)
			w.rest()
			time.Sleep(time.Hour)
		}
		if len(barked) > 0 {
			t.Fatal("short waits were ended")
		}
		w.wait(time.Now().Add(time.Minute))
		w.rest()
		w.wait(time.Now().Add(time.Second)) // sooner than the timer stands
		began := time.Now()
		if d := (<-barked).Sub(began); d != time.Second {
			t.Errorf("a wait of a second was ended after %v", d)
		}

		w = &watchdog{bark: func() { t.Error("barked after stop") }}
		w.wait(time.Now().Add(time.Second))
		w.stop()
		w.wait(time.Now().Add(time.Second))
		time.Sleep(time.Minute)
	})
}

// A certificate that changes is used from the next handshake after a while; one
// that is broken is not, the one before stays, and the log says so once.
func TestCertificateReload(t *testing.T) {
	log := &bytes.Buffer{}
	now := epoch
	files := certificateFiles(t.TempDir(), "a")
	first := writeCertificate(t, files, "a.example")
	c, err := OpenCertificates([]CertificateFiles{files}, func() time.Time { return now }, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	hello := &tls.ClientHelloInfo{ServerName: "a.example", SupportedVersions: []uint16{tls.VersionTLS13},
		SignatureSchemes: []tls.SignatureScheme{tls.ECDSAWithP256AndSHA256}}
	shows := func(want *x509.Certificate) {
		t.Helper()
		got, err := c.GetCertificate(hello)
		if err != nil || !got.Leaf.Equal(want) {
			t.Errorf("shows another certificate, %v\n%s", err, log)
		}
	}
	shows(first)
	second := writeCertificate(t, files, "a.example", "longer.example")
	shows(first) // the files were looked at just now
	now = now.Add(certificatesEvery)
	shows(second)

	if err := os.WriteFile(files.Cert, []byte("no certificate"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		now = now.Add(certificatesEvery)
		shows(second)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), files.Cert) {
		t.Errorf("%d warnings:\n%s", n, log)
	}
	if err := os.Remove(files.Key); err != nil {
		t.Fatal(err)
	}
	c.Reload()
	shows(second)
	c.Reload()
	if n := strings.Count(log.String(), "level=WARN"); n != 3 {
		t.Errorf("whoever asks is told each time, not %d times in all:\n%s", n, log)
	}
	third := writeCertificate(t, files, "a.example", "even.longer.example")
	c.Reload() // as SIGHUP does, without waiting
	shows(third)

	now = third.NotAfter.Add(time.Second)
	writeCertificate(t, files, "a")
	c.Reload()
	if !strings.Contains(log.String(), "certificate has expired") {
		t.Errorf("logged\n%s", log)
	}
	if _, err := OpenCertificates([]CertificateFiles{{files.Key, files.Cert}}, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("a key was taken for a certificate")
	}
	if _, err := OpenCertificates(nil, nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("no certificate is enough")
	}
}

// Clients choose by name among several certificates, and old protocols and weak
// suites are refused.
func TestTLSHandshakes(t *testing.T) {
	dir := t.TempDir()
	a, b := certificateFiles(dir, "a"), certificateFiles(dir, "b")
	certA, certB := writeCertificate(t, a, "a.example"), writeCertificate(t, b, "*.b.example")
	certs, err := OpenCertificates([]CertificateFiles{a, b}, nil, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		client *tls.Config
		want   *x509.Certificate // nil: refused
	}{
		{"first", &tls.Config{ServerName: "a.example"}, certA},
		{"second", &tls.Config{ServerName: "x.b.example"}, certB},
		{"no name", &tls.Config{}, certA},
		{"unknown name", &tls.Config{ServerName: "c.example"}, certA},
		{"TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, certA},
		{"TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil},
		{"CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, nil},
		{"no forward secrecy", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.client.InsecureSkipVerify = true
			near, far := net.Pipe()
			done := make(chan struct{})
			go func() {
				defer close(done)
				defer far.Close()
				tls.Server(far, certs.Config()).Handshake()
			}()
			client := tls.Client(near, tt.client)
			err := client.Handshake()
			near.Close()
			<-done
			switch {
			case tt.want == nil:
				if err == nil {
					t.Error("the handshake succeeded")
				}
			case err != nil:
				t.Error(err)
			case !client.ConnectionState().PeerCertificates[0].Equal(tt.want):
				t.Error("another certificate was shown")
			}
		})
	}
}
