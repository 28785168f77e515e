package server

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/store"
)

// What a lifecycle rule has moved to another class says so, until it is written
// anew; that it was restored is forgotten.
func TestTransitionTime(t *testing.T) {
	now := epoch
	f := newFixture(t, func(c *config) { c.store.Clock = func() time.Time { return now } })
	f.do(call{method: "PUT", bucket: "photos"})
	f.do(call{method: "PUT", bucket: "photos", key: "k", header: map[string]string{"x-oss-storage-class": "Archive"}, body: "hello"})
	if r := f.do(call{method: "POST", bucket: "photos", key: "k", query: "restore"}); r.status != 202 {
		t.Fatalf("restore: %d %s", r.status, r.body)
	}
	now = now.Add(time.Hour)
	b, err := f.store.GetBucketInfo(context.Background(), "photos")
	if err != nil {
		t.Fatal(err)
	}
	judged, err := f.store.ApplyLifecycle(context.Background(), *b, []string{"k"}, func(*store.Object) store.Verdict {
		return store.Verdict{StorageClass: "ColdArchive"}
	})
	if err != nil || len(judged) != 1 {
		t.Fatal(judged, err)
	}
	now = now.Add(time.Hour)
	const header, element = "Tue, 14 Nov 2023 23:13:20 GMT", "<TransitionTime>2023-11-14T23:13:20.000Z</TransitionTime>"
	for _, c := range []call{{method: "HEAD", key: "k"}, {method: "HEAD", key: "k", query: "objectMeta"}} {
		c.bucket = "photos"
		if r := f.do(c); r.get("x-oss-transition-time") != header || r.get("x-oss-restore") != "" {
			t.Errorf("%s ?%s: %v", c.method, c.query, r.header)
		}
	}
	for _, query := range []string{"", "list-type=2", "versions"} {
		if r := f.do(call{method: "GET", bucket: "photos", query: query}); !strings.Contains(r.body, element) || !strings.Contains(r.body, "<StorageClass>ColdArchive<") {
			t.Errorf("?%s: %s", query, r.body)
		}
	}
	if r := f.do(call{method: "GET", bucket: "photos", key: "k"}); r.code() != "InvalidObjectState" {
		t.Errorf("%d %s", r.status, r.body)
	}
	f.do(call{method: "PUT", bucket: "photos", key: "k", body: "hello"})
	if r := f.do(call{method: "HEAD", bucket: "photos", key: "k"}); r.get("x-oss-transition-time") != "" {
		t.Errorf("overwritten: %v", r.header)
	}
}

// GetBucketStat tells how long the oldest upload has been open.
func TestOldestUpload(t *testing.T) {
	now := epoch.Add(-90 * time.Second)
	f := newFixture(t, func(c *config) { c.store.Clock = func() time.Time { return now } })
	f.do(call{method: "PUT", bucket: "photos"})
	stat := func() string { return f.do(call{method: "GET", bucket: "photos", query: "stat"}).body }
	if body := stat(); !strings.Contains(body, "<OldestMultipartUploadInitiatedTime>0<") || !strings.Contains(body, "<OldestMultipartUploadAge>0<") {
		t.Error(body)
	}
	f.do(call{method: "POST", bucket: "photos", key: "z", query: "uploads"})
	now = epoch
	f.do(call{method: "POST", bucket: "photos", key: "a", query: "uploads"})
	if body := stat(); !strings.Contains(body, "<OldestMultipartUploadInitiatedTime>1699999910<") || !strings.Contains(body, "<OldestMultipartUploadAge>90<") {
		t.Error(body)
	}
}
