package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// Whoever comes with the words of another client is told what to use instead, and
// not what is wrong with the flags of a command that there is not.
func TestForeignWords(t *testing.T) {
	for line, want := range map[string]string{
		"rmdir oss://b/dir/":                                 "no directories to remove",
		"probe --upload --bucketname b":                      "ossa doctor",
		"bucket-versioning --method get oss://b":             "ossa ls --all-versions",
		"worm init oss://b 1":                                "has none for this setting",
		"bucket-policy oss://b":                              "needs --method",
		"-e http://127.0.0.1:1 -i id -k secret rmdir oss://": "no directories to remove",
		"--json mirror a oss://b":                            "use ossa sync",
		"mv oss://b/k oss://b/l":                             "ossa cp, and then ossa rm",
		"s3 ls":                                              "not S3",
		"help mirror":                                        "use ossa sync",
		"help uploads cleen":                                 `did you mean "clean"?`,
		"uploads list":                                       `did you mean "ls"?`,
		"config -e http://127.0.0.1:1":                       "behind one of the commands of ossa config",
		"config list":                                        `did you mean "ls"?`,
		"lifecycle delete-all":                               `there is no command "delete-all"` + "\n",
		"tag remove oss://b":                                 `did you mean "rm"?`,
		"cp a oss://bkt/ --maxupspeed 100":                   "use --limit-rate",
		"cp a oss://bkt/ --checkpoint-dir x":                 "resuming needs no files",
		"cp a oss://bkt/ --partsize=1MiB":                    `did you mean "--part-size"?`,
		"sync a oss://bkt/ --dryrun":                         `did you mean "--dry-run"?`,
		"ls -json oss://bkt":                                 `did you mean "--json"?`,
		"acl oss://bkt/k":                                    "comes first, one of get, set\n",
		"oss://bkt":                                          "such as ls, cp or stat, comes first",
		"config set -k secret":                               "use --secret-file",
		"config set --access-key-secret secret":              "use --secret-file",
		"presign --method POST oss://bkt/k -e h:1 -i a -k b": "--operation initiate or complete",
		"rm -rfb oss://bkt":                                  "use ossa rb, with --empty",
		"sync a oss://bkt -r":                                "leave it out",
		"ls -x oss://bkt":                                    "unknown shorthand flag: 'x' in -x\n",
		"ab":                                                 `there is no command "ab"` + "\n",
	} {
		var stdout, stderr bytes.Buffer
		if status := run(strings.Fields(line), &stdout, &stderr); status != exitUsage {
			t.Errorf("ossa %s: status %d", line, status)
		}
		if !strings.Contains(stderr.String(), want) {
			t.Errorf("ossa %s: %q does not say %q", line, stderr.String(), want)
		}
		if stdout.Len() > 0 {
			t.Errorf("ossa %s: stdout has %q", line, stdout.String())
		}
	}
}

// What is advised instead of another client's word is a command that there is.
func TestForeignAdvice(t *testing.T) {
	commands := rootCommand()
	for _, table := range []map[string]string{foreignCommands, foreignFlags, foreignLetters} {
		for word, advice := range table {
			words := strings.Fields(advice)
			for i, w := range words[:len(words)-1] {
				name := strings.Trim(words[i+1], ",;:.")
				if w != "ossa" || slices.Contains([]string{"has", "makes", "does", "mounts", "moves", "compares"}, name) {
					continue
				}
				if _, err := unknownCommand(commands, []string{name}); err != nil {
					t.Errorf("%s: %v", word, err)
				}
			}
		}
	}
}
