// SPDX-License-Identifier: Apache-2.0

package check

import (
	"fmt"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

// Unit judges a unit that something else needs. Failed means that waiting is
// pointless; Idle that nothing is under way to start it. A unit between two
// automatic restarts, or with a job, is Pending whatever its last result.
func Unit(u facts.Unit) Judgement {
	switch u.LoadState {
	case "loaded":
	case "":
		return Judgement{Reason: "systemd said nothing of it"}
	case "not-found":
		return Judgement{State: Failed, Reason: "there is no such unit"}
	default: // masked, bad-setting, error, …
		return Judgement{State: Failed, Reason: "the unit is " + diag.Quote(u.LoadState)}
	}
	switch {
	case u.ActiveState == "active" || u.ActiveState == "reloading" || u.ActiveState == "refreshing":
		return Judgement{State: Ready, Reason: u.ActiveState}
	case u.ActiveState == "failed" && !u.Job && !strings.Contains(u.SubState, "auto-restart"): // failed-before-auto-restart, too
		return Judgement{State: Failed, Reason: failedUnit(u)}
	case u.ActiveState == "inactive" && !u.Job && !strings.Contains(u.SubState, "auto-restart"):
		return Judgement{State: Idle, Reason: "inactive, and no job is queued for it"}
	case u.ActiveState == "":
		return Judgement{Reason: "systemd said nothing of it"}
	default:
		return Judgement{State: Pending, Reason: fmt.Sprintf("%s (%s)", diag.Clean(u.ActiveState), diag.Clean(u.SubState))}
	}
}

// failedUnit names a unit's result as systemctl status does.
func failedUnit(u facts.Unit) string {
	s := "failed (Result: " + diag.Clean(u.Result) + ")"
	switch {
	case u.ExecMainCode == facts.CodeExited && u.ExecMainStatus != 0:
		s += fmt.Sprintf(", its main process exited with status %d", u.ExecMainStatus)
	case (u.ExecMainCode == facts.CodeKilled || u.ExecMainCode == facts.CodeDumped) && u.ExecMainStatus != 0:
		s += fmt.Sprintf(", its main process was killed by signal %d", u.ExecMainStatus)
	}
	return s
}

// OrchestratorUnit returns what is wrong with the orchestrator's unit. An error
// means that waiting for it is pointless.
func OrchestratorUnit(u facts.Unit) []diag.Problem {
	problems := unitProblems(u, diag.OrchestratorUnit, "the orchestrator's unit")
	if dry := dryRun(assigned(u.Environment)); dry != "" {
		problems = append(problems, dryRuns(u, dry, "in the unit's environment"))
	}
	return problems
}

// OrchestratorFails names the failure of an orchestrator that systemd is about
// to start again.
func OrchestratorFails(u facts.Unit) []diag.Problem {
	if u.Result == "" || u.Result == "success" || !strings.Contains(u.SubState, "auto-restart") {
		return nil
	}
	p := diag.Problem{
		Code: diag.OrchestratorUnit, Subject: u.Name, Message: "the orchestrator's unit fails again and again",
		Seen: failedUnit(u) + fmt.Sprintf("; restarted %d times", u.NRestarts), Expected: "a unit that stays active",
		Fix: diag.Advise("fix what its log names: systemd starts it again by itself").Looking(diag.LogOf(u.Name)),
	}
	return []diag.Problem{withSetup(p, u)}
}

// BusUnit returns what is wrong with the MCP bus's unit. An error means that
// waiting for it is pointless.
func BusUnit(u facts.Unit) []diag.Problem {
	return unitProblems(u, diag.BusUnit, "the bus's unit")
}

// unitProblems names a unit that cannot become ready, and warns of one that
// nobody starts: somebody may, and its server may run without it.
func unitProblems(u facts.Unit, code diag.Code, what string) []diag.Problem {
	switch j := Unit(u); j.State {
	case Failed:
		return []diag.Problem{withSetup(diag.Problem{
			Code: code, Subject: u.Name, Message: what + " cannot become ready",
			Seen: j.Reason, Expected: "a loaded unit that is active", Fix: unitFix(u),
		}, u)}
	case Idle:
		return []diag.Problem{{
			Code: code, Severity: diag.Warning, Subject: u.Name, Message: what + " is not started",
			Seen: j.Reason, Expected: "active", Fix: diag.Do(diag.Retry()),
		}}
	default:
		return nil
	}
}

func unitFix(u facts.Unit) diag.Fix {
	switch {
	case u.LoadState == "not-found":
		return diag.Advise("install the unit, or name the right instance in justnews.toml (\"\" if it runs on another host)", diag.Reload())
	case u.LoadState == "masked":
		return diag.Do(diag.Run("systemctl", "unmask", "--", u.Name), diag.Retry())
	case u.LoadState != "loaded":
		return diag.Advise("fix the unit", diag.Reload()).Looking(diag.Run("systemd-analyze", "verify", "--", u.Name))
	case u.Result == "oom-kill":
		return diag.Advise("free memory, add swap or raise memory_max", diag.Retry()).Looking(diag.LogOf(u.Name))
	default:
		return diag.Advise("fix what its log names", diag.Retry()).Looking(diag.LogOf(u.Name))
	}
}
