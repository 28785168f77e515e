package main

import (
	"context"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// selection is which of the keys below a prefix a command takes.
type selection struct {
	filter   transfer.Filter
	filtered bool
}

func (p *selection) addFlags(flags *pflag.FlagSet) {
	pattern := func(add func(string) error) *patternFlag {
		return &patternFlag{func(pattern string) error {
			p.filtered = true
			return add(pattern)
		}, &p.filter}
	}
	flags.Var(pattern(p.filter.Include), "include", "take names that match the `pattern`, as ossa cp does; can be repeated, and the last one that matches decides")
	flags.Var(pattern(p.filter.Exclude), "exclude", "leave out names that match the `pattern`; likewise")
}

// takes tells whether the filter takes a key below l: its name begins after the
// last slash of what was given, as that of a copy does.
func (p *selection) takes(l location, key string) bool {
	return !p.filtered || p.filter.Takes(key[strings.LastIndex(l.Key, "/")+1:])
}

// recursion is a command that does something to one object or, with -r, to all
// that a prefix has.
type recursion struct {
	work
	selection
	recursive, force bool
}

func (r *recursion) addFlags(flags *pflag.FlagSet) {
	flags.BoolVarP(&r.recursive, "recursive", "r", false, "take all objects whose keys begin so")
	flags.BoolVarP(&r.force, "force", "f", false, "do not ask")
	r.selection.addFlags(flags)
	r.work.addFlags(flags)
}

func (r *recursion) begin(s *clientSession) error {
	if r.filtered && !r.recursive {
		return usagef("--include and --exclude need --recursive")
	}
	return r.work.begin(s)
}

// over does something to all objects below l, after a look: what names it, with
// a verb in front. It goes on after failures, and its error is that of the command.
func (r *recursion) over(l location, what string, action transfer.Action, do func(context.Context, location) error) error {
	if !r.force {
		if err := r.confirm("%s of all objects whose keys begin with %s?", what, line(l.String())); err != nil {
			return err
		}
	}
	return r.end(each(r.ctx, r.client.Objects(r.ctx, l.Bucket, l.Key), r.jobs, func(ctx context.Context, o oss.Object) error {
		if !r.takes(l, o.Key) {
			return nil
		}
		if err := do(ctx, location{Bucket: l.Bucket, Key: o.Key}); err != nil {
			return r.fail(transfer.Failure{Action: action, Bucket: l.Bucket, Key: o.Key}, err)
		}
		return nil
	}))
}
