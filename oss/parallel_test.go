package oss

import (
	"bytes"
	"net/http"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// Transfers take more connections on a fast network, as many as are spare and no
// more, give them back, and stay as they are on a slow one.
func TestTransfersWiden(t *testing.T) {
	const parts = 60
	for _, test := range []struct {
		name   string
		perReq time.Duration // that a part takes
		asked  int           // Parallel
		taken  int64         // of the spare connections by others
		want   int           // parts at a time
	}{
		{"fast", 0, 0, 0, defaultParallel + spareConnections},
		{"slow", time.Second, 0, 0, defaultParallel},
		{"fast, fixed", 0, 3, 0, 3},
		{"fast, most are taken", 0, 0, spareConnections - 2, defaultParallel + 2},
		{"fast, all are taken", 0, 0, spareConnections, defaultParallel},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.spare.taken.Store(test.taken)
			data := pattern(parts*testPart, 7)
			transfer := func(what, op string, do func() error) {
				gate := &gate{want: test.want, after: 2 * test.want, open: make(chan struct{})}
				f.net.set(func(req *http.Request, o string) fault {
					number, _ := strconv.Atoi(req.URL.Query().Get("partNumber"))
					if o != op || number == MaxParts || op == http.MethodGet && req.Header.Get("Range") == "" {
						return nil
					}
					return func(next http.RoundTripper, req *http.Request) (*http.Response, error) {
						gate.enter()
						defer gate.leave()
						f.clock.advance(test.perReq)
						return next.RoundTrip(req)
					}
				})
				if err := do(); err != nil {
					t.Fatal(err)
				}
				if gate.most != test.want {
					t.Errorf("%s: %d at a time, want %d", what, gate.most, test.want)
				}
				if taken := f.spare.taken.Load(); taken != test.taken {
					t.Errorf("%s: %d spare connections were not given back", what, taken-test.taken)
				}
			}
			transfer("upload", "UploadPart", func() error {
				q := uploadFor(data)
				q.Body, q.Size, q.Parallel = bytes.NewReader(data), int64(len(data)), test.asked
				_, err := f.Upload(t.Context(), q)
				return err
			})
			transfer("download", http.MethodGet, func() error {
				_, err := f.DownloadFile(t.Context(), filepath.Join(t.TempDir(), "file"), &DownloadRequest{
					Bucket: testBucket, Key: uploadFor(nil).Key, PartSize: testPart, Parallel: test.asked,
				})
				return err
			})
		})
	}
}

// gate holds requests back until as many as are wanted are there at a time.
type gate struct {
	want, after int // those before after pass

	mu              sync.Mutex
	here, all, most int
	open            chan struct{} // closed when they have been there
}

func (g *gate) enter() {
	g.mu.Lock()
	g.here++
	g.all++
	g.most = max(g.most, g.here)
	pass := g.all <= g.after
	if !pass && g.here == g.want {
		select {
		case <-g.open:
		default:
			close(g.open)
		}
	}
	g.mu.Unlock()
	if !pass {
		<-g.open
	}
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.here--
}
