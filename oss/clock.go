package oss

import (
	"context"
	"time"
)

// Clock is time as a Client sees it.
type Clock interface {
	Now() time.Time

	// AfterFunc calls f in a goroutine of its own once d is over. stop prevents
	// that and reports whether it did, as time.Timer.Stop does.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the time of the machine.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool {
	return time.AfterFunc(d, f).Stop
}

// sleep waits for d, or until ctx ends, whose cause it returns then.
func sleep(ctx context.Context, clock Clock, d time.Duration) error {
	if d <= 0 {
		return context.Cause(ctx)
	}
	over := make(chan struct{})
	stop := clock.AfterFunc(d, func() { close(over) })
	select {
	case <-over:
		return nil
	case <-ctx.Done():
		if !stop() {
			<-over // its goroutine is on its way
		}
		return context.Cause(ctx)
	}
}
