// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"justnews/internal/safefile"
	"justnews/internal/timespan"
)

// The rules for values that can also come from the environment and from flags.
// They are the same as in the file, except that redundant slashes in a path are
// allowed. Each error is an Expected.

// Expected is the error for a value without the expected form.
type Expected struct {
	Form string // the expected form
}

// Error returns what was expected.
func (e Expected) Error() string { return "expected " + e.Form }

// Timeout reads a timeout: whole seconds, from one second to one day.
func Timeout(s string) (time.Duration, error) {
	d, err := timespan.Seconds(s)
	if err != nil || d < time.Second || d > maxSpan*time.Second {
		return 0, Expected{"a duration in whole seconds from 1s to " + timespan.Format(maxSpan*time.Second) + ", such as 300, 300s or 5min"}
	}
	return d, nil
}

// ServerURL reads http://HOST:PORT and returns it without a trailing slash.
func ServerURL(s string) (string, error) {
	u, ok := serverURL(s)
	if !ok || !printed(s) {
		return "", Expected{formServerURL.expected()}
	}
	return u, nil
}

// Path reads an absolute path.
func Path(s string) (string, error) {
	if !strings.HasPrefix(s, "/") || !printed(s) {
		return "", Expected{"an absolute path"}
	}
	return path.Clean(s), nil
}

// PipeDirectory reads a path that CUDA_MPS_PIPE_DIRECTORY may have.
func PipeDirectory(s string) (string, error) {
	clean, err := Path(s)
	if err != nil || !pipePath(clean) {
		return "", Expected{fmt.Sprintf("an absolute path of at most %d bytes", maxPipe)}
	}
	return safefile.Canonical(clean), nil
}

func printed(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// ServiceKey writes the value of a key of [service] as TOML. ok is false for a
// text that the schema does not take.
func ServiceKey(key, value string) (toml string, ok bool) {
	f := find(serviceFields, key)
	switch f.kind {
	case integer:
		n, err := strconv.ParseInt(value, 10, 64)
		return literal(n), err == nil && n >= f.low && n <= f.high
	case span:
		d, err := timespan.Seconds(value)
		if _, bare := strconv.Atoi(value); bare == nil {
			value += "s"
		}
		return literal(value), err == nil && d >= time.Duration(f.low)*time.Second && d <= time.Duration(f.high)*time.Second
	case text:
		return literal(value), len(f.words) > 0 && slices.Contains(f.words, value) || f.form != nil && f.form.fits(value)
	}
	return "", false
}

// Variable reports whether an instance's environment may set a variable.
func Variable(name string) bool {
	_, reserved := reservedVariable(name)
	return variableName(name) && !reserved
}

// Literal writes a string or a list of strings as TOML.
func Literal[T string | []string](v T) string { return literal(v) }
