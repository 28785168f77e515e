package oss

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

var (
	chaosSeed   = flag.Uint64("chaos.seed", 1, "first seed of the chaos tests")
	chaosRounds = flag.Int("chaos.rounds", 40, "rounds of the chaos tests")
)

// chaos is a network that fails at random, and a caller that is killed at random.
type chaos struct {
	mu    sync.Mutex
	rnd   *rand.Rand
	rate  float64 // of requests that fail
	left  int     // requests until the caller is killed, if there are that many
	kill  context.CancelFunc
	kills int
}

func (c *chaos) hook(req *http.Request, _ string) fault {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kill != nil {
		if c.left--; c.left < 0 {
			c.kill()
			c.kill = nil
			c.kills++
			// It may go before, in the middle of, or after what the server does.
			switch c.rnd.IntN(3) {
			case 0:
				return cutAfter(c.rnd.Int64N(testPart))
			case 1:
				return loseAnswer
			}
			return nil
		}
	}
	if c.rnd.Float64() >= c.rate {
		return nil
	}
	switch c.rnd.IntN(6) {
	case 0:
		return cutAfter(c.rnd.Int64N(testPart))
	case 1:
		return truncate(c.rnd.Int64N(200))
	case 2:
		return answerWith(500, "InternalError")
	case 3:
		return answerWith(503, "ServiceUnavailable")
	case 4:
		if req.Body != nil && req.ContentLength > 0 && req.URL.Query().Has("partNumber") {
			return damage
		}
	}
	return loseAnswer
}

// arm lets the next call be killed after some requests, or not at all.
func (c *chaos) arm(kill context.CancelFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.kill, c.left = nil, 0
	if c.rnd.IntN(4) > 0 {
		c.kill, c.left = kill, c.rnd.IntN(25)
	}
}

// Uploads of all sizes through a network that cuts, truncates, damages, refuses and
// loses answers, by callers that are killed and begin again on another machine,
// end with the object as it should be; and where only kills cost, no more than
// the parts that were in flight is sent again.
func TestChaosUpload(t *testing.T) {
	f := newFixture(t)
	for round := range *chaosRounds {
		seed := *chaosSeed + uint64(round)
		rnd := rand.New(rand.NewPCG(seed, 1))
		size := rnd.IntN(14 * testPart)
		switch rnd.IntN(8) {
		case 0:
			size = rnd.IntN(3)
		case 1:
			size = rnd.IntN(8) * testPart
		}
		data := pattern(size, seed)
		key := fmt.Sprint("k", round)
		c := &chaos{rnd: rnd}
		if rnd.IntN(2) == 0 {
			c.rate = 0.15
		}
		f.net.reset()
		f.net.set(c.hook)
		for try := 0; ; try++ {
			if try == 50 {
				t.Fatalf("seed %d: no end", seed)
			}
			ctx, kill := context.WithCancel(context.Background())
			c.arm(kill)
			_, err := f.client().Upload(ctx, &UploadRequest{
				Bucket: testBucket, Key: key, Body: bytes.NewReader(data), Size: int64(size), PartSize: testPart, Parallel: 3,
				Attributes: Attributes{ContentType: "x/y"}, SkipIdentical: true,
			})
			kill()
			if err == nil {
				break
			}
			if c.rate == 0 && !errors.Is(err, context.Canceled) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		f.net.set(nil)
		if c.rate == 0 {
			// Besides: what listings and Completes send, and a mark for each upload.
			most := int64(size) + int64(c.kills)*3*testPart + 64<<10
			if sent := f.net.bytesSent(); sent > most {
				t.Errorf("seed %d: %d bytes sent for %d, after %d kills", seed, sent, size, c.kills)
			}
		}
		if !bytes.Equal(f.read(key), data) {
			t.Errorf("seed %d: other bytes", seed)
		}
		if head, err := f.HeadObject(context.Background(), &HeadObjectRequest{Bucket: testBucket, Key: key}); err != nil || head.ContentType != "x/y" {
			t.Errorf("seed %d: %+v, %v", seed, head, err)
		}
	}
}

// The same for copies in the server: they end with the bytes of their source, and
// where only kills cost, no more than the parts that were in flight is copied again.
func TestChaosCopy(t *testing.T) {
	f := newFixture(t)
	const parallel = 3
	for round := range *chaosRounds {
		seed := *chaosSeed + uint64(round)
		rnd := rand.New(rand.NewPCG(seed, 3))
		size := 1 + rnd.IntN(14*testPart)
		data := pattern(size, seed)
		f.net.set(nil)
		f.put("source", data)
		key := fmt.Sprint("k", round)
		c := &chaos{rnd: rnd}
		if rnd.IntN(2) == 0 {
			c.rate = 0.15
		}
		f.net.reset()
		f.net.set(c.hook)
		for try := 0; ; try++ {
			if try == 50 {
				t.Fatalf("seed %d: no end", seed)
			}
			ctx, kill := context.WithCancel(context.Background())
			c.arm(kill)
			_, err := f.client().Copy(ctx, &CopyRequest{
				Bucket: testBucket, Key: key, Source: CopySource{Bucket: testBucket, Key: "source"}, PartSize: testPart, Parallel: parallel,
			})
			kill()
			if err == nil {
				break
			}
			if c.rate == 0 && !errors.Is(err, context.Canceled) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		f.net.set(nil)
		if c.rate == 0 {
			// A kill after Complete, before its answer, costs a copy: nobody looks for it.
			parts := (size + testPart - 1) / testPart
			most := parts*f.net.requests("Complete") + c.kills*parallel
			if copied := f.net.requests("UploadPartCopy"); copied > most {
				t.Errorf("seed %d: %d parts copied of %d, after %d kills", seed, copied, parts, c.kills)
			}
		}
		if !bytes.Equal(f.read(key), data) {
			t.Errorf("seed %d: other bytes", seed)
		}
	}
}

// The same for downloads.
func TestChaosDownload(t *testing.T) {
	f := newFixture(t)
	dir := t.TempDir()
	for round := range *chaosRounds {
		seed := *chaosSeed + uint64(round)
		rnd := rand.New(rand.NewPCG(seed, 2))
		data := pattern(rnd.IntN(10*testPart), seed)
		f.put("k", data)
		c := &chaos{rnd: rnd}
		if rnd.IntN(2) == 0 {
			c.rate = 0.15
		}
		f.net.set(c.hook)
		name := filepath.Join(dir, "file")
		for try := 0; ; try++ {
			if try == 50 {
				t.Fatalf("seed %d: no end", seed)
			}
			ctx, kill := context.WithCancel(context.Background())
			c.arm(kill)
			res, err := f.client().DownloadFile(ctx, name, &DownloadRequest{
				Bucket: testBucket, Key: "k", PartSize: testPart, Parallel: 3,
			})
			kill()
			if err == nil {
				if res.BytesKept+res.BytesFetched < int64(len(data)) {
					t.Errorf("seed %d: %+v", seed, res)
				}
				break
			}
			if c.rate == 0 && !errors.Is(err, context.Canceled) {
				t.Fatalf("seed %d: %v", seed, err)
			}
		}
		f.net.set(nil)
		got, err := os.ReadFile(name)
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("seed %d: other bytes, %v", seed, err)
		}
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
}
