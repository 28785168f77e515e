package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"

	"github.com/ossastore/ossa/oss"
)

// retryLog is a log of the client that tells a meter of requests that are sent again.
type retryLog struct{ meter atomic.Pointer[meter] }

func (l *retryLog) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelWarn }
func (l *retryLog) WithAttrs([]slog.Attr) slog.Handler               { return l }
func (l *retryLog) WithGroup(string) slog.Handler                    { return l }

func (l *retryLog) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if err, ok := a.Value.Any().(error); ok {
			if m := l.meter.Load(); m != nil {
				m.retried(err)
			}
		}
		return true
	})
	return nil
}

// troubleText is in a few words why a request has to be sent again.
func troubleText(err error) string {
	var refusal *oss.Error
	var errno syscall.Errno
	var unknown *net.DNSError
	switch {
	case errors.As(err, &refusal):
		return cmp.Or(refusal.Code, fmt.Sprintf("HTTP %d", refusal.Status))
	case errors.As(err, &unknown):
		return "the host is not known"
	case errors.As(err, &errno):
		return printable(errno.Error())
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was closed"
	}
	return "the connection failed"
}
