package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/oss"
)

// wrong is a wrong set-up, and what is said about it. The table of
// docs/doctor.md is made of these.
type wrong struct {
	name    string
	arrange func(s *scene) // starts what listens; a real server starts by itself if nothing does
	check   string
	mark    Mark
	cause   Cause
	found   string   // is in what was found, or in the detail
	also    []string // other checks that fail or warn because of it
}

// denying is an arrangement with a user who may do what the policy allows.
func denying(policy string) func(s *scene) {
	return func(s *scene) {
		s.subject.Credentials.AccessKeyID = "LTAIuser"
		s.keys["LTAIuser"] = policy
	}
}

// setting changes the subject.
func setting(f func(*Subject)) func(s *scene) { return func(s *scene) { f(&s.subject) } }

// before puts something before a real server.
func before(wrap func(http.Handler) http.Handler) func(s *scene) {
	return func(s *scene) { s.wrap = wrap }
}

// alone makes a handler the server.
func alone(h http.HandlerFunc) func(s *scene) { return func(s *scene) { s.fake(h) } }

// dialling decides what comes of connections.
func dialling(dial func(ctx context.Context, address string) (net.Conn, error)) func(s *scene) {
	return func(s *scene) { s.dial, s.target = dial, "none" }
}

func notFound(prefix string) func(string) error {
	return func(name string) error {
		if strings.HasPrefix(name, prefix) {
			return &net.DNSError{Err: "no such host", Name: name, IsNotFound: true}
		}
		return nil
	}
}

// aboutBucket, byPath and isPut tell requests apart.
func aboutBucket(r *http.Request) bool { return r.URL.Query().Has("bucketInfo") }

func byPath(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/"+bucket) }

func isPut(r *http.Request) bool { return r.Method == http.MethodPut && r.URL.RawQuery == "" }

var bothSignatures = []string{"signature-v1"}

var wrongs = []wrong{
	// endpoint
	{"no endpoint", setting(func(s *Subject) { s.Endpoint = "" }), "endpoint", Fail, EndpointMissing, "no endpoint", nil},
	{"quotes around the endpoint", setting(func(s *Subject) { s.Endpoint = `"http://` + host + `"` }), "endpoint", Fail, EndpointOddText, "quotes", nil},
	{"a line end behind the endpoint", setting(func(s *Subject) { s.Endpoint += "\n" }), "endpoint", Fail, EndpointOddText, "(OSS_ENDPOINT) has the end of a line", nil},
	{"an endpoint with a password that is no URL", setting(func(s *Subject) { s.Endpoint = "http://user:" + secret + "@[::1" }), "endpoint", Fail, EndpointMalformed, `"http://[::1" (OSS_ENDPOINT) is not the URL`, nil},
	{"an endpoint with a password and quotes", setting(func(s *Subject) { s.Endpoint = "http://user:" + secret + "@'host'" }), "endpoint", Fail, EndpointOddText, `"http://'host'" (OSS_ENDPOINT) has a quote in it`, nil},
	{"an endpoint that begins with oss://", setting(func(s *Subject) { s.Endpoint = "oss://" + bucket }), "endpoint", Fail, EndpointMalformed, "neither http nor https", nil},
	{"an endpoint with a path", setting(func(s *Subject) { s.Endpoint += "/storage/" }), "endpoint", Fail, EndpointPath, `"/storage/"`, nil},
	{"the bucket in the endpoint", setting(func(s *Subject) { s.Endpoint = "https://photos.oss-cn-hangzhou.aliyuncs.com" }), "endpoint", Fail, EndpointBucket, `"photos"`, nil},

	// dns
	{"a typing error in the host", func(s *scene) { s.unknown, s.target = notFound(host), "none" }, "dns", Fail, DNSUnknownHost, "there is no host " + host, nil},
	{"no name server answers", func(s *scene) {
		s.target = "none"
		s.unknown = func(name string) error {
			return &net.DNSError{Err: "server misbehaving", Name: name, IsTemporary: true}
		}
	}, "dns", Fail, DNSFailure, "server misbehaving", nil},

	// tcp
	{"connection refused", dialling(func(context.Context, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}), "tcp", Fail, ConnectRefused, "refuses connections to 192.0.2.1:80", nil},
	{"a firewall drops packets", func(s *scene) {
		s.clock.over = true
		dialling(func(ctx context.Context, _ string) (net.Conn, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})(s)
	}, "tcp", Fail, ConnectTimeout, "nothing answers at 192.0.2.1:80", nil},
	{"no route to the address", dialling(func(context.Context, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.EHOSTUNREACH)}
	}), "tcp", Fail, Unreachable, "no route to host", nil},
	{"one of two addresses is dead", func(s *scene) {
		s.world.Resolver = twoAddresses{}
		s.dial = func(ctx context.Context, address string) (net.Conn, error) {
			if strings.HasPrefix(address, "192.0.2.2:") {
				return nil, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.target)
		}
	}, "tcp", Warn, SomeAddresses, "192.0.2.2:80", nil},

	// tls
	{"https on a port without TLS", setting(func(s *Subject) { s.Endpoint = "https://" + host + ":9000" }), "tls", Fail, TLSOnPlainPort, host + ":9000 answers without TLS", nil},
	{"a port that breaks off TLS", func(s *scene) {
		s.subject.Endpoint = host
		s.raw(func(c net.Conn) { c.Read(make([]byte, 1)) })
	}, "tls", Fail, TLSFailure, "handshake", nil},
	{"a server with TLS 1.1", func(s *scene) {
		s.subject.Endpoint = host
		s.certificate(nil, nil)
		s.tls.MinVersion, s.tls.MaxVersion = tls.VersionTLS11, tls.VersionTLS11
	}, "tls", Fail, TLSOld, "TLS 1.1", nil},
	{"an expired certificate", func(s *scene) {
		s.subject.Endpoint = host
		s.certificate(func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Hour) }, nil)
	}, "tls", Fail, CertificateExpired, "2026-03-14T08:26:53Z", nil},
	{"a certificate that is not valid yet", func(s *scene) {
		s.subject.Endpoint = host
		s.certificate(func(c *x509.Certificate) { c.NotBefore = now.Add(time.Hour) }, nil)
	}, "tls", Fail, CertificateFuture, "2026-03-14T10:26:53Z", nil},
	{"a certificate that ends within two weeks", func(s *scene) {
		s.subject.Endpoint = host
		s.certificate(func(c *x509.Certificate) { c.NotAfter = now.Add(73 * time.Hour) }, nil)
	}, "tls", Warn, CertificateSoon, "in 3 days", nil},
	{"a certificate for another name", func(s *scene) {
		s.subject.Endpoint = "https://storage.example.test"
		s.certificate(nil, nil)
	}, "tls", Fail, CertificateName, "for oss.example.test, *.oss.example.test, and not for storage.example.test", nil},
	{"a self-signed certificate", func(s *scene) {
		s.subject.Endpoint = host
		s.certificate(func(c *x509.Certificate) { c.IsCA = true }, nil)
	}, "tls", Fail, CertificateSelfSigned, "signed by itself", nil},
	{"a certificate of an unknown authority", func(s *scene) {
		s.subject.Endpoint = host
		s.certificate(nil, func() bool { return false })
	}, "tls", Fail, CertificateUnknown, "Example Authority", nil},

	// http
	{"http on a port with TLS", func(s *scene) { s.certificate(nil, nil) }, "http", Fail, HTTPOnTLSPort, "wants TLS", nil},
	{"http on a port with TLS, which answers with an alert", func(s *scene) {
		s.raw(func(c net.Conn) {
			c.Read(make([]byte, 1))
			c.Write([]byte("\x15\x03\x01\x00\x02\x02\x46\r\n"))
			io.Copy(io.Discard, c)
		})
	}, "http", Fail, HTTPOnTLSPort, "answers in TLS", nil},
	{"a server that hangs", func(s *scene) {
		clock := &hangingClock{testClock: s.clock}
		s.world.Clock = clock
		s.raw(func(c net.Conn) {
			if n, _ := c.Read(make([]byte, 1)); n > 0 {
				clock.expire()
			}
			io.Copy(io.Discard, c)
		})
	}, "http", Fail, HTTPTimeout, "does not answer a request within 10s", nil},
	{"a server of something else than HTTP", func(s *scene) {
		s.raw(func(c net.Conn) { io.WriteString(c, "220 mail.example.test ESMTP\r\n") })
	}, "http", Fail, HTTPCut, "does not answer in HTTP", nil},
	{"a server that shuts down", alone(refusing(503, "ServiceUnavailable", "The server is shutting down.", "")),
		"http", Fail, ServerUnavailable, "shutting down", nil},
	{"the endpoint of an S3 server", alone(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("x-amz-request-id", "17A1B2C3D4")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, "<Error><Code>AccessDenied</Code><RequestId>17A1B2C3D4</RequestId></Error>")
	}), "http", Fail, S3Server, "x-amz-request-id", nil},
	{"the endpoint of the admin listener", func(s *scene) {
		s.serve(&http.Server{Handler: server.Admin(func(context.Context) error { return nil }, prometheus.NewRegistry())}, s.listen())
	}, "http", Fail, AdminListener, "admin listener", nil},
	{"the endpoint of a web site that has no such page", alone(page(404, "nginx")), "http", Fail, NotOSS, "404 by nginx", nil},
	{"a captive portal shows a page", alone(page(200, "portal")), "http", Fail, CaptivePortal, "a web page", nil},
	{"a captive portal redirects", alone(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://login.example.test/?from=here", http.StatusFound)
	}), "http", Fail, CaptivePortal, "a redirect to login.example.test", nil},
	{"a server that redirects to a path", alone(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/storage/", http.StatusMovedPermanently)
	}), "http", Fail, Redirect, `"/storage/"`, nil},
	{"a proxy in front that does not reach the server", alone(page(502, "nginx")), "http", Fail, ProxyGateway, "HTTP 502 by nginx", nil},

	// clock
	{"the clock is two hours behind", func(s *scene) { s.clock.off = -2 * time.Hour }, "clock", Fail, ClockBehind, "2h0m0s behind", nil},
	{"the clock is a day ahead", func(s *scene) { s.clock.off = 24 * time.Hour }, "clock", Fail, ClockAhead, "24h0m0s ahead of", nil},
	{"the clock is ten minutes behind", func(s *scene) { s.clock.off = -10 * time.Minute }, "clock", Warn, ClockDrifts, "10m0s behind", nil},
	{"the clock is fine, and a proxy drops Date", before(answering(func(h http.Header) { h["Date"] = nil })), "clock", Warn, ClockUnknown, "no date", nil},
	{"the clock is two hours behind, and a proxy drops Date", func(s *scene) {
		s.clock.off = -2 * time.Hour
		s.wrap = answering(func(h http.Header) { h["Date"] = nil })
	}, "signature-v4", Fail, ClockRefused, "2026-03-14T09:26:53.000Z", []string{"clock", "signature-v1"}},

	// credentials
	{"no access key", setting(func(s *Subject) { s.Credentials = oss.Credentials{} }), "credentials", Fail, CredentialsMissing, "neither", nil},
	{"no secret", setting(func(s *Subject) { s.Credentials.AccessKeySecret = "" }), "credentials", Fail, CredentialsIncomplete, "(OSS_ACCESS_KEY_ID) is there, and the secret is missing", nil},
	{"the ID twice", setting(func(s *Subject) { s.Credentials.AccessKeySecret = keyID }), "credentials", Fail, CredentialsSame, "the same text", nil},
	{"ID and secret swapped", setting(func(s *Subject) {
		s.Credentials = oss.Credentials{AccessKeyID: secret, AccessKeySecret: keyID}
	}), "credentials", Fail, CredentialsSwapped, "swapped", nil},
	{"ID and secret swapped, with a line end", setting(func(s *Subject) {
		s.Credentials = oss.Credentials{AccessKeyID: secret + "\n", AccessKeySecret: keyID}
	}), "credentials", Fail, CredentialsSwapped, "swapped", nil},
	{"a blank behind the key ID", setting(func(s *Subject) { s.Credentials.AccessKeyID += " " }), "credentials", Fail, KeyIDOddText, "a blank at its beginning or end", nil},
	{"a line end behind the key ID", setting(func(s *Subject) { s.Credentials.AccessKeyID += "\r\n" }), "credentials", Fail, KeyIDOddText, "the end of a line", nil},
	{"quotes around the key ID", setting(func(s *Subject) { s.Credentials.AccessKeyID = "'" + keyID + "'" }), "credentials", Fail, KeyIDOddText, "quotes", nil},
	{"a blank before the secret", setting(func(s *Subject) { s.Credentials.AccessKeySecret = " " + secret }), "credentials", Fail, SecretOddText, "a blank", nil},
	{"a line end behind the secret", setting(func(s *Subject) { s.Credentials.AccessKeySecret += "\n" }), "credentials", Fail, SecretOddText, "the secret (OSS_ACCESS_KEY_SECRET) has the end of a line", nil},
	{"quotes around the secret", setting(func(s *Subject) { s.Credentials.AccessKeySecret = `"` + secret + `"` }), "credentials", Fail, SecretOddText, "quotes", nil},
	{"an invisible character in the secret", setting(func(s *Subject) { s.Credentials.AccessKeySecret = "\ufeff" + secret }), "credentials", Fail, SecretOddText, "cannot be seen", nil},
	{"a token that was broken into lines", setting(func(s *Subject) {
		s.Credentials = oss.Credentials{AccessKeyID: "STS.user", AccessKeySecret: secret, SecurityToken: token + "\n" + token}
	}), "credentials", Fail, TokenOddText, "the end of a line in it", nil},
	{"a temporary key without its token", setting(func(s *Subject) { s.Credentials.AccessKeyID = "STS.user" }), "credentials", Fail, TokenMissing, "STS.user", nil},
	{"a token of an old session beside a long-term key", setting(func(s *Subject) { s.Credentials.SecurityToken = token }),
		"credentials", Warn, TokenSuperfluous, "long-term", []string{"signature-v4", "signature-v1"}},

	// signatures
	{"the wrong secret", setting(func(s *Subject) { s.Credentials.AccessKeySecret = "another-secret-012345" }), "signature-v4", Fail, SecretWrong, "the secrets differ", bothSignatures},
	{"an unknown key ID", setting(func(s *Subject) { s.Credentials.AccessKeyID = "LTAInobody" }), "signature-v4", Fail, KeyUnknown, "LTAInobody", bothSignatures},
	{"a disabled key", func(s *scene) {
		s.subject.Credentials.AccessKeyID, s.keys["LTAIuser"] = "LTAIuser", "disabled"
	}, "signature-v4", Fail, KeyDisabled, "LTAIuser is disabled", bothSignatures},
	{"an expired token", func(s *scene) {
		s.subject.Credentials = oss.Credentials{AccessKeyID: "STS.user", AccessKeySecret: secret, SecurityToken: token}
		s.keys["STS.user"] = "expired"
	}, "signature-v4", Fail, TokenExpired, "is over", bothSignatures},
	{"a token of another server", func(s *scene) {
		s.subject.Credentials = oss.Credentials{AccessKeyID: "STS.user", AccessKeySecret: secret, SecurityToken: token}
		s.keys["STS.user"] = "invalid"
	}, "signature-v4", Fail, TokenInvalid, "did not issue", bothSignatures},
	{"a token of another session", func(s *scene) {
		s.subject.Credentials = oss.Credentials{AccessKeyID: "STS.user", AccessKeySecret: secret, SecurityToken: token}
		s.keys["STS.user"] = "mismatched"
	}, "signature-v4", Fail, TokenMismatch, "another access key than STS.user", bothSignatures},
	{"a proxy adds an x-oss- header", before(asking(func(r *http.Request) { r.Header.Set("X-Oss-Proxied", "yes") })),
		"signature-v4", Fail, RequestChanged, "x-oss-proxied:yes", bothSignatures},
	{"a server that takes V1 only", before(instead(func(r *http.Request) bool { return strings.HasPrefix(r.Header.Get("Authorization"), "OSS4") },
		refusing(400, "InvalidArgument", "Authorization header is invalid.", ""))),
		"signature-v4", Fail, SignatureRefused, "Authorization header is invalid", nil},

	// region
	{"no region", setting(func(s *Subject) { s.Region = "" }), "region", Fail, RegionMissing, "no region", nil},
	{"a region with oss- before it", setting(func(s *Subject) { s.Region = "oss-cn-hangzhou" }), "region", Fail, RegionPrefix, `it is "cn-hangzhou"`, nil},
	{"a region in capitals", setting(func(s *Subject) { s.Region = "CN-Hangzhou" }), "region", Fail, RegionMalformed, `"CN-Hangzhou"`, nil},
	{"a region that is not the endpoint's", func(s *scene) {
		s.subject.Region = "cn-shanghai"
		s.subject.Endpoint, s.subject.Addressing = "http://oss-cn-hangzhou.aliyuncs.com", oss.VirtualHost
	}, "region", Fail, RegionEndpoint, `the region "cn-shanghai" is not that of the endpoint, cn-hangzhou`, nil},
	{"the wrong region", setting(func(s *Subject) { s.Region = "cn-beijing" }), "region", Fail, RegionWrong, `the region "cn-beijing" is not that of the server, cn-hangzhou`, nil},

	// addressing
	{"buckets in the path are refused", before(instead(byPath, refusing(403, "SecondLevelDomainForbidden", "The bucket you are attempting to access must be addressed using OSS third level domain.", ""))),
		"addressing", Fail, PathStyleRefused, "--addressing virtual works", nil},
	{"buckets in the host, and an IP address", setting(func(s *Subject) { s.Endpoint, s.Addressing = "http://192.0.2.1:9000", oss.VirtualHost }),
		"addressing", Fail, VirtualHostAddress, "--addressing path works", nil},
	{"buckets in the host, which DNS does not know", func(s *scene) {
		s.subject.Addressing = oss.VirtualHost
		s.unknown = notFound(bucket + ".")
	}, "addressing", Fail, VirtualHostUnresolvable, "there is no host " + bucket + "." + host, nil},
	{"buckets in the host, which leads elsewhere", func(s *scene) {
		s.subject.Addressing = oss.VirtualHost
		s.dial = func(ctx context.Context, address string) (net.Conn, error) {
			if strings.HasPrefix(address, bucket+".") {
				return nil, errors.New("connection reset by peer")
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", s.target)
		}
	}, "addressing", Fail, VirtualHostUnreachable, "connection reset", nil},
	{"buckets in the host, which the certificate is not for", func(s *scene) {
		s.subject.Endpoint, s.subject.Addressing = host, oss.VirtualHost
		s.certificate(func(c *x509.Certificate) { c.DNSNames = []string{host} }, nil)
	}, "addressing", Fail, VirtualHostCertificate, "not for " + bucket + "." + host, nil},
	{"buckets in the host, and a server without --domain", func(s *scene) {
		s.subject.Addressing, s.options.Domains = oss.VirtualHost, nil
	}, "addressing", Fail, VirtualHostUnknown, "does not see a bucket in the host", nil},

	// bucket
	{"a bucket that is not there", setting(func(s *Subject) { s.Bucket = "exampels" }), "bucket", Fail, BucketMissing, `no bucket "exampels"`, nil},
	{"a bucket of another region", before(instead(aboutBucket, refusing(403, "AccessDenied",
		"The bucket you are attempting to access must be addressed using the specified endpoint. Please send all future requests to this endpoint.",
		"<Endpoint>oss-cn-shanghai.aliyuncs.com</Endpoint>"))), "bucket", Fail, BucketElsewhere, "oss-cn-shanghai.aliyuncs.com", nil},
	{"a bucket of another account", before(instead(aboutBucket, refusing(403, "AccessDenied", "The bucket you access does not belong to you.", ""))),
		"bucket", Fail, BucketForeign, "another account", nil},
	{"a user who may not ask about the bucket", denying(allow("oss:ListObjects", "oss:GetObject", "oss:PutObject", "oss:AbortMultipartUpload", "oss:ListParts")),
		"bucket", Warn, BucketUntold, "action: oss:GetBucketInfo", nil},
	{"an answer that is in no list", before(instead(aboutBucket, refusing(409, "BucketIsBusy", "Made up.", ""))), "bucket", Fail, Refused, "BucketIsBusy", nil},

	// permissions
	{"no permission to list", denying(allow("oss:GetBucketInfo", "oss:GetObject", "oss:PutObject", "oss:AbortMultipartUpload", "oss:ListParts")),
		"list", Fail, PermissionList, "oss:ListObjects is not allowed", nil},
	{"no permission to read", denying(allow("oss:GetBucketInfo", "oss:ListObjects", "oss:PutObject", "oss:AbortMultipartUpload", "oss:ListParts")),
		"get", Fail, PermissionGet, "action: oss:GetObject", nil},
	{"a read-only policy", denying(allow("oss:Get*", "oss:List*", "oss:AbortMultipartUpload")), "put", Fail, PermissionPut, "oss:PutObject is not allowed", []string{"multipart"}},
	{"no permission to begin an upload", before(instead(func(r *http.Request) bool { return r.Method == http.MethodPost },
		refusing(403, "AccessDenied", "You have no right to access this object.", ""))), "multipart", Fail, PermissionMultipart, "oss:PutObject is not allowed", nil},
	{"no permission to list parts", denying(allow("oss:GetBucketInfo", "oss:ListObjects", "oss:GetObject", "oss:PutObject", "oss:AbortMultipartUpload")),
		"multipart", Warn, PermissionParts, "oss:ListParts", nil},
	{"no permission to abort uploads", denying(allow("oss:GetBucketInfo", "oss:ListObjects", "oss:GetObject", "oss:PutObject", "oss:ListParts")),
		"multipart", Fail, PermissionAbort, "action: oss:AbortMultipartUpload", nil},
	{"an object that is not there", setting(func(s *Subject) { s.Key = "theer" }), "get", Warn, ObjectMissing, `"theer"`, nil},
	{"an archived object", before(instead(func(r *http.Request) bool { return r.Header.Get("Range") != "" },
		refusing(403, "InvalidObjectState", "The operation is not valid for the object's state", ""))), "get", Warn, ObjectArchived, `"there" is archived`, nil},
	{"a server that ignores checksums", before(instead(func(r *http.Request) bool { return r.Header.Get("Content-Md5") != "" },
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("x-oss-request-id", "5C3D9175B6FC201293AD4890")
		})), "put", Fail, ChecksumIgnored, "deleted again", nil},
	{"an upload that cannot be aborted", func(s *scene) {
		s.wrap = instead(func(r *http.Request) bool {
			return r.Method == http.MethodDelete && r.URL.Query().Has("uploadId") && !strings.HasPrefix(r.URL.Query().Get("uploadId"), "00000000")
		}, refusing(500, "InternalError", "Made up.", ""))
		s.leaves = 1
	}, "multipart", Fail, LeftBehind, "stays open", nil},

	// proxy
	{"a proxy of the environment that is no URL", func(s *scene) {
		s.world.Proxy = func(*url.URL) (*url.URL, error) { return nil, errors.New(`invalid proxy address "::"`) }
	}, "endpoint", Fail, ProxyMalformed, "invalid proxy address", nil},
	{"a proxy of the environment that wants a password", func(s *scene) {
		s.world.Proxy = through("http://proxy.example.test:3128")
		s.fake(page(http.StatusProxyAuthRequired, "squid"))
	}, "http", Fail, ProxyPassword, "password", nil},
	{"a proxy of the environment that does not connect", func(s *scene) {
		s.subject.Endpoint = host
		s.world.Proxy = through("http://proxy.example.test:3128")
		s.fake(page(http.StatusForbidden, "squid"))
	}, "tls", Fail, ProxyRefused, "proxy.example.test:3128 does not connect", nil},
	{"a proxy of the environment", func(s *scene) {
		s.world.Proxy = through("http://user:" + token + "@proxy.example.test:3128")
		s.wrap = asking(func(r *http.Request) { r.RequestURI = r.URL.RequestURI() })
	}, "proxy", Warn, ProxyUsed, "proxy.example.test:3128", nil},
	{"a proxy in front", before(answering(func(h http.Header) { h.Set("Via", "1.1 edge") })), "proxy", Warn, ProxyInFront, "Via: 1.1 edge", nil},
	{"a proxy that changes Host", before(asking(func(r *http.Request) { r.Host = "backend:9000" })), "proxy", Warn, HostRewritten, "backend", nil},
	{"a proxy that tidies headers", before(asking(func(r *http.Request) {
		if v := r.Header.Get("X-Oss-Doctor"); v != "" {
			r.Header.Set("X-Oss-Doctor", strings.Join(strings.Fields(v), " "))
		}
	})), "proxy", Fail, HeadersRewritten, "x-oss-doctor:Two Blanks", nil},
	{"a proxy that tidies paths", before(asking(func(r *http.Request) {
		r.RequestURI = strings.ReplaceAll(r.RequestURI, "//", "/")
	})), "proxy", Fail, PathRewritten, "first difference: line 2 of the canonical request", nil},
	{"a proxy that compresses", before(answering(func(h http.Header) { h.Set("Content-Encoding", "gzip") })), "proxy", Warn, BodyEncoded, "gzip", nil},
	{"a proxy that collects bodies", before(asking(func(r *http.Request) {
		if r.Header.Get("Expect") != "" {
			io.Copy(io.Discard, r.Body)
		}
	})), "proxy", Warn, BodyBuffered, "collects bodies", nil},

	// limits
	{"a proxy that takes no large bodies", before(instead(func(r *http.Request) bool { return isPut(r) && r.ContentLength > 1<<20 }, page(413, "nginx"))),
		"limits", Fail, BodyTooLarge, "413", nil},
	{"too many connections", func(s *scene) { s.options.MaxConnections, s.options.MaxConnectionsPerAddress = 6, 6 },
		"limits", Warn, TooManyConnections, "of 16 connections", nil},
}

// Each wrong set-up is found by the check that it is about, and no other check
// complains.
func TestWrong(t *testing.T) {
	for _, w := range wrongs {
		t.Run(strings.ReplaceAll(w.name, "/", ""), func(t *testing.T) {
			s := newScene(t)
			w.arrange(s)
			if s.target == "" {
				s.ossa()
			}
			checks := s.examine()
			got := checks[w.check]
			said := got.Found + "\n" + strings.Join(got.Detail, "\n")
			if got.Mark != w.mark || got.Cause != w.cause || !strings.Contains(said, w.found) {
				t.Errorf("%s: %s %s: %s\nwant %s %s with %q", got.Name, got.Mark, got.Cause, said, w.mark, w.cause, w.found)
			}
			for name, c := range checks {
				if bad := c.Mark == Fail || c.Mark == Warn; bad && name != w.check && !slices.Contains(w.also, name) {
					t.Errorf("%s complains as well: %s: %s %v", name, c.Cause, c.Found, c.Detail)
				}
			}
			for _, name := range w.also {
				if m := checks[name].Mark; m != Fail && m != Warn {
					t.Errorf("%s does not complain: %s", name, checks[name].Found)
				}
			}
		})
	}
}

// through is a proxy of the environment.
func through(proxy string) func(*url.URL) (*url.URL, error) {
	return func(*url.URL) (*url.URL, error) { return url.Parse(proxy) }
}

// hangingClock is over for the waits of those who wait when expire is called.
type hangingClock struct {
	*testClock
	mu     sync.Mutex
	timers []func()
}

func (c *hangingClock) AfterFunc(_ time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timers = append(c.timers, f)
	return func() bool { return true }
}

func (c *hangingClock) expire() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.timers {
		f()
	}
}

// twoAddresses is a host with two addresses.
type twoAddresses struct{}

func (twoAddresses) LookupHost(context.Context, string) ([]string, error) {
	return []string{"192.0.2.1", "192.0.2.2"}, nil
}
