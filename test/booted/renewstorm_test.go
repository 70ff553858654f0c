// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"strings"
	"testing"
	"time"

	"justnews/test/bed"
)

// Agents can request justnews-renew.service, by a file that starts it as long as it exists.
// One that cannot be removed, or comes again at once, must not make it run without a pause.
func TestPrivilege_RequestsOfAnAgentCauseNoStorm(t *testing.T) {
	t.Parallel()
	bed.Newest(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(0)
		runs := func() int {
			return strings.Count(s.Run("journalctl", "-b", "-u", "justnews-renew.service").Stdout, "Starting justnews-renew.service")
		}
		for what, plant := range map[string]string{
			"a full directory":       "mkdir -p " + gateDir + "/renew.json/x",
			"requests without pause": "end=$(($(cut -d. -f1 /proc/uptime) + 4)); while [ $(cut -d. -f1 /proc/uptime) -lt $end ]; do : > " + gateDir + "/renew.json; done",
		} {
			before, began := runs(), bed.Monotonic()
			s.Run("runuser", "-u", "justnews", "--", "sh", "-c", plant)
			time.Sleep(3 * time.Second)
			n, most := runs()-before, int((bed.Monotonic()-began)/time.Second)+2
			if n == 0 || n > most {
				t.Errorf("%s: %d runs, at most %d are expected", what, n, most)
			}
			t.Logf("%s: %d runs, at most %d", what, n, most)
		}
		s.WaitFor("the last run", bed.Patience, func() bool { return s.Unit("justnews-renew.service").Is("inactive") })
		if r := s.Run("test", "-e", gateDir+"/renew.json"); r.Code == 0 || !s.Unit("justnews-renew.path").Is("active") {
			t.Errorf("the request stays, or the path unit does not: %v", s.Unit("justnews-renew.path"))
		}
	})
}
