package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/oss"
)

func lifecycleSimulateCommand() *cobra.Command {
	var at string
	var day time.Duration
	return clientLeaf("simulate oss://BUCKET", "List what the rules of a bucket would delete, move or abort", `
List the objects that the lifecycle rules of a bucket would delete or move to
another storage class at a time, and the uploads that they would abort. Nothing
is changed. That nothing is due, or that there are no rules, is no failure.

The rules are read and judged here, through the public API: it works with any
endpoint, for whoever may get the bucket's rules and list it. Where rules have
tags those of objects are asked for one by one; those of uploads nobody tells, so
that uploads are taken to have none.`,
		`  ossa lifecycle simulate oss://builds
  ossa lifecycle simulate oss://builds --at 2026-12-24
  ossa lifecycle simulate oss://builds --json | jq -r 'select(.action=="expire").key'`,
		func(flags *pflag.FlagSet) {
			flags.StringVar(&at, "at", "", "`time` to judge at, such as 2026-12-24 or 2026-12-24T18:00:00Z; default now")
			flags.DurationVar(&day, "day", lifecycle.RealDay, "`time` that a day of a rule lasts, where the server has --lifecycle-day")
		},
		func(s *clientSession) error {
			sim := &simulation{client: s.client, stderr: s.stderr, at: time.Now()}
			if err := validDay("--day", day); err != nil {
				return err
			}
			sim.calendar.Day = day
			var err error
			if sim.bucket, err = parseBucket(s.args[0]); err != nil {
				return err
			}
			if at != "" {
				if sim.at, err = parseTime("--at", at); err != nil {
					return err
				}
			}
			list := newDueList(&s.printer)
			defer list.table.end()
			return sim.run(s.ctx, list)
		})
}

// parseTime reads a time, or a day, which is its first moment by UTC.
func parseTime(flag, text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usagef("%s: %q is not a time, such as 2026-12-24 or 2026-12-24T18:00:00Z", flag, text)
}

// simulation judges a bucket by its rules.
type simulation struct {
	client *oss.Client
	bucket string
	at     time.Time
	stderr io.Writer

	calendar lifecycle.Calendar
}

func (s *simulation) run(ctx context.Context, list *dueList) error {
	res, err := s.client.GetBucketLifecycle(ctx, &oss.GetBucketLifecycleRequest{Bucket: s.bucket})
	if errors.Is(err, oss.ErrNoSuchLifecycle) {
		fmt.Fprintf(s.stderr, "ossa: oss://%s has no lifecycle rules\n", s.bucket)
		return list.end()
	} else if err != nil {
		return err
	}
	rules, err := lifecycle.Parse(res.Document)
	if err != nil {
		return fmt.Errorf("rules of oss://%s: %w", s.bucket, err)
	}
	if err := s.objects(ctx, rules, list); err != nil {
		return err
	}
	if rules.Aborts() {
		if err := s.uploads(ctx, rules, list); err != nil {
			return err
		}
	}
	return list.end()
}

func (s *simulation) objects(ctx context.Context, rules lifecycle.Rules, list *dueList) error {
	for _, prefix := range rules.Prefixes() {
		for o, err := range s.client.Objects(ctx, s.bucket, prefix) {
			if err != nil {
				return err
			}
			about := lifecycle.Object{Key: o.Key, Size: o.Size, Class: string(o.StorageClass), Modified: o.LastModified}
			if rules.ObjectTags(o.Key) {
				res, err := s.client.GetObjectTagging(ctx, &oss.GetObjectTaggingRequest{Bucket: s.bucket, Key: o.Key})
				if errors.Is(err, oss.ErrNoSuchKey) {
					continue // deleted since it was listed
				} else if err != nil {
					return err
				}
				for _, t := range res.Tags {
					about.Tags = append(about.Tags, lifecycle.Tag(t))
				}
			}
			if d, due := rules.Object(s.calendar, about, s.at); due {
				if err := list.add(dueEntry{Type: "due", Bucket: s.bucket, Action: d.Action, Key: o.Key, Rule: d.Rule, StorageClass: d.Class, Size: o.Size, Due: d.At}); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (s *simulation) uploads(ctx context.Context, rules lifecycle.Rules, list *dueList) error {
	doubtful := 0
	for u, err := range s.client.Uploads(ctx, s.bucket, "") {
		if err != nil {
			return err
		}
		if rules.UploadTags(u.Key) {
			doubtful++
		}
		d, due := rules.Upload(s.calendar, lifecycle.Upload{Key: u.Key, Initiated: u.Initiated}, s.at)
		if !due {
			continue
		}
		var size int64
		for p, err := range s.client.Parts(ctx, s.bucket, u.Key, u.UploadID) {
			if err != nil && !errors.Is(err, oss.ErrNoSuchUpload) {
				return err
			}
			size += p.Size
		}
		if err := list.add(dueEntry{Type: "due", Bucket: s.bucket, Action: d.Action, Key: u.Key, UploadID: u.UploadID, Rule: d.Rule, Size: size, Due: d.At}); err != nil {
			return err
		}
	}
	if doubtful > 0 {
		fmt.Fprintf(s.stderr, "ossa: rules look at tags of %d uploads, which cannot be asked for; these were taken to have none\n", doubtful)
	}
	return nil
}

// dueEntry is something that is due.
type dueEntry struct {
	Type         string           `json:"type"` // due
	Bucket       string           `json:"bucket"`
	Action       lifecycle.Action `json:"action"` // expire, transition or abort
	Key          string           `json:"key"`
	UploadID     string           `json:"upload_id,omitempty"`
	Rule         string           `json:"rule"`
	StorageClass string           `json:"storage_class,omitempty"` // where a transition leads
	Size         int64            `json:"size"`                    // bytes; of an upload those of its parts
	Due          time.Time        `json:"due"`                     // since when
}

// dueList prints what is due, as a table or for machines, as it comes.
type dueList struct {
	*printer
	table *table

	expired, moved, aborted, freed int64
}

func newDueList(p *printer) *dueList {
	return &dueList{printer: p, table: p.rows("ACTION KEY UPLOAD RULE SIZE DUE")}
}

func (l *dueList) add(e dueEntry) error {
	action := string(e.Action)
	switch e.Action {
	case lifecycle.Expire:
		l.expired++
		l.freed += e.Size
	case lifecycle.Abort:
		l.aborted++
		l.freed += e.Size
	case lifecycle.Move:
		l.moved++
		action = "to " + e.StorageClass
	}
	if l.json {
		return l.print(e)
	}
	return l.table.add(action, cell(e.Key), e.UploadID, cell(e.Rule), size(e.Size), when(e.Due))
}

// end prints the sum below a table.
func (l *dueList) end() error {
	if l.json {
		return nil
	}
	if err := l.table.end(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(l.stdout, "%d to expire, %d to move, %d uploads to abort; %s to be freed\n", l.expired, l.moved, l.aborted, size(l.freed))
	return err
}
