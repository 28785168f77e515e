package fileblob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
)

// largeDirs is how many directories the large extents are spread over.
const largeDirs = 256

// Engine keeps extents in files of one directory. It implements blob.Engine,
// blob.Lister and blob.Compactor.
type Engine struct {
	opts    Options
	fs      vfs.FS
	dir     string
	lock    io.Closer
	reserve uint64 // bytes that must stay free; 0 when unbounded

	generation uint64
	counter    atomic.Uint64 // of the last file number given out

	smallDir  directory
	deletes   deletes // not yet durable
	largeDirs [largeDirs]directory

	appendMu sync.Mutex // guards active, and the order of appends to it
	active   *segment   // nil until the first small extent

	mu       sync.RWMutex
	segments map[uint64]*segment
	writing  map[uint64]struct{} // numbers of large files not yet committed

	buffers     buffers
	handles     handleCache
	loadedDead  atomic.Int64 // offsets held by the segments' dead sets
	admitted    atomic.Int64 // bytes let in that the disk's figures do not show yet
	noWriteBack atomic.Bool  // SyncTo waits for the disk here: not worth it
	short       atomic.Bool  // the disk had no room lately: see runShort
	noHoles     atomic.Bool  // files cannot have holes here

	punch func(f vfs.File, off, n int64) error // punchHole

	failure atomic.Pointer[error] // why no more is written

	life   sync.RWMutex // guards closed
	closed bool
	calls  sync.WaitGroup // running; Close waits for them

	stats counters
}

var (
	_ blob.Engine    = (*Engine)(nil)
	_ blob.Lister    = (*Engine)(nil)
	_ blob.Compactor = (*Engine)(nil)
)

// Open opens the data files in dir, which it makes when it does not exist.
// One process opens a directory at a time. Errors that wrap blob.ErrCorrupt
// say that the directory cannot be opened without risking its data.
func Open(dir string, opts Options) (*Engine, error) {
	opts.EnsureDefaults()
	if err := opts.Validate(); err != nil {
		return nil, err
	}

	e := &Engine{
		opts:     opts,
		fs:       opts.FS,
		dir:      dir,
		segments: map[uint64]*segment{},
		writing:  map[uint64]struct{}{},
		punch:    punchHole,
	}
	e.handles.init(e, opts.OpenFiles)
	e.smallDir.path = e.fs.PathJoin(dir, "small")
	for i := range e.largeDirs {
		e.largeDirs[i].path = e.fs.PathJoin(dir, "large", fmt.Sprintf("%02x", i))
	}

	if err := makeDir(e.fs, dir); err != nil {
		return nil, fmt.Errorf("fileblob: make %s: %w", dir, err)
	}
	lock, err := e.fs.Lock(e.fs.PathJoin(dir, "LOCK"))
	if err != nil {
		return nil, fmt.Errorf("fileblob: lock %s: %w", dir, err)
	}
	e.lock = lock

	if err := e.load(); err != nil {
		return nil, errors.Join(fmt.Errorf("fileblob: open %s: %w", dir, err), lock.Close())
	}
	return e, nil
}

// load begins a new generation and learns what the old ones left.
func (e *Engine) load() error {
	names, err := e.fs.List(e.dir)
	if err != nil {
		return err
	}
	hasData := false
	for _, name := range names {
		hasData = hasData || name == "small" || name == "large"
	}

	if e.generation, err = nextGeneration(e.fs, e.dir, hasData); err != nil {
		return err
	}
	if err := e.makeDirs(); err != nil {
		return err
	}
	e.settleReserve()
	return e.loadSegments()
}

func (e *Engine) makeDirs() error {
	if err := makeDir(e.fs, e.smallDir.path); err != nil {
		return err
	}
	large := e.fs.PathJoin(e.dir, "large")
	if err := makeDir(e.fs, large); err != nil {
		return err
	}

	names, err := e.fs.List(large)
	if err != nil {
		return err
	}
	if len(names) >= largeDirs {
		return nil
	}
	for i := range e.largeDirs {
		if err := e.fs.MkdirAll(e.largeDirs[i].path, 0o700); err != nil {
			return err
		}
	}
	return syncDir(e.fs, large)
}

// Create implements blob.Engine. An owner may take 2 KiB when encoded: a key
// of 1023 bytes and IDs of a thousand.
func (e *Engine) Create(ctx context.Context, owner blob.Owner, size int64) (blob.Writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := e.begin(); err != nil {
		return nil, err
	}
	defer e.calls.Done()
	if err := e.writable(); err != nil {
		return nil, err
	}

	w := &writer{engine: e, owner: owner, size: size}
	if err := w.open(); err != nil {
		return nil, err
	}
	return w, nil
}

// Close implements blob.Engine. It waits for calls that are running; writers
// not committed by then never will be.
func (e *Engine) Close() error {
	e.life.Lock()
	again := e.closed
	e.closed = true
	e.life.Unlock()
	if again {
		return nil
	}
	e.calls.Wait()

	e.appendMu.Lock()
	if e.active != nil {
		e.active.seal()
		e.active = nil
	}
	e.appendMu.Unlock()

	err := errors.Join(e.handles.close(), e.smallDir.close())
	for i := range e.largeDirs {
		err = errors.Join(err, e.largeDirs[i].close())
	}
	return errors.Join(err, e.lock.Close())
}

// begin keeps the engine open until calls.Done.
func (e *Engine) begin() error {
	e.life.RLock()
	defer e.life.RUnlock()
	if e.closed {
		return fmt.Errorf("%w: closed", blob.ErrUnavailable)
	}
	e.calls.Add(1)
	return nil
}

// fail ends all writing for good: after a failed sync nobody knows what the
// disk holds of the file, and the next sync would not tell.
func (e *Engine) fail(cause error) {
	err := fmt.Errorf("%w: %w", blob.ErrUnavailable, cause)
	if e.failure.CompareAndSwap(nil, &err) {
		e.opts.Logger.Error("data files take no more writes: a sync failed", "error", cause)
	}
}

func (e *Engine) writable() error {
	if err := e.failure.Load(); err != nil {
		return *err
	}
	return nil
}

// syncFailed turns the error of a sync into what the waiting commits get.
func (e *Engine) syncFailed(err error) error {
	if isFull(err) {
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	e.fail(err)
	return e.writable()
}

// writeFailed turns the error of a write into what the writer gets.
func writeFailed(err error) error {
	if isFull(err) {
		return fmt.Errorf("%w: %w", blob.ErrFull, err)
	}
	return fmt.Errorf("fileblob: write: %w", err)
}

// newNumber gives out a file number for good.
func (e *Engine) newNumber() (uint64, error) {
	c := e.counter.Add(1)
	if c > maxCounter {
		return 0, fmt.Errorf("%w: file numbers used up until the next opening", blob.ErrUnavailable)
	}
	return e.generation<<counterBits | c, nil
}

func fileName(number uint64) string { return fmt.Sprintf("%016x", number) }

// parseName undoes fileName; names of other shapes are not ours.
func parseName(name string) (uint64, bool) {
	n, err := strconv.ParseUint(name, 16, 64)
	return n, err == nil && fileName(n) == name
}

func (e *Engine) largeDir(number uint64) *directory { return &e.largeDirs[number%largeDirs] }

func (e *Engine) largePath(number uint64) string {
	return e.fs.PathJoin(e.largeDir(number).path, fileName(number))
}

func (e *Engine) segmentPath(number uint64) string {
	return e.fs.PathJoin(e.smallDir.path, fileName(number)+segmentSuffix)
}

func (e *Engine) deadPath(number uint64) string {
	return e.fs.PathJoin(e.smallDir.path, fileName(number)+deadSuffix)
}

// createFile makes the file of a number given out for the first time.
func (e *Engine) createFile(path string) (vfs.File, error) {
	f, err := e.fs.OpenReadWrite(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, writeFailed(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != 0 {
		// Writing on would destroy an extent that somebody may name.
		err = fmt.Errorf("%w: %s exists: the generation file is older than the data", blob.ErrCorrupt, path)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
