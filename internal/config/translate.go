// SPDX-License-Identifier: Apache-2.0

package config

import (
	"maps"
	"slices"
)

// translate builds the Config from the merged values over the defaults of the
// schema. Values of the wrong type are skipped: they are reported already, and
// with an error there is no Config.
func (s *state) translate() *Config {
	c := &Config{}
	for _, d := range s.docs {
		c.Files = append(c.Files, d.path)
	}
	for i := range schema {
		f := &schema[i]
		table, _ := s.merged[f.name].(map[string]any)
		switch f.kind {
		case group:
			if set := c.setter(f.name); set != nil {
				applyDefaults(f.fields, set)
				apply(table, set)
			}
		case named:
			if f.name == "probes" {
				c.Probes = probesOf(table)
			}
		}
	}
	c.Models.MapWritten = s.isWritten("models", "map")
	c.Service = defaultService(s.merged)
	instances, _ := s.merged["instances"].(map[string]any)
	c.Instances = make([]Instance, 0, len(instances))
	for _, name := range slices.Sorted(maps.Keys(instances)) {
		table, _ := instances[name].(map[string]any)
		c.Instances = append(c.Instances, c.instance(name, table))
	}
	return c
}

func (s *state) isWritten(path ...string) bool {
	_, ok := lookUp(s.merged, path)
	return ok
}

// setter returns the setter for the keys of a top-level table.
func (c *Config) setter(table string) func(string, any) bool {
	switch table {
	case "gate":
		return c.Gate.set
	case "orchestrator":
		return c.Orchestrator.set
	case "bus":
		return c.Bus.set
	case "models":
		return c.Models.set
	case "mps":
		return c.MPS.set
	case "gpu":
		return c.GPU.set
	}
	return nil
}

func applyDefaults(fields []field, set func(string, any) bool) {
	for i := range fields {
		if fields[i].def != nil {
			set(fields[i].name, fields[i].def)
		}
	}
}

func apply(table map[string]any, set func(string, any) bool) {
	for name, v := range table {
		set(name, v)
	}
}

func defaultService(merged map[string]any) Service {
	var service Service
	applyDefaults(serviceFields, service.set)
	table, _ := merged["service"].(map[string]any)
	apply(table, service.set)
	return service
}

func (c *Config) instance(name string, table map[string]any) Instance {
	i := Instance{Name: name, Gate: c.Gate, Service: c.Service}
	i.MPS.Enabled = c.MPS.Enabled
	applyDefaults(instanceFields, i.set)
	apply(table, i.set)
	// Structure: the instances that serve the orchestrator and the bus cannot
	// wait for themselves, and the orchestrator comes before the bus.
	orchestrator := name == c.Orchestrator.Instance
	i.RequireModels = i.RequireModels && !orchestrator
	i.RequireBus = i.RequireBus && !orchestrator && name != c.Bus.Instance
	return i
}

func probesOf(table map[string]any) map[string]Probe {
	probes := make(map[string]Probe, len(table))
	for name, v := range table {
		p := Probe{Name: name}
		m, _ := v.(map[string]any)
		apply(m, p.set)
		probes[name] = p
	}
	return probes
}
