package runner

import (
	"context"
	"time"
)

// pace keeps work below a rate, by waiting when it was faster.
type pace struct {
	rate  int // in a second
	clock func() time.Time
	sleep func(context.Context, time.Duration) error

	last time.Time     // when spend was called last
	debt time.Duration // that the work should have taken longer
}

// nap is the least that it is worth waiting for.
const nap = 50 * time.Millisecond

// spend notes n pieces of work that were done since the last call.
func (p *pace) spend(ctx context.Context, n int) error {
	now := p.clock()
	if took := now.Sub(p.last); took > 0 { // clocks are set back at times
		p.debt = max(0, p.debt-took)
	}
	p.last = now
	p.debt += time.Duration(n) * time.Second / time.Duration(p.rate)
	if p.debt < nap {
		return ctx.Err()
	}
	debt := p.debt
	if err := p.sleep(ctx, debt); err != nil {
		return err
	}
	p.last, p.debt = p.clock(), 0
	return nil
}
