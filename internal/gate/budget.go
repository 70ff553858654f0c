// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"fmt"
	"time"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
)

// Margin is the part of its unit's TimeoutStartSec= that a gate leaves unused: time
// to report why it gives up before systemd kills it.
const Margin = 5 * time.Second

// Budget returns the total time of a run inside a unit: the smaller of
// GATE_TIMEOUT and what systemd allows less Margin. Where systemd allows less,
// the warning says both, and where each is set. A unit of which nothing is
// known, or whose TimeoutStartSec= is infinity, allows everything.
func Budget(want requirement.Timeout, unit *facts.Unit) (requirement.Timeout, []diag.Problem) {
	if unit == nil || unit.TimeoutStart <= 0 || want.Value <= unit.TimeoutStart-Margin {
		return want, nil
	}
	allowed := max(unit.TimeoutStart-Margin, unit.TimeoutStart/2)
	return requirement.Timeout{Value: allowed, Origin: "TimeoutStartSec= of " + unit.Name}, []diag.Problem{{
		Code: diag.TimeoutConflict, Severity: diag.Warning, Subject: unit.Name,
		Message: fmt.Sprintf("GATE_TIMEOUT is %d s (%s), but TimeoutStartSec= is only %d s: the gate ends after %d s",
			int(want.Value.Seconds()), want.Origin, int(unit.TimeoutStart.Seconds()), int(allowed.Seconds())),
		Seen:     fmt.Sprintf("TimeoutStartSec=%d", int(unit.TimeoutStart.Seconds())),
		Expected: fmt.Sprintf("at least %d s", int((want.Value + Margin).Seconds())),
		Fix: diag.Advise(fmt.Sprintf("set gate.timeout in /etc/justnews/justnews.toml, or TimeoutStartSec=%d in a drop-in of the unit", int((want.Value+Margin).Seconds())),
			diag.Reload()).Looking(diag.Run("systemctl", "edit", "--", unit.Name)),
	}}
}
