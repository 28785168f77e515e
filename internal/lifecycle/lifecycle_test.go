package lifecycle_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/lifecycle"
)

func day(n int, clock ...time.Duration) time.Time {
	t := time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC)
	for _, d := range clock {
		t = t.Add(d)
	}
	return t
}

func size(n int64) *int64 { return &n }

func days(n int) lifecycle.When { return lifecycle.When{Days: n} }

func before(t time.Time) lifecycle.When { return lifecycle.When{CreatedBefore: t} }

func on(t time.Time) lifecycle.When { return lifecycle.When{Date: t} }

func to(class string, w lifecycle.When) lifecycle.Transition {
	return lifecycle.Transition{When: w, Class: class}
}

// expire is an enabled rule of the ID "r" for all keys.
func expire(w lifecycle.When) lifecycle.Rule {
	return lifecycle.Rule{ID: "r", Enabled: true, Expiration: w}
}

func move(id string, all ...lifecycle.Transition) lifecycle.Rule {
	return lifecycle.Rule{ID: id, Enabled: true, Transitions: all}
}

func show(d lifecycle.Due, ok bool) string {
	if !ok {
		return "nothing"
	}
	return strings.Join(strings.Fields(fmt.Sprintf("%s %s %s %s", d.Action, d.Class, d.Rule, d.At.Format("01-02T15:04"))), " ")
}

// What is due of an object at a time.
func TestObject(t *testing.T) {
	tag := lifecycle.Tag{Key: "k", Value: "v"}
	short := lifecycle.Calendar{Day: 10 * time.Second}
	for _, c := range []struct {
		name     string
		rules    lifecycle.Rules
		object   lifecycle.Object
		at       time.Time
		want     string
		modified time.Time // default noon of 1 January
		calendar lifecycle.Calendar
	}{
		{name: "no rules", at: day(30), want: "nothing"},
		// The example of the documentation: up to 08:00 UTC+8 on the 20th goes
		// on the 21st at that hour, and later goes on the 22nd.
		{name: "a day, before midnight", rules: lifecycle.Rules{expire(days(1))}, modified: day(19, 20*time.Hour), at: day(21), want: "expire r 01-21T00:00"},
		{name: "a day, at midnight", rules: lifecycle.Rules{expire(days(1))}, modified: day(20), at: day(21), want: "expire r 01-21T00:00"},
		{name: "a day, after midnight", rules: lifecycle.Rules{expire(days(1))}, modified: day(20, time.Second), at: day(22), want: "expire r 01-22T00:00"},
		{name: "an instant early", rules: lifecycle.Rules{expire(days(1))}, modified: day(20, time.Second), at: day(22, -1), want: "nothing"},
		{name: "in another zone", rules: lifecycle.Rules{expire(days(1))}, modified: day(20, time.Second).In(time.FixedZone("", 8*3600)), at: day(22).In(time.FixedZone("", -8*3600)), want: "expire r 01-22T00:00"},

		{name: "short days", rules: lifecycle.Rules{expire(days(3))}, calendar: short, at: day(1, 12*time.Hour, 40*time.Second), want: "expire r 01-01T12:00"},
		{name: "short days to come", rules: lifecycle.Rules{expire(days(3))}, calendar: short, modified: day(1, 1), at: day(1, 40*time.Second-1), want: "nothing"},
		{name: "short days have passed", rules: lifecycle.Rules{expire(days(3))}, calendar: short, modified: day(1, 1), at: day(1, 40*time.Second), want: "expire r 01-01T00:00"},
		{name: "dates are not short", rules: lifecycle.Rules{expire(before(day(2)))}, calendar: short, at: day(2, -1), want: "nothing"},
		{name: "written after the date, short day", rules: lifecycle.Rules{expire(on(day(1)))}, calendar: short, modified: day(1, 1), at: day(1, 10*time.Second), want: "expire r 01-01T00:00"},
		{name: "written after the date, short day to come", rules: lifecycle.Rules{expire(on(day(1)))}, calendar: short, modified: day(1, 1), at: day(1, 10*time.Second-1), want: "nothing"},

		{name: "created before", rules: lifecycle.Rules{expire(before(day(2)))}, at: day(2), want: "expire r 01-02T00:00"},
		{name: "created before, date to come", rules: lifecycle.Rules{expire(before(day(9)))}, at: day(9, -1), want: "nothing"},
		{name: "created at the date", rules: lifecycle.Rules{expire(before(day(2)))}, modified: day(2), at: day(30), want: "nothing"},
		{name: "date", rules: lifecycle.Rules{expire(on(day(9)))}, at: day(9), want: "expire r 01-09T00:00"},
		{name: "date to come", rules: lifecycle.Rules{expire(on(day(9)))}, at: day(9, -1), want: "nothing"},
		{name: "written after the date", rules: lifecycle.Rules{expire(on(day(9)))}, modified: day(9, time.Hour), at: day(10, -1), want: "nothing"},
		{name: "written after the date, next day", rules: lifecycle.Rules{expire(on(day(9)))}, modified: day(9, time.Hour), at: day(10), want: "expire r 01-10T00:00"},
		{name: "never", rules: lifecycle.Rules{expire(lifecycle.When{})}, at: day(30), want: "nothing"},
		{name: "many days", rules: lifecycle.Rules{expire(days(1<<31 - 1))}, at: day(30), want: "nothing"},

		{name: "disabled", rules: lifecycle.Rules{{Prefix: "", Expiration: days(1)}}, at: day(30), want: "nothing"},
		{name: "prefix", rules: lifecycle.Rules{{ID: "p", Enabled: true, Prefix: "ke", Expiration: days(1)}}, at: day(30), want: "expire p 01-03T00:00"},
		{name: "other prefix", rules: lifecycle.Rules{{ID: "p", Enabled: true, Prefix: "key/", Expiration: days(1)}}, at: day(30), want: "nothing"},
		{name: "tags", rules: lifecycle.Rules{{ID: "t", Enabled: true, Tags: []lifecycle.Tag{tag}, Expiration: days(1)}},
			object: lifecycle.Object{Tags: []lifecycle.Tag{{Key: "a"}, tag}}, at: day(30), want: "expire t 01-03T00:00"},
		{name: "one of two tags", rules: lifecycle.Rules{{ID: "t", Enabled: true, Tags: []lifecycle.Tag{tag, {Key: "a"}}, Expiration: days(1)}},
			object: lifecycle.Object{Tags: []lifecycle.Tag{tag}}, at: day(30), want: "nothing"},
		{name: "tag of another value", rules: lifecycle.Rules{{ID: "t", Enabled: true, Tags: []lifecycle.Tag{tag}, Expiration: days(1)}},
			object: lifecycle.Object{Tags: []lifecycle.Tag{{Key: "k"}}}, at: day(30), want: "nothing"},
		{name: "as large as", rules: lifecycle.Rules{{Enabled: true, SizeGreaterThan: size(10), Expiration: days(1)}}, object: lifecycle.Object{Size: 10}, at: day(30), want: "nothing"},
		{name: "larger", rules: lifecycle.Rules{{ID: "s", Enabled: true, SizeGreaterThan: size(10), Expiration: days(1)}}, object: lifecycle.Object{Size: 11}, at: day(30), want: "expire s 01-03T00:00"},
		{name: "as small as", rules: lifecycle.Rules{{Enabled: true, SizeLessThan: size(10), Expiration: days(1)}}, object: lifecycle.Object{Size: 10}, at: day(30), want: "nothing"},
		{name: "smaller", rules: lifecycle.Rules{{ID: "s", Enabled: true, SizeLessThan: size(10), Expiration: days(1)}}, object: lifecycle.Object{Size: 9}, at: day(30), want: "expire s 01-03T00:00"},
		{name: "not prefix", rules: lifecycle.Rules{{Enabled: true, Not: []lifecycle.Not{{Prefix: "x"}, {Prefix: "k"}}, Expiration: days(1)}}, at: day(30), want: "nothing"},
		{name: "not another prefix", rules: lifecycle.Rules{{ID: "n", Enabled: true, Not: []lifecycle.Not{{Prefix: "x"}}, Expiration: days(1)}}, at: day(30), want: "expire n 01-03T00:00"},
		{name: "not prefix and tag", rules: lifecycle.Rules{{Enabled: true, Not: []lifecycle.Not{{Prefix: "k", Tag: &tag}}, Expiration: days(1)}},
			object: lifecycle.Object{Tags: []lifecycle.Tag{tag}}, at: day(30), want: "nothing"},
		{name: "not prefix and tag, without tag", rules: lifecycle.Rules{{ID: "n", Enabled: true, Not: []lifecycle.Not{{Prefix: "k", Tag: &tag}}, Expiration: days(1)}},
			at: day(30), want: "expire n 01-03T00:00"},

		{name: "the earliest expiration", rules: lifecycle.Rules{{ID: "a", Enabled: true, Expiration: days(5)}, {ID: "b", Enabled: true, Expiration: days(2)}, {ID: "c", Enabled: true, Expiration: days(2)}},
			at: day(30), want: "expire b 01-04T00:00"},
		{name: "expiration wins", rules: lifecycle.Rules{move("m", to("IA", days(1))), {ID: "e", Enabled: true, Expiration: days(5)}}, at: day(30), want: "expire e 01-07T00:00"},
		{name: "expiration to come", rules: lifecycle.Rules{move("m", to("IA", days(1))), {ID: "e", Enabled: true, Expiration: days(5)}}, at: day(4), want: "transition IA m 01-03T00:00"},
		{name: "the coldest", rules: lifecycle.Rules{move("m", to("IA", days(1)), to("Archive", days(3)), to("ColdArchive", days(9)))}, at: day(6), want: "transition Archive m 01-05T00:00"},
		{name: "the coldest, of several rules", rules: lifecycle.Rules{move("a", to("Archive", days(1))), move("i", to("IA", days(3)))}, at: day(6), want: "transition Archive a 01-03T00:00"},
		{name: "the earliest to one class", rules: lifecycle.Rules{move("a", to("IA", days(3))), move("b", to("IA", days(1)))}, at: day(6), want: "transition IA b 01-03T00:00"},
		{name: "there already", rules: lifecycle.Rules{move("m", to("IA", days(1)))}, object: lifecycle.Object{Class: "IA"}, at: day(6), want: "nothing"},
		{name: "not to a warmer class", rules: lifecycle.Rules{move("m", to("IA", days(1)))}, object: lifecycle.Object{Class: "Archive"}, at: day(6), want: "nothing"},
		{name: "from an archive", rules: lifecycle.Rules{move("m", to("DeepColdArchive", days(1)))}, object: lifecycle.Object{Class: "Archive"}, at: day(6), want: "transition DeepColdArchive m 01-03T00:00"},
		{name: "from a class that is not known", rules: lifecycle.Rules{move("m", to("IA", days(1)))}, object: lifecycle.Object{Class: "Gold"}, at: day(6), want: "nothing"},
		{name: "to a class that is not known", rules: lifecycle.Rules{move("m", to("Gold", days(1)))}, at: day(6), want: "nothing"},
		{name: "by access", rules: lifecycle.Rules{move("m", lifecycle.Transition{When: days(1), Class: "IA", ByAccess: true})}, at: day(6), want: "nothing"},
		{name: "small", rules: lifecycle.Rules{move("m", lifecycle.Transition{When: days(1), Class: "IA", NoSmall: true})}, object: lifecycle.Object{Size: 64<<10 - 1}, at: day(6), want: "nothing"},
		{name: "not small", rules: lifecycle.Rules{move("m", lifecycle.Transition{When: days(1), Class: "IA", NoSmall: true})}, object: lifecycle.Object{Size: 64 << 10}, at: day(6), want: "transition IA m 01-03T00:00"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := c.object
			o.Key, o.Modified = "key", c.modified
			if o.Modified.IsZero() {
				o.Modified = day(1, 12*time.Hour)
			}
			if o.Class == "" {
				o.Class = "Standard"
			}
			if got := show(c.rules.Object(c.calendar, o, c.at)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// What is due of an upload.
func TestUpload(t *testing.T) {
	abort := func(id, prefix string, w lifecycle.When) lifecycle.Rule {
		return lifecycle.Rule{ID: id, Enabled: true, Prefix: prefix, Abort: w}
	}
	sized := abort("s", "", days(1))
	sized.SizeGreaterThan = size(1 << 40)
	tagged := abort("t", "", days(1))
	tagged.Tags = []lifecycle.Tag{{Key: "k"}}
	not := abort("n", "", days(1))
	not.Not = []lifecycle.Not{{Prefix: "k"}}
	for _, c := range []struct {
		name  string
		rules lifecycle.Rules
		at    time.Time
		want  string
	}{
		{"days", lifecycle.Rules{abort("a", "k", days(1))}, day(3), "abort a 01-03T00:00"},
		{"days to come", lifecycle.Rules{abort("a", "k", days(1))}, day(3, -1), "nothing"},
		{"another prefix", lifecycle.Rules{abort("a", "x", days(1))}, day(30), "nothing"},
		{"created before", lifecycle.Rules{abort("a", "", before(day(2)))}, day(2), "abort a 01-02T00:00"},
		{"created after", lifecycle.Rules{abort("a", "", before(day(1)))}, day(30), "nothing"},
		{"the earliest", lifecycle.Rules{abort("a", "", days(9)), abort("b", "k", days(2))}, day(30), "abort b 01-04T00:00"},
		{"disabled", lifecycle.Rules{{Abort: days(1)}}, day(30), "nothing"},
		{"an expiration of objects", lifecycle.Rules{expire(days(1))}, day(30), "nothing"},
		{"sizes do not count", lifecycle.Rules{sized}, day(30), "abort s 01-03T00:00"},
		{"tags do", lifecycle.Rules{tagged}, day(30), "nothing"},
		{"not", lifecycle.Rules{not}, day(30), "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			u := lifecycle.Upload{Key: "key", Initiated: day(1, 12*time.Hour)}
			if got := show(c.rules.Upload(lifecycle.Calendar{}, u, c.at)); got != c.want {
				t.Errorf("%s, want %s", got, c.want)
			}
		})
	}
}

// The header tells the earliest expiration, also one to come.
func TestExpirationHeader(t *testing.T) {
	rules := lifecycle.Rules{
		{ID: "later", Enabled: true, Expiration: days(9)},
		{ID: `of "x" & y`, Enabled: true, Prefix: "k", Expiration: days(2)},
	}
	d, ok := rules.Expiration(lifecycle.Calendar{}, lifecycle.Object{Key: "key", Modified: day(1, time.Hour)})
	if want := `expiry-date="Sun, 04 Jan 2026 00:00:00 GMT", rule-id="of+%22x%22+%26+y"`; !ok || d.Header() != want {
		t.Errorf("%t %s, want %s", ok, d.Header(), want)
	}
	if d, ok := rules[1:].Expiration(lifecycle.Calendar{}, lifecycle.Object{Key: "other", Modified: day(1)}); ok {
		t.Errorf("another key expires: %+v", d)
	}
}

// Only what rules may touch is walked, and nothing twice.
func TestPrefixes(t *testing.T) {
	rules := lifecycle.Rules{
		{Enabled: true, Prefix: "b/c", Expiration: days(1)},
		{Enabled: true, Prefix: "a/", Abort: days(1)},
		{Enabled: true, Prefix: "b/", Transitions: []lifecycle.Transition{to("IA", days(1))}},
		{Enabled: true, Prefix: "ba", Expiration: days(1)},
		{Prefix: "x", Expiration: days(1)},
	}
	if got := rules.Prefixes(); !slices.Equal(got, []string{"b/", "ba"}) {
		t.Errorf("%q", got)
	}
	if !rules.Aborts() || rules[2:].Aborts() {
		t.Error("Aborts is wrong")
	}
	if rules.ObjectTags("b/") || rules.UploadTags("a/") {
		t.Error("tags that no rule has")
	}
}

// choices makes rules and objects of bytes, as a fuzzer or a random test gives
// them. When they run out it goes on with zeros.
type choices struct{ b []byte }

func (c *choices) n(limit int) int {
	if len(c.b) == 0 {
		return 0
	}
	v := int(c.b[0]) % limit
	c.b = c.b[1:]
	return v
}

func (c *choices) when() lifecycle.When {
	switch c.n(6) {
	case 0:
		return before(day(1 + c.n(40)))
	case 1:
		return on(day(1 + c.n(40)))
	case 2:
		return lifecycle.When{}
	}
	return days(1 + c.n(20))
}

func (c *choices) tag() lifecycle.Tag {
	return lifecycle.Tag{Key: []string{"a", "b"}[c.n(2)], Value: []string{"", "1"}[c.n(2)]}
}

func (c *choices) prefix() string { return []string{"", "", "k", "ke", "key", "x"}[c.n(6)] }

func (c *choices) rule(i int) lifecycle.Rule {
	r := lifecycle.Rule{ID: fmt.Sprint(i), Enabled: c.n(6) > 0, Prefix: c.prefix()}
	if c.n(4) == 0 {
		r.Tags = append(r.Tags, c.tag())
	}
	if c.n(6) == 0 {
		r.SizeGreaterThan = size(int64(c.n(20)))
	}
	if c.n(6) == 0 {
		r.SizeLessThan = size(int64(c.n(20)))
	}
	if c.n(6) == 0 {
		n := lifecycle.Not{Prefix: c.prefix()}
		if c.n(2) == 0 {
			tag := c.tag()
			n.Tag = &tag
		}
		r.Not = append(r.Not, n)
	}
	if c.n(2) == 0 {
		r.Expiration = c.when()
	}
	if c.n(2) == 0 {
		r.Abort = c.when()
	}
	for range c.n(3) {
		r.Transitions = append(r.Transitions, lifecycle.Transition{
			When: c.when(), Class: classes[c.n(len(classes))], ByAccess: c.n(8) == 1, NoSmall: c.n(8) == 1,
		})
	}
	return r
}

var classes = []string{"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}

func (c *choices) time() time.Time {
	return day(1+c.n(30), time.Duration(c.n(3))*12*time.Hour, time.Duration(c.n(2))*time.Second)
}

// compare puts what is decided to the slow way of deciding it.
func compare(t *testing.T, b []byte) {
	c := &choices{b}
	var rules lifecycle.Rules
	for i := range 1 + c.n(5) {
		rules = append(rules, c.rule(i))
	}
	o := lifecycle.Object{Key: []string{"k", "key", "x"}[c.n(3)], Size: int64(c.n(20)), Class: classes[c.n(len(classes))], Modified: c.time()}
	if c.n(3) == 0 {
		o.Size += 64 << 10
	}
	for range c.n(3) {
		o.Tags = append(o.Tags, c.tag())
	}
	now := c.time().AddDate(0, 0, c.n(25))
	// Days of which some make up a real one, so that dates are midnights too.
	calendar := lifecycle.Calendar{Day: []time.Duration{24 * time.Hour, 24 * time.Hour, 8 * time.Hour, 6 * time.Hour}[c.n(4)]}
	if got, want := show(rules.Object(calendar, o, now)), show(slowObject(rules, o, now, calendar.Day)); got != want {
		t.Errorf("object: %s, want %s\n%+v\n%+v\nat %v", got, want, rules, o, now)
	}
	u := lifecycle.Upload{Key: o.Key, Tags: o.Tags, Initiated: o.Modified}
	if got, want := show(rules.Upload(calendar, u, now)), show(slowUpload(rules, u, now, calendar.Day)); got != want {
		t.Errorf("upload: %s, want %s\n%+v\n%+v\nat %v", got, want, rules, u, now)
	}
	// What is decided is done at once: nothing is due after it, at that time.
	if d, ok := rules.Object(calendar, o, now); ok && d.Action == lifecycle.Move {
		o.Class = d.Class
		if again, ok := rules.Object(calendar, o, now); ok {
			t.Errorf("%+v is followed by %+v", d, again)
		}
	}
	// Where tags are said not to decide, they do not.
	bare, tagless := o, u
	bare.Tags, tagless.Tags = nil, nil
	if !rules.ObjectTags(o.Key) && show(rules.Object(calendar, o, now)) != show(rules.Object(calendar, bare, now)) {
		t.Errorf("tags decide about the object: %+v", rules)
	}
	if !rules.UploadTags(u.Key) && show(rules.Upload(calendar, u, now)) != show(rules.Upload(calendar, tagless, now)) {
		t.Errorf("tags decide about the upload: %+v", rules)
	}
	inside := false
	for _, p := range rules.Prefixes() {
		inside = inside || strings.HasPrefix(o.Key, p)
	}
	if _, ok := rules.Object(calendar, o, now); ok && !inside {
		t.Errorf("%q is due and not among %q", o.Key, rules.Prefixes())
	}
}

// slowObject has a round at every midnight since the object was modified, each
// of which does what it finds at once, and tells what came of it.
func slowObject(rules lifecycle.Rules, o lifecycle.Object, now time.Time, long time.Duration) (last lifecycle.Due, some bool) {
	for m := day(1); !m.After(now); m = m.Add(long) {
		for _, r := range rules {
			if slowMatches(r, o.Key, o.Tags, &o.Size) && slowDue(r.Expiration, o.Modified, m, long) {
				return lifecycle.Due{Action: lifecycle.Expire, Rule: r.ID, At: m}, true
			}
		}
		for range classes { // a transition may be followed by another
			for _, r := range rules {
				for _, x := range r.Transitions {
					if x.ByAccess || x.NoSmall && o.Size < 64<<10 || !slowMatches(r, o.Key, o.Tags, &o.Size) {
						continue
					}
					if slowDue(x.When, o.Modified, m, long) && slices.Index(classes, x.Class) > slices.Index(classes, o.Class) {
						o.Class = x.Class
						last, some = lifecycle.Due{Action: lifecycle.Move, Class: x.Class, Rule: r.ID, At: m}, true
					}
				}
			}
		}
	}
	return last, some
}

func slowUpload(rules lifecycle.Rules, u lifecycle.Upload, now time.Time, long time.Duration) (lifecycle.Due, bool) {
	for m := day(1); !m.After(now); m = m.Add(long) {
		for _, r := range rules {
			if slowMatches(r, u.Key, u.Tags, nil) && slowDue(r.Abort, u.Initiated, m, long) {
				return lifecycle.Due{Action: lifecycle.Abort, Rule: r.ID, At: m}, true
			}
		}
	}
	return lifecycle.Due{}, false
}

// slowDue tells whether a round at midnight m takes what was modified then.
func slowDue(w lifecycle.When, modified, m time.Time, long time.Duration) bool {
	if modified.After(m) {
		return false
	}
	if w.Days > 0 {
		return m.Sub(modified) >= time.Duration(w.Days)*long
	}
	if !w.CreatedBefore.IsZero() {
		return modified.Before(w.CreatedBefore) && !m.Before(w.CreatedBefore)
	}
	return !w.Date.IsZero() && !m.Before(w.Date)
}

func slowMatches(r lifecycle.Rule, key string, tags []lifecycle.Tag, size *int64) bool {
	has := func(want lifecycle.Tag) bool {
		for _, have := range tags {
			if have == want {
				return true
			}
		}
		return false
	}
	ok := r.Enabled && strings.HasPrefix(key, r.Prefix)
	for _, want := range r.Tags {
		ok = ok && has(want)
	}
	if size != nil {
		ok = ok && (r.SizeGreaterThan == nil || *size > *r.SizeGreaterThan)
		ok = ok && (r.SizeLessThan == nil || *size < *r.SizeLessThan)
	}
	for _, n := range r.Not {
		if strings.HasPrefix(key, n.Prefix) && (n.Tag == nil || has(*n.Tag)) {
			ok = false
		}
	}
	return ok
}

// Rules decide in one step what a round at every midnight would have done.
func TestAsRoundsWould(t *testing.T) {
	due := 0
	for range 20000 {
		seed := rand.Uint64()
		r := rand.New(rand.NewPCG(seed, 0))
		b := make([]byte, 100)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		if compare(t, b); t.Failed() {
			t.Fatalf("seed %d", seed)
		}
		c := &choices{b}
		if _, ok := (lifecycle.Rules{c.rule(0)}).Object(lifecycle.Calendar{}, lifecycle.Object{Key: "key", Class: "Standard", Modified: day(1)}, day(30)); ok {
			due++
		}
	}
	if due < 1000 {
		t.Errorf("only %d rules wanted anything", due)
	}
}

func FuzzRules(f *testing.F) {
	f.Add([]byte("a lifecycle of some rules"))
	f.Fuzz(compare)
}
