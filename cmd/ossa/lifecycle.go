package main

import (
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/lifecycle/runner"
	"github.com/ossastore/ossa/internal/store"
)

// lifecycleConfig is what serve is told about lifecycle rules.
type lifecycleConfig struct {
	every    time.Duration // 0: never
	rate     int
	idleDays int // 0: off
}

func (c *lifecycleConfig) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&c.every, "lifecycle-every", time.Hour,
		"`time` between two rounds of lifecycle rules; 0 for no rounds (OSSA_LIFECYCLE_EVERY)")
	flags.IntVar(&c.rate, "lifecycle-rate", 5000,
		"`number` of objects and parts that lifecycle rounds look at in a second, at most (OSSA_LIFECYCLE_RATE)")
	flags.IntVar(&c.idleDays, "abort-idle-uploads-after", 0,
		"`days` after which an upload that nothing comes for is aborted, in buckets without a rule about uploads; 0 for never (OSSA_ABORT_IDLE_UPLOADS_AFTER)")
}

// idleDaysMax keeps days within what a duration can hold.
const idleDaysMax = 36500

func (c *lifecycleConfig) validate() error {
	switch {
	case c.every < 0:
		return usagef("--lifecycle-every: %v is negative", c.every)
	case c.every > 0 && c.every < time.Second:
		return usagef("--lifecycle-every: %v is less than a second", c.every)
	case c.rate < 1:
		return usagef("--lifecycle-rate: %d is not positive", c.rate)
	case c.idleDays < 0 || c.idleDays > idleDaysMax:
		return usagef("--abort-idle-uploads-after: %d is not between 0 and %d days", c.idleDays, idleDaysMax)
	case c.idleDays > 0 && c.every == 0:
		return usagef("--abort-idle-uploads-after needs rounds: give --lifecycle-every a time")
	}
	return nil
}

// runner makes the runner of a service, or nil if there are to be no rounds.
func (c *lifecycleConfig) runner(s *store.Store, log *slog.Logger, r prometheus.Registerer) (*runner.Runner, error) {
	if c.every == 0 {
		return nil, nil
	}
	return runner.New(s, runner.Options{
		Every: c.every, Rate: c.rate, IdleUploads: time.Duration(c.idleDays) * 24 * time.Hour, Logger: log, Registerer: r,
	})
}
