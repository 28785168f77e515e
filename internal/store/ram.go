package store

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Limits of users, access keys and policies. Those that RAM documents are its
// own ("Limits" in the RAM documentation), but for the keys of a user.
const (
	MaxUsers          = 1000 // made at once, a few more may pass
	MaxAccessKeys     = 100  // of one user
	MaxPolicies       = 1500 // made at once, a few more may pass
	MaxUserPolicies   = 20   // attached to one user
	MaxPolicyDocument = 16 << 10
)

// User is a user of the account, who has no rights but those that attached
// policies give.
type User struct {
	Name       string
	ID         string // unique for ever; a user made again has another
	Created    time.Time
	Enabled    bool
	AccessKeys int      // how many there are
	Policies   []string // attached, in the order of attachment

	SessionsRevoked time.Time // last time; zero for never
}

// AccessKey is a user's access key without its secret.
type AccessKey struct {
	ID      string
	User    string // name
	Created time.Time
	Enabled bool
	Used    time.Time // last use; zero for none. After a crash it may be a minute behind.
}

// Policy is a named policy. Listings leave its document out.
type Policy struct {
	Name     string
	Created  time.Time
	Updated  time.Time
	Attached int // users that have it
	Document []byte
}

var (
	userName   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$`)
	policyName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,127}$`)
)

// ValidUserName tells whether a user can be called so.
func ValidUserName(name string) bool { return userName.MatchString(name) }

// ValidPolicyName tells whether a policy can be called so.
func ValidPolicyName(name string) bool { return policyName.MatchString(name) }

// userRow is a user as its row in the root partition tells it.
type userRow struct {
	name string
	row  kv.Row
	meta.User
}

func parseUser(row kv.Row) (*userRow, error) {
	name := string(row.Key[len(meta.UserPrefix):])
	if row.Value == nil {
		return nil, ErrNoSuchUser
	}
	rec, err := meta.DecodeUser(row.Value)
	if err != nil {
		return nil, fmt.Errorf("user %s: %w", name, err)
	}
	return &userRow{name: name, row: row, User: *rec}, nil
}

func (u *userRow) info() *User {
	return &User{
		Name: u.name, ID: u.ID, Created: u.Created.Truncate(time.Second), Enabled: !u.Disabled,
		AccessKeys: len(u.AccessKeys), Policies: slices.Clone(u.Policies), SessionsRevoked: u.SessionsRevoked.Truncate(time.Second),
	}
}

// userView reads a user's row and others of the root partition, for a commit.
func (s *Store) userView(ctx context.Context, name string, keys ...[]byte) (*view, *userRow, error) {
	if !ValidUserName(name) {
		return nil, nil, ErrNoSuchUser
	}
	v, err := s.view(ctx, meta.Root, append([][]byte{meta.UserKey(name)}, keys...)...)
	if err != nil {
		return nil, nil, err
	}
	u, err := parseUser(v.rows[0])
	return v, u, err
}

// CreateUser makes a user that is enabled and has neither keys nor policies.
func (s *Store) CreateUser(ctx context.Context, name string) (*User, error) {
	var made *User
	err := retry(ctx, func() error {
		if !ValidUserName(name) {
			return ErrInvalidName
		}
		v, err := s.view(ctx, meta.Root, meta.UserKey(name))
		if err != nil {
			return err
		}
		if v.rows[0].Value != nil {
			return ErrUserExists
		}
		if n, err := s.countRoot(ctx, meta.UserPrefix); err != nil {
			return err
		} else if n >= MaxUsers {
			return ErrTooManyUsers
		}
		u := userRow{name: name, User: meta.User{ID: s.newUserID(), Created: s.now()}}
		made = u.info()
		c := v.change()
		c.replace(v.rows[0], u.Encode())
		return s.commit(ctx, c)
	})
	if err != nil {
		return nil, wrap(err, &Error{Op: "CreateUser", Subject: name})
	}
	return made, nil
}

// newUserID returns 20 digits, as IDs of RAM are digits: 2, milliseconds since
// 1970 in 13 digits, then 6 random ones.
func (s *Store) newUserID() string {
	return fmt.Sprintf("2%013d%06d", s.now().UnixMilli(), s.randomUint64()%1e6)
}

func (s *Store) countRoot(ctx context.Context, prefix string) (n int, err error) {
	err = s.scanPrefix(ctx, meta.Root, prefix, func(kv.Row) error { n++; return nil })
	return n, err
}

// GetUser returns a user.
func (s *Store) GetUser(ctx context.Context, name string) (*User, error) {
	_, u, err := s.userView(ctx, name)
	if err != nil {
		return nil, wrap(err, &Error{Op: "GetUser", Subject: name})
	}
	return u.info(), nil
}

// ListUsersRequest asks for a page of users, ascending by name.
type ListUsersRequest struct {
	Marker string // names after it
	Max    int    // 1 to MaxListed
}

// ListUsersResult is a page of users.
type ListUsersResult struct {
	Users     []User
	Truncated bool // others follow the last one
}

// ListUsers returns a page of users.
func (s *Store) ListUsers(ctx context.Context, req *ListUsersRequest) (*ListUsersResult, error) {
	res := &ListUsersResult{}
	rows, more, err := s.page(ctx, meta.UserPrefix, req.Marker, req.Max)
	for _, row := range rows {
		u, bad := parseUser(row)
		if bad != nil {
			return nil, wrap(bad, &Error{Op: "ListUsers"})
		}
		res.Users = append(res.Users, *u.info())
	}
	res.Truncated = more
	if err != nil {
		return nil, wrap(err, &Error{Op: "ListUsers"})
	}
	return res, nil
}

// page reads rows of the root partition of one prefix, after marker.
func (s *Store) page(ctx context.Context, prefix, marker string, n int) ([]kv.Row, bool, error) {
	from := []byte(prefix + marker)
	if marker != "" {
		from = append(from, 0)
	}
	var all []kv.Row
	for {
		rows, more, err := s.kv.Scan(ctx, meta.Root, from, meta.PrefixEnd([]byte(prefix)), n-len(all))
		if err != nil {
			return nil, false, engineError(err)
		}
		all = append(all, rows...)
		if !more || len(rows) == 0 || len(all) >= n {
			return all, more, nil
		}
		from = append(rows[len(rows)-1].Key, 0)
	}
}

// UserChange is what UpdateUser sets.
type UserChange struct {
	Enabled        *bool // nil leaves it
	RevokeSessions bool  // every session begun before ends
}

// UpdateUser changes a user.
func (s *Store) UpdateUser(ctx context.Context, name string, change UserChange) (*User, error) {
	var now *User
	err := retry(ctx, func() error {
		v, u, err := s.userView(ctx, name)
		if err != nil {
			return err
		}
		if change.Enabled != nil {
			u.Disabled = !*change.Enabled
		}
		if change.RevokeSessions {
			u.Sessions, u.SessionsRevoked = u.Sessions+1, s.now()
		}
		now = u.info()
		return s.commitUser(ctx, v.change(), u)
	})
	if err != nil {
		return nil, wrap(err, &Error{Op: "UpdateUser", Subject: name})
	}
	return now, nil
}

// commitUser commits c with the user as it is to be.
func (s *Store) commitUser(ctx context.Context, c *change, u *userRow) error {
	value := u.Encode()
	if string(value) == string(u.row.Value) {
		return nil
	}
	c.replace(u.row, value)
	return s.commit(ctx, c)
}

// DeleteUser removes a user that has neither access keys nor policies. Its
// sessions end.
func (s *Store) DeleteUser(ctx context.Context, name string) error {
	err := retry(ctx, func() error {
		v, u, err := s.userView(ctx, name)
		switch {
		case err != nil:
			return err
		case len(u.AccessKeys) > 0:
			return ErrUserHasKeys
		case len(u.Policies) > 0:
			return ErrUserHasPolicies
		}
		c := v.change()
		c.replace(u.row, nil)
		return s.commit(ctx, c)
	})
	return wrap(err, &Error{Op: "DeleteUser", Subject: name})
}

// SecretContext is what the secret of an access key is sealed with besides the
// key ring's key, so that no sealed secret passes for another.
func SecretContext(accessKeyID string) []byte { return []byte("access key " + accessKeyID) }

// accessKeyPrefix begins the IDs of users' access keys.
const accessKeyPrefix = "OSSU"

// maxAccessKeyID is the longest ID that is looked for, in bytes. An ID is what a
// stranger says that it is, and no row has one so long.
const maxAccessKeyID = 128

// newAccessKey makes 100 random bits for the ID and 200 for the secret, in
// upper-case letters and digits: nothing that a shell or a URL must escape.
func (s *Store) newAccessKey() (id, secret string) {
	var b [40]byte
	s.random(b[:])
	text := base32.StdEncoding.EncodeToString(b[:])
	return accessKeyPrefix + text[:20], text[20:60]
}

// CreateAccessKey makes an access key for a user. The secret is sealed by the
// key ring before anything is written, and returned this once.
func (s *Store) CreateAccessKey(ctx context.Context, user string) (key *AccessKey, secret string, err error) {
	err = retry(ctx, func() error {
		var id string
		id, secret = s.newAccessKey()
		v, u, err := s.userView(ctx, user, meta.AccessKeyKey(id))
		if err != nil {
			return err
		}
		if len(u.AccessKeys) >= MaxAccessKeys {
			return ErrTooManyKeys
		}
		rec := meta.AccessKey{User: user, Created: s.now()}
		rec.Sealed, err = s.opts.KeyRing.Encrypt(ctx, []byte(secret), SecretContext(id))
		if errors.Is(err, kms.ErrNoKeyRing) {
			return ErrNoKeyRing
		} else if err != nil {
			return ringFailed(ctx, err)
		}
		u.AccessKeys = append(u.AccessKeys, id)
		slices.Sort(u.AccessKeys)
		key = accessKeyInfo(id, &rec)
		c := v.change()
		c.replace(v.rows[1], rec.Encode())
		return s.commitUser(ctx, c, u)
	})
	if err != nil {
		return nil, "", wrap(err, &Error{Op: "CreateAccessKey", Subject: user})
	}
	return key, secret, nil
}

func accessKeyInfo(id string, rec *meta.AccessKey) *AccessKey {
	return &AccessKey{
		ID: id, User: rec.User, Created: rec.Created.Truncate(time.Second), Enabled: !rec.Disabled, Used: rec.Used.Truncate(time.Second),
	}
}

// keyView reads a user's row and the row of one of the user's access keys.
func (s *Store) keyView(ctx context.Context, user, id string) (*view, *userRow, *meta.AccessKey, error) {
	if len(id) > maxAccessKeyID {
		id = "" // the user is looked for first; nobody has this one either
	}
	v, u, err := s.userView(ctx, user, meta.AccessKeyKey(id))
	if err != nil {
		return nil, nil, nil, err
	}
	if !slices.Contains(u.AccessKeys, id) {
		return nil, nil, nil, ErrNoSuchAccessKey
	}
	rec, err := meta.DecodeAccessKey(v.rows[1].Value)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("access key %s: %w", id, err)
	}
	return v, u, rec, nil
}

// ListAccessKeys returns all access keys of a user, ascending by ID.
func (s *Store) ListAccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	keys, err := s.listAccessKeys(ctx, user)
	return keys, wrap(err, &Error{Op: "ListAccessKeys", Subject: user})
}

func (s *Store) listAccessKeys(ctx context.Context, user string) ([]AccessKey, error) {
	var rows [][]byte
	for range maxTries {
		v, u, err := s.userView(ctx, user, rows...)
		if err != nil {
			return nil, err
		}
		if want := accessKeyRows(u.AccessKeys); !sameRows(rows, want) {
			rows = want
			continue
		}
		var all []AccessKey
		for i, id := range u.AccessKeys {
			rec, err := meta.DecodeAccessKey(v.rows[i+1].Value)
			if err != nil {
				return nil, fmt.Errorf("access key %s: %w", id, err)
			}
			key := accessKeyInfo(id, rec)
			key.Used = s.uses.latest(id, key.Used)
			all = append(all, *key)
		}
		return all, nil
	}
	return nil, fmt.Errorf("%w: too many conflicts", ErrUnavailable)
}

func accessKeyRows(ids []string) [][]byte {
	var rows [][]byte
	for _, id := range ids {
		rows = append(rows, meta.AccessKeyKey(id))
	}
	return rows
}

func sameRows(a, b [][]byte) bool {
	return slices.EqualFunc(a, b, func(x, y []byte) bool { return string(x) == string(y) })
}

// UpdateAccessKey switches an access key of a user on or off.
func (s *Store) UpdateAccessKey(ctx context.Context, user, id string, enabled bool) error {
	err := retry(ctx, func() error {
		v, _, rec, err := s.keyView(ctx, user, id)
		if err != nil || rec.Disabled == !enabled {
			return err
		}
		rec.Disabled = !enabled
		c := v.change()
		c.replace(v.rows[1], rec.Encode())
		return s.commit(ctx, c)
	})
	return wrap(err, &Error{Op: "UpdateAccessKey", Subject: keySubject(user, id)})
}

// DeleteAccessKey removes an access key of a user.
func (s *Store) DeleteAccessKey(ctx context.Context, user, id string) error {
	err := retry(ctx, func() error {
		v, u, _, err := s.keyView(ctx, user, id)
		if err != nil {
			return err
		}
		u.AccessKeys = slices.DeleteFunc(u.AccessKeys, func(other string) bool { return other == id })
		c := v.change()
		c.replace(v.rows[1], nil)
		return s.commitUser(ctx, c, u)
	})
	return wrap(err, &Error{Op: "DeleteAccessKey", Subject: keySubject(user, id)})
}

func keySubject(user, id string) string { return user + " " + id }
