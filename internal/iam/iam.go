// Package iam tells who holds an access key, and what that identity may do: it
// is the auth.Keys of a server with users.
//
//	root key     the owner's, from the server's settings; it stands in no row
//	user's key   a row, whose secret the key ring opens
//	session key  no row at all: its security token, which the key ring sealed,
//	             says whose rights it has, which of them, and until when
//
// There is no truth in memory. Every look-up reads the rows anew, all at one
// instant, so that a key that was switched off, a policy that was changed and a
// user that was deleted count from the answer to that change on, whatever
// process made it. Only what follows from bytes alone is kept: policies by their
// documents, secrets by their sealed form, sessions by their tokens.
//
// A session is good while its user is there and enabled and has not revoked
// sessions since, and before it expires. One of root is good as long as root's
// key is the one that it was issued with.
package iam

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/store"
)

// Rows are what Keys reads. A *store.Store has them.
type Rows interface {
	LookupAccessKey(ctx context.Context, id string) (*store.Principal, error)
	LookupUser(ctx context.Context, name string) (*store.Principal, error)
	NoteAccessKeyUse(id string)
}

// Options of Keys. Only Root must be set.
type Options struct {
	Root  auth.RootKey
	Ring  kms.KeyRing      // opens secrets and seals tokens; default kms.None
	Clock func() time.Time // default time.Now
	Rand  io.Reader        // default crypto/rand; used concurrently
}

// EnsureDefaults fills in what is zero.
func (o *Options) EnsureDefaults() {
	if o.Ring == nil {
		o.Ring = kms.None{}
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
}

// How much is kept of what was opened and parsed.
const (
	keptSecrets  = 4096
	keptPolicies = 1024 // of up to 16 KiB of text each
	keptSessions = 4096
)

// Keys implements auth.Keys. Its methods may be called concurrently.
type Keys struct {
	rows     Rows
	opts     Options
	secrets  *kept[sealedSecret, string]
	policies *kept[string, *auth.Policy]
	sessions *kept[string, *session]
}

type sealedSecret struct{ id, sealed string }

// New returns Keys over rows.
func New(rows Rows, opts Options) *Keys {
	opts.EnsureDefaults()
	return &Keys{
		rows: rows, opts: opts,
		secrets:  newKept[sealedSecret, string](keptSecrets),
		policies: newKept[string, *auth.Policy](keptPolicies),
		sessions: newKept[string, *session](keptSessions),
	}
}

// Lookup implements auth.Keys.
func (k *Keys) Lookup(ctx context.Context, accessKeyID, securityToken string) (auth.Key, error) {
	switch {
	case securityToken != "":
		return k.lookupSession(ctx, accessKeyID, securityToken)
	case accessKeyID == k.opts.Root.AccessKeyID:
		return k.opts.Root.Lookup(ctx, accessKeyID, "")
	case strings.HasPrefix(accessKeyID, sessionPrefix):
		return auth.Key{}, auth.ErrUnknownKey // alone it is nothing
	}
	p, err := k.rows.LookupAccessKey(ctx, accessKeyID)
	if err != nil {
		return auth.Key{}, unknown(err)
	}
	if !p.Key.Enabled || !p.User.Enabled {
		return auth.Key{}, auth.ErrDisabledKey
	}
	secret, err := k.secret(ctx, p)
	if err != nil {
		return auth.Key{}, fmt.Errorf("open the secret of access key %s: %w", accessKeyID, err)
	}
	id, err := k.identity(p, accessKeyID)
	if err != nil {
		return auth.Key{}, err
	}
	return auth.Key{Secret: secret, Identity: id}, nil
}

// unknown puts a failed look-up of rows into the words of package auth.
func unknown(err error) error {
	if errors.Is(err, store.ErrNoSuchAccessKey) || errors.Is(err, store.ErrNoSuchUser) {
		return auth.ErrUnknownKey
	}
	return err
}

func (k *Keys) secret(ctx context.Context, p *store.Principal) (string, error) {
	sealed := sealedSecret{p.Key.ID, string(p.Sealed)}
	return k.secrets.get(sealed, func() (string, error) {
		plain, err := k.opts.Ring.Decrypt(ctx, p.Sealed, store.SecretContext(p.Key.ID))
		if errors.Is(err, kms.ErrNoKeyRing) {
			err = store.ErrNoKeyRing
		}
		return string(plain), err
	})
}

// identity is a user with its policies. A document that cannot be read ends the
// look-up: it may deny something.
func (k *Keys) identity(p *store.Principal, accessKeyID string) (auth.Identity, error) {
	id := auth.Identity{Kind: auth.User, ID: p.User.ID, Name: p.User.Name, AccessKeyID: accessKeyID}
	for _, doc := range p.Policies {
		policy, err := k.policies.get(string(doc.Document), func() (*auth.Policy, error) { return auth.ParsePolicy(doc.Document) })
		if err != nil {
			return auth.Identity{}, fmt.Errorf("policy %s of user %s: %w", doc.Name, p.User.Name, err)
		}
		id.Policies = append(id.Policies, auth.NamedPolicy{Name: doc.Name, Policy: policy})
	}
	return id, nil
}

// UserIdentity is who a user is, for asking what it may do.
func (k *Keys) UserIdentity(ctx context.Context, name string) (auth.Identity, error) {
	p, err := k.rows.LookupUser(ctx, name)
	if err != nil {
		return auth.Identity{}, err
	}
	return k.identity(p, "")
}

// Used implements auth.Noter. Uses of sessions and of root are not kept.
func (k *Keys) Used(id auth.Identity) {
	if id.Kind == auth.User && id.Session == nil && id.AccessKeyID != "" {
		k.rows.NoteAccessKeyUse(id.AccessKeyID)
	}
}
