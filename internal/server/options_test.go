package server

import (
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/auth"
)

// The zero Options need keys and nothing else; what cannot work is refused.
func TestOptions(t *testing.T) {
	keys := auth.RootKey{AccessKeyID: "AK", Secret: "s"}
	tests := []struct {
		name string
		opts Options
		ok   bool
	}{
		{"zero", Options{}, false},
		{"keys", Options{Keys: keys}, true},
		{"domains", Options{Keys: keys, Domains: []string{"oss.example.com", "x"}}, true},
		{"region with oss-", Options{Keys: keys, Region: "oss-cn-hangzhou"}, false},
		{"region with a slash", Options{Keys: keys, Region: "a/b"}, false},
		{"domain with a port", Options{Keys: keys, Domains: []string{"a:80"}}, false},
		{"domain with a dot before", Options{Keys: keys, Domains: []string{".a"}}, false},
		{"empty domain", Options{Keys: keys, Domains: []string{""}}, false},
		{"short idle timeout", Options{Keys: keys, IdleTimeout: time.Second}, false},
		{"negative limit", Options{Keys: keys, MaxInFlight: -1}, false},
		{"negative timeout", Options{Keys: keys, ProgressTimeout: -1}, false},
	}
	for _, tt := range tests {
		tt.opts.EnsureDefaults()
		if err := tt.opts.Validate(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
