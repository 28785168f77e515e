package server

import (
	"bytes"
	"context"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

// meddler is metadata with somebody who does something right after an object
// was looked at.
type meddler struct {
	kv.Engine
	mu   sync.Mutex
	then func() // once; nil for nothing
}

func (m *meddler) Get(ctx context.Context, p kv.Partition, keys ...[]byte) ([]kv.Row, error) {
	rows, err := m.Engine.Get(ctx, p, keys...)
	object := false
	for _, key := range keys {
		object = object || bytes.HasPrefix(key, []byte("o/"))
	}
	if object {
		m.mu.Lock()
		then := m.then
		m.then = nil
		m.mu.Unlock()
		if then != nil {
			then()
		}
	}
	return rows, err
}

// An object that becomes private after the sender was allowed to read the one
// before it is not read.
func TestObjectReplacedAfterAuthorization(t *testing.T) {
	m := &meddler{Engine: memkv.New()}
	f := newFixture(t, func(c *config) { c.kv = m })
	f.put("bucket", "", "")
	f.want(call{method: "PUT", bucket: "open", header: map[string]string{"x-oss-acl": "public-read-write"}}, 200, "")
	r := f.want(call{method: "POST", bucket: "open", key: "big", query: "uploads"}, 200, "")
	id := between(r.body, "<UploadId>", "<")
	source := map[string]string{"x-oss-copy-source": "/bucket/k"}
	for _, c := range []call{
		{method: "GET", bucket: "bucket", key: "k"},
		{method: "HEAD", bucket: "bucket", key: "k"},
		{method: "HEAD", bucket: "bucket", key: "k", query: "objectMeta"},
		{method: "PUT", bucket: "open", key: "copy", header: source},
		{method: "PUT", bucket: "open", key: "big", query: "partNumber=1&uploadId=" + id, header: source},
	} {
		t.Run(c.method+" "+c.query, func(t *testing.T) {
			f.t = t
			put := func(acl, text string) error {
				_, err := f.store.PutObject(t.Context(), &store.PutObjectRequest{
					Bucket: "bucket", Key: "k", Attributes: store.Attributes{ACL: acl},
					Body: store.Body{Reader: strings.NewReader(text), Size: int64(len(text))},
				})
				return err
			}
			if err := put("public-read", "for all"); err != nil {
				t.Fatal(err)
			}
			c.anonymous = true
			f.want(c, 200, "")

			var err error
			m.mu.Lock()
			m.then = func() { err = put("private", "secret") }
			m.mu.Unlock()
			f.want(c, 403, "AccessDenied")
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
