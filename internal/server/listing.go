package server

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/xml"
	"hash/crc32"
	"time"
	"unicode/utf8"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// listing is what the listings of keys have in common.
type listing struct {
	prefix, delimiter, marker, encoding string
	max                                 int
}

// listing reads the parameters of a listing whose marker and count have the
// given names. ec is for a count that is out of range.
func (rq *request) listing(marker, count string, fallback int, ec string) (l listing, err error) {
	for _, p := range []struct {
		name string
		to   *string
	}{
		{wire.QueryPrefix, &l.prefix}, {wire.QueryDelimiter, &l.delimiter}, {marker, &l.marker},
	} {
		if *p.to, err = rq.keyText(p.name); err != nil {
			return l, err
		}
	}
	if l.encoding, err = rq.encodingType(); err != nil {
		return l, err
	}
	l.max, err = wire.ParseCount(count, rq.query.Get(count), fallback, ec)
	return l, err
}

// keyText reads a parameter that is compared with keys.
func (rq *request) keyText(name string) (string, error) {
	text := rq.query.Get(name)
	if len(text) > wire.MaxMarkerBytes || !utf8.ValidString(text) {
		return "", wire.InvalidArgument(name, text, "The length of "+name+" must be less than 1024, and it must be UTF-8.")
	}
	return text, nil
}

func (l *listing) request(bucket string) *store.ListObjectsRequest {
	return &store.ListObjectsRequest{
		Bucket: bucket, Prefix: l.prefix, Delimiter: l.delimiter, Marker: l.marker, Max: l.max,
	}
}

func commonPrefixes(prefixes []string) []wire.CommonPrefix {
	var out []wire.CommonPrefix
	for _, p := range prefixes {
		out = append(out, wire.CommonPrefix{Prefix: p})
	}
	return out
}

// summaries describes objects for a listing, with their owner unless nil.
func summaries(objects []store.Object, owner *wire.Owner, now time.Time) []wire.ObjectSummary {
	var out []wire.ObjectSummary
	for i := range objects {
		o := &objects[i]
		out = append(out, wire.ObjectSummary{
			Key:            o.Key,
			LastModified:   wire.Time{Time: o.LastModified},
			ETag:           wire.ETag(o.ETag),
			Type:           wire.ObjectType(o.Type),
			Size:           o.Size,
			StorageClass:   wire.StorageClass(o.StorageClass),
			Owner:          owner,
			RestoreInfo:    restoreInfo(o, now),
			TransitionTime: transitionTime(o),
		})
	}
	return out
}

// listObjects lists objects, version 1.
func (s *Server) listObjects(ctx context.Context, rq *request) error {
	l, err := rq.listing(wire.QueryMarker, wire.QueryMaxKeys, wire.DefaultMaxKeys, wire.ECListObjectsMaxKeys)
	if err != nil {
		return err
	}
	page, err := s.store.ListObjects(ctx, l.request(rq.target.bucket))
	if err != nil {
		return err
	}
	owner := s.owner()
	result := &wire.ListObjectsResult{
		Name:           rq.target.bucket,
		Prefix:         l.prefix,
		Marker:         l.marker,
		MaxKeys:        l.max,
		Delimiter:      l.delimiter,
		EncodingType:   l.encoding,
		IsTruncated:    page.Truncated,
		Contents:       summaries(page.Objects, &owner, s.store.Now()),
		CommonPrefixes: commonPrefixes(page.CommonPrefixes),
	}
	if page.Truncated {
		result.NextMarker = page.Next
	}
	return rq.w.document(result)
}

// listObjectsV2 lists objects, version 2. A token has priority over
// start-after.
func (s *Server) listObjectsV2(ctx context.Context, rq *request) error {
	l, err := rq.listing(wire.QueryStartAfter, wire.QueryMaxKeys, wire.DefaultMaxKeys, wire.ECListObjectsMaxKeys)
	if err != nil {
		return err
	}
	req := l.request(rq.target.bucket)
	token := rq.query.Get(wire.QueryContinuationToken)
	if token != "" {
		if req.Marker, err = parseToken(token); err != nil {
			return err
		}
	}
	page, err := s.store.ListObjects(ctx, req)
	if err != nil {
		return err
	}
	var owner *wire.Owner
	if rq.query.Get(wire.QueryFetchOwner) == "true" {
		o := s.owner()
		owner = &o
	}
	result := &wire.ListObjectsV2Result{
		Name:              rq.target.bucket,
		Prefix:            l.prefix,
		StartAfter:        l.marker,
		ContinuationToken: token,
		MaxKeys:           l.max,
		Delimiter:         l.delimiter,
		EncodingType:      l.encoding,
		IsTruncated:       page.Truncated,
		KeyCount:          len(page.Objects) + len(page.CommonPrefixes),
		Contents:          summaries(page.Objects, owner, s.store.Now()),
		CommonPrefixes:    commonPrefixes(page.CommonPrefixes),
	}
	if page.Truncated {
		result.NextContinuationToken = formatToken(page.Next)
	}
	return rq.w.document(result)
}

// A continuation token is where the next page starts, in the alphabet that no
// client changes:
//
//	base64url( CRC-32C of marker, 4 bytes big-endian | marker )
//
// The sum tells a token from garbage; there is nothing secret in it.
var tokenTable = crc32.MakeTable(crc32.Castagnoli)

func formatToken(marker string) string {
	b := binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte(marker), tokenTable))
	return base64.RawURLEncoding.EncodeToString(append(b, marker...))
}

func parseToken(token string) (marker string, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < 4 || len(b) > 4+wire.MaxMarkerBytes ||
		binary.BigEndian.Uint32(b) != crc32.Checksum(b[4:], tokenTable) {
		return "", wire.InvalidArgument(wire.QueryContinuationToken, token, "The continuation token is invalid.")
	}
	return string(b[4:]), nil
}

// listObjectVersions lists the versions of objects. A bucket that was never
// versioned has one of each, called null; so after a key's version comes the
// next key, whatever the version marker says.
func (s *Server) listObjectVersions(ctx context.Context, rq *request) error {
	l, err := rq.listing(wire.QueryKeyMarker, wire.QueryMaxKeys, wire.DefaultMaxKeys, wire.ECListVersionsMaxKeys)
	if err != nil {
		return err
	}
	idMarker := rq.query.Get(wire.QueryVersionIDMarker)
	if idMarker != "" {
		if l.marker == "" {
			return wire.InvalidArgument(wire.QueryVersionIDMarker, idMarker,
				"A version-id-marker cannot be specified without a key-marker.")
		}
		if err := checkVersionID(idMarker); err != nil {
			return err
		}
	}
	page, err := s.store.ListObjects(ctx, l.request(rq.target.bucket))
	if err != nil {
		return err
	}
	result := &wire.ListObjectVersionsResult{
		Name:            rq.target.bucket,
		Prefix:          l.prefix,
		KeyMarker:       l.marker,
		VersionIDMarker: idMarker,
		MaxKeys:         l.max,
		Delimiter:       l.delimiter,
		EncodingType:    l.encoding,
		IsTruncated:     page.Truncated,
		CommonPrefixes:  commonPrefixes(page.CommonPrefixes),
	}
	for i := range page.Objects {
		result.Entries = append(result.Entries, s.nullVersion(&page.Objects[i], s.store.Now()))
	}
	if page.Truncated {
		result.NextKeyMarker = page.Next
		if n := len(page.Objects); n > 0 && page.Objects[n-1].Key == page.Next {
			result.NextVersionIDMarker = wire.NullVersion
		}
	}
	return rq.w.document(result)
}

// nullVersion describes an object as its only version.
func (s *Server) nullVersion(o *store.Object, now time.Time) wire.VersionEntry {
	return wire.VersionEntry{
		XMLName:      xml.Name{Local: wire.ElementVersion},
		Key:          o.Key,
		VersionID:    wire.NullVersion,
		IsLatest:     true,
		LastModified: wire.Time{Time: o.LastModified},
		VersionData: &wire.VersionData{
			ETag:           wire.ETag(o.ETag),
			Type:           wire.ObjectType(o.Type),
			Size:           o.Size,
			StorageClass:   wire.StorageClass(o.StorageClass),
			RestoreInfo:    restoreInfo(o, now),
			TransitionTime: transitionTime(o),
		},
		Owner: s.owner(),
	}
}

// listLiveChannel lists the live channels of a bucket: none, ever.
func (s *Server) listLiveChannel(ctx context.Context, rq *request) error {
	l, err := rq.listing(wire.QueryMarker, wire.QueryMaxKeys, wire.DefaultMaxKeys, "")
	if err != nil {
		return err
	}
	if _, err := s.store.GetBucketInfo(ctx, rq.target.bucket); err != nil {
		return err
	}
	return rq.w.document(&wire.ListLiveChannelResult{Prefix: l.prefix, Marker: l.marker, MaxKeys: l.max})
}
