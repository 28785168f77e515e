package meta

import "time"

// Prefixes of the rows in Root that tell who may do what.
const (
	UserPrefix      = "U/"
	AccessKeyPrefix = "A/"
	PolicyPrefix    = "P/"
)

// UserKey is the row of a user in Root.
func UserKey(name string) []byte { return []byte(UserPrefix + name) }

// AccessKeyKey is the row of a user's access key in Root.
func AccessKeyKey(id string) []byte { return []byte(AccessKeyPrefix + id) }

// PolicyKey is the row of a named policy in Root.
func PolicyKey(name string) []byte { return []byte(PolicyPrefix + name) }

// User is a user's row. It names the user's access keys and policies, so that
// every change of either changes this row too and excludes the user's deletion.
type User struct {
	ID         string // unique for ever; a user made again has another
	Created    time.Time
	Disabled   bool
	AccessKeys []string // IDs, ascending
	Policies   []string // names, in the order in which they were attached

	// Sessions counts how often all sessions were revoked, SessionsRevoked is
	// when that was last. A session is good while the count is the one that it
	// was made with: no clock decides.
	Sessions        uint64
	SessionsRevoked time.Time
}

// Encode gives the row's value.
func (u *User) Encode() []byte {
	e := newEncoder('U')
	e.string(1, u.ID)
	e.time(2, u.Created)
	e.bool(3, u.Disabled)
	for _, id := range u.AccessKeys {
		e.string(4, id)
	}
	for _, name := range u.Policies {
		e.string(5, name)
	}
	e.uint(6, u.Sessions)
	e.time(7, u.SessionsRevoked)
	return e.finish()
}

// DecodeUser reads a user's row.
func DecodeUser(value []byte) (*User, error) {
	var u User
	err := decode('U', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&u.ID)
		case 2:
			return f.time(&u.Created)
		case 3:
			return f.bool(&u.Disabled)
		case 4:
			u.AccessKeys = append(u.AccessKeys, string(f.b))
			return nil
		case 5:
			u.Policies = append(u.Policies, string(f.b))
			return nil
		case 6:
			return f.uint(&u.Sessions)
		case 7:
			return f.time(&u.SessionsRevoked)
		}
		return errTag
	})
	return &u, err
}

// AccessKey is the row of a user's access key.
type AccessKey struct {
	User     string // name
	Created  time.Time
	Disabled bool
	Used     time.Time // last use that was written down; zero for none
	Sealed   []byte    // the secret, sealed by the key ring
}

// Encode gives the row's value.
func (k *AccessKey) Encode() []byte {
	e := newEncoder('A')
	e.string(1, k.User)
	e.time(2, k.Created)
	e.bool(3, k.Disabled)
	e.time(4, k.Used)
	e.bytes(5, k.Sealed)
	return e.finish()
}

// DecodeAccessKey reads the row of an access key.
func DecodeAccessKey(value []byte) (*AccessKey, error) {
	var k AccessKey
	err := decode('A', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.string(&k.User)
		case 2:
			return f.time(&k.Created)
		case 3:
			return f.bool(&k.Disabled)
		case 4:
			return f.time(&k.Used)
		case 5:
			return f.bytes(&k.Sealed)
		}
		return errTag
	})
	return &k, err
}

// Policy is a named policy's row. Attached counts the users that have it, so
// that its deletion and its being attached change one row.
type Policy struct {
	Created  time.Time
	Updated  time.Time
	Attached uint64
	Document []byte // as the client sent it
}

// Encode gives the row's value.
func (p *Policy) Encode() []byte {
	e := newEncoder('P')
	e.time(1, p.Created)
	e.time(2, p.Updated)
	e.uint(3, p.Attached)
	e.bytes(4, p.Document)
	return e.finish()
}

// DecodePolicy reads a named policy's row.
func DecodePolicy(value []byte) (*Policy, error) {
	var p Policy
	err := decode('P', value, func(f field) error {
		switch f.tag {
		case 1:
			return f.time(&p.Created)
		case 2:
			return f.time(&p.Updated)
		case 3:
			return f.uint(&p.Attached)
		case 4:
			return f.bytes(&p.Document)
		}
		return errTag
	})
	return &p, err
}
