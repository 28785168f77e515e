package model

import (
	"cmp"
	"context"
	"crypto/md5"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/store"
)

// InitiateMultipartUpload is store's.
func (s *Store) InitiateMultipartUpload(_ context.Context, req *store.InitiateMultipartUploadRequest) (store.UploadID, error) {
	id, err := s.initiate(req)
	return id, at(err, store.Error{Op: "InitiateMultipartUpload", Bucket: req.Bucket, Key: req.Key})
}

func (s *Store) initiate(req *store.InitiateMultipartUploadRequest) (store.UploadID, error) {
	b, err := s.bucket(req.Bucket)
	if err != nil {
		return "", err
	}
	if req.ForbidOverwrite && b.objects[req.Key] != nil {
		return "", store.ErrObjectExists
	}
	if err := s.encrypts(req.Attributes.Encryption); err != nil {
		return "", err
	}
	u := &upload{parts: make(map[store.PartNumber]*part), Upload: store.Upload{
		Bucket: b.Name, Key: req.Key, ID: s.opts.NewUploadID(), Attributes: cloneAttributes(req.Attributes),
		Initiated: s.now(), Sequential: req.Sequential,
	}}
	u.StorageClass = cmp.Or(u.StorageClass, b.StorageClass)
	b.uploads[u.ID] = u
	return u.ID, nil
}

// upload finds an open upload of this bucket and key.
func (s *Store) upload(bucket, key string, id store.UploadID) (*bucket, *upload, error) {
	b, err := s.bucket(bucket)
	if err != nil {
		return nil, nil, err
	}
	if u := b.uploads[id]; u != nil && u.Key == key {
		return b, u, nil
	}
	return b, nil, store.ErrNoSuchUpload
}

// GetUpload is store's.
func (s *Store) GetUpload(_ context.Context, bucket, key string, id store.UploadID) error {
	b, _, err := s.upload(bucket, key, id)
	if b != nil && b.completed[id] != nil && b.completed[id].key == key {
		return nil
	}
	return at(err, store.Error{Op: "GetUpload", Bucket: bucket, Key: key, UploadID: id})
}

// UploadPart is store's.
func (s *Store) UploadPart(_ context.Context, req *store.UploadPartRequest) (*store.Part, error) {
	_, u, err := s.upload(req.Bucket, req.Key, req.UploadID)
	if err == nil {
		err = u.accepts(req.PartNumber)
	}
	var data []byte
	if err == nil {
		data, err = receive(req.Body)
	}
	if err != nil {
		return nil, at(err, store.Error{
			Op: "UploadPart", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID, PartNumber: req.PartNumber, Size: req.Body.Size,
		})
	}
	return s.writePart(u, req.PartNumber, data), nil
}

// UploadPartCopy is store's.
func (s *Store) UploadPartCopy(_ context.Context, req *store.UploadPartCopyRequest) (*store.Part, error) {
	p, err := s.uploadPartCopy(req)
	return p, at(err, store.Error{
		Op: "UploadPartCopy", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID, PartNumber: req.PartNumber,
	})
}

func (s *Store) uploadPartCopy(req *store.UploadPartCopyRequest) (*store.Part, error) {
	_, u, err := s.upload(req.Bucket, req.Key, req.UploadID)
	if err != nil {
		return nil, err
	}
	src, err := s.source(req.Source)
	if err != nil {
		return nil, err
	}
	if err := u.accepts(req.PartNumber); err != nil {
		return nil, err
	}
	data := src.data
	if req.Range != nil {
		offset, n := req.Range(int64(len(data)))
		data = data[offset : offset+n]
	}
	return s.writePart(u, req.PartNumber, data), nil
}

// accepts tells whether a part may have this number now.
func (u *upload) accepts(n store.PartNumber) error {
	switch {
	case n < 1 || n > store.MaxParts:
		return store.ErrInvalidPart
	case u.Sequential && n != u.last && n != u.last+1:
		return store.ErrPartNotSequential
	}
	return nil
}

func (s *Store) writePart(u *upload, n store.PartNumber, data []byte) *store.Part {
	sum := md5.Sum(data)
	p := &part{data: data, Part: store.Part{
		Number: n, Size: int64(len(data)), ETag: etag(data), MD5: sum[:], CRC64: checksum(data), LastModified: s.now(),
	}}
	u.parts[n] = p
	u.last = max(u.last, n)
	info := p.info()
	info.Encryption = u.Encryption
	return info
}

// CompleteMultipartUpload is store's.
func (s *Store) CompleteMultipartUpload(_ context.Context, req *store.CompleteMultipartUploadRequest) (*store.CompleteMultipartUploadResult, error) {
	res, err := s.complete(req)
	return res, at(err, store.Error{Op: "CompleteMultipartUpload", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID})
}

func (s *Store) complete(req *store.CompleteMultipartUploadRequest) (*store.CompleteMultipartUploadResult, error) {
	b, u, err := s.upload(req.Bucket, req.Key, req.UploadID)
	if b == nil {
		return nil, err
	}
	list := strings.ToUpper(fmt.Sprint(req.All, req.Parts))
	if done := b.completed[req.UploadID]; done != nil && done.key == req.Key && done.list == list {
		res := done.result
		return &res, nil
	}
	if err != nil {
		return nil, err
	}
	chosen, err := u.choose(req)
	if err != nil {
		return nil, err
	}
	if req.ForbidOverwrite && b.objects[req.Key] != nil {
		return nil, store.ErrObjectExists
	}

	var data []byte
	var tags string
	for _, p := range chosen {
		data = append(data, p.data...)
		tags += p.ETag
	}
	o := &object{data: data, Object: store.Object{
		Bucket: b.Name, Key: req.Key, Attributes: cloneAttributes(u.Attributes), Type: store.Multipart, Size: int64(len(data)),
		ETag: fmt.Sprintf("%s-%d", etag([]byte(tags)), len(chosen)), CRC64: checksum(data),
		LastModified: s.now(), Version: s.newName(),
	}}
	o.ACL = req.ACL
	if u.Sequential && len(chosen) > 0 && len(chosen) == len(u.parts) {
		sum := md5.Sum(data)
		o.MD5 = sum[:]
	}
	b.objects[req.Key] = o
	delete(b.uploads, u.ID)
	res := store.CompleteMultipartUploadResult{ETag: o.ETag, CRC64: o.CRC64, Size: o.Size, LastModified: o.LastModified, Encryption: o.Encryption}
	b.completed[u.ID] = &completed{key: req.Key, list: list, result: res}
	return &res, nil
}

// choose returns the listed parts. What is wrong with a list is told in the
// order of OSS: its order, then parts that are not there, then their sizes.
func (u *upload) choose(req *store.CompleteMultipartUploadRequest) ([]*part, error) {
	var chosen []*part
	if req.All {
		for _, n := range slices.Sorted(maps.Keys(u.parts)) {
			chosen = append(chosen, u.parts[n])
		}
	}
	for i, p := range req.Parts {
		if i > 0 && p.Number <= req.Parts[i-1].Number {
			return nil, &store.Error{PartNumber: p.Number, Err: store.ErrInvalidPartOrder}
		}
	}
	for _, p := range req.Parts {
		have := u.parts[p.Number]
		if have == nil || !strings.EqualFold(have.ETag, p.ETag) {
			return nil, &store.Error{PartNumber: p.Number, ETag: p.ETag, Err: store.ErrInvalidPart}
		}
		chosen = append(chosen, have)
	}
	for i, p := range chosen {
		if i < len(chosen)-1 && p.Size < store.MinPartSize {
			return nil, &store.Error{PartNumber: p.Number, ETag: p.ETag, Size: p.Size, Err: store.ErrPartTooSmall}
		}
	}
	return chosen, nil
}

// AbortMultipartUpload is store's.
func (s *Store) AbortMultipartUpload(_ context.Context, bucket, key string, id store.UploadID) error {
	b, _, err := s.upload(bucket, key, id)
	if err != nil {
		return at(err, store.Error{Op: "AbortMultipartUpload", Bucket: bucket, Key: key, UploadID: id})
	}
	delete(b.uploads, id)
	return nil
}
