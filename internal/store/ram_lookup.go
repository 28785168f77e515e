package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// Principal is a user with all that its rights are decided by, as it was at one
// instant.
type Principal struct {
	User     User
	Policies []Policy   // attached, with their documents
	Key      *AccessKey // that was looked up; nil in LookupUser
	Sealed   []byte     // secret of Key, sealed with SecretContext
	Sessions uint64     // of sessions, those are good that began under this number
}

// LookupAccessKey reads an access key, its user and the user's policies.
func (s *Store) LookupAccessKey(ctx context.Context, id string) (*Principal, error) {
	if len(id) > maxAccessKeyID {
		return nil, wrap(ErrNoSuchAccessKey, &Error{Op: "LookupAccessKey", Subject: id})
	}
	p, err := s.lookupPrincipal(ctx, meta.AccessKeyKey(id), func(row kv.Row, p *Principal) (user string, err error) {
		if row.Value == nil {
			return "", ErrNoSuchAccessKey
		}
		rec, err := meta.DecodeAccessKey(row.Value)
		if err != nil {
			return "", fmt.Errorf("access key %s: %w", id, err)
		}
		p.Key, p.Sealed = accessKeyInfo(id, rec), rec.Sealed
		return rec.User, nil
	})
	return p, wrap(err, &Error{Op: "LookupAccessKey", Subject: id})
}

// LookupUser reads a user and the user's policies.
func (s *Store) LookupUser(ctx context.Context, name string) (*Principal, error) {
	if !ValidUserName(name) {
		return nil, wrap(ErrNoSuchUser, &Error{Op: "LookupUser", Subject: name})
	}
	p, err := s.lookupPrincipal(ctx, meta.UserKey(name), func(kv.Row, *Principal) (string, error) { return name, nil })
	return p, wrap(err, &Error{Op: "LookupUser", Subject: name})
}

// lookupPrincipal reads the row first, whose user named tells, and with it the
// user's row and policies, all at one instant: it reads again until the rows it
// asked for are those that the rows lead to. Which ones that were the last time
// is a good guess.
func (s *Store) lookupPrincipal(ctx context.Context, first []byte, named func(kv.Row, *Principal) (string, error)) (*Principal, error) {
	keys := s.guesses.get(first)
	for range maxTries {
		rows, err := s.kv.Get(ctx, meta.Root, keys...)
		if err != nil {
			return nil, engineError(err)
		}
		p := &Principal{}
		user, err := named(rows[0], p)
		if err != nil {
			return nil, err
		}
		want := [][]byte{first, meta.UserKey(user)}
		if len(keys) < 2 || string(keys[1]) != string(want[1]) {
			keys = want
			continue
		}
		u, err := parseUser(rows[1])
		if err != nil {
			return nil, err
		}
		for _, name := range u.Policies {
			want = append(want, meta.PolicyKey(name))
		}
		if !sameRows(keys, want) {
			keys = want
			continue
		}
		p.User, p.Sessions = *u.info(), u.Sessions
		for _, row := range rows[2:] {
			policy, err := parsePolicy(row)
			if err != nil {
				return nil, fmt.Errorf("%w: user %s has policy %q: %w", meta.ErrCorrupt, user, row.Key, err)
			}
			p.Policies = append(p.Policies, *policy.info())
		}
		s.guesses.put(first, keys)
		return p, nil
	}
	return nil, fmt.Errorf("%w: too many conflicts", ErrUnavailable)
}

// guesses are the rows that look-ups last led to. They are only asked for, never
// believed.
type guesses struct {
	mu   sync.RWMutex
	rows map[string][][]byte // by the row that the look-up begins with
}

// maxGuesses bounds what is kept; then it begins anew.
const maxGuesses = 4096

func (g *guesses) get(first []byte) [][]byte {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if rows := g.rows[string(first)]; rows != nil {
		return rows
	}
	return [][]byte{first}
}

func (g *guesses) put(first []byte, rows [][]byte) {
	g.mu.RLock()
	same := sameRows(g.rows[string(first)], rows)
	g.mu.RUnlock()
	if same {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.rows == nil || len(g.rows) >= maxGuesses {
		g.rows = make(map[string][][]byte)
	}
	g.rows[string(first)] = rows
}

// uses are the last uses of access keys that are not written down yet.
type uses struct {
	mu      sync.Mutex
	last    map[string]time.Time // by access key ID
	written time.Time            // when the latest were
}

// usesEvery is how often uses are written down while there are some.
const usesEvery = time.Minute

// due tells whether it is time to write them down again.
func (u *uses) due(now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.last) == 0 || now.Sub(u.written) < usesEvery && !now.Before(u.written) {
		return false
	}
	u.written = now
	return true
}

func (u *uses) note(id string, t time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.last == nil {
		u.last = make(map[string]time.Time)
	}
	if t.After(u.last[id]) {
		u.last[id] = t
	}
}

func (u *uses) latest(id string, written time.Time) time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	if t := u.last[id].Truncate(time.Second); t.After(written) {
		return t
	}
	return written
}

func (u *uses) take() map[string]time.Time {
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.last
	u.last = nil
	return last
}

// NoteAccessKeyUse notes that an access key, which exists, was used just now.
// It is written down within a minute while the Store works, and by Close.
func (s *Store) NoteAccessKeyUse(id string) { s.uses.note(id, s.now()) }

// usesBatch is how many access keys one commit notes the use of at most.
const usesBatch = 100

// FlushAccessKeyUses writes down what NoteAccessKeyUse noted.
func (s *Store) FlushAccessKeyUses(ctx context.Context) error {
	last := s.uses.take()
	for ids := range slices.Chunk(slices.Sorted(maps.Keys(last)), usesBatch) {
		err := retry(ctx, func() error { return s.writeUses(ctx, ids, last) })
		if err != nil {
			for id, t := range last { // those that are written already change nothing
				s.uses.note(id, t)
			}
			return wrap(err, &Error{Op: "FlushAccessKeyUses"})
		}
	}
	return nil
}

func (s *Store) writeUses(ctx context.Context, ids []string, last map[string]time.Time) error {
	v, err := s.view(ctx, meta.Root, accessKeyRows(ids)...)
	if err != nil {
		return err
	}
	c := v.change()
	for i, row := range v.rows {
		if row.Value == nil {
			continue // deleted since
		}
		rec, err := meta.DecodeAccessKey(row.Value)
		if err != nil {
			return fmt.Errorf("access key %s: %w", ids[i], err)
		}
		if t := last[ids[i]]; t.After(rec.Used) {
			rec.Used = t
			c.replace(row, rec.Encode())
		}
	}
	if len(c.writes) == 0 {
		return nil
	}
	return s.commit(ctx, c)
}
