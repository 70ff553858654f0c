// SPDX-License-Identifier: Apache-2.0

package migrate

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"justnews/internal/config"
	"justnews/internal/diag"
	"justnews/internal/envfile"
	"justnews/internal/unitfile"
)

// service writes the settings of the template, and returns them, so that an instance
// has to write only what differs.
func (a *converter) service(t *table) []entry {
	shared := slices.DeleteFunc(a.serviceOf(""), func(e entry) bool { return e.value == defaults()[e.key] })
	shared = append(a.withHome(shared, "", a.shared), pathEntries(a.shared)...)
	a.ranAsRoot("")
	t.entries = shared
	return shared
}

// ranAsRoot warns of a template without User=, or of an instance that resets it, whose agents
// ran as root: another user cannot write to the files that they created.
func (a *converter) ranAsRoot(instance string) {
	settings := a.settings(instance)
	if v, ok := a.last(instance, "User"); !ok && len(settings) > 0 {
		at := v.at
		if at.path == "" {
			at.path = settings[0].at.path
		}
		a.say(diag.ImportConflict, at, "it ran the agents as root; the package's unit runs them as justnews", "no User=", "",
			"set service.user and service.group to the owner of the agents' files, or give justnews access to them")
	}
}

// serviceOf returns the keys of [service] that the unit of an instance sets, or
// with "" the template.
func (a *converter) serviceOf(instance string) []entry {
	var all []entry
	commands := a.commands(instance)
	for _, v := range commands {
		if len(commands) > 1 {
			a.leftOut(v, "ExecStart=", "it is one of several commands, and service.exec is one", "write a program that runs them, and name it in service.exec")
		} else if words, ok := a.command(v); ok {
			all = append(all, entry{"exec", list(words), v.at.String()})
		}
	}
	for _, k := range serviceSettings {
		v, ok := a.last(instance, k.setting)
		if k.setting == "Group" && !ok {
			all = append(all, a.primaryGroup(instance)...)
			continue
		}
		if !ok {
			if v.at.path != "" { // reset by an empty value
				all = append(all, entry{k.key, defaults()[k.key], v.at.String()})
			}
			continue
		}
		toml, ok := config.ServiceKey(k.key, normal(k.setting, v.text))
		if !ok {
			a.leftOut(v, k.setting+"=", "its form is not supported by justnews.toml", keep, diag.Run("systemctl", "edit", "--", "justnews@.service"))
			continue
		}
		all = append(all, entry{k.key, toml, v.at.String()})
	}
	return all
}

// commands returns every ExecStart= that is in effect: an empty one resets those before.
func (a *converter) commands(instance string) (all []value) {
	for _, s := range a.settings(instance) {
		switch {
		case s.Section != "Service" || s.Key != "ExecStart":
		case s.Value == "":
			all = nil
		default:
			all = append(all, value{s.Value, s.at})
		}
	}
	return all
}

// primaryGroup is the group of a unit with User= and without Group=.
func (a *converter) primaryGroup(instance string) []entry {
	v, set := a.last(instance, "User")
	user := a.user(instance)
	toml, ok := config.ServiceKey("group", a.host.Groups[user])
	switch {
	case !set, !ok && user == "justnews": // the package makes both
		return nil
	case !ok:
		a.say(diag.ImportConflict, v.at, "the agents ran with the primary group of "+user+", which is not in /etc/passwd and /etc/group; the package's unit has Group=justnews",
			"no Group=", "", "set service.group to that group")
		return nil
	}
	return []entry{{"group", toml, "the primary group of " + user + ": " + v.at.String()}}
}

// serviceSettings are the settings of a unit that [service] has keys for.
var serviceSettings = []struct{ setting, key string }{
	{"User", "user"}, {"Group", "group"}, {"WorkingDirectory", "working_directory"}, {"RestartSec", "restart_sec"},
	{"LimitNOFILE", "limit_nofile"}, {"MemoryMax", "memory_max"}, {"ProtectHome", "protect_home"},
}

// normal converts a value to the form of justnews.toml. A value without such a form
// is returned unchanged.
func normal(setting, s string) string {
	switch is, known := envfile.Boolean(s); {
	case setting == "WorkingDirectory" && !strings.Contains(s, "%"):
		if clean, err := config.Path(strings.TrimPrefix(s, "-")); err == nil {
			return clean
		}
	case setting == "WorkingDirectory":
		return "" // a specifier
	case setting == "ProtectHome" && known && is:
		return "yes"
	case setting == "ProtectHome" && known:
		return "no"
	}
	return s
}

// defaults are those of [service], as TOML. A setting with that value is not written.
var defaults = sync.OnceValue(func() map[string]string {
	of := map[string]string{}
	for _, t := range config.Tables() {
		for _, k := range t.Keys {
			if t.Name == "service" {
				of[k.Name] = k.Default
			}
		}
	}
	return of
})

// command reads ExecStart= into words. What systemd would still have to expand, a prefix, a
// second command and control characters have no form in justnews.toml.
func (a *converter) command(v value) ([]string, bool) {
	words, ok := unitfile.Words(v.text, true)
	for i, w := range words {
		text, known := specifiers(w, "{instance}")
		words[i] = strings.ReplaceAll(text, "$$", "$")
		ok = ok && known && w != ";" && !strings.Contains(strings.ReplaceAll(text, "$$", ""), "$") &&
			!strings.Contains(w, "{instance}") && config.ExecWord(words[i])
	}
	if !ok || !strings.HasPrefix(v.text, "/") {
		a.leftOut(v, "ExecStart=", "it has a variable, a prefix or another part that service.exec has no form for", "write the command into service.exec, word by word")
		return nil, false
	}
	return words, true
}

// withHome adds protect_home where the unit of an instance, or with "" the template, does not
// set it and its program needs a path that ProtectHome=yes would hide: JustNews' own units have
// no such protection, and checkouts, interpreters and caches are below /home.
func (a *converter) withHome(service []entry, instance string, grants []grant) []entry {
	home := a.needsHome(instance, grants)
	if home.text == "" || slices.ContainsFunc(service, func(e entry) bool { return e.key == "protect_home" }) {
		return service
	}
	return append(service, entry{"protect_home", quoted("read-only"), "a path below /home is needed: " + home.at.String()})
}

func (a *converter) needsHome(instance string, grants []grant) value {
	for _, f := range a.host.Env {
		for _, v := range f.Vars {
			if instance == "" && belowHome(v.Value) {
				return value{v.Value, place{f.Path, v.Line}}
			}
		}
	}
	for _, key := range []string{"WorkingDirectory", "ExecStart"} {
		if v, ok := a.last(instance, key); ok && belowHome(v.text) {
			return v
		}
	}
	for name, v := range a.variables(instance) {
		if belowHome(v.text) && name != "HOME" {
			return v
		}
	}
	for _, g := range grants {
		if belowHome(g.path) {
			return value{g.path, place{g.from, 0}}
		}
	}
	return value{}
}

func (a *converter) instance(t *table, name string, p port, names []string, l limits, shared []entry) {
	if p.number != 0 {
		t.set("port", strconv.Itoa(p.number), p.at)
	} else {
		t.note("port: unknown, nothing sets it")
	}
	for _, u := range a.host.Units {
		if u.Instance == name && !u.DropIn && len(u.Settings) == 0 {
			t.set("enabled", "false", u.Path+" masks it")
			return // nothing else has had an effect
		}
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
	a.ranAsRoot(name)
	if own := append(differing(a.withHome(a.serviceOf(name), name, a.access(name)), shared), a.ownPaths(name, a.shared)...); len(own) > 0 {
		t.set("service", inline(own), origins(own))
	}
	a.environmentFiles(name)
	if variables := a.environment(name); len(variables) > 0 {
		t.set("environment", inline(variables), origins(variables))
	}
}

// differing returns the keys whose value differs from that of [service].
func differing(own, shared []entry) []entry {
	return slices.DeleteFunc(own, func(e entry) bool {
		common := defaults()[e.key]
		for _, s := range shared {
			if s.key == e.key {
				common = s.value
			}
		}
		return e.value == common
	})
}

// enabled disables an instance that no link starts at boot. If none is enabled, a
// script starts all of them.
func (a *converter) enabled(t *table, name string) {
	if len(a.host.Wanted) == 0 || slices.ContainsFunc(a.host.Wanted, func(link string) bool { return strings.HasSuffix(link, "/justnews@"+name+".service") }) {
		return
	}
	t.set("enabled", "false", "no link in "+"/etc/systemd/system/*.wants starts it")
}

func (a *converter) requireBus(t *table, name string) {
	v, ok := a.variable(name, "REQUIRE_BUS")
	if !ok {
		return
	}
	on, known := envfile.Boolean(v.text)
	switch {
	case !known:
		a.leftOut(v, "REQUIRE_BUS", "it is neither 0 nor 1", "correct it, and run the same command again")
	case name == orchestrator && on:
		a.say(diag.ImportConflict, v.at, "REQUIRE_BUS=1 made the orchestrator wait for the bus, which waits for the orchestrator; it no longer does",
			v.text, "REQUIRE_BUS=0, or nothing", "no action is needed: the orchestrator never waits for the bus")
	case name == orchestrator || name == bus || on: // by structure, or the default
	default:
		t.set("require_bus", "false", v.at.String())
	}
}
