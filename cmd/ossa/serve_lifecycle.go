package main

import (
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/pflag"

	"github.com/ossastore/ossa/internal/lifecycle"
	"github.com/ossastore/ossa/internal/lifecycle/runner"
	"github.com/ossastore/ossa/internal/store"
)

// lifecycleConfig is what serve is told about lifecycle rules.
type lifecycleConfig struct {
	every    time.Duration // 0: never
	day      time.Duration
	rate     int
	idleDays int // 0: off
}

func (c *lifecycleConfig) addFlags(flags *pflag.FlagSet) {
	flags.DurationVar(&c.every, "lifecycle-every", time.Hour,
		"`time` between two rounds of lifecycle rules; 0 for no rounds (OSSA_LIFECYCLE_EVERY)")
	flags.DurationVar(&c.day, "lifecycle-day", lifecycle.RealDay,
		"`time` that a day of lifecycle rules lasts, and of --abort-idle-uploads-after: shorter ones are for trying rules out (OSSA_LIFECYCLE_DAY)")
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
	return validDay("--lifecycle-day", c.day)
}

// validDay says what is wrong with the length of a day. A flag has no default
// that is left out, so 0 is wrong as well.
func validDay(flag string, day time.Duration) error {
	err := lifecycle.Calendar{Day: day}.Validate()
	if day == 0 {
		err = errors.New("a day takes time")
	}
	if err != nil {
		return usagef("%s: %w", flag, err)
	}
	return nil
}

func (c *lifecycleConfig) calendar() lifecycle.Calendar { return lifecycle.Calendar{Day: c.day} }

// warn says that rules do not wait as long as they say.
func (c *lifecycleConfig) warn(log *slog.Logger) {
	if c.day != lifecycle.RealDay {
		log.Warn("days of lifecycle rules are not 24 hours long: objects expire and uploads are aborted early", "day", c.day)
	}
}

// runner makes the runner of a service, or nil if there are to be no rounds.
func (c *lifecycleConfig) runner(s *store.Store, log *slog.Logger, r prometheus.Registerer) (*runner.Runner, error) {
	if c.every == 0 {
		return nil, nil
	}
	return runner.New(s, runner.Options{
		Every: c.every, Rate: c.rate, IdleUploads: time.Duration(c.idleDays) * c.day, Calendar: c.calendar(), Logger: log, Registerer: r,
	})
}
