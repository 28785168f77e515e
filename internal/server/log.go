package server

import (
	"log"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"github.com/ossastore/ossa/internal/auth"
	"github.com/ossastore/ossa/internal/wire"
)

// finish ends rq: it catches a panic of its handler, writes the access line and
// counts. It runs deferred.
func (s *Server) finish(rq *request) {
	abort := false
	if value := recover(); value != nil {
		abort = value == http.ErrAbortHandler
		if !abort {
			s.panicked(rq, value, debug.Stack())
			abort = true
		}
	}
	s.documents.give(rq.accessKeyID, rq.reserved)
	defer rq.end()
	elapsed := time.Since(rq.began)
	s.metrics.observe(rq, elapsed)
	s.logAccess(rq, elapsed, abort)
	if s.opts.AccessLog != nil {
		s.opts.AccessLog.Write(s.accessLine(rq, elapsed)) // who fails has told the operator
	}
	if abort {
		// net/http closes the connection, quietly.
		rq.w.flush()
		panic(http.ErrAbortHandler)
	}
}

// logAccess writes the one line that every request gets.
func (s *Server) logAccess(rq *request, elapsed time.Duration, aborted bool) {
	attrs := []slog.Attr{
		slog.String("request_id", rq.id),
		slog.String("operation", rq.op.name),
		slog.String("method", clip(rq.r.Method)),
		slog.String("bucket", clip(rq.target.bucket)),
		slog.String("key", clipTo(rq.target.key, wire.MaxKeyBytes)),
		slog.String("query", redactedQuery(rq)),
		slog.Int("status", rq.w.status),
		slog.String("code", rq.code),
		slog.Int64("bytes_in", rq.body.n),
		slog.Int64("bytes_out", rq.w.sent),
		slog.Duration("duration", elapsed),
		slog.String("remote", rq.r.RemoteAddr),
		slog.String("source_ip", addressText(rq.sourceIP())),
		slog.String("access_key_id", clip(rq.accessKeyID)),
		slog.Bool("authenticated", rq.identity.Kind != auth.Anonymous),
		slog.String("user_agent", clip(rq.r.UserAgent())),
	}
	if aborted {
		attrs = append(attrs, slog.Bool("aborted", true))
	}
	if rq.w.sendErr != nil {
		attrs = append(attrs, slog.String("send_error", rq.w.sendErr.Error()))
	}
	s.opts.Logger.LogAttrs(rq.r.Context(), slog.LevelInfo, "request", attrs...)
}

// clipBytes bounds what one attribute of a log line takes from a client.
const clipBytes = 256

func clip(s string) string { return clipTo(s, clipBytes) }

func clipTo(s string, n int) string {
	if len(s) > n {
		return s[:n] + "..."
	}
	return s
}

// secretParams are parameters whose values let somebody else act as the
// sender, in lower case.
var secretParams = map[string]bool{
	"signature":            true,
	"x-oss-signature":      true,
	"security-token":       true,
	"x-oss-security-token": true,
	"callback":             true, // may hold credentials for another service
	"callback-var":         true,
}

// redactedQuery is the query for the log. Nothing is taken from a query that
// could not be read.
func redactedQuery(rq *request) string {
	var b strings.Builder
	for _, p := range rq.query {
		if b.Len() > clipBytes {
			b.WriteString("&...")
			break
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(clip(p.Name))
		switch {
		case secretParams[strings.ToLower(p.Name)]:
			b.WriteString("=REDACTED")
		case p.Value != "":
			b.WriteString("=" + clip(p.Value))
		}
	}
	return b.String()
}

// connectionLog takes what net/http has to say about connections, which is
// mostly about clients.
func connectionLog(l *slog.Logger) *log.Logger {
	return slog.NewLogLogger(l.Handler(), slog.LevelDebug)
}
