package auth

import (
	"errors"
	"math/big"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Condition keys that Conditions.Values has. Those for tags end in the tag's
// key.
const (
	KeyPrefix    = "oss:Prefix"             // of a listing; "" if it gives none
	KeyDelimiter = "oss:Delimiter"          // of a listing; "" if it gives none
	KeyACL       = "oss:x-oss-acl"          // that a bucket is to have
	KeyObjectACL = "oss:x-oss-object-acl"   // that an object is to have
	KeySourceVPC = "acs:SourceVpc"          // never known here
	KeyNewTag    = "oss:RequestObjectTag/"  // of the object that is written
	KeyTag       = "oss:ExistingObjectTag/" // of the object as it is
	KeyBucketTag = "oss:BucketTag/"
)

// Keys that the request itself answers.
const (
	keySourceIP  = "acs:SourceIp"
	keyUserAgent = "acs:UserAgent"
	keyTime      = "acs:CurrentTime"
	keySecure    = "acs:SecureTransport"
	keyAccessID  = "acs:AccessId"
	keyMFA       = "acs:MFAPresent"
)

// keys are all condition keys, with the kind of value that each has.
var keys = []struct {
	name string
	kind kind
}{
	{keySourceIP, address}, {keyTime, instant}, {keySecure, boolean}, {keyMFA, boolean},
	{keyUserAgent, text}, {keyAccessID, text}, {KeySourceVPC, text},
	{KeyPrefix, text}, {KeyDelimiter, text}, {KeyACL, text}, {KeyObjectACL, text},
	{KeyNewTag, text}, {KeyTag, text}, {KeyBucketTag, text},
}

// ConditionKey returns a condition key as Conditions.Values has it; false if
// there is none of this name. Its case makes no difference, that of a tag's key
// does.
func ConditionKey(key string) (string, bool) {
	for _, k := range keys {
		if !strings.HasSuffix(k.name, "/") {
			if strings.EqualFold(k.name, key) {
				return k.name, true
			}
		} else if n := len(k.name); len(key) > n && strings.EqualFold(k.name, key[:n]) {
			return k.name + key[n:], true
		}
	}
	return "", false
}

// Conditions are the circumstances of a request, which policies can ask for.
// The zero Conditions know nothing: a condition on what is not known is false,
// or true if its operator is a negation.
type Conditions struct {
	SourceIP  netip.Addr // of the client
	UserAgent string     // "" if there was none
	Time      time.Time
	Secure    bool // it came over TLS
	// Values of further condition keys; see KeyPrefix and those after it.
	Values map[string][]string
}

// values are what a request has for a condition key.
func (r *Request) values(key string) []string {
	one := func(s string) []string {
		if s == "" {
			return nil
		}
		return []string{s}
	}
	c := &r.Context
	switch key {
	case keySourceIP:
		if !c.SourceIP.IsValid() {
			return nil
		}
		return one(c.SourceIP.Unmap().WithZone("").String())
	case keyUserAgent:
		return one(c.UserAgent)
	case keyTime:
		if c.Time.IsZero() {
			return nil
		}
		return one(c.Time.UTC().Format(time.RFC3339Nano))
	case keySecure:
		return one(strconv.FormatBool(c.Secure))
	case keyAccessID:
		return one(r.Identity.AccessKeyID)
	case keyMFA:
		return one("false")
	}
	return c.Values[key]
}

// kind is what the values of a condition are.
type kind int

const (
	text kind = iota
	number
	instant
	boolean
	address
)

// operand is a value of a condition, or of a request. Which field counts follows
// from its kind.
type operand struct {
	text    string
	number  *big.Rat
	instant time.Time
	network netip.Prefix
}

// operator compares what a request has with a value of a condition.
type operator struct {
	kind   kind
	negate bool // it asks that no value is so
	holds  func(have, want operand) bool
}

// operators are those of the documentation page "Policy elements". Each but the
// numeric and dated inequalities has a negation.
var operators = func() map[string]operator {
	compare := func(test func(order int) bool) [2]func(have, want operand) bool {
		return [2]func(have, want operand) bool{
			func(have, want operand) bool { return test(have.number.Cmp(want.number)) },
			func(have, want operand) bool { return test(have.instant.Compare(want.instant)) },
		}
	}
	equal := func(have, want operand) bool { return have.text == want.text }
	fold := func(have, want operand) bool { return strings.EqualFold(have.text, want.text) }
	like := func(have, want operand) bool { return match(want.text, have.text) }
	within := func(have, want operand) bool { return want.network.Contains(have.network.Addr()) }
	all := map[string]operator{
		"StringEquals":              {text, false, equal},
		"StringNotEquals":           {text, true, equal},
		"StringEqualsIgnoreCase":    {text, false, fold},
		"StringNotEqualsIgnoreCase": {text, true, fold},
		"StringLike":                {text, false, like},
		"StringNotLike":             {text, true, like},
		"Bool":                      {boolean, false, equal},
		"IpAddress":                 {address, false, within},
		"NotIpAddress":              {address, true, within},
	}
	for name, test := range map[string]func(order int) bool{
		"Equals":            func(order int) bool { return order == 0 },
		"LessThan":          func(order int) bool { return order < 0 },
		"LessThanEquals":    func(order int) bool { return order <= 0 },
		"GreaterThan":       func(order int) bool { return order > 0 },
		"GreaterThanEquals": func(order int) bool { return order >= 0 },
	} {
		by := compare(test)
		all["Numeric"+name] = operator{number, false, by[0]}
		all["Date"+name] = operator{instant, false, by[1]}
		if name == "Equals" {
			all["NumericNotEquals"] = operator{number, true, by[0]}
			all["DateNotEquals"] = operator{instant, true, by[1]}
		}
	}
	return all
}()

// takes reports whether values of the key can be of the operator's kind. Every
// value can be compared as text, and a text can be anything.
func (o operator) takes(key string) bool {
	of := text
	for _, k := range keys {
		if k.name == key {
			of = k.kind
		}
	}
	return o.kind == text || of == text || of == o.kind
}

// What is wrong with a value of a condition.
var (
	errNumber  = errors.New("is no number")
	errInstant = errors.New("is no time such as 2006-01-02T15:04:05Z")
	errBoolean = errors.New(`is neither "true" nor "false"`)
	errAddress = errors.New("is no IP address or range of addresses")
)

// instants are the forms of ISO 8601 that a time may have.
var instants = []string{time.RFC3339Nano, "2006-01-02T15:04Z07:00", time.DateOnly}

// parse reads a value of the operator's kind.
func (o operator) parse(s string) (operand, error) {
	v := operand{text: s}
	switch o.kind {
	case number:
		if !isDecimal(s) {
			return v, errNumber
		}
		v.number, _ = new(big.Rat).SetString(s)
	case instant:
		for _, form := range instants {
			if t, err := time.Parse(form, s); err == nil {
				v.instant = t
				return v, nil
			}
		}
		return v, errInstant
	case boolean:
		if v.text = strings.ToLower(s); v.text != "true" && v.text != "false" {
			return v, errBoolean
		}
	case address:
		var ok bool
		if v.network, ok = parseNetwork(s); !ok {
			return v, errAddress
		}
	}
	return v, nil
}

// maxNumberBytes bounds a number, so that comparing is quick.
const maxNumberBytes = 64

// isDecimal reports whether s is a decimal number: [-]digits[.digits].
func isDecimal(s string) bool {
	whole, fraction, point := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	digits := func(s string) bool {
		return s != "" && strings.Trim(s, "0123456789") == ""
	}
	return len(s) <= maxNumberBytes && digits(whole) && (!point || digits(fraction))
}

// parseNetwork reads an address or a range in CIDR form. IPv4 in IPv6 clothes
// is IPv4.
func parseNetwork(s string) (netip.Prefix, bool) {
	const mapped = 96 // bits in front of an IPv4 address in IPv6
	if addr, err := netip.ParseAddr(s); err == nil {
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), addr.Zone() == ""
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, false
	}
	if p.Addr().Is4In6() && p.Bits() >= mapped {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-mapped)
	}
	return p.Masked(), true
}

// condition is one key of one operator, with the values that it is compared
// with.
type condition struct {
	operator operator
	key      string
	values   []operand
}

// holds reports whether r meets c: a value that r has for the key is as one of
// c's, or, if the operator is a negation, none is. So a condition on a key that
// r does not have is false, and true for a negation.
func (c *condition) holds(r *Request) bool {
	for _, s := range r.values(c.key) {
		have, err := c.operator.parse(s)
		if err != nil {
			continue // no value of this kind
		}
		if slices.ContainsFunc(c.values, func(want operand) bool { return c.operator.holds(have, want) }) {
			return !c.operator.negate
		}
	}
	return c.operator.negate
}

// The widest ranges of addresses that are not the public at large, in bits.
const (
	narrowIPv4 = 8
	narrowIPv6 = 32
)

// narrowing reports whether c keeps the public out: it names networks or access
// keys, none by wildcards. How wide a range of addresses may be for that the
// documentation does not say.
func (c condition) narrowing() bool {
	if c.operator.negate {
		return false
	}
	return !slices.ContainsFunc(c.values, func(v operand) bool {
		switch {
		case c.key == keySourceIP && c.operator.kind == address:
			least := narrowIPv6
			if v.network.Addr().Is4() {
				least = narrowIPv4
			}
			return v.network.Bits() < least
		case c.key == keySourceIP, c.key == KeySourceVPC, c.key == keyAccessID:
			return c.operator.kind != text || strings.ContainsAny(v.text, "*?")
		}
		return true
	})
}
