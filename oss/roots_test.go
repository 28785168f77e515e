package oss

import (
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// A server whose certificate is in a file is believed, and no other one.
func TestRootCAs(t *testing.T) {
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "<ListAllMyBucketsResult></ListAllMyBucketsResult>")
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	var connections atomic.Int64
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	server.StartTLS()
	defer server.Close()
	file := filepath.Join(t.TempDir(), "ca.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(file, text, 0o666); err != nil {
		t.Fatal(err)
	}
	roots, err := LoadRootCAs(file)
	if err != nil {
		t.Fatal(err)
	}
	list := func(options ...Option) error {
		options = append(options, WithCredentials(AnonymousCredentials()), WithRegion("r"))
		c, err := NewClient(server.URL, options...)
		if err != nil {
			return err
		}
		defer c.CloseIdleConnections()
		_, err = c.ListBuckets(t.Context(), &ListBucketsRequest{})
		return err
	}
	if err := list(WithRootCAs(roots)); err != nil {
		t.Errorf("with the file: %v", err)
	}
	before := connections.Load()
	if err := list(); err == nil || !strings.Contains(err.Error(), "x509") {
		t.Errorf("without it: %v", err)
	}
	if n := connections.Load() - before; n != 1 {
		t.Errorf("%d attempts, though the certificate stays what it is", n)
	}
	if err := list(WithRootCAs(nil)); err == nil {
		t.Error("none is not the machine's")
	}
	if err := list(WithRootCAs(roots), WithHTTPClient(server.Client())); err == nil || !strings.Contains(err.Error(), "do not go together") {
		t.Errorf("with a client of the caller's: %v", err)
	}
	if err := os.WriteFile(file, []byte("no certificate"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + ".none"} {
		if _, err := LoadRootCAs(name); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
