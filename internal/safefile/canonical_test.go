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
