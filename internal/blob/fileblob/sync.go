package fileblob

import (
	"errors"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// syncGroup makes one sync serve all who wait for it. Whoever comes while a
// sync runs waits for the next one, which begins when the running one ends.
type syncGroup struct {
	mu      sync.Mutex
	running *syncRound
	next    *syncRound
}

type syncRound struct {
	done chan struct{}
	err  error
}

// wait returns after a call of sync that began after wait was called, with
// its error. Calls of sync never overlap.
func (g *syncGroup) wait(sync func() error) error {
	g.mu.Lock()
	if r := g.next; r != nil {
		g.mu.Unlock()
		<-r.done
		return r.err
	}
	r := &syncRound{done: make(chan struct{})}
	g.next = r
	before := g.running
	g.mu.Unlock()

	if before != nil {
		<-before.done
	}

	g.mu.Lock()
	g.next, g.running = nil, r
	g.mu.Unlock()

	r.err = sync()

	g.mu.Lock()
	if g.running == r {
		g.running = nil
	}
	g.mu.Unlock()
	close(r.done)
	return r.err
}

// directory is a folder whose names are made durable for many at once.
type directory struct {
	path string

	mu    sync.Mutex
	file  vfs.File // opened at the first sync
	group syncGroup
}

// sync makes durable every name that was made before the call.
func (d *directory) sync(fs vfs.FS) error {
	return d.group.wait(func() error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.file == nil {
			f, err := fs.OpenDir(d.path)
			if err != nil {
				return err
			}
			d.file = f
		}
		return d.file.Sync()
	})
}

func (d *directory) close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.file == nil {
		return nil
	}
	err := d.file.Close()
	d.file = nil
	return err
}

// isFull tells whether err says that there is no room.
func isFull(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT)
}
