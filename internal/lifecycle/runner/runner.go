// Package runner goes through all buckets again and again and does what their
// lifecycle rules want: it expires objects, moves them to colder storage classes,
// and aborts uploads. What is due is decided by package lifecycle, and once more
// by the commit that does it, in package store.
//
// A round visits every bucket. Open uploads are looked at in each round: they are
// few, and what they hold is told by metrics. Objects are walked once for each day
// and document of rules, in the order of their keys and only below the prefixes of
// rules, since nothing comes to be due but at midnight. How far a walk has come
// is kept in the bucket, so that it goes on after a restart.
//
// A rule that is changed or taken away is obeyed from the next page of keys on.
package runner

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/store"
)

// Options of a Runner. The zero value works.
type Options struct {
	// Every is the time from the end of a round to the next; default 1 h.
	Every time.Duration
	// Rate bounds how many objects and parts are looked at in a second; default
	// 5000.
	Rate int
	// IdleUploads, if not 0, aborts uploads that nothing has come for so long,
	// in buckets without an enabled rule about uploads.
	IdleUploads time.Duration
	// Calendar is what rules count days by; default real days.
	Calendar lifecycle.Calendar

	Clock func() time.Time // default time.Now
	// Sleep waits so long, or until ctx ends, which is its error; default does
	// that by a timer.
	Sleep      func(ctx context.Context, d time.Duration) error
	Logger     *slog.Logger          // default discards
	Registerer prometheus.Registerer // default a registry of its own
}

// EnsureDefaults fills in what is zero.
func (o *Options) EnsureDefaults() {
	if o.Every == 0 {
		o.Every = time.Hour
	}
	if o.Rate == 0 {
		o.Rate = 5000
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Registerer == nil {
		o.Registerer = prometheus.NewRegistry()
	}
}

// Validate says what is wrong with the options.
func (o *Options) Validate() error {
	if o.Every < 0 || o.Rate < 0 || o.IdleUploads < 0 {
		return errors.New("lifecycle: negative option")
	}
	if err := o.Calendar.Validate(); err != nil {
		return fmt.Errorf("lifecycle: a day of %w", err)
	}
	return nil
}

func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Runner does what lifecycle rules want. Round must not be called beside
// itself, nor between Start and Close.
type Runner struct {
	store   *store.Store
	opts    Options
	log     *slog.Logger
	metrics *metrics
	pace    pace

	cancel context.CancelFunc
	done   chan struct{}
}

// New makes a Runner on a store, which stays the caller's.
func New(s *store.Store, opts Options) (*Runner, error) {
	opts.EnsureDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	r := &Runner{store: s, opts: opts, log: opts.Logger}
	r.pace = pace{rate: opts.Rate, clock: opts.Clock, sleep: opts.Sleep}
	var err error
	r.metrics, err = newMetrics(opts.Registerer, opts.Clock)
	return r, err
}

// Start begins rounds, the first one at once. Close ends them.
func (r *Runner) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	r.cancel, r.done = cancel, make(chan struct{})
	go func() {
		defer close(r.done)
		for {
			r.Round(ctx)
			if r.opts.Sleep(ctx, r.opts.Every) != nil {
				return
			}
		}
	}()
}

// Close ends the rounds and waits for the one under way to stop, which it does
// between two commits.
func (r *Runner) Close() {
	if r.cancel != nil {
		r.cancel()
		<-r.done
		r.cancel = nil
	}
}

// page is how many buckets, objects or uploads are listed at once.
const page = 1000

// Round goes through all buckets once. What fails in one is logged and counted,
// and tried again in the next round; others do not wait for it.
func (r *Runner) Round(ctx context.Context) {
	began := r.opts.Clock()
	var open openUploads
	marker := ""
	for {
		res, err := r.store.ListBuckets(ctx, &store.ListBucketsRequest{Marker: marker, Max: page})
		if err != nil {
			r.failed(ctx, "", err)
			break
		}
		for i := range res.Buckets {
			marker = res.Buckets[i].Name
			if err := r.bucket(ctx, marker, &open); err != nil {
				r.failed(ctx, marker, err)
			}
		}
		if !res.Truncated || len(res.Buckets) == 0 {
			break
		}
	}
	if ctx.Err() == nil {
		r.metrics.round(began, r.opts.Clock().Sub(began), open)
	}
}

// failed counts and logs an error, unless it is about being stopped.
func (r *Runner) failed(ctx context.Context, bucket string, err error) {
	if ctx.Err() == nil {
		r.metrics.errors.Inc()
		r.log.Error("lifecycle met an error and goes on elsewhere", "bucket", bucket, "error", err)
	}
}

// errChanged: the bucket or its rules are not what they were when its turn
// came.
var errChanged = errors.New("lifecycle: bucket or rules have changed")

// visit is one bucket's turn in a round.
type visit struct {
	*Runner
	bucket   store.Bucket
	document []byte // nil: none
	rules    lifecycle.Rules
	damaged  bool // there is a document, and it tells nothing
	open     *openUploads

	expired, moved, aborted, freed int64
}

func (r *Runner) bucket(ctx context.Context, name string, open *openUploads) error {
	configs, err := r.store.GetBucketConfigs(ctx, name, store.ConfigLifecycle)
	if errors.Is(err, store.ErrNoSuchBucket) {
		return nil
	} else if err != nil {
		return err
	}
	v := &visit{Runner: r, bucket: configs.Bucket, document: configs.Documents[store.ConfigLifecycle], open: open}
	var damage error
	if v.document != nil {
		if v.rules, damage = lifecycle.Parse(v.document); damage != nil {
			v.damaged = true
			damage = fmt.Errorf("rules that cannot be read, nothing is done: %w", damage)
		}
	}
	err = errors.Join(damage, unlessChanged(v.uploads(ctx)), unlessChanged(v.objects(ctx)))
	if v.expired+v.moved+v.aborted > 0 {
		r.log.Info("lifecycle", "bucket", name, "expired", v.expired, "moved", v.moved, "aborted", v.aborted, "freed_bytes", v.freed)
	}
	return err
}

// unlessChanged drops an error that is none: the bucket's turn comes again.
func unlessChanged(err error) error {
	if errors.Is(err, errChanged) || errors.Is(err, store.ErrNoSuchBucket) {
		return nil
	}
	return err
}

// failures are errors about single objects or uploads, of which the first tell
// enough.
type failures struct {
	errs []error
	n    int
}

const failuresKept = 10

func (f *failures) add(err error) {
	if f.n++; len(f.errs) < failuresKept {
		f.errs = append(f.errs, err)
	}
}

// with is all of them and err.
func (f *failures) with(err error) error {
	if more := f.n - len(f.errs); more > 0 {
		err = errors.Join(fmt.Errorf("%d failures more", more), err)
	}
	return errors.Join(append(slices.Clone(f.errs), err)...)
}

// unchanged sees that the bucket and its rules are still what they were.
func (v *visit) unchanged(ctx context.Context) error {
	now, err := v.store.GetBucketConfigs(ctx, v.bucket.Name, store.ConfigLifecycle)
	switch {
	case err != nil:
		return err
	case now.Bucket.ID != v.bucket.ID || !bytes.Equal(now.Documents[store.ConfigLifecycle], v.document):
		return errChanged
	}
	return nil
}

// uploads looks at all open uploads of the bucket.
func (v *visit) uploads(ctx context.Context) error {
	var failed failures
	req := &store.ListMultipartUploadsRequest{Bucket: v.bucket.Name, Max: page}
	for {
		res, err := v.store.ListMultipartUploads(ctx, req)
		if err != nil {
			return failed.with(err)
		}
		checked := false // that the rules still hold
		for i := range res.Uploads {
			u := &res.Uploads[i]
			st, err := v.store.GetUploadState(ctx, v.bucket, u.Key, u.ID)
			if errors.Is(err, store.ErrNoSuchUpload) {
				continue
			}
			gone := false
			if err == nil {
				err = v.pace.spend(ctx, 1+int(st.Parts))
			}
			if err == nil && v.uploadDue(st) {
				if !checked {
					if err := v.unchanged(ctx); err != nil {
						return failed.with(err)
					}
					checked = true
				}
				gone, err = v.abort(ctx, u)
			}
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, store.ErrNoSuchBucket):
				return failed.with(err)
			case err != nil:
				failed.add(err)
			case !gone:
				v.open.add(st)
			}
		}
		if !res.Truncated || len(res.Uploads) == 0 {
			return failed.with(nil)
		}
		req.KeyMarker, req.UploadIDMarker = res.NextKey, res.NextUploadID
	}
}

func (v *visit) abort(ctx context.Context, u *store.Upload) (bool, error) {
	st, err := v.store.AbortDueUpload(ctx, v.bucket, u.Key, u.ID, v.uploadDue)
	if err != nil || st == nil {
		return false, err
	}
	v.aborted++
	v.freed += st.Bytes
	v.metrics.aborted.Inc()
	v.metrics.freed.Add(float64(st.Bytes))
	return true, nil
}

func (v *visit) uploadDue(st *store.UploadState) bool {
	now := v.opts.Clock()
	if _, due := v.rules.Upload(v.opts.Calendar, lifecycle.Upload{Key: st.Key, Tags: tagsOf(st.Tags), Initiated: st.Initiated}, now); due {
		return true
	}
	return v.opts.IdleUploads > 0 && !v.damaged && !v.rules.Aborts() && now.Sub(st.Last) > v.opts.IdleUploads
}

// objects walks the bucket's objects, if its rules want anything of them and
// they were not walked today. It goes on where an earlier walk was cut short.
func (v *visit) objects(ctx context.Context) error {
	prefixes := v.rules.Prefixes()
	if len(prefixes) == 0 {
		return nil
	}
	cursor, err := v.store.GetLifecycleCursor(ctx, v.bucket)
	if err != nil {
		return err
	}
	now, digest := v.opts.Clock(), lifecycle.Digest(v.opts.Calendar, v.document)
	known := bytes.Equal(cursor.Rules, digest) && !cursor.Began.After(now)
	switch {
	case known && cursor.Done && v.opts.Calendar.Midnight(cursor.Began).Equal(v.opts.Calendar.Midnight(now)):
		return nil
	case !known || cursor.Done:
		cursor = store.LifecycleCursor{Began: now, Rules: digest}
	}
	var failed failures
	for _, prefix := range prefixes {
		if cursor.After > prefix && !strings.HasPrefix(cursor.After, prefix) {
			continue // done before a restart
		}
		if err := v.prefix(ctx, prefix, &cursor, &failed); err != nil {
			return failed.with(err)
		}
	}
	if failed.n > 0 {
		// Some objects are not done: the next round looks at all again.
		cursor = store.LifecycleCursor{}
	} else {
		cursor.Done, cursor.After = true, ""
	}
	return failed.with(v.store.PutLifecycleCursor(ctx, v.bucket, cursor))
}

// prefix walks the objects whose keys begin with a prefix, from the cursor on.
// What cannot be done with objects is added to failed; what ends the walk is
// returned.
func (v *visit) prefix(ctx context.Context, prefix string, cursor *store.LifecycleCursor, failed *failures) error {
	for {
		res, err := v.store.ListObjects(ctx, &store.ListObjectsRequest{Bucket: v.bucket.Name, Prefix: prefix, Marker: cursor.After, Max: page})
		if err != nil {
			return err
		}
		if err := v.pace.spend(ctx, len(res.Objects)); err != nil {
			return err
		}
		var due []string
		for i := range res.Objects {
			if v.judge(&res.Objects[i]) != (store.Verdict{}) {
				due = append(due, res.Objects[i].Key)
			}
		}
		if err := v.change(ctx, due, failed); err != nil {
			return err
		}
		if !res.Truncated || len(res.Objects) == 0 {
			return nil
		}
		cursor.After = res.Next
		if failed.n == 0 {
			if err := v.store.PutLifecycleCursor(ctx, v.bucket, *cursor); err != nil {
				return err
			}
		}
	}
}

// changeAtOnce is how many objects are changed after one look at whether the
// rules still hold.
const changeAtOnce = 100

func (v *visit) change(ctx context.Context, keys []string, failed *failures) error {
	for len(keys) > 0 {
		n := min(len(keys), changeAtOnce)
		if err := v.unchanged(ctx); err != nil {
			return err
		}
		judged, err := v.store.ApplyLifecycle(ctx, v.bucket, keys[:n], v.judge)
		for i := range judged {
			v.count(&judged[i])
		}
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.Is(err, store.ErrNoSuchBucket), errors.Is(err, store.ErrUnavailable):
			return err
		case err != nil:
			failed.add(err)
		}
		keys = keys[n:]
	}
	return nil
}

func (v *visit) count(j *store.Judged) {
	if !j.Expire {
		v.moved++
		v.metrics.moved.Inc()
		return
	}
	v.expired++
	v.freed += j.Size
	v.metrics.expired.Inc()
	v.metrics.freed.Add(float64(j.Size))
}

func (v *visit) judge(o *store.Object) store.Verdict {
	d, due := v.rules.Object(v.opts.Calendar, lifecycle.Object{
		Key: o.Key, Size: o.Size, Tags: tagsOf(o.Tags), Class: o.StorageClass, Modified: o.LastModified,
	}, v.opts.Clock())
	if !due {
		return store.Verdict{}
	}
	return store.Verdict{Expire: d.Action == lifecycle.Expire, StorageClass: d.Class}
}

func tagsOf(tags []store.Tag) []lifecycle.Tag {
	var all []lifecycle.Tag
	for _, t := range tags {
		all = append(all, lifecycle.Tag(t))
	}
	return all
}
