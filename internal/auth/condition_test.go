package auth

import (
	"fmt"
	"net/netip"
	"testing"
	"time"
)

// Every operator, with values of the kind that it compares, and its negation,
// which says the contrary about everything.
func TestConditions(t *testing.T) {
	values := func(key string, v ...string) Conditions {
		return Conditions{Values: map[string][]string{key: v}}
	}
	prefix := func(v ...string) Conditions { return values("oss:Prefix", v...) }
	size := func(v string) Conditions { return values("oss:ExistingObjectTag/size", v) }
	from := func(ip string) Conditions { return Conditions{SourceIP: netip.MustParseAddr(ip)} }
	at := func(s string) Conditions {
		when, err := time.Parse(time.RFC3339, s)
		if err != nil {
			t.Fatal(err)
		}
		return Conditions{Time: when}
	}
	const tag = "oss:ExistingObjectTag/size"
	tests := []struct {
		operator, key, value string // value is JSON
		context              Conditions
		want                 bool
	}{
		{"StringEquals", "oss:Prefix", `"home/"`, prefix("home/"), true},
		{"StringEquals", "oss:Prefix", `"home/"`, prefix("Home/"), false},
		{"StringEquals", "oss:Prefix", `"home/"`, prefix("home/a"), false},
		{"StringEquals", "oss:Prefix", `["a","b"]`, prefix("b"), true},
		{"StringEquals", "oss:Prefix", `["a","b"]`, prefix("c", "b"), true},
		{"StringEquals", "oss:Prefix", `""`, prefix(""), true},
		{"StringEquals", "oss:Prefix", `"*"`, prefix("a"), false},
		{"StringEqualsIgnoreCase", "oss:Prefix", `"home/"`, prefix("HOME/"), true},
		{"StringEqualsIgnoreCase", "oss:Prefix", `"home/"`, prefix("homes/"), false},
		{"StringLike", "oss:Prefix", `"home/*"`, prefix("home/a/b"), true},
		{"StringLike", "oss:Prefix", `"home/?"`, prefix("home/ab"), false},
		{"StringLike", "oss:Prefix", `["x*","*b"]`, prefix("home/ab"), true},
		{"StringLike", "acs:UserAgent", `"oss2*"`, Conditions{UserAgent: "oss2/2.19"}, true},
		{"StringLike", "acs:SourceVpc", `"vpc-*"`, Conditions{}, false},
		{"StringEquals", "acs:AccessId", `"LTAIalice"`, Conditions{}, true},
		{"StringEquals", "acs:AccessId", `"LTAIbob"`, Conditions{}, false},
		{"StringEquals", "acs:SourceIp", `"192.0.2.1"`, from("192.0.2.1"), true},
		{"StringEquals", "oss:RequestObjectTag/K", `"v"`, values("oss:RequestObjectTag/K", "v"), true},
		{"StringEquals", "oss:RequestObjectTag/K", `"v"`, values("oss:RequestObjectTag/k", "v"), false},
		{"StringEquals", "oss:x-oss-object-acl", `"private"`, values(KeyObjectACL, "private"), true},

		{"NumericEquals", tag, `"10"`, size("10.0"), true},
		{"NumericEquals", tag, `"10"`, size("010"), true},
		{"NumericEquals", tag, `"0.1"`, size("0.10000000000000001"), false},
		{"NumericEquals", tag, `"9007199254740993"`, size("9007199254740992"), false},
		{"NumericEquals", tag, `"0"`, size("-0"), true},
		{"NumericEquals", tag, `"10"`, size("ten"), false},
		{"NumericEquals", tag, `"10"`, size("1e1"), false},
		{"NumericLessThan", tag, `"10"`, size("9"), true},
		{"NumericLessThan", tag, `"10"`, size("10"), false},
		{"NumericLessThan", tag, `"-1"`, size("-2"), true},
		{"NumericLessThanEquals", tag, `"10"`, size("10"), true},
		{"NumericLessThanEquals", tag, `"10"`, size("10.1"), false},
		{"NumericGreaterThan", tag, `"9"`, size("10"), true},
		{"NumericGreaterThan", tag, `"9"`, size("9"), false},
		{"NumericGreaterThanEquals", tag, `"9"`, size("9"), true},
		{"NumericGreaterThanEquals", tag, `"9"`, size("8"), false},

		{"DateEquals", "acs:CurrentTime", `"2026-01-02T04:00:00+01:00"`, at("2026-01-02T03:00:00Z"), true},
		{"DateEquals", "acs:CurrentTime", `"2026-01-02"`, at("2026-01-02T00:00:00Z"), true},
		{"DateEquals", "acs:CurrentTime", `"2026-01-02T03:00Z"`, at("2026-01-02T03:00:01Z"), false},
		{"DateLessThan", "acs:CurrentTime", `"2026-01-02T03:00:00Z"`, at("2026-01-02T02:59:59Z"), true},
		{"DateLessThan", "acs:CurrentTime", `"2026-01-02T03:00:00Z"`, at("2026-01-02T03:00:00Z"), false},
		{"DateLessThanEquals", "acs:CurrentTime", `"2026-01-02T03:00:00Z"`, at("2026-01-02T03:00:00Z"), true},
		{"DateGreaterThan", "acs:CurrentTime", `"2026-01-02T03:00:00.5Z"`, at("2026-01-02T03:00:01Z"), true},
		{"DateGreaterThan", "acs:CurrentTime", `"2026-01-02T03:00:00Z"`, at("2026-01-02T03:00:00Z"), false},
		{"DateGreaterThanEquals", "acs:CurrentTime", `"2026-01-02T03:00:00Z"`, at("2026-01-02T03:00:00Z"), true},
		{"DateLessThan", tag, `"2026-01-02"`, size("2026-01-01"), true},
		{"DateLessThan", tag, `"2026-01-02"`, size("soon"), false},

		{"Bool", "acs:SecureTransport", `"true"`, Conditions{Secure: true}, true},
		{"Bool", "acs:SecureTransport", `"True"`, Conditions{Secure: true}, true},
		{"Bool", "acs:SecureTransport", `"true"`, Conditions{}, false},
		{"Bool", "acs:SecureTransport", `"false"`, Conditions{}, true},
		{"Bool", "acs:MFAPresent", `"true"`, Conditions{}, false},
		{"Bool", "acs:MFAPresent", `"false"`, Conditions{}, true},

		{"IpAddress", "acs:SourceIp", `"192.0.2.1"`, from("192.0.2.1"), true},
		{"IpAddress", "acs:SourceIp", `"192.0.2.1"`, from("192.0.2.2"), false},
		{"IpAddress", "acs:SourceIp", `"192.0.2.0/25"`, from("192.0.2.127"), true},
		{"IpAddress", "acs:SourceIp", `"192.0.2.0/25"`, from("192.0.2.128"), false},
		{"IpAddress", "acs:SourceIp", `"192.0.2.77/24"`, from("192.0.2.1"), true},
		{"IpAddress", "acs:SourceIp", `["10.0.0.0/8","192.0.2.0/24"]`, from("192.0.2.1"), true},
		{"IpAddress", "acs:SourceIp", `"192.0.2.0/24"`, from("::ffff:192.0.2.1"), true},
		{"IpAddress", "acs:SourceIp", `"::ffff:192.0.2.0/120"`, from("192.0.2.1"), true},
		{"IpAddress", "acs:SourceIp", `"2001:db8::/32"`, from("2001:db8:1::1"), true},
		{"IpAddress", "acs:SourceIp", `"2001:db8::/32"`, from("2001:db9::1"), false},
		{"IpAddress", "acs:SourceIp", `"fe80::/10"`, from("fe80::1%eth0"), true},
		{"IpAddress", "acs:SourceIp", `"0.0.0.0/0"`, from("2001:db8::1"), false},
		{"IpAddress", "acs:SourceIp", `"::/0"`, from("192.0.2.1"), false},

		// What a request does not have.
		{"StringEquals", "oss:Prefix", `""`, Conditions{}, false},
		{"StringEqualsIgnoreCase", "oss:Prefix", `""`, Conditions{}, false},
		{"StringLike", "oss:Prefix", `"*"`, Conditions{}, false},
		{"StringLike", "acs:UserAgent", `"*"`, Conditions{}, false},
		{"NumericEquals", tag, `"0"`, Conditions{}, false},
		{"NumericGreaterThan", tag, `"-1"`, Conditions{}, false},
		{"DateEquals", tag, `"2026-01-02"`, Conditions{}, false},
		{"DateLessThan", "acs:CurrentTime", `"2026-01-02"`, Conditions{}, false},
		{"Bool", tag, `"false"`, Conditions{}, false},
		{"IpAddress", "acs:SourceIp", `["0.0.0.0/0","::/0"]`, Conditions{}, false},
	}
	negations := map[string]string{
		"StringEquals": "StringNotEquals", "StringEqualsIgnoreCase": "StringNotEqualsIgnoreCase", "StringLike": "StringNotLike",
		"NumericEquals": "NumericNotEquals", "DateEquals": "DateNotEquals", "IpAddress": "NotIpAddress",
	}
	tested := make(map[string]bool)
	allows := func(operator, key, value string, c Conditions) bool {
		tested[operator] = true
		id := ram(t, alice, fmt.Sprintf(`{"Effect":"Allow","Action":"oss:ListObjects","Resource":"acs:oss:*:*:b","Condition":{%q:{%q:%s}}}`,
			operator, key, value))
		return authorizer.Decide(Request{Identity: id, Action: "oss:ListObjects", Resource: OSSResource("b", ""), Context: c}).Allowed
	}
	for _, tt := range tests {
		name := fmt.Sprintf("%s %s %s %+v", tt.operator, tt.key, tt.value, tt.context)
		if got := allows(tt.operator, tt.key, tt.value, tt.context); got != tt.want {
			t.Errorf("%s is %t", name, got)
		}
		if not, ok := negations[tt.operator]; ok {
			if got := allows(not, tt.key, tt.value, tt.context); got == tt.want {
				t.Errorf("%s is %t, and so is %s", name, got, not)
			}
		}
	}
	for name := range operators {
		if !tested[name] {
			t.Errorf("%s is not tested", name)
		}
	}
}

// All conditions of a statement must hold, of all operators and all keys. The
// case of a key makes no difference.
func TestAllConditionsHold(t *testing.T) {
	c := Conditions{
		Secure: true, SourceIP: netip.MustParseAddr("192.0.2.1"),
		Values: map[string][]string{KeyPrefix: {"a/"}, KeyDelimiter: {"/"}},
	}
	for _, tt := range []struct {
		condition string
		want      bool
	}{
		{`{}`, true},
		{`{"StringEquals":{"oss:Prefix":"a/","oss:Delimiter":"/"},"Bool":{"acs:SecureTransport":"true"}}`, true},
		{`{"StringEquals":{"OSS:prefix":"a/","oss:delimiter":"/"},"Bool":{"acs:secureTransport":"true"}}`, true},
		{`{"StringEquals":{"oss:Prefix":"a/","oss:Delimiter":"-"},"Bool":{"acs:SecureTransport":"true"}}`, false},
		{`{"StringEquals":{"oss:Prefix":"a/","oss:Delimiter":"/"},"Bool":{"acs:SecureTransport":"false"}}`, false},
		{`{"IpAddress":{"acs:SourceIP":"192.0.2.0/24"},"NotIpAddress":{"acs:SourceIp":"192.0.2.1"}}`, false},
		{`{"IpAddress":{"acs:SourceIP":"192.0.2.0/24"},"NotIpAddress":{"acs:SourceIp":"192.0.2.2"}}`, true},
	} {
		id := ram(t, alice, `{"Effect":"Allow","Action":"*","Resource":"*","Condition":`+tt.condition+`}`)
		d := authorizer.Decide(Request{Identity: id, Action: "oss:ListObjects", Resource: OSSResource("b", ""), Context: c})
		if d.Allowed != tt.want {
			t.Errorf("%s: %s", tt.condition, d)
		}
	}
}
