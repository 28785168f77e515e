package store_test

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/ossastore/ossa/internal/store"
)

// recorder keeps what several goroutines did to registers and what they were
// answered, and tells whether it can be explained. A register is an object's
// key or a part's number in an upload. It holds one value at a time; every
// write has a value of its own, but for "", which stands for nothing there.
type recorder struct {
	mu      sync.Mutex
	now     int64 // goes on with every beginning and end of an operation
	writes  map[string][]*write
	reads   map[string][]*read
	watcher func(now int64)
}

// write is an attempt to set a register. It took effect, if it did, at one
// moment between begin and end.
type write struct {
	value      string
	begin, end int64
	outcome    outcome
}

type outcome int

const (
	pending outcome = iota
	applied
	refused // it never takes effect
	doubted // nobody was told whether it did
)

type read struct {
	value      string
	begin, end int64
}

func newRecorder() *recorder {
	return &recorder{writes: make(map[string][]*write), reads: make(map[string][]*read)}
}

// tick is one moment; r.mu is held.
func (r *recorder) tick() int64 {
	r.now++
	if r.watcher != nil {
		r.watcher(r.now)
	}
	return r.now
}

func (r *recorder) time() int64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tick()
}

// write notes that one begins. The function it returns notes its end.
func (r *recorder) write(register, value string) (end func(error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w := &write{value: value, begin: r.tick()}
	r.writes[register] = append(r.writes[register], w)
	return func(err error) {
		r.mu.Lock()
		defer r.mu.Unlock()
		w.end, w.outcome = r.tick(), outcomeOf(err)
	}
}

func outcomeOf(err error) outcome {
	switch {
	case err == nil:
		return applied
	case errors.Is(err, store.ErrUnavailable):
		return doubted
	}
	return refused
}

// read notes that one begins. The function it returns notes its end and what
// was read; without a call, nothing was.
func (r *recorder) read(register string) (end func(value string)) {
	begin := r.time()
	return func(value string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.reads[register] = append(r.reads[register], &read{value, begin, r.tick()})
	}
}

// cut makes it so that the world ended between two moments: what began later
// never was, what ended later nobody learned of.
func (r *recorder) cut(from, to int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for register, all := range r.writes {
		all = slices.DeleteFunc(all, func(w *write) bool { return w.begin > to })
		for _, w := range all {
			if w.outcome == pending || w.outcome != refused && w.end >= from {
				w.outcome, w.end = doubted, to
			}
		}
		r.writes[register] = all
	}
	for register, all := range r.reads {
		r.reads[register] = slices.DeleteFunc(all, func(x *read) bool { return x.end >= from })
	}
}

// explain says which reads cannot be explained by the writes.
func (r *recorder) explain() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var errs []error
	for register, reads := range r.reads {
		writes := merge(r.writes[register])
		// A write that was seen has had its effect by then.
		effect := make(map[*write]int64)
		for _, w := range writes {
			seen := w.outcome == applied
			effect[w] = w.end
			for _, x := range reads {
				if w.value != "" && x.value == w.value {
					seen = true
					effect[w] = min(effect[w], x.end)
				}
			}
			if !seen {
				effect[w] = 1 << 62 // as if it had no effect, which may be
			}
		}
		for _, x := range reads {
			if why := unexplained(x, writes, effect); why != "" {
				errs = append(errs, fmt.Errorf("%s: read of %q from %d to %d: %s", register, x.value, x.begin, x.end, why))
			}
		}
	}
	return errors.Join(errs[:min(len(errs), 10)]...)
}

// unexplained says why no write explains a read, or "".
func unexplained(x *read, writes []*write, effect map[*write]int64) string {
	why := "nobody wrote it"
	for _, w := range writes {
		if w.value != x.value || w.begin >= x.end {
			continue
		}
		if w.outcome == refused {
			why = "its write was refused"
			continue
		}
		gone := false
		for _, other := range writes {
			if other != w && min(effect[w], w.end) < other.begin && effect[other] < x.begin {
				gone = true
				why = fmt.Sprintf("written from %d to %d, but %q came from %d to %d", w.begin, w.end, other.value, other.begin, other.end)
			}
		}
		if !gone {
			return ""
		}
	}
	return why
}

// merge returns one write for all attempts at one value, of which one has
// succeeded at most: the attempts to complete one upload. Answers that came
// later only repeat what had happened. Before all there was nothing.
func merge(attempts []*write) []*write {
	all := []*write{{outcome: applied}}
	byValue := make(map[string]*write)
	for _, a := range attempts {
		have := byValue[a.value]
		if a.value == "" || have == nil {
			w := *a
			all = append(all, &w)
			byValue[a.value] = &w
			continue
		}
		switch {
		case a.outcome == refused:
		case have.outcome == refused:
			*have = *a
		case have.outcome == applied && a.outcome == applied:
			have.begin, have.end = min(have.begin, a.begin), min(have.end, a.end)
		case have.outcome == applied || a.outcome == applied:
			end := have.end
			if a.outcome == applied {
				end = a.end
			}
			*have = write{a.value, min(have.begin, a.begin), end, applied}
		default:
			have.begin, have.end = min(have.begin, a.begin), max(have.end, a.end)
		}
	}
	return all
}
