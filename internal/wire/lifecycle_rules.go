package wire

import (
	"slices"
	"strconv"
	"strings"
)

// SetIDs gives the rules without an ID one that newID makes.
func (c *LifecycleConfiguration) SetIDs(newID func() string) {
	for i := range c.Rules {
		if c.Rules[i].ID == "" {
			c.Rules[i].ID = newID()
		}
	}
}

// Validate returns nil if the rules can work together, as the documentation
// page "PutBucketLifecycle" has it:
//
//   - IDs are unique, but for missing ones;
//   - no rule mixes days and dates in its Expiration and its Transitions;
//   - a class that is colder is reached after more days, in one rule and in
//     rules for the same keys, and objects expire after all of that;
//   - an exception lies within its rule, and is not the whole of it;
//   - no two rules have an action of the same type for the same keys, unless
//     allowOverlap, which is the header x-oss-allow-same-action-overlap.
//
// Rules are for the same keys if the prefix of one begins with that of the
// other and their tags do not exclude each other. Otherwise InvalidArgument;
// for what is mixed InvalidRequest; and errors about tags, whose length and
// number, other than those of objects, the service does not check here.
func (c *LifecycleConfiguration) Validate(allowOverlap bool) error {
	ids := make(map[string]bool, len(c.Rules))
	for i := range c.Rules {
		r := &c.Rules[i]
		if r.ID != "" && ids[r.ID] {
			return InvalidArgument("ID", r.ID, "Rule ID must be unique.")
		}
		ids[r.ID] = true
		if err := r.validate(); err != nil {
			return err
		}
	}
	return c.validatePairs(allowOverlap)
}

// validatePairs compares every rule with those before it.
func (c *LifecycleConfiguration) validatePairs(allowOverlap bool) error {
	type prepared struct {
		*LifecycleRule
		tags  []Tag // sorted by key
		steps []step
	}
	all := make([]prepared, len(c.Rules))
	for i := range c.Rules {
		r := &c.Rules[i]
		all[i] = prepared{r, slices.Clone(r.Tags), r.steps()}
		slices.SortFunc(all[i].tags, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
		for _, other := range all[:i] {
			if !prefixesMeet(r.Prefix, other.Prefix) || tagsExclude(all[i].tags, other.tags) {
				continue
			}
			if action := sameAction(other.LifecycleRule, r); action != "" && !allowOverlap {
				return InvalidArgument("Prefix", r.Prefix, "Overlap for same action type "+action)
			}
			for _, t := range all[i].steps {
				if err := t.order(other.steps); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (r *LifecycleRule) validate() error {
	if len(r.Prefix) > MaxMarkerBytes {
		return InvalidArgument("Prefix", r.Prefix, "The length of Prefix must be less than 1024.")
	}
	if err := validateRuleTags(r.Tags); err != nil {
		return err
	}
	if r.Filter != nil {
		if err := r.validateFilter(); err != nil {
			return err
		}
	}
	if err := r.validateMix(); err != nil {
		return err
	}
	if err := validateTransitions(r.steps()); err != nil {
		return err
	}
	if e := r.Expiration; e != nil && e.Days != 0 {
		if err := after("Days", e.Days, r.steps()); err != nil {
			return err
		}
	}
	if err := validateTransitions(r.noncurrentSteps()); err != nil {
		return err
	}
	if e := r.NoncurrentVersionExpiration; e != nil {
		return after("NoncurrentDays", e.NoncurrentDays, r.noncurrentSteps())
	}
	return nil
}

// validateRuleTags checks the characters of tags, and that no key is there
// twice.
func validateRuleTags(tags []Tag) error {
	for _, t := range tags {
		if !isTagText(t.Key, 1, len(t.Key)) {
			return NewError("InvalidTaggingKey").With("Key", t.Key)
		}
		if !isTagText(t.Value, 0, len(t.Value)) {
			return NewError("InvalidTag").WithMessage("The tagging value you provided is invalid.").
				With("Key", t.Key).With("Value", t.Value)
		}
	}
	if repeatedKey(tags) {
		return NewError("RepeatedTags")
	}
	return nil
}

func (r *LifecycleRule) validateFilter() error {
	greater, less := r.Filter.ObjectSizeGreaterThan, r.Filter.ObjectSizeLessThan
	for _, size := range []struct {
		name  string
		value *int64
	}{{"ObjectSizeGreaterThan", greater}, {"ObjectSizeLessThan", less}} {
		if size.value != nil && *size.value < 0 {
			return InvalidArgument(size.name, strconv.FormatInt(*size.value, 10), size.name+" must not be negative.")
		}
	}
	if greater != nil && less != nil && *greater >= *less {
		return InvalidArgument("ObjectSizeGreaterThan", strconv.FormatInt(*greater, 10),
			"ObjectSizeGreaterThan must be less than ObjectSizeLessThan.")
	}
	for _, n := range r.Filter.Nots {
		if n.Tag != nil {
			if err := validateRuleTags([]Tag{*n.Tag}); err != nil {
				return err
			}
		}
		switch {
		case n.Prefix == "" && n.Tag == nil:
			return InvalidArgument("Not", "", "Not must have a Prefix or a Tag.")
		case n.Prefix != "" && !strings.HasPrefix(n.Prefix, r.Prefix):
			return InvalidArgument("Prefix", n.Prefix, "The Prefix of Not must begin with the Prefix of the rule.")
		case n.Prefix == r.Prefix && n.Tag == nil:
			return InvalidArgument("Prefix", n.Prefix, "The Prefix of Not without a Tag must not be the Prefix of the rule.")
		}
	}
	return nil
}

// validateMix refuses days beside dates.
func (r *LifecycleRule) validateMix() error {
	var days, dates bool
	if e := r.Expiration; e != nil {
		days, dates = e.Days != 0, !e.Date.IsZero() || !e.CreatedBeforeDate.IsZero()
	}
	for _, t := range r.Transitions {
		days, dates = days || t.Days != 0, dates || t.Days == 0
	}
	if days && dates {
		return NewError("InvalidRequest").
			WithMessage("Days and dates cannot be mixed in the Expiration and the Transitions of a rule.")
	}
	return nil
}

// step is a transition after a number of days, 0 for one by date.
type step struct {
	days  int
	class StorageClass
}

func (r *LifecycleRule) steps() []step {
	var all []step
	for _, t := range r.Transitions {
		all = append(all, step{t.Days, t.StorageClass})
	}
	return all
}

func (r *LifecycleRule) noncurrentSteps() []step {
	var all []step
	for _, t := range r.NoncurrentVersionTransitions {
		all = append(all, step{t.NoncurrentDays, t.StorageClass})
	}
	return all
}

// coldness is the order in which objects may pass the classes.
var coldness = []StorageClass{IA, Archive, ColdArchive, DeepColdArchive}

// validateTransitions sees that the transitions of a rule lead to classes that
// can be reached, each once, and to a colder one after more days.
func validateTransitions(steps []step) error {
	for i, t := range steps {
		if !slices.Contains(coldness, t.class) {
			return InvalidArgument("StorageClass", string(t.class), "A transition must lead to IA, Archive, ColdArchive or DeepColdArchive.")
		}
		if slices.ContainsFunc(steps[:i], func(other step) bool { return other.class == t.class }) {
			return InvalidArgument("StorageClass", string(t.class), "Two transitions of a rule lead to "+string(t.class)+".")
		}
		if err := t.order(steps[:i]); err != nil {
			return err
		}
	}
	return nil
}

// order sees that of t and each of the others the colder one has more days. Of
// dates nothing is known.
func (t step) order(others []step) error {
	for _, other := range others {
		colder := slices.Index(coldness, t.class) - slices.Index(coldness, other.class)
		if t.days == 0 || other.days == 0 || colder == 0 {
			continue
		}
		if (colder > 0) != (t.days > other.days) || t.days == other.days {
			return InvalidArgument("Days", strconv.Itoa(t.days),
				"The days of the transition to a colder storage class must be more than those to a warmer one.")
		}
	}
	return nil
}

// after sees that days is more than those of all steps.
func after(name string, days int, steps []step) error {
	for _, t := range steps {
		if days <= t.days {
			return InvalidArgument(name, strconv.Itoa(days), "The days of an expiration must be more than those of the transitions before it.")
		}
	}
	return nil
}

func prefixesMeet(a, b string) bool {
	return strings.HasPrefix(a, b) || strings.HasPrefix(b, a)
}

// tagsExclude reports whether no object can have all tags of both lists, which
// are sorted by key.
func tagsExclude(a, b []Tag) bool {
	for len(a) > 0 && len(b) > 0 {
		switch strings.Compare(a[0].Key, b[0].Key) {
		case -1:
			a = a[1:]
		case 1:
			b = b[1:]
		default:
			if a[0].Value != b[0].Value {
				return true
			}
			a, b = a[1:], b[1:]
		}
	}
	return false
}

// sameAction returns the name of an action that both rules have, or "".
func sameAction(a, b *LifecycleRule) string {
	switch {
	case a.Expiration != nil && b.Expiration != nil:
		return "Expiration"
	case a.Transitions != nil && b.Transitions != nil:
		return "Transition"
	case a.AbortMultipartUpload != nil && b.AbortMultipartUpload != nil:
		return "AbortMultipartUpload"
	case a.NoncurrentVersionExpiration != nil && b.NoncurrentVersionExpiration != nil:
		return "NoncurrentVersionExpiration"
	case a.NoncurrentVersionTransitions != nil && b.NoncurrentVersionTransitions != nil:
		return "NoncurrentVersionTransition"
	}
	return ""
}
