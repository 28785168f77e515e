package main

import (
	"strings"
	"testing"
)

// The words of ossutil become those of this program.
func TestFromOssutil(t *testing.T) {
	for from, want := range map[string]string{
		"":                                            "",
		"ls oss://b":                                  "ls oss://b",
		"sign oss://b/k --timeout 60":                 "presign oss://b/k --timeout 60",
		"set-acl oss://b public-read -b":              "acl set oss://b public-read",
		"lifecycle --method put oss://b f":            "lifecycle put oss://b f",
		"lifecycle --method=delete oss://b":           "lifecycle rm oss://b",
		"lifecycle put oss://b f":                     "lifecycle put oss://b f",
		"bucket-policy --method get oss://b":          "policy get oss://b",
		"listpart oss://b/k ID":                       "uploads parts oss://b/k ID",
		"object-tagging --method put oss://b/k#1 a#b": "tag put oss://b/k#1 a=b",
		"bucket-encryption --method delete oss://b":   "encryption rm oss://b",
		"set-acl -r -f oss://b/a private":             "acl set -r -f oss://b/a private",
		"getallpartsize oss://b":                      "uploads ls --sizes oss://b",
		"bucket-tagging --method put oss://b a#b c#d": "tag put oss://b a=b c=d",
		"bucket-encryption --method put oss://b --sse-algorithm KMS --kms-masterkey-id k": "encryption set oss://b --sse KMS --sse-key-id k",
		"bucket-encryption --method put --sse-algorithm=KMS oss://b":                      "encryption set --sse=KMS oss://b",
		"bucket-encryption --method put oss://b file":                                     "encryption put oss://b file",
	} {
		if got := strings.Join(fromOssutil(strings.Fields(from)), " "); got != want {
			t.Errorf("%q: %q, want %q", from, got, want)
		}
	}
}

func TestCommandFirst(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "",
		"ls -e url":                    "ls -e url",
		"-e url -kx --region=r ls b":   "ls -e url -kx --region=r b",
		"--json --quiet sign oss://b/": "sign --json --quiet oss://b/",
		"-e url":                       "-e url",
		"-e":                           "-e",
		"--version":                    "--version",
		"-h ls":                        "-h ls",
	} {
		if got := strings.Join(commandFirst(strings.Fields(line)), " "); got != want {
			t.Errorf("%s: %s, want %s", line, got, want)
		}
	}
}
