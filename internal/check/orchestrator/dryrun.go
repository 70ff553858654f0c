// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"strings"

	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/unitname"
)

// DryRun judges whether the orchestrator reports every model as loaded without
// loading one. What counts is what its processes were started with; where they
// cannot be asked, what the unit and its files say makes it certain that it does,
// and the preload that it does not: that runs as the orchestrator's user, and is
// stopped with the orchestrator. The second result is true where nobody knows.
func DryRun(u facts.Unit, e facts.Environment, preload facts.Unit) (problems []diag.Problem, unknown bool) {
	at := "in the unit's environment files"
	if e.Exact {
		at = "in the running process"
	}
	for _, values := range append([]map[string]string{e.Values}, e.Others...) {
		if dry := dryRun(values); dry != "" {
			return []diag.Problem{dryRuns(u, dry, at)}, false
		}
	}
	if e.Exact || Preloaded(u, preload) {
		return nil, false
	}
	return []diag.Problem{{
		Code: diag.OrchestratorDryRun, Subject: u.Name,
		Message:  "cannot determine whether the orchestrator loads its models: its environment cannot be read",
		Seen:     "a process of another user, and no preload has checked it since it was started",
		Expected: "an active " + unitname.Preload,
		Fix:      diag.Advise("run as the orchestrator's user or as root, or have the preload do it", diag.Retry()).Looking(diag.Run("systemctl", "status", unitname.Preload)),
	}}, true
}

// Preloaded reports whether the preload ended with success in the orchestrator
// that runs now: by itself and with 0. SuccessExitStatus= may count more, such as
// a signal that an agent has sent.
func Preloaded(u, preload facts.Unit) bool {
	started := u.Times.ExecMainStart
	return preload.Name == unitname.Preload && preload.ActiveState == "active" && started > 0 && preload.Times.ActiveEnter > started &&
		preload.ExecMainCode == facts.CodeExited && preload.ExecMainStatus == 0
}

func dryRuns(u facts.Unit, dry, at string) diag.Problem {
	name, _, _ := strings.Cut(dry, "=")
	return diag.Problem{
		Code: diag.OrchestratorDryRun, Subject: u.Name,
		Message: "the orchestrator reports models as loaded without loading them",
		Seen:    diag.Clean(dry) + " " + at, Expected: name + " unset or 0",
		Fix: diag.Advise(fmt.Sprintf("remove %s from the unit and its environment files", name), diag.Restart(u.Name)...).Looking(diag.CatUnit(u.Name), whereSet(name)),
	}
}

// dryRun returns the assignment at fault, "" where there is none. A value that
// is not certain to mean no means yes.
func dryRun(values map[string]string) string {
	for _, name := range []string{"DRY_RUN", "MODEL_STORE_DRY_RUN"} {
		switch strings.ToLower(strings.TrimSpace(values[name])) {
		case "", "0", "false", "no", "off", "n", "f":
		default:
			return name + "=" + values[name]
		}
	}
	return ""
}
