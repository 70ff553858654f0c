// SPDX-License-Identifier: Apache-2.0

package config

import (
	"reflect"
	"strings"

	"justnews/internal/lists"
	"justnews/internal/safefile"
)

// translate builds the Config from the merged values over the defaults of the
// schema. Values of the wrong type are skipped: they are reported already, and
// with an error there is no Config.
func (s *state) translate() *Config {
	c, set := &Config{Files: lists.Map(s.docs, func(d *document) string { return d.path })}, setter{}
	top := reflect.ValueOf(c).Elem()
	for i := range schema {
		if schema[i].kind == group {
			set.defaults(set.field(top, schema[i].name), schema[i].fields)
		}
	}
	set.table(top, s.merged)
	c.normalize()
	c.Models.MapWritten = s.isWritten("models", "map")
	if c.Orchestrator.Unit != "" || c.Orchestrator.Kind != KindJustNews {
		if !s.isWritten("orchestrator", "instance") {
			c.Orchestrator.Instance = "" // the default is JustNews' own
		}
	}
	// A host without JustNews has no bus either, unless its configuration lists one.
	without := c.Orchestrator.Kind != KindJustNews && !s.isWritten("bus", "instance") && !s.isWritten("instances", c.Bus.Instance)
	if without {
		c.Bus.Instance = ""
	}
	c.Models.Canary = c.Models.Canary || c.Orchestrator.Kind == "openai"
	probes := tablesOf(s.merged, "probes")
	c.Probes = make(map[string]Probe, len(probes))
	for name, table := range probes {
		p := Probe{Name: name}
		set.table(reflect.ValueOf(&p).Elem(), table)
		c.Probes[name] = p
	}
	instances := tablesOf(s.merged, "instances")
	c.Instances = make([]Instance, 0, len(instances))
	for _, name := range sortedKeys(instances) {
		i := c.instance(name, instances[name], set)
		if without && !s.isWritten("instances", name, "require_bus") {
			i.RequireBus = false
		}
		c.Instances = append(c.Instances, i)
	}
	guards := tablesOf(s.merged, "guards")
	for _, name := range sortedKeys(guards) {
		c.Guards = append(c.Guards, c.guard(name, guards[name], set))
	}
	if _, listed := c.Instance(c.Orchestrator.Instance); !listed && c.Orchestrator.Unit == "" {
		if c.Orchestrator.Instance == "" || !s.isWritten("orchestrator", "instance") {
			c.guardedServer()
		}
	}
	return c
}

// normalize gives values that can be written in several ways their one form.
func (c *Config) normalize() {
	for _, u := range []*string{&c.Orchestrator.URL, &c.Bus.URL} {
		if whole, valid := serverURL(*u); valid {
			*u = whole
		}
	}
	c.MPS.PipeDirectory = safefile.Canonical(c.MPS.PipeDirectory)
}

// tablesOf returns the tables below a table, by name; any other value is an
// empty one.
func tablesOf(merged map[string]any, name string) map[string]map[string]any {
	named, _ := merged[name].(map[string]any)
	tables := make(map[string]map[string]any, len(named))
	for name, v := range named {
		tables[name], _ = v.(map[string]any)
	}
	return tables
}

func (s *state) isWritten(path ...string) bool {
	_, ok := lookUp(s.merged, path)
	return ok
}

func (c *Config) instance(name string, table map[string]any, set setter) Instance {
	i := Instance{Name: name, Gate: c.Gate, Service: c.Service}
	i.MPS.Enabled = c.MPS.Enabled
	set.defaults(reflect.ValueOf(&i).Elem(), instanceFields)
	set.table(reflect.ValueOf(&i).Elem(), table)
	i.MPS.Seen = i.GPUs
	if len(i.GPUs) == 0 && i.MPS.Enabled {
		i.MPS.Seen = c.MPS.Devices
	}
	// Structure: the instances that serve the orchestrator and the bus cannot
	// wait for themselves, and the orchestrator comes before the bus.
	orchestrator := name == c.Orchestrator.Instance
	i.RequireModels = i.RequireModels && !orchestrator
	i.RequireBus = i.RequireBus && !orchestrator && name != c.Bus.Instance
	return i
}

// merge merges the documents: tables key by key, everything else as a whole,
// later documents over earlier ones.
func (s *state) merge() {
	s.merged = map[string]any{}
	if len(s.docs) == 1 {
		s.merged = s.docs[0].data
		return
	}
	for _, d := range s.docs {
		mergeInto(s.merged, d.data)
	}
}

// mergeInto never writes to a map of src: a document always reflects its file.
func mergeInto(dst, src map[string]any) {
	for k, v := range src {
		table, isTable := v.(map[string]any)
		if !isTable {
			dst[k] = v
			continue
		}
		old, ok := dst[k].(map[string]any)
		if !ok {
			old = map[string]any{}
			dst[k] = old
		}
		mergeInto(old, table)
	}
}

// written returns the merged value of a path, and whether any file sets it to a
// value that was not rejected.
func (s *state) written(path ...string) (any, bool) {
	v, ok := lookUp(s.merged, path)
	return v, ok && !s.isBad(path)
}

func lookUp(m map[string]any, path []string) (any, bool) {
	for i, step := range path {
		v, ok := m[step]
		if !ok || i == len(path)-1 {
			return v, ok
		}
		if m, ok = v.(map[string]any); !ok {
			return nil, false
		}
	}
	return nil, false
}

// origin returns the document that set a path: the last that has it. An element of
// an array is in the document of the array.
func (s *state) origin(path []string) *document {
	if last := len(path) - 1; strings.HasPrefix(path[last], "[") {
		path = path[:last]
	}
	for i := len(s.docs) - 1; i >= 0; i-- {
		if _, ok := lookUp(s.docs[i].data, path); ok {
			return s.docs[i]
		}
	}
	return nil
}

func (s *state) markBad(path []string) {
	if s.bad == nil {
		s.bad = map[string]bool{}
	}
	s.bad[strings.Join(path, "\x00")] = true
}

func (s *state) isBad(path []string) bool {
	return s.bad != nil && s.bad[strings.Join(path, "\x00")]
}
