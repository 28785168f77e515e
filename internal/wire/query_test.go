package wire

import (
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParseQuery(t *testing.T) {
	tests := map[string]Values{
		"":                          nil,
		"uploads":                   {{"uploads", ""}},
		"uploads=":                  {{"uploads", ""}},
		"prefix=a+b%2Bc%20d&marker": {{"prefix", "a b+c d"}, {"marker", ""}},
		"b=2&a=1&b=3":               {{"b", "2"}, {"a", "1"}, {"b", "3"}},
		"a=b=c&=d&&e":               {{"a", "b=c"}, {"", "d"}, {"e", ""}},
		"%61=%E4%B8%AD":             {{"a", "中"}},
		"a;b=1":                     {{"a;b", "1"}},
		"a=%00":                     {{"a", "\x00"}},
	}
	for raw, want := range tests {
		if got, err := ParseQuery(raw); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %v, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"%", "a=%", "a=%4", "a=%4g", "%zz=1", "a=%-1", strings.Repeat("a&", MaxQueryPairs+1)} {
		if got, err := ParseQuery(raw); err != ErrQuery {
			t.Errorf("%.20q: got %v, %v", raw, got, err)
		}
	}
	if got, err := ParseQuery(strings.Repeat("a&", MaxQueryPairs)); err != nil || len(got) != MaxQueryPairs {
		t.Errorf("got %d parameters, %v", len(got), err)
	}
}

func TestValues(t *testing.T) {
	v, err := ParseQuery("uploads&max-keys=5&max-keys=6&empty=")
	if err != nil {
		t.Fatal(err)
	}
	if !v.Has("uploads") || !v.Has("empty") || v.Has("Uploads") || v.Has("acl") {
		t.Error("presence is wrong")
	}
	if v.Get("max-keys") != "5" || v.Get("uploads") != "" || v.Get("acl") != "" {
		t.Error("values are wrong")
	}
}

// TestDecodeKey proves that a key is decoded once and never cleaned.
func TestDecodeKey(t *testing.T) {
	tests := map[string]string{
		"dir%2Fa%20b%2Bc.txt": "dir/a b+c.txt",
		"dir/a%20b+c.txt":     "dir/a b+c.txt",
		"a//b/../c/.":         "a//b/../c/.",
		"100%2525":            "100%25",
		"%E4%B8%AD/":          "中/",
		"%00%ff":              "\x00\xff",
		"":                    "",
	}
	for raw, want := range tests {
		if got, err := DecodeKey(raw); err != nil || got != want {
			t.Errorf("%q: got %q, %v", raw, got, err)
		}
	}
	for _, raw := range []string{"%", "a%2", "%2G", "%%32"} {
		_, err := DecodeKey(raw)
		wantError(t, err, "InvalidObjectName", "ObjectName", raw)
	}
}

func TestEncodeURL(t *testing.T) {
	tests := []struct{ s, url, path string }{
		{"", "", ""},
		{"AZaz09-_.~", "AZaz09-_.~", "AZaz09-_.~"},
		{"a b+c.txt", "a%20b%2Bc.txt", "a%20b%2Bc.txt"},
		{"dir/中", "dir%2F%E4%B8%AD", "dir/%E4%B8%AD"},
		{"!*'()@[`{", "%21%2A%27%28%29%40%5B%60%7B", "%21%2A%27%28%29%40%5B%60%7B"},
		{"\x00\x1f\x7f\xff", "%00%1F%7F%FF", "%00%1F%7F%FF"},
		{"100%25", "100%2525", "100%2525"},
	}
	for _, tt := range tests {
		if got := EncodeURL(tt.s); got != tt.url {
			t.Errorf("EncodeURL(%q) = %q", tt.s, got)
		}
		if got := EncodePath(tt.s); got != tt.path {
			t.Errorf("EncodePath(%q) = %q", tt.s, got)
		}
	}
}

// FuzzQuery looks for a query that we read differently from net/url, and for
// keys that do not survive being encoded.
func FuzzQuery(f *testing.F) {
	f.Add("prefix=a+b%2Bc&marker&marker=x&=")
	f.Add("%zz=1&a=%4")
	f.Fuzz(func(t *testing.T, raw string) {
		if key, ok := DecodeURL(EncodeURL(raw)); !ok || key != raw {
			t.Fatalf("%q came back as %q", raw, key)
		}
		if key, ok := DecodeURL(EncodePath(raw)); !ok || key != raw {
			t.Fatalf("path %q came back as %q", raw, key)
		}
		DecodeKey(raw)
		got, err := ParseQuery(raw)
		want, wantErr := url.ParseQuery(raw)
		if strings.Contains(raw, ";") || strings.Count(raw, "&") >= MaxQueryPairs {
			return // which net/url refuses, or we do
		}
		if (err == nil) != (wantErr == nil) {
			t.Fatalf("%v, net/url: %v", err, wantErr)
		}
		if err != nil {
			return
		}
		for name, values := range want {
			if value, ok := got.Lookup(name); !ok || value != values[0] {
				t.Fatalf("%q is %q, net/url: %q", name, value, values[0])
			}
		}
	})
}
