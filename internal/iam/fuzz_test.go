package iam_test

import (
	"errors"
	"testing"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/iam"
)

// Whatever comes as an access key and a token, and is not what was issued,
// proves nothing, and the refusal says what it is.
func FuzzLookup(f *testing.F) {
	f.Add("STS.X", "token", uint16(0))
	f.Add("ROOT", "", uint16(3))
	f.Add("OSSU", "AAAA", uint16(700))
	f.Fuzz(func(t *testing.T, id, token string, at uint16) {
		e := newEnv(t)
		key, _ := e.user("ann", readAll)
		c, err := e.AssumeRole(e.ctx, e.want(key, "", nil).Identity, []byte(readAll), iam.MinDuration)
		e.must(err)
		// Bytes of the strange token take the place of the right one's.
		n := int(at) % len(c.SecurityToken)
		mixed := c.SecurityToken[:n] + token + c.SecurityToken[min(len(c.SecurityToken), n+len(token)):]
		for _, try := range [][2]string{{id, token}, {c.AccessKeyID, token}, {c.AccessKeyID, mixed}, {id, mixed}, {key, token}} {
			right := try == [2]string{c.AccessKeyID, c.SecurityToken} || try[1] == "" && (try[0] == key || try[0] == root.AccessKeyID)
			got, err := e.Lookup(e.ctx, try[0], try[1])
			known := errors.Is(err, auth.ErrUnknownKey) || errors.Is(err, auth.ErrInvalidToken) || errors.Is(err, auth.ErrMismatchedToken)
			if right != (err == nil) || !right && (!known || got.Secret != "") {
				t.Errorf("%q: %v", try, err)
			}
		}
	})
}
