package transfer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"

	"github.com/ossastore/ossa/oss"
)

// pair is a name with what it is in the source and in the target; nil where it
// is not, or was not looked for.
type pair struct {
	name           string
	source, target *Entry
}

// plan puts everything there is to decide on into the queue.
func (r *run) plan(ctx context.Context, queue chan<- pair) error {
	var nest nesting
	for p, err := range r.pairs(ctx) {
		if err != nil {
			return err
		}
		if r.action == Download && p.source != nil && p.source.Err == nil {
			if file := nest.below(p.name); file != "" {
				p.source.Err = &NameError{Name: p.name, Reason: "it is below " + file + ", which is an object, too: here that can be a file or a directory"}
			} else {
				p.source.Err = SafeName(p.name)
			}
		}
		if p.source != nil && p.source.Err == nil && r.amongSource(p.name) {
			p.source.Err = &NameError{Name: p.name, Reason: "its copy would lie among what is to be copied, and replace or add to that"}
		}
		if p.source != nil && p.source.Err != nil && r.action != Download && strings.HasSuffix(p.name, "/") {
			r.unread.Store(true)
		}
		if p.source == nil {
			if r.Delete && p.target.Skip == "" && !strings.HasSuffix(p.name, "/") {
				if err := r.spool.add(p.name); err != nil {
					return err
				}
			}
			continue
		}
		r.found.Store(true)
		select {
		case queue <- p:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// amongSource reports whether the copy of a name is a key of the source's, as when
// a/a/x goes from a/ to the bucket's root: it would replace a/x before that is
// copied, or be copied itself.
func (r *run) amongSource(name string) bool {
	from, isPrefix := r.source.(*Prefix)
	to, intoPrefix := r.target.(*Prefix)
	return isPrefix && intoPrefix && from.Bucket == to.Bucket && strings.HasPrefix(to.Prefix+name, max(from.Prefix, from.Match))
}

// pairs are the names of the source, and, if they have to be compared, those of
// the target.
func (r *run) pairs(ctx context.Context) iter.Seq2[pair, error] {
	_, folder := r.target.(*Folder)
	if r.Delete || r.Mode != Always && !folder {
		return merge(r.source.Entries(ctx, r.Filter), r.target.Entries(ctx, r.Filter))
	}
	return func(yield func(pair, error) bool) {
		for e, err := range r.source.Entries(ctx, r.Filter) {
			p := pair{name: e.Name, source: &e}
			if err == nil && r.Mode != Always && e.Err == nil {
				p.target = r.lookHere(e.Name)
			}
			if !yield(p, err) {
				return
			}
		}
	}
}

// lookHere is what a name is in the target folder: a look each, instead of
// reading all of the folder.
func (r *run) lookHere(name string) *Entry {
	if r.root == nil || SafeName(name) != nil {
		return nil
	}
	info, err := r.root.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return nil
	}
	return &Entry{Name: name, Size: info.Size(), Modified: info.ModTime()}
}

// errDisordered ends a run whose two sides cannot be paired: what is in both
// would be taken for what is in the target only, and deleted.
var errDisordered = errors.New("names are not in their order")

// ascending ends a sequence where it is not in the order of names.
func ascending(entries iter.Seq2[Entry, error]) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		last := ""
		for e, err := range entries {
			if err == nil && e.Name <= last {
				err = fmt.Errorf("%w: %q comes after %q", errDisordered, e.Name, last)
			}
			last = e.Name
			if !yield(e, err) || err != nil {
				return
			}
		}
	}
}

// merge pairs two sequences in the order of names.
func merge(source, target iter.Seq2[Entry, error]) iter.Seq2[pair, error] {
	return func(yield func(pair, error) bool) {
		nextS, stopS := iter.Pull2(ascending(source))
		defer stopS()
		nextT, stopT := iter.Pull2(ascending(target))
		defer stopT()
		s, errS, okS := nextS()
		t, errT, okT := nextT()
		for okS || okT {
			if err := errors.Join(errS, errT); err != nil {
				yield(pair{}, err)
				return
			}
			var p pair
			takeS := okS && (!okT || s.Name <= t.Name)
			takeT := okT && (!okS || t.Name <= s.Name)
			if takeS {
				e := s
				p.name, p.source = e.Name, &e
				s, errS, okS = nextS()
			}
			if takeT {
				e := t
				p.name, p.target = e.Name, &e
				t, errT, okT = nextT()
			}
			if !yield(p, nil) {
				return
			}
		}
	}
}

// handle decides on a pair, and does what is to be done.
func (r *run) handle(ctx context.Context, p pair) {
	t := &Task{Action: r.action, Name: p.name, Size: p.source.Size, Modified: p.source.Modified, etag: p.source.ETag}
	r.source.task(t, p.name, true)
	r.target.task(t, p.name, false)
	if r.action == Download {
		t.root, t.local = r.root, strings.TrimSuffix(p.name, "/")
	}
	switch {
	case p.source.Err != nil:
		r.end(t, &Outcome{Status: Failed, Err: p.source.Err})
		return
	case p.source.Skip != "":
		r.end(t, &Outcome{Status: Skipped, Reason: p.source.Skip})
		return
	}
	r.settle(ctx, t, p.target)
}

// settle does a task if the mode wants it, given what is in the target.
func (r *run) settle(ctx context.Context, t *Task, target *Entry) {
	began := r.Now()
	reason, err := r.needless(ctx, t, target)
	var o *Outcome
	switch {
	case err != nil:
		o = &Outcome{Err: err}
	case reason != "":
		o = &Outcome{Status: Skipped, Reason: reason, Size: t.Size}
	case r.DryRun:
		o = &Outcome{Status: Planned, Size: t.Size}
	default:
		r.Observer.Began(t)
		o = r.perform(ctx, t)
	}
	o.Took = r.Now().Sub(began)
	if o.Err != nil {
		o.Status = Failed
		if ctx.Err() != nil {
			o.Status = Stopped
		}
	}
	r.end(t, o)
}

// needless is why a task need not be done, or "".
func (r *run) needless(ctx context.Context, t *Task, target *Entry) (string, error) {
	if target == nil || target.Err != nil {
		return "", nil
	}
	switch r.Mode {
	case Newer:
		if !t.Modified.After(target.Modified) {
			return "the target is not older", nil
		}
	case Different:
		same, err := r.same(ctx, t, target)
		if err != nil {
			return "", err
		}
		if same {
			return "the target is the same", nil
		}
	}
	return "", nil
}

// RunOne does one task that a caller has made: with Action, Name, and where from
// and where to. What is in the target is asked for if the mode needs it.
func RunOne(ctx context.Context, o Options, t *Task) (*Summary, *Outcome, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, nil, err
	}
	keep := &keeper{Observer: r.Observer}
	r.Observer = keep
	r.action = t.Action
	began := r.Now()
	if t.Into != "" && !o.DryRun {
		if err := SafeName(t.Name); err != nil {
			return nil, nil, err
		}
		if t.root, err = os.OpenRoot(t.Into); err != nil {
			return nil, nil, err
		}
		defer t.root.Close()
		t.local = t.Name
	}
	target, err := r.lookAt(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	r.settle(ctx, t, target)
	if ctx.Err() != nil && keep.outcome.Status != Done {
		return r.summary(began), keep.outcome, context.Cause(ctx)
	}
	return r.summary(began), keep.outcome, keep.outcome.Err
}

// keeper keeps the outcome of the one task of a run.
type keeper struct {
	Observer
	outcome *Outcome
}

func (k *keeper) Ended(t *Task, o *Outcome) {
	k.outcome = o
	k.Observer.Ended(t, o)
}

// lookAt learns of the two sides of a single task what its mode needs.
func (r *run) lookAt(ctx context.Context, t *Task) (target *Entry, err error) {
	if t.Action != Upload && (r.Mode != Always || t.Size < 0) {
		from := t.From
		if t.Action == Download {
			from = oss.CopySource{Bucket: t.Bucket, Key: t.Key}
		}
		info, err := r.Client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: from.Bucket, Key: from.Key, VersionID: from.VersionID})
		if err != nil {
			return nil, err
		}
		t.Size, t.Modified, t.etag = info.Size, info.LastModified, info.ETag
	}
	if r.Mode == Always {
		return nil, nil
	}
	if t.Action == Download {
		return lookAtFile(t.Path)
	}
	info, err := r.Client.HeadObject(ctx, &oss.HeadObjectRequest{Bucket: t.Bucket, Key: t.Key})
	if errors.Is(err, oss.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return &Entry{Name: t.Name, Size: info.Size, Modified: info.LastModified, ETag: info.ETag}, nil
}
