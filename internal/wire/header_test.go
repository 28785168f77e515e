package wire

import (
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestHTTPDate(t *testing.T) {
	want := time.Date(1994, 11, 6, 8, 49, 37, 0, time.UTC)
	for _, s := range []string{"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994", " Sun, 06 Nov 1994 08:49:37 GMT "} {
		if got, ok := ParseHTTPDate(s); !ok || !got.Equal(want) {
			t.Errorf("%q: got %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{"", "now", "1994-11-06T08:49:37Z", "784111777"} {
		if got, ok := ParseHTTPDate(s); ok {
			t.Errorf("%q: got %v", s, got)
		}
	}
	zone := time.FixedZone("", 3600)
	if got := FormatHTTPDate(time.Date(1994, 11, 6, 9, 49, 37, 999, zone)); got != "Sun, 06 Nov 1994 08:49:37 GMT" {
		t.Errorf("got %s", got)
	}
}

func TestMatchETag(t *testing.T) {
	for _, header := range []string{`"AB-2"`, "AB-2", "ab-2", `W/"AB-2"`, "*", `"X", "AB-2"`, "X,*", ` "ab-2" `} {
		if !MatchETag(header, "AB-2") {
			t.Errorf("%q does not match", header)
		}
	}
	for _, header := range []string{"", ",", `""`, "AB", `"AB-2`, `"X","Y"`, "**"} {
		if MatchETag(header, "AB-2") {
			t.Errorf("%q matches", header)
		}
	}
}

func TestParseMetadata(t *testing.T) {
	h := http.Header{"Content-Type": {"a/b"}, "X-Oss-Metadata-Directive": {"COPY"}}
	if got, err := ParseMetadata(h); got != nil || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	h["X-Oss-Meta-Author"] = []string{"Äpfel  "}
	h["x-oss-meta-a_b.c-1"] = []string{"1", "2"}
	h["X-Oss-Meta-Empty"] = []string{""}
	want := map[string]string{"author": "Äpfel  ", "a_b.c-1": "1,2", "empty": ""}
	if got, err := ParseMetadata(h); err != nil || !maps.Equal(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for _, name := range []string{"X-Oss-Meta-", "X-Oss-Meta-A!", "X-Oss-Meta-A B"} {
		_, err := ParseMetadata(http.Header{name: {"v"}})
		wantError(t, err, "InvalidArgument", "ArgumentName", strings.ToLower(name))
	}
	half := strings.Repeat("v", MaxMetadata/2-1)
	h = http.Header{"X-Oss-Meta-A": {half}, "X-Oss-Meta-B": {half}}
	if _, err := ParseMetadata(h); err != nil {
		t.Error(err)
	}
	h["X-Oss-Meta-B"][0] += "v"
	_, err := ParseMetadata(h)
	wantError(t, err, "InvalidArgument")
}
