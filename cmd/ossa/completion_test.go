package main

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

// Names that mean something to a shell are not completed: what they have in common
// would be on the line, and be run with the next TAB.
func TestCompletionIsHarmless(t *testing.T) {
	keys := []string{"a", "a b", "x$(touch p)1", "x$(touch p)2", "y`id`", "z;id", "z&", "z|", "z>f", "z<f", "z!!", "z\"", "z'", "z\\", "z~", "z#", "z*", "z\n", "ü/1=2,3"}
	newScriptedServer(t, func(w http.ResponseWriter, r *http.Request, operation string) {
		switch operation {
		case "GET list-type":
			io.WriteString(w, "<ListBucketResult><EncodingType>url</EncodingType>")
			for _, key := range keys {
				if strings.HasPrefix(key, r.URL.Query().Get("prefix")) {
					io.WriteString(w, "<Contents><Key>"+url.PathEscape(key)+"</Key></Contents>")
				}
			}
			io.WriteString(w, "</ListBucketResult>")
		case "GET":
			io.WriteString(w, "<ListAllMyBucketsResult><Buckets><Bucket><Name>bkt</Name></Bucket><Bucket><Name>bkt$(id)</Name></Bucket></Buckets></ListAllMyBucketsResult>")
		}
	})
	for typed, want := range map[string]string{
		"oss://bkt/a": "oss://bkt/a|oss://bkt/a b|:4", "oss://bkt/x": ":4", "oss://bkt/y": ":4", "oss://bkt/z": ":4", "oss://bkt/ü": "oss://bkt/ü/1=2,3|:4",
		"oss://b": "oss://bkt|:6",
	} {
		var out, errs strings.Builder
		status := run([]string{"__complete", "cat", typed}, &out, &errs)
		if got := strings.ReplaceAll(strings.TrimSpace(out.String()), "\n", "|"); status != exitOK || got != want {
			t.Errorf("%s: status %d, %q, want %q", typed, status, got, want)
		}
	}
}
