package doctor

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

var styleNames = map[oss.Addressing]string{
	oss.PathStyle: "path", oss.VirtualHost: "virtual", oss.CNAME: "cname",
}

// noBucket is the finding where a bucket is needed.
func noBucket() finding { return skip("no bucket was given: oss://BUCKET looks further") }

// checkAddressing asks for the bucket in the way that the client does, and in the
// other one. If only the other one works, the rest goes that way.
func (e *examination) checkAddressing(ctx context.Context) finding {
	if e.Bucket == "" {
		return noBucket()
	}
	used := e.tryStyle(ctx, e.style)
	if e.style == oss.CNAME {
		if used.mark == OK {
			used.found = "cname, which works: the endpoint is the bucket's"
		}
		return used
	}
	other := oss.PathStyle
	if e.style == oss.PathStyle {
		other = oss.VirtualHost
	}
	f := e.tryStyle(ctx, other)
	switch {
	case used.mark == OK && f.mark == OK:
		return ok("%s, which works; so does %s", styleNames[e.style], styleNames[other])
	case used.mark == OK:
		return ok("%s, which works; %s does not: %s", styleNames[e.style], styleNames[other], f.found)
	case f.mark == OK:
		used.found += fmt.Sprintf("; --addressing %s works", styleNames[other])
		if used.mark == Fail {
			e.style = other
		}
	}
	return used
}

// tryStyle asks for the bucket's info by one style. Every answer that is about
// the bucket will do.
func (e *examination) tryStyle(ctx context.Context, style oss.Addressing) finding {
	u := e.address(style, e.Bucket, "")
	if style == oss.VirtualHost {
		if f := e.virtualHost(ctx, u.Hostname()); f.mark != OK {
			return f
		}
	}
	q := e.bucketInfo()
	q.style = style
	a := e.ask(ctx, q)
	var name x509.HostnameError
	switch code := a.code(); {
	case errors.As(a.err, &name):
		return fail(VirtualHostCertificate, "the certificate is not for %s", u.Hostname())
	case a.err != nil && style == oss.VirtualHost:
		return fail(VirtualHostUnreachable, "%s cannot be asked: %s", u.Host, a.text())
	case a.err != nil:
		return fail(HTTPCut, "%s cannot be asked: %s", u.Host, a.text())
	case !a.ours():
		return e.stranger(a)
	case code == "SecondLevelDomainForbidden":
		return fail(PathStyleRefused, "path: the server does not take buckets in the path: %s", plain(code))
	case code == "SignatureDoesNotMatch" && style == oss.VirtualHost, style == oss.VirtualHost && e.answersForService(a):
		return fail(VirtualHostUnknown, "virtual: the server does not see a bucket in the host %s", u.Host)
	case code == "SignatureDoesNotMatch":
		return mismatch(a)
	}
	return finding{mark: OK}
}

// answersForService reports whether an answer about a bucket is none: the server
// took the request to be about itself.
func (e *examination) answersForService(a *answer) bool {
	var info wire.BucketInfo
	return a.status == http.StatusOK && (wire.Unmarshal(a.body, &info) != nil || info.Bucket.Name != e.Bucket) ||
		a.code() == "InvalidBucketName" || a.code() == "MethodNotAllowed"
}

// virtualHost looks whether there can be buckets in front of the endpoint, and
// whether this one can be found there.
func (e *examination) virtualHost(ctx context.Context, host string) finding {
	if wire.IsPathHost(e.url.Hostname()) && !strings.EqualFold(e.url.Hostname(), "localhost") {
		return fail(VirtualHostAddress, "virtual: an IP address has no hosts below it")
	}
	if e.proxy != nil {
		return finding{mark: OK} // the proxy looks it up
	}
	ctx, done := e.within(ctx)
	defer done()
	if addresses, err := e.world.Resolver.LookupHost(ctx, host); err != nil || len(addresses) == 0 {
		return fail(VirtualHostUnresolvable, "virtual: there is no host %s", host)
	}
	return finding{mark: OK}
}

func (e *examination) bucketInfo() question {
	return e.signedQuestion(question{method: http.MethodGet, bucket: e.Bucket, query: []sign.Param{{Name: "bucketInfo"}}})
}

func (e *examination) checkBucket(ctx context.Context) finding {
	a := e.ask(ctx, e.bucketInfo())
	if a.err != nil {
		return fail(HTTPCut, "no answer: %s", a.text())
	}
	switch endpoint := elementOf(a, "Endpoint"); {
	case a.code() == "NoSuchBucket":
		return fail(BucketMissing, "there is no bucket %q", e.Bucket)
	case endpoint != "" && (a.code() == "AccessDenied" || a.status/100 == 3):
		return fail(BucketElsewhere, "the bucket is in another region, and asks to be addressed at %s", plain(endpoint))
	case a.code() == "AccessDenied" && strings.Contains(strings.ToLower(a.refusal.Message), "belong to you"):
		return fail(BucketForeign, "the bucket belongs to another account: %s", plain(a.refusal.Message))
	case a.code() == "AccessDenied":
		f := warn(BucketUntold, "the bucket may not be asked about, which tells only that the server knows its name: %s", a.text())
		f.detail = permissionLines(a)
		return f
	case a.status != http.StatusOK:
		return fail(Refused, "the server answers %s", a.text())
	}
	var info wire.BucketInfo
	if err := wire.Unmarshal(a.body, &info); err != nil {
		return fail(NotOSS, "the answer is no document of GetBucketInfo: %s", plain(err.Error()))
	}
	b := info.Bucket
	if region := strings.TrimPrefix(b.Location, "oss-"); e.v4 && e.region != "" && region != "" && region != e.region {
		return warn(BucketElsewhere, "the bucket is in %s, and requests are signed for %s", plain(region), e.region)
	}
	return ok("it is there: in %s, of owner %s, ACL %s", plain(b.Location), plain(b.Owner.ID), plain(string(b.AccessControlList.Grant)))
}

// elementOf is a further element of an error document, or "".
func elementOf(a *answer, name string) string {
	if a.refusal == nil {
		return ""
	}
	return a.refusal.Element(name)
}
