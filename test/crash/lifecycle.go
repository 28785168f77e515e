package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ossastore/ossa/test/process"
)

// What lifecycle rules do to what a client has written is certain up to a time:
// before something is due nothing may happen to it, and some rounds after it is
// due it must have happened. Both are computed from the times between which it was
// written, by the clock that the server has too.

const (
	lifecycleDay   = 2 * time.Second
	lifecycleEvery = time.Second
	lifecycleRate  = 100 // in a second: slow, so that much is written between look and deed

	roundsMax = 3                     // whole rounds that it takes at most
	obeyMax   = time.Minute           // for these rounds
	obeyLook  = 50 * time.Millisecond // between two looks

	aboutDue = 500 * time.Millisecond // this near to its time something is touched more often
	ruledMax = 3                      // open uploads under rules, of one worker
	goneKept = 3                      // uploads that must stay gone

	settleMax    = 4 // stops of a server until nothing is left over
	settleRounds = 2 // that one runs for that
)

// lifecycleFlags are the flags of a server with such days.
func lifecycleFlags() []string {
	return []string{"--lifecycle-day", lifecycleDay.String(), "--lifecycle-every", lifecycleEvery.String(), "--lifecycle-rate", strconv.Itoa(lifecycleRate)}
}

// ruledPrefix is that of all that rules reach. All else in the bucket is what
// they must leave alone.
const ruledPrefix = "rules/"

const lifecycleRules = `<LifecycleConfiguration>
<Rule><ID>soon</ID><Prefix>rules/soon/</Prefix><Status>Enabled</Status><Filter><Not><Prefix>rules/soon/never/</Prefix></Not></Filter>
<Expiration><Days>1</Days></Expiration></Rule>
<Rule><ID>later</ID><Prefix>rules/later/</Prefix><Status>Enabled</Status><Expiration><Days>3</Days></Expiration></Rule>
<Rule><ID>cool</ID><Prefix>rules/cool/</Prefix><Status>Enabled</Status><Transition><Days>1</Days><StorageClass>IA</StorageClass></Transition></Rule>
<Rule><ID>parts</ID><Prefix>rules/parts/</Prefix><Status>Enabled</Status><AbortMultipartUpload><Days>1</Days></AbortMultipartUpload></Rule>
</LifecycleConfiguration>`

const (
	partsPrefix = "rules/parts/" // whose uploads are aborted, and whose objects stay
	partsDays   = 1
)

// fate is what the rules want of the objects below a prefix.
type fate struct {
	prefix string
	expire int // days; 0 for never
	cool   int // days until they are moved to IA; 0 for never
}

var fates = []fate{
	{prefix: "rules/soon/", expire: 1},
	{prefix: "rules/later/", expire: 3},
	{prefix: "rules/cool/", cool: 1},
	{prefix: "rules/soon/never/"},
	{prefix: partsPrefix},
}

// span is the time between which something happened.
type span struct{ from, to time.Time }

// due tells when what happened then is due after some days: not before the
// first time, and surely at the second.
func (s span) due(days int) (earliest, latest time.Time) {
	return dueAt(s.from, days), dueAt(s.to, days)
}

// dueAt is when what was written then is due after some days. Objects and
// uploads have the second of their time, as clients are told.
func dueAt(t time.Time, days int) time.Time {
	const day = int64(lifecycleDay / time.Second)
	passed := (t.Unix() + day - 1) / day
	return time.Unix((passed+int64(days))*day, 0)
}

// within runs a call and tells between which times.
func within(call func() error) (span, error) {
	from := time.Now()
	err := call()
	return span{from, time.Now()}, err
}

// version is what an object may hold.
type version struct {
	*content // nil: nothing
	span
	cool bool // it was seen in its colder class
}

// subject is an object that rules reach.
type subject struct {
	key  string
	fate fate
	may  []*version // one unless an operation is in doubt
}

// ruledUpload is an upload that a rule aborts.
type ruledUpload struct {
	upload
	span // of its initiation
}

// ruled is what one client has where rules reach.
type ruled struct {
	random *rand.Rand
	c      *client

	subjects []*subject
	parts    []*subject // those of them that uploads are for
	again    *subject   // to be looked at next

	uploads   map[uploadName]*ruledUpload
	gone      []uploadName
	initiated string // key of an initiate in doubt; "" for none
	when      span   // of that
}

func newRuled(number int, random *rand.Rand) *ruled {
	r := &ruled{random: random, uploads: map[uploadName]*ruledUpload{}}
	for _, f := range fates {
		for _, name := range []string{"a", "b"} {
			s := &subject{key: fmt.Sprintf("%sw%d/%s", f.prefix, number, name), fate: f, may: []*version{{}}}
			r.subjects = append(r.subjects, s)
			if f.prefix == partsPrefix {
				r.parts = append(r.parts, s)
			}
		}
	}
	return r
}

// step does one random operation.
func (r *ruled) step(ctx context.Context) (what string, err error) {
	if s := r.again; s != nil {
		r.again = nil
		return "GetObject " + s.key, r.look(ctx, s)
	}
	soon := time.Now().Add(aboutDue)
	if r.random.IntN(2) == 0 {
		for _, s := range r.subjects {
			if s.overdue(soon) {
				return r.put(ctx, s)
			}
		}
	}
	open := slices.SortedFunc(maps.Keys(r.uploads), func(a, b uploadName) int {
		return slices.Compare([]string{a.Key, a.UploadId}, []string{b.Key, b.UploadId})
	})
	s := r.subjects[r.random.IntN(len(r.subjects))]
	switch n := r.random.IntN(100); {
	case n < 35:
		return r.put(ctx, s)
	case n < 45:
		return "GetObject " + s.key, r.look(ctx, s)
	case n < 50:
		return "DeleteObject " + s.key, r.settle(s, nil, func() error { return r.c.deleteObject(ctx, s.key) })
	case len(open) == 0 || n < 60 && len(open) < ruledMax:
		s := r.parts[r.random.IntN(len(r.parts))]
		return "InitiateMultipartUpload " + s.key, r.initiate(ctx, s.key)
	default:
		name := open[r.random.IntN(len(open))]
		u := r.uploads[name]
		what = name.Key + "?uploadId=" + name.UploadId
		switch {
		case n >= 97:
			return "AbortMultipartUpload " + what, r.abort(ctx, name, u)
		case len(u.parts) > 0 && (n >= 90 || dueAt(u.from, partsDays).Before(soon)):
			return "CompleteMultipartUpload " + what, r.complete(ctx, name, u)
		}
		return "UploadPart " + what, r.uploadPart(ctx, name, u)
	}
}

// settle does what would make an object hold v, and notes what has come of it.
func (r *ruled) settle(s *subject, v *content, do func() error) error {
	when, err := within(do)
	next := &version{content: v, span: when}
	switch {
	case err == nil:
		s.may = []*version{next}
	case errors.Is(err, errInDoubt):
		s.may = append(s.may, next)
	}
	return err
}

// put writes an object, which is read next: it may have come in the place of
// one that is due.
func (r *ruled) put(ctx context.Context, s *subject) (what string, err error) {
	size := r.random.IntN(smallMax)
	if r.random.IntN(4) == 0 {
		size = mediumMin + r.random.IntN(mediumMax-mediumMin)
	}
	v := newContent([]piece{newPiece(r.random.Uint64(), size)}, false)
	r.again = s
	return "PutObject " + s.key, r.settle(s, v, func() error { return r.c.putObject(ctx, s.key, v) })
}

// look reads an object and finds it among what it may be by now.
func (r *ruled) look(ctx context.Context, s *subject) error {
	var got *sums
	when, err := within(func() (err error) {
		got, err = r.c.getObject(ctx, s.key)
		return err
	})
	if isCode(err, "NoSuchKey") {
		if !slices.ContainsFunc(s.may, func(v *version) bool { return v.content == nil || s.fate.expired(v, when.to) }) {
			return fmt.Errorf("it is lost: there was %v, and nothing was due at %v", s.may, when.to)
		}
		s.may = []*version{{}}
		return nil
	}
	if err != nil {
		return fmt.Errorf("GetObject: %w", err)
	}
	i := slices.IndexFunc(s.may, func(v *version) bool { return got.is(v.content) })
	if i < 0 {
		return fmt.Errorf("it holds %v, want %v", got, s.may)
	}
	v := s.may[i]
	s.may = []*version{v}
	switch {
	case got.class == "IA" && s.fate.cooled(v, when.to):
		v.cool = true
	case got.class != "Standard" || v.cool:
		return fmt.Errorf("its class is %q at %v, of %v; IA before: %v", got.class, when.to, v, v.cool)
	}
	return nil
}

// expired tells whether a version may have expired by then.
func (f fate) expired(v *version, then time.Time) bool {
	return f.expire > 0 && v.content != nil && !dueAt(v.from, f.expire).After(then)
}

// cooled tells whether a version may have been moved by then.
func (f fate) cooled(v *version, then time.Time) bool {
	return f.cool > 0 && v.content != nil && !dueAt(v.from, f.cool).After(then)
}

// String tells what a version is and since when, for messages.
func (v *version) String() string {
	if v.content == nil {
		return "nothing"
	}
	return fmt.Sprintf("%v written from %v to %v", v.content, v.from, v.to)
}

// overdue tells whether rules should have done something to the object by then,
// as far as it was looked at.
func (s *subject) overdue(then time.Time) bool {
	at, ok := s.dueBy()
	return ok && !at.After(then)
}

// dueBy is when rules surely want something of an object that is not in doubt,
// if they have not done it.
func (s *subject) dueBy() (at time.Time, ok bool) {
	v := s.may[0]
	switch {
	case v.content == nil:
		return at, false
	case s.fate.expire > 0:
		_, at = v.due(s.fate.expire)
		return at, true
	case s.fate.cool > 0 && !v.cool:
		_, at = v.due(s.fate.cool)
		return at, true
	}
	return at, false
}

func (r *ruled) initiate(ctx context.Context, key string) error {
	var id string
	when, err := within(func() (err error) {
		id, err = r.c.initiateMultipartUpload(ctx, key, r.random.IntN(3) == 0)
		return err
	})
	switch {
	case err == nil:
		r.uploads[uploadName{key, id}] = &ruledUpload{upload{parts: map[int][]*content{}}, when}
	case errors.Is(err, errInDoubt):
		r.initiated, r.when = key, when
	}
	return err
}

func (r *ruled) uploadPart(ctx context.Context, name uploadName, u *ruledUpload) error {
	number := 1 + r.random.IntN(lastPart-1)
	v := newContent([]piece{newPiece(r.random.Uint64(), partMin+r.random.IntN(partMin))}, false)
	err := r.c.uploadPart(ctx, name.Key, name.UploadId, number, v)
	switch {
	case err == nil:
		u.parts[number] = []*content{v}
	case errors.Is(err, errInDoubt):
		old, ok := u.parts[number]
		if !ok {
			old = []*content{nil}
		}
		u.parts[number] = append(old, v)
	}
	return r.unlessAborted(name, u, err)
}

// complete completes an upload with all its parts, of which there are some.
func (r *ruled) complete(ctx context.Context, name uploadName, u *ruledUpload) error {
	do := &completion{name: name, numbers: slices.Sorted(maps.Keys(u.parts))}
	var pieces []piece
	for _, number := range do.numbers {
		pieces = append(pieces, u.parts[number][0].parts[0])
	}
	do.v = newContent(pieces, true)
	s := r.subject(name.Key)
	err := r.settle(s, do.v, func() error {
		return r.c.completeMultipartUpload(ctx, name.Key, name.UploadId, do.numbers, do.v, false)
	})
	switch {
	case err == nil:
		delete(r.uploads, name)
		r.again = s
	case errors.Is(err, errInDoubt):
		u.mayBeGone, u.outcome = true, do
	}
	return r.unlessAborted(name, u, err)
}

func (r *ruled) abort(ctx context.Context, name uploadName, u *ruledUpload) error {
	err := r.c.abortMultipartUpload(ctx, name.Key, name.UploadId)
	switch {
	case err == nil:
		r.forget(name)
	case errors.Is(err, errInDoubt):
		u.mayBeGone = true
	}
	return r.unlessAborted(name, u, err)
}

// unlessAborted takes NoSuchUpload for what it is, if a rule may have aborted
// the upload by now.
func (r *ruled) unlessAborted(name uploadName, u *ruledUpload, err error) error {
	if !isCode(err, "NoSuchUpload") {
		return err
	}
	if now := time.Now(); dueAt(u.from, partsDays).After(now) {
		return fmt.Errorf("an upload that was initiated from %v to %v, and so is not due, at %v: %w", u.from, u.to, now, err)
	}
	r.forget(name)
	return nil
}

// forget notes that an upload is gone.
func (r *ruled) forget(name uploadName) {
	delete(r.uploads, name)
	r.gone = append(r.gone, name)
	r.gone = r.gone[max(0, len(r.gone)-goneKept):]
}

func (r *ruled) subject(key string) *subject {
	return r.subjects[slices.IndexFunc(r.subjects, func(s *subject) bool { return s.key == key })]
}

// verify finds all that a client has under rules as it may be, and settles what
// was in doubt.
func (r *ruled) verify(ctx context.Context, listed map[uploadName]bool) error {
	for name := range listed {
		if _, known := r.uploads[name]; known || name.Key != r.initiated {
			continue
		}
		r.uploads[name] = &ruledUpload{upload{parts: map[int][]*content{}}, r.when}
		r.initiated = ""
	}
	r.initiated, r.again = "", nil
	for _, name := range slices.Collect(maps.Keys(r.uploads)) {
		if err := r.lookAtUpload(ctx, name, r.uploads[name]); err != nil {
			return fmt.Errorf("upload %s of %q: %w", name.UploadId, name.Key, err)
		}
	}
	for _, name := range r.gone {
		if _, err := r.c.listParts(ctx, name.Key, name.UploadId); !isCode(err, "NoSuchUpload") {
			return fmt.Errorf("upload %s of %q was aborted, and ListParts says %v", name.UploadId, name.Key, err)
		}
	}
	for _, s := range r.subjects {
		if err := r.look(ctx, s); err != nil {
			return fmt.Errorf("object %q: %w", s.key, err)
		}
	}
	return nil
}

// lookAtUpload compares an open upload with its acknowledged parts, or accepts
// that it has ended.
func (r *ruled) lookAtUpload(ctx context.Context, name uploadName, u *ruledUpload) error {
	var parts map[int]listedPart
	when, err := within(func() (err error) {
		parts, err = r.c.listParts(ctx, name.Key, name.UploadId)
		return err
	})
	s := r.subject(name.Key)
	switch {
	case isCode(err, "NoSuchUpload"):
		due := !dueAt(u.from, partsDays).After(when.to)
		if !due && !u.mayBeGone {
			return fmt.Errorf("it is lost: initiated from %v to %v, and gone at %v", u.from, u.to, when.to)
		}
		if !due && u.outcome != nil { // nothing else can have ended it
			s.may = slices.DeleteFunc(s.may, func(v *version) bool { return v.content != u.outcome.v })
		}
		r.forget(name)
		return nil
	case err != nil:
		return fmt.Errorf("ListParts: %w", err)
	}
	if u.outcome != nil { // it has not completed
		s.may = slices.DeleteFunc(s.may, func(v *version) bool { return v.content == u.outcome.v })
	}
	u.mayBeGone, u.outcome = false, nil
	return u.verifyParts(parts)
}

// listedUnderRules compares listings with what clients have under rules, once
// each has looked at all of its own.
func (w *world) listedUnderRules(objects map[string]int64, uploads map[uploadName]bool) error {
	now := time.Now()
	for _, worker := range w.workers {
		r := worker.ruled
		for _, s := range r.subjects {
			v := s.may[0]
			size, listed := objects[s.key]
			switch {
			case listed && (v.content == nil || v.size != size):
				return fmt.Errorf("%q is listed with size %d, and should be %v", s.key, size, v)
			case !listed && v.content != nil && !s.fate.expired(v, now):
				return fmt.Errorf("%q is not listed, and should be %v", s.key, v)
			}
			delete(objects, s.key)
		}
		for name, u := range r.uploads {
			if !uploads[name] && dueAt(u.from, partsDays).After(now) {
				return fmt.Errorf("upload %s of %q is not listed, and not due", name.UploadId, name.Key)
			}
			delete(uploads, name)
		}
		for _, name := range r.gone {
			delete(uploads, name) // since it was listed
		}
	}
	for key := range objects {
		if strings.HasPrefix(key, ruledPrefix) {
			return fmt.Errorf("%q is listed, and nobody wrote it", key)
		}
	}
	for name := range uploads {
		if strings.HasPrefix(name.Key, ruledPrefix) {
			return fmt.Errorf("upload %s of %q is listed, and nobody has it", name.UploadId, name.Key)
		}
	}
	return nil
}

// overdue looks again at what should have gone or moved by then, and tells
// what has not; "" if nothing.
func (r *ruled) overdue(ctx context.Context, then time.Time) (string, error) {
	for _, s := range r.subjects {
		if s.overdue(then) {
			if err := r.look(ctx, s); err != nil {
				return "", fmt.Errorf("object %q: %w", s.key, err)
			}
			if s.overdue(then) {
				return fmt.Sprintf("object %q, which is %v,", s.key, s.may[0]), nil
			}
		}
	}
	for _, name := range slices.Collect(maps.Keys(r.uploads)) {
		u := r.uploads[name]
		if _, at := u.due(partsDays); at.After(then) {
			continue
		}
		if err := r.lookAtUpload(ctx, name, u); err != nil {
			return "", fmt.Errorf("upload %s of %q: %w", name.UploadId, name.Key, err)
		}
		if r.uploads[name] != nil {
			return fmt.Sprintf("upload %s of %q, initiated from %v to %v,", name.UploadId, name.Key, u.from, u.to), nil
		}
	}
	return "", nil
}

// obeyed waits until all that is due at a time is done, which takes some rounds
// at most. The time may be to come.
func (w *world) obeyed(ctx context.Context, urls process.Addresses, then time.Time) error {
	for _, worker := range w.workers {
		worker.connect(urls)
		defer worker.close()
	}
	ctx, cancel := context.WithDeadline(ctx, then.Add(obeyMax))
	defer cancel()
	look := time.NewTicker(obeyLook)
	defer look.Stop()
	first := -1
	for {
		if !time.Now().Before(then) {
			rounds, err := lifecycleRounds(ctx, urls)
			if err != nil {
				return err
			}
			if first < 0 {
				first = rounds
			}
			late, err := w.overdue(ctx, then)
			switch {
			case err != nil:
				return err
			case late == "":
				return nil
			case rounds >= first+roundsMax:
				return fmt.Errorf("%s was due, and is there after %d rounds", late, rounds-first)
			}
		}
		select {
		case <-look.C:
		case <-ctx.Done():
			return fmt.Errorf("there were no %d rounds of lifecycle rules within %v", roundsMax, obeyMax)
		}
	}
}

func (w *world) overdue(ctx context.Context, then time.Time) (string, error) {
	for _, worker := range w.workers {
		if late, err := worker.ruled.overdue(ctx, then); late != "" || err != nil {
			return late, err
		}
	}
	return "", nil
}

// lifecycleRounds is how many rounds the server has done.
func lifecycleRounds(ctx context.Context, urls process.Addresses) (int, error) {
	request, err := http.NewRequestWithContext(ctx, "GET", urls.Admin+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, fmt.Errorf("metrics: %w", err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, fmt.Errorf("metrics: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "ossa_lifecycle_rounds_total "); ok {
			return strconv.Atoi(strings.TrimSpace(value))
		}
	}
	return 0, errors.New("metrics tell of no lifecycle rounds")
}

// lastDue is when all that there is under rules is due.
func (w *world) lastDue() time.Time {
	last := time.Now()
	for _, worker := range w.workers {
		for _, s := range worker.ruled.subjects {
			if at, ok := s.dueBy(); ok && at.After(last) {
				last = at
			}
		}
		for _, u := range worker.ruled.uploads {
			if _, at := u.due(partsDays); at.After(last) {
				last = at
			}
		}
	}
	return last
}

// report is what `ossa check --json` tells, as far as it is of interest.
type report struct{ Objects, Uploads, Parts, Garbage, Unnamed, Damaged int }

// nothingLeft stops a server under which all that was due is done, and sees
// that the data directory holds what clients have and nothing else: the space
// of what expired and was aborted has come back. Where the reclaimer was stopped
// before its end, it may go on in servers that are started for it.
func (w *world) nothingLeft(s *process.Server, log io.Writer) error {
	for try := 1; ; try++ {
		if err := s.Drain(); err != nil {
			return err
		}
		garbage, err := w.leftOver()
		if err != nil || garbage == 0 {
			return errors.Join(err, s.Complained())
		}
		if try == settleMax {
			return fmt.Errorf("%d rows of garbage and extents without a name are left", garbage)
		}
		if s, err = process.Start(w.ossa, w.data, log, lifecycleFlags()...); err != nil {
			return err
		}
		if err := waitRounds(s, settleRounds); err != nil {
			s.Kill()
			return err
		}
	}
}

// waitRounds waits for some rounds of lifecycle rules.
func waitRounds(s *process.Server, rounds int) error {
	urls, err := s.URLs()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), obeyMax)
	defer cancel()
	look := time.NewTicker(obeyLook)
	defer look.Stop()
	for {
		if n, err := lifecycleRounds(ctx, urls); err != nil || n >= rounds {
			return err
		}
		<-look.C
	}
}

// leftOver compares what the data directory holds with what clients have, and
// tells how much of it is nobody's.
func (w *world) leftOver() (int, error) {
	out, err := exec.Command(w.ossa, "check", "--json", "--data", w.data).Output()
	var got report
	if err != nil {
		return 0, fmt.Errorf("ossa check: %w", err)
	}
	if err := json.Unmarshal(out, &got); err != nil {
		return 0, fmt.Errorf("ossa check: %w", err)
	}
	var want report
	for _, worker := range w.workers {
		for _, may := range worker.objects {
			if may[0] != nil {
				want.Objects++
			}
		}
		for _, s := range worker.ruled.subjects {
			if s.may[0].content != nil {
				want.Objects++
			}
		}
		for _, u := range worker.uploads {
			want.Uploads++
			want.Parts += len(u.parts)
		}
	}
	garbage := got.Garbage + got.Unnamed
	got.Garbage, got.Unnamed = 0, 0
	if got != want {
		return 0, fmt.Errorf("the data directory holds %+v, want %+v", got, want)
	}
	return garbage, nil
}
