package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/ossastore/ossa/internal/engine"
	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/lifecycle/runner"
	"github.com/ossastore/ossa/internal/store"
)

// env is a store in memory whose clock a test sets, with a bucket "b".
type env struct {
	*store.Store
	t   *testing.T
	ctx context.Context
	log bytes.Buffer

	registry *prometheus.Registry
	mu       sync.Mutex
	now      time.Time
	slept    time.Duration
	onSleep  func() // called once, at the next sleep
}

func newEnv(t *testing.T) *env {
	t.Helper()
	e := &env{t: t, ctx: t.Context(), now: day(1, 12)}
	engines := engine.Memory()
	s, err := store.Open(e.ctx, engines.KV, engines.Blob, store.Options{Clock: e.clock})
	e.must(err)
	e.Store = s
	t.Cleanup(s.Close)
	e.bucket("b")
	return e
}

func day(n, hour int) time.Time { return time.Date(2026, 1, n, hour, 0, 0, 0, time.UTC) }

func (e *env) clock() time.Time {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.now
}

func (e *env) set(now time.Time) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.now = now
}

func (e *env) sleep(ctx context.Context, d time.Duration) error {
	e.mu.Lock()
	e.now = e.now.Add(d)
	e.slept += d
	call := e.onSleep
	e.onSleep = nil
	e.mu.Unlock()
	if call != nil {
		call()
	}
	return ctx.Err()
}

func (e *env) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

func (e *env) bucket(name string) {
	e.t.Helper()
	e.must(e.PutBucket(e.ctx, &store.PutBucketRequest{Bucket: name}))
}

// rule is a rule of a document; its ID is what it says.
func rule(prefix, status, actions string) string {
	return fmt.Sprintf("<Rule><ID>%s</ID><Prefix>%s</Prefix><Status>%s</Status>%s</Rule>", prefix+status, prefix, status, actions)
}

func (e *env) rules(bucket string, rules ...string) {
	e.t.Helper()
	document := "<LifecycleConfiguration>" + strings.Join(rules, "") + "</LifecycleConfiguration>"
	e.must(e.PutBucketConfig(e.ctx, bucket, store.ConfigLifecycle, []byte(document)))
}

func (e *env) put(bucket, key string, size int) {
	e.t.Helper()
	_, err := e.PutObject(e.ctx, &store.PutObjectRequest{
		Bucket: bucket, Key: key, Body: store.Body{Reader: bytes.NewReader(make([]byte, size)), Size: int64(size)},
	})
	e.must(err)
}

func (e *env) tag(bucket, key, tag string) {
	e.t.Helper()
	e.must(e.PutObjectTagging(e.ctx, bucket, key, []store.Tag{{Key: tag}}))
}

func (e *env) upload(bucket, key string) store.UploadID {
	e.t.Helper()
	id, err := e.InitiateMultipartUpload(e.ctx, &store.InitiateMultipartUploadRequest{Bucket: bucket, Key: key})
	e.must(err)
	return id
}

func (e *env) part(bucket, key string, id store.UploadID, size int) {
	e.t.Helper()
	_, err := e.UploadPart(e.ctx, &store.UploadPartRequest{
		Bucket: bucket, Key: key, UploadID: id, PartNumber: 1, Body: store.Body{Reader: bytes.NewReader(make([]byte, size)), Size: int64(size)},
	})
	e.must(err)
}

// have lists a bucket: its keys, with their class if it is not Standard, and
// the keys of its uploads in brackets.
func (e *env) have(bucket string) string {
	e.t.Helper()
	var all []string
	marker := ""
	for more := true; more; {
		objects, err := e.ListObjects(e.ctx, &store.ListObjectsRequest{Bucket: bucket, Marker: marker, Max: 1000})
		e.must(err)
		for _, o := range objects.Objects {
			if o.StorageClass != "Standard" {
				o.Key += ":" + o.StorageClass
			}
			all = append(all, o.Key)
		}
		marker, more = objects.Next, objects.Truncated
	}
	uploads, err := e.ListMultipartUploads(e.ctx, &store.ListMultipartUploadsRequest{Bucket: bucket, Max: 1000})
	e.must(err)
	for _, u := range uploads.Uploads {
		all = append(all, "["+u.Key+"]")
	}
	return strings.Join(all, " ")
}

func (e *env) want(bucket, want string) {
	e.t.Helper()
	if got := e.have(bucket); got != want {
		e.t.Errorf("bucket %s has %s; want %s", bucket, got, want)
	}
}

func (e *env) runner(opts runner.Options) *runner.Runner {
	e.t.Helper()
	e.registry = prometheus.NewRegistry()
	opts.Clock, opts.Registerer = e.clock, e.registry
	opts.Logger = slog.New(slog.NewTextHandler(&e.log, nil))
	if opts.Sleep == nil {
		opts.Sleep = e.sleep
	}
	r, err := runner.New(e.Store, opts)
	e.must(err)
	return r
}

// metric returns a metric without labels.
func (e *env) metric(name string) float64 {
	e.t.Helper()
	families, err := e.registry.Gather()
	e.must(err)
	for _, f := range families {
		if f.GetName() == name {
			m := f.GetMetric()[0]
			return m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	e.t.Fatalf("no metric %s", name)
	return 0
}

func (e *env) metrics(want map[string]float64) {
	e.t.Helper()
	for name, value := range want {
		if got := e.metric(name); got != value {
			e.t.Errorf("%s is %v, want %v", name, got, value)
		}
	}
}

const (
	expire1 = "<Expiration><Days>1</Days></Expiration>"
	abort1  = "<AbortMultipartUpload><Days>1</Days></AbortMultipartUpload>"
	move1   = "<Transition><Days>1</Days><StorageClass>IA</StorageClass></Transition>"
	tagged  = "<Tag><Key>goes</Key><Value></Value></Tag>"
)

// A round does what is due, in all buckets, and nothing else, and tells of it.
func TestRound(t *testing.T) {
	e := newEnv(t)
	e.bucket("c")
	e.bucket("d")
	e.rules("b", rule("tmp/", "Enabled", expire1+abort1), rule("old/", "Enabled", move1), rule("keep/", "Disabled", expire1))
	e.rules("c", rule("", "Enabled", expire1))
	for _, key := range []string{"a", "tmp/1", "tmp/2", "old/1", "keep/1"} {
		e.put("b", key, 100)
	}
	e.put("c", "x", 10)
	e.put("d", "x", 10)
	e.part("b", "tmp/u", e.upload("b", "tmp/u"), 1000)
	e.part("b", "u", e.upload("b", "u"), 50)
	e.part("d", "u", e.upload("d", "u"), 7)
	e.set(day(2, 0))
	e.upload("b", "later")

	r := e.runner(runner.Options{})
	r.Round(e.ctx) // on 2 January: nothing is a whole day old
	e.want("b", "a keep/1 old/1 tmp/1 tmp/2 [later] [tmp/u] [u]")
	e.metrics(map[string]float64{"ossa_lifecycle_rounds_total": 1, "ossa_lifecycle_expired_objects_total": 0, "ossa_open_uploads": 4, "ossa_open_upload_bytes": 1057})

	e.set(day(3, 0).Add(-time.Second))
	r.Round(e.ctx)
	e.want("b", "a keep/1 old/1 tmp/1 tmp/2 [later] [tmp/u] [u]")

	e.set(day(3, 0))
	e.put("b", "tmp/new", 1)
	r.Round(e.ctx)
	e.want("b", "a keep/1 old/1:IA tmp/new [later] [u]")
	e.want("c", "")
	e.want("d", "x [u]")
	e.metrics(map[string]float64{
		"ossa_lifecycle_rounds_total": 3, "ossa_lifecycle_errors_total": 0,
		"ossa_lifecycle_expired_objects_total": 3, "ossa_lifecycle_transitions_total": 1, "ossa_lifecycle_aborted_uploads_total": 1,
		"ossa_lifecycle_freed_bytes_total": 1210, "ossa_lifecycle_last_run_timestamp_seconds": float64(day(3, 0).Unix()),
		"ossa_open_uploads": 3, "ossa_open_upload_parts": 2, "ossa_open_upload_bytes": 57, "ossa_open_upload_oldest_age_seconds": 36 * 3600,
	})
	if log := e.log.String(); !strings.Contains(log, "bucket=b expired=2 moved=1 aborted=1 freed_bytes=1200") || strings.Contains(log, "bucket=d") {
		t.Errorf("log: %s", log)
	}
}

// Where days are short, all that is counted in days comes sooner, and a walk
// comes with each of them, and with another length of days.
func TestShortDays(t *testing.T) {
	e := newEnv(t)
	e.rules("b", rule("tmp/", "Enabled", expire1+abort1), rule("old/", "Enabled", move1))
	e.set(day(1, 12).Add(time.Second))
	e.put("b", "tmp/a", 1)
	e.put("b", "old/a", 1)
	e.put("b", "other", 1)
	e.upload("b", "tmp/u")
	e.upload("b", "other")
	short := e.runner(runner.Options{Calendar: lifecycle.Calendar{Day: 10 * time.Second}})
	e.set(day(1, 12).Add(20*time.Second - 1))
	short.Round(e.ctx)
	e.want("b", "old/a other tmp/a [other] [tmp/u]")
	e.set(day(1, 12).Add(20 * time.Second))
	short.Round(e.ctx)
	e.want("b", "old/a:IA other [other]")

	e.put("b", "tmp/b", 1)
	e.set(day(1, 12).Add(29 * time.Second))
	e.runner(runner.Options{Calendar: lifecycle.Calendar{Day: 20 * time.Second}}).Round(e.ctx)
	e.want("b", "old/a:IA other tmp/b [other]")
	e.runner(runner.Options{Calendar: lifecycle.Calendar{Day: 2 * time.Second}}).Round(e.ctx)
	e.want("b", "old/a:IA other [other]")

	if _, err := runner.New(e.Store, runner.Options{Calendar: lifecycle.Calendar{Day: time.Millisecond}}); err == nil {
		t.Error("days of a millisecond are taken")
	}
}

// Objects are walked once a day, and again when rules change.
func TestOnceADay(t *testing.T) {
	e := newEnv(t)
	e.rules("b", rule("", "Enabled", tagged+expire1))
	e.put("b", "k", 1)
	e.put("b", "l", 1)
	r := e.runner(runner.Options{})
	e.set(day(5, 1))
	r.Round(e.ctx)
	e.tag("b", "k", "goes")
	r.Round(e.ctx)
	e.want("b", "k l")
	e.set(day(6, 0))
	r.Round(e.ctx)
	e.want("b", "l")

	e.tag("b", "l", "goes")
	e.rules("b", rule("", "Enabled", tagged+expire1), rule("x", "Enabled", abort1))
	r.Round(e.ctx)
	e.want("b", "")

	// A clock that is set back is no reason to wait for it.
	e.put("b", "m", 1)
	e.tag("b", "m", "goes")
	e.set(day(9, 0))
	e.put("b", "n", 1)
	r.Round(e.ctx)
	e.set(day(8, 0))
	e.tag("b", "n", "goes")
	r.Round(e.ctx)
	e.want("b", "n")
	e.set(day(30, 0))
	r.Round(e.ctx)
	e.want("b", "")
}

// A walk that is cut short goes on where it was, in another process too.
func TestResume(t *testing.T) {
	e := newEnv(t)
	e.rules("b", rule("a", "Enabled", tagged+expire1), rule("m", "Enabled", tagged+expire1))
	const n = 2300
	for i := range n {
		e.put("b", fmt.Sprintf("m%04d", i), 1)
	}
	e.put("b", "a", 1)
	e.put("b", "z", 1)
	e.set(day(5, 0))
	ctx, cancel := context.WithCancel(e.ctx)
	sleeps := 0
	var again func()
	again = func() { // the third nap is after the second page of "m"
		if sleeps++; sleeps == 2 {
			cancel()
		} else {
			e.onSleep = again
		}
	}
	e.onSleep = again
	e.runner(runner.Options{Rate: 1000}).Round(ctx)
	if sleeps != 2 || e.metric("ossa_lifecycle_rounds_total") != 0 || e.metric("ossa_lifecycle_errors_total") != 0 {
		t.Fatalf("%d naps, round counted or failed: %s", sleeps, &e.log)
	}
	// What is tagged only now is found from the cursor on: after page one.
	for _, key := range []string{"a", "m0000", "m0999", "m1000", "m2299", "z"} {
		e.tag("b", key, "goes")
	}
	r := e.runner(runner.Options{})
	r.Round(e.ctx)
	if got := e.metric("ossa_lifecycle_expired_objects_total"); got != 2 {
		t.Errorf("%v expired, want those behind the cursor", got)
	}
	have := strings.Fields(e.have("b"))
	for _, key := range []string{"a", "m0000", "m0999", "z"} {
		if !slices.Contains(have, key) {
			t.Errorf("%s is gone", key)
		}
	}
	e.set(day(6, 0))
	r.Round(e.ctx)
	if got := len(strings.Fields(e.have("b"))); got != n+2-5 {
		t.Errorf("%d objects left", got)
	}
}

// Looking is as slow as it should be.
func TestRate(t *testing.T) {
	e := newEnv(t)
	e.rules("b", rule("", "Enabled", expire1))
	for i := range 2500 {
		e.put("b", fmt.Sprint(i), 1)
	}
	e.runner(runner.Options{Rate: 1000}).Round(e.ctx)
	if e.slept != 2500*time.Millisecond {
		t.Errorf("slept %v", e.slept)
	}
}

// A rule that is taken away in the middle of a round deletes nothing more.
func TestRulesTakenAway(t *testing.T) {
	for _, change := range []func(*env){
		func(e *env) { e.must(e.DeleteBucketConfig(e.ctx, "b", store.ConfigLifecycle)) },
		func(e *env) { e.rules("b", rule("", "Disabled", expire1+abort1)) },
		func(e *env) {
			e.must(e.DeleteObject(e.ctx, "b", "k"))
			for _, u := range e.uploads("b") {
				e.must(e.AbortMultipartUpload(e.ctx, "b", u.Key, u.ID))
			}
			e.must(e.DeleteBucket(e.ctx, "b"))
			e.bucket("b")
			e.rules("b", rule("", "Enabled", expire1+abort1))
			was := e.clock()
			e.set(day(1, 12)) // both are due by the new rules, and it is not their turn
			e.put("b", "k", 1)
			e.upload("b", "u")
			e.set(was)
		},
	} {
		for _, objects := range []bool{false, true} {
			e := newEnv(t)
			e.rules("b", rule("", "Enabled", expire1+abort1))
			e.put("b", "k", 1)
			e.upload("b", "u")
			e.set(day(5, 0))
			e.onSleep = func() { change(e) } // before the upload's end is decided
			if objects {
				e.onSleep = func() { e.onSleep = func() { change(e) } }
			}
			e.runner(runner.Options{Rate: 1}).Round(e.ctx)
			// The upload was ended by rules that held, if it came first.
			if got := e.have("b"); got != "k [u]" && (!objects || got != "k") {
				t.Errorf("left: %s", got)
			}
			if n := e.metric("ossa_lifecycle_expired_objects_total"); n != 0 {
				t.Errorf("%v expired", n)
			}
			if n := e.metric("ossa_lifecycle_errors_total"); n != 0 {
				t.Errorf("%v errors: %s", n, &e.log)
			}
		}
	}
}

func (e *env) uploads(bucket string) []store.Upload {
	res, err := e.ListMultipartUploads(e.ctx, &store.ListMultipartUploadsRequest{Bucket: bucket, Max: 10})
	e.must(err)
	return res.Uploads
}

// Rules that cannot be read are told of and do nothing; other buckets have
// their turn, and gauges count the uploads of all.
func TestDamagedRules(t *testing.T) {
	e := newEnv(t)
	e.bucket("c")
	e.must(e.PutBucketConfig(e.ctx, "b", store.ConfigLifecycle, []byte("<LifecycleConfiguration><Rule>")))
	e.rules("c", rule("", "Enabled", expire1))
	for _, bucket := range []string{"b", "c"} {
		e.put(bucket, "k", 1)
		e.upload(bucket, "u")
	}
	e.set(day(30, 0))
	e.runner(runner.Options{IdleUploads: 24 * time.Hour}).Round(e.ctx)
	e.want("b", "k [u]")
	e.want("c", "")
	e.metrics(map[string]float64{"ossa_lifecycle_errors_total": 1, "ossa_open_uploads": 1, "ossa_lifecycle_rounds_total": 1})
	if log := e.log.String(); !strings.Contains(log, "level=ERROR") || !strings.Contains(log, "bucket=b") || !strings.Contains(log, "cannot be read") {
		t.Errorf("log: %s", log)
	}
}

// Idle uploads go where no rule is about uploads, if that is switched on.
func TestIdleUploads(t *testing.T) {
	e := newEnv(t)
	e.bucket("ruled")
	e.bucket("disabled")
	e.rules("ruled", rule("x", "Enabled", "<AbortMultipartUpload><Days>300</Days></AbortMultipartUpload>"))
	e.rules("disabled", rule("x", "Disabled", abort1))
	for _, bucket := range []string{"b", "ruled", "disabled"} {
		e.upload(bucket, "idle")
		busy := e.upload(bucket, "busy")
		e.set(day(3, 12))
		e.part(bucket, "busy", busy, 9)
		e.set(day(1, 12))
	}
	e.set(day(8, 12))
	e.runner(runner.Options{}).Round(e.ctx)
	e.want("b", "[busy] [idle]")

	r := e.runner(runner.Options{IdleUploads: 7 * 24 * time.Hour})
	r.Round(e.ctx) // seven days are not more than seven days
	e.want("b", "[busy] [idle]")
	e.set(day(8, 12).Add(time.Second))
	r.Round(e.ctx)
	e.want("b", "[busy]")
	e.want("disabled", "[busy]")
	e.want("ruled", "[busy] [idle]")
	e.set(day(10, 12).Add(time.Second))
	r.Round(e.ctx)
	e.want("b", "")
	e.want("ruled", "[busy] [idle]")
	e.metrics(map[string]float64{"ossa_lifecycle_aborted_uploads_total": 4, "ossa_lifecycle_freed_bytes_total": 18, "ossa_open_uploads": 2})
}

// Rounds come one after another until Close, which waits for the one that is
// under way.
func TestStartAndClose(t *testing.T) {
	e := newEnv(t)
	waits, goOn := make(chan time.Duration), make(chan struct{})
	r := e.runner(runner.Options{Every: time.Minute, Sleep: func(ctx context.Context, d time.Duration) error {
		select {
		case waits <- d:
		case <-ctx.Done():
			return ctx.Err()
		}
		select {
		case <-goOn:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}})
	r.Start()
	for round := range 3 {
		if d := <-waits; d != time.Minute {
			t.Errorf("waits %v", d)
		}
		if n := e.metric("ossa_lifecycle_rounds_total"); n != float64(round+1) {
			t.Errorf("%v rounds, want %d", n, round+1)
		}
		goOn <- struct{}{}
	}
	<-waits
	r.Close()
	r.Close()
	if n := e.metric("ossa_lifecycle_rounds_total"); n != 4 {
		t.Errorf("%v rounds", n)
	}
}

// What a round leaves of random objects under random rules is what the rules
// say, each time that the day has changed.
func TestRandomRules(t *testing.T) {
	did := 0.0
	for range 30 {
		seed := rand.Uint64()
		rng := rand.New(rand.NewPCG(seed, 0))
		e := newEnv(t)
		var rules []string
		for i := range 1 + rng.IntN(4) {
			actions := ""
			if rng.IntN(3) == 0 {
				actions += tagged
			}
			actions += pick(rng, "", fmt.Sprintf("<Expiration><Days>%d</Days></Expiration>", 3+rng.IntN(5)), "<Expiration><CreatedBeforeDate>2026-01-04T00:00:00.000Z</CreatedBeforeDate></Expiration>")
			actions += pick(rng, "", move1, "<Transition><Days>2</Days><StorageClass>Archive</StorageClass></Transition>")
			actions += fmt.Sprintf("<AbortMultipartUpload><Days>%d</Days></AbortMultipartUpload>", 1+rng.IntN(6))
			prefix := pick(rng, "", "a", "a/", "b")
			rules = append(rules, fmt.Sprintf("<Rule><ID>%d</ID><Prefix>%s</Prefix><Status>%s</Status>%s</Rule>", i, prefix, pick(rng, "Enabled", "Enabled", "Disabled"), actions))
		}
		e.rules("b", rules...)
		document, err := e.GetBucketConfig(e.ctx, "b", store.ConfigLifecycle)
		e.must(err)
		parsed, err := lifecycle.Parse(document)
		e.must(err)
		r := e.runner(runner.Options{})
		for n := 1; n < 12; n++ {
			e.set(day(n, rng.IntN(24)))
			for range rng.IntN(4) {
				key := pick(rng, "a", "a/", "ab", "b", "c")
				e.put("b", key, rng.IntN(10))
				if rng.IntN(2) == 0 {
					e.tag("b", key, "goes")
				}
				e.upload("b", key)
			}
			e.set(day(n+1, 0))
			want := e.predict(parsed)
			r.Round(e.ctx)
			if got := e.have("b"); got != want {
				t.Fatalf("seed %d, day %d: left %s, want %s\n%s", seed, n, got, want, document)
			}
		}
		did += e.metric("ossa_lifecycle_expired_objects_total") + e.metric("ossa_lifecycle_transitions_total") + e.metric("ossa_lifecycle_aborted_uploads_total")
	}
	if did < 100 {
		t.Errorf("all rounds did only %v things", did)
	}
}

func pick(rng *rand.Rand, from ...string) string { return from[rng.IntN(len(from))] }

// predict tells what have will tell after a round.
func (e *env) predict(rules lifecycle.Rules) string {
	tags := func(all []store.Tag) (out []lifecycle.Tag) {
		for _, t := range all {
			out = append(out, lifecycle.Tag{Key: t.Key, Value: t.Value})
		}
		return out
	}
	var all []string
	objects, err := e.ListObjects(e.ctx, &store.ListObjectsRequest{Bucket: "b", Max: 1000})
	e.must(err)
	for _, o := range objects.Objects {
		d, due := rules.Object(lifecycle.Calendar{}, lifecycle.Object{Key: o.Key, Size: o.Size, Tags: tags(o.Tags), Class: o.StorageClass, Modified: o.LastModified}, e.clock())
		switch {
		case due && d.Action == lifecycle.Expire:
			continue
		case due:
			o.StorageClass = d.Class
		}
		if o.StorageClass != "Standard" {
			o.Key += ":" + o.StorageClass
		}
		all = append(all, o.Key)
	}
	uploads, err := e.ListMultipartUploads(e.ctx, &store.ListMultipartUploadsRequest{Bucket: "b", Max: 1000})
	e.must(err)
	for _, u := range uploads.Uploads {
		if _, due := rules.Upload(lifecycle.Calendar{}, lifecycle.Upload{Key: u.Key, Tags: tags(u.Tags), Initiated: u.Initiated}, e.clock()); !due {
			all = append(all, "["+u.Key+"]")
		}
	}
	return strings.Join(all, " ")
}
