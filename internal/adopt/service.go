// SPDX-License-Identifier: Apache-2.0

package adopt

import (
	"slices"
	"strconv"
	"strings"

	"justnews/internal/config"
	"justnews/internal/diag"
)

// service writes what the template says of all instances, and returns it, so
// that an instance has to write only what differs.
func (a *adopter) service(t *table) []entry {
	shared := slices.DeleteFunc(a.serviceOf(""), func(e entry) bool { return e.value == defaults[e.key] })
	if home := a.needsHome(); home.text != "" && !slices.ContainsFunc(shared, func(e entry) bool { return e.key == "protect_home" }) {
		shared = append(shared, entry{"protect_home", quoted("read-only"), "something below /home is needed: " + home.at.String()})
	}
	if v, ok := a.variable("", "LOG_DIR"); ok {
		if clean, err := config.Path(v.text); err == nil {
			shared = append(shared, entry{"read_write_paths", list([]string{clean}), "LOG_DIR: " + v.at.String()})
		}
	}
	t.entries = shared
	return shared
}

// serviceOf returns the keys of [service] that the unit of an instance sets, or
// with "" the template.
func (a *adopter) serviceOf(instance string) []entry {
	var all []entry
	if v, ok := a.last(instance, "ExecStart"); ok {
		if words, ok := a.command(v); ok {
			all = append(all, entry{"exec", list(words), v.at.String()})
		}
	}
	for _, k := range []struct {
		setting, key string
		write        func(string) (string, bool)
	}{
		{"User", "user", account}, {"Group", "group", account}, {"WorkingDirectory", "working_directory", directory},
		{"RestartSec", "restart_sec", span}, {"LimitNOFILE", "limit_nofile", whole}, {"MemoryMax", "memory_max", amount},
		{"ProtectHome", "protect_home", home},
	} {
		v, ok := a.last(instance, k.setting)
		if !ok {
			continue
		}
		toml, ok := k.write(v.text)
		if !ok {
			a.leftOut(v, k.setting+"=", "it has no form that justnews.toml takes", keep, diag.Run("systemctl", "edit", "--", "justnews@.service"))
			continue
		}
		all = append(all, entry{k.key, toml, v.at.String()})
	}
	return all
}

// defaults are those of [service], as TOML: what says the same is not written.
var defaults = map[string]string{
	"exec": `["/usr/local/bin/justnews-start-agent.sh", "{instance}"]`,
	"user": `"justnews"`, "group": `"justnews"`, "working_directory": `"/"`, "restart_sec": `"3s"`, "limit_nofile": "65536",
	"memory_max": `""`, "protect_home": `"yes"`,
}

// command reads ExecStart=: words without quotes, specifiers other than %i and
// variables. What a shell or systemd would still have to expand is left out.
func (a *adopter) command(v value) ([]string, bool) {
	words := strings.Fields(v.text)
	for i, w := range words {
		words[i] = strings.NewReplacer("%i", "{instance}", "%I", "{instance}").Replace(w)
	}
	if !strings.HasPrefix(v.text, "/") || strings.ContainsAny(strings.Join(words, " "), `"'\$%;`) {
		a.leftOut(v, "ExecStart=", "it needs a shell or systemd to be understood", "write the command into service.exec, word by word")
		return nil, false
	}
	return words, true
}

func account(s string) (string, bool) {
	return quoted(s), s != "" && len(s) <= 31 && s[0] != '-' && (s[0] < '0' || s[0] > '9') &&
		strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}

func directory(s string) (string, bool) {
	clean, err := config.Path(strings.TrimPrefix(s, "-"))
	return quoted(clean), err == nil && !strings.Contains(s, "%")
}

func span(s string) (string, bool) {
	_, err := config.Timeout(s)
	return quoted(seconds(value{text: s}).text), err == nil
}

func whole(s string) (string, bool) {
	n, err := strconv.Atoi(s)
	return strconv.Itoa(n), err == nil && n > 0
}

func amount(s string) (string, bool) {
	digits := strings.TrimRight(s, "KMGT")
	n, err := strconv.ParseUint(digits, 10, 32)
	return quoted(s), err == nil && n > 0 && len(s)-len(digits) <= 1
}

func home(s string) (string, bool) {
	if is, known := truth(s); known {
		return quoted(map[bool]string{true: "yes", false: "no"}[is]), true
	}
	return quoted(s), s == "read-only" || s == "tmpfs"
}

// needsHome returns something that ProtectHome=yes would hide: upstream's units
// have no such protection, and its checkouts and interpreters live there.
func (a *adopter) needsHome() value {
	for _, variable := range []string{"SERVICE_DIR", "JUSTNEWS_ROOT", "PYTHON_BIN", "MODEL_STORE_ROOT", "BASE_MODEL_DIR", "CANONICAL_PYTHON_PATH"} {
		for _, f := range a.host.Env {
			for _, v := range f.Vars {
				if v.Name == variable && belowHome(v.Value) {
					return value{v.Value, place{f.Path, v.Line}}
				}
			}
		}
	}
	for _, key := range []string{"WorkingDirectory", "ExecStart"} {
		if v, ok := a.last("", key); ok && belowHome(v.text) {
			return v
		}
	}
	return value{}
}

// instance writes one instance.
func (a *adopter) instance(t *table, name string, p port, names []string, l limits, shared []entry) {
	if p.number != 0 {
		t.set("port", number(p.number), p.at)
	} else {
		t.note("port: nothing says where it listens")
	}
	a.enabled(t, name)
	a.requireBus(t, name)
	if after, from := a.after(name, names); len(after) > 0 {
		t.set("after", list(after), from)
	}
	if v, ok := a.variable(name, "GATE_TIMEOUT"); ok {
		if common, _ := a.variable("", "GATE_TIMEOUT"); common != v {
			if _, ok := accept(a, v, "GATE_TIMEOUT", config.Timeout); ok {
				t.set("gate", inline([]entry{{key: "timeout", value: quoted(seconds(v).text)}}), v.at.String())
			}
		}
	}
	a.instanceMPS(t, name, l)
	if own := differing(a.serviceOf(name), shared); len(own) > 0 {
		t.set("service", inline(own), whence(own))
	}
	if variables := a.environment(name); len(variables) > 0 {
		t.set("environment", inline(variables), whence(variables))
	}
}

// differing are the keys that an instance has otherwise than [service].
func differing(own, shared []entry) []entry {
	return slices.DeleteFunc(own, func(e entry) bool {
		common := defaults[e.key]
		for _, s := range shared {
			if s.key == e.key {
				common = s.value
			}
		}
		return e.value == common
	})
}

// enabled: what no link starts at boot is not wanted by justnews.target. Where
// nothing is enabled, the host is started by a script, and all of it.
func (a *adopter) enabled(t *table, name string) {
	if len(a.host.Wanted) == 0 || slices.ContainsFunc(a.host.Wanted, func(link string) bool { return strings.HasSuffix(link, "/justnews@"+name+".service") }) {
		return
	}
	t.set("enabled", "false", "no link in "+"/etc/systemd/system/*.wants starts it")
}

func (a *adopter) requireBus(t *table, name string) {
	v, ok := a.variable(name, "REQUIRE_BUS")
	if !ok {
		return
	}
	on, known := truth(v.text)
	switch {
	case !known:
		a.leftOut(v, "REQUIRE_BUS", "it is neither 0 nor 1", "correct it, and run the same again")
	case name == orchestrator && on:
		a.say(diag.ImportConflict, v.at, "REQUIRE_BUS=1 had the orchestrator wait for the bus, which waits for the orchestrator; it no longer does",
			v.text, "REQUIRE_BUS=0, or nothing", "nothing: the orchestrator never waits for the bus")
	case name == orchestrator || name == bus || on: // by structure, or the default
	default:
		t.set("require_bus", "false", v.at.String())
	}
}
