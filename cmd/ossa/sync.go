package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
)

func syncCommand() *cobra.Command {
	f := &transferFlags{}
	var remove, update, noJournal bool
	return f.client.leaf("sync SOURCE TARGET", "Make a directory or a prefix the same as another one", `
Copy what is missing in TARGET or differs there: from a directory to a prefix of
a bucket, back, or from one prefix to another, in the server. Files and objects
of equal size are compared by CRC-64; with --update by time instead.

What was found out about files is kept in a journal below the state directory,
one for each pair of directory and prefix, so that a run that was interrupted, and
the next one, neither read unchanged files again nor ask about them. It counts
only while size and time of the file and the ETag of the object are what they
were, and can be deleted at any time; those that were not used for 90 days are.
Downloaded files get the time of their objects.

--delete deletes what is in TARGET and not in SOURCE, at the end, and only if all
of SOURCE could be read; on a terminal it asks first. What the patterns leave out is
neither copied nor deleted, and directories and keys that end in a slash stay.

One failure does not end the run. Names, links and what exists are treated as by
ossa cp.`,
		`  ossa sync site oss://www
  ossa sync site oss://www --delete --exclude '.git/**' --dry-run
  ossa sync oss://backup/photos photos --jobs 16
  ossa sync oss://builds/2026 oss://archive/2026`,
		func(flags *pflag.FlagSet) {
			flags.BoolVar(&remove, "delete", false, "delete what is in TARGET and not in SOURCE")
			flags.BoolVarP(&update, "update", "u", false, "copy what is missing or older, and compare no bytes")
			flags.BoolVarP(&f.force, "force", "f", false, "do not ask, and --delete everything if SOURCE is empty")
			flags.BoolVar(&noJournal, "no-journal", false, "know nothing of earlier runs, and keep nothing for later ones")
			f.addFlags(flags)
		},
		func(s *clientSession) error {
			source, target, err := parseSourceTarget(s.args)
			if err != nil {
				return err
			}
			t, err := f.begin(s, "sync")
			if err != nil {
				return err
			}
			t.options.Mode = transfer.Different
			if update {
				t.options.Mode = transfer.Newer
			}
			t.options.Delete, t.options.DeleteAll = remove, f.force
			return (&syncing{t, source, target, !noJournal && !update}).run()
		})
}

// syncing is one sync.
type syncing struct {
	*transferring
	source, target location
	keeps          bool // a journal
}

func (y *syncing) run() error {
	switch {
	case y.source.Std || y.target.Std:
		return usagef("sync is for directories and prefixes; ossa cp copies streams")
	case !y.source.remote() && !y.target.remote():
		return usagef("one of %s and %s must be in a bucket: oss://BUCKET/PREFIX", y.source, y.target)
	}
	source, target := y.tree(y.source), y.tree(y.target)
	if y.source.remote() && y.target.remote() {
		if err := (&copying{transferring: y.transferring}).copyable(); err != nil {
			return err
		}
		a, b := asFolder(y.source.Key), asFolder(y.target.Key)
		if y.source.Bucket == y.target.Bucket && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a)) {
			return usagef("one of %s and %s is below the other", y.source, y.target)
		}
	}
	if y.options.Delete && !y.force && !y.dryRun {
		if err := y.s.confirm("Delete what is in %s and not in %s?", line(y.target.String()), line(y.source.String())); err != nil {
			return err
		}
	}
	y.openJournal()
	err := y.many(source, target)
	if journalErr := y.options.Journal.Close(); journalErr != nil {
		y.s.warn("the journal could not be written, and the next run compares anew: %v", journalErr)
	}
	return err
}

func (y *syncing) tree(l location) transfer.Tree {
	if l.remote() {
		return &transfer.Prefix{Client: y.s.client, Bucket: l.Bucket, Prefix: asFolder(l.Key)}
	}
	return &transfer.Folder{Path: l.Path, Links: transfer.Links(y.links)}
}

// journalAge is how long the journal of a pair is kept that nobody syncs any more.
const journalAge = 90 * 24 * time.Hour

// openJournal opens the journal of the folder, if there is one. Without it the
// run takes longer, and that is all.
func (y *syncing) openJournal() {
	folder, remote := y.source, y.target
	if folder.remote() {
		folder, remote = y.target, y.source
	}
	if !y.keeps || y.dryRun || folder.remote() {
		return
	}
	path, err := filepath.Abs(folder.Path)
	if err == nil {
		if real, err := filepath.EvalSymlinks(path); err == nil {
			path = real
		}
		scope := fmt.Sprintf("%q %q %q %q", y.client.resolved, remote.Bucket, asFolder(remote.Key), path)
		all := filepath.Join(y.state, "sync")
		y.options.Journal, err = transfer.OpenJournal(filepath.Join(all, transfer.JournalName(scope)), scope, time.Now)
		if err := transfer.PruneJournals(all, time.Now().Add(-journalAge)); err != nil {
			y.s.warn("old journals could not be removed: %v", err)
		}
	}
	if err != nil {
		y.s.warn("without a journal: %v", err)
	}
}
