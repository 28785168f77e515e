// Package kmstest proves of a kms.KeyRing what package kms promises.
package kmstest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/kms"
)

// Ring is a key ring under test that can make keys and change them.
type Ring interface {
	kms.KeyRing
	Create(ctx context.Context, keyID string) error
	Rotate(ctx context.Context, keyID string) error
}

// Run runs the suite. open returns a new ring each time.
func Run(t *testing.T, open func(t *testing.T) Ring) {
	for _, test := range []struct {
		name string
		run  func(t *testing.T, r, other Ring)
	}{
		{"DataKeys", testDataKeys},
		{"Purpose", testPurpose},
		{"Damage", testDamage},
		{"OtherRing", testOtherRing},
		{"UnknownKey", testUnknownKey},
		{"Rotate", testRotate},
		{"Secrets", testSecrets},
		{"Concurrent", testConcurrent},
		{"Cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, open(t), open(t)) })
	}
}

var (
	ctx     = context.Background()
	purpose = []byte("a test")
)

func generate(t *testing.T, r kms.KeyRing, keyID string) kms.DataKey {
	t.Helper()
	k, err := r.GenerateDataKey(ctx, keyID, purpose)
	if err != nil {
		t.Fatal(err)
	}
	if len(k.Plain) != kms.KeySize || bytes.Contains(k.Wrapped, k.Plain) {
		t.Fatalf("data key of %d bytes, wrapped in %d", len(k.Plain), len(k.Wrapped))
	}
	return k
}

func opens(t *testing.T, r kms.KeyRing, k kms.DataKey) {
	t.Helper()
	if plain, err := r.Decrypt(ctx, k.Wrapped, purpose); err != nil || !bytes.Equal(plain, k.Plain) {
		t.Errorf("a data key of %s does not come back: %v", k.KeyID, err)
	}
}

// Data keys come back as they were, no two are the same, and even one wrapped
// twice looks different.
func testDataKeys(t *testing.T, r, _ Ring) {
	seen := make(map[string]bool)
	for range 100 {
		k := generate(t, r, "")
		opens(t, r, k)
		if k.KeyID == "" || seen[string(k.Plain)] || seen[string(k.Wrapped)] {
			t.Fatalf("data key of key %q is not fresh", k.KeyID)
		}
		seen[string(k.Plain)], seen[string(k.Wrapped)] = true, true
	}
}

func testPurpose(t *testing.T, r, _ Ring) {
	k := generate(t, r, "")
	for _, other := range []string{"", "a", "a test ", "b test"} {
		if _, err := r.Decrypt(ctx, k.Wrapped, []byte(other)); !errors.Is(err, kms.ErrWrongKey) {
			t.Errorf("opens for %q: %v", other, err)
		}
	}
}

// Any change of any bit is noticed, and so is any cut.
func testDamage(t *testing.T, r, _ Ring) {
	k := generate(t, r, "")
	for i := range k.Wrapped {
		for bit := range 8 {
			bad := bytes.Clone(k.Wrapped)
			bad[i] ^= 1 << bit
			if _, err := r.Decrypt(ctx, bad, purpose); !errors.Is(err, kms.ErrWrongKey) && !errors.Is(err, kms.ErrUnknownKey) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
		if _, err := r.Decrypt(ctx, k.Wrapped[:i], purpose); !errors.Is(err, kms.ErrWrongKey) && !errors.Is(err, kms.ErrUnknownKey) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
	if _, err := r.Decrypt(ctx, append(bytes.Clone(k.Wrapped), 0), purpose); !errors.Is(err, kms.ErrWrongKey) {
		t.Errorf("with a byte more: %v", err)
	}
}

// Another ring opens nothing, not even with a key of the same name.
func testOtherRing(t *testing.T, r, other Ring) {
	generate(t, other, "")
	if _, err := other.Decrypt(ctx, generate(t, r, "").Wrapped, purpose); !errors.Is(err, kms.ErrUnknownKey) {
		t.Errorf("with a foreign default key: %v", err)
	}
	for _, each := range []Ring{r, other} {
		if err := each.Create(ctx, "alias/photos"); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := other.Decrypt(ctx, generate(t, r, "alias/photos").Wrapped, purpose); !errors.Is(err, kms.ErrWrongKey) {
		t.Errorf("with a foreign key of the same name: %v", err)
	}
}

func testUnknownKey(t *testing.T, r, _ Ring) {
	if _, err := r.GenerateDataKey(ctx, "none", purpose); !errors.Is(err, kms.ErrUnknownKey) {
		t.Errorf("data key of an unknown key: %v", err)
	}
	if err := r.Rotate(ctx, "none"); !errors.Is(err, kms.ErrUnknownKey) {
		t.Errorf("rotate an unknown key: %v", err)
	}
	if err := r.Create(ctx, "photos"); err != nil {
		t.Fatal(err)
	}
	if k := generate(t, r, "photos"); k.KeyID != "photos" {
		t.Errorf("data key of photos is one of %q", k.KeyID)
	}
	if err := r.Create(ctx, "photos"); !errors.Is(err, kms.ErrKeyExists) {
		t.Errorf("create a key twice: %v", err)
	}
	for _, id := range []string{"", "/a", "a b", "a\n", "ä", string(make([]byte, 1000))} {
		if err := r.Create(ctx, id); !errors.Is(err, kms.ErrInvalidKeyID) {
			t.Errorf("create %q: %v", id, err)
		}
	}
}

// What older versions of a key have wrapped opens for ever.
func testRotate(t *testing.T, r, _ Ring) {
	if err := r.Create(ctx, "photos"); err != nil {
		t.Fatal(err)
	}
	var all []kms.DataKey
	for range 5 {
		all = append(all, generate(t, r, ""), generate(t, r, "photos"))
		if err := errors.Join(r.Rotate(ctx, ""), r.Rotate(ctx, "photos")); err != nil {
			t.Fatal(err)
		}
	}
	for _, k := range all {
		opens(t, r, k)
	}
}

func testSecrets(t *testing.T, r, _ Ring) {
	for _, size := range []int{0, 1, 40, kms.MaxSecret} {
		plain := slices.Repeat([]byte("s"), size)
		wrapped, err := r.Encrypt(ctx, plain, purpose)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := r.Decrypt(ctx, wrapped, purpose); err != nil || !bytes.Equal(back, plain) {
			t.Errorf("secret of %d bytes: %v", size, err)
		}
	}
	if _, err := r.Encrypt(ctx, make([]byte, kms.MaxSecret+1), purpose); err == nil {
		t.Error("a secret that is too long is taken")
	}
}

// First uses and rotations at once lose no key.
func testConcurrent(t *testing.T, r, _ Ring) {
	var wg sync.WaitGroup
	keys := make(chan kms.DataKey, 100)
	for i := range 10 {
		wg.Go(func() {
			for range 10 {
				k, err := r.GenerateDataKey(ctx, "", purpose)
				if err != nil {
					t.Error(err)
				}
				keys <- k
				if i == 0 {
					if err := r.Rotate(ctx, ""); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	close(keys)
	for k := range keys {
		opens(t, r, k)
	}
}

func testCancelled(t *testing.T, r, _ Ring) {
	k := generate(t, r, "")
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err1 := r.GenerateDataKey(gone, "", purpose)
	_, err2 := r.Decrypt(gone, k.Wrapped, purpose)
	_, err3 := r.Encrypt(gone, []byte("s"), purpose)
	for _, err := range []error{err1, err2, err3} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
}
