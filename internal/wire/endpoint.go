package wire

import "strings"

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
