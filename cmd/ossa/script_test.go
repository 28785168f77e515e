package main

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ossastore/ossa/internal/sign"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ossa": main})
}

// The scripts run the real main as a user does. Besides the commands of
// testscript they have:
//
//	start FLAGS...       start "ossa serve FLAGS" and wait until it is ready;
//	                     sets $URL, $AUTHORITY and $ADMIN, stderr goes to serve.log
//	stop                 SIGTERM; the server must end with status 0
//	status URL STATUS [NAME:VALUE...]
//	                     GET URL, with these headers, answers with STATUS; the body goes to stdout
//	put KEY SIZE         PutObject in bucket "scripts", which is made
//	subresource METHOD KEY NAME FILE
//	                     METHOD /scripts/KEY?NAME with a file as body
//	get KEY SIZE         GetObject finds SIZE bytes as put wrote them
//	upload KEY SIZE      put without making the bucket
//	refused METHOD KEY CODE [TEXT]
//	                     a request, of the bucket for a KEY like ?uploads, is
//	                     refused with CODE, and TEXT is in the answer
//	credentials FILE     sets $OSS_ACCESS_KEY_ID and the others as FILE exports
//	                     them; they are used from then on
//	keyid FILE, secret FILE
//	                     set $KEYID and $SECRET to what FILE exports
//	absent TEXT DIR      no file below DIR holds TEXT
//	drain KEY SIZE       SIGTERM in the middle of a PutObject, see there
//	certificate NAME     write NAME.pem and NAME.key for localhost and
//	                     127.0.0.1, which put, get and status trust from then on
//	hangup               SIGHUP
//	request METHOD URL FILE STATUS [NAME:VALUE...]
//	                     a request with a file as body, - for none, is answered with
//	                     STATUS; the body goes to stdout. @FILE is the URL in a file
//	uploadid FILE        sets $UPLOAD to the first upload ID in a file
//	logs TEXT            until serve.log has it
//	fill FILE SIZE       write a file of the bytes that put sends
//	hostile KEY          put an object of one byte; \0 and \n in KEY are those bytes
//	flip GLOB            change one byte in the middle of the largest file
func TestScript(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Values[serverKey{}] = &running{}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start":       startServer,
			"stop":        stopServer,
			"status":      wantStatus,
			"put":         putObject,
			"subresource": subResource,
			"get":         getObject,
			"drain":       drain,
			"fill":        fillFile,
			"hostile":     putHostile,

			"upload":      uploadObject,
			"refused":     wantRefusal,
			"credentials": setCredentials,
			"keyid":       setExported("KEYID", envAccessKeyID),
			"secret":      setExported("SECRET", envAccessKeySecret),
			"absent":      absent,

			"flip": flip,

			"certificate": writeCertificate,
			"hangup":      hangup,
			"logs":        waitForLog,

			"request":  sendRequest,
			"uploadid": setUploadID,
		},
		RequireExplicitExec: true,
	})
}

// patience bounds every wait for the server, so that a script fails rather
// than hangs.
const patience = time.Minute

type serverKey struct{}

// running is the server that a script has started.
type running struct {
	command *exec.Cmd
	ended   chan struct{}
	roots   *x509.CertPool
	err     error // of Wait, once ended is closed
}

func serverOf(ts *testscript.TestScript) *running { return ts.Value(serverKey{}).(*running) }

func startServer(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || s.command != nil {
		ts.Fatalf("usage: start FLAGS..., once before stop")
	}
	command := exec.Command("ossa", append([]string{"serve"}, args...)...)
	command.Dir = ts.MkAbs(".")
	for _, name := range []string{
		"PATH", "HOME", "TMPDIR", envKeyID, envKeySecret, envKeyID + envFile, envKeySecret + envFile,
		"OSSA_DATA", "OSSA_LISTEN", "OSSA_ADMIN_LISTEN", "OSSA_REGION", "OSSA_DOMAIN",
		"OSSA_CNAME", "OSSA_ACCESS_LOG_FILE", "OSSA_TLS_CERT", "OSSA_TLS_KEY", "OSSA_TRUSTED_PROXY", "OSSA_LIFECYCLE_EVERY", "OSSA_LIFECYCLE_DAY",
	} {
		if value := ts.Getenv(name); value != "" {
			command.Env = append(command.Env, name+"="+value)
		}
	}
	stderr, err := command.StderrPipe()
	ts.Check(err)
	log, err := os.Create(ts.MkAbs("serve.log"))
	ts.Check(err)
	ts.Check(command.Start())
	*s = running{command: command, ended: make(chan struct{}), roots: s.roots}
	ts.Defer(func() {
		if s.command == command {
			command.Process.Kill()
			<-s.ended
		}
	})

	ready := make(chan string, 1)
	ended := s.ended
	go func() {
		defer close(ended)
		copyUntilReady(log, stderr, ready)
		log.Close()
		s.err = command.Wait()
	}()
	line, ok := within(ready)
	if !ok {
		ts.Fatalf("the server did not get ready:\n%s", ts.ReadFile("serve.log"))
	}
	fields := strings.Fields(line) // ossa: ready on URL (admin URL, ...
	ts.Setenv("URL", fields[3])
	ts.Setenv("AUTHORITY", authority(ts))
	ts.Setenv("ADMIN", strings.Trim(fields[5], ","))
}

// copyUntilReady copies stderr to the log to its end; the ready line goes into
// the channel, which is closed.
func copyUntilReady(log io.Writer, stderr io.Reader, ready chan<- string) {
	defer close(ready)
	lines := bufio.NewReader(stderr)
	for {
		line, err := lines.ReadString('\n')
		io.WriteString(log, line)
		if strings.HasPrefix(line, "ossa: ready on ") {
			ready <- line
		}
		if err != nil {
			return
		}
	}
}

// within waits for a value.
func within[T any](c <-chan T) (value T, ok bool) {
	select {
	case value, ok = <-c:
		return value, ok
	case <-time.After(patience):
		return value, false
	}
}

func stopServer(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || len(args) > 0 || s.command == nil {
		ts.Fatalf("usage: stop, after start")
	}
	ts.Check(s.command.Process.Signal(syscall.SIGTERM))
	waitForEnd(ts, s)
}

func waitForEnd(ts *testscript.TestScript, s *running) {
	within(s.ended)
	select {
	case <-s.ended:
	default:
		ts.Fatalf("the server still runs %v after SIGTERM", patience)
	}
	s.command = nil
	if s.err != nil {
		ts.Fatalf("the server ended with %v:\n%s", s.err, ts.ReadFile("serve.log"))
	}
}

func wantStatus(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status URL STATUS [NAME:VALUE...]")
	}
	request, err := http.NewRequest("GET", args[0], nil)
	ts.Check(err)
	for _, line := range args[2:] {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Set(name, value)
	}
	request.Host = cmp.Or(request.Header.Get("Host"), request.Host)
	answer, err := client(ts).Do(request)
	ts.Check(err)
	_, err = io.Copy(ts.Stdout(), answer.Body)
	answer.Body.Close()
	ts.Check(err)
	if got := strconv.Itoa(answer.StatusCode); got != args[1] {
		ts.Fatalf("GET %s: status %s, want %s", args[0], got, args[1])
	}
}

// object is a bucket, a key and bytes, as put and get take them.
type object struct {
	key  string
	data []byte
}

func parseObject(ts *testscript.TestScript, neg bool, args []string) object {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: put|get|drain KEY SIZE")
	}
	size, err := strconv.Atoi(args[1])
	ts.Check(err)
	return object{args[0], bytes.Repeat([]byte{'a', 'b', 'c'}, size/3+1)[:size]}
}

// send sends one signed request and returns the answer's body. SSE in the
// environment asks for an object to be encrypted.
func send(ts *testscript.TestScript, method, key string, body io.Reader, size int64) ([]byte, error) {
	query := ""
	if name, ok := strings.CutPrefix(key, "?"); ok {
		key, query = "", name
	}
	r := sign.Request{Method: method, Bucket: "scripts", Key: key, Host: authority(ts)}
	if query != "" {
		r.Query = []sign.Param{{Name: query}}
	}
	if algorithm := ts.Getenv("SSE"); algorithm != "" && method == "PUT" && key != "" {
		r.Header = http.Header{"X-Oss-Server-Side-Encryption": {algorithm}}
	}
	region := cmp.Or(ts.Getenv("OSSA_REGION"), "cn-hangzhou")
	sign.SignV4Header(&r, credentials(ts), region, time.Now())
	request, err := http.NewRequest(method, ts.Getenv("URL")+"/scripts/"+sign.EscapePath(key)+"?"+query, body)
	if err != nil {
		return nil, err
	}
	request.Header, request.ContentLength = r.Header, size
	answer, err := client(ts).Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, key, answer.Status, text)
	}
	return text, err
}

// authority is where the server listens.
func authority(ts *testscript.TestScript) string {
	_, authority, _ := strings.Cut(ts.Getenv("URL"), "://")
	return authority
}

// client trusts the certificates that the script has made.
func client(ts *testscript.TestScript) *http.Client {
	return &http.Client{Timeout: patience, Transport: &http.Transport{
		DisableKeepAlives: true, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: serverOf(ts).roots},
	}}
}

func writeCertificate(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: certificate NAME")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	ts.Check(err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: args[0]},
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	ts.Check(err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	ts.Check(err)
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".pem"), text, 0o666))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]+".key"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	if s := serverOf(ts); s.roots == nil {
		s.roots = x509.NewCertPool()
	}
	serverOf(ts).roots.AppendCertsFromPEM(text)
}

func hangup(ts *testscript.TestScript, neg bool, args []string) {
	s := serverOf(ts)
	if neg || len(args) > 0 || s.command == nil {
		ts.Fatalf("usage: hangup, after start")
	}
	ts.Check(s.command.Process.Signal(syscall.SIGHUP))
}

func waitForLog(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: logs TEXT")
	}
	until(ts, "the log has "+args[0], func() bool { return strings.Contains(ts.ReadFile("serve.log"), args[0]) })
}

// credentials are those that the command credentials has set, or those of the
// server's environment, or else those that the server keeps in data/.
func credentials(ts *testscript.TestScript) sign.Credentials {
	if id := ts.Getenv(envAccessKeyID); id != "" {
		return sign.Credentials{AccessKeyID: id, AccessKeySecret: ts.Getenv(envAccessKeySecret), SecurityToken: ts.Getenv(envSessionToken)}
	}
	c := sign.Credentials{AccessKeyID: ts.Getenv(envKeyID), AccessKeySecret: ts.Getenv(envKeySecret)}
	if c.AccessKeyID != "" {
		return c
	}
	for line := range strings.Lines(ts.ReadFile("data/root-credentials")) {
		line = strings.TrimSpace(line)
		if v, ok := strings.CutPrefix(line, "export OSS_ACCESS_KEY_ID="); ok {
			c.AccessKeyID = v
		}
		if v, ok := strings.CutPrefix(line, "export OSS_ACCESS_KEY_SECRET="); ok {
			c.AccessKeySecret = v
		}
	}
	return c
}

func putObject(ts *testscript.TestScript, neg bool, args []string) {
	o := parseObject(ts, neg, args)
	_, err := send(ts, "PUT", "", http.NoBody, 0)
	ts.Check(err)
	_, err = send(ts, "PUT", o.key, bytes.NewReader(o.data), int64(len(o.data)))
	ts.Check(err)
}

func getObject(ts *testscript.TestScript, neg bool, args []string) {
	o := parseObject(ts, neg, args)
	got, err := send(ts, "GET", o.key, http.NoBody, 0)
	ts.Check(err)
	if !bytes.Equal(got, o.data) {
		ts.Fatalf("GET %s: %d bytes that are not what was put", o.key, len(got))
	}
}

// drain sends half an object, SIGTERM, sees that the server turns away what is
// new, and sends the other half: the request in flight must succeed and the
// server end with status 0.
func drain(ts *testscript.TestScript, neg bool, args []string) {
	o, s := parseObject(ts, neg, args), serverOf(ts)
	body, halves := io.Pipe()
	outcome := make(chan error, 1)
	go func() {
		_, err := send(ts, "PUT", o.key, body, int64(len(o.data)))
		outcome <- err
	}()
	half := len(o.data) / 2
	write := func(p []byte) {
		if _, err := halves.Write(p); err != nil {
			ts.Fatalf("the request in flight: its body is not taken, %v: %v", err, <-outcome)
		}
	}
	write(o.data[:half])
	// The half may wait in the buffers of a connection that the server still
	// holds for idle, and such a connection is closed at once.
	until(ts, "the request is in flight", func() bool {
		answer, err := http.Get(ts.Getenv("ADMIN") + "/metrics")
		ts.Check(err)
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		ts.Check(err)
		return strings.Contains(string(text), "\nossa_requests_in_flight 1\n")
	})

	ts.Check(s.command.Process.Signal(syscall.SIGTERM))
	until(ts, "readyz says 503", func() bool {
		answer, err := http.Get(ts.Getenv("ADMIN") + "/readyz")
		ts.Check(err)
		answer.Body.Close()
		return answer.StatusCode == http.StatusServiceUnavailable
	})
	until(ts, "the API takes no connections", func() bool {
		c, err := net.Dial("tcp", authority(ts))
		if err == nil {
			c.Close()
		}
		return err != nil
	})

	write(o.data[half:])
	ts.Check(halves.Close())
	err, ok := within(outcome)
	if !ok || err != nil {
		ts.Fatalf("the request in flight: answered %v, %v", ok, err)
	}
	waitForEnd(ts, s)
}

// until asks again and again; what it asks takes a while by itself.
func until(ts *testscript.TestScript, what string, condition func() bool) {
	for end := time.Now().Add(patience); !condition(); {
		if time.Now().After(end) {
			ts.Fatalf("waited in vain until %s", what)
		}
	}
}

func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip GLOB")
	}
	names, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(names) == 0 {
		ts.Fatalf("no file is called %s", args[0])
	}
	text := func(name string) string {
		b, err := os.ReadFile(name)
		ts.Check(err)
		return string(b)
	}
	largest := slices.MaxFunc(names, func(a, b string) int { return len(text(a)) - len(text(b)) })
	b := []byte(text(largest))
	b[len(b)/2] ^= 1
	ts.Check(os.WriteFile(largest, b, 0o600))
}
