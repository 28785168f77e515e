package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// restoreEntry is an object that is restored, for machines.
type restoreEntry struct {
	Type   string `json:"type"` // restore
	Bucket string `json:"bucket"`
	Key    string `json:"key"`
	State  string `json:"state"` // started, running or readable
}

// restoreAction is what restore does, in reports.
const restoreAction transfer.Action = "restore"

// restoring is restore under way.
type restoring struct {
	work
	recursive bool
	days      int
	tier      string
	versionID string
}

func restoreCommand() *cobra.Command {
	r := &restoring{work: work{command: "restore"}}
	return clientLeaf("restore oss://BUCKET/KEY...", "Make archived objects readable for a time", `
Ask for archived objects to be made readable for some days. That may take minutes
or hours: ossa stat tells "restore" when it is done. With -r all archived objects
whose keys begin so are restored, and others are left out.`,
		`  ossa restore oss://archive/2019.tar --days 3
  ossa restore -r oss://archive/2019/ --tier Expedited`,
		func(flags *pflag.FlagSet) {
			flags.BoolVarP(&r.recursive, "recursive", "r", false, "restore all archived objects whose keys begin so")
			flags.IntVar(&r.days, "days", 0, "`number` of days that objects stay readable; default the server's")
			flags.StringVar(&r.tier, "tier", "", "`tier` of ColdArchive and DeepColdArchive: Expedited, Standard or Bulk")
			flags.StringVar(&r.versionID, "version-id", "", "`ID` of a version")
			r.addFlags(flags)
		},
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			var err error
			if r.tier, err = oneOf("--tier", r.tier, restoreTiers); err != nil {
				return err
			}
			if r.days < 0 {
				return usagef("--days: %d is negative", r.days)
			}
			if r.versionID != "" && (r.recursive || len(s.args) > 1) {
				return usagef("--version-id is for one object")
			}
			var targets []location
			for _, arg := range s.args {
				l, err := parseRemote(arg)
				if err == nil && !r.recursive {
					l, err = parseObjectLocation(arg)
				}
				if err != nil {
					return err
				}
				targets = append(targets, l)
			}
			return r.end(r.run(targets))
		})
}

func (r *restoring) run(targets []location) error {
	if !r.recursive && len(targets) == 1 {
		return r.restore(r.ctx, targets[0])
	}
	if !r.recursive {
		return each(r.ctx, sequence(targets), r.jobs, r.tryRestore)
	}
	for _, l := range targets {
		err := each(r.ctx, r.client.Objects(r.ctx, l.Bucket, l.Key), r.jobs, func(ctx context.Context, o oss.Object) error {
			switch o.StorageClass {
			case oss.StorageArchive, oss.StorageColdArchive, oss.StorageDeepColdArchive:
				return r.tryRestore(ctx, location{Bucket: l.Bucket, Key: o.Key})
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *restoring) tryRestore(ctx context.Context, l location) error {
	err := r.restore(ctx, l)
	if err != nil {
		return r.fail(transfer.Failure{Action: restoreAction, Operation: "RestoreObject", Bucket: l.Bucket, Key: l.Key}, err)
	}
	return nil
}

func (r *restoring) restore(ctx context.Context, l location) error {
	q := &oss.RestoreObjectRequest{Bucket: l.Bucket, Key: l.Key, VersionID: r.versionID, Days: r.days, Tier: r.tier}
	res, err := r.client.RestoreObject(ctx, q)
	state := "started"
	switch {
	case errors.Is(err, oss.ErrRestoreInProgress):
		state = "running"
	case err != nil:
		return err
	case !res.Started:
		state = "readable"
	}
	words := map[string]string{"started": "is being restored", "running": "is being restored already", "readable": "is readable"}
	return r.succeed(restoreEntry{"restore", l.Bucket, l.Key, state}, "%s %s", line(l.String()), words[state])
}
