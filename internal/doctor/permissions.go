package doctor

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/ossastore/ossa/internal/sign"
	"github.com/ossastore/ossa/internal/wire"
)

// permissionLines are what a server says about a refusal: which action of whom, and which
// policy decided.
func permissionLines(a *answer) []string {
	var lines []string
	for _, v := range []struct{ element, name string }{
		{"AuthAction", "action"}, {"AuthResource", "resource"}, {"AuthPrincipal", "of"}, {"AuthPrincipalDisplayName", "of"},
		{"NoPermissionType", "refused by"}, {"PolicyType", "type of policy"}, {"PolicyName", "policy"}, {"PolicyStatement", "statement"},
	} {
		if value := elementOf(a, v.element); value != "" {
			lines = append(lines, v.name+": "+plain(value))
		}
	}
	return lines
}

// denied is the finding of a request that was not let through.
func denied(cause Cause, action string, a *answer) finding {
	if named := elementOf(a, "AuthAction"); named != "" {
		action = plain(named)
	}
	f := fail(cause, "%s is not allowed: %s", action, plain(a.refusal.Message))
	f.detail = permissionLines(a)
	return f
}

// unexpected is the finding of an answer that is about no permission.
func unexpected(a *answer) finding {
	switch {
	case a.err != nil:
		return fail(HTTPCut, "no answer: %s", a.text())
	case a.status >= 500:
		return fail(ServerUnavailable, "the server answers %s", a.text())
	case a.code() == "SignatureDoesNotMatch":
		return mismatch(a)
	}
	return fail(Refused, "the server answers %s", a.text())
}

func (e *examination) checkList(ctx context.Context) finding {
	if e.Bucket == "" {
		return noBucket()
	}
	query := []sign.Param{{Name: "list-type", Value: "2"}, {Name: "max-keys", Value: "1"}}
	if e.Key != "" {
		query = append(query, sign.Param{Name: "prefix", Value: e.Key})
	}
	a := e.ask(ctx, e.signedQuestion(question{method: http.MethodGet, bucket: e.Bucket, query: query}))
	switch {
	case a.err == nil && a.code() == "AccessDenied":
		return denied(PermissionList, "oss:ListObjects", a)
	case a.err != nil || a.status != http.StatusOK:
		return unexpected(a)
	}
	var list wire.ListObjectsV2Result
	if err := wire.Unmarshal(a.body, &list); err != nil {
		return fail(NotOSS, "the answer is no listing: %s", plain(err.Error()))
	}
	if len(list.Contents) == 0 {
		return ok("allowed; nothing is there")
	}
	e.firstKey = list.Contents[0].Key
	return ok("allowed")
}

func (e *examination) checkGet(ctx context.Context) finding {
	key, guessed := e.Key, false
	if key == "" {
		key = e.firstKey
	}
	if wire.ValidateKey(key) != nil {
		key, guessed = e.unusedName(), true
	}
	a := e.ask(ctx, e.signedQuestion(question{
		method: http.MethodGet, bucket: e.Bucket, key: key, header: http.Header{"Range": {"bytes=0-0"}},
	}))
	switch code := a.code(); {
	case a.err == nil && code == "AccessDenied":
		return denied(PermissionGet, "oss:GetObject", a)
	case a.err == nil && code == "NoSuchKey" && guessed:
		return ok("allowed: for an object that is not there the answer is NoSuchKey")
	case a.err == nil && code == "NoSuchKey":
		return warn(ObjectMissing, "allowed, and there is no object %q", plain(key))
	case a.err == nil && code == "InvalidObjectState":
		return warn(ObjectArchived, "allowed, and the object %q is archived", plain(key))
	case a.err != nil || a.status/100 != 2 && a.status != http.StatusRequestedRangeNotSatisfiable: // of an empty object
		return unexpected(a)
	}
	return ok("allowed: read from %q", plain(key))
}

// notWriting is the finding without Subject.Write.
func notWriting() finding { return skip("only tried with --write, and leaves nothing behind") }

// checkPut sends an object whose MD5 is that of another one. Permission is decided
// first, and then it is refused: nothing is stored.
func (e *examination) checkPut(ctx context.Context) finding {
	if !e.Write {
		return notWriting()
	}
	sum := md5.Sum([]byte("another object"))
	q := question{
		method: http.MethodPut, bucket: e.Bucket, key: e.unusedName(), body: []byte("a test of ossa doctor\n"),
		header: http.Header{"Content-Md5": {base64.StdEncoding.EncodeToString(sum[:])}, "Content-Type": {"text/plain"}},
	}
	a := e.ask(ctx, e.signedQuestion(q))
	switch {
	case a.err == nil && a.code() == "AccessDenied":
		return denied(PermissionPut, "oss:PutObject", a)
	case a.err == nil && (a.code() == "InvalidDigest" || a.code() == "BadDigest"):
		return ok("allowed; the object with a wrong checksum was refused, as it must be")
	case a.err != nil || a.status/100 != 2:
		return unexpected(a)
	}
	// It was stored. Take it away.
	removed := e.ask(context.WithoutCancel(ctx), e.signedQuestion(question{method: http.MethodDelete, bucket: q.bucket, key: q.key}))
	if removed.err != nil || removed.status/100 != 2 {
		return fail(LeftBehind, "the server stored an object with a wrong checksum, %q, and does not delete it: %s", plain(q.key), removed.text())
	}
	return fail(ChecksumIgnored, "the server stored an object whose Content-MD5 is not that of its bytes; it was deleted again")
}

// checkMultipart opens an upload, sends a part and aborts. That it may abort is
// found out first, with an upload that is not there.
func (e *examination) checkMultipart(ctx context.Context) finding {
	if !e.Write {
		return notWriting()
	}
	key := e.unusedName()
	ask := func(ctx context.Context, method string, body []byte, query ...sign.Param) *answer {
		return e.ask(ctx, e.signedQuestion(question{method: method, bucket: e.Bucket, key: key, body: body, query: query}))
	}
	probe := ask(ctx, http.MethodDelete, nil, sign.Param{Name: "uploadId", Value: strings.Repeat("0", 32)})
	switch {
	case probe.err == nil && probe.code() == "AccessDenied":
		return denied(PermissionAbort, "oss:AbortMultipartUpload", probe)
	case probe.err != nil || probe.code() != "NoSuchUpload" && probe.status/100 != 2:
		return unexpected(probe)
	}
	begun := ask(ctx, http.MethodPost, nil, sign.Param{Name: "uploads"})
	switch {
	case begun.err == nil && begun.code() == "AccessDenied":
		return denied(PermissionMultipart, "oss:PutObject", begun)
	case begun.err != nil || begun.status != http.StatusOK:
		return unexpected(begun)
	}
	var upload wire.InitiateMultipartUploadResult
	if err := wire.Unmarshal(begun.body, &upload); err != nil || upload.UploadID == "" {
		return fail(NotOSS, "the answer to InitiateMultipartUpload has no upload ID")
	}
	id := sign.Param{Name: "uploadId", Value: string(upload.UploadID)}
	part := ask(ctx, http.MethodPut, []byte("a test of ossa doctor\n"), sign.Param{Name: "partNumber", Value: "1"}, id)
	parts := ask(ctx, http.MethodGet, nil, id)
	aborted := ask(context.WithoutCancel(ctx), http.MethodDelete, nil, id)
	switch {
	case aborted.err != nil || aborted.status/100 != 2 && aborted.code() != "NoSuchUpload":
		return fail(LeftBehind, "the upload %s of %q stays open: %s", plain(id.Value), plain(key), aborted.text())
	case part.err == nil && part.code() == "AccessDenied":
		return denied(PermissionMultipart, "oss:PutObject", part)
	case part.err != nil || part.status != http.StatusOK:
		return unexpected(part)
	case parts.err == nil && parts.code() == "AccessDenied":
		f := denied(PermissionParts, "oss:ListParts", parts)
		f.mark = Warn
		return f
	case parts.err != nil || parts.status != http.StatusOK:
		return unexpected(parts)
	}
	return ok("allowed: begun, one part sent and listed, aborted")
}
