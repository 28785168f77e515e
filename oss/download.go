package oss

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"runtime"

	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/partial"
)

// DownloadRequest makes a file of an object of any size.
type DownloadRequest struct {
	Bucket, Key string
	VersionID   string

	// Root, if not nil, is a directory that name is below: nothing is written
	// outside of it, whatever name is and whatever symbolic links are there. A
	// symbolic link under the name itself is an error then.
	Root *os.Root

	PartSize int64 // what is asked for at a time; default 8 MiB, more for very large objects
	Parallel int   // ranges at a time, 1 to 256; 0 begins with 4 and takes more as UploadRequest does

	// Restart fetches everything anew, even if an earlier call left a part of it.
	Restart bool

	Header http.Header // further headers of HeadObject and GetObject

	// ForbidOverwrite replaces no file: if there is one, or one has come meanwhile,
	// the error is fs.ErrExist.
	ForbidOverwrite bool

	// Progress is told how far it is, as in UploadRequest.
	Progress func(Progress)
}

// DownloadResult is the object that was fetched.
type DownloadResult struct {
	ObjectInfo
	Resumed      bool
	BytesKept    int64 // that an earlier call had fetched
	BytesFetched int64
	Verified     bool // by CRC-64; false if the server does not tell it
	Notes        []string
}

const (
	downloadPartSize = 8 << 20
	maxRanges        = 10000
)

// PartialName is the name of the file that a download fills, beside its target:
// with .ossa-partial at its end, and shortened if that would be too long.
func PartialName(name string) string { return partial.Name(name) }

// ErrTargetBusy says that another download is on its way to the same name.
var ErrTargetBusy = partial.ErrBusy

// DownloadFile fetches an object into a file. It is fetched in ranges, several
// at a time, all of them of the same version of the object: if that is replaced
// on the way the error is ErrSourceChanged. The file appears under its name when
// all bytes are there and have the CRC-64 that the server tells; whatever had
// that name is replaced then, and not before.
//
// Until then the bytes are in the file PartialName. A call that failed or was
// killed leaves it, and the next one goes on: it reads what is there and keeps
// the ranges whose checksum is the one that was noted when they came. While one
// call fetches to a name, another one is ErrTargetBusy, in other processes as well;
// on Windows it is for the callers to see to that.
func (c *Client) DownloadFile(ctx context.Context, name string, q *DownloadRequest) (*DownloadResult, error) {
	d := &downloader{c: c, q: q, name: name}
	res, err := d.run(ctx)
	if err != nil {
		return nil, err
	}
	d.track.phase(Finished)
	return res, nil
}

// downloader is one call of DownloadFile.
type downloader struct {
	c     *Client
	q     *DownloadRequest
	name  string
	track *tracker

	parallel int
	spare    *spare // for more, nil for none
	info     *ObjectInfo
	size     int64
	partSize int64
	f        *os.File
	sums     []uint64 // of the ranges
	have     []bool
	res      *DownloadResult
}

func (d *downloader) fail(err error) error { return opError("Download", d.q.Bucket, d.q.Key, err) }

func (d *downloader) run(ctx context.Context) (*DownloadResult, error) {
	if err := d.prepare(ctx); err != nil {
		return nil, err
	}
	var err error
	if d.f, err = partial.Open(d.q.Root, PartialName(d.name)); err != nil {
		return nil, d.fail(err)
	}
	defer d.f.Close()

	if !d.q.Restart {
		if err := d.resume(ctx); err != nil {
			return nil, err
		}
	}
	if err := d.begin(); err != nil {
		return nil, d.fail(err)
	}
	d.track.phase(Transferring)
	if err := d.fetchMissing(ctx); err != nil {
		return nil, err
	}
	d.track.phase(Completing)
	if err := d.finish(); err != nil {
		return nil, d.fail(err)
	}
	return d.res, nil
}

// prepare learns what the object is.
func (d *downloader) prepare(ctx context.Context) error {
	d.track = newTracker(d.q.Progress, -1)
	d.track.phase(Preparing)
	d.parallel = d.q.Parallel
	if d.parallel == 0 {
		d.parallel, d.spare = defaultParallel, &d.c.spare
	}
	if d.parallel < 1 || d.parallel > maxParallel {
		return d.fail(fmt.Errorf("%d ranges at a time are not 1 to %d", d.parallel, maxParallel))
	}
	if d.q.PartSize < 0 {
		return d.fail(fmt.Errorf("ranges of %d bytes", d.q.PartSize))
	}
	if err := d.checkTarget(); err != nil {
		return d.fail(err)
	}
	info, err := d.c.HeadObject(ctx, &HeadObjectRequest{Bucket: d.q.Bucket, Key: d.q.Key, VersionID: d.q.VersionID, Header: d.q.Header})
	if err != nil {
		return err
	}
	if info.Size < 0 || info.ETag == "" || len(info.ETag) > journalETag {
		return d.fail(errors.New("the server tells no size or no usable ETag"))
	}
	if info.Size > MaxParts*MaxPartSize {
		return d.fail(fmt.Errorf("the server tells a size of %d bytes, which no object has", info.Size))
	}
	d.info, d.size = info, info.Size
	d.res = &DownloadResult{ObjectInfo: *info}
	d.track.total(d.size)
	d.partSize = d.q.PartSize
	if d.partSize == 0 {
		d.partSize = downloadPartSize
	}
	d.partSize = min(d.partSize, MaxPartSize)
	for (d.size+d.partSize-1)/d.partSize > maxRanges {
		d.partSize *= 2
	}
	return nil
}

// checkTarget refuses a name that must not be replaced: a directory, or a device.
// Of a symbolic link it is what that leads to that is replaced.
func (d *downloader) checkTarget() error {
	if err := d.vacant(); err != nil {
		return err
	}
	if d.q.Root != nil {
		info, err := d.q.Root.Lstat(d.name)
		if err == nil && !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file", d.name)
		}
		if errors.Is(err, os.ErrNotExist) {
			return nil
		}
		return err
	}
	if real, err := filepath.EvalSymlinks(d.name); err == nil {
		d.name = real
	}
	info, err := os.Lstat(d.name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is no regular file", d.name)
	}
	return nil
}

// vacant returns an error if there is a file that must not be replaced.
func (d *downloader) vacant() error {
	if !d.q.ForbidOverwrite {
		return nil
	}
	lstat := os.Lstat
	if d.q.Root != nil {
		lstat = d.q.Root.Lstat
	}
	if _, err := lstat(d.name); err == nil {
		return &fs.PathError{Op: "write", Path: d.name, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// remove deletes the file that was filled.
func (d *downloader) remove() error {
	if runtime.GOOS == "windows" {
		d.f.Close()
	}
	if d.q.Root != nil {
		return d.q.Root.Remove(PartialName(d.name))
	}
	return os.Remove(PartialName(d.name))
}

// rename gives the file its name, durably where that can be asked for. The bytes
// are durable already: if the name is lost, the next call fetches them again.
func (d *downloader) rename() error {
	if d.q.Root != nil {
		if err := d.q.Root.Rename(PartialName(d.name), d.name); err != nil {
			return err
		}
		syncDir(d.q.Root.Open(filepath.Dir(d.name)))
		return nil
	}
	if err := os.Rename(PartialName(d.name), d.name); err != nil {
		return err
	}
	syncDir(os.Open(filepath.Dir(d.name)))
	return nil
}

// The file that a download fills has the object's bytes where they belong, and
// behind them a journal, which is cut off at the end:
//
//	header   "ossa download 1\n", then three uint64: size, part size, and the CRC-64
//	         of the rest of the header; the ETag, 64 bytes, filled up with zeros
//	slots    for each range two uint64: the CRC-64 of its bytes, and the same with
//	         all bits turned
//
// Numbers are little-endian. A slot is written after its range. Neither need be
// durable: what is not there, or is not what it was, is fetched again.
const (
	journalMagic  = "ossa download 1\n"
	journalETag   = 64
	journalHeader = len(journalMagic) + 3*8 + journalETag
	journalSlot   = 16
)

func (d *downloader) ranges() int { return int((d.size + d.partSize - 1) / d.partSize) }

func (d *downloader) section(i int) (off, n int64) {
	off = int64(i) * d.partSize
	return off, min(d.partSize, d.size-off)
}

// slotAt is where the slot of range i is.
func (d *downloader) slotAt(i int) int64 { return d.size + int64(journalHeader+journalSlot*i) }

// header is the journal's for this object.
func (d *downloader) header(partSize int64) []byte {
	h := make([]byte, journalHeader)
	n := copy(h, journalMagic)
	binary.LittleEndian.PutUint64(h[n:], uint64(d.size))
	binary.LittleEndian.PutUint64(h[n+8:], uint64(partSize))
	copy(h[n+24:], d.info.ETag)
	sum := digest.CRC64(digest.CRC64(0, h[:n+16]), h[n+24:])
	binary.LittleEndian.PutUint64(h[n+16:], sum)
	return h
}

// resume finds out which ranges an earlier call has fetched.
func (d *downloader) resume(ctx context.Context) error {
	noted, err := d.readJournal()
	if err != nil {
		return d.fail(err)
	}
	if len(noted) == 0 {
		return nil
	}
	d.track.phase(Verifying)
	err = parallel(ctx, d.parallel, noted, func(ctx context.Context, i int) error {
		sum, err := d.sumOnDisk(ctx, i)
		if err != nil {
			return d.fail(err)
		}
		if sum == d.sums[i] {
			_, n := d.section(i)
			d.track.placed(n)
			d.track.mu.Lock()
			defer d.track.mu.Unlock()
			d.have[i] = true
			d.res.BytesKept += n
		}
		return nil
	})
	if err != nil {
		return err
	}
	d.res.Resumed = d.res.BytesKept > 0
	d.note("going on: %d of %d bytes are there", d.res.BytesKept, d.size)
	return nil
}

// readJournal returns the ranges that were noted. If the file is of anything
// else than this object, have stays nil.
func (d *downloader) readJournal() (noted []int, err error) {
	info, err := d.f.Stat()
	if err != nil || info.Size() == 0 {
		return nil, err
	}
	h := make([]byte, journalHeader)
	if _, err := d.f.ReadAt(h, d.size); err != nil && err != io.EOF {
		return nil, err
	}
	partSize := int64(binary.LittleEndian.Uint64(h[len(journalMagic)+8:]))
	if !bytes.Equal(h, d.header(partSize)) || partSize <= 0 || partSize > MaxPartSize || (d.size+partSize-1)/partSize > maxRanges {
		d.note("%s is of another object or version, or damaged: it is begun anew", filepath.Base(PartialName(d.name)))
		return nil, nil
	}
	d.partSize = partSize
	d.sums, d.have = make([]uint64, d.ranges()), make([]bool, d.ranges())
	slots := make([]byte, journalSlot*d.ranges())
	if _, err := d.f.ReadAt(slots, d.slotAt(0)); err != nil && err != io.EOF {
		return nil, err
	}
	for i := range d.sums {
		s := slots[i*journalSlot:]
		d.sums[i] = binary.LittleEndian.Uint64(s)
		if d.sums[i] == ^binary.LittleEndian.Uint64(s[8:]) {
			noted = append(noted, i)
		}
	}
	return noted, nil
}

func (d *downloader) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	d.res.Notes = append(d.res.Notes, text)
	d.c.log.Info("download", "bucket", d.q.Bucket, "key", d.q.Key, "note", text)
}

// sumOnDisk reads a range that an earlier call wrote.
func (d *downloader) sumOnDisk(ctx context.Context, i int) (uint64, error) {
	off, n := d.section(i)
	r := io.NewSectionReader(d.f, off, n)
	h := newCRC()
	buf := make([]byte, min(sumBuffer, n))
	for {
		if ctx.Err() != nil {
			return 0, ended(ctx)
		}
		got, err := r.Read(buf)
		h.Write(buf[:got])
		d.track.verified(int64(got))
		if err == io.EOF {
			return h.sum, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// begin makes the file as long as it will be, without writing it, and gives it
// a journal, unless it has one.
func (d *downloader) begin() error {
	if d.have != nil {
		return nil
	}
	d.sums, d.have = make([]uint64, d.ranges()), make([]bool, d.ranges())
	if err := d.f.Truncate(0); err != nil { // nothing of what was there survives
		return err
	}
	if err := d.f.Truncate(d.slotAt(d.ranges())); err != nil {
		return err
	}
	_, err := d.f.WriteAt(d.header(d.partSize), d.size)
	return err
}

func (d *downloader) fetchMissing(ctx context.Context) error {
	var missing []int
	for i, have := range d.have {
		if !have {
			missing = append(missing, i)
		}
	}
	err := elastic(ctx, d.parallel, d.spare, missing, func(ctx context.Context, i int) (fast bool, err error) {
		_, n := d.section(i)
		began := d.c.clock.Now()
		err = d.fetch(ctx, i)
		return isFast(n, d.c.clock.Now().Sub(began)), err
	})
	d.res.BytesFetched = d.track.movedBytes()
	return err
}

// fetch fetches a range and notes it.
func (d *downloader) fetch(ctx context.Context, i int) error {
	off, n := d.section(i)
	r := &rangeReader{
		c: d.c, q: GetObjectRequest{Bucket: d.q.Bucket, Key: d.q.Key, VersionID: d.q.VersionID, Header: d.q.Header}, etag: d.info.ETag,
		ctx: ctx, off: off, left: n,
	}
	defer r.Close()
	h := newCRC()
	buf := make([]byte, min(sumBuffer, n))
	for {
		got, err := r.Read(buf)
		if got > 0 {
			h.Write(buf[:got])
			if _, err := d.f.WriteAt(buf[:got], off); err != nil {
				return d.fail(err)
			}
			off += int64(got)
			d.track.moved(int64(got))
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	partial.Flush(d.f, off-n, n)
	slot := make([]byte, journalSlot)
	binary.LittleEndian.PutUint64(slot, h.sum)
	binary.LittleEndian.PutUint64(slot[8:], ^h.sum)
	if _, err := d.f.WriteAt(slot, d.slotAt(i)); err != nil {
		return d.fail(err)
	}
	d.track.mu.Lock()
	defer d.track.mu.Unlock()
	d.sums[i], d.have[i] = h.sum, true
	if !d.info.CRC64.Known { // and was told with the bytes
		d.info.CRC64, d.res.CRC64 = r.crc, r.crc
	}
	return nil
}

// finish compares the whole and gives the file its name.
func (d *downloader) finish() error {
	var whole digest.Combiner
	for i, sum := range d.sums {
		_, n := d.section(i)
		whole.Append(sum, n)
	}
	d.res.Verified = d.info.CRC64.Known
	if !d.info.CRC64.is(whole.Sum()) {
		// Which range it is nobody can tell: nothing of it is of use.
		err := fmt.Errorf("%w: CRC-64 of the bytes received is %d, the server has %s", ErrChecksum, whole.Sum(), d.info.CRC64)
		return errors.Join(err, d.remove())
	}
	// What takes long comes before the journal is gone.
	if err := d.f.Sync(); err != nil {
		return err
	}
	if err := d.vacant(); err != nil {
		return err
	}
	if err := d.f.Truncate(d.size); err != nil {
		return err
	}
	if err := d.f.Sync(); err != nil {
		return err
	}
	if runtime.GOOS == "windows" { // which renames no open files
		if err := d.f.Close(); err != nil {
			return err
		}
	}
	return d.rename()
}

func syncDir(dir *os.File, err error) {
	if err == nil {
		dir.Sync()
		dir.Close()
	}
}
