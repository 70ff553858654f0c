// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"slices"
	"strings"

	"justnews/internal/check"
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
	p := diag.Found(diag.OrchestratorUnit, u.Name, "the orchestrator's unit keeps failing",
		unit.FailureText(u)+"; "+diag.Count(u.NRestarts, "restart"), "a unit that stays active",
		diag.Advise("fix the error in its log: systemd restarts it automatically").Looking(diag.LogOf(u.Name)))
	return []diag.Problem{unit.WithSetup(p, u)}
}

// BusUnit returns what is wrong with the MCP bus's unit. An error means that
// waiting for it is pointless.
func BusUnit(u facts.Unit) []diag.Problem {
	return unit.Problems(u, diag.BusUnit, "the bus's unit")
}

// TargetStopped is the warning that everything is down because justnews.target is.
func TargetStopped() diag.Problem {
	return diag.New(diag.OrchestratorUnit, unitname.Target, "it is stopped, and with it every instance",
		diag.Do(diag.Run("systemctl", "start", unitname.Target))).As(diag.Warning)
}

// VLLM judges whether the vLLM server is running that serves agents of the map. No
// gate waits for it: the orchestrator's preload does not cover it.
func VLLM(v facts.VLLM, agents []string, url, unit string) []diag.Problem {
	if len(agents) == 0 || v.Kind != facts.Answered || v.Running {
		return nil
	}
	seen := "enabled, and not running"
	if !v.Enabled {
		seen = "not enabled, VLLM_ENABLED is not true"
	}
	return []diag.Problem{diag.Found(diag.VLLMDown, url+"/vllm/status", "the vLLM server of "+diag.Clean(strings.Join(agents, ", "))+" is not running",
		seen, "a running vLLM server, or no vllm_agents in the map",
		diag.Advise("set VLLM_ENABLED=true in the orchestrator's environment and fix the error in its log, or remove vllm_agents from the map", diag.Restart(unit)...).Looking(diag.LogOf(unit))).As(diag.Warning)}
}

// Registered judges whether the orchestrator is registered with the MCP bus. One that was
// started before the bus, as it has to be, gives up registering after a while and never
// retries.
func Registered(r facts.Registration, name, busURL string) []diag.Problem {
	if r.Kind == facts.Nonsense {
		return []diag.Problem{diag.Found(diag.BusNonsense, busURL+"/agents", "cannot determine whether the orchestrator is registered with the MCP bus: its answer is invalid",
			statusOf(r.Answer)+evidence(r.Answer), `{"agents": {"`+name+`": …}}, or a list of names`,
			diag.Advise("make sure that the MCP bus serves it").Looking(diag.Run("curl", "-s", "--", busURL+"/agents"))).As(diag.Notice)}
	}
	if r.Kind != facts.Answered || name == "" || slices.Contains(r.Agents, name) {
		return nil
	}
	seen := "no agents"
	if len(r.Agents) > 0 {
		seen = strings.Join(r.Agents, ", ")
	}
	return []diag.Problem{diag.Found(diag.BusUnregistered, name, "the orchestrator is not registered with the MCP bus: it was started before the bus and gave up",
		diag.Clean(seen), name+" among the agents of "+busURL+"/agents",
		diag.Advise("restart it now that the bus is up (its models load again, the agents stay up)", diag.Restart(unitname.Of(name))...)).As(diag.Warning)}
}

// WhySilent names what of a server's unit is the cause of a problem with this code, the
// server's silence: it is masked, or in a network namespace of its own.
func WhySilent(problems []diag.Problem, code diag.Code, u facts.Unit) []diag.Problem {
	why, seen, fix := whySilent(u)
	if why == "" {
		return problems
	}
	for i, p := range problems {
		if p.Code == code {
			problems[i].Message += ": its unit " + why
			problems[i].Seen += "; " + seen + " of " + u.Name
			problems[i].Fix = fix
		}
	}
	return problems
}

func whySilent(u facts.Unit) (why, seen string, fix diag.Fix) {
	s := u.Sandbox
	remove := func(key string) diag.Fix {
		return diag.Advise("remove "+key+" from the drop-in that sets it", append([]diag.Command{diag.Reload()}, diag.Restart(u.Name)...)...).Looking(diag.CatUnit(u.Name))
	}
	const apart = "has a network namespace of its own"
	switch {
	case u.LoadState == "masked":
		return "is masked", `"masked"`, diag.Do(check.Unmask(u), diag.Retry())
	case s.NetworkPath != "":
		return apart, "NetworkNamespacePath=" + diag.Clean(s.NetworkPath), remove("NetworkNamespacePath=")
	case s.PrivateNetwork:
		return apart, "PrivateNetwork=yes", remove("PrivateNetwork=")
	}
	return "", "", diag.Fix{}
}

const sigkill = 9

// ForMemory names memory as the cause where the orchestrator's unit failed for
// lack of it. systemd reports that itself where it can count (oom-kill). Without the
// unified hierarchy, a process that the kernel kills only shows SIGKILL, so that the
// kernel's own count has to confirm it.
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
