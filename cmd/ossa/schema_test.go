package main

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The fields that --json prints are documented: docs/cli.md names them all.
func TestSchema(t *testing.T) {
	page, err := os.ReadFile("../../docs/cli.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{
		bucketDetails{}, objectDetails{}, prefixEntry{}, uploadEntry{}, partEntry{}, createdEntry{}, deletedEntry{}, usage{}, classUsage{},
		urlEntry{}, hashEntry{}, restoreEntry{}, aclEntry{}, tagEntry{}, lifecycleEntry{}, lifecycleTime{}, corsEntry{}, policyEntry{},
		refererEntry{}, encryptionDocument{}, documentEntry{}, cnameEntry{}, profileEntry{}, failure{}, dueEntry{}, transferEvent{}, transferSum{},
	} {
		wantFields(t, string(page), reflect.TypeOf(v))
	}
}

func wantFields(t *testing.T, page string, typ reflect.Type) {
	for _, f := range reflect.VisibleFields(typ) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if name != "" && !strings.Contains(page, "`"+name+"`") {
			t.Errorf("docs/cli.md lacks the field %q of %v", name, typ)
		}
	}
}
