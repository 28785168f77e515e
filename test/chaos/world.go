package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ossastore/ossa/oss"
	"github.com/ossastore/ossa/test/process"
)

const bucket = "chaos"

const (
	downMax   = 300 * time.Millisecond // after a kill, until the server is started again
	killDelay = 5 * time.Millisecond   // at most, between a trigger and a kill
)

// world is one data directory with a server on it, and a proxy before that.
type world struct {
	config
	dir   string
	log   *os.File // of the server
	proxy *proxy

	mu     sync.Mutex // held while the server is exchanged
	server *process.Server
	url    string      // of the server
	direct *oss.Client // without the proxy
}

func newWorld(c config, dir string) (*world, error) {
	w := &world{config: c, dir: dir}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	var err error
	if w.log, err = os.Create(filepath.Join(dir, "server.log")); err != nil {
		return nil, err
	}
	if w.proxy, err = newProxy(); err != nil {
		return nil, err
	}
	if err := w.start(); err != nil {
		return nil, err
	}
	_, err = w.direct.PutBucket(context.Background(), &oss.PutBucketRequest{Bucket: bucket})
	return w, err
}

func (w *world) data() string { return filepath.Join(w.dir, "data") }

// start starts the server and points everything to it.
func (w *world) start() (err error) {
	if w.server, err = process.Start(w.ossa, w.data(), w.log); err != nil {
		return err
	}
	urls, err := w.server.URLs()
	if err != nil {
		return err
	}
	u, err := url.Parse(urls.API)
	if err != nil {
		return err
	}
	w.url = urls.API
	if w.direct != nil {
		w.direct.CloseIdleConnections()
	}
	w.direct, err = oss.NewClient(w.url, oss.WithRegion(process.Region),
		oss.WithCredentials(oss.StaticCredentials(process.AccessKeyID, process.AccessKeySecret, "")))
	w.proxy.pointTo(u.Host)
	return err
}

// restart kills the server and starts it again.
func (w *world) restart(down time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server.EndedAlone() {
		return fmt.Errorf("the server ended by itself: %v", w.server.Err)
	}
	w.server.Kill()
	w.proxy.pointTo("")
	time.Sleep(down)
	return errors.Join(w.server.Complained(), w.start())
}

// healthy finds a server that has ended by itself.
func (w *world) healthy() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.server.EndedAlone() {
		return fmt.Errorf("the server ended by itself: %v", w.server.Err)
	}
	return nil
}

// close ends the server in good order and checks what it leaves.
func (w *world) close() error {
	w.proxy.close()
	w.direct.CloseIdleConnections()
	err := w.healthy()
	if err == nil {
		err = w.server.Drain()
	}
	err = errors.Join(err, w.server.Complained(), w.log.Close())
	if err == nil {
		err = process.Check(w.ossa, w.data())
	}
	return err
}

// accident is something that happens while a client runs, when its trigger fires.
type accident struct {
	trigger *trigger
	after   time.Duration
	happen  func() error
}

// await lets accidents happen until ended is closed. It returns when all that
// have begun are over.
func await(accidents []accident, ended chan struct{}) error {
	errs := make([]error, len(accidents))
	var wait sync.WaitGroup
	for i, a := range accidents {
		wait.Go(func() {
			select {
			case <-a.trigger.fired:
				time.Sleep(a.after) // the moment is what this program varies
				errs[i] = a.happen()
			case <-ended:
			}
		})
	}
	wait.Wait()
	return errors.Join(errs...)
}

// randomTrigger fires somewhere in a transfer of so many bytes.
func randomTrigger(random *rand.Rand, size int64) *trigger {
	if random.IntN(3) == 0 || size == 0 {
		return newTrigger(1<<62, random.IntN(12))
	}
	return newTrigger(random.Int64N(size+size/8+1), 1<<30)
}
