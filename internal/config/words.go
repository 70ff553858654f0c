// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"justnews/internal/timespan"
)

// The rules for values that also come from the environment and from flags:
// what the file may not say, they may not say either, except for a slash too
// many in a path. Each error begins with "expected".

// Timeout reads a budget: whole seconds, from one second to one day.
func Timeout(s string) (time.Duration, error) {
	d, err := timespan.Seconds(s)
	if err != nil || d < time.Second || d > maxSpan*time.Second {
		return 0, fmt.Errorf("expected a duration in whole seconds from 1s to %s, such as 300, 300s or 5min",
			timespan.Format(maxSpan*time.Second))
	}
	return d, nil
}

// ServerURL reads http://HOST:PORT and returns it without a trailing slash.
func ServerURL(s string) (string, error) {
	u, ok := serverURL(s)
	if !ok || !printed(s) {
		return "", fmt.Errorf("expected %s", formServerURL.expected)
	}
	return u, nil
}

// Path reads an absolute path.
func Path(s string) (string, error) {
	if !strings.HasPrefix(s, "/") || !printed(s) {
		return "", fmt.Errorf("expected an absolute path")
	}
	return path.Clean(s), nil
}

// PipeDirectory reads a path that CUDA_MPS_PIPE_DIRECTORY may have.
func PipeDirectory(s string) (string, error) {
	clean, err := Path(s)
	if err != nil || !pipePath(clean) {
		return "", fmt.Errorf("expected an absolute path of at most %d bytes", maxPipe)
	}
	return clean, nil
}

func printed(s string) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, unicode.IsControl) < 0
}

// InstanceName reports whether an instance can have a name.
func InstanceName(s string) bool { return instanceName(s) }
