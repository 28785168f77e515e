package doctor

import (
	"net/http"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
)

// The first line that differs is found, whatever else differs behind it, and a
// server that tells only the beginning is not taken to differ.
func TestFirstDifference(t *testing.T) {
	ours := "GET\n/examples/\nmax-keys=1\nx-oss-date:20260314T092653Z\n\n\nUNSIGNED-PAYLOAD"
	for name, tt := range map[string]struct {
		theirs string
		line   int // 0 for none
		want   string
	}{
		"same":              {ours, 0, ""},
		"same, with an end": {ours + "\n", 0, ""},
		"cut":               {ours[:30] + "...", 0, ""},
		"cut, and another":  {"PUT\n/exam...", 1, ", the method"},
		"path":              {strings.Replace(ours, "/examples/", "/", 1), 2, ", bucket and key"},
		"parameters":        {strings.Replace(ours, "max-keys=1", "", 1), 3, ", the parameters"},
		"a header more":     {strings.Replace(ours, "x-oss-date", "x-oss-at:1\nx-oss-date", 1), 4, ", the header x-oss-date"},
		"a header less":     {strings.Replace(ours, "x-oss-date:20260314T092653Z\n", "", 1), 4, ", the header x-oss-date"},
		"shorter":           {strings.TrimSuffix(ours, "\nUNSIGNED-PAYLOAD"), 5, ""},
	} {
		// Line ends at the end do not count.
		d, same := firstDifference("canonical request", ours, tt.theirs)
		if same != (tt.line == 0) || d.line != tt.line || !same && d.meaning() != tt.want {
			t.Errorf("%s: %+v, %v: %s", name, d, same, d.meaning())
		}
	}
}

// A security token that a server quotes is not told, of V4 and of V1, in headers
// and in parameters.
func TestTokenHidden(t *testing.T) {
	for _, line := range []string{
		"x-oss-security-token:" + token,
		"/examples/?security-token=" + token + "&uploads",
		"max-keys=1&x-oss-security-token=" + token,
	} {
		d := difference{text: "canonical request", line: 5, ours: line, theirs: "x-oss-security-token:" + token + "2"}
		if text := strings.Join(d.lines(), "\n"); strings.Contains(text, token) || !strings.Contains(text, "(27 characters)") {
			t.Errorf("%s", text)
		}
	}
}

// What a server signed is compared for both versions, and control characters of
// its words do not get to a terminal.
func TestCompareSigned(t *testing.T) {
	r := &sign.Request{Method: "GET", Host: host, Header: http.Header{}}
	sign.SignV1Header(r, sign.Credentials{AccessKeyID: keyID, AccessKeySecret: secret}, now)
	claim, err := sign.Parse(r)
	if err != nil {
		t.Fatal(err)
	}
	refusal := &wire.Error{Code: "SignatureDoesNotMatch"}
	a := &answer{signed: r, refusal: refusal}
	if f := mismatch(a); f.cause != SecretWrong || !strings.Contains(f.found, "does not say of what") {
		t.Errorf("a server that says nothing: %+v", f)
	}
	a.refusal = refusal.With("StringToSign", claim.StringToSign(r))
	if f := mismatch(a); f.cause != SecretWrong || !strings.Contains(f.found, "the secrets differ") {
		t.Errorf("the same text: %+v", f)
	}
	a.refusal = refusal.With("StringToSign", claim.StringToSign(r)+"\x1b[2Jexamples")
	f := mismatch(a)
	if text := strings.Join(f.detail, "\n"); f.cause != RequestChanged || strings.Contains(text, "\x1b") || !strings.Contains(text, "examples") {
		t.Errorf("another text: %+v", f)
	}
	if got := plain("a\x1b[2J\r\nb\u009bc"); strings.ContainsAny(got, "\x1b\r\n\u009b") {
		t.Errorf("%q", got)
	}
}
