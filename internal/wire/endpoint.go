package wire

import (
	"net/netip"
	"strings"
)

// RegionOfEndpoint reads the region off a host of the public service, such as
// oss-cn-hangzhou-internal.aliyuncs.com. It is "" for other hosts, and for those
// that stand for all regions.
func RegionOfEndpoint(host string) string {
	label, ok := strings.CutSuffix(strings.ToLower(host), ".aliyuncs.com")
	if !ok {
		return ""
	}
	label = label[strings.LastIndex(label, ".")+1:]
	region, ok := strings.CutPrefix(label, "oss-")
	if !ok || strings.HasPrefix(region, "accelerate") {
		return ""
	}
	region = strings.TrimSuffix(region, "-internal")
	return strings.TrimSuffix(region, "-dualstack")
}

// IsPathHost reports whether a host cannot have buckets in front of it.
func IsPathHost(host string) bool {
	_, err := netip.ParseAddr(host)
	return err == nil || strings.EqualFold(host, "localhost")
}

// EndpointText is the text of an endpoint as it may be told, URL or not: without
// a user name and password in front of the host.
func EndpointText(endpoint string) string {
	scheme, rest, found := strings.Cut(endpoint, "://")
	if !found {
		scheme, rest = "", endpoint
	} else {
		scheme += "://"
	}
	return scheme + rest[strings.LastIndexByte(rest, '@')+1:]
}
