package pebblekv

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/cockroachdb/pebble/v2"
)

// logger is what Pebble logs to. Its everyday messages are of use to nobody
// but those who work on this package, and go to the debug level.
type logger struct {
	log  *slog.Logger
	fail func(error)
}

var _ pebble.LoggerAndTracer = logger{}

func (l logger) Infof(format string, args ...any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("pebble", "message", fmt.Sprintf(format, args...))
	}
}

func (l logger) Errorf(format string, args ...any) {
	l.log.Error("pebble", "message", fmt.Sprintf(format, args...))
}

// Fatalf fails the engine instead of the process, and returns.
func (l logger) Fatalf(format string, args ...any) {
	l.fail(fmt.Errorf("pebble: "+format, args...))
}

func (l logger) Eventf(context.Context, string, ...any) {}

func (l logger) IsTracingEnabled(context.Context) bool { return false }
