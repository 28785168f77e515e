package main

import (
	"strings"
	"testing"
)

// A URL is good for what was asked for, or there is none; and what is signed are
// headers that a request can have.
func TestPresignRefuses(t *testing.T) {
	setTestEnvironment(t, newLongBucket(t, 0, 0, nil))
	for _, args := range []string{
		"--timeout 0", "--timeout -1", "--timeout 604801", "--timeout 18446744075", "--expires 0s", "--expires 8d", "--timeout 0 --expires 1h",
		"--header x-oss-a:b\nHost:c", "--header x\ty:z", "--header :v", "--header name", "--header Host:evil", "--header authorization:a",
		"--header x-oss-security-token:t", "--header x-oss-meta-a:\x7f", "--method PUT --version-id v",
	} {
		var out, errs strings.Builder
		if status := run(append([]string{"presign", "oss://long/k"}, strings.Split(args, " ")...), &out, &errs); status != exitUsage || out.Len() > 0 {
			t.Errorf("%q: status %d, %s", args, status, out.String())
		}
	}
	for args, want := range map[string]string{"--timeout 604800": "x-oss-expires=604800&", "--expires 90m": "x-oss-expires=5400&", "--timeout 1": "x-oss-expires=1&"} {
		var out, errs strings.Builder
		if status := run(append([]string{"presign", "oss://long/k"}, strings.Fields(args)...), &out, &errs); status != exitOK || !strings.Contains(out.String(), want) {
			t.Errorf("%q: status %d, %s%s", args, status, out.String(), errs.String())
		}
	}
}
