package auth

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// epoch is when requests of tests arrive.
var epoch = time.Date(2023, 11, 14, 22, 13, 20, 0, time.UTC)

// authorizer is that of tests.
var authorizer = Authorizer{Region: "cn-hangzhou", Account: "1000"}

var (
	owner = Identity{Kind: Owner, ID: "1000", AccessKeyID: "LTAIowner"}
	alice = Identity{Kind: User, ID: "2001", Name: "alice", AccessKeyID: "LTAIalice"}
)

// ram parses the policy of a user and gives it the name p1, p2 and so on.
func ram(t testing.TB, id Identity, statements ...string) Identity {
	t.Helper()
	for i, s := range statements {
		p, err := ParsePolicy([]byte(`{"Version":"1","Statement":[` + s + `]}`))
		if err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		id.Policies = append(id.Policies, NamedPolicy{fmt.Sprintf("p%d", i+1), p})
	}
	return id
}

// ofBucket parses the policy of the bucket b; nil for none.
func ofBucket(t testing.TB, statements string) *Policy {
	t.Helper()
	if statements == "" {
		return nil
	}
	p, err := ParseBucketPolicy([]byte(`{"Version":"1","Statement":[`+statements+`]}`), "b")
	if err != nil {
		t.Fatalf("%s: %v", statements, err)
	}
	return p
}

// session limits id to what the statements allow; "" limits nothing.
func session(t testing.TB, id Identity, statements string) Identity {
	t.Helper()
	id.Session = &Session{}
	if statements != "" {
		id.Session.Policy = ram(t, Identity{}, statements).Policies[0].Policy
	}
	return id
}

const (
	allowGet  = `{"Effect":"Allow","Action":"oss:GetObject","Resource":"acs:oss:*:*:b/*"}`
	allowAll  = `{"Effect":"Allow","Action":"oss:*","Resource":"*"}`
	denyGet   = `{"Effect":"Deny","Action":"oss:GetObject","Resource":"acs:oss:*:*:b/secret*"}`
	denyAll   = `{"Effect":"Deny","Action":"*","Resource":"*"}`
	toAll     = `{"Effect":"Allow","Principal":["*"],"Action":"oss:*","Resource":["acs:oss:*:*:b","acs:oss:*:*:b/*"]}`
	toAlice   = `{"Effect":"Allow","Principal":["2001"],"Action":["oss:Get*"],"Resource":["acs:oss:*:*:b/*"]}`
	notAll    = `{"Effect":"Deny","Principal":["*"],"Action":"oss:*","Resource":["acs:oss:*:*:b","acs:oss:*:*:b/*"]}`
	notOwner  = `{"Effect":"Deny","Principal":["1000"],"Action":"oss:*","Resource":["acs:oss:*:*:b","acs:oss:*:*:b/*"]}`
	notPlain  = `{"Effect":"Deny","Principal":["*"],"Action":"oss:*","Resource":["acs:oss:*:*:b","acs:oss:*:*:b/*"],"Condition":{"Bool":{"acs:SecureTransport":"false"}}}`
	notOthers = `{"Effect":"Deny","NotPrincipal":["2001"],"Action":"oss:*","Resource":["acs:oss:*:*:b/*"]}`
)

// Policies decide in the order of the documentation page "Overview of access
// control", and the decision tells which statement it was.
func TestPolicyOrder(t *testing.T) {
	tests := []struct {
		name   string
		id     Identity
		bucket string // statements of its policy
		action string
		key    string // "" for the bucket
		acl    string
		want   string // the Decision in short, see brief
	}{
		{"user without policies", alice, "", "oss:GetObject", "k", "", "implicit RAM"},
		{"user allowed", ram(t, alice, allowGet), "", "oss:GetObject", "k", "", "allowed RAM p1 1"},
		{"another action", ram(t, alice, allowGet), "", "oss:PutObject", "k", "", "implicit RAM"},
		{"second policy allows", ram(t, alice, allowGet, allowAll), "", "oss:PutObject", "k", "", "allowed RAM p2 1"},
		{"deny is stronger", ram(t, alice, allowAll, allowGet+","+denyGet), "", "oss:GetObject", "secret/1", "", "explicit RAM p2 2"},
		{"deny of another resource", ram(t, alice, allowAll, denyGet), "", "oss:GetObject", "public", "", "allowed RAM p1 1"},
		{"deny is stronger than an ACL", ram(t, alice, denyGet), "", "oss:GetObject", "secret", "public-read", "explicit RAM p1 1"},
		{"an ACL is for users too", alice, "", "oss:GetObject", "k", "public-read", "allowed ACL"},

		{"bucket policy allows a user", alice, toAlice, "oss:GetObject", "k", "", "allowed bucket 1"},
		{"bucket policy of another user", ram(t, Identity{Kind: User, ID: "2002"}), toAlice, "oss:GetObject", "k", "", "implicit RAM"},
		{"bucket policy allows all", Identity{}, toAll, "oss:GetObject", "k", "", "allowed bucket 1"},
		{"bucket policy configures", Identity{}, toAll, "oss:PutBucketAcl", "", "", "allowed bucket 1"},
		{"bucket policy makes nobody list buckets", Identity{}, toAll, "oss:ListBuckets", "", "", "implicit"},
		{"bucket policy makes nobody make the bucket", Identity{}, toAll, "oss:PutBucket", "", "", "implicit"},
		{"bucket policy denies what RAM allows", ram(t, alice, allowAll), notAll, "oss:GetObject", "k", "", "explicit bucket 1"},
		{"bucket policy denies what an ACL allows", Identity{}, notAll, "oss:GetObject", "k", "public-read-write", "explicit bucket 1"},
		{"RAM denies what the bucket policy allows", ram(t, alice, denyGet), toAll, "oss:GetObject", "secret", "", "explicit RAM p1 1"},
		{"all but one are denied: that one", ram(t, alice, allowAll), notOthers, "oss:GetObject", "k", "", "allowed RAM p1 1"},
		{"all but one are denied: nobody in particular", Identity{}, notOthers, "oss:GetObject", "k", "public-read", "explicit bucket 1"},

		{"owner", owner, "", "oss:PutBucketAcl", "", "", "allowed owner"},
		{"owner is denied by name", owner, notOwner, "oss:GetObject", "k", "", "explicit bucket 1"},
		{"owner is none of everybody", owner, notAll, "oss:GetObject", "k", "", "allowed owner"},
		{"owner is none of all but some", owner, notOthers, "oss:GetObject", "k", "", "allowed owner"},
		{"owner is denied on a condition", owner, notPlain, "oss:GetObject", "k", "", "explicit bucket 1"},
		{"owner is not locked out: put", owner, notOwner, "oss:PutBucketPolicy", "", "", "allowed owner"},
		{"owner is not locked out: get", owner, notPlain, "oss:GetBucketPolicy", "", "", "allowed owner"},
		{"owner is not locked out: delete", owner, notOwner, "oss:DeleteBucketPolicy", "", "", "allowed owner"},
		{"owner is locked out of the rest", owner, notOwner, "oss:DeleteBucket", "", "", "explicit bucket 1"},
		{"user is locked out", ram(t, alice, allowAll), notAll, "oss:PutBucketPolicy", "", "", "explicit bucket 1"},
		{"owner's own policy denies", ram(t, owner, denyAll), "", "oss:GetBucketPolicy", "", "", "explicit RAM p1 1"},

		{"session without policy", session(t, ram(t, alice, allowGet), ""), "", "oss:GetObject", "k", "", "allowed RAM p1 1"},
		{"session allows what the user may", session(t, ram(t, alice, allowAll), allowGet), "", "oss:GetObject", "k", "", "allowed RAM p1 1"},
		{"session allows more than the user may", session(t, ram(t, alice, allowGet), allowAll), "", "oss:PutObject", "k", "", "implicit RAM"},
		{"session allows less than the user may", session(t, ram(t, alice, allowAll), allowGet), "", "oss:PutObject", "k", "", "implicit session"},
		{"session denies", session(t, ram(t, alice, allowAll), allowAll+","+denyGet), "", "oss:GetObject", "secret", "", "explicit session 2"},
		{"session of the owner", session(t, owner, allowGet), "", "oss:GetObject", "k", "", "allowed owner"},
		{"session of the owner allows less", session(t, owner, allowGet), "", "oss:PutBucketPolicy", "", "", "implicit session"},
		{"session limits a bucket policy", session(t, alice, denyGet), toAlice, "oss:GetObject", "k", "", "implicit session"},
		{"session limits an ACL", session(t, alice, denyGet), "", "oss:GetObject", "k", "public-read", "implicit session"},
		{"session and ACL", session(t, alice, allowGet), "", "oss:GetObject", "k", "public-read", "allowed ACL"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Request{
				Identity: tt.id, Action: tt.action, Resource: OSSResource("b", tt.key),
				BucketACL: tt.acl, BucketPolicy: ofBucket(t, tt.bucket),
				Context: Conditions{Time: epoch, SourceIP: netip.MustParseAddr("192.0.2.1")},
			}
			d := authorizer.Decide(r)
			if got := brief(d); got != tt.want {
				t.Errorf("got %s, want %s\n%s", got, tt.want, d)
			}
			if (d.Reason == "") != d.Allowed {
				t.Errorf("allowed is %t, but the reason is %q", d.Allowed, d.Reason)
			}
			if tt.id.Kind != Anonymous && !d.Allowed {
				for _, text := range []string{tt.action, r.Resource.String()} {
					if !strings.Contains(d.Reason, text) {
						t.Errorf("the reason %q does not name %s", d.Reason, text)
					}
				}
			}
		})
	}
}

// brief is a decision as the tables have it.
func brief(d Decision) string {
	words := []string{"implicit"}
	switch {
	case d.Allowed:
		words[0] = "allowed"
	case d.Explicit:
		words[0] = "explicit"
	}
	words = append(words, map[PolicyType]string{
		RAMPolicy: "RAM", BucketPolicy: "bucket", SessionPolicy: "session", ByACL: "ACL", ByOwner: "owner",
	}[d.Type], d.Policy)
	if d.Statement > 0 {
		words = append(words, fmt.Sprint(d.Statement))
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}

// A document with anything wrong in it is refused, and the error says where.
func TestParseErrors(t *testing.T) {
	one := func(fields string) string { return `{"Version":"1","Statement":[{` + fields + `}]}` }
	const who, what, where = `"Effect":"Allow"`, `"Action":"oss:GetObject"`, `"Resource":"acs:oss:*:*:b/*"`
	all := who + "," + what + "," + where
	with := func(more string) string { return one(all + "," + more) }
	condition := func(c string) string { return with(`"Condition":` + c) }
	tests := []struct{ name, doc, want string }{
		{"empty", ``, "the document is not JSON"},
		{"cut off", `{"Version":"1"`, "the document is not JSON"},
		{"trailing", one(all) + "{}", "the document is not JSON"},
		{"comma at the end", `{"Version":"1","Statement":[{` + all + `},]}`, "the document is not JSON"},
		{"list", `[]`, "must be an object"},
		{"null", `null`, "must be an object"},
		{"not UTF-8", one(all + ",\"\xff\":1"), "the document is not UTF-8"},
		{"too long", one(all) + strings.Repeat(" ", MaxPolicyBytes), "and 16384 are allowed"},
		{"no version", `{"Statement":[{` + all + `}]}`, `Version: must be "1"`},
		{"another version", `{"Version":"2","Statement":[{` + all + `}]}`, `Version: must be "1"`},
		{"number as version", `{"Version":1,"Statement":[{` + all + `}]}`, "Version: must be a string"},
		{"no statement", `{"Version":"1"}`, "Statement: there must be one at least"},
		{"empty list", `{"Version":"1","Statement":[]}`, "Statement: there must be one at least"},
		{"statement is no list", `{"Version":"1","Statement":{` + all + `}}`, "Statement: must be a list"},
		{"statement is text", `{"Version":"1","Statement":["x"]}`, "statement 1: must be an object"},
		{"unknown field", `{"Version":"1","Id":"x","Statement":[{` + all + `}]}`, "Id: unknown field"},
		{"misspelt", `{"version":"1","Statement":[{` + all + `}]}`, "version: unknown field"},
		{"version twice", `{"Version":"1","Version":"1","Statement":[{` + all + `}]}`, "Version: comes twice"},

		{"nothing in the statement", one(""), "statement 1: Effect is missing"},
		{"no effect", one(what + "," + where), "statement 1: Effect is missing"},
		{"effect in lower case", one(`"Effect":"allow",` + what + "," + where), `statement 1: Effect: must be "Allow" or "Deny"`},
		{"effect twice", with(`"Effect":"Deny"`), "statement 1: Effect: comes twice"},
		{"sid", with(`"Sid":"x"`), "statement 1: Sid: unknown field"},
		{"no action", one(who + "," + where), "either Action or NotAction"},
		{"both actions", with(`"NotAction":"oss:PutObject"`), "either Action or NotAction"},
		{"no actions", one(who + `,"Action":[],` + where), "Action: must not be empty"},
		{"action without service", one(who + `,"Action":"GetObject",` + where), `"GetObject" is no action`},
		{"action with blank", one(who + `,"Action":"oss:Get Object",` + where), `is no action`},
		{"action is a number", one(who + `,"Action":[1],` + where), `Action: must be a string`},
		{"action is an object", one(who + `,"Action":{},` + where), `Action: must be a string or a list of strings`},
		{"no resource", one(who + "," + what), "either Resource or NotResource"},
		{"both resources", with(`"NotResource":"*"`), "either Resource or NotResource"},
		{"empty resources", one(who + "," + what + `,"Resource":[]`), "Resource: must not be empty"},
		{"no ARN", one(who + "," + what + `,"Resource":"b/*"`), `"b/*" is no resource`},
		{"foreign ARN", one(who + "," + what + `,"Resource":"arn:aws:s3:::b/*"`), "is no resource"},
		{"short ARN", one(who + "," + what + `,"Resource":"acs:oss:*"`), "is no resource"},
		{"principal in RAM", with(`"Principal":["*"]`), "Principal: only the policy of a bucket has one"},
		{"second statement", `{"Version":"1","Statement":[{` + all + `},{` + who + `}]}`, "statement 2: "},

		{"condition is a list", condition(`[]`), "Condition: must be an object"},
		{"unknown operator", condition(`{"StringIs":{"oss:Prefix":"a"}}`), "Condition.StringIs: unknown operator"},
		{"operator in lower case", condition(`{"stringEquals":{"oss:Prefix":"a"}}`), "Condition.stringEquals: unknown operator"},
		{"operator twice", condition(`{"Bool":{"acs:MFAPresent":"true"},"Bool":{"acs:MFAPresent":"true"}}`), "Condition.Bool: comes twice"},
		{"operator without keys", condition(`{"Bool":{}}`), "Condition.Bool: must not be empty"},
		{"unknown key", condition(`{"StringEquals":{"oss:prefixes":"a"}}`), "Condition.StringEquals.oss:prefixes: unknown condition key"},
		{"key twice", condition(`{"StringEquals":{"oss:Prefix":"a","oss:Prefix":"b"}}`), "comes twice"},
		{"tag without key", condition(`{"StringEquals":{"oss:BucketTag/":"a"}}`), "unknown condition key"},
		{"no values", condition(`{"StringEquals":{"oss:Prefix":[]}}`), "must not be empty"},
		{"truth value", condition(`{"Bool":{"acs:SecureTransport":true}}`), "must be a string"},
		{"neither true nor false", condition(`{"Bool":{"acs:SecureTransport":"yes"}}`), `"yes" is neither`},
		{"no number", condition(`{"NumericEquals":{"oss:BucketTag/n":"1e9"}}`), `"1e9" is no number`},
		{"no time", condition(`{"DateLessThan":{"acs:CurrentTime":"tomorrow"}}`), `"tomorrow" is no time`},
		{"no address", condition(`{"IpAddress":{"acs:SourceIp":"10.0.0.0/33"}}`), `is no IP address`},
		{"address with zone", condition(`{"IpAddress":{"acs:SourceIp":"fe80::1%eth0"}}`), `is no IP address`},
		{"an address is no number", condition(`{"NumericEquals":{"acs:SourceIp":"1"}}`), "does not compare this key"},
		{"a time is no address", condition(`{"IpAddress":{"acs:CurrentTime":"10.0.0.1"}}`), "does not compare this key"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParsePolicy([]byte(tt.doc))
			checkPolicyError(t, p, err, tt.want)
		})
	}
}

func checkPolicyError(t *testing.T, p *Policy, err error, want string) {
	t.Helper()
	var where *PolicyError
	switch {
	case !errors.As(err, &where):
		t.Errorf("got %v, not a PolicyError", err)
	case !strings.Contains(err.Error(), want):
		t.Errorf("got %q, want %q in it", err, want)
	case p != nil:
		t.Error("a policy came with the error")
	}
}

// A bucket's policy says whom it concerns, and stays within the bucket.
func TestParseBucketPolicy(t *testing.T) {
	const effect, action, resource = `"Effect":"Allow"`, `"Action":"oss:GetObject"`, `"Resource":["acs:oss:*:*:b/*"]`
	tests := []struct{ name, fields, want string }{
		{"everyone", effect + `,"Principal":["*"],` + action + "," + resource, ""},
		{"a text", effect + `,"Principal":"2001",` + action + "," + resource, ""},
		{"an empty list", effect + `,"Principal":[],` + action + "," + resource, ""},
		{"absent, as a test of oss2 has it", effect + "," + action + "," + resource, ""},
		{"all but one", effect + `,"NotPrincipal":["2001"],` + action + "," + resource, ""},
		{"all but everyone", effect + `,"NotPrincipal":["*"],` + action + "," + resource, "NotPrincipal"},
		{"all but none", effect + `,"NotPrincipal":[],` + action + "," + resource, "NotPrincipal: must not be empty"},
		{"both", effect + `,"Principal":"*","NotPrincipal":["2001"],` + action + "," + resource, "both Principal and NotPrincipal"},
		{"some by wildcard", effect + `,"Principal":["20*"],` + action + "," + resource, "is no account or user ID"},
		{"nobody", effect + `,"Principal":[""],` + action + "," + resource, "is no account or user ID"},
		{"an object", effect + `,"Principal":{"AWS":"*"},` + action + "," + resource, "must be a string or a list"},
		{"every action", effect + `,"Principal":"*","Action":"*",` + resource, ""},
		{"another service", effect + `,"Principal":"*","Action":"ram:*",` + resource, "is no action on a bucket"},
		{"the bucket", effect + `,"Principal":"*",` + action + `,"Resource":"acs:oss:*:*:b"`, ""},
		{"any bucket, as a test of go1 has it", effect + `,"Principal":"[123456790]",` + action + `,"Resource":"acs:oss:*:1234567890:*/*"`, ""},
		{"everything", effect + `,"Principal":"*",` + action + `,"Resource":"*"`, ""},
		{"another bucket", effect + `,"Principal":"*",` + action + `,"Resource":"acs:oss:*:*:bb/*"`, "is not in the bucket b"},
		{"one of two", effect + `,"Principal":"*",` + action + `,"Resource":["acs:oss:*:*:b/*","acs:oss:*:*:c"]`, "is not in the bucket b"},
		{"all but another bucket", effect + `,"Principal":"*",` + action + `,"NotResource":"acs:oss:*:*:c"`, "is not in the bucket b"},
		{"of another service", effect + `,"Principal":"*",` + action + `,"Resource":"acs:ram:*:*:b"`, "is not in the bucket b"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := ParseBucketPolicy([]byte(`{"Version":"1","Statement":[{`+tt.fields+`}]}`), "b")
			if tt.want != "" {
				checkPolicyError(t, p, err, tt.want)
			} else if err != nil {
				t.Error(err)
			}
		})
	}
}

// Actions and resources are matched field by field, with wildcards.
func TestActionsAndResources(t *testing.T) {
	tests := []struct {
		name   string
		fields string // of an Allow statement
		action string
		to     Resource
		want   bool
	}{
		{"bucket is not its objects", `"Action":"oss:*","Resource":"acs:oss:*:*:b"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"objects are not the bucket", `"Action":"oss:*","Resource":"acs:oss:*:*:b/*"`, "oss:ListObjects", OSSResource("b", ""), false},
		{"prefix", `"Action":"oss:*","Resource":"acs:oss:*:*:b/a/*"`, "oss:GetObject", OSSResource("b", "a/b/c"), true},
		{"beside the prefix", `"Action":"oss:*","Resource":"acs:oss:*:*:b/a/*"`, "oss:GetObject", OSSResource("b", "a"), false},
		{"star crosses slashes", `"Action":"oss:*","Resource":"acs:oss:*:*:b*"`, "oss:GetObject", OSSResource("bb", "k"), true},
		{"one of the region", `"Action":"oss:*","Resource":"acs:oss:cn-hangzhou:*:b/*"`, "oss:GetObject", OSSResource("b", "k"), true},
		{"region of an endpoint", `"Action":"oss:*","Resource":"acs:oss:oss-cn-hangzhou:*:b/*"`, "oss:GetObject", OSSResource("b", "k"), true},
		{"another region", `"Action":"oss:*","Resource":"acs:oss:cn-beijing:*:b/*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"the account", `"Action":"oss:*","Resource":"acs:oss:*:1000:b/*"`, "oss:GetObject", OSSResource("b", "k"), true},
		{"another account", `"Action":"oss:*","Resource":"acs:oss:*:1001:b/*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"no region, no account", `"Action":"oss:*","Resource":"acs:oss:::b/*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"a key is no account", `"Action":"oss:*","Resource":"acs:oss:*:*:b"`, "oss:GetObject", OSSResource("a", "x:*:b"), false},
		{"colon in a key", `"Action":"oss:*","Resource":"acs:oss:*:*:b/a:*"`, "oss:GetObject", OSSResource("b", "a:b:c"), true},
		{"another service", `"Action":"*","Resource":"acs:ram:*:*:*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"all services", `"Action":"*","Resource":"acs:*:*:*:*"`, "oss:GetObject", OSSResource("b", "k"), true},
		{"everything", `"Action":"*","Resource":"*"`, "ram:CreateUser", Resource{"ram", "user/bob"}, true},
		{"users", `"Action":"ram:*User","Resource":"acs:ram:*:*:user/bob"`, "ram:CreateUser", Resource{"ram", "user/bob"}, true},
		{"another user", `"Action":"ram:*User","Resource":"acs:ram:*:*:user/bob"`, "ram:CreateUser", Resource{"ram", "user/eve"}, false},
		{"the account's buckets", `"Action":"oss:ListBuckets","Resource":"acs:oss:*:*:*"`, "oss:ListBuckets", OSSResource("", ""), true},
		{"one bucket is not the account's", `"Action":"oss:ListBuckets","Resource":"acs:oss:*:*:b"`, "oss:ListBuckets", OSSResource("", ""), false},

		{"actions by wildcard", `"Action":["oss:List*","oss:Get????ct"],"Resource":"*"`, "oss:GetObject", OSSResource("b", "k"), true},
		{"action of more letters", `"Action":"oss:GetObject","Resource":"*"`, "oss:GetObjectAcl", OSSResource("b", "k"), false},
		{"case of an action", `"Action":"oss:getobject","Resource":"*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"unknown action", `"Action":"oss:Fly","Resource":"*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"all actions but one: it", `"NotAction":"oss:GetObject","Resource":"*"`, "oss:GetObject", OSSResource("b", "k"), false},
		{"all actions but one: another", `"NotAction":["oss:GetObject","oss:Put*"],"Resource":"*"`, "oss:ListParts", OSSResource("b", "k"), true},
		{"all actions but some", `"NotAction":["oss:GetObject","oss:Put*"],"Resource":"*"`, "oss:PutObject", OSSResource("b", "k"), false},
		{"all resources but one: it", `"Action":"oss:*","NotResource":["acs:oss:*:*:b/secret/*","acs:oss:*:*:c*"]`, "oss:GetObject", OSSResource("b", "secret/k"), false},
		{"all resources but one: another", `"Action":"oss:*","NotResource":["acs:oss:*:*:b/secret/*","acs:oss:*:*:c*"]`, "oss:GetObject", OSSResource("b", "k"), true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			id := ram(t, alice, `{"Effect":"Allow",`+tt.fields+`}`)
			if d := authorizer.Decide(Request{Identity: id, Action: tt.action, Resource: tt.to}); d.Allowed != tt.want {
				t.Error(d)
			}
		})
	}
}

// Without a principal an Allow is for nobody and a Deny for everybody; an empty
// list is everybody.
func TestAbsentPrincipal(t *testing.T) {
	const rest = `"Action":"oss:*","Resource":"acs:oss:*:*:b/*"}`
	for _, tt := range []struct {
		statements string
		id         Identity
		acl        string
		want       bool
	}{
		{`{"Effect":"Allow",` + rest, Identity{}, "", false},
		{`{"Effect":"Allow",` + rest, alice, "", false},
		{`{"Effect":"Deny",` + rest, Identity{}, "public-read", false},
		{`{"Effect":"Deny",` + rest, owner, "", true},
		{`{"Effect":"Allow","Principal":[],` + rest, Identity{}, "", true},
		{`{"Effect":"Deny","Principal":[],` + rest, alice, "public-read", false},
	} {
		r := Request{
			Identity: tt.id, Action: "oss:GetObject", Resource: OSSResource("b", "k"),
			BucketACL: tt.acl, BucketPolicy: ofBucket(t, tt.statements),
		}
		if d := authorizer.Decide(r); d.Allowed != tt.want {
			t.Errorf("%s for %s: %s", tt.statements, tt.id.Kind, d)
		}
	}
}

// What GetBucketPolicyStatus tells, by the documentation page "Block public
// access".
func TestIsPublic(t *testing.T) {
	statement := func(effect, who, condition string) string {
		return `{"Effect":"` + effect + `",` + who + `"Action":"oss:GetObject","Resource":"acs:oss:*:*:b/*","Condition":` + condition + `}`
	}
	const all = `"Principal":["*"],`
	tests := []struct {
		name, statements string
		want             bool
	}{
		{"everyone", statement("Allow", all, `{}`), true},
		{"everyone and one", statement("Allow", `"Principal":["2001","*"],`, `{}`), true},
		{"all but one", statement("Allow", `"NotPrincipal":["2001"],`, `{}`), true},
		{"an empty list", statement("Allow", `"Principal":[],`, `{}`), true},
		{"absent", statement("Allow", ``, `{}`), false},
		{"one", statement("Allow", `"Principal":["2001"],`, `{}`), false},
		{"deny", statement("Deny", all, `{}`), false},
		{"second statement", statement("Deny", all, `{}`) + "," + statement("Allow", all, `{}`), true},
		{"address", statement("Allow", all, `{"IpAddress":{"acs:SourceIp":"192.0.2.1"}}`), false},
		{"range", statement("Allow", all, `{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}`), false},
		{"half the internet", statement("Allow", all, `{"IpAddress":{"acs:SourceIp":["10.0.0.0/8","0.0.0.0/1"]}}`), true},
		{"all of IPv6", statement("Allow", all, `{"IpAddress":{"acs:SourceIp":"::/0"}}`), true},
		{"all but one address", statement("Allow", all, `{"NotIpAddress":{"acs:SourceIp":"192.0.2.1"}}`), true},
		{"network", statement("Allow", all, `{"StringEquals":{"acs:SourceVpc":["vpc-1","vpc-2"]}}`), false},
		{"networks by wildcard", statement("Allow", all, `{"StringLike":{"acs:SourceVpc":"vpc-*"}}`), true},
		{"no network", statement("Allow", all, `{"StringNotLike":{"acs:SourceVpc":"vpc-*"}}`), true},
		{"access key", statement("Allow", all, `{"StringEquals":{"acs:AccessId":"LTAIalice"}}`), false},
		{"client", statement("Allow", all, `{"StringEquals":{"acs:UserAgent":"mine"}}`), true},
		{"one of two conditions", statement("Allow", all, `{"Bool":{"acs:SecureTransport":"true"},"StringEquals":{"acs:SourceVpc":"vpc-1"}}`), false},
	}
	for _, tt := range tests {
		if got := ofBucket(t, tt.statements).IsPublic(); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

// Simulate says in words what was decided.
func TestSimulate(t *testing.T) {
	tests := []struct {
		id               Identity
		bucket           string
		acl              string
		action, resource string
		want             string
	}{
		{ram(t, alice, allowGet), "", "", "oss:GetObject", "acs:oss:*:*:b/k", `allowed: statement 1 of policy "p1" allows oss:GetObject on acs:oss:*:*:b/k`},
		{ram(t, alice, allowGet), "", "", "oss:PutObject", "acs:oss:*:*:b/k", "denied: no statement of the user's policies or the bucket's allows oss:PutObject on acs:oss:*:*:b/k"},
		{ram(t, alice, allowAll, denyGet), "", "", "oss:GetObject", "acs:oss:cn-hangzhou:1000:b/secret", `denied: statement 1 of policy "p2" denies oss:GetObject on acs:oss:*:*:b/secret`},
		{alice, toAlice, "", "oss:GetObject", "acs:oss:*:*:b/k", "allowed: statement 1 of the bucket policy allows oss:GetObject on acs:oss:*:*:b/k"},
		{session(t, owner, allowGet), "", "", "oss:PutObject", "acs:oss:*:*:b/k", "denied: no statement of the session's policy allows oss:PutObject on acs:oss:*:*:b/k"},
		{owner, "", "", "ram:CreateUser", "acs:ram:*:*:user/bob", "allowed: the account's ownership allows ram:CreateUser on acs:ram:*:*:user/bob"},
		{Identity{}, "", "public-read", "oss:GetObject", "acs:oss:*:*:b/k", "allowed: the ACL allows oss:GetObject on acs:oss:*:*:b/k"},
		{Identity{}, "", "private", "oss:GetObject", "acs:oss:*:*:b/k", "denied: no bucket policy and no ACL allows everybody oss:GetObject on acs:oss:*:*:b/k"},
		{Identity{}, toAll, "", "oss:ListBuckets", "*", "denied: oss:ListBuckets on acs:*:*:*:* is for those who sign"},
	}
	for _, tt := range tests {
		r := Request{Identity: tt.id, BucketPolicy: ofBucket(t, tt.bucket), BucketACL: tt.acl}
		d, err := authorizer.Simulate(r, tt.action, tt.resource)
		if err != nil || d.String() != tt.want {
			t.Errorf("got %q, %v, want %q", d, err, tt.want)
		}
	}
	for _, tt := range []struct{ action, resource string }{
		{"oss:Get*", "acs:oss:*:*:b/k"}, {"GetObject", "acs:oss:*:*:b/k"}, {"", "acs:oss:*:*:b/k"}, {"oss:GetObject", "b/k"},
	} {
		if d, err := authorizer.Simulate(Request{}, tt.action, tt.resource); err == nil {
			t.Errorf("%s on %s is %s", tt.action, tt.resource, d)
		}
	}
}

// Tags of an object are asked for only where a policy that applies does.
func TestMentions(t *testing.T) {
	const onTag = `{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringEquals":{"oss:ExistingObjectTag/a":"b"}}}`
	const ofBucketOnTag = `{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*","Condition":{"StringEquals":{"oss:ExistingObjectTag/a":"b"}}}`
	for _, r := range []Request{
		{Identity: ram(t, owner, allowAll, onTag)},
		{Identity: session(t, owner, onTag)},
		{Identity: owner, BucketPolicy: ofBucket(t, ofBucketOnTag)},
	} {
		r.Action = "oss:DeleteBucket"
		if !authorizer.Mentions(r, KeyTag) || !authorizer.NeedsObject(r) {
			t.Errorf("tags are not asked for with %+v", r.Identity)
		}
		if authorizer.Mentions(r, KeyBucketTag) {
			t.Errorf("tags of the bucket are asked for with %+v", r.Identity)
		}
	}
	if r := (Request{Identity: ram(t, owner, allowAll)}); authorizer.Mentions(r, KeyTag) || authorizer.NeedsObject(r) {
		t.Error("tags are asked for, and no policy does")
	}
}
