package auth

import (
	"context"
	"errors"
	"log/slog"
)

// Why an access key does not prove an identity.
var (
	// ErrUnknownKey: there is no such access key.
	ErrUnknownKey = errors.New("unknown access key")
	// ErrDisabledKey: the access key exists and is switched off.
	ErrDisabledKey = errors.New("disabled access key")
	// ErrInvalidToken: nobody issued this security token.
	ErrInvalidToken = errors.New("invalid security token")
	// ErrExpiredToken: the time of the security token is over.
	ErrExpiredToken = errors.New("expired security token")
	// ErrMismatchedToken: the security token belongs to another access key.
	ErrMismatchedToken = errors.New("security token of another access key")
)

// Keys knows access keys. Lookup is called for every signed request, by many
// goroutines.
type Keys interface {
	// Lookup returns the key of that ID. securityToken is what came with it, ""
	// for none. The error wraps one of this package's, or says why the key could
	// not be looked up, which is no fault of the sender.
	Lookup(ctx context.Context, accessKeyID, securityToken string) (Key, error)
}

// Noter is what Keys may offer besides: it is told of each request whose
// signature was verified, so that a key that nobody uses can be found.
type Noter interface {
	Used(Identity)
}

// Key is the secret half of an access key and who it stands for. It never
// shows its secret in a log.
type Key struct {
	Secret   string
	Identity Identity
}

func (k Key) String() string       { return k.Identity.AccessKeyID }
func (k Key) GoString() string     { return "auth.Key{" + k.Identity.AccessKeyID + "}" }
func (k Key) LogValue() slog.Value { return slog.StringValue(k.Identity.AccessKeyID) }

// RootKey is the Keys of a server that knows one long-term access key, the
// owner's.
type RootKey struct {
	AccessKeyID string
	Secret      string
	OwnerID     string
}

// Lookup implements Keys. Long-term keys have no security token: one that
// comes with the root key was not issued for it.
func (k RootKey) Lookup(_ context.Context, accessKeyID, securityToken string) (Key, error) {
	switch {
	case accessKeyID != k.AccessKeyID || k.Secret == "":
		return Key{}, ErrUnknownKey
	case securityToken != "":
		return Key{}, ErrInvalidToken
	}
	return Key{
		Secret:   k.Secret,
		Identity: Identity{Kind: Owner, ID: k.OwnerID, AccessKeyID: k.AccessKeyID},
	}, nil
}

func (k RootKey) String() string       { return k.AccessKeyID }
func (k RootKey) GoString() string     { return "auth.RootKey{" + k.AccessKeyID + "}" }
func (k RootKey) LogValue() slog.Value { return slog.StringValue(k.AccessKeyID) }
