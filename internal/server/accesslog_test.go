package server

import (
	"encoding/csv"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/sign"
)

// fields of a line of the access log, quotes and all.
func fields(t *testing.T, line string) []string {
	t.Helper()
	// The time is the one field with a blank and no quotes.
	line = strings.Replace(line, "[14/Nov/2023:22:13:20 +0000]", "[time]", 1)
	r := csv.NewReader(strings.NewReader(line))
	r.Comma, r.LazyQuotes = ' ', true
	all, err := r.ReadAll()
	if err != nil || len(all) != 1 {
		t.Fatalf("%q: %v", line, err)
	}
	return all[0]
}

// The access log has the fields that the documentation page "Logging" has, in
// its order, one line for a request.
func TestAccessLine(t *testing.T) {
	log := &syncBuffer{}
	f := newFixture(t, func(c *config) {
		c.opts.AccessLog = log
		c.opts.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	f.put("bucket", "", "")
	f.put("bucket", "a b", "hello")
	log.wait(t, "\"PutObject\"")
	log.reset()
	f.want(call{method: "GET", bucket: "bucket", key: "a b", header: map[string]string{
		"Range": "bytes=1-2", "Referer": "http://example.com/?x=1", "User-Agent": `agent "1"`, "X-Forwarded-For": "203.0.113.7",
	}}, 206, "")
	line := log.wait(t, "GetObject")
	want := regexp.MustCompile(`^203\.0\.113\.7 - - \[14/Nov/2023:22:13:20 \+0000\] "GET /bucket/a%20b HTTP/1\.1" 206 2 \d+ ` +
		`"http://example\.com/\?x=1" "agent \\"1\\"" "127\.0\.0\.1:9000" "6553F1000000000000000000" "false" "1000000000000001" ` +
		`"GetObject" "bucket" "a%20b" 5 \d+ "-" \d\d\d+ "1000000000000001" - "-" "Standard" "-" "-" "testaccesskey" ` +
		`"acs:oss:cn-hangzhou:1000000000000001:bucket"$`)
	if !want.MatchString(line) {
		t.Errorf("logged %s", line)
	}
	if n := len(fields(t, strings.ReplaceAll(line, `\"`, "'"))); n != 29 {
		t.Errorf("%d fields", n)
	}

	log.reset()
	f.want(call{method: "PUT", bucket: "bucket", key: "k", body: "hello!"}, 200, "")
	if got := fields(t, log.wait(t, "PutObject")); got[17] != "6" || got[5] != "200" || got[6] != "0" {
		t.Errorf("logged %q", got)
	}
	log.reset()
	f.want(call{method: "GET", anonymous: true}, 403, "AccessDenied")
	got := fields(t, log.wait(t, "ListBuckets"))
	for i, want := range map[int]string{5: "403", 13: "-", 15: "-", 16: "-", 17: "-", 19: "AccessDenied", 21: "-", 27: "-", 28: "-"} {
		if got[i] != want {
			t.Errorf("field %d is %q, want %q in %q", i, got[i], want, got)
		}
	}
}

// Nothing that lets somebody act as the sender gets into the access log, however
// it is spelled, and nothing that a client sends makes a line of its own.
func TestAccessLineHasNoSecrets(t *testing.T) {
	log := &syncBuffer{}
	f := newFixture(t, func(c *config) { c.opts.AccessLog = log })
	f.put("bucket", "", "")
	f.put("bucket", "k", "hello")
	token := sign.Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret, SecurityToken: "sekrettoken"}
	for _, fn := range []func(*sign.Request){
		func(r *sign.Request) { sign.SignV1Query(r, token, epoch.Add(time.Hour)) },
		func(r *sign.Request) {
			if err := sign.SignV4Query(r, token, testRegion, epoch, time.Hour); err != nil {
				t.Error(err)
			}
		},
	} {
		var secrets []string
		f.do(call{method: "GET", bucket: "bucket", key: "k", sign: func(r *sign.Request) {
			fn(r)
			for _, p := range r.Query {
				if strings.HasSuffix(strings.ToLower(p.Name), "signature") {
					secrets = append(secrets, p.Value, sign.EncodeQuery([]sign.Param{{Name: "", Value: p.Value}})[1:])
				}
			}
		}})
		log.wait(t, "REDACTED")
		for _, secret := range append(secrets, "sekrettoken", testSecret) {
			if secret == "" || strings.Contains(log.String(), secret) {
				t.Errorf("the log has %q:\n%s", secret, log)
			}
		}
		log.reset()
	}
	c := f.dial()
	c.write("GET /bucket/\"k\\?%%53ignature=sekret1&%%zz=sekret2&a=%%22&x-oss-security-token=sekret3&callback=sekret4 HTTP/1.1\r\n" +
		"Host: h\r\nUser-Agent: \xff\u2028\"x\r\nReferer: http://a/?Signature=sekret5\r\nAuthorization: OSS sekret6:sekret7\r\n\r\n")
	c.read("GET")
	line := log.wait(t, "REDACTED")
	for i := range 7 {
		if secret := "sekret" + string(rune('1'+i)); strings.Contains(log.String(), secret) {
			t.Errorf("the log has %q:\n%s", secret, log)
		}
	}
	if strings.Count(log.String(), "\n") != 1 || !strings.Contains(line, `/bucket/\"k\\?%53ignature=REDACTED&%zz=REDACTED&a=%22&`) ||
		!strings.Contains(line, `"\xFF?\"x"`) {
		t.Errorf("logged %s", line)
	}
}

// A line has a bound, whatever a client sends.
func TestAccessLineIsBounded(t *testing.T) {
	log := &syncBuffer{}
	f := newFixture(t, func(c *config) { c.opts.AccessLog = log })
	f.do(call{method: "GET", target: "/" + strings.Repeat("x", 20000), query: strings.Repeat("a&", 200), anonymous: true, header: map[string]string{
		"User-Agent": strings.Repeat("u", 20000), "Referer": "/?" + strings.Repeat("r", 20000),
	}})
	if line := log.wait(t, "uuuu"); len(line) > 8*maxLineText {
		t.Errorf("a line of %d bytes", len(line))
	}
}
