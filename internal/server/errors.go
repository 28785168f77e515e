package server

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// refusal is an answer that is an error and has headers of its own.
type refusal struct {
	err    *wire.Error
	header map[string]string
}

func (r *refusal) Error() string { return r.err.Error() }
func (r *refusal) Unwrap() error { return r.err }

func withHeader(e *wire.Error, name, value string) *refusal {
	return &refusal{err: e, header: map[string]string{name: value}}
}

// What a handler finds for itself.
var (
	// errNotModified: a condition says that the client has it already. The
	// answer is 304 and has no document.
	errNotModified = errors.New("not modified")

	// errOverload: Options.MaxInFlight requests are being served, or their
	// documents fill Options.DocumentMemory.
	errOverload = errors.New("too many requests at once")

	// errKeyOverload: Options.MaxInFlightPerKey requests of the same access key
	// are being served.
	errKeyOverload = errors.New("too many requests of one access key at once")
)

// statusClientGone is what the log tells of a request whose client left before
// the answer. Nobody receives it.
const statusClientGone = 499

// answers tells what errors of the store become on the wire. An empty message
// is the catalogue's.
var answers = []struct {
	err     error
	code    string
	message string
}{
	{store.ErrNoSuchBucket, "NoSuchBucket", ""},
	{store.ErrBucketExists, "BucketAlreadyExists", "Cannot modify existing bucket's storage class."},
	{store.ErrBucketRedundancy, "BucketAlreadyExists", "Bucket already exists can't modify data redundancy type."},
	{store.ErrTooManyBuckets, "TooManyBuckets", ""},
	{store.ErrBucketHasObjects, "BucketNotEmpty", "The bucket has objects. Please delete them first."},
	{store.ErrBucketHasUploads, "BucketNotEmpty", "The bucket has Multipart Uploads. Please delete them first."},
	{store.ErrTooManyCnames, "TooManyCname", ""},
	{store.ErrNoSuchConfig, "", ""}, // see noSuchConfig
	{store.ErrNoSuchKey, "NoSuchKey", ""},
	{store.ErrNoSuchVersion, "NoSuchVersion", ""},
	{store.ErrObjectExists, "FileAlreadyExists", ""},
	{store.ErrNotRestored, "InvalidObjectState", ""},
	{store.ErrNotArchived, "OperationNotSupported", ""},
	{store.ErrRestoreInProgress, "RestoreAlreadyInProgress", ""},
	{store.ErrNoSuchUpload, "NoSuchUpload", ""},
	{store.ErrInvalidPart, "InvalidPart", ""},
	{store.ErrInvalidPartOrder, "InvalidPartOrder", ""},
	{store.ErrPartTooSmall, "EntityTooSmall", ""},
	{store.ErrPartNotSequential, "PartNotSequential", ""},
	{store.ErrTooLarge, "EntityTooLarge", ""},
	{store.ErrWrongMD5, "InvalidDigest", ""},
	{store.ErrWrongCRC64, "InvalidCRC64", ""},
	{store.ErrShortBody, "IncompleteBody", ""},
	{store.ErrNoKeyRing, "KmsServiceNotEnabled", "The server has no key ring to encrypt or decrypt with."},
	{store.ErrUnknownKey, "InvalidParameter", ""},
	{store.ErrKeyLost, "KmsServiceNotEnabled", "The key that the object is encrypted with is not in the key ring of the server, or is another one there."},
	{store.ErrFull, "ServiceUnavailable", "The disk of the server is full. Nothing of this request was stored; reading and deleting go on."},
	{store.ErrUnavailable, "ServiceUnavailable", "The storage takes no changes at the moment. Please try again."},
}

// noSuchConfig are the codes for configurations that a bucket does not have.
var noSuchConfig = map[store.ConfigKind]string{
	store.ConfigPolicy:     "NoSuchBucketPolicy",
	store.ConfigLifecycle:  "NoSuchLifecycle",
	store.ConfigCors:       "NoSuchCORSConfiguration",
	store.ConfigEncryption: "NoSuchServerSideEncryptionRule",
}

// retryAfter is how long a client is told to wait, in seconds.
const retryAfter = "1"

// operationECs are detailed error numbers that depend on the operation.
var operationECs = map[[2]string]string{
	{"UploadPart", "NoSuchUpload"}:                   wire.ECUploadPartNoSuchUpload,
	{"UploadPartCopy", "NoSuchUpload"}:               wire.ECUploadPartCopyNoSuchUpload,
	{"CompleteMultipartUpload", "FileAlreadyExists"}: wire.ECCompleteFileExists,
	{"CompleteMultipartUpload", "MalformedXML"}:      wire.ECCompleteMalformedXML,
	{"DeleteMultipleObjects", "MalformedXML"}:        wire.ECDeleteMalformedXML,
	{"GetObject", "InvalidObjectState"}:              wire.ECGetObjectNotRestored,
	{"RestoreObject", "OperationNotSupported"}:       wire.ECRestoreNotArchived,
	{"PutBucket", "MalformedXML"}:                    wire.ECConfigMalformedXML,
	{"PutObjectTagging", "MalformedXML"}:             wire.ECConfigMalformedXML,
	{"PutCname", "MalformedXML"}:                     wire.ECConfigMalformedXML,
	{"DeleteCname", "MalformedXML"}:                  wire.ECConfigMalformedXML,
	{"PutBucketLifecycle", "MalformedXML"}:           wire.ECConfigMalformedXML,
	{"PutBucketCors", "MalformedXML"}:                wire.ECConfigMalformedXML,
	{"PutBucketReferer", "MalformedXML"}:             wire.ECConfigMalformedXML,
	{"PutBucketEncryption", "MalformedXML"}:          wire.ECConfigMalformedXML,
	{"PutBucketTagging", "MalformedXML"}:             wire.ECConfigMalformedXML,
}

// refuse makes an answer of any error. expected is whether the error is of the
// kind that requests cause; anything else is ours and belongs in the log.
func refuse(rq *request, err error) (_ *refusal, expected bool) {
	var (
		r       *refusal
		wireErr *wire.Error
		signErr *sign.Error
		bad     *bodyError
		decode  *wire.DecodeError
	)
	switch {
	case errors.As(err, &r):
		return r, true
	case errors.As(err, &wireErr):
		r = &refusal{err: wireErr}
	case errors.As(err, &signErr):
		r = &refusal{err: fromSign(signErr)}
	case errors.As(err, &decode):
		r = &refusal{err: wire.MalformedXML(decode, "")}
	case errors.As(err, &bad), errors.As(rq.body.err, &bad) && errors.Is(err, context.Canceled):
		// net/http cancels the context of a request whose body breaks off.
		code := "IncompleteBody"
		if bad.timeout() {
			code = "RequestTimeout"
		}
		r = &refusal{err: wire.NewError(code)}
	case errors.Is(err, wire.ErrQuery):
		r = &refusal{err: wire.NewError("InvalidArgument").WithMessage("The query string is malformed.")}
	case errors.Is(err, errOverload):
		r = &refusal{err: wire.NewError("ServiceUnavailable")}
	case errors.Is(err, errKeyOverload):
		r = &refusal{err: wire.NewError("ActiveRequestLimitExceeded")}
	case rq.r.Context().Err() != nil && errors.Is(err, context.Canceled):
		r = &refusal{err: &wire.Error{
			Code: "ClientClosedRequest", Status: statusClientGone, Message: "The connection was closed before the answer.",
		}}
	default:
		if r = fromStore(rq, err); r == nil {
			return &refusal{err: wire.NewError("InternalError")}, false
		}
	}
	if ec, ok := operationECs[[2]string{rq.op.name, r.err.Code}]; ok {
		r.err = r.err.WithEC(ec)
	}
	if r.err.Status == http.StatusServiceUnavailable && r.header == nil {
		r = withHeader(r.err, "Retry-After", retryAfter)
	}
	return r, true
}

// fromStore makes an answer of an error of the store, or nil if it is none that
// the rules of OSS know.
func fromStore(rq *request, err error) *refusal {
	for _, a := range answers {
		if !errors.Is(err, a.err) {
			continue
		}
		where := &store.Error{Bucket: rq.target.bucket, Key: rq.target.key}
		errors.As(err, &where)
		e := wire.NewError(cmp.Or(a.code, noSuchConfig[where.Config]))
		if a.message != "" {
			e = e.WithMessage(a.message)
		}
		return &refusal{err: describe(e, where)}
	}
	return nil
}

// describe adds the elements that the catalogue of the documentation page
// "Error responses" has for a code.
func describe(e *wire.Error, where *store.Error) *wire.Error {
	part := func(e *wire.Error) *wire.Error {
		if where.PartNumber != 0 {
			e = e.With("PartNumber", strconv.Itoa(int(where.PartNumber)))
		}
		if where.ETag != "" {
			e = e.With("ETag", where.ETag)
		}
		return e
	}
	if errors.Is(where.Err, store.ErrBucketRedundancy) {
		e = e.WithEC(wire.ECBucketRedundancy)
	}
	switch e.Code {
	case "NoSuchBucket", "BucketAlreadyExists", "BucketNotEmpty", "TooManyCname",
		"NoSuchBucketPolicy", "NoSuchLifecycle", "NoSuchCORSConfiguration", "NoSuchServerSideEncryptionRule":
		return e.With("BucketName", where.Bucket)
	case "NoSuchKey", "FileAlreadyExists":
		return e.With("Key", where.Key)
	case "NoSuchUpload":
		return e.With("UploadId", string(where.UploadID))
	case "InvalidPart":
		return part(e).With("UploadId", string(where.UploadID))
	case "EntityTooSmall":
		e = e.With("MinSizeAllowed", strconv.Itoa(store.MinPartSize)).
			With("ProposedSize", strconv.FormatInt(where.Size, 10))
		return part(e)
	case "EntityTooLarge":
		limit := int64(store.MaxPartSize)
		if where.Op == "CompleteMultipartUpload" {
			limit = store.MaxObjectSize
		}
		e = e.With("MaxSizeAllowed", strconv.FormatInt(limit, 10))
		if where.Size > 0 {
			e = e.With("ProposedSize", strconv.FormatInt(where.Size, 10))
		}
	}
	return e
}

func fromSign(e *sign.Error) *wire.Error {
	w := &wire.Error{Code: e.Code, Status: e.Status, Message: e.Message, EC: e.EC}
	for _, el := range e.Elements {
		w.Elements = append(w.Elements, wire.Element(el))
	}
	return w
}

func tooLarge(limit, proposed int64) error {
	return wire.NewError("EntityTooLarge").
		With("MaxSizeAllowed", strconv.FormatInt(limit, 10)).
		With("ProposedSize", strconv.FormatInt(proposed, 10))
}

func invalidBucketName(name string) error {
	return wire.NewError("InvalidBucketName").With("BucketName", name)
}

func methodNotAllowed(method string, l level, allow []string) error {
	allow = append(slices.Clone(allow), "OPTIONS")
	slices.Sort(allow)
	e := wire.NewError("MethodNotAllowed").With("Method", method).With("ResourceType", l.String())
	return withHeader(e, "Allow", strings.Join(slices.Compact(allow), ", "))
}

// conflictingSubresources refuses a request that names several sub-resources.
// The documentation says nothing about it; guessing one would be worse.
func conflictingSubresources(present []condition) error {
	var names []string
	for _, c := range present {
		names = append(names, c.name)
	}
	text := strings.Join(names, "&")
	return wire.InvalidArgument("ResourceType", text,
		"Only one sub-resource can be specified, but the query has several: "+text)
}

// statusNotImplemented is what an operation that is missing is answered with.
// The public service, which has them all, sends this code with status 400 for
// headers that it cannot honour, see ifHeaderNotImplemented.
const statusNotImplemented = http.StatusNotImplemented

// notImplemented refuses something of OSS that this server does not have: an
// operation, or what a document asks for.
func notImplemented(what string) error {
	e := wire.NewError("NotImplemented").WithMessage(what + " not implemented by this server.")
	e.Status = statusNotImplemented
	return e
}

// headerNotImplemented refuses a header that asks for something this server does
// not have.
func headerNotImplemented(name string) error {
	e := wire.NewError("NotImplemented").With("Header", name)
	e.Status = statusNotImplemented
	return e
}

// elementNotImplemented refuses a document that asks for something this server
// does not have.
func elementNotImplemented(name string) error {
	e := wire.NewError("NotImplemented").
		WithMessage("An element you provided implies functionality that is not implemented.").With("Element", name)
	e.Status = statusNotImplemented
	return e
}

// ifHeaderNotImplemented refuses a condition where OSS itself has none.
func ifHeaderNotImplemented(name string) error {
	return wire.NewError("NotImplemented").With("Header", name)
}

func preconditionFailed(condition string) error {
	return wire.NewError("PreconditionFailed").With("Condition", condition)
}

func noSuchVersion(key, id string) error {
	return wire.NewError("NoSuchVersion").With("Key", key).With("VersionId", id)
}

func isDecodeError(err error) bool {
	var decode *wire.DecodeError
	return errors.As(err, &decode)
}

// fail answers rq with an error.
func (s *Server) fail(rq *request, err error) {
	if errors.Is(err, errNotModified) {
		rq.w.WriteHeader(http.StatusNotModified)
		return
	}
	r, expected := refuse(rq, err)
	rq.code = r.err.Code
	switch {
	case !expected:
		s.logFailure(slog.LevelError, rq, err)
	case errors.Is(err, store.ErrFull), errors.Is(err, store.ErrUnavailable), errors.Is(err, store.ErrKeyLost):
		// The answer does not say why; the operator needs to know.
		s.logFailure(slog.LevelWarn, rq, err)
	}
	if rq.w.status != 0 {
		// Too late to tell: cut the connection, so that the client does not take
		// what it got for the answer.
		panic(http.ErrAbortHandler)
	}
	e := *r.err
	e.RequestID, e.HostID = rq.id, rq.r.Host
	rq.w.reset()
	for name, value := range r.header {
		rq.w.set(name, value)
	}
	rq.w.setIf(wire.HeaderEC, e.EC)
	if rq.r.Method == http.MethodHead {
		rq.w.set(wire.HeaderErr, wire.ErrorHeader(&e))
		rq.w.WriteHeader(e.Status)
		return
	}
	rq.w.bytes(e.Status, wire.ContentTypeXML, wire.MarshalError(&e))
}

func (s *Server) logFailure(level slog.Level, rq *request, err error) {
	s.opts.Logger.Log(rq.r.Context(), level, "request failed", "request_id", rq.id, "operation", rq.op.name,
		"bucket", rq.target.bucket, "key", rq.target.key, "error", err)
}

// panicked answers rq when a handler has panicked: a fault of ours, which must
// not take other requests down.
func (s *Server) panicked(rq *request, value any, stack []byte) {
	s.metrics.panics.Inc()
	s.opts.Logger.Error("request panicked", "request_id", rq.id, "operation", rq.op.name,
		"bucket", rq.target.bucket, "key", rq.target.key, "panic", fmt.Sprint(value), "stack", string(stack))
	rq.code = "InternalError"
	if rq.w.status != 0 {
		return
	}
	if !rq.body.stream() {
		rq.w.base.Set("Connection", "close")
	}
	s.fail(rq, wire.NewError("InternalError"))
}
