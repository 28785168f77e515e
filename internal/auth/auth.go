// Package auth decides who may do what. It is pure: it reads no clock and does
// no I/O, so that every decision can be tested as a table.
//
// A request reaches it with an [Identity], which a verified signature proves (or
// with [Anonymous], which needs no proof), an action such as oss:GetObject and a
// resource such as acs:oss:*:*:bucket/key. The server takes the action from its
// operation table, one row an operation, and asks once for every resource that
// an operation touches.
//
// The order is the one of the OSS documentation page "Overview of access
// control", as far as this package knows it:
//
//  1. the owner may do everything;
//  2. everybody else may do what an ACL grants: the object's ACL, or the
//     bucket's where the object's is "default" or there is no object yet;
//  3. the rest is denied.
//
// ACLs only ever grant reading and writing objects and listing them.
// Configuration, and whatever concerns no bucket, is never granted by an ACL.
package auth

// Kind is what sort of sender an Identity is.
type Kind int

// The kinds of identities. The zero Kind has no rights of its own.
const (
	Anonymous Kind = iota // not signed
	Owner                 // the account that owns every bucket
	User                  // a user of that account: no rights but granted ones
)

func (k Kind) String() string {
	switch k {
	case Owner:
		return "owner"
	case User:
		return "user"
	}
	return "anonymous"
}

// Identity is who sent a request. The zero Identity is anonymous.
type Identity struct {
	Kind        Kind
	ID          string // account or user ID; "" when anonymous
	AccessKeyID string // what the request was signed with; "" when anonymous
}

// The canned ACLs, as on the wire. Default is for objects only and means that
// the bucket's ACL counts.
const (
	aclDefault         = "default"
	aclPublicRead      = "public-read"
	aclPublicReadWrite = "public-read-write"
)

// Request is one question: may Identity do Action to Resource?
type Request struct {
	Identity  Identity
	Action    string // such as "oss:PutObject"
	Resource  string // see [Resource]; ACLs do not look at it
	BucketACL string // of the bucket concerned; "" at service level
	ObjectACL string // of the object as it is; "" when there is none
}

// Resource names a bucket, an object in it, or, when bucket is empty, whatever
// the account owns.
func Resource(bucket, key string) string {
	switch {
	case bucket == "":
		return "acs:oss:*:*:*"
	case key == "":
		return "acs:oss:*:*:" + bucket
	}
	return "acs:oss:*:*:" + bucket + "/" + key
}

// Decision is the answer to a Request.
type Decision struct {
	Allowed bool
	Reason  string // message of the AccessDenied answer; "" when allowed
}

var allowed = Decision{Allowed: true}

func denied(reason string) Decision { return Decision{Reason: reason} }

// Authorizer answers Requests. The zero Authorizer works.
type Authorizer struct {
	// AnonymousList lets everybody list a public-read bucket. The documentation
	// speaks of reading objects only, so the default is no.
	AnonymousList bool
}

// NeedsACL reports whether an ACL can make a difference for r: Decide looks at
// BucketACL and ObjectACL only then, and the caller need not fetch them
// otherwise.
func (a *Authorizer) NeedsACL(id Identity, action string) bool {
	return id.Kind != Owner && rights[action] != none
}

// Decide answers r.
func (a *Authorizer) Decide(r Request) Decision {
	if r.Identity.Kind == Owner {
		return allowed
	}
	right := rights[r.Action]
	acl, ofObject := r.BucketACL, false
	if (right == readObject || right == writeObject) && r.ObjectACL != "" && r.ObjectACL != aclDefault {
		acl, ofObject = r.ObjectACL, true
	}
	if a.grants(acl, right) {
		return allowed
	}
	return denied(reason(r.Identity, right, ofObject))
}

// grants reports whether acl gives right to everybody.
func (a *Authorizer) grants(acl string, right right) bool {
	switch right {
	case readObject:
		return acl == aclPublicRead || acl == aclPublicReadWrite
	case writeObject:
		return acl == aclPublicReadWrite
	case listBucket:
		return acl == aclPublicReadWrite || acl == aclPublicRead && a.AnonymousList
	}
	return false
}

// reason words a denial as the documentation page "HTTP 403 status code" does.
func reason(id Identity, right right, ofObject bool) string {
	switch {
	case right == readObject && ofObject:
		return "You do not have read permission on this object."
	case right == writeObject && ofObject:
		return "You do not have write permission on this object."
	case right == readObject, right == writeObject:
		return "You have no right to access this object because of bucket acl."
	case id.Kind != Anonymous:
		return "Access denied by authorizer's policy."
	case right == listBucket:
		return "Anonymous user has no right to access this bucket."
	}
	return "Anonymous access is forbidden for this operation."
}
