package main

import (
	"encoding/json"
	"time"

	"github.com/ossastore/ossa/internal/admin"
)

// What the admin commands print for machines. The admin API's own documents
// have other names: these are those of the other commands.

// userEntry is a user.
type userEntry struct {
	Type            string     `json:"type"` // user
	Name            string     `json:"name"`
	ID              string     `json:"id"`
	Created         time.Time  `json:"created"`
	Enabled         bool       `json:"enabled"`
	AccessKeys      int        `json:"access_keys"` // how many
	PolicyNames     []string   `json:"policy_names"`
	SessionsRevoked *time.Time `json:"sessions_revoked,omitempty"` // last time
}

func userEntryOf(u admin.User) userEntry {
	names := append([]string{}, u.Policies...)
	return userEntry{"user", u.Name, u.ID, u.Created, u.Enabled, u.AccessKeys, names, u.SessionsRevoked}
}

// accessKeyEntry is an access key.
type accessKeyEntry struct {
	Type            string     `json:"type"` // access_key
	User            string     `json:"user"`
	AccessKeyID     string     `json:"access_key_id"`
	AccessKeySecret string     `json:"access_key_secret,omitempty"` // of a new one
	Created         time.Time  `json:"created"`
	Enabled         bool       `json:"enabled"`
	Used            *time.Time `json:"used,omitempty"` // last use; nil for none
}

func accessKeyEntryOf(k admin.AccessKey, secret string) accessKeyEntry {
	return accessKeyEntry{"access_key", k.User, k.ID, secret, k.Created, k.Enabled, k.Used}
}

// userPolicyEntry is a policy for users.
type userPolicyEntry struct {
	Type     string    `json:"type"` // user_policy
	Name     string    `json:"name"`
	Created  time.Time `json:"created"`
	Updated  time.Time `json:"updated"`
	Attached int       `json:"attached"`         // users that have it
	Policy   string    `json:"policy,omitempty"` // the document, as text; listings leave it out
}

func userPolicyEntryOf(p admin.Policy) userPolicyEntry {
	return userPolicyEntry{"user_policy", p.Name, p.Created, p.Updated, p.Attached, p.Document}
}

// decisionEntry is what policies say of a request.
type decisionEntry struct {
	Type       string          `json:"type"` // decision
	Allowed    bool            `json:"allowed"`
	Decision   string          `json:"decision"`              // in a sentence
	Explicit   bool            `json:"explicit,omitempty"`    // a denial that a statement demands
	DecidedBy  string          `json:"decided_by,omitempty"`  // kind of policy, such as BucketPolicy
	PolicyName string          `json:"policy_name,omitempty"` // where the user's policy decided
	Statement  int             `json:"statement,omitempty"`   // its number, 1-based
	Text       json.RawMessage `json:"text,omitempty"`        // of the statement
	Notes      []string        `json:"notes,omitempty"`
}

func decisionEntryOf(r admin.SimulateResult) decisionEntry {
	return decisionEntry{"decision", r.Allowed, r.Decision, r.Explicit, r.Type, r.Policy, r.Statement, r.Text, r.Notes}
}

// sessionEntry is a session and its temporary key.
type sessionEntry struct {
	Type            string    `json:"type"` // session
	AccessKeyID     string    `json:"access_key_id"`
	AccessKeySecret string    `json:"access_key_secret"`
	SecurityToken   string    `json:"security_token"`
	Expires         time.Time `json:"expires"`
}

// ringKeyEntry is one version of a key of the key ring.
type ringKeyEntry struct {
	Type    string    `json:"type"` // ring_key
	ID      string    `json:"id"`
	Version int       `json:"version"`
	Created time.Time `json:"created"`
	Default bool      `json:"default"` // what names no key is wrapped with it
	Current bool      `json:"current"` // the version that wraps
}
