package transfer

import (
	"fmt"
	"path"
	"strings"
)

// Filter says which names are taken: the last rule that matches decides. A name
// that none matches is taken, unless the first rule is one that includes.
//
// A pattern without a slash is compared with the last segment of a name, one
// with a slash with the whole. * and ? do not match slashes, ** matches
// anything, [a-z] and [^a-z] a character.
type Filter struct {
	rules []rule
}

type rule struct {
	include bool
	pattern string
	whole   bool // compared with whole names
}

// Include and Exclude add a rule.
func (f *Filter) Include(pattern string) error { return f.add(true, pattern) }

// Exclude adds a rule.
func (f *Filter) Exclude(pattern string) error { return f.add(false, pattern) }

// maxRules bounds the rules of a filter.
const maxRules = 1000

func (f *Filter) add(include bool, pattern string) error {
	if len(f.rules) == maxRules {
		return fmt.Errorf("more than %d patterns", maxRules)
	}
	if pattern == "" {
		return fmt.Errorf("an empty pattern matches nothing")
	}
	for segment := range strings.SplitSeq(pattern, "/") {
		if _, err := path.Match(segment, ""); err != nil {
			return fmt.Errorf("the pattern %q: %w", pattern, err)
		}
	}
	whole := strings.Contains(pattern, "/") || strings.Contains(pattern, "**")
	f.rules = append(f.rules, rule{include, strings.TrimPrefix(pattern, "/"), whole})
	return nil
}

// Takes tells whether the filter takes a name.
func (f Filter) Takes(name string) bool {
	if len(f.rules) == 0 {
		return true
	}
	for i := len(f.rules) - 1; i >= 0; i-- {
		if f.rules[i].matches(name) {
			return f.rules[i].include
		}
	}
	return !f.rules[0].include
}

// Prunes tells whether nothing below a directory is taken, as far as that is
// seen at a glance: its name ends in a slash.
func (f Filter) Prunes(dir string) bool {
	if len(f.rules) == 0 {
		return false
	}
	last := f.rules[len(f.rules)-1]
	all, ok := strings.CutSuffix(last.pattern, "/**")
	return !last.include && ok && matchWhole(all, strings.TrimSuffix(dir, "/"))
}

func (r rule) matches(name string) bool {
	if !r.whole {
		ok, _ := path.Match(r.pattern, path.Base(name))
		return ok
	}
	return matchWhole(r.pattern, name)
}

// matchWhole matches segment by segment; a segment ** stands for any number of
// them, and within a segment it is the same as *.
func matchWhole(pattern, name string) bool {
	return matchSegments(strings.Split(pattern, "/"), strings.Split(name, "/"))
}

// matchSegments is as wildcards are usually matched: after a mismatch, the latest
// ** takes one more segment. That is quadratic at worst.
func matchSegments(pattern, name []string) bool {
	p, n := 0, 0
	star, mark := -1, 0
	for n < len(name) {
		if p < len(pattern) && pattern[p] == "**" {
			star, mark = p, n
			p++
			continue
		}
		if p < len(pattern) {
			if ok, _ := path.Match(pattern[p], name[n]); ok {
				p++
				n++
				continue
			}
		}
		if star < 0 {
			return false
		}
		mark++
		p, n = star+1, mark
	}
	for p < len(pattern) && pattern[p] == "**" {
		p++
	}
	return p == len(pattern)
}
