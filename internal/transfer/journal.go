package transfer

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
)

// Journal remembers of the files of one folder which bytes they have and which
// object has the same, so that the next run need neither read a file nor ask the
// server about it. It is believed only while size and time of the file and the
// ETag of the object are what they were. Without it, everything is found out
// anew: it can be deleted at any time, and one that is damaged or of something
// else is begun anew.
//
// It is one partition of rows in a directory of its own:
//
//	"h"          what the journal is of
//	"n"          how many commits there were, in decimal
//	"f" <name>   of a file: the version 1, then as little-endian uint64 its size,
//	             its time in nanoseconds since 1970, and its CRC-64; the rest is the ETag
//
// Rows are committed some at a time. A crash loses the latest ones, and a second's
// work at most. A nil Journal knows nothing.
type Journal struct {
	engine kv.Engine
	scope  []byte
	now    func() time.Time

	mu      sync.Mutex
	commits int
	waiting map[string][]byte // rows that are not committed; nil deletes
	flushed time.Time
	err     error // why no more is written
}

// ErrJournalBusy says that another run has the journal.
var ErrJournalBusy = errors.New("another run has the journal")

const (
	journalPartition = kv.Partition("files")
	commitsRow       = "n"
	fileRow          = "f"
	rowVersion       = 1
	rowHead          = 1 + 3*8

	flushEvery = time.Second
	flushRows  = 500
	journalMem = 4 << 20 // bytes of the cache
)

// OpenJournal opens the journal in a directory, which it makes.
func OpenJournal(dir, scope string, now func() time.Time) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, err
	}
	j, err := openJournal(dir, scope, now)
	if err == nil || errors.Is(err, ErrJournalBusy) {
		return j, err
	}
	if err := clearDirectory(dir); err != nil {
		return nil, err
	}
	return openJournal(dir, scope, now)
}

// prunedName is what a journal is called that is being removed, beside its name.
const prunedName = ".old"

var journalName = regexp.MustCompile(`^[0-9a-f]{24}(` + regexp.QuoteMeta(prunedName) + `)?$`)

// JournalName is the directory of a journal below that of all of them.
func JournalName(scope string) string {
	sum := sha256.Sum256([]byte(scope))
	return hex.EncodeToString(sum[:12])
}

// PruneJournals removes the journals below dir in which nothing was written since
// a time, as opening one does. What else there is it leaves alone. Whoever has
// such a journal open loses what is in it, and no more.
func PruneJournals(dir string, since time.Time) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	var failed []error
	for _, e := range entries {
		name := filepath.Join(dir, e.Name())
		if !e.IsDir() || !journalName.MatchString(e.Name()) {
			continue
		}
		old := strings.HasSuffix(name, prunedName) // an earlier removal did not end
		if !old {
			written, err := lastWritten(name)
			if err != nil || !written.Before(since) {
				failed = append(failed, err)
				continue
			}
			// Whoever opens it from here on begins anew, and not with half of it.
			if err := errors.Join(os.RemoveAll(name+prunedName), os.Rename(name, name+prunedName)); err != nil {
				failed = append(failed, err)
				continue
			}
			name += prunedName
		}
		failed = append(failed, os.RemoveAll(name))
	}
	return errors.Join(append(failed, err)...)
}

// lastWritten is the time of the newest file in a directory, or of itself if it is
// empty.
func lastWritten(dir string) (time.Time, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return time.Time{}, err
	}
	var last time.Time
	for _, e := range entries {
		info, err := e.Info()
		if err != nil {
			return time.Time{}, err // somebody works there
		}
		if info.ModTime().After(last) {
			last = info.ModTime()
		}
	}
	if len(entries) == 0 {
		info, err := os.Stat(dir)
		if err != nil {
			return time.Time{}, err
		}
		last = info.ModTime()
	}
	return last, nil
}

// clearDirectory removes what is in a directory.
func clearDirectory(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

func openJournal(dir, scope string, now func() time.Time) (*Journal, error) {
	engine, err := pebblekv.Open(dir, pebblekv.Options{CacheBytes: journalMem, ReserveBytes: -1, Now: now})
	if errors.Is(err, pebblekv.ErrLocked) {
		return nil, fmt.Errorf("%w: %s", ErrJournalBusy, dir)
	}
	if err != nil {
		return nil, err
	}
	j := &Journal{engine: engine, scope: []byte(scope), now: now, waiting: map[string][]byte{}, flushed: now()}
	if err := j.load(context.Background()); err != nil {
		return nil, errors.Join(err, engine.Close())
	}
	return j, nil
}

func (j *Journal) load(ctx context.Context) error {
	rows, err := j.engine.Get(ctx, journalPartition, []byte(kv.HeaderKey), []byte(commitsRow))
	if err != nil {
		return err
	}
	if rows[0].Value == nil {
		return j.engine.Create(ctx, journalPartition, []kv.Write{
			{Key: []byte(kv.HeaderKey), Value: j.scope}, {Key: []byte(commitsRow), Value: []byte("0")},
		})
	}
	if !bytes.Equal(rows[0].Value, j.scope) {
		return errors.New("it is of something else")
	}
	j.commits, err = strconv.Atoi(string(rows[1].Value))
	return err
}

// Close commits what waits. The error says that it could not be, or that an
// earlier commit failed; the next run finds out more for itself then.
func (j *Journal) Close() error {
	if j == nil {
		return nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flush()
	return errors.Join(j.err, j.engine.Close())
}

// fingerprint is what a file was found to be: its bytes, and the object that has
// the same.
type fingerprint struct {
	crc  uint64
	etag string
}

// get returns what is known of a file in a state.
func (j *Journal) get(name string, state fileState) (fingerprint, bool) {
	if j == nil {
		return fingerprint{}, false
	}
	rows, err := j.engine.Get(context.Background(), journalPartition, []byte(fileRow+name))
	if err != nil {
		return fingerprint{}, false
	}
	row := rows[0].Value
	if len(row) < rowHead || row[0] != rowVersion || !bytes.Equal(row[1:17], state.encode()) {
		return fingerprint{}, false
	}
	return fingerprint{crc: binary.LittleEndian.Uint64(row[17:]), etag: string(row[rowHead:])}, true
}

// put notes what a file in a state is.
func (j *Journal) put(name string, state fileState, f fingerprint) {
	row := append([]byte{rowVersion}, state.encode()...)
	row = binary.LittleEndian.AppendUint64(row, f.crc)
	j.write(name, append(row, f.etag...))
}

// forget drops what is known of a file.
func (j *Journal) forget(name string) { j.write(name, nil) }

func (j *Journal) write(name string, row []byte) {
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.err != nil {
		return
	}
	j.waiting[name] = row
	if len(j.waiting) >= flushRows || j.now().Sub(j.flushed) >= flushEvery {
		j.flush()
	}
}

// flush commits what waits. j.mu is held.
func (j *Journal) flush() {
	j.flushed = j.now()
	if len(j.waiting) == 0 || j.err != nil {
		return
	}
	before, after := strconv.Itoa(j.commits), strconv.Itoa(j.commits+1)
	guards := []kv.Guard{{Key: []byte(kv.HeaderKey), Value: j.scope}, {Key: []byte(commitsRow), Value: []byte(before)}}
	writes := []kv.Write{{Key: []byte(commitsRow), Value: []byte(after)}}
	for name, row := range j.waiting {
		writes = append(writes, kv.Write{Key: []byte(fileRow + name), Value: row})
	}
	j.err = j.engine.Commit(context.Background(), journalPartition, guards, writes)
	j.commits++
	clear(j.waiting)
}

// encode is how a state stands in a row.
func (s fileState) encode() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(s.size))
	return binary.LittleEndian.AppendUint64(b, uint64(s.modified.UnixNano()))
}

func etagOf(sum [16]byte) string { return strings.ToUpper(hex.EncodeToString(sum[:])) }
