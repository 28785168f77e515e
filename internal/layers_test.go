// Package internal holds the rooms of Ossa; the test here keeps their order.
package internal

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/ossastore/ossa"

// mayImport lists, for every room, the rooms of this module below it. A room is
// a package's path without the module and without "internal/".
var mayImport = map[string][]string{
	"cmd/ossa": {"admin", "auth", "doctor", "engine", "iam", "kms", "lifecycle", "lifecycle/runner", "oss", "server", "sign", "smallfile", "store", "transfer", "wire"},

	"oss":      {"digest", "partial", "sign", "wire"}, // public
	"doctor":   {"oss", "sign", "wire"},
	"transfer": {"kv", "kv/pebblekv", "oss", "partial", "wire"}, // its journal is an engine's, and nobody's to choose

	"server": {"auth", "digest", "lifecycle", "sign", "store", "wire"},
	"auth":   {"sign"},
	"iam":    {"auth", "kms", "store"},
	"admin":  {"auth", "iam", "kms", "sign", "store", "wire"},
	"sign":   {},
	"wire":   {},

	"lifecycle":        {"wire"},
	"lifecycle/runner": {"lifecycle", "store"},

	"store":  {"blob", "digest", "kms", "kv", "meta", "seal"},
	"meta":   {"blob", "kv"}, // of blob the type Extent only
	"digest": {},

	"partial": {},

	"digest/internal/genmd5": {}, // writes a source file of digest

	"kv":   {},
	"blob": {},

	"seal":      {},
	"kms":       {"smallfile"},
	"smallfile": {},

	// Only engine imports implementations.
	"engine":        {"blob", "blob/fileblob", "blob/memblob", "kv", "kv/memkv", "kv/pebblekv", "smallfile"},
	"kv/memkv":      {"kv"},
	"kv/pebblekv":   {"kv"},
	"blob/memblob":  {"blob"},
	"blob/fileblob": {"blob"},

	// Rooms that only tests enter.
	"model":         {"store"}, // the types of its requests and results only
	"kv/kvtest":     {"kv"},
	"kv/faultkv":    {"kv"},
	"blob/blobtest": {"blob"},
	"kms/kmstest":   {"kms"},
	"vfstest":       {},

	"test/process": {},
	"test/crash":   {"admin", "sign", "test/process"},
	"test/chaos":   {"digest", "oss", "test/process"},
	"bench/memory": {"oss", "test/process"},
}

// testsMayImport lists what test files may import on top of their room's list:
// the seams, the suites, the fakes and the engines that everything is tested on.
var testsMayImport = []string{
	"blob", "blob/blobtest", "blob/fileblob", "blob/memblob",
	"kv", "kv/faultkv", "kv/kvtest", "kv/memkv", "kv/pebblekv",
	"engine", "kms", "kms/kmstest", "model", "vfstest",
}

// testsOfRoomMayImport lists what the test files of one room may import on top
// of that.
var testsOfRoomMayImport = map[string][]string{
	"oss":    {"auth", "server", "store"}, // the client is tried on the server
	"doctor": {"auth", "server", "store"}, // as is what looks for its mistakes
	"server": {"iam"},                     // with users that are there

	"transfer": {"auth", "server", "store"}, // likewise
}

// Every import of a room of this module is one that mayImport lists, whatever
// the build tags. A new room must be listed before it builds here, and told of in
// CONTRIBUTING.md.
func TestLayers(t *testing.T) {
	rooms := make(map[string]bool)
	err := fs.WalkDir(os.DirFS(".."), ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			return enter(name)
		case strings.HasSuffix(name, ".go") && path.Dir(name) != "internal":
			room := strings.TrimPrefix(path.Dir(name), "internal/")
			rooms[room] = true
			checkFile(t, room, filepath.Join("..", filepath.FromSlash(name)))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for room := range mayImport {
		if !rooms[room] {
			t.Errorf("mayImport lists %s, which does not exist", room)
		}
	}
	house, err := os.ReadFile("../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	for room := range rooms {
		told := strings.Contains(string(house), " "+path.Base(room)+"/") || strings.Contains(string(house), " "+room+"/")
		if !told && !strings.Contains(room, "/internal/") {
			t.Errorf("CONTRIBUTING.md does not tell of %s", room)
		}
	}
	if len(rooms) < 10 {
		t.Errorf("found only these rooms: %v", slices.Sorted(maps.Keys(rooms)))
	}
}

// enter skips what is not Go source of this module.
func enter(dir string) error {
	if dir == "." {
		return nil
	}
	base := path.Base(dir)
	if strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "node_modules" {
		return fs.SkipDir
	}
	if _, err := os.Stat(filepath.Join("..", filepath.FromSlash(dir), "go.mod")); err == nil {
		return fs.SkipDir // a module of its own
	}
	return nil
}

func checkFile(t *testing.T, room, name string) {
	t.Helper()
	below, listed := mayImport[room]
	if !listed {
		t.Errorf("%s: room %s is not in mayImport", name, room)
		return
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
	if err != nil {
		t.Error(err)
		return
	}
	for _, spec := range file.Imports {
		target, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		other, ours := strings.CutPrefix(target, module+"/")
		if !ours {
			continue
		}
		other = strings.TrimPrefix(other, "internal/")
		allowed := other == room || slices.Contains(below, other) ||
			strings.HasSuffix(name, "_test.go") &&
				(slices.Contains(testsMayImport, other) || slices.Contains(testsOfRoomMayImport[room], other))
		if !allowed {
			t.Errorf("%s: room %s may not import %s", name, room, other)
		}
	}
}
