// SPDX-License-Identifier: Apache-2.0

package spell

import "testing"

func TestNearest_FindsTheIntendedName(t *testing.T) {
	keys := []string{"timeout", "scope", "refresh_attempts", "fail_fast", "url", "map", "port", "after"}
	for word, want := range map[string]string{
		"tiemout":          "timeout",
		"time_out":         "timeout",
		"Timeout":          "timeout",
		"refresh-attempts": "refresh_attempts",
		"refresh_attempt":  "refresh_attempts",
		"prot":             "port",
		"afer":             "after",
		"urls":             "url",
		"failfast":         "fail_fast",
	} {
		if got, ok := Nearest(word, keys); !ok || got != want {
			t.Errorf("Nearest(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
}

func TestNearest_RejectsDistantNames(t *testing.T) {
	keys := []string{"timeout", "url", "map"}
	for _, word := range []string{"", "x", "password", "timeout", "completely_different", string(make([]byte, 1000))} {
		if got, ok := Nearest(word, keys); ok {
			t.Errorf("Nearest(%q) = %q, want nothing", word, got)
		}
	}
}

func TestDistance_SwapIsOneEdit(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "abc", 3}, {"abc", "acb", 1}, {"ca", "abc", 3}, {"kitten", "sitting", 3}, {"same", "same", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if back := distance(c.b, c.a); back != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, back, c.want)
		}
	}
}
