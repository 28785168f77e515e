package server

import (
	"crypto/tls"
	"net/http"
	"net/netip"
	"testing"
)

// Headers about the client are believed from trusted proxies only, and of them
// only what a trusted proxy has written itself.
func TestOrigin(t *testing.T) {
	const proxy, inner, client = "10.0.0.1:4000", "10.0.0.2", "203.0.113.7"
	type lines map[string][]string
	tests := []struct {
		name   string
		header ForwardedHeader
		remote string
		tls    bool
		lines  lines
		addr   string // "" is unknown
		secure bool
	}{
		{"direct", XForwardedFor, client + ":1", false, nil, client, false},
		{"direct with TLS", XForwardedFor, client + ":1", true, nil, client, true},
		{"spoofed from outside", XForwardedFor, client + ":1", false,
			lines{"X-Forwarded-For": {"10.9.9.9"}, "X-Real-Ip": {"10.9.9.9"}, "Forwarded": {"for=10.9.9.9;proto=https"}, "X-Forwarded-Proto": {"https"}}, client, false},
		{"TLS is not taken back from outside", XForwardedFor, client + ":1", true, lines{"X-Forwarded-Proto": {"http"}}, client, true},
		{"proxy", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {client}, "X-Forwarded-Proto": {"https"}}, client, true},
		{"proxy that does not tell the scheme", XForwardedFor, proxy, true, lines{"X-Forwarded-For": {client}}, client, false},
		{"proxy that tells nothing", XForwardedFor, proxy, false, nil, "10.0.0.1", false},
		{"spoofed through the proxy", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {"10.9.9.9, " + client}}, client, false},
		{"spoofed in another line", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {"10.9.9.9", client}}, client, false},
		{"spoofed in another header", XForwardedFor, proxy, false,
			lines{"X-Forwarded-For": {client}, "X-Real-Ip": {"10.9.9.9"}, "Forwarded": {"for=10.9.9.9;proto=https"}}, client, false},
		{"spoofed scheme", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {client}, "X-Forwarded-Proto": {"https, http"}}, client, false},
		{"two proxies", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {"1.1.1.1," + client + " ," + inner}}, client, false},
		{"proxies only", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {"10.0.0.3, " + inner}}, "10.0.0.3", false},
		{"unknown client", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {client + ", unknown, " + inner}}, inner, false},
		{"garbage", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {", ,"}}, "10.0.0.1", false},
		{"with a port", XForwardedFor, proxy, false, lines{"X-Forwarded-For": {client + ":81"}}, client, false},
		{"v6", XForwardedFor, "[fd00::1]:1", false, lines{"X-Forwarded-For": {"2001:db8::1"}}, "2001:db8::1", false},
		{"v6 with a port", XForwardedFor, "[fd00::1]:1", false, lines{"X-Forwarded-For": {"[2001:db8::1]:99"}}, "2001:db8::1", false},
		{"v4 in v6", XForwardedFor, "[::ffff:10.0.0.1]:1", false, lines{"X-Forwarded-For": {"::ffff:" + client}}, client, false},
		{"zone", XForwardedFor, "[fe80::1%eth0]:1", false, lines{"X-Forwarded-For": {client}}, "fe80::1", false},
		{"real IP", XRealIP, proxy, false, lines{"X-Real-Ip": {client}, "X-Forwarded-For": {"10.9.9.9"}, "X-Forwarded-Proto": {"https"}}, client, true},
		{"two real IPs", XRealIP, proxy, false, lines{"X-Real-Ip": {"10.9.9.9", client}}, "10.0.0.1", false},
		{"forwarded", Forwarded, proxy, false,
			lines{"Forwarded": {`for=1.1.1.1;proto=http, For="` + client + `:80";Proto=https;by=x`, "for=" + inner + ";proto=http"}}, client, true},
		{"forwarded v6", Forwarded, proxy, false, lines{"Forwarded": {`for="[2001:db8::1]:47011"`}}, "2001:db8::1", false},
		{"forwarded with a hidden client", Forwarded, proxy, false, lines{"Forwarded": {"for=1.1.1.1, for=_hidden"}}, "10.0.0.1", false},
		{"forwarded beside another scheme", Forwarded, proxy, false,
			lines{"Forwarded": {"for=" + client + ";proto=http"}, "X-Forwarded-Proto": {"https"}}, client, false},
		{"no address", XForwardedFor, "@", false, lines{"X-Forwarded-For": {client}}, "", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := &proxies{header: tt.header, trusted: []netip.Prefix{
				netip.MustParsePrefix("10.0.0.0/29"), netip.MustParsePrefix("fd00::/8"),
			}}
			r := &http.Request{RemoteAddr: tt.remote, Header: http.Header(tt.lines)}
			if tt.tls {
				r.TLS = &tls.ConnectionState{}
			}
			got := p.origin(r)
			want := origin{secure: tt.secure}
			if tt.addr != "" {
				want.addr = netip.MustParseAddr(tt.addr)
			}
			if got != want {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

// However long a header is, a bounded part of it is looked at.
func TestManyHops(t *testing.T) {
	p := &proxies{header: XForwardedFor, trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	r := &http.Request{RemoteAddr: "10.0.0.1:1", Header: http.Header{}}
	for range 10000 {
		r.Header.Add("X-Forwarded-For", "10.0.0.2")
	}
	r.Header["X-Forwarded-For"][0] = "203.0.113.7"
	if got := p.origin(r).addr; got != netip.MustParseAddr("10.0.0.2") {
		t.Errorf("got %v", got)
	}
}
