package transfer

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/ossastore/ossa/oss"
)

// spool is a file of names that are to be deleted at the end. They can be very
// many, and whether they may be deleted shows at the end only.
type spool struct {
	f     *os.File
	named bool
	w     *bufio.Writer
	count int64
}

func newSpool() (*spool, error) {
	f, err := os.CreateTemp("", "ossa-sync-*")
	if err != nil {
		return nil, err
	}
	// Where files need no name, one that is killed leaves nothing.
	named := os.Remove(f.Name()) != nil
	return &spool{f: f, named: named, w: bufio.NewWriter(f)}, nil
}

func (s *spool) close() {
	s.f.Close()
	if s.named {
		os.Remove(s.f.Name())
	}
}

func (s *spool) add(name string) error {
	s.count++
	_, err := s.w.WriteString(strconv.Quote(name) + "\n")
	return err
}

// each calls do with up to n names at a time.
func (s *spool) each(n int, do func(names []string) error) error {
	if err := s.w.Flush(); err != nil {
		return err
	}
	if _, err := s.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	lines := bufio.NewScanner(s.f)
	lines.Buffer(nil, 64<<10)
	var names []string
	for lines.Scan() {
		name, err := strconv.Unquote(lines.Text())
		if err != nil {
			return err
		}
		if names = append(names, name); len(names) == n {
			if err := do(names); err != nil {
				return err
			}
			names = names[:0]
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	if len(names) > 0 {
		return do(names)
	}
	return nil
}

// deleteAtATime is how many objects one request deletes.
const deleteAtATime = 1000

// deleteAll deletes what the plan found in the target only.
func (r *run) deleteAll(ctx context.Context) error {
	return r.spool.each(deleteAtATime, func(names []string) error {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		tasks := make([]*Task, len(names))
		for i, name := range names {
			tasks[i] = &Task{Action: Delete, Name: name}
			r.target.task(tasks[i], name, false)
		}
		switch {
		case r.DryRun:
			for _, t := range tasks {
				r.end(t, &Outcome{Status: Planned})
			}
		case r.action == Download:
			for _, t := range tasks {
				r.end(t, outcomeOf(r.deleteFile(t.Name)))
			}
		default:
			left, err := r.deleteObjects(ctx, tasks)
			for _, t := range tasks {
				if err == nil && left[t.Key] {
					r.end(t, outcomeOf(errNotDeleted))
					continue
				}
				r.end(t, outcomeOf(err))
			}
		}
		for _, name := range names {
			r.Journal.forget(name)
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return nil
	})
}

func outcomeOf(err error) *Outcome {
	if err != nil {
		return &Outcome{Status: Failed, Err: err}
	}
	return &Outcome{Status: Done}
}

// errNotDeleted is the failure of an object that a server left out when it said
// what it had deleted.
var errNotDeleted = errors.New("the server does not say that it was deleted")

// deleteObjects deletes objects, and returns the keys that the server does not
// confirm.
func (r *run) deleteObjects(ctx context.Context, tasks []*Task) (left map[string]bool, err error) {
	q := &oss.DeleteMultipleObjectsRequest{Bucket: tasks[0].Bucket}
	left = make(map[string]bool, len(tasks))
	for _, t := range tasks {
		q.Objects = append(q.Objects, oss.ObjectID{Key: t.Key})
		left[t.Key] = true
	}
	res, err := r.Client.DeleteMultipleObjects(ctx, q)
	if err != nil {
		return nil, err
	}
	for _, d := range res.Deleted {
		delete(left, d.Key)
	}
	return left, nil
}

// deleteFile deletes a file, and the directories that are empty then.
func (r *run) deleteFile(name string) error {
	if err := r.root.Remove(name); err != nil {
		return err
	}
	for dir := path.Dir(name); dir != "." && !strings.HasPrefix(dir, ".."); dir = path.Dir(dir) {
		if r.root.Remove(dir) != nil {
			break
		}
	}
	return nil
}
