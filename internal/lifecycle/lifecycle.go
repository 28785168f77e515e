// Package lifecycle decides what the lifecycle rules of a bucket want of an
// object or of an open upload at a time. It is pure: no clock, no I/O. The
// runner above it, the headers of the server and the dry run of the command line
// all decide here.
//
// # When
//
// A rule of Days is due at the first midnight UTC by which its days have passed
// in whole since the object was last modified, or the upload initiated: OSS
// starts its rounds at 08:00 UTC+8, and takes what was last modified at least so
// many times 24 hours before ("Reasons why OSS lifecycle rules do not take
// effect" in the OSS documentation; "The reason why objects in a bucket are not
// deleted" says the same as rounding the last modification up to a day). So what
// was written on 1 January at noon and goes after one day goes on 3 January.
//
// A rule of CreatedBeforeDate concerns what was last modified, or initiated,
// before that date. The documentation does not say what becomes of a date that
// is still to come: here nothing goes before the date. A rule of Date, which OSS
// no longer describes, concerns everything from that date on; what is written
// later goes at the next midnight.
//
// # Which
//
// An expiration wins over a transition. Of several expirations the earliest
// counts, as for other actions of one kind ("Configuration examples"). Of the
// transitions that are due the one to the coldest class counts, and only if that is
// colder than the object is: this is where a round at each midnight would have
// brought it, in whatever order they came. From an archive class objects go to
// colder ones ("FAQ about lifecycle rules": from Archive to Cold Archive), though
// they cannot be read there.
//
// Rules by the time of the last access never are due: it is not tracked.
//
// # Short days
//
// All of this is by a Calendar, whose days may be made shorter than 24 hours for
// whoever tries rules out and does not want to wait.
package lifecycle

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Rule is one rule of a bucket's lifecycle.
type Rule struct {
	ID      string
	Enabled bool
	Prefix  string
	Tags    []Tag // an object has them all

	// SizeGreaterThan and SizeLessThan bound the objects' sizes in bytes, both
	// exclusively; nil does not. They do not concern uploads, which have no size.
	SizeGreaterThan, SizeLessThan *int64
	Not                           []Not // what the rule leaves alone

	Expiration  When // zero: none
	Abort       When // of uploads; zero: none
	Transitions []Transition
}

// Tag is an object's tag.
type Tag struct{ Key, Value string }

// Not is what a rule leaves alone: keys that begin with Prefix and, where Tag is
// set, have it.
type Not struct {
	Prefix string
	Tag    *Tag
}

// When tells the time of an action. One field is set, or none: never.
type When struct {
	Days          int       // after the last modification
	CreatedBefore time.Time // what was last modified before it, at this time
	Date          time.Time // everything, from this time on
}

// Transition moves objects to a storage class.
type Transition struct {
	When
	Class string

	// ByAccess counts from the last access, which is not known.
	ByAccess bool
	// NoSmall leaves objects below 64 KiB where they are (AllowSmallFile false).
	NoSmall bool
}

// smallObject is the size in bytes below which AllowSmallFile counts.
const smallObject = 64 << 10

// Rules are the rules of a bucket, in the order of its document.
type Rules []Rule

// Object is what rules look at of an object.
type Object struct {
	Key      string
	Size     int64 // bytes
	Tags     []Tag
	Class    string
	Modified time.Time
}

// Upload is what rules look at of an open upload.
type Upload struct {
	Key       string
	Tags      []Tag
	Initiated time.Time
}

// Action is what becomes of something.
type Action string

// The actions.
const (
	Expire Action = "expire"
	Move   Action = "transition"
	Abort  Action = "abort"
)

// Due is what a rule wants.
type Due struct {
	Action Action
	Rule   string    // ID of the rule
	Class  string    // of a transition: where to
	At     time.Time // since when
}

// Object tells what is due of an object, if anything is.
func (rs Rules) Object(c Calendar, o Object, now time.Time) (Due, bool) {
	if d, ok := rs.Expiration(c, o); ok && !d.At.After(now) {
		return d, true
	}
	var best Due
	found := false
	for i := range rs {
		r := &rs[i]
		if len(r.Transitions) == 0 || !r.object(o) {
			continue
		}
		for _, t := range r.Transitions {
			at, ok := t.at(c, o.Modified)
			if !ok || at.After(now) || t.ByAccess || t.NoSmall && o.Size < smallObject || !Colder(t.Class, o.Class) {
				continue
			}
			if !found || Colder(t.Class, best.Class) || t.Class == best.Class && at.Before(best.At) {
				best, found = Due{Move, r.ID, t.Class, at}, true
			}
		}
	}
	return best, found
}

// Expiration tells when an object expires, which may be to come, if it does.
func (rs Rules) Expiration(c Calendar, o Object) (Due, bool) {
	var best Due
	found := false
	for i := range rs {
		r := &rs[i]
		if at, ok := r.Expiration.at(c, o.Modified); ok && (!found || at.Before(best.At)) && r.object(o) {
			best, found = Due{Action: Expire, Rule: r.ID, At: at}, true
		}
	}
	return best, found
}

// Upload tells whether an open upload is to be aborted.
func (rs Rules) Upload(c Calendar, u Upload, now time.Time) (Due, bool) {
	var best Due
	found := false
	for i := range rs {
		r := &rs[i]
		at, ok := r.Abort.at(c, u.Initiated)
		if ok && !at.After(now) && (!found || at.Before(best.At)) && r.matches(u.Key, u.Tags) {
			best, found = Due{Action: Abort, Rule: r.ID, At: at}, true
		}
	}
	return best, found
}

// Aborts tells whether an enabled rule aborts uploads, be it of some keys only.
func (rs Rules) Aborts() bool {
	return slices.ContainsFunc(rs, func(r Rule) bool { return r.Enabled && !r.Abort.never() })
}

// ObjectTags tells whether tags decide about an object of this key.
func (rs Rules) ObjectTags(key string) bool {
	return slices.ContainsFunc(rs, func(r Rule) bool { return r.Enabled && r.objects() && r.tags(key) })
}

// UploadTags tells whether tags decide about an upload of this key.
func (rs Rules) UploadTags(key string) bool {
	return slices.ContainsFunc(rs, func(r Rule) bool { return r.Enabled && !r.Abort.never() && r.tags(key) })
}

// Prefixes are those of the keys that rules may do something to the objects of,
// ascending, none within another.
func (rs Rules) Prefixes() []string {
	var all []string
	for _, r := range rs {
		if r.Enabled && r.objects() {
			all = append(all, r.Prefix)
		}
	}
	slices.Sort(all)
	var outer []string
	for _, p := range all {
		if n := len(outer); n == 0 || !strings.HasPrefix(p, outer[n-1]) {
			outer = append(outer, p)
		}
	}
	return outer
}

// objects tells whether the rule does anything to objects.
func (r *Rule) objects() bool { return !r.Expiration.never() || len(r.Transitions) > 0 }

// tags tells whether the rule looks at tags for this key.
func (r *Rule) tags(key string) bool {
	return strings.HasPrefix(key, r.Prefix) &&
		(len(r.Tags) > 0 || slices.ContainsFunc(r.Not, func(n Not) bool { return n.Tag != nil && strings.HasPrefix(key, n.Prefix) }))
}

// object tells whether the rule is about an object.
func (r *Rule) object(o Object) bool {
	switch {
	case r.SizeGreaterThan != nil && o.Size <= *r.SizeGreaterThan:
		return false
	case r.SizeLessThan != nil && o.Size >= *r.SizeLessThan:
		return false
	}
	return r.matches(o.Key, o.Tags)
}

func (r *Rule) matches(key string, tags []Tag) bool {
	if !r.Enabled || !strings.HasPrefix(key, r.Prefix) {
		return false
	}
	for _, t := range r.Tags {
		if !slices.Contains(tags, t) {
			return false
		}
	}
	return !slices.ContainsFunc(r.Not, func(n Not) bool {
		return strings.HasPrefix(key, n.Prefix) && (n.Tag == nil || slices.Contains(tags, *n.Tag))
	})
}

func (w When) never() bool { return w.Days <= 0 && w.CreatedBefore.IsZero() && w.Date.IsZero() }

// at tells when an action on what was last modified then is due.
func (w When) at(c Calendar, modified time.Time) (time.Time, bool) {
	switch {
	case w.Days > 0:
		return c.later(c.nextMidnight(modified), w.Days), true
	case !w.CreatedBefore.IsZero():
		return w.CreatedBefore.UTC(), modified.Before(w.CreatedBefore)
	case !w.Date.IsZero():
		if m := c.nextMidnight(modified); m.After(w.Date) {
			return m, true
		}
		return w.Date.UTC(), true
	}
	return time.Time{}, false
}

// classes from warm to cold.
var classes = []string{"Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive"}

// Colder tells whether class is a colder one than than. A class that is not
// known is neither.
func Colder(class, than string) bool {
	i, j := slices.Index(classes, class), slices.Index(classes, than)
	return i > j && j >= 0
}

// Header is the value of x-oss-expiration for an object that expires so. The
// ID is escaped as in a query.
func (d Due) Header() string {
	return `expiry-date="` + d.At.UTC().Format(http.TimeFormat) + `", rule-id="` + url.QueryEscape(d.Rule) + `"`
}
