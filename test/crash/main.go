// Command crash kills a server again and again and looks for what got lost.
//
//	go run ./test/crash -rounds 200 -ossa bin/ossa
//
// Each round starts the real binary on one data directory and lets several
// clients work on it: puts of all sizes, multipart uploads with parts replaced,
// completed and aborted, some of both encrypted, copies, deletes; users with
// access keys, sessions and policies, made, switched off and deleted through
// the admin API; objects and uploads that lifecycle rules, by days of two
// seconds, expire, move and abort. After a random number of acknowledged
// operations the server is killed (SIGKILL; now and then SIGTERM, or a kill while
// it is still starting). Then `ossa check` must find no damage, and after a
// restart
//
//   - every acknowledged object is there with the same bytes, and nothing else;
//   - every acknowledged delete stays deleted;
//   - every open upload lists exactly its acknowledged parts;
//   - an operation that was in the air has happened or has not, never half;
//   - every user, access key and policy is there as it was acknowledged, signs
//     and allows what it should, and what was deleted or switched off does not;
//   - what lifecycle rules want is done at the latest three rounds after it is
//     due, not before, and not to what has come in the place of what was due, nor
//     to anything outside the rules; now and then all of it is waited for, after
//     which the data directory holds what clients have and no leftovers;
//   - a repeated Complete of an upload that was completed gives the same answer.
//
// Each client owns its keys, so that the outcome of every operation but the
// last one is certain. SIGKILL leaves the page cache alone: power cuts are the
// subject of the engines' own tests, on a crashable file system.
//
// The last line is "rounds=N failures=M acknowledged=A in-doubt=D". The exit
// status is 0 without failures, 1 with, 2 for wrong usage. The data directory
// of a round that failed is kept and named.
package main

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"
)

type config struct {
	ossa    string
	rounds  int
	seed    uint64
	clients int
	dir     string
}

func main() {
	var c config
	flag.StringVar(&c.ossa, "ossa", "", "`path` of the ossa binary (must be given)")
	flag.IntVar(&c.rounds, "rounds", 20, "number of kills")
	flag.Uint64Var(&c.seed, "seed", uint64(time.Now().UnixNano()), "seed of everything random")
	flag.IntVar(&c.clients, "clients", 6, "clients at work at the same time")
	flag.StringVar(&c.dir, "dir", "", "`directory` to work in (default: a temporary one)")
	flag.Parse()
	if c.ossa == "" || flag.NArg() > 0 || c.rounds < 1 || c.clients < 1 {
		flag.Usage()
		os.Exit(2)
	}
	failures, err := run(c)
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
	if failures > 0 {
		os.Exit(1)
	}
}

// run does all rounds. The error is one of the test's own surroundings; what
// is wrong with the server is printed and counted.
func run(c config) (failures int, err error) {
	if c.ossa, err = filepath.Abs(c.ossa); err != nil {
		return 0, err
	}
	root, err := os.MkdirTemp(c.dir, "ossa-crash-")
	if err != nil {
		return 0, err
	}
	defer func() {
		if failures == 0 {
			err = errors.Join(err, os.RemoveAll(root))
		}
	}()
	fmt.Printf("crash: seed %d, %d rounds in %s\n", c.seed, c.rounds, root)

	var sum tally
	w := newWorld(c, root, 0)
	random := rand.New(rand.NewPCG(c.seed, 0))
	for n := 1; n <= c.rounds; n++ {
		t, err := w.round(random)
		sum.add(t)
		if err != nil {
			failures++
			fmt.Printf("\nround %d (seed %d) FAILED: %v\n  data directory %s\n  server log     %s\n",
				n, c.seed, err, w.data, w.log)
			w = newWorld(c, root, n)
			continue
		}
		fmt.Printf("crash: round %d/%d, %d acknowledged, %d in doubt, %d objects, %d open uploads\n",
			n, c.rounds, sum.acknowledged, sum.inDoubt, t.objects, t.uploads)
		if failures == 0 && n%50 == 0 { // a fresh directory keeps rounds short
			if err := os.RemoveAll(w.data); err != nil {
				return failures, err
			}
			w = newWorld(c, root, n)
		}
	}
	fmt.Printf("rounds=%d failures=%d acknowledged=%d in-doubt=%d\n", c.rounds, failures, sum.acknowledged, sum.inDoubt)
	return failures, nil
}

// tally counts what a round did and left.
type tally struct {
	acknowledged, inDoubt int
	objects, uploads      int // after the round
}

func (t *tally) add(o tally) {
	t.acknowledged += o.acknowledged
	t.inDoubt += o.inDoubt
}
