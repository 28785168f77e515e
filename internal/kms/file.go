package kms

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"
)

// fileFormat is the number of the file's format that this release writes.
const fileFormat = 1

const (
	maxFile     = 4 << 20 // bytes of a key ring file
	maxKeys     = 1000    // keys of a ring
	maxVersions = 10000   // versions of a key
	maxKeyID    = 128     // bytes of a key ID
)

// ring is a key ring as its file holds it. docs/format/keyring.md draws it.
type ring struct {
	Format   int    `json:"format"`
	ID       string `json:"id"`
	Default  string `json:"default"` // ID of the default key
	Keys     []*key `json:"keys"`
	Checksum string `json:"checksum"` // SHA-256 in hex, see sum
}

type key struct {
	ID       string    `json:"id"`
	Versions []version `json:"versions"` // version n is the nth, the last one wraps
}

type version struct {
	Version  int       `json:"version"`
	Created  time.Time `json:"created"`
	Material []byte    `json:"material"` // KeySize bytes
}

func (r *ring) find(keyID string) *key {
	for _, k := range r.Keys {
		if k.ID == keyID {
			return k
		}
	}
	return nil
}

// extends tells whether r has every key of old, with the same material.
func (r *ring) extends(old *ring) bool {
	if r.ID != old.ID {
		return false
	}
	for _, was := range old.Keys {
		is := r.find(was.ID)
		if is == nil || len(is.Versions) < len(was.Versions) {
			return false
		}
		for i, v := range was.Versions {
			if !bytes.Equal(v.Material, is.Versions[i].Material) {
				return false
			}
		}
	}
	return true
}

// sum is the SHA-256 of the ring as JSON without white space, its members in
// the order of the struct and its checksum empty.
func (r *ring) sum() string {
	bare := *r
	bare.Checksum = ""
	b, err := json.Marshal(&bare)
	if err != nil {
		panic(err) // strings, numbers and times
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

func (r *ring) encode() []byte {
	r.Checksum = r.sum()
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		panic(err)
	}
	return append(b, '\n')
}

// errFile says what is wrong with a file that is no key ring.
var errFile = errors.New("not a whole key ring")

func decodeRing(text []byte) (*ring, error) {
	// The format comes first: that of a later release may have other members.
	var head struct {
		Format int `json:"format"`
	}
	if err := json.Unmarshal(text, &head); err != nil {
		return nil, fmt.Errorf("%w: %v", errFile, err)
	}
	if head.Format != fileFormat {
		return nil, fmt.Errorf("it has format %d and this release knows format %d", head.Format, fileFormat)
	}
	var r ring
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&r); err != nil {
		return nil, fmt.Errorf("%w: %v", errFile, err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("%w: something follows it", errFile)
	}
	if err := r.validate(); err != nil {
		return nil, err
	}
	return &r, nil
}

func (r *ring) validate() error {
	for _, k := range r.Keys {
		if k == nil {
			return fmt.Errorf("%w: empty key", errFile)
		}
	}
	if r.Checksum != r.sum() {
		return fmt.Errorf("%w: the checksum differs; it was changed by hand or damaged", errFile)
	}
	if r.ID == "" || r.find(r.Default) == nil || len(r.Keys) > maxKeys {
		return fmt.Errorf("%w: no default key", errFile)
	}
	seen := make(map[string]bool)
	for _, k := range r.Keys {
		if !ValidKeyID(k.ID) || seen[k.ID] || len(k.Versions) == 0 || len(k.Versions) > maxVersions {
			return fmt.Errorf("%w: key %q", errFile, k.ID)
		}
		seen[k.ID] = true
		for i, v := range k.Versions {
			if v.Version != i+1 || len(v.Material) != KeySize {
				return fmt.Errorf("%w: key %q version %d", errFile, k.ID, i+1)
			}
		}
	}
	return nil
}

var keyIDPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]*$`)

// ValidKeyID tells whether a key could have this ID: 1 to 128 letters, digits
// and ._:/- of ASCII, with a letter or digit first.
func ValidKeyID(id string) bool {
	return len(id) <= maxKeyID && keyIDPattern.MatchString(id)
}
