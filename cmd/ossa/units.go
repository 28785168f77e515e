package main

import (
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
