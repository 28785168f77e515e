package server

import (
	"context"
	"encoding/base64"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// putObject makes an object of the body.
func (s *Server) putObject(ctx context.Context, rq *request) error {
	if rq.query.Has(wire.QueryPartNumber) {
		// An UploadPart whose upload ID got lost must not become the object.
		return wire.InvalidArgument("ResourceType", wire.QueryPartNumber, "Unexpected query string parameter")
	}
	wish, asked, err := rq.encryptionHeader()
	if err != nil {
		return err
	}
	if err := rq.refuseCallback(); err != nil {
		return err
	}
	attrs, err := rq.attributes()
	if err != nil {
		return err
	}
	if attrs.ACL, err = rq.objectACL(); err != nil {
		return err
	}
	forbid, err := rq.forbidOverwrite()
	if err != nil {
		return err
	}
	body, err := rq.upload(wire.MaxPutObject)
	if err != nil {
		return err
	}
	if attrs.Encryption, err = s.encryption(ctx, rq, wish, asked); err != nil {
		return err
	}
	o, err := s.store.PutObject(ctx, &store.PutObjectRequest{
		Bucket:          rq.target.bucket,
		Key:             rq.target.key,
		Attributes:      attrs,
		ForbidOverwrite: forbid,
		Replaces:        s.ifWritable(ctx, rq),
		Body:            body,
	})
	if err != nil {
		return err
	}
	rq.w.setDigests(o.ETag, o.CRC64, o.MD5)
	rq.w.setEncryption(o.Encryption)
	return rq.w.empty(http.StatusOK)
}

// setDigests sets the headers that say what was stored or is sent.
func (a *answer) setDigests(etag string, crc64 uint64, md5 []byte) {
	a.set("ETag", wire.ETag(etag).Quoted())
	a.set(wire.HeaderCRC64, formatCRC64(crc64))
	if len(md5) > 0 {
		a.set("Content-MD5", base64.StdEncoding.EncodeToString(md5))
	}
}

// setObject sets the headers of GetObject and HeadObject, at this time.
func (a *answer) setObject(o *store.Object, now time.Time) {
	a.setDigests(o.ETag, o.CRC64, o.MD5)
	a.set("Last-Modified", wire.FormatHTTPDate(o.LastModified))
	a.set("Accept-Ranges", "bytes")
	a.set(wire.HeaderObjectType, string(o.Type))
	a.set(wire.HeaderStorageClass, o.StorageClass)
	a.set("Content-Type", o.ContentType)
	a.setIf("Cache-Control", o.CacheControl)
	a.setIf("Content-Disposition", o.ContentDisposition)
	a.setIf("Content-Encoding", o.ContentEncoding)
	a.setIf("Content-Language", o.ContentLanguage)
	a.setIf("Expires", o.Expires)
	a.setIf(wire.HeaderRestore, restoreInfo(o, now))
	a.setTransitioned(o)
	a.setEncryption(o.Encryption)
	if len(o.Tags) > 0 {
		a.set(wire.HeaderTaggingCount, strconv.Itoa(len(o.Tags)))
	}
	for name, value := range o.Meta {
		a.set(wire.HeaderMetaPrefix+name, value)
	}
}

// setNotModified sets the headers that a 304 has.
func (a *answer) setNotModified(o *store.Object) {
	a.set("ETag", wire.ETag(o.ETag).Quoted())
	a.set("Last-Modified", wire.FormatHTTPDate(o.LastModified))
}

// overrides are parameters of GetObject that replace headers of its answer.
var overrides = []struct{ param, header string }{
	{wire.QueryResponseContentType, "Content-Type"},
	{wire.QueryResponseContentLanguage, "Content-Language"},
	{wire.QueryResponseExpires, "Expires"},
	{wire.QueryResponseCacheControl, "Cache-Control"},
	{wire.QueryResponseContentDisposition, "Content-Disposition"},
	{wire.QueryResponseContentEncoding, "Content-Encoding"},
}

// checkOverrides refuses overrides of requests that nobody signed, and those
// that cannot stand in a header.
func (rq *request) checkOverrides() error {
	for _, o := range overrides {
		value := rq.query.Get(o.param)
		if value != "" && rq.identity.Kind == auth.Anonymous {
			return wire.NewError("InvalidRequest")
		}
		for i := range len(value) {
			if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
				return wire.InvalidArgument(o.param, value, "The value of "+o.param+" must not have control characters.")
			}
		}
	}
	return nil
}

// getObject sends an object or a range of it.
func (s *Server) getObject(ctx context.Context, rq *request) error {
	if err := rq.checkOverrides(); err != nil {
		return err
	}
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	reader, err := s.store.GetObject(ctx, rq.target.bucket, rq.target.key)
	if err != nil {
		return err
	}
	defer reader.Close()

	o := reader.Object
	if err := s.authorizeFound(ctx, rq, versioned(rq.op.action, rq), o); err != nil {
		return err
	}
	if err := rq.conditions(ifNames).check(o); err != nil {
		rq.w.setNotModified(o)
		return err
	}
	if !reader.Readable() {
		return store.ErrNotRestored
	}
	standard := rq.header(wire.HeaderRangeBehavior) == wire.RangeStandard
	rng, kind := wire.ParseRange(rq.header("Range"), o.Size, standard)
	status := http.StatusOK
	switch kind {
	case wire.RangeUnsatisfiable:
		e := wire.NewError("InvalidRange").
			With("ActualObjectSize", strconv.FormatInt(o.Size, 10)).
			With("RangeRequested", rq.header("Range"))
		return withHeader(e, "Content-Range", "bytes */"+strconv.FormatInt(o.Size, 10))
	case wire.RangePart:
		status = http.StatusPartialContent
		rq.w.set("Content-Range", rng.ContentRange(o.Size))
	}
	rq.w.setObject(o, s.store.Now())
	rq.w.setIf(wire.HeaderExpiration, s.expiration(ctx, rq, o))
	for _, o := range overrides {
		rq.w.setIf(o.header, rq.query.Get(o.param))
	}
	rq.w.set("Content-Length", strconv.FormatInt(rng.Length, 10))
	if rng.Length == 0 {
		rq.w.WriteHeader(status)
		return nil
	}
	return rq.send(ctx, reader, rng, status)
}

// send streams a range of an object. A client that leaves is no fault of ours;
// a failure to read is, and cuts the answer off.
func (rq *request) send(ctx context.Context, reader *store.Reader, rng wire.Range, status int) error {
	err := reader.WriteRange(ctx, lazy{rq.w, status}, rng.Offset, rng.Length)
	if err != nil && rq.w.sendErr != nil {
		panic(http.ErrAbortHandler)
	}
	return err
}

// readableObject looks an object up whose headers the sender may know.
func (s *Server) readableObject(ctx context.Context, rq *request) (*store.Object, error) {
	o, err := s.store.HeadObject(ctx, rq.target.bucket, rq.target.key)
	if err != nil {
		return nil, err
	}
	return o, s.authorizeFound(ctx, rq, versioned(rq.op.action, rq), o)
}

// headObject sends the headers of an object.
func (s *Server) headObject(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	o, err := s.readableObject(ctx, rq)
	if err != nil {
		return err
	}
	if err := rq.conditions(ifNames).check(o); err != nil {
		rq.w.setNotModified(o)
		return err
	}
	rq.w.setObject(o, s.store.Now())
	rq.w.setIf(wire.HeaderExpiration, s.expiration(ctx, rq, o))
	rq.w.set("Content-Length", strconv.FormatInt(o.Size, 10))
	rq.w.WriteHeader(http.StatusOK)
	return nil
}

// getObjectMeta sends the few headers of an object that every reader may
// know. Old clients ask with GET, and get no body either.
func (s *Server) getObjectMeta(ctx context.Context, rq *request) error {
	if err := s.checkVersion(ctx, rq); err != nil {
		return err
	}
	o, err := s.readableObject(ctx, rq)
	if err != nil {
		return err
	}
	rq.w.setDigests(o.ETag, o.CRC64, nil)
	rq.w.set("Last-Modified", wire.FormatHTTPDate(o.LastModified))
	rq.w.setTransitioned(o)
	if rq.r.Method != http.MethodHead {
		return rq.w.empty(http.StatusOK)
	}
	rq.w.set("Content-Length", strconv.FormatInt(o.Size, 10))
	rq.w.WriteHeader(http.StatusOK)
	return nil
}

// deleteObject removes an object. That there is none is no error, nor that
// there is no version of the ID that was given.
func (s *Server) deleteObject(ctx context.Context, rq *request) error {
	_, null, err := rq.versionID()
	if err != nil {
		return err
	}
	if null {
		check := s.ifAllowed(ctx, rq, rq.target.key, versioned(rq.op.action, rq))
		err = s.store.DeleteObjectIf(ctx, rq.target.bucket, rq.target.key, check)
	} else {
		_, err = s.store.GetBucketInfo(ctx, rq.target.bucket)
	}
	if err != nil {
		return err
	}
	return rq.w.empty(http.StatusNoContent)
}

// deleteMultipleObjects removes the objects that the body lists.
func (s *Server) deleteMultipleObjects(ctx context.Context, rq *request) error {
	encoding, err := rq.encodingType()
	if err != nil {
		return err
	}
	if err := s.authorizeAnyKey(ctx, rq); err != nil {
		return err
	}
	if err := rq.body.required(math.MaxInt64); err != nil {
		return err
	}
	doc, err := s.document(rq, s.opts.MaxDeleteBody)
	if err != nil {
		return err
	}
	list, err := wire.DecodeDelete(doc)
	if err != nil {
		return err
	}
	actions, err := s.deletable(ctx, rq, list.Objects)
	if err != nil {
		return err
	}
	if _, err := s.store.GetBucketInfo(ctx, rq.target.bucket); err != nil {
		return err
	}
	check := func(key string) store.Check { return s.ifAllowed(ctx, rq, key, actions[key]...) }
	for _, err := range s.store.DeleteMultipleObjectsIf(ctx, rq.target.bucket, slices.Sorted(maps.Keys(actions)), check) {
		if err != nil {
			return err
		}
	}
	if list.Quiet {
		return rq.w.empty(http.StatusOK)
	}
	result := &wire.DeleteResult{EncodingType: encoding}
	for _, o := range list.Objects {
		result.Deleted = append(result.Deleted, wire.Deleted{Key: o.Key})
	}
	return rq.w.document(result)
}

// authorizeAnyKey refuses a sender who cannot delete any object of the bucket,
// before the list is read: an anonymous one, where there is neither a policy nor
// a bucket's ACL to allow it.
func (s *Server) authorizeAnyKey(ctx context.Context, rq *request) error {
	if rq.identity.Kind != auth.Anonymous {
		return nil
	}
	if r, err := s.rules(ctx, rq, rq.target.bucket); err != nil || r.policy != nil {
		return err
	}
	return s.authorize(ctx, rq, rq.op.action, rq.target.bucket, "")
}

// deletable asks for every object of the list and returns the keys to delete,
// each with the actions that this takes. If one must not be deleted none is, as
// the documentation page "0003-00000204" has it. What cannot exist is as good as
// deleted: invalid keys, and versions other than null.
func (s *Server) deletable(ctx context.Context, rq *request, objects []wire.DeleteObject) (map[string][]string, error) {
	keys := make(map[string][]string)
	for _, o := range objects {
		action := rq.op.action
		if o.VersionID != "" {
			if err := checkVersionID(o.VersionID); err != nil {
				return nil, err
			}
			action = "oss:DeleteObjectVersion"
		}
		if wire.ValidateKey(o.Key) != nil || slices.Contains(keys[o.Key], action) {
			continue
		}
		if err := s.authorize(ctx, rq, action, rq.target.bucket, o.Key); err != nil {
			return nil, err
		}
		if o.VersionID == "" || o.VersionID == wire.NullVersion {
			keys[o.Key] = append(keys[o.Key], action)
		}
	}
	return keys, nil
}

// checkVersion refuses a request for a version that is not there. The one
// version of an object in an unversioned bucket is called null.
func (s *Server) checkVersion(ctx context.Context, rq *request) error {
	id, null, err := rq.versionID()
	if err != nil || null {
		return err
	}
	if _, err := s.store.GetBucketInfo(ctx, rq.target.bucket); err != nil {
		return err
	}
	return noSuchVersion(rq.target.key, id)
}
