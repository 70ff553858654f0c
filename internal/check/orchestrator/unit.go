// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"strings"

	"justnews/internal/check/unit"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// Unit returns what is wrong with the orchestrator's unit. An error
// means that waiting is pointless.
func Unit(u facts.Unit) []diag.Problem {
	problems := unit.Problems(u, diag.OrchestratorUnit, "the orchestrator's unit")
	if dry := dryRun(u.Variables()); dry != "" {
		problems = append(problems, dryRuns(u, dry, "in the unit's environment"))
	}
	return problems
}

// UnitFails names the failure of an orchestrator that systemd is about
// to start again.
func UnitFails(u facts.Unit) []diag.Problem {
	if u.Result == "" || u.Result == "success" || !strings.Contains(u.SubState, "auto-restart") {
		return nil
	}
	p := diag.Problem{
		Code: diag.OrchestratorUnit, Subject: u.Name, Message: "the orchestrator's unit keeps failing",
		Seen: unit.FailureText(u) + "; " + diag.Count(u.NRestarts, "restart"), Expected: "a unit that stays active",
		Fix: diag.Advise("fix the error in its log: systemd restarts it automatically").Looking(diag.LogOf(u.Name)),
	}
	return []diag.Problem{unit.WithSetup(p, u)}
}

// BusUnit returns what is wrong with the MCP bus's unit. An error means that
// waiting for it is pointless.
func BusUnit(u facts.Unit) []diag.Problem {
	return unit.Problems(u, diag.BusUnit, "the bus's unit")
}

// TargetStopped is the warning that everything is down because justnews.target is.
func TargetStopped() diag.Problem {
	return diag.Problem{
		Code: diag.OrchestratorUnit, Severity: diag.Warning, Subject: unitname.Target, Message: "it is stopped, and with it every instance",
		Fix: diag.Do(diag.Run("systemctl", "start", unitname.Target)),
	}
}
