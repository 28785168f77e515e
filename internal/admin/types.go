package admin

import (
	"encoding/json"
	"time"
)

// None is the body of a call or an answer that says nothing.
type None struct{}

// NameRequest names a user or a policy.
type NameRequest struct{ Name string }

// ListRequest asks for a page of a listing.
type ListRequest struct {
	Marker string `json:",omitempty"` // names after it
	Max    int    `json:",omitempty"` // 1 to 1000; default 1000
}

// User is a user as answers tell it.
type User struct {
	Name            string
	ID              string
	Created         time.Time
	Enabled         bool
	AccessKeys      int // how many
	Policies        []string
	SessionsRevoked *time.Time `json:",omitempty"` // last time; nil for never
}

// ListUsersResult is a page of users, ascending by name.
type ListUsersResult struct {
	Users     []User
	Truncated bool // others follow the last one
}

// UpdateUserRequest changes a user.
type UpdateUserRequest struct {
	Name           string
	Enabled        *bool `json:",omitempty"` // nil leaves it
	RevokeSessions bool  `json:",omitempty"`
}

// UserRequest names the user whose access keys are meant.
type UserRequest struct{ User string }

// AccessKey is an access key as answers tell it.
type AccessKey struct {
	ID      string
	User    string
	Created time.Time
	Enabled bool
	Used    *time.Time `json:",omitempty"` // last use; nil for none
}

// NewAccessKey is an access key that was just made. Secret is never told again.
type NewAccessKey struct {
	AccessKey
	Secret string
}

// ListAccessKeysResult are all access keys of a user.
type ListAccessKeysResult struct{ AccessKeys []AccessKey }

// AccessKeyRequest names an access key of a user.
type AccessKeyRequest struct{ User, ID string }

// UpdateAccessKeyRequest switches an access key on or off.
type UpdateAccessKeyRequest struct {
	User, ID string
	Enabled  bool
}

// PolicyRequest is a policy's name and its document, as text.
type PolicyRequest struct{ Name, Document string }

// Policy is a policy as answers tell it. Listings leave the document out.
type Policy struct {
	Name     string
	Created  time.Time
	Updated  time.Time
	Attached int    // users that have it
	Document string `json:",omitempty"`
}

// ListPoliciesResult is a page of policies, ascending by name.
type ListPoliciesResult struct {
	Policies  []Policy
	Truncated bool // others follow the last one
}

// AttachRequest names a user and a policy.
type AttachRequest struct{ User, Policy string }

// AssumeRoleRequest asks for a session of whoever sends it.
type AssumeRoleRequest struct {
	Policy          string `json:",omitempty"` // document; "" for all rights of the user
	DurationSeconds int64  `json:",omitempty"` // 900 to 43200; default 3600
}

// Credentials are what AssumeRole answers with. They are never told again.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	Expires         time.Time
}

// SimulateRequest asks whether somebody may do something.
type SimulateRequest struct {
	User      string `json:",omitempty"` // name
	Anonymous bool   `json:",omitempty"` // nobody instead of a user
	Policy    string `json:",omitempty"` // document of a session's policy
	Action    string // such as oss:PutObject
	Resource  string // acs:oss:*:*:bucket/key

	SourceIP   string              `json:",omitempty"`
	UserAgent  string              `json:",omitempty"`
	Secure     bool                `json:",omitempty"` // over TLS
	Time       *time.Time          `json:",omitempty"` // default now
	Conditions map[string][]string `json:",omitempty"` // further condition keys
}

// SimulateResult is the decision and what made it.
type SimulateResult struct {
	Allowed   bool
	Decision  string // in a sentence
	Explicit  bool   `json:",omitempty"` // a denial that a statement demands
	Type      string `json:",omitempty"` // of what decided, such as BucketPolicy
	Policy    string `json:",omitempty"` // name, where the user's policy decided
	Statement int    `json:",omitempty"` // its number, 1-based; 0 for none
	// Text is the deciding statement as its policy has it.
	Text json.RawMessage `json:",omitempty"`
	// Notes say what was not there to be asked.
	Notes []string `json:",omitempty"`
}

// KeyRequest names a key of the key ring; "" is the default one, where there
// may be a default.
type KeyRequest struct {
	ID string `json:",omitempty"`
}

// Key is one version of a key of the ring.
type Key struct {
	ID      string
	Version int
	Created time.Time
	Default bool // what names no key is wrapped with it
	Current bool // the version that wraps
}

// ListKeysResult are all versions of all keys, in the order of their making.
type ListKeysResult struct{ Keys []Key }
