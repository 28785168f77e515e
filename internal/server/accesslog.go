package server

import (
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/ossastore/ossa/internal/wire"
)

// accessLine is what the access log of OSS has of a request, its fields in the
// order of the documentation page "Logging":
//
//	RemoteIP Reserved Reserved [Time] "RequestURI" HTTPStatus SentBytes RequestTime
//	"Referer" "UserAgent" "HostName" "RequestID" "LoggingFlag" "RequesterAliyunID"
//	"Operation" "BucketName" "ObjectName" ObjectSize ServerCostTime "ErrorCode"
//	RequestLength "UserID" DeltaDataSize "SyncRequest" "StorageClass"
//	"TargetStorageClass" "TransmissionAccelerationAccessPoint" "AccessKeyID"
//	"BucketARN"
//
// Times are in milliseconds, sizes in bytes, the object's name is percent-encoded.
// A field that does not apply, or is not known here, is "-": how much an object
// has grown is never known, since what it replaces is not looked at. Signatures
// and tokens in URLs are left out.
func (s *Server) accessLine(rq *request, elapsed time.Duration) []byte {
	var l line
	l.raw(addressText(rq.sourceIP()))
	l.raw("-")
	l.raw("-")
	l.raw("[" + rq.received.UTC().Format("02/Jan/2006:15:04:05 -0700") + "]")
	l.text(rq.r.Method + " " + redactedURL(rq.r.RequestURI) + " " + rq.r.Proto)
	l.raw(strconv.Itoa(rq.w.status))
	l.raw(strconv.FormatInt(rq.w.sent, 10))
	l.raw(strconv.FormatInt(elapsed.Milliseconds(), 10))
	l.text(redactedURL(rq.r.Referer()))
	l.text(rq.r.UserAgent())
	l.text(rq.r.Host)
	l.text(rq.id)
	l.text("false") // no log of the bucket is stored in a bucket
	l.text(rq.identity.ID)
	l.text(rq.op.name)
	l.text(rq.target.bucket)
	l.text(wire.EncodePath(rq.target.key))
	l.raw(rq.objectSize())
	l.raw(rq.w.get(wire.HeaderServerTime))
	l.text(rq.code)
	l.raw(strconv.FormatInt(requestBytes(rq.r)+rq.body.n, 10))
	owner, arn := "", ""
	if rq.target.bucket != "" {
		owner = s.opts.OwnerID
		arn = "acs:oss:" + s.opts.Region + ":" + owner + ":" + rq.target.bucket
	}
	l.text(owner)
	l.raw("")
	l.text("")
	l.text(rq.w.get(wire.HeaderStorageClass))
	l.text("")
	l.text("")
	l.text(rq.accessKeyID)
	l.text(arn)
	return append(l.b, '\n')
}

// addressText is "" for an address that is not known.
func addressText(addr netip.Addr) string {
	if !addr.IsValid() {
		return ""
	}
	return addr.String()
}

// maxLineText bounds what one field takes from a client, in bytes.
const maxLineText = 4 << 10

// line is a line of fields with blanks between.
type line struct{ b []byte }

// raw adds a field that is ours.
func (l *line) raw(field string) {
	if len(l.b) > 0 {
		l.b = append(l.b, ' ')
	}
	if field == "" {
		field = "-"
	}
	l.b = append(l.b, field...)
}

// text adds a field in quotes. Whatever a client sends cannot end it, nor the
// line.
func (l *line) text(field string) {
	if field == "" {
		field = "-"
	}
	field = clipTo(field, maxLineText)
	b := append(l.b, ` "`...)
	for len(field) > 0 {
		r, n := utf8.DecodeRuneInString(field)
		switch {
		case r == '"' || r == '\\':
			b = append(b, '\\', byte(r))
		case r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1:
			const hex = "0123456789ABCDEF"
			b = append(b, '\\', 'x', hex[field[0]>>4], hex[field[0]&15])
		case '\u0080' <= r && r < '\u00a0' || r == '\u2028' || r == '\u2029':
			b = append(b, '?') // ends lines, to some readers
		default:
			b = append(b, field[:n]...)
		}
		field = field[n:]
	}
	l.b = append(b, '"')
}

// redactedURL is a URL for the log, in the form in which it came but for the
// values that let somebody else act as the sender. A parameter whose name
// cannot be read keeps no value.
func redactedURL(text string) string {
	path, query, found := strings.Cut(text, "?")
	if !found {
		return text
	}
	b := []byte(path)
	between := byte('?')
	for pair := range strings.SplitSeq(query, "&") {
		b = append(b, between)
		between = '&'
		name, _, hasValue := strings.Cut(pair, "=")
		plain, err := url.QueryUnescape(name)
		if hasValue && (err != nil || secretParams[strings.ToLower(plain)]) {
			pair = name + "=REDACTED"
		}
		b = append(b, pair...)
		if len(b) > maxLineText {
			break
		}
	}
	return string(b)
}

// requestBytes is the size of a request without its body, about as it came.
func requestBytes(r *http.Request) int64 {
	n := len(r.Method) + len(r.RequestURI) + len(r.Proto) + len("  \r\n") + len("Host: \r\n") + len(r.Host) + len("\r\n")
	for name, values := range r.Header {
		for _, value := range values {
			n += len(name) + len(value) + len(": \r\n")
		}
	}
	return int64(n)
}

// objectSize is the size of the object, or part, that was read or written; "" if
// none was.
func (rq *request) objectSize() string {
	if rq.target.key == "" || rq.w.status/100 != 2 {
		return ""
	}
	switch rq.op.name {
	case "GetObject", "HeadObject", "GetObjectMeta":
		if _, size, ok := strings.Cut(rq.w.get("Content-Range"), "/"); ok {
			return size
		}
		return rq.w.get("Content-Length")
	case "PutObject", "UploadPart":
		return strconv.FormatInt(rq.body.n, 10)
	}
	return ""
}
