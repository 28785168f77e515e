package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ossastore/ossa/internal/wire"
	"github.com/ossastore/ossa/oss"
)

// An object that the server does not copy in one request is copied in parts, and
// keeps its ACL, storage class and tags.
func TestSetMetaOfLargeObject(t *testing.T) {
	const size = 2 << 30
	var mu sync.Mutex
	var asked []string
	headers := map[string]http.Header{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		mu.Lock()
		defer mu.Unlock()
		q := r.URL.Query()
		what := r.Method
		for _, name := range []string{"acl", "tagging", "uploads", "partNumber", "uploadId"} {
			if q.Has(name) {
				what += " " + name
				break
			}
		}
		if !slices.Contains(asked, what) {
			asked = append(asked, what)
		}
		headers[what] = r.Header
		switch what {
		case "HEAD":
			h := w.Header()
			h.Set("Content-Length", fmt.Sprint(size))
			h.Set("ETag", `"ABC"`)
			h.Set(wire.HeaderStorageClass, "IA")
			h.Set(wire.HeaderTaggingCount, "1")
			h.Set("x-oss-meta-old", "there")
		case "GET acl":
			fmt.Fprint(w, "<AccessControlPolicy><AccessControlList><Grant>public-read</Grant></AccessControlList></AccessControlPolicy>")
		case "GET tagging":
			fmt.Fprint(w, "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>")
		case "PUT":
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, "<Error><Code>EntityTooLarge</Code><Message>The object is larger than 1 GiB.</Message></Error>")
		case "POST uploads":
			fmt.Fprint(w, "<InitiateMultipartUploadResult><Bucket>large</Bucket><Key>k</Key><UploadId>ID</UploadId></InitiateMultipartUploadResult>")
		case "PUT partNumber":
			w.Header().Set("Content-Range", strings.Replace(r.Header.Get("x-oss-copy-source-range"), "=", " ", 1)+fmt.Sprintf("/%d", size))
			fmt.Fprint(w, `<CopyPartResult><ETag>"DEF"</ETag></CopyPartResult>`)
		case "POST uploadId":
			fmt.Fprint(w, `<CompleteMultipartUploadResult><Bucket>large</Bucket><Key>k</Key><ETag>"GHI-16"</ETag></CompleteMultipartUploadResult>`)
		default:
			t.Errorf("unexpected: %s %s", r.Method, r.URL)
		}
	}))
	defer server.Close()
	for name, value := range map[string]string{envEndpoint: server.URL, envAccessKeyID: "id", envAccessKeySecret: "secret"} {
		t.Setenv(name, value)
	}

	var stdout, stderr strings.Builder
	status := run([]string{"set-meta", "oss://large/k", "x-oss-meta-new:1", "--update"}, &stdout, &stderr)
	if status != exitOK || stdout.String() != "oss://large/k has other metadata\n" {
		t.Fatalf("status %d, %s, %s", status, stdout.String(), stderr.String())
	}
	if want := []string{"HEAD", "GET acl", "PUT", "GET tagging", "POST uploads", "PUT partNumber", "POST uploadId"}; !slices.Equal(asked, want) {
		t.Errorf("asked %q, want %q", asked, want)
	}
	for what, want := range map[string]map[string]string{
		"PUT": {
			wire.HeaderMetadataDirective: "REPLACE", wire.HeaderStorageClass: string(oss.StorageIA), wire.HeaderObjectACL: "public-read",
			"x-oss-meta-old": "there", "x-oss-meta-new": "1", "x-oss-copy-source-if-match": `"ABC"`,
		},
		"POST uploads":   {wire.HeaderStorageClass: string(oss.StorageIA), wire.HeaderTagging: "a=b", "x-oss-meta-old": "there", "x-oss-meta-new": "1"},
		"PUT partNumber": {"x-oss-copy-source-if-match": `"ABC"`},
		"POST uploadId":  {wire.HeaderObjectACL: "public-read"},
	} {
		for name, value := range want {
			if got := headers[what].Get(name); got != value {
				t.Errorf("%s: %s is %q, want %q", what, name, got, value)
			}
		}
	}
}

// What --update and --delete leave, and what is written in one argument.
func TestMetaChanges(t *testing.T) {
	has := oss.Attributes{ContentType: "text/plain", Expires: "x", Metadata: map[string]string{"a": "1", "b": "2"}}
	for _, c := range []struct {
		args           string
		update, remove bool
		want           string
	}{
		{"x-oss-meta-a:3#Content-Type:image/png", true, false, "image/png x map[a:3 b:2]"},
		{"x-oss-meta-c:3", false, false, "  map[c:3]"},
		{"X-Oss-Meta-A#expires", false, true, "text/plain  map[b:2]"},
		{"x-oss-meta-a:1#2:3#4", false, false, ""}, // 2 is no metadata
		{"x-oss-meta-a:1#2", false, false, "  map[a:1#2]"},
		{"etag:x", false, false, ""},
		{"x-oss-meta-:x", false, false, ""},
		{"x-oss-meta-a:\x01", false, false, ""},
		{"", false, true, ""},
	} {
		m := &setMeta{update: c.update, remove: c.remove}
		var err error
		if m.changes, err = parseMetaChanges([]string{c.args}, c.remove); err != nil || c.want == "" {
			if err == nil || c.want != "" {
				t.Errorf("%q: %v", c.args, err)
			}
			continue
		}
		got := m.wanted(has)
		if text := fmt.Sprint(got.ContentType, " ", got.Expires, " ", got.Metadata); text != c.want {
			t.Errorf("%q makes %q, want %q", c.args, text, c.want)
		}
		if fmt.Sprint(has.Metadata) != "map[a:1 b:2]" {
			t.Fatalf("%q changed what was there", c.args)
		}
	}
}

// The language of an object, which set-meta does not change, is one of those that stay.
func TestSetMetaKeepsLanguage(t *testing.T) {
	for flag, want := range map[string]string{"--update": "de", "--quiet": ""} {
		var got []string
		newScriptedServer(t, func(w http.ResponseWriter, r *http.Request, operation string) {
			switch operation {
			case "HEAD":
				w.Header().Set("Content-Language", "de")
				w.Header().Set("ETag", `"ABC"`)
				w.Header().Set("Content-Length", "1")
			case "GET acl":
				io.WriteString(w, "<AccessControlPolicy><AccessControlList><Grant>default</Grant></AccessControlList></AccessControlPolicy>")
			case "PUT":
				got = append(got, r.Header.Get("Content-Language"))
				io.WriteString(w, `<CopyObjectResult><ETag>"ABC"</ETag></CopyObjectResult>`)
			}
		})
		var out, errs strings.Builder
		status := run([]string{"set-meta", "oss://bkt/k", "x-oss-meta-a:1", flag}, &out, &errs)
		if status != exitOK || !slices.Equal(got, []string{want}) {
			t.Errorf("%s: status %d, %q; %s", flag, status, got, errs.String())
		}
	}
}
