package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
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

const testPart = MinPartSize

func TestDeterminePartSize(t *testing.T) {
	var file struct {
		Vectors []struct {
			Total     int64  `json:"total_size"`
			Preferred *int64 `json:"preferred_size"`
			PartSize  int64  `json:"part_size"`
		}
	}
	readTestdata(t, "determine-part-size.json", &file)
	if len(file.Vectors) < 10 {
		t.Fatalf("%d vectors", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		preferred := int64(0)
		if v.Preferred != nil {
			preferred = *v.Preferred
		}
		if got, err := DeterminePartSize(v.Total, preferred); err != nil || got != v.PartSize {
			t.Errorf("%d, preferred %d: %d, %v, want %d", v.Total, preferred, got, err, v.PartSize)
		}
	}
	for _, bad := range [][2]int64{{-1, 0}, {1, -1}, {MaxObjectSize + 1, 0}} {
		if got, err := DeterminePartSize(bad[0], bad[1]); err == nil {
			t.Errorf("%v: %d", bad, got)
		}
	}
	for _, total := range []int64{MaxObjectSize, MaxObjectSize - 1, MaxPartSize*MaxParts/2 + 1} {
		if got, err := DeterminePartSize(total, 3<<30); err != nil || got > MaxPartSize || got*MaxParts < total {
			t.Errorf("%d: %d, %v", total, got, err)
		}
	}
}

// Sections cover a file without gaps, in order, and can be read twice.
func TestSections(t *testing.T) {
	data := pattern(1000, 1)
	var got []byte
	want := 1
	for n, s := range Sections(bytes.NewReader(data), 1000, 300) {
		if n != want {
			t.Errorf("number %d, want %d", n, want)
		}
		want++
		for range 2 {
			s.Seek(0, io.SeekStart)
			part, err := io.ReadAll(s)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, part...)
		}
		got = got[:len(got)-int(s.Size())]
	}
	if !bytes.Equal(got, data) || want != 5 {
		t.Errorf("%d bytes in %d parts", len(got), want-1)
	}
}

// watchProgress checks that progress is one call at a time, never falls, and
// ends with all.
func watchProgress(t testing.TB) (func(Progress), func(total int64)) {
	var mu sync.Mutex
	var last Progress
	calls := 0
	return func(p Progress) {
			if !mu.TryLock() {
				t.Error("two calls at a time")
				return
			}
			defer mu.Unlock()
			calls++
			if p.Done < last.Done || p.Moved < last.Moved || p.Verified < last.Verified || p.Phase < last.Phase ||
				p.Total >= 0 && p.Done > p.Total {
				t.Errorf("progress went from %+v to %+v", last, p)
			}
			last = p
		}, func(total int64) {
			t.Helper()
			mu.Lock()
			defer mu.Unlock()
			if last.Phase != Finished || last.Done != total || last.Total != total || calls < 2 {
				t.Errorf("progress ended with %+v after %d calls, want %d bytes", last, calls, total)
			}
		}
}

// Files and streams of all sizes arrive as they are, also over a network that
// breaks.
func TestUpload(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	for _, size := range []int{0, 1, testPart - 1, testPart, testPart + 1, 5 * testPart, 7*testPart + 1234} {
		data := pattern(size, uint64(size))
		for _, kind := range []string{"file", "stream"} {
			t.Run(fmt.Sprint(kind, size), func(t *testing.T) {
				n := 0
				f.net.reset()
				f.net.set(func(_ *http.Request, op string) fault {
					n++
					switch n % 7 {
					case 1:
						return cutAfter(1000)
					case 3:
						return answerWith(503, "ServiceUnavailable")
					case 5:
						return loseAnswer
					}
					return nil
				})
				progress, finished := watchProgress(t)
				q := &UploadRequest{
					Bucket: testBucket, Key: "k", PartSize: testPart, Progress: progress, Memory: 4 * testPart,
					Attributes: Attributes{ContentType: "x/y", Metadata: map[string]string{"a": "b"}}, Tags: []Tag{{"t", "u"}}, ACL: ACLPublicRead,
				}
				if kind == "file" {
					q.Body, q.Size = bytes.NewReader(data), int64(size)
				} else {
					q.Stream = io.MultiReader(bytes.NewReader(data))
				}
				res, err := f.Upload(ctx, q)
				if err != nil {
					t.Fatal(err)
				}
				finished(int64(size))
				f.net.set(nil)
				head, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"})
				if err != nil || head.ETag != res.ETag || head.CRC64.Sum != res.CRC64 || res.Size != int64(size) || head.ContentType != "x/y" ||
					head.Metadata["a"] != "b" || head.TagCount != 1 {
					t.Errorf("%+v, %+v, %v", head, res, err)
				}
				if acl, err := f.GetObjectACL(ctx, &GetObjectACLRequest{Bucket: testBucket, Key: "k"}); err != nil || acl.ACL != ACLPublicRead {
					t.Errorf("%+v, %v", acl, err)
				}
				if !bytes.Equal(f.read("k"), data) {
					t.Error("other bytes")
				}
				wantParts := max((size+testPart-1)/testPart, 1)
				if res.PartsSent != wantParts || res.BytesSent != int64(size) {
					t.Errorf("report %+v, want %d parts", res.UploadReport, wantParts)
				}
			})
		}
	}
}

// uploadFor is a request for data in parts of testPart.
func uploadFor(data []byte) *UploadRequest {
	return &UploadRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(data), Size: int64(len(data)), PartSize: testPart}
}

// interrupt starts an upload and ends it, as a kill would, when n parts are
// there. It returns the ID of the upload.
func (f *fixture) interrupt(q *UploadRequest, n int) string {
	f.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var mu sync.Mutex
	f.net.set(func(req *http.Request, op string) fault {
		if op != "UploadPart" || req.URL.Query().Get("partNumber") == "10000" {
			return nil
		}
		return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			if n == 0 {
				cancel()
				return nil, context.Canceled
			}
			n--
			return next.RoundTrip(req)
		}
	})
	one := *q
	one.Parallel = 1
	_, err := f.Upload(ctx, &one)
	var open *UploadError
	if !errors.As(err, &open) || !errors.Is(err, context.Canceled) || open.UploadID == "" {
		f.t.Fatalf("interrupted upload: %v", err)
	}
	f.net.set(nil)
	f.net.reset()
	return open.UploadID
}

// openUploads lists the open uploads of the key that tests use.
func (f *fixture) openUploads() (ids []string) {
	f.t.Helper()
	for u, err := range f.ObjectUploads(context.Background(), testBucket, "k") {
		if err != nil {
			f.t.Fatal(err)
		}
		ids = append(ids, u.UploadID)
	}
	return ids
}

// An upload goes on from what the server has, with nothing else to remember it
// by, and sends only what is missing: whatever happened to file and upload meanwhile.
func TestUploadResume(t *testing.T) {
	const parts = 9
	base := pattern(parts*testPart+77, 5)
	attributes := Attributes{ContentType: "x/y"}
	for _, c := range []struct {
		name     string
		meddle   func(f *fixture, id string, q *UploadRequest) // between the two calls
		resumed  bool
		kept     int
		sentMore int // parts sent besides the missing ones
		note     string
	}{
		{name: "nothing changed", resumed: true, kept: 5, note: "5 of 10 parts are there"},
		{name: "another part size was asked for", resumed: true, kept: 5, meddle: func(_ *fixture, _ string, q *UploadRequest) { q.PartSize = 3 * testPart }},
		{name: "a part changed in the file", resumed: true, kept: 4, sentMore: 1, note: "1 parts of it have other bytes",
			meddle: func(_ *fixture, _ string, q *UploadRequest) { q.change(t, 2*testPart+5, 1) }},
		{name: "the file grew", resumed: true, kept: 5, meddle: func(_ *fixture, _ string, q *UploadRequest) { q.grow(t, 3*testPart) }},
		{name: "the file shrank to less than was sent", resumed: true, kept: 2, meddle: func(_ *fixture, _ string, q *UploadRequest) { q.grow(t, -(parts-2)*testPart-77) }},
		{name: "everything but the end of what was sent changed", resumed: true, kept: 1, sentMore: 4, meddle: func(_ *fixture, _ string, q *UploadRequest) { q.change(t, 0, 4*testPart) }},
		{name: "the file is another one", note: "left alone: it has other bytes", meddle: func(_ *fixture, _ string, q *UploadRequest) {
			q.Body = bytes.NewReader(pattern(int(q.Size), 99))
		}},
		{name: "other attributes are asked for", note: "left alone: it was opened with other attributes",
			meddle: func(_ *fixture, _ string, q *UploadRequest) { q.ContentType = "a/b" }},
		{name: "other tags are asked for", note: "other attributes", meddle: func(_ *fixture, _ string, q *UploadRequest) { q.Tags = []Tag{{"a", "b"}} }},
		{name: "a part was replaced by somebody", resumed: true, kept: 4, sentMore: 1, meddle: func(f *fixture, id string, _ *UploadRequest) { f.replacePart(id, 3, testPart) }},
		{name: "a part of another size came", resumed: true, kept: 4, sentMore: 1, meddle: func(f *fixture, id string, _ *UploadRequest) { f.replacePart(id, 1, 7) }},
		{name: "a part far behind came", resumed: true, kept: 5, meddle: func(f *fixture, id string, _ *UploadRequest) { f.replacePart(id, 5000, testPart) }},
		{name: "the mark was replaced", note: "other attributes", meddle: func(f *fixture, id string, _ *UploadRequest) { f.replacePart(id, MaxParts, 7) }},
		{name: "the upload was aborted", meddle: func(f *fixture, id string, _ *UploadRequest) { f.abort(id) }},
		{name: "nobody may list uploads", note: "cannot be looked for (AccessDenied)", meddle: func(f *fixture, id string, _ *UploadRequest) {
			f.net.set(once("ListUploads", 1, answerWith(403, "AccessDenied")))
		}},
		{name: "nobody may list parts", note: "cannot be looked for (AccessDenied)", meddle: func(f *fixture, id string, _ *UploadRequest) {
			f.net.set(once("ListParts", 1, answerWith(403, "AccessDenied")))
		}},
		{name: "resuming is not wanted", meddle: func(_ *fixture, _ string, q *UploadRequest) { q.Resume = ResumeNever }},
		{name: "the server does not tell CRC-64", resumed: true, kept: 5, meddle: func(f *fixture, _ string, _ *UploadRequest) { f.hideCRC() }},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			q := uploadFor(base)
			q.Attributes = attributes
			id := f.interrupt(q, 5)
			if c.meddle != nil {
				c.meddle(f, id, q)
			}
			f.net.mu.Lock()
			f.net.sent = 0
			f.net.mu.Unlock()
			second := f.client() // another machine: nothing but the file
			progress, finished := watchProgress(t)
			q.Progress = progress
			res, err := second.Upload(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			finished(q.Size)
			want := make([]byte, q.Size)
			if _, err := q.Body.ReadAt(want, 0); err != nil && err != io.EOF {
				t.Fatal(err)
			}
			f.net.set(nil)
			if !bytes.Equal(f.read("k"), want) {
				t.Error("other bytes")
			}
			if res.Resumed != c.resumed || res.PartsKept != c.kept || (res.UploadID == id) != c.resumed {
				t.Errorf("report %+v, upload %s", res.UploadReport, res.UploadID)
			}
			if notes := strings.Join(res.Notes, "\n"); !strings.Contains(notes, c.note) {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
			if most := q.Size - res.BytesKept + 8<<10; f.net.bytesSent() > most {
				t.Errorf("%d bytes were sent, %d were missing", f.net.bytesSent(), q.Size-res.BytesKept)
			}
			head, err := f.HeadObject(context.Background(), &HeadObjectRequest{Bucket: testBucket, Key: "k"})
			if err != nil || head.ContentType != q.ContentType || head.TagCount != len(q.Tags) {
				t.Errorf("the object has %+v", head)
			}
		})
	}
}

// change turns bytes of a request's file.
func (q *UploadRequest) change(t *testing.T, off int64, n int) {
	data := make([]byte, q.Size)
	if _, err := q.Body.ReadAt(data, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	for i := range n {
		data[off+int64(i)] ^= 0xff
	}
	q.Body = bytes.NewReader(data)
}

// grow makes a request's file longer or shorter.
func (q *UploadRequest) grow(t *testing.T, n int64) {
	data := make([]byte, q.Size)
	if _, err := q.Body.ReadAt(data, 0); err != nil && err != io.EOF {
		t.Fatal(err)
	}
	if n > 0 {
		data = append(data, pattern(int(n), 77)...)
	} else {
		data = data[:int64(len(data))+n]
	}
	q.Body, q.Size = bytes.NewReader(data), int64(len(data))
}

func (f *fixture) replacePart(id string, number, n int) {
	f.t.Helper()
	_, err := f.UploadPart(context.Background(), &UploadPartRequest{
		Bucket: testBucket, Key: "k", UploadID: id, PartNumber: number, Body: bytes.NewReader(pattern(n, 123)),
	})
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) abort(id string) {
	f.t.Helper()
	_, err := f.AbortMultipartUpload(context.Background(), &AbortMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: id})
	if err != nil {
		f.t.Fatal(err)
	}
}

// hideCRC makes the server one that does not tell the CRC-64 of listed parts.
func (f *fixture) hideCRC() {
	f.net.set(func(_ *http.Request, op string) fault {
		if op != "ListParts" {
			return nil
		}
		return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			resp, err := next.RoundTrip(req)
			if err != nil {
				return nil, err
			}
			doc, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil {
				return nil, err
			}
			text := strings.ReplaceAll(strings.ReplaceAll(string(doc), "<HashCrc64ecma>", "<X>"), "</HashCrc64ecma>", "</X>")
			resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(text)), int64(len(text))
			resp.Header.Del("Content-Length")
			return resp, nil
		}
	})
}

// An upload of another client, which has no mark, is gone on with only if
// nothing depends on what it was opened with.
func TestUploadResumeForeign(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(4*testPart, 1)
	begin := func() string {
		up, err := f.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{Bucket: testBucket, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: up.UploadID, PartNumber: 3, Body: bytes.NewReader(data[2*testPart : 3*testPart])})
		if err != nil {
			t.Fatal(err)
		}
		return up.UploadID
	}
	id := begin()
	q := uploadFor(data)
	q.PartSize = 2 * testPart
	q.ContentType = "x/y"
	res, err := f.Upload(ctx, q)
	if err != nil || res.Resumed || !strings.Contains(strings.Join(res.Notes, ""), "no mark") {
		t.Errorf("%+v, %v", res, err)
	}
	q.ContentType = ""
	res, err = f.Upload(ctx, q)
	if err != nil || res.UploadID != id || res.PartsKept != 1 || res.PartSize != testPart {
		t.Errorf("%+v, %v", res, err)
	}
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
}

// An upload of ours without parts is gone on with if it is of the same file. One
// of another may be that of a client that has just begun: only an old one is
// taken.
func TestUploadResumeEmpty(t *testing.T) {
	f := newFixture(t)
	data := pattern(2*testPart, 1)
	id := f.interrupt(uploadFor(data), 0)
	other := slices.Clone(data)
	other[len(other)-1]++
	res, err := f.Upload(context.Background(), uploadFor(other))
	if err != nil || res.Resumed {
		t.Errorf("another file: %+v, %v", res, err)
	}
	res, err = f.Upload(context.Background(), uploadFor(data))
	if err != nil || res.UploadID != id || res.PartsKept != 0 {
		t.Errorf("the same file: %+v, %v", res, err)
	}
	id = f.interrupt(uploadFor(data), 0)
	f.clock.advance(emptyAge)
	res, err = f.Upload(context.Background(), uploadFor(other))
	if err != nil || res.UploadID != id || !bytes.Equal(f.read("k"), other) {
		t.Errorf("another file, an hour later: %+v, %v", res, err)
	}
}

// An upload of which every part arrived damaged is still that of the file, by its
// mark. Many parts with other bytes are another file's, which has the same samples.
func TestUploadResumeAllDamaged(t *testing.T) {
	for _, n := range []int{1, hopeless - 1, hopeless} {
		f := newFixture(t)
		data := pattern(10*testPart, 1)
		q := uploadFor(data)
		id := f.interrupt(q, n)
		for number := 1; number <= n; number++ {
			part := slices.Clone(data[(number-1)*testPart : number*testPart])
			part[testPart/2]++
			_, err := f.UploadPart(t.Context(), &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: id, PartNumber: number, Body: bytes.NewReader(part)})
			if err != nil {
				t.Fatal(err)
			}
		}
		ours := n < hopeless
		res, err := f.Upload(t.Context(), q)
		if err != nil || res.Resumed != ours || (res.UploadID == id) != ours || res.PartsSent != 10 || !bytes.Equal(f.read("k"), data) {
			t.Errorf("%d parts: %+v, %v", n, res, err)
		}
		if open := f.openUploads(); (len(open) == 0) != ours {
			t.Errorf("%d parts: open uploads %v", n, open)
		}
	}
}

// An upload that is completed between being listed and being looked at, by a request
// of a killed client that was late, has made the object: nothing is sent again.
func TestUploadResumeCompletedLate(t *testing.T) {
	f := newFixture(t)
	data := pattern(3*testPart, 1)
	id := f.interrupt(uploadFor(data), 2)
	if _, err := f.UploadPart(t.Context(), &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: id, PartNumber: 3, Body: bytes.NewReader(data[2*testPart:])}); err != nil {
		t.Fatal(err)
	}
	aside := &fixture{Client: f.client(WithHTTPClient(&http.Client{Transport: f.net.next})), net: f.net, clock: f.clock, url: f.url, t: t}
	var once sync.Once
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "ListParts" {
			once.Do(func() { aside.completeListed(id, 3) })
		}
		return nil
	})
	res, err := f.Upload(t.Context(), uploadFor(data))
	if err != nil || res.BytesSent != 0 || !bytes.Equal(f.read("k"), data) {
		t.Errorf("%+v, error %v", res, err)
	}
	if open := f.openUploads(); len(open) != 0 {
		t.Errorf("open uploads %v", open)
	}
}

// What other clients do to an upload in the middle of it never ends in an object
// with other bytes, and where it can be mended it is.
func TestUploadMeddling(t *testing.T) {
	data := pattern(6*testPart, 8)
	for _, c := range []struct {
		name   string
		op     string // before the first request of which
		meddle func(f *fixture, id string)
		note   string
		forget bool // the server does not remember what it completed
	}{
		{"aborted while parts are sent", "UploadPart", func(f *fixture, id string) { f.abort(id) }, "vanished", false},
		{"aborted before Complete", "Complete", func(f *fixture, id string) { f.abort(id) }, "vanished", false},
		{"a part replaced before Complete", "Complete", func(f *fixture, id string) { f.replacePart(id, 2, testPart) }, "compared again", false},
		{"completed by somebody with the same file", "Complete", func(f *fixture, id string) { f.completeListed(id, 6) }, "", false},
		{"the same, and forgotten", "Complete", func(f *fixture, id string) { f.completeListed(id, 6) }, "completed already", true},
		{"completed by somebody with less", "Complete", func(f *fixture, id string) { f.completeListed(id, 3) }, "vanished", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFixture(t)
			aside := &fixture{Client: f.client(WithHTTPClient(&http.Client{Transport: f.net.next})), t: t}
			var once sync.Once
			f.net.set(func(req *http.Request, op string) fault {
				q := req.URL.Query()
				if op == c.op && q.Get("partNumber") != "10000" {
					once.Do(func() { c.meddle(aside, q.Get("uploadId")) })
					if c.forget {
						return answerWith(404, "NoSuchUpload")
					}
				}
				return nil
			})
			q := uploadFor(data)
			progress, finished := watchProgress(t)
			q.Progress = progress
			res, err := f.Upload(context.Background(), q)
			if err != nil {
				t.Fatal(err)
			}
			finished(q.Size)
			if !strings.Contains(strings.Join(res.Notes, "\n"), c.note) {
				t.Errorf("notes %q, want %q", res.Notes, c.note)
			}
			if !bytes.Equal(f.read("k"), data) {
				t.Error("other bytes")
			}
			if open := f.openUploads(); len(open) != 0 {
				t.Errorf("open uploads %v", open)
			}
		})
	}
}

// completeListed completes an upload with its first n parts.
func (f *fixture) completeListed(id string, n int) {
	f.t.Helper()
	q := &CompleteMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: id}
	for p, err := range f.Parts(context.Background(), testBucket, "k", id) {
		if err != nil {
			f.t.Fatal(err)
		}
		if p.PartNumber <= n {
			q.Parts = append(q.Parts, CompletePart{p.PartNumber, p.ETag})
		}
	}
	if _, err := f.CompleteMultipartUpload(context.Background(), q); err != nil {
		f.t.Fatal(err)
	}
}

// A call that is repeated after its upload was completed, because it was killed
// before it knew, finds that out and sends nothing.
func TestUploadSkipIdentical(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(3*testPart+1, 2)
	q := uploadFor(data)
	q.Attributes = Attributes{ContentType: "x/y", Metadata: map[string]string{"Author": "me"}}
	q.Tags, q.ACL = []Tag{{"b", "2"}, {"a", "1"}}, ACLPublicRead
	first, err := f.Upload(ctx, q)
	if err != nil {
		t.Fatal(err)
	}
	q.SkipIdentical = true
	try := func(skipped bool) {
		t.Helper()
		f.net.reset()
		progress, finished := watchProgress(t)
		q.Progress = progress
		res, err := f.Upload(ctx, q)
		if err != nil || res.Skipped != skipped || res.CRC64 != first.CRC64 && skipped {
			t.Errorf("%+v, %v", res, err)
		}
		finished(q.Size)
		if sent := f.net.bytesSent() > 0; sent == skipped {
			t.Errorf("%d bytes were sent", f.net.bytesSent())
		}
	}
	try(true)
	q.Tags = []Tag{{"a", "2"}, {"b", "1"}}
	try(false)
	try(true)
	q.ACL = ACLPrivate
	try(false)
	try(true)
	q.Metadata = map[string]string{"author": "you"}
	try(false)
	q.ContentType = "a/b"
	try(false)
	q.change(t, 5, 1)
	try(false)
}

// A file that changes while it is uploaded makes no object.
func TestUploadSourceChanged(t *testing.T) {
	f := newFixture(t)
	for what, change := range map[string]func(name string, size int64) error{
		"touched": func(name string, _ int64) error { return os.Chtimes(name, time.Time{}, time.Unix(1, 0)) },
		"cut off": func(name string, size int64) error { return os.Truncate(name, size/2) },
		"longer":  func(name string, size int64) error { return os.Truncate(name, size+1) },
	} {
		for _, size := range []int{100, 3 * testPart} {
			name := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(name, pattern(size, 3), 0o600); err != nil {
				t.Fatal(err)
			}
			var once sync.Once
			f.net.reset()
			f.net.set(func(req *http.Request, op string) fault {
				if op == "PUT" || op == "UploadPart" {
					once.Do(func() {
						if err := change(name, int64(size)); err != nil {
							t.Error(err)
						}
					})
				}
				return nil
			})
			q := &UploadRequest{Bucket: testBucket, Key: fmt.Sprint(what, size), PartSize: testPart}
			_, err := f.UploadFile(context.Background(), name, q)
			if !errors.Is(err, ErrSourceChanged) {
				t.Errorf("%d bytes, %s: %v", size, what, err)
			}
			if n := f.net.requests("Complete"); n != 0 {
				t.Errorf("%d bytes, %s: it was completed", size, what)
			}
			if _, err := f.HeadObject(context.Background(), &HeadObjectRequest{Bucket: q.Bucket, Key: q.Key}); !errors.Is(err, ErrNotFound) {
				t.Errorf("%d bytes, %s: there is an object, %v", size, what, err)
			}
		}
	}
	f.net.set(nil)
	_, err := f.UploadFile(context.Background(), t.TempDir(), &UploadRequest{Bucket: testBucket, Key: "k"})
	if err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a directory: %v", err)
	}
}

// A cancelled upload ends: no request and no read of the file comes after, and
// the upload is open, or gone if it shall not be resumed.
func TestUploadCancel(t *testing.T) {
	for _, resume := range []Resume{ResumeAuto, ResumeNever} {
		f := newFixture(t)
		data := pattern(20*testPart, 4)
		ctx, cancel := context.WithCancel(context.Background())
		src := &countingReaderAt{ReaderAt: bytes.NewReader(data)}
		q := uploadFor(data)
		q.Body, q.Resume, q.Parallel = src, resume, defaultParallel
		q.Progress = func(p Progress) {
			if p.Moved > 3*testPart {
				cancel()
			}
		}
		_, err := f.Upload(ctx, q)
		reads := src.count()
		f.net.mu.Lock()
		requests := maps.Clone(f.net.count)
		f.net.mu.Unlock()
		var open *UploadError
		if !errors.Is(err, context.Canceled) || !errors.As(err, &open) {
			t.Fatalf("error %v", err)
		}
		noneOfOurs(t)
		if ids := f.openUploads(); (len(ids) == 1) != (resume == ResumeAuto) || (open.UploadID != "") != (resume == ResumeAuto) {
			t.Errorf("open uploads %v, error %v", ids, err)
		}
		f.CloseIdleConnections()
		if src.count() != reads {
			t.Error("the file was read after the call")
		}
		if requests["UploadPart"] > 12 {
			t.Errorf("requests went on: %v", requests)
		}
	}
}

// noneOfOurs fails if a goroutine of a transfer runs. It is called when no transfer
// does.
func noneOfOurs(t *testing.T) {
	t.Helper()
	buf := make([]byte, 1<<20)
	stacks := string(buf[:runtime.Stack(buf, true)])
	for _, name := range []string{"oss.elastic", "oss.(*uploader)", "oss.(*downloader)", "oss.(*copier)"} {
		if strings.Contains(stacks, name) {
			t.Errorf("%s runs after the call:\n%s", name, stacks)
		}
	}
}

// Streams, downloads and copies that are cancelled leave nothing running either.
func TestTransfersEnd(t *testing.T) {
	f := newFixture(t)
	f.put("big", pattern(10*testPart, 1))
	for name, transfer := range map[string]func(ctx context.Context, progress func(Progress)) error{
		"stream": func(ctx context.Context, progress func(Progress)) error {
			_, err := f.Upload(ctx, &UploadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Memory: 8 * testPart, Progress: progress,
				Stream: io.LimitReader(zeros{}, 20*testPart)})
			return err
		},
		"download": func(ctx context.Context, progress func(Progress)) error {
			_, err := f.DownloadFile(ctx, filepath.Join(t.TempDir(), "x"), &DownloadRequest{Bucket: testBucket, Key: "big", PartSize: testPart, Progress: progress})
			return err
		},
		"copy": func(ctx context.Context, progress func(Progress)) error {
			_, err := f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "big"}, PartSize: testPart, Progress: progress, Resume: ResumeNever})
			return err
		},
	} {
		ctx, cancel := context.WithCancel(context.Background())
		late := false
		var mu sync.Mutex
		err := transfer(ctx, func(p Progress) {
			mu.Lock()
			defer mu.Unlock()
			if late {
				t.Errorf("%s: progress after the call", name)
			}
			if p.Moved > 2*testPart {
				cancel()
			}
		})
		mu.Lock()
		late = true
		mu.Unlock()
		noneOfOurs(t)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", name, err)
		}
		cancel()
	}
	if ids := f.openUploads(); len(ids) != 0 {
		t.Errorf("open uploads %v", ids)
	}
}

type countingReaderAt struct {
	io.ReaderAt
	mu sync.Mutex
	n  int
}

func (r *countingReaderAt) ReadAt(p []byte, off int64) (int, error) {
	r.mu.Lock()
	r.n++
	r.mu.Unlock()
	return r.ReaderAt.ReadAt(p, off)
}

func (r *countingReaderAt) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.n
}

// A part that arrives damaged is sent again; one that always does is an error,
// and no object.
func TestUploadDamage(t *testing.T) {
	f := newFixture(t)
	data := pattern(4*testPart, 6)
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "UploadPart" && f.net.count[op]%2 == 0 {
			return damage
		}
		return nil
	})
	q := uploadFor(data)
	q.Parallel = 1
	progress, finished := watchProgress(t)
	q.Progress = progress
	if _, err := f.Upload(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	finished(q.Size)
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
	f.net.set(func(req *http.Request, op string) fault {
		if op == "PUT" || op == "UploadPart" && req.URL.Query().Get("partNumber") != "10000" {
			return damage
		}
		return nil
	})
	f.net.reset()
	q.Progress = nil
	if _, err := f.Upload(context.Background(), q); !errors.Is(err, ErrChecksum) || f.net.requests("Complete") != 0 {
		t.Errorf("%v", err)
	}
}

// otherCRC lets a server tell another CRC-64 than it should.
func otherCRC(next http.RoundTripper, req *http.Request) (*http.Response, error) {
	resp, err := next.RoundTrip(req)
	if err == nil {
		resp.Header.Set("X-Oss-Hash-Crc64ecma", "1")
	}
	return resp, err
}

// The whole object is compared besides its parts: one that a server put together
// wrongly is an error.
func TestTransfersCompareTheWhole(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(3*testPart, 6)
	f.put("source", data)
	for name, transfer := range map[string]func() error{
		"file": func() error { _, err := f.Upload(ctx, uploadFor(data)); return err },
		"stream": func() error {
			_, err := f.Upload(ctx, &UploadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Memory: 2 * testPart, Stream: io.MultiReader(bytes.NewReader(data))})
			return err
		},
		"copy": func() error {
			_, err := f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "source"}, PartSize: testPart})
			return err
		},
	} {
		f.net.reset()
		f.net.set(once("Complete", 1, otherCRC))
		if err := transfer(); !errors.Is(err, ErrChecksum) || f.net.requests("Complete") != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	f.net.set(once("UploadPartCopy", 1, otherCRC))
	_, err := f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "other", Source: CopySource{Bucket: testBucket, Key: "source"}, PartSize: testPart})
	if !errors.Is(err, ErrChecksum) {
		t.Errorf("a part of a copy: %v", err)
	}
	if _, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "other"}); !errors.Is(err, ErrNotFound) {
		t.Errorf("a copy with a wrong part was completed: %v", err)
	}
}

// Parts that are missing between others are sent, and no more than those.
func TestUploadResumeHoles(t *testing.T) {
	f := newFixture(t)
	data := pattern(7*testPart+5, 6)
	f.net.set(func(req *http.Request, op string) fault {
		if n := req.URL.Query().Get("partNumber"); op == "UploadPart" && (n == "2" || n == "5" || n == "8") {
			return answerWith(400, "InvalidArgument")
		}
		return nil
	})
	q := uploadFor(data)
	if _, err := f.Upload(context.Background(), q); !errors.Is(err, ErrInvalidArgument) {
		t.Fatal(err)
	}
	ids := f.openUploads()
	if len(ids) != 1 {
		t.Fatalf("open uploads %v", ids)
	}
	for _, n := range []int{1, 3, 4, 6, 7} {
		_, err := f.UploadPart(context.Background(), &UploadPartRequest{
			Bucket: testBucket, Key: "k", UploadID: ids[0], PartNumber: n, Body: bytes.NewReader(data[(n-1)*testPart : n*testPart]),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	f.net.set(nil)
	res, err := f.client().Upload(context.Background(), q)
	if err != nil || res.UploadID != ids[0] || res.PartsKept != 5 || res.PartsSent != 3 || res.BytesSent != 2*testPart+5 {
		t.Errorf("%+v, %v", res, err)
	}
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
}

// A mark that arrives damaged is not kept, but sent again: by a damaged one nobody
// would know the upload.
func TestUploadDamagedMark(t *testing.T) {
	f := newFixture(t)
	data := pattern(2*testPart, 6)
	damaged := 0
	f.net.set(func(req *http.Request, op string) fault {
		if op == "UploadPart" && req.URL.Query().Get("partNumber") == "10000" && damaged == 0 {
			damaged++
			return damage
		}
		return nil
	})
	if _, err := f.Upload(context.Background(), uploadFor(data)); err != nil || damaged != 1 {
		t.Errorf("%d were damaged, %v", damaged, err)
	}
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
}

// A small object that must not exist is made once, and the loss of the answer
// does not make an error of it.
func TestUploadForbidOverwrite(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	q := uploadFor(pattern(1000, 1))
	q.ForbidOverwrite = true
	f.net.set(once("PUT", 1, loseAnswer))
	res, err := f.Upload(ctx, q)
	if err != nil || !strings.Contains(strings.Join(res.Notes, ""), "the answer was lost") {
		t.Errorf("%+v, %v", res, err)
	}
	if _, err := f.Upload(ctx, q); !errors.Is(err, ErrFileAlreadyExists) {
		t.Errorf("again: %v", err)
	}
	q.Key = "other"
	f.net.set(once("PUT", 1, cutAfter(10)))
	if _, err := f.Upload(ctx, q); err != nil {
		t.Errorf("cut: %v", err)
	}
	big := uploadFor(pattern(2*testPart, 1))
	big.ForbidOverwrite = true
	if _, err := f.Upload(ctx, big); !errors.Is(err, ErrFileAlreadyExists) {
		t.Errorf("big: %v", err)
	}
}

// Of a changed file only the changed parts go over the network.
func TestUploadDelta(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	q := uploadFor(pattern(10*testPart+5, 1))
	q.Delta = true
	res, err := f.Upload(ctx, q)
	if err != nil || res.PartsSent != 11 || !strings.Contains(strings.Join(res.Notes, ""), "no object to copy from") {
		t.Fatalf("%+v, %v", res, err)
	}
	upload := func() (*UploadResult, []byte) {
		t.Helper()
		progress, finished := watchProgress(t)
		q.Progress = progress
		f.net.reset()
		res, err := f.Upload(ctx, q)
		if err != nil {
			t.Fatal(err)
		}
		finished(q.Size)
		want := make([]byte, q.Size)
		q.Body.ReadAt(want, 0)
		if !bytes.Equal(f.read("k"), want) {
			t.Error("other bytes")
		}
		return res, want
	}
	q.change(t, 3*testPart+1, 10)
	q.change(t, 8*testPart-1, 2) // in two parts
	res, _ = upload()
	if res.PartsCopied != 7 || res.PartsSent != 4 || res.BytesSent != 3*testPart+5 {
		t.Errorf("%+v", res.UploadReport)
	}
	if f.net.bytesSent() > 3*testPart+16<<10 {
		t.Errorf("%d bytes were sent", f.net.bytesSent())
	}
	q.grow(t, 2*testPart) // the part that was the last is whole now
	if res, _ = upload(); res.PartsCopied != 10 || res.PartsSent != 3 {
		t.Errorf("%+v", res.UploadReport)
	}
	// The old object is replaced on the way: what was copied of it stays right,
	// nothing more is.
	var replace sync.Once
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "UploadPartCopy" && f.net.count[op] == 3 {
			replace.Do(func() { f.put("k", pattern(12*testPart, 55)) })
		}
		return nil
	})
	q.Parallel = 1
	if res, _ = upload(); res.PartsCopied != 2 || !strings.Contains(strings.Join(res.Notes, ""), "no more parts are copied") {
		t.Errorf("%+v", res.UploadReport)
	}
	q.ForbidOverwrite = true
	if _, err := f.Upload(ctx, q); err == nil {
		t.Error("Delta with ForbidOverwrite")
	}
}

// flakyReader is a stream that comes in odd pieces and may end in an error.
type flakyReader struct {
	r   io.Reader
	n   int
	err error
}

func (r *flakyReader) Read(p []byte) (int, error) {
	r.n++
	if r.n%3 == 0 {
		return 0, nil
	}
	n, err := r.r.Read(p[:min(len(p), 1000+r.n%777)])
	if err == io.EOF && r.err != nil {
		err = r.err
	}
	return n, err
}

// A stream that breaks leaves nothing behind; one that comes again is compared
// with what is there, if that is wanted.
func TestUploadStream(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(8*testPart+9, 3)
	broken := errors.New("the pipe broke")
	q := &UploadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Memory: 5 * testPart}
	q.Stream = &flakyReader{r: bytes.NewReader(data[:5*testPart+9]), err: broken}
	_, err := f.Upload(ctx, q)
	var open *UploadError
	if !errors.Is(err, broken) || !errors.As(err, &open) || open.UploadID != "" {
		t.Errorf("broken: %v", err)
	}
	if ids := f.openUploads(); len(ids) != 0 {
		t.Errorf("open uploads %v", ids)
	}

	q.Resume = ResumeAlways
	q.Stream = &flakyReader{r: bytes.NewReader(data[:6*testPart+9]), err: broken}
	if _, err = f.Upload(ctx, q); !errors.Is(err, broken) || !errors.As(err, &open) || open.UploadID == "" {
		t.Errorf("broken: %v", err)
	}
	there := 0
	for range f.Parts(ctx, testBucket, "k", open.UploadID) {
		there++
	}
	progress, finished := watchProgress(t)
	q.Progress = progress
	q.Stream = &flakyReader{r: bytes.NewReader(data)}
	res, err := f.Upload(ctx, q)
	if err != nil || res.UploadID != open.UploadID || res.PartsKept < there-1 || res.PartsKept == 0 {
		t.Errorf("%+v, %v; %d parts were there", res, err, there)
	}
	finished(int64(len(data)))
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
	q.Stream = readerFunc(func([]byte) (int, error) { return 0, nil })
	if _, err := f.Upload(ctx, q); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a stream of nothing: %v", err)
	}
}

type readerFunc func(p []byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// The parts of a stream grow so that it fits, within the memory allowed.
func TestStreamPartSize(t *testing.T) {
	u := &uploader{partSize: 1 << 20, memory: 64 << 20}
	for number, want := range map[int]int64{1: 1 << 20, 1000: 1 << 20, 1001: 2 << 20, 2001: 4 << 20, 6001: 64 << 20, 9999: 64 << 20} {
		if got := u.streamPartSize(number); got != want {
			t.Errorf("part %d has %d bytes, want %d", number, got, want)
		}
	}
	var total int64
	for n := 1; n <= lastPart; n++ {
		total += u.streamPartSize(n)
	}
	if total < 300<<30 {
		t.Errorf("64 MiB of memory are enough for %d bytes", total)
	}
}

// The size of parts follows the rate that was measured.
func TestChoosePartSize(t *testing.T) {
	u := &uploader{c: &Client{}, q: &UploadRequest{}}
	if got := u.choosePartSize(); got != firstPartSize {
		t.Errorf("unknown rate: %d", got)
	}
	for _, c := range []struct{ rate, want int64 }{{100 << 10, 4 << 20}, {3 << 20, 16 << 20}, {1 << 30, 64 << 20}} {
		u.c.rate = rate{}
		u.c.rate.add(c.rate*10, 10*time.Second)
		if got := u.choosePartSize(); got != c.want {
			t.Errorf("%d bytes a second: parts of %d, want %d", c.rate, got, c.want)
		}
	}
	u.q.PartSize = 5 << 20
	if got := u.choosePartSize(); got != 5<<20 {
		t.Errorf("asked for: %d", got)
	}
}

func TestUploadRefused(t *testing.T) {
	f := newFixture(t)
	for name, change := range map[string]func(*UploadRequest){
		"no size":            func(q *UploadRequest) { q.Body, q.Size = struct{ io.ReaderAt }{q.Body}, 0 },
		"no body":            func(q *UploadRequest) { q.Body = nil },
		"two bodies":         func(q *UploadRequest) { q.Stream = strings.NewReader("x") },
		"no key":             func(q *UploadRequest) { q.Key = "" },
		"small parts":        func(q *UploadRequest) { q.PartSize = MinPartSize - 1 },
		"large parts":        func(q *UploadRequest) { q.PartSize = MaxPartSize + 1 },
		"many at a time":     func(q *UploadRequest) { q.Parallel = maxParallel + 1 },
		"negative size":      func(q *UploadRequest) { q.Size = -1 },
		"larger than can be": func(q *UploadRequest) { q.Size = MaxObjectSize + 1 },
		"little memory":      func(q *UploadRequest) { q.Memory = 1000 },
		"delta of a stream":  func(q *UploadRequest) { q.Body, q.Stream, q.Delta = nil, strings.NewReader("x"), true },
	} {
		q := uploadFor(pattern(10, 1))
		change(q)
		if _, err := f.Upload(context.Background(), q); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	// One that tells its size need not be told it.
	q := uploadFor(pattern(10, 1))
	q.Key, q.Size = "told", 0
	if res, err := f.Upload(context.Background(), q); err != nil || res.Size != 10 {
		t.Errorf("a body that tells its size: %+v, %v", res, err)
	}
	// A file shorter than it is said to be.
	q = uploadFor(pattern(10, 1))
	q.Size = 3 * testPart
	if _, err := f.Upload(context.Background(), q); err == nil {
		t.Error("a file that is too short: no error")
	}
	if got := f.openUploads(); len(got) > 1 {
		t.Errorf("open uploads %v", got)
	}
	if !slices.Equal(f.keys(), []string{"told"}) {
		t.Errorf("objects %v", f.keys())
	}
}

// keys lists the objects.
func (f *fixture) keys() (keys []string) {
	f.t.Helper()
	for o, err := range f.Objects(context.Background(), testBucket, "") {
		if err != nil {
			f.t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// Who has oss:PutObject and nothing else can upload, in whatever way, and is told
// what could not be done without more.
func TestUploadWithPutObjectOnly(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	c := f.client(WithCredentials(StaticCredentials(uploaderKeyID, testSecret, "")))
	data := pattern(4*testPart+5, 1)
	f.put("k", data[:2*testPart])
	q := uploadFor(data)
	q.SkipIdentical = true
	f.net.set(once("Complete", 1, loseAnswer))
	res, err := c.Upload(ctx, q)
	if err != nil || !strings.Contains(strings.Join(res.Notes, ""), "cannot be looked for (AccessDenied)") {
		t.Errorf("%+v, %v", res, err)
	}
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
	if _, err := c.Upload(ctx, &UploadRequest{Bucket: testBucket, Key: "k", PartSize: testPart, Memory: 3 * testPart, Stream: io.MultiReader(bytes.NewReader(data))}); err != nil {
		t.Errorf("stream: %v", err)
	}

	q.SkipIdentical, q.Delta = false, true
	if res, err = c.Upload(ctx, q); err != nil || !strings.Contains(strings.Join(res.Notes, ""), "cannot be looked at") {
		t.Errorf("delta: %+v, %v", res, err)
	}
	q.Delta = false

	// What cannot be cleaned up is named.
	q.Resume = ResumeNever
	f.net.set(once("Complete", 1, answerWith(400, "InvalidArgument")))
	var open *UploadError
	_, err = c.Upload(ctx, q)
	if !errors.As(err, &open) || open.UploadID == "" || !strings.Contains(strings.Join(open.Report.Notes, ""), "could not be aborted") {
		t.Errorf("%v", err)
	}
	_, err = c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
	if !errors.Is(err, ErrAccessDenied) || !strings.Contains(err.Error(), "oss:GetObject") {
		t.Errorf("the error names no action: %v", err)
	}
}

// zeros is a file of zeros of any size.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }
func (zeros) Read(p []byte) (int, error)            { clear(p); return len(p), nil }

// sink takes all requests of an upload and keeps nothing.
type sink struct{}

func (sink) RoundTrip(req *http.Request) (*http.Response, error) {
	body, h := "", http.Header{}
	switch op := operationOf(req); op {
	case "ListUploads":
		body = "<ListMultipartUploadsResult/>"
	case "Initiate":
		body = "<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>"
	case "UploadPart":
		buf := make([]byte, 32<<10) // as a transport has
		for {
			if _, err := req.Body.Read(buf); err != nil {
				break
			}
		}
		h.Set("ETag", `"5D41402ABC4B2A76B9719D911017C592"`)
	case "Complete":
		body = "<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
	}
	return &http.Response{StatusCode: 200, Header: h, Request: req, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
}

// The memory that an upload takes is bounded, whatever the size: 512 MiB of a
// file, and 200 MiB of a stream whose bound is 16 MiB.
func TestUploadMemory(t *testing.T) {
	c := mustClient(t, WithHTTPClient(&http.Client{Transport: sink{}}), WithCredentials(AnonymousCredentials()))
	allocated := func(q *UploadRequest) uint64 {
		t.Helper()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		q.Bucket, q.Key = testBucket, "k"
		if _, err := c.Upload(context.Background(), q); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	// 256 parts, each with what a request takes and 32 KiB of the sink's.
	if n := allocated(&UploadRequest{Body: zeros{}, Size: 512 << 20, PartSize: 2 << 20, Parallel: 16}); n > 24<<20 {
		t.Errorf("a file: %d bytes were allocated", n)
	}
	if n := allocated(&UploadRequest{Stream: io.LimitReader(zeros{}, 200<<20), PartSize: 2 << 20, Parallel: 16, Memory: 16 << 20}); n > 32<<20 {
		t.Errorf("a stream: %d bytes were allocated", n)
	}
}

// An upload has the ETags and checksums that the official service gives to the
// same bytes.
func TestUploadFixture(t *testing.T) {
	var file struct {
		Samples []struct {
			Parts  []string `json:"part_etags"`
			Object string   `json:"object_etag"`
		} `json:"multipart_etag"`
		Fixture struct {
			Parts []struct {
				ETag string `json:"md5_etag"`
				CRC  string `json:"crc64"`
			}
			ETag string `json:"object_etag"`
			CRC  string `json:"object_crc64"`
		} `json:"multipart_fixture"`
	}
	readTestdata(t, "etag-crc64.json", &file)
	for _, s := range file.Samples {
		var parts []CompletePart
		for i, etag := range s.Parts {
			parts = append(parts, CompletePart{i + 1, etag})
		}
		if got := multipartETag(parts); got != s.Object {
			t.Errorf("ETag %s, want %s", got, s.Object)
		}
	}
	var data []byte
	for b := byte(1); b <= 3; b++ {
		data = append(data, bytes.Repeat([]byte{b}, testPart)...)
	}
	data = append(data, "tail"...)
	f := newFixture(t)
	res, err := f.Upload(context.Background(), uploadFor(data))
	if err != nil || res.ETag != file.Fixture.ETag || fmt.Sprint(res.CRC64) != file.Fixture.CRC || len(file.Samples) == 0 {
		t.Errorf("%+v, %v", res, err)
	}
	for i, p := range file.Fixture.Parts {
		part := data[i*testPart : min((i+1)*testPart, len(data))]
		h := newCRC()
		h.Write(part)
		if etagOf(part) != p.ETag || fmt.Sprint(h.sum) != p.CRC {
			t.Errorf("part %d: %s, %d", i+1, etagOf(part), h.sum)
		}
	}
}

// Further headers that the object does not show were not asked for when it was
// made: it is not the same.
func TestSkipIdenticalHeader(t *testing.T) {
	f := newFixture(t)
	data := pattern(testPart, 1)
	f.put("k", data)
	for name, want := range map[string]bool{"Content-Language": false, "Accept-Ranges": true} {
		res, err := f.Upload(context.Background(), &UploadRequest{
			Bucket: testBucket, Key: "k", Body: bytes.NewReader(data), Size: int64(len(data)), SkipIdentical: true,
			Header: http.Header{name: {"bytes"}},
		})
		if err != nil || res.Skipped != want {
			t.Errorf("%s: %+v, %v", name, res, err)
		}
	}
}

// An upload that was aborted is none that was completed, though the object that
// is there has the same bytes and parts: it lacks what was asked for besides.
func TestUploadAbortedBeforeSameObject(t *testing.T) {
	f := newFixture(t)
	data := pattern(3*testPart, 1)
	q := &UploadRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(data), Size: int64(len(data)), PartSize: testPart}
	if _, err := f.Upload(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	q.CacheControl = "no-store"
	f.net.set(once("Complete", 1, func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		f.abort(req.URL.Query().Get("uploadId"))
		return next.RoundTrip(req)
	}))
	res, err := f.Upload(context.Background(), q)
	if err != nil {
		t.Fatal(err)
	}
	info, err := f.HeadObject(context.Background(), &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil || info.CacheControl != "no-store" {
		t.Errorf("the object has Cache-Control %q, %v; %v", info.CacheControl, err, res.Notes)
	}
}
