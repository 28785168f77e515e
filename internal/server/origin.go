package server

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// ForwardedHeader names the header in which a trusted proxy tells on whose
// behalf it asks.
type ForwardedHeader string

// The headers that proxies set. A proxy sets one of them and passes the others
// on as the client sent them; so exactly one is believed.
const (
	XForwardedFor ForwardedHeader = "X-Forwarded-For" // and X-Forwarded-Proto
	XRealIP       ForwardedHeader = "X-Real-IP"       // and X-Forwarded-Proto
	Forwarded     ForwardedHeader = "Forwarded"       // RFC 7239, with proto in it
)

var forwardedHeaders = []ForwardedHeader{XForwardedFor, XRealIP, Forwarded}

// ParseForwardedHeader reads a header's name in any case.
func ParseForwardedHeader(name string) (ForwardedHeader, bool) {
	for _, h := range forwardedHeaders {
		if strings.EqualFold(name, string(h)) {
			return h, true
		}
	}
	return "", false
}

// origin is where a request came from, as far as that can be believed.
type origin struct {
	addr   netip.Addr // of the client; invalid if the connection has none
	secure bool       // the client spoke TLS, with us or with a proxy that we trust
}

// proxies says whom forwarded headers are believed from.
type proxies struct {
	trusted []netip.Prefix
	header  ForwardedHeader
}

func (p *proxies) trusts(addr netip.Addr) bool {
	return addr.IsValid() && slices.ContainsFunc(p.trusted, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// origin finds out where r came from. What a header says counts only if the
// connection is a trusted proxy's. Each proxy appends whom it was asked by: the
// client is the first from the right that is no trusted proxy itself, and what
// stands left of it is the client's own invention.
//
// A trusted proxy that does not tell how it was asked was asked in the clear.
func (p *proxies) origin(r *http.Request) origin {
	o := origin{addr: peer(r.RemoteAddr), secure: r.TLS != nil}
	if !p.trusts(o.addr) {
		return o
	}
	o.secure = false
	var hops []hop
	switch p.header {
	case XRealIP:
		values := r.Header.Values(string(XRealIP))
		if len(values) == 1 {
			hops = []hop{{addr: parseNode(values[0])}}
		}
	case Forwarded:
		hops = parseForwarded(r.Header.Values(string(Forwarded)))
	default:
		for _, item := range lastItems(r.Header.Values(string(XForwardedFor))) {
			hops = append(hops, hop{addr: parseNode(item)})
		}
	}
	for _, h := range slices.Backward(hops) {
		if !h.addr.IsValid() {
			break // "unknown", or a name: what is known ends here
		}
		o.addr = h.addr
		o.secure = strings.EqualFold(h.proto, "https")
		if !p.trusts(h.addr) {
			break
		}
	}
	if p.header != Forwarded {
		if protos := lastItems(r.Header.Values("X-Forwarded-Proto")); len(protos) > 0 {
			o.secure = strings.EqualFold(protos[len(protos)-1], "https")
		}
	}
	return o
}

// hop is what a proxy tells of whom it was asked by.
type hop struct {
	addr  netip.Addr
	proto string
}

// maxHops bounds how many proxies a request may have come through. What is
// left of the last so many is not looked at.
const maxHops = 32

// lastItems splits a header, which may come in several lines, at its commas.
func lastItems(values []string) []string {
	var items []string
	for _, value := range slices.Backward(values) {
		for value != "" && len(items) < maxHops {
			comma := strings.LastIndexByte(value, ',')
			items = append(items, strings.Trim(value[comma+1:], " \t"))
			value = value[:max(comma, 0)]
		}
	}
	slices.Reverse(items)
	return items
}

// parseForwarded reads the elements of RFC 7239. Commas and semicolons in
// quotes would be in names, and a name ends the search anyway.
func parseForwarded(values []string) (hops []hop) {
	for _, element := range lastItems(values) {
		var h hop
		for pair := range strings.SplitSeq(element, ";") {
			name, value, _ := strings.Cut(strings.Trim(pair, " \t"), "=")
			value = strings.Trim(value, `"`)
			switch strings.ToLower(name) {
			case "for":
				h.addr = parseNode(value)
			case "proto":
				h.proto = value
			}
		}
		hops = append(hops, h)
	}
	return hops
}

// parseNode reads an address with or without a port, [v6] in brackets or not.
func parseNode(text string) netip.Addr {
	if addr, err := netip.ParseAddrPort(text); err == nil {
		return plain(addr.Addr())
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr)
}

// peer is the other side of a connection.
func peer(remoteAddr string) netip.Addr {
	addr, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return plain(addr.Addr())
}

// plain makes addresses that mean the same equal: a v4 address has no v6 form,
// and no address has a zone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

// sourceIP is the address of the client; invalid if it is not known.
func (rq *request) sourceIP() netip.Addr { return rq.origin.addr }

// secure tells whether the client spoke TLS.
func (rq *request) secure() bool { return rq.origin.secure }

// scheme is that of the URLs under which the client reaches us.
func (rq *request) scheme() string {
	if rq.secure() {
		return "https"
	}
	return "http"
}
