package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// parseAge reads a time span with days and weeks besides what Go has: 7d, 2w, 12h.
func parseAge(flag, text string) (time.Duration, error) {
	wrong := usagef("%s: %q is not a time span, such as 7d, 12h or 90m", flag, text)
	for unit, length := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		number, found := strings.CutSuffix(text, unit)
		if !found {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 0 || n > int64(math.MaxInt64/length) {
			return 0, wrong
		}
		return time.Duration(n) * length, nil
	}
	age, err := time.ParseDuration(text)
	if err != nil || age < 0 {
		return 0, wrong
	}
	return age, nil
}

// size is a number of bytes for people.
func size(bytes int64) string {
	const units = "KMGTPE"
	if bytes < 1<<10 {
		return fmt.Sprintf("%d B", bytes)
	}
	value, unit := float64(bytes)/(1<<10), 0
	for value >= 1<<10 && unit < len(units)-1 {
		value, unit = value/(1<<10), unit+1
	}
	return fmt.Sprintf("%.1f %ciB", value, units[unit])
}

// sizeFlag is a number of bytes, such as 8MiB, 100k or 1048576.
type sizeFlag int64

func (f *sizeFlag) Type() string { return "bytes" }

func (f *sizeFlag) String() string {
	if *f == 0 {
		return ""
	}
	return strconv.FormatInt(int64(*f), 10)
}

func (f *sizeFlag) Set(text string) error {
	digits := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ /")
	unit := strings.ToLower(strings.TrimSpace(text[len(digits):]))
	unit = strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(unit, "/s"), "b"), "i")
	shift, known := map[string]uint{"": 0, "k": 10, "m": 20, "g": 30, "t": 40}[unit]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || !known || n < 0 || n*float64(int64(1)<<shift) >= 1<<62 {
		return fmt.Errorf("%q is no number of bytes, such as 8MiB or 100k", text)
	}
	*f = sizeFlag(n * float64(int64(1)<<shift))
	return nil
}

func when(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05Z") }

func whenOr(t *time.Time, none string) string {
	if t == nil {
		return none
	}
	return when(*t)
}
