// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"slices"
	"strings"
	"time"

	"justnews/internal/diag"
	"justnews/internal/lists"
)

// Guard is one [guards.NAME]: the gate of a unit that is not an instance.
type Guard struct {
	Name string
	Unit string `toml:"unit"`
	When string `toml:"when"` // "before" or "after"
	// Timeout is the timeout of the gate, of [gate] where none is written.
	Timeout       time.Duration `toml:"timeout"`
	StartTimeout  time.Duration `toml:"start_timeout"`  // TimeoutStartSec=, 0: as the unit has it
	RequireModels bool          `toml:"require_models"` // when "after": the unit is the model server
	RequireBus    bool          `toml:"require_bus"`
	RequireMPS    bool          `toml:"require_mps"`
	Trigger       bool          `toml:"trigger"` // may request a preload
	Needs         []string      `toml:"needs"`   // names of Probes
}

var guardFields = []field{
	{name: "unit", kind: text, form: &formService, sample: `"model-client.service"`, doc: "the service, with its suffix; not one of JustNews' own"},
	{name: "when", kind: text, words: []string{"before", "after"}, def: "before",
		doc: "\"before\": ExecStartPre=; \"after\": ExecStartPost= of the model server itself, which becomes active once its models are ready"},
	{name: "timeout", kind: span, low: 1, high: maxSpan, sample: `"180s"`, doc: "the timeout of its gate; the default is gate.timeout"},
	{name: "start_timeout", kind: span, low: 1, high: maxSpan, sample: `"240s"`,
		doc: "TimeoutStartSec=, for each command of the unit; the default is the unit's own"},
	{name: "require_models", kind: boolean, def: true, doc: "wait for the models"},
	{name: "require_bus", kind: boolean, def: false, doc: "wait for the MCP bus"},
	{name: "require_mps", kind: boolean, def: false, doc: "verify NVIDIA MPS"},
	{name: "trigger", kind: boolean, def: false, doc: "request a preload if none is running, instead of only waiting for one"},
	{name: "needs", kind: list, form: &formProbe, def: []string{}, sample: `["mariadb"]`, doc: "the [probes] that must succeed"},
}

// After reports whether the gate is in ExecStartPost=.
func (g *Guard) After() bool { return g.When == "after" }

// Guard returns the guard of a unit.
func (c *Config) Guard(unit string) (Guard, bool) {
	return lists.Find(c.Guards, func(g Guard) bool { return g.Unit == unit })
}

// guardedServer makes the unit that waits for its own models the one that serves them.
func (c *Config) guardedServer() {
	for i := range c.Guards {
		if g := &c.Guards[i]; g.After() && g.RequireModels {
			c.Orchestrator.Unit, c.Orchestrator.Instance = g.Unit, ""
			return
		}
	}
}

// Empty reports whether nothing is gated.
func (c *Config) Empty() bool { return len(c.Instances) == 0 && len(c.Guards) == 0 }

// AnyGuard reports whether something is true of a guard.
func (c *Config) AnyGuard(is func(Guard) bool) bool { return slices.ContainsFunc(c.Guards, is) }

// waits reports whether anything can wait for the orchestrator, or for the bus.
func (c *Config) waits(table string) bool {
	return len(c.Instances) > 0 || c.AnyGuard(func(g Guard) bool {
		return table == "orchestrator" && g.RequireModels || table == "bus" && g.RequireBus
	})
}

func (c *Config) guard(name string, table map[string]any, set setter) Guard {
	g := Guard{Name: name, Timeout: c.Gate.Timeout}
	set.defaults(reflect.ValueOf(&g).Elem(), guardFields)
	set.table(reflect.ValueOf(&g).Elem(), table)
	return g
}

func (s *state) guards(c *Config) {
	of, server := map[string]string{}, ""
	for i := range c.Guards {
		g := &c.Guards[i]
		s.needs(c, []string{"guards", g.Name, "needs"}, g.Needs)
		if s.guardUnit(g) {
			if other, taken := of[g.Unit]; taken {
				s.guardFails(g, "unit", quote(g.Unit)+" is the unit of guards."+other+" as well", "one guard for each unit", "remove one of the two")
			}
			of[g.Unit] = g.Name
			s.guardWaits(c, g)
		}
		if g.After() && g.RequireModels {
			if server != "" {
				s.guardFails(g, "when", "guards."+server+" also waits for the models of its own unit", "one model server",
					`write require_models = false, or when = "before"`)
			}
			server = g.Name
			s.ownServer(c, g)
		}
	}
}

// guardUnit reports whether a guard names a unit that it can be of.
func (s *state) guardUnit(g *Guard) bool {
	path := []string{"guards", g.Name, "unit"}
	switch {
	case s.isBad(path), s.isBad(path[:2]):
	case !s.isWritten(path...):
		s.fail(diag.ConfigValue, path[:2], atKey, dotted(path[:2])+" has no unit", "", "unit = \"NAME.service\"", "add the unit")
	case strings.HasPrefix(g.Unit, "justnews@") || strings.HasPrefix(g.Unit, "justnews-"):
		s.guardFails(g, "unit", quote(g.Unit)+" is a unit of JustNews, which is not guarded", "a service of another package",
			"an instance has a gate: list it in [instances]")
	case g.Unit == "dbus.service" || g.Unit == "dbus-broker.service" || strings.HasPrefix(g.Unit, "systemd-"):
		s.guardFails(g, "unit", quote(g.Unit)+" is a unit that the gate needs itself", "a service that can wait until the models are ready", "remove the guard")
	default:
		return true
	}
	return false
}

// guardWaits finds a guard that waits for its own unit.
func (s *state) guardWaits(c *Config, g *Guard) {
	if g.RequireModels && !g.After() && g.Unit == c.Orchestrator.ServedBy() {
		s.guardFails(g, "when", "guards."+g.Name+" waits for its own unit, which serves the models", `"after"`, `write when = "after"`)
	}
	if g.RequireMPS && g.Unit == c.MPS.Unit {
		s.guardFails(g, "require_mps", "guards."+g.Name+" waits for its own unit, which is mps.unit", "false", "remove require_mps")
	}
	for _, name := range g.Needs {
		if p := c.Probes[name]; !g.After() && p.Kind == "unit" && p.Unit == g.Unit {
			s.guardFails(g, "needs", "guards."+g.Name+" waits for its own unit, which is that of probes."+name, "a probe of something else", "remove "+quote(name))
		}
	}
}

// ownServer finds a second unit that is configured to serve the models, and needs for which
// a model server cannot wait.
func (s *state) ownServer(c *Config, g *Guard) {
	if server := c.Orchestrator.ServedBy(); server != g.Unit {
		s.guardFails(g, "when", "the models are served by "+quote(server)+", not by "+quote(g.Unit), `"before"`,
			`write when = "before", or name this unit in orchestrator.unit`)
	}
	if c.Orchestrator.Kind == "ollama" && !g.Trigger {
		s.guardFails(g, "trigger", "guards."+g.Name+" would never be ready: Ollama loads a model only on request", "true", "write trigger = true")
	}
	if g.RequireBus {
		s.guardFails(g, "require_bus", "the model server cannot wait for the MCP bus", "false", "remove require_bus")
	}
}

// guardFails reports a key of a guard at its value, or the guard where the key is
// not written.
func (s *state) guardFails(g *Guard, key, message, expected, fix string) {
	path, at := []string{"guards", g.Name, key}, atValue
	v, written := lookUp(s.merged, path)
	seen := ""
	if written {
		seen = literal(v)
	} else {
		path, at = path[:2], atKey
	}
	s.fail(diag.ConfigConflict, path, at, message, seen, expected, fix)
}
