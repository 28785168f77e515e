package lifecycle

import (
	"fmt"
	"time"
)

// Calendar tells how long the days of rules are, and so when their midnights are:
// at each multiple of a day since 1970, by UTC. The zero Calendar has the days
// that everybody has. Dates in rules are the same by every calendar.
type Calendar struct {
	// Day is a whole number of seconds, up to 24 hours; default 24 h.
	Day time.Duration
}

// RealDay is the day of the zero Calendar.
const RealDay = 24 * time.Hour

// Validate says what is wrong with the calendar.
func (c Calendar) Validate() error {
	switch day := c.day(); {
	case day < time.Second || day > RealDay:
		return fmt.Errorf("%v is not between 1s and 24h", day)
	case day%time.Second != 0:
		return fmt.Errorf("%v is not in whole seconds", day)
	}
	return nil
}

func (c Calendar) day() time.Duration {
	if c.Day == 0 {
		return RealDay
	}
	return c.Day
}

// Midnight is when the day of t began. Of what is counted in days, nothing comes
// to be due at other times.
func (c Calendar) Midnight(t time.Time) time.Time {
	epoch := time.Unix(0, 0)
	offset := epoch.Sub(epoch.Truncate(c.day())) // Truncate counts from the year 1
	return t.Add(-offset).Truncate(c.day()).Add(offset).UTC()
}

// nextMidnight is t if that is midnight, and else the next one.
func (c Calendar) nextMidnight(t time.Time) time.Time {
	m := c.Midnight(t)
	if m.Before(t) {
		m = m.Add(c.day())
	}
	return m
}

// later is a midnight so many days after another. A Duration could not hold them
// all.
func (c Calendar) later(midnight time.Time, days int) time.Time {
	return time.Unix(midnight.Unix()+int64(days)*int64(c.day()/time.Second), 0).UTC()
}
