package server

import (
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// Whoever reads an object learns when it expires, and by which rule.
func TestExpiration(t *testing.T) {
	f := newFixture(t)
	f.put("examplebucket", "", "")
	f.put("examplebucket", "tmp/a", "abc")
	f.put("examplebucket", "b", "abc")
	const day = `expiry-date="Sat, 18 Nov 2023 00:00:00 GMT", rule-id="3+days"`
	for _, c := range []struct {
		document, tmp, other string
	}{
		{"", "", ""},
		{`<LifecycleConfiguration><Rule><ID>3 days</ID><Prefix>tmp/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>`, day, ""},
		{`<LifecycleConfiguration><Rule><ID>3 days</ID><Prefix>tmp/</Prefix><Status>Disabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>`, "", ""},
		{`<LifecycleConfiguration><Rule><ID>3 days</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>`, day, day},
		{`<LifecycleConfiguration>damaged`, "", ""},
	} {
		if c.document != "" {
			if err := f.store.PutBucketConfig(t.Context(), "examplebucket", store.ConfigLifecycle, []byte(c.document)); err != nil {
				t.Fatal(err)
			}
		}
		for key, want := range map[string]string{"tmp/a": c.tmp, "b": c.other} {
			for _, method := range []string{"GET", "HEAD"} {
				r := f.want(call{method: method, bucket: "examplebucket", key: key}, 200, "")
				if got := r.header.Get("x-oss-expiration"); got != want {
					t.Errorf("%s %s: %q, want %q by %s", method, key, got, want, c.document)
				}
			}
		}
	}
}

// Where days are short, the header counts with them, too.
func TestExpirationOfShortDays(t *testing.T) {
	f := newFixture(t, func(c *config) { c.opts.Calendar.Day = 10 * time.Second })
	f.put("examplebucket", "", "")
	f.put("examplebucket", "a", "abc")
	document := `<LifecycleConfiguration><Rule><ID>r</ID><Prefix></Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>`
	if err := f.store.PutBucketConfig(t.Context(), "examplebucket", store.ConfigLifecycle, []byte(document)); err != nil {
		t.Fatal(err)
	}
	r := f.want(call{method: "HEAD", bucket: "examplebucket", key: "a"}, 200, "")
	if got, want := r.header.Get("x-oss-expiration"), `expiry-date="Tue, 14 Nov 2023 22:13:50 GMT", rule-id="r"`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
