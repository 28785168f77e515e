package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ossastore/ossa/test/process"
)

const bucket = "crash"

const (
	acknowledgedMax = 400              // before the kill
	workMax         = 20 * time.Second // before the kill, should the server be slow
	killDelayMax    = 5 * time.Millisecond
	startDelayMax   = 150 * time.Millisecond // of a kill while starting
)

// world is one data directory and what must be in it.
type world struct {
	config
	data    string // directory
	log     string // file
	rules   string // of the bucket, as it tells them; "" while it has none
	workers []*worker
}

func newWorld(c config, root string, number int) *world {
	w := &world{
		config: c,
		data:   filepath.Join(root, fmt.Sprintf("data-%d", number)),
		log:    filepath.Join(root, fmt.Sprintf("server-%d.log", number)),
	}
	for i := range c.clients {
		w.workers = append(w.workers, newWorker(i, rand.New(rand.NewPCG(c.seed, uint64(number)<<16+uint64(i)+1))))
	}
	return w
}

// round lets the clients work, kills the server, and looks what is left.
func (w *world) round(random *rand.Rand) (tally, error) {
	log, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return tally{}, err
	}
	defer log.Close()

	if random.IntN(8) == 0 {
		if err := w.killWhileStarting(random, log); err != nil {
			return tally{}, err
		}
	}
	t, err := w.work(random, log)
	if err != nil {
		return t, err
	}
	if err := process.Check(w.ossa, w.data); err != nil {
		return t, err
	}
	return w.lookAgain(t, log, random.IntN(4) == 0)
}

func (w *world) killWhileStarting(random *rand.Rand, log *os.File) error {
	s, err := process.Start(w.ossa, w.data, log, lifecycleFlags()...)
	if err != nil {
		return err
	}
	select {
	case <-time.After(upTo(random, startDelayMax)):
	case <-s.Ended:
	}
	if s.EndedAlone() {
		return fmt.Errorf("the server ended while starting: %v", s.Err)
	}
	s.Kill()
	return s.Complained()
}

// upTo is a random time below d.
func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

// work runs all clients until the server has been killed under them.
func (w *world) work(random *rand.Rand, log *os.File) (tally, error) {
	s, err := process.Start(w.ossa, w.data, log, lifecycleFlags()...)
	if err != nil {
		return tally{}, err
	}
	defer s.Kill()
	urls, err := s.URLs()
	if err != nil {
		return tally{}, err
	}
	first := newClient(urls.API, true)
	defer first.close()
	if err := first.putBucket(context.Background()); err != nil {
		return tally{}, fmt.Errorf("PutBucket: %w", err)
	}
	if err := w.sameRules(context.Background(), first); err != nil {
		return tally{}, err
	}

	run := &running{target: random.Int64N(acknowledgedMax), reached: make(chan struct{})}
	errs := make([]error, len(w.workers))
	var wait sync.WaitGroup
	for i, worker := range w.workers {
		wait.Go(func() { errs[i] = worker.run(urls, run) })
	}

	select {
	case <-run.reached:
		time.Sleep(upTo(random, killDelayMax)) // the moment of a kill is what this program varies
	case <-time.After(workMax):
	}
	alone := s.EndedAlone()
	run.killed.Store(true)
	var end error
	if random.IntN(8) == 0 {
		end = s.Drain()
	} else {
		s.Kill()
	}
	wait.Wait()

	t := tally{acknowledged: int(run.acknowledged.Load()), inDoubt: int(run.inDoubt.Load())}
	if alone {
		end = fmt.Errorf("the server ended by itself: %v", s.Err)
	}
	return t, errors.Join(append(errs, end, s.Complained())...)
}

// running is what the clients and the killer share during one round.
type running struct {
	target       int64 // kill after so many
	acknowledged atomic.Int64
	inDoubt      atomic.Int64
	reached      chan struct{}
	once         sync.Once
	killed       atomic.Bool // set before the signal is sent
}

func (r *running) acknowledge() {
	if r.acknowledged.Add(1) >= r.target {
		r.once.Do(func() { close(r.reached) })
	}
}

// sameRules gives the bucket its rules, the first time, and sees that it has
// them from then on.
func (w *world) sameRules(ctx context.Context, c *client) error {
	if w.rules == "" {
		if err := c.putBucketLifecycle(ctx, lifecycleRules); err != nil {
			return fmt.Errorf("PutBucketLifecycle: %w", err)
		}
	}
	rules, err := c.getBucketLifecycle(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("GetBucketLifecycle: %w", err)
	case w.rules != "" && rules != w.rules:
		return fmt.Errorf("the bucket's rules are %q, want %q", rules, w.rules)
	}
	w.rules = rules
	return nil
}

// lookAgain restarts the server and compares everything with what must be, and
// waits until what is due is done: all that there is under rules, if it is to
// settle, after which nothing may be left over.
func (w *world) lookAgain(t tally, log *os.File, settle bool) (tally, error) {
	s, err := process.Start(w.ossa, w.data, log, lifecycleFlags()...)
	if err != nil {
		return t, err
	}
	defer s.Kill()
	urls, err := s.URLs()
	if err != nil {
		return t, err
	}
	t.objects, t.uploads, err = w.verify(urls)
	then := time.Now()
	if settle {
		then = w.lastDue()
	}
	if err == nil {
		err = w.obeyed(context.Background(), urls, then)
	}
	if err == nil && s.EndedAlone() {
		err = fmt.Errorf("the server ended by itself: %v", s.Err)
	}
	if err == nil && settle {
		err = w.nothingLeft(s, log)
	}
	s.Kill()
	return t, errors.Join(err, s.Complained())
}
