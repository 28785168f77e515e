package oss

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Objects of all sizes arrive as they are, also over a network that breaks; the
// file has its name only when it is whole.
func TestDownload(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	for _, size := range []int{0, 1, testPart, 5*testPart + 77} {
		data := pattern(size, uint64(size))
		f.put("k", data)
		name := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(name, []byte("old"), 0o600); err != nil {
			t.Fatal(err)
		}
		n := 0
		f.net.set(func(_ *http.Request, op string) fault {
			n++
			if old, err := os.ReadFile(name); err != nil || string(old) != "old" {
				t.Errorf("the file is %d bytes too early, %v", len(old), err)
			}
			switch n % 6 {
			case 2:
				return truncate(5000)
			case 4:
				return answerWith(500, "InternalError")
			}
			return nil
		})
		progress, finished := watchProgress(t)
		res, err := f.DownloadFile(ctx, name, &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Progress: progress})
		if err != nil {
			t.Fatal(err)
		}
		finished(int64(size))
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("%d bytes: got %d, %v", size, len(got), err)
		}
		if !res.Verified || res.Resumed || res.BytesFetched != int64(size) {
			t.Errorf("%+v", res)
		}
		if _, err := os.Stat(PartialName(name)); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("something is left: %v", err)
		}
	}
	f.net.set(nil)
	_, err := f.DownloadFile(ctx, filepath.Join(t.TempDir(), "x"), &DownloadRequest{Bucket: testBucket, Key: "nothing"})
	if !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("nothing: %v", err)
	}
}

// A download goes on with the ranges that are there and are what they were, and
// with nothing else.
func TestDownloadResume(t *testing.T) {
	const parts = 8
	data := pattern(parts*testPart+5, 2)
	for _, c := range []struct {
		name   string
		meddle func(t *testing.T, f *fixture, partial string, q *DownloadRequest)
		kept   int64
		other  bool // the object is another one
	}{
		{name: "nothing changed", kept: 4 * testPart},
		{name: "another range size is asked for", kept: 4 * testPart, meddle: func(_ *testing.T, _ *fixture, _ string, q *DownloadRequest) { q.PartSize = 3 * testPart }},
		{name: "a byte turned", kept: 3 * testPart, meddle: func(t *testing.T, _ *fixture, partial string, _ *DownloadRequest) { writeAt(t, partial, 10, "x") }},
		{name: "a slot turned", kept: 3 * testPart, meddle: func(t *testing.T, _ *fixture, partial string, _ *DownloadRequest) {
			writeAt(t, partial, int64(len(data)+journalHeader), "x")
		}},
		{name: "the header turned", meddle: func(t *testing.T, _ *fixture, partial string, _ *DownloadRequest) {
			writeAt(t, partial, int64(len(data)+20), "x")
		}},
		{name: "the file was cut", meddle: func(t *testing.T, _ *fixture, partial string, _ *DownloadRequest) {
			if err := os.Truncate(partial, 5); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "the journal was cut", kept: 1 * testPart, meddle: func(t *testing.T, _ *fixture, partial string, _ *DownloadRequest) {
			if err := os.Truncate(partial, int64(len(data)+journalHeader+journalSlot)); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "the object was replaced", other: true, meddle: func(_ *testing.T, f *fixture, _ string, _ *DownloadRequest) {
			f.put("k", pattern(len(data), 9))
		}},
		{name: "anew", meddle: func(_ *testing.T, _ *fixture, _ string, q *DownloadRequest) { q.Restart = true }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.put("k", data)
			name := filepath.Join(t.TempDir(), "file")
			q := &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Parallel: 1}
			ctx, cancel := context.WithCancel(context.Background())
			f.net.set(func(_ *http.Request, op string) fault {
				if op == "GET" && f.net.count[op] == 5 {
					cancel()
				}
				return nil
			})
			if _, err := f.DownloadFile(ctx, name, q); !errors.Is(err, context.Canceled) {
				t.Fatalf("interrupted: %v", err)
			}
			f.net.set(nil)
			if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("the file is there: %v", err)
			}
			if c.meddle != nil {
				c.meddle(t, f, PartialName(name), q)
			}
			progress, finished := watchProgress(t)
			q.Progress = progress
			res, err := f.client().DownloadFile(context.Background(), name, q)
			if err != nil {
				t.Fatal(err)
			}
			finished(int64(len(data)))
			if res.BytesKept != c.kept || res.BytesFetched != int64(len(data))-c.kept || res.Resumed != (c.kept > 0) {
				t.Errorf("kept %d and fetched %d, want to keep %d", res.BytesKept, res.BytesFetched, c.kept)
			}
			got, err := os.ReadFile(name)
			if err != nil || bytes.Equal(got, data) == c.other || !bytes.Equal(got, f.read("k")) {
				t.Errorf("other bytes, %v", err)
			}
		})
	}
}

func writeAt(t *testing.T, name string, off int64, text string) {
	t.Helper()
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt([]byte(text), off); err != nil {
		t.Fatal(err)
	}
}

// An object that is replaced while it is read is never mixed with the new one.
func TestDownloadSourceChanged(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	f.put("k", pattern(4*testPart, 1))
	var once sync.Once
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "GET" && f.net.count[op] == 3 {
			once.Do(func() { f.put("k", pattern(4*testPart, 2)) })
		}
		return nil
	})
	name := filepath.Join(t.TempDir(), "file")
	q := &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Parallel: 1}
	if _, err := f.DownloadFile(ctx, name, q); !errors.Is(err, ErrSourceChanged) {
		t.Errorf("%v", err)
	}
	res, err := f.DownloadFile(ctx, name, q)
	if err != nil || res.BytesKept != 0 {
		t.Errorf("%+v, %v", res, err)
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, pattern(4*testPart, 2)) {
		t.Errorf("other bytes, %v", err)
	}
}

// Bytes that were damaged on the way never get the file's name.
func TestDownloadDamage(t *testing.T) {
	f := newFixture(t)
	f.put("k", pattern(3*testPart, 1))
	f.net.set(once("GET", 1, func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			resp.Body = &damagedBody{ReadCloser: resp.Body}
		}
		return resp, err
	}))
	name := filepath.Join(t.TempDir(), "file")
	q := &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart}
	if _, err := f.DownloadFile(context.Background(), name, q); !errors.Is(err, ErrChecksum) {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(name); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is there: %v", err)
	}
	if res, err := f.DownloadFile(context.Background(), name, q); err != nil || res.Resumed {
		t.Errorf("%+v, %v", res, err)
	}
}

// A range is asked for as often as RetryPolicy says, and when a server wants it,
// whatever it is that fails.
func TestDownloadAttempts(t *testing.T) {
	f := newFixture(t)
	f.put("k", pattern(3*testPart, 1))
	c := f.client(WithRetryPolicy(RetryPolicy{Attempts: 3, PartAttempts: 4}))
	get := func(hook func(*http.Request, string) fault) error {
		f.net.reset()
		f.net.set(hook)
		_, err := c.DownloadFile(context.Background(), filepath.Join(t.TempDir(), "x"), &DownloadRequest{Bucket: testBucket, Key: "k"})
		return err
	}
	for name, do := range map[string]fault{
		"lost": loseAnswer, "500": answerWith(500, "InternalError"), "503": answerWith(503, "ServiceUnavailable"), "nothing comes": truncate(0),
	} {
		if err := get(once("GET", 3, do)); err != nil || f.net.requests("GET") != 4 {
			t.Errorf("%s, three times: %v, %d requests", name, err, f.net.requests("GET"))
		}
		if err := get(once("GET", 4, do)); err == nil || f.net.requests("GET") != 4 {
			t.Errorf("%s, four times: %v, %d requests", name, err, f.net.requests("GET"))
		}
	}
	if err := get(once("GET", 1, answerWith(403, "AccessDenied"))); !errors.Is(err, ErrAccessDenied) || f.net.requests("GET") != 1 {
		t.Errorf("forbidden: %v, %d requests", err, f.net.requests("GET"))
	}
	err := get(once("GET", 1, func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := answerWith(503, "ServiceUnavailable")(next, req)
		resp.Header.Set("Retry-After", "23")
		return resp, err
	}))
	if pauses := f.clock.slept(); err != nil || !slices.Contains(pauses, 23*time.Second) {
		t.Errorf("%v, pauses %v", err, pauses)
	}
}

// A proxy that drops the range is noticed.
func TestDownloadWithoutRange(t *testing.T) {
	f := newFixture(t)
	f.put("k", pattern(3*testPart, 1))
	f.net.set(func(_ *http.Request, op string) fault {
		if op != "GET" {
			return nil
		}
		return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			req = req.Clone(req.Context())
			req.Header.Del("Range")
			return next.RoundTrip(req)
		}
	})
	_, err := f.DownloadFile(context.Background(), filepath.Join(t.TempDir(), "file"), &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart})
	if err == nil || !strings.Contains(err.Error(), "asked for bytes") {
		t.Errorf("%v", err)
	}
}

// OpenObject reads on over connections that break, in one version of the object.
func TestOpenObject(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(3*testPart, 1)
	f.put("k", data)
	n := 0
	f.net.set(func(_ *http.Request, op string) fault {
		if n++; n < 10 {
			return truncate(int64(n) * 10000)
		}
		return nil
	})
	for _, rng := range []*Range{nil, {100, 200000}, {-5000, -1}} {
		n = 0
		res, err := f.OpenObject(ctx, &OpenObjectRequest{Bucket: testBucket, Key: "k", Range: rng})
		if err != nil {
			t.Fatal(err)
		}
		want := data
		switch {
		case rng != nil && rng.Offset >= 0:
			want = data[rng.Offset : rng.Offset+rng.Length]
		case rng != nil:
			want = data[len(data)-5000:]
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("range %v: %d bytes, %v", rng, len(got), err)
		}
	}
	n = 9
	f.net.set(func(_ *http.Request, op string) fault { return truncate(0) })
	res, err := f.OpenObject(ctx, &OpenObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadAll(res.Body); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("nothing comes: %v", err)
	}
	f.net.set(once("GET", 1, truncate(10)))
	res, err = f.OpenObject(ctx, &OpenObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	f.put("k", pattern(3*testPart, 2))
	if _, err := io.ReadAll(res.Body); !errors.Is(err, ErrSourceChanged) {
		t.Errorf("replaced: %v", err)
	}
}

// A copy has the bytes and all attributes of its source, made in one request or
// of parts; or what is asked for instead.
func TestCopy(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(5*testPart+1, 1)
	_, err := f.PutObject(ctx, &PutObjectRequest{
		Bucket: testBucket, Key: "dir/s ö", Body: bytes.NewReader(data), Tags: []Tag{{"a", "b"}},
		Attributes: Attributes{ContentType: "x/y", CacheControl: "no-cache", Metadata: map[string]string{"m": "v"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, partSize := range []int64{0, testPart} {
		for _, replace := range []bool{false, true} {
			f.net.reset()
			f.net.set(once("UploadPartCopy", 2, loseAnswer))
			progress, finished := watchProgress(t)
			q := &CopyRequest{
				Bucket: testBucket, Key: "copy", Source: CopySource{Bucket: testBucket, Key: "dir/s ö"}, PartSize: partSize, Progress: progress,
				ReplaceMetadata: replace, ReplaceTags: replace,
			}
			want := Attributes{ContentType: "x/y", CacheControl: "no-cache"}
			if replace {
				q.Attributes = Attributes{ContentType: "a/b", CacheControl: "private"}
				want = q.Attributes
			}
			res, err := f.Copy(ctx, q)
			if err != nil {
				t.Fatal(err)
			}
			finished(int64(len(data)))
			head, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "copy"})
			if err != nil || head.ETag != res.ETag || head.ContentType != want.ContentType || head.CacheControl != want.CacheControl ||
				(head.Metadata["m"] == "v") == replace || (head.TagCount == 1) == replace {
				t.Errorf("part size %d, replace %v: %+v, %v", partSize, replace, head, err)
			}
			if !bytes.Equal(f.read("copy"), data) {
				t.Error("other bytes")
			}
			if n := f.net.requests("UploadPartCopy"); (n > 0) != (partSize > 0) {
				t.Errorf("part size %d: %d parts", partSize, n)
			}
		}
	}

	var replace sync.Once
	f.net.reset()
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "UploadPartCopy" && f.net.count[op] == 3 {
			replace.Do(func() { f.put("dir/s ö", pattern(len(data), 2)) })
		}
		return nil
	})
	_, err = f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "dir/s ö"}, PartSize: testPart, Parallel: 1})
	if !errors.Is(err, ErrSourceChanged) {
		t.Errorf("replaced: %v", err)
	}
	if ids := f.openUploads(); len(ids) != 0 {
		t.Errorf("open uploads %v", ids)
	}
	f.net.set(nil)
	if _, err := f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "nothing"}}); !errors.Is(err, ErrNoSuchKey) {
		t.Errorf("nothing: %v", err)
	}
}

// Two downloads to one name at a time do not write to one file: the second is
// told so, even if it would begin anew, and the first ends as if there were none.
func TestDownloadBusy(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no locks")
	}
	f := newFixture(t)
	data := pattern(4*testPart+9, 3)
	f.put("k", data)
	name := filepath.Join(t.TempDir(), "file")
	var once sync.Once
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "GET" {
			once.Do(func() {
				other := f.client(WithHTTPClient(&http.Client{Transport: f.net.next}))
				for _, restart := range []bool{false, true} {
					_, err := other.DownloadFile(context.Background(), name,
						&DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Restart: restart})
					if !errors.Is(err, ErrTargetBusy) {
						t.Errorf("the second download: %v", err)
					}
				}
			})
		}
		return nil
	})
	if _, err := f.DownloadFile(context.Background(), name, &DownloadRequest{Bucket: testBucket, Key: "k", PartSize: testPart}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, data) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// A file whose name is as long as names can be is downloaded like any other.
func TestDownloadLongName(t *testing.T) {
	f := newFixture(t)
	f.put("k", pattern(10, 1))
	name := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	if _, err := f.DownloadFile(context.Background(), name, &DownloadRequest{Bucket: testBucket, Key: "k"}); err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(name); err != nil || !bytes.Equal(got, pattern(10, 1)) {
		t.Errorf("got %d bytes, %v", len(got), err)
	}
}

// A file that must not be replaced is not, be it there before or come while the
// bytes did; what was fetched is gone on with.
func TestDownloadForbidOverwrite(t *testing.T) {
	f := newFixture(t)
	data := pattern(3*testPart, 1)
	f.put("k", data)
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	name := filepath.Join(dir, "file")
	for _, q := range []*DownloadRequest{{}, {Root: root}} {
		q.Bucket, q.Key, q.PartSize, q.ForbidOverwrite = testBucket, "k", testPart, true
		target := name
		if q.Root != nil {
			target = "file"
		}
		os.Remove(name)
		f.net.set(func(_ *http.Request, op string) fault {
			if op == "GET" {
				os.WriteFile(name, []byte("mine"), 0o666)
			}
			return nil
		})
		for range 2 { // it comes, and is there
			_, err := f.DownloadFile(context.Background(), target, q)
			if text, _ := os.ReadFile(name); !errors.Is(err, os.ErrExist) || string(text) != "mine" {
				t.Errorf("the file has %q, %v", text, err)
			}
		}
		f.net.set(nil)
		os.Remove(name)
		res, err := f.DownloadFile(context.Background(), target, q)
		if err != nil || res.BytesKept != int64(len(data)) {
			t.Errorf("in the end: %+v, %v", res, err)
		}
	}
}
