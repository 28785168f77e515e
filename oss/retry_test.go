package oss

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"
)

// refuse is an endpoint that nobody listens on.
func refuse(http.RoundTripper, *http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}

// An endpoint that has never answered may be a wrong one: that is told soon.
func TestRetryOfWrongEndpoint(t *testing.T) {
	f := newFixture(t)
	f.reached.Store(false)
	f.net.set(once("HEAD", 100, refuse))
	_, err := f.HeadObject(t.Context(), &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if n := f.net.requests("HEAD"); n != 5 || !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("%d requests, error %v", n, err)
	}
}

// A failed request is sent again where that can help and cannot harm, after
// pauses that grow; and where not, it is not.
func TestRetry(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(200<<10, 1)
	putBytes := func() error {
		_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(data)})
		return err
	}
	putStream := func() error {
		_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: io.MultiReader(bytes.NewReader(data))})
		return err
	}
	putNew := func() error {
		_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "n", Body: bytes.NewReader(data), ForbidOverwrite: true})
		return err
	}
	head := func() error {
		_, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"})
		return err
	}
	list := func() error {
		_, err := f.ListObjectsV2(ctx, &ListObjectsV2Request{Bucket: testBucket})
		return err
	}
	for _, c := range []struct {
		name     string
		op       string
		times    int
		do       fault
		call     func() error
		requests int
		fails    bool
	}{
		{"lost answer", "PUT", 1, loseAnswer, putBytes, 2, false},
		{"cut in the middle", "PUT", 4, cutAfter(1000), putBytes, 5, false},
		{"cut too often", "PUT", 5, cutAfter(1000), putBytes, 5, true},
		{"500", "PUT", 1, answerWith(500, "InternalError"), putBytes, 2, false},
		{"503", "PUT", 1, answerWith(503, "ServiceUnavailable"), putBytes, 2, false},
		{"429", "PUT", 1, answerWith(429, "TooManyRequests"), putBytes, 2, false},
		{"400", "PUT", 1, answerWith(400, "InvalidArgument"), putBytes, 1, true},
		{"cut body refused", "PUT", 1, answerWith(400, "IncompleteBody"), putBytes, 2, false},
		{"damaged body refused", "PUT", 1, answerWith(400, "InvalidDigest"), putBytes, 2, false},
		{"wrong digest", "PUT", 5, answerWith(400, "InvalidDigest"), putBytes, 2, true},
		{"403", "PUT", 1, answerWith(403, "AccessDenied"), putBytes, 1, true},
		{"501", "PUT", 1, answerWith(501, "NotImplemented"), putBytes, 1, true},
		{"callback", "PUT", 1, answerWith(203, "CallbackFailed"), putBytes, 1, true},
		{"stream, consumed", "PUT", 1, cutAfter(1), putStream, 1, true},
		{"stream, answered early", "PUT", 1, answerWith(503, "ServiceUnavailable"), putStream, 2, false},
		{"new object, uncertain", "PUT", 1, loseAnswer, putNew, 1, true},
		{"new object, certainly not made", "PUT", 1, answerWith(503, "ServiceUnavailable"), putNew, 2, true}, // it is there by now
		{"head, lost", "HEAD", 3, loseAnswer, head, 4, false},
		{"nobody listens for a while", "HEAD", 9, refuse, head, 10, false},
		{"nobody listens for long", "HEAD", 10, refuse, head, 10, true},
		{"redirect is no success", "HEAD", 1, answerWith(307, ""), head, 1, true},
		{"list, cut", "GET", 2, truncate(50), list, 3, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			f.net.reset()
			f.net.set(once(c.op, c.times, c.do))
			err := c.call()
			if n := f.net.requests(c.op); n != c.requests || (err != nil) != c.fails {
				t.Errorf("%d requests, error %v; want %d requests, an error: %v", n, err, c.requests, c.fails)
			}
		})
	}
	for i, d := range f.clock.slept() {
		if d < 100*time.Millisecond || d > 20*time.Second {
			t.Errorf("pause %d is %v", i, d)
		}
	}
}

func TestRetryPause(t *testing.T) {
	p, err := RetryPolicy{MinPause: time.Second, MaxPause: 10 * time.Second}.withDefaults()
	if err != nil || p.Attempts != 5 {
		t.Fatal(p, err)
	}
	if p.PartAttempts != 10 {
		t.Errorf("%d attempts for a part", p.PartAttempts)
	}
	if p, err := (RetryPolicy{Attempts: 2}).withDefaults(); err != nil || p.PartAttempts != 2 {
		t.Errorf("2 attempts asked for, %d for a part, %v", p.PartAttempts, err)
	}
	for n, want := range map[int]time.Duration{1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 4: 8 * time.Second, 5: 10 * time.Second, 500: 10 * time.Second} {
		if got := p.pause(n, 1); got != want {
			t.Errorf("pause %d is %v, want %v", n, got, want)
		}
		if got := p.pause(n, 0); got != want/2 {
			t.Errorf("pause %d is at least %v, want %v", n, got, want/2)
		}
	}
	if _, err := (RetryPolicy{Attempts: -1}).withDefaults(); err == nil {
		t.Error("a negative number of attempts is taken")
	}
}

// A connection on which nothing moves is given up after the stall timeout, in
// every phase, and the request sent again.
func TestStall(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(300<<10, 2)
	f.put("k", data)
	hung := make(chan struct{}, 1)
	hang := func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		hung <- struct{}{}
		return hang(next, req)
	}
	run := func(name string, call func() error) error {
		done := make(chan error, 1)
		go func() { done <- call() }()
		for {
			select {
			case err := <-done:
				return err
			case <-hung:
				f.clock.advance(f.Client.answer)
			case <-time.After(30 * time.Second):
				t.Fatalf("%s: never ended", name)
			}
		}
	}
	f.net.set(once("PUT", 1, hang))
	err := run("put", func() error {
		_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "p", Body: bytes.NewReader(data)})
		return err
	})
	if err != nil || f.net.requests("PUT") != 2 {
		t.Errorf("put: %v, %d requests", err, f.net.requests("PUT"))
	}
	f.net.set(func(*http.Request, string) fault { return hang })
	err = run("head", func() error {
		_, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"})
		return err
	})
	if !errors.Is(err, ErrStalled) || f.net.requests("HEAD") != 5 {
		t.Errorf("head: %v, %d requests", err, f.net.requests("HEAD"))
	}

	// The body of an object stalls: its reader learns so.
	f.net.set(once("GET", 1, func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			resp.Body = &hangingBody{resp.Body, req.Context(), hung}
		}
		return resp, err
	}))
	err = run("get", func() error {
		res, err := f.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.ReadAll(res.Body)
		return err
	})
	if !errors.Is(err, ErrStalled) {
		t.Errorf("get: %v", err)
	}
}

type hangingBody struct {
	io.ReadCloser
	ctx  context.Context
	hung chan<- struct{}
}

func (b *hangingBody) Read([]byte) (int, error) {
	b.hung <- struct{}{}
	<-b.ctx.Done()
	return 0, b.ctx.Err()
}

// A caller that reads an object slowly is no stall.
func TestSlowReaderIsNoStall(t *testing.T) {
	f := newFixture(t)
	data := pattern(4<<20, 3)
	f.put("k", data)
	res, err := f.GetObject(context.Background(), &GetObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	got := make([]byte, len(data))
	for i := 0; i < len(got); i += 1 << 20 {
		f.clock.advance(time.Hour)
		if _, err := io.ReadFull(res.Body, got[i:i+1<<20]); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(got, data) {
		t.Error("other bytes")
	}
}

// A cancelled request ends, with the context's error and cause.
func TestCancel(t *testing.T) {
	f := newFixture(t)
	why := errors.New("the user pressed a key")
	ctx, cancel := context.WithCancelCause(context.Background())
	f.net.set(func(*http.Request, string) fault {
		return func(_ http.RoundTripper, req *http.Request) (*http.Response, error) {
			cancel(why)
			<-req.Context().Done()
			return nil, req.Context().Err()
		}
	})
	_, err := f.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if !errors.Is(err, context.Canceled) || !errors.Is(err, why) || f.net.requests("HEAD") != 1 {
		t.Errorf("error %v after %d requests", err, f.net.requests("HEAD"))
	}
}

// A wrong clock costs one request, and is right afterwards.
func TestClockSkew(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	wrong := newTestClock()
	wrong.now = epoch.Add(-3 * time.Hour)
	c := f.client(WithClock(wrong))
	for i, want := range []int{2, 3} {
		if _, err := c.ListBuckets(ctx, &ListBucketsRequest{}); err != nil {
			t.Fatal(err)
		}
		if n := f.net.requests("GET"); n != want {
			t.Errorf("call %d: %d requests so far, want %d", i, n, want)
		}
	}
	if len(wrong.slept()) != 0 {
		t.Error("it paused before it sent the request with the right time")
	}
	// A consumed stream is not sent again, not even then.
	c = f.client(WithClock(wrong))
	_, err := c.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: io.MultiReader(bytes.NewReader(make([]byte, 1<<20)))})
	if !errors.Is(err, ErrRequestTimeTooSkewed) {
		t.Errorf("stream: %v", err)
	}
}

// Credentials that a server refuses as expired are renewed, and the request goes
// on.
func TestExpiredCredentials(t *testing.T) {
	f := newFixture(t)
	fetches := 0
	p := RefreshingCredentials(func(context.Context) (Credentials, error) {
		fetches++
		if fetches == 1 {
			return Credentials{AccessKeyID: "gone", AccessKeySecret: "s"}, nil
		}
		return Credentials{AccessKeyID: testKeyID, AccessKeySecret: testSecret}, nil
	}, f.clock)
	c := f.client(WithCredentials(p))
	body := bytes.NewReader(pattern(100, 1))
	if _, err := c.PutObject(context.Background(), &PutObjectRequest{Bucket: testBucket, Key: "k", Body: body}); err != nil {
		t.Fatal(err)
	}
	if fetches != 2 || f.net.requests("PUT") != 2 {
		t.Errorf("%d fetches, %d requests", fetches, f.net.requests("PUT"))
	}

	// Ones that stay refused are an error soon.
	p = RefreshingCredentials(func(context.Context) (Credentials, error) {
		return Credentials{AccessKeyID: "gone", AccessKeySecret: "s"}, nil
	}, f.clock)
	_, err := f.client(WithCredentials(p)).HeadObject(context.Background(), &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if !errors.Is(err, ErrInvalidAccessKeyID) || f.net.requests("HEAD") != 2 {
		t.Errorf("%v after %d requests", err, f.net.requests("HEAD"))
	}
}

// A Complete whose answer was lost is a success, whether the server remembers it
// or only the object is there; one that never was is none. Abort likewise.
func TestLostComplete(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	begin := func() *CompleteMultipartUploadRequest {
		up, err := f.InitiateMultipartUpload(ctx, &InitiateMultipartUploadRequest{Bucket: testBucket, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		part, err := f.UploadPart(ctx, &UploadPartRequest{Bucket: testBucket, Key: "k", UploadID: up.UploadID, PartNumber: 1, Body: strings.NewReader("abc")})
		if err != nil {
			t.Fatal(err)
		}
		return &CompleteMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: up.UploadID, Parts: []CompletePart{{1, part.ETag}}}
	}
	lost := func() {
		seen := 0
		f.net.set(func(_ *http.Request, op string) fault {
			if op != "Complete" {
				return nil
			}
			seen++
			if seen == 1 {
				return loseAnswer
			}
			return answerWith(404, "NoSuchUpload") // as servers answer that do not remember
		})
	}
	lost()
	q := begin()
	res, err := f.CompleteMultipartUpload(ctx, q)
	if err != nil || res.ETag != multipartETag(q.Parts) || !res.CRC64.Known {
		t.Errorf("lost answer: %+v, %v", res, err)
	}

	f.net.set(once("Complete", 1, loseAnswer)) // our server remembers
	if _, err := f.CompleteMultipartUpload(ctx, begin()); err != nil {
		t.Errorf("lost answer, remembered: %v", err)
	}

	q = begin()
	q.Parts[0].ETag = "00000000000000000000000000000000"
	f.net.set(func(_ *http.Request, op string) fault {
		if op == "Complete" && f.net.count["Complete"]%2 == 0 {
			return cutAfter(10)
		}
		return nil
	})
	if _, err := f.CompleteMultipartUpload(ctx, q); !errors.Is(err, ErrInvalidPart) {
		t.Errorf("wrong list: %v", err)
	}

	f.net.set(once("Complete", 1, answerWith(404, "NoSuchUpload")))
	if _, err := f.CompleteMultipartUpload(ctx, begin()); !errors.Is(err, ErrNoSuchUpload) {
		t.Errorf("no such upload: %v", err)
	}

	q = begin()
	f.net.set(once("Abort", 1, loseAnswer))
	abort := &AbortMultipartUploadRequest{Bucket: testBucket, Key: "k", UploadID: q.UploadID}
	if _, err := f.AbortMultipartUpload(ctx, abort); err != nil {
		t.Errorf("lost abort: %v", err)
	}
	if _, err := f.AbortMultipartUpload(ctx, abort); !errors.Is(err, ErrNoSuchUpload) {
		t.Errorf("second abort: %v", err)
	}
}

// Bytes that change on the way are noticed, in both directions.
func TestDamageIsNoticed(t *testing.T) {
	f := newFixture(t)
	ctx := context.Background()
	data := pattern(100<<10, 4)
	f.net.set(once("PUT", 1, damage))
	_, err := f.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(data)})
	if !errors.Is(err, ErrChecksum) {
		t.Errorf("put: %v", err)
	}
	f.put("k", data)
	read := func(do fault) error {
		f.net.set(once("GET", 1, do))
		res, err := f.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
		if err != nil {
			return err
		}
		defer res.Body.Close()
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	err = read(func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(req)
		if err == nil {
			resp.Body = &damagedBody{ReadCloser: resp.Body}
		}
		return resp, err
	})
	if !errors.Is(err, ErrChecksum) {
		t.Errorf("get: %v", err)
	}
	if err := read(truncate(1000)); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("get, cut: %v", err)
	}
	if err := read(nil); err != nil {
		t.Errorf("get: %v", err)
	}
}

// What is logged and said about errors has no secret and no signature in it.
func TestLogsAndErrorsHide(t *testing.T) {
	var log strings.Builder
	f := newFixture(t)
	c := f.client(WithLogger(testLogger(&log)), WithCredentials(StaticCredentials(testKeyID, "wrong-secret-9", "token-7")))
	f.net.set(once("HEAD", 1, loseAnswer))
	_, err := c.HeadObject(context.Background(), &HeadObjectRequest{Bucket: testBucket, Key: "k"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, secret := range []string{"wrong-secret-9", "token-7", "Signature="} {
		if strings.Contains(log.String()+err.Error(), secret) {
			t.Errorf("%s is in\n%s%v", secret, log.String(), err)
		}
	}
	if !strings.Contains(log.String(), "request is repeated") {
		t.Errorf("the log is %s", log.String())
	}
}
