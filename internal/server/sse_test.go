package server

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

const sse = "x-oss-server-side-encryption"

func openRing(t *testing.T, fs vfs.FS, keys ...string) *kms.Local {
	t.Helper()
	ring, err := kms.Open(fs, "keyring", kms.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range keys {
		if err := ring.Create(t.Context(), id); err != nil {
			t.Fatal(err)
		}
	}
	return ring
}

// Without a key ring encryption is refused wherever it is asked for, before
// anything is stored, and all else goes on. What was encrypted with one is not
// readable, and can be deleted.
func TestWithoutKeyRing(t *testing.T) {
	k, b := memkv.New(), memblob.New()
	with := func(ring kms.KeyRing) func(*config) {
		return func(c *config) { c.kv, c.blob, c.store.KeyRing = k, b, ring }
	}
	f := newFixture(t, with(openRing(t, vfs.NewMem())))
	f.want(call{method: "PUT", bucket: "examplebucket"}, 200, "")
	f.want(call{method: "PUT", bucket: "examplebucket", key: "secret", body: "hello", header: map[string]string{sse: "AES256"}}, 200, "")
	up := f.want(call{method: "POST", bucket: "examplebucket", key: "big", query: "uploads", header: map[string]string{sse: "KMS"}}, 200, "")
	id := between(up.body, "<UploadId>", "</UploadId>")
	f = newFixture(t, with(nil))
	for _, algorithm := range []string{"AES256", "KMS"} {
		header := map[string]string{sse: algorithm}
		f.want(call{method: "PUT", bucket: "examplebucket", key: "a", body: "hello", header: header}, 403, "KmsServiceNotEnabled")
		f.want(call{method: "POST", bucket: "examplebucket", key: "a", query: "uploads", header: header}, 403, "KmsServiceNotEnabled")
	}
	f.want(call{method: "GET", bucket: "examplebucket", key: "secret"}, 403, "KmsServiceNotEnabled")
	f.want(call{method: "HEAD", bucket: "examplebucket", key: "secret"}, 200, "")
	f.want(call{method: "PUT", bucket: "examplebucket", key: "copy", header: map[string]string{"x-oss-copy-source": "/examplebucket/secret"}}, 403, "KmsServiceNotEnabled")
	f.want(call{method: "PUT", bucket: "examplebucket", key: "big", query: "partNumber=1&uploadId=" + id, body: "hello"}, 403, "KmsServiceNotEnabled")
	f.want(call{method: "GET", bucket: "examplebucket", key: "a"}, 404, "NoSuchKey")
	f.want(call{method: "DELETE", bucket: "examplebucket", key: "secret"}, 204, "")
	f.want(call{method: "DELETE", bucket: "examplebucket", key: "big", query: "uploadId=" + id}, 204, "")
}

// hidden is a ring that does not say which it is.
type hidden struct{ kms.KeyRing }

// What is encrypted with a key that the ring does not have, or has otherwise, is
// not readable; the answer says so and the log names the key.
func TestKeyLost(t *testing.T) {
	k, b := memkv.New(), memblob.New()
	with := func(ring kms.KeyRing) func(*config) {
		return func(c *config) { c.kv, c.blob, c.store.KeyRing = k, b, hidden{ring} }
	}
	header := func(key string) map[string]string {
		return map[string]string{sse: "KMS", "x-oss-server-side-encryption-key-id": key}
	}
	f := newFixture(t, with(openRing(t, vfs.NewMem(), "photos", "letters")))
	f.want(call{method: "PUT", bucket: "examplebucket"}, 200, "")
	for _, key := range []string{"photos", "letters"} {
		f.want(call{method: "PUT", bucket: "examplebucket", key: key, body: "hello", header: header(key)}, 200, "")
	}

	f = newFixture(t, with(openRing(t, vfs.NewMem(), "photos")))
	for _, key := range []string{"photos", "letters"} {
		r := f.want(call{method: "GET", bucket: "examplebucket", key: key}, 403, "KmsServiceNotEnabled")
		if !strings.Contains(r.body, "key ring") || !strings.Contains(f.log.String(), key) {
			t.Errorf("%s: %s\n%s", key, r.body, f.log.String())
		}
	}
}

// broken is a ring that cannot do what it should.
type broken struct{ kms.None }

func (broken) GenerateDataKey(context.Context, string, []byte) (kms.DataKey, error) {
	return kms.DataKey{}, errors.New("the file cannot be written")
}

// A ring that fails is no ring that is missing: the request may be sent again.
func TestKeyRingFails(t *testing.T) {
	f := newFixture(t, func(c *config) { c.store.KeyRing = broken{} })
	f.want(call{method: "PUT", bucket: "examplebucket"}, 200, "")
	f.want(call{method: "PUT", bucket: "examplebucket", key: "a", body: "hello", header: map[string]string{sse: "KMS"}}, 503, "ServiceUnavailable")
	if _, err := f.store.HeadObject(t.Context(), "examplebucket", "a"); !errors.Is(err, store.ErrNoSuchKey) {
		t.Errorf("after the refusal: %v", err)
	}
}
