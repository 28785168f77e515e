package doctor

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/ossastore/ossa/oss"
)

// What a server quotes of a token is not told, wherever it stands: wantSound looks.
func TestQuotedToken(t *testing.T) {
	s := newScene(t)
	s.subject.Credentials = oss.Credentials{AccessKeyID: "STS.user", AccessKeySecret: secret, SecurityToken: token}
	s.fake(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Oss-Request-Id", "6B0776C18C4DDD821B694BF2")
		w.Header().Set("Via", r.Header.Get("X-Oss-Security-Token"))
		w.WriteHeader(http.StatusForbidden)
		long := strings.Repeat("x", maxPlain-len(token)/2) // so that it would be cut
		io.WriteString(w, "<Error><Code>AccessDenied</Code><Message>"+long+r.Header.Get("X-Oss-Security-Token")+"</Message></Error>")
	})
	for name, c := range s.examine() {
		if strings.Contains(c.Found, token[:len(token)/2]) {
			t.Errorf("%s tells a part of the token: %s", name, c.Found)
		}
	}
}

// An answer whose headers have no end is read to a bound, and no further.
func TestEndlessHeaders(t *testing.T) {
	client, server := net.Pipe()
	defer client.Close()
	sent := make(chan int)
	go func() {
		go io.Copy(io.Discard, server)
		n, err := io.WriteString(server, "HTTP/1.1 200 OK\r\n")
		for line := "X-A: " + strings.Repeat("a", 1000) + "\r\n"; err == nil; {
			var m int
			m, err = io.WriteString(server, line)
			n += m
		}
		sent <- n
	}()
	e := &examination{Subject: Subject{Anonymous: true}}
	e.world.ensureDefaults()
	e.url.Scheme, e.url.Host = "http", "endless.test"
	if a := e.askOn(context.Background(), client); a.err == nil {
		t.Errorf("an answer of status %d", a.status)
	}
	client.Close()
	if n := <-sent; n > 2*maxHeaders {
		t.Errorf("%d bytes were read", n)
	}
}

// A proxy that net/http passes over without a word is told, and its password is not.
func TestIgnoredProxy(t *testing.T) {
	for name, c := range map[string]struct {
		endpoint string
		env      map[string]string
		told     string
	}{
		"none":            {"http://oss.example.test", nil, ""},
		"a URL":           {"http://oss.example.test", map[string]string{"HTTP_PROXY": "http://u:" + secret + "@proxy:1"}, ""},
		"host and port":   {"http://oss.example.test", map[string]string{"HTTP_PROXY": "proxy.example.test:3128"}, ""},
		"of https":        {"http://oss.example.test", map[string]string{"HTTPS_PROXY": "http://u:%zz" + secret + "@proxy"}, ""},
		"no URL":          {"http://oss.example.test", map[string]string{"HTTP_PROXY": "http://u:%zz" + secret + "@proxy"}, "HTTP_PROXY cannot be read"},
		"in small":        {"https://oss.example.test", map[string]string{"https_proxy": "u:" + secret + "%@pr oxy"}, "https_proxy cannot be read"},
		"to this machine": {"http://127.0.0.1:9000", map[string]string{"HTTP_PROXY": "http://%zz"}, ""},
		"with exceptions": {"http://oss.example.test", map[string]string{"HTTP_PROXY": "http://%zz", "NO_PROXY": "example.test"}, ""},
	} {
		u, err := url.Parse(c.endpoint)
		if err != nil {
			t.Fatal(err)
		}
		err = ignoredProxy(func(name string) string { return c.env[name] }, u)
		if (err != nil) != (c.told != "") || err != nil && (!strings.Contains(err.Error(), c.told) || strings.Contains(err.Error(), secret)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
