package doctor

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// checkEndpoint reads the endpoint, and sets what the other checks go by.
func (e *examination) checkEndpoint(context.Context) finding {
	from := ""
	if e.EndpointFrom != "" {
		from = " (" + e.EndpointFrom + ")"
	}
	text := e.Endpoint
	if text == "" {
		return fail(EndpointMissing, "there is no endpoint")
	}
	if odd := oddity(text); odd != "" {
		return fail(EndpointOddText, "the endpoint %q%s has %s", plain(wire.EndpointText(text)), from, odd)
	}
	bare := !strings.Contains(text, "://")
	if bare {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return fail(EndpointMalformed, "%q%s is not the URL of a server", plain(wire.EndpointText(e.Endpoint)), from)
	case u.User != nil:
		return fail(EndpointMalformed, "the endpoint%s has a user name in it", from)
	case u.Scheme != "http" && u.Scheme != "https":
		return fail(EndpointMalformed, "%q%s is neither http nor https", plain(wire.EndpointText(e.Endpoint)), from)
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.Fragment != "":
		return fail(EndpointPath, "%q%s has more than scheme, host and port: %q", plain(wire.EndpointText(e.Endpoint)), from, plain(strings.TrimPrefix(text, u.Scheme+"://"+u.Host)))
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return fail(EndpointMalformed, "%q%s has a port that none is", plain(wire.EndpointText(e.Endpoint)), from)
		}
	}
	if bucket := e.bucketInHost(u.Hostname()); bucket != "" && e.Addressing != oss.CNAME {
		return fail(EndpointBucket, "the endpoint %s%s begins with the bucket %q", u.Host, from, bucket)
	}
	e.url = url.URL{Scheme: u.Scheme, Host: u.Host}
	if e.proxy, err = e.world.Proxy(&e.url); err != nil {
		return fail(ProxyMalformed, "the environment names a proxy that is none: %s", describe(err))
	}
	e.style = e.Addressing
	if e.style == oss.AutoAddressing {
		e.style = oss.VirtualHost
		if wire.IsPathHost(u.Hostname()) {
			e.style = oss.PathStyle
		}
	}
	e.readRegion()
	if bare {
		return ok("%s%s, without a scheme: https is taken", e.url.String(), from)
	}
	return ok("%s%s", e.url.String(), from)
}

// bucketInHost finds a bucket in front of an endpoint, or "".
func (e *examination) bucketInHost(host string) string {
	host = strings.ToLower(host)
	if e.Bucket != "" && strings.HasPrefix(host, e.Bucket+".") {
		return e.Bucket
	}
	if rest, public := strings.CutSuffix(host, ".aliyuncs.com"); public {
		if bucket, region, two := strings.Cut(rest, "."); two && strings.HasPrefix(region, "oss-") {
			return bucket
		}
	}
	return ""
}

// oddity names a character that gets into settings by accident, or "".
func oddity(text string) string {
	quoted := len(text) > 1 && strings.ContainsAny(text[:1], "\"'`") && text[len(text)-1] == text[0]
	switch {
	case quoted:
		return "quotes around it"
	case strings.HasSuffix(text, "\n") || strings.HasSuffix(text, "\r"):
		return "the end of a line at its end"
	case strings.ContainsAny(text, "\r\n"):
		return "the end of a line in it"
	case strings.TrimSpace(text) != text:
		return "a blank at its beginning or end"
	case strings.ContainsAny(text, " \t"):
		return "a blank in it"
	case strings.ContainsAny(text, "\"'`"):
		return "a quote in it"
	case strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return "a character that cannot be seen, or is not ASCII"
	}
	return ""
}

// readRegion judges the text of the region, and picks what is signed for.
func (e *examination) readRegion() {
	implied := wire.RegionOfEndpoint(e.url.Hostname())
	e.region, e.regionText = e.Region, finding{mark: OK}
	trimmed, prefixed := strings.CutPrefix(e.Region, "oss-")
	switch {
	case e.Region == "" && implied != "":
		e.region = implied
	case e.Region == "":
		e.regionText = fail(RegionMissing, "there is no region, and the endpoint does not tell it")
	case prefixed:
		e.region, e.regionText = trimmed, fail(RegionPrefix, "%s begins with oss-, as endpoints do: it is %q", e.regionName(), plain(trimmed))
	case strings.Trim(e.Region, "abcdefghijklmnopqrstuvwxyz0123456789-") != "":
		e.region = implied
		e.regionText = fail(RegionMalformed, "%s has other characters than a-z, 0-9 and -", e.regionName())
	case implied != "" && implied != e.Region:
		e.region = implied
		e.regionText = fail(RegionEndpoint, "%s is not that of the endpoint, %s", e.regionName(), implied)
	}
}

// regionName is the region as it was given.
func (e *examination) regionName() string {
	return named(fmt.Sprintf("the region %q", plain(e.Region)), e.RegionFrom)
}
