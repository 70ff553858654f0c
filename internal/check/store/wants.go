// SPDX-License-Identifier: Apache-2.0

package store

import (
	"cmp"

	"justnews/internal/facts"
	"justnews/internal/modelmap"
)

// Wants lists what the Model Store has to contain for a map, in the order in which
// the orchestrator loads it; if agents are given, only what these need.
func Wants(m *modelmap.Map, only ...string) []facts.StoreWant {
	if m == nil {
		return nil
	}
	wanted := map[string]bool{}
	for _, name := range only {
		wanted[name] = true
	}
	var all []facts.StoreWant
	for _, a := range m.Agents {
		if len(only) > 0 && !wanted[a.Name] {
			continue
		}
		for _, model := range a.Models {
			all = append(all, want(m, a.Name, model))
		}
	}
	return all
}

// want finds the place of an entry in the store, as the loader of JustNews does: a
// full model is in the current version of its agent, the base of an adapter where
// base_models says.
func want(m *modelmap.Map, agent string, model modelmap.Model) facts.StoreWant {
	w := facts.StoreWant{
		Agent: agent, Model: model.ID, ID: cmp.Or(model.ModelID, model.ID), Owner: agent,
		Base: model.Base, Adapter: model.StorePath, Line: model.Line, Column: model.Column,
	}
	if model.Base == "" {
		return w
	}
	base, ok := m.BaseModel(model.Base)
	if !ok {
		w.BaseUnknown = model.ModelID == "" // with an id of its own it loads without
		return w
	}
	w.ID = cmp.Or(base.HubID, w.ID)
	w.Owner, w.Version, w.Path = cmp.Or(base.StoreAgent, agent), base.StoreVersion, base.StorePath
	return w
}
