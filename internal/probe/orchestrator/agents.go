// SPDX-License-Identifier: Apache-2.0

package orchestrator

import (
	"context"

	"justnews/internal/facts"
	"justnews/internal/strictjson"
)

// Agents asks the bus for its registered agents, GET /agents. The old bus
// answers with an object of names and addresses, a newer one with such an
// object, or a list of names, below "agents".
func (b *Bus) Agents(ctx context.Context) facts.Registration {
	found := facts.Registration{}
	found.Answer = b.get(ctx, "/agents", false).read(func(f fields) {
		below, nested, err := f.Optional("agents")
		f.fail(err)
		if nested && below.IsList() {
			for _, v := range as(f, below, nil, strictjson.Value.List) {
				found.Agents = append(found.Agents, as(f, v, nil, strictjson.Value.Text))
			}
			return
		}
		if nested && below.IsObject() {
			f = f.object("agents")
		}
		for _, m := range f.Members() {
			found.Agents = append(found.Agents, m.Key)
		}
	})
	return found
}
