package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// transferFlags are those of cp and sync.
type transferFlags struct {
	attributeFlags
	client  clientConfig
	retries retryLog

	jobs, parallel int
	partSize       sizeFlag
	filter         transfer.Filter
	links          string
	delta, restart bool
	forbid         bool
	dryRun, force  bool
	verbose        bool
	report         string
	stateDir       string
}

func (f *transferFlags) addFlags(flags *pflag.FlagSet) {
	f.client.log = &f.retries
	flags.Var(&patternFlag{f.filter.Include, &f.filter}, "include", "take names that match the `pattern`, such as '*.jpg'; can be repeated, and the last one that matches decides")
	flags.Var(&patternFlag{f.filter.Exclude, &f.filter}, "exclude", "leave out names that match the `pattern`, such as 'tmp/**'; likewise")
	flags.StringVar(&f.links, "links", string(transfer.FollowFiles), "which symbolic `links` in a directory are followed: files those to files, all also those to directories, skip none")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "`number` of objects at a time (default 16, and 8 of 8 MiB or more)")
	flags.IntVar(&f.parallel, "parallel", 0, "`number` of parts of an object at a time (default 4, and up to 12 on a fast network)")
	flags.Var(&f.partSize, "part-size", "`bytes` of a part, such as 16MiB; default by size and rate")
	flags.Var(&f.client.limitRate, "limit-rate", "`bytes` a second for everything together, such as 5MiB")
	flags.BoolVar(&f.delta, "delta", false, "send only the parts that differ from the object that is there")
	flags.BoolVar(&f.restart, "restart", false, "take up nothing of an earlier run")
	flags.BoolVar(&f.forbid, "forbid-overwrite", false, "replace nothing that exists")
	flags.BoolVarP(&f.dryRun, "dry-run", "n", false, "tell what would be done, and do nothing")
	flags.BoolVar(&f.verbose, "verbose", false, "print a line for each object")
	flags.StringVar(&f.report, "report", "", reportUsage)
	flags.StringVar(&f.stateDir, "state-dir", "", "`directory` for reports and journals ("+envStateDir+"; default "+defaultStateDirText+")")
	f.attributeFlags.addFlags(flags)
}

// transferJobsMax bounds what --jobs and --parallel may ask for.
const transferJobsMax = 256

// patternFlag adds to a filter: the order of --include and --exclude counts.
type patternFlag struct {
	add    func(pattern string) error
	filter *transfer.Filter
}

func (p *patternFlag) Type() string          { return "pattern" }
func (p *patternFlag) String() string        { return "" }
func (p *patternFlag) Set(text string) error { return p.add(text) }

// transferring is a run of cp or sync.
type transferring struct {
	*transferFlags
	s       *clientSession
	options transfer.Options
	watch   *transferWatch
	state   string // directory
}

// begin makes the options of a run.
func (f *transferFlags) begin(s *clientSession, verb string) (*transferring, error) {
	object, err := f.object()
	if err != nil {
		return nil, err
	}
	links, err := oneOf("--links", f.links, []transfer.Links{transfer.FollowFiles, transfer.FollowAll, transfer.SkipLinks})
	if err != nil {
		return nil, err
	}
	for _, flag := range []struct {
		name string
		n    int
	}{{"--jobs", f.jobs}, {"--parallel", f.parallel}} {
		if flag.n < 0 || flag.n > transferJobsMax {
			return nil, usagef("%s: %d is not between 1 and %d", flag.name, flag.n, transferJobsMax)
		}
	}
	if f.partSize != 0 && (f.partSize < oss.MinPartSize || f.partSize > oss.MaxPartSize) {
		return nil, usagef("--part-size: %s is not between %s and %s", size(int64(f.partSize)), size(oss.MinPartSize), size(oss.MaxPartSize))
	}
	if f.delta && f.forbid {
		return nil, usagef("--delta makes use of the object that --forbid-overwrite forbids")
	}
	f.links = string(links)
	t := &transferring{transferFlags: f, s: s}
	if t.state, err = stateDirectory(f.stateDir); err != nil {
		return nil, err
	}
	name := f.report
	if name == "" {
		name = reportFile(t.state, verb)
	}
	t.watch = newTransferWatch(s, f.verbose)
	f.retries.meter.Store(t.watch.meter)
	t.options = transfer.Options{
		Client: s.client, Jobs: f.jobs, Parallel: f.parallel, PartSize: int64(f.partSize),
		Filter: f.filter, DryRun: f.dryRun, Object: object, ForbidOverwrite: f.forbid, Delta: f.delta, Restart: f.restart,
		Report: &transfer.Report{Name: name}, Observer: t.watch,
	}
	return t, nil
}

// many transfers a tree, and says how it went.
func (t *transferring) many(source, target transfer.Tree) error {
	t.options.Count = t.watch.wantsTotal()
	t.watch.begin(false, false)
	sum, err := transfer.Run(t.s.ctx, t.options, source, target)
	t.watch.close()
	closeErr := t.options.Report.Close()
	if sum != nil {
		t.watch.sum(sum, t.dryRun)
	}
	switch {
	case errors.Is(err, context.Canceled):
		t.goOn(true)
		return err
	case err != nil && sum != nil && sum.Failed > 0:
		return fmt.Errorf("%w\n  the run ended there; what failed is listed in %s", err, t.options.Report.Name)
	case err != nil:
		return err
	case closeErr != nil:
		return fmt.Errorf("%d failed, and the report could not be written: %w", sum.Failed, closeErr)
	case sum.Failed == 0 && sum.KeptBack != "":
		return fmt.Errorf("nothing was deleted: %s", sum.KeptBack)
	case sum.Failed == 0:
		if sum.Done+sum.Skipped+sum.Deleted == 0 && !t.s.quiet {
			t.s.warn("there is nothing to copy in %s%s", line(t.s.args[0]), asPattern(t.s.args[0]))
		}
		return nil
	case sum.Done+sum.Skipped+sum.Deleted == 0:
		return &allFailedError{fmt.Sprintf("all %d failed; they are listed in %s", sum.Failed, t.options.Report.Name), t.watch.last}
	}
	return &partlyError{failed: int(sum.Failed), report: t.options.Report.Name}
}

// allFailedError is a run of which nothing was done. What is to be done about the
// last failure is mostly what is to be done about all.
type allFailedError struct {
	text string
	last error
}

func (e *allFailedError) Error() string { return e.text }
func (e *allFailedError) Unwrap() error { return e.last }

// one does a single task, and says how it went.
func (t *transferring) one(task *transfer.Task) error {
	t.options.Report = nil // the error is the report
	t.watch.begin(true, false)
	_, _, err := transfer.RunOne(t.s.ctx, t.options, task)
	t.watch.close()
	var open *oss.UploadError
	switch {
	case errors.Is(err, context.Canceled):
		t.goOn(true)
	case errors.As(err, &open) && open.UploadID != "":
		return fmt.Errorf("%w\n  what was sent stays: the same command goes on with it", err)
	}
	return err
}

// goOn has an interrupted user told how it goes on.
func (t *transferring) goOn(resumable bool) {
	if !resumable {
		t.s.outlook = "what was sent of the stream cannot be gone on with, and was dropped"
		return
	}
	t.s.outlook = "what is there stays, and this goes on with it:"
}
