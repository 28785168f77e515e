// Package transfer moves many objects: from a folder to a bucket, back, or
// from one bucket to another.
//
// A run has one planner, which reads the source (and, where it must be
// compared, the target) in the order of names, and workers, which do what is to
// be done. What it keeps true:
//
//   - Memory does not grow with the number of objects: both sides are read as
//     streams in the same order and merged. What grows is the list of names of
//     one directory of this machine, a few bytes each, while that is read.
//   - One failure does not end a run. It goes into the report, and the
//     others go on; a failure that all others would share ends it (see fatal).
//   - Nothing is written or deleted outside of the target folder, whatever
//     the names of objects are: see SafeName, and os.Root, which holds even if
//     somebody changes the folder meanwhile.
//   - Deletion comes last, and not at all if a part of the source could not be
//     read.
//   - Run returns after its goroutines have ended.
package transfer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ossastore/ossa/oss"
)

// Action is what is done to one object or file.
type Action string

// The actions.
const (
	Upload   Action = "upload"
	Download Action = "download"
	Copy     Action = "copy"
	Delete   Action = "delete"
)

// Task is one thing to do.
type Task struct {
	Action Action
	Name   string // below both roots, with slashes; of a single object its base name

	Path        string         // of the file here: source of an upload, target of a download, what is deleted
	Bucket, Key string         // of the object: target of uploads and copies, source of a download, what is deleted
	From        oss.CopySource // of a copy

	// Into is the directory that the file of a single download is put into, as Name:
	// it is not left, even if there is a symbolic link of that name.
	Into string

	Size     int64 // bytes of the source, -1 if unknown
	Modified time.Time

	root  *os.Root // that Path is below, with Name; nil for a single file
	local string   // the name below root
	etag  string   // of the source, if it is an object
}

// Source says where a task takes from.
func (t *Task) Source() string {
	switch t.Action {
	case Upload:
		return t.Path
	case Copy:
		return "oss://" + t.From.Bucket + "/" + t.From.Key
	case Delete:
		return ""
	}
	return "oss://" + t.Bucket + "/" + t.Key
}

// Target says what a task makes or deletes.
func (t *Task) Target() string {
	if t.Action == Download || t.Action == Delete && t.Bucket == "" {
		return t.Path
	}
	return "oss://" + t.Bucket + "/" + t.Key
}

// Status is how a task ended.
type Status string

// The ways.
const (
	Done    Status = "done"
	Skipped Status = "skipped"
	Planned Status = "planned" // a dry run would have done it
	Failed  Status = "failed"
	Stopped Status = "stopped" // the run was cancelled
)

// Outcome is what became of a task.
type Outcome struct {
	Status Status
	Reason string // of what was skipped
	Err    error

	Size    int64 // bytes of the object
	Moved   int64 // bytes over the network
	Resumed bool
	ETag    string
	CRC64   oss.CRC64
	Version string
	Notes   []string
	Took    time.Duration
}

// Observer is told how a run goes, by many goroutines at once. It must not block.
type Observer interface {
	// Counted tells how much there is in the source, once, after Options.Count.
	Counted(files, bytes int64)
	Began(t *Task)
	Moved(t *Task, p oss.Progress)

	// Ended is called for every task, also for those that Began was not.
	Ended(t *Task, o *Outcome)
}

// Mode says which objects are transferred.
type Mode int

// The modes.
const (
	Always    Mode = iota
	Newer          // those that are missing in the target or older there
	Different      // those that are missing in the target or have another size or CRC-64
)

// Links says what becomes of symbolic links in a folder that is read.
type Links string

// What becomes of them.
const (
	FollowFiles Links = "files" // links to files are read as files; those to directories are skipped
	FollowAll   Links = "all"   // links to directories are entered, unless they lead back
	SkipLinks   Links = "skip"
)

// Options are the settings of a run.
type Options struct {
	Client   *oss.Client
	Jobs     int   // objects at a time; default 16, of which 8 can be of 8 MiB or more
	Parallel int   // parts of an object at a time; default that of oss
	PartSize int64 // default that of oss

	Mode   Mode
	Filter Filter
	DryRun bool
	Count  bool // the source, besides, for the observer

	// Of uploads and copies.
	Object          Object
	ForbidOverwrite bool
	Delta           bool
	Restart         bool // take up nothing of an earlier run

	// Delete deletes what is in the target and not in the source. Names that the
	// filter leaves out are neither.
	// If the source is empty nothing is deleted, unless DeleteAll.
	Delete, DeleteAll bool

	Journal  *Journal // nil for none
	Report   *Report  // of failures; nil for none
	Observer Observer // nil for none
	Now      func() time.Time
}

// Object is what objects get besides their bytes.
type Object struct {
	oss.Attributes // a content type that is "" follows from the name
	Tags           []oss.Tag
	ACL            oss.ACL
	Header         map[string][]string // of uploads only

	// Replace says that a copy gets Attributes, and ReplaceTags that it gets Tags,
	// instead of those of its source.
	Replace, ReplaceTags bool
}

const (
	defaultJobs = 16
	largeJobs   = 8 // by default; they have several connections each
	maxJobs     = 256
	queued      = 256 // pairs between planner and workers
)

// Summary is what a run did.
type Summary struct {
	Done, Skipped, Failed, Deleted int64 // numbers of files and objects
	Bytes                          int64 // of the objects that were transferred
	Moved                          int64 // over the network
	Took                           time.Duration

	// KeptBack is why nothing was deleted although that was asked for and there is
	// something to delete.
	KeptBack string
}

// run is one call of Run or RunOne.
type run struct {
	Options
	action Action
	source Tree
	target Tree
	root   *os.Root // of a target folder

	dirs  dirCache
	large chan struct{} // holds one for each large object under way
	spool *spool
	sync  atomic.Bool // small files were written and not synced

	done, skipped, failed, deleted, bytes, moved atomic.Int64

	cancel context.CancelCauseFunc
	unread atomic.Bool // a part of the source could not be read
	found  atomic.Bool // something is in the source
	streak atomic.Int64
}

func newRun(o Options) (*run, error) {
	large := o.Jobs
	if o.Jobs == 0 {
		o.Jobs, large = defaultJobs, largeJobs
	}
	if o.Jobs < 1 || o.Jobs > maxJobs {
		return nil, fmt.Errorf("%d jobs are not 1 to %d", o.Jobs, maxJobs)
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &run{Options: o, large: make(chan struct{}, large)}, nil
}

// Run transfers what is in one tree to another. The error says that the run
// ended early; single failures are in the summary and the report only.
func Run(ctx context.Context, o Options, source, target Tree) (*Summary, error) {
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	r.source, r.target = source, target
	began := r.Now()
	from, fromFolder := source.(*Folder)
	to, toFolder := target.(*Folder)
	switch {
	case fromFolder && toFolder:
		return nil, errors.New("both sides are folders")
	case fromFolder:
		r.action = Upload
	case toFolder:
		r.action = Download
	default:
		r.action = Copy
	}
	if fromFolder {
		if info, err := os.Stat(from.Path); err != nil {
			return nil, err
		} else if !info.IsDir() {
			return nil, fmt.Errorf("%s is no directory", from.Path)
		}
	}
	if toFolder {
		if err := r.openTarget(to); err != nil {
			return nil, err
		}
		defer r.closeTarget()
	}
	err = r.runAll(ctx)
	return r.summary(began), err
}

// openTarget makes the folder that objects go to, and confines the run to it.
func (r *run) openTarget(to *Folder) (err error) {
	if r.DryRun {
		if _, err := os.Stat(to.Path); errors.Is(err, os.ErrNotExist) {
			return nil // nothing is there to compare with
		}
	} else if err := os.MkdirAll(to.Path, 0o777); err != nil {
		return err
	}
	r.root, err = os.OpenRoot(to.Path)
	return err
}

func (r *run) closeTarget() {
	if r.root != nil {
		r.root.Close()
	}
}

func (r *run) summary(began time.Time) *Summary {
	s := &Summary{
		Done: r.done.Load(), Skipped: r.skipped.Load(), Failed: r.failed.Load(), Deleted: r.deleted.Load(),
		Bytes: r.bytes.Load(), Moved: r.moved.Load(), Took: r.Now().Sub(began),
	}
	if r.spool != nil && r.spool.count > 0 {
		s.KeptBack = r.keepBack()
	}
	return s
}

// keepBack is why nothing may be deleted, or "".
func (r *run) keepBack() string {
	switch {
	case r.unread.Load():
		return "a part of the source could not be read"
	case !r.found.Load() && !r.DeleteAll:
		return "the source is empty; --force deletes everything in the target then"
	}
	return ""
}

// runAll plans and works until all is done.
func (r *run) runAll(ctx context.Context) error {
	inner, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	r.cancel = cancel
	if r.Delete {
		var err error
		if r.spool, err = newSpool(); err != nil {
			return err
		}
		defer r.spool.close()
	}

	queue := make(chan pair, queued)
	var planner, workers sync.WaitGroup
	var planErr error
	planner.Go(func() {
		defer close(queue)
		if planErr = r.plan(inner, queue); planErr != nil {
			cancel(planErr)
		}
	})
	if r.Count {
		planner.Go(func() { r.count(inner) })
	}
	for range r.Jobs {
		workers.Go(func() {
			for p := range queue {
				if inner.Err() == nil {
					r.handle(inner, p)
				}
			}
		})
	}
	workers.Wait()
	planner.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if inner.Err() != nil {
		return context.Cause(inner)
	}
	if r.Delete && r.keepBack() == "" {
		if err := r.deleteAll(inner); err != nil {
			return err
		}
	}
	if r.sync.Load() && r.root != nil {
		return syncFolder(r.root)
	}
	return nil
}

// count adds up the source for the observer.
func (r *run) count(ctx context.Context) {
	var files, bytes int64
	for e, err := range r.source.Entries(ctx, r.Filter) {
		if err != nil {
			return
		}
		files++
		bytes += e.Size
	}
	r.Observer.Counted(files, bytes)
}

// end counts what became of a task, and tells about it.
func (r *run) end(t *Task, o *Outcome) {
	switch o.Status {
	case Failed:
		r.failed.Add(1)
		if r.Report != nil {
			r.Report.Add(failureOf(t, o.Err))
		}
		if err := r.fatal(o.Err); err != nil && r.cancel != nil {
			r.cancel(err)
		}
	case Skipped:
		r.skipped.Add(1)
	case Done, Planned:
		r.streak.Store(0)
		if t.Action == Delete {
			r.deleted.Add(1)
		} else {
			r.done.Add(1)
			r.bytes.Add(o.Size)
			r.moved.Add(o.Moved)
		}
	}
	r.Observer.Ended(t, o)
}

// hopelessCodes are answers that every other request would get, too.
var hopelessCodes = []string{
	"NoSuchBucket", "InvalidBucketName", "InvalidAccessKeyId", "SignatureDoesNotMatch", "SecurityTokenExpired", "InvalidSecurityToken",
	"RequestTimeTooSkewed", "UserDisable", "ArrearageError",
}

// Hopeless tells whether a failure is one that whatever is done next would have, too.
func Hopeless(err error) bool {
	var refusal *oss.Error
	return errors.As(err, &refusal) && slices.Contains(hopelessCodes, refusal.Code)
}

// InRowMax is how many failures in a row that are not about what is worked on end
// a run: the server is gone, or the disk is full.
const InRowMax = 20

// fatal returns the error that ends the run, if err is one of those.
func (r *run) fatal(err error) error {
	if Hopeless(err) {
		return err
	}
	var refusal *oss.Error
	if errors.As(err, &refusal) && refusal.Status < 500 {
		r.streak.Store(0)
		return nil
	}
	var name *NameError
	if errors.As(err, &name) || errors.Is(err, os.ErrPermission) || errors.Is(err, os.ErrNotExist) || errors.Is(err, oss.ErrTargetBusy) {
		return nil
	}
	if r.streak.Add(1) >= InRowMax {
		return fmt.Errorf("%d failures in a row, the last one: %w", InRowMax, err)
	}
	return nil
}

type nobody struct{}

func (nobody) Counted(int64, int64)      {}
func (nobody) Began(*Task)               {}
func (nobody) Moved(*Task, oss.Progress) {}
func (nobody) Ended(*Task, *Outcome)     {}

// localPath is where a name of a tree is on this machine.
func localPath(root, name string) string { return filepath.Join(root, filepath.FromSlash(name)) }
