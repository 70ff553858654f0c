// SPDX-License-Identifier: Apache-2.0

package safefile

import "testing"

func TestCanonicalFollowsTheLinksOfEveryHost(t *testing.T) {
	for p, want := range map[string]string{
		"/var/run/nvidia-mps": "/run/nvidia-mps", "/var/run": "/run", "/var/run/": "/run", "/var/lock/x": "/run/lock/x",
		"/run//nvidia-mps/": "/run/nvidia-mps", "/var/./run/x": "/run/x", "/var/running/x": "/var/running/x",
		"/srv/var/run/x": "/srv/var/run/x", "/": "/", "relative/../x": "x",
	} {
		if got := Canonical(p); got != want {
			t.Errorf("%s: %s, want %s", p, got, want)
		}
	}
}

func TestWithinIsByWholeNames(t *testing.T) {
	for _, c := range []struct {
		dir, path string
		want      bool
	}{
		{"/home", "/home", true}, {"/home", "/home/adra", true}, {"/home/", "/home/adra", true}, {"/", "/x", true},
		{"/home", "/homes", false}, {"/home/adra", "/home", false},
	} {
		if got := Within(c.dir, c.path); got != c.want {
			t.Errorf("%s in %s: %t", c.path, c.dir, got)
		}
	}
}
