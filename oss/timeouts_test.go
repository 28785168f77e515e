package oss

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
)

// roundTrip is a network that is one function.
type roundTrip func(req *http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answered is an answer with a body.
func answered(req *http.Request, h http.Header, body io.Reader, length int64) *http.Response {
	return &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: h, Request: req, Body: io.NopCloser(body), ContentLength: length}
}

// Each silence has its own limit: that of a connection on which bytes should
// move, that of an answer, and a longer one where the server copies. None of
// them ends a request earlier, and a negative one never.
func TestTimeouts(t *testing.T) {
	const stall, answer = 2 * time.Minute, 5 * time.Minute
	ctx := context.Background()
	put := func(ctx context.Context, c *Client) error {
		_, err := c.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(make([]byte, 1<<20))})
		return err
	}
	for _, c := range []struct {
		name   string
		before func(req *http.Request) error // what happens until nothing moves
		call   func(ctx context.Context, c *Client) error
		stall  time.Duration
		limit  time.Duration // 0 for none
	}{
		{"nothing is taken", nil, put, stall, stall},
		{"some is taken", func(req *http.Request) error { _, err := io.CopyN(io.Discard, req.Body, 1000); return err }, put, stall, stall},
		{"all is taken", func(req *http.Request) error { _, err := io.Copy(io.Discard, req.Body); return err }, put, stall, answer},
		{"nothing is to be sent", nil, func(ctx context.Context, c *Client) error {
			_, err := c.HeadObject(ctx, &HeadObjectRequest{Bucket: testBucket, Key: "k"})
			return err
		}, stall, answer},
		{"the server copies", nil, func(ctx context.Context, c *Client) error {
			_, err := c.UploadPartCopy(ctx, &UploadPartCopyRequest{Bucket: testBucket, Key: "k", UploadID: "u", PartNumber: 1, Source: CopySource{Bucket: testBucket, Key: "s"}})
			return err
		}, stall, slowAnswer * answer},
		{"no limit is wanted", nil, put, -1, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			clock := newTestClock()
			quiet := make(chan context.Context, 1)
			client := mustClient(t, WithCredentials(AnonymousCredentials()), WithClock(clock), WithRetryPolicy(RetryPolicy{Attempts: 1}),
				WithStallTimeout(c.stall), WithAnswerTimeout(answer), WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					if c.before != nil {
						if err := c.before(req); err != nil {
							return nil, err
						}
					}
					quiet <- req.Context()
					<-req.Context().Done()
					return nil, req.Context().Err()
				})}))
			ctx, cancel := context.WithCancel(ctx)
			defer cancel()
			ended := make(chan error, 1)
			go func() { ended <- c.call(ctx, client) }()
			request := <-quiet
			const rest = 2 * longestPause // for a clock that ends pauses at once
			if c.limit == 0 {
				clock.advance(1000 * time.Hour)
				if request.Err() != nil {
					t.Error("it was given up")
				}
				cancel()
				if err := <-ended; !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				return
			}
			early := c.limit - rest
			clock.advance(early)
			if request.Err() != nil {
				t.Errorf("it was given up after %v", early)
			}
			clock.advance(c.limit - early)
			if request.Err() == nil {
				t.Errorf("it goes on after %v", c.limit)
				cancel()
			}
			if err := <-ended; !errors.Is(err, ErrStalled) {
				t.Error(err)
			}
		})
	}
}

// tickingReader gives little at a time, and takes long over it.
type tickingReader struct {
	r     io.Reader
	clock *testClock
}

func (r *tickingReader) Read(p []byte) (int, error) {
	r.clock.advance(5 * time.Minute)
	return r.r.Read(p[:min(len(p), 1000)])
}

// However long a transfer takes, while something moves it is not given up.
func TestNoTotalTimeout(t *testing.T) {
	ctx := context.Background()
	clock := newTestClock()
	data := pattern(100<<10, 1)
	client := mustClient(t, WithCredentials(AnonymousCredentials()), WithClock(clock), WithRetryPolicy(RetryPolicy{Attempts: 1}),
		WithStallTimeout(10*time.Minute), WithAnswerTimeout(10*time.Minute), WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
			h := http.Header{"Etag": {`"5D41402ABC4B2A76B9719D911017C592"`}}
			if req.Method == http.MethodPut {
				if _, err := io.Copy(io.Discard, &tickingReader{req.Body, clock}); err != nil {
					return nil, err
				}
				return answered(req, h, strings.NewReader(""), 0), nil
			}
			return answered(req, h, &tickingReader{bytes.NewReader(data), clock}, int64(len(data))), nil
		})}))
	if _, err := client.PutObject(ctx, &PutObjectRequest{Bucket: testBucket, Key: "k", Body: bytes.NewReader(data)}); err != nil {
		t.Error(err)
	}
	res, err := client.GetObject(ctx, &GetObjectRequest{Bucket: testBucket, Key: "k"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if got, err := io.ReadAll(res.Body); err != nil || !bytes.Equal(got, data) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if took := clock.Now().Sub(epoch); took < 16*time.Hour {
		t.Errorf("it took %v only", took)
	}
}

// The parts of an upload are as large as those before it say: small over a slow
// connection, large over a fast one.
func TestPartSizeFollowsRate(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct{ perSecond, want int64 }{{1 << 20, 4 << 20}, {3 << 20, 16 << 20}, {100 << 20, 64 << 20}} {
		t.Run(fmt.Sprint(c.perSecond), func(t *testing.T) {
			clock := newTestClock()
			client := mustClient(t, WithCredentials(AnonymousCredentials()), WithClock(clock), WithStallTimeout(time.Hour), WithAnswerTimeout(time.Hour),
				WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
					if operationOf(req) == "UploadPart" {
						clock.advance(time.Duration(float64(req.ContentLength) / float64(c.perSecond) * float64(time.Second)))
					}
					return sink{}.RoundTrip(req)
				})}))
			q := &UploadRequest{Bucket: testBucket, Key: "k", Body: zeros{}, Size: 24 << 20, Parallel: 1}
			res, err := client.Upload(ctx, q)
			if err != nil || res.PartSize != firstPartSize || res.PartsSent != 3 {
				t.Fatalf("the first: %+v, %v", res, err)
			}
			q.Size = 2*c.want + 1
			if res, err = client.Upload(ctx, q); err != nil || res.PartSize != c.want || res.PartsSent != 3 {
				t.Errorf("the second: %+v, %v, want parts of %d", res, err, c.want)
			}
			// What is asked for prevails.
			q.PartSize = 5 << 20
			if res, err = client.Upload(ctx, q); err != nil || res.PartSize != 5<<20 {
				t.Errorf("asked for: %+v, %v", res, err)
			}
		})
	}
}

// drip hands out a few bytes at a time, a second each.
type drip struct {
	r     io.Reader
	n     int
	clock *testClock
}

func (d *drip) Read(p []byte) (int, error) {
	d.clock.advance(time.Second)
	return d.r.Read(p[:min(len(p), d.n)])
}

// What trickles is given up as what stands still is, and not tried again and
// again for the few bytes that it brings; what is slow is not.
func TestTrickle(t *testing.T) {
	ctx := context.Background()
	for perSecond, ok := range map[int]bool{1: false, 5: false, 100: true} {
		clock := newTestClock()
		data := pattern(20<<10, 1)
		requests := 0
		client := mustClient(t, WithCredentials(AnonymousCredentials()), WithClock(clock), WithRetryPolicy(RetryPolicy{Attempts: 2, PartAttempts: 3}),
			WithHTTPClient(&http.Client{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
				requests++
				h := http.Header{"Etag": {`"e"`}}
				if req.URL.Query().Has("acl") {
					text := "<AccessControlPolicy><!--" + strings.Repeat(" ", 5000) + "--></AccessControlPolicy>"
					return answered(req, h, &drip{strings.NewReader(text), perSecond, clock}, int64(len(text))), nil
				}
				from := 0
				if text, found := strings.CutPrefix(req.Header.Get("Range"), "bytes="); found {
					fmt.Sscanf(text, "%d-", &from)
					h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(data)-1, len(data)))
				}
				return answered(req, h, &drip{bytes.NewReader(data[from:]), perSecond, clock}, int64(len(data)-from)), nil
			})}))
		res, err := client.OpenObject(ctx, &OpenObjectRequest{Bucket: testBucket, Key: "k"})
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(res.Body)
		res.Body.Close()
		if ok && (err != nil || !bytes.Equal(got, data)) || !ok && !errors.Is(err, ErrStalled) || requests > 3 {
			t.Errorf("%d bytes a second: %d bytes, %v, %d requests", perSecond, len(got), err, requests)
		}
		requests = 0
		_, err = client.GetBucketACL(ctx, &GetBucketACLRequest{Bucket: testBucket})
		if ok != (err == nil) || !ok && (!errors.Is(err, ErrStalled) || requests != 2) {
			t.Errorf("%d bytes a second, a document: %v, %d requests", perSecond, err, requests)
		}
	}
}
