package store_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"hash/crc64"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/blob/fileblob"
	"github.com/ossastore/ossa/internal/blob/memblob"
	"github.com/ossastore/ossa/internal/kms"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/kv/memkv"
	"github.com/ossastore/ossa/internal/kv/pebblekv"
	"github.com/ossastore/ossa/internal/model"
	"github.com/ossastore/ossa/internal/store"
)

// The random tests of this package are told by the environment:
//
//	OSSA_SEED=n    run this seed only, as a failed run printed it
//	OSSA_LONG=n    n times as much as by default

// seeds returns the seeds of a random test: the one in OSSA_SEED, or n new
// ones, more of them in long runs.
func seeds(t *testing.T, n int) []uint64 {
	t.Helper()
	if s := os.Getenv("OSSA_SEED"); s != "" {
		seed, err := strconv.ParseUint(s, 10, 64)
		if err != nil {
			t.Fatalf("OSSA_SEED: %v", err)
		}
		return []uint64{seed}
	}
	if s := os.Getenv("OSSA_LONG"); s != "" {
		factor, err := strconv.Atoi(s)
		if err != nil || factor < 1 {
			t.Fatalf("OSSA_LONG: %q is not a positive number", s)
		}
		n *= factor
	}
	all := make([]uint64, n)
	for i := range all {
		all[i] = rand.Uint64()
	}
	return all
}

// eachSeed runs fn for every seed, in a test that the seed names.
func eachSeed(t *testing.T, n int, fn func(t *testing.T, rng *rand.Rand)) {
	for _, seed := range seeds(t, n) {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) { fn(t, rand.New(rand.NewPCG(seed, 0))) })
	}
}

// pair is a pair of engines, and a key ring beside them, that can be closed and
// opened again.
type pair interface {
	open() (kv.Engine, blob.Engine, error)
	keyRing() (*kms.Local, error)
	close() error
}

// memory is a pair in memory. Its engines never really close.
type memory struct {
	kv   kv.Engine
	blob blob.Engine
	ring vfs.FS
}

func newMemory() *memory { return &memory{memkv.New(), memblob.New(), vfs.NewMem()} }

func (m *memory) keyRing() (*kms.Local, error) { return kms.Open(m.ring, "keyring", kms.Options{}) }

func (m *memory) open() (kv.Engine, blob.Engine, error) { return m.kv, m.blob, nil }
func (m *memory) close() error                          { return nil }

// disk is the pair that keeps its data in files, with files so small that
// closing, rewriting and removing them happens all the time.
type disk struct {
	fs   vfs.FS
	kv   *pebblekv.Engine
	blob *fileblob.Engine
}

func (d *disk) open() (kv.Engine, blob.Engine, error) {
	var err error
	if d.kv, err = pebblekv.Open("meta", pebblekv.Options{FS: d.fs, CacheBytes: 1 << 20, ReserveBytes: 8 << 20}); err != nil {
		return nil, nil, err
	}
	d.blob, err = fileblob.Open("blob", fileblob.Options{
		FS: d.fs, Logger: quiet(), LargeBytes: 128 << 10, SegmentBytes: 512 << 10, OpenFiles: 8,
	})
	if err != nil {
		return nil, nil, errors.Join(err, d.kv.Close())
	}
	return d.kv, d.blob, nil
}

func (d *disk) keyRing() (*kms.Local, error) { return kms.Open(d.fs, "keyring", kms.Options{}) }

func (d *disk) close() error { return errors.Join(d.blob.Close(), d.kv.Close()) }

// api is what store and model have in common.
type api interface {
	PutBucket(context.Context, *store.PutBucketRequest) error
	GetBucketInfo(context.Context, string) (*store.Bucket, error)
	PutBucketAcl(context.Context, string, string) error
	ListBuckets(context.Context, *store.ListBucketsRequest) (*store.ListBucketsResult, error)
	DeleteBucket(context.Context, string) error
	PutBucketConfig(context.Context, string, store.ConfigKind, []byte) error
	GetBucketConfig(context.Context, string, store.ConfigKind) ([]byte, error)
	GetBucketConfigs(context.Context, string, ...store.ConfigKind) (*store.BucketConfigs, error)
	DeleteBucketConfig(context.Context, string, store.ConfigKind) error
	UpdateBucketConfig(context.Context, string, store.ConfigKind, func([]byte) ([]byte, error)) error
	PutCname(context.Context, string, string) error
	DeleteCname(context.Context, string, string) error
	ListCname(context.Context, string) ([]store.Cname, error)
	LookupCname(context.Context, string) (string, error)
	GetBucketStat(context.Context, string) (*store.BucketStat, error)
	ListObjects(context.Context, *store.ListObjectsRequest) (*store.ListObjectsResult, error)
	PutObject(context.Context, *store.PutObjectRequest) (*store.Object, error)
	HeadObject(context.Context, string, string) (*store.Object, error)
	GetObject(context.Context, string, string) (*store.Object, []byte, error)
	DeleteObject(context.Context, string, string) error
	DeleteMultipleObjects(context.Context, string, []string) []error
	PutObjectAcl(context.Context, string, string, string) error
	PutObjectTagging(context.Context, string, string, []store.Tag) error
	CopyObject(context.Context, *store.CopyObjectRequest) (*store.Object, error)
	RestoreObject(context.Context, *store.RestoreObjectRequest) (*store.RestoreObjectResult, error)
	InitiateMultipartUpload(context.Context, *store.InitiateMultipartUploadRequest) (store.UploadID, error)
	GetUpload(context.Context, string, string, store.UploadID) error
	UploadPart(context.Context, *store.UploadPartRequest) (*store.Part, error)
	UploadPartCopy(context.Context, *store.UploadPartCopyRequest) (*store.Part, error)
	CompleteMultipartUpload(context.Context, *store.CompleteMultipartUploadRequest) (*store.CompleteMultipartUploadResult, error)
	AbortMultipartUpload(context.Context, string, string, store.UploadID) error
	ListParts(context.Context, *store.ListPartsRequest) (*store.ListPartsResult, error)
	ListMultipartUploads(context.Context, *store.ListMultipartUploadsRequest) (*store.ListMultipartUploadsResult, error)
	ApplyLifecycle(context.Context, store.Bucket, []string, func(*store.Object) store.Verdict) ([]store.Judged, error)
	GetUploadState(context.Context, store.Bucket, string, store.UploadID) (*store.UploadState, error)
	AbortDueUpload(context.Context, store.Bucket, string, store.UploadID, func(*store.UploadState) bool) (*store.UploadState, error)
	Reclaim(context.Context) error
	ramAPI
}

// whole is a store that reads objects whole.
type whole struct{ *store.Store }

func (s whole) GetObject(ctx context.Context, bucket, key string) (*store.Object, []byte, error) {
	r, err := s.Store.GetObject(ctx, bucket, key)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	var b bytes.Buffer
	if err := r.WriteRange(ctx, &b, 0, r.Object.Size); err != nil {
		return nil, nil, err
	}
	return r.Object, b.Bytes(), nil
}

// op is one operation, done on the store and on the model alike. It makes its
// request anew each time, since a body can be read once.
type op struct {
	name string
	do   func(api) (any, error)
}

// history is a random sequence of operations on a store and on the model.
type history struct {
	t       *testing.T
	ctx     context.Context
	rng     *rand.Rand
	engines pair
	real    *store.Store
	ring    *kms.Local
	model   *model.Store
	faults  *faulty // where changes may have no known outcome

	now     time.Time // of both; stands still during an operation
	nextID  store.UploadID
	nextKey string // ID of the access key that was made last
	pool    []byte // random bytes that bodies are cut from

	secrets  map[string]string // of access keys
	names    map[string]string // what the store calls versions and buckets -> the model
	uploads  []store.Upload    // some that there were, the latest last
	complete []*store.CompleteMultipartUploadRequest
	log      []string // operations so far
	went     map[string]int
}

// restoreTime is how long histories take to restore an object: some operations.
const restoreTime = 20 * time.Second

func newHistory(t *testing.T, rng *rand.Rand, engines pair) *history {
	h := &history{
		t: t, ctx: context.Background(), rng: rng, engines: engines,
		now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), pool: data(rng.Uint64(), 1<<20),
		secrets: make(map[string]string), names: make(map[string]string), went: make(map[string]int),
	}
	h.model = model.New(model.Options{
		Clock: h.clock, NewUploadID: func() store.UploadID { return h.nextID }, MaxBuckets: 2, RestoreTime: restoreTime,
		NewAccessKeyID: func() string { return h.nextKey }, KeyIDs: someKeyIDs,
	})
	h.open()
	return h
}

func (h *history) clock() time.Time { return h.now }

func (h *history) open() {
	h.t.Helper()
	k, b, err := h.engines.open()
	h.check(err)
	ring, err := h.engines.keyRing()
	h.check(err)
	for _, id := range someKeyIDs {
		if err := ring.Create(h.ctx, id); !errors.Is(err, kms.ErrKeyExists) {
			h.check(err)
		}
	}
	if h.rng.IntN(3) == 0 {
		h.check(ring.Rotate(h.ctx, pick(h.rng, "", someKeyIDs[0])))
	}
	h.real, err = store.Open(h.ctx, k, b, store.Options{Clock: h.clock, MaxBuckets: 2, KeyRing: ring, RestoreTime: restoreTime})
	h.check(err)
	h.ring = ring
}

func (h *history) check(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatalf("%v\nafter %s", err, strings.Join(h.log[max(0, len(h.log)-20):], "\n      "))
	}
}

func (h *history) reopen() {
	h.t.Helper()
	h.log = append(h.log, "reopen")
	h.real.Close()
	h.check(h.engines.close())
	h.open()
}

// step does an operation on both and compares what they answer.
func (h *history) step(o op) any {
	h.t.Helper()
	h.now = h.now.Add(time.Duration(1+h.rng.IntN(2500)) * time.Millisecond)
	h.log = append(h.log, o.name)
	got, gotErr := o.do(whole{h.real})
	if id, ok := got.(store.UploadID); ok {
		h.nextID = id
	}
	if key, ok := got.(*store.AccessKey); ok && key != nil {
		h.nextKey = key.ID
	}
	if h.faults != nil && errors.Is(gotErr, store.ErrUnavailable) {
		h.settle(o)
		return nil
	}
	want, wantErr := o.do(h.model)
	if g, w := describe(gotErr), describe(wantErr); g != w {
		h.check(fmt.Errorf("error %s\n want %s", g, w))
	}
	kind, _, _ := strings.Cut(o.name, " ")
	if gotErr == nil {
		h.went[kind]++
		h.unify(got, want)
		if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
			h.check(fmt.Errorf("result %s\n  want %s", g, w))
		}
	}
	return got
}

// sentinels are the errors that answers are told by.
var sentinels = []error{
	store.ErrNoSuchBucket, store.ErrBucketExists, store.ErrBucketRedundancy, store.ErrTooManyBuckets, store.ErrBucketHasObjects, store.ErrBucketHasUploads, store.ErrNoSuchConfig,
	store.ErrCnameExists, store.ErrNoSuchCname, store.ErrTooManyCnames,
	store.ErrNoSuchKey, store.ErrNoSuchVersion, store.ErrObjectExists, store.ErrNoSuchUpload, store.ErrInvalidPart,
	store.ErrInvalidPartOrder, store.ErrPartTooSmall, store.ErrPartNotSequential, store.ErrTooLarge, store.ErrWrongMD5,
	store.ErrWrongCRC64, store.ErrShortBody, store.ErrFull, store.ErrUnavailable,
	store.ErrNoKeyRing, store.ErrUnknownKey, store.ErrKeyLost,
	store.ErrNotRestored, store.ErrNotArchived, store.ErrRestoreInProgress,
	store.ErrNoSuchUser, store.ErrNoSuchAccessKey, store.ErrNoSuchPolicy, store.ErrNotAttached, store.ErrUserExists, store.ErrPolicyExists,
	store.ErrUserHasKeys, store.ErrUserHasPolicies, store.ErrPolicyAttached, store.ErrTooManyUsers, store.ErrTooManyKeys,
	store.ErrTooManyPolicies, store.ErrInvalidName, errBroken, errRefused,
}

var (
	errBroken  = errors.New("the connection broke")
	errRefused = errors.New("the source is refused")
)

// describe tells all of an error that a client may see.
func describe(err error) string {
	if err == nil {
		return "none"
	}
	var e *store.Error
	if !errors.As(err, &e) {
		return fmt.Sprintf("without place: %v", err)
	}
	s := fmt.Sprintf("%s %s %s %q %s %d %s %d %s:", e.Op, e.Subject, e.Bucket, e.Key, e.UploadID, e.PartNumber, e.ETag, e.Size, e.Config)
	known := false
	for _, target := range sentinels {
		if errors.Is(err, target) {
			known = true
			s += " " + target.Error()
		}
	}
	if !known {
		s += " unknown: " + err.Error()
	}
	return s
}

// unify takes the names out of results that differ by right, after it has seen
// that they differ always in the same way.
func (h *history) unify(got, want any) {
	h.t.Helper()
	same := func(g, w *string) {
		h.t.Helper()
		if known, ok := h.names[*g]; ok && known != *w {
			h.check(fmt.Errorf("%q was %q and is %q now", *g, known, *w))
		}
		if known, ok := h.names["model "+*w]; ok && known != *g {
			h.check(fmt.Errorf("%q is %q and was %q", *w, *g, known))
		}
		h.names[*g], h.names["model "+*w] = *w, *g
		*g, *w = "", ""
	}
	switch g := got.(type) {
	case *store.Bucket:
		same(&g.ID, &want.(*store.Bucket).ID)
	case *store.BucketConfigs:
		same(&g.Bucket.ID, &want.(*store.BucketConfigs).Bucket.ID)
	case *store.Object:
		same(&g.Version, &want.(*store.Object).Version)
	case []store.Judged:
		w := want.([]store.Judged)
		for i := range min(len(g), len(w)) {
			same(&g[i].Version, &w[i].Version)
		}
	case content:
		same(&g.Version, &want.(content).Version)
	case *store.User:
		same(&g.ID, &want.(*store.User).ID)
	case *store.ListUsersResult:
		w := want.(*store.ListUsersResult)
		for i := range min(len(g.Users), len(w.Users)) {
			same(&g.Users[i].ID, &w.Users[i].ID)
		}
	case principal:
		w := want.(principal)
		same(&g.User.ID, &w.User.ID)
		h.unifyPrincipal(g.Principal, w.Principal)
	case *store.ListBucketsResult:
		w := want.(*store.ListBucketsResult)
		for i := range min(len(g.Buckets), len(w.Buckets)) {
			same(&g.Buckets[i].ID, &w.Buckets[i].ID)
		}
	case *store.ListObjectsResult:
		w := want.(*store.ListObjectsResult)
		for i := range min(len(g.Objects), len(w.Objects)) {
			same(&g.Objects[i].Version, &w.Objects[i].Version)
		}
	}
}

// content is an object and what its bytes are.
type content struct {
	*store.Object
	sum string
}

func (c content) String() string { return fmt.Sprintf("%+v %s", *c.Object, c.sum) }

// compare compares all that there is.
func (h *history) compare() {
	h.t.Helper()
	buckets := h.step(listBuckets("", "", store.MaxListed)).(*store.ListBucketsResult).Buckets
	for _, b := range buckets {
		h.step(op{"GetBucketStat " + b.Name, func(a api) (any, error) { return a.GetBucketStat(h.ctx, b.Name) }})
		h.step(op{"GetBucketConfigs " + b.Name, func(a api) (any, error) { return a.GetBucketConfigs(h.ctx, b.Name, someConfigs...) }})
		h.step(op{"ListCname " + b.Name, func(a api) (any, error) { return a.ListCname(h.ctx, b.Name) }})
		objects := h.step(listObjects(store.ListObjectsRequest{Bucket: b.Name, Max: store.MaxListed})).(*store.ListObjectsResult).Objects
		for _, o := range objects {
			h.step(getObject(b.Name, o.Key))
		}
		req := store.ListMultipartUploadsRequest{Bucket: b.Name, Max: store.MaxListed}
		for _, u := range h.step(listUploads(req)).(*store.ListMultipartUploadsResult).Uploads {
			h.step(listParts(u, 0, store.MaxListed))
		}
	}
	for _, domain := range someDomains {
		h.step(lookupCname(domain))
	}
	h.compareRAM()
}

// finish sees that nothing is damaged or left over.
func (h *history) finish() {
	h.t.Helper()
	h.compare()
	h.check(h.real.Reclaim(h.ctx))
	h.reopen()
	h.check(h.real.Sweep(h.ctx))
	h.check(clean(h.ctx, h.real))
	h.compare()
	h.real.Close()
	h.check(h.engines.close())
}

// clean reclaims and then says what Check finds that should not be: damage,
// extents without a name, garbage. Reclaiming moves extents, which makes
// garbage once more, but not for ever.
func clean(ctx context.Context, s *store.Store) error {
	var r *store.CheckReport
	for range 10 {
		err := s.Reclaim(ctx)
		if err == nil {
			r, err = s.Check(ctx, store.CheckOptions{})
		}
		if err != nil {
			return err
		}
		if r.Garbage == 0 {
			break
		}
	}
	var errs []error
	for _, d := range r.Damage {
		errs = append(errs, fmt.Errorf("%s: %s", d.Where, d.What))
	}
	if r.Unnamed != 0 || r.Garbage != 0 {
		errs = append(errs, fmt.Errorf("%d unnamed extents and %d garbage rows are left", r.Unnamed, r.Garbage))
	}
	return errors.Join(errs...)
}

// Whatever is asked in whatever order, the store answers as the model does,
// before and after it was closed, and keeps no more than it should.
func TestRandomHistory(t *testing.T) {
	for name, open := range map[string]func() pair{
		"memory": func() pair { return newMemory() },
		"disk":   func() pair { return &disk{fs: vfs.NewMem()} },
	} {
		t.Run(name, func(t *testing.T) {
			went := make(map[string]int)
			eachSeed(t, 3, func(t *testing.T, rng *rand.Rand) {
				h := newHistory(t, rng, open())
				for i := range 1800 {
					h.step(h.random())
					switch {
					case i%250 == 249:
						h.compare()
					case rng.IntN(100) == 0:
						h.reopen()
					case rng.IntN(300) == 0:
						h.check(h.real.Sweep(h.ctx))
					}
				}
				h.rare()
				h.finish()
				for kind, n := range h.went {
					went[kind] += n
				}
			})
			for _, kind := range []string{"CompleteMultipartUpload", "DeleteBucket", "CopyObject", "UploadPartCopy", "RepeatedComplete", "PutBucketConfig", "DeleteBucketConfig", "UpdateBucketConfig", "PutCname", "DeleteCname", "LookupCname", "DeleteUser", "DeleteAccessKey", "DetachPolicyFromUser", "ApplyLifecycle", "AbortDueUpload", "RestoreObject"} {
				if went[kind] == 0 && !t.Failed() {
					t.Errorf("no %s ever succeeded: %v", kind, went)
				}
			}
		})
	}
}

func pick[T any](rng *rand.Rand, from ...T) T { return from[rng.IntN(len(from))] }

var (
	someKeys   = []string{"a", "a/", "a/b", "a/b/c", "a0", "b", "k\x00", "k\x00\x01", "k\xff"}
	someTokens = []string{"", "", "", "a", "a/", "a/b", "b", "k", "k\x00", "\xff", "zz"}
)

// rare does what chance seldom brings about, so that each history has had it:
// what must be there first is put in place.
func (h *history) rare() {
	const domain, user, key = "rare.example", "rare", "rare"
	ctx, bucket := h.ctx, h.bucket()
	put := store.PutObjectRequest{Bucket: bucket, Key: key, Attributes: store.Attributes{StorageClass: "Archive"}}
	body := h.body([]byte("rare"))
	days := func(*store.Object) (int, error) { return 1, nil }
	for _, o := range []op{
		{"PutBucket " + bucket, func(a api) (any, error) { return nil, a.PutBucket(ctx, &store.PutBucketRequest{Bucket: bucket}) }},
		{"PutCname " + bucket + " " + domain, func(a api) (any, error) { return nil, a.PutCname(ctx, bucket, domain) }},
		lookupCname(domain),
		{"DeleteCname " + bucket + " " + domain, func(a api) (any, error) { return nil, a.DeleteCname(ctx, bucket, domain) }},
		{"PutObject " + bucket + "/" + key, func(a api) (any, error) {
			req := put
			req.Body = body()
			return a.PutObject(ctx, &req)
		}},
		{"RestoreObject " + bucket + "/" + key, func(a api) (any, error) {
			return a.RestoreObject(ctx, &store.RestoreObjectRequest{Bucket: bucket, Key: key, Days: days})
		}},
		{"CreateUser " + user, func(a api) (any, error) { return a.CreateUser(ctx, user) }},
		{"DeleteUser " + user, func(a api) (any, error) { return nil, a.DeleteUser(ctx, user) }},
	} {
		h.step(o)
	}
}

func (h *history) bucket() string {
	return pick(h.rng, "ant", "ant", "ant", "ant", "ant", "bee", "bee", "bee", "cat", "dog")
}

// key is mostly one of few, so that operations meet.
func (h *history) key() string {
	if h.rng.IntN(200) == 0 {
		return strings.Repeat(pick(h.rng, "\x00", "x", "\xff"), 1023)
	}
	return pick(h.rng, someKeys...)
}

// bytes returns the bytes of a body or part: mostly few, sometimes around a
// limit.
func (h *history) bytes() []byte {
	n := h.rng.IntN(3000)
	switch h.rng.IntN(8) {
	case 0:
		n = pick(h.rng, 100<<10-1, 100<<10, 100<<10+1)
	case 1:
		n = pick(h.rng, 128<<10-1, 128<<10, 128<<10+1, 256<<10-1, 256<<10, 256<<10+1, 300<<10)
	case 2:
		n = 100 << 10
	}
	from := h.rng.IntN(len(h.pool) - n)
	return h.pool[from : from+n]
}

// body returns a maker of bodies with these bytes, some of which are not what
// they claim.
func (h *history) body(p []byte) func() store.Body {
	b := store.Body{Size: int64(len(p))}
	sum, crc := md5.Sum(p), crc64.Checksum(p, crc64.MakeTable(crc64.ECMA))
	switch h.rng.IntN(30) {
	case 0:
		sum[3] ^= 1
	case 1:
		crc ^= 1 << 40
	case 2:
		b.Size++
	case 3:
		b.Size = store.MaxPartSize + 1
	case 4:
		return func() store.Body {
			return store.Body{Size: int64(len(p)), Reader: io.MultiReader(bytes.NewReader(p[:len(p)/2]), errReader{errBroken})}
		}
	case 5, 6:
		b.Size = -1
	}
	if h.rng.IntN(2) == 0 {
		b.MD5 = sum[:]
	}
	if h.rng.IntN(2) == 0 {
		b.CRC64 = &crc
	}
	return func() store.Body {
		b := b
		b.Reader = bytes.NewReader(p)
		return b
	}
}

func (h *history) attributes() store.Attributes {
	a := store.Attributes{ContentType: pick(h.rng, "", "text/plain"), StorageClass: pick(h.rng, "", "", "", "", "Standard", "IA", "Archive", "ColdArchive", "DeepColdArchive")}
	if h.rng.IntN(4) == 0 {
		a.Meta = map[string]string{"owner": strconv.Itoa(h.rng.IntN(10)), "empty": ""}
		a.Expires, a.CacheControl, a.ContentLanguage = "never", "no-cache", "de"
		a.ContentDisposition, a.ContentEncoding = "inline", "utf-8"
		a.Tags = []store.Tag{{Key: "t", Value: strconv.Itoa(h.rng.IntN(3))}, {Key: "u"}}
		a.ACL = pick(h.rng, "", "public-read")
	}
	switch h.rng.IntN(8) {
	case 0, 1:
		a.Encryption.Algorithm = store.AES256
	case 2:
		a.Encryption = store.Encryption{Algorithm: store.KMS, KeyID: pick(h.rng, someKeyIDs...)}
	case 3:
		if h.rng.IntN(4) == 0 {
			a.Encryption = store.Encryption{Algorithm: store.KMS, KeyID: "none"}
		}
	}
	return a
}

// someKeyIDs are keys of the key ring.
var someKeyIDs = []string{"photos", "alias/letters"}

// upload returns one of the latest uploads, or none that ever was.
func (h *history) upload() store.Upload {
	n := len(h.uploads)
	if n == 0 || h.rng.IntN(30) == 0 {
		id := pick(h.rng, "", "x", strings.Repeat("0", 32), strings.Repeat("a", 32), "../../../../../../../../../../../..")
		return store.Upload{Bucket: h.bucket(), Key: h.key(), ID: store.UploadID(id)}
	}
	u := h.uploads[n-1-h.rng.IntN(min(n, 6))]
	switch h.rng.IntN(30) {
	case 0:
		u.Key = h.key()
	case 1:
		u.Bucket = h.bucket()
	}
	return u
}

// random returns some operation.
func (h *history) random() op {
	rng, ctx, bucket, key := h.rng, h.ctx, h.bucket(), h.key()
	if rng.IntN(8) == 0 {
		return h.randomRAM()
	}
	switch n := rng.IntN(240); {
	case n >= 234:
		return h.cname(bucket)
	case n >= 228:
		return h.uploadPartCopy()
	case n >= 218:
		return h.restoreObject(bucket, key)
	case n >= 208:
		return h.lifecycle(bucket)
	case n >= 200:
		return h.config(bucket)
	case n < 8:
		req := &store.PutBucketRequest{Bucket: bucket, ACL: pick(rng, "", "private", "public-read"), StorageClass: pick(rng, "", "", "Standard", "IA"), Redundancy: pick(rng, "", "ZRS")}
		return op{"PutBucket " + bucket, func(a api) (any, error) { return nil, a.PutBucket(ctx, req) }}
	case n < 10:
		return op{"PutBucketAcl " + bucket, func(a api) (any, error) { return nil, a.PutBucketAcl(ctx, bucket, "private") }}
	case n < 14:
		if rng.IntN(3) == 0 {
			h.empty(bucket)
		}
		return op{"DeleteBucket " + bucket, func(a api) (any, error) { return nil, a.DeleteBucket(ctx, bucket) }}
	case n < 16:
		return op{"GetBucketInfo " + bucket, func(a api) (any, error) { return a.GetBucketInfo(ctx, bucket) }}
	case n < 18:
		return listBuckets(pick(rng, "", "b", "ca"), pick(rng, "", "ant", "bee", "zoo"), 1+rng.IntN(3))
	case n < 19:
		return op{"GetBucketStat " + bucket, func(a api) (any, error) { return a.GetBucketStat(ctx, bucket) }}
	case n < 26:
		return listObjects(store.ListObjectsRequest{
			Bucket: bucket, Prefix: pick(rng, someTokens...), Delimiter: pick(rng, "", "/", "b", "\x00"), Marker: pick(rng, someTokens...), Max: 1 + rng.IntN(5),
		})
	case n < 33:
		return listUploads(store.ListMultipartUploadsRequest{
			Bucket: bucket, Prefix: pick(rng, someTokens...), Delimiter: pick(rng, "", "/", "b", "\x00"),
			KeyMarker: pick(rng, someTokens...), UploadIDMarker: pick(rng, "", h.upload().ID), Max: 1 + rng.IntN(4),
		})
	case n < 37:
		return listParts(h.upload(), pick[store.PartNumber](rng, 0, 0, 1, 2, 3, -5, store.MaxParts, 1<<16-1, 1<<16, 1<<40), 1+rng.IntN(4))
	case n < 62:
		p := h.bytes()
		req, body := store.PutObjectRequest{Bucket: bucket, Key: key, Attributes: h.attributes(), ForbidOverwrite: rng.IntN(6) == 0}, h.body(p)
		return op{fmt.Sprintf("PutObject %s/%.20q %d", bucket, key, len(p)), func(a api) (any, error) {
			req := req
			req.Body = body()
			return a.PutObject(ctx, &req)
		}}
	case n < 66:
		return op{fmt.Sprintf("HeadObject %s/%.20q", bucket, key), func(a api) (any, error) { return a.HeadObject(ctx, bucket, key) }}
	case n < 76:
		return getObject(bucket, key)
	case n < 82:
		return op{fmt.Sprintf("DeleteObject %s/%.20q", bucket, key), func(a api) (any, error) { return nil, a.DeleteObject(ctx, bucket, key) }}
	case n < 86:
		return h.deleteMultiple(bucket)
	case n < 89:
		acl := pick(rng, "", "private", "public-read")
		return op{fmt.Sprintf("PutObjectAcl %s/%.20q", bucket, key), func(a api) (any, error) { return nil, a.PutObjectAcl(ctx, bucket, key, acl) }}
	case n < 92:
		tags := h.attributes().Tags
		return op{fmt.Sprintf("PutObjectTagging %s/%.20q", bucket, key), func(a api) (any, error) { return nil, a.PutObjectTagging(ctx, bucket, key, tags) }}
	case n < 102:
		return h.copyObject(bucket, key)
	case n < 117:
		req := &store.InitiateMultipartUploadRequest{Bucket: bucket, Key: key, Attributes: h.attributes(), ForbidOverwrite: rng.IntN(8) == 0, Sequential: rng.IntN(3) == 0}
		return op{fmt.Sprintf("InitiateMultipartUpload %s/%.20q", bucket, key), func(a api) (any, error) {
			id, err := a.InitiateMultipartUpload(ctx, req)
			if err == nil {
				h.uploads = append(h.uploads, store.Upload{Bucket: bucket, Key: key, ID: id})
			}
			return id, err
		}}
	case n < 152:
		return h.uploadPart()
	case n < 158:
		return h.uploadPartCopy()
	case n < 178:
		return h.completeUpload()
	case n < 184:
		return h.repeatComplete()
	case n < 189:
		u := h.upload()
		return op{"AbortMultipartUpload " + string(u.ID), func(a api) (any, error) { return nil, a.AbortMultipartUpload(ctx, u.Bucket, u.Key, u.ID) }}
	case n < 193:
		u := h.upload()
		return op{"GetUpload " + string(u.ID), func(a api) (any, error) { return nil, a.GetUpload(ctx, u.Bucket, u.Key, u.ID) }}
	case n < 194 && h.faults == nil: // with faults, when answers are forgotten is not known
		h.now = h.now.Add(pick(rng, 13*time.Hour, 13*time.Hour, 40*time.Hour))
	}
	return op{"Reclaim", func(a api) (any, error) { return nil, a.Reclaim(ctx) }}
}

var someConfigs = []store.ConfigKind{store.ConfigCors, store.ConfigPolicy, store.ConfigTagging}

// config returns an operation on a configuration of a bucket, which fits one
// row mostly.
func (h *history) config(bucket string) op {
	kind := pick(h.rng, someConfigs...)
	switch h.rng.IntN(10) {
	case 8, 9:
		more := h.rng.IntN(40 << 10)
		return op{fmt.Sprintf("UpdateBucketConfig %s %s +%d", bucket, kind, more), func(a api) (any, error) {
			return nil, a.UpdateBucketConfig(h.ctx, bucket, kind, func(document []byte) ([]byte, error) {
				if len(document)%5 == 4 {
					return nil, errRefused
				}
				if len(document) > 100<<10 {
					return nil, nil
				}
				return append(document, h.pool[:more+1]...), nil
			})
		}}
	case 0, 1, 2:
		n := pick(h.rng, 1, 100, 32<<10, 32<<10+1, 100<<10, store.MaxConfig, store.MaxConfig+1)
		from := h.rng.IntN(len(h.pool) - n)
		return op{fmt.Sprintf("PutBucketConfig %s %s %d", bucket, kind, n), func(a api) (any, error) {
			return nil, a.PutBucketConfig(h.ctx, bucket, kind, h.pool[from:from+n])
		}}
	case 3, 4:
		return op{fmt.Sprintf("DeleteBucketConfig %s %s", bucket, kind), func(a api) (any, error) { return nil, a.DeleteBucketConfig(h.ctx, bucket, kind) }}
	case 5, 6:
		return op{fmt.Sprintf("GetBucketConfig %s %s", bucket, kind), func(a api) (any, error) {
			b, err := a.GetBucketConfig(h.ctx, bucket, kind)
			return md5.Sum(b), err
		}}
	}
	kinds := someConfigs[:h.rng.IntN(len(someConfigs)+1)]
	return op{"GetBucketConfigs " + bucket, func(a api) (any, error) { return a.GetBucketConfigs(h.ctx, bucket, kinds...) }}
}

var someDomains = []string{"a.example", "b.example", "img.b.example"}

func lookupCname(domain string) op {
	return op{"LookupCname " + domain, func(a api) (any, error) { return a.LookupCname(context.Background(), domain) }}
}

// cname returns an operation on one of few domains, which other buckets want too.
func (h *history) cname(bucket string) op {
	domain := pick(h.rng, someDomains...)
	switch h.rng.IntN(6) {
	case 0:
		return op{"DeleteCname " + bucket + " " + domain, func(a api) (any, error) { return nil, a.DeleteCname(h.ctx, bucket, domain) }}
	case 1:
		return op{"ListCname " + bucket, func(a api) (any, error) { return a.ListCname(h.ctx, bucket) }}
	case 2:
		return lookupCname(domain)
	}
	return op{"PutCname " + bucket + " " + domain, func(a api) (any, error) { return nil, a.PutCname(h.ctx, bucket, domain) }}
}

// lifecycle returns an operation that does to objects or an upload what is due
// by some judgement.
func (h *history) lifecycle(bucket string) op {
	// The bucket is told by its ID, which differs between the two.
	in := func(name string, do func(api, store.Bucket) (any, error)) func(api) (any, error) {
		return func(a api) (any, error) {
			b, err := a.GetBucketInfo(h.ctx, name)
			if err != nil {
				return nil, err
			}
			return do(a, *b)
		}
	}
	u, salt := h.upload(), h.rng.Int64N(4)
	switch h.rng.IntN(4) {
	case 0:
		return op{"AbortDueUpload " + string(u.ID), in(u.Bucket, func(a api, b store.Bucket) (any, error) {
			return a.AbortDueUpload(h.ctx, b, u.Key, u.ID, func(st *store.UploadState) bool {
				return (st.Bytes+st.Parts+st.Last.Unix()+salt)%3 > 0
			})
		})}
	case 1:
		return op{"GetUploadState " + string(u.ID), in(u.Bucket, func(a api, b store.Bucket) (any, error) { return a.GetUploadState(h.ctx, b, u.Key, u.ID) })}
	}
	keys := someKeys[:1+h.rng.IntN(len(someKeys))]
	if h.faults != nil {
		keys = []string{h.key()} // of several, some may be done and some not
	}
	return op{fmt.Sprintf("ApplyLifecycle %s %d", bucket, len(keys)), in(bucket, func(a api, b store.Bucket) (any, error) {
		return a.ApplyLifecycle(h.ctx, b, keys, func(o *store.Object) store.Verdict {
			switch (o.Size + o.LastModified.Unix() + salt) % 4 {
			case 0:
				return store.Verdict{Expire: true}
			case 1:
				return store.Verdict{StorageClass: "IA"}
			case 2:
				return store.Verdict{StorageClass: "Archive"}
			}
			return store.Verdict{}
		})
	})}
}

// empty takes all away that keeps a bucket from being deleted.
func (h *history) empty(bucket string) {
	h.t.Helper()
	objects, err := h.model.ListObjects(h.ctx, &store.ListObjectsRequest{Bucket: bucket, Max: store.MaxListed})
	if err != nil {
		return
	}
	for _, o := range objects.Objects {
		h.step(op{"DeleteObject " + o.Key, func(a api) (any, error) { return nil, a.DeleteObject(h.ctx, bucket, o.Key) }})
	}
	eachUpload(h.t, h.model, func(u store.Upload) {
		if u.Bucket == bucket {
			h.step(op{"AbortMultipartUpload " + string(u.ID), func(a api) (any, error) { return nil, a.AbortMultipartUpload(h.ctx, bucket, u.Key, u.ID) }})
		}
	})
}

func listBuckets(prefix, marker string, max int) op {
	return op{"ListBuckets", func(a api) (any, error) {
		return a.ListBuckets(context.Background(), &store.ListBucketsRequest{Prefix: prefix, Marker: marker, Max: max})
	}}
}

func listObjects(req store.ListObjectsRequest) op {
	return op{fmt.Sprintf("ListObjects %+v", req), func(a api) (any, error) { return a.ListObjects(context.Background(), &req) }}
}

func listUploads(req store.ListMultipartUploadsRequest) op {
	return op{fmt.Sprintf("ListMultipartUploads %+v", req), func(a api) (any, error) { return a.ListMultipartUploads(context.Background(), &req) }}
}

func listParts(u store.Upload, marker store.PartNumber, max int) op {
	req := &store.ListPartsRequest{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID, Marker: marker, Max: max}
	return op{fmt.Sprintf("ListParts %+v", *req), func(a api) (any, error) { return a.ListParts(context.Background(), req) }}
}

func getObject(bucket, key string) op {
	return op{fmt.Sprintf("GetObject %s/%.20q", bucket, key), func(a api) (any, error) {
		o, p, err := a.GetObject(context.Background(), bucket, key)
		return content{o, fmt.Sprintf("%d bytes %x", len(p), md5.Sum(p))}, err
	}}
}

func (h *history) deleteMultiple(bucket string) op {
	keys := slices.Clone(someKeys)
	if h.rng.IntN(2) == 0 {
		keys = []string{h.key(), h.key(), h.key()}
	}
	return op{"DeleteMultipleObjects " + bucket, func(a api) (any, error) {
		var all []string
		for _, err := range a.DeleteMultipleObjects(h.ctx, bucket, keys) {
			all = append(all, describe(err))
		}
		return all, nil
	}}
}

func (h *history) source() store.CopySource {
	src := store.CopySource{Bucket: h.bucket(), Key: h.key()}
	if h.rng.IntN(3) > 0 { // mostly one that is there
		page, err := h.model.ListObjects(h.ctx, &store.ListObjectsRequest{Bucket: src.Bucket, Max: store.MaxListed})
		if err == nil && len(page.Objects) > 0 {
			src.Key = pick(h.rng, page.Objects...).Key
		}
	}
	if h.rng.IntN(3) == 0 {
		odd := h.rng.IntN(2) == 0
		src.Check = func(o *store.Object) error {
			if o.Size%2 == 1 && odd {
				return errRefused
			}
			return nil
		}
	}
	return src
}

func (h *history) copyObject(bucket, key string) op {
	req := &store.CopyObjectRequest{Bucket: bucket, Key: key, Source: h.source(), ForbidOverwrite: h.rng.IntN(8) == 0}
	if h.rng.IntN(4) == 0 {
		req.Source.Bucket, req.Source.Key = bucket, key
	}
	given, keep := h.attributes(), h.rng.IntN(2) == 0
	req.Attributes = func(source store.Attributes) store.Attributes {
		if keep {
			return source
		}
		return given
	}
	return op{fmt.Sprintf("CopyObject %s/%.20q <- %s/%.20q", bucket, key, req.Source.Bucket, req.Source.Key), func(a api) (any, error) { return a.CopyObject(h.ctx, req) }}
}

func (h *history) restoreObject(bucket, key string) op {
	req := &store.RestoreObjectRequest{Bucket: bucket, Key: key}
	switch days := 1 + h.rng.IntN(3); h.rng.IntN(8) {
	case 0:
	case 1:
		req.Days = func(*store.Object) (int, error) { return 0, errRefused }
	case 2:
		req.Days = func(o *store.Object) (int, error) { return 100 * days, nil }
	default:
		req.Days = func(o *store.Object) (int, error) { return days, nil }
	}
	return op{fmt.Sprintf("RestoreObject %s/%.20q", bucket, key), func(a api) (any, error) { return a.RestoreObject(h.ctx, req) }}
}

func (h *history) part() store.PartNumber {
	if h.rng.IntN(40) == 0 {
		return pick(h.rng, store.PartNumber(0), -1, store.MaxParts, store.MaxParts+1, 1<<16+1)
	}
	return store.PartNumber(1 + h.rng.IntN(4))
}

func (h *history) uploadPart() op {
	u, n, p := h.upload(), h.part(), h.bytes()
	if h.rng.IntN(2) == 0 {
		p = h.pool[:100<<10+h.rng.IntN(100)]
	}
	body := h.body(p)
	return op{fmt.Sprintf("UploadPart %s %d %d", u.ID, n, len(p)), func(a api) (any, error) {
		return a.UploadPart(h.ctx, &store.UploadPartRequest{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID, PartNumber: n, Body: body()})
	}}
}

func (h *history) uploadPartCopy() op {
	u := h.upload()
	req := &store.UploadPartCopyRequest{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID, PartNumber: h.part(), Source: h.source()}
	if at := h.rng.Int64(); h.rng.IntN(2) == 0 {
		req.Range = func(size int64) (int64, int64) {
			offset := at % (size + 1)
			return offset, at % (size - offset + 1)
		}
	}
	return op{fmt.Sprintf("UploadPartCopy %s %d", u.ID, req.PartNumber), func(a api) (any, error) { return a.UploadPartCopy(h.ctx, req) }}
}

func (h *history) completeUpload() op {
	u, rng := h.upload(), h.rng
	req := &store.CompleteMultipartUploadRequest{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID, ACL: pick(rng, "", "private"), ForbidOverwrite: rng.IntN(10) == 0}
	have, err := h.model.ListParts(h.ctx, &store.ListPartsRequest{Bucket: u.Bucket, Key: u.Key, UploadID: u.ID, Max: store.MaxListed})
	if err == nil {
		for i, p := range have.Parts {
			// A part too small to be followed by others is left out, mostly.
			if p.Size >= store.MinPartSize || i == len(have.Parts)-1 || rng.IntN(5) == 0 {
				req.Parts = append(req.Parts, store.CompletedPart{Number: p.Number, ETag: p.ETag})
			}
		}
	}
	if n := len(req.Parts); n > 0 {
		i := rng.IntN(n)
		switch rng.IntN(16) {
		case 0:
			req.Parts[i].ETag = strings.Repeat("0", 32)
		case 1:
			req.Parts[0], req.Parts[n-1] = req.Parts[n-1], req.Parts[0]
		case 2:
			req.Parts = append(req.Parts, req.Parts[i])
		case 3:
			req.Parts = append(req.Parts, store.CompletedPart{Number: 77, ETag: req.Parts[i].ETag})
		case 4:
			req.Parts = slices.Delete(req.Parts, i, i+1)
		case 5:
			req.Parts[i].ETag = strings.ToLower(req.Parts[i].ETag)
		case 6, 7:
			req.All, req.Parts = true, nil
		}
	}
	h.complete = append(h.complete, req)
	return op{fmt.Sprintf("CompleteMultipartUpload %s %v", u.ID, req.Parts), func(a api) (any, error) { return a.CompleteMultipartUpload(h.ctx, req) }}
}

// repeatComplete does one of the latest Completes again, sometimes with a list
// in another letter case, which is the same, or with another list.
func (h *history) repeatComplete() op {
	if len(h.complete) == 0 {
		return h.completeUpload()
	}
	again := *h.complete[len(h.complete)-1-h.rng.IntN(min(6, len(h.complete)))]
	again.Parts = slices.Clone(again.Parts)
	for i := range again.Parts {
		again.Parts[i].ETag = strings.ToLower(again.Parts[i].ETag)
	}
	if len(again.Parts) > 0 && h.rng.IntN(4) == 0 {
		again.Parts = again.Parts[1:]
	}
	return op{fmt.Sprintf("RepeatedComplete %s", again.UploadID), func(a api) (any, error) { return a.CompleteMultipartUpload(h.ctx, &again) }}
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }
