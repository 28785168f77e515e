package admin_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ossastore/ossa/internal/admin"
)

// Whatever root sends as a body to whatever action has an answer that explains
// itself, and does not keep the others from being answered.
func FuzzBody(f *testing.F) {
	for i, tt := range everyCall {
		body, err := json.Marshal(tt.request)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), string(body))
	}
	f.Add(uint8(16), `{"User":"bob","Action":"oss:GetObject","Resource":"acs:oss:*:*:b/k","Conditions":{"oss:Prefix":["a",""]},"SourceIP":"::1"}`)
	f.Add(uint8(17), `{"DurationSeconds":-9223372036854775808,"Policy":"{}"}`)
	f.Fuzz(func(t *testing.T, i uint8, body string) {
		e := newEnv(t)
		e.user("bob", allow("oss:*", "*"))
		_, name, _ := strings.Cut(everyCall[int(i)%len(everyCall)].action, ":")
		if status, code, _ := e.send(e.raw(root, name, body)); status >= 500 {
			t.Errorf("%s %q: %d %s", name, body, status, code)
		}
		e.do("ListUsers", admin.ListRequest{}, nil)
	})
}
