package auth

import (
	"encoding/json"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// Whatever the document: no panic, a PolicyError or a policy that can be
// evaluated. What is a policy is JSON of a bounded size that encoding/json reads
// to the same number of statements.
func FuzzParsePolicy(f *testing.F) {
	for _, s := range []string{allowGet, denyAll, toAll, notOthers, notPlain, toAlice,
		`{"Effect":"Allow","NotAction":["oss:Put*","*"],"NotResource":"acs:oss:cn-?:1:b/\u00e9*","Condition":{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","::1"]},"NumericLessThan":{"oss:BucketTag/n":"-1.5"},"DateGreaterThan":{"acs:CurrentTime":"2026-01-02T00:00:00Z"}}}`,
	} {
		f.Add([]byte(`{"Version":"1","Statement":[` + s + `]}`))
	}
	f.Add([]byte(`{"Version":"1","Version":"1"}`))
	f.Add([]byte(`[[[[[[[[`))
	requests := []Request{
		{Action: "oss:GetObject", Resource: OSSResource("b", "k")},
		{Identity: owner, Action: "oss:ListObjects", Resource: OSSResource("b", ""), Context: Conditions{
			SourceIP: netip.MustParseAddr("10.1.2.3"), UserAgent: "u", Time: epoch, Secure: true,
			Values: map[string][]string{KeyPrefix: {""}, KeyBucketTag + "n": {"1e999999999", "-2"}},
		}},
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		for _, bucket := range []string{"", "b"} {
			p, err := parse(doc, bucket)
			if err != nil {
				var where *PolicyError
				if !errors.As(err, &where) || p != nil || where.Reason == "" || !utf8.ValidString(err.Error()) {
					t.Fatalf("%v came with %v", err, p)
				}
				continue
			}
			var again struct{ Statement []json.RawMessage }
			if err := json.Unmarshal(doc, &again); err != nil || len(again.Statement) != p.Statements() || len(doc) > MaxPolicyBytes {
				t.Fatalf("%d statements of %q, which encoding/json finds %d in: %v", p.Statements(), doc, len(again.Statement), err)
			}
			for _, r := range requests {
				r.BucketPolicy = p
				r.Identity.Policies = []NamedPolicy{{"p", p}}
				if d := authorizer.Decide(r); d.Statement > p.Statements() || !d.Allowed && d.Reason == "" {
					t.Fatalf("decided %+v", d)
				}
			}
			p.IsPublic()
		}
	})
}

// plainStatement is a statement as the reference evaluates it: as it is written.
type plainStatement struct {
	Effect       string
	Principal    []string                       `json:",omitempty"`
	NotPrincipal []string                       `json:",omitempty"`
	Action       []string                       `json:",omitempty"`
	NotAction    []string                       `json:",omitempty"`
	Resource     []string                       `json:",omitempty"`
	NotResource  []string                       `json:",omitempty"`
	Condition    map[string]map[string][]string `json:",omitempty"`
}

type plainPolicy struct {
	Version   string
	Statement []plainStatement
}

// plainRequest is a request as the reference sees it.
type plainRequest struct {
	kind             Kind
	id               string
	users            []plainPolicy // policies of the user
	bucket, session  *plainPolicy
	action, resource string
	bucketACL        string
	objectACL        string
	prefix           []string // of the listing; nil for none
	secure           bool
	ip               string
}

// decide is the page "Overview of access control", sentence by sentence.
func (r *plainRequest) decide() bool {
	any := func(p *plainPolicy, effect string, ofBucket bool) bool {
		return p != nil && slices.ContainsFunc(p.Statement, func(s plainStatement) bool {
			return s.Effect == effect && r.applies(s, ofBucket)
		})
	}
	user := func(effect string) bool {
		return slices.ContainsFunc(r.users, func(p plainPolicy) bool { return any(&p, effect, false) })
	}
	ownPolicy := r.kind == Owner && slices.Contains([]string{"oss:PutBucketPolicy", "oss:GetBucketPolicy", "oss:DeleteBucketPolicy"}, r.action)
	if r.kind == Anonymous && (r.action == "oss:PutBucket" || r.action == "oss:ListBuckets") {
		return false
	}
	if user("Deny") || any(r.session, "Deny", false) || any(r.bucket, "Deny", true) && !ownPolicy {
		return false
	}
	if r.session != nil && !any(r.session, "Allow", false) {
		return false
	}
	if user("Allow") || any(r.bucket, "Allow", true) || r.kind == Owner {
		return true
	}
	acl := r.bucketACL
	onObject := r.action == "oss:GetObject" || r.action == "oss:PutObject"
	if onObject && r.objectACL != "" && r.objectACL != "default" {
		acl = r.objectACL
	}
	switch r.action {
	case "oss:GetObject":
		return acl == "public-read" || acl == "public-read-write"
	case "oss:PutObject", "oss:ListObjects":
		return acl == "public-read-write"
	}
	return false
}

func (r *plainRequest) applies(s plainStatement, ofBucket bool) bool {
	like := func(patterns []string, text string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool { return slowMatch(characters(p), characters(text)) })
	}
	if ofBucket {
		named := r.id != "" && slices.Contains(s.Principal, r.id)
		everyone := slices.Contains(s.Principal, "*")
		switch {
		case s.NotPrincipal != nil:
			if slices.Contains(s.NotPrincipal, r.id) && r.id != "" || r.kind == Owner && len(s.Condition) == 0 {
				return false
			}
		case s.Principal == nil:
			if s.Effect == "Allow" || r.kind == Owner && len(s.Condition) == 0 {
				return false
			}
		case !named && (!everyone || r.kind == Owner && len(s.Condition) == 0):
			return false
		}
	}
	if s.Action != nil && !like(s.Action, r.action) || s.NotAction != nil && like(s.NotAction, r.action) {
		return false
	}
	among := func(patterns []string) bool {
		return slices.ContainsFunc(patterns, func(p string) bool {
			fields, have := strings.SplitN(p, ":", 5), strings.SplitN(r.resource, ":", 5)
			for i := range have {
				if !like(fields[i:i+1], have[i]) {
					return false
				}
			}
			return true
		})
	}
	if s.Resource != nil && !among(s.Resource) || s.NotResource != nil && among(s.NotResource) {
		return false
	}
	have := map[string][]string{"oss:Prefix": r.prefix, "acs:SecureTransport": {"false"}, "acs:SourceIp": {r.ip}}
	if r.secure {
		have["acs:SecureTransport"] = []string{"true"}
	}
	for operator, keys := range s.Condition {
		for key, values := range keys {
			positive := slices.ContainsFunc(have[key], func(h string) bool {
				switch strings.Replace(operator, "Not", "", 1) {
				case "StringLike":
					return like(values, h)
				case "IpAddress": // the vocabulary has ranges of whole bytes only
					return slices.ContainsFunc(values, func(v string) bool {
						return strings.HasPrefix(h, strings.TrimSuffix(v, "0.0.0/8"))
					})
				}
				return slices.Contains(values, h)
			})
			if positive == strings.Contains(operator, "Not") {
				return false
			}
		}
	}
	return true
}

// script hands out choices, by the bytes of a fuzzer.
type script []byte

func (s *script) pick(n int) int {
	if len(*s) == 0 {
		return 0
	}
	b := (*s)[0]
	*s = (*s)[1:]
	return int(b) % n
}

func (s *script) one(from ...string) string { return from[s.pick(len(from))] }

func (s *script) some(from ...string) (list []string) {
	for range 1 + s.pick(2) {
		list = append(list, s.one(from...))
	}
	return list
}

func (s *script) statement(ofBucket bool) plainStatement {
	st := plainStatement{Effect: s.one("Allow", "Deny")}
	actions := s.some("oss:*", "*", "oss:GetObject", "oss:Get*", "oss:PutObject", "oss:ListObjects", "oss:???BucketPolicy", "oss:PutBucket")
	if s.pick(4) == 0 {
		st.NotAction = actions
	} else {
		st.Action = actions
	}
	resources := s.some("acs:oss:*:*:b", "acs:oss:*:*:b/*", "acs:oss:*:*:b/a/*", "acs:oss:*:1000:b/?", "acs:oss:cn-beijing:*:b/*", "acs:oss:*:*:b*")
	if s.pick(4) == 0 {
		st.NotResource = resources
	} else {
		st.Resource = resources
	}
	if ofBucket {
		switch s.pick(6) {
		case 0: // absent
		case 1:
			st.NotPrincipal = s.some("1000", "2001", "2002")
		default:
			st.Principal = s.some("*", "1000", "2001", "2002")
		}
	}
	for range s.pick(3) {
		operator, key, values := "", "", []string(nil)
		switch s.pick(3) {
		case 0:
			operator, key = s.one("StringEquals", "StringNotEquals", "StringLike", "StringNotLike"), "oss:Prefix"
			values = s.some("", "a/", "a*", "?")
		case 1:
			operator, key, values = "Bool", "acs:SecureTransport", s.some("true", "false")
		case 2:
			operator, key = s.one("IpAddress", "NotIpAddress"), "acs:SourceIp"
			values = s.some("10.0.0.0/8", "192.0.0.0/8", "10.1.2.3")
		}
		if st.Condition == nil {
			st.Condition = make(map[string]map[string][]string)
		}
		if st.Condition[operator] == nil {
			st.Condition[operator] = make(map[string][]string)
		}
		st.Condition[operator][key] = values
	}
	return st
}

func (s *script) policy(ofBucket bool) *plainPolicy {
	p := &plainPolicy{Version: "1"}
	for range 1 + s.pick(3) {
		p.Statement = append(p.Statement, s.statement(ofBucket))
	}
	return p
}

// Decide is what its reference is, for users, sessions and policies put together
// at random; NeedsObject never says no where the object's ACL makes a
// difference.
func FuzzDecide(f *testing.F) {
	f.Add([]byte{})
	for i := range 40 {
		seed := make([]byte, 60)
		for j := range seed {
			seed[j] = byte(i*j*7 + j*13 + i)
		}
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		s := script(choices)
		r := plainRequest{
			kind: Kind(s.pick(3)), bucketACL: s.one("private", "public-read", "public-read-write"),
			objectACL: s.one("", "default", "private", "public-read", "public-read-write"),
			secure:    s.pick(2) == 1, ip: s.one("10.1.2.3", "192.0.2.1"),
			action: s.one("oss:GetObject", "oss:PutObject", "oss:ListObjects", "oss:GetBucketPolicy", "oss:DeleteBucketPolicy", "oss:PutBucket", "oss:ListBuckets"),
		}
		key := s.one("", "k", "a/k", "a:b", "é")
		if s.pick(2) == 1 {
			r.prefix = []string{s.one("", "a/", "b")}
		}
		q := Request{
			Identity: Identity{Kind: r.kind}, Action: r.action, Resource: OSSResource("b", key),
			BucketACL: r.bucketACL, ObjectACL: r.objectACL,
			Context: Conditions{
				SourceIP: netip.MustParseAddr(r.ip), Time: epoch, Secure: r.secure,
				Values: map[string][]string{KeyPrefix: r.prefix},
			},
		}
		r.resource = "acs:oss:cn-hangzhou:1000:" + q.Resource.Path
		r.id = []string{"", "1000", "2001"}[r.kind]
		q.Identity.ID = r.id
		parse := func(p *plainPolicy, parse func([]byte) (*Policy, error)) *Policy {
			doc, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := parse(doc)
			if err != nil {
				t.Fatalf("%s: %v", doc, err)
			}
			return parsed
		}
		if r.kind != Anonymous {
			for range s.pick(3) {
				p := s.policy(false)
				r.users = append(r.users, *p)
				q.Identity.Policies = append(q.Identity.Policies, NamedPolicy{"p", parse(p, ParsePolicy)})
			}
			switch s.pick(4) {
			case 0:
				r.session = s.policy(false)
				q.Identity.Session = &Session{Policy: parse(r.session, ParsePolicy), Expires: epoch.Add(time.Hour)}
			case 1:
				q.Identity.Session = &Session{Expires: epoch.Add(time.Hour)}
			}
		}
		if s.pick(3) > 0 {
			r.bucket = s.policy(true)
			q.BucketPolicy = parse(r.bucket, func(doc []byte) (*Policy, error) { return ParseBucketPolicy(doc, "b") })
		}
		d := authorizer.Decide(q)
		if d.Allowed != r.decide() {
			text, _ := json.MarshalIndent([]any{r.users, r.bucket, r.session}, "", " ")
			t.Errorf("%s, but for %+v\n%s", d, r, text)
		}
		if q.ObjectACL = ""; !authorizer.NeedsObject(q) && authorizer.Decide(q) != d {
			t.Errorf("NeedsObject is false, but without its ACL the decision is %s, not %s", authorizer.Decide(q), d)
		}
	})
}
