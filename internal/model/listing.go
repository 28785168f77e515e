package model

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/ossastore/ossa/internal/store"
)

// group returns the common prefix that a key is listed under, or "".
func group(key, prefix, delimiter string) string {
	if delimiter == "" {
		return ""
	}
	i := strings.Index(key[len(prefix):], delimiter)
	if i < 0 {
		return ""
	}
	return key[:len(prefix)+i+len(delimiter)]
}

// ListObjects is store's.
func (s *Store) ListObjects(_ context.Context, req *store.ListObjectsRequest) (*store.ListObjectsResult, error) {
	b, err := s.bucket(req.Bucket)
	if err != nil {
		return nil, at(err, store.Error{Op: "ListObjects", Bucket: req.Bucket})
	}
	res := &store.ListObjectsResult{}
	for _, key := range slices.Sorted(maps.Keys(b.objects)) {
		if !strings.HasPrefix(key, req.Prefix) {
			continue
		}
		g := group(key, req.Prefix, req.Delimiter)
		entry := cmp.Or(g, key)
		if entry <= req.Marker || g != "" && slices.Contains(res.CommonPrefixes, g) {
			continue
		}
		if len(res.Objects)+len(res.CommonPrefixes) == req.Max {
			res.Truncated = true
			break
		}
		res.Next = entry
		if g != "" {
			res.CommonPrefixes = append(res.CommonPrefixes, g)
		} else {
			res.Objects = append(res.Objects, *b.objects[key].info())
		}
	}
	return res, nil
}

// ListMultipartUploads is store's.
func (s *Store) ListMultipartUploads(_ context.Context, req *store.ListMultipartUploadsRequest) (*store.ListMultipartUploadsResult, error) {
	b, err := s.bucket(req.Bucket)
	if err != nil {
		return nil, at(err, store.Error{Op: "ListMultipartUploads", Bucket: req.Bucket})
	}
	all := slices.SortedFunc(maps.Values(b.uploads), func(x, y *upload) int {
		return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.ID, y.ID))
	})
	res := &store.ListMultipartUploadsResult{}
	for _, u := range all {
		if !strings.HasPrefix(u.Key, req.Prefix) {
			continue
		}
		g := group(u.Key, req.Prefix, req.Delimiter)
		after := cmp.Or(g, u.Key) > req.KeyMarker ||
			g == "" && u.Key == req.KeyMarker && req.UploadIDMarker != "" && u.ID > req.UploadIDMarker
		if !after || g != "" && slices.Contains(res.CommonPrefixes, g) {
			continue
		}
		if len(res.Uploads)+len(res.CommonPrefixes) == req.Max {
			res.Truncated = true
			break
		}
		if g != "" {
			res.CommonPrefixes = append(res.CommonPrefixes, g)
			res.NextKey, res.NextUploadID = g, ""
		} else {
			res.Uploads = append(res.Uploads, *u.info())
			res.NextKey, res.NextUploadID = u.Key, u.ID
		}
	}
	return res, nil
}

// ListParts is store's.
func (s *Store) ListParts(_ context.Context, req *store.ListPartsRequest) (*store.ListPartsResult, error) {
	_, u, err := s.upload(req.Bucket, req.Key, req.UploadID)
	if err != nil {
		return nil, at(err, store.Error{Op: "ListParts", Bucket: req.Bucket, Key: req.Key, UploadID: req.UploadID})
	}
	res := &store.ListPartsResult{Upload: *u.info()}
	for _, n := range slices.Sorted(maps.Keys(u.parts)) {
		if n <= req.Marker {
			continue
		}
		if len(res.Parts) == req.Max {
			res.Truncated = true
			break
		}
		res.Parts = append(res.Parts, *u.parts[n].info())
	}
	return res, nil
}
