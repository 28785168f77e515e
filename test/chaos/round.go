package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ossastore/ossa/oss"
)

const (
	calmAfter = 12 // runs of the client, then nothing fails any more
	runsMax   = 16 // of a round

	runTime    = 4 * time.Minute // of a client, and a second for each
	bytesTimed = 2 << 20         // bytes
)

// round is one file on its way.
type round struct {
	*world
	*plan
	tally
	dir      string
	key      string
	machine  *machine
	ledger   *ledger
	log      *os.File
	nth      int    // run of the client, from 1
	versions []sums // what the file has been; the last is what it is
	old      *sums  // what the object was
	inFlight int64  // bytes that kills may cost
	mayKeep  bool   // an upload with parts may stay, because the file changed
}

// round does one round.
func (w *world) round(ctx context.Context, p *plan) (*round, error) {
	r := &round{world: w, plan: p, dir: filepath.Join(w.dir, fmt.Sprintf("round-%d", p.number)), key: keyOf(p.number)}
	if err := r.prepare(ctx); err != nil {
		return r, err
	}
	defer r.log.Close()
	err := r.upload(ctx)
	r.proxy.settle()
	if err == nil {
		err = r.verify(ctx)
	}
	r.bytes, r.sent, r.largest = p.size, r.ledger.sent, p.size
	r.faults, r.resent = r.ledger.faults, r.ledger.resent
	if err == nil {
		return r, os.RemoveAll(r.dir)
	}
	if p.size >= sparseFrom { // made again from the seed
		os.Remove(r.machine.file)
	}
	return r, err
}

// prepare makes the file, and the object that is there before.
func (r *round) prepare(ctx context.Context) (err error) {
	if r.machine, err = newMachine(filepath.Join(r.dir, "machine-0")); err != nil {
		return err
	}
	if err := write(r.machine.file, r.bodySeed, r.size); err != nil {
		return err
	}
	now, err := sumsOfFile(r.machine.file)
	if err != nil {
		return err
	}
	r.versions = []sums{now}
	if r.log, err = os.Create(logName(r.dir, "proxy")); err != nil {
		return err
	}
	if r.plan.old {
		body := noise(r.bodySeed+7, 1+r.random.Int64N(10000))
		if _, err := r.direct.PutObject(ctx, &oss.PutObjectRequest{Bucket: bucket, Key: r.key, Body: strings.NewReader(string(body))}); err != nil {
			return err
		}
		s, err := sumsOf(strings.NewReader(string(body)))
		if err != nil {
			return err
		}
		r.old = &s
	}
	r.ledger = r.proxy.roundBegins(r.plan, r.log)
	return nil
}

// upload runs the client until it succeeds with what the file is then.
func (r *round) upload(ctx context.Context) error {
	for r.nth = 1; ; r.nth++ {
		if r.nth > calmAfter {
			r.proxy.calm()
		}
		v, err := r.run(ctx)
		if err == nil {
			err = r.afterRun(ctx)
		}
		if err != nil {
			return fmt.Errorf("run %d: %w", r.nth, err)
		}
		r.tally.runs++
		if v.succeeded && r.isUploaded(ctx) {
			return nil
		}
		if v.succeeded && r.change == unchanged {
			return fmt.Errorf("run %d: the client says that it succeeded, and the object is not there", r.nth)
		}
		if r.nth == runsMax {
			return fmt.Errorf("the client does not succeed in %d runs: %s", r.nth, v.text)
		}
		if r.random.IntN(2) == 0 {
			if err := r.move(); err != nil {
				return err
			}
		}
	}
}

// move goes on on another machine.
func (r *round) move() error {
	to, err := newMachine(filepath.Join(r.dir, fmt.Sprintf("machine-%d", r.nth)))
	if err != nil {
		return err
	}
	if r.ledger.hasParts() {
		r.moved = 1
	}
	from := r.machine
	r.machine = to
	return from.bring(to)
}

// run runs the client once, and lets happen what is planned.
func (r *round) run(ctx context.Context) (verdict, error) {
	if r.ledger.hasParts() {
		r.resumed = 1
	}
	var c *client
	var accidents []accident
	killed, changed := false, false
	add := func(happen func() error) {
		accidents = append(accidents, accident{randomTrigger(r.random, r.size), upTo(r.random, killDelay), happen})
	}
	if r.nth <= r.plan.clientKills {
		add(func() error {
			select {
			case <-c.ended:
			default:
				killed = true
				c.signal(syscall.SIGKILL)
			}
			return nil
		})
	}
	if r.nth <= r.plan.serverKills {
		down := upTo(r.random, downMax)
		add(func() error {
			r.tally.serverKills++
			return r.restart(down)
		})
	}
	if r.change != unchanged && r.nth == 1 {
		add(func() error {
			changed = true
			return alter(r.machine.file, r.change, r.bodySeed)
		})
	}
	var triggers []*trigger
	for _, a := range accidents {
		triggers = append(triggers, a.trigger)
	}
	r.proxy.clientStarts(triggers)
	fmt.Fprintf(r.log, "-- run %d\n", r.nth)
	var err error
	if c, err = startClient(r.ossa, r.machine, r.proxy.url, r.key, r.partSize, r.parallel); err != nil {
		return verdict{}, err
	}
	limit := time.AfterFunc(runTime+time.Duration(r.size/bytesTimed)*time.Second, func() { c.signal(syscall.SIGQUIT) })
	stop := context.AfterFunc(ctx, func() { c.signal(syscall.SIGKILL) })
	err = await(accidents, c.ended)
	<-c.ended
	stop()
	hung := !limit.Stop()
	r.proxy.clientEnded()
	if !r.zombies {
		r.proxy.settle()
	}
	os.WriteFile(logName(r.dir, fmt.Sprintf("client-%d", r.nth)), c.out.Bytes(), 0o600)
	if err != nil || ctx.Err() != nil {
		return verdict{}, errors.Join(err, ctx.Err())
	}
	if hung {
		return verdict{}, fmt.Errorf("the client hangs:\n%s", &c.out)
	}
	if changed {
		if err := r.fileChanged(); err != nil {
			return verdict{}, err
		}
	}
	if killed && c.command.ProcessState.ExitCode() < 0 {
		r.tally.clientKills++
		r.inFlight += r.inFlightMost()
		return verdict{}, nil
	}
	v, err := c.verdict()
	fmt.Fprintf(r.log, "-- ended: succeeded %v, changed %v: %s\n", v.succeeded, changed, v.text)
	if err == nil && !v.succeeded && r.rate == 0 && !r.hang && r.plan.serverKills == 0 && !strings.Contains(v.text, oss.ErrSourceChanged.Error()) {
		err = fmt.Errorf("nothing was wrong, changed: %v, and the client failed: %s", changed, v.text)
	}
	return v, err
}

// automaticPart is what parts have at most where the client chooses and knows
// nothing yet of the network, in bytes.
const automaticPart = 8 << 20

// inFlightMost is how many bytes can be in flight at a time.
func (r *round) inFlightMost() int64 {
	size := r.partSize
	if size == 0 {
		size = automaticPart
	}
	return int64(r.parallel) * min(size, r.size)
}

// fileChanged takes note of what the file is now.
func (r *round) fileChanged() error {
	now, err := sumsOfFile(r.machine.file)
	if err != nil {
		return err
	}
	r.versions = append(r.versions, now)
	r.changed, r.mayKeep = 1, true
	r.ledger.fileChanged()
	return nil
}

// afterRun finds what no run may do.
func (r *round) afterRun(ctx context.Context) error {
	if err := r.healthy(); err != nil {
		return err
	}
	if err := r.machine.tidy(); err != nil {
		return err
	}
	r.ledger.mu.Lock()
	resent, what := r.ledger.resent, r.ledger.what
	r.ledger.mu.Unlock()
	if resent > 0 {
		return fmt.Errorf("%d bytes were sent again that the server had acknowledged: %s", resent, what)
	}
	head, err := r.direct.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: bucket, Key: r.key})
	switch {
	case errors.Is(err, oss.ErrNotFound):
		if r.old != nil {
			return errors.New("the object that was there is gone")
		}
		return nil
	case err != nil:
		return err
	}
	for _, s := range append(r.versions, r.oldOnes()...) {
		if head.CRC64.Known && head.CRC64.Sum == s.crc64 && head.Size == s.size {
			return nil
		}
	}
	return fmt.Errorf("the object, of %d bytes, is neither the old one nor any that the file has been", head.Size)
}

func (r *round) oldOnes() []sums {
	if r.old == nil {
		return nil
	}
	return []sums{*r.old}
}

// isUploaded reports whether the object is what the file is.
func (r *round) isUploaded(ctx context.Context) bool {
	want := r.versions[len(r.versions)-1]
	head, err := r.direct.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: bucket, Key: r.key})
	return err == nil && head.CRC64.Sum == want.crc64 && head.Size == want.size
}
