package oss

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/server"
)

// Requests one after another go over one connection, errors and interrupted
// uploads aside.
func TestConnectionsAreKept(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	var mu sync.Mutex
	dialled := 0
	transport := newTransport()
	dial := transport.DialContext
	transport.DialContext = func(ctx context.Context, network, addr string) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		dialled++
		return dial(ctx, network, addr)
	}
	c := f.client(WithHTTPClient(&http.Client{Transport: transport}))
	defer c.CloseIdleConnections()
	for range 20 {
		if _, err := c.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(pattern(300<<10, 1))}); err != nil {
			t.Fatal(err)
		}
		res, err := c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			t.Fatal(err)
		}
		res.Body.Close()
		if _, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "nothing"}); !errors.Is(err, ErrNoSuchKey) {
			t.Fatal(err)
		}
		if _, err := c.ListObjectsV2(ctx, &ListObjectsV2Request{Bucket: testBucket}); err != nil {
			t.Fatal(err)
		}
	}
	if dialled != 1 {
		t.Errorf("%d connections", dialled)
	}
}

// Headers of the client and of an upload go with the requests they are for.
func TestHeaders(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	var mu sync.Mutex
	seen := map[string][]string{} // by header
	f.net.set(func(req *http.Request, op string) fault {
		mu.Lock()
		defer mu.Unlock()
		for _, name := range []string{"X-Oss-Request-Payer", "Content-Language"} {
			if req.Header.Get(name) != "" {
				seen[name] = append(seen[name], op)
			}
		}
		return nil
	})
	c := f.client(WithHeader("x-oss-request-payer", "requester"))
	q := uploadFor(pattern(2*testPart, 1))
	q.Parallel = 1
	q.Header = http.Header{"content-language": {"de"}}
	if _, err := c.Upload(ctx, q); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(seen["X-Oss-Request-Payer"], " "); got != "ListUploads Initiate UploadPart UploadPart UploadPart Complete" {
		t.Errorf("of the client: %s", got)
	}
	if got := strings.Join(seen["Content-Language"], " "); got != "Initiate" {
		t.Errorf("of the upload: %s", got)
	}
	if bytes.Equal(mark(&Attributes{}, nil, q.Header), mark(&Attributes{}, nil, nil)) {
		t.Error("the mark does not know the header")
	}
}

// Headers of downloads and copies go with the requests they are for.
func TestTransferHeaders(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	f.put("source", pattern(3*testPart, 1))
	var mu sync.Mutex
	seen := map[string]int{}
	f.net.set(func(req *http.Request, op string) fault {
		mu.Lock()
		defer mu.Unlock()
		if req.Header.Get("X-Oss-Traffic-Limit") == "819200" {
			seen[op]++
		}
		return nil
	})
	header := http.Header{"x-oss-traffic-limit": {"819200"}}
	source := CopySource{Bucket: testBucket, Key: "source"}
	for name, transfer := range map[string]struct {
		do   func() error
		want map[string]int
	}{
		"download": {func() error {
			_, err := f.DownloadFile(ctx, filepath.Join(t.TempDir(), "x"), &DownloadRequest{Bucket: testBucket, Key: "source", PartSize: testPart, Header: header})
			return err
		}, map[string]int{"HEAD": 1, "GET": 3}},
		"open": {func() error {
			res, err := f.OpenObject(ctx, &OpenObjectRequest{Bucket: testBucket, Key: "source", Header: header})
			if err == nil {
				err = res.Body.Close()
			}
			return err
		}, map[string]int{"GET": 1}},
		"copy": {func() error {
			_, err := f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "k", Source: source, Header: header})
			return err
		}, map[string]int{"PUT": 1}},
		"copy in parts": {func() error {
			_, err := f.Copy(ctx, &CopyRequest{Bucket: testBucket, Key: "k", Source: source, Header: header, PartSize: testPart})
			return err
		}, map[string]int{"Initiate": 1}},
	} {
		clear(seen)
		if err := transfer.do(); err != nil || !maps.Equal(seen, transfer.want) {
			t.Errorf("%s: %v, %v", name, seen, err)
		}
	}
}

// A rate limit is kept by all requests together, in both directions.
func TestRateLimit(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	const size, perSecond = 1 << 20, 100 << 10
	c := f.client(WithRateLimit(perSecond))
	longest := func() (d time.Duration) {
		for _, p := range f.clock.slept() {
			d = max(d, p)
		}
		return d
	}
	// The clock stands still, so the last pause is as long as all of it takes.
	if _, err := c.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(pattern(size, 1))}); err != nil {
		t.Fatal(err)
	}
	if got := longest(); got < 10*time.Second || got > 11*time.Second {
		t.Errorf("sent within %v", got)
	}
	f.clock.advance(10 * time.Second)
	res, err := c.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if n, err := io.Copy(io.Discard, res.Body); err != nil || n != size {
		t.Errorf("%d, %v", n, err)
	}
	if got := longest(); got < 10*time.Second || got > 12*time.Second {
		t.Errorf("received within %v", got)
	}
	if _, err := NewClient(f.url, WithRegion("r"), WithRateLimit(-1)); err == nil {
		t.Error("a negative rate")
	}
}

// The login page of a network, which answers everything with 200, is no success.
func TestLoginPage(t *testing.T) {
	page := &recorded{Status: 200, Body: "<!DOCTYPE html><html>Welcome!</html>", Headers: map[string]string{"Content-Type": "text/html"}}
	c := mustClient(t, WithHTTPClient(&http.Client{Transport: page}), WithCredentials(AnonymousCredentials()))
	ctx := context.Background()
	for name, call := range map[string]func() error{
		"list": func() error { _, err := c.ListBuckets(ctx, &ListBucketsRequest{}); return err },
		"put": func() error {
			_, err := c.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: strings.NewReader("x")})
			return err
		},
		"part": func() error {
			_, err := c.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: "u", PartNumber: 1, Body: strings.NewReader("x")})
			return err
		},
		"complete": func() error {
			_, err := c.CompleteMultipartUpload(ctx, &CompleteMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: "u"})
			return err
		},
		"copy": func() error {
			_, err := c.CopyObject(ctx, &CopyObjectRequest{Bucket: testBucket, Key: "k", Source: CopySource{Bucket: testBucket, Key: "s"}})
			return err
		},
		"upload": func() error { _, err := c.Upload(ctx, uploadFor(pattern(3*testPart, 1))); return err },
		"download": func() error {
			_, err := c.DownloadFile(ctx, filepath.Join(t.TempDir(), "x"), &DownloadRequest{Bucket: testBucket, Key: "k"})
			return err
		},
	} {
		if err := call(); err == nil {
			t.Errorf("%s: success", name)
		}
	}
}

// When a signature does not match, both sides' strings are there to compare.
func TestSignatureMismatch(t *testing.T) {
	f := newFixture(t)
	for name, options := range map[string][]Option{"V4": nil, "V1": {WithSignature(SignatureV1)}} {
		options = append(options, WithCredentials(StaticCredentials(testKeyID, "another-secret", "")))
		_, err := f.client(options...).ListObjectsV2(context.Background(), &ListObjectsV2Request{Bucket: testBucket, Prefix: "a b"})
		var e *Error
		if !errors.Is(err, ErrSignatureDoesNotMatch) || !errors.As(err, &e) {
			t.Fatalf("%s: %v", name, err)
		}
		if e.StringToSign == "" || e.StringToSign != e.Element("StringToSign") || e.CanonicalRequest != e.Element("CanonicalRequest") ||
			(e.CanonicalRequest == "") != (name == "V1") {
			t.Errorf("%s: %q and %q, the server has %q and %q", name, e.StringToSign, e.CanonicalRequest, e.Element("StringToSign"), e.Element("CanonicalRequest"))
		}
	}
}

// A download replaces files, and what symbolic links lead to; never a directory
// or a device.
func TestDownloadTarget(t *testing.T) {
	f := newFixture(t)
	f.put("k", []byte("hello"))
	dir := t.TempDir()
	get := func(name string) error {
		_, err := f.DownloadFile(context.Background(), name, &DownloadRequest{Bucket: testBucket, Key: "k"})
		return err
	}
	if err := get(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a directory: %v", err)
	}
	if err := get(os.DevNull); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Errorf("a device: %v", err)
	}
	target, link := filepath.Join(dir, "target"), filepath.Join(dir, "link")
	if err := os.WriteFile(target, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(target, link); err != nil {
		t.Fatal(err)
	}
	if err := get(link); err != nil {
		t.Error(err)
	}
	info, err := os.Lstat(link)
	text, readErr := os.ReadFile(target)
	if err != nil || readErr != nil || info.Mode()&os.ModeSymlink == 0 || string(text) != "hello" {
		t.Errorf("link: %v, %v, %q, %v", info, err, text, readErr)
	}
	if err := get(filepath.Join(dir, "none", "file")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

// What is calculated of a file is what the server will tell of it.
func TestHashReader(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	for _, size := range []int{0, 1, testPart, testPart + 1, 3 * testPart} {
		data := pattern(size, 1)
		h, err := HashReader(ctx, bytes.NewReader(data), testPart)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := HashReaderAt(ctx, bytes.NewReader(data), int64(size), testPart); err != nil || *p != *h {
			t.Errorf("%d bytes: in parallel %+v, %v; in a row %+v", size, p, err, h)
		}
		res, err := f.Upload(ctx, uploadFor(data))
		if err != nil {
			t.Fatal(err)
		}
		etag := h.MultipartETag
		if size <= testPart {
			etag = strings.ToUpper(hex.EncodeToString(h.MD5[:]))
		}
		if res.ETag != etag || res.CRC64 != h.CRC64 || h.Parts != max((size+testPart-1)/testPart, 1) {
			t.Errorf("%d bytes: %+v, the server has %s, %d", size, h, res.ETag, res.CRC64)
		}
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := HashReaderAt(ended, strings.NewReader("x"), 1, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("in parallel, cancelled: %v", err)
	}
	if _, err := HashReaderAt(ctx, strings.NewReader("x"), 2, 1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a file that became shorter: %v", err)
	}
	if _, err := HashReaderAt(ctx, strings.NewReader("x"), MaxParts+1, 1); err == nil || !strings.Contains(err.Error(), "more than 10000 parts") {
		t.Errorf("too many parts: %v", err)
	}
	if _, err := HashReader(ended, strings.NewReader("x"), 1); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// Buckets are found by host and by domain, too, under both signatures.
func TestAddressing(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	if _, err := f.PutCname(ctx, &PutCnameRequest{Bucket: testBucket, Domain: "files.example.org"}); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(f.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	transport := newTransport()
	defer transport.CloseIdleConnections()
	transport.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, strings.TrimPrefix(f.url, "http://"))
	}
	for _, signature := range []Signature{SignatureV4, SignatureV1} {
		for _, c := range []struct {
			host  string
			style Addressing
		}{{"localhost", VirtualHost}, {"localhost", PathStyle}, {"localhost", AutoAddressing}, {"files.example.org", CNAME}, {"nobody-knows.example.org", PathStyle}} {
			client, err := NewClient("http://"+c.host+":"+port, WithRegion("cn-hangzhou"), WithAddressing(c.style), WithSignature(signature), WithClock(f.clock),
				WithHTTPClient(&http.Client{Transport: transport}), WithCredentials(StaticCredentials(testKeyID, testSecret, "")), WithAdditionalHeaders("host"))
			if err != nil {
				t.Fatal(err)
			}
			data := pattern(2*testPart, 1)
			q := uploadFor(data)
			q.Key = "a//b/../c d+é"
			if _, err := client.Upload(ctx, q); err != nil {
				t.Errorf("%s, addressing %d: %v", c.host, c.style, err)
				continue
			}
			if !bytes.Equal(f.read(q.Key), data) {
				t.Errorf("%s: other bytes", c.host)
			}
		}
	}
}

// A temporary key that ends in the middle of an upload is renewed, and nothing
// but the part that was refused is sent again.
func TestUploadRefreshesCredentials(t *testing.T) {
	f := newFixture(t)
	var mu sync.Mutex
	fetches := 0
	p := RefreshingCredentials(func(context.Context) (Credentials, error) {
		mu.Lock()
		defer mu.Unlock()
		fetches++
		return Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret, Expires: f.clock.Now().Add(time.Hour)}, nil
	}, f.clock)
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "UploadPart" && f.net.count[op] == 5 {
			return answerWith(403, "SecurityTokenExpired")
		}
		return nil
	})
	data := pattern(10*testPart, 1)
	if _, err := f.client(WithCredentials(p)).Upload(context.Background(), uploadFor(data)); err != nil {
		t.Fatal(err)
	}
	if fetches != 2 || f.net.requests("UploadPart") != 12 || len(f.clock.slept()) != 0 {
		t.Errorf("%d fetches, %d parts sent with the mark, pauses %v", fetches, f.net.requests("UploadPart"), f.clock.slept())
	}
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
}

// When a server refuses the key of all parts in flight at once, one fetch renews
// it for them all.
func TestUploadRefreshesCredentialsOnce(t *testing.T) {
	f := newFixture(t)
	const parallel = 4
	var mu sync.Mutex
	fetches := 0
	p := RefreshingCredentials(func(context.Context) (Credentials, error) {
		mu.Lock()
		defer mu.Unlock()
		if fetches++; fetches == 1 {
			return Credentials{AccessKeyID: uploaderKeyID, AccessKeySecret: testSecret}, nil
		}
		return Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}, nil
	}, f.clock)
	var together sync.WaitGroup
	together.Add(parallel)
	f.net.set(func(req *http.Request, op string) fault {
		if op != "UploadPart" || req.URL.Query().Get("partNumber") == "10000" || !strings.Contains(req.Header.Get("Authorization"), uploaderKeyID) {
			return nil
		}
		return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
			together.Done()
			together.Wait()
			return answerWith(403, "SecurityTokenExpired")(next, req)
		}
	})
	data := pattern(10*testPart, 1)
	q := uploadFor(data)
	q.Parallel = parallel
	if _, err := f.client(WithCredentials(p)).Upload(context.Background(), q); err != nil {
		t.Fatal(err)
	}
	if fetches != 2 || f.net.requests("UploadPart") != 1+10+parallel {
		t.Errorf("%d fetches, %d parts sent with the mark", fetches, f.net.requests("UploadPart"))
	}
	if !bytes.Equal(f.read("k"), data) {
		t.Error("other bytes")
	}
}

// A comparison looks everywhere first.
func TestSpread(t *testing.T) {
	list := make([]int, 100)
	for i := range list {
		list[i] = i
	}
	got := spread(list, 8)
	if !slices.Equal(got[:8], []int{0, 12, 24, 36, 48, 60, 72, 84}) || len(got) != 100 {
		t.Errorf("%v", got)
	}
	slices.Sort(got)
	if !slices.Equal(got, list) {
		t.Errorf("%v", got)
	}
}

// The client has what the server has.
func TestEveryOperation(t *testing.T) {
	has := map[string]bool{}
	for _, q := range []Request{
		&ListBucketsRequest{}, &PutBucketRequest{}, &DeleteBucketRequest{}, &HeadBucketRequest{}, &GetBucketInfoRequest{},
		&GetBucketLocationRequest{}, &GetBucketStatRequest{}, &PutBucketACLRequest{}, &GetBucketACLRequest{},
		&ListObjectsRequest{}, &ListObjectsV2Request{}, &ListObjectVersionsRequest{}, &ListMultipartUploadsRequest{}, &DeleteMultipleObjectsRequest{},
		&PutBucketLifecycleRequest{}, &GetBucketLifecycleRequest{}, &DeleteBucketLifecycleRequest{},
		&PutBucketCORSRequest{}, &GetBucketCORSRequest{}, &DeleteBucketCORSRequest{},
		&PutBucketPolicyRequest{}, &GetBucketPolicyRequest{}, &DeleteBucketPolicyRequest{}, &GetBucketPolicyStatusRequest{},
		&PutBucketEncryptionRequest{}, &GetBucketEncryptionRequest{}, &DeleteBucketEncryptionRequest{},
		&PutBucketTaggingRequest{}, &GetBucketTaggingRequest{}, &DeleteBucketTaggingRequest{},
		&PutBucketRefererRequest{}, &GetBucketRefererRequest{}, &PutCnameRequest{}, &DeleteCnameRequest{}, &ListCnameRequest{},
		&PutObjectRequest{}, &CopyObjectRequest{}, &GetObjectRequest{}, &HeadObjectRequest{}, &GetObjectMetaRequest{}, &DeleteObjectRequest{},
		&PutObjectACLRequest{}, &GetObjectACLRequest{}, &PutObjectTaggingRequest{}, &GetObjectTaggingRequest{}, &DeleteObjectTaggingRequest{},
		&RestoreObjectRequest{}, &InitiateMultipartUploadRequest{}, &UploadPartRequest{}, &UploadPartCopyRequest{},
		&CompleteMultipartUploadRequest{}, &AbortMultipartUploadRequest{}, &ListPartsRequest{},
	} {
		has[q.build().op] = true
	}
	without := []string{
		"ListLiveChannel", // always empty, here
		"OptionObject",    // asked by browsers
	}
	known := map[string]bool{}
	for _, op := range server.Operations() {
		known[op.Name] = true
		if op.Implemented && !has[op.Name] && !slices.Contains(without, op.Name) {
			t.Errorf("the client has no %s", op.Name)
		}
	}
	for name := range has {
		if known[name] {
			continue
		}
		t.Errorf("the client has %s, which is no operation", name)
	}
}
