package oss

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// copyFor is a request for a copy in parts of testPart.
func copyFor() *CopyRequest {
	return &CopyRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "source"}, PartSize: testPart, Parallel: 1}
}

// interruptCopy starts a copy and ends it, as a kill would, when n parts are
// there. It returns the ID of the upload.
func (f *fixture) interruptCopy(q *CopyRequest, n int) string {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "UploadPartCopy" && f.net.count[op] > n {
			cancel()
		}
		return nil
	})
	_, err := f.Copy(ctx, q)
	var open *UploadError
	if !errors.As(err, &open) || !errors.Is(err, context.Canceled) || open.UploadID == "" {
		f.t.Fatalf("interrupted copy: %v", err)
	}
	f.net.set(nil)
	f.net.reset()
	return open.UploadID
}

// hideCopyCRC makes the server one that does not tell the CRC-64 of a copied part.
func hideCopyCRC(_ *http.Request, op string) fault {
	if op != "UploadPartCopy" {
		return nil
	}
	return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			resp.Header.Del("X-Oss-Hash-Crc64ecma")
		}
		return resp, err
	}
}

// A copy goes on from what the server has, and has the bytes of its source,
// whatever happened to source and upload meanwhile.
func TestCopyResume(t *testing.T) {
	const parts = 8
	data := pattern((parts-1)*testPart+77, 5)
	for _, c := range []struct {
		name    string
		meddle  func(f *fixture, id string, q *CopyRequest) // between the two calls
		resumed bool
		kept    int // parts
		copied  int // by the second call
		note    string
	}{
		{name: "nothing changed", resumed: true, kept: 3, copied: parts - 3, note: "307200 of 716877 bytes are there"},
		{name: "a part was replaced by somebody", resumed: true, copied: parts, note: "were copied again",
			meddle: func(f *fixture, id string, _ *CopyRequest) { f.replacePart(id, 2, testPart) }},
		{name: "a part of another size came", resumed: true, kept: 2, copied: parts - 2, meddle: func(f *fixture, id string, _ *CopyRequest) { f.replacePart(id, 2, 7) }},
		{name: "a part far behind came", resumed: true, kept: 3, copied: parts - 3, meddle: func(f *fixture, id string, _ *CopyRequest) { f.replacePart(id, 5000, 7) }},
		{name: "the source was replaced", copied: parts, meddle: func(f *fixture, _ string, _ *CopyRequest) { f.put("source", pattern(len(data), 6)) }},
		{name: "another source is asked for", copied: parts, meddle: func(f *fixture, _ string, q *CopyRequest) {
			f.put("source2", data)
			q.Source.Key = "source2"
		}},
		{name: "other attributes are asked for", copied: parts, meddle: func(_ *fixture, _ string, q *CopyRequest) {
			q.ReplaceMetadata, q.ContentType = true, "a/b"
		}},
		{name: "another header is asked for", copied: parts, meddle: func(_ *fixture, _ string, q *CopyRequest) {
			q.Header = http.Header{"content-language": {"de"}}
		}},
		{name: "another part size is asked for", copied: parts / 2, meddle: func(_ *fixture, _ string, q *CopyRequest) { q.PartSize = 2 * testPart }},
		{name: "the mark was replaced", copied: parts, meddle: func(f *fixture, id string, _ *CopyRequest) { f.replacePart(id, MaxParts, 7) }},
		{name: "the upload was aborted", copied: parts, meddle: func(f *fixture, id string, _ *CopyRequest) { f.abort(id) }},
		{name: "resuming is not wanted", copied: parts, meddle: func(_ *fixture, _ string, q *CopyRequest) { q.Resume = ResumeNever }},
		{name: "nobody may list uploads", copied: parts, note: "cannot be looked for (AccessDenied)", meddle: func(f *fixture, _ string, _ *CopyRequest) {
			f.net.set(once("ListUploads", 1, answerWith(403, "AccessDenied")))
		}},
		{name: "the server does not tell the CRC-64 of a copy", resumed: true, kept: 3, copied: parts - 3,
			meddle: func(f *fixture, _ string, _ *CopyRequest) { f.net.set(hideCopyCRC) }},
		{name: "the server does not tell the CRC-64 in listings", resumed: true, copied: parts, meddle: func(f *fixture, _ string, _ *CopyRequest) { f.hideCRC() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.put("source", data)
			q := copyFor()
			id := f.interruptCopy(q, 3)
			if c.meddle != nil {
				c.meddle(f, id, q)
			}
			f.net.reset()
			progress, finished := watchProgress(t)
			q.Progress = progress
			res, err := f.client().Copy(context.Background(), q) // another machine
			if err != nil {
				t.Fatal(err)
			}
			finished(int64(len(data)))
			f.net.set(nil)
			if !bytes.Equal(f.read("k"), f.read(q.Source.Key)) {
				t.Error("other bytes")
			}
			if res.Resumed != c.resumed || (res.UploadID == id) != c.resumed || res.BytesKept != int64(c.kept)*testPart {
				t.Errorf("%+v", res)
			}
			if n := f.net.requests("UploadPartCopy"); n != c.copied {
				t.Errorf("%d parts were copied, want %d", n, c.copied)
			}
			if notes := strings.Join(res.Notes, "\n"); !strings.Contains(notes, c.note) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
			if head, err := f.HeadObject(context.Background(), &HeadObjectRequest{Bucket: testBucket, Key: "k"}); err != nil || q.ContentType != "" && head.ContentType != q.ContentType {
				t.Errorf("%+v, %v", head, err)
			}
		})
	}
}

// A copy gets over what other clients do to its upload, and leaves none behind
// that nobody can go on with.
func TestCopyMeddling(t *testing.T) {
	data := pattern(5*testPart, 8)
	for _, c := range []struct {
		name   string
		op     string // before the first request of which
		meddle func(f *fixture, id string)
		note   string
		err    error
	}{
		{"aborted while parts are copied", "UploadPartCopy", func(f *fixture, id string) { f.abort(id) }, "vanished", nil},
		{"aborted before Complete", "Complete", func(f *fixture, id string) { f.abort(id) }, "vanished", nil},
		{"a part replaced before Complete", "Complete", func(f *fixture, id string) { f.replacePart(id, 2, testPart) }, "replaced by another client", nil},
		{"completed by somebody with the same", "Complete", func(f *fixture, id string) { f.completeListed(id, 5) }, "", nil},
		{"the source is replaced", "UploadPartCopy", func(f *fixture, _ string) { f.put("source", pattern(5*testPart, 9)) }, "", ErrSourceChanged},
		{"the source is deleted", "UploadPartCopy", func(f *fixture, _ string) {
			if _, err := f.DeleteObject(context.Background(), &DeleteObjectRequest{Bucket: testBucket, Key: "source"}); err != nil {
				f.t.Error(err)
			}
		}, "", ErrNoSuchKey},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			f.put("source", data)
			aside := &fixture{Client: f.client(WithHTTPClient(&http.Client{Transport: f.net.next})), net: f.net, clock: f.clock, url: f.url, t: t}
			var once sync.Once
			f.net.set(func(req *http.Request, op string) fault {
				if op == c.op {
					once.Do(func() { c.meddle(aside, req.URL.Query().Get("uploadId")) })
				}
				return nil
			})
			res, err := f.Copy(context.Background(), copyFor())
			if !errors.Is(err, c.err) {
				t.Fatal(err)
			}
			if err == nil && (!strings.Contains(strings.Join(res.Notes, "\n"), c.note) || !bytes.Equal(f.read("k"), data)) {
				t.Errorf("%+v, or other bytes", res)
			}
			if open := f.openUploads(); len(open) != 0 {
				t.Errorf("open uploads %v", open)
			}
		})
	}
}

// An older copy with the same parts and other metadata is not taken for this one,
// when its upload is gone.
func TestCopyAbortedBesideAnOlderOne(t *testing.T) {
	f := newFixture(t)
	f.put("source", pattern(5*testPart, 8))
	q := copyFor()
	q.ReplaceMetadata, q.Metadata = true, map[string]string{"made": "once"}
	if _, err := f.Copy(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	aside := &fixture{Client: f.client(WithHTTPClient(&http.Client{Transport: f.net.next})), net: f.net, clock: f.clock, url: f.url, t: t}
	var once sync.Once
	f.net.set(func(req *http.Request, op string) fault {
		if op == "Complete" {
			once.Do(func() { aside.abort(req.URL.Query().Get("uploadId")) })
		}
		return nil
	})
	q.Metadata = map[string]string{"made": "twice"}
	if _, err := f.Copy(t.Context(), q); err != nil {
		t.Fatal(err)
	}
	info, err := f.HeadObject(t.Context(), &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil || info.Metadata["made"] != "twice" {
		t.Errorf("metadata %v, error %v", info.Metadata, err)
	}
}

// The upload of a copy is not that of a file with the same bytes, nor the other way.
func TestCopyAndUploadKeepApart(t *testing.T) {
	f := newFixture(t)
	data := pattern(5*testPart, 8)
	f.put("source", data)
	id := f.interruptCopy(copyFor(), 2)
	if res, err := f.Upload(context.Background(), uploadFor(data)); err != nil || res.Resumed {
		t.Errorf("upload: %+v, %v", res, err)
	}
	f.interrupt(uploadFor(data), 2)
	if res, err := f.Copy(context.Background(), copyFor()); err != nil || res.UploadID != id || res.BytesKept != 2*testPart {
		t.Errorf("copy: %+v, %v", res, err)
	}
}

// An upload that could not be marked would be found by nobody: it does not stay.
func TestUnmarkedUploadsDoNotStay(t *testing.T) {
	f := newFixture(t)
	f.put("source", pattern(2*testPart, 1))
	for name, transfer := range map[string]func() error{
		"upload": func() error { _, err := f.Upload(context.Background(), uploadFor(pattern(2*testPart, 1))); return err },
		"copy":   func() error { _, err := f.Copy(context.Background(), copyFor()); return err },
	} {
		f.net.set(once("UploadPart", 1, answerWith(400, "InvalidArgument")))
		if err := transfer(); !errors.Is(err, ErrInvalidArgument) {
			t.Errorf("%s: %v", name, err)
		}
		if open := f.openUploads(); len(open) != 0 {
			t.Errorf("%s: open uploads %v", name, open)
		}
	}
}

// A copy that must not replace anything is made once, and the loss of the answer
// does not make an error of it.
func TestCopyForbidOverwrite(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	f.put("source", pattern(1000, 1))
	q := copyFor()
	q.PartSize, q.ForbidOverwrite = 0, true
	f.net.set(once("PUT", 1, loseAnswer))
	if res, err := f.Copy(ctx, q); err != nil || !strings.Contains(strings.Join(res.Notes, ""), "the answer was lost") {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := f.Copy(ctx, q); !errors.Is(err, ErrFileAlreadyExists) {
		t.Errorf("again: %v", err)
	}
	q.Key = "other"
	f.net.set(once("PUT", 1, cutAfter(0)))
	if _, err := f.Copy(ctx, q); err != nil || f.net.requests("PUT") != 4 {
		t.Errorf("cut: %v, %d requests", err, f.net.requests("PUT"))
	}
}
