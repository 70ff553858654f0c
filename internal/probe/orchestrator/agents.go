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
	r := b.get(ctx, "/agents", false)
	found := facts.Registration{}
	found.Answer = r.read(func(o strictjson.Object) error {
		below, nested, err := o.Optional("agents")
		if err == nil && nested && below.IsList() {
			found.Agents, err = listed(below)
			return err
		}
		if err == nil && nested && below.IsObject() {
			o, err = below.Object()
		}
		for _, m := range o.Members() {
			found.Agents = append(found.Agents, m.Key)
		}
		return err
	})
	return found
}

func listed(v strictjson.Value) ([]string, error) {
	values, err := v.List()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, v := range values {
		name, err := v.Text()
		if err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, nil
}
