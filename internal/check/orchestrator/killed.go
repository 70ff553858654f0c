// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"slices"

	"justnews/internal/diag"
	"justnews/internal/facts"
)

const sigkill = 9

// ForMemory names memory as the cause where the orchestrator's unit failed for
// want of it. systemd says so itself where it can count (oom-kill); without the
// unified hierarchy a process that the kernel kills only shows SIGKILL, which
// nobody else sends to a service: there the kernel's own count has to bear it
// out.
func ForMemory(problems []diag.Problem, u facts.Unit, m facts.Memory) []diag.Problem {
	if !killedForMemory(u, m) {
		return problems
	}
	problems = slices.Clone(problems)
	for i, p := range problems {
		if p.Code != diag.OrchestratorUnit || p.Severity != diag.Error {
			continue
		}
		problems[i].Code = diag.OrchestratorKill
		problems[i].Message = "the orchestrator was killed because memory ran out"
		problems[i].Seen = p.Seen + "; " + memory(m, u.MemoryLimits)
		problems[i].Expected = "enough memory to load every model"
		problems[i].Fix = diag.Advise("add swap, raise service.memory_max of its instance in /etc/justnews/justnews.toml or load fewer models", diag.Reload())
	}
	return problems
}

func killedForMemory(u facts.Unit, m facts.Memory) bool {
	killed := (u.ExecMainCode == facts.CodeKilled || u.ExecMainCode == facts.CodeDumped) && u.ExecMainStatus == sigkill
	return u.Result == "oom-kill" || killed && (m.GroupKills > 0 || m.Kills > 0)
}
