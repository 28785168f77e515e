package iam_test

import (
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/iam"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
	"github.com/ossastore/ossa/internal/store"
)

// What each signed request pays for its rows being read anew.
func BenchmarkLookup(b *testing.B) {
	must := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	engine, err := pebblekv.Open("meta", pebblekv.Options{FS: vfs.NewMem()})
	must(err)
	defer engine.Close()
	ring, err := kms.Open(vfs.NewMem(), "keyring", kms.Options{})
	must(err)
	s, err := store.Open(b.Context(), engine, memblob.New(), store.Options{KeyRing: ring})
	must(err)
	defer s.Close()
	_, err = s.CreateUser(b.Context(), "ann")
	must(err)
	_, err = s.CreatePolicy(b.Context(), "read", []byte(readAll))
	must(err)
	must(s.AttachPolicyToUser(b.Context(), "ann", "read"))
	key, _, err := s.CreateAccessKey(b.Context(), "ann")
	must(err)
	keys := iam.New(s, iam.Options{Root: root, Ring: ring})
	ann, err := keys.Lookup(b.Context(), key.ID, "")
	must(err)
	session, err := keys.AssumeRole(b.Context(), ann.Identity, nil, 0)
	must(err)
	for name, c := range map[string]iam.Credentials{
		"root": {AccessKeyID: root.AccessKeyID}, "key": {AccessKeyID: key.ID}, "session": *session,
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_, err := keys.Lookup(b.Context(), c.AccessKeyID, c.SecurityToken)
				must(err)
			}
		})
	}
}
