package oss

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"time"

	"github.com/ossastore/ossa/internal/digest"
)

// Resume says whether an upload goes on from what a server has of an earlier
// one.
type Resume int

const (
	// ResumeAuto is ResumeAlways for files and copies, and ResumeNever for streams.
	ResumeAuto Resume = iota

	// ResumeAlways looks for an open upload of the key that fits, and leaves the
	// upload open if it fails, so that the next call can go on.
	ResumeAlways

	// ResumeNever opens a new upload, and aborts it if it fails.
	ResumeNever
)

// UploadRequest makes an object of a file or a stream of any size.
type UploadRequest struct {
	Bucket, Key string

	// Body and Size are a file: bytes that can be read in any order, by many
	// goroutines at once. Size may be 0 where Body tells it itself, by a method Stat
	// or Size, as *os.File and *bytes.Reader do.
	Body io.ReaderAt
	Size int64

	// Stream is read once, from start to end, and need not tell its length.
	// Exactly one of Body and Stream is given. A Read of it that blocks delays the
	// end of a cancelled call: whoever cancels closes it.
	Stream io.Reader

	Attributes
	Tags            []Tag
	ACL             ACL
	ForbidOverwrite bool
	Header          http.Header // further headers of PutObject and InitiateMultipartUpload

	// PartSize is what parts should have. It grows if there would be too many
	// parts. 0 chooses, by the size and by how fast uploads were lately.
	PartSize int64

	// Parallel is how many parts are sent at a time, 1 to 256. 0 begins with 4, and
	// takes more for a file, up to 12, while each connection moves 8 MiB a second. All
	// transfers of a client share the 8 that come to it.
	Parallel int

	Memory int64 // of a stream, bytes in memory at a time; default 64 MiB

	Resume Resume

	// Delta copies those parts of the object that is there which are the same, in
	// the server, and sends only the others. The server says what it copied by a
	// checksum, which is compared with the file.
	Delta bool

	// SkipIdentical sends nothing if the object is there already, with the same
	// bytes and what is asked for besides. It is how a call that was killed after
	// the end of its upload finds that out.
	SkipIdentical bool

	// Progress is told how far it is, often and one call at a time. It must not
	// block: the transfer waits for it.
	Progress func(Progress)
}

// UploadResult is the object, and how it came about.
type UploadResult struct {
	ETag      string
	CRC64     uint64 // of the bytes that were read here; the server has the same
	Size      int64
	VersionID string
	UploadID  string // "" if it was no multipart upload
	PartSize  int64
	UploadReport
}

// UploadReport is what an upload did.
type UploadReport struct {
	Resumed     bool // went on with an open upload
	Skipped     bool // the object was there already
	PartsSent   int
	PartsKept   int // that the server had
	PartsCopied int // from the object that was there
	BytesSent   int64
	BytesKept   int64
	BytesCopied int64
	BytesMoved  int64 // over the network, repetitions included

	// Notes say what else happened, for people.
	Notes []string
}

// UploadError is an upload, or a copy in parts, that failed. If UploadID is not
// "", the upload is open and the same call goes on with it, unless it was not to
// be resumed and could not be aborted.
type UploadError struct {
	Bucket, Key string
	UploadID    string
	Report      UploadReport
	Err         error
}

func (e *UploadError) Error() string {
	if e.UploadID == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (upload %s of oss://%s/%s stays open)", e.Err, e.UploadID, e.Bucket, e.Key)
}

func (e *UploadError) Unwrap() error { return e.Err }

const (
	defaultParallel = 4
	maxParallel     = 256
	defaultMemory   = 64 << 20

	firstPartSize = 8 << 20  // while nothing is known about the rate
	partTime      = 4        // seconds that a part should take
	leastPartSize = 4 << 20  // that is chosen
	mostPartSize  = 64 << 20 // that is chosen, but for the number of parts

	// lastPart is the highest number of a part with data. The one above is the mark
	// of an upload.
	lastPart = MaxParts - 1

	abortTime = 30 * time.Second // for cleaning up after a failure
)

// UploadFile is Upload of the file of a name; Body, Size and Stream of q do not
// count.
func (c *Client) UploadFile(ctx context.Context, name string, q *UploadRequest) (*UploadResult, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, opError("Upload", q.Bucket, q.Key, err)
	}
	defer f.Close()
	r := *q
	r.Body, r.Size, r.Stream = f, 0, nil
	return c.Upload(ctx, &r)
}

// Upload makes an object of any size. Small ones are one PutObject; others are
// sent in parts, several at a time.
//
// What was sent is compared with what the server has by CRC-64, for each part and
// for the whole. A part that arrived damaged is sent again. A file that
// changes meanwhile makes no object: the error is ErrSourceChanged.
//
// An upload that failed or was cancelled stays open, and the same call, from any
// machine that has the file, goes on with it (see Resume). There is no
// checkpoint: the server lists its open uploads, and each part it has is compared with the
// file before it is used. Uploads of other files, and those that were opened with
// other attributes, are left alone.
func (c *Client) Upload(ctx context.Context, q *UploadRequest) (*UploadResult, error) {
	u := &uploader{c: c, q: q, size: q.Size}
	res, err := u.run(ctx)
	u.report.BytesMoved = u.track.movedBytes()
	if err == nil {
		u.track.phase(Finished)
		res.UploadReport = u.report
		return res, nil
	}
	open := u.id
	if open != "" && u.abort {
		open = u.uploads().abort(ctx, open)
	}
	return nil, &UploadError{Bucket: q.Bucket, Key: q.Key, UploadID: open, Report: u.report, Err: err}
}

// uploader is one call of Upload.
type uploader struct {
	c     *Client
	q     *UploadRequest
	track *tracker

	size     int64
	partSize int64
	parallel int
	spare    *spare // for more, nil for none
	memory   int64
	abort    bool // the upload, when it fails

	stat   func() (fs.FileInfo, error) // of the file; nil if it has none
	before fs.FileInfo

	id     string
	done   []*donePart // by index, nil for those that are missing
	old    *ObjectInfo // that parts can be copied from; nil for none
	report UploadReport
}

// donePart is a part that the server has, and that has the bytes it should.
type donePart struct {
	etag string
	crc  uint64
	size int64
}

func (u *uploader) note(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	u.report.Notes = append(u.report.Notes, text)
	u.c.log.Info("upload", "bucket", u.q.Bucket, "key", u.q.Key, "note", text)
}

func (u *uploader) fail(err error) error { return opError("Upload", u.q.Bucket, u.q.Key, err) }

// run uploads.
func (u *uploader) run(ctx context.Context) (*UploadResult, error) {
	q := u.q
	u.track = newTracker(q.Progress, -1)
	u.track.phase(Preparing)
	u.parallel = q.Parallel
	if u.parallel == 0 {
		u.parallel, u.spare = defaultParallel, &u.c.spare
	}
	u.memory = q.Memory
	if u.memory == 0 {
		u.memory = defaultMemory
	}
	check := onObject("", "", q.Bucket, q.Key, nil)
	switch {
	case check.err != nil:
		return nil, u.fail(check.err)
	case (q.Body == nil) == (q.Stream == nil):
		return nil, u.fail(errors.New("one of Body and Stream must be given"))
	case u.parallel < 1 || u.parallel > maxParallel:
		return nil, u.fail(fmt.Errorf("%d parts at a time are not 1 to %d", u.parallel, maxParallel))
	case q.PartSize != 0 && (q.PartSize < MinPartSize || q.PartSize > MaxPartSize):
		return nil, u.fail(fmt.Errorf("parts of %d bytes are not of %d to %d", q.PartSize, MinPartSize, int64(MaxPartSize)))
	case u.memory < MinPartSize:
		return nil, u.fail(fmt.Errorf("%d bytes of memory do not hold a part", u.memory))
	case q.Stream != nil && (q.Delta || q.SkipIdentical):
		return nil, u.fail(errors.New("a stream can be uploaded neither with Delta nor with SkipIdentical"))
	case q.Delta && q.ForbidOverwrite:
		return nil, u.fail(errors.New("an upload with Delta makes use of the object that ForbidOverwrite forbids"))
	}
	if q.Stream != nil {
		u.abort = q.Resume != ResumeAlways
		return u.runStream(ctx)
	}
	u.abort = q.Resume == ResumeNever
	if err := u.lookAtFile(); err != nil {
		return nil, u.fail(err)
	}
	u.track.total(u.size)
	return u.runFile(ctx)
}

// lookAtFile remembers what the file is now.
func (u *uploader) lookAtFile() error {
	if s, ok := u.q.Body.(interface{ Stat() (fs.FileInfo, error) }); ok {
		u.stat = s.Stat
		info, err := u.stat()
		if err != nil {
			return err
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%s is no regular file; as Stream it can be sent", info.Name())
		}
		if u.size == 0 {
			u.size = info.Size()
		}
		u.before = info
	} else if s, ok := u.q.Body.(interface{ Size() int64 }); ok && u.size == 0 {
		u.size = s.Size()
	}
	if u.size < 0 {
		return fmt.Errorf("a size of %d bytes", u.size)
	}
	if u.size == 0 {
		// Files of /proc have bytes and tell no size.
		if n, _ := u.q.Body.ReadAt(make([]byte, 1), 0); n > 0 {
			return errors.New("the body has bytes, and its size is 0; as Stream it can be sent")
		}
	}
	return nil
}

// unchanged returns an error if the file is no longer what it was.
func (u *uploader) unchanged() error {
	if u.stat == nil {
		return nil
	}
	info, err := u.stat()
	if err != nil {
		return err
	}
	if info.Size() != u.before.Size() || !info.ModTime().Equal(u.before.ModTime()) {
		return fmt.Errorf("%w: %s", ErrSourceChanged, info.Name())
	}
	return nil
}

// content is n bytes of the file as a body.
func (u *uploader) content(off, n int64) *content {
	body := sectionContent(u.q.Body, off, n)
	body.open = func() (io.Reader, error) {
		return &unchangedReader{r: io.NewSectionReader(u.q.Body, off, n), left: n, unchanged: u.unchanged}, nil
	}
	return body
}

// unchangedReader hands out the last of left bytes only if the file is then what
// it was: a server never gets all of a body that is partly from before a change
// and partly from after.
type unchangedReader struct {
	r         io.Reader
	left      int64
	unchanged func() error
}

func (r *unchangedReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	r.left -= int64(n)
	if err == io.EOF && r.left > 0 {
		return 0, fmt.Errorf("%w: it is shorter than it was", ErrSourceChanged)
	}
	if n > 0 && r.left <= 0 {
		if err := r.unchanged(); err != nil {
			return 0, err
		}
	}
	return n, err
}

// choosePartSize is what parts should have: what is asked for, or about what
// a connection moves in partTime.
func (u *uploader) choosePartSize() int64 {
	if u.q.PartSize != 0 {
		return u.q.PartSize
	}
	r := u.c.rate.get()
	if r == 0 {
		return firstPartSize
	}
	size := int64(leastPartSize)
	for size < mostPartSize && float64(size) < r*partTime {
		size *= 2
	}
	return size
}

// rounds bounds how often an upload begins anew because its ground was taken
// away: another client completed or aborted it, or replaced parts of it.
const rounds = 4

func (u *uploader) runFile(ctx context.Context) (*UploadResult, error) {
	var err error
	if u.partSize, err = determinePartSize(u.size, u.choosePartSize(), lastPart); err != nil {
		return nil, err
	}
	if u.q.SkipIdentical {
		if res, err := u.identical(ctx); res != nil || err != nil {
			return res, err
		}
	}
	if u.size <= u.partSize {
		return u.put(ctx)
	}
	if u.q.Delta {
		if err := u.findOld(ctx); err != nil {
			return nil, err
		}
	}
	for round := 1; ; round++ {
		res, err := u.attempt(ctx)
		if err == nil || round == rounds || ctx.Err() != nil {
			return res, err
		}
		switch {
		case errors.Is(err, ErrNoSuchUpload):
			// Gone. Another client may have completed it, with the same file.
			if res, err := u.identical(ctx); res != nil || err != nil {
				return res, err
			}
			u.note("upload %s vanished; a new one was opened", u.id)
			u.id = ""
		case errors.Is(err, ErrInvalidPart):
			u.note("parts of upload %s were replaced by another client; they were compared again", u.id)
		default:
			return nil, err
		}
	}
}

// attempt finds or opens an upload, sends what is missing and completes it.
func (u *uploader) attempt(ctx context.Context) (*UploadResult, error) {
	if err := u.open(ctx); err != nil {
		return nil, err
	}
	u.track.phase(Transferring)
	if err := u.sendMissing(ctx); err != nil {
		return nil, err
	}
	if err := u.unchanged(); err != nil {
		return nil, u.fail(err)
	}
	return u.complete(ctx)
}

// parts is how many parts the object has.
func (u *uploader) parts() int { return int((u.size + u.partSize - 1) / u.partSize) }

// section is where part i is.
func (u *uploader) section(i int) (off, n int64) {
	off = int64(i) * u.partSize
	return off, min(u.partSize, u.size-off)
}

// sendMissing sends the parts that the server does not have.
func (u *uploader) sendMissing(ctx context.Context) error {
	var missing []int
	for i, d := range u.done {
		if d == nil {
			missing = append(missing, i)
		}
	}
	return elastic(ctx, u.parallel, u.spare, missing, func(ctx context.Context, i int) (fast bool, err error) {
		off, n := u.section(i)
		if d := u.copyOld(ctx, i, off, n); d != nil {
			u.keep(i, d, &u.report.PartsCopied, &u.report.BytesCopied)
			u.track.placed(n)
			return false, nil
		}
		began := u.c.clock.Now()
		d, err := u.sendPart(ctx, i+1, u.content(off, n))
		if err != nil {
			return false, err
		}
		u.keep(i, d, &u.report.PartsSent, &u.report.BytesSent)
		return isFast(n, u.c.clock.Now().Sub(began)), nil
	})
}

// keep notes a part as done.
func (u *uploader) keep(i int, d *donePart, parts *int, bytes *int64) {
	u.track.mu.Lock()
	defer u.track.mu.Unlock()
	u.done[i] = d
	*parts++
	*bytes += d.size
}

// damagedTries is how often a part that arrived damaged is sent.
const damagedTries = 3

// sendPart sends a part until it is there undamaged.
func (u *uploader) sendPart(ctx context.Context, number int, body *content) (*donePart, error) {
	body.moved = u.track.moved
	for try := 1; ; try++ {
		began := u.c.clock.Now()
		res, crc, err := u.c.uploadPart(ctx, &UploadPartRequest{
			Bucket: u.q.Bucket, Key: u.q.Key, UploadID: u.id, PartNumber: number,
		}, body)
		if err == nil {
			u.c.rate.add(body.size, u.c.clock.Now().Sub(began))
			return &donePart{res.ETag, crc, body.size}, nil
		}
		if !errors.Is(err, ErrChecksum) || try == damagedTries {
			return nil, err
		}
		u.track.placed(-body.size)
		u.c.log.Warn("part arrived damaged and is sent again", "bucket", u.q.Bucket, "key", u.q.Key, "part", number)
	}
}

// complete makes the object, and compares the whole of it.
func (u *uploader) complete(ctx context.Context) (*UploadResult, error) {
	u.track.phase(Completing)
	q := &CompleteMultipartUploadRequest{
		Bucket: u.q.Bucket, Key: u.q.Key, UploadID: u.id, ACL: u.q.ACL, ForbidOverwrite: u.q.ForbidOverwrite,
	}
	var whole digest.Combiner
	for i, d := range u.done {
		q.Parts = append(q.Parts, CompletePart{i + 1, d.etag})
		whole.Append(d.crc, d.size)
	}
	res, err := u.uploads().complete(ctx, q, &u.q.Attributes, u.q.Tags, u.q.Header)
	if err != nil {
		return nil, err
	}
	id := u.id
	u.id = "" // it is no more
	if !res.CRC64.is(whole.Sum()) {
		return nil, u.fail(fmt.Errorf("%w: CRC-64 of the bytes sent is %d, the object has %s", ErrChecksum, whole.Sum(), res.CRC64))
	}
	return &UploadResult{
		ETag: res.ETag, CRC64: whole.Sum(), Size: u.size, VersionID: res.VersionID, UploadID: id, PartSize: u.partSize,
	}, nil
}

// put makes a small object in one request.
func (u *uploader) put(ctx context.Context) (*UploadResult, error) {
	u.track.phase(Transferring)
	res, err := u.putBody(ctx, u.content(0, u.size))
	if err != nil {
		return nil, err
	}
	if err := u.unchanged(); err != nil {
		return nil, u.fail(err) // now, and the object is of before
	}
	return res, nil
}

func (u *uploader) putBody(ctx context.Context, body *content) (*UploadResult, error) {
	q := &PutObjectRequest{
		Bucket: u.q.Bucket, Key: u.q.Key, Attributes: u.q.Attributes, Tags: u.q.Tags, ACL: u.q.ACL, ForbidOverwrite: u.q.ForbidOverwrite,
		Header: u.q.Header,
	}
	body.moved = u.track.moved
	for try := 1; ; try++ {
		began := u.c.clock.Now()
		res, err := u.c.putObject(ctx, q, body)
		sum := body.sum.Sum64()
		switch {
		case err == nil:
			u.c.rate.add(body.size, u.c.clock.Now().Sub(began))
			u.report.PartsSent, u.report.BytesSent = 1, body.size
			return &UploadResult{ETag: res.ETag, CRC64: sum, Size: body.size, VersionID: res.VersionID, PartSize: body.size}, nil
		case errors.Is(err, ErrChecksum) && try < damagedTries && !u.q.ForbidOverwrite:
			u.track.placed(-body.size)
			u.c.log.Warn("object arrived damaged and is sent again", "bucket", u.q.Bucket, "key", u.q.Key)
			continue
		case u.q.ForbidOverwrite && ctx.Err() == nil && !isAnswer(err):
			// It may have been made: then it is there, and it was not before.
			info, headErr := u.c.HeadObject(ctx, &HeadObjectRequest{Bucket: q.Bucket, Key: q.Key})
			switch {
			case headErr == nil && info.Size == body.size && u.sumOf(body) == info.CRC64:
				u.note("the answer was lost, and the object is there")
				return &UploadResult{ETag: info.ETag, CRC64: info.CRC64.Sum, Size: info.Size, VersionID: info.VersionID, PartSize: info.Size}, nil
			case errors.Is(headErr, ErrNoSuchKey) && try < damagedTries:
				continue
			}
		}
		return nil, err
	}
}

// sumOf reads a body for its CRC-64.
func (u *uploader) sumOf(body *content) CRC64 {
	r, err := body.open()
	if err != nil {
		return CRC64{}
	}
	h := newCRC()
	if _, err := io.Copy(h, r); err != nil {
		return CRC64{}
	}
	return CRC64{h.sum, true}
}

// isAnswer reports whether a server said so.
func isAnswer(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Status < http.StatusInternalServerError
}
