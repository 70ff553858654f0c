// SPDX-License-Identifier: Apache-2.0

package requirement

import (
	"fmt"

	"justnews/internal/config"
	"justnews/internal/diag"
)

// ForGuard returns what the gate of a guarded unit has to make sure of. Its
// environment is that of another package's unit: nothing of the run is taken from it.
// After is the place of its line.
func ForGuard(cfg *config.Config, unit string, after bool, flags Flags) (Run, []diag.Problem) {
	g, ok := cfg.Guard(unit)
	if !ok || g.After() != after {
		return Run{}, []diag.Problem{UnknownGuard(cfg, unit, after)}
	}
	w := follow(cfg, unit, g.RequireModels && after)
	w.RequireModels, w.RequireBus, w.RequireMPS = g.RequireModels, g.RequireBus, g.RequireMPS
	w.GPU = gpu(cfg, config.InstanceMPS{Enabled: g.RequireMPS})
	w.GPU.Starting = !after
	w.Timeout = Timeout{g.Timeout, "guards." + g.Name + ".timeout"}
	w.Follow = !g.Trigger
	for _, need := range g.Needs {
		w.Needs = append(w.Needs, cfg.Probes[need])
	}
	return w, overrule(&w, noEnvironment, flags)
}

// ForServer returns what justnews-gate ready has to make sure of: that the models are
// ready, and, unless unit is "", that the answer comes from that unit.
func ForServer(cfg *config.Config, unit string, flags Flags) (Run, []diag.Problem) {
	w := follow(cfg, unit, unit != "")
	return w, overrule(&w, noEnvironment, flags)
}

// follow returns a run that waits for the models. The server that loads them reads
// the Model Store, as another user.
func follow(cfg *config.Config, unit string, served bool) Run {
	w := host(cfg, cfg.Gate)
	w.Instance, w.Unit = unit, unit
	w.RequireModels, w.Follow, w.Verify = true, true, "off"
	if served {
		w.Orchestrator = service(w.Orchestrator.URL, unit)
	}
	return w
}

func noEnvironment(string) (string, bool) { return "", false }

// UnknownGuard is the problem of a unit that has the line of a guard, which the
// configuration does not have in this place.
func UnknownGuard(cfg *config.Config, unit string, after bool) diag.Problem {
	place := map[bool]string{false: "before", true: "after"}
	p := diag.Problem{
		Code: diag.GuardUnknown, Subject: unit,
		Message:  "the configuration has no guard for this unit",
		Seen:     fmt.Sprintf("the line of a guard with when = %q", place[after]),
		Expected: fmt.Sprintf("a [guards] table with unit = %q", unit),
		Fix: diag.Advise("add the table to /etc/justnews/justnews.toml and reload, or remove the gate",
			diag.Run("justnews-gate", "guard", "uninstall", "--", unit)),
	}
	if g, ok := cfg.Guard(unit); ok {
		p.Message = "the gate of this unit is in another place than the configuration says"
		p.Expected = fmt.Sprintf("guards.%s.when = %q", g.Name, place[after])
		p.Fix = diag.Do(diag.Run("justnews-gate", "guard", "install", "--", unit))
	}
	return p
}

// NoGuard is the problem of a name that is neither that of a guard nor its unit.
func NoGuard(name string) diag.Problem {
	return diag.Problem{
		Code: diag.GuardUnknown, Subject: name, Message: "the configuration has no such guard", Seen: fmt.Sprintf("%q", name),
		Expected: "the name of a [guards] table, or its unit", Fix: diag.Advise("add the table to /etc/justnews/justnews.toml"),
	}
}
