package main

import (
	"strings"
	"testing"
)

// The command that goes on is printed without secrets, however they were given.
func TestCommandAgain(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"x cp -r dir oss://b/ --restart", "ossa cp -r dir oss://b/"},
		{"x cp a oss://b -k secret -e http://h", "ossa cp a oss://b -k ... -e http://h"},
		{"x cp a oss://b --access-key-secret=secret", "ossa cp a oss://b --access-key-secret ..."},
		{"x cp a oss://b -ksecret", "ossa cp a oss://b -k ..."},
		{"x cp a oss://b -k=secret --sts-token secret -tsecret", "ossa cp a oss://b -k ... --sts-token ... -t ..."},
		{"x cp -rk secret a oss://b", "ossa cp -rk ... a oss://b"},
		{"x cp -rfqksecret a oss://b", "ossa cp -rfqk ... a oss://b"},
		{"x cp -rt=secret a oss://b", "ossa cp -rt ... a oss://b"},
		{"x cp -rekt -ikey -c kt a oss://b", "ossa cp -rekt -ikey -c kt a oss://b"},
		{"x cp -- -kfile oss://b --restart", "ossa cp -- -kfile oss://b --restart"},
		{"x cp a*b oss://b", "ossa cp 'a*b' oss://b"},
	} {
		if got := commandAgain(strings.Fields(c.args)); got != c.want {
			t.Errorf("%s: %s, want %s", c.args, got, c.want)
		}
	}
}
