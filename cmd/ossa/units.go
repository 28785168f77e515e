package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// byteSize is a flag that counts bytes: 100, 100k, 10MiB, 1.5G. Units are powers of
// 1024, whatever they are called.
type byteSize int64

func (b *byteSize) String() string {
	if *b == 0 {
		return ""
	}
	return size(int64(*b))
}

func (b *byteSize) Type() string { return "bytes" }

func (b *byteSize) Set(text string) error {
	n, err := parseSize(text)
	*b = byteSize(n)
	return err
}

func parseSize(text string) (int64, error) {
	wrong := fmt.Errorf("%q is not a number of bytes, such as 1048576, 100k or 10MiB", text)
	number := strings.TrimRight(text, "kKmMgGtTpPiIbB ")
	unit := strings.ToLower(strings.TrimSpace(text[len(number):]))
	unit = strings.TrimSuffix(strings.TrimSuffix(unit, "b"), "i")
	shift := strings.Index("kmgtp", unit)
	if len(unit) > 1 || shift < 0 {
		return 0, wrong
	}
	factor := 1.0
	if unit != "" {
		factor = math.Pow(1024, float64(shift+1))
	}
	if n, err := strconv.ParseInt(number, 10, 64); err == nil && unit == "" && n >= 0 {
		return n, nil
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil || !(value >= 0 && value*factor < 1<<62) {
		return 0, wrong
	}
	return int64(value * factor), nil
}

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
