package server

import (
	"bytes"
	"encoding/base64"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/kms"
)

var update = flag.Bool("update", false, "write what is golden anew")

// TestWire plays the scenarios in testdata/wire and compares every byte that a
// client sees of the answers. A scenario is blocks with an empty line between:
//
//	# comment
//	> METHOD /path-style/target?query        signed with V4 unless "> @anonymous"
//	> Header: value
//	> | a line of the body
//	> @body N XX                             N times the byte XX
//	> @pass 25h                              without a request: the store's clock goes on
//	< status
//	< Header: value                          every header, sorted
//	< | a line of the body
//
// {U1}, {U2} ... stand for the upload IDs of the scenario in order. Headers that
// every answer has are checked and not shown.
func TestWire(t *testing.T) {
	files, err := filepath.Glob("testdata/wire/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scenarios: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := newScenario(t).play(string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o666); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != string(want) {
				t.Errorf("%s differs; got\n%s", file, firstDifference(got, string(want)))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range g {
		if i >= len(w) || g[i] != w[i] {
			from, to := max(0, i-8), min(len(g), i+8)
			return fmt.Sprintf("(line %d)\n%s", i+1, strings.Join(g[from:to], "\n"))
		}
	}
	return "(too short)"
}

var onEveryAnswer = map[string]*regexp.Regexp{
	"x-oss-request-id":  regexp.MustCompile("^6553F1000000000000000000$"),
	"x-oss-server-time": regexp.MustCompile("^[0-9]+$"),
	"date":              regexp.MustCompile("^Tue, 14 Nov 2023 22:13:20 GMT$"),
	"server":            regexp.MustCompile("^AliyunOSS$"),
	"connection":        regexp.MustCompile("^keep-alive$"),
}

type scenario struct {
	*fixture
	uploads []string
	passed  atomic.Int64 // how far the store's clock is ahead of the server's, which stands still
}

// newScenario makes a server whose key ring has, beside its default key, the key
// alias/photos.
func newScenario(t *testing.T) *scenario {
	ring, err := kms.Open(vfs.NewMem(), "keyring", kms.Options{Rand: &ascending{}})
	if err == nil {
		err = ring.Create(t.Context(), "alias/photos")
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &scenario{}
	s.fixture = newFixture(t, func(c *config) {
		c.store.Clock = func() time.Time { return epoch.Add(time.Duration(s.passed.Load())) }
		c.store.RestoreTime = time.Minute
		c.store.KeyRing = ring
	})
	return s
}

func (s *scenario) play(text string) string {
	var out []string
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var kept []string
		for line := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(line, "<") {
				kept = append(kept, line)
			}
		}
		if c, ok := s.parse(kept); ok {
			kept = append(kept, s.show(s.do(c))...)
		}
		out = append(out, strings.Join(kept, "\n"))
	}
	return strings.Join(out, "\n\n") + "\n"
}

// parse reads the request of a block, if there is one.
func (s *scenario) parse(lines []string) (call, bool) {
	c := call{header: map[string]string{}}
	var body []string
	for _, line := range lines {
		line, ok := strings.CutPrefix(line, "> ")
		if !ok {
			continue
		}
		for i, id := range s.uploads {
			line = strings.ReplaceAll(line, fmt.Sprintf("{U%d}", i+1), id)
		}
		name, value, isHeader := strings.Cut(line, ": ")
		switch {
		case strings.HasPrefix(line, "@pass "):
			d, err := time.ParseDuration(strings.TrimPrefix(line, "@pass "))
			if err != nil {
				s.t.Fatalf("%q: %v", line, err)
			}
			s.passed.Add(int64(d))
		case c.method == "":
			var target string
			c.method, target, _ = strings.Cut(line, " ")
			target, c.query, _ = strings.Cut(target, "?")
			c.setTarget(target)
		case line == "@anonymous":
			c.anonymous = true
		case strings.HasPrefix(line, "@body "):
			var n int
			var b byte
			if _, err := fmt.Sscanf(line, "@body %d %x", &n, &b); err != nil {
				s.t.Fatalf("%q: %v", line, err)
			}
			c.body = string(bytes.Repeat([]byte{b}, n))
		case strings.HasPrefix(line, "|"):
			body = append(body, strings.TrimPrefix(line[1:], " "))
		case name == "Host":
			c.host = value
		case isHeader:
			c.header[name] = value
		default:
			s.t.Fatalf("what is %q?", line)
		}
	}
	if body != nil {
		c.body = strings.Join(body, "\n")
	}
	return c, c.method != ""
}

// setTarget splits a path-style target.
func (c *call) setTarget(target string) {
	c.target = target
	bucket, key, _ := strings.Cut(strings.TrimPrefix(target, "/"), "/")
	c.bucket = bucket
	c.key = unescapeForTest(key)
}

var escape = regexp.MustCompile(`%[0-9A-F]{2}`)

func unescapeForTest(s string) string {
	return escape.ReplaceAllStringFunc(s, func(e string) string {
		b, _ := strconv.ParseUint(e[1:], 16, 8)
		return string([]byte{byte(b)})
	})
}

// show is an answer as scenarios have it.
func (s *scenario) show(r *result) []string {
	if id := between(r.body, "<UploadId>", "</UploadId>"); len(id) == 32 && !slices.Contains(s.uploads, id) &&
		strings.Contains(r.body, "<InitiateMultipartUploadResult>") {
		s.uploads = append(s.uploads, id)
	}
	for name, want := range onEveryAnswer {
		if !want.MatchString(r.get(name)) {
			s.t.Errorf("%s: %q", name, r.get(name))
		}
	}
	lines := []string{"< " + strconv.Itoa(r.status)}
	var headers []string
	for name, values := range r.header {
		value := strings.Join(values, ",")
		if strings.EqualFold(name, "x-oss-err") {
			value = "base64 of"
		}
		if onEveryAnswer[strings.ToLower(name)] == nil {
			headers = append(headers, "< "+name+": "+value)
		}
	}
	slices.Sort(headers)
	lines = append(lines, headers...)
	if e := r.get("x-oss-err"); e != "" {
		b, err := base64.StdEncoding.DecodeString(e)
		if err != nil {
			s.t.Errorf("x-oss-err: %v", err)
		}
		r.body = string(b)
	}
	if r.body != "" {
		for line := range strings.SplitSeq(strings.TrimSuffix(r.body, "\n"), "\n") {
			if len(line) > 2000 {
				line = fmt.Sprintf("(%d bytes)", len(line))
			}
			lines = append(lines, "< | "+line)
		}
	}
	for i := range lines {
		for n, id := range s.uploads {
			lines[i] = strings.ReplaceAll(lines[i], id, fmt.Sprintf("{U%d}", n+1))
		}
	}
	return lines
}
