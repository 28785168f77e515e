package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/model"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/vfstest"
)

func newRAMStore(t *testing.T) *store.Store {
	t.Helper()
	s, err := store.Open(t.Context(), memkv.New(), memblob.New(), store.Options{KeyRing: plainRing{}})
	must(t, err)
	t.Cleanup(s.Close)
	return s
}

// admin is a client at work on users, keys and policies while the disk fails
// or the power does. The store is in the state of the model, or while an
// operation is in doubt in the one that it leads to.
type admin struct {
	*history
	doubt *op
}

func newAdmin(t *testing.T, rng *rand.Rand) *admin {
	a := &admin{history: &history{
		t: t, ctx: context.Background(), rng: rng, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		secrets: make(map[string]string),
	}}
	a.model = model.New(model.Options{Clock: a.clock, NewAccessKeyID: func() string { return a.nextKey }})
	return a
}

// change does one operation. uses of access keys are left out: they may be lost.
func (a *admin) change(s *store.Store) {
	a.t.Helper()
	o := a.randomRAM()
	for strings.HasPrefix(o.name, "NoteAccessKeyUse") {
		o = a.randomRAM()
	}
	a.now = a.now.Add(time.Second)
	a.log = append(a.log, o.name)
	got, err := o.do(whole{s})
	if key, ok := got.(*store.AccessKey); ok && key != nil {
		a.nextKey = key.ID
	}
	if oneOf(err, store.ErrUnavailable, store.ErrFull, vfstest.ErrInjected) {
		a.doubt = &o
		return
	}
	if _, want := o.do(a.model); describe(err) != describe(want) {
		a.check(fmt.Errorf("%s: error %s, want %s", o.name, describe(err), describe(want)))
	}
}

// settle sees that the store is in a state that it may be in, and takes it on.
func (a *admin) settle(s *store.Store) {
	a.t.Helper()
	state, err := snapshotRAM(s)
	a.check(err)
	want, err := snapshotRAM(a.model)
	a.check(err)
	o := a.doubt
	a.doubt = nil
	if state == want {
		return
	}
	if o == nil {
		a.check(fmt.Errorf("is %s\nwant %s", state, want))
	}
	a.real = s
	a.nextKey = a.newAccessKeyID()
	_, _ = o.do(a.model)
	after, err := snapshotRAM(a.model)
	a.check(err)
	if state != after {
		a.check(fmt.Errorf("is %s\nwas %s\nor is to be %s", state, want, after))
	}
}

func (a *admin) openOn(fs vfs.FS) (*store.Store, *disk, error) {
	engines := &disk{fs: fs}
	k, b, err := engines.open()
	if err != nil {
		return nil, nil, err
	}
	s, err := store.Open(a.ctx, k, b, store.Options{Clock: a.clock, KeyRing: plainRing{}})
	if err != nil {
		return nil, nil, errors.Join(err, engines.close())
	}
	return s, engines, nil
}

// After a power cut at any moment, users, keys and policies are as the last
// answer left them, or as the operation under way makes them.
func TestPowerCutRAM(t *testing.T) {
	eachSeed(t, 2, func(t *testing.T, rng *rand.Rand) {
		a := newAdmin(t, rng)
		mem := vfs.NewCrashableMem()
		for range 12 {
			s, engines, err := a.openOn(mem)
			must(t, err)
			a.settle(s)
			must(t, clean(a.ctx, s))
			for range rng.IntN(30) {
				a.change(s)
			}
			// The power fails while the next operation is under way.
			o := a.randomRAM()
			started, changed := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(changed)
				close(started)
				_, _ = o.do(whole{s})
			}()
			<-started
			after := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: pick(rng, 0, 100, 50), RNG: rng})
			<-changed
			if !strings.HasPrefix(o.name, "NoteAccessKeyUse") { // that may be lost
				a.doubt = &o
			}
			s.Close()
			must(t, engines.close())
			mem = after
		}
	})
}

// A change of files that fails, at any step: an operation that has an answer
// is done, one without is done or not, and nothing is damaged.
func TestFailAtEveryStepRAM(t *testing.T) {
	doubted := 0
	life := func(a *admin, fs vfs.FS) {
		s, engines, err := a.openOn(fs)
		if err != nil {
			return
		}
		defer engines.close()
		defer s.Close()
		for range 25 {
			a.change(s)
			if a.doubt != nil {
				doubted++
				return
			}
		}
	}
	count := vfstest.NewFailing(vfs.NewMem(), -1)
	life(newAdmin(t, rand.New(rand.NewPCG(1, 2))), count)
	stride := max(1, count.Calls()/40)
	for n := rand.IntN(stride); n < count.Calls(); n += stride {
		for name, fail := range map[string]func(vfs.FS, int) *vfstest.Failing{"once": vfstest.NewFailing, "from": vfstest.NewFailingFrom} {
			t.Run(fmt.Sprintf("%s=%d", name, n), func(t *testing.T) {
				a := newAdmin(t, rand.New(rand.NewPCG(1, 2)))
				mem := vfs.NewMem()
				life(a, fail(mem, n))
				s, engines, err := a.openOn(mem)
				must(t, err)
				a.settle(s)
				must(t, clean(a.ctx, s))
				a.change(s)
				s.Close()
				must(t, engines.close())
			})
		}
	}
	if doubted == 0 && !t.Failed() {
		t.Error("no operation met a failure")
	}
}

// Who deletes a user and who gives it a key or a policy at the same time: one of
// them finds that it cannot. Nothing is left that nobody owns.
func TestRAMRaces(t *testing.T) {
	ctx := t.Context()
	for name, race := range map[string]func(s *store.Store) [2]error{
		"delete user, create key": func(s *store.Store) [2]error {
			return together(
				func() error { return s.DeleteUser(ctx, "u") },
				func() error { _, _, err := s.CreateAccessKey(ctx, "u"); return err },
			)
		},
		"delete user, attach policy": func(s *store.Store) [2]error {
			return together(
				func() error { return s.DeleteUser(ctx, "u") },
				func() error { return s.AttachPolicyToUser(ctx, "u", "p") },
			)
		},
		"delete policy, attach policy": func(s *store.Store) [2]error {
			return together(
				func() error { return s.DeletePolicy(ctx, "p") },
				func() error { return s.AttachPolicyToUser(ctx, "u", "p") },
			)
		},
		"create user twice": func(s *store.Store) [2]error {
			create := func() error { _, err := s.CreateUser(ctx, "new"); return err }
			return together(create, create)
		},
		"create policy twice": func(s *store.Store) [2]error {
			create := func() error { _, err := s.CreatePolicy(ctx, "new", []byte("{}")); return err }
			return together(create, create)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for range 100 {
				s := newRAMStore(t)
				_, err := s.CreateUser(ctx, "u")
				must(t, err)
				_, err = s.CreatePolicy(ctx, "p", []byte("{}"))
				must(t, err)
				errs := race(s)
				if (errs[0] == nil) == (errs[1] == nil) {
					t.Fatalf("%v and %v", errs[0], errs[1])
				}
				must(t, clean(ctx, s))
			}
		})
	}
}

func together(a, b func() error) (errs [2]error) {
	var wait sync.WaitGroup
	wait.Go(func() { errs[0] = a() })
	wait.Go(func() { errs[1] = b() })
	wait.Wait()
	return errs
}

// Keys that are made at the same time are all there, and so are policies.
func TestRAMTogether(t *testing.T) {
	ctx, s := t.Context(), newRAMStore(t)
	_, err := s.CreateUser(ctx, "u")
	must(t, err)
	var wait sync.WaitGroup
	for i := range 10 {
		policy := fmt.Sprintf("p%d", i)
		_, err := s.CreatePolicy(ctx, policy, []byte("{}"))
		must(t, err)
		wait.Go(func() {
			_, _, err := s.CreateAccessKey(ctx, "u")
			if err = errors.Join(err, s.AttachPolicyToUser(ctx, "u", policy)); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	u, err := s.GetUser(ctx, "u")
	must(t, err)
	if u.AccessKeys != 10 || len(u.Policies) != 10 {
		t.Errorf("%+v", u)
	}
	must(t, clean(ctx, s))
}

// Every limit is one, and the last that it allows is allowed.
func TestRAMLimits(t *testing.T) {
	ctx, s := t.Context(), newRAMStore(t)
	for _, tt := range []struct {
		name string
		max  int
		make func(i int) error
		want error
	}{
		{"users", store.MaxUsers, func(i int) error { _, err := s.CreateUser(ctx, fmt.Sprintf("u%d", i)); return err }, store.ErrTooManyUsers},
		{"policies", store.MaxPolicies, func(i int) error {
			_, err := s.CreatePolicy(ctx, fmt.Sprintf("p%d", i), make([]byte, 10))
			return err
		}, store.ErrTooManyPolicies},
		{"keys", store.MaxAccessKeys, func(int) error { _, _, err := s.CreateAccessKey(ctx, "u0"); return err }, store.ErrTooManyKeys},
		{"attached", store.MaxUserPolicies, func(i int) error { return s.AttachPolicyToUser(ctx, "u0", fmt.Sprintf("p%d", i)) }, store.ErrTooManyPolicies},
	} {
		for i := range tt.max {
			must(t, tt.make(i))
		}
		if err := tt.make(tt.max); !errors.Is(err, tt.want) {
			t.Errorf("%s: one more is %v", tt.name, err)
		}
	}
	var last string
	n := 0
	for {
		page, err := s.ListUsers(ctx, &store.ListUsersRequest{Marker: last, Max: 7})
		must(t, err)
		for _, u := range page.Users {
			if u.Name <= last {
				t.Fatalf("%s after %s", u.Name, last)
			}
			last = u.Name
			n++
		}
		if !page.Truncated {
			break
		}
	}
	if n != store.MaxUsers {
		t.Errorf("pages list %d users", n)
	}
	must(t, clean(ctx, s))
}

// Without a key ring there are users, but no keys: a secret is never written
// in the open.
func TestCreateAccessKeyWithoutRing(t *testing.T) {
	s, err := store.Open(t.Context(), memkv.New(), memblob.New(), store.Options{})
	must(t, err)
	_, err = s.CreateUser(t.Context(), "u")
	must(t, err)
	if _, _, err := s.CreateAccessKey(t.Context(), "u"); !errors.Is(err, store.ErrNoKeyRing) {
		t.Errorf("key without a ring: %v", err)
	}
	must(t, clean(t.Context(), s))
}

// A last use is told at once, written down by Close and no more than once a
// minute before, and a key that was deleted meanwhile does not come back.
func TestAccessKeyUse(t *testing.T) {
	ctx, m := t.Context(), newMemory()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	open := func() *store.Store {
		s, err := store.Open(ctx, m.kv, m.blob, store.Options{KeyRing: plainRing{}, Clock: func() time.Time { return now }})
		must(t, err)
		return s
	}
	used := func(s *store.Store) time.Time {
		keys, err := s.ListAccessKeys(ctx, "u")
		must(t, err)
		return keys[0].Used
	}
	s := open()
	_, err := s.CreateUser(ctx, "u")
	must(t, err)
	key, _, err := s.CreateAccessKey(ctx, "u")
	must(t, err)
	gone, _, err := s.CreateAccessKey(ctx, "u")
	must(t, err)
	s.NoteAccessKeyUse(key.ID)
	s.NoteAccessKeyUse(gone.ID)
	must(t, s.DeleteAccessKey(ctx, "u", gone.ID))
	if got := used(s); !got.Equal(now) {
		t.Errorf("used at %v, want %v", got, now)
	}
	if got := used(open()); !got.IsZero() {
		t.Errorf("written down at once: %v", got)
	}
	s.Close()
	s = open()
	if got := used(s); !got.Equal(now) {
		t.Errorf("after Close: used at %v, want %v", got, now)
	}
	now = now.Add(time.Hour)
	s.NoteAccessKeyUse(key.ID)
	must(t, s.UpdateAccessKey(ctx, "u", key.ID, false))
	must(t, s.FlushAccessKeyUses(ctx))
	if got := used(open()); !got.Equal(now) {
		t.Errorf("after a flush: used at %v, want %v", got, now)
	}
	must(t, clean(ctx, s))
}

// Check finds rows that do not agree.
func TestCheckRAM(t *testing.T) {
	ctx := t.Context()
	m := newMemory()
	s, err := store.Open(ctx, m.kv, m.blob, store.Options{KeyRing: plainRing{}})
	must(t, err)
	_, err = s.CreateUser(ctx, "u")
	must(t, err)
	key, _, err := s.CreateAccessKey(ctx, "u")
	must(t, err)
	_, err = s.CreatePolicy(ctx, "p", []byte("{}"))
	must(t, err)
	must(t, s.AttachPolicyToUser(ctx, "u", "p"))
	must(t, clean(ctx, s))

	for _, row := range []string{"U/u", "A/" + key.ID, "P/p"} {
		rows, err := m.kv.Get(ctx, "root", []byte("h"), []byte(row))
		must(t, err)
		set := func(was, value []byte) {
			must(t, m.kv.Commit(ctx, "root",
				[]kv.Guard{{Key: []byte("h"), Value: rows[0].Value}, {Key: []byte(row), Value: was}},
				[]kv.Write{{Key: []byte(row), Value: value}}))
		}
		for _, value := range [][]byte{nil, []byte("rubbish")} {
			set(rows[1].Value, value)
			r, err := s.Check(ctx, store.CheckOptions{})
			must(t, err)
			if r.Damaged == 0 {
				t.Errorf("%s is %q, and Check finds nothing", row, value)
			}
			set(value, rows[1].Value)
		}
	}
	must(t, clean(ctx, s))
}
