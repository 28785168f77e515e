package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/blob"
	"github.com/ossastore/ossa/internal/digest"
	"github.com/ossastore/ossa/internal/kv"
	"github.com/ossastore/ossa/internal/meta"
)

// InitiateMultipartUpload opens an upload. The partition of its parts is there
// before the upload can be found, so that it need not be made later, when the
// upload may have ended.
func (s *Store) InitiateMultipartUpload(ctx context.Context, req *InitiateMultipartUploadRequest) (UploadID, error) {
	id, err := s.initiateMultipartUpload(ctx, req)
	return id, wrap(err, &Error{Op: "InitiateMultipartUpload", Bucket: req.Bucket, Key: req.Key})
}

func (s *Store) initiateMultipartUpload(ctx context.Context, req *InitiateMultipartUploadRequest) (UploadID, error) {
	b, err := s.bucket(ctx, req.Bucket)
	if err != nil {
		return "", err
	}
	id := s.newID()
	rec := meta.Upload{Initiated: s.now(), Sequential: req.Sequential, Attributes: attributesRecord(req.Attributes)}
	rec.StorageClass = cmp.Or(rec.StorageClass, b.StorageClass)
	row := meta.UploadKey(req.Key, id)

	// Refuse before anything is written.
	v, err := s.rangeView(ctx, b, req.Key, meta.ObjectKey(req.Key))
	if err != nil {
		return "", err
	}
	if req.ForbidOverwrite && v.rows[0].Value != nil {
		return "", ErrObjectExists
	}
	_, rec.Encryption, err = s.newDataKey(ctx, req.Attributes.Encryption, placeOf(b.ID, "", id), req.Key)
	if err != nil {
		return "", err
	}
	value := rec.Encode()
	parts := meta.UploadPartition(b.ID, id)
	header := meta.Header{Key: req.Key}
	if err := s.create(ctx, parts, kv.Write{Key: meta.HeaderKey(), Value: header.Encode()}); err != nil {
		return "", err
	}
	err = retry(context.WithoutCancel(ctx), func() error {
		v, err := s.rangeView(ctx, b, req.Key, row, meta.ObjectKey(req.Key))
		if err != nil {
			return err
		}
		if req.ForbidOverwrite && v.rows[1].Value != nil {
			return ErrObjectExists
		}
		c := v.change()
		c.replace(v.rows[0], value)
		return s.commit(ctx, c)
	})
	if err != nil && !errors.Is(err, ErrUnavailable) {
		err = errors.Join(err, s.drop(ctx, parts))
	}
	return UploadID(id), err
}

// HeadUpload returns an open upload without its parts.
func (s *Store) HeadUpload(ctx context.Context, bucket, key string, id UploadID) (*Upload, error) {
	u, err := s.openUpload(ctx, bucket, key, id)
	if err != nil {
		return nil, wrap(err, &Error{Op: "HeadUpload", Bucket: bucket, Key: key, UploadID: id})
	}
	return uploadInfo(bucket, key, u.id, &u.Upload), nil
}

// upload is an open upload as its row tells it.
type upload struct {
	bucket    *bucketRow
	key, id   string
	partition kv.Partition // of its parts
	meta.Upload
}

// openUpload finds an open upload of this bucket and key.
func (s *Store) openUpload(ctx context.Context, bucket, key string, id UploadID) (*upload, error) {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	u := &upload{bucket: b, key: key, id: string(id), partition: meta.UploadPartition(b.ID, string(id))}
	if !validUploadID(id) {
		return nil, ErrNoSuchUpload
	}
	rows, err := s.readRows(ctx, b, key, meta.UploadKey(key, u.id))
	if err != nil {
		return nil, err
	}
	if rows[0].Value == nil {
		return nil, ErrNoSuchUpload
	}
	rec, err := meta.DecodeUpload(rows[0].Value)
	if err != nil {
		return nil, err
	}
	u.Upload = *rec
	return u, nil
}

// dataKey opens the key of an upload's parts, nil if they are not encrypted.
func (s *Store) dataKey(ctx context.Context, u *upload) (*dataKey, error) {
	return s.openDataKey(ctx, u.Encryption, placeOf(u.bucket.ID, "", u.id), u.key)
}

// stillOpen says ErrNoSuchUpload if u has ended since it was found.
func (s *Store) stillOpen(ctx context.Context, u *upload) error {
	_, err := s.openUpload(ctx, u.bucket.name, u.key, UploadID(u.id))
	return err
}

// validUploadID tells whether an ID could be one of ours: what a client sends
// becomes part of a partition's name.
func validUploadID(id UploadID) bool {
	if len(id) != 32 {
		return false
	}
	for i := range len(id) {
		if c := id[i]; (c < '0' || c > '9') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}

// GetUpload says whether an upload can be completed: it is open, or it was
// completed so lately that a repeated Complete is answered.
func (s *Store) GetUpload(ctx context.Context, bucket, key string, id UploadID) error {
	_, err := s.openUpload(ctx, bucket, key, id)
	if errors.Is(err, ErrNoSuchUpload) && validUploadID(id) {
		done, derr := s.completed(ctx, bucket, key, id)
		if derr != nil {
			err = derr
		} else if done != nil {
			return nil
		}
	}
	return wrap(err, &Error{Op: "GetUpload", Bucket: bucket, Key: key, UploadID: id})
}

// completed returns what an upload became, or nil.
func (s *Store) completed(ctx context.Context, bucket, key string, id UploadID) (*meta.Completed, error) {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return nil, err
	}
	rows, err := s.readRows(ctx, b, key, meta.CompletedKey(string(id)))
	if err != nil || rows[0].Value == nil {
		return nil, err
	}
	done, err := meta.DecodeCompleted(rows[0].Value)
	if err != nil || done.Key != key {
		return nil, err
	}
	return done, nil
}

// UploadPart stores one part. The part is durable, and its ETag can be given
// to CompleteMultipartUpload, once UploadPart has returned. A part sent earlier
// under the same number is replaced; its bytes stay until no Complete can be
// about to name them (discardReplaced).
//
// A part races with the end of its upload at the header of the upload's
// partition, which the part's commit guards and the end changes.
func (s *Store) UploadPart(ctx context.Context, req *UploadPartRequest) (*Part, error) {
	p, err := s.uploadPart(ctx, req)
	return p, wrap(err, &Error{
		Op: "UploadPart", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID, PartNumber: req.PartNumber, Size: req.Body.Size,
	})
}

func (s *Store) uploadPart(ctx context.Context, req *UploadPartRequest) (*Part, error) {
	end, err := s.arrivals.begin(ctx, req.UploadID)
	if err != nil {
		return nil, err
	}
	defer end()
	u, err := s.openUpload(ctx, req.Bucket, req.Key, req.UploadID)
	if err != nil {
		return nil, err
	}
	return s.storePart(ctx, u, req.PartNumber, func(owner blob.Owner, all hash.Hash, sealing *sealing) (*received, error) {
		return s.ingest(ctx, owner, req.Body, MaxPartSize, all, sealing)
	})
}

// UploadPartCopy stores bytes of an object as a part.
func (s *Store) UploadPartCopy(ctx context.Context, req *UploadPartCopyRequest) (*Part, error) {
	p, err := s.uploadPartCopy(ctx, req)
	return p, wrap(err, &Error{
		Op: "UploadPartCopy", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID, PartNumber: req.PartNumber,
	})
}

func (s *Store) uploadPartCopy(ctx context.Context, req *UploadPartCopyRequest) (*Part, error) {
	end, err := s.arrivals.begin(ctx, req.UploadID)
	if err != nil {
		return nil, err
	}
	defer end()
	u, err := s.openUpload(ctx, req.Bucket, req.Key, req.UploadID)
	if err != nil {
		return nil, err
	}
	src, err := s.openSource(ctx, req.Source)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	offset, n := int64(0), src.Object.Size
	if req.Range != nil {
		offset, n = req.Range(n)
	}
	return s.storePart(ctx, u, req.PartNumber, func(owner blob.Owner, all hash.Hash, sealing *sealing) (*received, error) {
		return s.ingestRange(ctx, owner, src, offset, n, all, sealing)
	})
}

// storePart ingests a part's bytes, encrypted if its upload is, and names them.
func (s *Store) storePart(ctx context.Context, u *upload, number PartNumber, ingest func(blob.Owner, hash.Hash, *sealing) (*received, error)) (*Part, error) {
	if number < 1 || number > MaxParts {
		return nil, ErrInvalidPart
	}
	key, err := s.dataKey(ctx, u)
	if err != nil {
		return nil, err
	}
	turn, err := s.turn(ctx, u, number, key)
	if err != nil {
		return nil, err
	}
	owner := blob.Owner{Bucket: u.bucket.ID, Key: u.key, UploadID: u.id, PartNumber: int(number)}
	r, err := ingest(owner, turn.hash(), key.part(number))
	if err != nil {
		return nil, err
	}
	sequence, err := s.sealState(key, r.sequence)
	if err != nil {
		s.forget(ctx, err, r.extents)
		return nil, err
	}
	rec := &meta.Part{Size: r.size, MD5: r.md5[:], CRC64: r.crc64, Modified: s.now(), Extents: r.extents}
	if err := s.namePart(ctx, u, number, rec, turn, sequence); err != nil {
		s.forget(ctx, err, r.extents)
		return nil, err
	}
	p := partInfo(int(number), rec)
	p.Encryption = encryptionOf(u.Encryption)
	return p, nil
}

// namePart makes rec the part of this number. The part that it replaces keeps
// its bytes under a row of its own.
func (s *Store) namePart(ctx context.Context, u *upload, number PartNumber, rec *meta.Part, turn *turn, sequence []byte) error {
	return retry(context.WithoutCancel(ctx), func() error {
		v, err := s.view(ctx, u.partition, meta.PartKey(int(number)), meta.SequenceKey())
		if err != nil {
			return err
		}
		if v.rawHeader == nil || v.header.State != meta.Open {
			return ErrNoSuchUpload
		}
		c := v.change()
		c.replace(v.rows[0], rec.Encode())
		if old := v.rows[0].Value; old != nil {
			c.add(meta.ReplacedKey(int(number), s.randomUint64()), old)
		}
		if turn != nil {
			if string(v.rows[1].Value) != string(turn.row.Value) {
				return ErrPartNotSequential // another part was faster
			}
			next := meta.Sequence{Last: int(number), Before: turn.before, After: sequence}
			c.replace(v.rows[1], next.Encode())
		}
		return s.commit(ctx, c)
	})
}

// turn is a sequential upload's state as a part found it whose turn it is.
type turn struct {
	row    kv.Row
	before []byte    // state of all bytes up to this part, as the row has it
	md5    hash.Hash // goes on from before
}

func (t *turn) hash() hash.Hash {
	if t == nil {
		return nil
	}
	return t.md5
}

// turn sees whether it is number's turn, and returns nil in an upload that is
// not sequential. The turn is the number after the last, or the last again.
func (s *Store) turn(ctx context.Context, u *upload, number PartNumber, key *dataKey) (*turn, error) {
	if !u.Sequential {
		return nil, nil
	}
	v, err := s.view(ctx, u.partition, meta.SequenceKey())
	if err != nil {
		return nil, err
	}
	t, seq := &turn{row: v.rows[0]}, &meta.Sequence{}
	if v.rows[0].Value != nil {
		if seq, err = meta.DecodeSequence(v.rows[0].Value); err != nil {
			return nil, err
		}
	}
	switch int(number) {
	case seq.Last + 1:
		t.before = seq.After
	case seq.Last:
		t.before = seq.Before
	default:
		return nil, ErrPartNotSequential
	}
	state, err := key.openState(t.before)
	if err != nil {
		return nil, err
	}
	t.md5, err = state.Open()
	return t, err
}

// CompleteMultipartUpload makes the object of the listed parts and ends the
// upload. Parts that are not listed are dropped. No data is read or moved.
//
// The one commit in the range's partition decides: it guards and deletes the
// upload's row, so it happens once, whoever else completes or aborts. It also
// leaves what a repeated request is answered with.
func (s *Store) CompleteMultipartUpload(ctx context.Context, req *CompleteMultipartUploadRequest) (*CompleteMultipartUploadResult, error) {
	var res *CompleteMultipartUploadResult
	err := retry(ctx, func() (err error) {
		res, err = s.completeMultipartUpload(ctx, req)
		return err
	})
	return res, wrap(err, &Error{Op: "CompleteMultipartUpload", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID})
}

func (s *Store) completeMultipartUpload(ctx context.Context, req *CompleteMultipartUploadRequest) (*CompleteMultipartUploadResult, error) {
	b, err := s.bucket(ctx, req.Bucket)
	if err != nil {
		return nil, err
	}
	if !validUploadID(req.UploadID) {
		return nil, ErrNoSuchUpload
	}
	id, list := string(req.UploadID), listDigest(req)
	v, err := s.rangeView(ctx, b, req.Key, meta.UploadKey(req.Key, id), meta.ObjectKey(req.Key), meta.CompletedKey(id))
	if err != nil {
		return nil, err
	}
	openRow, objectRow, doneRow := v.rows[0], v.rows[1], v.rows[2]
	if doneRow.Value != nil {
		return repeatedComplete(req.Key, list, doneRow.Value)
	}
	if openRow.Value == nil {
		return nil, ErrNoSuchUpload
	}
	up, err := meta.DecodeUpload(openRow.Value)
	if err != nil {
		return nil, err
	}
	u := &upload{bucket: b, key: req.Key, id: id, partition: meta.UploadPartition(b.ID, id), Upload: *up}
	all, sequence, err := s.partsInSequence(ctx, u)
	if err != nil {
		return nil, err
	}
	chosen, err := choose(all, req)
	if err != nil {
		// The parts of an upload that ends meanwhile vanish under our eyes.
		if ended := s.stillOpen(ctx, u); errors.Is(ended, ErrNoSuchUpload) {
			return nil, errConflict
		}
		return nil, err
	}
	if req.ForbidOverwrite && objectRow.Value != nil {
		return nil, ErrObjectExists
	}
	if err := req.Replaces.ask(b, req.Key, objectRow.Value); err != nil {
		return nil, err
	}
	if req.Check != nil {
		if err := req.Check(); err != nil {
			return nil, err
		}
	}

	rec := s.assemble(chosen)
	rec.UploadID = id
	rec.Attributes = u.Attributes
	rec.ACL = req.ACL
	rec.Encryption = u.Encryption
	if rec.MD5, err = s.sequenceMD5(ctx, u, sequence, all, chosen); err != nil {
		return nil, err
	}
	var streams []meta.Stream
	if u.Encryption.Algorithm != "" {
		streams = streamsOf(chosen)
	}
	owner := blob.Owner{Bucket: b.ID, Key: req.Key, Version: rec.Version, UploadID: id}
	if rec.Manifest, err = s.saveManifest(ctx, owner, rec.Manifest.Extents, streams); err != nil {
		return nil, err
	}
	done := meta.Completed{
		Key: req.Key, List: list, ETag: rec.ETag, CRC64: rec.CRC64, Size: rec.Size, Modified: rec.Modified,
		Algorithm: rec.Encryption.Algorithm, KeyID: rec.Encryption.KeyID,
	}
	ended := meta.Garbage{UploadID: id, Key: req.Key, Version: rec.Version}

	c := v.change()
	c.replace(openRow, nil)
	c.replace(objectRow, rec.Encode())
	c.replace(doneRow, done.Encode())
	c.add(s.garbageKey(), ended.Encode())
	if err := s.discard(c, objectRow.Value); err != nil {
		return nil, err
	}
	if err := s.commitNames(ctx, c); err != nil {
		s.forget(ctx, err, rec.Manifest.Stored)
		return nil, err
	}
	s.closeUpload(ctx, u.partition)
	return completeResult(&done), nil
}

// repeatedComplete answers a Complete of an upload that was completed.
func repeatedComplete(key string, list, value []byte) (*CompleteMultipartUploadResult, error) {
	done, err := meta.DecodeCompleted(value)
	if err != nil {
		return nil, err
	}
	if done.Key != key || string(done.List) != string(list) {
		return nil, ErrNoSuchUpload
	}
	return completeResult(done), nil
}

func completeResult(c *meta.Completed) *CompleteMultipartUploadResult {
	return &CompleteMultipartUploadResult{
		ETag: c.ETag, CRC64: c.CRC64, Size: c.Size, LastModified: c.Modified,
		Encryption: Encryption{Algorithm: c.Algorithm, KeyID: c.KeyID},
	}
}

// listDigest tells lists of parts apart.
func listDigest(req *CompleteMultipartUploadRequest) []byte {
	h := sha256.New()
	if req.All {
		io.WriteString(h, "all")
	}
	for _, p := range req.Parts {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(p.Number))
		h.Write(n[:])
		io.WriteString(h, strings.ToUpper(p.ETag))
		h.Write([]byte{0})
	}
	return h.Sum(nil)
}

// numberedPart is a part's record and number.
type numberedPart struct {
	number PartNumber
	meta.Part
}

// parts reads all parts of an upload, ascending by number.
func (s *Store) parts(ctx context.Context, u *upload) ([]numberedPart, error) {
	var all []numberedPart
	err := s.scanPrefix(ctx, u.partition, meta.PartPrefix, func(row kv.Row) error {
		n, err := meta.PartNumber(row.Key)
		if err != nil {
			return err
		}
		rec, err := meta.DecodePart(row.Value)
		if err != nil {
			return fmt.Errorf("part %d: %w", n, err)
		}
		all = append(all, numberedPart{PartNumber(n), *rec})
		return nil
	})
	return all, err
}

// choose checks a Complete's list against the uploaded parts, in the order of
// checks that OSS has, and returns the listed parts.
func choose(all []numberedPart, req *CompleteMultipartUploadRequest) ([]numberedPart, error) {
	chosen := all
	if !req.All {
		for i := 1; i < len(req.Parts); i++ {
			if p := req.Parts[i]; p.Number <= req.Parts[i-1].Number {
				return nil, &Error{PartNumber: p.Number, Err: ErrInvalidPartOrder}
			}
		}
		chosen = make([]numberedPart, 0, len(req.Parts))
		for _, p := range req.Parts {
			i, found := slices.BinarySearchFunc(all, p.Number, func(have numberedPart, n PartNumber) int { return int(have.number - n) })
			if !found || !strings.EqualFold(p.ETag, digest.PartETag([16]byte(all[i].MD5))) {
				return nil, &Error{PartNumber: p.Number, ETag: p.ETag, Err: ErrInvalidPart}
			}
			chosen = append(chosen, all[i])
		}
	}
	var total int64
	for i, p := range chosen {
		if p.Size < MinPartSize && i < len(chosen)-1 {
			return nil, &Error{PartNumber: p.number, ETag: digest.PartETag([16]byte(p.MD5)), Size: p.Size, Err: ErrPartTooSmall}
		}
		total += p.Size
	}
	if total > MaxObjectSize {
		return nil, &Error{Size: total, Err: ErrTooLarge}
	}
	return chosen, nil
}

// assemble makes the record of the object that parts become.
func (s *Store) assemble(parts []numberedPart) *meta.Object {
	rec := &meta.Object{Version: s.newID(), Type: string(Multipart), Modified: s.now()}
	etag := digest.NewETagBuilder()
	var crc digest.Combiner
	for _, p := range parts {
		etag.Append(digest.PartETag([16]byte(p.MD5)))
		crc.Append(p.CRC64, p.Size)
		rec.Size += p.Size
		rec.Manifest.Extents = append(rec.Manifest.Extents, p.Extents...)
	}
	rec.ETag, rec.CRC64 = etag.Sum(), crc.Sum()
	return rec
}

// streamsOf returns the streams that encrypted parts are.
func streamsOf(parts []numberedPart) []meta.Stream {
	streams := make([]meta.Stream, len(parts))
	for i, p := range parts {
		streams[i] = meta.Stream{PartNumber: int(p.number), Size: p.Size}
	}
	return streams
}

// partsInSequence reads all parts of an upload and, of a sequential one, the
// state that belongs to just these parts.
func (s *Store) partsInSequence(ctx context.Context, u *upload) ([]numberedPart, []byte, error) {
	if !u.Sequential {
		all, err := s.parts(ctx, u)
		return all, nil, err
	}
	before, err := s.view(ctx, u.partition, meta.SequenceKey())
	if err != nil {
		return nil, nil, err
	}
	all, err := s.parts(ctx, u)
	if err != nil {
		return nil, nil, err
	}
	after, err := s.view(ctx, u.partition, meta.SequenceKey())
	if err != nil {
		return nil, nil, err
	}
	// Every part changes the state: the same before and after, nothing came between.
	if string(before.rows[0].Value) != string(after.rows[0].Value) {
		return nil, nil, errConflict
	}
	return all, after.rows[0].Value, nil
}

// sequenceMD5 returns the MD5 of a sequential upload's bytes, or nil when the
// list is not all of its parts, or the upload is not sequential.
func (s *Store) sequenceMD5(ctx context.Context, u *upload, sequence []byte, all, chosen []numberedPart) ([]byte, error) {
	if sequence == nil || len(chosen) != len(all) {
		return nil, nil
	}
	seq, err := meta.DecodeSequence(sequence)
	if err != nil || len(chosen) != seq.Last {
		return nil, err
	}
	key, err := s.dataKey(ctx, u)
	if err != nil {
		return nil, err
	}
	state, err := key.openState(seq.After)
	if err != nil {
		return nil, err
	}
	md5, err := state.Open()
	if err != nil {
		return nil, err
	}
	return md5.Sum(nil), nil
}

// AbortMultipartUpload ends an upload and drops its parts. The commit that
// deletes the upload's row decides against a Complete.
func (s *Store) AbortMultipartUpload(ctx context.Context, bucket, key string, id UploadID) error {
	err := retry(ctx, func() error { return s.abortMultipartUpload(ctx, bucket, key, id) })
	return wrap(err, &Error{Op: "AbortMultipartUpload", Bucket: bucket, Key: key, UploadID: id})
}

func (s *Store) abortMultipartUpload(ctx context.Context, bucket, key string, id UploadID) error {
	b, err := s.bucket(ctx, bucket)
	if err != nil {
		return err
	}
	if !validUploadID(id) {
		return ErrNoSuchUpload
	}
	v, err := s.rangeView(ctx, b, key, meta.UploadKey(key, string(id)))
	if err != nil {
		return err
	}
	if v.rows[0].Value == nil {
		return ErrNoSuchUpload
	}
	return s.endUpload(ctx, b, v, key, id)
}

// endUpload ends an upload without an object. Its row is the first of the view.
func (s *Store) endUpload(ctx context.Context, b *bucketRow, v *view, key string, id UploadID) error {
	ended := meta.Garbage{UploadID: string(id), Key: key}
	c := v.change()
	c.replace(v.rows[0], nil)
	c.add(s.garbageKey(), ended.Encode())
	if err := s.commitNames(ctx, c); err != nil {
		return err
	}
	s.closeUpload(ctx, meta.UploadPartition(b.ID, string(id)))
	return nil
}

// closeUpload sees to it that no part is stored in an ended upload any more.
// Should it fail, the reclaimer does it before it looks at the parts; until
// then a late part is stored and dropped, as if it had come before the end.
func (s *Store) closeUpload(ctx context.Context, p kv.Partition) {
	if err := s.closePartition(context.WithoutCancel(ctx), p); err != nil {
		s.log.Warn("ended upload stays open for parts until it is reclaimed", "partition", string(p), "error", err)
	}
}

func (s *Store) closePartition(ctx context.Context, p kv.Partition) error {
	return retry(ctx, func() error {
		v, err := s.view(ctx, p)
		if err != nil || v.rawHeader == nil || v.header.State == meta.Closed {
			return err
		}
		c := v.change()
		c.setHeader(v.header.Next(meta.Closed))
		return s.commit(ctx, c)
	})
}
