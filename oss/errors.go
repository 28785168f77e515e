package oss

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/wire"
)

// Error is a request that the server refused or could not serve.
type Error struct {
	Op     string // the operation, such as UploadPart
	Bucket string
	Key    string

	Status    int    // HTTP status
	Code      string // such as NoSuchKey; "" if the answer had no error document
	Message   string
	EC        string // detailed error number, such as 0042-00000104
	RequestID string
	HostID    string

	// Elements are what else the error document said, such as ArgumentName or
	// StringToSign. They may quote the request, its signature included.
	Elements []ErrorElement

	// CanonicalRequest (of V4) and StringToSign are what this client signed, if the
	// server says that the signature does not match. Elements of the same names are
	// what the server signed: the first difference is the reason. They may quote a
	// security token.
	CanonicalRequest string
	StringToSign     string

	date       time.Time     // of the answer
	retryAfter time.Duration // that the server asks for; 0 for none
}

// ErrorElement is one further element of an error document.
type ErrorElement struct {
	Name, Value string
}

// Error says what was refused and why.
func (e *Error) Error() string {
	w := wire.Error{Code: e.Code, Status: e.Status, Message: e.Message, RequestID: e.RequestID}
	return "oss: " + where(e.Op, e.Bucket, e.Key) + ": " + w.Error()
}

// Element returns the value of the first further element of that name, or "".
func (e *Error) Element(name string) string {
	for _, el := range e.Elements {
		if el.Name == name {
			return el.Value
		}
	}
	return ""
}

// Is reports whether target is the sentinel of e's code or status.
func (e *Error) Is(target error) bool {
	switch target := target.(type) {
	case errorCode:
		return e.Code == string(target)
	case errorStatus:
		return e.Status == int(target)
	}
	return false
}

func newError(op, bucket, key string, w *wire.Error) *Error {
	e := &Error{
		Op: op, Bucket: bucket, Key: key,
		Status: w.Status, Code: w.Code, Message: w.Message, EC: w.EC, RequestID: w.RequestID, HostID: w.HostID,
	}
	for _, el := range w.Elements {
		e.Elements = append(e.Elements, ErrorElement(el))
	}
	return e
}

// where names what an error is about.
func where(op, bucket, key string) string {
	switch {
	case bucket == "":
		return op
	case key == "":
		return op + " oss://" + bucket
	}
	return op + " oss://" + bucket + "/" + key
}

// errorCode is the sentinel of a code of OSS.
type errorCode string

func (c errorCode) Error() string { return "oss: " + string(c) }

// errorStatus is the sentinel of an HTTP status.
type errorStatus int

func (s errorStatus) Error() string {
	return "oss: " + strings.ToLower(http.StatusText(int(s)))
}

// Answers of a server that callers act on, for errors.Is. They compare the code
// of an *Error.
var (
	ErrAccessDenied          error = errorCode("AccessDenied")
	ErrBucketAlreadyExists   error = errorCode("BucketAlreadyExists")
	ErrBucketNotEmpty        error = errorCode("BucketNotEmpty")
	ErrEntityTooLarge        error = errorCode("EntityTooLarge")
	ErrEntityTooSmall        error = errorCode("EntityTooSmall")
	ErrFileAlreadyExists     error = errorCode("FileAlreadyExists") // forbid-overwrite
	ErrInvalidAccessKeyID    error = errorCode("InvalidAccessKeyId")
	ErrInvalidArgument       error = errorCode("InvalidArgument")
	ErrInvalidDigest         error = errorCode("InvalidDigest")
	ErrInvalidObjectState    error = errorCode("InvalidObjectState") // archived and not restored
	ErrInvalidPart           error = errorCode("InvalidPart")
	ErrInvalidPartOrder      error = errorCode("InvalidPartOrder")
	ErrInvalidRange          error = errorCode("InvalidRange")
	ErrNoSuchBucket          error = errorCode("NoSuchBucket")
	ErrNoSuchKey             error = errorCode("NoSuchKey")
	ErrNoSuchUpload          error = errorCode("NoSuchUpload")
	ErrNoSuchVersion         error = errorCode("NoSuchVersion")
	ErrNotImplemented        error = errorCode("NotImplemented")
	ErrRequestTimeTooSkewed  error = errorCode("RequestTimeTooSkewed")
	ErrSecurityTokenExpired  error = errorCode("SecurityTokenExpired")
	ErrSignatureDoesNotMatch error = errorCode("SignatureDoesNotMatch")
	ErrRestoreInProgress     error = errorCode("RestoreAlreadyInProgress")

	ErrNoSuchBucketPolicy      error = errorCode("NoSuchBucketPolicy")
	ErrNoSuchCORSConfiguration error = errorCode("NoSuchCORSConfiguration")
	ErrNoSuchEncryption        error = errorCode("NoSuchServerSideEncryptionRule")
	ErrNoSuchLifecycle         error = errorCode("NoSuchLifecycle")
)

// Answers that have no one code. They compare the HTTP status of an *Error.
var (
	ErrNotFound           error = errorStatus(http.StatusNotFound)
	ErrNotModified        error = errorStatus(http.StatusNotModified)
	ErrPreconditionFailed error = errorStatus(http.StatusPreconditionFailed)
)

// What goes wrong on this side.
var (
	// ErrStalled says that nothing moved on a connection for the stall timeout.
	ErrStalled = errors.New("the connection stalled")

	// ErrChecksum says that bytes did not arrive as they were sent.
	ErrChecksum = errors.New("checksum mismatch")

	// ErrShortBody says that a body ended before its announced length.
	ErrShortBody = errors.New("the body is too short")

	// ErrSourceChanged says that a file changed while it was uploaded, or an
	// object while it was downloaded or copied.
	ErrSourceChanged = errors.New("the source changed on the way")
)

// errNoOSS says that somebody answered with success who does not speak OSS, such
// as the login page of a network.
var errNoOSS = errors.New("the answer is none of an OSS endpoint")

// opError is a failure other than an answer.
func opError(op, bucket, key string, err error) error {
	return &operationError{where(op, bucket, key), err}
}

// operationError says of what a failure is. That the library speaks is said once.
type operationError struct {
	where string
	err   error
}

func (e *operationError) Error() string {
	return "oss: " + e.where + ": " + strings.TrimPrefix(e.err.Error(), "oss: ")
}

func (e *operationError) Unwrap() error { return e.err }
