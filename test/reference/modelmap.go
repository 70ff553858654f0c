// SPDX-License-Identifier: Apache-2.0

package reference

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"

	"justnews/internal/modelmap"
)

// entry is one model of one agent, as the loader needs it.
type entry struct {
	agent   string
	id      string // the key under per_agent
	hub     string // the id that names the directory in the store: the model's, or its base's
	owner   string // whose directory of the store holds that
	version string // the version there, empty: current
	adapter string // the adapter's path below the store, empty: no adapter
	variant string
}

// readMap reads AGENT_MODEL_MAP.json, in the order in which upstream loads. To
// upstream a map that is missing or malformed is no error, only an empty one:
// that is the caller's to decide.
func readMap(path string) ([]entry, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the model map: %w", err)
	}
	m, problems := modelmap.Parse(data)
	if i := slices.IndexFunc(problems, func(p modelmap.Problem) bool { return !p.Warning }); i >= 0 {
		return nil, fmt.Errorf("cannot read the model map %s: %w", path, problems[i])
	}
	if m == nil {
		return nil, errors.New("cannot read the model map " + path)
	}
	var entries []entry
	for _, a := range m.Agents {
		for _, model := range a.Models {
			entries = append(entries, newEntry(m, a.Name, model))
		}
	}
	return entries, nil
}

func newEntry(m *modelmap.Map, agent string, model modelmap.Model) entry {
	e := entry{
		agent:   agent,
		id:      model.ID,
		hub:     cmp.Or(model.ModelID, model.ID),
		owner:   agent,
		adapter: model.StorePath,
		variant: cmp.Or(model.Variant, "bnb-int8"),
	}
	if base, ok := m.BaseModel(model.Base); ok {
		e.hub, e.version = base.HubID, base.StoreVersion
		e.owner = cmp.Or(base.StoreAgent, agent)
	}
	return e
}
