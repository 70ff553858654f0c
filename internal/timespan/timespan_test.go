// SPDX-License-Identifier: Apache-2.0

package timespan

import (
	"bytes"
	"errors"
	"math"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestParse_AgreesWithSystemd(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"300": 300 * time.Second, "300s": 300 * time.Second, "5min": 5 * time.Minute, "1min 30s": 90 * time.Second,
		"1min30s": 90 * time.Second, " 90 ": 90 * time.Second, "1.5s": 1500 * time.Millisecond, "0.5h": 30 * time.Minute,
		"300000ms": 300 * time.Second, "2 hours": 2 * time.Hour, "1h 1min 1": 3661 * time.Second, "1d": 24 * time.Hour,
		"9223372036854775807ns": math.MaxInt64, "9223372036.854775807s": math.MaxInt64, "9223372036s 854775807ns": math.MaxInt64, "1day": 24 * time.Hour,
		"0": 0, "3 µs": 3 * time.Microsecond, "1w": 7 * 24 * time.Hour, "1M": month, "1m": time.Minute,
	} {
		if got, err := parse(text); err != nil || got != want {
			t.Errorf("parse(%q) = %v, %v, want %v", text, got, err, want)
		}
	}
}

func TestParse_RefusesInvalidSpans(t *testing.T) {
	for _, text := range []string{"", " ", "abc", "-5", "+5", "5 parsecs", "1.", ".5", "s", "5min x", "infinity",
		"99999999999999999999", "9999999999y", "300 years 300 years", "9223372036854775808ns", "9223372036.854775808s", "9223372036s 854775808ns", "1e3", "5\n", "5\x00"} {
		if got, err := parse(text); err == nil {
			t.Errorf("parse(%q) = %v, want an error", text, got)
		}
	}
}

func TestParse_NamesTheUnitThatIsUnknown(t *testing.T) {
	for _, unit := range []string{"a", "z", "A", "Z", "azAZ", "\x80", "é"} {
		if _, err := parse("5" + unit); err == nil || !strings.Contains(err.Error(), "unknown unit "+strconv.Quote(unit)) {
			t.Errorf("%q: %v", unit, err)
		}
	}
}

func TestSeconds_RefusesAFraction(t *testing.T) {
	if _, err := Seconds("1500ms"); !errors.Is(err, ErrNotWhole) {
		t.Errorf("Seconds(1500ms) = %v, want ErrNotWhole", err)
	}
	if d, err := Seconds("2000ms"); err != nil || d != 2*time.Second {
		t.Errorf("Seconds(2000ms) = %v, %v", d, err)
	}
}

func TestFormat_IsReadBackByParse(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "0", 90 * time.Second: "1min 30s", 180 * time.Second: "3min", 1500 * time.Millisecond: "1s 500ms", 25 * time.Hour: "1d 1h",
	} {
		if got := Format(d); got != want {
			t.Errorf("Format(%v) = %q, want %q", d, got, want)
		}
		if back, err := parse(Format(d)); err != nil || back != d {
			t.Errorf("parse(Format(%v)) = %v, %v", d, back, err)
		}
	}
}

func TestPlain_RoundsUp(t *testing.T) {
	for d, want := range map[time.Duration]string{180 * time.Second: "180", time.Millisecond: "1", 0: "0"} {
		if got := Plain(d); got != want {
			t.Errorf("Plain(%v) = %q, want %q", d, got, want)
		}
	}
}

// FuzzParseAgainstSystemd asks systemd-analyze: what we accept means the same
// there. (We accept less: no signs, no "infinity", no exponents.)
func FuzzParseAgainstSystemd(f *testing.F) {
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		f.Skip("systemd-analyze is not installed")
	}
	for _, seed := range []string{"300", "300s", "5min", "1min 30s", "1.5s", "1min30s", "0", "1M", "1y 2w", "3 µs", "1.5.5", "1 2 3"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parse(text)
		if err != nil || strings.HasPrefix(strings.TrimSpace(text), "-") || d%time.Microsecond != 0 || strings.Contains(text, "n") {
			return
		}
		out, err := exec.CommandContext(t.Context(), analyze, "timespan", "--", text).Output()
		if err != nil {
			t.Fatalf("parse(%q) = %v, systemd refuses it", text, d)
		}
		want := microseconds(out)
		if got := d.Microseconds(); got != want {
			t.Fatalf("parse(%q) = %d us, systemd says %d", text, got, want)
		}
	})
}

func microseconds(out []byte) int64 {
	for line := range bytes.Lines(out) {
		if _, after, found := bytes.Cut(line, []byte("s: ")); found {
			n, err := strconv.ParseInt(string(bytes.TrimSpace(after)), 10, 64)
			if err == nil {
				return n
			}
		}
	}
	return -1
}
