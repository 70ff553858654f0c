// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"fmt"
	"slices"
	"strings"

	"justnews/internal/check"
	"justnews/internal/diag"
	"justnews/internal/facts"
	"justnews/internal/requirement"
	"justnews/internal/safefile"
	"justnews/internal/unitname"
)

// Environment compares the environment of the orchestrator's process with the Model Store
// in the configuration. If its root differs from the one that was checked, the check is
// worthless; and with STRICT, a missing variable lets the libraries download. A unit's
// settings without those of its process may be incomplete: then only those that are
// present count.
func Environment(unit string, e facts.Environment, strict bool, root string) []diag.Problem {
	var seen, expected, wrong []string
	miss := func(name, want string) {
		value, set := e.Values[name]
		switch {
		case set:
			seen = append(seen, name+"="+diag.Clean(value))
		case e.Exact:
			seen = append(seen, name+" unset")
		default:
			return
		}
		expected, wrong = append(expected, name+"="+want), append(wrong, name)
	}
	if value := e.Values["MODEL_STORE_ROOT"]; value == "" || safefile.Canonical(value) != safefile.Canonical(root) {
		miss("MODEL_STORE_ROOT", root)
	}
	if strict {
		// One of upstream's loaders takes nothing but "1".
		if e.Values["STRICT_MODEL_STORE"] != "1" {
			miss("STRICT_MODEL_STORE", "1")
		}
		for _, name := range []string{"HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"} {
			if !truthy(e.Values[name]) {
				miss(name, "1")
			}
		}
	}
	if len(seen) == 0 {
		return nil
	}
	return []diag.Problem{diag.Found(diag.StoreEnvironment, unit, "the orchestrator's environment differs from the configuration",
		strings.Join(seen, ", ")+where(e), strings.Join(expected, ", "),
		diag.Advise("remove the override from drop-ins and /etc/justnews/*.env", append([]diag.Command{diag.Reload()}, diag.Restart(unit)...)...).
			Looking(diag.CatUnit(unit), whereSet(wrong...)))}
}

// wrongPlace are the findings of a run that looked in the wrong place.
var wrongPlace = []diag.Code{
	diag.OrchestratorUnreachable, diag.OrchestratorNonsense, diag.OrchestratorImpostor,
	diag.BusUnreachable, diag.BusNonsense, diag.BusImpostor, diag.StoreRoot,
	diag.MPSDead, diag.MPSDirectory, diag.MPSEnvironment,
}

// Overridden corrects the fix of findings about an address or a directory that
// the environment has and the configuration has not: nothing else can be wrong
// before that is.
func Overridden(problems []diag.Problem, overrides []requirement.Override) {
	for i := range problems {
		p := &problems[i]
		for _, o := range overrides {
			if (p.Subject == o.Value || p.Code == diag.MPSEnvironment && strings.HasPrefix(p.Seen, o.Value+" ")) && slices.Contains(wrongPlace, p.Code) {
				p.Expected = o.Name + "=" + diag.Clean(o.Configured) + ", as justnews.toml has it"
				p.Fix = diag.Advise("remove "+o.Name+" from the environment files, or set it in justnews.toml instead", diag.Retry()).Looking(whereSet(o.Name))
			}
		}
	}
}

func whereSet(names ...string) diag.Command {
	c := diag.Run("grep", "-rn")
	for _, name := range names {
		c = append(c, "-e", name+"=")
	}
	return append(c, "--", "/etc/justnews")
}

func where(e facts.Environment) string {
	if e.Exact {
		return " in the running process"
	}
	return " in the unit (this user cannot read the environment of its process)"
}

// truthy are the values that the hub's libraries treat as true.
func truthy(value string) bool {
	switch strings.ToUpper(value) {
	case "1", "ON", "YES", "TRUE":
		return true
	}
	return false
}

func memory(m facts.Memory, limits []string) string {
	var parts []string
	add := func(format string, n int64) {
		if n >= 0 {
			parts = append(parts, fmt.Sprintf(format, check.Size(n)))
		}
	}
	add("%s of memory available", m.Available)
	if m.SwapTotal == 0 {
		parts = append(parts, "no swap")
	} else {
		add("%s of swap free", m.SwapFree)
	}
	if m.GroupKills > 0 {
		parts = append(parts, "the kernel has killed "+diag.Count(int(m.GroupKills), "process")+" of its control group because memory ran out")
	}
	if m.Kills > 0 {
		parts = append(parts, "the kernel has killed "+diag.Count(int(m.Kills), "process")+" since boot because memory ran out")
	}
	for _, l := range limits {
		parts = append(parts, diag.Clean(l))
	}
	return strings.Join(parts, ", ")
}

// DryRun judges whether the orchestrator reports every model as loaded without loading
// one. The environment of its processes counts. If that cannot be read, a variable in the
// unit or its files proves that it does, and the preload that it does not, since that runs
// as the orchestrator's user and is stopped with the orchestrator. The second result is
// true if it is not known.
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
	return []diag.Problem{diag.Found(diag.OrchestratorDryRun, u.Name, "cannot determine whether the orchestrator loads its models: its environment cannot be read",
		"a process of another user, and no preload has checked it since it was started", "an active "+unitname.Preload,
		diag.Advise("run as the orchestrator's user or as root, or have the preload do it", diag.Retry()).Looking(diag.Run("systemctl", "status", unitname.Preload)))}, true
}

// Preloaded reports whether the preload succeeded in the running orchestrator: it exited,
// and with 0. SuccessExitStatus= may allow more, such as a signal sent by an agent.
func Preloaded(u, preload facts.Unit) bool {
	started := u.Times.ExecMainStart
	return preload.Name == unitname.Preload && preload.ActiveState == "active" && started > 0 && preload.Times.ActiveEnter > started &&
		preload.ExecMainCode == facts.CodeExited && preload.ExecMainStatus == 0
}

func dryRuns(u facts.Unit, dry, at string) diag.Problem {
	name, _, _ := strings.Cut(dry, "=")
	return diag.Found(diag.OrchestratorDryRun, u.Name, "the orchestrator reports models as loaded without loading them",
		diag.Clean(dry)+" "+at, name+" unset or 0",
		diag.Advise(fmt.Sprintf("remove %s from the unit and its environment files", name), diag.Restart(u.Name)...).Looking(diag.CatUnit(u.Name), whereSet(name)))
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
