package lifecycle

import (
	"crypto/sha256"
	"fmt"

	"github.com/ossastore/ossa/internal/wire"
)

// Parse reads the rules out of a document, as PutBucketLifecycle takes it and
// GetBucketLifecycle gives it. What is about versions is left out: there are none.
func Parse(document []byte) (Rules, error) {
	c, err := wire.DecodeLifecycle(document)
	if err != nil {
		return nil, err
	}
	rules := make(Rules, len(c.Rules))
	for i := range c.Rules {
		rules[i] = ruleOf(&c.Rules[i])
	}
	return rules, nil
}

func ruleOf(w *wire.LifecycleRule) Rule {
	r := Rule{ID: w.ID, Enabled: w.Status == wire.RuleEnabled, Prefix: w.Prefix}
	for _, t := range w.Tags {
		r.Tags = append(r.Tags, Tag{t.Key, t.Value})
	}
	if f := w.Filter; f != nil {
		r.SizeGreaterThan, r.SizeLessThan = f.ObjectSizeGreaterThan, f.ObjectSizeLessThan
		for _, n := range f.Nots {
			not := Not{Prefix: n.Prefix}
			if n.Tag != nil {
				not.Tag = &Tag{n.Tag.Key, n.Tag.Value}
			}
			r.Not = append(r.Not, not)
		}
	}
	if e := w.Expiration; e != nil {
		r.Expiration = When{e.Days, e.CreatedBeforeDate.Time, e.Date.Time}
	}
	if a := w.AbortMultipartUpload; a != nil {
		r.Abort = When{Days: a.Days, CreatedBefore: a.CreatedBeforeDate.Time}
	}
	for _, t := range w.Transitions {
		r.Transitions = append(r.Transitions, Transition{
			When:     When{Days: t.Days, CreatedBefore: t.CreatedBeforeDate.Time},
			Class:    string(t.StorageClass),
			ByAccess: t.IsAccessTime != nil && *t.IsAccessTime,
			NoSmall:  t.AllowSmallFile != nil && !*t.AllowSmallFile,
		})
	}
	return r
}

// Digest tells documents apart, and the calendars that they are obeyed by.
func Digest(c Calendar, document []byte) []byte {
	sum := sha256.Sum256(fmt.Appendf(nil, "%v %s", c.day(), document))
	return sum[:]
}
