// SPDX-License-Identifier: Apache-2.0

package booted

import (
	"testing"

	"justnews/test/bed"
)

// One command stops the lot, one starts it, and the gates hold again.
func TestTarget_StopsAndStartsEverything(t *testing.T) {
	t.Parallel()
	bed.Each(t, func(t *testing.T, suite string) {
		s := boot(t, suite, host{})
		s.everythingUp(0)

		s.Systemctl("stop", target)
		s.WaitUnits("inactive", units(agents()...)...)
		s.WaitUnits("inactive", unit(orchestrator), preload, target)

		// The models take their time on the way up.
		s.WriteFile("/etc/justnews/global.env", "REFERENCE_MISBEHAVE=hold\n")
		s.Systemctl("start", "--no-block", target)
		s.waitHeld()
		for _, u := range s.Units(units(agents()...)...) {
			if u.Is("active") {
				t.Errorf("%v; it had to wait for its gate again", u)
			}
		}
		s.everythingUp(s.release())

		// A second start has nothing to do and returns at once.
		running := s.mainPIDs(agents()...)
		before := bed.Monotonic()
		s.Systemctl("start", target)
		s.untouched(running)
		if u := s.Unit(preload); u.ActiveEnter > before {
			t.Errorf("%v ran again although nothing was to be done", u)
		}
	})
}
