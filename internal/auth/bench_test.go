package auth

import (
	"strings"
	"testing"
)

// What a decision costs with policies as people write them.
func BenchmarkDecide(b *testing.B) {
	id := ram(b, alice, allowGet, denyGet)
	policy, err := ParseBucketPolicy([]byte(`{"Version":"1","Statement":[`+toAlice+","+notPlain+`]}`), "b")
	if err != nil {
		b.Fatal(err)
	}
	r := Request{
		Identity: id, Action: "oss:GetObject", Resource: OSSResource("b", "some/key/of/usual/length.bin"),
		BucketPolicy: policy, Context: Conditions{Time: epoch, Secure: true},
	}
	for b.Loop() {
		if !authorizer.Decide(r).Allowed {
			b.Fatal("denied")
		}
	}
}

// What a pattern costs that its author made as bad as the language allows, with a
// key that somebody made to fit.
func BenchmarkWorstPattern(b *testing.B) {
	key := strings.Repeat("a", 1023)
	for name, pattern := range map[string]string{
		"stars": strings.Repeat("a*", MaxPolicyBytes/2-100) + "b",
		"long":  "*" + strings.Repeat("a", 512) + "b*",
		"ones":  "*?" + strings.Repeat("a", 512) + "b*",
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				match(pattern, key)
			}
		})
	}
}
