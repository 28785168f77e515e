package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/sign"
)

// Names of headers go out as OSS spells them: the Java SDK looks for x-oss-meta-
// in lower case.
func TestHeaderSpelling(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.want(call{method: "PUT", bucket: "bucket", key: "k", body: "hello", header: map[string]string{"x-oss-meta-Author": "me"}}, 200, "")
	c := f.dial()
	c.head(call{method: "GET", bucket: "bucket", key: "k"}, "Connection: close")
	b, err := io.ReadAll(c.r)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"\nETag: ", "\nContent-MD5: ", "\nx-oss-meta-author: ", "\nx-oss-request-id: ", "\nx-oss-hash-crc64ecma: ",
		"\nx-oss-object-type: ", "\nx-oss-server-time: ", "\nLast-Modified: Tue, 14 Nov 2023 22:13:20 GMT", "\nServer: AliyunOSS",
	} {
		if !strings.Contains(string(b), name) {
			t.Errorf("no %q in\n%s", name, b)
		}
	}
}

// Targets that a client library would not send.
func TestRawTargets(t *testing.T) {
	f := newFixture(t)
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read"}}, 200, "")
	f.put("bucket", "a//b", "hello")
	tests := []struct {
		line   string
		status int
		code   string
	}{
		{"GET /bucket/a//b HTTP/1.1", 200, ""},
		{"GET http://127.0.0.1/bucket/a//b HTTP/1.1", 200, ""},
		{"GET http://bucket.localhost/a//b?x HTTP/1.1", 200, ""},
		{"GET /bucket/./a//b HTTP/1.1", 404, "NoSuchKey"},
		{"GET /bucket/x/../a//b HTTP/1.1", 404, "NoSuchKey"},
		{"GET //bucket/a HTTP/1.1", 400, "InvalidBucketName"},
		{"GET /bucket/a?%zz HTTP/1.1", 400, "InvalidArgument"},
		{"GET /bucket/a?" + strings.Repeat("a&", 300) + " HTTP/1.1", 400, "InvalidArgument"},
		{"GET / HTTP/1.1", 403, "AccessDenied"},
		{"OPTIONS * HTTP/1.1", 400, "BadRequest"},
		{"CONNECT 127.0.0.1:80 HTTP/1.1", 405, "MethodNotAllowed"},
		{"FOO / HTTP/1.1", 405, "MethodNotAllowed"},
	}
	for _, tt := range tests {
		t.Run(tt.line[:min(60, len(tt.line))], func(t *testing.T) {
			f.t = t
			c := f.dial()
			c.write("%s\r\nHost: 127.0.0.1\r\n\r\n", tt.line)
			r := c.read("GET")
			if r.status != tt.status || tt.code != "" && r.code() != tt.code {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
}

// Two requests in one packet get two answers, in order.
func TestPipelining(t *testing.T) {
	f := newFixture(t)
	c := f.dial()
	c.write("GET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /missing/a HTTP/1.1\r\nHost: h\r\n\r\n")
	if r := c.read("GET"); r.code() != "InvalidBucketName" {
		t.Errorf("first: %s", r.body)
	}
	if r := c.read("GET"); r.code() != "NoSuchBucket" {
		t.Errorf("second: %s", r.body)
	}
}

// A client that waits to be asked for its body is not asked in vain.
func TestExpectContinue(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	length := []string{"Expect: 100-continue", "Content-Length: 5"}

	c := f.dial()
	c.head(call{method: "PUT", bucket: "bucket", key: "k"}, length...)
	if line, err := c.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100 ") {
		t.Fatalf("got %q, %v", line, err)
	}
	if _, err := c.r.ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	c.write("hello")
	if r := c.read("PUT"); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}

	for name, a := range map[string]call{
		"AccessDenied":  {method: "PUT", bucket: "bucket", key: "k", anonymous: true},
		"NoSuchBucket":  {method: "PUT", bucket: "missing", key: "k"},
		"NoSuchUpload":  {method: "PUT", bucket: "bucket", key: "k", query: "partNumber=1&uploadId=x"},
		"InvalidDigest": {method: "PUT", bucket: "bucket", key: "k", header: map[string]string{"Content-MD5": "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			f.t = t
			c := f.dial()
			c.head(a, length...)
			if r := c.read("PUT"); r.code() != name {
				t.Errorf("got %d %s", r.status, r.body)
			}
			c.closed()
		})
	}
}

// Lengths that are missing or too large are refused before a byte is read.
func TestDeclaredLengths(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	id := f.initiate("bucket", "key")
	part := call{method: "PUT", bucket: "bucket", key: "key", query: "partNumber=1&uploadId=" + id}
	object := call{method: "PUT", bucket: "bucket", key: "key"}
	tests := []struct {
		name   string
		call   call
		lines  []string
		status int
		code   string
	}{
		{"part without", part, nil, 411, "MissingContentLength"},
		{"object without", object, nil, 411, "MissingContentLength"},
		{"delete without", call{method: "POST", bucket: "bucket", query: "delete"}, nil, 411, "MissingContentLength"},
		{"part too large", part, []string{"Content-Length: 5368709121"}, 400, "EntityTooLarge"},
		{"object too large", object, []string{"Content-Length: 5368709121"}, 400, "EntityTooLarge"},
		{"initiate without", call{method: "POST", bucket: "bucket", key: "key", query: "uploads"}, nil, 200, ""},
		{"bucket without", call{method: "PUT", bucket: "bucket"}, nil, 200, ""},
		{"complete-all without", call{method: "POST", bucket: "bucket", key: "key", query: "uploadId=" + id,
			header: map[string]string{"x-oss-complete-all": "yes"}}, nil, 200, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f.t = t
			c := f.dial()
			c.head(tt.call, tt.lines...)
			if r := c.read(tt.call.method); r.status != tt.status || tt.code != "" && r.code() != tt.code {
				t.Errorf("got %d %s", r.status, r.body)
			}
		})
	}
}

// A connection that breaks off leaves nothing, wherever it breaks off, and the
// part that was there stays.
func TestCutConnections(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	id := f.initiate("bucket", "key")
	part := call{method: "PUT", bucket: "bucket", key: "key", query: "partNumber=1&uploadId=" + id, body: "before"}
	f.want(part, 200, "")
	part.body = ""
	sized, chunked := "Content-Length: 300000", "Transfer-Encoding: chunked"
	some := strings.Repeat("x", 200000)
	for _, target := range []call{part, {method: "PUT", bucket: "bucket", key: "new"}} {
		for _, tt := range []struct {
			name, length, sent string
		}{
			{"no body", sized, ""},
			{"a little", sized, "x"},
			{"most", sized, some},
			{"no chunk", chunked, ""},
			{"a chunk", chunked, "30D40\r\n" + some + "\r\n"},
			{"half a chunk", chunked, "40000\r\n" + some},
			{"half a length", chunked, "30"},
			{"no chunk length", chunked, "hello\r\n"},
			{"wrong chunk end", chunked, "1\r\nabc\r\n"},
			{"chunk length overflow", chunked, "fffffffffffffffff\r\nabc\r\n"},
			{"no end", chunked, "1\r\nx\r\n0\r\n"},
		} {
			t.Run(target.key+" "+tt.name, func(t *testing.T) {
				f.t = t
				c := f.dial()
				c.head(target, tt.length)
				c.write("%s", tt.sent)
				if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
				if r := c.read("PUT"); r.status != 400 || r.code() != "IncompleteBody" {
					t.Errorf("got %d %s", r.status, r.body)
				}
				c.closed()
			})
		}
	}
	f.t = t
	// In the middle of a header there is nobody to answer to.
	for _, text := range []string{"P", "PUT /bucket/new HTTP/1.1\r\nHos", "PUT /bucket/new HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n"} {
		c := f.dial()
		c.write("%s", text)
		c.Close()
	}
	f.want(call{method: "HEAD", bucket: "bucket", key: "new"}, 404, "NoSuchKey")
	r := f.want(call{method: "GET", bucket: "bucket", key: "key", query: "uploadId=" + id}, 200, "")
	if !strings.Contains(r.body, "<Size>6</Size>") || strings.Count(r.body, "<Part>") != 1 {
		t.Errorf("the part has changed: %s", r.body)
	}
	if strings.Contains(f.log.String(), `"level":"ERROR"`) {
		t.Errorf("clients that leave are no errors:\n%s", f.log)
	}
}

func impatient(c *config) {
	c.opts.ProgressTimeout = 50 * time.Millisecond
	c.opts.DrainTimeout = 50 * time.Millisecond
}

// A client that stops sending is told so, and its connection closed.
func TestSlowSender(t *testing.T) {
	f := newFixture(t, impatient)
	f.put("bucket", "", "")
	for _, sent := range []string{"", "hello", strings.Repeat("x", 300000)} {
		c := f.dial()
		c.head(call{method: "PUT", bucket: "bucket", key: "k"}, "Content-Length: 1000000")
		c.write("%s", sent)
		if r := c.read("PUT"); r.status != 400 || r.code() != "RequestTimeout" || r.get("Connection") != "close" {
			t.Errorf("got %d %s", r.status, r.body)
		}
		c.closed()
	}
	f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 404, "NoSuchKey")
	// The same goes for documents.
	c := f.dial()
	c.head(call{method: "PUT", bucket: "bucket"}, "Content-Length: 10")
	if r := c.read("PUT"); r.code() != "RequestTimeout" {
		t.Errorf("got %d %s", r.status, r.body)
	}
}

// A header that does not come to its end is not waited for.
func TestSlowHeader(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.HeaderTimeout = 50 * time.Millisecond })
	c := f.dial()
	c.write("GET / HTTP/1.1\r\nHost: h\r\n")
	c.closed()
}

// A client that stops reading is given up, and that is no error of ours.
func TestSlowReader(t *testing.T) {
	f := newFixture(t, impatient)
	f.put("bucket", "", "")
	f.put("bucket", "k", strings.Repeat("x", 32<<20)) // more than sockets hold
	c := f.dial()
	c.head(call{method: "GET", bucket: "bucket", key: "k"})
	line := f.log.wait(t, `"operation":"GetObject"`)
	if !strings.Contains(line, `"aborted":true`) || !strings.Contains(line, "i/o timeout") || !strings.Contains(line, `"level":"INFO"`) {
		t.Errorf("logged %s", line)
	}
	n, err := io.Copy(io.Discard, c.r)
	if n >= 32<<20 {
		t.Errorf("%d bytes came, %v", n, err)
	}
}

// Somebody who hangs up in the middle of an object is no error either.
func TestReaderLeaves(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "k", strings.Repeat("x", 32<<20))
	c := f.dial()
	c.head(call{method: "GET", bucket: "bucket", key: "k"})
	if _, err := c.r.ReadByte(); err != nil {
		t.Fatal(err)
	}
	c.Close()
	line := f.log.wait(t, `"operation":"GetObject"`)
	if !strings.Contains(line, `"aborted":true`) || strings.Contains(f.log.String(), `"level":"ERROR"`) {
		t.Errorf("logged %s", f.log)
	}
}

// An answer that comes before the body has been read reaches a client that sends
// everything first.
func TestEarlyAnswers(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	part := call{method: "PUT", bucket: "bucket", key: "k", query: "partNumber=1&uploadId=x"}
	for _, size := range []int{1, 1000, 300000, 10 << 20} {
		c := f.dial()
		c.head(part, fmt.Sprintf("Content-Length: %d", size))
		c.write("%s", strings.Repeat("x", size))
		r := c.read("PUT")
		if r.code() != "NoSuchUpload" {
			t.Errorf("%d bytes: got %d %s", size, r.status, r.body)
		}
		if r.get("Connection") == "close" {
			c.closed()
			continue
		}
		// What is left of a short body is read, and the connection is kept.
		c.head(call{method: "GET"})
		if r := c.read("GET"); r.status != 200 {
			t.Errorf("after %d bytes: got %d %s", size, r.status, r.body)
		}
	}
}

// Connections are kept after answers, with and without bodies on either side;
// the Go SDK 2 sends chunks with nothing in them.
func TestKeepAlive(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	c := f.dial()
	for range 3 {
		c.head(call{method: "POST", bucket: "bucket", key: "k", query: "uploads"}, "Transfer-Encoding: chunked")
		c.write("0\r\n\r\n")
		if r := c.read("POST"); r.status != 200 || r.get("Connection") == "close" {
			t.Fatalf("got %d %s", r.status, r.body)
		}
		c.head(call{method: "PUT", bucket: "bucket", key: "k"}, "Transfer-Encoding: chunked")
		c.write("3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
		if r := c.read("PUT"); r.status != 200 || r.get("ETag") != `"5D41402ABC4B2A76B9719D911017C592"` {
			t.Fatalf("got %d %s", r.status, r.body)
		}
		c.head(call{method: "GET", bucket: "bucket", key: "k"}, "Content-Length: 4")
		c.write("what")
		if r := c.read("GET"); r.status != 200 || r.body != "hello" {
			t.Fatalf("got %d %s", r.status, r.body)
		}
		c.head(call{method: "HEAD", bucket: "bucket", key: "missing"})
		if r := c.read("HEAD"); r.code() != "NoSuchKey" {
			t.Fatalf("got %d %s", r.status, r.body)
		}
		c.head(call{method: "DELETE", bucket: "bucket", key: "missing"})
		if r := c.read("DELETE"); r.status != 204 || r.body != "" || r.get("Content-Length") != "" {
			t.Fatalf("got %d %q", r.status, r.body)
		}
	}
}

// More requests at once than allowed are refused without looking at them.
func TestOverload(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.MaxInFlight = 1 })
	f.put("bucket", "", "")
	c := f.dial()
	c.head(call{method: "PUT", bucket: "bucket", key: "k"}, "Expect: 100-continue", "Content-Length: 5")
	for range 2 { // "100 Continue": the handler is at the body
		if _, err := c.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	r := f.want(call{method: "GET", anonymous: true}, 503, "ServiceUnavailable")
	if r.get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	c.write("hello")
	if r := c.read("PUT"); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	f.want(call{method: "GET"}, 200, "")
}

// Documents take no more memory than they may: one that does not fit is refused
// before it is read, and fits when the others have gone.
func TestDocumentMemory(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.DocumentMemory = 1000 })
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	tagging := call{method: "PUT", bucket: "bucket", key: "k", query: "tagging"}
	c := f.dial()
	c.head(call{method: "POST", bucket: "bucket", query: "delete", anonymous: true}, "Expect: 100-continue", "Content-Length: 600")
	for range 2 { // "100 Continue": the document is being read
		if _, err := c.r.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	tagging.body = strings.Repeat("x", 600)
	if r := f.want(tagging, 503, "ServiceUnavailable"); r.get("Retry-After") == "" {
		t.Error("there is no Retry-After")
	}
	tagging.body = strings.Repeat("x", 300)
	f.want(tagging, 400, "MalformedXML")
	c.write("%s", strings.Repeat("x", 600))
	if r := c.read("POST"); r.code() != "MalformedXML" {
		t.Errorf("got %d %s", r.status, r.body)
	}
	f.log.wait(t, `"code":"MalformedXML"`, `"bytes_in":600`)
	tagging.body = strings.Repeat("x", 1000)
	f.want(tagging, 400, "MalformedXML")
}

// Who is slow with his documents, be it everybody who does not sign, takes no
// more than half of their memory from the others.
func TestDocumentMemoryOfOne(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.DocumentMemory = 1000 })
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	list := call{method: "POST", bucket: "bucket", query: "delete", anonymous: true}
	for range 2 {
		c := f.dial()
		c.head(list, "Expect: 100-continue", "Content-Length: 250")
		for range 2 { // "100 Continue": the document is being read
			if _, err := c.r.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
	}
	list.body = "x"
	f.want(list, 503, "ServiceUnavailable")
	list.anonymous, list.body = false, strings.Repeat("x", 500)
	f.want(list, 400, "MalformedXML")
}

// Headers that come twice are one, as they are for the signature: none of them is
// taken for the other.
func TestRepeatedHeaders(t *testing.T) {
	f := newFixture(t)
	f.want(call{method: "PUT", bucket: "bucket", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	for _, tt := range []struct {
		lines  []string
		status int
		code   string
	}{
		{[]string{"Content-MD5: XUFAKrxLKna5cZ2REBfFkg==", "Content-MD5: XUFAKrxLKna5cZ2REBfFkg=="}, 400, "InvalidDigest"},
		{[]string{"x-oss-object-acl: private", "x-oss-object-acl: public-read"}, 400, "InvalidArgument"},
		{[]string{"x-oss-forbid-overwrite: true", "x-oss-forbid-overwrite: false"}, 400, "InvalidArgument"},
		{[]string{"x-oss-tagging: a=1", "x-oss-tagging: a=1"}, 400, "InvalidArgument"},
		{[]string{"Authorization: OSS a:b", "Authorization: OSS a:b"}, 400, "InvalidArgument"},
		{[]string{"x-oss-meta-a: 1", "x-oss-meta-a: 2"}, 200, ""},
	} {
		c := f.dial()
		c.head(call{method: "PUT", bucket: "bucket", key: "k", anonymous: true}, append(tt.lines, "Content-Length: 5")...)
		c.write("hello")
		if r := c.read("PUT"); r.status != tt.status || tt.code != "" && r.code() != tt.code {
			t.Errorf("%q: got %d %s", tt.lines, r.status, r.body)
		}
	}
	if r := f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 200, ""); r.get("x-oss-meta-a") != "1,2" {
		t.Errorf("metadata is %q", r.get("x-oss-meta-a"))
	}
}

// faulty is a blob engine that fails when it is told to.
type faulty struct {
	blob.Engine
	create, read atomic.Pointer[func() error]
}

func newFaulty() *faulty { return &faulty{Engine: memblob.New()} }

func (f *faulty) Create(ctx context.Context, owner blob.Owner, size int64) (blob.Writer, error) {
	if fn := f.create.Load(); fn != nil {
		if err := (*fn)(); err != nil {
			return nil, err
		}
	}
	return f.Engine.Create(ctx, owner, size)
}

func (f *faulty) ReadAt(ctx context.Context, e blob.Extent, p []byte, off int64) (int, error) {
	if fn := f.read.Load(); fn != nil {
		if err := (*fn)(); err != nil {
			return 0, err
		}
	}
	return f.Engine.ReadAt(ctx, e, p, off)
}

// A full disk, and a storage that takes no changes, say so and may be asked
// again; reading and deleting go on.
func TestStorageTrouble(t *testing.T) {
	engine := newFaulty()
	f := newFixture(t, func(c *config) { c.blob = engine })
	f.put("bucket", "", "")
	f.put("bucket", "old", "hello")
	id := f.initiate("bucket", "key")
	for _, tt := range []struct {
		err  error
		text string
	}{
		{blob.ErrFull, "disk of the server is full"},
		{blob.ErrUnavailable, "takes no changes"},
	} {
		fail := func() error { return tt.err }
		engine.create.Store(&fail)
		for _, c := range []call{
			{method: "PUT", bucket: "bucket", key: "new", body: "hello"},
			{method: "PUT", bucket: "bucket", key: "key", query: "partNumber=1&uploadId=" + id, body: "hello"},
			{method: "PUT", bucket: "bucket", key: "new", header: map[string]string{"x-oss-copy-source": "/bucket/old"}},
		} {
			r := f.want(c, 503, "ServiceUnavailable")
			if r.get("Retry-After") == "" || !strings.Contains(r.body, tt.text) {
				t.Errorf("answered %v\n%s", r.header, r.body)
			}
		}
		f.want(call{method: "HEAD", bucket: "bucket", key: "new"}, 404, "NoSuchKey")
		f.want(call{method: "GET", bucket: "bucket", key: "old"}, 200, "")
	}
	f.log.wait(t, `"level":"WARN"`, blob.ErrFull.Error())
	f.want(call{method: "DELETE", bucket: "bucket", key: "old"}, 204, "")
	f.want(call{method: "DELETE", bucket: "bucket", key: "key", query: "uploadId=" + id}, 204, "")
}

// Bytes that cannot be read: an error while it can be told, and afterwards a
// cut, never a body that looks whole.
func TestUnreadableObject(t *testing.T) {
	engine := newFaulty()
	f := newFixture(t, func(c *config) { c.blob = engine })
	f.put("bucket", "", "")
	f.put("bucket", "k", strings.Repeat("x", 4<<20))
	var reads atomic.Int64
	fail := func() error {
		if reads.Add(-1) < 0 {
			return fmt.Errorf("block 7: %w", blob.ErrCorrupt)
		}
		return nil
	}
	engine.read.Store(&fail)

	r := f.want(call{method: "GET", bucket: "bucket", key: "k"}, 500, "InternalError")
	for _, name := range []string{"ETag", "x-oss-hash-crc64ecma", "Accept-Ranges"} {
		if r.get(name) != "" {
			t.Errorf("the error has the object's %s", name)
		}
	}
	if strings.Contains(r.body, "block 7") {
		t.Error("the client is told what is for the log")
	}
	f.log.wait(t, `"level":"ERROR"`, "block 7", `"request_id":"`)

	reads.Store(2)
	c := f.dial()
	c.head(call{method: "GET", bucket: "bucket", key: "k"})
	res, err := http.ReadResponse(c.r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	n, err := io.Copy(io.Discard, res.Body)
	if res.StatusCode != 200 || !errors.Is(err, io.ErrUnexpectedEOF) || n == 0 {
		t.Errorf("status %d, %d bytes, %v", res.StatusCode, n, err)
	}
	f.log.wait(t, `"msg":"request"`, `"aborted":true`, `"code":"InternalError"`)
}

// A bug in a handler takes its own request down and no other.
func TestPanic(t *testing.T) {
	engine := newFaulty()
	f := newFixture(t, func(c *config) { c.blob = engine })
	f.put("bucket", "", "")
	f.put("bucket", "k", "hello")
	boom := func() error { panic("boom") }
	engine.read.Store(&boom)
	c := f.dial()
	c.head(call{method: "GET", bucket: "bucket", key: "k"})
	if r := c.read("GET"); r.status != 500 || r.code() != "InternalError" || strings.Contains(r.body, "boom") {
		t.Errorf("got %d %s", r.status, r.body)
	}
	c.closed()
	f.log.wait(t, `"level":"ERROR"`, "boom", `"stack":"`)
	if n := f.metric("ossa_panics_total"); n != 1 {
		t.Errorf("%v panics were counted", n)
	}
	f.want(call{method: "HEAD", bucket: "bucket", key: "k"}, 200, "")
}

// x-oss-traffic-limit slows both directions down, from header and query.
func TestTrafficLimit(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	const limit = "819200" // bit/s: 100 KiB a second
	body := strings.Repeat("x", 30<<10)
	timed := func(c call) {
		t.Helper()
		began := time.Now()
		f.want(c, 200, "")
		if took := time.Since(began); took < 250*time.Millisecond {
			t.Errorf("%s of 30 KiB at 100 KiB/s took %v", c.method, took)
		}
	}
	timed(call{method: "PUT", bucket: "bucket", key: "k", body: body, header: map[string]string{"x-oss-traffic-limit": limit}})
	timed(call{method: "GET", bucket: "bucket", key: "k", query: "x-oss-traffic-limit=" + limit})
	f.want(call{method: "GET", bucket: "bucket", key: "k", query: "x-oss-traffic-limit=" + limit,
		header: map[string]string{"x-oss-traffic-limit": limit}}, 400, "InvalidArgument")
	for _, bad := range []string{"819199", "838860801", "x", "-1"} {
		f.want(call{method: "GET", bucket: "bucket", key: "k", query: "x-oss-traffic-limit=" + bad}, 400, "InvalidArgument")
	}
}

// Every request gets one line in the log, and no line has a secret or what would
// pass for one.
func TestAccessLog(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "k", "hello")
	f.log.reset()
	good := sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}
	var secrets []string
	remember := func(r *sign.Request) {
		for _, p := range r.Query {
			switch strings.ToLower(p.Name) {
			case "signature", "x-oss-signature", "security-token", "x-oss-security-token":
				secrets = append(secrets, p.Value)
			}
		}
		for name, values := range r.Header {
			if name == "Authorization" {
				_, signature, v4 := strings.Cut(values[0], "Signature=")
				if !v4 {
					_, signature, _ = strings.Cut(values[0], ":")
				}
				secrets = append(secrets, signature)
			}
			if name == "X-Oss-Security-Token" {
				secrets = append(secrets, values[0])
			}
		}
	}
	token := sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret, SecurityToken: "sekrettoken"}
	signers := []func(*sign.Request){
		func(r *sign.Request) { sign.SignV1Header(r, good, epoch) },
		func(r *sign.Request) { sign.SignV4Header(r, good, testRegion, epoch) },
		func(r *sign.Request) { sign.SignV1Query(r, good, epoch.Add(time.Hour)) },
		func(r *sign.Request) { sign.SignV1Query(r, token, epoch.Add(time.Hour)) },
		func(r *sign.Request) { sign.SignV4Header(r, token, testRegion, epoch) },
		func(r *sign.Request) {
			if err := sign.SignV4Query(r, token, testRegion, epoch, time.Hour); err != nil {
				t.Fatal(err)
			}
		},
		func(r *sign.Request) { // refused for its signature, which is told to the client
			sign.SignV1Query(r, good, epoch.Add(time.Hour))
			r.Query = append(r.Query, sign.Param{Name: "response-expires", Value: "x"})
		},
	}
	for _, fn := range signers {
		f.do(call{method: "GET", bucket: "bucket", key: "k", query: "response-content-type=text%2Fplain",
			header: map[string]string{"User-Agent": "tester/1"}, sign: func(r *sign.Request) { fn(r); remember(r) }})
	}
	lines := strings.Split(strings.TrimSpace(f.log.String()), "\n")
	if len(lines) != len(signers) {
		t.Errorf("%d lines for %d requests:\n%s", len(lines), len(signers), f.log)
	}
	if len(secrets) < len(signers) {
		t.Fatalf("only %d secrets to look for", len(secrets))
	}
	for _, secret := range append(secrets, testSecret, "sekrettoken") {
		if strings.Contains(f.log.String(), secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	for _, text := range []string{
		`"request_id":"6553F1000000000000000000"`, `"operation":"GetObject"`, `"method":"GET"`, `"bucket":"bucket"`, `"key":"k"`,
		`"status":200`, `"bytes_out":5`, `"bytes_in":0`, `"duration":`, `"remote":"127.0.0.1:`, `"access_key_id":"` + testKeyID + `"`,
		`"authenticated":true`, `"user_agent":"tester/1"`, `response-content-type=text/plain`, `"code":""`,
	} {
		if !strings.Contains(lines[0], text) {
			t.Errorf("no %s in %s", text, lines[0])
		}
	}
	if !strings.Contains(f.log.String(), "REDACTED") || !strings.Contains(f.log.String(), `"code":"SignatureDoesNotMatch"`) {
		t.Errorf("logged:\n%s", f.log)
	}
}

// Figures come from the table's names, never from what clients send.
func TestMetrics(t *testing.T) {
	f := newFixture(t)
	f.put("bucket", "", "")
	f.put("bucket", "k", "hello")
	f.want(call{method: "GET", bucket: "bucket", key: "k"}, 200, "")
	f.want(call{method: "GET", bucket: "bucket", key: "missing"}, 404, "NoSuchKey")
	f.want(call{method: "BREW", anonymous: true}, 405, "MethodNotAllowed")
	f.want(call{method: "GET", bucket: "bucket", query: "logging"}, 501, "NotImplemented")
	for name, want := range map[string]float64{
		`ossa_requests_total{class="2xx",operation="PutObject"}`:        1,
		`ossa_requests_total{class="2xx",operation="GetObject"}`:        1,
		`ossa_requests_total{class="4xx",operation="GetObject"}`:        1,
		`ossa_requests_total{class="4xx",operation="Unknown"}`:          1,
		`ossa_requests_total{class="5xx",operation="GetBucketLogging"}`: 1,
		`ossa_errors_total{code="NoSuchKey"}`:                           1,
		`ossa_received_bytes_total`:                                     5,
		`ossa_requests_in_flight`:                                       0,
		`ossa_panics_total`:                                             0,
		`ossa_store_open_readers`:                                       0,
	} {
		if got := f.metric(name); got != want {
			t.Errorf("%s is %v, want %v", name, got, want)
		}
	}
	if f.metric("ossa_sent_bytes_total") < 5 {
		t.Error("too few bytes were counted as sent")
	}
	// A second server cannot count into the same registry.
	opts := f.server.opts
	if _, err := New(f.store, opts); err == nil {
		t.Error("the metrics were registered twice")
	}
}

// metric waits for the requests in flight, whose figures come last, and returns
// one figure by its name in the text format.
func (f *fixture) metric(name string) float64 {
	f.t.Helper()
	rec := newRecorder()
	Admin(func(context.Context) error { return nil }, f.metrics).ServeHTTP(rec, mustRequest("GET", "/metrics"))
	for line := range strings.SplitSeq(rec.Body.String(), "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			var v float64
			if _, err := fmt.Sscan(rest, &v); err != nil {
				f.t.Fatal(err)
			}
			return v
		}
	}
	f.t.Errorf("no %s in\n%s", name, rec.Body)
	return -1
}
