package lifecycle

import (
	"crypto/sha256"
	"sync"

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

// Digest tells documents apart.
func Digest(document []byte) []byte {
	sum := sha256.Sum256(document)
	return sum[:]
}

// Cache remembers the rules of documents, so that they need not be read for
// every object. The zero Cache is ready.
type Cache struct {
	mu    sync.Mutex
	rules map[string]cached // by digest
}

type cached struct {
	rules Rules
	err   error
}

// cacheMax bounds the documents that a Cache remembers: one for each bucket
// that a server has, mostly.
const cacheMax = 100

// Parse is Parse. The rules are shared and must not be changed.
func (c *Cache) Parse(document []byte) (Rules, error) {
	key := string(Digest(document))
	c.mu.Lock()
	known, ok := c.rules[key]
	c.mu.Unlock()
	if ok {
		return known.rules, known.err
	}
	rules, err := Parse(document)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.rules == nil || len(c.rules) >= cacheMax {
		c.rules = make(map[string]cached) // those in use come back soon
	}
	c.rules[key] = cached{rules, err}
	return rules, err
}
