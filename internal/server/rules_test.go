package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/store"
)

// reading counts what is read of the rows of configurations, by kind.
type reading struct {
	kv.Engine
	mu sync.Mutex
	n  map[string]int
}

func (r *reading) Get(ctx context.Context, p kv.Partition, keys ...[]byte) ([]kv.Row, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, key := range keys {
		if kind, ok := bytes.CutPrefix(bytes.ToLower(key), []byte("k/")); ok {
			kind, _, _ = bytes.Cut(kind, []byte("/"))
			r.n[string(kind)]++
		}
	}
	return r.Engine.Get(ctx, p, keys...)
}

// A request reads the configurations that it needs, once, and leaves long ones
// alone that say nothing to it.
func TestConfigurationsThatRequestsRead(t *testing.T) {
	r := &reading{Engine: memkv.New(), n: make(map[string]int)}
	f := newFixture(t, func(c *config) { c.kv = r })
	f.put("examplebucket", "", "")
	f.put("examplebucket", "a", "abc")
	document := []byte("<LifecycleConfiguration><!--" + strings.Repeat(" ", 200<<10) + "--></LifecycleConfiguration>")
	if err := f.store.PutBucketConfig(t.Context(), "examplebucket", store.ConfigLifecycle, document); err != nil {
		t.Fatal(err)
	}
	origin := map[string]string{"Origin": "https://example.com"}
	preflight := map[string]string{"Origin": "https://example.com", "Access-Control-Request-Method": "GET"}
	for _, c := range []struct {
		call
		status int
		reads  map[string]int
	}{
		{call{method: "GET", bucket: "examplebucket", key: "a"}, 200, map[string]int{"policy": 1, "lifecycle": 9}},
		{call{method: "HEAD", bucket: "examplebucket", key: "a"}, 200, map[string]int{"policy": 1, "lifecycle": 9}},
		{call{method: "PUT", bucket: "examplebucket", key: "a", body: "x"}, 200, map[string]int{"policy": 1, "encryption": 1}},
		{call{method: "GET", bucket: "examplebucket"}, 200, map[string]int{"policy": 1}},
		{call{method: "DELETE", bucket: "examplebucket", key: "a", header: origin}, 204, map[string]int{"policy": 1, "cors": 1}},
		{call{method: "OPTIONS", bucket: "examplebucket", key: "a", header: preflight, anonymous: true}, 403, map[string]int{"cors": 1}},
	} {
		r.mu.Lock()
		clear(r.n)
		r.mu.Unlock()
		f.want(c.call, c.status, map[int]string{403: "AccessForbidden"}[c.status])
		r.mu.Lock()
		for _, kind := range []string{"policy", "lifecycle", "encryption", "cors"} {
			if r.n[kind] != c.reads[kind] {
				t.Errorf("%s of %q reads %d rows of %s, want %d", c.method, c.key, r.n[kind], kind, c.reads[kind])
			}
		}
		r.mu.Unlock()
	}
}

// A configuration that cannot be read is the server's fault, whatever the same
// text would be in a request.
func TestKeptConfigurationThatCannotBeRead(t *testing.T) {
	for _, kind := range []store.ConfigKind{store.ConfigPolicy, store.ConfigReferer} {
		f := newFixture(t)
		f.put("examplebucket", "", "")
		f.put("examplebucket", "a", "abc")
		if err := f.store.PutBucketConfig(t.Context(), "examplebucket", kind, []byte("<damaged")); err != nil {
			t.Fatal(err)
		}
		f.want(call{method: "GET", bucket: "examplebucket", key: "a", anonymous: true}, 500, "InternalError")
	}
}

// A document is parsed once, until the bucket has another one; one that cannot
// be parsed takes the place of none.
func TestParsed(t *testing.T) {
	var p parsed[string]
	times := 0
	get := func(bucket, document string, err error) string {
		v, got := p.get(bucket, []byte(document), func() (string, error) {
			times++
			return bucket + " " + document, err
		})
		if !errors.Is(got, err) {
			t.Errorf("%s of %s: %v", document, bucket, got)
		}
		return v
	}
	bad := errors.New("bad")
	for _, c := range []struct {
		bucket, document string
		err              error
		times            int
	}{
		{"a", "1", nil, 1}, {"a", "1", nil, 1}, {"b", "1", nil, 2}, {"a", "1", nil, 2},
		{"a", "x", bad, 3}, {"a", "1", nil, 3}, {"a", "2", nil, 4}, {"a", "1", nil, 5}, {"b", "1", nil, 5},
	} {
		if v := get(c.bucket, c.document, c.err); v != c.bucket+" "+c.document || times != c.times {
			t.Errorf("%s of %s is %q after parsing %d times, want %d", c.document, c.bucket, v, times, c.times)
		}
	}
	for i := range 2 * maxParsed {
		get(fmt.Sprint(i), "1", nil)
	}
	if len(p.kept) > maxParsed {
		t.Errorf("%d are kept", len(p.kept))
	}
}
