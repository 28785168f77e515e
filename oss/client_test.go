package oss

import (
	"strings"
	"testing"
)

// Endpoints and regions that cannot be meant are refused before a request
// fails in a way that nobody understands.
func TestNewClient(t *testing.T) {
	for _, c := range []struct {
		endpoint string
		region   string
		style    Addressing
		want     string // address of bucket "b-1", key "a/b c+é"
		wrong    string // or the error
	}{
		{endpoint: "oss-cn-hangzhou.aliyuncs.com", want: "https://b-1.oss-cn-hangzhou.aliyuncs.com/a/b%20c%2B%C3%A9"},
		{endpoint: "http://oss-cn-beijing-internal.aliyuncs.com/", want: "http://b-1.oss-cn-beijing-internal.aliyuncs.com/a/b%20c%2B%C3%A9"},
		{endpoint: "http://127.0.0.1:9000", region: "r", want: "http://127.0.0.1:9000/b-1/a/b%20c%2B%C3%A9"},
		{endpoint: "http://[::1]:9000", region: "r", want: "http://[::1]:9000/b-1/a/b%20c%2B%C3%A9"},
		{endpoint: "http://localhost:9000", region: "r", want: "http://localhost:9000/b-1/a/b%20c%2B%C3%A9"},
		{endpoint: "http://localhost:9000", region: "r", style: VirtualHost, want: "http://b-1.localhost:9000/a/b%20c%2B%C3%A9"},
		{endpoint: "files.example.com", region: "r", style: CNAME, want: "https://files.example.com/a/b%20c%2B%C3%A9"},
		{endpoint: "files.example.com", region: "r", style: PathStyle, want: "https://files.example.com/b-1/a/b%20c%2B%C3%A9"},
		{endpoint: "files.example.com", wrong: "need a region"},
		{endpoint: "oss-accelerate.aliyuncs.com", wrong: "need a region"},
		{endpoint: "http://127.0.0.1", region: "oss-cn-hangzhou", wrong: `it is "cn-hangzhou"`},
		{endpoint: "http://127.0.0.1", region: "cn hangzhou", wrong: "characters"},
		{endpoint: "ftp://127.0.0.1", region: "r", wrong: "neither http nor https"},
		{endpoint: "http://", region: "r", wrong: "no host"},
		{endpoint: "", region: "r", wrong: "no host"},
		{endpoint: "http://127.0.0.1/bucket", region: "r", wrong: "more than scheme"},
		{endpoint: "http://user:hidden@127.0.0.1", region: "r", wrong: "user name"},
		{endpoint: "ftp://user:hidden@127.0.0.1", region: "r", wrong: "neither http nor https"},
		{endpoint: "http://user:hidden@", region: "r", wrong: "no host"},
		{endpoint: "http://user:hidden@[::1", region: "r", wrong: "not a URL"},
		{endpoint: "http://[::1", region: "r", wrong: "not a URL"},
	} {
		client, err := NewClient(c.endpoint, WithRegion(c.region), WithAddressing(c.style))
		if c.wrong != "" {
			if err == nil || !strings.Contains(err.Error(), c.wrong) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%q, region %q: error %v, want one with %q", c.endpoint, c.region, err, c.wrong)
			}
			continue
		}
		if err != nil {
			t.Errorf("%q: %v", c.endpoint, err)
			continue
		}
		u := client.address("b-1", "a/b c+é")
		if got := u.String(); got != c.want {
			t.Errorf("%q: address %s, want %s", c.endpoint, got, c.want)
		}
	}
	c, err := NewClient("http://127.0.0.1", WithRegion("r"), WithCredentials(nil), WithLogger(nil), WithClock(nil), WithHTTPClient(nil),
		WithStallTimeout(0), WithAnswerTimeout(0), WithRateLimit(0), WithUserAgent(""))
	if err != nil || c.credentials == nil || c.log == nil || c.clock == nil || c.http == nil || c.stall != defaultStall || c.answer != defaultAnswer ||
		c.limit != nil || c.userAgent == "" {
		t.Errorf("options with nothing in them are not the default: %+v, %v", c, err)
	}
	if c, err := NewClient("https://oss-cn-beijing-internal.aliyuncs.com"); err != nil || c.region != "cn-beijing" {
		t.Errorf("the region of an endpoint is %v, %v", c, err)
	}
}

// No path is cleaned on its way: these are all keys.
func TestAddressOddKeys(t *testing.T) {
	c, err := NewClient("http://127.0.0.1:9000", WithRegion("r"))
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"a//b": "/b-1/a//b", "..": "/b-1/..", "a/../b": "/b-1/a/../b", "100%25": "/b-1/100%2525", "~!*'()": "/b-1/~%21%2A%27%28%29",
		"a?b#c": "/b-1/a%3Fb%23c", "dir/": "/b-1/dir/",
	} {
		u := c.address("b-1", key)
		if got := u.RequestURI(); got != want {
			t.Errorf("key %q: target %s, want %s", key, got, want)
		}
	}
}
