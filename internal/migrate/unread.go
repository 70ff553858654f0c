// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"cmp"
	"slices"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/unitfile"
	"justnews/internal/unitname"
)

// after returns the instances that a unit was ordered after. The orchestrator,
// its preload and the bus come first by themselves.
func (a *converter) after(name string, names []string) (after []string, from string) {
	for _, s := range a.settings(name) {
		if s.Section != "Unit" || !slices.Contains(orders, s.Key) {
			continue
		}
		for unit := range strings.FieldsSeq(s.Value) {
			other := instanceOf(unit)
			switch {
			case other == "" || other == name || other == orchestrator || other == bus || slices.Contains(after, other):
			case !slices.Contains(names, other):
				a.leftOut(value{unit, s.at}, s.Key+"="+unit, "no such instance was found on this host", "no action is needed, unless the instance is missing")
			default:
				after, from = append(after, other), s.at.String()
			}
		}
	}
	return after, from
}

// environment returns the variables that the old unit of an instance set: they go
// with the unit and its drop-ins. The caches of its user stay in use.
func (a *converter) environment(name string) []entry {
	all := a.cacheVariables(name)
	for _, v := range a.unitVariables(name) {
		why, fix := unfit(v)
		switch {
		case known(v.name):
		case why == "":
			all = slices.DeleteFunc(all, func(e entry) bool { return e.key == v.name })
			all = append(all, entry{v.name, quoted(v.text), v.at.String()})
		default:
			a.leftOut(shown(v), v.name, why, fix)
		}
	}
	return all
}

// unfit returns why a variable of a unit cannot be in justnews.toml, "" if it can, and
// what to do with it instead.
func unfit(v unitVariable) (why, fix string) {
	file := "/etc/justnews/" + cmp.Or(instanceOf(v.at.path), "global") + ".env"
	switch {
	case secret(v.name):
		return "it looks like a secret, and justnews.toml is world-readable", "move the line to " + file + ", mode 0640"
	case !config.Variable(v.name):
		return "it has its own key in justnews.toml", "set that key"
	case !config.Printable(v.text):
		return "it contains a control character, and justnews.toml must not", "write it into " + file
	case v.unresolved || strings.ContainsAny(v.text, "$`"):
		return "it contains a variable that would have to be expanded", "write the value itself into " + file
	}
	return "", ""
}

func shown(v unitVariable) value {
	if secret(v.name) {
		v.text = "…"
	}
	return value{v.name + "=" + v.text, v.at}
}

// known are the variables that justnews.toml has keys for, or that belong to
// the old gate.
func known(variable string) bool {
	return slices.Contains([]string{
		"GATE_TIMEOUT", "REQUIRE_BUS", "GPU_ORCHESTRATOR_URL", "MCP_BUS_URL", "MODEL_STORE_ROOT", "BASE_MODEL_DIR", "STRICT_MODEL_STORE",
		"CUDA_MPS_PIPE_DIRECTORY", "CUDA_MPS_LOG_DIRECTORY", "ENABLE_MPS",
	}, variable)
}

// secret reports whether a variable may hold a secret; unknown ones may.
func secret(variable string) bool {
	return containsAny(strings.ToUpper(variable), "PASSWORD", "PASSWD", "SECRET", "TOKEN", "API_KEY", "CREDENTIAL", "PRIVATE", "DATABASE_URL", "DB_URL")
}

// ours are the settings that the packaged units or the generator set.
var ours = []string{
	"Description", "Documentation", "PartOf", "StartLimitIntervalSec", "StartLimitBurst", "WantedBy", "TimeoutStartSec", "NotifyAccess",
	// and those that serviceOf, after and environment read
	"ExecStart", "User", "Group", "WorkingDirectory", "RestartSec", "LimitNOFILE", "MemoryMax", "ProtectHome",
	// and those that access reads
	"ReadWritePaths", "ReadOnlyPaths",
}

// template has settings of the packaged justnews@.service from which a unit that was
// written by hand may differ.
var template = map[string]string{
	"Type": "exec", "Restart": "on-failure", "NoNewPrivileges": "yes", "PrivateTmp": "yes", "ProtectSystem": "strict", "UMask": "0027",
	"StateDirectory": "justnews/%i", "CacheDirectory": "justnews/%i", "LogsDirectory": "justnews/%i",
}

// sameAs compares two values of a setting; yes, true, on and 1 are the same.
func sameAs(a, b string) bool {
	x, knownA := envfile.Boolean(a)
	y, knownB := envfile.Boolean(b)
	return a == b || knownA && knownB && x == y
}

const keep = "keep it in your own drop-in"

func (a *converter) reportUnread(names []string) {
	a.environmentFiles("")
	for _, u := range a.host.Units {
		edit := diag.Run("systemctl", "edit", "--", cmp.Or(unitname.Of(u.Instance), unitname.Template))
		for _, s := range u.Settings {
			v := value{s.Key + "=" + s.Value, place{u.Path, s.Line}}
			switch {
			case slices.Contains(orders, s.Key):
				a.foreign(s, place{u.Path, s.Line}, edit)
			case slices.Contains(ours, s.Key) || s.Value == "" || s.Key == "Type" && slices.Contains([]string{"simple", "idle"}, s.Value):
			case template[s.Key] != "":
				if ownDirectories[s.Key] == "" && !sameAs(s.Value, template[s.Key]) {
					a.leftOut(v, s.Key+"=", "the package's unit has "+s.Key+"="+template[s.Key], "if the agent needs it otherwise, "+keep, edit)
				}
			case s.Key == "EnvironmentFile":
				if file := readBy(s, u.Instance); file != globalEnv && file != "/etc/justnews/"+u.Instance+".env" {
					a.leftOut(v, s.Key+"=", "the package's unit reads /etc/justnews/global.env and INSTANCE.env", keep, edit)
				}
			case s.Key == "ExecStartPre":
				if !containsAny(s.Value, "preflight.sh", "justnews-preflight-check.sh", "wait_for_mcp", "justnews-gate") {
					a.leftOut(v, s.Key+"=", "it is not the old gate", keep, edit)
				}
			case s.Key == "Environment":
				a.overridden(u, s)
				if _, ok := unitfile.Words(s.Value, true); !ok {
					v.text = "Environment=…" // it may hold a secret
					a.leftOut(v, s.Key+"=", "systemd ignores its end: a quote is not terminated, or an escape is invalid", "correct it, and run the same command again", edit)
				}
			default:
				a.leftOut(v, s.Key+"=", "justnews.toml has no key for it", keep, edit)
			}
		}
		if u.Instance != "" && !slices.Contains(names, u.Instance) {
			a.stays[u.Path] = true
		}
	}
}

// orders are the settings from which after reads the instances.
var orders = []string{"After", "Wants", "Requires", "BindsTo"}

// foreign reports a line that orders agents after units that are not JustNews', such as
// a database. The package's unit has the usual targets and NVIDIA's units itself.
func (a *converter) foreign(s unitfile.Placed, at place, edit diag.Command) {
	for unit := range strings.FieldsSeq(s.Value) {
		if strings.HasSuffix(unit, ".target") || strings.HasPrefix(unit, "justnews") || strings.HasPrefix(unit, "nvidia-") {
			continue
		}
		a.leftOut(value{s.Key + "=" + s.Value, at}, s.Key+"="+unit, "justnews.toml orders instances only", "make it one of the instances' needs (a probe of kind \"unit\"), or "+keep, edit)
	}
}

const globalEnv = "/etc/justnews/global.env"

// readBy returns the environment file that a line of an instance's unit names.
func readBy(s unitfile.Placed, instance string) string {
	file, _ := specifiers(strings.TrimPrefix(s.Value, "-"), instance)
	return file
}

// environmentFiles reports an instance, or with "" the template, whose unit read global.env
// and the instance's own file otherwise than the package's unit does: the value of a variable
// can change. Without any EnvironmentFile=, the start script reads them.
func (a *converter) environmentFiles(name string) {
	own := "/etc/justnews/" + name + ".env"
	var read, packaged []string
	for _, f := range a.host.Env { // global.env is the first
		if (f.Path == globalEnv || f.Path == own) && len(f.Vars) > 0 {
			packaged = append(packaged, f.Path)
		}
	}
	if name == "" {
		packaged = append(packaged, own)
	}
	var at place
	for _, s := range a.settings(name) {
		if s.Section != "Service" || s.Key != "EnvironmentFile" {
			continue
		}
		at = s.at
		if file := readBy(s.Placed, name); s.Value == "" {
			read = nil
		} else if slices.Contains(packaged, file) {
			read = append(read, file)
		}
	}
	if at.path != "" && instanceOf(at.path) == name && !slices.Equal(read, packaged) {
		files := func(all []string) string {
			return cmp.Or(strings.ReplaceAll(strings.Join(all, ", then "), "/.env", "/INSTANCE.env"), "neither global.env nor INSTANCE.env")
		}
		a.say(diag.ImportConflict, at, "the old unit read other environment files, or in another order, than the package's unit",
			files(read), files(packaged), "check that the variables in these files are those that the agents should have")
	}
}

func containsAny(s string, parts ...string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(s, part) })
}

// overridden reports drop-ins that never had an effect: environment files override
// Environment=, although the runbook says the opposite.
func (a *converter) overridden(u Unit, s unitfile.Placed) {
	for variable, text := range assignments(s) {
		if !known(variable) {
			continue
		}
		if v, ok := a.variable(u.Instance, variable); ok && v.text != text && strings.HasSuffix(v.at.path, ".env") {
			a.say(diag.ImportConflict, place{u.Path, s.Line}, variable+" had no effect here: an environment file overrides it",
				text, v.text+" ("+v.at.String()+")", "write the intended value into justnews.toml")
		}
	}
}
