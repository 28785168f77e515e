// Package engine opens the pair of engines that a server runs on: kv.Engine for
// names and blob.Engine for bytes. It is the only room that knows the
// implementations, and it owns the layout of the data directory:
//
//	DIR/LOCK              held while a process has the directory open
//	DIR/VERSION           "ossa data format 1\n"
//	DIR/meta/             rows, kept by package pebblekv
//	DIR/blob/             extents, kept by package fileblob
//	DIR/root-credentials  root access key, readable by its owner only; absent
//	                      when the key always came from outside
//	DIR/keyring           key ring, unless it lies elsewhere: package kms
//
// VERSION is written, durably, before meta and blob are made. A directory that
// has anything in it but no VERSION is not ours and is refused, so that a wrong
// --data never mixes our files with another program's. A VERSION with a greater
// number is refused too: its files may mean something this release cannot know.
//
// All files are reached through one vfs.FS, so that a test can put a whole
// server on one crashable file system in memory.
package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/fileblob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
	"github.com/ossastore/ossa/internal/smallfile"
)

// Options say where the data is.
type Options struct {
	// Dir is the data directory. It must be set, and be absolute on the file
	// system of the machine: within one process, those who open it exclude
	// each other by that name. Between processes the spelling does not matter.
	Dir string

	// FS holds Dir. Default: the file system of the machine.
	FS vfs.FS

	// MustExist refuses a Dir that is not a data directory yet, instead of
	// making one.
	MustExist bool

	// Logger gets what the engines have to say. Default: nothing is logged.
	Logger *slog.Logger
}

// EnsureDefaults fills in what is unset.
func (o *Options) EnsureDefaults() {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
}

// Engine is an opened pair. The pair and everything else of the directory
// belong to this process until Close.
type Engine struct {
	KV   kv.Engine
	Blob blob.Engine

	dir    string // "" in memory
	fs     vfs.FS
	unlock io.Closer
}

// Open opens the data directory, making it if there is none. ErrLocked,
// ErrNewer, ErrNotData, ErrMissing and ErrIncomplete tell what the user can do
// something about; their text names the directory.
func Open(o Options) (_ *Engine, err error) {
	o.EnsureDefaults()
	e := &Engine{dir: o.Dir, fs: o.FS}
	defer func() {
		if err != nil {
			err = errors.Join(err, e.Close())
		}
	}()

	if e.unlock, err = openDir(o.FS, o.Dir, o.MustExist); err != nil {
		return nil, err
	}
	if err := e.openEngines(o); err != nil {
		return nil, err
	}
	// The engines sync what is in their folders; that the folders are there is ours.
	if err := smallfile.SyncDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("open %s: %w", o.Dir, err)
	}
	return e, nil
}

// openEngines opens metadata and data files. A first start makes them in this
// order, each durable before the next step, so that one of them being new
// beside the other in use means that something was lost: with new names, the
// next sweep would delete all bytes; with new files, numbers in old names would
// come to mean other bytes.
func (e *Engine) openEngines(o Options) error {
	blobDir := o.FS.PathJoin(o.Dir, blobName)
	_, err := o.FS.Stat(blobDir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look at data directory: %w", err)
	}
	hasBytes := err == nil

	names, err := pebblekv.Open(o.FS.PathJoin(o.Dir, metaName),
		pebblekv.Options{FS: o.FS, Logger: o.Logger, MustExist: hasBytes})
	if errors.Is(err, pebblekv.ErrMissing) {
		return fmt.Errorf("%w: %s has data files in %s and no metadata in %s; restore both from one backup",
			ErrIncomplete, o.Dir, blobName, metaName)
	}
	if err != nil {
		return err
	}
	e.KV = names

	if !hasBytes {
		used, _, err := names.Partitions(context.Background(), "", 1)
		if err != nil {
			return fmt.Errorf("look at metadata: %w", err)
		}
		if len(used) > 0 {
			return fmt.Errorf("%w: %s has metadata in %s and no data files in %s; restore both from one backup",
				ErrIncomplete, o.Dir, metaName, blobName)
		}
	}
	bytes, err := fileblob.Open(blobDir, fileblob.Options{FS: o.FS, Logger: o.Logger})
	if err != nil {
		return err
	}
	e.Blob = bytes
	return nil
}

// Memory is a pair that lives in memory and is lost with it, for tests.
func Memory() *Engine {
	return &Engine{KV: memkv.New(), Blob: memblob.New()}
}

// Close closes the engines and then lets go of the directory. Whoever uses the
// engines must have stopped. It may be called more than once.
func (e *Engine) Close() error {
	var errs []error
	if e.Blob != nil {
		errs = append(errs, e.Blob.Close())
	}
	if e.KV != nil {
		errs = append(errs, e.KV.Close())
	}
	if e.unlock != nil {
		errs = append(errs, e.unlock.Close())
	}
	e.Blob, e.KV, e.unlock = nil, nil, nil
	return errors.Join(errs...)
}
