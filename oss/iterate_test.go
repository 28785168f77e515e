package oss

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// collect lists what an iterator gives, by name.
func collect[T any](t *testing.T, seq iter.Seq2[T, error], name func(T) string) (names []string) {
	t.Helper()
	for v, err := range seq {
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name(v))
	}
	return names
}

// Every iterator goes through all pages, whatever its markers are made of, asks
// for no page twice and none that the caller does not want.
func TestIteratorsTurnPages(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	keys := []string{"a", "a&b", "c d+%", "dir/1", "dir/2", "é"}
	var uploads, parts []string
	for _, key := range keys {
		f.put(key, []byte("x"))
		for range 3 { // more of a key than a page holds
			up, err := f.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{Bucket: testBucket, Key: key})
			if err != nil {
				t.Fatal(err)
			}
			uploads = append(uploads, key+" "+up.UploadID)
		}
	}
	slices.Sort(uploads)
	id := uploads[0][len("a "):]
	for _, n := range []int{1, 2, 7, 5000, MaxParts} {
		if _, err := f.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "a", UploadID: id, PartNumber: n, Body: strings.NewReader("x")}); err != nil {
			t.Fatal(err)
		}
		parts = append(parts, strconv.Itoa(n))
	}
	_, err := f.PutBucketPolicy(ctx, &PutBucketPolicyRequest{Bucket: testBucket, Policy: []byte(
		`{"Version":"1","Statement":[{"Effect":"Allow","Principal":["*"],"Action":["oss:*"],"Resource":["acs:oss:*:*:` + testBucket + `","acs:oss:*:*:` + testBucket + `/*"]}]}`)})
	if err != nil {
		t.Fatal(err)
	}
	// Everybody may ask, and what nobody signed can be changed: pages of two.
	asked := 0
	c := f.client(WithCredentials(AnonymousCredentials()))
	f.net.set(func(*http.Request, string) fault {
		asked++
		return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			for _, size := range []string{"max-keys", "max-uploads", "max-parts"} {
				req.URL.RawQuery = strings.Replace(req.URL.RawQuery, size+"="+strconv.Itoa(pageSize), size+"=2", 1)
			}
			return next.RoundTrip(req)
		}
	})
	uploadName := func(u Upload) string { return u.Key + " " + u.UploadID }
	for _, l := range []struct {
		name  string
		list  func() []string
		want  []string
		pages int
	}{
		{"objects", func() []string {
			return collect(t, c.Objects(ctx, testBucket, ""), func(o Object) string { return o.Key })
		}, keys, 3},
		{"one level", func() []string {
			return collect(t, c.Entries(ctx, testBucket, "", "/"), func(e Entry) string { return e.name() })
		}, []string{"a", "a&b", "c d+%", "dir/", "é"}, 3},
		{"versions", func() []string {
			return collect(t, c.Versions(ctx, testBucket, ""), func(v Version) string { return v.Key })
		}, keys, 3},
		{"uploads of the bucket", func() []string { return collect(t, c.Uploads(ctx, testBucket, ""), uploadName) }, uploads, 9},
		{"uploads of a prefix", func() []string { return collect(t, c.Uploads(ctx, testBucket, "dir/"), uploadName) }, uploads[9:15], 3},
		{"uploads of an object", func() []string { return collect(t, c.ObjectUploads(ctx, testBucket, "a"), uploadName) }, uploads[:3], 2},
		{"parts", func() []string {
			return collect(t, c.Parts(ctx, testBucket, "a", id), func(p Part) string { return strconv.Itoa(p.PartNumber) })
		}, parts, 3},
	} {
		asked = 0
		if got := l.list(); !slices.Equal(got, l.want) {
			t.Errorf("%s: %q\nwant %q", l.name, got, l.want)
		}
		if asked != l.pages {
			t.Errorf("%s: %d pages were asked for, want %d", l.name, asked, l.pages)
		}
	}
	asked = 0
	for range c.Objects(ctx, testBucket, "") {
		break
	}
	if asked != 1 {
		t.Errorf("%d pages were asked for by who wants one object", asked)
	}
}

// Buckets, too, whose listing nobody can change on the way.
func TestBucketsTurnPages(t *testing.T) {
	var names []string
	for i := range 7 {
		names = append(names, fmt.Sprint("bucket-", i))
	}
	c := mustClient(t, WithCredentials(AnonymousCredentials()), WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		q := req.URL.Query()
		i, _ := slices.BinarySearch(names, q.Get("marker")+"\x00")
		rest := names[i:]
		page := rest[:min(len(rest), 3)]
		doc := "<ListAllMyBucketsResult><Buckets>"
		for _, name := range page {
			doc += "<Bucket><Name>" + name + "</Name></Bucket>"
		}
		doc += "</Buckets>"
		if len(rest) > len(page) {
			doc += "<IsTruncated>true</IsTruncated><NextMarker>" + page[len(page)-1] + "</NextMarker>"
		}
		if q.Get("prefix") != "bucket" {
			t.Errorf("asked for %s", req.URL.RawQuery)
		}
		doc += "</ListAllMyBucketsResult>"
		return answered(req, http.Header{}, strings.NewReader(doc), int64(len(doc))), nil
	})}))
	if got := collect(t, c.Buckets(context.Background(), "bucket"), func(b Bucket) string { return b.Name }); !slices.Equal(got, names) {
		t.Errorf("%q", got)
	}
}
