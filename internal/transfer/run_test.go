package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/partial"
	"github.com/ossastore/ossa/internal/server"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/oss"
)

const testBucket = "examplebucket"

// fixture is a server in memory, and a client whose network counts and fails.
type fixture struct {
	t      *testing.T
	client *oss.Client
	next   *http.Transport

	mu     sync.Mutex
	counts map[string]int // requests by method
	flying int            // requests that are not answered
	held   int            // of them those that wait in land, or did
	landed *sync.Cond     // with mu: one of the two has changed
	hook   func(*http.Request) error
}

func (f *fixture) RoundTrip(req *http.Request) (*http.Response, error) {
	f.mu.Lock()
	f.counts[req.Method]++
	f.flying++
	hook := f.hook
	f.mu.Unlock()
	defer f.answered()
	if hook != nil {
		if err := hook(req); err != nil {
			return nil, err
		}
	}
	return f.next.RoundTrip(req)
}

func (f *fixture) answered() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying--
	f.landed.Broadcast()
}

// land is for hooks: it holds a request until the server has answered all that
// are not held.
func (f *fixture) land() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held++
	f.landed.Broadcast()
	for f.flying > f.held {
		f.landed.Wait()
	}
}

func (f *fixture) set(hook func(*http.Request) error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
	clear(f.counts)
}

func (f *fixture) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.counts[method]
}

// newFixture makes a server with an empty bucket. The goroutines of the test must
// be gone at its end.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	before := runtime.NumGoroutine()
	t.Cleanup(func() {
		for end := time.Now().Add(10 * time.Second); runtime.NumGoroutine() > before; runtime.Gosched() {
			if time.Now().After(end) {
				t.Errorf("%d goroutines, %d before", runtime.NumGoroutine(), before)
				return
			}
		}
	})
	st, err := store.Open(t.Context(), memkv.New(), memblob.New(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	sv, err := server.New(st, server.Options{Keys: auth.RootKey{AccessKeyID: "testaccesskey", Secret: "testsecret-0123456789", OwnerID: "1"}})
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	hs, served := sv.HTTPServer(), make(chan struct{})
	go func() {
		defer close(served)
		hs.Serve(l)
	}()
	f := &fixture{t: t, next: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64}, counts: map[string]int{}}
	f.landed = sync.NewCond(&f.mu)
	t.Cleanup(func() {
		f.next.CloseIdleConnections()
		hs.Close()
		<-served
	})
	f.client, err = oss.NewClient("http://"+l.Addr().String(), oss.WithRegion("cn-hangzhou"),
		oss.WithCredentials(oss.StaticCredentials("testaccesskey", "testsecret-0123456789", "")),
		oss.WithHTTPClient(&http.Client{Transport: f}), oss.WithRetryPolicy(oss.RetryPolicy{Attempts: 1}))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.client.PutBucket(t.Context(), &oss.PutBucketRequest{Bucket: testBucket}); err != nil {
		t.Fatal(err)
	}
	return f
}

func (f *fixture) prefix(p string) *Prefix {
	return &Prefix{Client: f.client, Bucket: testBucket, Prefix: p}
}

// keys are the objects below a prefix, without it.
func (f *fixture) keys(prefix string) []string {
	f.t.Helper()
	var keys []string
	for e, err := range f.prefix(prefix).Entries(f.t.Context(), Filter{}) {
		if err != nil {
			f.t.Fatal(err)
		}
		keys = append(keys, e.Name)
	}
	return keys
}

// write makes files whose content is their name, an hour old.
func write(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(name), 0o666); err != nil {
			t.Fatal(err)
		}
		old := time.Now().Add(-time.Hour)
		if err := os.Chtimes(file, old, old); err != nil {
			t.Fatal(err)
		}
	}
}

func numbered(n int) []string {
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("d%d/f%04d", i%7, i))
	}
	slices.Sort(names)
	return names
}

// files are the names of the regular files below a directory.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, name)
			names = append(names, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func mustRun(t *testing.T, o Options, source, target Tree) *Summary {
	t.Helper()
	s, err := Run(t.Context(), o, source, target)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A run that was cancelled goes on where it stood: what it has sent is neither
// sent nor read nor asked about again.
func TestSyncGoesOnAfterInterruption(t *testing.T) {
	f := newFixture(t)
	dir, state := t.TempDir(), t.TempDir()
	names := numbered(300)
	write(t, dir, names...)
	sync := func(ctx context.Context) (*Summary, error) {
		j, err := OpenJournal(state, "s", time.Now)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		return Run(ctx, Options{Client: f.client, Mode: Different, Jobs: 4, Journal: j}, &Folder{Path: dir}, f.prefix("p/"))
	}

	ctx, cancel := context.WithCancel(t.Context())
	f.set(func(req *http.Request) error {
		if req.Method == "PUT" && f.count("PUT") > 100 {
			f.land() // or the server would go on with what nobody waits for
			cancel()
			return ctx.Err()
		}
		return nil
	})
	s, err := sync(ctx)
	if !errors.Is(err, context.Canceled) || s.Done == 0 || s.Done >= 300 {
		t.Fatalf("%d done, %v", s.Done, err)
	}
	there := len(f.keys("p/"))

	f.set(nil)
	s2, err := sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := f.keys("p/"); !slices.Equal(got, names) {
		t.Errorf("%d objects", len(got))
	}
	if sent := f.count("PUT"); sent != 300-there {
		t.Errorf("%d were sent, %d were missing", sent, 300-there)
	}
	// At most those that were under way when it ended were there and not noted.
	if asked := f.count("HEAD"); asked > 4 {
		t.Errorf("%d were asked about", asked)
	}
	if s2.Done+s2.Skipped != 300 {
		t.Errorf("%+v", s2)
	}

	f.set(nil)
	if s, err := sync(t.Context()); err != nil || s.Skipped != 300 || f.count("HEAD")+f.count("PUT") != 0 {
		t.Errorf("a third run: %+v, %v, %d HEAD, %d PUT", s, err, f.count("HEAD"), f.count("PUT"))
	}
}

// Downloaded files are noted as well, and a change of the same size is found by
// the file's time, an object's by its ETag.
func TestSyncDown(t *testing.T) {
	f := newFixture(t)
	dir, down := t.TempDir(), filepath.Join(t.TempDir(), "down")
	write(t, dir, numbered(20)...)
	mustRun(t, Options{Client: f.client}, &Folder{Path: dir}, f.prefix("p/"))

	later := &tick{time.Now().Add(time.Hour)} // objects of the last two seconds are not noted
	j := openTestJournal(t, t.TempDir(), "s", later)
	defer j.Close()
	o := Options{Client: f.client, Mode: Different, Journal: j, Now: later.Now}
	run := func(wantDone int64, wantHeads int) {
		t.Helper()
		f.set(nil)
		s := mustRun(t, o, f.prefix("p/"), &Folder{Path: down})
		j.mu.Lock()
		j.flush()
		j.mu.Unlock()
		if s.Done != wantDone || s.Done+s.Skipped != 20 || f.count("HEAD") != wantHeads {
			t.Errorf("%+v, want %d done; %d HEAD, want %d", s, wantDone, f.count("HEAD"), wantHeads)
		}
		for _, name := range numbered(20) {
			a, _ := os.ReadFile(filepath.Join(dir, name))
			b, _ := os.ReadFile(filepath.Join(down, name))
			if string(a) != string(b) {
				t.Errorf("%s has %q, want %q", name, b, a)
			}
		}
	}
	run(20, 0)
	run(0, 0)
	name := numbered(20)[3]
	if err := os.WriteFile(filepath.Join(down, name), []byte("D0/f0000"), 0o666); err != nil {
		t.Fatal(err)
	}
	run(1, 1)
	if err := os.WriteFile(filepath.Join(dir, name), []byte("E0/f0000"), 0o666); err != nil {
		t.Fatal(err)
	}
	mustRun(t, Options{Client: f.client}, &Folder{Path: dir}, f.prefix("p/"))
	run(1, 1)
}

// One failure does not end a run; it is in the report.
func TestRunGoesOnAfterFailure(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	write(t, dir, "a", "b", "c", "d/e")
	f.set(func(req *http.Request) error {
		if req.Method == "PUT" && strings.HasSuffix(req.URL.Path, "/b") {
			return errors.New("made up")
		}
		return nil
	})
	report := &Report{Name: filepath.Join(t.TempDir(), "sub", "report")}
	s := mustRun(t, Options{Client: f.client, Report: report}, &Folder{Path: dir}, f.prefix(""))
	if err := report.Close(); err != nil {
		t.Fatal(err)
	}
	if got := f.keys(""); s.Failed != 1 || s.Done != 3 || !slices.Equal(got, []string{"a", "c", "d/e"}) {
		t.Errorf("%+v, %v", s, got)
	}
	text, err := os.ReadFile(report.Name)
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(text), "\n"); n != 1 || !strings.Contains(string(text), `"target":"oss://`+testBucket+`/b"`) ||
		!strings.Contains(string(text), "made up") {
		t.Errorf("the report: %s", text)
	}
}

// A failure that all would share ends the run.
func TestRunEndsWhenHopeless(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	write(t, dir, numbered(500)...)
	s, err := Run(t.Context(), Options{Client: f.client}, &Folder{Path: dir}, &Prefix{Client: f.client, Bucket: "no-such-bucket"})
	if !errors.Is(err, oss.ErrNoSuchBucket) || s.Failed > 2*defaultJobs {
		t.Errorf("no bucket: %+v, %v", s, err)
	}
	f.set(func(req *http.Request) error { return io.ErrUnexpectedEOF })
	s, err = Run(t.Context(), Options{Client: f.client}, &Folder{Path: dir}, f.prefix(""))
	if err == nil || !strings.Contains(err.Error(), "20 failures in a row") || s.Failed > InRowMax+2*defaultJobs {
		t.Errorf("no network: %+v, %v", s, err)
	}
}

// listed is a tree that is what a test says.
type listed struct {
	*Prefix
	entries []Entry
	err     error
}

func (l *listed) Entries(context.Context, Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for _, e := range l.entries {
			if !yield(e, nil) {
				return
			}
		}
		if l.err != nil {
			yield(Entry{}, l.err)
		}
	}
}

// Nothing is deleted if a part of the source could not be read, if its listing
// broke off, or if there is nothing in it.
func TestDeleteIsCareful(t *testing.T) {
	for name, c := range map[string]struct {
		source  listed
		force   bool
		deletes bool
	}{
		"all is well":            {source: listed{entries: []Entry{{Name: "a", Size: 1, ETag: "X"}}}, deletes: true},
		"a directory is missing": {source: listed{entries: []Entry{{Name: "a", Size: 1}, {Name: "d/", Err: fs.ErrPermission}}}},
		"the listing breaks off": {source: listed{entries: []Entry{{Name: "a", Size: 1}}, err: io.ErrUnexpectedEOF}},
		"it is empty":            {source: listed{}},
		"it is to be empty":      {source: listed{}, force: true, deletes: true},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			dir := t.TempDir()
			write(t, dir, "a", "b", "d/e")
			mustRun(t, Options{Client: f.client}, &Folder{Path: dir}, f.prefix("p/"))
			source := c.source
			source.Prefix = f.prefix("p/")
			s, err := Run(t.Context(), Options{Client: f.client, Mode: Different, Delete: true, DeleteAll: c.force, DryRun: false}, &source, f.prefix("p/"))
			if (err != nil) != (source.err != nil) {
				t.Fatal(err)
			}
			kept := slices.Contains(f.keys("p/"), "b") && slices.Contains(f.keys("p/"), "d/e")
			if kept == c.deletes || !c.deletes && err == nil && s.KeptBack == "" {
				t.Errorf("what is left: %v; %+v", f.keys("p/"), s)
			}
			s, err = Run(t.Context(), Options{Client: f.client, Mode: Different, Delete: true}, &listed{Prefix: f.prefix("p/")}, f.prefix("nothing/"))
			if err != nil || s.KeptBack != "" {
				t.Errorf("nothing is there to delete: %+v, error %v", s, err)
			}
		})
	}
}

// A folder is read in the order of keys, whatever the names, and completely.
func TestFolderIsInOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	dir := t.TempDir()
	letters := []string{"a", "b", "-", "!", "0", "a-", "é", " "}
	for range 400 {
		var name []string
		for range 1 + r.IntN(3) {
			name = append(name, letters[r.IntN(len(letters))]+letters[r.IntN(len(letters))])
		}
		file := filepath.Join(dir, filepath.Join(name...))
		if os.MkdirAll(filepath.Dir(file), 0o777) == nil {
			os.WriteFile(file, nil, 0o666) // unless it is a directory
		}
	}
	var got []string
	for e, err := range (&Folder{Path: dir}).Entries(t.Context(), Filter{}) {
		if err != nil || e.Err != nil {
			t.Fatal(err, e.Err)
		}
		got = append(got, e.Name)
	}
	if !slices.IsSorted(got) {
		t.Error("not in order")
	}
	if want := files(t, dir); !slices.Equal(got, want) || len(got) < 100 {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
}

// Links that lead back are found, and end nothing.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "d/f")
	for link, to := range map[string]string{"loop": ".", "d/up": "..", "file": "d/f", "dangling": "nowhere", "dir": "d"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Fatal(err)
		}
	}
	for links, want := range map[Links]string{
		SkipLinks:   "d/f: file; d/up: a symbolic link; dangling: a symbolic link; dir: a symbolic link; file: a symbolic link; loop: a symbolic link",
		FollowFiles: "d/f: file; d/up: a symbolic link; dangling: error; dir: a symbolic link; file: file; loop: a symbolic link",
		FollowAll: "d/f: file; d/up/: a link that leads back to where it is; dangling: error; dir/f: file; " +
			"dir/up/: a link that leads back to where it is; file: file; loop/: a link that leads back to where it is",
	} {
		var got []string
		for e, err := range (&Folder{Path: dir, Links: links}).Entries(t.Context(), Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			what := "file"
			if e.Skip != "" {
				what = e.Skip
			} else if e.Err != nil {
				what = "error"
			}
			got = append(got, e.Name+": "+what)
		}
		if text := strings.Join(got, "; "); text != want {
			t.Errorf("%s:\n%s, want\n%s", links, text, want)
		}
	}
}

// merge pairs what has the same name.
func TestMerge(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 200 {
		want := map[string]int{} // 1 in the source, 2 in the target
		side := func(bit int) *listed {
			l := &listed{}
			names := map[string]bool{}
			for range r.IntN(10) {
				names[string(rune('a'+r.IntN(12)))] = true
			}
			for _, name := range slices.Sorted(maps.Keys(names)) {
				l.entries = append(l.entries, Entry{Name: name})
				want[name] |= bit
			}
			return l
		}
		s, d := side(1), side(2)
		got := map[string]int{}
		for p, err := range merge(s.Entries(t.Context(), Filter{}), d.Entries(t.Context(), Filter{})) {
			if err != nil {
				t.Fatal(err)
			}
			for bit, e := range map[int]*Entry{1: p.source, 2: p.target} {
				if e != nil {
					if e.Name != p.name {
						t.Fatalf("%s is %s", p.name, e.Name)
					}
					got[p.name] |= bit
				}
			}
		}
		if !maps.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// Symbolic links in the target lead nowhere outside, those of directories and of
// files alike, for small objects and for large ones.
func TestDownloadStaysInside(t *testing.T) {
	f := newFixture(t)
	for key, n := range map[string]int{"p/dir/small": 10, "p/dir/large": smallFile + 1, "p/file": 10, "p/ok": 10, "p/x": 10, "p/y": smallFile + 1} {
		if _, err := f.client.PutObject(t.Context(), &oss.PutObjectRequest{Bucket: testBucket, Key: key, Body: strings.NewReader(strings.Repeat("x", n))}); err != nil {
			t.Fatal(err)
		}
	}
	outside, target := t.TempDir(), t.TempDir()
	write(t, outside, "victim")
	for link, to := range map[string]string{
		"dir": outside, "file": filepath.Join(outside, "victim"),
		oss.PartialName("x"): filepath.Join(outside, "victim"), oss.PartialName("y"): filepath.Join(outside, "victim"),
	} {
		if err := os.Symlink(to, filepath.Join(target, link)); err != nil {
			t.Fatal(err)
		}
	}
	s := mustRun(t, Options{Client: f.client}, f.prefix("p/"), &Folder{Path: target})
	if got := files(t, outside); !slices.Equal(got, []string{"victim"}) {
		t.Errorf("outside there are %v", got)
	}
	if text, _ := os.ReadFile(filepath.Join(outside, "victim")); string(text) != "victim" {
		t.Errorf("a file outside was written: %q", text)
	}
	if s.Done != 2 || s.Failed != 4 { // ok, and x, whose leftover is replaced
		t.Errorf("%+v", s)
	}
}

// A listing that is in another order than that of keys, or has keys of elsewhere,
// ends a run before anything is deleted: what is on both sides would seem to
// be on one only.
func TestDeleteNeedsOrder(t *testing.T) {
	for name, keys := range map[string][]string{
		"disorder":  {"p/b", "p/a", "p/c"},
		"twice":     {"p/a", "p/a", "p/b", "p/c"},
		"elsewhere": {"p/a", "p/b", "q/c"},
	} {
		deleted := 0
		c, err := oss.NewClient("http://127.0.0.1:1", oss.WithRegion("cn-hangzhou"),
			oss.WithCredentials(oss.StaticCredentials("testaccesskey", "testsecret-0123456789", "")),
			oss.WithHTTPClient(&http.Client{Transport: listing{keys, func() string { deleted++; return "" }}}))
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		write(t, dir, "a", "b", "c")
		s, err := Run(t.Context(), Options{Client: c, Mode: Newer, Delete: true}, &Folder{Path: dir}, &Prefix{Client: c, Bucket: testBucket, Prefix: "p/"})
		if err == nil || deleted > 0 || s.Deleted > 0 {
			t.Errorf("%s: %v, %+v", name, err, s)
		}
		s, err = Run(t.Context(), Options{Client: c, Mode: Newer, Delete: true}, &Prefix{Client: c, Bucket: testBucket, Prefix: "p/"}, &Folder{Path: dir})
		if err == nil || s.Deleted > 0 || !slices.Equal(files(t, dir), []string{"a", "b", "c"}) {
			t.Errorf("%s, down: %v, %+v", name, err, s)
		}
	}
}

// listing is a server that lists keys of its choice, as new as can be.
type listing struct {
	keys    []string
	deleted func() string
}

func (l listing) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		req.Body.Close()
	}
	body, status := "", http.StatusOK
	switch {
	case req.Method == http.MethodGet && req.URL.Query().Has("list-type"):
		for _, key := range l.keys {
			body += "<Contents><Key>" + key + "</Key><LastModified>2999-01-01T00:00:00.000Z</LastModified><Size>1</Size></Contents>"
		}
		body = "<ListBucketResult>" + body + "</ListBucketResult>"
	case req.URL.Query().Has("delete"):
		body = l.deleted()
	default:
		status = http.StatusNotFound
	}
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{}, Request: req,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}, nil
}

// A loop of links comes where its name does as a directory.
func TestLoopKeepsOrder(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	write(t, dir, "loop.txt", "x")
	if err := os.Symlink(".", filepath.Join(dir, "loop")); err != nil {
		t.Skip(err)
	}
	o := Options{Client: f.client, Mode: Different, Delete: true}
	mustRun(t, o, &Folder{Path: dir, Links: FollowAll}, f.prefix("p/"))
	if s := mustRun(t, o, &Folder{Path: dir, Links: FollowAll}, f.prefix("p/")); s.Done > 0 || s.Skipped != 3 || s.Failed > 0 {
		t.Errorf("%+v", s)
	}
}

// Files that have bytes and tell no size, such as those of /proc, go up with all
// of their bytes.
func TestUploadOfNoSize(t *testing.T) {
	const name = "/proc/version"
	info, err := os.Stat(name)
	want, readErr := os.ReadFile(name)
	if err != nil || readErr != nil || info.Size() != 0 || len(want) == 0 {
		t.Skip("there is no such file")
	}
	f := newFixture(t)
	_, o, err := RunOne(t.Context(), Options{Client: f.client}, &Task{Action: Upload, Name: "k", Path: name, Bucket: testBucket, Key: "k"})
	if err != nil || o.Size != int64(len(want)) {
		t.Fatalf("%+v, %v", o, err)
	}
	res, err := f.client.GetObject(t.Context(), &oss.GetObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || string(got) != string(want) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := f.client.UploadFile(t.Context(), name, &oss.UploadRequest{Bucket: testBucket, Key: "k"}); err == nil {
		t.Error("the library made an empty object of it")
	}
}

// Files that go with their directory were not deleted by anybody: reading it
// ends with an error, and nothing is deleted on the other side.
func TestDirectoryThatGoes(t *testing.T) {
	f := newFixture(t)
	for _, sub := range []string{"", "sub/"} {
		base := t.TempDir()
		dir := filepath.Join(base, "dir")
		write(t, dir, sub+"a", sub+"b", sub+"c")
		mustRun(t, Options{Client: f.client, Mode: Different}, &Folder{Path: dir}, f.prefix("p/"))
		var failed error
		n := 0
		for _, err := range (&Folder{Path: dir}).Entries(t.Context(), Filter{}) {
			if failed = err; err != nil {
				break
			}
			if n++; n == 1 {
				if err := os.Rename(dir, filepath.Join(base, "away")); err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll(filepath.Join(dir, sub), 0o777); err != nil {
					t.Fatal(err)
				}
			}
		}
		if n != 1 || failed == nil {
			t.Errorf("%q: %d files, %v", sub, n, failed)
		}
	}
	// A file that was deleted is nothing of the kind.
	dir := t.TempDir()
	write(t, dir, "a", "b", "c")
	var got []string
	for e, err := range (&Folder{Path: dir}).Entries(t.Context(), Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e.Name)
		os.Remove(filepath.Join(dir, "b"))
	}
	if !slices.Equal(got, []string{"a", "c"}) {
		t.Errorf("%v", got)
	}
}

// What a server does not confirm to be deleted is a failure.
func TestDeleteIsConfirmed(t *testing.T) {
	c, err := oss.NewClient("http://127.0.0.1:1", oss.WithRegion("cn-hangzhou"),
		oss.WithCredentials(oss.StaticCredentials("testaccesskey", "testsecret-0123456789", "")),
		oss.WithHTTPClient(&http.Client{Transport: listing{keys: []string{"p/a", "p/b", "p/c"}, deleted: func() string {
			return "<DeleteResult><Deleted><Key>p/a</Key></Deleted></DeleteResult>"
		}}}))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "c")
	s, err := Run(t.Context(), Options{Client: c, Mode: Newer, Delete: true, Filter: without(t, "c"), DeleteAll: true},
		&Folder{Path: dir}, &Prefix{Client: c, Bucket: testBucket, Prefix: "p/"})
	if err != nil || s.Deleted != 1 || s.Failed != 1 {
		t.Errorf("%+v, %v", s, err)
	}
}

// without leaves a name out.
func without(t *testing.T, name string) (f Filter) {
	t.Helper()
	if err := f.Exclude(name); err != nil {
		t.Fatal(err)
	}
	return f
}

// The parts of a stream have the size that is asked for.
func TestStreamPartSize(t *testing.T) {
	f := newFixture(t)
	f.set(nil)
	_, err := UploadStream(t.Context(), Options{Client: f.client, PartSize: 40 << 20}, &Task{Action: Upload, Bucket: testBucket, Key: "k"},
		io.LimitReader(zeros{}, 39<<20))
	if err != nil || f.count(http.MethodPut) != 1 || f.count(http.MethodPost) != 0 {
		t.Errorf("%v, %v", f.counts, err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A copy in parts goes on where an earlier run ended, unless it shall not.
func TestCopyGoesOn(t *testing.T) {
	f := newFixture(t)
	_, err := f.client.PutObject(t.Context(), &oss.PutObjectRequest{
		Bucket: testBucket, Key: "source", Body: strings.NewReader(strings.Repeat("x", 5*oss.MinPartSize)),
	})
	if err != nil {
		t.Fatal(err)
	}
	run := func(restart bool) (*Outcome, error) {
		_, o, err := RunOne(t.Context(), Options{Client: f.client, PartSize: oss.MinPartSize, Parallel: 1, Restart: restart}, &Task{
			Action: Copy, Name: "k", Bucket: testBucket, Key: "k", From: oss.CopySource{Bucket: testBucket, Key: "source"},
		})
		return o, err
	}
	for _, restart := range []bool{false, true} {
		f.set(func(req *http.Request) error {
			if req.Header.Get("x-oss-copy-source") != "" && req.URL.Query().Get("partNumber") == "4" {
				return io.ErrUnexpectedEOF
			}
			return nil
		})
		if _, err := run(false); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Fatal(err)
		}
		f.set(nil)
		o, err := run(restart)
		if err != nil || o.Resumed == restart || strings.Contains(strings.Join(o.Notes, "\n"), "going on with upload") == restart {
			t.Errorf("restart %v: %+v, %v", restart, o, err)
		}
	}
}

// With ForbidOverwrite a small file that comes while its object is fetched stays.
func TestForbidOverwriteMeanwhile(t *testing.T) {
	f := newFixture(t)
	src, dst := t.TempDir(), t.TempDir()
	write(t, src, "a")
	mustRun(t, Options{Client: f.client}, &Folder{Path: src}, f.prefix("p/"))
	f.set(func(req *http.Request) error {
		if req.Method == http.MethodGet && strings.HasSuffix(req.URL.Path, "/a") {
			return os.WriteFile(filepath.Join(dst, "a"), []byte("mine"), 0o666)
		}
		return nil
	})
	s := mustRun(t, Options{Client: f.client, ForbidOverwrite: true}, f.prefix("p/"), &Folder{Path: dst})
	if text, _ := os.ReadFile(filepath.Join(dst, "a")); s.Failed != 1 || string(text) != "mine" || !slices.Equal(files(t, dst), []string{"a"}) {
		t.Errorf("%+v, %q, %v", s, text, files(t, dst))
	}
}

// Files that another run is fetching are failures of this one, each for itself:
// however many there are, the others come.
func TestBusyTargets(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks")
	}
	f := newFixture(t)
	src, dst := t.TempDir(), t.TempDir()
	root, err := os.OpenRoot(dst)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	for i := range InRowMax + 5 {
		name := fmt.Sprintf("a%02d", i)
		write(t, src, name)
		held, err := partial.Open(root, partial.Name(name))
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
	}
	write(t, src, "z")
	mustRun(t, Options{Client: f.client}, &Folder{Path: src}, f.prefix("p/"))
	s := mustRun(t, Options{Client: f.client, Jobs: 1}, f.prefix("p/"), &Folder{Path: dst})
	if s.Failed != InRowMax+5 || s.Done != 1 {
		t.Errorf("%+v", s)
	}
}

// What is copied to above itself replaces nothing that is to be copied.
func TestCopyAboveItself(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	write(t, dir, "a/x", "a/a/x", "a/a/y", "a/b/a/x")
	mustRun(t, Options{Client: f.client}, &Folder{Path: dir}, f.prefix(""))
	s := mustRun(t, Options{Client: f.client}, f.prefix("a/"), f.prefix(""))
	if s.Done != 2 || s.Failed != 2 {
		t.Errorf("%+v", s)
	}
	if got, want := f.keys(""), []string{"a/a/x", "a/a/y", "a/b/a/x", "a/x", "b/a/x", "x"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	r, err := f.client.GetObject(t.Context(), &oss.GetObjectRequest{Bucket: testBucket, Key: "a/x"})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if content, err := io.ReadAll(r.Body); err != nil || string(content) != "a/x" {
		t.Errorf("%q, error %v", content, err)
	}
}

// Large objects leave room for small ones, unless somebody has said how many
// there may be.
func TestLargeObjectsAtATime(t *testing.T) {
	for _, c := range []struct{ asked, jobs, large int }{{0, defaultJobs, largeJobs}, {3, 3, 3}, {40, 40, 40}} {
		r, err := newRun(Options{Jobs: c.asked})
		if err != nil || r.Jobs != c.jobs || cap(r.large) != c.large {
			t.Errorf("%d jobs asked for: %d, %d large ones, %v", c.asked, r.Jobs, cap(r.large), err)
		}
	}
	f := newFixture(t)
	r, err := newRun(Options{Client: f.client, Jobs: 1})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, dir, "small")
	small := &Task{Action: Upload, Name: "small", Path: filepath.Join(dir, "small"), Bucket: testBucket, Key: "small", Size: 5}
	large := &Task{Action: Upload, Name: "large", Path: filepath.Join(dir, "large"), Bucket: testBucket, Key: "large", Size: smallFile}
	r.large <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if o := r.perform(ctx, large); !errors.Is(o.Err, context.Canceled) {
		t.Errorf("one too many: %v", o.Err)
	}
	if o := r.perform(t.Context(), small); o.Err != nil {
		t.Errorf("a small one: %v", o.Err)
	}
	<-r.large
	if o := r.perform(t.Context(), large); !errors.Is(o.Err, fs.ErrNotExist) || len(r.large) != 0 {
		t.Errorf("when there is room: %v, and %d are under way", o.Err, len(r.large))
	}
}
