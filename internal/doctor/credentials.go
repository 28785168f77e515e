package doctor

import (
	"context"
	"fmt"
	"strings"
)

// checkCredentials looks at the form of the access key, without sending it.
func (e *examination) checkCredentials(context.Context) finding {
	c := e.Credentials
	id, secret, token := named("the access key ID", e.KeyIDFrom), named("the secret", e.SecretFrom), named("the security token", e.TokenFrom)
	switch {
	case e.Anonymous:
		return ok("none, as was asked for: only what everybody may do is possible")
	case c.AccessKeyID == "" && c.AccessKeySecret == "":
		return fail(CredentialsMissing, "there is neither an access key ID nor a secret")
	case c.AccessKeyID == "":
		return fail(CredentialsIncomplete, "%s is there, and the access key ID is missing", secret)
	case c.AccessKeySecret == "":
		return fail(CredentialsIncomplete, "%s is there, and the secret is missing", id)
	case c.AccessKeyID == c.AccessKeySecret:
		return fail(CredentialsSame, "%s and %s are the same text", id, secret)
	}
	// Swapped ones first: no more is told of what could be a secret.
	if isKeyID(c.AccessKeySecret) && !isKeyID(c.AccessKeyID) {
		return fail(CredentialsSwapped, "%s looks like an ID, and %s does not: they are swapped", secret, id)
	}
	for _, v := range []struct {
		what, value string
		cause       Cause
	}{{id, c.AccessKeyID, KeyIDOddText}, {secret, c.AccessKeySecret, SecretOddText}, {token, c.SecurityToken, TokenOddText}} {
		if odd := oddity(v.value); odd != "" {
			return fail(v.cause, "%s has %s", v.what, odd)
		}
	}
	switch temporary := strings.HasPrefix(c.AccessKeyID, "STS.") || strings.HasPrefix(c.AccessKeyID, "TMP."); {
	case temporary && c.SecurityToken == "":
		return fail(TokenMissing, "%s %s is a temporary one, and there is no security token", id, maskedID(c.AccessKeyID))
	case strings.HasPrefix(c.AccessKeyID, "LTAI") && c.SecurityToken != "":
		return warn(TokenSuperfluous, "%s %s is a long-term one, and there is %s", id, maskedID(c.AccessKeyID), token)
	case c.SecurityToken != "":
		return ok("%s %s, a secret of %d characters, a security token of %d", id, maskedID(c.AccessKeyID), len(c.AccessKeySecret), len(c.SecurityToken))
	}
	return ok("%s %s, a secret of %d characters, no security token", id, maskedID(c.AccessKeyID), len(c.AccessKeySecret))
}

// named is a setting and where it came from.
func named(what, from string) string {
	if from == "" {
		return what
	}
	return fmt.Sprintf("%s (%s)", what, from)
}

// isKeyID recognises access key IDs that Alibaba Cloud or Ossa issued. Root's
// can be anything.
func isKeyID(s string) bool {
	s = strings.TrimSpace(s)
	for _, prefix := range []string{"LTAI", "OSSU", "STS.", "TMP."} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// maskedID is an access key ID as far as it is told: all of it if it surely is
// one, and otherwise the beginning.
func maskedID(id string) string {
	if isKeyID(id) || len(id) <= 4 {
		return plain(id)
	}
	return fmt.Sprintf("%s... (%d characters)", plain(id[:4]), len(id))
}
