package server

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/wire"
)

// target is what a request is addressed to, as Host and path say.
type target struct {
	bucket    string
	key       string
	pathStyle bool
	// endpoint is the authority that clients reach the server under: the Host
	// without the bucket.
	endpoint string
}

func (t target) level() level {
	switch {
	case t.bucket == "":
		return onService
	case t.key == "":
		return onBucket
	}
	return onObject
}

// localhost is a domain of every server, so that virtual-hosted addresses
// work with no set-up.
const localhost = "localhost"

// aliyuncs is the domain of the public service. Requests to a server with an
// IP address carry such a Host when they come from the JavaScript SDK: the
// bucket is in it and not in the path.
const aliyuncs = ".aliyuncs.com"

// hostName is a Host, in lower case, without its port and the dot of the root.
func hostName(host string) string {
	name := host
	if h, _, err := net.SplitHostPort(name); err == nil {
		name = h
	}
	return strings.TrimSuffix(name, ".")
}

// splitHost finds the bucket in a Host, as the documentation page "Endpoints"
// has it. virtual says that the Host names a bucket, "" being the service
// itself, and that the whole path is the key; otherwise the path names the
// bucket.
func splitHost(host string, domains []string) (bucket, endpoint string, virtual bool) {
	host = strings.ToLower(host)
	name := hostName(host)
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		return "", host, false
	}
	if name == localhost || slices.Contains(domains, name) {
		return "", host, false
	}
	for _, domain := range append([]string{localhost}, domains...) {
		label, ok := strings.CutSuffix(name, "."+domain)
		if ok && label != "" && !strings.Contains(label, ".") {
			return label, host[len(label)+1:], true
		}
	}
	if rest, ok := strings.CutSuffix(name, aliyuncs); ok {
		// <bucket>.oss-<region>, or .oss-<region> for the service.
		dot := strings.LastIndexByte(rest, '.')
		if dot >= 0 && strings.HasPrefix(rest[dot+1:], "oss-") {
			return rest[:dot], host[dot+1:], true
		}
	}
	return "", host, false
}

// endpointOf is the authority that clients who came by a domain of a bucket can
// reach other buckets under: a domain of the server, at their port.
func endpointOf(host string, domains []string) string {
	host = strings.ToLower(host)
	if len(domains) == 0 {
		return host
	}
	if _, port, err := net.SplitHostPort(host); err == nil {
		return net.JoinHostPort(domains[0], port)
	}
	return domains[0]
}

// parseTarget finds out what r is addressed to. cname returns the bucket that a
// host leads to as a whole, or "". Nothing is cleaned: "//", "."
// and ".." are part of the key, and only percent escapes are decoded.
func parseTarget(r *http.Request, domains []string, cname func(name string) (string, error)) (target, error) {
	path := rawPath(r)
	bucket, err := cname(hostName(strings.ToLower(r.Host)))
	if err != nil {
		return target{}, err
	}
	endpoint, virtual := endpointOf(r.Host, domains), true
	if bucket == "" {
		bucket, endpoint, virtual = splitHost(r.Host, domains)
	}
	t := target{bucket: bucket, endpoint: endpoint, pathStyle: !virtual}
	rawKey := path
	if !virtual {
		rawBucket, rest, _ := strings.Cut(path, "/")
		name, ok := wire.DecodeURL(rawBucket)
		if !ok {
			name = rawBucket
		}
		t.bucket, rawKey = name, rest
		if name == "" && rest != "" {
			return t, invalidBucketName(name) // "//..." has an empty name, not none
		}
	}
	if t.bucket == "" {
		if virtual && rawKey != "" {
			return t, invalidBucketName("")
		}
		return t, nil
	}
	if !wire.ValidBucketName(t.bucket) {
		return t, invalidBucketName(t.bucket)
	}
	if rawKey == "" {
		return t, nil
	}
	key, err := wire.DecodeKey(rawKey)
	if err != nil {
		return t, err
	}
	t.key = key
	return t, wire.ValidateKey(key)
}

// rawPath is the path of a request as it came, without the slash at its
// front.
func rawPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	if path == "*" {
		return "" // the server as a whole
	}
	if path == "" || path[0] != '/' {
		// Absolute form ("http://host/path"), or a request that did not come
		// over a connection.
		path = r.URL.EscapedPath()
		if _, rest, ok := strings.Cut(r.RequestURI, "://"); ok {
			rest, _, _ = strings.Cut(rest, "?")
			if i := strings.IndexByte(rest, '/'); i >= 0 {
				path = rest[i:]
			}
		}
	}
	return strings.TrimPrefix(path, "/")
}
