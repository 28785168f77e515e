package iam

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/store"
)

// How long a session may last ("AssumeRole" in the documentation of STS).
const (
	MinDuration     = 900 * time.Second
	MaxDuration     = 43200 * time.Second
	DefaultDuration = 3600 * time.Second
)

// sessionPrefix begins the access key IDs of sessions.
const sessionPrefix = "STS."

// sessionContext is what tokens are sealed with besides the key ring's key.
var sessionContext = []byte("session token")

// maxToken bounds a token that is looked at, in bytes.
const maxToken = 8 << 10

// Why there is no session for who asks for one.
var (
	// ErrNoSessions: the identity is anonymous, or has a session already. One
	// session must not outlive another.
	ErrNoSessions = errors.New("only a long-term access key can begin a session")
	// ErrDuration: the session would be shorter or longer than is allowed.
	ErrDuration = fmt.Errorf("a session lasts %d to %d seconds", MinDuration/time.Second, MaxDuration/time.Second)
	// ErrPolicyNeeded: root cannot hand on all that it may do.
	ErrPolicyNeeded = errors.New("a session of root needs a policy")
)

// Credentials are a session's access key.
type Credentials struct {
	AccessKeyID     string
	AccessKeySecret string
	SecurityToken   string
	Expires         time.Time
}

func (c Credentials) String() string   { return c.AccessKeyID }
func (c Credentials) GoString() string { return "iam.Credentials{" + c.AccessKeyID + "}" }

// session is what a token says.
type session struct {
	Version     int             `json:"v"` // 1
	AccessKeyID string          `json:"id"`
	Secret      string          `json:"secret"`
	User        string          `json:"user,omitempty"` // name; "" for root
	UserID      string          `json:"uid,omitempty"`
	Sessions    uint64          `json:"n,omitempty"`    // number of the user's row
	Root        string          `json:"root,omitempty"` // of root: see rootMark
	Issued      int64           `json:"from"`           // seconds since 1970, for people
	Expires     int64           `json:"to"`             // seconds since 1970
	Policy      json.RawMessage `json:"policy,omitempty"`

	policy *auth.Policy // parsed; nil for none
}

const tokenVersion = 1

// AssumeRole begins a session with the rights of id that policy allows too, nil
// for all of them. A zero duration is DefaultDuration. An error is one of this
// package's, an *auth.PolicyError, or says why no session could be made.
func (k *Keys) AssumeRole(ctx context.Context, id auth.Identity, policy []byte, duration time.Duration) (*Credentials, error) {
	if duration == 0 {
		duration = DefaultDuration
	}
	switch {
	case id.Session != nil || id.Kind == auth.Anonymous:
		return nil, ErrNoSessions
	case duration < MinDuration || duration > MaxDuration:
		return nil, ErrDuration
	case id.Kind == auth.Owner && len(policy) == 0:
		return nil, ErrPolicyNeeded
	case len(policy) > auth.MaxSessionPolicyBytes:
		return nil, &auth.PolicyError{Reason: fmt.Sprintf("the policy of a session has %d bytes at most", auth.MaxSessionPolicyBytes)}
	}
	if len(policy) > 0 {
		if _, err := auth.ParsePolicy(policy); err != nil {
			return nil, err
		}
	}
	var b [40]byte
	if _, err := io.ReadFull(k.opts.Rand, b[:]); err != nil {
		return nil, fmt.Errorf("make a session: %w", err)
	}
	text := base32.StdEncoding.EncodeToString(b[:])
	now := k.opts.Clock()
	s := session{
		Version: tokenVersion, AccessKeyID: sessionPrefix + text[:24], Secret: text[24:64],
		Issued: now.Unix(), Expires: now.Add(duration).Unix(), Policy: policy,
	}
	if id.Kind == auth.Owner {
		s.Root = k.rootMark(s.AccessKeyID)
	} else {
		p, err := k.rows.LookupUser(ctx, id.Name)
		if err != nil {
			return nil, err
		}
		if p.User.ID != id.ID || !p.User.Enabled {
			return nil, fmt.Errorf("user %s: %w", id.Name, store.ErrNoSuchUser)
		}
		s.User, s.UserID, s.Sessions = id.Name, id.ID, p.Sessions
	}
	token, err := k.seal(ctx, &s)
	if err != nil {
		return nil, fmt.Errorf("seal a session token: %w", err)
	}
	return &Credentials{
		AccessKeyID: s.AccessKeyID, AccessKeySecret: s.Secret, SecurityToken: token, Expires: time.Unix(s.Expires, 0).UTC(),
	}, nil
}

// rootMark ties a session of root to root's key: with another key, or another
// secret of that key, its sessions end.
func (k *Keys) rootMark(accessKeyID string) string {
	h := hmac.New(sha256.New, []byte(k.opts.Root.Secret))
	fmt.Fprintf(h, "session %s of %s", accessKeyID, k.opts.Root.AccessKeyID)
	return hex.EncodeToString(h.Sum(nil)[:16])
}

func (k *Keys) seal(ctx context.Context, s *session) (string, error) {
	var plain bytes.Buffer
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false) // a policy stays as short as it is
	if err := encoder.Encode(s); err != nil {
		return "", err
	}
	sealed, err := k.opts.Ring.Encrypt(ctx, plain.Bytes(), sessionContext)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// open reads a token that this server's key ring has sealed, and nothing else.
func (k *Keys) open(ctx context.Context, token string) (*session, error) {
	if len(token) > maxToken {
		return nil, auth.ErrInvalidToken
	}
	return k.sessions.get(token, func() (*session, error) {
		sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
		if err != nil {
			return nil, auth.ErrInvalidToken
		}
		plain, err := k.opts.Ring.Decrypt(ctx, sealed, sessionContext)
		switch {
		case errors.Is(err, kms.ErrWrongKey), errors.Is(err, kms.ErrUnknownKey), errors.Is(err, kms.ErrNoKeyRing):
			return nil, auth.ErrInvalidToken
		case err != nil:
			return nil, fmt.Errorf("open a session token: %w", err)
		}
		s := &session{}
		if err := json.Unmarshal(plain, s); err != nil || s.Version != tokenVersion {
			return nil, auth.ErrInvalidToken // of another release
		}
		if len(s.Policy) > 0 {
			if s.policy, err = auth.ParsePolicy(s.Policy); err != nil {
				return nil, auth.ErrInvalidToken
			}
		}
		return s, nil
	})
}

// lookupSession finds the session that a token carries. A token of another
// access key is told apart from one that nobody issued.
func (k *Keys) lookupSession(ctx context.Context, accessKeyID, token string) (auth.Key, error) {
	s, err := k.open(ctx, token)
	switch {
	case err != nil:
		return auth.Key{}, err
	case s.AccessKeyID != accessKeyID:
		return auth.Key{}, auth.ErrMismatchedToken
	case k.opts.Clock().Unix() >= s.Expires:
		return auth.Key{}, auth.ErrExpiredToken
	}
	id, err := k.sessionIdentity(ctx, s)
	if err != nil {
		return auth.Key{}, err
	}
	id.AccessKeyID = accessKeyID
	id.Session = &auth.Session{Policy: s.policy, Expires: time.Unix(s.Expires, 0).UTC()}
	return auth.Key{Secret: s.Secret, Identity: id}, nil
}

func (k *Keys) sessionIdentity(ctx context.Context, s *session) (auth.Identity, error) {
	if s.Root != "" {
		if s.policy == nil || !hmac.Equal([]byte(s.Root), []byte(k.rootMark(s.AccessKeyID))) {
			return auth.Identity{}, auth.ErrInvalidToken
		}
		return auth.Identity{Kind: auth.Owner, ID: k.opts.Root.OwnerID}, nil
	}
	p, err := k.rows.LookupUser(ctx, s.User)
	switch {
	case errors.Is(err, store.ErrNoSuchUser):
		return auth.Identity{}, auth.ErrInvalidToken
	case err != nil:
		return auth.Identity{}, err
	case p.User.ID != s.UserID || p.Sessions != s.Sessions:
		return auth.Identity{}, auth.ErrInvalidToken
	case !p.User.Enabled:
		return auth.Identity{}, auth.ErrDisabledKey
	}
	return k.identity(p, s.AccessKeyID)
}
