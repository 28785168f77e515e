package lifecycle_test

import (
	"math"
	"testing"
	"time"

	"github.com/ossastore/ossa/internal/lifecycle"
)

// Midnights are the multiples of a day since 1970, also of one that does not
// make up a real day.
func TestMidnight(t *testing.T) {
	for _, c := range []struct {
		day     time.Duration
		t, want time.Time
	}{
		{0, day(3, 24*time.Hour-1), day(3)},
		{0, day(3), day(3)},
		{0, day(3, 23*time.Hour).In(time.FixedZone("", 8*3600)), day(3)},
		{24 * time.Hour, day(3, time.Hour), day(3)},
		{10 * time.Second, day(3, 19*time.Second), day(3, 10*time.Second)},
		{time.Second, day(3, 999*time.Millisecond), day(3)},
		{7 * time.Second, time.Unix(699, 999), time.Unix(693, 0)},
		{7 * time.Second, time.Unix(700, 0), time.Unix(700, 0)},
		{11 * time.Hour, time.Unix(100*11*3600+5, 0), time.Unix(100*11*3600, 0)},
	} {
		if got := (lifecycle.Calendar{Day: c.day}).Midnight(c.t); !got.Equal(c.want) || got.Location() != time.UTC {
			t.Errorf("days of %v: midnight before %v is %v, want %v", c.day, c.t, got, c.want)
		}
	}
}

// The most days that a rule may have do not end before they began.
func TestManyDays(t *testing.T) {
	for c, seconds := range map[lifecycle.Calendar]int64{{}: 24 * 3600, {Day: time.Second}: 1, {Day: 5 * time.Hour}: 5 * 3600} {
		from := c.Midnight(day(1))
		d, ok := lifecycle.Rules{expire(days(math.MaxInt32))}.Expiration(c, lifecycle.Object{Key: "key", Modified: from})
		if want := from.Unix() + math.MaxInt32*seconds; !ok || d.At.Unix() != want {
			t.Errorf("%+v: due at %v, want %d seconds since 1970", c, d.At, want)
		}
	}
}

// A calendar has days that can be counted.
func TestCalendarValidate(t *testing.T) {
	for day, ok := range map[time.Duration]bool{
		0: true, time.Second: true, time.Minute: true, 24 * time.Hour: true,
		-time.Second: false, time.Second - 1: false, 1500 * time.Millisecond: false, 24*time.Hour + time.Second: false,
	} {
		if err := (lifecycle.Calendar{Day: day}).Validate(); (err == nil) != ok {
			t.Errorf("a day of %v: %v", day, err)
		}
	}
}
