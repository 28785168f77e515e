package server

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

//go:generate go test -run ^TestOperationsPage$ -update .

const operationsPage = "../../docs/operations.md"

// TestOperationsPage keeps docs/operations.md as the table is; -update writes it.
func TestOperationsPage(t *testing.T) {
	want := operationsMarkdown()
	if *update {
		if err := os.WriteFile(operationsPage, want, 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(operationsPage)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the operation table says: run go generate ./internal/server", operationsPage)
	}
}

func operationsMarkdown() []byte {
	var b bytes.Buffer
	fmt.Fprint(&b, `# Operations

<!-- Generated from the operation table in internal/server by go generate; do not edit. -->

What of the OSS API this server has. The others are answered with the error code
NotImplemented and status 501, never with a success that did nothing. Names and
actions are those of the OSS documentation. A selector is what a request must have
besides its method: query parameters, or a header where a colon follows the name.
Where no action is given nobody is asked: the request is not signed in the usual way.
`)
	for _, level := range []string{"Service", "Bucket", "Object"} {
		for _, implemented := range []bool{true, false} {
			var rows []string
			for _, op := range Operations() {
				if op.Level == level && op.Implemented == implemented {
					rows = append(rows, fmt.Sprintf("| %s | %s | %s | %s |\n", op.Name, op.Method, code(op.Selector), code(op.Action)))
				}
			}
			if rows == nil {
				continue
			}
			title := level + " operations"
			if !implemented {
				title += ", not implemented"
			}
			fmt.Fprintf(&b, "\n## %s\n\n| Operation | Method | Selector | Action |\n|---|---|---|---|\n", title)
			for _, row := range rows {
				b.WriteString(row)
			}
		}
	}
	return b.Bytes()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// Every row can be reached: a request that has what the selector says is that
// operation and no other. Names and actions are spelled as in OSS.
func TestOperationsAreReachable(t *testing.T) {
	for i := range operations {
		op := &operations[i]
		t.Run(fmt.Sprintf("%s %s?%s", op.method, op.level, op.selector), func(t *testing.T) {
			var given []condition
			for text := range strings.SplitSeq(op.selector, "&") {
				if text != "" {
					given = append(given, parseCondition(text))
				}
			}
			has := func(c condition) bool {
				return slices.ContainsFunc(given, func(g condition) bool {
					return g.name == c.name && g.isHeader == c.isHeader && (!c.hasValue || g.value == c.value)
				})
			}
			got, err := routes.find(op.method, op.level.place(), has)
			if err != nil || got != op {
				t.Errorf("leads to %+v, %v", got, err)
			}
			if op.action != "" && !strings.HasPrefix(op.action, "oss:") {
				t.Errorf("action %q", op.action)
			}
			if op.name == "" || strings.ToUpper(op.name[:1]) != op.name[:1] {
				t.Errorf("name %q", op.name)
			}
		})
	}
}

// Every operation of the core has a handler; what the documentation page
// "Multipart upload" needs first of all.
func TestCoreIsImplemented(t *testing.T) {
	implemented := make(map[string]bool)
	for _, op := range Operations() {
		implemented[op.Name] = implemented[op.Name] || op.Implemented
	}
	for _, name := range []string{
		"InitiateMultipartUpload", "UploadPart", "UploadPartCopy", "CompleteMultipartUpload",
		"AbortMultipartUpload", "ListParts", "ListMultipartUploads",
		"ListBuckets", "PutBucket", "DeleteBucket", "HeadBucket", "GetBucketInfo", "GetBucketLocation",
		"GetBucketStat", "PutBucketAcl", "GetBucketAcl", "ListObjects", "ListObjectsV2",
		"ListObjectVersions", "ListLiveChannel", "DeleteMultipleObjects",
		"PutObject", "CopyObject", "GetObject", "HeadObject", "GetObjectMeta", "DeleteObject",
		"RestoreObject", "PutObjectAcl", "GetObjectAcl", "PutObjectTagging", "GetObjectTagging", "DeleteObjectTagging",
	} {
		if !implemented[name] {
			t.Errorf("%s has no handler", name)
		}
	}
}
