package doctor

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
)

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
