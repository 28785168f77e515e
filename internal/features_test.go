package internal

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"
)

// proof is a test as docs/features.md names one.
var proof = regexp.MustCompile("`(?:([a-z0-9]+)\\.(Test\\w+)|(wire|script)/([\\w-]+\\.\\w+)|(test/\\w+))`|\\*([^*|]+)\\*")

// Every test that docs/features.md calls as a witness is there under that name,
// and every row has one.
func TestFeatures(t *testing.T) {
	text, err := os.ReadFile("../docs/features.md")
	if err != nil {
		t.Fatal(err)
	}
	scenarios, err := os.ReadFile("../test/compat/python/oss2_scenario.py")
	if err != nil {
		t.Fatal(err)
	}
	tests := goTests(t)
	places := map[string]string{"wire": "server/testdata/wire", "script": "../cmd/ossa/testdata/script"}
	rows := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(line, "|")
		if len(cells) != 6 || strings.Trim(cells[1], " 0123456789") != "" {
			continue
		}
		rows++
		witnesses := proof.FindAllStringSubmatch(cells[4], -1)
		if len(witnesses) == 0 {
			t.Errorf("row %s has no proof", cells[1])
		}
		for _, m := range witnesses {
			found := false
			switch {
			case m[2] != "":
				found = tests[m[1]+"."+m[2]]
			case m[3] != "":
				found = exists(path.Join(places[m[3]], m[4]))
			case m[5] != "":
				found = exists("../" + m[5])
			default:
				found = strings.Contains(string(scenarios), `@scenario("`+m[6]+`")`)
			}
			if !found {
				t.Errorf("row %s: there is no %s", cells[1], m[0])
			}
		}
	}
	if rows != 22 {
		t.Errorf("docs/features.md has %d rows, want 22", rows)
	}
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// goTests are the test functions of the module, by the last element of their
// package's path and their name.
func goTests(t *testing.T) map[string]bool {
	declaration := regexp.MustCompile(`(?m)^func (Test\w+)\(`)
	tests := make(map[string]bool)
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(name)
		case !strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := os.ReadFile(path.Join("..", name))
		for _, m := range declaration.FindAllStringSubmatch(string(text), -1) {
			tests[path.Base(path.Dir(name))+"."+m[1]] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return tests
}
