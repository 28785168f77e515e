// Command chaos uploads files through a network that fails, with clients and
// servers that are killed, and looks whether what arrives is what was sent.
//
//	go run ./test/chaos -ossa bin/ossa -rounds 1000
//
// Each round is one file, of 0 bytes to -max-size, most of them small. `ossa cp`
// uploads it to the real server, through a proxy that at random cuts
// connections, delays, stalls, damages parts, truncates answers, answers 500,
// 502 and 503 before or after the server acted, and loses answers. Client and
// server are killed (SIGKILL) at random moments; the server is started again on
// its data, and the client runs again, often as another machine would: with
// another directory, another home, and nothing else than the file. In some rounds
// the file changes while it is uploaded. After every run of the client
//
//   - it has succeeded, or has said why not and has an exit status that is not 0;
//   - the object is the old one or one that the file has been, never a mix;
//   - no part was sent again that the server had acknowledged, or had when the
//     client was started; if nothing but kills happened, what was sent in all is at
//     most the file and the parts that were in flight at kills;
//   - beside the file and in the home directory nothing is left behind, and no
//     process.
//
// A round ends when the client succeeds, which it must once the network is
// calm. Then the object has the file's SHA-256 and CRC-64; every upload that was
// ever opened is shown by `ossa uploads ls` or gone, and the bucket counts as many;
// and none of the key is left but those without any part, whose client did not get
// the answer to its Initiate, or was killed before it did anything with it.
// `ossa check` ends each data directory.
//
// The last line is "rounds=N failures=M ...". The exit status is 0 without
// failures, 1 with, 2 for wrong usage. A round that failed keeps its evidence and
// says how to run it again. Its sequence of sizes, faults and kills is that of
// the seed; which request meets which is not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

type config struct {
	ossa    string
	rounds  int
	first   int // number of the first round
	seed    uint64
	maxSize int64
	jobs    int
	dir     string
	verbose bool
}

func main() {
	var c config
	flag.StringVar(&c.ossa, "ossa", "", "`path` of the ossa binary (must be given)")
	flag.IntVar(&c.rounds, "rounds", 20, "number of files")
	flag.IntVar(&c.first, "first", 1, "`number` of the first round: with -rounds 1, that one alone")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().UnixNano()), "seed of everything random")
	flag.Int64Var(&c.maxSize, "max-size", 2<<30, "`bytes` of the largest file")
	flag.IntVar(&c.jobs, "jobs", 2, "rounds at the same time, each with a server of its own")
	flag.StringVar(&c.dir, "dir", "", "`directory` to work in (default: a temporary one)")
	flag.BoolVar(&c.verbose, "v", false, "a line for each round")
	flag.Parse()
	if c.ossa == "" || flag.NArg() > 0 || c.rounds < 1 || c.jobs < 1 || c.maxSize < 1 {
		flag.Usage()
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	failures, err := run(ctx, c)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if failures > 0 || err != nil {
		os.Exit(1)
	}
}

// run does all rounds. The error is one of the test's own surroundings; what
// is wrong with client and server is printed and counted.
func run(ctx context.Context, c config) (failures int, err error) {
	if c.ossa, err = filepath.Abs(c.ossa); err != nil {
		return 0, err
	}
	root, err := os.MkdirTemp(c.dir, "ossa-chaos-")
	if err != nil {
		return 0, err
	}
	fmt.Printf("chaos: seed %d, %d rounds in %s\n", c.seed, c.rounds, root)
	began := time.Now()

	t := &total{config: c, next: c.first}
	errs := make([]error, c.jobs)
	var wait sync.WaitGroup
	for i := range c.jobs {
		wait.Go(func() { errs[i] = t.work(ctx, filepath.Join(root, fmt.Sprintf("job-%d", i))) })
	}
	wait.Wait()
	err = errors.Join(append(errs, ctx.Err())...)
	fmt.Printf("%v seconds=%.0f\n", t, time.Since(began).Seconds())
	if t.failures == 0 {
		err = errors.Join(err, os.RemoveAll(root))
	}
	return t.failures, err
}

// total adds up all rounds.
type total struct {
	config

	mu       sync.Mutex
	next     int // round
	done     int
	failures int
	tally
}

// tally counts what happened.
type tally struct {
	bytes       int64 // of the files
	sent        int64 // of bodies, as the proxy saw them
	largest     int64 // file
	clientKills int
	serverKills int
	faults      int
	runs        int // of the client
	resumed     int // rounds that went on with what an earlier run had sent
	moved       int // of them, on another machine
	changed     int // rounds whose file changed on the way
	resent      int64
	strays      int // empty uploads that stayed
}

func (t *tally) add(o tally) {
	t.bytes += o.bytes
	t.sent += o.sent
	t.largest = max(t.largest, o.largest)
	t.clientKills += o.clientKills
	t.serverKills += o.serverKills
	t.faults += o.faults
	t.runs += o.runs
	t.resumed += o.resumed
	t.moved += o.moved
	t.changed += o.changed
	t.resent += o.resent
	t.strays += o.strays
}

func (t *total) String() string {
	return fmt.Sprintf("rounds=%d failures=%d seed=%d bytes=%d largest=%d sent=%d runs=%d faults=%d kills=%d (client %d, server %d) resumed=%d (elsewhere %d) changed=%d resent=%d empty-uploads=%d",
		t.done, t.failures, t.seed, t.bytes, t.largest, t.sent, t.runs, t.faults, t.clientKills+t.serverKills, t.clientKills, t.serverKills,
		t.resumed, t.moved, t.changed, t.resent, t.strays)
}

// take hands out the number of a round.
func (t *total) take() (int, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.next >= t.first+t.rounds {
		return 0, false
	}
	t.next++
	return t.next - 1, true
}

// note counts a round that has ended.
func (t *total) note(p *plan, o tally, err error, evidence string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.done++
	t.add(o)
	if err != nil {
		t.fail(p, err, evidence)
	} else if t.verbose {
		fmt.Printf("chaos: round %d (%v): %d runs, %d+%d kills, %d faults, resent %d\n", p.number, p, o.runs, o.clientKills, o.serverKills, o.faults, o.resent)
	}
	if t.done%50 == 0 {
		fmt.Println("chaos:", t)
	}
}

// fail counts a failure and tells of it. t.mu is held.
func (t *total) fail(p *plan, err error, evidence string) {
	t.failures++
	fmt.Printf("\nround %d (%v) FAILED: %v\n  evidence  %s\n  again     go run ./test/chaos -ossa %s -seed %d -first %d -rounds 1 -max-size %d\n",
		p.number, p, err, evidence, t.ossa, t.seed, p.number, t.maxSize)
}

const (
	roundsOfData = 25        // rounds on one data directory
	bytesOfData  = 256 << 20 // or so many bytes
)

// work does rounds until there are no more.
func (t *total) work(ctx context.Context, dir string) error {
	for number := 0; ctx.Err() == nil; number++ {
		more, err := t.workOn(ctx, filepath.Join(dir, fmt.Sprintf("data-%d", number)))
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// workOn does rounds on one data directory.
func (t *total) workOn(ctx context.Context, dir string) (more bool, err error) {
	w, err := newWorld(t.config, dir)
	if err != nil {
		return false, err
	}
	keep := false
	var bytes int64
	var last *plan
	for n := 0; n < roundsOfData && bytes < bytesOfData && !keep && ctx.Err() == nil; n++ {
		number, ok := t.take()
		if !ok {
			break
		}
		more = true
		last = newPlan(t.config, number)
		r, err := w.round(ctx, last)
		if ctx.Err() != nil {
			break // not this round's fault
		}
		bytes += r.size
		keep = err != nil
		t.note(last, r.tally, err, r.dir)
	}
	err = w.close()
	if err != nil && last != nil {
		keep = true
		t.mu.Lock()
		t.fail(last, fmt.Errorf("after the rounds until this one: %w", err), dir)
		t.mu.Unlock()
	}
	if keep {
		return more, nil
	}
	return more, os.RemoveAll(dir)
}
