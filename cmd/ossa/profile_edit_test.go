package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ossastore/ossa/oss"
)

// What is set is what readers find, whatever a person made of the file, and the
// other profiles stay what they are.
func TestEditProfiles(t *testing.T) {
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	name := filepath.Join(t.TempDir(), "config")
	pieces := []string{
		"[default]", "[profile default]", "[ Default ]", "[a]", "[profile a]", "[profile  A]", "[]", "endpoint=http://old", "End-Point = http://older",
		"accessKeyID=[x]", "; [a]", "# endpoint=http://no", "", "region=old", "source_profile=a=b",
	}
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 0))
		text := []string{"[b]", "region=kept"}
		for range random.IntN(9) {
			text = append(text, pieces[random.IntN(len(pieces)-1)])
		}
		before := strings.Join(text, "\n") + "\n"
		if seed%3 == 0 {
			before = "\ufeff" + strings.ReplaceAll(before, "\n", "\r\n")
		}
		if err := os.WriteFile(name, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, profile := range []string{"default", "a"} {
			value := fmt.Sprintf("http://%s-%d", profile, seed)
			if err := editProfiles(name, func(e *profileEditor) error { e.set(profile, "endpoint", value); return nil }); err != nil {
				t.Fatalf("%q: %v", before, err)
			}
			if p, err := oss.LoadProfile(name, profile); err != nil || p.Endpoint != value {
				after, _ := os.ReadFile(name)
				t.Fatalf("seed %d, profile %s: %+v, %v\n%q\n%q", seed, profile, p, err, before, after)
			}
		}
		if p, err := oss.LoadProfile(name, "b"); err != nil || p.Region != "kept" && !strings.Contains(before, "region=old") {
			t.Fatalf("seed %d: %+v, %v", seed, p, err)
		}
		gone := func(e *profileEditor) error {
			if !e.remove("a") || e.remove("a") {
				return errors.New("not removed, or not wholly")
			}
			return nil
		}
		if err := editProfiles(name, gone); err != nil {
			t.Fatal(err)
		}
		if p, err := oss.LoadProfile(name, "a"); err == nil {
			t.Fatalf("seed %d: removed, and there is %+v", seed, p)
		}
	}
}

// Files that are not the program's own stay as they are, and so do links.
func TestEditForeignProfiles(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("OSSUTIL_CONFIG_FILE", filepath.Join(dir, "none"))
	change := func(e *profileEditor) error { e.set("default", "region", "new"); return nil }
	for name, text := range map[string]string{
		"json": "{\"a\": 1}\n", "binary": "\x7fELF\x00\x00", "version1": "[Credentials]\naccessKeyID=i\n", "torn": "[default\nregion=old\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		var usage *usageError
		if err := editProfiles(file, change); !errors.As(err, &usage) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(file); string(after) != text {
			t.Errorf("%s became %q", name, after)
		}
	}
	if err := editProfiles(dir, change); err == nil {
		t.Error("a directory was changed")
	}
	real, link := filepath.Join(dir, "elsewhere", "real"), filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join("elsewhere", "real"), link); err != nil {
		t.Skip(err)
	}
	for _, what := range []string{"new", "changed"} {
		if err := editProfiles(link, change); err != nil {
			t.Fatal(err)
		}
		if p, err := oss.LoadProfile(real, ""); err != nil || p.Region != "new" {
			t.Errorf("%s behind a link: %+v, %v", what, p, err)
		}
		if target, err := os.Readlink(link); err != nil || target != filepath.Join("elsewhere", "real") {
			t.Errorf("the link leads to %q, %v", target, err)
		}
	}
	circle := filepath.Join(dir, "circle")
	if err := os.Symlink("circle", circle); err != nil {
		t.Fatal(err)
	}
	if err := editProfiles(circle, change); err == nil {
		t.Error("links in a circle lead somewhere")
	}
}
