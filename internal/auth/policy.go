package auth

import (
	"fmt"
	"slices"
	"strings"
)

// Limits of the policy language.
const (
	// MaxPolicyBytes bounds a policy's document.
	MaxPolicyBytes = 16 << 10
	// MaxSessionPolicyBytes bounds the document of a session's policy.
	MaxSessionPolicyBytes = 2048
)

// Policy is a parsed policy document: what it allows and what it denies. It
// never changes, so many goroutines may use it. The zero Policy allows and
// denies nothing.
type Policy struct {
	statements []statement
}

// NamedPolicy is a policy of a user, with the name that it has among the
// account's.
type NamedPolicy struct {
	Name   string
	Policy *Policy
}

// Statements returns how many statements p has.
func (p *Policy) Statements() int { return len(p.statements) }

// statement is one rule of a policy. It applies to a request when everything in
// it does.
type statement struct {
	deny       bool
	principals principals // of bucket policies
	actions    patterns
	resources  resources
	conditions []condition
}

// principals says whom a statement of a bucket policy concerns.
type principals struct {
	ids      []string
	everyone bool // "*"
	not      bool // NotPrincipal: everybody else
	absent   bool // the statement does not say
}

// concerns reports whether a statement concerns id.
//
// The documentation page "Bucket Policy" has it that a statement for everyone
// that has no condition does not concern the owner of the bucket. One for
// everyone but some is read in the same way. It does not say what a statement
// concerns that has no principal: such an Allow concerns nobody here, and such a
// Deny everyone.
func (p *principals) concerns(id Identity, s *statement) bool {
	named := id.ID != "" && slices.Contains(p.ids, id.ID)
	switch {
	case p.absent && !s.deny:
		return false
	case p.absent, p.everyone, p.not:
		if p.not && named {
			return false
		}
		return named || id.Kind != Owner || len(s.conditions) > 0
	}
	return named
}

// patterns is Action or, with not, NotAction.
type patterns struct {
	list []string
	not  bool
}

func (p *patterns) match(text string) bool {
	return slices.ContainsFunc(p.list, func(pattern string) bool { return match(pattern, text) }) != p.not
}

// resources is Resource or, with not, NotResource.
type resources struct {
	list []resourcePattern
	not  bool
}

// resourcePattern is acs:service:region:account:path, with wildcards. Each field
// is matched for itself: what stands in a key never passes for an account.
type resourcePattern struct {
	service, region, account, path string
}

// anyResource is the pattern "*".
var anyResource = resourcePattern{"*", "*", "*", "*"}

func (p *resourcePattern) match(a *Authorizer, r Resource) bool {
	return match(p.service, r.Service) &&
		(match(p.region, a.Region) || match(p.region, "oss-"+a.Region)) &&
		match(p.account, a.Account) && match(p.path, r.Path)
}

func (rs *resources) match(a *Authorizer, r Resource) bool {
	return slices.ContainsFunc(rs.list, func(p resourcePattern) bool { return p.match(a, r) }) != rs.not
}

// Resource is what an action is done to: acs:<service>:<region>:<account>:<path>.
// Region and account are the Authorizer's: it knows no others.
type Resource struct {
	Service string // "oss", "ram", "sts" or "kms"
	Path    string // a bucket, bucket/key, "*" for the account; user/name in ram
}

// OSSResource names a bucket, an object in it, or, when bucket is empty,
// whatever the account owns.
func OSSResource(bucket, key string) Resource {
	switch {
	case bucket == "":
		return Resource{"oss", "*"}
	case key == "":
		return Resource{"oss", bucket}
	}
	return Resource{"oss", bucket + "/" + key}
}

// ParseResource reads a resource as the documentation writes it, with any
// region and account.
func ParseResource(text string) (Resource, error) {
	p, err := parseResourcePattern(text)
	if err != nil {
		return Resource{}, err
	}
	return Resource{p.service, p.path}, nil
}

func (r Resource) String() string { return "acs:" + r.Service + ":*:*:" + r.Path }

// bucket is the part of an oss resource before the first slash.
func bucketPart(path string) string {
	bucket, _, _ := strings.Cut(path, "/")
	return bucket
}

// IsPublic reports whether p, a bucket's policy, lets everyone in, by the
// documentation page "Block public access": a statement does that if it allows,
// for everyone or for all but some, and no condition names fixed access keys or
// networks. What it allows makes no difference.
func (p *Policy) IsPublic() bool {
	return slices.ContainsFunc(p.statements, func(s statement) bool {
		return !s.deny && (s.principals.everyone || s.principals.not) &&
			!slices.ContainsFunc(s.conditions, condition.narrowing)
	})
}

// mentions reports whether a condition of p is about a key with that prefix.
func (p *Policy) mentions(prefix string) bool {
	return p != nil && slices.ContainsFunc(p.statements, func(s statement) bool {
		return slices.ContainsFunc(s.conditions, func(c condition) bool { return strings.HasPrefix(c.key, prefix) })
	})
}

// PolicyError says what is wrong with a policy's document.
type PolicyError struct {
	Statement int    // number of the statement, 1-based; 0 for the document itself
	Field     string // such as "Action"; "" if none in particular
	Reason    string
}

func (e *PolicyError) Error() string {
	where := ""
	if e.Statement > 0 {
		where = fmt.Sprintf("statement %d: ", e.Statement)
	}
	if e.Field != "" {
		where += e.Field + ": "
	}
	return where + e.Reason
}
