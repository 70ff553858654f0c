// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"strings"

	"justnews/internal/diag"
)

// kind checks what depends on the kind of the orchestrator.
func (s *state) kind(c *Config) {
	o, written := c.Orchestrator, func(path string) bool { return s.isWritten(strings.Split(path, ".")...) }
	if o.Unit != "" && o.Instance != "" {
		s.kindFault(diag.ConfigConflict, "orchestrator.unit", "orchestrator.unit and orchestrator.instance name two units",
			quote(o.Unit)+" and "+quote(o.Instance), "the unit that serves orchestrator.url", "remove one of the two")
	}
	if o.Kind == KindJustNews {
		s.refuse(o.Kind, map[string]bool{
			"models.expected": len(c.Models.Expected) > 0, "models.canary": c.Models.Canary, "orchestrator.api_key_file": o.APIKeyFile != "",
		})
	} else {
		s.named(c, written)
	}
	if c.Models.Device == "gpu" && o.ServedBy() == "" && o.Kind != "ollama" {
		s.kindFault(diag.ConfigConflict, "models.device", "models.device = \"gpu\" needs the unit of the server, whose processes are looked for on the GPUs",
			"no unit", "orchestrator.instance or orchestrator.unit", "name the server's unit, or remove models.device")
	}
}

// named checks a server whose models the configuration names.
func (s *state) named(c *Config, written func(string) bool) {
	o := c.Orchestrator
	for path, missing := range map[string]bool{
		"orchestrator.url": !written("orchestrator.url"), "models.expected": len(c.Models.Expected) == 0 && !c.Models.MapWritten,
	} {
		if missing {
			s.kindFault(diag.ConfigValue, "orchestrator.kind", fmt.Sprintf("orchestrator.kind = %s needs %s", quote(o.Kind), path),
				"it is not set, or empty", path, "set "+path)
		}
	}
	if !written("orchestrator.unit") && !written("orchestrator.instance") && o.ServedBy() == "" {
		s.kindFault(diag.ConfigValue, "orchestrator.kind", fmt.Sprintf("orchestrator.kind = %s needs the unit of the server", quote(o.Kind)),
			"neither orchestrator.unit nor orchestrator.instance is set", `orchestrator.unit, or "" for a server that is not a unit of this host`, "set orchestrator.unit")
	}
	if len(c.Models.Expected) > 0 && c.Models.MapWritten {
		s.kindFault(diag.ConfigConflict, "models.map", "models.expected and models.map both name the models", quote(c.Models.Map), "one of the two", "remove one of the two")
	}
	seen := map[string]bool{}
	for _, name := range c.Models.Expected {
		if seen[name] {
			s.kindFault(diag.ConfigConflict, "models.expected", "models.expected names "+quote(name)+" twice", quote(name), "each name once", "remove one of the two")
		}
		seen[name] = true
	}
	none := map[string]bool{
		"orchestrator.honor_safe_mode": o.HonorSafeMode, "models.accept_empty": c.Models.AcceptEmpty, "gate.scope": c.Gate.Scope == "own",
	}
	for _, i := range c.Instances {
		if path := "instances." + i.Name + ".gate.scope"; written(path) {
			none[path] = i.Gate.Scope == "own"
		}
	}
	s.refuse(o.Kind, none)
	if v, ok := lookUp(s.merged, []string{"models", "canary"}); ok && v == false && o.Kind == "openai" {
		s.kindFault(diag.ConfigConflict, "models.canary", "models.canary cannot be switched off: a list of models is all that a server of the kind \"openai\" shows otherwise",
			"false", "true", "remove models.canary")
	}
}

// refuse reports the keys that are set and mean nothing to this kind.
func (s *state) refuse(kind string, set map[string]bool) {
	for path, is := range set {
		if is {
			s.kindFault(diag.ConfigConflict, path, fmt.Sprintf("%s is not valid for orchestrator.kind = %s", path, quote(kind)),
				"it is set", "another kind, or the key removed", "remove "+path)
		}
	}
}

func (s *state) kindFault(code diag.Code, path, message, seen, expected, fix string) {
	at := strings.Split(path, ".")
	if !s.isBad(at) {
		s.fail(code, at, atValue, message, seen, expected, fix)
	}
}
