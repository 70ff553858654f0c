// SPDX-License-Identifier: Apache-2.0

// Package timespan reads and writes time spans the way systemd does
// (systemd.time(7)): "300", "300s", "5min", "1min 30s". It knows no dates, no
// negative spans and no "infinity": nothing in the toolkit waits forever.
package timespan

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// day has 24 hours, as systemd counts; a year has 365.25 and a month is a
// twelfth of it.
const (
	day   = 24 * time.Hour
	week  = 7 * day
	month = 2629800 * time.Second
	year  = 12 * month
)

// ErrNotWhole is returned by Seconds for a span with a fraction of a second.
var ErrNotWhole = errors.New("not in whole seconds")

// unit returns the length of a unit of systemd.time(7), 0 where there is none.
// No unit means seconds.
func unit(name string) time.Duration {
	switch name {
	case "", "s", "sec", "second", "seconds":
		return time.Second
	case "ns", "nsec":
		return time.Nanosecond
	case "us", "usec", "µs", "μs":
		return time.Microsecond
	case "ms", "msec":
		return time.Millisecond
	case "m", "min", "minute", "minutes":
		return time.Minute
	case "h", "hr", "hour", "hours":
		return time.Hour
	case "d", "day", "days":
		return day
	case "w", "week", "weeks":
		return week
	case "M", "month", "months":
		return month
	case "y", "year", "years":
		return year
	}
	return 0
}

// parse reads a time span: one or more numbers, each with a unit (seconds where
// there is none) and optionally a decimal fraction, which add up.
func parse(s string) (time.Duration, error) {
	rest := strings.Trim(s, " \t")
	if rest == "" {
		return 0, fmt.Errorf("cannot read time span %q: it is empty", s)
	}
	var total time.Duration
	for rest != "" {
		term, after, err := parseTerm(rest)
		if err != nil {
			return 0, fmt.Errorf("cannot read time span %q: %w", s, err)
		}
		if total > math.MaxInt64-term {
			return 0, fmt.Errorf("cannot read time span %q: too long", s)
		}
		total += term
		rest = after
	}
	return total, nil
}

// Seconds reads a time span that must be a whole number of seconds.
func Seconds(s string) (time.Duration, error) {
	d, err := parse(s)
	if err == nil && d%time.Second != 0 {
		return 0, fmt.Errorf("cannot read time span %q: %w", s, ErrNotWhole)
	}
	return d, err
}

// parseTerm reads one number with its unit and returns what follows.
func parseTerm(s string) (time.Duration, string, error) {
	whole, rest := split(s, isDigit)
	fraction := ""
	if strings.HasPrefix(rest, ".") {
		fraction, rest = split(rest[1:], isDigit)
		if fraction == "" {
			return 0, "", errors.New("no digit after the point")
		}
	}
	if whole == "" {
		return 0, "", fmt.Errorf("a number was expected at %q", s)
	}
	name, rest := split(strings.TrimLeft(rest, " \t"), isUnit)
	scale := unit(name)
	if scale == 0 {
		return 0, "", fmt.Errorf("unknown unit %q", name)
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n > math.MaxInt64/int64(scale) {
		return 0, "", errors.New("too long")
	}
	d := time.Duration(n) * scale
	part := fractionOf(fraction, scale)
	if d > math.MaxInt64-part {
		return 0, "", errors.New("too long")
	}
	return d + part, strings.TrimLeft(rest, " \t"), nil
}

// fractionOf returns 0.digits of a unit, cut off below the nanosecond.
func fractionOf(digits string, scale time.Duration) time.Duration {
	var d time.Duration
	for i := range len(digits) {
		scale /= 10
		d += time.Duration(digits[i]-'0') * scale
	}
	return d
}

func split(s string, in func(byte) bool) (string, string) {
	i := 0
	for i < len(s) && in(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func isUnit(c byte) bool { return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 }

// Format writes a span the way systemctl shows it: "1min 30s", "0".
func Format(d time.Duration) string {
	if d <= 0 {
		return "0"
	}
	var parts []string
	for _, u := range [...]struct {
		name string
		of   time.Duration
	}{{"d", day}, {"h", time.Hour}, {"min", time.Minute}, {"s", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", 1}} {
		if n := d / u.of; n > 0 {
			parts = append(parts, strconv.FormatInt(int64(n), 10)+u.name)
			d %= u.of
		}
	}
	return strings.Join(parts, " ")
}

// Plain writes a span as a plain integer of seconds, rounded up, as GATE_TIMEOUT
// carries it: rounding down could cut a budget to nothing.
func Plain(d time.Duration) string {
	return strconv.FormatInt(int64((d+time.Second-1)/time.Second), 10)
}
