package auth

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// ParsePolicy reads the document of a RAM policy: one that is given to a user or
// to a session. Its statements name no principal. An error is a *PolicyError.
func ParsePolicy(doc []byte) (*Policy, error) { return parse(doc, "") }

// ParseBucketPolicy reads the document of the policy of a bucket. Its statements
// may name principals, and their actions and resources lie within the bucket.
// An error is a *PolicyError.
func ParseBucketPolicy(doc []byte, bucket string) (*Policy, error) { return parse(doc, bucket) }

// Limits of a document's parts. What the documentation does not bound is bounded
// by MaxPolicyBytes.
const maxPrincipalBytes = 256

// parser reads one document, without leniency: a field that is misspelt or
// given twice would otherwise mean less, or more, than its author thinks.
type parser struct {
	dec       *json.Decoder
	bucket    string // "" for a RAM policy
	statement int    // number of the statement being read
	field     string
}

// parse reads a document. bucket is "" for a RAM policy.
func parse(doc []byte, bucket string) (*Policy, error) {
	p := &parser{dec: json.NewDecoder(bytes.NewReader(doc)), bucket: bucket}
	switch {
	case len(doc) > MaxPolicyBytes:
		return nil, p.errorf("the document has %d bytes, and %d are allowed", len(doc), MaxPolicyBytes)
	case !utf8.Valid(doc):
		return nil, p.errorf("the document is not UTF-8")
	case !json.Valid(doc):
		return nil, p.errorf("the document is not JSON")
	}
	policy := &Policy{}
	version := ""
	seen, err := p.object(func(name string) (err error) {
		switch name {
		case "Version":
			version, err = p.text()
		case "Statement":
			err = p.list(func() error {
				s, err := p.readStatement()
				policy.statements = append(policy.statements, s)
				return err
			})
			p.statement = 0
		default:
			err = p.errorf("unknown field")
		}
		return err
	})
	p.field = ""
	switch {
	case err != nil:
		return nil, err
	case !seen["Version"] || version != "1":
		p.field = "Version"
		return nil, p.errorf(`must be "1"`)
	case len(policy.statements) == 0:
		p.field = "Statement"
		return nil, p.errorf("there must be one at least")
	}
	return policy, nil
}

func (p *parser) errorf(format string, args ...any) error {
	return &PolicyError{Statement: p.statement, Field: p.field, Reason: fmt.Sprintf(format, args...)}
}

// object reads an object, calling field with the name of each field at its
// value, and returns which there were. None may come twice.
func (p *parser) object(field func(name string) error) (seen map[string]bool, err error) {
	if err := p.delim('{', "an object"); err != nil {
		return nil, err
	}
	outer := p.field
	defer func() {
		if err == nil {
			p.field = outer
		}
	}()
	seen = make(map[string]bool)
	for p.dec.More() {
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		p.field = strings.TrimPrefix(outer+"."+name, ".")
		if seen[name] {
			return nil, p.errorf("comes twice")
		}
		seen[name] = true
		if err := field(name); err != nil {
			return nil, err
		}
	}
	return seen, p.delim('}', "the end of the object")
}

// list reads a list, calling item at every value.
func (p *parser) list(item func() error) error {
	if err := p.delim('[', "a list"); err != nil {
		return err
	}
	for p.dec.More() {
		if err := item(); err != nil {
			return err
		}
	}
	return p.delim(']', "the end of the list")
}

func (p *parser) delim(want json.Delim, what string) error {
	token, err := p.token()
	if err == nil && token != want {
		err = p.errorf("must be %s", what)
	}
	return err
}

func (p *parser) token() (json.Token, error) {
	token, err := p.dec.Token()
	if err != nil {
		return nil, p.errorf("the document is not JSON") // which was asked before
	}
	return token, nil
}

// text reads a string. Numbers and truth values are written as strings too.
func (p *parser) text() (string, error) {
	token, err := p.token()
	if err != nil {
		return "", err
	}
	s, ok := token.(string)
	if !ok {
		return "", p.errorf("must be a string")
	}
	return s, nil
}

// texts reads a string or a list of strings.
func (p *parser) texts() ([]string, error) {
	token, err := p.token()
	if err != nil {
		return nil, err
	}
	if s, ok := token.(string); ok {
		return []string{s}, nil
	}
	if token != json.Delim('[') {
		return nil, p.errorf("must be a string or a list of strings")
	}
	list := []string{}
	for p.dec.More() {
		s, err := p.text()
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, p.delim(']', "the end of the list")
}

func (p *parser) readStatement() (statement, error) {
	p.statement++
	p.field = ""
	s := statement{principals: principals{absent: true}}
	seen, err := p.object(func(name string) (err error) {
		switch name {
		case "Effect":
			err = p.readEffect(&s)
		case "Principal", "NotPrincipal":
			s.principals, err = p.readPrincipals(name == "NotPrincipal")
		case "Action", "NotAction":
			s.actions, err = p.readActions(name == "NotAction")
		case "Resource", "NotResource":
			s.resources, err = p.readResources(name == "NotResource")
		case "Condition":
			s.conditions, err = p.readConditions()
		default:
			err = p.errorf("unknown field")
		}
		return err
	})
	if err != nil {
		return s, err
	}
	p.field = ""
	if !seen["Effect"] {
		return s, p.errorf("Effect is missing")
	}
	for _, name := range []string{"Action", "Resource"} {
		if seen[name] == seen["Not"+name] {
			return s, p.errorf("there must be either %s or Not%s", name, name)
		}
	}
	if seen["Principal"] && seen["NotPrincipal"] {
		return s, p.errorf("there must not be both Principal and NotPrincipal")
	}
	return s, nil
}

func (p *parser) readEffect(s *statement) error {
	effect, err := p.text()
	if err != nil {
		return err
	}
	if effect != "Allow" && effect != "Deny" {
		return p.errorf(`must be "Allow" or "Deny"`)
	}
	s.deny = effect == "Deny"
	return nil
}

// readPrincipals reads whom a statement of a bucket policy concerns. An empty
// list is everyone, by the documentation page "Policy syntax and elements".
func (p *parser) readPrincipals(not bool) (principals, error) {
	if p.bucket == "" {
		return principals{}, p.errorf("only the policy of a bucket has one")
	}
	ids, err := p.texts()
	if err != nil {
		return principals{}, err
	}
	who := principals{not: not, everyone: len(ids) == 0 && !not}
	for _, id := range ids {
		switch {
		case id == "*" && !not:
			who.everyone = true
		case id == "" || len(id) > maxPrincipalBytes || strings.ContainsAny(id, "*?"):
			return principals{}, p.errorf("%.40q is no account or user ID", id)
		default:
			who.ids = append(who.ids, id)
		}
	}
	if not && len(ids) == 0 {
		return principals{}, p.errorf("must not be empty")
	}
	return who, nil
}

func (p *parser) readActions(not bool) (patterns, error) {
	list, err := p.texts()
	if err != nil {
		return patterns{}, err
	}
	if len(list) == 0 {
		return patterns{}, p.errorf("must not be empty")
	}
	for _, action := range list {
		service, ok := splitAction(action)
		switch {
		case action == "*":
		case !ok:
			return patterns{}, p.errorf("%.80q is no action such as oss:GetObject", action)
		case p.bucket != "" && service != "oss":
			return patterns{}, p.errorf("%.80q is no action on a bucket", action)
		}
	}
	return patterns{list, not}, nil
}

// splitAction returns the service of an action, or of a pattern of actions.
func splitAction(action string) (service string, ok bool) {
	service, name, _ := strings.Cut(action, ":")
	return service, isActionPattern(service) && isActionPattern(name)
}

// isActionPattern reports whether s can be the service or the name of an
// action, or several by wildcards.
func isActionPattern(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && !strings.ContainsRune("*?_-", rune(c)) {
			return false
		}
	}
	return s != ""
}

func (p *parser) readResources(not bool) (resources, error) {
	list, err := p.texts()
	if err != nil {
		return resources{}, err
	}
	if len(list) == 0 {
		return resources{}, p.errorf("must not be empty")
	}
	rs := resources{not: not}
	for _, text := range list {
		r, err := parseResourcePattern(text)
		if err != nil {
			return resources{}, p.errorf("%v", err)
		}
		if p.bucket != "" && (!match(r.service, "oss") || !match(bucketPart(r.path), p.bucket)) {
			return resources{}, p.errorf("%.200q is not in the bucket %s", text, p.bucket)
		}
		rs.list = append(rs.list, r)
	}
	return rs, nil
}

// errResource is of a text that names no resource.
var errResource = errors.New("is no resource such as acs:oss:*:*:bucket/key")

func parseResourcePattern(text string) (resourcePattern, error) {
	if text == "*" {
		return anyResource, nil
	}
	fields := strings.SplitN(text, ":", 5)
	if len(fields) != 5 || fields[0] != "acs" || fields[1] == "" || fields[4] == "" {
		return resourcePattern{}, fmt.Errorf("%.200q %w", text, errResource)
	}
	return resourcePattern{fields[1], fields[2], fields[3], fields[4]}, nil
}

func (p *parser) readConditions() ([]condition, error) {
	var all []condition
	_, err := p.object(func(name string) error {
		op, ok := operators[name]
		if !ok {
			return p.errorf("unknown operator")
		}
		seen, err := p.object(func(key string) error {
			c, err := p.readCondition(op, key)
			all = append(all, c)
			return err
		})
		if err == nil && len(seen) == 0 {
			err = p.errorf("must not be empty")
		}
		return err
	})
	return all, err
}

func (p *parser) readCondition(op operator, key string) (condition, error) {
	c := condition{operator: op}
	var ok bool
	if c.key, ok = ConditionKey(key); !ok {
		return c, p.errorf("unknown condition key")
	}
	if !op.takes(c.key) {
		return c, p.errorf("the operator does not compare this key")
	}
	values, err := p.texts()
	if err != nil {
		return c, err
	}
	if len(values) == 0 {
		return c, p.errorf("must not be empty")
	}
	for _, text := range values {
		v, err := op.parse(text)
		if err != nil {
			return c, p.errorf("%.100q %v", text, err)
		}
		c.values = append(c.values, v)
	}
	return c, nil
}
