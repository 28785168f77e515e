package wire

import "testing"

// A password in an endpoint is not told, whether it is a URL or not.
func TestEndpointText(t *testing.T) {
	for in, want := range map[string]string{
		"http://user:hidden@host:1/x": "http://host:1/x", "user:hid@den@host": "host", "http://h\nost": "http://h\nost",
		"http://host": "http://host", "host:80": "host:80", "": "",
	} {
		if got := EndpointText(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

// Nothing can stand in front of an address, or of localhost.
func TestIsPathHost(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.1": true, "::1": true, "LOCALHOST": true, "a.localhost": false, "example.com": false, "": false} {
		if IsPathHost(host) != want {
			t.Errorf("%q: %v", host, !want)
		}
	}
}
