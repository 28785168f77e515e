package main

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
)

// An upload that fails in the middle tells that the same command goes on with what
// was sent.
func TestFailedUploadTellsHowToGoOn(t *testing.T) {
	s := startTerminalServer(t)
	makeBucket(t, s)
	endpoint, err := url.Parse(s.env[len(s.env)-1][len(envEndpoint)+1:])
	if err != nil {
		t.Fatal(err)
	}
	pass := httputil.NewSingleHostReverseProxy(endpoint)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("partNumber") == "2" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		pass.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	s.file("big", 3<<20)
	out, err := s.command("cp", "big", "oss://scripts/big", "--part-size", "1MiB", "-e", proxy.URL).CombinedOutput()
	if err == nil || !strings.Contains(string(out), " stays open)\n  what was sent stays: the same command goes on with it\n") {
		t.Errorf("%v: %s", err, out)
	}
	if out, err := s.command("cp", "big", "oss://scripts/big", "--part-size", "1MiB").CombinedOutput(); err != nil {
		t.Errorf("it does not go on: %v: %s", err, out)
	}
}
