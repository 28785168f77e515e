package main

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/transfer"
	"github.com/ossastore/ossa/oss"
)

// deletedEntry is something that is gone, for machines.
type deletedEntry struct {
	Type      string `json:"type"` // deleted
	Bucket    string `json:"bucket"`
	Key       string `json:"key,omitempty"` // "" if it is the bucket itself
	VersionID string `json:"version_id,omitempty"`
	DryRun    bool   `json:"dry_run,omitempty"` // it is still there
}

// abortedEntry is an upload that is gone, for machines.
type abortedEntry struct {
	Type     string `json:"type"` // aborted
	Bucket   string `json:"bucket"`
	Key      string `json:"key"`
	UploadID string `json:"upload_id"`
	DryRun   bool   `json:"dry_run,omitempty"` // it is still there
}

// removal deletes objects, versions and open uploads.
type removal struct {
	work
	recursive, force, dryRun   bool
	versions, uploads, allType bool
	versionID                  string
	bucketToo                  bool // is deleted afterwards
	selection
}

// nullVersion is the version of what was put without versioning. Servers may leave
// it out when they tell what they deleted.
const nullVersion = "null"

// abortAction is what becomes of uploads, in reports.
const abortAction transfer.Action = "abort"

const deleteBatch = 1000 // objects in a DeleteMultipleObjects

func rmCommand() *cobra.Command {
	r := &removal{work: work{command: "rm"}}
	return clientLeaf("rm oss://BUCKET/KEY...", "Delete objects", `
Delete objects, or with -r all objects whose keys begin with what is given. "Begin"
is meant literally: oss://builds/log is the beginning of log/1 and of logo.png. An
object that is not there counts as deleted.

With -r on a terminal you are asked first, unless -f is given. Without a terminal
nobody is asked. What cannot be deleted does not hold up the rest: it is listed in
a report, one JSON object a line, and the same command tries again.`,
		`  ossa rm oss://builds/movie.bin
  ossa rm -r oss://builds/nightly/ --dry-run
  ossa rm -rf oss://builds/nightly/
  ossa rm -r oss://builds/nightly/ --include '*.log'
  ossa rm -r --all-versions oss://builds/nightly/
  ossa rm -r -m oss://builds/nightly/        # open uploads only`,
		func(flags *pflag.FlagSet) {
			flags.BoolVarP(&r.recursive, "recursive", "r", false, "delete everything whose key begins so")
			flags.BoolVarP(&r.force, "force", "f", false, "do not ask")
			flags.BoolVarP(&r.dryRun, "dry-run", "n", false, "tell what would be done, and do nothing")
			flags.StringVar(&r.versionID, "version-id", "", "`ID` of a version")
			flags.BoolVar(&r.versions, "all-versions", false, "delete all versions and delete markers")
			flags.BoolVarP(&r.uploads, "uploads", "m", false, "abort open uploads instead")
			flags.BoolVarP(&r.allType, "all-type", "a", false, "delete objects and abort open uploads")
			r.selection.addFlags(flags)
			r.work.addFlags(flags)
		},
		func(s *clientSession) error {
			if err := r.begin(s); err != nil {
				return err
			}
			targets, err := r.targets()
			if err != nil {
				return err
			}
			if r.recursive {
				if err := r.confirmBelow(targets); err != nil {
					return err
				}
				return r.end(r.removeBelow(targets))
			}
			return r.end(r.removeNamed(targets))
		})
}

func (r *removal) targets() ([]location, error) {
	var targets []location
	for _, arg := range r.args {
		l, err := parseRemote(arg)
		switch {
		case err != nil:
			return nil, err
		case l.Key == "" && !r.recursive:
			return nil, usagef("%q is a bucket: rm -r deletes all that is in it, and rb the bucket", arg)
		}
		targets = append(targets, l)
	}
	switch {
	case r.versionID != "" && (len(targets) > 1 || r.recursive || r.versions):
		return nil, usagef("--version-id is for one object")
	case r.filtered && !r.recursive:
		return nil, usagef("--include and --exclude need --recursive")
	case r.versions && !r.recursive:
		return nil, usagef("--all-versions needs --recursive")
	case r.versionID != "" && (r.uploads || r.allType):
		return nil, usagef("--version-id is for objects")
	}
	return targets, nil
}

// removeNamed deletes the objects, or the open uploads of the keys, that were
// named one by one.
func (r *removal) removeNamed(targets []location) error {
	if r.uploads || r.allType {
		for _, l := range targets {
			if err := each(r.ctx, r.client.ObjectUploads(r.ctx, l.Bucket, l.Key), r.jobs, r.abortIn(l.Bucket)); err != nil {
				return err
			}
		}
	}
	if r.uploads {
		return nil
	}
	if len(targets) == 1 {
		l := targets[0]
		if r.dryRun {
			return r.removed(l.Bucket, oss.ObjectID{Key: l.Key, VersionID: r.versionID})
		}
		_, err := r.client.DeleteObject(r.ctx, &oss.DeleteObjectRequest{Bucket: l.Bucket, Key: l.Key, VersionID: r.versionID})
		if err != nil {
			return err
		}
		return r.removed(l.Bucket, oss.ObjectID{Key: l.Key, VersionID: r.versionID})
	}
	return each(r.ctx, sequence(targets), r.jobs, func(ctx context.Context, l location) error {
		return r.deleteOne(ctx, l.Bucket, oss.ObjectID{Key: l.Key})
	})
}

// confirmBelow asks for each of the targets, before anything is deleted.
func (r *removal) confirmBelow(targets []location) error {
	for _, l := range targets {
		if !r.force && !r.dryRun {
			if err := r.ask(l); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *removal) removeBelow(targets []location) error {
	for _, l := range targets {
		done := r.done
		if err := r.below(l); err != nil {
			return err
		}
		if r.done == done && r.failed == 0 && !r.bucketToo && !r.quiet {
			r.warn("there is nothing to delete that begins with %s%s", line(l.String()), asPattern(l.Key))
		}
	}
	return nil
}

func (r *removal) ask(l location) error {
	switch {
	case r.bucketToo:
		return r.confirm("Delete %s with all objects, versions and open uploads in it?", line(l.String()))
	case l.Key == "":
		return r.confirm("Delete %s in %s?", strings.TrimSuffix(r.what(), ","), line(l.String()))
	}
	return r.confirm("Delete %s whose keys begin with %s?", r.what(), line(l.String()))
}

func (r *removal) what() string {
	switch {
	case r.uploads:
		return "the open uploads"
	case r.allType && r.versions:
		return "all versions of all objects, and the open uploads,"
	case r.allType:
		return "all objects and open uploads"
	case r.versions:
		return "all versions of all objects"
	}
	return "all objects"
}

// below deletes what begins with l.
func (r *removal) below(l location) error {
	if r.uploads || r.allType {
		abort := r.abortIn(l.Bucket)
		err := each(r.ctx, r.client.Uploads(r.ctx, l.Bucket, l.Key), r.jobs, func(ctx context.Context, u oss.Upload) error {
			if !r.takes(l, u.Key) {
				return nil
			}
			return abort(ctx, u)
		})
		if err != nil || r.uploads {
			return err
		}
	}
	return each(r.ctx, batches(r.ids(l), deleteBatch), r.jobs, func(ctx context.Context, ids []oss.ObjectID) error {
		return r.deleteMany(ctx, l.Bucket, ids)
	})
}

// ids lists what is to be deleted.
func (r *removal) ids(l location) iter.Seq2[oss.ObjectID, error] {
	return func(yield func(oss.ObjectID, error) bool) {
		if r.versions {
			for v, err := range r.client.Versions(r.ctx, l.Bucket, l.Key) {
				if err == nil && !r.takes(l, v.Key) {
					continue
				}
				if !yield(oss.ObjectID{Key: v.Key, VersionID: v.VersionID}, err) || err != nil {
					return
				}
			}
			return
		}
		for o, err := range r.client.Objects(r.ctx, l.Bucket, l.Key) {
			if err == nil && !r.takes(l, o.Key) {
				continue
			}
			if !yield(oss.ObjectID{Key: o.Key}, err) || err != nil {
				return
			}
		}
	}
}

// deleteMany deletes a batch; where a server refuses all of it for the sake of
// one, each by itself.
func (r *removal) deleteMany(ctx context.Context, bucket string, ids []oss.ObjectID) error {
	if r.dryRun {
		return r.allRemoved(bucket, ids)
	}
	ids, err := r.withoutUnnamable(bucket, ids)
	if err != nil || len(ids) == 0 {
		return err
	}
	res, err := r.client.DeleteMultipleObjects(ctx, &oss.DeleteMultipleObjectsRequest{Bucket: bucket, Objects: ids})
	if err != nil {
		return r.deleteEach(ctx, bucket, ids, err)
	}
	gone := make(map[oss.ObjectID]bool, len(res.Deleted))
	for _, d := range res.Deleted {
		gone[oss.ObjectID{Key: d.Key, VersionID: d.VersionID}] = true
	}
	confirmed := func(id oss.ObjectID) bool {
		return gone[id] || id.VersionID == nullVersion && gone[oss.ObjectID{Key: id.Key}]
	}
	for _, id := range ids {
		if confirmed(id) {
			if err := r.removed(bucket, id); err != nil {
				return err
			}
		}
	}
	// Why not, servers tell only who asks for one.
	for _, id := range ids {
		if !confirmed(id) {
			if err := r.deleteOne(ctx, bucket, id); err != nil {
				return err
			}
		}
	}
	return nil
}

// withoutUnnamable leaves out keys that are not UTF-8: no document can have them,
// and what came out of it could be the name of another object.
func (r *removal) withoutUnnamable(bucket string, ids []oss.ObjectID) (named []oss.ObjectID, err error) {
	for _, id := range ids {
		if utf8.ValidString(id.Key) {
			named = append(named, id)
			continue
		}
		err := r.fail(transfer.Failure{Action: transfer.Delete, Operation: "DeleteMultipleObjects", Bucket: bucket, Key: id.Key, VersionID: id.VersionID},
			&unfitError{fmt.Sprintf("DeleteMultipleObjects %s: the key is not UTF-8, and cannot be asked for", line(location{Bucket: bucket, Key: id.Key}.String()))})
		if err != nil {
			return nil, err
		}
	}
	return named, nil
}

// deleteEach does what a batch that failed with err was to do.
func (r *removal) deleteEach(ctx context.Context, bucket string, ids []oss.ObjectID, err error) error {
	var refusal *oss.Error
	if !errors.As(err, &refusal) || transfer.Hopeless(err) {
		return err
	}
	for _, id := range ids {
		if err := r.deleteOne(ctx, bucket, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *removal) deleteOne(ctx context.Context, bucket string, id oss.ObjectID) error {
	if !r.dryRun {
		_, err := r.client.DeleteObject(ctx, &oss.DeleteObjectRequest{Bucket: bucket, Key: id.Key, VersionID: id.VersionID})
		if err != nil {
			return r.fail(transfer.Failure{Action: transfer.Delete, Operation: "DeleteObject", Bucket: bucket, Key: id.Key, VersionID: id.VersionID}, err)
		}
	}
	return r.removed(bucket, id)
}

func (r *removal) allRemoved(bucket string, ids []oss.ObjectID) error {
	for _, id := range ids {
		if err := r.removed(bucket, id); err != nil {
			return err
		}
	}
	return nil
}

func (r *removal) removed(bucket string, id oss.ObjectID) error {
	entry := deletedEntry{Type: "deleted", Bucket: bucket, Key: id.Key, VersionID: id.VersionID, DryRun: r.dryRun}
	version := ""
	if id.VersionID != "" {
		version = ", version " + line(id.VersionID)
	}
	return r.succeed(entry, "%s %s%s", r.verb("deleted", "would delete"), line(location{Bucket: bucket, Key: id.Key}.String()), version)
}

func (r *removal) verb(done, would string) string {
	if r.dryRun {
		return would
	}
	return done
}

// abortIn returns what aborts an upload of a bucket.
func (r *removal) abortIn(bucket string) func(context.Context, oss.Upload) error {
	return func(ctx context.Context, u oss.Upload) error {
		_, err := r.abort(ctx, bucket, u)
		return err
	}
}

// abort aborts an upload. One that is gone by now, completed or aborted by
// somebody else, is left alone: that is no error, and not done either.
func (r *removal) abort(ctx context.Context, bucket string, u oss.Upload) (done bool, err error) {
	if !r.dryRun {
		_, err := r.client.AbortMultipartUpload(ctx, &oss.AbortMultipartUploadRequest{Bucket: bucket, Key: u.Key, UploadID: u.UploadID})
		if errors.Is(err, oss.ErrNoSuchUpload) {
			return false, nil
		}
		if err != nil {
			return false, r.fail(transfer.Failure{Action: abortAction, Operation: "AbortMultipartUpload", Bucket: bucket, Key: u.Key, UploadID: u.UploadID}, err)
		}
	}
	entry := abortedEntry{Type: "aborted", Bucket: bucket, Key: u.Key, UploadID: u.UploadID, DryRun: r.dryRun}
	return true, r.succeed(entry, "%s %s, upload %s", r.verb("aborted", "would abort"), line(location{Bucket: bucket, Key: u.Key}.String()), line(u.UploadID))
}
