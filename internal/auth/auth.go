// Package auth decides who may do what. It is pure: it reads no clock and does
// no I/O, so that every decision can be tested as a table.
//
// A request reaches it with an [Identity], which a signature proves ([Verify] asks
// whoever knows the [Keys]; or with [Anonymous], which needs no proof), an action such as oss:GetObject and a
// [Resource] such as acs:oss:*:*:bucket/key. The server takes the action from its
// operation table, one row an operation, and asks once for every resource that
// an operation touches. What administers the server (ram:*, sts:AssumeRole,
// kms:*) is asked for in the same way.
//
// The order is the one of the OSS documentation page "Overview of access
// control":
//
//  1. what a statement of any policy that applies denies is denied, to the owner
//     too;
//  2. what the policy of a session does not allow is denied;
//  3. what a policy of the user or of the bucket allows is allowed;
//  4. the owner may do everything;
//  5. everybody may do what an ACL grants: the object's ACL, or the bucket's
//     where the object's is "default" or there is no object yet;
//  6. the rest is denied.
//
// Nobody locks himself out: whatever a bucket's policy says, the owner may read,
// replace and delete that policy. ACLs only ever grant reading and writing
// objects and listing them. Configuration, and whatever concerns no bucket, is
// never granted by an ACL.
//
// The language of policies is that of the documentation pages "Policy structure
// and syntax" and "Policy syntax and elements"; see [ParsePolicy] and
// [ParseBucketPolicy].
package auth

import (
	"fmt"
	"time"
	"unicode/utf8"
)

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
	ID          string        // account or user ID, which policies of buckets name; "" when anonymous
	Name        string        // of a user, for people
	AccessKeyID string        // what the request was signed with; "" when anonymous
	Policies    []NamedPolicy // that are attached to the user
	Session     *Session      // what the access key was issued for; nil for a long-term key
}

// Session is what limits temporary credentials. Their rights are those of the
// identity that asked for them, and no others than Policy allows.
type Session struct {
	Policy  *Policy   // nil for no further limit
	Expires time.Time // Keys refuses the access key from then on
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
	Identity     Identity
	Action       string // such as "oss:PutObject"
	Resource     Resource
	BucketACL    string  // of the bucket concerned; "" at service level
	ObjectACL    string  // of the object as it is; "" when there is none
	BucketPolicy *Policy // of the bucket concerned; nil for none
	Context      Conditions
}

// PolicyType is what kind of rule made a decision, as the documentation page
// "0003-00000201" and those like it name it.
type PolicyType string

// What decides.
const (
	RAMPolicy     PolicyType = "AccountLevelIdentityBasedPolicy" // of the user
	BucketPolicy  PolicyType = "BucketPolicy"
	SessionPolicy PolicyType = "SessionPolicy"
	ByACL         PolicyType = "ACL"
	ByOwner       PolicyType = "Owner" // the account's own right
)

// Decision is the answer to a Request. A denial is explicit if a statement says
// so, otherwise nothing allowed what was asked for.
type Decision struct {
	Allowed   bool
	Explicit  bool       // a denial that a statement demands
	Type      PolicyType // what decided; of a denial that is not explicit: what would have had to allow
	Policy    string     // name of the policy of the user that decided; "" for none
	Statement int        // number of the statement that decided, 1-based; 0 for none
	Action    string
	Resource  string
	Reason    string // message of the AccessDenied answer; "" when allowed
}

// NoPermissionType is the kind of a denial as the documentation names it.
func (d Decision) NoPermissionType() string {
	if d.Explicit {
		return "ExplicitDeny"
	}
	return "ImplicitDeny"
}

// Authorizer answers Requests. The zero Authorizer works.
type Authorizer struct {
	// AnonymousList lets everybody list a public-read bucket. The documentation
	// speaks of reading objects only, so the default is no.
	AnonymousList bool

	// Region, without "oss-", and Account are those of every resource. If they
	// are empty, only wildcards in policies match them.
	Region, Account string
}

// Decide answers r.
func (a *Authorizer) Decide(r Request) Decision {
	e := evaluation{a, &r}
	if d, ok := e.byPolicy(); ok {
		return d
	}
	return e.byACL()
}

// NeedsObject reports whether the answer to r, as it is so far, may be another
// one when the ACL of the object and its tags (KeyTag) are filled in. Where it is
// false the caller need not fetch them.
func (a *Authorizer) NeedsObject(r Request) bool {
	e := evaluation{a, &r}
	if e.mentions(KeyTag) {
		return true
	}
	right := rights[r.Action]
	if right != readObject && right != writeObject {
		return false
	}
	_, settled := e.byPolicy()
	return !settled
}

// Mentions reports whether a policy that applies to r has a condition on a key
// with that prefix. Where none has, the caller need not fetch the values.
func (a *Authorizer) Mentions(r Request, prefix string) bool {
	return (&evaluation{a, &r}).mentions(prefix)
}

// MayGrant reports whether an ACL could allow the action to anybody.
func (a *Authorizer) MayGrant(action string) bool { return rights[action] != none }

// evaluation is one Request being answered.
type evaluation struct {
	a *Authorizer
	r *Request
}

func (e *evaluation) mentions(prefix string) bool {
	if e.r.BucketPolicy.mentions(prefix) || e.session().mentions(prefix) {
		return true
	}
	for _, p := range e.r.Identity.Policies {
		if p.Policy.mentions(prefix) {
			return true
		}
	}
	return false
}

// session is the policy of the identity's session, nil for none.
func (e *evaluation) session() *Policy {
	if e.r.Identity.Session == nil {
		return nil
	}
	return e.r.Identity.Session.Policy
}

// byPolicy answers if anything but an ACL does.
func (e *evaluation) byPolicy() (d Decision, ok bool) {
	if e.r.Identity.Kind == Anonymous && ownersOnly[e.r.Action] {
		return e.denied("", "Anonymous access is forbidden for this operation."), true
	}
	session := e.session()
	for _, deny := range []bool{true, false} {
		if !deny && session != nil && e.statement(session, deny, false) == 0 {
			return e.notAllowed(SessionPolicy), true
		}
		for _, p := range e.r.Identity.Policies {
			if n := e.statement(p.Policy, deny, false); n > 0 {
				return e.decided(deny, RAMPolicy, p.Name, n), true
			}
		}
		if n := e.statement(e.r.BucketPolicy, deny, true); n > 0 && !(deny && e.keepsPolicy()) {
			return e.decided(deny, BucketPolicy, "", n), true
		}
		if deny && session != nil {
			if n := e.statement(session, deny, false); n > 0 {
				return e.decided(deny, SessionPolicy, "", n), true
			}
		}
	}
	if e.r.Identity.Kind == Owner {
		return e.decided(false, ByOwner, "", 0), true
	}
	return Decision{}, false
}

// ownersOnly are actions that nobody can be given who does not sign.
var ownersOnly = map[string]bool{"oss:ListBuckets": true, "oss:PutBucket": true}

// keepsPolicy reports whether the bucket's policy cannot deny r: the owner must
// be able to correct it.
func (e *evaluation) keepsPolicy() bool {
	if e.r.Identity.Kind != Owner {
		return false
	}
	switch e.r.Action {
	case "oss:GetBucketPolicy", "oss:PutBucketPolicy", "oss:DeleteBucketPolicy":
		return true
	}
	return false
}

// statement returns the number of the first statement of p, 1-based, that has
// the effect and applies to the request; 0 if there is none.
func (e *evaluation) statement(p *Policy, deny, ofBucket bool) int {
	if p == nil {
		return 0
	}
	for i := range p.statements {
		s := &p.statements[i]
		if s.deny == deny && (!ofBucket || s.principals.concerns(e.r.Identity, s)) && e.applies(s) {
			return i + 1
		}
	}
	return 0
}

// applies reports whether the request is one of those that s speaks of.
func (e *evaluation) applies(s *statement) bool {
	if !s.actions.match(e.r.Action) || !s.resources.match(e.a, e.r.Resource) {
		return false
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(e.r) {
			return false
		}
	}
	return true
}

// byACL answers by the ACLs, when nothing else has.
func (e *evaluation) byACL() Decision {
	right := rights[e.r.Action]
	acl, ofObject := e.r.BucketACL, false
	if (right == readObject || right == writeObject) && e.r.ObjectACL != "" && e.r.ObjectACL != aclDefault {
		acl, ofObject = e.r.ObjectACL, true
	}
	switch {
	case e.a.grants(acl, right):
		return e.decided(false, ByACL, "", 0)
	case e.r.Identity.Kind != Anonymous:
		return e.notAllowed(RAMPolicy)
	}
	return e.denied(ByACL, anonymousReason(right, ofObject))
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

// decided is the answer of a statement, or of what has none.
func (e *evaluation) decided(deny bool, by PolicyType, policy string, statement int) Decision {
	d := e.denied(by, "")
	d.Allowed, d.Explicit, d.Policy, d.Statement = !deny, deny, policy, statement
	if deny {
		d.Reason = fmt.Sprintf("%s Statement %d of %s denies %s on %s.",
			denials[by], statement, d.source(), d.Action, d.Resource)
	}
	return d
}

// notAllowed is the answer when no policy of a type allows the request.
func (e *evaluation) notAllowed(by PolicyType) Decision {
	return e.denied(by, fmt.Sprintf("%s No statement of %s allows %s on %s.",
		denials[by], Decision{Type: by}.source(), e.r.Action, shorten(e.r.Resource.String())))
}

func (e *evaluation) denied(by PolicyType, reason string) Decision {
	return Decision{Type: by, Action: e.r.Action, Resource: shorten(e.r.Resource.String()), Reason: reason}
}

// denials are how the documentation page "HTTP 403 status code" words a denial
// by a policy.
var denials = map[PolicyType]string{
	RAMPolicy:     "Access denied by authorizer's policy.",
	SessionPolicy: "Access denied by authorizer's policy.",
	BucketPolicy:  "Access denied by bucket policy.",
}

// maxResourceBytes bounds a resource in answers, so that an error document
// stays short however much of it must be escaped.
const maxResourceBytes = 200

func shorten(resource string) string {
	if len(resource) <= maxResourceBytes {
		return resource
	}
	end := maxResourceBytes
	for !utf8.RuneStart(resource[end]) && end > maxResourceBytes-utf8.UTFMax {
		end--
	}
	return resource[:end] + "..."
}

// source names what decided, for people.
func (d Decision) source() string {
	switch {
	case d.Type == RAMPolicy && d.Policy != "":
		return fmt.Sprintf("policy %q", d.Policy)
	case d.Type == RAMPolicy:
		return "the user's policies or the bucket's"
	case d.Type == BucketPolicy:
		return "the bucket policy"
	case d.Type == SessionPolicy:
		return "the session's policy"
	case d.Type == ByOwner:
		return "the account's ownership"
	}
	return "the ACL"
}

// String says what was decided and why, for people.
func (d Decision) String() string {
	what := fmt.Sprintf("%s on %s", d.Action, d.Resource)
	switch {
	case d.Allowed && d.Statement > 0:
		return fmt.Sprintf("allowed: statement %d of %s allows %s", d.Statement, d.source(), what)
	case d.Allowed:
		return fmt.Sprintf("allowed: %s allows %s", d.source(), what)
	case d.Explicit:
		return fmt.Sprintf("denied: statement %d of %s denies %s", d.Statement, d.source(), what)
	case d.Statement == 0 && d.Type == ByACL:
		return fmt.Sprintf("denied: no bucket policy and no ACL allows everybody %s", what)
	case d.Type == "":
		return fmt.Sprintf("denied: %s is for those who sign", what)
	}
	return fmt.Sprintf("denied: no statement of %s allows %s", d.source(), what)
}

// anonymousReason words the denial of a request that is not signed as the
// documentation page "HTTP 403 status code" does.
func anonymousReason(right right, ofObject bool) string {
	switch {
	case right == readObject && ofObject:
		return "You do not have read permission on this object."
	case right == writeObject && ofObject:
		return "You do not have write permission on this object."
	case right == readObject, right == writeObject:
		return "You have no right to access this object because of bucket acl."
	case right == listBucket:
		return "Anonymous user has no right to access this bucket."
	}
	return "Anonymous access is forbidden for this operation."
}
