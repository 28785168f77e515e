package server

import (
	"time"

	"github.com/ossastore/ossa/internal/store"
	"github.com/ossastore/ossa/internal/wire"
)

// conditions are the preconditions of a request on an object. Dates that
// cannot be read are as good as absent.
type conditions struct {
	match, noneMatch string // ETags, "" for none
	unmodified       time.Time
	modified         time.Time
	names            *conditionNames
}

// conditionNames are the headers that conditions come in.
type conditionNames struct{ match, noneMatch, unmodified, modified string }

var (
	ifNames = &conditionNames{
		"If-Match", "If-None-Match", "If-Unmodified-Since", "If-Modified-Since",
	}
	copySourceIfNames = &conditionNames{
		wire.HeaderCopySourceIfMatch, wire.HeaderCopySourceIfNoneMatch,
		wire.HeaderCopySourceIfUnmodifiedSince, wire.HeaderCopySourceIfModifiedSince,
	}
)

// refuseConditions refuses conditions where they would decide over an object,
// and OSS has them for reads only. A client that sends one there means to keep
// what is there; to ignore it would be to lose just that. On requests that
// touch no object yet (Initiate, parts) the public service and its SDKs' tests
// take such headers and make nothing of them, and so do we. So it is with
// copies, whose conditions are on the source: the JavaScript SDK's copy sends
// If-Match beside the x-oss-copy-source-if-match that it makes of it.
func (rq *request) refuseConditions() error {
	switch rq.op.name {
	case "PutObject", "CompleteMultipartUpload", "DeleteObject", "DeleteMultipleObjects":
	default:
		return nil
	}
	for _, name := range []string{ifNames.match, ifNames.noneMatch, ifNames.unmodified, ifNames.modified} {
		if rq.hasHeader(name) {
			return ifHeaderNotImplemented(name)
		}
	}
	return nil
}

func (rq *request) conditions(names *conditionNames) conditions {
	c := conditions{match: rq.header(names.match), noneMatch: rq.header(names.noneMatch), names: names}
	if t, ok := wire.ParseHTTPDate(rq.header(names.unmodified)); ok {
		c.unmodified = t
	}
	if t, ok := wire.ParseHTTPDate(rq.header(names.modified)); ok {
		c.modified = t
	}
	return c
}

// check returns nil if all conditions hold for o, PreconditionFailed if one
// that o must be something fails, and errNotModified if one that it must be
// something else does.
//
// The documentation page "GetObject" states each condition by itself. As in
// HTTP, If-None-Match decides alone where it comes with If-Modified-Since:
// the date cannot tell two changes within a second apart.
func (c conditions) check(o *store.Object) error {
	modified := o.LastModified.Truncate(time.Second)
	etag := wire.ETag(o.ETag)
	switch {
	case c.match != "" && !wire.MatchETag(c.match, etag):
		return preconditionFailed(c.names.match)
	case !c.unmodified.IsZero() && modified.After(c.unmodified):
		return preconditionFailed(c.names.unmodified)
	case c.noneMatch != "":
		if wire.MatchETag(c.noneMatch, etag) {
			return errNotModified
		}
	case !c.modified.IsZero() && !modified.After(c.modified):
		return errNotModified
	}
	return nil
}

// failedNone names the condition behind an errNotModified.
func (c conditions) failedNone() string {
	if c.noneMatch != "" {
		return c.names.noneMatch
	}
	return c.names.modified
}
