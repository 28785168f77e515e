// Package faultkv is a kv.Engine over another whose changes end in
// kv.ErrUnknown when a test says so: applied, not applied, or applied later. It
// never lies: what it answers besides is what the engine below answers.
package faultkv

import (
	"bytes"
	"context"
	"sync"

	"github.com/ossastore/ossa/internal/kv"
)

// Outcome is what becomes of one change.
type Outcome int

const (
	Pass              Outcome = iota // as if faultkv were not there
	UnknownNotApplied                // ErrUnknown; never applied
	UnknownApplied                   // ErrUnknown; applied if it could be
	UnknownLater                     // ErrUnknown; applied by Release, if it can be by then
)

// Engine is a kv.Engine, and a kv.Lister if the one below is.
type Engine struct {
	kv.Engine
	decide func(op string) Outcome

	mu    sync.Mutex
	later []func() error
}

// New returns inner with faults. decide is called once for each change, with
// "Create", "Commit" or "Drop", and possibly by several goroutines at once.
func New(inner kv.Engine, decide func(op string) Outcome) *Engine {
	return &Engine{Engine: inner, decide: decide}
}

// Create makes a partition, or not. See kv.Engine.
func (e *Engine) Create(ctx context.Context, p kv.Partition, rows []kv.Write) error {
	if err := e.Limits().CheckCreate(p, rows); err != nil {
		return err
	}
	rows = cloneWrites(rows)
	return e.change(ctx, "Create", func(ctx context.Context) error { return e.Engine.Create(ctx, p, rows) })
}

// Commit applies writes under guards, or not. See kv.Engine.
func (e *Engine) Commit(ctx context.Context, p kv.Partition, guards []kv.Guard, writes []kv.Write) error {
	if err := e.Limits().CheckCommit(p, guards, writes); err != nil {
		return err
	}
	guards = cloneGuards(guards)
	writes = cloneWrites(writes)
	return e.change(ctx, "Commit", func(ctx context.Context) error { return e.Engine.Commit(ctx, p, guards, writes) })
}

// Drop removes a partition, or not. See kv.Engine.
func (e *Engine) Drop(ctx context.Context, p kv.Partition) error {
	if err := kv.CheckPartition(p); err != nil {
		return err
	}
	return e.change(ctx, "Drop", func(ctx context.Context) error { return e.Engine.Drop(ctx, p) })
}

func (e *Engine) change(ctx context.Context, op string, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	switch e.decide(op) {
	case UnknownNotApplied:
		return kv.ErrUnknown
	case UnknownApplied:
		_ = do(context.WithoutCancel(ctx)) // a conflict is unknown to the caller too
		return kv.ErrUnknown
	case UnknownLater:
		e.mu.Lock()
		defer e.mu.Unlock()
		e.later = append(e.later, func() error { return do(context.WithoutCancel(ctx)) })
		return kv.ErrUnknown
	}
	return do(ctx)
}

// Release applies the changes that were put off, in their order, and returns
// how many of them had an effect. Those whose guards do not hold any more have
// none.
func (e *Engine) Release() (applied int) {
	e.mu.Lock()
	later := e.later
	e.later = nil
	e.mu.Unlock()
	for _, do := range later {
		if do() == nil {
			applied++
		}
	}
	return applied
}

// Partitions lists the names of partitions. See kv.Lister. An engine below
// that cannot is kv.ErrInvalid.
func (e *Engine) Partitions(ctx context.Context, after kv.Partition, limit int) ([]kv.Partition, bool, error) {
	lister, ok := e.Engine.(kv.Lister)
	if !ok {
		return nil, false, kv.ErrInvalid
	}
	return lister.Partitions(ctx, after, limit)
}

func cloneWrites(writes []kv.Write) []kv.Write {
	clones := make([]kv.Write, len(writes))
	for i, w := range writes {
		clones[i] = kv.Write{Key: bytes.Clone(w.Key), Value: bytes.Clone(w.Value)}
	}
	return clones
}

func cloneGuards(guards []kv.Guard) []kv.Guard {
	clones := make([]kv.Guard, len(guards))
	for i, g := range guards {
		clones[i] = kv.Guard{Key: bytes.Clone(g.Key), Value: bytes.Clone(g.Value)}
	}
	return clones
}
